"""The network of a bundle whose graph is plain convolutions: read from model.onnx, and written back into it."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lookalike.errors import BundleError
from lookalike.learning.finetuning.split_network import Runner, SplitNetwork, Values
from lookalike.models.bundle import Bundle, read
from lookalike.models.convert.onnx_graph import KINDS, Step, steps_of
from lookalike.models.pooling import PLACES, place_weights


class OnnxNetwork(SplitNetwork):
    """What model.onnx computes, node by node, its convolutions' weights as parameters.

    BatchNorm is folded into the convolutions of such graphs, so there is none left to freeze. The graph can be cut
    wherever one tensor holds all that is needed from there on.

    Raises: BundleError, for a graph with nodes of other kinds, or without convolutions.
    """

    def __init__(self, bundle: Bundle):
        super().__init__()
        import onnx
        from onnx import numpy_helper

        self.bundle = bundle
        self.model = onnx.load(bundle.model)
        graph = self.model.graph
        tensors = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self.steps = steps_of(graph, tensors)
        if bundle.side_px != read(bundle.path).side_px:
            tensors |= self._fitted_places(tensors)
        unknown = sorted({step.kind for step in self.steps} - KINDS.keys())
        convolutions = [step for step in self.steps if step.kind == "Conv" and not _pools(step)]
        if unknown or not convolutions:
            what = f"its graph has {', '.join(unknown)}" if unknown else "its graph has no convolution"
            raise BundleError(
                f"{bundle.name}: cannot learn, {what}, and its bundle no weights.safetensors. "
                "Convert the model from transformers' format."
            )
        learning = {name for step in convolutions for name in step.inputs[1:]}
        self.weights = nn.ParameterDict({_key(name): _tensor(tensors[name]) for name in tensors if name in learning})
        self.fixed = [name for name in tensors if name not in learning]
        for i, name in enumerate(self.fixed):
            self.register_buffer(f"fixed{i}", _tensor(tensors[name]), persistent=False)
        self.image = graph.input[0].name
        self.outputs = [depth.name for depth in bundle.depths]
        self.cuts = _cuts(self.steps, self.image, set(tensors), set(self.outputs))
        self.eval()
        self.requires_grad_(False)

    def forward_frozen(self, image: Tensor, at: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See `SplitNetwork`."""
        values = {self.image: image}
        self._run(values, self.steps[: self.cuts[at][0]])
        return values[self.cuts[at][1]], tuple(values[name] for name in self.outputs if name in values)

    def forward_trainable(self, activation: Tensor, pooled: tuple[Tensor, ...], at: int) -> tuple[Tensor, ...]:
        """See `SplitNetwork`."""
        start, name = self.cuts[at]
        made = {step.output for step in self.steps[start:]}
        values = dict(zip((name for name in self.outputs if name not in made), pooled, strict=True))
        values[name] = activation
        self._run(values, self.steps[start:])
        return tuple(values[name] for name in self.outputs)

    def last_feature_map(self, activation: Tensor, at: int) -> Tensor:
        """See `SplitNetwork`."""
        start, name = self.cuts[at]
        end = max(i for i, step in enumerate(self.steps) if _pools(step))
        values = {name: activation}
        self._run(values, self.steps[start:end])
        return values[self.steps[end].inputs[0]]

    def split_before(self, weights: set[str]) -> int:
        """See `SplitNetwork`."""
        names = {_name(weight) for weight in weights}
        first = next(i for i, step in enumerate(self.steps) if names & set(step.inputs))
        return max(i for i, (start, _) in enumerate(self.cuts) if start <= first)

    def layer_of(self, weight: str) -> str:
        """See `SplitNetwork`: _blocks.0._project_conv.w -> blocks.0._project_conv."""
        return _name(weight).rpartition(".")[0].lstrip("_")

    def blocks_after(self, weight: str) -> int:
        """See `SplitNetwork`: blocks are what names number ("blocks.15"); a layer before them is one of its own."""
        order = (name for step in self.steps for name in step.inputs if _key(name) in self.weights)
        names = list(dict.fromkeys(_block(self.layer_of(_key(name))) for name in order))
        numbered = [i for i, name in enumerate(names) if name.rpartition(".")[2].isdecimal()]
        return max(0, max(numbered, default=len(names) - 1) - names.index(_block(self.layer_of(weight))))

    def files(self, bundle: Bundle) -> tuple[bytes, dict[str, bytes]]:
        """See `SplitNetwork`."""
        from onnx import numpy_helper
        from safetensors.torch import save

        learned = {_name(f"weights.{key}"): x.detach().cpu().contiguous() for key, x in self.weights.items()}
        model = type(self.model)()
        model.CopyFrom(self.model)
        for one in model.graph.initializer:
            if one.name in learned:
                one.CopyFrom(numpy_helper.from_array(learned[one.name].numpy(), one.name))
        return bytes(model.SerializeToString()), {"weights.safetensors": save(learned)}

    def runner(self, at: int) -> Runner:
        """See `SplitNetwork`: by OpenVINO in float32, as the backbone itself is run; on a GPU by torch."""
        if self.device.type != "cpu" or self.cuts[at][1] == self.image:
            return super().runner(at)
        from lookalike.models.openvino_runtime import openvino

        start, name = self.cuts[at]
        later = {step.output for step in self.steps[start:]}
        before = [i for i, depth in enumerate(self.outputs) if depth not in later]
        core, side = openvino().Core(), self.bundle.side_px
        model = core.read_model(self.files(self.bundle)[0])
        model.add_outputs(name)
        model.reshape({model.input(0): [-1, side, side, 3]})
        options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        compiled = core.compile_model(model, "CPU", options)

        def run(pixels: NDArray[np.uint8]) -> tuple[Values, list[Values], list[Values]]:
            answers = compiled(pixels)
            depths = [answers[depth] for depth in self.outputs]
            return answers[name], depths, [depths[i] for i in before]

        return run

    def _fitted_places(self, tensors: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """What places count in maps of other sides, as pictures of another side than the bundle's give them."""
        from onnx import numpy_helper

        fitted: dict[str, NDArray[Any]] = {}
        side = self.bundle.side_px
        values = {name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}
        values[self.model.graph.input[0].name] = torch.zeros(1, side, side, 3, dtype=torch.uint8)
        for step in self.steps:
            if step.kind == "Conv" and _pools(step):
                name, (channels, side_px) = step.inputs[1], values[step.inputs[0]].shape[1:3]
                weights = place_weights(name.removesuffix(PLACES).rpartition(".")[2], side_px)
                fitted[name] = np.tile(weights, (channels, 1, 1, 1)).astype(np.float32)
                values[name] = torch.from_numpy(fitted[name])
            values[step.output] = KINDS[step.kind]([values[name] for name in step.inputs], step.how)
        for one in self.model.graph.initializer:
            if one.name in fitted:
                one.CopyFrom(numpy_helper.from_array(fitted[one.name], one.name))
        return fitted

    def _run(self, values: dict[str, Tensor], steps: list[Step]) -> None:
        """Run nodes over what is there, and put what they make beside it."""
        constants = {name: getattr(self, f"fixed{i}") for i, name in enumerate(self.fixed)}
        for step in steps:
            given = [
                values[name] if name in values else constants[name] if name in constants else self.weights[_key(name)]
                for name in step.inputs
            ]
            values[step.output] = KINDS[step.kind](given, step.how)


def _pools(step: Step) -> bool:
    """Whether it makes one value of each map: the mean of its places, or their sum with weights."""
    return step.kind == "GlobalAveragePool" or (step.kind == "Conv" and step.inputs[1].endswith(PLACES))


def _block(layer: str) -> str:
    """blocks.15._expand_conv -> blocks.15; a layer outside blocks is one of its own."""
    head, _, rest = layer.partition(".")
    number = rest.partition(".")[0]
    return f"{head}.{number}" if number.isdecimal() else layer


def _cuts(steps: list[Step], image: str, constants: set[str], outputs: set[str]) -> list[tuple[int, str]]:
    """Where one tensor holds all that is still needed: before which node, and which tensor; first the picture."""
    last_use = {name: i for i, step in enumerate(steps) for name in step.inputs if name not in constants}
    cuts, alive = [], {image}
    for i, step in enumerate(steps):
        alive = {name for name in alive if last_use.get(name, -1) >= i}
        if len(alive) == 1:
            cuts.append((i, next(iter(alive))))
        if step.output not in outputs:
            alive.add(step.output)
    return cuts


def _key(name: str) -> str:
    return name.replace(".", "/")  # torch wants no dots in the names of parameters


def _name(weight: str) -> str:
    return weight.removeprefix("weights.").replace("/", ".")


def _tensor(values: Any) -> Tensor:
    x = torch.from_numpy(np.array(values))
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
