"""A Lance table on disk: opened at its newest whole version, written durably, one commit after another."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from lookalike.files import replace_folder
from lookalike.index.checksums import add_checksums, renew_checksums
from lookalike.index.damage import Damage, is_local, reading
from lookalike.index.durability import files_of, sync_version
from lookalike.index.fragments import STORAGE_VERSION
from lookalike.index.lance_runtime import load_lance
from lookalike.index.repair import remove_damaged, verify_table
from lookalike.index.snapshot import ROWS_A_PIECE, sql_in
from lookalike.index.storage import lance_options, storing
from lookalike.index.versions import OpenedVersion, open_newest, remove_versions_above

COMMITS_BEFORE_COMPACTION = 100
KEPT = timedelta(minutes=10)  # versions younger than this stay when a run cleans up
KEPT_REMOTE = timedelta(days=1)  # on an object store, where a reader may sit far away


class LanceTable:
    """Rows in and files out; each commit is on the disk when its method returns.

    Args:
        uri: where it lies.
        columns: that it has in every version.
        mend: the command that mends it when it is damaged, for error messages.
        repair: the command that mends it when its rows cannot be read; the same, when left out.
        before_commit: called before each commit, to raise where this process may not write any longer.

    Methods that write are for who holds the collection's lock. All raise DamagedTableError.
    """

    def __init__(
        self,
        uri: str,
        columns: Collection[str],
        mend: str,
        repair: str = "",
        before_commit: Callable[[], None] | None = None,
    ):
        self.uri, self.columns, self.mend, self.repair = uri, frozenset(columns), mend, repair or mend
        self.before_commit = before_commit

    def open(self) -> OpenedVersion | None:
        """The newest version that is whole; None when there is no table."""
        return open_newest(self.uri, self.columns, self.mend)

    @contextmanager
    def commit(self) -> Iterator[Any]:
        """Gives the newest version as Lance's dataset, None when there is no table, and forces what is committed with
        it to the disk. Newer versions that can never be read are removed first.
        """
        if self.before_commit is not None:
            self.before_commit()
        if not is_local(self.uri):
            with storing("write", self.uri):
                opened = self.open()
                yield None if opened is None else opened.dataset
            return
        opened = self.open()
        if opened is None:
            yield None
            return
        if opened.passed_over:
            remove_versions_above(self.uri, opened.dataset.version)
        before = opened.dataset.checkout_version(opened.dataset.version)  # the one that is given moves on
        yield opened.dataset
        sync_version(self.uri, before)

    def write_rows(self, rows: Any) -> None:
        """Commit a pyarrow Table of rows; one whose file is there already takes its place."""
        lance = load_lance()

        with self.commit() as dataset:
            if dataset is None:
                self._create(rows)
                return
            files = rows.column("file").to_pylist()
            if dataset.count_rows(filter=sql_in(files)):
                dataset.merge_insert("file").when_matched_update_all().when_not_matched_insert_all().execute(rows)
            else:
                lance.write_dataset(rows, dataset, mode="append")

    def remove_files(self, files: Sequence[str]) -> None:
        """Remove the rows of files, 500 at a time."""
        for start in range(0, len(files), 500):
            with self.commit() as dataset:
                if dataset is not None:
                    dataset.delete(sql_in(files[start : start + 500]))

    def compact(self, *, asked: bool = False) -> tuple[int, int]:
        """Put small pieces together; earlier versions stay whole.

        Args:
            asked: do it however few there are. Else on a disk where many commits have gathered, and never on an object
                store, where it moves every row over the network.
        Returns: the number of pieces before and after.
        """
        opened = self.open()
        before = 0 if opened is None else len(opened.dataset.get_fragments())
        if before < 2 or not (asked or (is_local(self.uri) and before >= COMMITS_BEFORE_COMPACTION)):
            return before, before
        with self.commit() as dataset, reading(self.uri, self.repair):
            # Pieces of this size are left alone: a row is written anew once or twice, however many there are.
            dataset.optimize.compact_files(target_rows_per_fragment=ROWS_A_PIECE)
            return before, len(dataset.get_fragments())

    def clean(self, kept: timedelta | None = None) -> None:
        """Remove what only versions older than `kept` (`KEPT`, `KEPT_REMOTE`) need, and what killed runs left.

        Only for who holds the collection's lock: what another writer has not committed yet would go too.
        """
        with self.commit() as dataset:
            if dataset is not None:
                # What no version knows goes whatever its age: Lance would keep it for a week, in case that another
                # writer were at work.
                kept = kept or (KEPT if is_local(self.uri) else KEPT_REMOTE)
                dataset.cleanup_old_versions(older_than=kept, delete_unverified=True)
                if is_local(self.uri):
                    renew_checksums(Path(self.uri), files_of(dataset))

    def verify(self) -> list[Damage]:
        """Everything that is damaged, also in versions that are passed over; reads the whole table."""
        return verify_table(self.uri, self.columns)

    def remove_damaged(self, *, deep: bool) -> list[Damage]:
        """Remove what is damaged; deep: also what only reading every row shows."""
        return remove_damaged(self.uri, self.columns, deep=deep)

    def _create(self, rows: Any) -> None:
        """The table with its first rows: it comes into place whole, by a rename or by the store's own commit."""
        lance = load_lance()

        def write(folder: Path) -> None:
            made = lance.write_dataset(rows, str(folder), data_storage_version=STORAGE_VERSION)
            add_checksums(folder, files_of(made))

        if is_local(self.uri):
            replace_folder(Path(self.uri), write)
            return
        # The numbers of rows stay what they are when pieces are put together by many machines.
        lance.write_dataset(
            rows,
            self.uri,
            data_storage_version=STORAGE_VERSION,
            enable_stable_row_ids=True,
            storage_options=lance_options(self.uri) or None,
        )
