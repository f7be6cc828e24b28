"""Answers: as sequences, as tables, as copies of files, and drawn."""

import os

import numpy as np
import pytest
from PIL import Image
from support.pictures import draw

from lookalike.drawing.png import png
from lookalike.errors import QueryError
from lookalike.images.thumbnails import thumbnail_image
from lookalike.index.hits import Answers, Hit, Hits, answers_grid, comparison_grid

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


def test_answers_of_many_queries_are_one_table_and_their_parts_are_answers(hits):
    many = Answers([hits, hits[:1]])
    frame = many.to_pandas()
    assert list(frame.columns) == ["query", "rank", "similarity", "file"]
    assert frame.values.tolist() == [["q.png", 1, 0.5, "a.png"], ["q.png", 2, 0.5, "b.png"], ["q.png", 1, 0.5, "a.png"]]
    assert len(Answers().to_pandas()) == 0
    assert isinstance(many[1:], Answers) and many[1:].to_pandas().values.tolist() == [["q.png", 1, 0.5, "a.png"]]
    assert many[np.int64(1)] is many[1]


def test_a_hit_is_a_path_and_is_found_by_any_whole_number(hits):
    assert os.fspath(hits[0]) == str(hits[0].path)
    with Image.open(hits[0]) as opened, Image.open(hits[0].path) as right:
        assert opened.tobytes() == right.tobytes()
    assert hits[np.int64(1)] is hits[1]


def test_one_answer_is_drawn_as_a_list_of_it_is_and_what_is_no_answer_is_one_line(hits):
    assert png(answers_grid(hits)) == png(answers_grid([hits])) == png(hits.grid())
    assert comparison_grid({"plain": hits}).size == comparison_grid({"plain": [hits]}).size
    for other in (hits[0], [hits[0]], 3, ["a.png"]):
        with pytest.raises(QueryError, match=r"is no answer\. Give what search gave"):
            answers_grid(other)
