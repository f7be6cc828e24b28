"""The column of a lens in the table: there, made with these weights, with a vector for every row."""

from collections.abc import Callable

from lookalike.index.table import Table
from lookalike.models.lens import Lens

FillColumn = Callable[[Table, Lens], None]  # brings the column of a lens up to date


def update_lens_column(table: Table, lens: Lens) -> None:
    """Bring the column of a lens up to date: only rows without a vector are computed, unless its weights changed."""
    weights = lens.fingerprint
    snapshot = table.snapshot()
    if snapshot is None:
        return
    if lens.name in snapshot.lenses() and snapshot.weights(lens.name) == weights:
        table.fill_lens(lens.name, lens.apply)
    else:
        table.add_lens(lens.name, lens.dims, lens.apply, weights)
