"""A bundle's network run by torch: for a GPU, which OpenVINO does not use."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from lookalike.errors import BundleError, TrainingError
from lookalike.images.decode import DecodedImage
from lookalike.models.bundle import Bundle
from lookalike.models.convert.onnx_graph import KINDS, steps_of
from lookalike.models.features import combine_stages
from lookalike.models.forks import check_not_forked
from lookalike.models.onnx_file import read_onnx

Outputs = tuple[Tensor, ...]


class OnnxModel(nn.Module):
    """model.onnx of a bundle whose graph is plain convolutions: uint8 (n, side, side, 3) -> (n, length) each.

    Raises: BundleError, for a graph with nodes of other kinds.
    """

    def __init__(self, bundle: Bundle):
        super().__init__()
        graph = read_onnx(bundle.model).graph
        tensors = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self.steps = steps_of(graph, tensors)
        if unknown := sorted({step.kind for step in self.steps} - KINDS.keys()):
            raise BundleError(
                f"{bundle.name}: torch cannot run its graph, which has {', '.join(unknown)}. Leave device out."
            )
        self.image, self.outputs = graph.input[0].name, [stage.name for stage in bundle.depths]
        self.names = list(tensors)
        for i, name in enumerate(self.names):
            self.register_buffer(f"tensor{i}", torch.from_numpy(np.array(tensors[name])), persistent=False)

    def forward(self, image: Tensor) -> Outputs:
        """See the class."""
        values: dict[str, Tensor] = {name: getattr(self, f"tensor{i}") for i, name in enumerate(self.names)}
        values[self.image] = image
        for step in self.steps:
            values[step.output] = KINDS[step.kind]([values[name] for name in step.inputs], step.how)
        return tuple(values[name] for name in self.outputs)


class TorchEngine:
    """Runs a bundle's network in float32 on a device of torch.

    Args:
        bundle: of the default family, tuned from it, or converted from transformers' format.
        device: "cuda", "cuda:1", "cpu" ...
    Raises: BundleError, when torch cannot run the network, or does not have the device; ForkedError.

    Attributes:
        batch: images that are computed together; fewer where a GPU has too little memory.
        in_flight: batches that are computed at once.
    """

    def __init__(self, bundle: Bundle, device: str):
        check_not_forked("torch")
        self.bundle, self.batch, self.in_flight = bundle, 64, 2
        model: nn.Module
        if (bundle.path / "config.json").is_file():
            from lookalike.models.convert.transformers_model import of_bundle  # loads transformers

            model = of_bundle(bundle)
        else:
            model = OnnxModel(bundle)
        try:
            self.device = torch.device(device)
            self.model = model.to(self.device).eval()
        except (RuntimeError, AssertionError) as error:
            reason = str(error).strip().splitlines()[0][:120]
            raise BundleError(f"device {device!r}: torch cannot use it ({reason}). Leave device out.") from error

    def start(self, images: Sequence[DecodedImage]) -> Any:
        """Begin with at most `batch` images; what it returns is for `finish`.

        Raises: TrainingError, when a GPU has too little memory for one image; ForkedError.
        """
        check_not_forked("torch")
        if not images:
            return None
        return halve_on_oom(self._run, np.stack([image.array for image in images]))

    def finish(self, started: Any) -> NDArray[np.float32]:
        """Wait for what was begun: the features (n, f) float32, rows of length 1."""
        if started is None:
            return np.zeros((0, self.bundle.length), np.float32)
        outputs = {stage.name: x.cpu().numpy() for stage, x in zip(self.bundle.depths, started, strict=True)}
        return combine_stages(outputs, self.bundle)

    @torch.no_grad()
    def _run(self, pixels: NDArray[np.uint8]) -> Outputs:
        outputs: Outputs = self.model(torch.from_numpy(pixels).to(self.device))
        return outputs


def halve_on_oom(run: Callable[[NDArray[np.uint8]], Outputs], pixels: NDArray[np.uint8]) -> Outputs:
    """Run, and retry with half the batch for as long as CUDA runs out of memory.

    Raises: TrainingError, when one image alone is too much.
    """
    try:
        return run(pixels)
    except torch.cuda.OutOfMemoryError as error:
        if len(pixels) == 1:
            raise TrainingError(
                "the GPU has too little memory for one picture. Close what else runs on it, or leave device out."
            ) from error
    torch.cuda.empty_cache()
    half = len(pixels) // 2
    parts = halve_on_oom(run, pixels[:half]), halve_on_oom(run, pixels[half:])
    return tuple(torch.cat(two) for two in zip(*parts, strict=True))
