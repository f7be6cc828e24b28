"""How likely hits are right: through the library, cut, refused, and from disk."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from lookalike import Collection
from lookalike.errors import LensError, QueryError
from lookalike.models.lens import Lens
from lookalike.models.likelihood import Likelihood

TOLD = Likelihood("platt", (6.0, -0.2, 1.0, -1.0, -1.0, -1.0), (), 0.02, 0.98, 48, 30, 0.03, ())


@pytest.fixture
def told(own_badges: Collection) -> Collection:
    """Badges whose lens says how likely its hits are right."""
    return with_likelihood(own_badges, TOLD)


def with_likelihood(collection: Collection, likelihood: Likelihood | None) -> Collection:
    lens = collection.lens("kind")
    proof = dataclasses.replace(lens.proof, likelihood=likelihood)
    dataclasses.replace(lens, proof=proof).save(collection.home.lens("kind"))
    return Collection(collection.folder)


def test_hits_say_how_likely_they_are_right_and_the_query_itself_does_not(told: Collection):
    query = told.pictures().at(0).file
    hits = told.search(query, k=30)
    n = told.status()["pictures"]
    own = [hit for hit in hits if hit.likely is None]
    assert {hit.similarity for hit in own} == {1.0}
    others = [hit for hit in hits if hit.likely is not None]
    expected = TOLD.of(np.array([hit.similarity for hit in others]), n)
    assert [hit.likely for hit in others] == pytest.approx(expected.tolist(), abs=1e-4)
    assert told.search(query, k=3)[2].likely == hits[2].likely  # whatever k is
    assert told.search(query, k=3, lens="plain")[2].likely is None


def test_likely_cuts_and_keeps_the_query_itself(told: Collection):
    query = told.pictures().at(0).file
    every = told.search(query, k=None)
    least = sorted(hit.likely for hit in every if hit.likely is not None)[-5]
    kept = told.search(query, k=None, likely=least)
    assert list(kept) == [hit for hit in every if hit.likely is None or hit.likely >= least]
    assert 0 < len(kept) < len(every)


def test_tables_have_a_column_where_it_is_known(told: Collection):
    query = told.pictures().at(0).file
    assert list(told.search(query).to_pandas().columns) == ["file", "similarity", "likely"]
    assert list(told.search([query]).to_pandas().columns) == ["query", "rank", "similarity", "file", "likely"]
    assert list(told.search(query, lens="plain").to_pandas().columns) == ["file", "similarity"]


def test_of_parts_and_of_several_pictures_nothing_is_said(told: Collection):
    one, other = (told.pictures().at(i).file for i in (0, 1))
    assert {hit.likely for hit in told.search(one, region=(0, 0, 0.5, 0.5))} == {None}
    assert {hit.likely for hit in told.search(positive=[one, other])} == {None}
    with pytest.raises(QueryError, match="not for a part, several, words or --reverse"):
        told.search(positive=[one, other], likely=0.5)


def test_what_is_not_known_cannot_be_cut_by(told: Collection):
    query = told.pictures().at(0).file
    with pytest.raises(LensError, match="plain: how likely a hit is right is not known"):
        told.search(query, lens="plain", likely=0.5)
    with pytest.raises(QueryError, match="between 0 and 1"):
        told.search(query, likely=1.5)


def test_in_a_collection_that_became_much_larger_nothing_is_said(told: Collection):
    small = with_likelihood(told, dataclasses.replace(TOLD, pictures=2))
    query = small.pictures().at(0).file
    assert {hit.likely for hit in small.search(query)} == {None}
    with pytest.raises(LensError, match="was learned among 2 pictures, here are"):
        small.search(query, likely=0.5)


def test_a_lens_of_the_format_before_says_nothing_and_works(told: Collection):
    folder: Path = told.home.lens("kind")
    with_likelihood(told, None)
    about = json.loads((folder / "lens.json").read_text())
    assert about["format"] == 3
    assert "likelihood" not in json.loads((folder / "proof.json").read_text())
    (folder / "lens.json").write_text(json.dumps(about | {"format": 2}))
    assert Lens.load(folder).proof.likelihood is None
    assert {hit.likely for hit in Collection(told.folder).search(told.pictures().at(0).file)} == {None}


def test_it_is_kept_with_the_lens(told: Collection):
    assert Lens.load(told.home.lens("kind")).proof.likelihood == TOLD
