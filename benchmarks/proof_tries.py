"""How often the best of many tries on the same examples passes where there is nothing to pass: drawn data.

    OMP_NUM_THREADS=1 python benchmarks/proof_tries.py [sets of examples a line, 60] [tries, 20] [one line's number]

A try is another seed and another ridge of the closed form on the same examples. "as first": each is tested as if it
were the first, at 1% and beside 19 shuffled labellings. "counted": the k-th is tested at 1% / k, beside 20 k - 1 (at
most 199) shuffled labellings, as `Collection.learn` does, which counts its proofs. "Serves": better than plain;
"taught": and better than all shuffled labellings.

- "no difference": plain sees one half of the features and the lens the other, which is as good (`halves` of
  proof_honesty.py).
- "all shuffled": the labels are laid on the pictures at random before the proof sees them.
- "learned from shuffled": each split learns from shuffled labels, and its queries are judged by the true ones;
  whitening helps without labels, so the shuffled labellings alone must hold "taught" back.
- "a true effect": real labels that teach ("large" of proof_honesty.py): what being counted costs a lens that is better.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from proof_honesty import WORLDS, Always, F, examples
from proof_shuffles import shuffled

from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.evaluation.evaluator import Evaluator, TrainedLenses, concatenate
from lookalike.learning.evaluation.evidence import weigh
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.lens import Lens
from lookalike.models.proof import Proof
from lookalike.models.proof_parts import FIRST, Attempt

RIDGES = (1.0, 0.3, 3.0, 0.1, 10.0)
Case = Callable[[int, int, int, Attempt], Proof]  # set, groups, try, attempt -> proof


def no_difference(number: int, groups: int, one: int, attempt: Attempt) -> Proof:
    rng = np.random.default_rng([number, groups, 11])
    x, group = WORLDS["halves"].draw(WORLDS["halves"].centres(groups, rng), 4, rng)
    half = Lens("half", np.zeros(F), np.eye(F)[:, F // 2 :])
    data = LabelledFeatures.create(x, group)
    plan = plan_evaluation(data, "groups", seed=one, plain=x[:, : F // 2], attempt=attempt)
    return prove_labelled(data, Always(half), plan=plan, permutations=0)  # a lens that does not learn


def all_shuffled(number: int, groups: int, one: int, attempt: Attempt) -> Proof:
    rng = np.random.default_rng([number, groups, 12])
    x, group = examples(WORLDS["large"], WORLDS["large"].centres(groups, rng), 4, 0, rng)
    return prove_try(x, rng.permutation(group), one, attempt)


def learned_from_shuffled(number: int, groups: int, one: int, attempt: Attempt) -> Proof:
    rng = np.random.default_rng([number, groups, 13])
    world = WORLDS["without labels"]
    data = LabelledFeatures.create(*examples(world, world.centres(groups, rng), 4, 0, rng))
    mixed = shuffled(data.labels, None, rng, np.arange(len(data)))  # the same for every try on this set
    plan = plan_evaluation(data, "groups", seed=one, attempt=attempt)
    draws, lenses, answers = plan.generator(), TrainedLenses(ClosedFormTrainer(RIDGES[one % len(RIDGES)])), []
    evaluator = Evaluator(plan, plan.permutations, RIDGES[one % len(RIDGES)])
    for fold in plan.hold_out.folds(draws):
        labels = plan.data.labels.copy()
        labels[fold.train] = mixed[fold.train]
        evaluator.data = replace(plan.data, labels=labels)
        answers.append(evaluator.run_fold(fold, lenses, draws))
    return weigh(concatenate(answers), plan, draws, folds=len(answers)).proof()


def true_effect(number: int, groups: int, one: int, attempt: Attempt) -> Proof:
    rng = np.random.default_rng([number, groups, 14])
    x, group = examples(WORLDS["large"], WORLDS["large"].centres(groups, rng), 4, 0, rng)
    return prove_try(x, group, one, attempt)


def prove_try(x: np.ndarray, labels: np.ndarray, one: int, attempt: Attempt) -> Proof:
    """One try: its number is the seed, and chooses the ridge."""
    data, ridge = LabelledFeatures.create(x, labels), RIDGES[one % len(RIDGES)]
    plan = plan_evaluation(data, "groups", seed=one, attempt=attempt)
    return prove_labelled(data, ClosedFormTrainer(ridge), plan=plan, ridge=ridge)


LINES: tuple[tuple[str, Case, int], ...] = (
    ("no difference", no_difference, 60),
    ("no difference", no_difference, 25),
    ("all shuffled", all_shuffled, 25),
    ("learned from shuffled", learned_from_shuffled, 25),
    ("a true effect", true_effect, 25),
)


def main() -> None:
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    tries = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    only = int(sys.argv[3]) if len(sys.argv) > 3 else None
    some = sorted({1, 5, 20, tries} & set(range(1, tries + 1)))
    print(f"{'':22} {'groups':>7} {'tested':9} any of", *(f"{k:>3}: serves taught" for k in some), flush=True)
    for number, (name, case, groups) in enumerate(LINES):
        if only not in (None, number):
            continue
        for how in ("as first", "counted"):
            verdicts = np.empty((sets, tries), object)
            for row in range(sets):
                for one in range(tries):
                    attempt = FIRST if how == "as first" else Attempt(one, one + 1)
                    verdicts[row, one] = case(row, groups, one, attempt).verdict
            serves, taught = np.isin(verdicts, ["taught", "better"]), verdicts == "taught"
            shares = (f"{serves[:, :k].any(1).mean():10.1%} {taught[:, :k].any(1).mean():6.1%}" for k in some)
            print(f"{name:22} {groups:2} of 4 {how:9}       ", *shares, flush=True)


if __name__ == "__main__":
    main()
