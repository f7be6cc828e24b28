"""Answers: as sequences, as tables, as copies of files, and drawn."""

import pytest
from PIL import Image
from support.pictures import draw

from lookalike.drawing.png import png
from lookalike.errors import CollectionError
from lookalike.images.thumbnails import thumbnail_image
from lookalike.index.hits import Answers, Hit, Hits, answers_grid, comparison_grid, copy_hits

RED = Image.new("RGB", (30, 20), "#c0392b")


@pytest.fixture
def hits(tmp_path):
    """Two hits for a picture."""
    found = [Hit(file, 0.5, draw(tmp_path / file, seed)) for seed, file in enumerate(["a.png", "b.png"])]
    return Hits(found, query="q.png", source=RED)


def test_rows_of_several_lenses_stand_under_one_query(hits):
    one = comparison_grid({"plain": [hits]})
    two = comparison_grid({"plain": [hits], "lens pattern": [hits]}, right=lambda name, query, file: file == "a.png")
    assert two.height > 1.5 * one.height
    both = comparison_grid({"plain": [hits, hits], "lens pattern": [hits, hits]}, title="Two meanings of similar")
    assert both.height > 1.8 * two.height


def test_rows_for_different_numbers_of_queries_are_refused(hits):
    with pytest.raises(ValueError, match="shorter"):
        comparison_grid({"plain": [hits, hits], "lens": [hits]})


def test_what_cannot_be_read_says_why_in_its_place(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"")
    gone = Hits([Hit("gone.png", 0.9, tmp_path / "gone.png")], query="broken.jpg", source=tmp_path / "broken.jpg")
    query, (hit,) = gone.cells()
    assert query.picture == "empty file (0 bytes). It will be tried again when it changes."
    assert hit.picture == "no such file. Check its name, or whether it was moved."
    assert answers_grid([gone]).mode == "RGB"
    assert "vector" in str(thumbnail_image(None))


def test_a_notebook_shows_the_first_twenty_of_many_queries(hits):
    many = Answers([hits] * 21)
    assert many._repr_png_() == png(answers_grid([hits] * 20, subtitle="the first 20 of 21 queries"))
    assert Answers()._repr_png_() is None
    assert repr(Answers([hits, hits])).count("2 hits for q.png (plain)") == 2


def test_hits_are_a_sequence_whose_parts_keep_their_query(hits):
    assert [hit.file for hit in hits] == ["a.png", "b.png"]
    assert (hits[1].file, len(hits[:1]), hits[:1].query) == ("b.png", 1, "q.png")
    assert repr(hits) == "2 hits for q.png (plain)\n0.500  a.png\n0.500  b.png"
    assert repr(hits[:1]).startswith("1 hit for")
    assert repr(Answers()) == "no queries"


def test_a_data_frame_has_a_row_a_hit(hits):
    pytest.importorskip("pandas")
    frame = hits.to_pandas()
    assert frame.to_dict("list") == {"file": ["a.png", "b.png"], "similarity": [0.5, 0.5]}


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
