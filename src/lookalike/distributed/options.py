"""Where work is done: the options of `index` and `learn` that name an engine."""

from typing import TypedDict

from lookalike.distributed.embed import DistributedEmbedder
from lookalike.distributed.engine import Engine
from lookalike.distributed.ray_engine import RayEngine
from lookalike.errors import CollectionError
from lookalike.index.embed_files import Embedder


class WorkersKeywords(TypedDict, total=False):
    """Where work is done.

    Attributes:
        on: "ray" for workers on this machine, "ray=ADDRESS" for a cluster: host:port, ray://host:port or auto. Left out
            or None: in this process.
        workers: how many; None for one a processor.
        shard: how many pictures a worker takes at once; None for 4,096, or fewer, so that each gets four times some.
    """

    on: str | None
    workers: int | None
    shard: int | None


def embedder_of(options: WorkersKeywords) -> Embedder | None:
    """What embeds; None for this process.

    Raises: CollectionError, MissingExtraError.

    >>> embedder_of({"on": None}) is None
    True
    """
    engine, shard = engine_of(options), options.get("shard")
    if shard is not None and shard < 1:
        raise CollectionError(f"--shard {shard}: at least 1 is needed.")
    return None if engine is None else DistributedEmbedder(engine, shard)


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
