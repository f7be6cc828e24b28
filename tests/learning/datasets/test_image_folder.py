"""Folders -> examples, by value; and the one line that a wrong layout gets."""

import re

import numpy as np
import pytest
from support.on_disk import error, groups, put
from support.pictures import draw

from lookalike.learning.datasets.readers import read

# --- sides


def test_files_of_one_name_in_two_folders_belong_together_and_the_folder_is_the_side(tmp_path):
    for seed, file in enumerate(["left/1.png", "left/2.png", "right/1.png", "right/2.png"]):
        draw(tmp_path / file, seed)
    examples = read(tmp_path)
    assert examples.layout == "sides"
    assert [path.relative_to(tmp_path).as_posix() for path in examples.paths] == [
        "left/1.png",
        "left/2.png",
        "right/1.png",
        "right/2.png",
    ]
    assert examples.labels.tolist() == [0, 1, 0, 1]
    assert examples.domains.tolist() == [0, 0, 1, 1]
    assert examples.domain_names == ("left", "right")
    assert examples.triplets is None
    assert not examples.views
    assert examples.notes[0] == "sides: 2 folders with 2 matching names (left, right)"
    assert "--as classes" in examples.notes[1]


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
    assert examples.layout == "sides"
    assert sorted(np.bincount(examples.labels)) == [2, 2]


def test_names_within_sides_may_lie_in_folders(tmp_path):
    put(tmp_path, "left/a/1.png", "left/b/1.png", "right/a/1.png", "right/b/1.png")
    assert groups(read(tmp_path), tmp_path) == {
        frozenset({"left/a/1.png", "right/a/1.png"}),
        frozenset({"left/b/1.png", "right/b/1.png"}),
    }


def test_sides_may_lie_in_one_folder_more(tmp_path):
    put(tmp_path, "data/left/1.png", "data/left/2.png", "data/right/1.png", "data/right/2.png")
    examples = read(tmp_path)
    assert examples.layout == "sides"
    assert examples.domain_names == ("data/left", "data/right")


@pytest.mark.parametrize(("common", "reading"), [(90, "sides"), (89, "classes")])
def test_folders_are_sides_when_each_holds_nine_tenths_of_all_names(tmp_path, common, reading):
    """Of 100 names in all, the right folder holds so many."""
    put(tmp_path, *(f"left/{i}.png" for i in range(100)), *(f"right/{i}.png" for i in range(common)))
    examples = read(tmp_path)
    assert examples.layout == reading
    line = "left out: 10 pictures whose name only one folder has: left/90.png, left/91.png, left/92.png and 7 more"
    assert (line in examples.notes) == (reading == "sides")
    assert len(examples.paths) == (180 if reading == "sides" else 189)
    if reading == "classes":
        assert "every folder has at least 89% of all names. If they are sides, say --as sides" in examples.notes


def test_more_folders_than_names_are_classes(tmp_path):
    """Three articles that each have a front and a back: three classes, not three designs of two signs."""
    put(tmp_path, *(f"{article}/{view}.jpg" for article in "abc" for view in ("front", "back")))
    assert read(tmp_path).layout == "classes"
    assert read(tmp_path, as_="sides").layout == "sides"


def test_as_decides_where_a_folder_could_be_read_two_ways(tmp_path):
    put(tmp_path, "cats/1.jpg", "cats/2.jpg", "dogs/1.jpg", "dogs/2.jpg")
    assert read(tmp_path).layout == "sides"
    classes = read(tmp_path, as_="classes")
    assert groups(classes, tmp_path) == {
        frozenset({"cats/1.jpg", "cats/2.jpg"}),
        frozenset({"dogs/1.jpg", "dogs/2.jpg"}),
    }
    assert (classes.label_names, classes.domains) == (("cats", "dogs"), None)
    views = read(tmp_path, as_="views")
    assert views.views
    assert views.labels.tolist() == [0, 1, 2, 3]
    assert views.notes[0].startswith("views: 4 pictures from 2 folders, each by itself")


def test_as_sides_needs_no_threshold_and_leaves_out_what_has_no_partner(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg", "b/1.jpg", "b/2.jpg", "loose.jpg", "c/1.jpg")
    examples = read(tmp_path, as_="sides")
    assert groups(examples, tmp_path) == {
        frozenset({"a/1.jpg", "b/1.jpg", "c/1.jpg"}),
        frozenset({"a/2.jpg", "b/2.jpg"}),
    }
    assert "left out: 2 pictures whose name only one folder has: a/3.jpg, a/4.jpg" in examples.notes
    assert "left out: 1 picture beside the folders: loose.jpg" in examples.notes


# --- classes


def test_folders_are_classes_and_nested_ones_keep_their_whole_path(tmp_path):
    for seed, file in enumerate(["b/2.png", "b/10.png", "a/x/1.png", "a/x/4.png", "a/y/5.png", "a/y/6.png"]):
        draw(tmp_path / file, seed)
    examples = read(tmp_path)
    assert examples.layout == "classes"
    assert examples.label_names == ("a/x", "a/y", "b")
    assert examples.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert [path.name for path in examples.paths] == ["1.png", "4.png", "5.png", "6.png", "2.png", "10.png"]
    assert (examples.domains, examples.triplets, examples.domain_names) == (None, None, ())
    assert examples.notes == ("classes: 3 folders with 6 pictures, 2 each",)


def test_what_is_no_picture_is_left_out_and_named_whatever_programs_left_there(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg", "b/notes.txt", "README.md", "._c.jpg", ".git/x.jpg")
    put(tmp_path, "a/Thumbs.db", "@eaDir/y.jpg")
    (tmp_path / "c").mkdir()
    examples = read(tmp_path)
    assert examples.notes == (
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
    assert examples.labels.tolist() == [0, 0, 1, 1, 2]
    assert "1 folder with one picture, which is only told apart: c" in examples.notes


def test_one_folder_name_in_several_places_makes_several_classes_and_that_is_said(tmp_path):
    put(tmp_path, "train/cat/1.jpg", "train/cat/2.jpg", "train/dog/3.jpg", "train/dog/4.jpg", "val/cat/5.jpg")
    examples = read(tmp_path)
    assert examples.label_names == ("train/cat", "train/dog", "val/cat")
    assert any(line.startswith("1 folder name in several places (cat)") for line in examples.notes)


def test_pictures_beside_nested_folders_are_a_class_of_their_own_and_that_is_said(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "a/b/3.jpg", "a/b/4.jpg")
    examples = read(tmp_path)
    assert examples.label_names == ("a", "a/b")
    assert "1 folder with pictures beside folders, each a class of its own: a" in examples.notes


def test_as_classes_leaves_out_what_lies_beside_the_folders(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg", "loose.jpg")
    examples = read(tmp_path, as_="classes")
    assert len(examples.paths) == 4
    assert "left out: 1 picture beside the folders: loose.jpg" in examples.notes


def test_a_link_to_a_picture_that_is_here_already_is_left_out(tmp_path):
    """Of two links to one picture elsewhere the first stays, for nothing else here stands for it."""
    put(tmp_path, "elsewhere/x.jpg")
    put(tmp_path / "photos", "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg")
    (tmp_path / "photos/a/0.jpg").symlink_to(tmp_path / "photos/b/3.jpg")
    (tmp_path / "photos/a/9.jpg").symlink_to(tmp_path / "elsewhere/x.jpg")
    (tmp_path / "photos/b/9b.jpg").symlink_to(tmp_path / "elsewhere/x.jpg")
    examples = read(tmp_path / "photos")
    names = [path.name for path in examples.paths]
    assert names == ["1.jpg", "2.jpg", "9.jpg", "3.jpg", "4.jpg"]
    assert "left out: 2 links to pictures that are here already: a/0.jpg, b/9b.jpg" in examples.notes


def test_what_cannot_be_read_is_named_with_its_reason(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg")
    for i in range(5):
        (tmp_path / f"lost{i}.jpg").symlink_to("nowhere")
    examples = read(tmp_path)
    assert "left out: lost0.jpg: a link to nowhere. Mend or remove it" in examples.notes
    assert "left out: 2 more that cannot be read" in examples.notes


# --- views


def test_pictures_without_folders_are_views(tmp_path):
    put(tmp_path, "10.jpg", "2.jpg", "a.png")
    examples = read(tmp_path)
    assert examples.views
    assert [path.name for path in examples.paths] == ["2.jpg", "10.jpg", "a.png"]
    assert examples.labels.tolist() == [0, 1, 2]


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
            ["a/1.jpg", "a/2.jpg", "a/3.jpg", "b/1.jpg"],
            {},
            f"found 2 folders with 3 and 1 pictures, at least 33% of all names in each; {EXPECTED_CLASSES}. Nearest: "
            "views. Say --as views to take every picture by itself, or put pictures that belong together into one "
            "folder.",
        ),
        (
            [*(f"{side}/1.jpg" for side in "abcdef"), "a/2.jpg", "b/2.jpg", "x.jpg"],
            {},
            "found 1 picture beside 6 folders with 1 to 2 pictures, at least 50% of all names in each; expected "
            "pictures or folders of them, not both. Nearest: classes. Say --as classes to leave out what lies beside "
            "the folders, or --as views to take every picture by itself.",
        ),
        (
            ["a/1.jpg", "a/2.jpg", "b/1.jpg", "c/2.jpg", "c/1.jpg.txt"],
            {},
            f"found 3 folders with 2, 1 and 1 pictures, at least 50% of all names in each; {EXPECTED_CLASSES}. "
            "Nearest: sides. Say --as sides.",
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
    assert (examples.layout, len(examples.paths), int(examples.labels.max()) + 1) == (reading, pictures, of)


def test_the_emoji_have_four_sides_and_the_characters_their_alphabet(real_data):
    emoji = read(real_data / "emoji")
    assert emoji.domain_names == ("fluent", "noto", "openmoji", "twemoji")
    assert np.bincount(emoji.domains).tolist() == [1000] * 4
    assert all(len(set(emoji.domains[emoji.labels == one])) == 4 for one in range(0, 1000, 100))
    assert all(re.fullmatch(r"[^/]+/character\d\d", name) for name in read(real_data / "omniglot").label_names)
