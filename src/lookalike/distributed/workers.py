"""Who does the work of `index` and `learn`: this process, or the workers of the engine that options name."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from lookalike.distributed.backfill import ColumnFiller
from lookalike.distributed.embed import DistributedEmbedder
from lookalike.distributed.engine import Engine, WorkersKeywords
from lookalike.distributed.ray_engine import RayEngine
from lookalike.errors import CollectionError
from lookalike.index.embed_files import Embedder
from lookalike.index.lens_column import FillColumn, update_lens_column
from lookalike.progress import SILENT, Reporter


@dataclass(frozen=True)
class Workers:
    """Who does the work of a verb.

    Attributes:
        embedder: what reads and embeds pictures; None for this process.
        fill: brings the columns of lenses up to date.
    """

    embedder: Embedder | None = None
    fill: FillColumn = update_lens_column


@contextmanager
def workers_of(options: WorkersKeywords, reporter: Reporter = SILENT) -> Iterator[Workers]:
    """Who does the work, as long as the context is open: an engine's workers start with the first work and then end.

    Args:
        options: where.
        reporter: told of "filling" a column by an engine.
    Raises: CollectionError, MissingExtraError.

    >>> with workers_of({}) as workers:
    ...     print(workers.embedder)
    None
    """
    engine, shard = engine_of(options), options.get("shard")
    if shard is not None and shard < 1:
        raise CollectionError(f"--shard {shard}: at least 1 is needed.")
    if engine is None:
        yield Workers()
        return
    with closing(engine):
        yield Workers(DistributedEmbedder(engine, shard), ColumnFiller(engine, reporter))


def engine_of(options: WorkersKeywords) -> Engine | None:
    """What does the work; None for this process.

    Raises: CollectionError, for a name that is none; MissingExtraError, where Ray is not installed.

    >>> engine_of({"on": "spark"})
    Traceback (most recent call last):
    lookalike.errors.CollectionError: --on spark: not known. There are ray and ray=ADDRESS.
    """
    name, workers = options.get("on"), options.get("workers")
    if name is None:
        return None
    kind, _, address = name.partition("=")
    if kind != "ray" or (name != "ray" and not address):
        raise CollectionError(f"--on {name}: not known. There are ray and ray=ADDRESS.")
    if workers is not None and workers < 1:
        raise CollectionError(f"--workers {workers}: at least 1 is needed.")
    return RayEngine(address or None, workers)
