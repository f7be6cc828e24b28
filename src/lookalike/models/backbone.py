"""Pixels -> features: a bundle run by OpenVINO, decoding and inference overlapped."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BundleError
from lookalike.images.augment import view_squares
from lookalike.images.decode import DecodedImage, ImageSource, decode_square
from lookalike.images.limits import LIMITS, Limits
from lookalike.models.bundle import Bundle
from lookalike.models.features import combine_stages
from lookalike.models.openvino_runtime import openvino
from lookalike.models.registry import DEFAULT, cache_folder, resolve_bundle

BATCH = 8
IN_FLIGHT = 3
PRECISIONS = {"bf16", "f32"}
Job = TypeVar("Job")


class Backbone:
    """A pretrained network: pictures in, features out.

    Args:
        name: efficientnet-lite0, efficientnet-lite2, or a bundle's folder.
        threads: of the processor; None for all.
        precision: "bf16" or "f32"; None for bf16 where the processor has it.
    Raises: BundleError.

    >>> Backbone().length
    2816
    """

    def __init__(
        self, name: str | Path | Bundle = DEFAULT, *, threads: int | None = None, precision: str | None = None
    ):
        self.bundle = name if isinstance(name, Bundle) else resolve_bundle(name)
        self.threads = threads or os.cpu_count() or 1
        if precision not in {None, *PRECISIONS}:
            raise BundleError(f"precision {precision!r} is not known. There are bf16 and f32.")
        self.precision = precision or ("bf16" if has_bf16() else "f32")
        self._models: dict[int, Any] = {}

    @property
    def id(self) -> str:
        """What tells backbones apart."""
        return self.bundle.id

    @property
    def name(self) -> str:
        """What people call it."""
        return self.bundle.name

    @property
    def length(self) -> int:
        """The number of features f."""
        return self.bundle.length

    def embed(self, sources: Sequence[ImageSource], limits: Limits = LIMITS) -> NDArray[np.float32]:
        """The features of pictures.

        Args:
            sources: paths, bytes, PIL images or arrays of pixels.
            limits: what a picture may cost.
        Returns: (n, f) float32, rows of length 1, in the order of the sources.
        Raises: ImageError, for the first picture that cannot be read.
        """
        rows = []
        for _, read_, features in self.pipeline(sources, lambda one: decode_square(one, self.bundle.side_px, limits)):
            if isinstance(read_, Exception):
                raise read_
            rows.append(features)
        return np.stack(rows) if rows else np.zeros((0, self.length), np.float32)

    def embed_views(
        self, sources: Sequence[ImageSource], n: int, seed: int = 0, limits: Limits = LIMITS
    ) -> NDArray[np.float32]:
        """The features of n views of each picture, every picture decoded once.

        Args:
            sources: as for `embed`.
            n: views a picture: itself, its mirror image, then crops.
            seed: decides where the crops lie; each picture's depend on nothing but this and its place.
            limits: what a picture may cost.
        Returns: (m, n, f) float32, rows of length 1.
        Raises: ImageError, for the first picture that cannot be read.
        """
        side = self.bundle.side_px

        def read_(i: int) -> NDArray[np.uint8]:
            return view_squares(sources[i], side, n, np.random.default_rng([seed, i]), limits)

        def each() -> Iterator[NDArray[np.uint8]]:
            waiting = iter(range(len(sources)))
            ahead = deque(readers.submit(read_, i) for i in islice(waiting, 2 * self.threads))
            while ahead:
                yield from ahead.popleft().result()
                ahead.extend(readers.submit(read_, i) for i in islice(waiting, 1))

        with ThreadPoolExecutor(self.threads) as readers:
            rows = [features for _, _, features in self.pipeline(each(), lambda one: DecodedImage(one, side, side))]
        return np.asarray(rows, np.float32).reshape(len(sources), n, self.length)

    def pipeline(
        self, jobs: Iterable[Job], read_: Callable[[Job], DecodedImage]
    ) -> Iterator[tuple[Job, DecodedImage | Exception, NDArray[np.float32]]]:
        """Read and embed many pictures, the reading of some while others are embedded.

        Args:
            jobs: whatever `read_` understands; taken one after the other, a few batches ahead.
            read_: a job -> its pixels; runs in threads. What it raises comes back in place of the pixels.
        Yields: job, what was read or the exception, features (f,) float32 (zeros for an exception); in order.
        """
        waiting = iter(jobs)
        with ThreadPoolExecutor(self.threads) as readers:
            ahead: deque[tuple[Job, Future[DecodedImage]]] = deque()
            running: deque[tuple[list[tuple[Job, DecodedImage | Exception]], Any]] = deque()

            def fill() -> None:
                for job in islice(waiting, 4 * BATCH - len(ahead)):
                    ahead.append((job, readers.submit(read_, job)))

            fill()
            try:
                while ahead or running:
                    if ahead and len(running) < IN_FLIGHT:
                        batch = [(job, _outcome(future)) for job, future in islice(_drain(ahead), BATCH)]
                        fill()
                        running.append((batch, self._start([p for _, p in batch if isinstance(p, DecodedImage)])))
                        continue
                    done, request = running.popleft()
                    features = iter(self._finish(request))
                    for job, outcome in done:
                        good = isinstance(outcome, DecodedImage)
                        yield job, outcome, next(features) if good else np.zeros(self.length, np.float32)
            finally:
                for _, future in ahead:
                    future.cancel()

    def _start(self, pictures: list[DecodedImage]) -> Any:
        if not pictures:
            return None
        size = BATCH if len(pictures) > 1 else 1
        batch = np.zeros((size, self.bundle.side_px, self.bundle.side_px, 3), np.uint8)
        for row, picture in zip(batch, pictures, strict=False):
            row[:] = picture.array
        request = self._model(size).create_infer_request()
        request.start_async({0: batch})
        return request, len(pictures), batch

    def _finish(self, started: Any) -> NDArray[np.float32]:
        if started is None:
            return np.zeros((0, self.length), np.float32)
        request, n, _ = started
        request.wait()
        outputs = {depth.name: request.get_tensor(depth.name).data[:n] for depth in self.bundle.depths}
        return combine_stages(outputs, self.bundle)

    def _model(self, batch: int) -> Any:
        """The network compiled for one batch size: fixed shapes run faster, and compile once into the cache."""
        if batch not in self._models:
            core = openvino().Core()
            options: dict[str, Any] = {
                "INFERENCE_PRECISION_HINT": self.precision,
                "INFERENCE_NUM_THREADS": self.threads,
                "PERFORMANCE_HINT": "LATENCY" if batch == 1 else "THROUGHPUT",
                "CACHE_DIR": str(cache_folder() / "compiled"),
            }
            try:
                model = core.read_model(self.bundle.model)
                _check_input(model, self.bundle)
                side = self.bundle.side_px
                model.reshape({model.input(0): [batch, side, side, 3]})
                _check_outputs(model, self.bundle)
                self._models[batch] = core.compile_model(model, "CPU", options)
            except RuntimeError as error:
                reason = str(error).strip().splitlines()[-1][:200]
                raise BundleError(f"{self.bundle.model}: cannot be run ({reason}). Export it anew.") from error
        return self._models[batch]


def _check_input(model: Any, bundle: Bundle) -> None:
    side = bundle.side_px
    found = [f"{one.element_type.get_type_name()} {one.partial_shape}" for one in model.inputs]
    if len(model.inputs) == 1 and model.input(0).element_type.get_type_name() == "u8":
        shape = model.input(0).partial_shape
        if shape.rank.is_dynamic or shape.compatible(openvino().PartialShape([-1, side, side, 3])):
            return
    raise BundleError(
        f"{bundle.model}: takes {' and '.join(found)}, but backbone.json promises one picture, u8 [?,{side},{side},3]. "
        "Mend 'side_px', or export the model with the normalisation inside."
    )


def _check_outputs(model: Any, bundle: Bundle) -> None:
    found = {name: list(one.partial_shape) for one in model.outputs for name in one.get_names()}
    for depth in bundle.depths:
        shape = [str(size) for size in found.get(depth.name, [])]
        if shape[1:] != [str(depth.length)]:
            there = ", ".join(f"{name} ({', '.join(map(str, sizes))})" for name, sizes in sorted(found.items()))
            raise BundleError(
                f"{bundle.model}: has no output {depth.name!r} of shape (n, {depth.length}). It has {there}. "
                "Mend 'depths' in backbone.json, or pool and flatten the output."
            )


def _drain(ahead: "deque[tuple[Job, Future[DecodedImage]]]") -> Iterator[tuple[Job, "Future[DecodedImage]"]]:
    while ahead:
        yield ahead.popleft()


def _outcome(future: "Future[DecodedImage]") -> DecodedImage | Exception:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, Exception):
        return error
    raise error


def has_bf16() -> bool:
    """Whether this processor computes in bfloat16; never where LOOKALIKE_BF16 is 0 in the environment."""
    if os.environ.get("LOOKALIKE_BF16") == "0":
        return False
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
