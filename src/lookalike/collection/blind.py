"""Blind tests of a collection's lenses: begun once for a lens's weights, kept beside it, answered, and weighed."""

import json
from collections.abc import Collection
from typing import cast

import numpy as np

from lookalike.collection.feature_loader import FeatureLoader
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.lens_permission import is_label_free
from lookalike.collection.lens_report import proof_page
from lookalike.collection.lens_store import LensStore
from lookalike.collection.search_options import SearchOptions
from lookalike.collection.searcher import CollectionState, Searcher
from lookalike.errors import ExamplesError, LensError
from lookalike.files import atomic_write
from lookalike.index.gallery import Gallery
from lookalike.index.hits import Answers, Hits
from lookalike.index.pictures import PictureList
from lookalike.learning.datasets.judgement_lines import BlindAnswer, Distinct
from lookalike.learning.datasets.judgements import Judgements
from lookalike.learning.evaluation.blind_questions import (
    FIRST,
    QUESTIONS,
    SETS,
    BlindQuestion,
    BlindTest,
    Found,
    draw_queries,
)
from lookalike.learning.evaluation.blind_test import Asked, Ticked, orders_by_shuffled, weigh_blind_test
from lookalike.models.lens import PLAIN, Lens
from lookalike.models.proof import Proof
from lookalike.progress import SILENT

FILE = "blind.json"
MOST = 200_000  # pictures among which questions are drawn


class BlindTests:
    """The blind tests of one collection.

    Args:
        home: of the collection.
        searcher: answers for it.
        lenses: its lenses.
    """

    def __init__(self, home: CollectionFolder, searcher: Searcher, lenses: LensStore):
        self.home, self.searcher, self.lenses = home, searcher, lenses

    def open_questions(self, name: str, *, more: bool = False) -> tuple[BlindTest, list[BlindQuestion]]:
        """A lens's test and what is still to be asked; the test begins where there is none for these weights.

        Args:
            name: of the lens.
            more: begin a second set of questions, where the first one was too few to tell.
        Raises: LensError, where the lens did not learn from judgements, or too few pictures are left to ask about.
        """
        test = self._load(name)
        if test is not None and (left := self._open(test)):
            return test, left
        state = self.searcher.state()
        lens = self.lenses.get_for(name, state.config.backbone, state.config)
        if test is None:
            test = self._begin(lens, state, None)
            return test, self._open(test)
        proof = lens.proof if _is_weighed(lens, test) else self._weigh(lens, test, state)
        if more and proof is not None and proof.verdict == "too few" and len(test.sets) < SETS:
            test = self._begin(lens, state, test)
            return test, self._open(test)
        return test, []

    def answer(
        self, weights: str, place: str, right: list[str], *, skip: bool, who: str | None
    ) -> tuple[int, Proof | None]:
        """Keep an answer.

        Args:
            weights: the fingerprint of the lens.
            place: the number of the question, in decimal.
            right: candidates that were ticked.
            skip: pass over the question.
            who: whose answer it is.
        Returns: how many questions are still open, and the proof after the last one.
        Raises: ExamplesError.
        """
        name, test = self._of_weights(weights)
        questions = [one for some in test.sets for one in some]
        if not place.isdecimal() or int(place) >= len(questions):
            raise ExamplesError(f"question {place[:20]} of the blind test of {name}: not there. Ask for new ones.")
        one, open_ones = questions[int(place)], self._open(test)
        if one not in open_ones:
            raise ExamplesError(f"{one.query}: not an open question of the blind test of {name}. Ask for new ones.")
        if other := set(right) - set(one.candidates):
            raise ExamplesError(f"{sorted(other)[0]}: not among the pictures to tick beside {one.query}. Leave it out.")
        ticked = tuple(file for file in one.candidates if file in right and not skip)
        rest = () if skip else tuple(file for file in one.candidates if file not in right)
        said = BlindAnswer(0, "", who, one.query, ticked, rest, name, test.weights, test.seed, skipped=skip)
        Judgements(self.home.judgements, added=self.home.lines_added).add_blind(said)
        if left := self._open(test):
            return len(left), None
        state = self.searcher.state()
        return 0, self._weigh(self.lenses.get_for(name, state.config.backbone, state.config), test, state)

    def _of_weights(self, weights: str) -> tuple[str, BlindTest]:
        """The test of these weights, and what the lens is called."""
        for name in self.home.lenses():
            try:
                test = self._load(name)
            except LensError:
                continue
            if test is not None and test.weights == weights:
                return name, test
        raise ExamplesError("no blind test of a lens with these weights: it was learned anew. Ask for new questions.")

    def _answers(self, test: BlindTest) -> dict[str, BlindAnswer]:
        """The answers that stand, the last one of each question, by query."""
        return {one.query: one for one in Judgements(self.home.judgements).blind_answers(test.weights)}

    def _open(self, test: BlindTest) -> list[BlindQuestion]:
        said = self._answers(test)
        skipped = {query for query, one in said.items() if one.skipped}
        return test.open(said.keys() - skipped, skipped)

    def _load(self, name: str) -> BlindTest | None:
        """The test that was begun for a lens's weights; None where there is none.

        Raises: LensError, when there is no such lens, or its test is damaged.
        """
        if name not in self.home.lenses():
            self.lenses.get(name)  # says which there are
        path = self.home.lens(name) / FILE
        try:
            test = BlindTest.from_json(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise LensError(f"{path}: cannot be read ({error}). Delete it, and the test begins anew.") from error
        except LensError as error:
            raise LensError(f"{path}: {error}") from None
        return test if test.file == self.lenses.weights_digest(name) else None

    def _begin(self, lens: Lens, state: CollectionState, before: BlindTest | None) -> BlindTest:
        """Fix a set of questions: the first, or one more."""
        learned = 0 if is_label_free(lens) else lens.settings.get("judgements")
        if type(learned) is not int:
            raise LensError(
                f"{lens.name}: did not learn from judgements, so it keeps the proof that it has. A blind test is for "
                "lenses that did, and for the one that learned from pictures alone."
            )
        gallery = self.searcher.gallery(state)
        asked = self._answers(before).keys() if before is not None else set[str]()
        free = self._free(gallery, learned, asked)
        if len(free) < QUESTIONS:
            raise LensError(
                f"{lens.name}: {len(free)} pictures of which nothing was said, a blind test asks about {QUESTIONS}. "
                "Index more pictures, or learn from fewer judgements.",
                code="lens.few_left",
            )
        sets = 1 if before is None else len(before.sets) + 1
        seed = int(lens.fingerprint[:8], 16) + sets - 1  # nobody can draw again until the questions please
        pictures = PictureList(gallery, self.home.folder)
        queries = [pictures.at(free[file]) for file in draw_queries(list(free), seed)]
        plain, by_lens = (
            cast(Answers, self.searcher.search(queries, SearchOptions(FIRST, way, others=True)))
            for way in (PLAIN, lens.name)
        )
        rng = np.random.default_rng([seed, 1])
        questions = [
            BlindQuestion.shuffled(query.file, _found(one), _found(other), rng)
            for query, one, other in zip(queries, plain, by_lens, strict=True)
        ]
        if before is None:
            file = self.lenses.weights_digest(lens.name)
            test = BlindTest(lens.name, lens.fingerprint, file, seed, (tuple(questions),))
        else:
            test = before.with_set(questions, asked)
        with self.home.write_lock("blind test", SILENT):
            atomic_write(self.home.lens(lens.name) / FILE, json.dumps(test.to_json(), ensure_ascii=False).encode())
        return test

    def _free(self, gallery: Gallery, learned: int, asked: Collection[str]) -> dict[str, int]:
        """The pictures of which nothing was said, now or when the lens was learned, and that were not asked about.

        Where there are more than MOST, a sample of them.

        Returns: file -> row, each content once.
        """
        path = self.home.judgements
        said = [*Judgements(path).said(), *Judgements(path, until=learned).said()]
        known = {file for one in said if not isinstance(one, Distinct | BlindAnswer) for file in one.files}
        known |= set(asked)
        rows = [row for file in known if (row := gallery.row_of(file)) is not None]
        passed = {content for _, content in gallery.catalog.named(rows)}
        free: dict[str, int] = {}
        places = np.arange(len(gallery))
        if len(places) > MOST:
            places = np.sort(np.random.default_rng(0).choice(len(places), MOST, replace=False))
        for row, (file, content) in zip(places.tolist(), gallery.catalog.named(places.tolist()), strict=True):
            if content not in passed:
                passed.add(content)
                free[file] = row
        return free

    def _weigh(self, lens: Lens, test: BlindTest, state: CollectionState) -> Proof:
        """The proof of a test that is over, saved with the lens."""
        answers, ticked, skipped = self._answers(test), [], 0
        for one in (one for some in test.sets for one in some):
            if (said := answers.get(one.query)) is not None:
                skipped += said.skipped
                if not said.skipped:
                    ticked.append(Ticked(one, frozenset(said.right)))
        gallery = self.searcher.gallery(state)
        orders = self._orders(lens, ticked, gallery, state) if ticked else None
        proof = weigh_blind_test(ticked, Asked(len(test.sets), skipped, len(gallery), test.seed), orders)
        page = proof_page(proof, lens=lens.name)
        self.lenses.save_proof(lens, proof, {"proof.png": page})
        return proof

    def _orders(self, lens: Lens, ticked: list[Ticked], gallery: Gallery, state: CollectionState) -> np.ndarray | None:
        """`orders_by_shuffled` of the judgements that the lens learned from; None where there are none any more."""
        if is_label_free(lens):
            return None  # nobody's answers taught it
        judgements = Judgements(self.home.judgements, until=int(lens.settings["judgements"]))
        try:
            dataset = judgements.examples(self.home.folder)
            examples = FeatureLoader(self.home.folder, state.snapshot, state.backbone).load(dataset)
        except ExamplesError:
            return None
        there = {file for one in ticked for file in one.question.candidates}
        if any(gallery.row_of(file) is None for file in {*there, *(one.question.query for one in ticked)}):
            return None
        queries = [gallery.row_of(one.question.query) for one in ticked]
        candidates = [gallery.row_of(file) for one in ticked for file in one.question.candidates]
        return orders_by_shuffled(
            examples.data, gallery.rows[queries], gallery.rows[candidates], ticked, seed=int(lens.fingerprint[:8], 16)
        )


def _found(hits: Hits) -> list[Found]:
    return [(hit.file, round(hit.similarity, 6)) for hit in hits]


def _is_weighed(lens: Lens, test: BlindTest) -> bool:
    """Whether a lens's proof is that of all sets of its test."""
    blind = None if lens.proof is None else lens.proof.blind
    return blind is not None and blind.sets == len(test.sets)
