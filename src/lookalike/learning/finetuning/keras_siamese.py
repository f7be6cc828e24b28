"""The Keras example's network: a backbone from its last stage on, a head on the flattened map, trained by triplets."""

import json
import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lookalike.errors import TrainingError
from lookalike.images.decode import ImageSource
from lookalike.learning.finetuning.activation_cache import ActivationCache
from lookalike.learning.finetuning.config import KerasSiameseConfig
from lookalike.learning.finetuning.finetuner import CHECKPOINT, FineTuneCost, has_few_weights, seconds_a_step
from lookalike.learning.finetuning.keras_recipe import split_for_recipe, validation_loss
from lookalike.learning.finetuning.load_network import load_network
from lookalike.learning.finetuning.split_network import Split
from lookalike.learning.finetuning.transformers_network import TransformersNetwork
from lookalike.learning.training.config import CheckpointConfig, Validation
from lookalike.learning.training.history import BestState, EpochMetrics, StepMetrics, epoch_metrics
from lookalike.learning.training.networks import keras_example_head
from lookalike.learning.training.trainer import train_steps
from lookalike.learning.training.trainer_state import Labelled, TrainerState
from lookalike.models.backbone import has_bf16
from lookalike.models.bundle import Bundle, StageOutput, identify, write
from lookalike.models.convert import torch_to_onnx
from lookalike.models.convert.architectures import ARCHITECTURES
from lookalike.models.layers import layer_index

LEAST_STEPS = 25  # between two checkpoints, which are large: they come at the end of an epoch
MOMENTUM = 0.01  # Keras' 0.99
STAGES = (StageOutput("features", 256, 1.0, power=1.0),)  # of the bundle: the values as they are


class KerasSiameseNetwork(nn.Module):
    """An activation at the split -> 256 values of any length: the rest of the backbone, Flatten, the example's head.

    The head's BatchNorm measures each batch in training; what the backbone's has measured stays. Its state holds what
    is trained and nothing else.
    """

    def __init__(self, split: Split, example: Tensor, seed: int, *, bf16: bool):
        super().__init__()
        self.weights = nn.ParameterDict({name.replace(".", ":"): x for name, x in split.network.trainable().items()})
        self.split, self.bf16 = split, bf16
        with torch.no_grad():
            values = split.feature_map(example).flatten(1).shape[1]
        self.head = keras_example_head(values, seed=seed)

    def forward(self, activation: Tensor, *pooled: Tensor) -> Tensor:
        """(b, ...) -> (b, 256) float32; stages that were pooled before the split are not read."""
        for norm in self.head if self.training else ():
            if isinstance(norm, nn.BatchNorm1d):  # a plain mean of the first batches: Keras' would start from 0 and 1
                norm.momentum = max(MOMENTUM, 1 / (int(norm.num_batches_tracked or 0) + 1))
        if self.bf16:
            activation = activation.bfloat16()  # or what is added to it would be float32, and the next map too
        with torch.autocast(activation.device.type, torch.bfloat16, enabled=self.bf16):
            found: Tensor = self.head(self.split.feature_map(activation).flatten(1))
        return found.float()


class ExportableNetwork(nn.Module):
    """Images -> the 256 values, in float32: what the bundle holds."""

    def __init__(self, network: KerasSiameseNetwork):
        super().__init__()
        self.head, self.backbone = network.head, network.split.network

    def forward(self, image: Tensor) -> tuple[Tensor]:
        """uint8 (n, side, side, 3) -> (n, 256)."""
        found: Tensor = self.head(self.backbone.last_feature_map(image, 0).flatten(1))
        return (found,)


class KerasSiameseFineTuner:
    """`--recipe keras-siamese`: fine-tunes a backbone as the Keras example does; a `FineTuner`.

    The last epoch counts, as there: its validation says how training goes and chooses nothing.

    Args:
        bundle: the backbone; ResNet50 is the example's, any other that can be trained will do.
        images: n paths, bytes, PIL images or arrays of pixels.
        data: what belongs together among them: `TrainingLabels` or `LabelledFeatures`; images of equal content stay on
            one side of the validation split.
        config: the example's numbers.
        run: a folder for the activations and the checkpoint; a resumed run gives what an unbroken one does.
        seed: of the split, the head's first weights, the batches and the negatives.
    Raises: BundleError, TrainingError, ExamplesError, ShapeError.
    """

    def __init__(
        self,
        bundle: Bundle,
        images: Sequence[ImageSource],
        data: Labelled,
        config: KerasSiameseConfig,
        run: Path,
        seed: int = 0,
    ):
        self.parent, self.config, self.run, self.seed = bundle, config, run, seed
        self.layer = layer_index(bundle, keras_example_layer(bundle) if config.layer is None else config.layer)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.examples = split_for_recipe(data, config, np.random.default_rng([seed, 8]))
        self.per_epoch = self.examples.per_epoch
        backbone = load_network(replace(bundle, side_px=side_px(bundle, config.side_px)))
        self.split = Split(backbone, backbone.unfreeze(self.layer))
        self.bf16 = self._pays() if config.bf16 is None else config.bf16
        self.best = BestState()
        self.network: KerasSiameseNetwork | None = None
        backbone.to(self.device)
        self.activations = ActivationCache(self.split, images, run, seed=seed, most_mb=config.most_mb)

    @property
    def history(self) -> tuple[EpochMetrics, ...]:
        """All epochs so far, those before a resumption included."""
        return tuple(epoch_metrics(self.best.curve, self.per_epoch))

    @property
    def cached(self) -> bool:
        """See `FineTuner`."""
        return self.activations.filled

    def cost(self) -> FineTuneCost:
        """See `FineTuner`."""
        network, images = self.start(), len(self.examples.data)
        batch = torch.zeros(min(2 * self.config.triplets, images), *self.activations.shape, device=self.device)
        step_s = seconds_a_step(lambda: torch.autograd.backward(network(batch).sum()))
        network.zero_grad()
        trainable = sum(one.numel() for one in network.parameters())
        frozen = sum(one.numel() for one in self.split.network.parameters() if not one.requires_grad)
        return FineTuneCost(
            images=images,
            views=1,
            mb=self.activations.mb,
            caching_s=0.0 if self.cached else self.activations.seconds(),
            steps=self.config.epochs * self.per_epoch,
            step_s=step_s,
            trainable=trainable,
            weights=trainable + frozen,
        )

    def fill_cache(self) -> Generator[tuple[int, int], None, None]:
        """See `FineTuner`."""
        if not self.cached:
            yield from self.activations.fill()

    def steps(self) -> Generator[StepMetrics, None, None]:
        """See `FineTuner`; the last step of each epoch has the validation loss. Checkpoints hold whole epochs."""
        for _ in self.fill_cache():
            pass
        network, config = self.start(), self.config
        weights = [one for one in network.parameters() if one.requires_grad]
        state = TrainerState.create(
            network,
            self.activations,
            self.examples.data,
            config.train(self.per_epoch),
            optimizer=torch.optim.Adam(weights, config.learning_rate, fused=True),
            validation=Validation(self._validation_loss, self.per_epoch, name="loss", keep="last"),
            seed=self.seed,
        )
        self.best = state.best
        every = -(-LEAST_STEPS // self.per_epoch) * self.per_epoch
        yield from train_steps(state, CheckpointConfig(self.run / CHECKPOINT, every))

    def export(self, path: Path) -> Bundle:
        """See `FineTuner`: a bundle of 256 features, of the last whole epoch.

        They are the network's own values: their square root is not taken, and search brings rows to length 1.
        """
        network = self.start()
        now = {name: x.clone() for name, x in network.state_dict().items()}
        try:
            network.load_state_dict(self.best.parameters or now)
            network.eval()
            return self._written(network, path)
        finally:
            network.load_state_dict(now)
            network.to(self.device)
            self.split.network.to(self.device)

    def start(self) -> KerasSiameseNetwork:
        """What is trained; made once."""
        if self.network is None:
            side = self.split.network.bundle.side_px
            black = torch.zeros(1, side, side, 3, dtype=torch.uint8, device=self.device)
            example = self.split.frozen(black)[0]
            self.network = KerasSiameseNetwork(self.split, example, self.seed, bf16=self.bf16).to(self.device)
        return self.network

    def _validation_loss(self, network: nn.Module) -> float:
        return validation_loss(
            network, self.activations, self.examples.validation, self.config.margin, device=self.device
        )

    def _written(self, network: KerasSiameseNetwork, path: Path) -> Bundle:
        side = self.split.network.bundle.side_px
        whole = ExportableNetwork(network).cpu()
        model = torch_to_onnx.export(self.parent.name, whole, side, STAGES)
        torch_to_onnx.check(self.parent.name, whole, side, STAGES, model)
        layer = str(self.parent.layers[self.layer]["name"])
        tuning = {"recipe": "keras-siamese", **self.config.described(), "layer": layer}
        tuning |= {"seed": self.seed, "step": self.best.step}
        preprocessing = {"side_px": side, "resize": "squash", "tuning": tuning, "parent": self.parent.id}
        tensors = {name: x.cpu().numpy() for name, x in network.state_dict().items()}
        made = identify(tensors, preprocessing)
        bundle = Bundle(
            path=path,
            name=f"{self.parent.name}-keras-siamese-{made[:6]}",
            id=made,
            side_px=side,
            depths=STAGES,
            layers=(*self.parent.layers, *_head_layers(network)),
            licence=self.parent.licence,
            source=self.parent.source,
            parent=self.parent.id,
            tuning=tuning,
        )
        return write(bundle, model)

    def _pays(self) -> bool:
        """Whether bfloat16 is faster: on CUDA; where the processor has it, for transformers and one block of others."""
        network = self.split.network
        return self.device == "cuda" or (
            has_bf16() and (has_few_weights(network) or isinstance(network, TransformersNetwork))
        )


def keras_example_layer(bundle: Bundle) -> str:
    """Where training begins in the Keras example: conv5_block1_out, or what is most like it in other networks.

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


def side_px(bundle: Bundle, wanted: int) -> int:
    """The side of the images: the one that is wanted, or the backbone's own where it takes no other."""
    try:
        config = json.loads((bundle.path / "config.json").read_text(encoding="utf-8"))
    except OSError:
        return wanted
    family = ARCHITECTURES.get(config.get("model_type"))
    return bundle.side_px if family is not None and family.fixed else wanted


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
