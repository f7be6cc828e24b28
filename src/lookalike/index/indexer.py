"""A folder -> the table: what is new, changed, moved and gone; decoding and embedding overlapped; commit by batch."""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from lookalike.images.picture_source import FolderPictures, PictureSource
from lookalike.images.scan import ImageFile, ScanResult, is_below
from lookalike.index.changes import ChangeSet, compare_with_table
from lookalike.index.damage import is_local
from lookalike.index.embed_files import EmbeddingWork, IndexBatch, IndexOptions, embed_files
from lookalike.index.gallery import Gallery
from lookalike.index.index_report import IndexReport
from lookalike.index.refused import RefusedFile, RefusedTable, installed_decoders, limits_of
from lookalike.index.table import ImageRow, Table
from lookalike.index.table_state import CopiedFile, TableState
from lookalike.index.versions import describe
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter
from lookalike.text import plural


class Indexer:
    """Brings the table up to date with a folder; what is committed stays, whatever happens next.

    Args:
        pictures: where they lie, or the folder of them.
        table: to bring up to date.
        refused: the files that could not be read, likewise.
        backbone: what embeds the new ones.
        lenses: of the collection; each gets its column, whole and of its own weights.
        options: limits, pruning, the size of a batch.

    Attributes:
        report: what was done so far.
        scan: what lies in the folder.
    """

    def __init__(
        self,
        pictures: Path | PictureSource,
        table: Table,
        refused: RefusedTable,
        backbone: Backbone,
        lenses: Sequence[Lens] = (),
        options: IndexOptions | None = None,
    ):
        self.pictures = FolderPictures(pictures) if isinstance(pictures, Path) else pictures
        self.table, self.refused, self.backbone = table, refused, backbone
        self.lenses, self.options = lenses, replace(options or IndexOptions(), pictures=self.pictures)
        self.report = IndexReport()
        self.scan = ScanResult()
        self._missing: set[str] = set()  # files of the table that are gone, and were not found under another name

    def run(self, reporter: Reporter = SILENT) -> IndexReport:
        """Bring the table up to date.

        Raises: CollectionError, when the folder is not there; what the reporter raises.
        """
        self._recover()
        changes = self.changes()
        if changes.read:
            self.table.try_writing()
        for lens in self.lenses:
            self.options.fill(self.table, lens)
        with closing(self.embed(changes.read, reporter)) as batches:
            for batch in batches:
                self.commit(batch)
        self._finish(changes)
        return self.report

    def _recover(self) -> None:
        """Take out what cannot be read, and rows that hold no numbers: their pictures are embedded anew."""
        for table in (self.table, self.refused):
            if damage := table.recover():
                self.report.notes.append(
                    f"{table.uri}: damaged ({describe(damage)}); mended, and made anew where needed"
                )
        snapshot = self.table.snapshot()
        if snapshot is None or not is_local(self.table.uri):  # what a bucket keeps is what was written
            return
        if unusable := Gallery(snapshot, None, self.options.codes).find_unusable():
            self.table.remove(unusable)
            self.report.notes.append(f"{plural(len(unusable), 'row')} held no numbers ({unusable[0]}): embedded anew")

    def changes(self) -> ChangeSet:
        """What has changed in the folder since the table was brought up to date.

        Raises: CollectionError, when the folder is not there.
        """
        before, report, started_ns = self._before, self.report, time.time_ns()
        self.scan = self.pictures.scan(self.options.leave_out, before.sift)
        known = before.known()
        changes = compare_with_table(self.scan, known, before.again, started_ns)
        if self.options.sift is not None:
            changes = self.options.sift(changes, known, self.scan)
        report.unchanged, report.still_refused = before.unchanged, before.still_refused
        report.skipped, report.left_out = dict(self.scan.skipped), len(self.scan.excluded)
        self._missing = {file for file in changes.gone if file in before.files} - before.outside
        return changes

    def embed(self, files: Sequence[ImageFile], reporter: Reporter = SILENT) -> Generator[IndexBatch]:
        """Read and embed files, a batch at a time; content that the table holds is not embedded."""
        before, options = self._before, self.options
        stored, known = before.files.keys(), before.row_of if files else frozenset[bytes]()
        if options.embedder is None:
            return embed_files(files, self.backbone, known, options, reporter)
        work = EmbeddingWork(files, self.backbone, known, stored, self.table, self.lenses, options)
        return options.embedder(work, reporter)

    def commit(self, batch: IndexBatch) -> None:
        """Write a batch into the table and into that of the refused files."""
        before, report = self._before, self.report
        if self._missing:
            for first in before.files_of([copy.content for copy in batch.copies if copy.first is None]):
                report.moved += first in self._missing
                self._missing.discard(first)
        same = [copy for copy in batch.copies if before.is_same(copy)]
        copies = [copy for copy in batch.copies if not before.is_stored(copy)]
        rows = batch.rows + before.copied_rows([copy for copy in copies if copy.first is None])
        rows += self._copied_rows(batch.rows, [copy for copy in copies if copy.first is not None])
        self.table.append_fragments(batch.fragments)
        self.table.append(rows, {lens.name: lens.apply for lens in self.lenses})
        self.refused.append([one for one in batch.refused if before.refused.get(one.file) != one])
        read = (*(row.file for row in rows), *(copy.file.file for copy in batch.copies), *batch.in_fragments)
        if cured := sorted({file for file in read if file in before.refused}):
            self.refused.remove(cured)
        # What the system refused to read may be as it was: its row stays.
        if spoilt := [one.file for one in batch.refused if one.file in before.files and not one.is_passing]:
            self.table.remove(spoilt)
        self.table.compact()
        changed = sum(row.file in before.files for row in rows) - sum(not before.is_stored(copy) for copy in same)
        report.unchanged += len(same)
        report.changed += changed
        report.added += sum(row.file not in before.files for row in rows) + len(batch.in_fragments)
        report.in_part |= batch.in_part
        self._report_refused(batch.refused)

    def _copied_rows(self, rows: Sequence[ImageRow], copies: Sequence[CopiedFile]) -> list[ImageRow]:
        """Rows of files whose content was embedded in this run, in this batch or an earlier one."""
        by_file = {row.file: row for row in rows}
        earlier = {copy.first for copy in copies if copy.first is not None} - by_file.keys()
        by_file |= {row.file: row for row in self.table.rows(sorted(earlier))}
        return [copy.row_like(by_file[copy.first]) for copy in copies if copy.first is not None]

    def _report_refused(self, refused: Sequence[RefusedFile]) -> None:
        """Count what was refused: anew, for the same reason as before, or because it is no picture."""
        for one in refused:
            earlier = self._before.refused.get(one.file)
            known = earlier is not None and earlier.reason == one.reason
            if one.is_picture:
                if known:
                    self.report.still_refused += 1
                else:
                    self.report.refused[one.file] = one.reason
            elif not known:
                self.report.other_files[Path(one.file).suffix.lower()] += 1

    def _finish(self, changes: ChangeSet) -> None:
        """Remove what is gone, and what only older versions of the table need."""
        before, report = self._before, self.report
        if not before.rows:  # the table is new: its first rows had no column to go into
            for lens in self.lenses:
                self.options.fill(self.table, lens)
        report.added -= report.moved
        kept = self._kept(changes)
        gone = [file for file in changes.gone if file in before.files and file not in kept]
        excluded = [file for file in changes.excluded if file in before.files]
        if removed := gone + excluded:
            self.table.remove(removed)
        report.gone, report.dropped = len(self._missing - kept), len(excluded)
        if forgotten := [file for file in (*changes.gone, *changes.excluded) if file in before.refused]:
            self.refused.remove(forgotten)
        if before.outside:
            report.notes.append(
                f"{plural(len(before.outside), 'row')} of the table named files outside of {self.pictures}: removed."
            )
        for table in (self.table, self.refused):
            table.compact()
            table.clean()

    def _kept(self, changes: ChangeSet) -> set[str]:
        """The missing files that stay in the table, because the disk that they lie on may be away."""
        before, report = self._before, self.report
        unseen = sum(file in before.files for file in changes.unseen)
        report.kept_unseen = unseen
        if self.options.prune:
            return set()
        hidden = unseen + sum(file in before.files for file in changes.excluded)
        if len(self._missing) * 2 > before.rows - hidden:
            report.kept_missing = len(self._missing)
            return set(self._missing)
        emptied = self._missing & changes.emptied
        for folder in sorted(self.scan.empty):
            if held := sum(is_below(file, {folder}) for file in emptied):
                report.skipped[folder] = (
                    f"it is empty, and held {plural(held, 'picture')}: kept, in case a disk is not mounted there. If "
                    "they are really gone, add --prune."
                )
        report.kept_unseen += len(emptied)
        return emptied

    @cached_property
    def _before(self) -> TableState:
        return TableState(self.table, self.refused, (limits_of(self.options.limits), installed_decoders()))
