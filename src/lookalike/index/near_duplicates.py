"""Groups of pictures that are the same, or nearly, and which one of each to keep."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import QueryError
from lookalike.index.gallery import Gallery
from lookalike.index.join_similar import join_similar
from lookalike.index.quantization import Rows
from lookalike.models.bundle import NEARLY_EQUAL
from lookalike.models.vectors import as_float32, normalize_rows

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
    Raises: QueryError, when `least` is no similarity.
    """
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
