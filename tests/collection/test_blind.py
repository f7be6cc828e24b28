"""A lens learned from clicks is tested blind: begun once, gone on with, weighed at the end; then it may serve."""

import json
import re
import shutil
from pathlib import Path

import pytest

from lookalike import Collection
from lookalike.collection.asking import Question
from lookalike.errors import ExamplesError, LensError, LockedError
from lookalike.learning.evaluation.blind_questions import FIRST


def kind(file: str) -> str:
    return file.split("/")[0]


def right_of(one: Question) -> "list[str]":
    return [file for file in one.candidates if kind(file) == kind(one.query)]


@pytest.fixture(scope="module")
def learned(badges: Collection, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Badges with a lens, "clicks", learned from 12 of their 30 kinds; of the others nothing was said."""
    photos = Collection(shutil.copytree(badges.folder, tmp_path_factory.mktemp("learned") / "badges"))
    for number in range(12):
        photos.judgements.add(f"kind-{number:02}/0.png", [f"kind-{number:02}/{look}.png" for look in (1, 2)])
    photos.learn(name="clicks", quick=True)
    return photos


@pytest.fixture
def taught(learned: Collection, tmp_path: Path) -> Collection:
    return Collection(shutil.copytree(learned.folder, tmp_path / "badges"))


def test_questions_are_fixed_when_the_first_is_asked_and_say_nothing_of_where_a_candidate_came_from(taught: Collection):
    asked = taught.questions("blind", "clicks", n=100)
    assert [(one.number, one.of) for one in asked] == [(i, 40) for i in range(1, 41)]
    said = {f"kind-{number:02}" for number in range(12)}
    assert not {kind(one.query) for one in asked} & said
    for one in asked[:5]:
        ways = [taught.search(one.query, k=FIRST, lens=lens, others=True) for lens in ("plain", "clicks")]
        files = {hit.file for hits in ways for hit in hits}
        assert set(one.candidates) == files
        assert list(one.candidates) != sorted(files)
    taught.judge(asked[3].query, yes=[asked[4].query])  # what is said later changes nothing
    assert taught.questions("blind", "clicks", n=100) == asked
    assert taught.questions("blind", "clicks", n=3) == asked[:3]


def test_a_test_goes_on_after_a_break_and_a_skipped_question_is_replaced(taught: Collection):
    asked = taught.questions("blind", "clicks", n=100)
    answered = taught.answer(asked[0], right_of(asked[0]), who="Ann")
    assert (answered.added, answered.left, answered.proof) == (1, 39, None)
    assert taught.answer(asked[1].id, skip=True).left == 39
    again = Collection(taught.folder)
    left = again.questions("blind", "clicks", n=100)
    assert [one.query for one in left[:38]] == [one.query for one in asked[2:]]
    assert len(left) == 39 and left[38].query not in {one.query for one in asked}
    assert (left[0].number, left[0].of) == (2, 40)
    lines = [json.loads(line) for line in taught.home.judgements.read_text().splitlines()][-2:]
    assert lines[0]["who"] == "Ann"
    weights = taught.lens("clicks").fingerprint
    blind = lines[0]["blind"]
    assert (blind["query"], blind["right"], blind["weights"]) == (asked[0].query, right_of(asked[0]), weights)
    assert sorted(blind["right"] + blind["wrong"]) == sorted(asked[0].candidates)
    assert lines[1]["blind"]["skipped"] is True
    taught.judgements.undo()
    assert taught.questions("blind", "clicks", n=1)[0].query == asked[1].query


def test_the_proof_comes_with_the_last_answer_and_says_what_was_ticked(taught: Collection):
    held_out = taught.lens("clicks").proof
    asked = taught.questions("blind", "clicks", n=100)
    proofs = [taught.answer(one, right_of(one)).proof for one in asked]
    assert proofs[:-1] == [None] * 39
    proof = proofs[-1]
    queries = [one.query for one in asked]
    ways = {lens: taught.search(queries, k=FIRST, lens=lens, others=True) for lens in ("plain", "clicks")}
    shares = {
        lens: sum(kind(hit.file) == kind(one.query) for one, some in zip(asked, hits, strict=True) for hit in some)
        / 480
        for lens, hits in ways.items()
    }
    assert proof.blind.plain == pytest.approx(shares["plain"])
    assert proof.blind.lens == pytest.approx(shares["clicks"])
    assert len(proof.permutation.recalls) == 19 and proof.blind.order is not None
    assert proof.protocol.images == 90
    lens = taught.lens("clicks")
    assert lens.proof == proof
    folder = taught.home.lens("clicks")
    assert json.loads((folder / "proof-held-out.json").read_text()) == held_out.to_json()
    assert (folder / "proof.png").stat().st_size > 1000
    assert taught.questions("blind", "clicks", n=100) == []
    with pytest.raises(ExamplesError, match="not an open question"):
        taught.answer(asked[0], [])
    taught.judgements.undo()  # the verdict was told: an answer that is taken back now changes nothing
    assert taught.lens("clicks").proof == proof


def test_after_a_passed_test_the_lens_may_serve_and_after_a_failed_one_not(taught: Collection):
    asked = taught.questions("blind", "clicks", n=100)
    by_plain = taught.search([one.query for one in asked], k=FIRST, lens="plain", others=True)
    for one, hits in zip(asked, by_plain, strict=True):  # somebody who ticks what the lens alone found
        plain = {hit.file for hit in hits}
        proof = taught.answer(one, [file for file in one.candidates if file not in plain]).proof
    assert proof.serves and proof.blind.plain == 0
    taught.use("clicks")
    assert taught.search("kind-20/0.png").lens == "clicks"


def test_forty_more_need_as_many_pictures_that_were_not_asked_about(taught: Collection):
    for one in taught.questions("blind", "clicks", n=100):
        proof = taught.answer(one, []).proof
    assert (proof.verdict, proof.blind.plain, proof.blind.order) == ("too few", 0, None)
    with pytest.raises(LensError, match="clicks: 14 pictures of which nothing was said, a blind test asks about 40"):
        taught.questions("blind", "clicks", more=True)


def test_an_answer_that_cannot_be_is_refused_and_nothing_is_kept(taught: Collection):
    one = taught.questions("blind", "clicks", n=1)[0]
    before = taught.home.judgements.read_bytes()
    for id, words in (
        ("blind-", "no blind test of a lens with these weights"),
        ("blind-" + "0" * 32 + "-0", "no blind test of a lens with these weights"),
        (one.id.rpartition("-")[0] + "-999", "not there. Ask for new ones"),
        (one.id.rpartition("-")[0] + "-x", "not there. Ask for new ones"),
    ):
        with pytest.raises(ExamplesError, match=words):
            taught.answer(id, [])
    other = next(file for file in taught.to_pandas()["file"] if file not in {one.query, *one.candidates})
    with pytest.raises(ExamplesError, match=f"{re.escape(other)}: not among the pictures to tick"):
        taught.answer(one, [other])
    assert taught.home.judgements.read_bytes() == before


def test_a_lens_of_other_examples_keeps_its_proof(own_badges: Collection):
    with pytest.raises(LensError, match="kind: did not learn from judgements, so it keeps the proof that it has"):
        own_badges.questions("blind", "kind")


def test_weights_learned_anew_are_tested_anew(taught: Collection):
    one = taught.questions("blind", "clicks", n=1)[0]
    taught.judgements.add("kind-12/0.png", ["kind-12/1.png"])
    taught.learn(name="clicks", quick=True, replace=True)
    with pytest.raises(ExamplesError, match="learned anew"):
        taught.answer(one, [])
    assert taught.questions("blind", "clicks", n=1)[0].id != one.id


def test_a_proof_that_could_not_be_saved_is_made_by_the_next_call(taught: Collection):
    asked = taught.questions("blind", "clicks", n=100)
    for one in asked[:-1]:
        taught.answer(one, [])
    with taught.home.write_lock("index"), pytest.raises(LockedError):
        taught.answer(asked[-1], [])
    assert taught.lens("clicks").proof.blind is None
    assert taught.questions("blind", "clicks") == []
    assert taught.lens("clicks").proof.blind.questions == 40


def test_a_damaged_test_is_one_line_and_deleting_it_begins_anew(taught: Collection):
    one = taught.questions("blind", "clicks", n=1)[0]
    path = taught.home.lens("clicks") / "blind.json"
    path.write_text("{")
    with pytest.raises(LensError, match=r"blind\.json: cannot be read"):
        taught.questions("blind", "clicks")
    path.unlink()
    assert taught.questions("blind", "clicks", n=1)[0] == one
