"""How often a proof says "taught" where the labels teach nothing: shuffled labels of real pictures.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/proof_shuffles.py [shuffles per set, 40]

Two kinds of shuffles, both of the labels among pictures, within a side where there are sides:

- everything: the labels are shuffled before the proof sees them, as if a user's labels meant nothing;
- learned only: each split learns from shuffled labels, and its queries are judged by the true ones. This is harder:
  whitening helps without labels, so the first gate opens often, and the second alone must hold.

Every shuffle takes other pictures: at most 320 of a set, in whole groups. Features are kept in the temporary folder.
"""

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from held_out import weighted

from lookalike.learning.closed_form.whitening import WhitenTrainer
from lookalike.learning.evaluation.evaluator import Evaluator, TrainedLenses, concatenate
from lookalike.learning.evaluation.evidence import weigh
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.evaluation.significance import PERMUTATIONS
from lookalike.learning.labelled_features import LabelledFeatures

SETS = ("emoji", "grocery", "clothing", "omniglot", "caltech101", "totally_looks_like")
AT_MOST = 320  # pictures a shuffle


def pictures(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Features (n, f), groups and sides of one set; embedded once."""
    from lookalike import Backbone
    from lookalike.images.scan import scan_folder

    found = scan_folder(Path(os.environ["LOOKALIKE_DATA"]) / name).files
    kept = Path(tempfile.gettempdir()) / "lookalike-proof" / f"{name}.npy"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        np.save(kept, Backbone().embed([one.path for one in found]))
    parts = [Path(one.file).parts for one in found]
    if name in ("emoji", "totally_looks_like"):
        side = np.unique([part[0] for part in parts], return_inverse=True)[1]
        return np.load(kept), np.unique([Path(part[-1]).stem for part in parts], return_inverse=True)[1], side
    return np.load(kept), np.unique(["/".join(part[:-1]) for part in parts], return_inverse=True)[1], None


def some(group: np.ndarray, side: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """At most 320 rows: of two sides where there are sides; whole groups, as many of each as fit, at least 20."""
    rows = np.arange(len(group))
    if side is not None:
        rows = rows[np.isin(side, rng.permutation(np.unique(side))[:2])]
    most = max(20, AT_MOST // len(np.unique(group)))
    chosen: list[int] = []
    for one in rng.permutation(np.unique(group)):
        members = rng.permutation(rows[group[rows] == one])[:most]
        if len(chosen) + len(members) > AT_MOST:
            break
        chosen.extend(members)
    return np.sort(chosen)


def turned(x: np.ndarray) -> tuple[np.ndarray, float]:
    """The same rows in as many coordinates as there are rows, which is faster; and the ridge that means the same."""
    mean = x.mean(axis=0)
    basis = np.linalg.qr((x - mean).T)[0]
    return ((x - mean) @ basis).astype(np.float32), basis.shape[1] / x.shape[1]


def shuffled(group: np.ndarray, side: np.ndarray | None, rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """The labels of these rows laid on them at random, within a side."""
    result = group.copy()
    for one in [None] if side is None else np.unique(side):
        at = rows if one is None or side is None else rows[side[rows] == one]
        result[at] = group[rng.permutation(at)]
    return result


def learned_only(
    x: np.ndarray, plain: np.ndarray, group: np.ndarray, side: np.ndarray | None, ridge: float, seed: int
) -> tuple[str, bool]:
    """Verdict, and whether the closed form beat all others, where only what is learned from was shuffled."""
    data = weighted(LabelledFeatures.create(x, group, domains=side))
    plan = plan_evaluation(data, seed=seed, plain=plain, most=len(x))
    rng, lenses, answers = plan.generator(), TrainedLenses(WhitenTrainer(ridge)), []
    evaluator = Evaluator(plan, PERMUTATIONS, ridge)
    for fold in plan.hold_out.folds(rng):
        evaluator.data = replace(plan.data, labels=shuffled(plan.data.labels, side, rng, fold.train))
        answers.append(evaluator.run_fold(fold, lenses, rng))
    proof = weigh(concatenate(answers), plan, rng, folds=len(answers)).proof()
    return proof.verdict, proof.permutation.passed


def verdict_of(
    x: np.ndarray, plain: np.ndarray, labels: np.ndarray, side: np.ndarray | None, ridge: float, seed: int
) -> str:
    """What a proof says of these labels."""
    data = weighted(LabelledFeatures.create(x, labels, domains=side))
    return prove_labelled(data, plan=plan_evaluation(data, seed=seed, plain=plain), ridge=ridge).verdict


def interval(hits: int, n: int) -> str:
    """Clopper and Pearson's 95% interval of a share, found by halving."""
    from math import comb

    def tail(p: float) -> float:  # the chance of as many or more
        return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(hits, n + 1))

    def more(p: float) -> float:  # the chance of more
        return tail(p) - comb(n, hits) * p**hits * (1 - p) ** (n - hits)

    def solve(f, target: float) -> float:  # type: ignore[no-untyped-def]
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if f(middle) < target else (low, middle)
        return (low + high) / 2

    least = 0.0 if hits == 0 else solve(tail, 0.025)
    most = 1.0 if hits == n else solve(more, 0.975)
    return f"{hits:3} of {n} = {hits / n:5.1%} ({least:.1%} to {most:.1%})"


def main() -> None:
    if not os.environ.get("LOOKALIKE_DATA"):
        print("Set LOOKALIKE_DATA to the folder of the real pictures.")
        sys.exit(0)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    everything, learned, gate_a, gate_b = [], [], [], []
    print(f"{'':20} {'everything: taught':>20} {'learned only: taught':>22} {'gate a':>8} {'gate b':>8}  real")
    for name in SETS:
        x, group, side = pictures(name)
        verdicts = []
        for seed in range(count):
            rng = np.random.default_rng([seed, len(name)])
            rows = some(group, side, rng)
            sides = None if side is None else side[rows]
            turn, ridge = turned(x[rows])
            mixed = shuffled(group[rows], sides, rng, np.arange(len(rows)))
            if seed == 0:
                real = verdict_of(turn, x[rows], group[rows], sides, ridge, seed)
            everything.append(verdict_of(turn, x[rows], mixed, sides, ridge, seed))
            verdict, beats = learned_only(turn, x[rows], group[rows], sides, ridge, seed)
            learned.append(verdict)
            gate_a.append(verdict in ("taught", "better"))
            gate_b.append(beats)
            verdicts.append(verdict)
        print(
            f"{name:20} {everything[-count:].count('taught'):>13} of {count} {verdicts.count('taught'):>15} of {count}"
            f" {sum(gate_a[-count:]):>8} {sum(gate_b[-count:]):>8}  {real}",
            flush=True,
        )
    n = len(everything)
    served = sum(one in ("taught", "better") for one in everything)
    print(f"everything shuffled, called taught:     {interval(everything.count('taught'), n)}")
    print(f"everything shuffled, would serve:       {interval(served, n)}")
    print(f"learned from shuffled, called taught:   {interval(learned.count('taught'), n)}")
    print(f"learned from shuffled, first gate:      {interval(sum(gate_a), n)}")
    print(f"learned from shuffled, second gate:     {interval(sum(gate_b), n)}")


if __name__ == "__main__":
    main()
