"""Plain, a lens, and closed forms on real and on shuffled labels: their answers to the same held-out queries."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ShapeError
from lookalike.learn.metrics import rank_of_first
from lookalike.learn.shuffles import ClosedForms, Labelling
from lookalike.learn.splits import sample
from lookalike.learn.tasks import Correct, Labelled, Learn, Rows, Task
from lookalike.learn.whitening import evened, matching_pairs

SHOWN = 5  # first hits of each query that are kept, to be looked at
SMALL = 0.5  # of a ridge: below, float32 would lose what whitening leaves of the main directions


class Trial:
    """What was asked so far, and how plain, the lens and the closed forms answered."""

    def __init__(
        self,
        examples: Labelled,
        plain: NDArray[np.float32],
        learn: Learn,
        correct: Correct | None,
        ridge: float,
        means: str,
        shuffles: int,
    ):
        self.examples, self.plain, self.learn, self.correct = examples, plain, learn, correct
        self.ridge, self.means, self.shuffles = ridge, means, shuffles
        # Centred once for all, so that what each split subtracts is small and float32 is enough; evened, as recipes do.
        x = (examples.features - examples.features.mean(axis=0)) * evened(examples.features)
        x = x.astype(np.float64) if ridge < SMALL else x
        self.gram = x @ x.T  # (n, f) @ (f, n) -> (n, n)
        self.parts: list[dict[str, NDArray[Any]]] = []

    def ask(self, task: Task, rng: np.random.Generator) -> None:
        """One split: learn on its rows, answer its queries every way.

        Raises: ExamplesError, when nothing can be learned from what the split leaves.
        """
        examples = self.examples
        features, group, side, triplets = examples.left(task)
        closed = self.learn(features, group, side, triplets)
        lenses = {"closed": closed}
        if self.correct is not None:
            lenses["corrected"] = self.correct(closed, features, group, side=side, triplets=triplets)
        everyone = np.arange(len(examples.group))
        right, out = examples.answers(task.queries, everyone)
        plain = self.plain[task.queries]  # (q, n)
        part: dict[str, NDArray[Any]] = {
            "key": task.key,
            "query": task.queries,
            "unit": task.unit,
            "plain rank": task.ranks(plain[:, task.gallery]),
            "plain first": task.first(plain[:, task.gallery], SHOWN),
            "plain among all": rank_of_first(plain, right, out),
        }
        for name, lens in lenses.items():
            embedding = lens.apply(examples.features, examples.side if examples.sided else None)
            similarities = embedding[task.queries] @ embedding.T  # (q, d) @ (d, n) -> (q, n)
            near = similarities[:, task.gallery]
            part |= {
                f"{name} rank": task.ranks(near),
                f"{name} first": task.first(near, SHOWN),
                f"{name} among all": rank_of_first(similarities, right, out),
                f"{name} right": np.where(task.right & ~task.out, near, -np.inf).max(axis=1),
                f"{name} wrong": np.where(~task.right & ~task.out, near, -np.inf).max(axis=1),
            }
        forms = self._closed_forms(task, rng)
        answers = [forms.similarities(i, task.queries, task.gallery) for i in range(self.shuffles + 1)]
        part["forms"] = np.stack([task.ranks(one) for one in answers])
        self.parts.append(part)

    def _closed_forms(self, task: Task, rng: np.random.Generator) -> ClosedForms:
        """The closed form on the real labels, first, and on shuffled ones."""
        examples, learned = self.examples, task.learned
        side = examples.side if self.means == "side" else np.zeros_like(examples.side)
        where = side == np.unique(side)[:, None]  # (sides, n)
        weight = np.zeros(where.shape, self.gram.dtype)
        weight[:, learned] = where[:, learned]
        weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1)
        spread = where.T.astype(self.gram.dtype)  # (n, sides): x - spread @ weight @ x is centred
        half = self.gram - spread @ (weight @ self.gram)
        gram = half - (half @ weight.T) @ spread.T
        groups = np.full(len(examples.group), -1)
        groups[learned] = examples.group[learned]
        triplets = np.zeros((0, 3), np.int64) if task.triplets is None else task.triplets
        real = Labelling(groups, matching_pairs(groups, triplets))
        labellings = [real, *(real.shuffled(examples.side, rng) for _ in range(self.shuffles))]
        return ClosedForms(gram, labellings, examples.features.shape[1], self.ridge)

    def column(self, name: str) -> NDArray[Any]:
        """One column over all splits."""
        return np.concatenate([part[name] for part in self.parts], axis=-1)


def drawn(
    features: ArrayLike,
    group: ArrayLike,
    side: ArrayLike | None,
    triplets: ArrayLike | None,
    most: int,
    rng: np.random.Generator,
) -> tuple[Labelled, Rows, Rows, list[str]]:
    """Arrays that fit, at most `most` rows of them; which rows and triplets they are; and what to say about it."""
    x, groups = np.asarray(features), np.asarray(group, np.int64)
    if x.ndim != 2 or groups.shape != (len(x),) or not x.size:
        raise ShapeError(f"features must be (n, f) and group (n,), not {x.shape} and {groups.shape}.")
    sides = np.full(len(x), -1) if side is None else np.asarray(side, np.int64)
    if sides.shape != (len(x),):
        raise ShapeError(f"side must be (n,), one a row, not {sides.shape}.")
    three = None if triplets is None else np.asarray(triplets, np.int64).reshape(-1, 3)
    if three is not None and three.size and not 0 <= three.min() <= three.max() < len(x):
        raise ShapeError(f"triplets name rows from {three.min()} to {three.max()}, features have {len(x)}.")
    named = groups >= 0
    groups = np.where(named, 0, -1)
    groups[named] = np.unique(np.asarray(group, np.int64)[named], return_inverse=True)[1]  # from 0 on, without gaps
    notes: list[str] = []
    numbers = np.arange(0 if three is None else len(three))
    if len(x) <= most:
        rows = np.arange(len(x))
    elif (groups >= 0).any():
        rows = sample(groups, most, rng)
    else:
        numbers = rng.permutation(len(numbers))[: max(1, most // 3)]
        rows = np.unique(three[numbers]) if three is not None else np.arange(most)
    if len(rows) < len(x):
        notes.append(f"proved on {len(rows):,} of {len(x):,} pictures, drawn at random by group.")
    at = np.full(len(x), -1)
    at[rows] = np.arange(len(rows))
    if three is not None:
        numbers = numbers[(at[three[numbers]] >= 0).all(axis=1)]
        three = at[three[numbers]] if len(numbers) else None
    examples = Labelled(x[rows].astype(np.float32), groups[rows], sides[rows], three, side is not None)
    return examples, rows, numbers, notes
