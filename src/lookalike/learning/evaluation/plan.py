"""The examples that a lens is examined on, and how they are held out, decided before anything is learned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ShapeError
from lookalike.learning.evaluation.folds import HoldOut, HoldOutKind
from lookalike.learning.evaluation.splits import DUPLICATE_THRESHOLD, sample
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.labels import Rows
from lookalike.models.vectors import normalize_rows

MOST = 4000  # pictures that are looked at


@dataclass(frozen=True)
class EvaluationPlan:
    """Examples, and how queries of them are held out.

    Attributes:
        examples: m rows.
        rows: (m,) which of the rows given they are.
        similarity: (m, m) float32, of plain search.
        split: how they are held out.
        notes: what must be said about it.
    """

    examples: LabelledFeatures
    rows: Rows
    similarity: NDArray[np.float32]
    split: HoldOut
    notes: tuple[str, ...]


def plan_evaluation(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    rng: np.random.Generator,
    domains: ArrayLike | None = None,
    triplets: ArrayLike | None = None,
    plain: ArrayLike | None = None,
    content: Sequence[bytes] | None = None,
    asks: ArrayLike | None = None,
    whole: ArrayLike | None = None,
    hold_out: HoldOutKind | None = None,
    same: float = DUPLICATE_THRESHOLD,
    most: int = MOST,
) -> EvaluationPlan:
    """Arrays that fit, a sample where they are many, and how they are held out; as for `prove`, but for:

    Args: rng: draws the sample.
    Raises: ShapeError, when the arrays do not fit together.

    >>> found = plan_evaluation(np.eye(6), [7, 7, 8, 8, 9, 9], rng=np.random.default_rng(0))
    >>> found.split.hold_out, found.examples.labels
    ('groups', array([0, 0, 1, 1, 2, 2]))
    """
    examples, rows, notes = _drawn(features, labels, domains, triplets, most, rng)
    n = len(np.asarray(features))
    given: dict[str, Any] = {"plain": plain, "content": content, "asks": asks, "whole": whole}
    for name, one in given.items():
        if one is not None and len(one) != n:
            raise ShapeError(f"{name} has {len(one)} rows, features have {n}. Give one a picture.")
    hashes = None if content is None else [content[row] for row in rows]
    if hashes is not None:
        examples = replace(examples, content=np.unique(np.array(hashes, dtype=object), return_inverse=True)[1])
    if asks is not None:
        examples = replace(examples, query_mask=np.asarray(asks, bool)[rows])
    if whole is not None:
        examples = replace(examples, gallery_mask=np.asarray(whole, bool)[rows])
    seen = normalize_rows(examples.features if plain is None else np.asarray(plain)[rows].astype(np.float32))
    similarity = seen @ seen.T  # (m, d) @ (d, m) -> (m, m)
    split = HoldOut(examples, similarity, hold_out, hashes, same)
    if split.split_groups.note:
        notes.append(split.split_groups.note)
    return EvaluationPlan(examples, rows, similarity, split, tuple(notes))


def _drawn(
    features: ArrayLike,
    labels: ArrayLike,
    domains: ArrayLike | None,
    triplets: ArrayLike | None,
    most: int,
    rng: np.random.Generator,
) -> tuple[LabelledFeatures, Rows, list[str]]:
    """Arrays that fit, at most `most` rows of them; which rows they are; and what to say about it."""
    x, groups = np.asarray(features), np.asarray(labels, np.int64)
    if x.ndim != 2 or groups.shape != (len(x),) or not x.size:
        raise ShapeError(f"features must be (n, f) and group (n,), not {x.shape} and {groups.shape}.")
    sides = None if domains is None else np.asarray(domains, np.int64)
    if sides is not None and sides.shape != (len(x),):
        raise ShapeError(f"side must be (n,), one a row, not {sides.shape}.")
    three = None if triplets is None else np.asarray(triplets, np.int64).reshape(-1, 3)
    if three is not None and three.size and not 0 <= three.min() <= three.max() < len(x):
        raise ShapeError(f"triplets name rows from {three.min()} to {three.max()}, features have {len(x)}.")
    named = groups >= 0
    groups = np.where(named, 0, -1)
    groups[named] = np.unique(np.asarray(labels, np.int64)[named], return_inverse=True)[1]  # from 0 on, without gaps
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
        three = at[three[numbers]]
    three = np.zeros((0, 3), np.int64) if three is None else three
    examples = LabelledFeatures(x[rows].astype(np.float32), groups[rows], None if sides is None else sides[rows], three)
    return examples, rows, notes
