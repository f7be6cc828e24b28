"""What a few clicks are worth: the right pictures among the next ten, after each method's own first hits were judged.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/refine.py [--development] [--sets ..] [--under ..]

A person who knows the classes asks with a picture and judges the first hit that was not judged yet; each click ranks
anew. The figures are the share of right ones among the next ten unjudged hits (of as many as are left, where that is
fewer), in percent, after so many clicks. Under plain, under the lens without labels (of the pictures alone, no views),
and under closed forms that were learned from half of the classes (asked with the others) and from half of the pictures
of each class (asked with the others); all pictures are searched. The halves of nine_tasks.py: settings were chosen with
--development, which also tries others.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from held_out import weighted
from nine_tasks import DEVELOPMENT, REPORTED, Pictures, known_groups, new_groups

from lookalike.index.query import Query
from lookalike.index.refine import refine
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.closed_form.label_free import label_free
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.vectors import normalize_rows

SETS = ("clothing", "caltech101", "grocery")
CLICKS = (0, 1, 2, 3, 5, 10, 20)
SHOWN = 10
Method = Callable[[np.ndarray, np.ndarray, list[int], list[int]], np.ndarray]  # rows, their mean, for, against -> (d,)


def query_alone(rows: np.ndarray, mean: np.ndarray, yes: list[int], no: list[int]) -> np.ndarray:
    return rows[yes[0]]


def rocchio(rows: np.ndarray, mean: np.ndarray, yes: list[int], no: list[int]) -> np.ndarray:
    """The query, the mean of the right ones, less half of that of the wrong ones."""
    return rows[yes[0]] + _mean(rows[yes[1:]]) - 0.5 * _mean(rows[no])


def mean_difference(rows: np.ndarray, mean: np.ndarray, yes: list[int], no: list[int]) -> np.ndarray:
    return _mean(rows[yes]) - 0.5 * _mean(rows[no])


def regression(
    rows: np.ndarray, mean: np.ndarray, yes: list[int], no: list[int], ridge: float = 0.3, wrong: float = -0.2
) -> np.ndarray:
    if len(yes) + len(no) == 1:  # a search with one picture
        return rows[yes[0]]
    right, others = ([Query("", rows[i], None, None) for i in some] for some in (yes, no))
    return refine(right, others, mean, ridge, wrong).vector


def _mean(rows: np.ndarray) -> np.ndarray:
    return rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1])


REPORT: dict[str, Method] = {
    "the query alone": query_alone,
    "Rocchio 1, 0.5": rocchio,
    "mean of right - half the mean of wrong": mean_difference,
    "ridge regression": regression,
}
CHOICES = REPORT | {
    f"ridge {ridge}, wrong {wrong}": partial(regression, ridge=ridge, wrong=wrong)
    for ridge in (0.1, 0.3, 1.0)
    for wrong in (0.0, -0.2, -0.5)
}


def residual_precision(rows: np.ndarray, group: np.ndarray, queries: np.ndarray, method: Method) -> np.ndarray:
    """(queries, clicks), in percent; no number where no right one is left."""
    found, mean = np.full((len(queries), len(CLICKS)), np.nan), rows.mean(axis=0)
    for found_row, query in zip(found, queries.tolist(), strict=True):
        yes, no, right = [query], [], group == group[query]
        for click in range(CLICKS[-1] + 1):
            scores = rows @ method(rows, mean, yes, no).astype(np.float32)
            scores[[*yes, *no]] = -np.inf
            left = int(right.sum()) - len(yes)
            first = np.argsort(-scores, kind="stable")[:SHOWN]
            if click in CLICKS and left:
                found_row[CLICKS.index(click)] = 100 * right[first].sum() / min(SHOWN, left)
            (yes if right[first[0]] else no).append(int(first[0]))
    return found


def spaces(p: Pictures, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """What is searched under, its rows of length 1, and who may ask."""
    everyone = np.arange(len(p.group))
    yield "plain", normalize_rows(p.features), everyone
    yield "lens, no labels", label_free(p.features).apply(p.features), everyone
    for name, split in (("lens, new kinds", new_groups(0.5)), ("lens, known kinds", known_groups)):
        chosen = split(p, seed)
        data = weighted(LabelledFeatures.create(p.features[chosen.learned], p.group[chosen.learned]))
        yield name, ClosedFormTrainer().fit(data).apply(p.features), chosen.asked[0].queries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--development", action="store_true", help="ask with the half that chooses, and try others")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--under", default="", help="only what is called so: plain, labels, new, known")
    options = parser.parse_args()
    methods, seed = (CHOICES, DEVELOPMENT[0]) if options.development else (REPORT, REPORTED[0])
    print("| pictures | under | | " + " | ".join(map(str, CLICKS)) + " | ms |")
    print("| --- | --- | --- |" + " ---: |" * (len(CLICKS) + 1))
    for name in options.sets:
        p = Pictures(name)
        for space, rows, asking in spaces(p, seed):
            if options.under not in space:
                continue
            rng = np.random.default_rng(seed)
            asked = rng.permutation(asking[p.development[asking] == options.development])[: options.queries]
            baseline = np.array(np.nan)
            for method, vector_of in methods.items():
                started = time.process_time()
                found = residual_precision(rows, p.group, asked, vector_of)
                ms = 1000 * (time.process_time() - started) / len(asked) / (CLICKS[-1] + 1)
                shares = " | ".join(f"{one:.1f}" for one in np.nanmean(found, axis=0))
                after = found[:, CLICKS.index(5)]
                gain = ""
                if vector_of is query_alone:
                    baseline = after
                else:
                    difference = (after - baseline)[np.isfinite(after + baseline)]
                    gain = f" (after 5: {difference.mean():+.1f} ± {difference.std() / len(difference) ** 0.5:.1f})"
                print(f"| {name}, {len(asked)} queries | {space} | {method}{gain} | {shares} | {ms:.1f} |", flush=True)


if __name__ == "__main__":
    main()
