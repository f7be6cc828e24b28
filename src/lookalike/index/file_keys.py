"""Which files a listing and a table have in common, by numbers of 64 bits in place of names: 9 bytes a file."""

from collections.abc import Iterable, Iterator, Sequence, Set

import numpy as np
from numpy.typing import NDArray


def keys_of(files: Sequence[str], sizes: Sequence[int], dates: Sequence[int]) -> NDArray[np.int64]:
    """A number of 64 bits for each file, by its name, bytes and date; other files have others.

    Of ten million files two have the same number with a chance of three in a million. The numbers are others in each
    process: nobody can choose names for them, and they cannot be kept. They are Python's own hashes, SipHash of the
    name with a secret of the process: a digest of each file takes longer than asking the disk for its date.

    Returns: (n,) int64.

    >>> one, two = keys_of(["a", "a"], [1, 1], [7, 7])
    >>> bool(one == two), bool(one == keys_of(["a"], [1], [8])[0])
    (True, False)
    """
    return np.fromiter(map(hash, zip(files, sizes, dates, strict=True)), np.int64, len(files))


class KnownKeys:
    """The keys of a table's files, and which of them were listed.

    Args:
        blocks: of keys, (b,) int64.
        again: keys that count as not known.

    Attributes:
        listed: how many of them `is_known` was asked for.
    """

    def __init__(self, blocks: Iterable[NDArray[np.int64]], again: NDArray[np.int64] | None = None):
        self._keys = _joined(blocks)
        self._keys.sort()
        self._is_listed = np.zeros(len(self._keys), np.bool_)
        self._again = np.empty(0, np.int64) if again is None else np.sort(again)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def listed(self) -> int:
        """How many keys of the table were listed."""
        return int(self._is_listed.sum())

    def is_known(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the keys of listed files, (b,), the table has; it remembers that they were listed."""
        places = self._places(keys)
        known = self._is_at(keys, places) & ~_in(keys, self._again)
        self._is_listed[places[known]] = True
        return known

    def was_listed(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of keys of the table, (b,), those that were listed."""
        return np.asarray(self._is_listed[self._places(keys)], np.bool_)

    def _places(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self._keys, keys)

    def _is_at(self, keys: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.bool_]:
        if not len(self._keys):
            return np.zeros(len(keys), np.bool_)
        return np.asarray(self._keys[np.minimum(places, len(self._keys) - 1)] == keys)


class ContentRows(Set[bytes]):
    """The rows of a table by the hash of their content: 24 bytes a row, in place of a dictionary.

    Args: contents: (n, 2) uint64, the hashes.

    >>> rows = ContentRows(np.frombuffer(b"a" * 16 + b"b" * 16, np.uint64).reshape(2, 2))
    >>> rows[b"b" * 16], b"c" * 16 in rows
    (1, False)
    """

    def __init__(self, contents: NDArray[np.uint64]):
        self._order = np.argsort(contents[:, 0], kind="stable")
        self._contents = contents[self._order]

    def __contains__(self, content: object) -> bool:
        return isinstance(content, bytes) and self._find(content) is not None

    def __len__(self) -> int:
        return len(self._contents)

    def __iter__(self) -> Iterator[bytes]:
        return (content.tobytes() for content in self._contents)

    def __getitem__(self, content: bytes) -> int:
        row = self._find(content)
        if row is None:
            raise KeyError(content)
        return row

    def _find(self, content: bytes) -> int | None:
        """The last row of a content, as a dictionary would keep it."""
        first, second = np.frombuffer(content, np.uint64)
        low = np.searchsorted(self._contents[:, 0], first)
        high = np.searchsorted(self._contents[:, 0], first, side="right")
        found = np.flatnonzero(self._contents[low:high, 1] == second)
        return int(self._order[low + found[-1]]) if len(found) else None


def _joined(blocks: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    """All blocks in one array that grows where it lies: a list of them and its copy would take 16 bytes a key."""
    keys, n = np.empty(0, np.int64), 0
    for block in blocks:
        end = n + len(block)
        if end > len(keys):
            keys.resize(end + end // 8, refcheck=False)
        keys[n:end] = block
        n = end
    keys.resize(n, refcheck=False)
    return keys


def _in(keys: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.isin(keys, among) if len(among) else np.zeros(len(keys), np.bool_)
