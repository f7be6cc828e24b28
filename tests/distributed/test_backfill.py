"""The column of a lens filled by an engine: each row has its own vector, whatever ends or changes meanwhile."""

from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pytest

from lookalike.distributed.backfill import ColumnFiller
from lookalike.distributed.engine import LocalEngine, Outcome
from lookalike.distributed.ray_engine import RayEngine
from lookalike.errors import CollectionError
from lookalike.index.table import ImageRow, Table
from lookalike.models.lens import Lens
from lookalike.progress import Progress, as_reporter

F = 8
LENS = Lens("turn", np.zeros(F), np.random.default_rng(0).standard_normal((F, 4)))


def rows(first: int, n: int) -> list[ImageRow]:
    return [
        ImageRow(f"{i:03d}.png", bytes([i]) * 16, i, i, 4, 3, np.random.default_rng(i).standard_normal(F))
        for i in range(first, first + n)
    ]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Six fragments of four rows."""
    table = Table(tmp_path / "t.lance")
    table.create(F)
    table.append_fragments([one for k in range(6) for one in table.write_fragment(rows(10 * k, 4))])
    return table


def assert_whole(table: Table, n: int) -> None:
    snapshot = table.snapshot()
    assert snapshot is not None
    assert (len(snapshot), snapshot.unfilled("turn"), snapshot.weights("turn")) == (n, [], LENS.fingerprint)
    expected = LENS.apply(table.features()[1])
    np.testing.assert_allclose(table.features(column="lens:turn")[1], expected, atol=1e-3)


def test_a_column_is_filled_and_progress_is_told_in_fragments(table: Table):
    seen: list[Progress] = []
    ColumnFiller(LocalEngine(), as_reporter(seen.append))(table, LENS)
    assert_whole(table, 24)
    assert [(one.stage, one.done, one.total) for one in seen] == [("filling", n, 6) for n in range(1, 7)]


def test_a_whole_column_is_left_alone_and_one_of_other_weights_is_made_anew(table: Table):
    fill = ColumnFiller(LocalEngine())
    fill(table, Lens("turn", np.zeros(F), np.eye(F, 3)))
    fill(table, LENS)
    assert_whole(table, 24)
    before = lance.dataset(table.uri).version
    fill(table, LENS)
    assert lance.dataset(table.uri).version == before


class Meanwhile(LocalEngine):
    """An engine beside which something happens after some fragments."""

    def __init__(self, after: int, happens: Callable[[], None]):
        self.after, self.happens = after, happens

    def run(self, build: Any, waiting: deque[Any]) -> Generator[Outcome[Any, Any]]:
        for done, outcome in enumerate(super().run(build, waiting), start=1):
            if done == self.after:
                self.after = -1  # once
                self.happens()
            yield outcome


def ended() -> None:
    raise KeyboardInterrupt


def test_a_run_that_was_ended_is_continued_by_what_the_table_lacks(table: Table, monkeypatch: pytest.MonkeyPatch):
    """Ended after four fragments, each committed at once: the next run does the other two."""
    monkeypatch.setattr("lookalike.distributed.backfill.COMMIT_SECONDS", -1)
    with pytest.raises(KeyboardInterrupt):
        ColumnFiller(Meanwhile(5, ended))(table, LENS)
    snapshot = table.snapshot()
    assert snapshot is not None
    assert len(snapshot.unfilled("turn")) == 8
    seen: list[Progress] = []
    ColumnFiller(LocalEngine(), as_reporter(seen.append))(table, LENS)
    assert len(seen) == 2
    assert_whole(table, 24)


def test_rows_appended_changed_and_deleted_meanwhile_have_their_own_vectors(table: Table):
    def change() -> None:
        table.append_fragments(table.write_fragment(rows(70, 3)))
        table.append(rows(80, 3))
        table.append([rows(1, 1)[0]])
        table.remove(["012.png", "053.png"])

    ColumnFiller(Meanwhile(2, change))(table, LENS)
    assert_whole(table, 28)


def test_a_compaction_meanwhile_loses_nothing(table: Table):
    ColumnFiller(Meanwhile(3, lambda: lance.dataset(table.uri).optimize.compact_files()))(table, LENS)
    assert_whole(table, 24)


def test_what_a_fragment_raises_ends_the_run_and_what_was_done_stays(table: Table):
    class Fails(LocalEngine):
        def run(self, build: Any, waiting: deque[Any]) -> Generator[Outcome[Any, Any]]:
            yield from super().run(build, deque([waiting.popleft(), waiting.popleft()]))
            yield Outcome(waiting.popleft(), error=CollectionError("no room"))

    with pytest.raises(CollectionError, match="no room"):
        ColumnFiller(Fails())(table, LENS)
    assert len(table.unfilled_fragments("turn")[1]) == 4


def test_workers_of_ray_fill_it(ray: Any, table: Table):
    ColumnFiller(RayEngine(workers=2))(table, LENS)
    assert_whole(table, 24)
