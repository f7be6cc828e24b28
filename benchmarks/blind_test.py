"""Teaching by clicks and the blind test, with simulated people: how often it is right, how often it cries wolf.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/blind_test.py power|chance|correction [options]

A simulated person, who knows the classes, answers questions chosen farthest-first; the closed form learns from the
answers as `learn --quick` does; then the blind test asks about pictures of which nothing was said, and the same person
answers. Options: --sets, --part (0 and 1: halves of the pictures, on which settings were chosen and checked; whole),
--judges, --questions, --seeds FROM TO, --tests (blind tests drawn for each lens), --cache (a folder for features).

"power" counts verdicts by the number of teaching questions, after one set of blind questions and after two. "gain" is
in points of the share of right pictures among the first 12 hits of pictures of which nothing was said. "chance" counts
verdicts where there is nothing to find: labels of the examples laid on the same pictures at random ("labels"), ticks at
random in the blind test ("ticks"), both of them, and plain and lens exchanged at random, question by question, so that
they are of equal worth by construction ("equal").

"correction" compares the closed form with the low-rank correction, which `learn` tries unless it is --quick: how many
of the first 12 hits are right on 400 pictures of which nothing was said, lens by lens, and which of the two `learn`
would keep. "split" counts groups of ticked pictures that are of the kind of another group, which nobody said.

The people: "perfect"; "5% wrong" and "15% wrong" of single answers, teaching and blind; "first few" ticks what is right
among the first four and says nothing of the rest, in the blind test at most four; "misses a third" of what is right,
and says that none of the rest belongs.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from held_out import pictures, weighted

from lookalike.errors import ExamplesError
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.config import LowRank
from lookalike.learning.datasets.judgement_examples import examples_from
from lookalike.learning.datasets.judgement_lines import Apart, Judgement, Saying
from lookalike.learning.evaluation.active import choose_candidates, farthest_first
from lookalike.learning.evaluation.blind_questions import FIRST, QUESTIONS, BlindQuestion, Found
from lookalike.learning.evaluation.blind_test import Asked, Ticked, orders_by_shuffled, weigh_blind_test
from lookalike.learning.evaluation.permutation_baseline import LabelAssignment
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.pipeline import LowRankRefiner

SETS = ("clothing", "grocery", "caltech101", "omniglot")
JUDGES = ("perfect", "5% wrong", "15% wrong", "first few", "misses a third")
WRONG = {"5% wrong": 0.05, "15% wrong": 0.15}
MOST = 150  # free pictures that blind tests are drawn from


@dataclass(frozen=True)
class Library:
    """Pictures that a simulated person knows: features (n, f) of length 1, kinds (n,), plain similarity (n, n)."""

    x: np.ndarray
    kind: np.ndarray
    similarity: np.ndarray

    @classmethod
    def load(cls, name: str, part: str, cache: Path) -> "Library":
        kept = cache / f"{name}.npz"
        if not kept.exists():
            x, parts = pictures(name)
            np.savez(kept, x=x, kind=np.unique(["/".join(one[:-1]) for one in parts], return_inverse=True)[1])
        with np.load(kept) as found:
            x, kind = found["x"], found["kind"]
        rows = np.arange(len(x))
        if part != "whole":
            order, half = np.random.default_rng(12345).permutation(len(x)), len(x) // 2
            rows = np.sort(order[:half] if part == "0" else order[half:])
        x = x[rows] / np.linalg.norm(x[rows], axis=1, keepdims=True)
        return cls(x, kind[rows], x @ x.T)

    def first(self, similarity: np.ndarray, row: int, k: int | None = None) -> np.ndarray:
        """The first k hits of a row by similarities (n,), without itself."""
        ranked = np.argsort(-similarity, kind="stable")
        return ranked[ranked != row][:k]

    def right(self, row: int, others: np.ndarray) -> np.ndarray:
        return self.kind[others] == self.kind[row]


def answer(judge: str, right: np.ndarray, rng: np.random.Generator, *, blind: bool) -> tuple[np.ndarray, np.ndarray]:
    """What is ticked and what is crossed of candidates of which these are right, both (c,) bool."""
    if judge == "at random":
        ticked = rng.permutation(right)
    elif judge == "first few":
        seen = np.cumsum(right) <= 4 if blind else np.arange(len(right)) < 4
        return right & seen, np.zeros(len(right), bool)
    elif judge == "misses a third":
        ticked = right & (rng.random(len(right)) > 1 / 3)
    else:
        ticked = right ^ (rng.random(len(right)) < WRONG.get(judge, 0.0))
    return ticked, ~ticked


def teach(library: Library, judge: str, most: int, seed: int) -> list[list[Saying]]:
    """What a person says to each of the questions, the first of which is about a picture at random."""
    rng = np.random.default_rng([seed, 1])
    start = rng.integers(len(library.x), size=1)
    said: list[list[Saying]] = []
    for row in np.concatenate([start, farthest_first(library.x, start, most - 1)]).tolist():
        shown = choose_candidates(library.first(library.similarity[row], row), rng)
        ticked, crossed = answer(judge, library.right(row, shown), rng, blind=False)
        pairs = [Judgement(0, "", None, str(row), str(other), None) for other in shown[ticked]]
        said.append([*pairs, *(Apart(0, "", None, str(row), str(other)) for other in shown[crossed])])
    return said


@dataclass(frozen=True)
class Taught:
    """A lens that learned from answers, on pictures of which nothing was said.

    Attributes:
        questions: that could be asked, with their answers.
        orders: (20, q), as `orders_by_shuffled`.
        before, after: the true share of right pictures among the first 12.
    """

    questions: list[Ticked]
    orders: np.ndarray
    before: float
    after: float


def learn(library: Library, said: list[list[Saying]], judge: str, seed: int, files: Path, chance: str = "") -> Taught:
    """The lens of what was said, and the blind questions that could be asked about it, answered."""
    rng = np.random.default_rng([seed, 2])
    flat = [one for some in said for one in some]
    dataset = examples_from(flat, files)
    rows = np.array([int(path.name) for path in dataset.paths])
    data = weighted(LabelledFeatures.create(library.x[rows], dataset.labels, triplets=dataset.triplets))
    if chance in ("labels", "both"):
        real = LabelAssignment(data.labels, np.zeros((0, 2), np.int64))
        shuffled = real.permuted(np.full(len(rows), -1), rng).labels
        data = replace(data, labels=shuffled, triplets=np.zeros((0, 3), np.int64))
    embedding = ClosedFormTrainer().fit(data).apply(library.x)
    known = {int(file) for one in flat for file in one.files}
    free = rng.permutation([row for row in range(len(library.x)) if row not in known])[:MOST]
    ticked = []
    for row in free.tolist():
        similarities = library.similarity[row], embedding @ embedding[row]
        plain, lens = (
            [(str(hit), float(some[hit])) for hit in library.first(some, row, FIRST)] for some in similarities
        )
        question = BlindQuestion.shuffled(str(row), plain, lens, rng)
        shown = np.array(question.candidates, np.int64)
        how = "at random" if chance in ("ticks", "both") else judge
        right, _ = answer(how, library.right(row, shown), rng, blind=True)
        ticked.append(Ticked(question, frozenset(str(one) for one in shown[right])))
    pools = np.concatenate([np.array(one.question.candidates, np.int64) for one in ticked])
    orders = orders_by_shuffled(data, library.x[free], library.x[pools], ticked, seed=seed)

    def share(some: list[tuple[Found, ...]]) -> float:
        hits = [np.array([int(file) for file, _ in found]) for found in some]
        return float(np.mean([library.right(row, one).mean() for row, one in zip(free, hits, strict=True)]))

    before, after = share([one.question.plain for one in ticked]), share([one.question.lens for one in ticked])
    return Taught(ticked, orders, before, after)


def compare_correction(library: Library, said: list[list[Saying]], seed: int, files: Path) -> str:
    """Plain, closed form and correction on pictures of which nothing was said; and what `learn` would keep."""
    flat = [one for some in said for one in some]
    dataset = examples_from(flat, files)
    rows = np.array([int(path.name) for path in dataset.paths])
    data = LabelledFeatures.create(library.x[rows], dataset.labels, triplets=dataset.triplets)
    closed, refiner = ClosedFormTrainer().fit(data), LowRankRefiner(LowRank(), 0)
    known = {int(file) for one in flat for file in one.files}
    free = np.random.default_rng(seed).permutation([row for row in range(len(library.x)) if row not in known])[:400]

    def right(x: np.ndarray) -> float:
        hits = [library.first(x @ x[row], row, FIRST) for row in free]
        return FIRST * float(np.mean([library.right(row, some).mean() for row, some in zip(free, hits, strict=True)]))

    both = [right(lens.apply(library.x)) for lens in (closed, refiner.fit(data, closed))]
    kept = prove_labelled(data, ClosedFormTrainer(), refiner, permutations=0).selected
    kinds = [library.kind[rows[np.flatnonzero(data.labels == one)[0]]] for one in range(data.labels.max() + 1)]
    split = len(kinds) - len(set(kinds))
    return (
        f"{len(kinds):3} groups, {split:2} split  plain {right(library.x):5.2f}  closed form {both[0]:5.2f}  "
        f"correction {both[1]:5.2f}  kept: {kept}"
    )


def exchanged(one: Ticked) -> Ticked:
    """The same question with plain in the place of the lens."""
    return replace(one, question=replace(one.question, plain=one.question.lens, lens=one.question.plain))


def verdicts(taught: Taught, tests: int, seed: int, *, equal: bool = False) -> Iterator[tuple[str, str]]:
    """The verdict of each blind test after one set of questions, and after a second one where it offers that."""
    rng = np.random.default_rng([seed, 3])
    for _ in range(tests):
        asked = rng.permutation(len(taught.questions))
        turned = rng.random(len(asked)) < (0.5 if equal else 0)
        questions = [exchanged(taught.questions[i]) if turned[i] else taught.questions[i] for i in asked]

        def verdict(sets: int, asked: np.ndarray = asked, questions: list[Ticked] = questions) -> str:
            at = asked[: sets * QUESTIONS]
            how = Asked(sets, 0, 0, seed)
            return weigh_blind_test(questions[: len(at)], how, taught.orders[:, at]).verdict

        first = verdict(1)
        more = first == "too few" and len(asked) >= 2 * QUESTIONS
        yield first, verdict(2) if more else first


def line(title: str, found: list[tuple[str, str]], runs: list[Taught]) -> None:
    before, after = np.mean([[one.before, one.after] for one in runs], axis=0)
    free = np.mean([len(one.questions) for one in runs])
    cells = []
    for some in zip(*found, strict=True):
        count = Counter(some)
        cells += [count["taught"] / len(some), (count["taught"] + count["better"]) / len(some)]
    numbers = "  ".join(f"{cell:8.1%}" for cell in cells)
    print(f"{title}  {len(runs):4}  {free:5.0f}  {before:6.1%}  {100 * (after - before):+5.1f}  {numbers}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["power", "chance", "correction"])
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--part", choices=["0", "1", "whole"], default="whole")
    parser.add_argument("--judges", nargs="+", default=JUDGES)
    parser.add_argument("--questions", nargs="+", type=int, default=[40, 80])
    parser.add_argument("--seeds", nargs=2, type=int, default=[100, 105])
    parser.add_argument("--tests", type=int, default=20)
    parser.add_argument("--kinds", nargs="+", default=["labels", "ticks", "both", "equal"])
    parser.add_argument("--cache", type=Path, default=None)
    options = parser.parse_args()
    cache = options.cache or Path(mkdtemp())
    cache.mkdir(parents=True, exist_ok=True)
    files = Path(mkdtemp())  # examples are read only of files that are there
    if options.what != "correction":
        verdicts_of = f"{'taught':>8}  {'serves':>8}"
        print(f"{'':42}  runs   free   plain   gain  {verdicts_of}  {verdicts_of} (two sets)")
    for name in options.sets:
        library = Library.load(name, options.part, cache)
        for row in range(len(library.x)):
            (files / str(row)).touch()
        if options.what == "correction":
            for judge, seed in product(options.judges, range(*options.seeds)):
                said = teach(library, judge, max(options.questions), seed)
                for count in options.questions:
                    told = compare_correction(library, said[:count], seed, files)
                    print(f"{name:11} {judge:9} seed {seed} {count:3} questions  {told}", flush=True)
            continue
        for kind in ("",) if options.what == "power" else options.kinds:
            for judge in options.judges if options.what == "power" else ("perfect",):
                found: dict[int, list[tuple[str, str]]] = {count: [] for count in options.questions}
                runs: dict[int, list[Taught]] = {count: [] for count in options.questions}
                for seed in range(*options.seeds):
                    said = teach(library, judge, max(options.questions), seed)
                    for count in options.questions:
                        try:
                            taught = learn(library, said[:count], judge, seed, files, kind)
                        except ExamplesError:
                            found[count] += [("too few", "too few")] * options.tests
                            continue
                        if len(taught.questions) < QUESTIONS:
                            continue
                        runs[count].append(replace(taught, orders=np.zeros(0)))
                        found[count] += verdicts(taught, options.tests, seed, equal=kind == "equal")
                for count in options.questions:
                    if runs[count]:
                        line(f"{name:11} {kind or judge:15} {count:3} questions", found[count], runs[count])


if __name__ == "__main__":
    main()
