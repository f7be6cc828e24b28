"""Rows -> groups of those that are alike, directly or by others between them, without comparing all pairs."""

import numpy as np

from lookalike.index.exact_knn import GROUP, ExactKNN, group_max, height, reaching
from lookalike.index.quantization import Indices, Int8Codes, Rows, read


def join_similar(rows: Rows, least: float, codes: Int8Codes | None = None) -> Indices:
    """Groups of rows that are joined by similarities of at least `least`, directly or by others between them.

    Rows that are joined already are not compared any more, so many rows that are all alike cost no more than others.

    Args:
        rows: as in `ExactKNN`.
        least: -1 to 1.
        codes: as in `ExactKNN`.
    Returns: (n,) int64, for each row the first row of its group.
    Raises: ShapeError, as `ExactKNN` does.

    >>> join_similar(np.array([[1, 0], [0, 1], [1, 0.1], [2, 0]], np.float32), 0.9)
    array([0, 1, 0, 0])
    """
    ranking, groups = ExactKNN(rows, codes), _Groups(len(rows))
    codes = ranking.codes
    for start in range(0, len(rows), GROUP):
        block = np.arange(start, min(start + GROUP, len(rows)))
        later = np.arange(start, len(rows))
        rest = codes.at(slice(start, None))
        if (groups.of[block] == groups.of[start]).all():  # then what is in their group has nothing to find
            later = np.flatnonzero(groups.of != groups.of[start])
            later = later[later >= start]
            rest = codes.at(later)
        if not len(later):
            continue
        estimates, error_bound = rest.estimate(read(rows, block))
        tall = height(len(later))
        most = group_max(estimates, tall) + group_max(rest.error_norm[:, None], tall)
        for j, row in enumerate(block.tolist()):
            hopes = reaching(estimates[:, j], rest.error_norm, most[:, j], np.float32(least) - error_bound[j])
            others = later[hopes]
            others = others[(others > row) & (groups.of[others] != groups.of[row])]
            exact = ranking.compare(read(rows, block[j : j + 1]), others)[0]
            groups.join(row, others[exact >= np.float32(least)])
    return groups.of


class _Groups:
    """Which of n rows are in one group: `of` is (n,) int64, the first row of each one's group."""

    def __init__(self, n: int):
        self.of = np.arange(n)
        self._members: dict[int, Indices] = {}

    def join(self, row: int, others: Indices) -> None:
        """Put the groups of a row and of others together."""
        firsts = np.unique(self.of[np.append(others, row)]).tolist()
        if len(firsts) > 1:
            parts = [self._members.pop(first, np.array([first])) for first in firsts]
            largest = max(parts, key=len)
            together = np.concatenate(parts)
            self._members[firsts[0]] = together
            # Only the largest part may be as it was: so each row moves no more often than its group doubles.
            for part in parts:
                if part is not largest or self.of[part[0]] != firsts[0]:
                    self.of[part] = firsts[0]
