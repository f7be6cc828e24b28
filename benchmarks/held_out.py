"""Real pictures with queries held out before anything is learned: what the benchmarks of learning share."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lookalike import Backbone
from lookalike.images.scan import scan_folder
from lookalike.learning.closed_form.default import ChainedTrainer, ClosedFormTrainer
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.labelled_features import LabelledFeatures, PartWeights, Trainer
from lookalike.models.lens import Lens
from lookalike.models.registry import DEFAULT, resolve_bundle


def learn(trainer: Trainer, features: np.ndarray, labels: np.ndarray, domains: np.ndarray | None = None) -> Lens:
    """A lens from features (n, f), labels (n,) and domains (n,) or None."""
    return trainer.fit(weighted(LabelledFeatures.create(features, labels, domains=domains)))


def weighted(data: LabelledFeatures) -> LabelledFeatures:
    """Features of the default backbone with what their parts weigh for lenses, as `learn` gives them; others as is."""
    bundle = resolve_bundle(DEFAULT)
    return replace(data, parts=PartWeights.of(bundle)) if data.features.shape[1] == bundle.length else data


def corrected(seed: int = 0) -> Trainer:
    """The closed form and the low-rank correction, as `learn` makes a lens; needs torch."""
    from lookalike.learning.training import LowRankTrainer

    return ChainedTrainer(ClosedFormTrainer(), LowRankTrainer(seed=seed))


@dataclass(frozen=True)
class HeldOut:
    """One split of one set.

    Args:
        features: (n, f), group: (n,), side: (n,) or None, of all pictures.
        learned: rows that may be learned from.
        asked: pairs of queries and the gallery that answers them, rows; their recalls count alike.
    """

    features: np.ndarray
    group: np.ndarray
    side: np.ndarray | None
    learned: np.ndarray
    asked: list[tuple[np.ndarray, np.ndarray]]

    def examples(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Features, group and side of what may be learned from."""
        at = self.learned
        return self.features[at], self.group[at], None if self.side is None else self.side[at]

    def recall(self, embedding: np.ndarray) -> float:
        """recall@1 of an embedding of all pictures; a query itself is left out of its gallery."""
        found = []
        for queries, gallery in self.asked:
            place = {row: at for at, row in enumerate(gallery.tolist())}
            itself = [place.get(row, -1) for row in queries.tolist()]
            labels = self.group[queries], self.group[gallery]
            found.append(recall_at_k(embedding[queries], embedding[gallery], *labels, itself=itself))
        return float(np.mean(found))


def pictures(name: str) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """The features of one set, and the parts of each file's path."""
    if not os.environ.get("LOOKALIKE_DATA"):
        print("Set LOOKALIKE_DATA to the folder of the real pictures.")
        sys.exit(0)
    found = scan_folder(Path(os.environ["LOOKALIKE_DATA"]) / name).files
    return Backbone().embed([one.path for one in found]), [Path(one.file).parts for one in found]


def emoji(seeds: range) -> list[HeldOut]:
    """250 of 1,000 signs are held out; each design asks each other one: twelve directions."""
    x, parts = pictures("emoji")
    sign = np.unique([Path(part[-1]).stem for part in parts], return_inverse=True)[1]
    side = np.unique([part[0] for part in parts], return_inverse=True)[1]
    splits = []
    for seed in seeds:
        held = np.isin(sign, np.random.default_rng(seed).permutation(sign.max() + 1)[:250])
        rows = [np.flatnonzero(held & (side == one)) for one in np.unique(side)]
        asked = [(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]
        splits.append(HeldOut(x, sign, side, np.flatnonzero(~held), asked))
    return splits


def omniglot(seeds: range) -> list[HeldOut]:
    """Two of ten alphabets are held out (seeds 0 to 4 are five folds); their drawings ask each other."""
    x, parts = pictures("omniglot")
    character = np.unique(["/".join(part[:-1]) for part in parts], return_inverse=True)[1]
    alphabet = np.unique([part[0] for part in parts], return_inverse=True)[1]
    splits = []
    for seed in seeds:
        order = np.random.default_rng(seed // 5).permutation(10)
        held = np.isin(alphabet, order[2 * (seed % 5) : 2 * (seed % 5) + 2])
        rows = np.flatnonzero(held)
        splits.append(HeldOut(x, character, None, np.flatnonzero(~held), [(rows, rows)]))
    return splits


def grocery() -> HeldOut:
    """train_* are learned from and searched, val_* ask."""
    x, parts = pictures("grocery")
    kind = np.unique(["/".join(part[:-1]) for part in parts], return_inverse=True)[1]
    asks = np.array([part[-1].startswith("val_") for part in parts])
    train = np.flatnonzero(~asks)
    return HeldOut(x, kind, None, train, [(np.flatnonzero(asks), train)])
