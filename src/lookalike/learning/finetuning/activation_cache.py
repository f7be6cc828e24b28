"""What the frozen part of a network makes of images, cached on disk, so that an epoch runs only what is trained."""

import json
import time
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor

from lookalike.errors import TrainingError
from lookalike.files import atomic_write
from lookalike.images.augment import view_squares
from lookalike.images.decode import ImageSource
from lookalike.learning.finetuning.reserved_arrays import reserve_arrays
from lookalike.learning.finetuning.split_network import Runner, Split, Values
from lookalike.learning.training.array_digest import array_digest

AT_ONCE = 8  # pictures that the front sees at a time
FLUSH_EVERY = 256  # images between two notes of how far it came
READERS = 2  # threads that decode ahead


class ActivationCache:
    """The activations at a cut, (n, views, ...) float16, and the depths pooled there; `[rows]` gives a view of each.

    Args:
        split: the network and where it is cut.
        images: paths, bytes, PIL images or arrays of pixels; n of them.
        folder: for the files; what lies there of the same images, network and cut is used.
        views: of each image, as `view_squares` gives them.
        seed: of the crops, and of which view a row is drawn as.
        most_mb: that they may take on disk; so many views are kept as fit.
        flush_every: images after which what was done is safe from a kill.
    Raises: TrainingError, when not even one view of each fits.
    """

    def __init__(
        self,
        split: Split,
        images: Sequence[ImageSource],
        folder: Path,
        *,
        views: int = 1,
        seed: int = 0,
        most_mb: float = 8000,
        flush_every: int = FLUSH_EVERY,
    ):
        self.network, self.at, self.images, self.folder, self.seed = split.network, split.at, images, folder, seed
        self.flush_every = flush_every
        bundle = self.network.bundle
        side = bundle.side_px
        with torch.no_grad():
            activation, pooled = split.frozen(
                torch.zeros(1, side, side, 3, dtype=torch.uint8, device=self.network.device)
            )
        self.shape, self.pooled = tuple(activation.shape[1:]), [one.shape[1] for one in pooled]
        self.kind: Any = np.uint8 if activation.dtype == torch.uint8 else np.float16
        a_view = activation[0].numel() * np.dtype(self.kind).itemsize + 2 * sum(self.pooled)
        self.fixed_mb = len(images) * 4 * bundle.length / 1e6
        self.view_mb = len(images) * a_view / 1e6
        self.views = int(min(views, (most_mb - self.fixed_mb) // max(self.view_mb, 1e-9)))
        if self.views < 1:
            raise TrainingError(
                f"the activations of {len(images)} pictures take {self.fixed_mb + self.view_mb:,.0f} MB, more than "
                f"the {most_mb:,.0f} allowed. Unfreeze from a later layer on, learn from fewer pictures, or allow more."
            )
        self.rng = np.random.default_rng([seed, 1])

    @property
    def mb(self) -> float:
        """What they take on disk."""
        return self.fixed_mb + self.views * self.view_mb

    def __len__(self) -> int:
        return len(self.images)

    @property
    def key(self) -> dict[str, Any]:
        """What tells these activations from others."""
        names = np.array([_known(one) for one in self.images])
        return {
            "backbone": self.network.bundle.id,
            "cut": self.at,
            "views": self.views,
            "seed": self.seed,
            "pictures": array_digest(names),
        }

    def fill(self) -> Generator[tuple[int, int], None, None]:
        """Make what is not there yet; yields how many images are done, of how many. One that was broken off goes on.

        Raises: ImageError, for the first image that cannot be read; TrainingError, before anything is written, when
            the disk has too little space.
        """
        n, mark = len(self.images), self.folder / "activations.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        sizes = {"activations": (n, self.views, *self.shape), "pooled": (n, self.views, sum(self.pooled))}
        sizes["start"] = (n, self.network.bundle.length)
        kinds = {"activations": self.kind, "pooled": np.float16, "start": np.float32}
        done = _done(mark, self.key) if all((self.folder / f"{name}.npy").is_file() for name in sizes) else 0
        if done:
            files = {name: open_memmap(self.folder / f"{name}.npy", "r+") for name in sizes}
        else:
            mark.unlink(missing_ok=True)
            files = reserve_arrays({self.folder / f"{name}.npy": (sizes[name], kinds[name]) for name in sizes})
        run = halve_on_oom(self.network.runner(self.at))
        starts = iter(range(done, n, AT_ONCE))
        readers = ThreadPoolExecutor(READERS)
        try:
            ahead = deque((start, readers.submit(self._squares, start)) for start in islice(starts, 4))
            while ahead:
                start, job = ahead.popleft()
                pixels = job.result()  # (b, views, side, side, 3)
                ahead.extend((following, readers.submit(self._squares, following)) for following in islice(starts, 1))
                end = start + len(pixels)
                for view in range(self.views):
                    activation, depths, pooled = run(np.ascontiguousarray(pixels[:, view]))
                    files["activations"][start:end, view] = activation
                    if pooled:
                        files["pooled"][start:end, view] = np.hstack(pooled)
                    if view == 0:
                        files["start"][start:end] = np.hstack(depths)
                if end == n or end % self.flush_every == 0:
                    for file in files.values():
                        file.flush()
                    atomic_write(mark, json.dumps({"key": self.key, "done": end}).encode())
                yield end, n
        finally:  # broken off, by whatever: no thread stays behind
            readers.shutdown(cancel_futures=True)

    @property
    def filled(self) -> bool:
        """Whether all of them are there."""
        return _done(self.folder / "activations.json", self.key) == len(self.images)

    @property
    def start(self) -> list[NDArray[np.float32]]:
        """The depths as the untouched network gives them, (n, length) each, of the pictures as they are."""
        whole = np.load(self.folder / "start.npy", mmap_mode="r")
        return np.split(whole, np.cumsum([one.length for one in self.network.bundle.depths])[:-1], axis=1)

    def __getitem__(self, rows: NDArray[np.int64]) -> tuple[Tensor, ...]:
        """(b,) int64 -> the activation (b, ...) and the pooled depths (b, length) of one view of each, at random."""
        views = self.rng.integers(self.views, size=len(rows)) if self.views > 1 else np.zeros(len(rows), np.int64)
        return self.of(rows, views)

    def of(self, rows: NDArray[np.int64], views: NDArray[np.int64]) -> tuple[Tensor, ...]:
        """The same of certain views."""
        activations = np.load(self.folder / "activations.npy", mmap_mode="r")[rows, views]
        pooled = np.load(self.folder / "pooled.npy", mmap_mode="r")[rows, views]
        parts = np.split(pooled, np.cumsum(self.pooled)[:-1], axis=1) if self.pooled else []
        return tuple(torch.from_numpy(np.array(one)) for one in (activations, *parts))

    def seconds(self, images: int = 2 * AT_ONCE) -> float:
        """What filling will take, from how long a few images take."""
        some = min(images, len(self.images))
        run = self.network.runner(self.at)
        run(np.zeros((AT_ONCE, *(self.network.bundle.side_px,) * 2, 3), np.uint8))  # the first is slower
        started = time.perf_counter()
        for start in range(0, some, AT_ONCE):
            pixels = self._squares(start)
            for view in range(self.views):
                run(np.ascontiguousarray(pixels[:, view]))
        return (time.perf_counter() - started) / some * len(self.images)

    def _squares(self, start: int) -> NDArray[np.uint8]:
        side, end = self.network.bundle.side_px, min(start + AT_ONCE, len(self.images))
        return np.stack(
            [
                view_squares(self.images[i], side, self.views, np.random.default_rng([self.seed, i]))
                for i in range(start, end)
            ]
        )


def halve_on_oom(run: Runner) -> Runner:
    """The same, but with half the batch where CUDA runs out of memory, and half of that.

    Raises: TrainingError, when one picture alone is too much.
    """

    def halved(pixels: NDArray[np.uint8]) -> tuple[Values, list[Values], list[Values]]:
        try:
            return run(pixels)
        except torch.cuda.OutOfMemoryError as error:
            if len(pixels) == 1:
                raise TrainingError(
                    "the GPU has too little memory for one picture. Close what else runs on it, or use device='cpu'."
                ) from error
        torch.cuda.empty_cache()
        half = len(pixels) // 2
        first, second = halved(pixels[:half]), halved(pixels[half:])
        joined = [
            [np.concatenate(two) for two in zip(a, b, strict=True)] for a, b in zip(first[1:], second[1:], strict=True)
        ]
        return np.concatenate([first[0], second[0]]), joined[0], joined[1]

    return halved


def _done(mark: Path, key: dict[str, Any]) -> int:
    """How many pictures are there already of what this key says."""
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
        return int(found["done"]) if found["key"] == key else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _known(image: ImageSource) -> str:
    """What an image is known by: its file with size and date, or its content."""
    if isinstance(image, str | Path):
        try:
            found = Path(image).stat()
        except OSError:
            return str(image)  # reading it will say what is wrong
        return f"{image} {found.st_size} {found.st_mtime_ns}"
    if isinstance(image, bytes):
        return array_digest(np.frombuffer(image, np.uint8))
    return array_digest(np.asarray(image))
