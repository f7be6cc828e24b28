"""Whether a backbone that learned is better: one split, held out before it learns, answered in three ways after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ExamplesError
from lookalike.learn.choosing import beaten
from lookalike.learn.proof import MOST, SHUFFLES, judged
from lookalike.learn.resampling import FEW, compare
from lookalike.learn.tasks import Correct, Features, HoldOut, Labelled, Learn, Rows, Split, Task
from lookalike.learn.trial import Trial, drawn
from lookalike.lens import Lens, unit
from lookalike.verdict import Proof

SERVES = {"correction": "tuned backbone", "closed form": "untouched backbone"}
TAUGHT, UNTAUGHT = "Better, and your examples taught it", "Better than plain, but your examples add nothing yet"
COLUMNS = ("rank", "first", "among all", "right", "wrong")


@dataclass(frozen=True)
class HeldOut:
    """The examples with one split of them, decided before anything learns.

    Attributes:
        examples: m rows, with features of the untouched backbone.
        rows: (m,) which of the rows given they are.
        split, task: how they are held out, and the first split.
        plain: (m, m) plain similarity.
        notes: lines for the proof.
        seed: of all that is drawn.
    """

    examples: Labelled
    rows: Rows
    split: Split
    task: Task
    plain: NDArray[np.float32]
    notes: tuple[str, ...]
    seed: int

    @property
    def learned(self) -> Rows:
        """Which of the rows given the backbone may learn from."""
        return self.rows[self.task.learned]


@dataclass(frozen=True)
class Compared:
    """What the held-out queries say.

    Attributes:
        proof: of the lens on the tuned backbone, beside plain and the lens on the untouched one.
        deeper: whether the tuned backbone answered more of them than the untouched one.
        words: how the two did, in a sentence.
    """

    proof: Proof
    deeper: bool
    words: str


def held_out(
    features: ArrayLike,
    group: ArrayLike,
    *,
    side: ArrayLike | None = None,
    triplets: ArrayLike | None = None,
    content: Sequence[bytes] | None = None,
    hold_out: HoldOut | None = None,
    seed: int = 0,
) -> HeldOut:
    """One split of the examples: a fifth of them, or two fifths where queries of a fifth are of less than 20 groups.

    Nothing is learned again from what is held out here, so it is as little as can still convince.

    Args:
        features: (n, f) float of the untouched backbone; above 4,000 rows a sample of groups is taken.
        group: (n,) int, -1 for none.
        side: (n,) int, or None.
        triplets: (t, 3) int, or None.
        content: n hashes; equal ones stay on one side.
        hold_out: as for `prove`.
        seed: of the sample and the split.
    Raises: ExamplesError, when nothing can be held out.

    >>> rng = np.random.default_rng(0)
    >>> found = held_out(rng.standard_normal((40, 3)), np.repeat(np.arange(20), 2))
    >>> len(found.learned), len(found.task.queries)
    (24, 16)
    """
    rng = np.random.default_rng(seed)
    examples, rows, _, notes = drawn(features, group, side, triplets, MOST, rng)
    seen = unit(examples.features)
    hashes = None if content is None else [content[row] for row in rows]
    if hashes is not None:
        examples = replace(examples, content=np.unique(np.array(hashes, dtype=object), return_inverse=True)[1])
    plain = seen @ seen.T
    split = Split(examples, plain, hold_out, hashes)
    if split.units.note:
        notes.append(split.units.note)
    tasks = split.tasks(rng)
    task = next(tasks, None)
    if task is not None and len(np.unique(task.unit)) < FEW and (more := next(tasks, None)) is not None:
        task = split.task(_held(task, len(rows)) | _held(more, len(rows))) or task
    if task is None:
        raise ExamplesError("too few examples: nothing can be held out and still leave something to learn from.")
    return HeldOut(examples, rows, split, task, plain, tuple(notes), seed)


def compared(
    held: HeldOut,
    tuned: ArrayLike,
    learn: Learn,
    correct: Correct | None = None,
    after: tuple[Learn, Correct | None] | None = None,
) -> Compared:
    """Plain and the lens on the untouched backbone beside the lens on the tuned one, on the same held-out queries.

    Each lens learns from the rows that the backbone learned from. The proof is of the tuned backbone's lens against
    plain on the untouched one. Which of the two lenses serves is chosen as a correction is: what is reported cannot
    gain by the choice (`choosing.chosen_elsewhere`). That the examples teach is asked of closed forms on the untouched
    features, because the tuned ones have seen the examples already.

    Args:
        held: the split.
        tuned: (n, f) float, features of the tuned backbone, row for row those that `held_out` was given.
        learn: the first step of a lens.
        correct: its second step; None for none.
        after: both steps of the lens on the tuned backbone, where they are others.
    """
    task, rng = held.task, np.random.default_rng([held.seed, 2])
    features = np.asarray(tuned, np.float32)[held.rows]
    examples = {SHUFFLES: held.examples, 0: replace(held.examples, features=features)}  # by the shuffles it is asked
    steps = ((learn, correct), after or (learn, correct))
    trials = [
        Trial(some, held.plain, *both, 1.0, "one", shuffles)
        for (shuffles, some), both in zip(examples.items(), steps, strict=True)
    ]
    for trial in trials:
        trial.ask(task, rng)
    untouched, deep = (
        {name: trial.parts[0][f"{'closed' if trial.correct is None else 'corrected'} {name}"] for name in COLUMNS}
        for trial in trials
    )
    both = trials[0]
    both.correct = correct or _nothing
    for name in COLUMNS:
        both.parts[0] |= {f"closed {name}": untouched[name], f"corrected {name}": deep[name]}
    proof = judged(both, held.split, held.rows, list(held.notes), held.seed, rng)
    first = {"untouched": untouched["rank"] == 1, "deep": deep["rank"] == 1}
    found = compare(first["deep"].astype(float) - first["untouched"], task.unit, rng)
    deeper = beaten(deep["rank"], untouched["rank"])
    words = (
        f"the right picture came first for {first['deep'].sum():,} of {len(task.queries):,} held-out queries through a "
        f"lens on the tuned backbone, for {first['untouched'].sum():,} through one on the untouched backbone"
    )
    words += ", which is beyond chance" if found.better else ", which may be chance" if deeper else ""
    ways = proof.ways | {"untouched": _row(untouched["rank"]), "tuned": proof.ways["corrected"]}
    del ways["corrected"]
    notes = [*proof.notes, f"{words}."]
    proof = replace(proof, ways=ways, notes=notes, chosen=SERVES[proof.chosen])
    if proof.verdict == "better" and found.better:
        proof = replace(proof, verdict="taught", words=proof.words.replace(UNTAUGHT, TAUGHT))
    return Compared(proof, deeper, words)


def _held(task: Task, n: int) -> NDArray[np.bool_]:
    held = np.ones(n, bool)
    held[task.learned] = False
    return held


def _row(ranks: Rows) -> dict[str, float]:
    found = {f"recall@{k}": float((ranks <= k).mean()) for k in (1, 10)}
    return {**found, "mean reciprocal rank": float((1 / ranks).mean())}


def _nothing(lens: Lens, features: Features, group: Rows, *, side: Rows | None, triplets: Rows | None) -> Lens:
    raise AssertionError("a trial that was asked already corrects nothing more")
