"""A folder -> the table: what is new, changed, moved and gone; decoding and embedding overlapped; commit by batch."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lookalike.errors import CollectionError, ImageError
from lookalike.images.decode import DecodedImage, content_hash, decode_square, read_bytes
from lookalike.images.limits import LIMITS, Limits
from lookalike.images.scan import ImageFile, ScanResult, scan_folder
from lookalike.index.refused import RefusedFile, RefusedTable
from lookalike.index.snapshot import COLUMNS, Snapshot
from lookalike.index.table import ImageRow, Table
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens, weights_of
from lookalike.progress import Progress

COMMIT_ROWS = 256
COMMIT_SECONDS = 5.0


@dataclass
class IndexReport:
    """What an index run did, as numbers of files, and what it passed over.

    Attributes:
        kept_missing: files that are gone from the folder, but kept because the folder looks unplugged.
        refused: file -> reason, of pictures that could not be read.
        passed_over: name -> reason, of what could not be entered or named.
        damaged: lens -> reason, of lenses that cannot be read; their columns are filled once they can.
        said: lines for people: what else they should know.
        freed: bytes of the tables that were removed.
    """

    added: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    unchanged: int = 0
    kept_missing: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    freed: int = 0


@dataclass(frozen=True)
class ChangeSet:
    """What is to do: files to read, files whose date alone changed, files that are gone."""

    read: tuple[ImageFile, ...]
    gone: tuple[str, ...]
    unchanged: int


class _KnownError(Exception):
    """Raised by the reader in place of decoding, for content whose features the table has already."""

    def __init__(self, content: bytes):
        super().__init__()
        self.content = content


def compare_with_table(walked: ScanResult, known: dict[str, tuple[int, int]]) -> ChangeSet:
    """Compare a folder with what is known of it: file -> (bytes, mtime_ns), refused files included."""
    to_read = tuple(one for one in walked.files if known.get(one.file) != (one.bytes, one.mtime_ns))
    there = {one.file for one in walked.files}
    gone = tuple(file for file in known if file not in there)
    return ChangeSet(to_read, gone, len(walked.files) - len(to_read))


def index(
    folder: Path,
    table: Table,
    refused: RefusedTable,
    backbone: Backbone,
    *,
    lenses: Sequence[Lens] = (),
    prune: bool = False,
    limits: Limits = LIMITS,
    report: Callable[[Progress], None] | None = None,
) -> IndexReport:
    """Bring the table up to date with the folder; what is committed stays, whatever happens next.

    Args:
        folder: of pictures.
        table: to bring up to date.
        refused: the files that could not be read, likewise.
        backbone: what embeds the new ones.
        lenses: of the collection; each gets its column, whole and of its own weights.
        limits: what a picture may cost.
        prune: remove the rows of missing files even when the folder looks unplugged.
        report: called after each picture.
    Raises: CollectionError, when the folder is not there.
    """
    walked = scan_folder(folder)
    if not folder.is_dir():
        raise CollectionError(f"{folder}: no such folder. Plug the disk in, or check the name.")
    before = table.snapshot()
    columns = before.columns() if before else {name: [] for name in COLUMNS}
    rows = {
        file: (size, date)
        for file, size, date in zip(columns["file"], columns["bytes"], columns["mtime_ns"], strict=True)
    }
    contents = dict(zip(columns["content"], columns["file"], strict=True))
    old_refused = {one.file: (one.bytes, one.mtime_ns) for one in refused.rows()}
    todo = compare_with_table(walked, rows | old_refused)
    done = IndexReport(unchanged=todo.unchanged, skipped=walked.skipped)
    gone = [file for file in todo.gone if file in rows]
    unplugged = not prune and gone and len(gone) * 2 > len(rows)
    reader = _Reader(folder, backbone.bundle.side_px, limits, contents)
    for lens in lenses:
        update_lens_column(table, lens)

    places = {content: row for row, content in enumerate(columns["content"])}
    fresh: list[ImageRow] = []
    copies: list[tuple[ImageFile, bytes]] = []
    bad: list[RefusedFile] = []
    missing = set(gone)
    started = last = time.monotonic()

    def commit() -> None:
        fresh.extend(_copied(before, copies, places, columns))
        table.append(fresh, {lens.name: lens.apply for lens in lenses})
        refused.append(bad)
        if cured := [row.file for row in fresh if row.file in old_refused]:
            refused.remove(cured)
        if spoilt := [one.file for one in bad if one.file in rows]:
            table.remove(spoilt)
        table.compact()
        fresh.clear()
        copies.clear()
        bad.clear()

    for count, (found, outcome, features) in enumerate(backbone.pipeline(todo.read, reader.read), start=1):
        if isinstance(outcome, DecodedImage):
            content = reader.hashes.pop(found.file)
            size = (outcome.width, outcome.height)
            fresh.append(ImageRow(found.file, content, found.bytes, found.mtime_ns, *size, features))
        elif isinstance(outcome, _KnownError):
            copies.append((found, outcome.content))
            first = contents[outcome.content]
            if first in missing:
                done.moved += 1
                missing.discard(first)
        elif isinstance(outcome, ImageError) and outcome.kind == "gone":
            pass  # it vanished while others were read
        elif isinstance(outcome, ImageError):
            bad.append(RefusedFile(found.file, found.bytes, found.mtime_ns, str(outcome)))
            done.refused[found.file] = str(outcome)
        else:
            raise outcome
        if not isinstance(outcome, ImageError):
            done.changed += found.file in rows
            done.added += found.file not in rows
        now = time.monotonic()
        if len(fresh) + len(copies) + len(bad) >= COMMIT_ROWS or now - last > COMMIT_SECONDS:
            commit()
            last = now
        if report:
            rate = count / max(now - started, 1e-6)
            report(Progress("indexing", count, len(todo.read), rate, (len(todo.read) - count) / rate))
    commit()
    if not rows:  # the table is new: its first rows had no column to go into
        for lens in lenses:
            update_lens_column(table, lens)
    done.added -= done.moved
    if unplugged and len(missing) * 2 > len(rows):
        done.kept_missing = len(missing)
    elif gone:
        table.remove(gone)
        done.gone = len(missing)
    if forgotten := [file for file in todo.gone if file in old_refused]:
        refused.remove(forgotten)
    table.clean()
    return done


def update_lens_column(table: Table, lens: Lens) -> None:
    """Bring the column of a lens up to date: there, made with these weights, with a vector for every row."""
    weights = weights_of(lens)
    found = table.snapshot()
    if found is None:
        return
    if lens.name in found.lenses() and found.weights(lens.name) == weights:
        table.fill_lens(lens.name, lens.apply)
    else:
        table.add_lens(lens.name, lens.dims, lens.apply, weights)


def _copied(
    before: Snapshot | None,
    copies: Sequence[tuple[ImageFile, bytes]],
    places: Mapping[bytes, int],
    columns: Mapping[str, Sequence[int]],
) -> list[ImageRow]:
    """Rows of files whose content the table had already, under another name, before this run changed anything."""
    if before is None or not copies:
        return []
    taken, back = np.unique([places[content] for _, content in copies], return_inverse=True)
    features = before.take(taken, "features")
    return [
        ImageRow(
            found.file, content, found.bytes, found.mtime_ns, columns["width"][row], columns["height"][row], features[i]
        )
        for (found, content), row, i in zip(copies, taken[back], back, strict=True)
    ]


class _Reader:
    """Found -> pixels, in threads; content that the table holds is not decoded again."""

    def __init__(self, folder: Path, side_px: int, limits: Limits, contents: dict[bytes, str]):
        self.folder, self.side_px, self.limits, self.contents = folder, side_px, limits, contents
        self.hashes: dict[str, bytes] = {}

    def read(self, found: ImageFile) -> DecodedImage:
        """Raises: ImageError; _KnownError."""
        raw = read_bytes(found.path, self.limits)
        content = content_hash(raw)
        if content in self.contents:
            raise _KnownError(content)
        result = decode_square(raw, self.side_px, self.limits)
        self.hashes[found.file] = content
        return result
