"""What an index run did, in lines for people."""

from lookalike.index.index_report import IndexReport
from lookalike.text import first_few, plural


def index_lines(done: IndexReport, folder: str, words: str, seconds: float) -> list[str]:
    """Lines about an index run, the most important first.

    Args:
        done: what the run did.
        folder: that was indexed, as it was named.
        words: what names the collection in a shell: FOLDER, and --at DIR where it is needed.
        seconds: that it took.
    """
    return [
        _summary(done, folder, seconds),
        *done.notes,
        *_kept(done),
        *(f"skipped {name}: {reason}" for name, reason in done.skipped.items()),
        *(f"lens {name} not updated: {reason}" for name, reason in done.damaged.items()),
        *_refused(done, words),
        *([f"Now search: lookalike search {words} PICTURE --grid grid.png"] if done.added else []),
    ]


def watch_lines(done: IndexReport, pictures: int) -> list[str]:
    """A line about one look at a folder that is watched, then lines with what else there is to know.

    Args:
        done: what the look found.
        pictures: how many the collection has now.
    """
    remarks = [
        *done.notes,
        *_kept(done),
        *(f"skipped {name}: {reason}" for name, reason in done.skipped.items()),
        *(f"lens {name} not updated: {reason}" for name, reason in done.damaged.items()),
        *(f"refused {name}: {reason}" for name, reason in done.refused.items()),
        *(f"{name}: cut short, and read without {lacks}." for name, lacks in done.in_part.items()),
    ]
    return [f"{', '.join(_counts(done))}; {plural(pictures, 'picture')}.", *remarks]


def _counts(done: IndexReport) -> list[str]:
    counts = {
        "added": done.added,
        "changed": done.changed,
        "moved": done.moved,
        "gone": done.gone,
        "left out from now on": done.dropped,
        "refused": len(done.refused),
    }
    return [f"{count:,} {word}" for word, count in counts.items() if count] or ["nothing new"]


def _summary(done: IndexReport, folder: str, seconds: float) -> str:
    parts = [part for part in _counts(done) if not part.endswith("refused")] or ["nothing new"]
    if parts == ["nothing new"] and not done.unchanged + done.kept_missing + done.kept_unseen:
        return f"{folder}: no pictures in it. Put some there, or name another folder."
    return f"{', '.join(parts)}, {done.unchanged:,} unchanged, in {seconds:.1f} s."


def _kept(done: IndexReport) -> list[str]:
    lines = []
    if done.freed:
        lines.append(f"{done.freed / 1e6:.1f} MB freed: tables of backbones that are not in use.")
    if done.kept_missing:
        lines.append(
            f"{plural(done.kept_missing, 'picture')} missing, more than half of all: kept, in case a disk is "
            "unplugged. If they are really gone, add --prune."
        )
    if done.kept_unseen:
        lines.append(f"{plural(done.kept_unseen, 'picture')} could not be looked at: kept as they were.")
    if done.left_out:
        lines.append(f"{plural(done.left_out, 'file or folder', 'files and folders')} left out by patterns.")
    return lines


def _refused(done: IndexReport, words: str) -> list[str]:
    lines = []
    if done.in_part:
        files = first_few([f"{file} (without {lacks})" for file, lacks in done.in_part.items()])
        lines.append(f"{plural(len(done.in_part), 'picture')} cut short, and read in part: {files}.")
    if done.other_files:
        kinds = first_few([f"{count:,} {ending or 'without ending'}" for ending, count in done.other_files.items()])
        lines.append(f"{plural(done.other_files.total(), 'file')} beside the pictures, of other kinds: {kinds}.")
    if done.refused:
        lines.append(f"{plural(len(done.refused), 'file')} refused. See why with: lookalike status {words}")
    if done.still_refused:
        lines.append(f"{plural(done.still_refused, 'file')} refused as before.")
    return lines
