"""The column of a lens filled fragment by fragment by the workers of an engine; continued after whatever ended it."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from lookalike.distributed.engine import Engine
from lookalike.errors import CollectionError, LookalikeError
from lookalike.index.table import Table
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter, Timer

COMMIT_SECONDS = 2.0
REWRITTEN = ("conflict", "not found in existing fragments")  # what Lance says where fragments are there no longer
ROUNDS = 5  # where fragments are rewritten meanwhile, what was written for them is done again


class ColumnFiller:
    """Fills the columns of lenses with an engine, in place of `update_lens_column`.

    One commit adds the column without a value; each fragment's vectors are a file of their own. What a column lacks is
    asked of the table, so that a run which was ended is continued by the next one. The column serves when it is whole.

    Args:
        engine: that does the fragments.
        reporter: told of "filling", in fragments.
    """

    def __init__(self, engine: Engine, reporter: Reporter = SILENT):
        self.engine, self.reporter = engine, reporter

    def __call__(self, table: Table, lens: Lens) -> None:
        """Bring the column of a lens up to date.

        Raises: LookalikeError and OSError, of a fragment that cannot be filled; what was committed stays.
        """
        snapshot = table.snapshot()
        if snapshot is None:
            return
        if lens.name not in snapshot.lenses() or snapshot.weights(lens.name) != lens.fingerprint:
            table.add_empty_lens(lens.name, lens.dims, lens.fingerprint)
        for _ in range(ROUNDS):
            version, fragments = table.unfilled_fragments(lens.name)
            if not fragments:
                return
            self._fill(table, lens, version, fragments)
        raise CollectionError(f"{table.uri}: another program keeps rewriting it. Run it again when that has ended.")

    def _fill(self, table: Table, lens: Lens, version: int, fragments: list[int]) -> None:
        waiting, timer = deque(fragments), Timer("filling", len(fragments))
        ready: dict[int, str] = {}
        done, last = 0, time.monotonic()
        with closing(self.engine.run(_Worker(table, lens, version), waiting)) as outcomes:
            for outcome in outcomes:
                if outcome.error is not None:
                    _commit(table, ready)
                    raise outcome.error
                assert outcome.value is not None
                ready[outcome.shard] = outcome.value
                done += 1
                self.reporter.progress(timer.at(done))
                if time.monotonic() - last > COMMIT_SECONDS:
                    if not _commit(table, ready):
                        return
                    ready, last = {}, time.monotonic()
        _commit(table, ready)


def _commit(table: Table, files: dict[int, str]) -> bool:
    """Commit what was written; False where its fragments were rewritten meanwhile."""
    try:
        table.append_lens(files)
    except LookalikeError:
        raise
    except OSError as error:
        if not any(said in str(error).lower() for said in REWRITTEN):
            raise
        return False
    return True


@dataclass(frozen=True)
class _Worker:
    """What a worker knows; called, it gives what does a fragment."""

    table: Table
    lens: Lens
    version: int

    def __call__(self) -> Callable[[int], str]:
        return self.fill

    def fill(self, fragment: int) -> str:
        return self.table.write_lens(self.lens.name, self.lens.apply, self.version, fragment)
