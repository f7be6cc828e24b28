"""What a frozen front makes of pictures, kept on disk, so that an epoch runs only what learns."""

import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
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
from lookalike.learning.finetuning.split_network import Runner, SplitNetwork, Values
from lookalike.learning.training.checkpoint import digest_of

AT_ONCE = 8  # pictures that the front sees at a time
MARKED = 256  # pictures between two marks of how far it came
READERS = 2  # threads that decode ahead


class ActivationCache:
    """The activations at a cut, (n, views, ...) float16, and the depths pooled there; `[rows]` gives a view of each.

    Args:
        twin, at: the network and where it is cut.
        pictures: paths, bytes, PIL images or arrays of pixels; n of them.
        folder: for the files; what lies there of the same pictures, network and cut is used.
        views: of each picture, as `pictures.views` gives them.
        seed: of the crops, and of which view a row is drawn as.
        most_mb: that they may take on disk; so many views are kept as fit.
    Raises: TrainingError, when not even one view of each fits.
    """

    def __init__(
        self,
        twin: SplitNetwork,
        at: int,
        pictures: Sequence[ImageSource],
        folder: Path,
        *,
        views: int = 1,
        seed: int = 0,
        most_mb: float = 8000,
    ):
        self.twin, self.at, self.pictures, self.folder, self.seed = twin, at, pictures, folder, seed
        side = twin.bundle.side_px
        with torch.no_grad():
            activation, pooled = twin.forward_frozen(
                torch.zeros(1, side, side, 3, dtype=torch.uint8, device=twin.device), at
            )
        self.shape, self.pooled = tuple(activation.shape[1:]), [one.shape[1] for one in pooled]
        self.kind: Any = np.uint8 if activation.dtype == torch.uint8 else np.float16
        a_view = activation[0].numel() * np.dtype(self.kind).itemsize + 2 * sum(self.pooled)
        self.fixed_mb = len(pictures) * 4 * twin.bundle.length / 1e6
        self.view_mb = len(pictures) * a_view / 1e6
        self.views = int(min(views, (most_mb - self.fixed_mb) // max(self.view_mb, 1e-9)))
        if self.views < 1:
            raise TrainingError(
                f"the activations of {len(pictures)} pictures take {self.fixed_mb + self.view_mb:,.0f} MB, more than "
                f"the {most_mb:,.0f} allowed. Unfreeze from a later layer on, learn from fewer pictures, or allow more."
            )
        self.rng = np.random.default_rng([seed, 1])

    @property
    def mb(self) -> float:
        """What they take on disk."""
        return self.fixed_mb + self.views * self.view_mb

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def key(self) -> dict[str, Any]:
        """What tells these activations from others."""
        names = np.array([_known(one) for one in self.pictures])
        return {
            "backbone": self.twin.bundle.id,
            "cut": self.at,
            "views": self.views,
            "seed": self.seed,
            "pictures": digest_of(names),
        }

    def fill(self) -> Iterator[tuple[int, int]]:
        """Make what is not there yet; yields how many pictures are done, of how many. A broken one goes on.

        Raises: ImageError, for the first picture that cannot be read.
        """
        n, mark = len(self.pictures), self.folder / "activations.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        sizes = {"activations": (n, self.views, *self.shape), "pooled": (n, self.views, sum(self.pooled))}
        sizes["start"] = (n, self.twin.bundle.length)
        kinds = {"activations": self.kind, "pooled": np.float16, "start": np.float32}
        done = _done(mark, self.key) if all((self.folder / f"{name}.npy").is_file() for name in sizes) else 0
        mode: Any = "r+" if done else "w+"
        files = {
            name: open_memmap(self.folder / f"{name}.npy", mode, kinds[name], None if done else shape)
            for name, shape in sizes.items()
        }
        run = halve_on_oom(self.twin.runner(self.at))
        waiting = deque(range(done, n, AT_ONCE))
        with ThreadPoolExecutor(READERS) as readers:
            ahead = deque((start, readers.submit(self._squares, start)) for start in islice(waiting, 4))
            waiting = deque(list(waiting)[len(ahead) :])
            while ahead:
                start, job = ahead.popleft()
                pixels = job.result()  # (b, views, side, side, 3)
                if waiting:
                    following = waiting.popleft()
                    ahead.append((following, readers.submit(self._squares, following)))
                end = start + len(pixels)
                for view in range(self.views):
                    activation, depths, pooled = run(np.ascontiguousarray(pixels[:, view]))
                    files["activations"][start:end, view] = activation
                    if pooled:
                        files["pooled"][start:end, view] = np.hstack(pooled)
                    if view == 0:
                        files["start"][start:end] = np.hstack(depths)
                if end == n or end % MARKED == 0:
                    for file in files.values():
                        file.flush()
                    atomic_write(mark, json.dumps({"key": self.key, "done": end}).encode())
                yield end, n

    @property
    def filled(self) -> bool:
        """Whether all of them are there."""
        return _done(self.folder / "activations.json", self.key) == len(self.pictures)

    @property
    def start(self) -> list[NDArray[np.float32]]:
        """The depths as the untouched network gives them, (n, length) each, of the pictures as they are."""
        whole = np.load(self.folder / "start.npy", mmap_mode="r")
        return np.split(whole, np.cumsum([one.length for one in self.twin.bundle.depths])[:-1], axis=1)

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

    def seconds(self, pictures: int = 2 * AT_ONCE) -> float:
        """What filling will take, from how long a few pictures take."""
        some = min(pictures, len(self.pictures))
        run = self.twin.runner(self.at)
        run(np.zeros((AT_ONCE, *(self.twin.bundle.side_px,) * 2, 3), np.uint8))  # the first is slower
        started = time.perf_counter()
        for start in range(0, some, AT_ONCE):
            pixels = self._squares(start)
            for view in range(self.views):
                run(np.ascontiguousarray(pixels[:, view]))
        return (time.perf_counter() - started) / some * len(self.pictures)

    def _squares(self, start: int) -> NDArray[np.uint8]:
        side, end = self.twin.bundle.side_px, min(start + AT_ONCE, len(self.pictures))
        return np.stack(
            [
                view_squares(self.pictures[i], side, self.views, np.random.default_rng([self.seed, i]))
                for i in range(start, end)
            ]
        )


def halve_on_oom(run: Runner) -> Runner:
    """The same, half as many pictures at a time for as long as a GPU has too little memory.

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


def _known(picture: ImageSource) -> str:
    """What a picture is known by: its file with size and date, or its content."""
    if isinstance(picture, str | Path):
        try:
            found = Path(picture).stat()
        except OSError:
            return str(picture)  # reading it will say what is wrong
        return f"{picture} {found.st_size} {found.st_mtime_ns}"
    if isinstance(picture, bytes):
        return digest_of(np.frombuffer(picture, np.uint8))
    return digest_of(np.asarray(picture))
