"""The pictures of a collection that are no examples: their features, for proofs that search among them too."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from lookalike.index.catalog import as_contents
from lookalike.index.snapshot import Snapshot

MOST = 2000  # of them: a fold of a proof computes their embeddings, too


def other_features(
    snapshot: Snapshot | None, examples: Collection[bytes], seed: int = 0, most: int = MOST
) -> NDArray[np.float16] | None:
    """Features of pictures whose content is not among the examples, each content once, a sample where there are many.

    Args:
        snapshot: the collection's table; None where there is none.
        examples: the contents of what is learned from.
        seed: of the sample.
        most: how many at most.
    Returns: (u, f) float16; None where there are none. Rows that hold a value which is no number are left out.
    """
    if snapshot is None or not len(snapshot):
        return None
    contents = as_contents(snapshot.read("content").column("content").combine_chunks())
    known = set(examples)
    _, first = np.unique(contents, axis=0, return_index=True)
    rows = np.array([row for row in first.tolist() if contents[row].tobytes() not in known], np.int64)
    chosen = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
    if not len(chosen):
        return None
    features = snapshot.take(chosen, "features")
    found = features[np.isfinite(features).all(axis=1)]
    return found if len(found) else None
