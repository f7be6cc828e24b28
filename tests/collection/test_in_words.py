"""A collection asked in words: alone, with pictures, with weights, past a lens; and what cannot be asked."""

import numpy as np
import pytest
from support.drawn_words import write_colours, write_words

from lookalike import Collection
from lookalike.errors import QueryError
from lookalike.index.words import Text, Weighted
from lookalike.models.lens import Lens

pytest.importorskip("tokenizers")
COLOURS = {"red": (255, 20, 20), "green": (20, 255, 20), "blue": (20, 20, 255), "yellow": (255, 255, 20)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A collection of four colours whose network knows words; not to be changed."""
    place = tmp_path_factory.mktemp("colours")
    bundle = write_words(place / "bundle")
    Collection(write_colours(place / "photos"), backbone=bundle).index()
    return place


@pytest.fixture
def colours(folder):
    return Collection(folder / "photos")


def cosine(name: str, text) -> float:
    mean = np.array(COLOURS[name]) / np.linalg.norm(COLOURS[name])
    return float(mean @ text / np.linalg.norm(text))


def test_words_find_the_pictures_that_show_them_with_the_cosine_of_the_joint_space(colours):
    hits = colours.search(text="red")
    assert [hit.file for hit in hits] == ["red.png", "yellow.png", "blue.png", "green.png"]
    for hit in hits:
        assert hit.similarity == pytest.approx(cosine(hit.file[:-4], (1, 0, 0)), abs=2e-3)
    assert (hits.query, hits.source, hits.lens, hits.note) == ('"red"', None, "plain", "")
    assert colours.search(text="빨간", k=1)[0].file == "red.png"
    assert colours.search(text=["red", "green"], k=1)[0].file == "yellow.png"


def test_the_order_is_that_of_a_plain_loop_over_the_joint_part(colours):
    part, _ = colours.backbone.bundle.joint
    text = colours.backbone.embed_text(["green dark"])[0, part]
    rows = {file: colours.backbone.embed([colours.folder / file])[0, part] for file in colours}
    expected = sorted(rows, key=lambda file: -float(rows[file] @ text / np.linalg.norm(rows[file])))
    assert [hit.file for hit in colours.search(text="green dark")] == expected


def test_a_least_similarity_is_that_of_the_joint_space(colours):
    assert [hit.file for hit in colours.search(text="red", min_similarity=0.9)] == ["red.png"]
    assert [hit.file for hit in colours.search(text="red", min_similarity=0.6)] == ["red.png", "yellow.png"]
    assert [hit.file for hit in colours.search(text="red", where="file != 'red.png'", k=1)] == ["yellow.png"]


def test_words_and_a_picture_rank_by_the_mean_of_both_similarities(colours):
    alone = {hit.file: hit.similarity for hit in colours.search("blue.png")}
    words = {hit.file: hit.similarity for hit in colours.search(text="green")}
    both = colours.search("blue.png", text="green")
    assert both[0].file == "green.png"
    assert both.query == 'blue.png + "green"'
    for hit in both:
        assert hit.similarity == pytest.approx((alone[hit.file] + words[hit.file]) / 2, abs=1e-3)
    assert "blue.png" not in {hit.file for hit in both}  # what is asked with is no hit
    heavy = colours.search("green.png", text=Weighted("blue", 3))
    for hit in heavy:
        file = hit.file
        green = next(one.similarity for one in colours.search("green.png") if one.file == file)
        blue = next(one.similarity for one in colours.search(text="blue") if one.file == file)
        assert hit.similarity == pytest.approx((green + 3 * blue) / 4, abs=1e-3)


def test_less_of_what_is_said_against(colours):
    assert colours.search(text="red", k=4)[1].file == "yellow.png"
    less = colours.search(text="red", negative=[Text("green")], k=4)
    assert [hit.file for hit in less] == ["red.png", "blue.png", "yellow.png", "green.png"]
    assert less.query == '"red" - "green"'
    same = colours.search(text=["red", Weighted("green", -1)], k=4)
    assert [hit.similarity for hit in same] == [hit.similarity for hit in less]
    without = colours.search(text="green", negative=["yellow.png"], k=4)
    assert without[0].file == "green.png"
    assert "yellow.png" not in {hit.file for hit in without}


def test_weights_of_pictures_alone(colours):
    first = colours.search(positive=[Weighted("red.png", 5), "green.png"], k=1)
    assert first.query == "5 red.png + green.png"
    assert first[0].file == "yellow.png"


def test_words_go_past_the_lens_in_service_and_say_so_and_are_refused_with_one_named(folder, tmp_path):
    photos = Collection(folder / "photos", at=tmp_path / "own", backbone=folder / "bundle")
    photos.index()
    rng = np.random.default_rng(0)
    lens = Lens("taste", rng.random(6) / 9, rng.standard_normal((6, 2)), {"backbone": photos.backbone.id})
    lens.save(photos.home.lens("taste"))
    photos.index()
    photos.use("taste", anyway=True)
    assert photos.search("red.png").lens == "taste"
    hits = photos.search(text="red")
    assert (hits.lens, hits[0].file) == ("plain", "red.png")
    assert hits.note == "words search plain: the lens taste was learned on pictures and knows no words."
    assert photos.search(text="red", lens="plain").note == hits.note
    for words in ({"text": "red"}, {"positive": [Text("red")]}, {"positive": ["red.png"], "negative": [Text("red")]}):
        with pytest.raises(QueryError, match="words through the lens taste: a lens is learned on pictures and knows"):
            photos.search(lens="taste", **words)
    weighed = photos.search(positive=[Weighted("red.png", 2), "green.png"])  # of pictures alone: through the lens
    assert weighed.lens == "taste"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"text": "  "}, "no words. Write what the pictures should show."),
        ({"text": "x" * 20_000}, "a text of 20,000 characters"),
        ({"text": 5}, "a text that is int: give words"),
        ({"text": [Weighted("red", -1)]}, "nothing that the answers should be like"),
        ({"query": "red.png", "text": "red", "positive": ["green.png"], "region": (0, 0, 1, 1)}, "a region of several"),
    ],
)
def test_what_cannot_be_asked_is_one_line(colours, asked, words: str):
    with pytest.raises(QueryError, match=words):
        colours.search(**asked)


def test_a_part_of_a_picture_with_words(colours):
    hits = colours.search("yellow.png", region=(0, 0, 0.5, 0.5), text="red", k=1)
    assert hits.query == 'part of yellow.png + "red"'


def test_a_text_that_is_cut_is_said(colours):
    assert colours.search(text="red " * 9).note.startswith("the text is longer than the network reads")


def test_a_collection_whose_backbone_knows_no_words_says_which_do(indexed):
    with pytest.raises(QueryError, match=r"the backbone efficientnet-lite0 knows no words\. Of those with names here"):
        indexed.search(text="red")
