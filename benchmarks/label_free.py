"""Search without labels, and lenses from few examples: recall@1 on the real pictures.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/label_free.py [--sections plain own small few] [--half 0|1]

plain: the last depth alone, and what plain search reads. own: the lens without labels, of each set as a collection of
its own and of all sets as one collection, by its settings. small: of 100, 300 and 1,000 pictures drawn from a set,
which are the collection. few: learned from a few groups, asked with half of the groups, which are never learned from;
each side of a set asks each other one by itself, and recall is their mean. With --corrected, by the correction as well.

Protocols as in plain_recall.py, with pictures of one half asking (`--half`), or all of them. Ratio: the mean over the
sets of recall@1 to that of the last depth. Pictures are embedded once, and kept (nine_tasks.py).
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import permutations

import numpy as np
from nine_tasks import SETS, Pictures, kept
from plain_recall import protocols

from lookalike import Backbone
from lookalike.collection.view_features import view_features
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.closed_form.label_free import DIMS, LabelFreeConfig, label_free
from lookalike.learning.evaluation.prior import SHARES, PriorTrainer
from lookalike.learning.labelled_features import LabelledFeatures, PartWeights
from lookalike.models.lens import Lens
from lookalike.models.vectors import normalize_rows

VIEWED, EACH = 200, 2  # pictures of a set that have views, and how many each
SPREAD = 1024  # pictures whose spread stands beside labels
FEW = {
    "totally_looks_like": (20, 60, 200, 600),
    "emoji": (20, 60, 200, 500),
    "omniglot": (5, 10, 20),
    "caltech101": (5, 15, 30),
    "clothing": (5,),
}


class Viewed(Pictures):
    """One set with views of some of its pictures, and who asks whom."""

    def __init__(self, name: str, half: int | None):
        super().__init__(name)
        self.viewed = np.sort(np.random.default_rng(1).permutation(len(self.files))[:VIEWED])
        asks = np.ones(len(self.files), bool) if half is None else self.development == (half == 0)
        self.asked = [
            (queries[asks[queries]], gallery, label) for queries, gallery, label in protocols(name, self.files)
        ]

    def retaken(self, pictures: int = VIEWED, each: int = EACH) -> tuple[np.ndarray, np.ndarray]:
        """Views (v, f) of the first so many pictures that have some, and of which each is (v,)."""
        paths = [self.paths[at] for at in self.viewed]
        rows = kept(f"{self.name}-retakes{EACH}", lambda backbone: _whole(paths, backbone))
        number = np.arange(len(rows))
        some = (number // EACH < pictures) & (number % EACH < each)
        return rows[some], self.viewed[number[some] // EACH]

    def recall(self, embedding: np.ndarray) -> float:
        """recall@1 in percent of rows of length 1."""
        found = []
        for queries, gallery, label in self.asked:
            similarity = embedding[queries] @ embedding[gallery].T
            similarity[queries[:, None] == gallery] = -np.inf
            found.append((label[gallery[similarity.argmax(axis=1)]] == label[queries]).mean())
        return 100 * float(np.mean(found))


def _whole(paths: Sequence, backbone: Backbone) -> np.ndarray:
    rows, viewed = view_features(paths, EACH, backbone)
    assert len(viewed) == EACH * len(paths)  # all of these pictures can be read
    return rows


@cache
def parts() -> PartWeights:
    """How lenses weigh the parts of the features."""
    return PartWeights.of(Backbone().bundle)


def line(name: str, found: list[float], last: list[float]) -> None:
    ratio = np.mean([one / base for one, base in zip(found, last, strict=True)])
    print(f"{name:44}", *(f"{one:8.1f}" for one in found), f"{ratio:8.3f}", flush=True)


def rotated(sets: list[Viewed], of: Callable[[Viewed], np.ndarray]) -> list[float]:
    return [one.recall(of(one)) for one in sets]


def own(one: Viewed, config: LabelFreeConfig, views: bool = True, pictures: int = VIEWED, each: int = EACH) -> Lens:
    seen = one.retaken(pictures, each) if views else (None, None)
    return label_free(one.features, *seen, config, scale=parts().scale)


def section_own(sets: list[Viewed], last: list[float]) -> None:
    kinds = {
        "own": {},
        "own, all dimensions": {"dims": None},
        "own, 512 dimensions": {"dims": 512},
        "own, ridge .1": {"ridge": 0.1},
        "own, ridge 3": {"ridge": 3.0},
        "own, whitened (power 1)": {"power": 1.0},
        "own, power .5": {"power": 0.5},
        "own, views weigh .25": {"view_share": 0.25},
        "own, views weigh .5": {"view_share": 0.5},
    }
    for name, change in kinds.items():
        config = LabelFreeConfig(**{"dims": DIMS, **change})
        line(name, rotated(sets, lambda one, config=config: own(one, config).apply(one.features)), last)
    config = LabelFreeConfig(dims=DIMS)
    line("own, no views", rotated(sets, lambda one: own(one, config, views=False).apply(one.features)), last)
    for pictures, each in ((25, 2), (100, 2), (200, 1)):
        found = rotated(sets, lambda one, p=pictures, e=each: own(one, config, True, p, e).apply(one.features))
        line(f"own, {each} views of {pictures} pictures", found, last)
    # All sets as one collection: rows and views of all of them.
    starts = np.cumsum([0, *(len(one.files) for one in sets)])
    seen = [one.retaken() for one in sets]
    rows = np.concatenate([one.features for one in sets])
    lens = label_free(
        rows,
        np.concatenate([views for views, _ in seen]),
        np.concatenate([start + of for start, (_, of) in zip(starts, seen, strict=False)]),
        config,
        scale=parts().scale,
    )
    line("own, all sets as one collection", rotated(sets, lambda one: lens.apply(one.features)), last)


def section_small(sets: list[Viewed]) -> None:
    print(f"\n{'a collection of so many pictures':44}", *(f"{one.name[:8]:>8}" for one in sets))
    for n in (100, 300, 1000):
        rows = []
        for one in sets:
            if len(one.files) < 2 * n and n > 300:
                rows.append((np.nan, np.nan))
                continue
            groups = np.random.default_rng(n).permutation(np.unique(one.group))
            chosen: list[int] = []
            for group in groups:  # whole groups, so that there is something to find
                chosen.extend(np.flatnonzero(one.group == group).tolist()[: max(2, n // 20)])
                if len(chosen) >= n:
                    break
            at = np.array(chosen[:n])
            x, group, side = one.features[at], one.group[at], None if one.side is None else one.side[at]
            views, of = one.retaken()
            place = np.full(len(one.files), -1)
            place[at] = np.arange(len(at))
            there = np.flatnonzero(place[of] >= 0)[: max(32, n // 12)]
            lens = label_free(x, views[there], place[of[there]], LabelFreeConfig(dims=DIMS), scale=parts().scale)
            rows.append(tuple(_leave_one_out(e, group, side) for e in (normalize_rows(x), lens.apply(x))))
        print(f"{n:,}: plain".ljust(44), *(f"{a:8.1f}" for a, _ in rows))
        print(f"{n:,}: own".ljust(44), *(f"{b:8.1f}" for _, b in rows), flush=True)


def _leave_one_out(x: np.ndarray, group: np.ndarray, side: np.ndarray | None) -> float:
    similarity = x @ x.T
    np.fill_diagonal(similarity, -np.inf)
    right = group[:, None] == group
    np.fill_diagonal(right, False)
    if side is not None:
        similarity[side[:, None] == side] = -np.inf
        right &= side[:, None] != side
    asked = right.any(axis=1)
    return 100 * float((group[similarity.argmax(axis=1)] == group)[asked].mean())


def section_few(sets: list[Viewed], draws: int, with_correction: bool) -> None:
    """Half of the groups ask each other; of the other half some are learned from. The collection is the set."""
    names = ["last", "plain", "own", *(f"{share:g}" for share in SHARES), "chosen"]
    names += ["corrected"] * with_correction
    print(f"\n{'learned from':28}", *(f"{name:>9}" for name in names), "  shares")
    for one in (some for some in sets if some.name in FEW):
        lens = own(one, LabelFreeConfig(dims=DIMS))
        some = np.sort(np.random.default_rng(0).permutation(len(one.files))[:SPREAD])
        for n in FEW[one.name]:
            rows, shares = [], []
            for draw in range(draws):
                groups = np.random.default_rng(1000 + draw).permutation(np.unique(one.group))
                asks = np.flatnonzero(np.isin(one.group, groups[: len(groups) // 2]))
                at = np.flatnonzero(np.isin(one.group, groups[len(groups) // 2 :][:n]))
                sides = None if one.side is None else one.side[at]
                data = LabelledFeatures.create(one.features[at], one.group[at], domains=sides)
                data = replace(data, parts=parts())
                forms = [ClosedFormTrainer(prior=one.features[some], prior_share=share).fit(data) for share in SHARES]
                chosen = PriorTrainer(one.features[some], lens, seed=draw).fit(data)
                shares.append(chosen.settings["prior_share"])
                lenses = [lens, *forms, chosen]
                if with_correction:
                    from lookalike.learning.training import LowRankTrainer

                    lenses.append(LowRankTrainer(seed=draw).fit(data, chosen))
                x, group, side = one.features[asks], one.group[asks], None if one.side is None else one.side[asks]
                embeddings = [one.last[asks], normalize_rows(x), *(form.apply(x) for form in lenses)]
                rows.append([_each_side(e, group, side) for e in embeddings])
            found = (f"{value:9.1f}" for value in np.mean(rows, axis=0))
            print(f"{one.name + ', ' + str(n):28}", *found, f"  {shares}", flush=True)


def _each_side(x: np.ndarray, group: np.ndarray, side: np.ndarray | None) -> float:
    """recall@1 in percent: of all rows, or the mean over the sides that ask another one."""
    if side is None:
        return _leave_one_out(x, group, None)
    found = []
    for a, b in permutations(np.unique(side), 2):
        asks, answers = side == a, side == b
        found.append((group[answers][(x[asks] @ x[answers].T).argmax(axis=1)] == group[asks]).mean())
    return 100 * float(np.mean(found))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sections", nargs="+", default=["plain", "own", "small", "few"])
    parser.add_argument("--half", type=int, choices=(0, 1), help="0: for choosing, 1: for the report; all by default")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--corrected", action="store_true", help="few: the correction too; needs torch")
    arguments = parser.parse_args()
    sets = [Viewed(name, arguments.half) for name in arguments.sets]
    last = rotated(sets, lambda one: one.last)
    print(f"{'recall@1, %':44}", *(f"{one.name[:8]:>8}" for one in sets), "   ratio")
    line("last depth alone", last, last)
    if "plain" in arguments.sections:
        line("plain", rotated(sets, lambda one: normalize_rows(one.features)), last)
    if "own" in arguments.sections:
        section_own(sets, last)
    if "small" in arguments.sections:
        section_small(sets)
    if "few" in arguments.sections:
        section_few(sets, arguments.draws, arguments.corrected)


if __name__ == "__main__":
    main()
