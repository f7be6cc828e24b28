"""Columns by the names that people give them, and pairs whose line says no."""

from pathlib import Path

import pytest
from support.pictures import draw

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.csv_columns import Columns, find_answer, find_columns, lines_that_say_yes
from lookalike.learning.datasets.readers import read


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["anchor", "positive", "negative"], Columns("triplets", (0, 1, 2), ())),
        (["id", "a", "p", "n"], Columns("triplets", (1, 2, 3), (0,))),
        (["a", "b"], Columns("pairs", (0, 1), ())),
        (["left", "score", "right"], Columns("pairs", (0, 2), (1,))),
        (["image1", "image2", "label"], Columns("pairs", (0, 1), (2,))),
        (["label", "file"], Columns("labels", (1, 0), ())),
        (["filename", "class"], Columns("labels", (0, 1), ())),
        (["image_path", "category", "split"], Columns("labels", (0, 1), (2,))),
        (["file", "label", "path", "class"], Columns("labels", (0, 1), (2, 3))),  # our own names come first
        (["x", "y"], None),
        ([], None),
    ],
)
def test_columns_are_found_by_usual_names(header: list[str], expected: Columns | None):
    assert find_columns(header) == expected


def answer(header: list[str], *rows: list[str]) -> int | None:
    columns = find_columns(header)
    assert columns is not None
    return find_answer(header, columns, iter(enumerate(rows)), "pairs.csv")


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        (["a", "b", "same"], [["1", "2", "yes"], ["1", "3", "No"]], 2),
        (["a", "b", "same"], [["1", "2", "1"], ["1", "3", "1"]], 2),  # called so, though nobody says no
        (["a", "b", "x"], [["1", "2", "1.0"], ["1", "3", "0.0"]], 2),
        (["a", "b", "x"], [["1", "2", "TRUE"], ["1", "3", "-1"]], 2),
        (["a", "b", "x"], [["1", "2", "1"], ["1", "3", "1"]], None),  # 1 alone says nothing
        (["a", "b", "who"], [["1", "2", "kim"], ["1", "3", "no"]], None),
        (["a", "b", "same"], [["1", "2", ""], ["1", "3", ""]], None),
    ],
)
def test_the_column_that_says_yes_or_no_is_found(header, rows, expected):
    assert answer(header, *rows) == expected


def test_an_answer_that_is_no_answer_is_refused_and_so_are_two():
    with pytest.raises(ExamplesError, match=r"column 'same' of pairs says 0.73 and|column 'same' of pairs says 0.73;"):
        answer(["a", "b", "same"], ["1", "2", "1"], ["1", "3", "0.73"])
    with pytest.raises(ExamplesError, match="columns 'same' and 'match' of pairs both say yes or no"):
        answer(["a", "b", "same", "match"], ["1", "2", "1", "0"])


@pytest.mark.parametrize("name", ["distance", "dissimilarity"])
def test_a_column_of_distances_is_refused_for_0_is_the_nearest_there(name: str):
    with pytest.raises(ExamplesError, match="says how different two pictures are"):
        answer(["a", "b", name], ["1", "2", "0"], ["1", "3", "1"])


def test_similarities_between_0_and_1_are_refused():
    with pytest.raises(ExamplesError, match=r"column 'similarity' of pairs says 0.1, 0.9; expected yes or no"):
        answer(["a", "b", "similarity"], ["1", "2", "0.9"], ["1", "3", "0.1"])


def test_lines_that_say_no_are_counted_and_empty_ones_are_incomplete():
    said_no: list[int] = []
    lines = iter([(2, ["x", "yes"]), (3, ["y", "No "]), (4, ["z", ""]), (5, ["w"])])
    assert list(lines_that_say_yes(lines, 1, said_no)) == [(2, ["x", "yes"]), (4, []), (5, [])]
    assert said_no == [3]


def test_pairs_that_say_no_join_nothing(tmp_path: Path):
    for seed in range(6):
        draw(tmp_path / f"{seed}.png", seed)
    lines = ["image1,image2,same", "0.png,1.png,1", "2.png,3.png,1", "1.png,2.png,0", "4.png,5.png,1"]
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    found = read(tmp_path / "pairs.csv")
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert "1 pair that the CSV says no to, which join nothing" in found.notes


def test_labels_that_differ_in_case_alone_are_named(tmp_path: Path):
    for seed in range(4):
        draw(tmp_path / f"{seed}.png", seed)
    (tmp_path / "labels.csv").write_text("file,label\n0.png,Cat\n1.png,Cat\n2.png,cat\n3.png,cat\n")
    found = read(tmp_path / "labels.csv")
    assert any("labels that differ in case alone, kept apart: Cat and cat" in note for note in found.notes)


def test_a_column_of_pairs_that_says_nothing_known_is_named(tmp_path: Path):
    for i in range(4):
        draw(tmp_path / f"{i}.png", i)
    (tmp_path / "p.CSV").write_text("image1,image2,rating\n0.png,1.png,0.3\n2.png,3.png,0.9\n")
    found = read(tmp_path / "p.CSV")
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert found.notes[1:] == ("not read of this table of pairs: 1 column: rating",)


def test_json_is_one_line_that_says_what_to_write(tmp_path: Path):
    (tmp_path / "pairs.JSON").write_text('[["0.png", "1.png"]]')
    with pytest.raises(ExamplesError, match=r"found JSON; expected a folder or a CSV\. Write it as a CSV"):
        read(tmp_path / "pairs.JSON")
