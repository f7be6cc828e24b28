"""The deep tier: a backbone's last layers learn what belongs together, and the result is a backbone of its own."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from lookalike.errors import TrainingError
from lookalike.images.decode import ImageSource
from lookalike.learning.closed_form.whitening import whiten
from lookalike.learning.finetuning.activation_cache import ActivationCache
from lookalike.learning.finetuning.load_network import load_network
from lookalike.learning.finetuning.split_network import SplitNetwork
from lookalike.learning.labels import Rows, rows_by_label
from lookalike.learning.training.batch_sampler import batches
from lookalike.learning.training.history import BestState, StepMetrics
from lookalike.learning.training.losses import Loss
from lookalike.learning.training.low_rank_trainer import WhitenedRows, main_directions
from lookalike.learning.training.miners import Miner
from lookalike.learning.training.networks import LowRank
from lookalike.learning.training.trainer import train
from lookalike.models import bundle as bundles
from lookalike.models.backbone import has_bf16
from lookalike.models.bundle import Bundle, StageOutput
from lookalike.models.convert import torch_to_onnx as graph
from lookalike.models.layers import layer_index
from lookalike.models.lens import Lens

SMALL = 600  # pictures in groups: fewer learn in fewer steps
LEAST_SOFT, LEAST = 1e-3, 1e-6  # of a depth's mean, and of anything: the root's slope at 0 has no end


@dataclass(frozen=True)
class FineTuneConfig:
    """How a backbone learns; docs/quality.md says how the defaults were measured.

    Attributes:
        loss, miner, margin, temperature, rows: as in `train`.
        steps: as in `train`; None for 150, or 50 for less than 600 pictures.
        per_label: as in `train`; None for 4, and up to 12 where groups are few.
        learning_rate: of AdamW, warmed up and then falling along a cosine; None for 1e-3 where one block learns,
            4e-4 where more do, and 1e-4 for networks of other families.
        weight_decay: of AdamW.
        rank, dropout: of the low-rank correction that learns along and is thrown away.
        loss_input: what the loss sees of the features: the "last" depth alone, or "all"; the lens afterwards sees all. With
            all of them the closed form has learned few examples by heart, and leaves little to be learned.
        interpolation: how far the weights go from what they were to what they learned, 0 (not at all) to 1 (WiSE-FT,
            arXiv:2109.01903): part of the way they tell new pictures apart as well as at its end, or better.
        views: of each picture that are kept: itself, its mirror image, crops. None for 4 where less than 600 pictures
            are learned from (which those learn by heart otherwise), else 1.
        most_mb: that the cached activations may take on disk.
        checkpoint_every: steps.
        device: "cpu" or "cuda"; None for CUDA where torch sees it.
        bf16: whether the network computes in bfloat16; None where it pays: on CUDA, and for the default's last block on
            processors that have it (depthwise convolutions are slow in it).
    """

    loss: str | Loss = "softmax"
    miner: str | Miner | None = None
    margin: float = 0.2
    temperature: float = 0.1
    steps: int | None = None
    rows: int = 128
    per_label: int | None = None
    learning_rate: float | None = None
    weight_decay: float = 1e-4
    rank: int = 128
    dropout: float = 0.2
    loss_input: Literal["last", "all"] = "last"
    interpolation: float = 0.7
    views: int | None = None
    most_mb: float = 8000
    checkpoint_every: int = 25
    device: str | None = None
    bf16: bool | None = None


@dataclass(frozen=True)
class FineTuneCost:
    """What learning will take, told before it starts.

    Attributes:
        pictures, views: what is cached of how many pictures.
        mb: the cache takes on disk.
        caching_s: seconds until it is filled; 0 where it is.
        steps, step_s: how many steps, and seconds a step.
        learning, weights: how many numbers of the network learn, of how many.
    """

    pictures: int
    views: int
    mb: float
    caching_s: float
    steps: int
    step_s: float
    learning: int
    weights: int

    @property
    def learning_s(self) -> float:
        """Seconds of all steps."""
        return self.steps * self.step_s

    def __str__(self) -> str:
        views = f" in {self.views} views" if self.views > 1 else ""
        return (
            f"{self.learning:,} of {self.weights:,} weights learn from {self.pictures:,} pictures{views}: about "
            f"{self.caching_s:,.0f} s and {self.mb:,.0f} MB to prepare, {self.learning_s:,.0f} s for "
            f"{self.steps} steps."
        )


class LayerFineTuner:
    """A backbone on its way: go through `steps()`, and take `bundle()` at any time.

    Args:
        bundle: of the backbone, `Backbone(..).bundle`.
        pictures: paths, bytes, PIL images or arrays of pixels; n of them.
        labels, domains, triplets: what to learn from, see `batches`.
        layer: the first that learns: its name, the start of names up to a dot ("blocks.15"), or its place in
            `bundle.layers`, which counts from the end where it is negative.
        run: the folder for what is cached and for the checkpoint. A run that was broken off there goes on, and its
            curve is what it would have been.
        seed: of all that is drawn.
    Raises: BundleError, TrainingError, ExamplesError, ShapeError, MissingExtraError; each says what to do.
    """

    def __init__(
        self,
        bundle: Bundle,
        pictures: Sequence[ImageSource],
        labels: Rows,
        *,
        domains: Rows | None = None,
        triplets: Rows | None = None,
        layer: str | int,
        run: Path,
        settings: FineTuneConfig | None = None,
        seed: int = 0,
    ):
        self.parent, self.pictures, self.run, self.seed = bundle, pictures, run, seed
        self.group, self.side, self.triplets = np.asarray(labels, np.int64), domains, triplets
        if len(pictures) != len(self.group):
            raise TrainingError(
                f"{len(pictures)} pictures, but group names {len(self.group)}. Give one group a picture."
            )
        next(batches(self.group, np.random.default_rng(0), domains=domains, triplets=triplets))  # raises what it raises
        wanted = settings or FineTuneConfig()
        device = wanted.device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.twin = load_network(bundle).to(device)
        self.layer = layer_index(bundle, layer)
        self.at = self.twin.unfreeze(self.layer)
        self.untouched = {name: weight.detach().clone() for name, weight in self.twin.trainable().items()}
        self.settings = self._decided(wanted, device)
        self.activations = ActivationCache(
            self.twin, self.at, pictures, run, views=self.settings.views or 1, seed=seed, most_mb=wanted.most_mb
        )
        self.learned = BestState()
        self.network: FineTunedEmbedder | None = None

    def cost(self) -> FineTuneCost:
        """What learning will take, by a few pictures and two steps; nothing is written, nothing is learned."""
        rows = min(self.settings.rows, len(self.pictures))
        activations = torch.zeros(rows, *self.activations.shape, device=self.twin.device)
        pooled = tuple(torch.zeros(rows, size, device=self.twin.device) for size in self.activations.pooled)
        for _ in range(2):  # the first is slower
            started = time.perf_counter()
            torch.autograd.backward([one.sum() for one in self._learning_depths(activations, pooled)])
            step_s = time.perf_counter() - started
        for weight in self.twin.parameters():
            weight.grad = None
        return FineTuneCost(
            pictures=len(self.pictures),
            views=self.activations.views,
            mb=self.activations.mb,
            caching_s=0.0 if self.activations.filled else self.activations.seconds(),
            steps=self.settings.steps or 0,
            step_s=step_s,
            learning=sum(one.numel() for one in self.twin.trainable().values()),
            weights=sum(one.numel() for one in self.twin.parameters()),
        )

    def cache(self) -> Iterator[tuple[int, int]]:
        """Keep the activations of all pictures, where that is not done yet; yields how many are done, of how many."""
        if not self.activations.filled:
            yield from self.activations.fill()

    def steps(self) -> Iterator[StepMetrics]:
        """Learn, a step whenever the next report is asked for; what is not cached yet is cached first.

        Raises: what `train` raises; ImageError; TrainingError, when a GPU has too little memory.
        """
        for _ in self.cache():
            pass
        s = self.settings
        self.network = self.network or self._network()
        optimizer = torch.optim.AdamW(self.network.parameters(), s.learning_rate or 0.0, weight_decay=s.weight_decay)
        try:
            yield from train(
                self.network,
                self.activations,
                self.group,
                domains=self.side,
                triplets=self.triplets,
                optimizer=optimizer,
                seed=self.seed,
                learned=self.learned,
                checkpoint=self.run / "checkpoint.safetensors",
                checkpoint_every=s.checkpoint_every,
                **{name: getattr(s, name) for name in TRAINED},
            )
        except torch.cuda.OutOfMemoryError as error:
            raise TrainingError(
                f"the GPU has too little memory for {s.rows} pictures a step. Use fewer rows, or unfreeze from a later "
                "layer on."
            ) from error

    def bundle(self, path: Path) -> Bundle:
        """Write the backbone as it has become, with the part of it that is kept, and check it against torch.

        Args: path: of its folder, which must not be there yet.
        Raises: BundleError, when the file and torch do not agree.
        """
        with self._in_part():
            return self._written(path)

    @contextmanager
    def _in_part(self) -> Iterator[None]:
        """The weights between what they were and what they learned, for a while."""
        weights = self.twin.trainable()
        learned = {name: weight.detach().clone() for name, weight in weights.items()}
        try:
            for name, weight in weights.items():
                weight.data.lerp_(self.untouched[name], 1 - self.settings.interpolation)
            yield
        finally:
            for name, weight in weights.items():
                weight.data.copy_(learned[name])

    def _written(self, path: Path) -> Bundle:
        about = {
            name: x if isinstance(x, str | int | float | None) else repr(x) for name, x in vars(self.settings).items()
        }
        about |= {"layer": str(self.parent.layers[self.layer]["name"]), "step": self.learned.step, "seed": self.seed}
        tensors = {name: weight.detach().cpu().numpy() for name, weight in self.twin.named_parameters()}
        preprocessing = {"parent": self.parent.id, "depths": [asdict(one) for one in self.parent.depths]}
        found = bundles.identify(tensors, preprocessing)
        name = f"{self.parent.name.partition('-tuned-')[0]}-tuned-{found[:6]}"
        tuned = replace(self.parent, path=path, name=name, id=found, parent=self.parent.id, tuning=about)
        model, also = self.twin.files(tuned)
        device = self.twin.device
        graph.check(name, self.twin.to("cpu"), tuned.side_px, tuned.depths, model)
        self.twin.to(device)
        return bundles.write(tuned, model, also)

    def _learning_depths(self, activation: Tensor, pooled: tuple[Tensor, ...]) -> list[Tensor]:
        """The depths that a gradient comes through."""
        depths = stages_after_split(self.twin, self.at, activation, pooled, bool(self.settings.bf16))
        return [one for one in depths if one.requires_grad]

    def _decided(self, s: FineTuneConfig, device: str) -> FineTuneConfig:
        """The settings, with what depends on the examples and on how much learns."""
        groups = rows_by_label(self.group)
        few = sum(map(len, groups)) < SMALL and not (self.triplets is not None and len(self.triplets) >= SMALL // 3)
        one_block = sum(one.numel() for one in self.twin.trainable().values()) < ONE_BLOCK
        elsewhere = (self.parent.path / "config.json").is_file()
        pays = device == "cuda" or (one_block and not elsewhere and has_bf16())
        return replace(
            s,
            device=device,
            steps=s.steps or (50 if few else 150),
            views=s.views or (4 if few else 1),
            per_label=s.per_label or max(4, min(12, s.rows // max(len(groups), 1))),
            learning_rate=s.learning_rate or (1e-4 if elsewhere else 1e-3 if one_block else 4e-4),
            bf16=pays if s.bf16 is None else s.bf16,
        )

    def _network(self) -> "FineTunedEmbedder":
        """The learning part before it learned: what the closed form of the same examples says."""
        seen = self.parent.depths[: 1 if self.settings.loss_input == "last" else None]
        depths = self.activations.start[: len(seen)]
        untouched = features_of([torch.from_numpy(np.array(one)) for one in depths], seen).numpy()
        # Not leaned towards what tells groups apart, as a lens is: that would leave less to be learned still.
        closed = whiten(untouched, self.group, domains=self.side, triplets=self.triplets)
        y = WhitenedRows(closed, untouched, self.side).all()
        directions = main_directions(y, self.settings.rank, self.seed)
        s = self.settings
        head = LowRank(directions, s.dropout)
        return FineTunedEmbedder(self.twin, self.at, seen, closed, head, bool(s.bf16)).to(self.twin.device)


ONE_BLOCK = 1_500_000  # weights: the default's last block has 1.0 million, its last four 2.4
TRAINED = ("loss", "miner", "margin", "temperature", "steps", "rows", "per_label")


class FineTunedEmbedder(nn.Module):
    """What learns: the weights behind the cut, and a low-rank correction of the closed form that follows them.

    The twin itself is no part of it: its state holds what learns and nothing else.
    """

    def __init__(
        self, network: SplitNetwork, at: int, seen: Sequence[StageOutput], closed: Lens, head: LowRank, bf16: bool
    ):
        super().__init__()
        self.weights = nn.ParameterDict({name.replace(".", ":"): x for name, x in network.trainable().items()})
        self.head, self.at, self.seen, self.bf16 = head, at, seen, bf16
        self._twin = (network,)
        self.mean: Tensor
        self.matrix: Tensor
        self.register_buffer("mean", torch.from_numpy(np.atleast_2d(closed.mean).mean(axis=0)), persistent=False)
        self.register_buffer("matrix", torch.from_numpy(closed.matrix), persistent=False)

    def forward(self, activation: Tensor, *pooled: Tensor) -> Tensor:
        """What is cached of a batch -> (b, d), rows of length 1."""
        network = self._twin[0]
        depths = stages_after_split(network, self.at, activation, pooled, self.bf16)
        x = features_of(depths[: len(self.seen)], self.seen)
        y: Tensor = self.head((x - self.mean) @ self.matrix)  # (b, f) @ (f, d) -> (b, d)
        return y


def stages_after_split(
    network: SplitNetwork, at: int, activation: Tensor, pooled: tuple[Tensor, ...], bf16: bool
) -> tuple[Tensor, ...]:
    """All depths of a batch from the cut on, computed in the way that is fastest."""
    if activation.ndim == 4:  # convolutions are a third faster so
        activation = activation.contiguous(memory_format=torch.channels_last)
    with torch.autocast(activation.device.type, torch.bfloat16) if bf16 else nullcontext():
        return network.forward_trainable(activation, pooled, at)


def features_of(depths: Sequence[Tensor], how: Sequence[StageOutput]) -> Tensor:
    """Pooled depths -> features, as `lookalike.models.backbone.put_together` makes them, with a slope everywhere: (n, f)."""
    parts = []
    for x, depth in zip(depths, how, strict=True):
        x = x.float()
        size = x.abs()
        mean = size.mean(1, keepdim=True)
        e = max(depth.soft, LEAST_SOFT) * mean + LEAST
        root = torch.sign(x) * ((size + e) ** depth.power - e**depth.power)
        parts.append(depth.weight * normalize(root, eps=LEAST))
    return normalize(torch.cat(parts, 1))
