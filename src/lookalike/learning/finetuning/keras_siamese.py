"""The Keras example's network: a backbone from its last stage on, a head on the flattened map, trained by triplets."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from lookalike.errors import TrainingError
from lookalike.images.decode import ImageSource
from lookalike.learning.finetuning.activation_cache import ActivationCache
from lookalike.learning.finetuning.finetuner import ONE_BLOCK, FineTuneCost
from lookalike.learning.finetuning.keras_recipe import (
    KerasSiameseConfig,
    LastEpochState,
    by_epoch,
    loss_of,
    split_for_recipe,
)
from lookalike.learning.finetuning.load_network import load_network
from lookalike.learning.finetuning.split_network import SplitNetwork
from lookalike.learning.finetuning.transformers_network import TransformersNetwork
from lookalike.learning.labels import Rows
from lookalike.learning.training.history import EpochMetrics, StepMetrics
from lookalike.learning.training.networks import keras_example_head
from lookalike.learning.training.trainer import constant, train
from lookalike.models.backbone import has_bf16
from lookalike.models.bundle import Bundle, StageOutput, identify, write
from lookalike.models.convert import torch_to_onnx as graph
from lookalike.models.convert.architectures import ARCHITECTURES
from lookalike.models.layers import layer_index

CHECKPOINT = 25  # steps at least between two checkpoints, which are large: they come at the end of an epoch
MOMENTUM = 0.01  # Keras' 0.99


class KerasSiameseNetwork(nn.Module):
    """An activation at the cut -> 256 values of any length: the rest of the backbone, Flatten, the tutorial's head.

    The head's BatchNorm measures each batch while it learns; what the backbone's has measured stays. The backbone
    itself is no part of it: its state holds what learns and nothing else.
    """

    def __init__(self, backbone: SplitNetwork, at: int, example: Tensor, seed: int, bf16: bool):
        super().__init__()
        self.weights = nn.ParameterDict({name.replace(".", ":"): x for name, x in backbone.trainable().items()})
        self._backbone, self.at, self.bf16 = (backbone,), at, bf16
        with torch.no_grad():
            values = backbone.last_feature_map(example, at).flatten(1).shape[1]
        self.head = keras_example_head(values, seed=seed)

    @property
    def backbone(self) -> SplitNetwork:
        """Whose weights they are."""
        return self._backbone[0]

    def forward(self, activation: Tensor, *pooled: Tensor) -> Tensor:
        """(b, ...) -> (b, 256) float32; the depths that were pooled before the cut are not asked."""
        for norm in self.head if self.training else ():
            if isinstance(norm, nn.BatchNorm1d):  # a plain mean of the first batches: Keras' would start from 0 and 1
                norm.momentum = max(MOMENTUM, 1 / (int(norm.num_batches_tracked or 0) + 1))
        if self.bf16:
            activation = activation.bfloat16()  # or what is added to it would be float32, and the next map too
        with torch.autocast(activation.device.type, torch.bfloat16, enabled=self.bf16):
            found: Tensor = self.head(self.backbone.last_feature_map(activation, self.at).flatten(1))
        return found.float()


class ExportableNetwork(nn.Module):
    """Pictures -> the 256 values, in float32: what the bundle holds."""

    def __init__(self, network: KerasSiameseNetwork, side_px: int):
        super().__init__()
        self.network, self.backbone = network, network.backbone
        self.prepared = SimpleNamespace(side_px=side_px)
        self.depths = (StageOutput("features", 256, 1.0, power=1.0),)

    def forward(self, image: Tensor) -> tuple[Tensor]:
        """uint8 (n, side, side, 3) -> (n, 256)."""
        found: Tensor = self.network.head(self.backbone.last_feature_map(image, 0).flatten(1))
        return (found,)


class KerasSiameseFineTuner:
    """`--recipe keras-siamese`: made like `LayerFineTuner` and asked like it, and `epochs` tells both losses of each epoch.

    Args:
        bundle: the backbone; ResNet50 is the tutorial's, any other that can learn will do.
        pictures: n paths, bytes or arrays of pixels.
        labels, domains, triplets: who belongs together, as in Examples; row i is picture i.
        layer: from where on it learns; None for the tutorial's place, see `keras_example_layer`.
        run: a folder for the activations and the checkpoint; an unbroken run and a resumed one give the same.
        settings: the tutorial's numbers.
        content: n content hashes: equal ones are not split.
        seed: of the split, the head's first weights, the batches and the negatives.
    Raises: BundleError, TrainingError, ExamplesError, ShapeError.
    """

    def __init__(
        self,
        bundle: Bundle,
        pictures: Sequence[ImageSource],
        labels: Rows,
        *,
        run: str | Path,
        domains: Rows | None = None,
        triplets: Rows | None = None,
        layer: str | int | None = None,
        settings: KerasSiameseConfig | None = None,
        content: Sequence[bytes] | None = None,
        seed: int = 0,
    ):
        self.settings, self.seed, self.side, self.run = settings or KerasSiameseConfig(), seed, domains, Path(run)
        self.parent = bundle
        self.layer = layer_index(bundle, keras_example_layer(bundle) if layer is None else layer)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        rng = np.random.default_rng([seed, 8])
        self.group, self.triplets, self.asked, self.per_epoch = split_for_recipe(
            np.asarray(labels, np.int64), rng, self.settings, triplets=triplets, content=content
        )
        self.backbone = load_network(replace(bundle, side_px=side_px(bundle, self.settings.side_px)))
        self.at = self.backbone.unfreeze(self.layer)
        self.bf16 = self._pays() if self.settings.bf16 is None else self.settings.bf16
        self.learned = LastEpochState()
        self.network: KerasSiameseNetwork | None = None
        self.backbone.to(self.device)
        self.activations = ActivationCache(
            self.backbone, self.at, pictures, self.run, seed=seed, most_mb=self.settings.most_mb
        )

    def cost(self) -> FineTuneCost:
        """What learning will take, by a few pictures and two steps; nothing is written, nothing is learned."""
        network, rows = self._made(), min(2 * self.settings.triplets, len(self.group))
        batch = torch.zeros(rows, *self.activations.shape, device=self.device)
        for _ in range(2):  # the first is slower
            started = time.perf_counter()
            torch.autograd.backward(network(batch).sum())
            step_s = time.perf_counter() - started
        network.zero_grad()
        learning = sum(one.numel() for one in network.parameters())
        frozen = sum(one.numel() for one in self.backbone.parameters() if not one.requires_grad)
        return FineTuneCost(
            pictures=len(self.group),
            views=1,
            mb=self.activations.mb,
            caching_s=0.0 if self.activations.filled else self.activations.seconds(),
            steps=self.settings.epochs * self.per_epoch,
            step_s=step_s,
            learning=learning,
            weights=learning + frozen,
        )

    def cache(self) -> Iterator[tuple[int, int]]:
        """Keep what the frozen part makes of the pictures, where it is not there yet: (done, all)."""
        if not self.activations.filled:
            yield from self.activations.fill()

    def steps(self) -> Iterator[StepMetrics]:
        """Learn, going on from the checkpoint in `run`, which is written after whole epochs.

        Each epoch's last report has the validation loss, with a minus, as its recall. The last epoch is kept, as in
        the tutorial: its validation says how it goes and chooses nothing.
        """
        for _ in self.cache():
            pass
        network = self._made()
        weights = [one for one in network.parameters() if one.requires_grad]
        yield from train(
            network,
            self.activations,
            self.group,
            domains=self.side,
            triplets=self.triplets,
            loss="triplet",
            miner="one-a-pair",
            margin=self.settings.margin,
            steps=self.settings.epochs * self.per_epoch,
            rows=2 * self.settings.triplets,
            per_label=2,
            optimizer=torch.optim.Adam(weights, self.settings.learning_rate, fused=True),
            schedule=constant,
            validate=lambda network: (
                -loss_of(network, self.activations, self.asked, self.settings.margin, device=self.device)
            ),
            validate_every=self.per_epoch,
            patience=max(20, self.per_epoch),
            seed=self.seed,
            learned=self.learned,
            checkpoint=self.run / "checkpoint.safetensors",
            checkpoint_every=-(-CHECKPOINT // self.per_epoch) * self.per_epoch,
        )

    def epochs(self) -> Iterator[EpochMetrics]:
        """Learn; the loss of each epoch on what is learned from and on the validation."""
        return by_epoch(self.steps(), self.per_epoch)

    @property
    def history(self) -> list[EpochMetrics]:
        """All epochs so far, those before a resumption included."""
        return list(by_epoch(self.learned.curve, self.per_epoch))

    def bundle(self, path: str | Path) -> Bundle:
        """Write what was learned by the last whole epoch as a bundle of 256 features.

        They are the network's own values: their square root is not taken, and search brings rows to length 1.
        """
        network = self._made()
        now = {name: x.clone() for name, x in network.state_dict().items()}
        network.load_state_dict(self.learned.parameters or now)
        network.eval()
        side = self.backbone.bundle.side_px
        whole = ExportableNetwork(network, side).cpu()
        model = graph.export(self.parent.name, cast(Any, whole))  # has all that it asks of a tower
        graph.check(self.parent.name, whole, side, whole.depths, model)
        tuning = {
            "recipe": "keras-siamese",
            "layer": str(self.parent.layers[self.layer]["name"]),
            "seed": self.seed,
            "step": self.learned.step,
        }
        tuning |= asdict(self.settings)
        preprocessing = {"side_px": side, "resize": "squash", "tuning": tuning, "parent": self.parent.id}
        tensors = {name: x.cpu().numpy() for name, x in network.state_dict().items()}
        made = identify(tensors, preprocessing)
        table = (*self.parent.layers, *_head_layers(network))
        bundle = Bundle(
            path=Path(path),
            name=f"{self.parent.name}-keras-siamese-{made[:6]}",
            id=made,
            side_px=side,
            depths=whole.depths,
            layers=table,
            licence=self.parent.licence,
            source=self.parent.source,
            parent=self.parent.id,
            tuning=tuning,
        )
        network.load_state_dict(now)
        network.to(self.device)
        return write(bundle, model)

    def _pays(self) -> bool:
        """Whether bfloat16 is faster: on CUDA; where the processor has it, for towers and for one block of others."""
        few = sum(one.numel() for one in self.backbone.trainable().values()) < ONE_BLOCK
        return self.device == "cuda" or (has_bf16() and (few or isinstance(self.backbone, TransformersNetwork)))

    def _made(self) -> KerasSiameseNetwork:
        if self.network is None:
            side = self.backbone.bundle.side_px
            black = torch.zeros(1, side, side, 3, dtype=torch.uint8, device=self.device)
            example = self.backbone.forward_frozen(black, self.at)[0]
            self.network = KerasSiameseNetwork(self.backbone, self.at, example, self.seed, self.bf16).to(self.device)
        return self.network


def keras_example_layer(bundle: Bundle) -> str:
    """Where the tutorial begins to learn: Keras' conv5_block1_out, or what is most like it in other networks.

    That is the second block of the last stage, or the last block where stages have one or there are none.
    Raises: TrainingError, for a table of layers in which neither is found.
    """
    names = [str(one["name"]) for one in bundle.layers]
    if "conv5_block1_out" in names:
        return "conv5_block1_out"
    for pattern in (r"(encoder\.stages\.\d+)\.layers\.\d+", r"()(?:\w+\.)*(?:layers?|blocks)\.\d+"):
        found = [match for name in names if (match := re.match(pattern, name))]
        if found:
            stage = found[-1][1]
            inside = list(dict.fromkeys(match[0] for match in found if match[1] == stage))
            return inside[1] if stage and len(inside) > 1 else inside[-1]
    raise TrainingError(f"{bundle.name}: the recipe does not know where to begin to learn. Name it: --unfreeze LAYER.")


def side_px(bundle: Bundle, asked: int) -> int:
    """The side of the pictures: the one asked for, or the backbone's own where it takes no other."""
    try:
        config = json.loads((bundle.path / "config.json").read_text(encoding="utf-8"))
    except OSError:
        return asked
    family = ARCHITECTURES.get(config.get("model_type"))
    return bundle.side_px if family is not None and family.fixed else asked


def _head_layers(network: KerasSiameseNetwork) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "name": f"head.{place}",
            "kind": type(one).__name__,
            "shape": [512 if place < 3 else 256],
            "parameters": sum(weight.numel() for weight in one.parameters()),
        }
        for place, one in enumerate(network.head)
    )
