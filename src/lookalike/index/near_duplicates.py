"""Groups of pictures that are the same, or nearly, and which one of each to keep."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import QueryError
from lookalike.index.exact_knn import similarity
from lookalike.index.gallery import Gallery
from lookalike.index.join_similar import join_similar
from lookalike.index.quantization import Rows
from lookalike.models.bundle import NEARLY_EQUAL
from lookalike.models.vectors import as_float32, normalize_rows

BLOCK = 256  # pictures that are compared with each other at a time
MOST = 2_000_000  # pictures that are compared in one call
BELOW_EQUAL = 0.9999  # what pictures of different contents have at most: 1.0 says that the bytes are equal


@dataclass(frozen=True)
class DuplicateGroup:
    """Pictures that are joined by pairs of equal or nearly equal ones.

    Attributes:
        keep: the file to keep: of most pixels, then the oldest, then the first by name.
        others: the other files, each with its similarity to that one, the most similar first; 1.0 for equal bytes. A
            similarity may lie below the one that was asked for, where a picture between the two joins them.
    """

    keep: str
    others: tuple[tuple[str, float], ...]


def near_duplicates(gallery: Gallery, least: float = NEARLY_EQUAL) -> list[DuplicateGroup]:
    """Groups of files of equal content or nearly equal vectors, the largest first; memory grows with the files.

    Rows that hold no numbers are alike by content alone.

    Args:
        gallery: whose pictures are compared, each content with each other one.
        least: the least similarity of two pictures that are joined, -1 to 1.
    Raises: QueryError, when `least` is no similarity, or there are more pictures than can be compared.
    """
    if len(gallery) > MOST:
        raise QueryError(
            f"{len(gallery):,} pictures: at most {MOST:,} are compared with each other. Index a subfolder as a "
            "collection of its own, with --at."
        )
    if not -1 <= least <= 1:
        raise QueryError(f"a least similarity of {least}: similarities lie between -1 and 1.")
    _, first, content = np.unique(gallery.contents, axis=0, return_index=True, return_inverse=True)
    compared = np.flatnonzero(~np.isin(first, gallery.unusable))
    chosen = first[compared]
    codes = gallery.knn.codes.at(chosen)
    group_of = len(first) + np.arange(len(first))  # each by itself
    group_of[compared] = join_similar(_Chosen(gallery.rows, chosen), least, codes)
    members: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(group_of[content.ravel()].tolist()):
        members[group].append(row)
    sizes, dates = gallery.sizes.astype(np.int64).prod(axis=1), gallery.dates
    groups = []
    for found in members.values():
        if len(found) > 1:
            keep = min(found, key=lambda row: (-sizes[row], dates[row], gallery.files[row]))
            groups.append(DuplicateGroup(gallery.files[keep], tuple(_others(gallery, keep, found))))
    return sorted(groups, key=lambda group: (-len(group.others), group.keep))


def first_of_each(
    gallery: Gallery, places: NDArray[np.int64], most: int | None = None, least: float = NEARLY_EQUAL
) -> tuple[list[int], int]:
    """Of pictures in an order, those that are neither copies nor nearly equal to one that was taken before them.

    Their features are compared, whatever the gallery ranks: pictures that a lens takes for one kind are no copies.

    Args:
        gallery: in which they are.
        places: (m,), where the pictures stand in the gallery, the best first.
        most: how many are taken; None for all.
        least: the least similarity of two that are nearly equal.
    Returns: the indices into `places` of those that are taken, ascending; how many were passed over before the last.
    """
    taken: list[int] = []
    rows = np.empty((0, gallery.plain_rows.shape[1]), np.float32)
    for start in range(0, len(places), BLOCK):
        block = places[start : start + BLOCK]
        found, contents = as_float32(gallery.plain_rows[block]), gallery.contents[block]
        alike = (similarity(found, rows) >= np.float32(least)).any(axis=1) if len(rows) else np.zeros(len(block), bool)
        alike |= _are_in(contents, gallery.contents[places[taken]])
        within = (similarity(found, found) >= np.float32(least)) | (contents[:, None] == contents).all(axis=2)
        chosen: list[int] = []
        for j in range(len(block)):
            if not alike[j] and not within[j, chosen].any():
                chosen.append(j)
                if len(taken) + len(chosen) == most:
                    taken += [start + one for one in chosen]
                    return taken, taken[-1] + 1 - len(taken)
        taken += [start + one for one in chosen]
        rows = np.concatenate([rows, found[chosen]])
    return taken, len(places) - len(taken)


def _are_in(contents: NDArray[np.uint64], among: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of contents (n, 2) are among others (m, 2): (n,)."""
    there = set(map(bytes, among))
    return np.array([bytes(one) in there for one in contents], np.bool_)


class _Chosen:
    """Some rows of a matrix, in an order of their own."""

    def __init__(self, rows: Rows, chosen: NDArray[np.int64]):
        self._rows, self._chosen = rows, chosen
        self.shape = (len(chosen), rows.shape[1])

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, indices: Any) -> NDArray[Any]:
        return self._rows[self._chosen[indices]]


def _others(gallery: Gallery, keep: int, members: list[int]) -> Iterator[tuple[str, float]]:
    """The others of a group with their similarities to the one that is kept, the most similar first."""
    rows = np.array(members)
    _, first, content = np.unique(gallery.contents[rows], axis=0, return_index=True, return_inverse=True)
    vectors = normalize_rows(as_float32(gallery.rows[rows[first]]))  # one for each content
    kept = content.ravel()[members.index(keep)]
    similarity = np.minimum((vectors @ vectors[kept]).astype(np.float64), BELOW_EQUAL)  # (c, d) @ (d,) -> (c,)
    similarity[kept] = 1.0
    values = zip(members, similarity[content.ravel()].tolist(), strict=True)
    for row, value in sorted(values, key=lambda one: (-one[1], gallery.files[one[0]])):
        if row != keep:
            yield gallery.files[row], value
