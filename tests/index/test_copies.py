"""Copies of hits: numbered by rank, in a folder a query, under names that a disk takes."""

import os

import pytest
from PIL import Image
from support.pictures import draw

from lookalike.errors import CollectionError
from lookalike.index.copies import copy_hits
from lookalike.index.hits import Hit, Hits

RED = Image.new("RGB", (30, 20), "#c0392b")


@pytest.fixture
def hits(tmp_path):
    """Two hits for a picture."""
    found = [Hit(file, 0.5, draw(tmp_path / file, seed)) for seed, file in enumerate(["a.png", "b.png"])]
    return Hits(found, query="q.png", source=RED)


def test_copies_are_numbered_by_rank_and_lie_in_a_folder_a_query(hits, tmp_path):
    alone = copy_hits([hits], tmp_path / "one")
    assert [path.name for path in alone] == ["001-a.png", "002-b.png"]
    assert alone[1].read_bytes() == (tmp_path / "b.png").read_bytes()
    both = copy_hits([hits, hits], tmp_path / "two")
    assert [path.parent.name for path in both] == ["001-q", "001-q", "002-q", "002-q"]


def test_no_copy_replaces_a_file_and_a_missing_picture_is_named(hits, tmp_path):
    copy_hits([hits], tmp_path / "to")
    with pytest.raises(CollectionError, match="is there already"):
        copy_hits([hits], tmp_path / "to")
    with pytest.raises(CollectionError, match="a file"):
        copy_hits([hits], tmp_path / "a.png")
    (tmp_path / "b.png").unlink()
    with pytest.raises(CollectionError, match=r"b\.png: No such file"):
        copy_hits([hits], tmp_path / "other")


def test_the_longest_names_are_cut_before_their_ending_and_stay_apart(tmp_path):
    longest = "한" * 83 + "ab.png"  # 255 bytes
    files = [longest, longest.replace("b.png", "c.png"), "x" * 255]
    found = [Hit(file, 0.5, draw(tmp_path / f"{seed}.png", seed)) for seed, file in enumerate(files)]
    asked = [Hits(found, query="y" * 300 + ".png", source=RED), Hits(found[:1], query="z", source=RED)]
    copies = copy_hits(asked, tmp_path / "to")
    assert [copy.read_bytes() for copy in copies] == [hit.path.read_bytes() for hit in [*found, found[0]]]
    assert [copy.name[:4] for copy in copies] == ["001-", "002-", "003-", "001-"]
    assert [copy.suffix for copy in copies] == [".png", ".png", "", ".png"]
    assert all(len(os.fsencode(part)) <= 255 for copy in copies for part in copy.parts)
    assert copies[0].name == "001-" + "한" * 82 + ".png"
    assert copies[0].parent.name == "001-" + "y" * 251
