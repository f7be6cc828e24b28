"""An index run in lines: what was done first, then what was kept, left out and refused."""

from collections import Counter

from lookalike.cli.index_report import index_lines, watch_lines
from lookalike.index.index_report import IndexReport


def lines(**done: object) -> list[str]:
    return index_lines(IndexReport(**done), "photos", "photos --at own", 1.25)  # type: ignore[arg-type]


def test_an_empty_folder_is_said_and_nothing_else():
    assert lines() == ["photos: no pictures in it. Put some there, or name another folder."]


def test_counts_that_are_not_zero_come_in_one_line():
    assert lines(unchanged=1200) == ["nothing new, 1,200 unchanged, in 1.2 s."]
    assert lines(added=2, gone=1, dropped=3)[0] == "2 added, 1 gone, 3 left out from now on, 0 unchanged, in 1.2 s."


def test_what_was_kept_left_out_and_refused_is_said_with_what_helps():
    assert lines(
        unchanged=3,
        kept_missing=9,
        kept_unseen=1,
        left_out=2,
        other_files=Counter({".json": 10, "": 1}),
        in_part={"cut.jpg": "its last 3.0 %", "old.jpg": "its end mark"},
        refused={"a.jpg": "broken"},
        still_refused=4,
        skipped={"locked": "cannot be read"},
        freed=2_500_000,
        notes=["a note"],
    ) == [
        "nothing new, 3 unchanged, in 1.2 s.",
        "a note",
        "2.5 MB freed: tables of backbones that are not in use.",
        "9 pictures missing, more than half of all: kept, in case a disk is unplugged. If they are really gone, add "
        "--prune.",
        "1 picture could not be looked at: kept as they were.",
        "2 files and folders left out by patterns.",
        "skipped locked: cannot be read",
        "2 pictures cut short, and read in part: cut.jpg (without its last 3.0 %), old.jpg (without its end mark).",
        "11 files beside the pictures, of other kinds: 10 .json, 1 without ending.",
        "1 file refused. See why with: lookalike status photos --at own",
        "4 files refused as before.",
    ]


def test_after_new_pictures_it_says_how_to_search():
    assert lines(added=1)[-1] == "Now search: lookalike search photos --at own PICTURE --grid grid.png"


def test_a_look_at_a_watched_folder_is_one_line_and_remarks():
    done = IndexReport(added=2, moved=1, gone=3, refused={"a.jpg": "empty"}, kept_unseen=4)
    assert watch_lines(done, 1200) == [
        "2 added, 1 moved, 3 gone, 1 refused; 1,200 pictures.",
        "4 pictures could not be looked at: kept as they were.",
        "refused a.jpg: empty",
    ]
    assert watch_lines(IndexReport(), 1) == ["nothing new; 1 picture."]
