"""Features by torch: for a GPU, which OpenVINO does not use."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from lookalike.images.decode import DecodedImage, ImageSource, decode_square
from lookalike.images.limits import LIMITS, Limits
from lookalike.learning.finetuning.activation_cache import halve_on_oom
from lookalike.learning.finetuning.load_network import load_network
from lookalike.models.bundle import Bundle
from lookalike.models.features import combine_stages


def embed(
    bundle: Bundle,
    pictures: Sequence[ImageSource],
    *,
    device: str | None = None,
    rows: int = 64,
    threads: int = 4,
    limits: Limits = LIMITS,
) -> NDArray[np.float32]:
    """The features of pictures in float32, as `Backbone.embed` gives them, but by torch.

    Args:
        bundle: as for `load_network`.
        pictures: paths, bytes, PIL images or arrays of pixels.
        device: "cpu" or "cuda"; None for CUDA where torch sees it. A processor is faster with `Backbone`.
        rows: pictures at a time; fewer where a GPU has too little memory.
        threads: that decode ahead.
        limits: what a picture may cost.
    Returns: (n, f) float32, rows of length 1.
    Raises: ImageError, for the first picture that cannot be read; BundleError; TrainingError, when a GPU has too
        little memory for one picture.
    """
    network = load_network(bundle).to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    run, found = halve_on_oom(network.runner(0)), []
    for batch in _batches(bundle, pictures, rows, threads, limits):
        _, depths, _ = run(batch)
        found.append(combine_stages({one.name: x for one, x in zip(bundle.depths, depths, strict=True)}, bundle))
    return np.concatenate(found) if found else np.zeros((0, bundle.length), np.float32)


def _batches(
    bundle: Bundle, pictures: Sequence[ImageSource], rows: int, threads: int, limits: Limits
) -> Iterator[NDArray[np.uint8]]:
    """Squares as the network wants them, (b, side, side, 3), the next ones decoded meanwhile."""
    with ThreadPoolExecutor(threads) as readers:
        waiting = iter(pictures)

        def start() -> list[Future[DecodedImage]]:
            return [readers.submit(decode_square, one, bundle.side_px, limits) for one in islice(waiting, rows)]

        following = start()
        while following:
            jobs, following = following, start()
            yield np.stack([job.result().array for job in jobs])
