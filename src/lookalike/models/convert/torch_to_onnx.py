"""A torch network -> one ONNX file, its table of layers, and how far the two agree."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lookalike.errors import BundleError, MissingExtraError
from lookalike.models.bundle import StageOutput
from lookalike.models.convert.feature_extractor import FeatureExtractor
from lookalike.models.openvino_runtime import openvino

OPSET = 18
LARGEST_BYTES = 2**31 - 2**20  # protobuf's limit for one file
LEAST_COSINE = 0.9999


def export(name: str, network: nn.Module, side: int, depths: tuple[StageOutput, ...]) -> bytes:
    """The ONNX file: uint8 (n, side, side, 3) in, the outputs of the stages out, in float32.

    Args: as for `check`.
    Raises: BundleError, when it does not fit into one file; MissingExtraError.
    """
    example = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    return export_graph(name, network, (example,), ["image"], [depth.name for depth in depths])


def export_graph(
    name: str, network: nn.Module, example: tuple[torch.Tensor, ...], inputs: list[str], outputs: list[str]
) -> bytes:
    """The ONNX file of any network, the first size of its inputs free.

    Args:
        name: the model's, for errors.
        network: takes the example.
        example: one tensor an input, two of a batch.
        inputs: their names.
        outputs: the names of what it gives.
    Raises: as `export`.
    """
    size = sum(tensor.numel() * 4 for tensor in network.parameters())
    if size > LARGEST_BYTES:
        raise BundleError(f"{name}: {size / 1e9:.1f} GB of weights; one ONNX file holds 2. Choose a smaller model.")
    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(name, "learn") from error
    n = torch.export.Dim("n")
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=tuple({0: n} for _ in example),
            external_data=False,
            verbose=False,
        )
    assert program is not None
    return bytes(program.model_proto.SerializeToString())


def check(name: str, network: nn.Module, side: int, depths: tuple[StageOutput, ...], model: bytes) -> None:
    """Run both on the same pictures, in float32.

    Args:
        name: the model's, for errors.
        network: uint8 (n, side, side, 3) -> a tensor a stage.
        side: of the pictures.
        depths: the bundle's stages, in the network's order.
        model: the ONNX file.

    Raises: BundleError, when the outputs of a stage agree less than LEAST_COSINE.
    """
    pictures = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    core = openvino().Core()
    compiled = core.compile_model(core.read_model(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answers = compiled(pictures)
    for depth, ours in zip(depths, run(network, pictures), strict=True):
        check_equal(name, depth.name, ours, answers[depth.name])


def check_equal(name: str, output: str, ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> None:
    """Raises: BundleError, when rows (n, d) of the same output agree less than LEAST_COSINE."""
    cosine = (ours * theirs).sum(1) / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1) + 1e-30)
    if not cosine.min() > LEAST_COSINE:
        raise BundleError(
            f"{name}: its ONNX file gives other features than torch (cosine {cosine.min():.4f} at {output}). "
            "Upgrade torch and onnxscript, or choose another model."
        )


def run(network: nn.Module, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """What torch makes of uint8 pictures (n, side, side, 3): the outputs of the stages, each (n, length) float32."""
    with torch.no_grad():
        return [one.numpy() for one in network(torch.from_numpy(pictures))]


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides the exporter's own warnings and logs."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def layers(network: FeatureExtractor) -> tuple[dict[str, Any], ...]:
    """Name, kind, output shape without the batch, and number of parameters of each layer, in the order they run."""
    found: dict[str, dict[str, Any]] = {}
    hooks = []
    for name, module in network.tower.named_modules():
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        if next(module.children(), None) is not None and not own:
            continue

        def note(module: Any, inputs: Any, output: Any, name: str = name, own: int = own) -> None:
            first = output[0] if isinstance(output, tuple) else output
            shape = list(first.shape[1:]) if isinstance(first, torch.Tensor) else []
            found[name] = {"name": name, "kind": type(module).__name__, "shape": shape, "parameters": own}

        hooks.append(module.register_forward_hook(note))
    side = network.prepared.side_px
    run(network, np.zeros((1, side, side, 3), np.uint8))
    for hook in hooks:
        hook.remove()
    return tuple(_with_functional(network.tower, found))


def _with_functional(tower: nn.Module, found: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The layers, before each those of its children whose weights it uses itself, without ever calling them."""
    parents: dict[str, list[dict[str, Any]]] = {}
    for name, module in tower.named_modules():
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        parent = name.rpartition(".")[0]
        if own and name not in found and parent in found:
            row = {"name": name, "kind": type(module).__name__, "shape": found[parent]["shape"], "parameters": own}
            parents.setdefault(parent, []).append(row)
    for name, row in found.items():
        yield from parents.get(name, ())
        yield row
