"""Plain, a lens, and closed forms on real and on shuffled labels: their answers to the same held-out queries."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.closed_form.whitening import matching_pairs, spread_scale
from lookalike.learning.evaluation.folds import Fold
from lookalike.learning.evaluation.metrics import ranks_from_similarities
from lookalike.learning.evaluation.permutation_baseline import LabelAssignment, PermutedClosedForms
from lookalike.learning.evaluation.plan import EvaluationPlan
from lookalike.learning.labelled_features import Correct, LabelledFeatures, Learn

SHOWN = 5  # first hits of each query that are kept, to be looked at
SMALL = 0.5  # of a ridge: below, float32 would lose what whitening leaves of the main directions
Embeddings = dict[str, NDArray[np.float32]]  # (n, d) of all examples by lenses that learned from a task's rows


def embedded(examples: LabelledFeatures, task: Fold, learn: Learn, correct: Correct | None = None) -> Embeddings:
    """All examples through a lens that learns from what a task leaves: "closed", and, with a second step, "corrected".

    Raises: ExamplesError, when nothing can be learned from what the task leaves.
    """
    data = examples.subset(task.train, task.triplets)
    lenses = {"closed": learn(data.features, data.labels, data.domains, data.triplets)}
    if correct is not None:
        lenses["corrected"] = correct(
            lenses["closed"], data.features, data.labels, domains=data.domains, triplets=data.triplets
        )
    return {name: lens.apply(examples.features, examples.domains) for name, lens in lenses.items()}


class Evaluator:
    """What was asked so far, and how plain, the lenses and the closed forms answered.

    Args:
        exam: what is asked.
        embed: one or two lenses, the simpler one first, on what a task leaves; as `embedded` gives them.
        ridge, means, shuffles: of the closed forms, as for `prove`.
    """

    def __init__(
        self,
        exam: EvaluationPlan,
        embed: Callable[[Fold], Embeddings],
        ridge: float = 1.0,
        means: str = "one",
        shuffles: int = 0,
    ):
        self.examples, self.plain, self.embed = exam.examples, exam.similarity, embed
        self.ridge, self.means, self.shuffles = ridge, means, shuffles
        # Centred once for all, so that what each split subtracts is small and float32 is enough; evened, as recipes do.
        x = (self.examples.features - self.examples.features.mean(axis=0)) * spread_scale(self.examples.features)
        x = x.astype(np.float64) if ridge < SMALL else x
        self.gram = x @ x.T  # (n, f) @ (f, n) -> (n, n)
        self.parts: list[dict[str, NDArray[Any]]] = []

    def run_fold(self, task: Fold, rng: np.random.Generator) -> None:
        """One split: learn on its rows, answer its queries every way.

        Raises: ExamplesError, when nothing can be learned from what the split leaves.
        """
        examples = self.examples
        everyone = np.arange(len(examples.labels))
        right, out = examples.relevance(task.queries, everyone)
        plain = self.plain[task.queries]  # (q, n)
        part: dict[str, NDArray[Any]] = {
            "key": task.query_id,
            "query": task.queries,
            "unit": task.cluster,
            "plain rank": task.ranks(plain[:, task.gallery]),
            "plain first": task.first(plain[:, task.gallery], SHOWN),
            "plain among all": ranks_from_similarities(plain, right, out),
        }
        for name, embedding in self.embed(task).items():
            similarities = embedding[task.queries] @ embedding.T  # (q, d) @ (d, n) -> (q, n)
            near = similarities[:, task.gallery]
            part |= {
                f"{name} rank": task.ranks(near),
                f"{name} first": task.first(near, SHOWN),
                f"{name} among all": ranks_from_similarities(similarities, right, out),
                f"{name} right": np.where(task.relevant & ~task.excluded, near, -np.inf).max(axis=1),
                f"{name} wrong": np.where(~task.relevant & ~task.excluded, near, -np.inf).max(axis=1),
            }
        forms = self._closed_forms(task, rng)
        answers = [forms.similarities(i, task.queries, task.gallery) for i in range(self.shuffles + 1)]
        part["forms"] = np.stack([task.ranks(one) for one in answers])
        self.parts.append(part)

    @property
    def lenses(self) -> list[str]:
        """What the lenses are called that were asked."""
        return [name.removesuffix(" right") for name in self.parts[0] if name.endswith(" right")]

    def _closed_forms(self, task: Fold, rng: np.random.Generator) -> PermutedClosedForms:
        """The closed form on the real labels, first, and on shuffled ones."""
        examples, learned = self.examples, task.train
        domains = np.zeros(len(examples), np.int64) if examples.domains is None else examples.domains
        side = domains if self.means == "side" else np.zeros_like(domains)
        where = side == np.unique(side)[:, None]  # (sides, n)
        weight = np.zeros(where.shape, self.gram.dtype)
        weight[:, learned] = where[:, learned]
        weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1)
        spread = where.T.astype(self.gram.dtype)  # (n, sides): x - spread @ weight @ x is centred
        half = self.gram - spread @ (weight @ self.gram)
        gram = half - (half @ weight.T) @ spread.T
        groups = np.full(len(examples.labels), -1)
        groups[learned] = examples.labels[learned]
        real = LabelAssignment(groups, matching_pairs(groups, task.triplets))
        labellings = [real, *(real.permuted(domains, rng) for _ in range(self.shuffles))]
        return PermutedClosedForms(gram, labellings, examples.features.shape[1], self.ridge)

    def column(self, name: str) -> NDArray[Any]:
        """One column over all splits."""
        return np.concatenate([part[name] for part in self.parts], axis=-1)
