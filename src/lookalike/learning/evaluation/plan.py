"""How a lens will be evaluated: a sample of the examples and how its queries are held out, planned before learning."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ShapeError
from lookalike.learning.evaluation.folds import HoldOut
from lookalike.learning.evaluation.significance import level_of, permutations_of
from lookalike.learning.evaluation.splits import sample
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.labels import Rows, number_labels
from lookalike.models.bundle import NEARLY_EQUAL
from lookalike.models.lens import Lens
from lookalike.models.proof_parts import FIRST, Attempt, HoldOutKind
from lookalike.models.vectors import normalize_rows

MOST = 4000  # rows that are evaluated


@dataclass(frozen=True)
class EvaluationPlan:
    """Examples and how queries of them are held out; built once, and used by everything that evaluates.

    Attributes:
        data: m rows, a sample where there were more; float32, labels numbered from 0 on.
        rows: (m,) which of the given rows they are.
        similarity: (m, m) float32, of plain search.
        hold_out: how they are held out.
        notes: what must be said about it.
        seed: of the sample, and of every draw of an evaluation.
        attempt: which proof of these examples it is for; the tests of later ones are stricter.
        own: the lens that search has without any examples, which a lens has to beat as well; None for none.
        others: (u, f) features of pictures of the collection that are no examples, or of a sample of them; None where
            there are none. Nothing is learned from them: they take their places among the hits of held-out queries,
            so that how likely a hit is right is measured where people search.
    """

    data: LabelledFeatures
    rows: Rows
    similarity: NDArray[np.float32]
    hold_out: HoldOut
    notes: tuple[str, ...]
    seed: int
    random_state: dict[str, Any] = field(repr=False)
    attempt: Attempt = FIRST
    own: Lens | None = field(default=None, repr=False)
    others: NDArray[np.floating[Any]] | None = field(default=None, repr=False)

    @cached_property
    def searched(self) -> LabelledFeatures:
        """The examples, and behind them the pictures without a label that are searched with them."""
        if self.others is None or not len(self.others):
            return self.data
        data, more = self.data, len(self.others)

        def longer(values: NDArray[Any] | None, fill: ArrayLike) -> NDArray[Any] | None:
            return None if values is None else np.concatenate([values, np.broadcast_to(fill, more)])

        return replace(
            data,
            features=np.concatenate([data.features, self.others.astype(np.float32)]),
            labels=np.concatenate([data.labels, np.full(more, -1)]),
            domains=longer(data.domains, -1),
            content=longer(
                data.content, np.arange(more) + len(data) + (0 if data.content is None else data.content.max())
            ),
            query_mask=longer(data.query_mask, False),
            gallery_mask=longer(data.gallery_mask, True),
        )

    @property
    def level(self) -> float:
        """Below which p convinces."""
        return level_of(self.attempt.number)

    @property
    def permutations(self) -> int:
        """How many closed forms on shuffled labels the real one has to beat."""
        return permutations_of(self.attempt.number)

    def generator(self) -> np.random.Generator:
        """A generator as it was after the sample was drawn: the same at each call."""
        found = np.random.default_rng(self.seed)
        found.bit_generator.state = deepcopy(self.random_state)
        return found


def plan_evaluation(
    data: LabelledFeatures,
    hold_out: HoldOutKind | None = None,
    *,
    seed: int = 0,
    plain: ArrayLike | None = None,
    duplicate_threshold: float | None = None,
    most: int = MOST,
    attempt: Attempt = FIRST,
) -> EvaluationPlan:
    """Draw a sample where there are many rows, and decide how queries are held out.

    Args:
        data: the examples.
        hold_out: "groups", "pictures", or None to decide by the examples, see `HoldOut`.
        seed: draws the sample.
        plain: (n, d) float, what plain search compares; None: the features.
        duplicate_threshold: plain similarity above which two pictures stay on one side of a split; None: as the
            backbone of the data says.
        most: above so many rows a sample is taken.
        attempt: which proof of these examples it is for; who counts none says that it is the first.
    Raises: ShapeError, when `plain` does not fit.

    >>> plan = plan_evaluation(LabelledFeatures.create(np.eye(6), [7, 7, 8, 8, 9, 9]))
    >>> plan.hold_out.kind, plan.data.labels
    ('groups', array([0, 0, 1, 1, 2, 2]))
    """
    compared = data.features if plain is None else np.asarray(plain)
    if len(compared) != len(data):
        raise ShapeError(f"plain has {len(compared)} rows, features have {len(data)}. Give one a picture.")
    rng = np.random.default_rng(seed)
    rows, triplets = _sample(data, most, rng)
    notes = []
    if len(rows) < len(data):
        notes.append(f"proved on {len(rows):,} of {len(data):,} pictures, drawn at random by group.")
    chosen = data.subset(rows, triplets)
    chosen = replace(chosen, features=chosen.features.astype(np.float32), labels=number_labels(data.labels)[rows])
    seen = normalize_rows(compared[rows].astype(np.float32))
    similarity = seen @ seen.T  # (m, d) @ (d, m) -> (m, m)
    if duplicate_threshold is None:
        duplicate_threshold = NEARLY_EQUAL if data.parts is None else data.parts.nearly_equal
    split = HoldOut(chosen, similarity, hold_out, duplicate_threshold)
    notes += split.notes
    return EvaluationPlan(chosen, rows, similarity, split, tuple(notes), seed, dict(rng.bit_generator.state), attempt)


def _sample(data: LabelledFeatures, most: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """At most about `most` rows, and the triplets that lie among them, in the numbers of all rows."""
    triplets = data.triplets
    if len(data) <= most:
        return np.arange(len(data)), triplets
    if (data.labels >= 0).any():
        rows = sample(number_labels(data.labels), most, rng)
    else:
        triplets = triplets[rng.permutation(len(triplets))[: max(1, most // 3)]]
        rows = np.unique(triplets) if len(triplets) else np.arange(most)
    among = np.zeros(len(data), bool)
    among[rows] = True
    return rows, triplets[among[triplets].all(axis=1)]
