"""Does the verdict on pictures' own views agree with labels that it never saw?

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/proof_views.py

About 400 pictures of each set, of which twice 60% are drawn, as whole groups where there are more than 20. A
lens without labels is learned from four views of each picture and proved as `learn` does it: a part of 20 to
50% of each held-out picture asks for the whole one. "truth" is its recall@1 by the labels, less plain's, on the same
pictures. "same" asks with the views that are learned from instead of parts, as groups would, first gate.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from held_out import weighted
from proof_shuffles import SETS

from lookalike import Backbone
from lookalike.images.augment import small_crop, views
from lookalike.images.decode import load
from lookalike.images.scan import scan_folder
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.closed_form.label_free import DIMS, LabelFreeConfig, LabelFreeTrainer
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures

AT_MOST, VIEWS, DRAWS = 400, 4, 2


def looked_at(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Features of four views and a part of each picture (n, 5, f), groups, sides or None; embedded once."""
    found = scan_folder(Path(os.environ["LOOKALIKE_DATA"]) / name).files
    parts = [Path(one.file).parts for one in found]
    sided = name in ("emoji", "totally_looks_like")
    group = np.unique([Path(one[-1]).stem if sided else "/".join(one[:-1]) for one in parts], return_inverse=True)[1]
    side = np.unique([one[0] for one in parts], return_inverse=True)[1]
    rng = np.random.default_rng([1, len(name)])
    most = max(4, AT_MOST // len(np.unique(group)))
    chosen: list[int] = []
    for one in rng.permutation(np.unique(group)):
        members = rng.permutation(np.flatnonzero(group == one))[:most]
        if len(chosen) + len(members) > AT_MOST:
            break
        chosen.extend(members)
    chosen.sort()
    kept = Path(tempfile.gettempdir()) / "lookalike-proof" / f"{name}-views.npy"
    if not kept.exists():
        backbone, features = Backbone(), []
        for i in chosen:
            image, turn = load(found[i].path, side_px=500), np.random.default_rng(int(i))
            features.append(backbone.embed([*views(image, VIEWS, turn), small_crop(image, turn)]))
        kept.parent.mkdir(exist_ok=True)
        np.save(kept, np.stack(features))
    return np.load(kept).astype(np.float32), group[chosen], side[chosen] if sided else None


def recall(x: np.ndarray, group: np.ndarray, side: np.ndarray | None) -> float:
    return recall_at_k(x, x, group, group, itself=np.arange(len(x)), query_domains=side, gallery_domains=side)


def main() -> None:
    if not os.environ.get("LOOKALIKE_DATA"):
        sys.exit("Set LOOKALIKE_DATA to the folder of the real pictures.")
    gains: dict[str, list[float]] = {}
    print(f"{'':20} {'plain':>6} {'truth':>6}   {'parts: plain':>12} {'gain':>6}  {'verdict':8} {'same: plain':>12}")
    for name in SETS:
        x, group, side = looked_at(name)
        for seed in range(DRAWS):
            rng = np.random.default_rng(seed)
            names = rng.permutation(np.unique(group))
            some = np.isin(group, names[: int(0.6 * len(names))]) if len(names) > 20 else rng.random(len(x)) < 0.6
            whole, labels, sides = x[some, 0], group[some], None if side is None else side[some]
            rows, number = x[some].reshape(-1, x.shape[2]), np.tile(np.arange(VIEWS + 1), int(some.sum()))
            own, asks = np.repeat(np.arange(len(whole)), VIEWS + 1), number == VIEWS
            trainer = LabelFreeTrainer(LabelFreeConfig(dims=DIMS))
            data = weighted(LabelledFeatures.create(rows, own, query_mask=asks, gallery_mask=number == 0))
            learned = trainer.fit(data.subset(np.flatnonzero(~asks)))
            plain = recall(whole, labels, sides)
            truth = recall(learned.apply(whole), labels, sides) - plain
            proof = prove_labelled(data, trainer, plan=plan_evaluation(data, seed=seed))
            views = weighted(LabelledFeatures.create(rows[~asks], own[~asks]))
            same = prove_labelled(views, ClosedFormTrainer(), plan=plan_evaluation(views, seed=seed), permutations=0)
            gains.setdefault(proof.verdict, []).append(truth)
            asked = proof.results["plain"].recall_at_1
            print(
                f"{name:20} {plain:6.3f} {truth:+6.3f}   {asked:12.3f} {proof.test.difference:+6.3f}  "
                f"{proof.verdict:8} {same.results['plain'].recall_at_1:12.3f}  {same.verdict}",
                flush=True,
            )
    for verdict, truths in gains.items():
        better = sum(truth > 0 for truth in truths)
        print(
            f"{verdict:8} {len(truths):3}: by labels {better} better, "
            f"mean {np.mean(truths):+.3f}, worst {min(truths):+.3f}"
        )


if __name__ == "__main__":
    main()
