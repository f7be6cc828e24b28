"""Fine-tunes the last layers of a backbone, together with a low-rank correction of its closed form."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from lookalike.errors import TrainingError
from lookalike.images.decode import ImageSource
from lookalike.learning.closed_form.whitening import whiten
from lookalike.learning.finetuning.activation_cache import ActivationCache
from lookalike.learning.finetuning.config import FINE_TUNE, FineTuneConfig
from lookalike.learning.finetuning.finetuner import CHECKPOINT, FineTuneCost, has_few_weights, seconds_a_step
from lookalike.learning.finetuning.learning_rates import DEFAULT_FAMILY, family_of, learning_rates_of
from lookalike.learning.finetuning.load_network import load_network
from lookalike.learning.finetuning.split_network import Split, SplitNetwork
from lookalike.learning.labels import rows_by_label
from lookalike.learning.training.batch_sampler import batches
from lookalike.learning.training.config import CheckpointConfig, ResolvedTrainConfig
from lookalike.learning.training.history import BestState, EpochMetrics, StepMetrics
from lookalike.learning.training.low_rank_trainer import WhitenedRows, main_directions
from lookalike.learning.training.networks import LowRank
from lookalike.learning.training.trainer import train_steps
from lookalike.learning.training.trainer_state import Labelled, TrainerState
from lookalike.models.backbone import has_bf16
from lookalike.models.bundle import Bundle, StageOutput, identify, write
from lookalike.models.convert import torch_to_onnx
from lookalike.models.layers import layer_index
from lookalike.models.lens import Lens

SMALL = 600  # labelled images; fewer are trained on in fewer steps
LEAST_SOFT, LEAST = 1e-3, 1e-6  # of a stage's mean, and of anything: the root's slope at 0 has no end


class LayerFineTuner:
    """Fine-tunes a backbone from a layer on; a `FineTuner`.

    Args:
        bundle: of the backbone, `Backbone(..).bundle`.
        images: paths, bytes, PIL images or arrays of pixels; n of them.
        data: what belongs together among them: `TrainingLabels` or `LabelledFeatures` of n rows.
        config: from which layer on, and how.
        run: the folder for the cached activations and the checkpoint. A run that was interrupted there goes on, and
            its curve is what it would have been.
        seed: of all that is drawn.
    Raises: BundleError, TrainingError, ExamplesError, ShapeError, MissingExtraError; each says what to do.
    """

    def __init__(
        self,
        bundle: Bundle,
        images: Sequence[ImageSource],
        data: Labelled,
        config: FineTuneConfig,
        run: Path,
        seed: int = 0,
    ):
        if len(images) != len(data.labels):
            raise TrainingError(f"{len(images)} pictures, but {len(data.labels)} labels. Give one label a picture.")
        next(batches(data.labels, np.random.default_rng(0), domains=data.domains, triplets=data.triplets))  # or raises
        self.parent, self.images, self.data, self.run, self.seed = bundle, images, data, run, seed
        device = config.device or ("cuda" if torch.cuda.is_available() else "cpu")
        network = load_network(bundle).to(device)
        self.layer = layer_index(bundle, config.layer)
        self.split = Split(network, network.unfreeze(self.layer))
        self.untuned = {name: weight.detach().clone() for name, weight in network.trainable().items()}
        self.train = _resolve_train(config, data, network)
        self.config = _resolve(config, data, network, self.train)
        self.activations = ActivationCache(
            self.split, images, run, views=self.config.views or 1, seed=seed, most_mb=config.most_mb
        )
        self.best = BestState()
        self.embedder: FineTunedEmbedder | None = None

    @property
    def network(self) -> SplitNetwork:
        """The backbone in torch, with the weights that are trained."""
        return self.split.network

    @property
    def history(self) -> tuple[EpochMetrics, ...]:
        """None: there is no validation by epochs."""
        return ()

    @property
    def cached(self) -> bool:
        """See `FineTuner`."""
        return self.activations.filled

    def cost(self) -> FineTuneCost:
        """See `FineTuner`."""
        rows = min(self.train.rows, len(self.images))
        activations = torch.zeros(rows, *self.activations.shape, device=self.network.device)
        pooled = tuple(torch.zeros(rows, size, device=self.network.device) for size in self.activations.pooled)

        def step() -> None:
            stages = self.split.stages(activations, pooled, bf16=bool(self.config.bf16))
            torch.autograd.backward([one.sum() for one in stages if one.requires_grad])

        step_s = seconds_a_step(step)
        for weight in self.network.parameters():
            weight.grad = None
        return FineTuneCost(
            images=len(self.images),
            views=self.activations.views,
            mb=self.activations.mb,
            caching_s=0.0 if self.cached else self.activations.seconds(),
            steps=self.train.steps,
            step_s=step_s,
            trainable=sum(one.numel() for one in self.network.trainable().values()),
            weights=sum(one.numel() for one in self.network.parameters()),
        )

    def fill_cache(self) -> Generator[tuple[int, int], None, None]:
        """See `FineTuner`."""
        if not self.cached:
            yield from self.activations.fill()

    def steps(self) -> Generator[StepMetrics, None, None]:
        """See `FineTuner`."""
        for _ in self.fill_cache():
            pass
        self.embedder = self.embedder or self.start()
        optimizer = self._optimizer(self.embedder)
        state = TrainerState.create(
            self.embedder, self.activations, self.data, self.train, optimizer=optimizer, seed=self.seed
        )
        self.best = state.best
        try:
            yield from train_steps(state, CheckpointConfig(self.run / CHECKPOINT, self.config.checkpoint_every))
        except torch.cuda.OutOfMemoryError as error:
            raise TrainingError(
                f"the GPU has too little memory for {self.train.rows} pictures a step. Use fewer rows, or unfreeze "
                "from a later layer on."
            ) from error

    def learning_rates(self) -> dict[str, float]:
        """Each weight of the network that learns -> its learning rate before the schedule."""
        decay = self.config.layer_decay or 1.0
        weights = self.network.trainable()
        return {name: self.train.learning_rate * decay ** self.network.blocks_after(name) for name in weights}

    def _optimizer(self, embedder: "FineTunedEmbedder") -> torch.optim.Optimizer:
        groups: dict[float, list[nn.Parameter]] = {}
        weights = self.network.trainable()
        for name, rate in self.learning_rates().items():
            groups.setdefault(rate, []).append(weights[name])
        groups.setdefault(self.config.head_rate or self.train.learning_rate, []).extend(embedder.head.parameters())
        parts = [{"params": some, "lr": rate} for rate, some in groups.items()]
        return torch.optim.AdamW(parts, weight_decay=self.config.weight_decay)

    def start(self) -> "FineTunedEmbedder":
        """What is trained, as it is before the first step: it gives what the closed form of the same examples gives."""
        seen = self.parent.depths[: 1 if self.config.loss_input == "last" else None]
        stages = self.activations.start[: len(seen)]
        features = features_of([torch.from_numpy(np.array(one)) for one in stages], seen).numpy()
        # Plain whitening: the re-weighted closed form already separates the training labels and leaves no gradient.
        closed = whiten(features, self.data.labels, triplets=self.data.triplets)
        directions = main_directions(WhitenedRows(closed, features).all(), self.config.rank, self.seed)
        head = LowRank(directions, self.config.dropout)
        return FineTunedEmbedder(self.split, seen, closed, head, bf16=bool(self.config.bf16)).to(self.network.device)

    def export(self, path: Path) -> Bundle:
        """See `FineTuner`; the weights are interpolated between the untuned and the trained ones."""
        with self._interpolated():
            return self._written(path)

    @contextmanager
    def _interpolated(self) -> Iterator[None]:
        """The weights between what they were and what was trained, for a while."""
        weights = self.network.trainable()
        trained = {name: weight.detach().clone() for name, weight in weights.items()}
        try:
            for name, weight in weights.items():
                weight.data.lerp_(self.untuned[name], 1 - self.config.interpolation)
            yield
        finally:
            for name, weight in weights.items():
                weight.data.copy_(trained[name])

    def _written(self, path: Path) -> Bundle:
        about = replace(self.config, train=self.train).described()
        about |= {"layer": str(self.parent.layers[self.layer]["name"]), "step": self.best.step, "seed": self.seed}
        tensors = {name: weight.detach().cpu().numpy() for name, weight in self.network.named_parameters()}
        preprocessing = {"parent": self.parent.id, "depths": [one.table() for one in self.parent.depths]}
        found = identify(tensors, preprocessing)
        name = f"{self.parent.name.partition('-tuned-')[0]}-tuned-{found[:6]}"
        tuned = replace(self.parent, path=path, name=name, id=found, parent=self.parent.id, tuning=about, text=None)
        device = self.network.device
        try:
            model, also = self.network.files(tuned)
            torch_to_onnx.check(name, self.network.to("cpu"), tuned.side_px, tuned.depths, model)
        finally:
            self.network.to(device)
        return write(tuned, model, also)


class FineTunedEmbedder(nn.Module):
    """What is trained: the weights behind the split, and a low-rank correction of the closed form that follows them.

    Its state holds what is trained and nothing else.
    """

    def __init__(self, split: Split, seen: Sequence[StageOutput], closed: Lens, head: LowRank, *, bf16: bool):
        super().__init__()
        self.weights = nn.ParameterDict({name.replace(".", ":"): x for name, x in split.network.trainable().items()})
        self.head, self.split, self.seen, self.bf16 = head, split, seen, bf16
        self.mean: Tensor
        self.matrix: Tensor
        self.register_buffer("mean", torch.from_numpy(np.array(closed.mean)), persistent=False)
        self.register_buffer("matrix", torch.from_numpy(closed.matrix), persistent=False)

    def forward(self, activation: Tensor, *pooled: Tensor) -> Tensor:
        """What is cached of a batch -> (b, d), rows of length 1."""
        stages = self.split.stages(activation, pooled, bf16=self.bf16)
        x = features_of(stages[: len(self.seen)], self.seen)
        y: Tensor = self.head((x - self.mean) @ self.matrix)  # (b, f) @ (f, d) -> (b, d)
        return y


def features_of(stages: Sequence[Tensor], how: Sequence[StageOutput]) -> Tensor:
    """Pooled stages -> features (n, f), as `combine_stages` makes them, with a slope everywhere."""
    parts = []
    for x, stage in zip(stages, how, strict=True):
        x = x.float()
        size = x.abs()
        mean = size.mean(1, keepdim=True)
        e = max(stage.soft, LEAST_SOFT) * mean + LEAST
        root = torch.sign(x) * ((size + e) ** stage.power - e**stage.power)
        parts.append(stage.weight * normalize(root, eps=LEAST))
    return normalize(torch.cat(parts, 1))


def _is_small(data: Labelled) -> bool:
    return sum(map(len, rows_by_label(data.labels))) < SMALL and len(data.triplets) < SMALL // 3


def _resolve_train(config: FineTuneConfig, data: Labelled, network: SplitNetwork) -> ResolvedTrainConfig:
    """The training, with what depends on the examples and on how much is trained."""
    rows = config.train.rows or FINE_TUNE.rows
    rates = learning_rates_of(network.bundle)
    learning_rate = rates.few if has_few_weights(network) else rates.many
    per_label = max(4, min(12, rows // max(len(rows_by_label(data.labels)), 1)))
    steps = 50 if _is_small(data) else FINE_TUNE.steps
    defaults = replace(FINE_TUNE, steps=steps, per_label=per_label, learning_rate=learning_rate)
    return config.train.resolve(defaults)


def _resolve(
    config: FineTuneConfig, data: Labelled, network: SplitNetwork, train: ResolvedTrainConfig
) -> FineTuneConfig:
    """The rest of the configuration, resolved in the same way."""
    device = network.device.type
    default = family_of(network.bundle) == DEFAULT_FAMILY
    pays = device == "cuda" or (has_few_weights(network) and default and has_bf16())
    rates = learning_rates_of(network.bundle)
    return replace(
        config,
        train=train,
        layer_decay=rates.layer_decay if config.layer_decay is None else config.layer_decay,
        head_rate=config.head_rate or rates.head or train.learning_rate,
        device=device,
        views=config.views or (4 if _is_small(data) else 1),
        bf16=pays if config.bf16 is None else config.bf16,
    )
