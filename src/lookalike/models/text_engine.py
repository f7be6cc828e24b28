"""Words -> where they lie in the space that a network shares between texts and pictures; run by OpenVINO."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BundleError
from lookalike.models.bundle import Bundle
from lookalike.models.forks import keep_in_children
from lookalike.models.openvino_engine import check_control_flow, check_sizes, compile_graph
from lookalike.models.tokens import GRAPH, TABLE, Tokens
from lookalike.models.vectors import normalize_rows


class TextEngine:
    """Runs a bundle's text tower, one text at a time, in float32 on any processor.

    The vectors of the tokens are a table of their own, of which only the rows of a text are read: with the 256,000
    tokens of SigLIP 2 it is larger than the network.

    Args:
        bundle: with a text tower.
        threads: of the processor.
    Raises: BundleError, when a file of it is damaged; MissingExtraError.
    """

    def __init__(self, bundle: Bundle, threads: int):
        assert bundle.text is not None
        self.bundle, self.tower, self.threads = bundle, bundle.text, threads
        self.tokens = Tokens(bundle)
        self._table = _read_table(bundle)
        self._compiled: Any = None
        self._process = os.getpid()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts -> the joint space: (n, d) float32, rows of length 1.

        Raises: QueryError, for a text that cannot be read; BundleError.
        """
        tower, rows = self.tower, np.zeros((len(texts), self._length), np.float32)
        for row, text in zip(rows, texts, strict=True):
            ids, _ = self.tokens.of(text)
            pick = np.zeros((1, tower.tokens), np.float32)
            pick[0, place_of(ids, tower.pool, tower.end)] = 1
            request = self.compiled().create_infer_request()
            keep_in_children(request)
            request.infer({"tokens": self.embed_tokens(ids), "pick": pick})
            row[:] = request.get_tensor("text").data[0]
        if not np.isfinite(rows).all():
            raise BundleError(f"{self.bundle.path / GRAPH}: gives values that are no numbers. Convert the model anew.")
        return normalize_rows(rows)

    def embed_tokens(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of tokens (l,), (1, l, width), as the network takes them."""
        return self._table[ids][None].astype(np.float32)

    def is_cut(self, text: str) -> bool:
        """Whether a text has more tokens than the network reads."""
        return self.tokens.of(text)[1]

    @property
    def _length(self) -> int:
        part, _ = self.bundle.joint
        return int(part.stop - part.start)

    def compiled(self) -> Any:
        """The network, compiled once. Raises: BundleError, when it is not what backbone.json says."""
        if self._process != os.getpid():  # forked: the threads that computed stayed with the parent
            self._compiled, self._process = None, os.getpid()
        if self._compiled is None:
            options = {
                "INFERENCE_PRECISION_HINT": "f32",
                "INFERENCE_NUM_THREADS": self.threads,
                "PERFORMANCE_HINT": "LATENCY",
            }
            file = self.bundle.path / GRAPH
            name = f"{self.bundle.id}-text-{self.threads}"
            self._compiled = compile_graph(self.bundle, file, name, self._check, options)
        return self._compiled

    def _check(self, model: Any) -> None:
        """Fix its shapes; raises BundleError for other inputs and outputs."""
        tower, file = self.tower, self.bundle.path / GRAPH
        wanted = {"tokens": [1, tower.tokens, tower.width], "pick": [1, tower.tokens]}
        check_control_flow(model, file)
        inputs = {name: one for one in model.inputs for name in one.get_names()}
        if set(inputs) != set(wanted) or any(one.element_type.get_type_name() != "f32" for one in model.inputs):
            raise BundleError(
                f"{file}: takes {', '.join(sorted(inputs))}, not tokens and pick. Convert the model anew."
            )
        model.reshape({inputs[name]: shape for name, shape in wanted.items()})
        outputs = {name: list(one.partial_shape) for one in model.outputs for name in one.get_names()}
        shape = [str(size) for size in outputs.get("text", [])]
        if shape != ["1", str(self._length)]:
            raise BundleError(
                f"{file}: has no output text of shape (1, {self._length}), the length of depth {tower.depth!r}. "
                "Convert the model anew."
            )
        check_sizes(model, file)


def place_of(ids: NDArray[np.int64], pool: str, end: int) -> int:
    """Which of the tokens (l,) the network's answer is read at: see `TextTower.pool`.

    >>> ids = np.array([8, 3, 9, 9])
    >>> place_of(ids, "last", 0), place_of(ids, "first", 9), place_of(ids, "largest", 0), place_of(ids, "first", 7)
    (3, 2, 2, 0)
    """
    if pool == "last":
        return len(ids) - 1
    return int(np.argmax(ids if pool == "largest" else ids == end))


def _read_table(bundle: Bundle) -> NDArray[np.float16]:
    """The vectors of all tokens, (vocabulary, width) float16, on the disk until they are asked for."""
    assert bundle.text is not None
    path, shape = bundle.path / TABLE, (bundle.text.vocabulary, bundle.text.width)
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BundleError(f"{path}: cannot be read ({error}). Convert the model anew.") from error
    if not isinstance(found, np.ndarray) or found.dtype != np.float16 or found.shape != shape:
        raise BundleError(f"{path}: not a table of {shape[0]} x {shape[1]} values in float16. Convert the model anew.")
    return found
