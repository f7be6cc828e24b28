"""Questions to people: which pictures belong with this one, to teach a lens or to test one blind; and their answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict, Unpack, cast, get_args

import numpy as np

from lookalike.collection.blind import BlindTests
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.judging import FileNames
from lookalike.collection.lens_store import LensStore
from lookalike.collection.search_options import SearchOptions
from lookalike.collection.searcher import Searcher
from lookalike.errors import ExamplesError, LensError
from lookalike.images.sources import as_source_list
from lookalike.index.gallery import Gallery
from lookalike.index.hits import Answers
from lookalike.index.pictures import PictureList
from lookalike.learning.datasets.judgement_lines import BlindAnswer, Distinct
from lookalike.learning.datasets.judgements import Judgements
from lookalike.learning.evaluation.active import FARTHER, choose_candidates, farthest_first
from lookalike.learning.evaluation.blind_questions import QUESTIONS
from lookalike.learning.labels import Rows
from lookalike.models.proof import Proof

Kind = Literal["teach", "blind"]
MOST_COMPARED = 20_000  # pictures that questions are chosen from; of more, a sample


@dataclass(frozen=True)
class Question:
    """Which of the candidates belong with a picture?

    Attributes:
        id: what `answer` takes: "teach-" and the picture's content in hex, or "blind-", the lens's fingerprint and a
            number.
        kind: "teach" or "blind".
        query: the picture's file.
        candidates: files to tick; of a blind test shuffled, and nothing says which search found them.
        number: of the question, from 1.
        of: how many there are.
    """

    id: str
    kind: Kind
    query: str
    candidates: tuple[str, ...]
    number: int
    of: int


@dataclass(frozen=True)
class Answered:
    """What became of an answer.

    Attributes:
        added: lines that were kept.
        left: questions of the blind test that are still open; 0 for teaching.
        proof: after the last question of a blind test.
    """

    added: int
    left: int = 0
    proof: Proof | None = None


class QuestionOptions(TypedDict, total=False):
    """Further options of questions.

    Attributes:
        more: "blind": ask a second set of questions, where the verdict after the first is "too few".
        without: "teach": files that are not to be asked about, such as skipped ones.
    """

    more: bool
    without: Sequence[str | Path]


class AnswerOptions(TypedDict, total=False):
    """Further options of an answer.

    Attributes:
        skip: pass over the question; a blind test asks another one in its place, and counts it.
        who: whose answer it is.
    """

    skip: bool
    who: str


class Asking:
    """Asks about a collection's pictures.

    Args:
        home: of the collection.
        searcher: answers for it.
        lenses: its lenses.
    """

    def __init__(self, home: CollectionFolder, searcher: Searcher, lenses: LensStore):
        self.home, self.searcher = home, searcher
        self.judgements = Judgements(home.judgements, added=home.lines_added)
        self.blind = BlindTests(home, searcher, lenses)

    def questions(
        self, kind: Kind = "teach", lens: str | None = None, n: int = 10, **options: Unpack[QuestionOptions]
    ) -> list[Question]:
        """The next questions.

        Args:
            kind: "teach": pictures that are least like what was judged, each with twelve candidates. "blind": the open
                questions of the lens's test, which begins with the first call; none, when it is over.
            lens: "teach": through which candidates are found; None for the one in service. "blind": which is tested.
            n: how many at most.
            options: see `QuestionOptions`.
        Raises: LensError, CollectionError; LockedError, where a blind test begins while another process writes.
        """
        if kind not in get_args(Kind):
            raise ExamplesError(f"questions to {kind!r}: not known. There are teach and blind.")
        if kind == "teach":
            return self._to_teach(lens, n, options.get("without", ()))
        if lens is None:
            raise LensError("no lens named to be tested blind. Name one.")
        test, open_ones = self.blind.open_questions(lens, more=options.get("more", False))
        total = QUESTIONS * len(test.sets)
        first = total - len(open_ones) + 1
        places = {one.query: place for place, one in enumerate(one for some in test.sets for one in some)}
        return [
            Question(f"blind-{test.weights}-{places[one.query]}", "blind", one.query, one.candidates, number, total)
            for number, one in enumerate(open_ones[:n], start=first)
        ]

    def answer(
        self,
        question: Question | str,
        right: Sequence[str | Path] = (),
        wrong: Sequence[str | Path] = (),
        **options: Unpack[AnswerOptions],
    ) -> Answered:
        """Keep an answer.

        Args:
            question: as `questions` gave it, or its id.
            right: files that belong with its picture.
            wrong: files that do not. To teach, what is in neither says nothing; in a blind test what is not right is
                wrong, and this is not read.
            options: see `AnswerOptions`.
        Raises: ExamplesError, for an id that is none, an answer that contradicts itself, or one that was given before;
            QueryError, for files that are not in the collection; LockedError, when the proof cannot be saved: the
            answer is kept, and the next call of `questions` tries again.
        """
        skip, who = options.get("skip", False), options.get("who") or None
        kind, _, rest = (question if isinstance(question, str) else question.id).partition("-")
        if kind == "blind":
            weights, _, place = rest.rpartition("-")
            left, proof = self.blind.answer(weights, place, [str(one) for one in right], skip=skip, who=who)
            return Answered(1, left, proof)
        gallery = self.searcher.gallery(self.searcher.state())
        pictures = PictureList(gallery, self.home.folder).find(rest) if kind == "teach" else []
        if not pictures:
            raise ExamplesError(f"{str(question)[:80]}: no such question. Ask for new ones.")
        names = FileNames(self.home.folder, gallery.catalog)
        yes, no = ([names.find(one) for one in as_source_list(some)] for some in (right, wrong))
        query = pictures[0].file if isinstance(question, str) else question.query
        return Answered(0 if skip else self.judgements.add_answer(query, yes, no, who))

    def _to_teach(self, lens: str | None, n: int, without: Sequence[str | Path]) -> list[Question]:
        gallery = self.searcher.gallery(self.searcher.state())
        known = {str(one) for one in without}
        for one in self.judgements.said():
            if not isinstance(one, Distinct | BlindAnswer):
                known |= one.files
        rows = [row for file in known if (row := gallery.row_of(file)) is not None]
        chosen = _least_known(gallery, np.array(sorted(rows), np.int64), n)
        pictures = PictureList(gallery, self.home.folder)
        queries = [pictures.at(int(row)) for row in chosen]
        found = []
        answers = cast(Answers, self.searcher.search(queries, SearchOptions(FARTHER[1], lens, others=True)))
        for number, (query, hits) in enumerate(zip(queries, answers, strict=True), start=1):
            once: dict[bytes | None, str] = {}
            for hit in hits:
                once.setdefault(hit.content, hit.file)
            files, rng = list(once.values()), np.random.default_rng(int.from_bytes(query.content[:8], "little"))
            candidates = tuple(files[place] for place in choose_candidates(np.arange(len(files)), rng))
            found.append(Question(f"teach-{query.id}", "teach", query.file, candidates, number, len(queries)))
        return found


def _least_known(gallery: Gallery, judged: Rows, count: int, most: int = MOST_COMPARED) -> Rows:
    """Rows farthest from those that were judged, chosen from a sample where there are many."""
    if len(gallery) <= most:
        return farthest_first(gallery.rows.whole(), judged, count)
    some = np.random.default_rng(0).permutation(len(gallery))[:most]
    rows = np.union1d(some, judged)
    chosen = farthest_first(gallery.rows[rows], np.searchsorted(rows, judged), count)
    return np.asarray(rows[chosen])
