"""Answers drawn: rows under several lenses, pages of proofs, and small pictures that are decoded only once."""

import numpy as np
import pytest
from PIL import Image
from support.pictures import draw

from lookalike import Collection
from lookalike.collection.lens_report import arms_of, proof_page
from lookalike.drawing import Block, Cell, Row
from lookalike.drawing.png import drawable, save
from lookalike.errors import CollectionError
from lookalike.images.decode import content_hash
from lookalike.images.thumbnails import thumbnail_image
from lookalike.index.hits import Answers, Hit, Hits, answers_grid, comparison_grid
from lookalike.learning import prove

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


def test_a_picture_that_was_drawn_before_is_not_decoded_again(tmp_path):
    path = draw(tmp_path / "a.png", 1, (900, 600))
    content = content_hash(path.read_bytes())
    first = thumbnail_image(path, content, tmp_path / "cache")
    path.unlink()
    again = thumbnail_image(path, content, tmp_path / "cache")
    assert first.size == (320, 213)
    assert np.array_equal(first, again)


def test_a_second_grid_and_a_second_map_need_none_of_the_files(photos, tmp_path):
    """What a collection drew once lies in its cache, and is shown although the disk is unplugged."""
    collection = Collection(photos, at=tmp_path / "kept")
    collection.index()
    answers = collection.search(["1.png", "sub/a.jpg"], k=3)
    first = answers.grid(), collection.map(tmp_path / "1.png").read_bytes()
    photos.rename(tmp_path / "elsewhere")
    assert np.array_equal(answers.grid(), first[0])
    assert collection.map(tmp_path / "2.png").read_bytes() == first[1]


def test_a_notebook_shows_the_first_twenty_of_many_queries(hits):
    shown = Answers([hits] * 21)
    assert shown._repr_png_() == save_bytes(answers_grid([hits] * 20, subtitle="the first 20 of 21 queries"))
    assert Answers()._repr_png_() is None
    assert repr(Answers([hits, hits])).count("2 hits for q.png (plain)") == 2


def save_bytes(picture):
    from lookalike.drawing.png import png

    return png(picture)


def test_only_a_png_is_drawn_and_never_over_a_folder(tmp_path):
    assert drawable(tmp_path / "new/deep/map.PNG") == tmp_path / "new/deep/map.PNG"
    (tmp_path / "folder.png").mkdir()
    for name in ("map.jpg", "map", "folder.png"):
        with pytest.raises(CollectionError):
            drawable(tmp_path / name)
    with Image.open(save(RED, tmp_path / "new/map.png")) as saved:
        assert saved.size == (30, 20)


def taught():
    """A proof of a lens that is worth having: ten features differ within groups, ten hardly do."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(60), 2)
    x = rng.standard_normal((120, 20))
    x[:, :10] = rng.standard_normal((60, 10))[group] + 0.3 * x[:, :10]
    return prove(x, group)


def test_a_page_shows_the_bars_of_a_proof_and_its_queries_under_them():
    proof = taught()
    asked = []

    def block(entry):
        asked.append(entry["query"])
        row = [Cell(RED, "x.jpg", 0.5, right=False)] * 5
        return Block(Cell(RED, f"{entry['query']}.jpg"), [Row("plain", row), Row("lens", row)])

    page = proof_page(proof, block, lens="lens pattern", most=2)
    assert page.width == 1400
    assert asked == [entry["query"] for entry in proof.best[:2] + proof.worst[:2]]
    assert page.height > 600 + 400 * len(asked)
    arms = arms_of(proof, "lens pattern")
    assert (arms[0].name, arms[-1].name) == ("plain", "lens pattern")
    assert arms[-1].value == proof.ways["lens"]["recall@1"]


def test_a_proof_of_too_few_examples_is_a_page_of_words():
    page = proof_page(prove([[1, 0], [0, 1]], [0, 1]), lambda entry: pytest.fail("nothing was asked"))
    assert (page.width, page.height < 250) == (1400, True)
