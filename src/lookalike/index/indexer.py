"""A folder -> the table: what is new, changed, moved and gone; decoding and embedding overlapped; commit by batch."""

import time
from collections.abc import Container, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from lookalike.errors import CollectionError, ImageError
from lookalike.images.limits import LIMITS, Limits
from lookalike.images.scan import ImageFile, ScanResult, scan_folder
from lookalike.index.lens_column import update_lens_column
from lookalike.index.reader import Decoded, ImageReader
from lookalike.index.refused import RefusedFile, RefusedTable
from lookalike.index.snapshot import COLUMNS, Snapshot
from lookalike.index.table import ImageRow, Table
from lookalike.index.versions import describe
from lookalike.index.work_log import logged
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter, Timer


@dataclass(frozen=True)
class IndexOptions:
    """How a folder is indexed.

    Attributes:
        prune: remove the rows of missing files even when the folder looks unplugged.
        limits: what an image may cost.
        work_log: where the names of the files that are being read are written, see `WorkLog`; None for nowhere.
        commit_rows, commit_seconds: a batch is committed after so many files, or so long after the one before it.
    """

    prune: bool = False
    limits: Limits = LIMITS
    work_log: Path | None = None
    commit_rows: int = 256
    commit_seconds: float = 5.0


@dataclass
class IndexReport:
    """What an index run did, as numbers of files, and what it left out.

    Attributes:
        kept_missing: files that are gone from the folder, but kept because the folder looks unplugged.
        refused: file -> reason, of images that could not be read.
        skipped: name -> reason, of what could not be entered or named.
        damaged: lens -> reason, of lenses that cannot be read; their columns are filled once they can.
        notes: lines for people: what else they should know.
        freed: bytes of the tables that were removed.
    """

    added: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    unchanged: int = 0
    kept_missing: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    freed: int = 0


@dataclass(frozen=True)
class ChangeSet:
    """What has changed in a folder: files to read, files that are gone; how many are unchanged."""

    read: tuple[ImageFile, ...]
    gone: tuple[str, ...]
    unchanged: int


@dataclass(frozen=True)
class CopiedFile:
    """A file whose content (the hash of its bytes) the table holds already, under this name or another."""

    file: ImageFile
    content: bytes


@dataclass
class IndexBatch:
    """What became of some files: rows to add, copies of what the table holds, files that could not be read."""

    rows: list[ImageRow] = field(default_factory=list)
    copies: list[CopiedFile] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.copies) + len(self.refused)


def compare_with_table(scan: ScanResult, known: dict[str, tuple[int, int]]) -> ChangeSet:
    """Compare a folder with what is known of it: file -> (bytes, mtime_ns), refused files included."""
    to_read = tuple(one for one in scan.files if known.get(one.file) != (one.bytes, one.mtime_ns))
    there = {one.file for one in scan.files}
    gone = tuple(file for file in known if file not in there)
    return ChangeSet(to_read, gone, len(scan.files) - len(to_read))


def embed_files(
    files: Sequence[ImageFile],
    backbone: Backbone,
    known: Container[bytes] = frozenset(),
    options: IndexOptions | None = None,
    reporter: Reporter = SILENT,
) -> Generator[IndexBatch]:
    """Read and embed files, a batch at a time; no table is needed, so this may run on another machine than `Indexer`.

    Args:
        files: to read, in this order.
        backbone: what embeds them.
        known: the hashes of contents whose features the table holds; these files are not embedded again.
        options: limits, and when a batch is full.
        reporter: called after each file; for the last one of a batch, once the batch was committed.
    Yields: batches; the last one may be small. A file that vanished meanwhile is in none.
    """
    options = options or IndexOptions()
    reader = ImageReader(backbone.bundle.side_px, known, options.limits)
    batch, timer, last = IndexBatch(), Timer("indexing", len(files)), time.monotonic()
    with (
        logged(options.work_log, lambda file: reader.read(file.path)) as read,
        closing(backbone.pipeline(files, read)) as pipeline,
    ):
        for done, (file, outcome, features) in enumerate(pipeline, start=1):
            if isinstance(outcome, Decoded):
                size = (outcome.image.width, outcome.image.height)
                batch.rows.append(ImageRow(file.file, outcome.content, file.bytes, file.mtime_ns, *size, features))
            elif not isinstance(outcome, ImageError):
                batch.copies.append(CopiedFile(file, outcome.content))
            elif outcome.kind != "gone":
                batch.refused.append(RefusedFile(file.file, file.bytes, file.mtime_ns, str(outcome)))
            if len(batch) >= options.commit_rows or time.monotonic() - last > options.commit_seconds:
                yield batch
                batch, last = IndexBatch(), time.monotonic()
            reporter.progress(timer.at(done))
    if batch:
        yield batch


class Indexer:
    """Brings the table up to date with a folder; what is committed stays, whatever happens next.

    Args:
        folder: of images.
        table: to bring up to date.
        refused: the files that could not be read, likewise.
        backbone: what embeds the new ones.
        lenses: of the collection; each gets its column, whole and of its own weights.
        options: limits, pruning, the size of a batch.

    Attributes:
        report: what was done so far.
    """

    def __init__(
        self,
        folder: Path,
        table: Table,
        refused: RefusedTable,
        backbone: Backbone,
        lenses: Sequence[Lens] = (),
        options: IndexOptions | None = None,
    ):
        self.folder, self.table, self.refused, self.backbone = folder, table, refused, backbone
        self.lenses, self.options = lenses, options or IndexOptions()
        self.report = IndexReport()
        self._missing: set[str] = set()  # files of the table that are gone, and were not found under another name

    def run(self, reporter: Reporter = SILENT) -> IndexReport:
        """Bring the table up to date.

        Raises: CollectionError, when the folder is not there; what the reporter raises.
        """
        self._recover()
        changes = self.changes()
        for lens in self.lenses:
            update_lens_column(self.table, lens)
        with closing(self.embed(changes.read, reporter)) as batches:
            for batch in batches:
                self.commit(batch)
        self._finish(changes)
        return self.report

    def _recover(self) -> None:
        """Take out of the tables what a power cut or a damaged disk left unreadable; its pictures are embedded anew."""
        for table in (self.table, self.refused):
            if damage := table.recover():
                self.report.notes.append(
                    f"{table.uri}: damaged ({describe(damage)}); mended, and made anew where needed"
                )

    def changes(self) -> ChangeSet:
        """What has changed in the folder since the table was brought up to date.

        Raises: CollectionError, when the folder is not there.
        """
        scan = scan_folder(self.folder)
        if not self.folder.is_dir():
            raise CollectionError(f"{self.folder}: no such folder. Plug the disk in, or check the name.")
        before = self._before
        changes = compare_with_table(scan, before.files | before.refused)
        self.report.unchanged, self.report.skipped = changes.unchanged, scan.skipped
        self._missing = {file for file in changes.gone if file in before.files}
        return changes

    def embed(self, files: Sequence[ImageFile], reporter: Reporter = SILENT) -> Generator[IndexBatch]:
        """Read and embed files, a batch at a time, see `embed_files`; content that the table holds is not embedded."""
        return embed_files(files, self.backbone, self._before.row_of, self.options, reporter)

    def commit(self, batch: IndexBatch) -> None:
        """Write a batch into the table and into that of the refused files."""
        before, report = self._before, self.report
        for copy in batch.copies:
            first = before.columns["file"][before.row_of[copy.content]]
            if first in self._missing:
                self._missing.discard(first)
                report.moved += 1
        rows = batch.rows + before.copied_rows(batch.copies)
        self.table.append(rows, {lens.name: lens.apply for lens in self.lenses})
        self.refused.append(batch.refused)
        if cured := [row.file for row in rows if row.file in before.refused]:
            self.refused.remove(cured)
        if spoilt := [one.file for one in batch.refused if one.file in before.files]:
            self.table.remove(spoilt)
        self.table.compact()
        changed = sum(row.file in before.files for row in rows)
        report.changed += changed
        report.added += len(rows) - changed
        report.refused |= {one.file: one.reason for one in batch.refused}

    def _finish(self, changes: ChangeSet) -> None:
        """Remove what is gone, and what only older versions of the table need."""
        before, report = self._before, self.report
        if not before.files:  # the table is new: its first rows had no column to go into
            for lens in self.lenses:
                update_lens_column(self.table, lens)
        report.added -= report.moved
        gone = [file for file in changes.gone if file in before.files]
        if not self.options.prune and len(self._missing) * 2 > len(before.files):
            report.kept_missing = len(self._missing)
        elif gone:
            self.table.remove(gone)
            report.gone = len(self._missing)
        if forgotten := [file for file in changes.gone if file in before.refused]:
            self.refused.remove(forgotten)
        self.table.compact()
        self.table.clean()

    @cached_property
    def _before(self) -> "_TableState":
        return _TableState(self.table, self.refused)


class _TableState:
    """What the tables held before a run changed anything.

    Attributes:
        columns: all but the vectors, aligned.
        files, refused: file -> (bytes, mtime_ns).
        row_of: the hash of a content -> a row that has it.
    """

    def __init__(self, table: Table, refused: RefusedTable):
        self._snapshot: Snapshot | None = table.snapshot()
        self.columns = self._snapshot.columns() if self._snapshot else {name: [] for name in COLUMNS}
        sizes = zip(self.columns["bytes"], self.columns["mtime_ns"], strict=True)
        self.files: dict[str, tuple[int, int]] = dict(zip(self.columns["file"], sizes, strict=True))
        self.row_of: dict[bytes, int] = {content: row for row, content in enumerate(self.columns["content"])}
        self.refused = {one.file: (one.bytes, one.mtime_ns) for one in refused.rows()}

    def copied_rows(self, copies: Sequence[CopiedFile]) -> list[ImageRow]:
        """Rows of files whose content the table had already, with the features it has."""
        if self._snapshot is None or not copies:
            return []
        taken, back = np.unique([self.row_of[copy.content] for copy in copies], return_inverse=True)
        features = self._snapshot.take(taken, "features")
        width, height = self.columns["width"], self.columns["height"]
        return [
            ImageRow(
                copy.file.file, copy.content, copy.file.bytes, copy.file.mtime_ns, width[row], height[row], features[i]
            )
            for copy, row, i in zip(copies, taken[back], back, strict=True)
        ]
