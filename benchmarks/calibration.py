"""Whether what is said to be likely is right as often: on held-out queries, and on pictures that were never used.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/calibration.py [seeds, 5] [sets, all] [--corrected]

Of each set a part is learned from and proved, as `learn` does it in a collection that holds the whole set: in closed
form, beside a share of the pictures' own spread that each fold chooses. Then up to 2,000 other pictures ask the whole
collection, as people do: learned and other pictures. "new": whole groups are learned from, pictures of other groups
ask. "known": pictures of every group are, others of the same groups ask. A line says of the first hits, and of the
first ten, the share that is right, the mean of what was said, and the expected calibration error in ten steps (Guo et
al., arXiv:1706.04599), in points: mean and deviation over the seeds. In brackets the error that chance alone makes of
so many hits, where all that is said is exactly true. "held out" is what the proof reports.

--corrected tries the correction by gradient as well; --development takes seeds from 100, on which settings were chosen.
Features are kept in LOOKALIKE_BENCH, so that a second run embeds nothing.
"""

import sys
from dataclasses import dataclass, replace

import numpy as np
from held_out import weighted
from nine_tasks import Pictures

from lookalike.learning.closed_form.label_free import label_free, label_free_config
from lookalike.learning.evaluation.calibration import calibration_error, reliability
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prior import PriorTrainer
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.labels import Rows

ASK, HITS, OTHERS, SPREAD, DRAWS = 2000, 50, 2000, 1024, 20


@dataclass(frozen=True)
class Case:
    """Of which pictures which share is learned from: whole groups, or pictures of every group."""

    name: str
    pictures: str
    kind: str
    share: float

    def split(self, p: Pictures, seed: int) -> tuple[Rows, Rows]:
        """Rows that are learned from, and all others."""
        rng, learned = np.random.default_rng(seed), np.zeros(len(p.group), bool)
        if self.kind == "new":
            groups = rng.permutation(np.unique(p.group))
            learned = np.isin(p.group, groups[: round(self.share * len(groups))])
        else:
            for one in np.unique(p.group):
                rows = rng.permutation(np.flatnonzero(p.group == one))
                learned[rows[: round(self.share * len(rows))]] = True
        return np.flatnonzero(learned), np.flatnonzero(~learned)


CASES = (
    Case("look-alikes, new", "totally_looks_like", "new", 0.5),
    Case("emoji, new", "emoji", "new", 0.5),
    Case("caltech101, new", "caltech101", "new", 0.5),
    Case("grocery, new", "grocery", "new", 0.5),
    Case("clothing, known", "clothing", "known", 0.5),
    Case("caltech101, known", "caltech101", "known", 0.6),
)


def one(case: Case, p: Pictures, seed: int, with_correction: bool) -> list[float] | None:
    """Held-out error; of the first hit and the first ten: right, said, error; None where nothing is said."""
    learned, rest = case.split(p, seed)
    side = None if p.side is None else p.side[learned]
    data = weighted(LabelledFeatures.create(p.features[learned], p.group[learned], domains=side))
    others = p.features[np.random.default_rng(seed).permutation(rest)[:OTHERS]].astype(np.float16)
    kind = "groups" if case.kind == "new" else "pictures"
    plan = replace(plan_evaluation(data, kind, seed=seed), others=others)
    scale = None if data.parts is None else data.parts.scale
    own = label_free(p.features, config=label_free_config(len(p.features)), scale=scale)
    spread = p.features[np.sort(np.random.default_rng(seed).permutation(len(p.features))[:SPREAD])]
    trainer, refiner = PriorTrainer(spread, own, seed=seed), None
    if with_correction:
        from lookalike.learning.training import LowRankTrainer

        refiner = LowRankTrainer(seed=seed)
    proof = prove_labelled(data, trainer, refiner, plan=plan, permutations=0)
    if (told := proof.likelihood) is None:
        return None
    lens = trainer.settled().fit(data)
    if refiner is not None and proof.selected == "correction":
        lens = refiner.fit(data, lens)
    embedding = lens.apply(p.features)
    queries = np.sort(np.random.default_rng(seed + 1).permutation(rest)[:ASK])
    similarity = embedding[queries] @ embedding.T
    similarity[np.arange(len(queries)), queries] = -np.inf
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :HITS]
    found = np.take_along_axis(similarity, order, axis=1).astype(np.float64)
    said = np.stack([told.of(row, len(embedding) - 1) for row in found])
    right = p.group[queries, None] == p.group[order]
    numbers = [told.error]
    for k in (1, 10):
        bins = reliability(said[:, :k], right[:, :k], np.ones((len(queries), k)))
        numbers += [right[:, :k].mean(), said[:, :k].mean(), calibration_error(bins), floor(said[:, :k])]
    return [100 * float(number) for number in numbers]


def floor(said: np.ndarray) -> float:
    """The error that chance alone makes where what is said is exactly true."""
    rng, weight = np.random.default_rng(0), np.ones(said.shape)
    return float(
        np.mean([calibration_error(reliability(said, rng.random(said.shape) < said, weight)) for _ in range(DRAWS)])
    )


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    seeds, wanted = int(words[0]) if words else 5, words[1:]  # sets or cases
    print(f"{'':18} said of  held out  first: right  said   error (chance)  first ten: right  said   error (chance)")
    for case in CASES:
        if wanted and not {case.pictures, case.name} & set(wanted):
            continue
        p = Pictures(case.pictures)
        first = 100 if "--development" in sys.argv else 0
        rows = [one(case, p, first + seed, "--corrected" in sys.argv) for seed in range(seeds)]
        told = np.array([row for row in rows if row is not None])
        if not len(told):
            print(f"{case.name:20}  {0:3} of {seeds}", flush=True)
            continue
        mean, spread = told.mean(axis=0), told.std(axis=0)
        print(
            f"{case.name:18} {len(told):2} of {seeds} {mean[0]:9.1f} {mean[1]:13.1f} {mean[2]:5.1f} {mean[3]:5.1f}"
            f"±{spread[3]:.1f} ({mean[4]:.1f}) {mean[5]:20.1f} {mean[6]:5.1f} {mean[7]:5.1f}±{spread[7]:.1f} "
            f"({mean[8]:.1f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
