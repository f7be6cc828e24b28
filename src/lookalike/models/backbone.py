"""Images -> features: a bundle run by OpenVINO, or by torch on a GPU; decoding and inference overlapped."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BundleError, ImageError, QueryError
from lookalike.images.decode import DecodedImage, ImageSource, decode_square
from lookalike.images.limits import LIMITS, Limits
from lookalike.images.sources import as_source_list
from lookalike.models.bundle import Bundle
from lookalike.models.named import WITH_WORDS
from lookalike.models.openvino_engine import OpenVinoEngine, has_bf16
from lookalike.models.registry import DEFAULT, resolve_bundle
from lookalike.models.text_engine import TextEngine

__all__ = ["Backbone", "Engine", "HasImage", "has_bf16"]

PRECISIONS = {"bf16", "f32"}
Job = TypeVar("Job")
Read = TypeVar("Read")


class Engine(Protocol):
    """What computes a network's features: `start` begins with at most `batch` images, `finish` gives their rows."""

    batch: int
    in_flight: int

    def start(self, images: Sequence[DecodedImage]) -> Any: ...
    def finish(self, started: Any) -> NDArray[np.float32]: ...


@runtime_checkable
class HasImage(Protocol):
    """What a reader gives to be embedded: anything with an image, or the image itself."""

    @property
    def image(self) -> DecodedImage: ...


class Backbone:
    """A pretrained network: pictures in, features out.

    Args:
        name: efficientnet-lite0, efficientnet-lite2, or a bundle's folder.
        device: None for the processor, by OpenVINO; "cuda" for a GPU, by torch (any device that torch knows).
        threads: of the processor; None for all.
        precision: "bf16" or "f32"; None for bf16 where the processor has it. A device of torch computes in f32.
    Raises: BundleError; MissingExtraError, for a device without torch.

    Pickled, it is its folder and these options: another process opens it anew. So does one that was forked; on a
    device of torch it raises ForkedError there instead, where the parent has used torch.

    >>> Backbone().length
    3488
    """

    def __init__(
        self,
        name: str | Path | Bundle = DEFAULT,
        *,
        device: str | None = None,
        threads: int | None = None,
        precision: str | None = None,
    ):
        self.bundle = name if isinstance(name, Bundle) else resolve_bundle(name)
        self.device, self.threads = device, threads or os.cpu_count() or 1
        if precision not in {None, *PRECISIONS}:
            raise BundleError(f"precision {precision!r} is not known. There are bf16 and f32.")
        if device is not None and precision == "bf16":
            raise BundleError(f"precision bf16 is not known to device {device!r}. Leave one of them out, or give f32.")
        self.precision = precision or ("bf16" if device is None and has_bf16() else "f32")
        self._text: TextEngine | None = None
        self.engine: Engine
        if device is None:
            self.engine = OpenVinoEngine(self.bundle, self.threads, self.precision)
        else:
            from lookalike.models.convert import engine_on

            self.engine = engine_on(self.bundle, device)

    def __reduce__(self) -> tuple[Any, ...]:
        where = replace(self.bundle, path=self.bundle.path.absolute())
        return _opened, (type(self), where, self.device, self.threads, self.precision)

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

    @property
    def has_words(self) -> bool:
        """Whether it can be asked in words: whether it has a network of texts beside that of pictures."""
        return self.bundle.text is not None

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The features of texts: zero outside of the part that texts and pictures share.

        Their similarity to the features of a picture is the cosine in that shared space times `bundle.joint[1]`.

        Args: texts: what a picture may show, in a few words each; of a longer one the beginning counts.
        Returns: (n, f) float32, rows of length 1.
        Raises: QueryError, for a backbone without words; BundleError; MissingExtraError.
        """
        part, _ = self.text_engine.bundle.joint
        rows = np.zeros((len(texts), self.length), np.float32)
        rows[:, part] = self.text_engine.embed(texts)
        return rows

    @property
    def text_engine(self) -> TextEngine:
        """What runs the network of texts, read once. Raises: QueryError, for a backbone without one."""
        if self.bundle.text is None:
            raise QueryError(
                f"the backbone {self.name} knows no words. Of those with names here, {' and '.join(WITH_WORDS)} do: "
                f"index with --backbone {WITH_WORDS[-1]}.",
                code="query.words",
            )
        if self._text is None:
            self._text = TextEngine(self.bundle, self.threads)
        return self._text

    def embed(self, sources: Sequence[ImageSource], limits: Limits = LIMITS) -> NDArray[np.float32]:
        """The features of pictures.

        Args:
            sources: paths, bytes, PIL images, arrays of pixels, or what else `as_image_source` takes; or one of them.
            limits: what a picture may cost.
        Returns: (n, f) float32, rows of length 1, in the order of the sources.
        Raises: ImageError, for the first picture that cannot be read.
        """
        rows = []
        side = self.bundle.side_px
        with closing(self.pipeline(as_source_list(sources), lambda one: decode_square(one, side, limits))) as pipeline:
            for _, outcome, features in pipeline:
                if isinstance(outcome, ImageError):
                    raise outcome
                rows.append(features)
        return np.stack(rows) if rows else np.zeros((0, self.length), np.float32)

    def pipeline(
        self, jobs: Iterable[Job], read: Callable[[Job], Read]
    ) -> Generator[tuple[Job, Read | ImageError, NDArray[np.float32]]]:
        """Read and embed many pictures, the reading of some while others are embedded.

        Who stops before the end closes it (`contextlib.closing`): then its threads end.

        Args:
            jobs: whatever `read` understands; taken one after the other, a few batches ahead.
            read: a job -> an image or what has one (`HasImage`), which is embedded, or anything else, which is handed
                on. It runs in threads.
        Yields: job, what was read or the ImageError that reading it raised, features (f,) float32 (zeros where there
            is no image); in order.
        Raises: what else `read` raises.
        """
        waiting, engine = iter(jobs), self.engine
        ahead: deque[tuple[Job, Future[Read]]] = deque()
        running: deque[tuple[list[tuple[Job, Read | ImageError, DecodedImage | None]], Any]] = deque()
        with ThreadPoolExecutor(self.threads, "lookalike-reading") as readers:

            def fill() -> None:
                for job in islice(waiting, max(32, 4 * engine.batch, engine.batch * engine.in_flight) - len(ahead)):
                    ahead.append((job, readers.submit(read, job)))

            try:
                fill()
                while ahead or running:
                    if ahead and len(running) < engine.in_flight:
                        batch: list[tuple[Job, Read | ImageError, DecodedImage | None]] = []
                        while ahead and len(batch) < engine.batch:
                            job, future = ahead.popleft()
                            outcome = _outcome(future)
                            batch.append((job, outcome, _image_of(outcome)))
                        fill()
                        running.append((batch, engine.start([image for *_, image in batch if image is not None])))
                        continue
                    done, started = running.popleft()
                    rows = iter(engine.finish(started))
                    for job, outcome, image in done:
                        yield job, outcome, np.zeros(self.length, np.float32) if image is None else next(rows)
            finally:
                for _, future in ahead:
                    future.cancel()


def _opened(kind: type[Backbone], bundle: Bundle, device: str | None, threads: int, precision: str) -> Backbone:
    return kind(bundle, device=device, threads=threads, precision=precision)


def _outcome(future: "Future[Read]") -> Read | ImageError:
    try:
        return future.result()
    except ImageError as error:
        # Its frames hold the picture; the error is kept, as the outcome of a content, to the end of a run.
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)


def _image_of(outcome: object) -> DecodedImage | None:
    if isinstance(outcome, DecodedImage):
        return outcome
    return outcome.image if isinstance(outcome, HasImage) else None
