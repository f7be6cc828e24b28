"""The ranking codes of a column that is larger than memory, in files that are looked into: made a piece at a time."""

import contextlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from lookalike.errors import CollectionError
from lookalike.files import remove_folder
from lookalike.index.kept_arrays import Array, KeptArrays, Kind
from lookalike.index.kept_codes import PREFIX
from lookalike.index.prefix_codes import PAYS_ROWS, PAYS_VALUES, SAMPLE_BYTES, PrefixCodes, learn_turn, unit_sample
from lookalike.index.quantization import Floats, Int8Codes
from lookalike.index.ranked_rows import RankedRows
from lookalike.index.snapshot import Piece, Snapshot
from lookalike.progress import SILENT, Reporter

RUN = 64  # rows beside each other that a sample takes: they are read together


class MappedCodes:
    """Codes of all rows of a column in the order of the table, in the form of `KeptCodes` (docs/formats.md).

    Prefix codes are made too, where there are rows and values enough for them.

    Args:
        rows: of which codes are made.
        snapshot: the version that they are of.
        folder: COLUMN@SOURCE-VERSION, which may vanish at any time.
        reporter: told where making them takes long.
    """

    def __init__(self, rows: RankedRows, snapshot: Snapshot, folder: Path, reporter: Reporter = SILENT):
        n, d = rows.shape
        self.rows, self.snapshot, self.folder, self.reporter = rows, snapshot, folder, reporter
        self.turns = n >= PAYS_ROWS and d >= PAYS_VALUES

    def load(self) -> tuple[Int8Codes, PrefixCodes | None]:
        """The codes, made where they are not there, of an earlier version's for the rows that it had.

        Prefix codes only where they are there, or an earlier version's can be extended.
        """
        codes = self._codes.make(self._fill_codes, self.reporter)
        prefix = self._load_prefix() if self.turns else None
        self._codes.remove_earlier()
        return Int8Codes(*(codes[name] for name in self._codes.kinds)), prefix

    def prepare(self) -> None:
        """Make now what is not there, prefix codes too, and again what is damaged."""
        turn = self._turn_in(self.folder)
        if turn is not None and not self._prefix_of(turn).is_whole():
            remove_folder(self.folder / PREFIX)
        if self.folder.is_dir() and not self._codes.is_whole():
            remove_folder(self.folder)
        _, prefix = self.load()
        if self.turns and prefix is None:
            self._make_prefix(self._learn_turn())

    @cached_property
    def _pieces(self) -> list[Piece]:
        return self.snapshot.pieces(self.rows.column)

    @cached_property
    def _codes(self) -> KeptArrays:
        kinds = {"values": Kind(np.int8, (self.rows.shape[1],)), "scale": Kind(np.float32)}
        kinds["error_norm"] = Kind(np.float32)
        return KeptArrays(self.snapshot, self._pieces, self.folder, kinds, "codes for searching")

    def _prefix_of(self, turn: Floats) -> KeptArrays:
        m = len(turn) // 2
        kinds = {"values": Kind(np.int8, (m,), (2,)), "scale": Kind(np.float32, (), (2,))}
        kinds["sides"] = Kind(np.float32, (), (5,))
        pieces = self._pieces if m else []  # no directions: nothing is kept but that
        others = [folder / PREFIX for folder in self._codes.earlier()]
        what = "codes for searching faster"
        return KeptArrays(self.snapshot, pieces, self.folder / PREFIX, kinds, what, {"turn": turn}, others)

    def _load_prefix(self) -> PrefixCodes | None:
        """Those that are there, or an earlier version's with what is new."""
        for folder in (self.folder, *self._codes.earlier()):
            if (turn := self._turn_in(folder)) is not None:
                if folder != self.folder:
                    return self._make_prefix(turn)
                with contextlib.suppress(CollectionError):
                    return _as_codes(self._prefix_of(turn).open())
        return None

    def _make_prefix(self, turn: Floats) -> PrefixCodes:
        def fill(piece: Piece, arrays: Mapping[str, Array]) -> None:
            into = _as_codes({"turn": turn, **arrays})
            PrefixCodes.gather(turn, piece.rows, self.rows.blocks_of(piece), into)

        return _as_codes(self._prefix_of(turn).make(fill, self.reporter))

    def _turn_in(self, folder: Path) -> Floats | None:
        """The directions of the prefix codes that are kept beside some codes; None for none of these rows' length."""
        with contextlib.suppress(OSError, ValueError, EOFError):
            turn = np.load(folder / PREFIX / "turn.npy")
            return turn if self.turns and turn.ndim == 2 and turn.shape[1] == self.rows.shape[1] else None
        return None

    def _learn_turn(self) -> Floats:
        n, d = self.rows.shape
        starts = np.random.default_rng(0).permutation(n // RUN)[: max(1, SAMPLE_BYTES // (4 * d * RUN))] * RUN
        rows = self.rows[(np.sort(starts)[:, None] + np.arange(RUN)).ravel()]
        return learn_turn(unit_sample(rows.shape, [(np.arange(len(rows)), rows)]))

    def _fill_codes(self, piece: Piece, arrays: Mapping[str, Array]) -> None:
        into = Int8Codes(arrays["values"], arrays["scale"], arrays["error_norm"])
        Int8Codes.gather((piece.rows, self.rows.shape[1]), self.rows.blocks_of(piece), into)


def _as_codes(arrays: Mapping[str, Array]) -> PrefixCodes:
    return PrefixCodes(arrays["turn"], arrays["values"], arrays["scale"], arrays["sides"])
