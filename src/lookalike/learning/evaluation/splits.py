"""What is learned from and what is held out: near-duplicates stay on one side, whole groups where there are enough."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.labels import Edges, Rows, chain, components
from lookalike.models.bundle import NEARLY_EQUAL

RAISED = (0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.993, 0.995, 0.997, 0.998, 0.999)
ENOUGH_GROUPS = 20  # from here on whole groups are held out
LARGEST_SHARE = 0.1  # of all pictures, in one component, before the threshold is raised
SplitKind = Literal["groups", "pictures"]


@dataclass(frozen=True)
class SplitGroups:
    """Which rows must stay together, and why.

    Args:
        of: (n,) int64, the unit of each row.
        threshold: the similarity above which two pictures counted as one; 1 where only equal content did.
        near: how many pictures have a near-duplicate.
        note: what to say about it; empty when there is nothing.
    """

    of: NDArray[np.int64]
    threshold: float
    near: int
    note: str


def split_groups(
    labels: NDArray[np.int64],
    similarity: NDArray[np.float32],
    hold_out: SplitKind,
    *,
    content: Rows | None = None,
    links: Edges | None = None,
    same: float = NEARLY_EQUAL,
) -> SplitGroups:
    """Rows that must stay together: near-duplicates, and whole groups where those are held out.

    Drawings and logos can chain into one huge unit: where a unit would hold more than a tenth of the pictures (and
    more than twice the largest group), the threshold is raised step by step, at last to equal content, and the note
    says so.

    Args:
        labels: (n,) int64, -1 for none.
        similarity: (n, n) float32, plain.
        hold_out: whether whole groups stay together, or pictures part.
        content: (n,) int64, equal for equal pictures, or None.
        links: pairs of rows that belong together besides.
        same: plain similarity above which two pictures count as one.

    >>> like = np.array([[1, 0.99, 0], [0.99, 1, 0], [0, 0, 1]], np.float32)
    >>> split_groups(np.array([0, 1, 2]), like, "pictures").of.tolist()
    [0, 0, 2]
    """
    n = len(labels)
    fixed = [_equal(content)] if content is not None else []
    joined = list(fixed)
    if hold_out == "groups":
        joined.append(chain(labels))
    if links is not None:
        joined.append(links)
    bound = max(LARGEST_SHARE * n, 2 * _largest(components(n, joined)), 2)
    above = np.triu(similarity > same, k=1)
    rows, columns = np.nonzero(above)
    values = similarity[rows, columns]
    near = len(np.unique(np.concatenate([rows, columns, *(at for edge in fixed for at in edge)])))
    for threshold in (same, *(step for step in RAISED if step > same), 1.0):
        kept = values > threshold
        of = components(n, [*joined, (rows[kept], columns[kept])])
        if _largest(of) <= bound:
            break
    note = ""
    if threshold > same:
        how = f"only above {threshold}" if threshold < 1 else "only where they are equal to the byte"
        note = f"near-duplicates chain through most pictures, so they were kept on one side {how}."
    return SplitGroups(of, threshold, near, note)


def assign_folds(
    unit: NDArray[np.int64], stratum: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The fold of each row, whole units at random, about equally many rows a fold and of each stratum: (n,) int64.

    >>> assign_folds(np.array([0, 0, 1, 2]), np.zeros(4, int), 2, np.random.default_rng(0)).tolist()
    [0, 0, 1, 1]
    """
    names, first, at, sizes = np.unique(unit, return_index=True, return_inverse=True, return_counts=True)
    # Large units first, then stratum by stratum, at random within one.
    order = np.lexsort((rng.random(len(names)), stratum[first], -np.where(sizes > len(unit) / (4 * count), sizes, 0)))
    fold, load = np.empty(len(names), np.int64), np.zeros(count)
    for one in order:
        fold[one] = int(load.argmin())
        load[fold[one]] += sizes[one]
    return fold[at]


def sample(labels: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """At most about `most` rows, in order: some pictures of every group first, then fewer groups, whole or cut alike.

    >>> sample(np.repeat([0, 1], 50), 10, np.random.default_rng(0)).shape
    (10,)
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    shuffled = rng.permutation(len(labels))
    shuffled = shuffled[labels[shuffled] >= 0]
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    place = np.arange(len(order)) - np.repeat(starts, sizes)
    a_group = max(4, most // max(1, len(starts)))
    kept = order[place < a_group]
    turn = rng.permutation(int(labels.max()) + 1)
    kept = kept[np.argsort(turn[labels[kept]], kind="stable")]
    return np.sort(kept[:most])


def _equal(content: Rows) -> Edges:
    return chain(np.unique(content, return_inverse=True)[1].astype(np.int64))


def _largest(of: NDArray[np.int64]) -> int:
    return int(np.bincount(of).max(initial=0))
