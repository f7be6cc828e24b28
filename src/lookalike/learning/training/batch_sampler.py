"""Examples -> batches: P groups with at most K of their pictures each, and explicit triplets beside them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lookalike.errors import ExamplesError, ShapeError
from lookalike.learning.labels import Rows, rows_by_label
from lookalike.learning.training.training_labels import TrainingLabels


class Batch(NamedTuple):
    """What one step learns from.

    Attributes:
        rows: (b,) int64, rows of the features or pictures, each once.
        labels: (b,) int64, their groups; -1 for none.
        triplets: (t, 3) int64, the explicit triplets of this batch, as positions in `rows`; t may be 0.
    """

    rows: Rows
    labels: Rows
    triplets: Rows


def batches(
    labels: Rows,
    rng: np.random.Generator,
    *,
    domains: Rows | None = None,
    triplets: Rows | None = None,
    rows: int = 256,
    per_label: int = 4,
) -> Iterator[Batch]:
    """Batches without end; an epoch is a permutation of all groups, so that each group comes once an epoch.

    A group of one picture has nothing to be near to and is left out. Of a group with more than `per_label` pictures
    a random few are taken, from as many sides as there are. Where groups and explicit triplets are given, each fills
    half of the batch.

    Args:
        labels: (n,) int64, who belongs together; -1 for none.
        rng: draws the permutations.
        domains: (n,) int64, e.g. which folder of several; None where there is one.
        triplets: (t, 3) int64, rows that are anchor, positive, negative.
        rows: about how many pictures a batch has; 2 or more.
        per_label: at most this many of one group, 2 or more.
    Raises: ExamplesError, when nothing is there to tell apart; ShapeError, when the arrays do not fit together.

    >>> batch = next(batches(np.array([0, 0, 1, 1, 2]), np.random.default_rng(0)))
    >>> sorted(zip(batch.rows.tolist(), batch.labels.tolist()))
    [(0, 0), (1, 0), (2, 1), (3, 1)]
    """
    data = TrainingLabels.create(labels, domains=domains, triplets=triplets)
    labels, triplets = data.labels, data.triplets
    domains = np.zeros(len(labels), np.int64) if data.domains is None else data.domains
    if rows < 2 or per_label < 2:
        raise ShapeError(f"a batch of {rows} rows with {per_label} of a group holds no pair. Make both 2 or more.")
    groups = rows_by_label(labels)
    if len(groups) < 2 and not len(triplets):
        counts = f"{len(np.unique(labels[labels >= 0]))} groups, {len(groups)} of them with two pictures or more"
        raise ExamplesError(f"{counts}: nothing to tell apart. Give at least two groups of two, or triplets.")
    both = len(groups) >= 2 and len(triplets) > 0
    parts = batches_per_epoch(groups, rows // 2 if both else rows, per_label)
    of_groups = group_batches(groups, domains, rng, parts, per_label)
    of_triplets = triplet_batches(triplets, rng, rows // 6 if both else rows // 3)
    nothing: Rows = np.empty(0, np.int64)
    while True:
        grouped = next(of_groups, nothing)
        chosen = next(of_triplets, triplets[:0])
        union = np.unique(np.concatenate([grouped, chosen.ravel()]))
        yield Batch(union, labels[union], np.searchsorted(union, chosen))


def steps_per_epoch(labels: Rows, *, triplets: Rows | None = None, rows: int = 256, per_label: int = 4) -> int:
    """How many batches hold each group once; each triplet once, where that takes more.

    >>> steps_per_epoch(np.repeat(np.arange(100), 8), rows=100, per_label=4)
    4
    """
    data = TrainingLabels.create(labels, triplets=triplets)
    labels, triplets = data.labels, data.triplets
    groups = rows_by_label(labels)
    both = len(groups) >= 2 and len(triplets) > 0
    of_groups = batches_per_epoch(groups, rows // 2 if both else rows, per_label)
    return max(1, of_groups, triplet_batches_per_epoch(len(triplets), rows // 6 if both else rows // 3))


def batches_per_epoch(groups: list[Rows], rows: int, per_label: int) -> int:
    """Into how many batches an epoch is cut: equal ones of about so many rows, each with two groups or more."""
    pictures = sum(min(len(m), per_label) for m in groups)
    return max(1, min(round(pictures / max(rows, 1)), len(groups) // 2))


def triplet_batches_per_epoch(triplets: int, size: int) -> int:
    """Into how many batches of about so many triplets an epoch of them is cut."""
    return max(1, round(triplets / max(size, 1)))


def group_batches(
    groups: list[Rows], domains: Rows, rng: np.random.Generator, parts: int, per_label: int
) -> Iterator[Rows]:
    """Rows of whole groups, without end (none where there are fewer than two groups); an epoch has equal parts."""
    while len(groups) >= 2:
        for part in np.array_split(rng.permutation(len(groups)), parts):
            yield np.concatenate([sample_per_label(groups[g], domains, rng, per_label) for g in part])


def sample_per_label(rows: Rows, domains: Rows, rng: np.random.Generator, most: int) -> Rows:
    """At most so many rows of one group, at random, one of each side before a second of any.

    >>> side = np.array([0, 0, 0, 0, 0, 1])
    >>> 5 in sample_per_label(np.arange(6), side, np.random.default_rng(0), most=2)
    True
    """
    rows = rng.permutation(rows)
    turn = np.empty(len(rows), np.int64)  # 0 for the first of its side, 1 for the second, ...
    for s in np.unique(domains[rows]):
        mine = domains[rows] == s
        turn[mine] = np.arange(mine.sum())
    return rows[np.argsort(turn, kind="stable")[:most]]


def triplet_batches(triplets: Rows, rng: np.random.Generator, size: int) -> Iterator[Rows]:
    """Explicit triplets, without end (none where there are none); an epoch is a permutation of all."""
    while len(triplets):
        yield from np.array_split(
            triplets[rng.permutation(len(triplets))], triplet_batches_per_epoch(len(triplets), size)
        )
