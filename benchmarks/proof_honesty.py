"""How honest a proof is, on drawn data whose true effect is known: verdicts, wrong verdicts, coverage of intervals.

    OMP_NUM_THREADS=1 python benchmarks/proof_honesty.py [proofs per line, 60] [one effect, or halves]

Pictures are drawn as centre of their group + what varies within groups, in 40 features. "none": variation is equal in
all directions and so are the centres, so no lens can be better than plain. "without labels": ten directions vary far
more within groups than the others and carry no kinds, so whitening helps even when the labels are laid at random.
"small" and "large": ten directions vary within groups as much as kinds differ in the other thirty, so that only labels
can tell them apart.

The truth is that of a lens from four fifths of the very same examples on pictures drawn anew: of new groups, in
galleries as large as a fold, or of the same groups. "95% lens" and "98% gain" say how often the intervals of the proof
hold it. "two halves": plain sees one half of the features and the lens the other; there is no difference at all.
"""

import sys
from dataclasses import dataclass

import numpy as np
from held_out import learn

from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.closed_form.whitening import WhitenTrainer
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prove import prove, prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures, Trainer
from lookalike.models.lens import Lens
from lookalike.models.proof import Proof
from lookalike.progress import SILENT, Reporter

F, LOUD = 40, 10  # features, and those that vary within groups
TRAINER = ClosedFormTrainer()  # of the proof and of the truth that it is compared with: they must be one


@dataclass(frozen=True)
class World:
    """How pictures are drawn: how loud the ten directions are, and whether groups differ in them too."""

    loud: float
    quiet: float
    kinds: float
    kinds_in_loud: float

    def draw(self, centres: np.ndarray, each: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Pictures of these groups: (groups * each, F), and their groups."""
        group = np.repeat(np.arange(len(centres)), each)
        noise = rng.standard_normal((len(group), F)) * np.where(np.arange(F) < LOUD, self.loud, self.quiet)
        return (centres[group] + noise).astype(np.float32), group

    def centres(self, count: int, rng: np.random.Generator) -> np.ndarray:
        scale = np.where(np.arange(F) < LOUD, self.kinds_in_loud, self.kinds)
        return rng.standard_normal((count, F)) * scale


WORLDS = {
    "none": World(1.0, 1.0, 0.5, 0.5),
    "without labels": World(2.0, 1.0, 0.8, 0.0),
    "small": World(1.3, 1.0, 0.65, 0.2),
    "large": World(1.6, 0.9, 0.7, 0.0),
    "halves": World(1.0, 1.0, 0.65, 0.65),
}


def examples(
    world: World, centres: np.ndarray, each: int, near: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of these groups; a share `near` of them are replaced by near-copies of pictures of any group."""
    x, group = world.draw(centres, each, rng)
    copies = rng.permutation(len(x))[: int(near * len(x))]
    x[copies] = x[rng.integers(0, len(x), len(copies))] + 0.02 * rng.standard_normal((len(copies), F)).astype(
        np.float32
    )
    return x, group


def truth(
    world: World, x: np.ndarray, group: np.ndarray, centres: np.ndarray, hold_out: str, near: float, seed: int
) -> tuple[float, float]:
    """recall@1 of plain and of a lens from four fifths of these examples, on pictures that nobody has seen."""
    rng = np.random.default_rng([seed, 99])
    groups = len(centres)
    each = len(x) // groups
    found = []
    if hold_out == "groups":
        kept = np.isin(group, rng.permutation(groups)[groups // 5 :])
        lens = learn(TRAINER, x[kept], group[kept])
        for _ in range(100):  # galleries of as many new groups as a fold holds
            y, own = examples(world, world.centres(groups // 5, rng), each, near, rng)
            found.append([leave_one_out(y, own), leave_one_out(lens.apply(y), own)])
    else:
        kept = rng.permutation(len(x))[len(x) // 5 :]
        x, group = x[kept], group[kept]
        lens = learn(TRAINER, x, group)
        y, own = world.draw(centres, 6000 // groups, rng)
        found.append([recall_at_k(y, x, own, group), recall_at_k(lens.apply(y), lens.apply(x), own, group)])
    plain, by_lens = np.mean(found, axis=0)
    return float(plain), float(by_lens)


def leave_one_out(x: np.ndarray, group: np.ndarray) -> float:
    return recall_at_k(x, x, group, group, itself=np.arange(len(x)))


def line(name: str, groups: int, each: int, hold_out: str, near: float, proofs: int) -> None:
    world = WORLDS[name]
    counts = dict.fromkeys(["taught", "better", "refused", "too few"], 0)
    covered, between, true = [], [], []
    for seed in range(proofs):
        rng = np.random.default_rng([seed, groups])
        centres = world.centres(groups, rng)
        x, group = examples(world, centres, each, near, rng)
        proof = prove(x, group, TRAINER, hold_out=hold_out, seed=seed)
        counts[proof.verdict] += 1
        plain, lens = truth(world, x, group, centres, hold_out, near, seed)
        one = proof.results["lens"]
        true.append([plain, lens])
        covered.append(one.lower <= lens <= one.upper)
        between.append(proof.test.lower <= lens - plain <= proof.test.upper)
    plain, lens = np.mean(true, axis=0)
    print(
        f"{name:15} {groups:4} of {each:<3} {hold_out:9} {near:5.0%}   {plain:5.1%} {lens - plain:+6.1%}  ",
        *(f"{counts[verdict] / proofs:8.1%}" for verdict in counts),
        f"  {np.mean(covered):8.0%} {np.mean(between):8.0%}",
        flush=True,
    )


class Always:
    """A trainer that gives one lens, whatever it is given."""

    def __init__(self, lens: Lens):
        self.lens = lens

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        return self.lens


class Shaken:
    """The closed form with noise on its matrix: lenses of equal worth by construction, each time another."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        lens = WhitenTrainer().fit(data)
        noise = self.rng.standard_normal(lens.matrix.shape).astype(np.float32)
        return Lens(lens.name, lens.mean, lens.matrix + np.std(lens.matrix) * noise)


def prove_planned(
    x: np.ndarray, labels: np.ndarray, trainer: Trainer, *, plain: np.ndarray, hold_out: str, seed: int
) -> Proof:
    data = LabelledFeatures.create(x, labels)
    plan = plan_evaluation(data, hold_out, seed=seed, plain=plain)  # type: ignore[arg-type]
    return prove_labelled(data, trainer, plan=plan)


def halves(groups: int, each: int, hold_out: str, proofs: int) -> None:
    """Plain sees one half of the features and the lens the other, which is as good: how often does it pass?"""
    world, passed = WORLDS["halves"], 0
    half = Lens("half", np.zeros(F), np.eye(F)[:, F // 2 :])
    for seed in range(proofs):
        rng = np.random.default_rng([seed, groups, 5])
        x, group = world.draw(world.centres(groups, rng), each, rng)
        proof = prove_planned(x, group, Always(half), plain=x[:, : F // 2], hold_out=hold_out, seed=seed)
        passed += proof.serves
    print(f"two halves      {groups:4} of {each:<3} {hold_out:9}  better than plain: {passed / proofs:.2%} of {proofs}")


def choice(proofs: int) -> None:
    """Two lenses equally good by construction: what does a choice between them add to what is reported?"""
    world, reported, luckier, one = WORLDS["large"], [], [], []
    for seed in range(proofs):
        rng = np.random.default_rng([seed, 7])
        x, group = world.draw(world.centres(40, rng), 4, rng)
        refined = Shaken(rng)
        simple = Shaken(rng)
        data = LabelledFeatures.create(x, group)
        plan = plan_evaluation(data, seed=seed)
        without = prove_labelled(data, simple, plan=plan).results["lens"].recall_at_1
        results = (proof := prove_labelled(data, simple, refined, plan=plan)).results
        reported.append(proof.results["lens"].recall_at_1)
        one.append((without + results["correction"].recall_at_1) / 2)
        luckier.append(max(without, results["correction"].recall_at_1))
    bias, greedy = np.array(reported) - one, np.array(luckier) - one
    error = np.std(bias) / np.sqrt(proofs), np.std(greedy) / np.sqrt(proofs)
    print(f"\nA choice between two equally good lenses adds {np.mean(bias):+.2%} +- {error[0]:.2%} to the report;")
    print(f"taking the better of both on the same queries would add {np.mean(greedy):+.2%} +- {error[1]:.2%}.")


def main() -> None:
    proofs = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    only = sys.argv[2] if len(sys.argv) > 2 else None
    print(f"{'effect':15} {'groups':>11} {'held out':9} {'near':>5}   {'plain':>5} {'gain':>6}  ", end="")
    print(*(f"{verdict:>8}" for verdict in ("taught", "better", "refused", "too few")), "   95% lens 98% gain")
    for name in ("none", "without labels", "small", "large"):
        if only not in (None, name):
            continue
        for groups, each, hold_out, near in (
            (60, 4, "groups", 0),
            (60, 4, "groups", 0.1),
            (25, 4, "groups", 0),
            (60, 10, "pictures", 0),
            (10, 20, "pictures", 0),
            (5, 40, "pictures", 0),
        ):
            line(name, groups, each, hold_out, near, proofs)
    if only not in (None, "halves"):
        return
    print()
    for groups, each, hold_out in ((60, 4, "groups"), (25, 4, "groups"), (60, 10, "pictures"), (10, 20, "pictures")):
        halves(groups, each, hold_out, 5 * proofs)
    choice(5 * proofs)


if __name__ == "__main__":
    main()
