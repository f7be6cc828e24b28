"""Layouts and CSVs -> examples, by value; and the one line that a wrong layout gets."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import ExamplesError
from lookalike.learn.belonging import joined
from lookalike.learn.examples import of_files, read, united


def put(root: Path, *files: str) -> Path:
    """Files of these names; layouts are read from names, so no picture is needed in them."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"12345")
    return root


def table(root: Path, text: "str | bytes", name: str = "examples.csv") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def groups(examples, root: Path) -> set[frozenset[str]]:
    """Who belongs together, by names."""
    names = [path.relative_to(root).as_posix() for path in examples.paths]
    kinds = np.unique(examples.group[examples.group >= 0])
    return {frozenset(name for name, of in zip(names, examples.group, strict=True) if of == kind) for kind in kinds}


def triplets(examples) -> list[tuple[str, ...]]:
    return [tuple(examples.paths[row].name for row in three) for three in examples.triplets]


def error(source: Path, **options) -> str:
    with pytest.raises(ExamplesError) as caught:
        read(source, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert line.endswith(".")
    return line.removeprefix(f"{source}: ")


# --- sides


def test_files_of_one_name_in_two_folders_belong_together_and_the_folder_is_the_side(tmp_path):
    for seed, file in enumerate(["left/1.png", "left/2.png", "right/1.png", "right/2.png"]):
        draw(tmp_path / file, seed)
    examples = read(tmp_path)
    assert examples.reading == "sides"
    assert [path.relative_to(tmp_path).as_posix() for path in examples.paths] == [
        "left/1.png",
        "left/2.png",
        "right/1.png",
        "right/2.png",
    ]
    assert examples.group.tolist() == [0, 1, 0, 1]
    assert examples.side.tolist() == [0, 0, 1, 1]
    assert examples.side_names == ("left", "right")
    assert examples.triplets is None
    assert not examples.views
    assert examples.said[0] == "sides: 2 folders with 2 matching names (left, right)"
    assert "--as classes" in examples.said[1]


def test_sides_match_by_stem_when_their_endings_differ(tmp_path):
    put(tmp_path, "left/1.png", "left/2.png", "right/1.jpg", "right/2.JPEG")
    assert groups(read(tmp_path), tmp_path) == {
        frozenset({"left/1.png", "right/1.jpg"}),
        frozenset({"left/2.png", "right/2.JPEG"}),
    }


def test_two_files_that_differ_in_their_ending_alone_match_by_whole_names(tmp_path):
    put(tmp_path, "left/1.png", "left/1.jpg", "left/2.png", "right/1.png", "right/1.jpg", "right/2.webp")
    assert groups(read(tmp_path), tmp_path) == {
        frozenset({"left/1.png", "right/1.png"}),
        frozenset({"left/1.jpg", "right/1.jpg"}),
        frozenset({"left/2.png", "right/2.webp"}),
    }


def test_names_match_in_whichever_code_points_a_system_wrote_their_letters(tmp_path):
    put(tmp_path, "a/\u1112\u1161\u11ab.jpg", "a/2.jpg", "b/\ud55c.jpg", "b/2.jpg")
    examples = read(tmp_path)
    assert examples.reading == "sides"
    assert sorted(np.bincount(examples.group)) == [2, 2]


def test_names_within_sides_may_lie_in_folders(tmp_path):
    put(tmp_path, "left/a/1.png", "left/b/1.png", "right/a/1.png", "right/b/1.png")
    assert groups(read(tmp_path), tmp_path) == {
        frozenset({"left/a/1.png", "right/a/1.png"}),
        frozenset({"left/b/1.png", "right/b/1.png"}),
    }


def test_sides_may_lie_in_one_folder_more(tmp_path):
    put(tmp_path, "data/left/1.png", "data/left/2.png", "data/right/1.png", "data/right/2.png")
    examples = read(tmp_path)
    assert examples.reading == "sides"
    assert examples.side_names == ("data/left", "data/right")


@pytest.mark.parametrize(("common", "reading"), [(90, "sides"), (89, "classes")])
def test_folders_are_sides_when_each_holds_nine_tenths_of_all_names(tmp_path, common, reading):
    """Of 100 names in all, the right folder holds so many."""
    put(tmp_path, *(f"left/{i}.png" for i in range(100)), *(f"right/{i}.png" for i in range(common)))
    examples = read(tmp_path)
    assert examples.reading == reading
    line = "left out: 10 pictures whose name only one folder has: left/90.png, left/91.png, left/92.png and 7 more"
    assert (line in examples.said) == (reading == "sides")
    assert len(examples.paths) == (180 if reading == "sides" else 189)
    if reading == "classes":
        assert "89% of the names are in every folder. If they are sides, say --as sides" in examples.said


def test_more_folders_than_names_are_classes(tmp_path):
    """Three articles that each have a front and a back: three classes, not three designs of two signs."""
    put(tmp_path, *(f"{article}/{view}.jpg" for article in "abc" for view in ("front", "back")))
    assert read(tmp_path).reading == "classes"
    assert read(tmp_path, as_="sides").reading == "sides"


def test_as_decides_where_a_folder_could_be_read_two_ways(tmp_path):
    put(tmp_path, "cats/1.jpg", "cats/2.jpg", "dogs/1.jpg", "dogs/2.jpg")
    assert read(tmp_path).reading == "sides"
    classes = read(tmp_path, as_="classes")
    assert groups(classes, tmp_path) == {
        frozenset({"cats/1.jpg", "cats/2.jpg"}),
        frozenset({"dogs/1.jpg", "dogs/2.jpg"}),
    }
    assert (classes.group_names, classes.side) == (("cats", "dogs"), None)
    views = read(tmp_path, as_="views")
    assert views.views
    assert views.group.tolist() == [0, 1, 2, 3]
    assert views.said[0].startswith("views: 4 pictures from 2 folders, each by itself")


def test_as_sides_needs_no_threshold_and_leaves_out_what_has_no_partner(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg", "b/1.jpg", "b/2.jpg", "loose.jpg", "c/1.jpg")
    examples = read(tmp_path, as_="sides")
    assert groups(examples, tmp_path) == {
        frozenset({"a/1.jpg", "b/1.jpg", "c/1.jpg"}),
        frozenset({"a/2.jpg", "b/2.jpg"}),
    }
    assert "left out: 2 pictures whose name only one folder has: a/3.jpg, a/4.jpg" in examples.said
    assert "left out: 1 picture beside the folders: loose.jpg" in examples.said


# --- classes


def test_folders_are_classes_and_nested_ones_keep_their_whole_path(tmp_path):
    for seed, file in enumerate(["b/2.png", "b/10.png", "a/x/1.png", "a/x/4.png", "a/y/5.png", "a/y/6.png"]):
        draw(tmp_path / file, seed)
    examples = read(tmp_path)
    assert examples.reading == "classes"
    assert examples.group_names == ("a/x", "a/y", "b")
    assert examples.group.tolist() == [0, 0, 1, 1, 2, 2]
    assert [path.name for path in examples.paths] == ["1.png", "4.png", "5.png", "6.png", "2.png", "10.png"]
    assert (examples.side, examples.triplets, examples.side_names) == (None, None, ())
    assert examples.said == ("classes: 3 folders with 6 pictures, 2 each",)


def test_what_is_no_picture_is_left_out_and_named_whatever_programs_left_there(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg", "b/notes.txt", "README.md", "._c.jpg", ".git/x.jpg")
    put(tmp_path, "a/Thumbs.db", "@eaDir/y.jpg")
    (tmp_path / "c").mkdir()
    examples = read(tmp_path)
    assert examples.said == (
        "classes: 2 folders with 4 pictures, 2 each",
        "left out: 1 folder without pictures: c",
        "left out: 2 files that are no pictures: b/notes.txt, README.md",
    )


def test_a_picture_without_an_ending_is_found_by_its_first_bytes(tmp_path):
    draw(tmp_path / "a/1.png", 1).rename(tmp_path / "a/one")
    put(tmp_path, "a/2.png", "b/3.png", "b/4.png", "b/nothing")
    assert groups(read(tmp_path), tmp_path) == {frozenset({"a/one", "a/2.png"}), frozenset({"b/3.png", "b/4.png"})}


def test_a_class_of_one_picture_stays_and_is_said(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg", "c/5.jpg")
    examples = read(tmp_path)
    assert examples.group.tolist() == [0, 0, 1, 1, 2]
    assert "1 folder with one picture, which is only told apart: c" in examples.said


def test_one_folder_name_in_several_places_makes_several_classes_and_that_is_said(tmp_path):
    put(tmp_path, "train/cat/1.jpg", "train/cat/2.jpg", "train/dog/3.jpg", "train/dog/4.jpg", "val/cat/5.jpg")
    examples = read(tmp_path)
    assert examples.group_names == ("train/cat", "train/dog", "val/cat")
    assert any(line.startswith("1 folder name in several places (cat)") for line in examples.said)


def test_pictures_beside_nested_folders_are_a_class_of_their_own_and_that_is_said(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "a/b/3.jpg", "a/b/4.jpg")
    examples = read(tmp_path)
    assert examples.group_names == ("a", "a/b")
    assert "1 folder with pictures beside folders, each a class of its own: a" in examples.said


def test_as_classes_leaves_out_what_lies_beside_the_folders(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg", "loose.jpg")
    examples = read(tmp_path, as_="classes")
    assert len(examples.paths) == 4
    assert "left out: 1 picture beside the folders: loose.jpg" in examples.said


# --- views


def test_pictures_without_folders_are_views(tmp_path):
    put(tmp_path, "10.jpg", "2.jpg", "a.png")
    examples = read(tmp_path)
    assert examples.views
    assert [path.name for path in examples.paths] == ["2.jpg", "10.jpg", "a.png"]
    assert examples.group.tolist() == [0, 1, 2]


def test_given_files_are_views_each_once_whatever_its_names(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "3.jpg").symlink_to(tmp_path / "1.jpg")
    examples = of_files([tmp_path / "2.jpg", tmp_path / "1.jpg", tmp_path / "x" / ".." / "2.jpg", tmp_path / "3.jpg"])
    assert [path.name for path in examples.paths] == ["2.jpg", "1.jpg"]
    assert examples.views


# --- wrong layouts, one line each

EXPECTED_CLASSES = "expected two or more folders of two or more pictures (classes)"


@pytest.mark.parametrize(
    ("files", "options", "line"),
    [
        (
            [],
            {},
            "found no pictures; expected folders with the same file names (sides), a folder for each class, or "
            "pictures. Nearest: views. Put two or more pictures into it.",
        ),
        (
            ["a/x.txt", "b/y.txt"],
            {},
            "found no pictures (2 empty folders; left out: 2 files that are no pictures: a/x.txt, b/y.txt); expected "
            "folders with the same file names (sides), a folder for each class, or pictures. Nearest: views. Put two "
            "or more pictures into it.",
        ),
        (
            ["1.jpg"],
            {},
            "found 1 picture and no folders; expected two or more pictures. Nearest: views. Add pictures.",
        ),
        (
            ["a/1.jpg", "a/2.jpg"],
            {},
            f"found 1 folder with 2 pictures; {EXPECTED_CLASSES}. Nearest: views. Say --as views to take every "
            "picture by itself, or add a second folder.",
        ),
        (
            ["a/1.jpg", "b/2.jpg", "c/3.jpg"],
            {},
            f"found 3 folders with 1 picture each, no names in common; {EXPECTED_CLASSES}. Nearest: views. Say --as "
            "views to take every picture by itself, or put pictures that belong together into one folder.",
        ),
        (
            ["a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg", "b/5.jpg", "x.jpg"],
            {},
            "found 1 picture beside 2 folders with 2 and 3 pictures, no names in common; expected pictures or folders "
            "of them, not both. Nearest: classes. Say --as classes to leave out what lies beside the folders, or --as "
            "views to take every picture by itself.",
        ),
        (
            ["a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg"],
            {"as_": "sides"},
            "found 2 folders with 2 pictures each, no names in common; expected two or more folders that have at "
            "least two file names in common (sides). Nearest: classes. Leave out --as sides.",
        ),
        (
            ["1.jpg", "2.jpg"],
            {"as_": "classes"},
            "found 2 pictures and no folders; expected folders, as --as classes says. Nearest: views. Leave out --as "
            "classes, or move the pictures into folders.",
        ),
        (
            ["left/1.jpg", "left/2.jpg", "left/3.jpg", "right/notes.txt"],
            {},
            f"found 2 folders with 3 and 0 pictures; {EXPECTED_CLASSES}. Nearest: views. Say --as views to take every "
            "picture by itself, or add a second folder.",
        ),
    ],
)
def test_a_wrong_layout_gets_one_line_of_what_was_found_expected_and_nearest(tmp_path, files, options, line):
    assert error(put(tmp_path, *files), **options) == line


def test_a_wrong_source_gets_one_line(tmp_path):
    put(tmp_path, "a.jpg", "judgements.jsonl", "b.csv")
    assert error(tmp_path / "none") == "no such file or folder. Check its name."
    assert error(tmp_path / "a.jpg") == "found a picture; expected a folder or a CSV. Nearest: the folder it lies in."
    assert "Leave out --from" in error(tmp_path / "judgements.jsonl")


# --- CSVs


def test_a_csv_of_triplets(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg", "sub/3.jpg", "4.jpg")
    text = "anchor,positive,negative\n2.jpg,1.jpg,sub/3.jpg\n1.jpg,2.jpg,4.jpg\n2.jpg,1.jpg,sub/3.jpg\n"
    examples = read(table(tmp_path, text))
    assert examples.reading == "triplets"
    assert triplets(examples) == [("2.jpg", "1.jpg", "3.jpg"), ("1.jpg", "2.jpg", "4.jpg")]
    assert examples.group.tolist() == [-1] * 4
    assert examples.said == ("triplets: 2 triplets of 4 pictures",)


def test_a_csv_of_pairs_joins_transitively(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(7)))
    examples = read(table(tmp_path, "a,b\n0.jpg,1.jpg\n2.jpg,1.jpg\n1.jpg,0.jpg\n4.jpg,5.jpg\n"))
    assert examples.reading == "pairs"
    assert groups(examples, tmp_path) == {frozenset({"0.jpg", "1.jpg", "2.jpg"}), frozenset({"4.jpg", "5.jpg"})}
    assert (examples.triplets, examples.side) == (None, None)
    assert examples.said == ("pairs: 3 pairs, which join 5 pictures into 2 groups",)


def test_a_csv_of_labels(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(5)))
    text = "file,label\n3.jpg,red\n1.jpg, blue \n0.jpg,red\n2.jpg,blue\n4.jpg,Red\n"
    examples = read(table(tmp_path, text))
    assert examples.reading == "labels"
    assert [path.name for path in examples.paths] == ["3.jpg", "1.jpg", "0.jpg", "2.jpg", "4.jpg"]
    assert examples.group.tolist() == [0, 1, 0, 1, 2]
    assert examples.group_names == ("red", "blue", "Red")
    assert "1 label with one picture, which is only told apart: Red" in examples.said


ONE = 'file,label\na.jpg,x\nb.jpg,x\nc.jpg,y\n"d, e.jpg",y\n'


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        "\ufeff" + ONE,
        ONE.replace("\n", "\r\n"),
        "FILE , Label\n" + ONE.partition("\n")[2],
        "id;label;file\n1;x;a.jpg\n2;x;b.jpg\n3;y;c.jpg\n4;y;d, e.jpg\n",
        "sep=;\nfile;label\na.jpg;x\nb.jpg;x\nc.jpg;y\nd, e.jpg;y\n",
        "file\tlabel\tnote\na.jpg\tx\t\nb.jpg\tx\tgood, very; good\nc.jpg\ty\nd, e.jpg\ty\n",
        "\n\n" + ONE + "\n\n",
        ONE.replace("a.jpg,", "./a.jpg, ").replace("b.jpg", '"b.jpg"'),
        ONE.rstrip("\n"),
    ],
    ids=["plain", "bom", "crlf", "case", "semicolon", "sep", "tab", "blank", "quotes", "no end"],
)
def test_a_csv_may_be_spelled_as_spreadsheets_spell_it(tmp_path, text):
    put(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d, e.jpg")
    examples = read(table(tmp_path, text))
    assert [path.name for path in examples.paths] == ["a.jpg", "b.jpg", "c.jpg", "d, e.jpg"]
    assert (examples.group.tolist(), examples.group_names) == ([0, 0, 1, 1], ("x", "y"))
    assert examples.said == ("labels: 2 labels with 4 pictures",)


def test_paths_are_tried_from_the_csv_then_from_the_collection_and_may_be_absolute(tmp_path):
    put(tmp_path / "photos", "1.jpg", "2.jpg", "sub/3.jpg", "4.jpg")
    put(tmp_path / "lists", "1.jpg")
    absolute = tmp_path / "photos/4.jpg"
    path = table(tmp_path / "lists", f"a,b\n1.jpg,2.jpg\nsub\\3.jpg,{absolute}\n")
    examples = read(path, folder=tmp_path / "photos")
    assert groups(examples, tmp_path) == {
        frozenset({"lists/1.jpg", "photos/2.jpg"}),
        frozenset({"photos/sub/3.jpg", "photos/4.jpg"}),
    }


def test_one_file_by_two_names_is_one_row(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg", "sub/3.jpg", "4.jpg", "5.jpg", "6.jpg")
    (tmp_path / "link.jpg").symlink_to("1.jpg")
    (tmp_path / "other").symlink_to("sub")
    text = "a,b\n1.jpg,2.jpg\nlink.jpg,./4.jpg\nsub/3.jpg,other/3.jpg\n5.jpg,6.jpg\n"
    examples = read(table(tmp_path, text))
    assert groups(examples, tmp_path) == {frozenset({"1.jpg", "2.jpg", "4.jpg"}), frozenset({"5.jpg", "6.jpg"})}
    assert "left out: 1 pair of a picture with itself" in examples.said


def test_what_is_missing_empty_or_contradicts_itself_is_counted_and_named(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(8)))
    text = "file,label\n0.jpg,x\n1.jpg,x\n2.jpg,y\n3.jpg,y\n4.jpg,\n5.jpg\n6.jpg,x\n6.jpg,y\n8.jpg,x\n"
    examples = read(table(tmp_path, text))
    assert examples.group.tolist() == [0, 0, 1, 1]
    assert examples.said == (
        "labels: 2 labels with 4 pictures",
        "left out: 2 lines with an empty cell: line 6, 7",
        f"left out: 1 of 6 files, not found in {tmp_path}: 8.jpg",
        "left out: 1 picture with several labels: 6.jpg",
    )


def test_a_triplet_that_lacks_a_file_or_names_one_twice_is_left_out(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    text = "anchor,positive,negative\n1.jpg,2.jpg,3.jpg\n1.jpg,1.jpg,3.jpg\n1.jpg,2.jpg,gone.jpg\n3.jpg,2.jpg,3.jpg\n"
    examples = read(table(tmp_path, text))
    assert triplets(examples) == [("1.jpg", "2.jpg", "3.jpg")]
    assert "left out: 2 triplets with one picture twice" in examples.said


def test_as_views_takes_every_file_that_a_csv_names_by_itself(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg")
    examples = read(table(tmp_path, "a,b\n1.jpg,2.jpg\n"), as_="views")
    assert examples.views
    assert examples.group.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "options", "line"),
    [
        ("", {}, "empty. Expected a CSV whose first line is anchor,positive,negative or a,b or file,label."),
        (
            "image;class\n1.jpg;x\n",
            {},
            "found columns image, class; expected anchor,positive,negative or a,b or file,label. Nearest: file,label "
            "(or a,b). Name the columns so in the first line.",
        ),
        (
            "1.jpg,2.jpg,3.jpg\n",
            {},
            "found columns 1.jpg, 2.jpg, 3.jpg; expected anchor,positive,negative or a,b or file,label. Nearest: "
            "anchor,positive,negative. Name the columns so in the first line.",
        ),
        ("a,b\n", {}, "found no lines of pairs below the first; expected one for each. Add some."),
        (
            "a,b\n1.jpg,2.jpg\n2.jpg,3.jpg\n",
            {},
            "found 2 pairs that join into one group of 3, with nothing to tell it from; expected two or more groups. "
            "Nearest: triplets, which do not join. Add pairs of other pictures, or give anchor,positive,negative.",
        ),
        (
            "file,label\n1.jpg,x\n2.jpg,x\n3.jpg,y\n",
            {},
            "found 2 labels, 1 of them with one picture; expected two or more labels of two or more pictures. Nearest: "
            "views. Say --as views to take every picture by itself, or add lines.",
        ),
        (
            "a,b\n1.jpg,2.jpg\n",
            {"as_": "classes"},
            "a table of pairs, which --as classes cannot be. Leave out --as classes.",
        ),
        (
            "file,label\n1.jpg,x\n",
            {"as_": "sides"},
            "a table of labels, which --as sides cannot be. Leave out --as sides.",
        ),
        (
            "file,label\n1.jpg,x\n2.jpg,x\ncaf\xe9.jpg,y\n".encode("latin-1"),
            {},
            "line 4 is not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8), then try again.",
        ),
        (
            "file,label\n".encode("utf-16"),
            {},
            "line 1 is not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8), then try again.",
        ),
        (b"\0\1\2\n", {}, "not a text file. Give a folder of pictures, or a CSV."),
        (b"x" * 200_000, {}, "not a text file. Give a folder of pictures, or a CSV."),
        (
            'a,b\n"1.jpg,2.jpg\n' + "1.jpg,2.jpg\n" * 20_000,
            {},
            "field larger than field limit (131072) near line 10924. Look for a quote that is open.",
        ),
    ],
)
def test_a_wrong_csv_gets_one_line(tmp_path, text, options, line):
    put(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    assert error(table(tmp_path, text), **options) == line


def test_a_csv_of_judgements_is_sent_to_judge(tmp_path):
    with pytest.raises(ExamplesError, match=r"lookalike judge FOLDER --from some\.csv"):
        read(table(tmp_path, "query,yes,no\n1.jpg,2.jpg,3.jpg\n", "some.csv"))


def test_more_than_half_missing_is_an_error_that_says_where_it_looked(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg")
    assert error(table(tmp_path, "a,b\n1.jpg,2.jpg\n3.jpg,4.jpg\n../5.jpg,x/\n"), folder=tmp_path / "photos") == (
        f"found 2 of 6 files that it names, looking in {tmp_path} and {tmp_path / 'photos'}; expected more than half. "
        "Missing: 3.jpg, 4.jpg, ../5.jpg and 1 more. Move the CSV beside its pictures, or mend its paths."
    )


def test_names_that_no_file_can_have_are_missing_files(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(4)))
    path = table(tmp_path, f"a,b\n0.jpg,1.jpg\n2.jpg,3.jpg\n{'x' * 5000}.jpg,nul\0.jpg\n.,0.jpg\n")
    examples = read(path)
    assert len(examples.paths) == 4
    assert any(line.startswith("left out: 3 of 7 files, not found in") for line in examples.said)


def test_a_million_lines_are_read_in_seconds(tmp_path):
    """Measured at 2 s on a busy core; the bound leaves room for slow machines."""
    put(tmp_path, *(f"{i}.jpg" for i in range(1000)))
    lines = [f"{i % 1000}.jpg,{i * 7 % 1000}.jpg,{(i // 1000 + i) % 1000}.jpg\n" for i in range(1_000_000)]
    path = table(tmp_path, "anchor,positive,negative\n" + "".join(lines))
    start = time.process_time()
    examples = read(path)
    assert time.process_time() - start < 30
    assert len(examples.paths) == 1000


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_pairs_join_as_walking_from_picture_to_picture_does(pairs):
    """The slow obvious way: a picture's group is what can be reached from it."""
    reached = {i: {i} for pair in pairs for i in pair}
    for _ in range(len(reached)):
        for a, b in pairs:
            reached[a] = reached[b] = reached[a] | reached[b]
    group = joined(31, np.array([a for a, _ in pairs], np.int64), np.array([b for _, b in pairs], np.int64))
    for i in range(31):
        together = {j for j in range(31) if group[j] == group[i]} if group[i] >= 0 else set()
        assert together == reached.get(i, set())
    firsts = [int(np.flatnonzero(group == one)[0]) for one in range(group.max() + 1)]
    assert firsts == sorted(firsts)


def test_a_chain_of_a_hundred_thousand_pairs_is_one_group():
    order = np.random.default_rng(0).permutation(100_001)
    assert joined(100_001, order[:-1], order[1:]).max() == 0


# --- several, united


def test_groups_of_several_are_not_merged_by_name(tmp_path):
    put(
        tmp_path,
        *(f"{one}/{label}/{i}.jpg" for one in "pq" for label in ("cat", "dog") for i in (one + "1", one + "2")),
    )
    both = united([read(tmp_path / "p", as_="classes"), read(tmp_path / "q", as_="classes")])
    assert both.reading == "several"
    assert both.group.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert both.group_names == ("cat", "dog", "cat", "dog")
    assert both.side is None


def test_pairs_that_share_a_picture_join_across_several(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(8)))
    one = read(table(tmp_path, "a,b\n0.jpg,1.jpg\n2.jpg,3.jpg\n", "one.csv"))
    two = read(table(tmp_path, "a,b\n1.jpg,4.jpg\n5.jpg,6.jpg\n6.jpg,7.jpg\n", "two.csv"))
    both = united([one, two])
    assert groups(both, tmp_path) == {
        frozenset({"0.jpg", "1.jpg", "4.jpg"}),
        frozenset({"2.jpg", "3.jpg"}),
        frozenset({"5.jpg", "6.jpg", "7.jpg"}),
    }
    assert "1 picture in several of these, taken once" in both.said


def test_classes_that_share_a_picture_do_not_join_and_what_came_first_counts(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(6)))
    colour = read(table(tmp_path, "file,label\n0.jpg,red\n1.jpg,red\n2.jpg,blue\n3.jpg,blue\n", "colour.csv"))
    shape = read(table(tmp_path, "file,label\n0.jpg,round\n4.jpg,round\n2.jpg,flat\n5.jpg,flat\n", "shape.csv"))
    both = united([colour, shape])
    assert groups(both, tmp_path) == {
        frozenset({"0.jpg", "1.jpg"}),
        frozenset({"2.jpg", "3.jpg"}),
        frozenset({"4.jpg"}),
        frozenset({"5.jpg"}),
    }
    assert both.group_names == ("red", "blue", "round", "flat")
    assert "2 pictures in a group of several of these: what the first says counts" in both.said


def test_views_among_others_are_groups_of_one_and_give_way_to_what_others_say(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(5)))
    views = read(tmp_path)
    pairs = read(table(tmp_path, "a,b\n0.jpg,1.jpg\n2.jpg,3.jpg\n"))
    both = united([views, pairs])
    assert not both.views
    assert groups(both, tmp_path) == {
        frozenset({"0.jpg", "1.jpg"}),
        frozenset({"2.jpg", "3.jpg"}),
        frozenset({"4.jpg"}),
    }
    assert not any("what the first says" in line for line in both.said)


def test_views_united_with_views_are_views(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg")
    both = united([read(tmp_path / "a"), read(tmp_path / "b"), of_files([tmp_path / "a/1.jpg"])])
    assert both.views
    assert both.group.tolist() == [0, 1, 2, 3]


def test_sides_and_triplets_keep_their_place_when_united(tmp_path):
    put(tmp_path, *(f"{part}/{side}/{part}{i}.jpg" for part in "pq" for side in ("left", "right") for i in (1, 2)))
    put(tmp_path, "x.jpg")
    three = read(table(tmp_path, "anchor,positive,negative\nx.jpg,q/left/q1.jpg,q/right/q2.jpg\n"))
    all_ = united([read(tmp_path / "p"), three, read(tmp_path / "q")])
    assert all_.side_names == ("left", "right", "left", "right")
    sides = {path.relative_to(tmp_path).as_posix(): int(side) for path, side in zip(all_.paths, all_.side, strict=True)}
    assert (sides["p/left/p1.jpg"], sides["p/right/p1.jpg"], sides["q/left/q1.jpg"], sides["q/right/q2.jpg"]) == (
        0,
        1,
        2,
        3,
    )
    assert sides["x.jpg"] == -1
    assert triplets(all_) == [("x.jpg", "q1.jpg", "q2.jpg")]
    named = dict(zip((path.name for path in all_.paths), all_.group, strict=True))
    assert named["x.jpg"] == -1
    assert sorted(np.bincount(all_.group[all_.group >= 0])) == [2, 2, 2, 2]


def test_one_part_united_is_itself_and_none_is_an_error(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg")
    one = read(tmp_path)
    assert united([one]) is one
    with pytest.raises(ExamplesError, match="no examples were given"):
        united([])


# --- the real pictures


@pytest.mark.parametrize(
    ("folder", "reading", "pictures", "of"),
    [
        ("emoji", "sides", 4000, 1000),
        ("totally_looks_like", "sides", 2400, 1200),
        ("grocery", "classes", 2936, 81),
        ("clothing", "classes", 600, 10),
        ("caltech101", "classes", 900, 60),
        ("omniglot", "classes", 800, 40),
        ("exif_rotated", "views", 9, 9),
    ],
)
def test_real_folders_are_read_as_their_makers_meant_them(real_data, folder, reading, pictures, of):
    examples = read(real_data / folder)
    assert (examples.reading, len(examples.paths), int(examples.group.max()) + 1) == (reading, pictures, of)


def test_the_emoji_have_four_sides_and_the_characters_their_alphabet(real_data):
    emoji = read(real_data / "emoji")
    assert emoji.side_names == ("fluent", "noto", "openmoji", "twemoji")
    assert np.bincount(emoji.side).tolist() == [1000] * 4
    assert all(len(set(emoji.side[emoji.group == one])) == 4 for one in range(0, 1000, 100))
    assert all(re.fullmatch(r"[^/]+/character\d\d", name) for name in read(real_data / "omniglot").group_names)
