"""What people say of a collection's pictures: judgements, questions to them, their answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from lookalike.collection.folder import CollectionFolder
from lookalike.collection.judging import FileNames, judge, judge_from
from lookalike.collection.lens_store import LensStore
from lookalike.collection.outputs import CollectionOutputs
from lookalike.learning.datasets.judgements import Judgements

if TYPE_CHECKING:
    from lookalike.collection.asking import Answered, AnswerOptions, Asking, Kind, Question, QuestionOptions


class CollectionJudgements(CollectionOutputs):
    """The verbs that take what people say; a part of `Collection`."""

    home: CollectionFolder
    _lenses: LensStore

    @property
    def judgements(self) -> Judgements:
        """What people answered: iterate over it; `.standing()`, `.undo()`."""
        return Judgements(self.home.judgements, added=self.home.lines_added)

    def judge(self, query: str | Path, yes: Sequence[str | Path], no: Sequence[str | Path] = (), who: str = "") -> int:
        """Say that pictures belong with a query, or, where a no is given, are more like it than every no.

        Args:
            query: a file of the collection, by its name there or as a path; so are yes and no.
            yes: one or more.
            no: any number.
            who: whose answer it is.
        Returns: how many judgements were added.
        Raises: QueryError, for a picture that is not in the collection; ExamplesError.
        """
        return judge(self.judgements, FileNames(self.folder, self._gallery().catalog), query, yes, no, who)

    def judge_from(self, path: str | Path) -> int:
        """Add the judgements of a CSV with columns query, yes and, where wanted, no: all of them or none."""
        return judge_from(self.judgements, FileNames(self.folder, self._gallery().catalog), Path(path))

    def questions(
        self, kind: "Kind" = "teach", lens: str | None = None, n: int = 10, **options: "Unpack[QuestionOptions]"
    ) -> "list[Question]":
        """Questions to people, to teach ("teach") or to test a lens ("blind"): see `Asking.questions`."""
        return self._asking().questions(kind, lens, n, **options)

    def answer(
        self, question: "Question | str", right: Sequence[str | Path] = (), wrong: Sequence[str | Path] = (),
        **options: "Unpack[AnswerOptions]",
    ) -> "Answered":  # fmt: skip
        """Keep which of a question's candidates belong with its picture, and which do not: see `Asking.answer`."""
        return self._asking().answer(question, right, wrong, **options)

    def _asking(self) -> "Asking":
        from lookalike.collection import asking  # a part of lookalike.learning, loaded by those who ask

        return asking.Asking(self.home, self._searcher, self._lenses)
