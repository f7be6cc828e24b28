"""A bundle's network run by OpenVINO on the processor: fixed batches, several of them in flight."""

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BundleError, MemoryLimitError, is_out_of_memory
from lookalike.images.decode import DecodedImage
from lookalike.models.address_space import bytes_left, is_limited
from lookalike.models.bundle import Bundle
from lookalike.models.compiled_cache import CompiledCache
from lookalike.models.features import combine_stages
from lookalike.models.forks import keep_in_children
from lookalike.models.onnx_file import with_control_flow
from lookalike.models.openvino_runtime import openvino
from lookalike.models.registry import cache_folder

CONTROL_FLOW = {"Loop", "TensorIterator", "If"}  # ONNX's Loop, Scan and If: a loop may run for ever
TO_COMPILE = 256_000_000  # bytes of address space: with less, OpenVINO may wait for ever for memory
NO_THREADS = "Broken promise", "Resource temporarily unavailable"  # what it says where memory is limited
# Images a batch: the large maps of the first layers stay in the processor's cache (benchmarks/pipeline.py --tune).
BATCH = {"bf16": 4, "f32": 2}
MOST_VALUES = 2**28  # of one tensor an image: 1 GB in float32


class OpenVinoEngine:
    """Runs a bundle's model.onnx.

    Args:
        bundle: whose network it is.
        threads: of the processor.
        precision: "bf16" or "f32".

    Attributes:
        batch: images that are computed together.
        in_flight: batches that are begun and not finished: at least one more than OpenVINO computes at once.
    """

    def __init__(self, bundle: Bundle, threads: int, precision: str):
        self.bundle, self.threads, self.precision = bundle, threads, precision
        self.batch, self.in_flight = BATCH[precision], 3
        self._compiled: dict[int, Any] = {}
        self._process = os.getpid()

    def start(self, images: Sequence[DecodedImage]) -> Any:
        """Begin with at most `batch` images; what it returns is for `finish`."""
        if not images:
            return None
        size = self.batch if len(images) > 1 else 1
        pixels = np.zeros((size, self.bundle.side_px, self.bundle.side_px, 3), np.uint8)
        for row, image in zip(pixels, images, strict=False):
            row[:] = image.array
        request = self.compiled(size).create_infer_request()
        keep_in_children(request)
        request.start_async({0: pixels})
        return request, len(images), pixels

    def finish(self, started: Any) -> NDArray[np.float32]:
        """Wait for what was begun: the features (n, f) float32, rows of length 1."""
        if started is None:
            return np.zeros((0, self.bundle.length), np.float32)
        request, n, _ = started
        request.wait()
        outputs = {stage.name: request.get_tensor(stage.name).data[:n] for stage in self.bundle.depths}
        return combine_stages(outputs, self.bundle)

    def compiled(self, batch: int) -> Any:
        """The network compiled for one batch size: fixed shapes run faster, and compile once into the cache.

        Raises: BundleError, when the model cannot be run, or is not what backbone.json says.
        """
        if self._process != os.getpid():  # forked: the threads that computed stayed with the parent
            self._compiled, self._process = {}, os.getpid()
        if batch not in self._compiled:
            options: dict[str, Any] = {
                "INFERENCE_PRECISION_HINT": self.precision,
                "INFERENCE_NUM_THREADS": self.threads,
                "PERFORMANCE_HINT": "LATENCY" if batch == 1 else "THROUGHPUT",
            }

            def check(model: Any) -> None:
                _check_input(model, self.bundle)
                check_control_flow(model, self.bundle.model)
                side = self.bundle.side_px
                model.reshape({model.input(0): [batch, side, side, 3]})
                _check_outputs(model, self.bundle)
                check_sizes(model, self.bundle.model)

            name = f"{self.bundle.id}-{self.precision}-{batch}-{self.threads}"
            self._compiled[batch] = compiled = compile_graph(self.bundle, self.bundle.model, name, check, options)
            if batch > 1:  # a processor of many cores computes more than three
                at_once = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
                self.in_flight = max(self.in_flight, at_once + 1)
        return self._compiled[batch]


def compile_graph(bundle: Bundle, file: Path, name: str, check: Callable[[Any], None], options: dict[str, Any]) -> Any:
    """A graph of a bundle, compiled; kept in the user's cache, so that the next process need not.

    Args:
        bundle: whose graph it is.
        file: the graph.
        name: what it is kept under: whatever changes it stands in it.
        check: called with OpenVINO's model before it is compiled: raises BundleError, and fixes its shapes.
        options: for OpenVINO.
    Raises: BundleError, when it cannot be run; MemoryLimitError.
    """
    if (left := bytes_left()) is not None and left < TO_COMPILE:
        raise MemoryLimitError(f"the backbone {bundle.name}")
    core = openvino().Core()
    cache = CompiledCache(cache_folder() / "compiled" / name)
    if (folder := cache.open()) is not None:
        options = {**options, "CACHE_DIR": str(folder)}
    try:
        model = core.read_model(file)
        check(model)
        compiled = core.compile_model(model, "CPU", options)
        keep_in_children(compiled)
        if folder is not None:
            cache.seal()
    except RuntimeError as error:
        if is_out_of_memory(error) or (is_limited() and any(words in str(error) for words in NO_THREADS)):
            raise MemoryLimitError(f"the backbone {bundle.name}") from error
        reason = str(error).strip().splitlines()[-1][:200]
        raise BundleError(f"{file}: cannot be run ({reason}). {_mend(bundle)}") from error
    return compiled


def _mend(bundle: Bundle) -> str:
    if bundle.path.resolve().is_relative_to((cache_folder() / "backbones").resolve()):
        return f"Delete the folder {bundle.path}, and nothing else: it is made again when needed."
    return "Export it anew."


def check_sizes(model: Any, file: Path) -> None:
    """Refuse a graph that makes a tensor which no memory holds; asked before anything is computed.

    Raises: BundleError.
    """
    batch = model.input(0).shape[0]
    for node in model.get_ordered_ops():
        for output in node.outputs():
            shape = output.partial_shape
            if shape.is_static and math.prod(sizes := list(shape.to_shape())) > MOST_VALUES * batch:
                raise BundleError(
                    f"{file}: {node.get_friendly_name()} makes {' x '.join(map(str, sizes))} values, too many "
                    "for the features of pictures. Export it anew."
                )


def check_control_flow(model: Any, file: Path) -> None:
    """Refuse a graph with loops or branches; asked before anything is done with it. Raises: BundleError."""
    for node in model.get_ops():
        if node.get_type_name() in CONTROL_FLOW:
            raise with_control_flow(file, node.get_type_name())


def _check_input(model: Any, bundle: Bundle) -> None:
    side = bundle.side_px
    found = [f"{one.element_type.get_type_name()} {one.partial_shape}" for one in model.inputs]
    if len(model.inputs) == 1 and model.input(0).element_type.get_type_name() == "u8":
        shape = model.input(0).partial_shape
        if shape.rank.is_dynamic or shape.compatible(openvino().PartialShape([-1, side, side, 3])):
            return
    raise BundleError(
        f"{bundle.model}: takes {' and '.join(found)}, but backbone.json promises one picture, u8 [?,{side},{side},3]. "
        "Mend 'side_px', or export the model with the normalisation inside."
    )


def _check_outputs(model: Any, bundle: Bundle) -> None:
    found = {name: list(one.partial_shape) for one in model.outputs for name in one.get_names()}
    for stage in bundle.depths:
        shape = [str(size) for size in found.get(stage.name, [])]
        if shape[1:] != [str(stage.length)]:
            there = ", ".join(f"{name} ({', '.join(map(str, sizes))})" for name, sizes in sorted(found.items()))
            raise BundleError(
                f"{bundle.model}: has no output {stage.name!r} of shape (n, {stage.length}). It has {there}. "
                "Mend 'depths' in backbone.json, or pool and flatten the output."
            )


def has_bf16() -> bool:
    """Whether this processor computes in bfloat16; never where LOOKALIKE_BF16 is 0 in the environment."""
    if os.environ.get("LOOKALIKE_BF16") == "0":
        return False
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
