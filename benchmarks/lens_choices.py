"""What makes a lens better, and what does not: each choice beside the default, on the splits that are for choosing.

    LOOKALIKE_DATA=... python benchmarks/lens_choices.py [--quick] [--seeds 2] [--only WORD] [--choice WORD]
        [--reported]

recall@1 in percent on development splits (nine_tasks.py), then by how much every other choice differs from it, mean
and standard deviation over the splits. --quick leaves out the corrections. Views were embedded for grocery and
look-alikes alone. --reported looks at what was chosen already, on the splits that had no say.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from held_out import learn, weighted
from nine_tasks import DEVELOPMENT, NINE, REPORTED, Pictures, Split, development_splits, recall

from lookalike import Backbone
from lookalike.errors import TrainingError
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.closed_form.discriminant import reweight_between_class
from lookalike.learning.closed_form.whitening import WhitenTrainer, spread_scale
from lookalike.learning.evaluation.folds import HoldOut
from lookalike.learning.labelled_features import LabelledFeatures, Trainer
from lookalike.models.lens import Lens
from lookalike.models.vectors import normalize_rows
from lookalike.progress import SILENT, Reporter

TASKS = ("grocery, known", "emoji, new", "look-alikes", "clothing, new", "clothing, known", "caltech101, new")
VIEWED = ("grocery", "totally_looks_like")
PRIOR = 800  # pictures of another set whose own views say what never matters
Way = Callable[[Pictures, Split], np.ndarray | None]


@dataclass(frozen=True)
class BetterOf:
    """A trainer that takes `other` only where it beats `simple` on an inner split of what it is given."""

    simple: Trainer
    other: Trainer
    seed: int = 0

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        similarity = normalize_rows(data.features) @ normalize_rows(data.features).T
        inner = next(HoldOut(data, similarity).folds(np.random.default_rng(self.seed)), None)
        if inner is None:
            return self.simple.fit(data)
        scores = []
        for trainer in (self.simple, self.other):
            embedding = trainer.fit(data.subset(inner.train, inner.triplets)).apply(data.features)
            ranks = inner.ranks(embedding[inner.queries] @ embedding[inner.gallery].T)
            scores.append(((ranks == 1).sum(), (1 / ranks).sum()))
        return (self.other if scores[1] > scores[0] else self.simple).fit(data)


def learned(p: Pictures, split: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    at = split.learned
    return p.features[at], p.group[at], None if p.side is None else p.side[at]


def form(power: float = 0.5, ridge: float = 1.0, leaned: bool = True, **depths: float) -> Way:
    """The closed form with one thing changed; depths: what those whose name begins so are multiplied with."""

    def way(p: Pictures, split: Split) -> np.ndarray | None:
        x, group, side = learned(p, split)
        data = weighted(LabelledFeatures.create(x, group, domains=side))
        scale = spread_scale(x, power, data.parts) * weights(depths)
        lens = WhitenTrainer(ridge, scale).fit(data)
        return (reweight_between_class(lens, data) if leaned else lens).apply(p.features)

    return way


def weights(depths: dict[str, float]) -> np.ndarray:
    parts = [
        np.full(one.length, next((w for name, w in depths.items() if one.name.startswith(name)), 1.0), np.float32)
        for one in Backbone().bundle.depths
    ]
    return np.concatenate(parts)


def cut(dims: int) -> Way:
    return lambda p, split: learn(ClosedFormTrainer(dims=dims), *learned(p, split)).apply(p.features)


def chosen_ridge(p: Pictures, split: Split) -> np.ndarray:
    """0.3, 1 or 3 by an inner split of the examples."""
    trainer = BetterOf(BetterOf(ClosedFormTrainer(), ClosedFormTrainer(0.3)), ClosedFormTrainer(3.0))
    return learn(trainer, *learned(p, split)).apply(p.features)


def with_rows(extra: Callable[[Pictures, Split], tuple[np.ndarray, np.ndarray] | None]) -> Way:
    """Rows more in the scatter within; the mean stays that of the examples."""

    def way(p: Pictures, split: Split) -> np.ndarray | None:
        x, group, _ = learned(p, split)
        more = extra(p, split)
        if more is None:
            return None
        lens = learn(ClosedFormTrainer(), np.vstack([x, more[0]]), np.concatenate([group, more[1]]))
        return replace(lens, mean=x.mean(axis=0)).apply(p.features)

    return way


def mirrored(p: Pictures, split: Split) -> tuple[np.ndarray, np.ndarray] | None:
    """The mirror images of the examples, each in its picture's group."""
    return (p.views(4)[0][split.learned], p.group[split.learned]) if p.name in VIEWED else None


def others_views(p: Pictures, split: Split) -> tuple[np.ndarray, np.ndarray] | None:
    """The collection's other pictures, each with its mirror image a group of its own."""
    if p.name not in VIEWED:
        return None
    rest = np.setdiff1d(np.arange(len(p.features)), split.learned)
    return own(p.features[rest], p.views(4)[0][rest], p.group.max() + 1)


def prior(p: Pictures, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of another set with their mirror images: what varies whatever a picture shows."""
    other = Pictures(VIEWED[0] if p.name != VIEWED[0] else VIEWED[1])
    some = np.random.default_rng(0).permutation(len(other.features))[:PRIOR]
    return own(other.features[some], other.views(4)[0][some], p.group.max() + 1)


def own(x: np.ndarray, mirror: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    return np.vstack([x, mirror]), np.tile(first + np.arange(len(x)), 2)


def seen_twice(way: Callable[[Pictures, Split], Lens]) -> Way:
    """The embedding of a picture and that of its mirror image, added: of queries and gallery alike."""

    def twice(p: Pictures, split: Split) -> np.ndarray | None:
        if p.name not in VIEWED:
            return None
        lens = way(p, split)
        return normalize_rows(lens.apply(p.features) + lens.apply(p.views(4)[0]))

    return twice


def default(p: Pictures, split: Split) -> Lens:
    return learn(ClosedFormTrainer(), *learned(p, split))


def of_mirrored(p: Pictures, split: Split) -> Lens:
    rows = np.vstack([p.features[split.learned], p.views(4)[0][split.learned]])
    return learn(ClosedFormTrainer(), rows, np.tile(p.group[split.learned], 2))


CLOSED: dict[str, Way] = {
    "default": form(),
    "ridge 0.3": form(ridge=0.3),
    "ridge 3": form(ridge=3.0),
    "ridge by inner split": chosen_ridge,
    "not evened": form(power=0.0),
    "evened all the way": form(power=1.0),
    "not leaned": form(leaned=False),
    "512 dimensions": cut(512),
    "256 dimensions": cut(256),
    "exp x 1.5": form(exp=1.5),
    "st x 1.5": form(st=1.5),
    "exp x 1.25, st x 1.5": form(exp=1.25, st=1.5),
    "mirror images learned": with_rows(mirrored),
    "mirror images searched": seen_twice(default),
    "mirror images in both": seen_twice(of_mirrored),
    "others' own views": with_rows(others_views),
    "prior of other views": with_rows(prior),
}


def corrected(p: Pictures, split: Split) -> dict[str, np.ndarray]:
    """Corrections by name; one that is kept in several parts is learned once."""
    from lookalike.learning.training import LowRankConfig, TrainConfig, correct

    x, group, side = learned(p, split)
    start = learn(ClosedFormTrainer(), x, group, side)
    found = {}
    for name, loss, parts in (("softmax", "softmax", (0.25, 0.4, 1.0)), ("triplet", "triplet", (0.25, 0.4))):
        try:
            config = LowRankConfig(TrainConfig(loss=loss), interpolation=1.0)
            full = correct(start, x, group, domains=side, config=config)
        except TrainingError:  # few examples, which the closed form tells apart by more than the margin
            continue
        for kept in parts:
            matrix = start.matrix + kept * (full.matrix - start.matrix)
            found[f"{name}, {kept:g} kept"] = Lens("kept", start.mean, matrix).apply(p.features)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--seeds", type=int, default=2)
    arguments.add_argument("--only", default="", help="tasks whose name holds this")
    arguments.add_argument("--choice", default="", help="choices whose name holds this, beside the default")
    arguments.add_argument("--reported", action="store_true", help="all nine tasks, on the splits that are reported")
    asked = arguments.parse_args()
    for task in NINE:
        if not (task.name in TASKS or asked.reported) or asked.only not in task.name:
            continue
        p = Pictures(task.pictures)
        if asked.reported:
            splits = [task.split(p, seed) for seed in REPORTED[: asked.seeds]]
        else:
            splits = list(development_splits(p, task, DEVELOPMENT[: asked.seeds]))
        print(f"{task.name}: plain {100 * np.mean([recall(p.last, p.group, one) for one in splits]):.1f}", flush=True)
        start = np.zeros(len(splits))
        for name, way in CLOSED.items():
            if name != "default" and asked.choice not in name:
                continue
            embeddings = [way(p, one) for one in splits]
            if any(one is None for one in embeddings):
                continue
            found = np.array([recall(e, p.group, one) for e, one in zip(embeddings, splits, strict=True)])  # type: ignore[arg-type]
            start = found if name == "default" else start
            tell(name, found, start)
        if asked.quick:
            continue
        several = [corrected(p, one) for one in splits]
        for name in (one for one in several[0] if all(one in other for other in several)):
            tell(name, np.array([recall(e[name], p.group, s) for e, s in zip(several, splits, strict=True)]), start)


def tell(name: str, found: np.ndarray, start: np.ndarray) -> None:
    less = 100 * (found - start)
    print(f"  {name:24} {100 * found.mean():5.1f} {less.mean():+5.1f} ±{less.std():3.1f}", flush=True)


if __name__ == "__main__":
    main()
