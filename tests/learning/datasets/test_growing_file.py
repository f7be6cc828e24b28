"""Lines from the first on and from the last back are the same lines, whatever stands in the file."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.learning.datasets.growing_file import BLOCK, LONGEST_LINE, append, opened

SIZES = [0, 1, 7, BLOCK - 1, BLOCK, BLOCK + 1, LONGEST_LINE - 2, LONGEST_LINE - 1, LONGEST_LINE, 3 * LONGEST_LINE + 5]


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.sampled_from(SIZES), max_size=8), ended=st.booleans())
def test_from_the_last_back_lines_are_those_from_the_first_on(tmp_path_factory, sizes: list[int], ended: bool):
    lines = [bytes([65 + number]) * size + b"\n" for number, size in enumerate(sizes)]
    content = b"".join(lines) if ended else b"".join(lines)[:-1]
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(content)
    right = [
        (number, line if len(line) <= LONGEST_LINE and (line.endswith(b"\n") or len(line) < LONGEST_LINE) else None)
        for number, line in enumerate(content.splitlines(keepends=True), 1)
    ]
    with opened(path) as file:
        assert list(file.lines()) == right
        assert list(file.lines_from_the_last()) == right[::-1]


def test_what_is_appended_after_opening_is_not_read_and_a_broken_line_stays_one(tmp_path: Path):
    path = tmp_path / "new/lines"
    with opened(path) as file:
        assert file is None
    append(path, ["a"])
    with path.open("ab") as broken:
        broken.write(b"b")
    with opened(path) as file:
        append(path, ["c"])
        assert list(file.lines()) == [(1, b"a\n"), (2, b"b")]
        assert list(file.lines_from_the_last()) == [(2, b"b"), (1, b"a\n")]
    assert path.read_bytes() == b"a\nb\nc\n"


def test_the_last_lines_of_a_huge_file_are_read_without_the_others(tmp_path: Path):
    path = tmp_path / "lines"
    with path.open("wb") as file:
        file.truncate(200_000_000)  # a hole: one line of zeros
        file.seek(0, 2)
        file.write(b"\nlast\n")
    with opened(path) as lines:
        assert next(iter(lines.lines_from_the_last())) == (2, b"last\n")
