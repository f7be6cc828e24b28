"""Questions to teach with: least known first, answered by object or id, skipped, refused when they are none."""

import json
from pathlib import Path

import numpy as np
import pytest

from lookalike import Collection
from lookalike.collection.asking import Answered, _least_known
from lookalike.errors import ExamplesError, LensError, QueryError
from lookalike.learning.evaluation.active import farthest_first


def kind(file: str) -> str:
    return file.split("/")[0]


def test_questions_are_the_pictures_least_like_what_was_judged_with_their_first_hits(own_badges: Collection):
    own_badges.judge("kind-00/0.png", yes=["kind-00/1.png"])
    asked = own_badges.questions(n=4)
    gallery = own_badges._gallery()
    judged = np.array([gallery.row_of("kind-00/0.png"), gallery.row_of("kind-00/1.png")])
    rows = farthest_first(gallery.rows.whole(), judged, 4)
    assert [one.query for one in asked] == [gallery.files[row] for row in rows]
    assert [(one.number, one.of, one.kind) for one in asked] == [(i, 4, "teach") for i in (1, 2, 3, 4)]
    hits = [hit.file for hit in own_badges.search(asked[0].query, k=60, others=True)]
    assert list(asked[0].candidates[:10]) == hits[:10]
    assert set(asked[0].candidates[10:]) <= set(hits[12:60])
    assert len(set(asked[0].candidates)) == 12
    assert own_badges.questions(n=4) == asked


def test_an_answer_is_kept_as_pairs_and_apart_and_the_rest_is_unsaid(own_badges: Collection):
    one, other = own_badges.questions(n=2)
    right, wrong = one.candidates[:2], one.candidates[3:4]
    assert own_badges.answer(one, right, wrong, who="Ann") == Answered(3)
    lines = [json.loads(line) for line in own_badges.home.judgements.read_text().splitlines()]
    assert [line.get("yes") for line in lines[:2]] == list(right)
    assert lines[2]["apart"] == [one.query, wrong[0]]
    assert {line["who"] for line in lines} == {"Ann"}
    asked = [question.query for question in own_badges.questions(n=90)]
    assert not {one.query, *right, *wrong} & set(asked)
    assert own_badges.answer(other.id, [other.candidates[0]]).added == 1
    assert own_badges.judgements.standing()[-1].query == other.query


def test_a_skipped_question_says_nothing_and_can_be_left_out(own_badges: Collection):
    first, second = own_badges.questions(n=2)
    assert own_badges.answer(first, skip=True) == Answered(0)
    assert not own_badges.home.judgements.exists()
    assert own_badges.questions(n=1)[0].query == first.query
    assert own_badges.questions(n=1, without=[first.query])[0].query == second.query


def test_what_is_no_question_or_no_picture_is_one_line(own_badges: Collection):
    one = own_badges.questions(n=1)[0]
    for other in ("", "teach-", "teach-" + "0" * 32, "teach-../x", "other-1", one.id[:-1]):
        with pytest.raises(ExamplesError, match=r"no such question\. Ask for new ones"):
            own_badges.answer(other)
    with pytest.raises(QueryError, match="not a picture of"):
        own_badges.answer(one, ["nowhere.png"])
    with pytest.raises(ExamplesError, match="right and wrong at once"):
        own_badges.answer(one, one.candidates[:1], one.candidates[:1])
    with pytest.raises(ExamplesError, match=r"questions to 'x': not known\. There are teach and blind"):
        own_badges.questions("x")
    with pytest.raises(LensError, match="no lens named"):
        own_badges.questions("blind")
    assert not own_badges.home.judgements.exists()


def test_of_many_pictures_a_sample_is_compared_with_all_that_was_judged(monkeypatch: pytest.MonkeyPatch):
    rows = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float16)

    class Rows:
        def __getitem__(self, at):
            return rows[at]

        def whole(self):
            raise AssertionError("all rows were read")

    class Gallery:
        def __init__(self):
            self.rows = Rows()

        def __len__(self):
            return 40

    judged = np.array([3, 39])
    chosen = _least_known(Gallery(), judged, 4, most=10)
    sample = np.union1d(np.random.default_rng(0).permutation(40)[:10], judged)
    expected = sample[farthest_first(rows[sample], np.searchsorted(sample, judged), 4)]
    assert chosen.tolist() == expected.tolist()


def test_eighty_answers_would_be_enough_to_learn_from(own_badges: Collection, tmp_path: Path):
    for one in own_badges.questions(n=12):
        right = [file for file in one.candidates if kind(file) == kind(one.query)]
        own_badges.answer(one, right, [file for file in one.candidates if file not in right])
    dataset = own_badges.judgements.examples(own_badges.folder)
    names = [path.parent.name for path in dataset.paths]
    for label in range(dataset.labels.max() + 1):
        assert len({name for name, one in zip(names, dataset.labels, strict=True) if one == label}) == 1
    assert len(dataset.triplets) > 0
