"""Files read, decoded and embedded, a batch at a time: in this process, or wherever the options say."""

import time
from collections.abc import Callable, Container, Generator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from lookalike.errors import ImageError
from lookalike.images.leave_out import NOTHING_ELSE, LeaveOut
from lookalike.images.limits import LIMITS, Limits
from lookalike.images.picture_source import FolderPictures, PictureSource
from lookalike.images.scan import ImageFile, ScanResult
from lookalike.index.changes import ChangeSet
from lookalike.index.lens_column import FillColumn, update_lens_column
from lookalike.index.reader import Decoded, ImageReader
from lookalike.index.refused import RefusedFile, installed_decoders, limits_of
from lookalike.index.run_contents import ContentsOfRun
from lookalike.index.table import ImageRow, Table
from lookalike.index.table_state import CopiedFile
from lookalike.index.work_log import logged
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter, Timer

Sift = Callable[[ChangeSet, Mapping[str, tuple[int, int]], ScanResult], ChangeSet]


@dataclass(frozen=True)
class IndexOptions:
    """How a folder is indexed.

    Attributes:
        prune: remove the rows of missing files even when the folder looks unplugged.
        limits: what an image may cost.
        leave_out: patterns, and the collection's own folder.
        work_log: where the names of the files that are being read are written, see `WorkLog`; None for nowhere.
        codes: where ranking codes are kept, which tell of rows that hold no numbers; None for nowhere.
        cache: where thumbnails of large pictures are kept; None for nowhere.
        pictures: what gives the files that are embedded; None: they lie where they say.
        sift: what of the changes is taken up in this run, see `Settling.sift`; None for all.
        embedder: what reads and embeds; None for this process.
        fill: brings the columns of lenses up to date.
        commit_rows, commit_seconds: a batch is committed after so many files, or so long after the one before it.
    """

    prune: bool = False
    limits: Limits = LIMITS
    leave_out: LeaveOut = NOTHING_ELSE
    work_log: Path | None = None
    codes: Path | None = None
    cache: Path | None = None
    pictures: PictureSource | None = None
    sift: Sift | None = None
    embedder: "Embedder | None" = None
    fill: FillColumn = update_lens_column
    commit_rows: int = 256
    commit_seconds: float = 5.0


@dataclass
class IndexBatch:
    """What became of some files: rows to add (some read in part), copies of what the table holds, refused files.

    Attributes:
        fragments: rows of new files that the table's `write_fragment` has written already.
        in_fragments: the files of these rows.
    """

    rows: list[ImageRow] = field(default_factory=list)
    copies: list[CopiedFile] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    in_part: dict[str, str] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    in_fragments: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.copies) + len(self.refused) + len(self.in_fragments)

    def add(self, other: "IndexBatch") -> None:
        """Take what another batch holds as well."""
        self.rows += other.rows
        self.copies += other.copies
        self.refused += other.refused
        self.in_part |= other.in_part
        self.fragments += other.fragments
        self.in_fragments += other.in_fragments


@dataclass(frozen=True)
class EmbeddingWork:
    """Files to embed, and what an `Embedder` has to know.

    Attributes:
        files: to read, in this order.
        backbone: what embeds them.
        known: the hashes of contents whose features the table holds; these files are not embedded again.
        stored: the files that have a row in the table.
        table: in which there are, or will be, the rows.
        lenses: whose columns the rows have.
        options: limits, and when a batch is full.
    """

    files: Sequence[ImageFile]
    backbone: Backbone
    known: AbstractSet[bytes]
    stored: AbstractSet[str]
    table: Table
    lenses: Sequence[Lens]
    options: IndexOptions


class Embedder(Protocol):
    """Reads and embeds files, as `embed_files` does in this process."""

    def __call__(self, work: EmbeddingWork, reporter: Reporter) -> Generator[IndexBatch]: ...


def embed_files(
    files: Sequence[ImageFile],
    backbone: Backbone,
    known: Container[bytes] = frozenset(),
    options: IndexOptions | None = None,
    reporter: Reporter = SILENT,
) -> Generator[IndexBatch]:
    """Read and embed files, a batch at a time; no table is needed, so this may run on another machine.

    Each content is decoded and embedded once, however many files have it.

    Args:
        files: to read, in this order.
        backbone: what embeds them.
        known: the hashes of contents whose features the table holds; these files are not embedded again.
        options: limits, and when a batch is full.
        reporter: called after each file; for the last one of a batch, once the batch was committed.
    Yields: batches; the last one may be small. A file that vanished meanwhile is in none.
    """
    options = options or IndexOptions()
    contents = ContentsOfRun()
    reader = ImageReader(backbone.bundle.side_px, known, options.limits, contents.is_first, options.cache)
    conditions, limits = (limits_of(options.limits), installed_decoders()), options.limits
    pictures = options.pictures or FolderPictures(Path())

    def refuse(file: ImageFile, error: ImageError) -> RefusedFile:
        return RefusedFile(file.file, file.bytes, file.mtime_ns, error.reason, error.kind, *conditions)

    batch, timer, last = IndexBatch(), Timer("indexing", len(files)), time.monotonic()
    with (
        logged(options.work_log, lambda file: reader.read_opened(pictures.open(file, limits))) as read,
        closing(backbone.pipeline(pictures.ahead(files, limits), read)) as pipeline,
    ):
        for done, (file, outcome, features) in enumerate(pipeline, start=1):
            if isinstance(outcome, Decoded) and not np.isfinite(features).all():
                outcome = _without_numbers(outcome.content)
            if isinstance(outcome, Decoded):
                size = (outcome.image.width, outcome.image.height)
                batch.rows.append(ImageRow(file.file, outcome.content, file.bytes, file.mtime_ns, *size, features))
                if outcome.image.lacks:
                    batch.in_part[file.file] = outcome.image.lacks
                waiting = contents.settle(outcome.content, file.file)
                batch.copies += [CopiedFile(one, outcome.content, file.file) for one in waiting]
            elif isinstance(outcome, ImageError):
                waiting = [] if outcome.content is None else contents.settle(outcome.content, outcome)
                batch.refused += [refuse(one, outcome) for one in (file, *waiting) if outcome.kind != "gone"]
            elif outcome.content in known:
                batch.copies.append(CopiedFile(file, outcome.content))
            elif isinstance(first := contents.outcome(outcome.content, file), ImageError):
                batch.refused.append(refuse(file, first))
            elif first is not None:
                batch.copies.append(CopiedFile(file, outcome.content, first))
            if len(batch) >= options.commit_rows or time.monotonic() - last > options.commit_seconds:
                yield batch
                batch, last = IndexBatch(), time.monotonic()
            reporter.progress(timer.at(done))
    if batch:
        yield batch


def _without_numbers(content: bytes) -> ImageError:
    error = ImageError("its features are no numbers under this backbone. Leave it out, or use another backbone.")
    error.content = content
    return error
