"""Plain search, lenses, and closed forms on real and on shuffled labels: their answers to the same held-out queries."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ExamplesError
from lookalike.learning.closed_form.whitening import matching_pairs, spread_scale
from lookalike.learning.evaluation.folds import FOLDS, Fold
from lookalike.learning.evaluation.judged_hits import judge_hits
from lookalike.learning.evaluation.metrics import ranks_from_similarities
from lookalike.learning.evaluation.permutation_baseline import LabelAssignment, PermutedClosedForms
from lookalike.learning.evaluation.plan import EvaluationPlan
from lookalike.learning.labelled_features import LabelledFeatures, Trainer
from lookalike.learning.labels import Rows
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, RenamedStage, Reporter, Timer

HITS = 5  # first hits of each query that are kept, to be looked at
SMALL_RIDGE = 0.5  # below, float32 would lose what whitening leaves of the main directions
Embeddings = Mapping[str, NDArray[np.float32]]  # the name of a lens -> (n, d), all rows of a plan through it
Answered = TypeVar("Answered")


class Embedder(Protocol):
    """What gives the embeddings that a fold is evaluated with."""

    def embed(self, data: LabelledFeatures, fold: Fold) -> Embeddings:
        """One or two lenses that learned from a fold's training rows, the simpler one first.

        Raises: ExamplesError, when nothing can be learned from these rows.
        """
        ...


class TrainedLenses:
    """Embeddings by a trainer, called "closed form", and by one that refines its lens, called "correction".

    Args:
        trainer: makes a lens.
        refiner: goes on from that lens; None for none.
        reporter: told of each fold that was learned, and of the refiner's steps.
    """

    def __init__(self, trainer: Trainer, refiner: Trainer | None = None, reporter: Reporter = SILENT):
        self.trainer, self.refiner, self.reporter = trainer, refiner, RenamedStage(reporter, "proving")
        self.timer, self.learned = Timer("proving", FOLDS), 0

    def embed(self, data: LabelledFeatures, fold: Fold) -> Embeddings:
        """See `Embedder`."""
        return {name: lens.apply(data.features) for name, lens in self.fit(data, fold).items()}

    def fit(self, data: LabelledFeatures, fold: Fold) -> dict[str, Lens]:
        """The lenses themselves."""
        train = data.subset(fold.train, fold.triplets)
        lenses = {"closed form": self.trainer.fit(train)}
        self.learned += 1
        self.reporter.progress(self.timer.at(self.learned))
        if self.refiner is not None:
            lenses["correction"] = self.refiner.fit(train, lenses["closed form"], self.reporter)
        return lenses


@dataclass(frozen=True)
class Answers:
    """How one way of searching answered q queries.

    Attributes:
        ranks: (q,) rank of the first relevant answer in the fold's gallery.
        full_ranks: (q,) the same in a gallery of all rows.
        relevant, irrelevant: (q,) similarity of the best relevant and of the best irrelevant answer; -inf for none.
        first: (3, k, q) the first hits, as `Fold.first` gives them.
        shown: (4, k, q) the first hits in the whole collection, as `judge_hits` gives them.
    """

    ranks: Rows
    full_ranks: Rows
    relevant: NDArray[np.float32]
    irrelevant: NDArray[np.float32]
    first: NDArray[np.float64]
    shown: NDArray[np.float32]

    def where(self, taken: NDArray[np.bool_], other: "Answers") -> "Answers":
        """These answers, and those of another where `taken` (q,) says so."""
        both = {one.name: (getattr(other, one.name), getattr(self, one.name)) for one in fields(self)}
        return Answers(**{name: np.where(taken, theirs, ours) for name, (theirs, ours) in both.items()})


@dataclass(frozen=True)
class FoldAnswers:
    """What was asked in one fold, or in several, and how it was answered.

    Attributes:
        query_id, query, cluster: (q,) as in `Fold`: what is asked, by which row, in which draw of chance.
        plain: by plain search.
        permuted_ranks: (1 + s, q) ranks under closed forms of the real labels, first, and of s shuffled ones.
        lenses: by each lens, the simpler one first.
        own: "own" -> by the lens that search has without examples; empty for none.
    """

    query_id: Rows
    query: Rows
    cluster: Rows
    plain: Answers
    permuted_ranks: Rows
    lenses: dict[str, Answers]
    own: dict[str, Answers] = field(default_factory=dict)


class Evaluator:
    """Asks the queries of folds.

    Args:
        plan: what is asked.
        permutations: closed forms on shuffled labels.
        ridge: of all closed forms, as for `whiten`.
    """

    def __init__(self, plan: EvaluationPlan, permutations: int = 0, ridge: float = 1.0):
        self.plan, self.data, self.permutations, self.ridge = plan, plan.data, permutations, ridge
        # Centred once for all, so that what each fold subtracts is small and float32 is enough.
        features = self.data.features
        x = (features - features.mean(axis=0)) * spread_scale(features, parts=self.data.parts)
        x = x.astype(np.float64) if ridge < SMALL_RIDGE else x
        self.gram = x @ x.T  # (n, f) @ (f, n) -> (n, n)
        self.own = None if plan.own is None else plan.own.apply(features)  # (n, d)

    def run(self, folds: Iterable[Fold], embedder: Embedder, rng: np.random.Generator) -> FoldAnswers | None:
        """The answers of all folds; those that leave nothing to learn from are passed, None where all do.

        Args:
            folds: drawn from `rng` one by one, where they are a generator.
            embedder: gives the lenses.
            rng: shuffles the labels.
        """
        found = []
        for fold in folds:
            try:
                found.append(self.run_fold(fold, embedder, rng))
            except ExamplesError:
                continue  # this fold left nothing to learn from
        return concatenate(found) if found else None

    def run_fold(self, fold: Fold, embedder: Embedder, rng: np.random.Generator) -> FoldAnswers:
        """Learn on the fold's training rows, and answer its queries every way.

        Raises: ExamplesError, when nothing can be learned from them.
        """
        with ThreadPoolExecutor(1) as beside:  # a refiner trains on one processor: this is for another
            others = beside.submit(self._without_lens, fold, rng)
            lenses = {}
            for name, embedding in embedder.embed(self.plan.searched, fold).items():
                lenses[name] = self._answers(fold, embedding[fold.queries] @ embedding.T)  # (q, d) @ (d, n) -> (q, n)
            plain, own, permuted = others.result()
        return FoldAnswers(fold.query_id, fold.queries, fold.cluster, plain, permuted, lenses, own)

    def _without_lens(self, fold: Fold, rng: np.random.Generator) -> tuple[Answers, dict[str, Answers], Rows]:
        """What no lens has to be learned for: plain's answers, those of `own`, and the ranks under closed forms."""
        plain = self._answers(fold, self.plan.similarity[fold.queries])
        own = {}
        if self.own is not None:
            own["own"] = self._answers(fold, self.own[fold.queries] @ self.own.T)
        forms = self._closed_forms(fold, rng)
        similarities = [forms.similarities(i, fold.queries, fold.gallery) for i in range(self.permutations + 1)]
        return plain, own, np.stack([fold.ranks(one) for one in similarities])

    def _answers(self, fold: Fold, similarities: NDArray[np.float32]) -> Answers:
        """From the similarities of the fold's queries to all rows, and to unlabelled pictures: (q, n + u)."""
        of_kinds, unit = self.plan.hold_out.kind == "pictures", self.plan.hold_out.groups.of
        shown = judge_hits(similarities, fold, self.data, of_kinds=of_kinds, unit=unit)
        similarities = similarities[:, : len(self.data)]
        near = similarities[:, fold.gallery]
        relevant, excluded = self.data.relevance(fold.queries, np.arange(len(self.data)))
        return Answers(
            ranks=fold.ranks(near),
            full_ranks=ranks_from_similarities(similarities, relevant, excluded),
            relevant=np.where(fold.relevant & ~fold.excluded, near, -np.inf).max(axis=1),
            irrelevant=np.where(~fold.relevant & ~fold.excluded, near, -np.inf).max(axis=1),
            first=fold.first(near, HITS),
            shown=shown,
        )

    def _closed_forms(self, fold: Fold, rng: np.random.Generator) -> PermutedClosedForms:
        """The closed form on the real labels, first, and on shuffled ones."""
        n, train = len(self.data), fold.train
        weight = np.zeros((1, n), self.gram.dtype)
        weight[:, train] = 1
        weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1)
        ones = np.ones((n, 1), self.gram.dtype)  # x - ones @ weight @ x is centred
        half = self.gram - ones @ (weight @ self.gram)
        gram = half - (half @ weight.T) @ ones.T
        labels = np.full(n, -1)
        labels[train] = self.data.labels[train]
        real = LabelAssignment(labels, matching_pairs(labels, fold.triplets))
        domains = np.full(n, -1) if self.data.domains is None else self.data.domains
        assignments = [real, *(real.permuted(domains, rng) for _ in range(self.permutations))]
        return PermutedClosedForms(gram, assignments, self.data.features.shape[1], self.ridge)


def concatenate(parts: Sequence[Answered]) -> Answered:
    """Dataclasses of arrays, query after query: each field along its last axis, dictionaries by key."""
    first: Any = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts, axis=-1)  # type: ignore[return-value, arg-type]
    if isinstance(first, dict):
        return {name: concatenate([part[name] for part in parts]) for name in first}  # type: ignore[return-value, index]
    values = {one.name: concatenate([getattr(part, one.name) for part in parts]) for one in fields(first)}
    return type(parts[0])(**values)
