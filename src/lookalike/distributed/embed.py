"""Files read and embedded by the workers of an engine; each writes a fragment a shard, the caller commits."""

import socket
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.distributed.engine import Engine, Outcome, WorkerDiedError
from lookalike.errors import BundleError, CollectionError, LookalikeError, StorageError
from lookalike.files import replace_folder
from lookalike.images.limits import Limits
from lookalike.images.picture_source import FolderPictures, PictureSource
from lookalike.images.scan import ImageFile
from lookalike.index.embed_files import EmbeddingWork, IndexBatch, IndexOptions, embed_files
from lookalike.index.refused import RefusedFile, installed_decoders, limits_of
from lookalike.index.table import Table
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import Bundle
from lookalike.models.efficientnet import SPECS
from lookalike.models.lens import Lens
from lookalike.models.registry import cache_folder, resolve_bundle
from lookalike.progress import Reporter, Timer
from lookalike.text import plural

SHARD = 4096  # pictures a fragment
SMALLEST = 64
SHARDS_A_WORKER = 4  # at least, so that none waits long for the last one
COMMIT_FRAGMENTS = 64
FAILURES = 10  # of shards in a row, and of one shard, by the network or a disk; then the run ends
PASSING = {"storage.slow_down", "storage.failed", "storage.unreachable"}
MOST_KNOWN = 2_000_000  # contents; with more, what is known is embedded once more


class DistributedEmbedder:
    """Embeds files by an engine, see `Embedder`.

    Files that have a row in the table already come back as rows, which take the place of those; all others as
    fragments that are written. Each content is embedded once a shard.

    Args:
        engine: that does it.
        shard: how many pictures a fragment has; None for 4,096, or fewer, so that each worker gets four shards.
    """

    def __init__(self, engine: Engine, shard: int | None = None):
        self.engine, self.shard = engine, shard

    def __call__(self, work: EmbeddingWork, reporter: Reporter) -> Generator[IndexBatch]:
        """Embed files.

        Yields: what came of some shards: each time that the options' seconds have gone by, or at 64 fragments.
        Raises: LookalikeError and OSError, of the tenth shard in a row that failed by them.
        """
        if not work.files:
            return
        work.table.create(work.backbone.length)
        new = [file for file in work.files if file.file not in work.stored]
        changed = [file for file in work.files if file.file in work.stored]
        size = self.shard or self._shard_size(len(work.files))
        waiting = deque(_Shard(part, True) for part in _parts(new, size))
        waiting += [_Shard(part, False) for part in _parts(changed, size)]
        reporter.message(f"{plural(len(work.files), 'picture')} in {plural(len(waiting), 'shard')} of at most {size:,}")
        yield from self._run(work, waiting, reporter)

    def _run(self, work: EmbeddingWork, waiting: "deque[_Shard]", reporter: Reporter) -> Generator[IndexBatch]:
        options, timer = work.options, Timer("indexing", len(work.files))
        batch, done, last, failures = IndexBatch(), 0, time.monotonic(), 0
        try:
            with closing(self.engine.run(self._worker(work), waiting)) as outcomes:
                for outcome in outcomes:
                    if outcome.value is not None:
                        batch.add(outcome.value)
                        done, failures = done + len(outcome.shard.files), 0
                        reporter.progress(timer.at(done))
                    elif isinstance(outcome.error, WorkerDiedError):
                        done += self._split(outcome, batch, waiting, options.limits)
                    else:
                        failures += 1
                        self._later(outcome, failures, waiting)
                    if len(batch.fragments) >= COMMIT_FRAGMENTS or time.monotonic() - last > options.commit_seconds:
                        yield batch
                        batch, last = IndexBatch(), time.monotonic()
        except (KeyboardInterrupt, LookalikeError, OSError):  # what was done before it is not lost
            if batch:
                yield batch
            raise
        if batch:
            yield batch

    def _shard_size(self, files: int) -> int:
        workers = self.engine.workers or 64
        return max(SMALLEST, min(SHARD, -(-files // (SHARDS_A_WORKER * workers))))

    def _worker(self, work: EmbeddingWork) -> "_Worker":
        known = frozenset(work.known) if len(work.known) <= MOST_KNOWN else frozenset()
        lenses = tuple(work.lenses)
        network = _SentBackbone.of(work.backbone, self.engine.elsewhere)
        pictures = work.options.pictures or FolderPictures(Path())
        return _Worker(network, work.table, lenses, known, pictures, work.options.limits)

    def _split(
        self, outcome: "Outcome[_Shard, IndexBatch]", batch: IndexBatch, waiting: "deque[_Shard]", limits: Limits
    ) -> int:
        """Halve a shard whose process ended again and again; a single file is refused. Gives how many are done."""
        files, new = outcome.shard.files, outcome.shard.new
        if len(files) > 1:
            half = len(files) // 2
            waiting.extendleft((_Shard(files[half:], new), _Shard(files[:half], new)))
            return 0
        (file,) = files
        reason = "ended the process that read it. Make a smaller copy, or touch the file to try it again."
        conditions = limits_of(limits), installed_decoders()
        batch.refused.append(RefusedFile(file.file, file.bytes, file.mtime_ns, reason, "killed", *conditions))
        return 1

    def _later(self, outcome: "Outcome[_Shard, IndexBatch]", failures: int, waiting: "deque[_Shard]") -> None:
        """Put a shard that could not be read or written behind the others.

        Raises: its error, where waiting longer does not mend it.
        """
        assert outcome.error is not None
        mends_itself = isinstance(outcome.error, OSError) and not isinstance(outcome.error, LookalikeError)
        passing = mends_itself or getattr(outcome.error, "code", "") in PASSING
        tries = outcome.shard.tries + 1
        if not passing or failures >= FAILURES or tries >= FAILURES:
            raise outcome.error
        waiting.append(_Shard(outcome.shard.files, outcome.shard.new, tries))


@dataclass(frozen=True)
class _Shard:
    """Some files, whether the table has no row of them, and how often they could not be read or written."""

    files: tuple[ImageFile, ...]
    new: bool
    tries: int = 0


def _parts(files: Sequence[ImageFile], size: int) -> list[tuple[ImageFile, ...]]:
    return [tuple(files[start : start + size]) for start in range(0, len(files), size)]


@dataclass(frozen=True)
class _SentBackbone:
    """A backbone that another process opens: found on its machine, or made of the files that were sent with it."""

    bundle: Bundle
    precision: str
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, backbone: Backbone, elsewhere: bool) -> "_SentBackbone":
        bundle = backbone.bundle
        files: dict[str, bytes] = {}
        if elsewhere and _found_anywhere(bundle) is None:
            files = {path.name: path.read_bytes() for path in bundle.path.iterdir() if path.is_file()}
        return cls(bundle, backbone.precision, files)

    def open(self) -> Backbone:
        """The backbone, with one thread: a worker is one of many.

        Raises: BundleError, where the worker's lookalike makes another one under this name.
        """
        return Backbone(self._place(), threads=1, precision=self.precision)

    def _place(self) -> Bundle | Path:
        if (self.bundle.path / "backbone.json").is_file():
            return self.bundle
        if (found := _found_anywhere(self.bundle)) is not None:
            return found
        if not self.files:
            raise BundleError(
                f"{socket.gethostname()}: its lookalike has another {self.bundle.name}. Install the same version "
                "everywhere."
            )
        place = cache_folder() / "backbones" / self.bundle.id
        if not (place / "backbone.json").is_file():

            def write(folder: Path) -> None:
                for name, content in self.files.items():
                    (folder / name).write_bytes(content)

            replace_folder(place, write)
        return place


def _found_anywhere(bundle: Bundle) -> Bundle | None:
    """The same backbone as every machine with this lookalike makes it from its own packages; None where it is none."""
    if bundle.name not in SPECS:
        return None
    made = resolve_bundle(bundle.name)
    return made if made.id == bundle.id else None


@dataclass(frozen=True)
class _Worker:
    """What a worker knows; called, it opens the backbone and gives what does a shard."""

    network: _SentBackbone
    table: Table
    lenses: tuple[Lens, ...]
    known: frozenset[bytes]
    pictures: PictureSource
    limits: Limits

    def __call__(self) -> "_ShardEmbedder":
        """Raises: CollectionError or StorageError, which names its machine, where that cannot reach the pictures."""
        try:
            self.pictures.require()
        except (CollectionError, StorageError) as error:
            raise type(error)(f"{socket.gethostname()}: {error}", code=error.code) from None
        return _ShardEmbedder(self.network.open(), self)


class _ShardEmbedder:
    """Does shards in a worker's process."""

    def __init__(self, backbone: Backbone, worker: _Worker):
        self.backbone, self.worker = backbone, worker

    def __call__(self, shard: _Shard) -> IndexBatch:
        worker = self.worker
        options = IndexOptions(limits=worker.limits, pictures=worker.pictures, commit_seconds=float("inf"))
        batch = IndexBatch()
        with closing(embed_files(shard.files, self.backbone, worker.known, options)) as batches:
            for part in batches:
                batch.add(part)
        if shard.new and batch.rows:
            row_of = {row.file: row for row in batch.rows}
            rows = batch.rows + [copy.row_like(row_of[copy.first]) for copy in batch.copies if copy.first is not None]
            lenses = {lens.name: lens.apply for lens in worker.lenses}
            batch.fragments = worker.table.write_fragment(rows, lenses)
            batch.in_fragments = [row.file for row in rows]
            batch.rows, batch.copies = [], [copy for copy in batch.copies if copy.first is None]
        return batch
