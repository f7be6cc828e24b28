"""The network of texts of CLIP and SigLIP, beside that of pictures: loaded, exported, compared with torch."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lookalike.errors import BundleError
from lookalike.models.bundle import MOST_TOKENS, TextTower
from lookalike.models.convert import tokenizer_files, torch_to_onnx, transformers_model
from lookalike.models.convert.architectures import Architecture
from lookalike.models.convert.config_schema import network_settings
from lookalike.models.convert.model_files import ModelFiles
from lookalike.models.openvino_runtime import openvino
from lookalike.models.tokens import FILE, GRAPH, TABLE

LEGACY_END = 2  # what older configs of CLIP call the end of a text: then the largest token is read
LARGEST_HALF = 65_504


@dataclass(frozen=True)
class ConvertedText:
    """What a bundle gets beside its network of pictures: how it is asked, and the files, by name."""

    tower: TextTower
    files: dict[str, bytes]


class TextExtractor(nn.Module):
    """Vectors of tokens (n, l, width) and which place is read (n, l) -> the joint space (n, d), float32."""

    def __init__(self, tower: Any):
        super().__init__()
        self.given = _Given()
        self.table: Tensor = tower.get_input_embeddings().weight.detach()
        tower.set_input_embeddings(self.given)
        self.tower = tower

    def forward(self, tokens: Tensor, pick: Tensor) -> Tensor:
        """See the class."""
        self.given.vectors = tokens
        ids = torch.zeros(tokens.shape[:2], dtype=torch.long)  # nothing is looked up with them
        found = self.tower(input_ids=ids)
        one: Tensor = (found.last_hidden_state * pick[:, :, None]).sum(1)
        last: nn.Module = self.tower.text_projection if hasattr(self.tower, "text_projection") else _head(self.tower)
        joint: Tensor = last(one)
        return joint


class _Given(nn.Module):
    """Stands for the table of tokens: gives the vectors that were looked up outside."""

    vectors: Tensor

    def forward(self, ids: Tensor) -> Tensor:
        """Whatever the ids."""
        return self.vectors


def _head(tower: Any) -> nn.Module:
    head: nn.Module = getattr(tower, "text_model", tower).head
    return head


def convert(source: ModelFiles, family: Architecture, length: int) -> ConvertedText:
    """The network of texts of a model that has one.

    Args:
        source: the model's files, with a tokenizer.
        family: the network of pictures'.
        length: of the joint space, as the network of pictures gives it.
    Raises: BundleError, for settings that cannot be, weights that are missing, a tokenizer that is not its own.
    """
    name, config = source.name, source.config()
    part = config.get("text_config")
    if not isinstance(part, dict):
        raise BundleError(f"{name}: config.json has no text_config. Copy it again.")
    settings = network_settings(name, part)
    if family.text == "CLIPTextModelWithProjection":
        settings |= network_settings(name, {"projection_dim": config.get("projection_dim")})
    tower = transformers_model.load_tower(source, family.text, settings)
    read = tower.config
    kind = "clip" if family.text.startswith("CLIP") else "siglip"
    tokenizer = tokenizer_files.read(source, kind, read.max_position_embeddings)
    tokens = _length_of(tokenizer.content)
    pool, end = pooling(kind, part, tokenizer.end)
    extractor = TextExtractor(tower.eval()).eval()
    table = extractor.table.numpy()
    if tokens > MOST_TOKENS or not np.abs(table).max() < LARGEST_HALF:
        raise BundleError(f"{name}: {tokens} tokens a text, or tokens without bounds. Its weights are damaged.")
    described = TextTower("features", tokenizer.kind, tokens, len(table), table.shape[1], pool, end)
    graph = _export(name, extractor, described, length)
    buffer = io.BytesIO()
    np.save(buffer, table.astype(np.float16), allow_pickle=False)
    return ConvertedText(described, {GRAPH: graph, TABLE: buffer.getvalue(), FILE: tokenizer.content})


def _length_of(tokenizer: bytes) -> int:
    from tokenizers import Tokenizer

    try:
        cut = Tokenizer.from_buffer(tokenizer).truncation
        assert cut is not None
        return int(cut["max_length"])
    except BaseException as error:  # what Rust panics with is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise BundleError(f"its tokenizer is damaged ({error!s:.100}). Copy its files again.") from error


def pooling(kind: str, config: dict[str, Any], end: int) -> tuple[str, int]:
    """Where the answer stands, as transformers' own networks find it."""
    if kind != "clip":
        return "last", 0
    said = config.get("eos_token_id", 49407)
    if said == LEGACY_END:
        return "largest", 0
    return "first", said if isinstance(said, int) else end


def _export(name: str, extractor: TextExtractor, tower: TextTower, length: int) -> bytes:
    """text.onnx, compared with torch on random tokens, in float32."""
    rng = np.random.default_rng(0)
    rows = extractor.table.numpy()[rng.integers(0, tower.vocabulary, (2, tower.tokens))]
    tokens = rows.astype(np.float16).astype(np.float32)
    pick = np.zeros((2, tower.tokens), np.float32)
    pick[0, -1] = pick[1, tower.tokens // 2] = 1
    graph = torch_to_onnx.export_graph(
        name, extractor, (torch.from_numpy(tokens), torch.from_numpy(pick)), ["tokens", "pick"], ["text"]
    )
    with torch.no_grad():
        ours = extractor(torch.from_numpy(rows.astype(np.float32)), torch.from_numpy(pick)).numpy()
    core = openvino().Core()
    compiled = core.compile_model(core.read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    theirs = compiled([tokens, pick])["text"]
    if ours.shape[1] != length:
        raise BundleError(f"{name}: texts of {ours.shape[1]} values, pictures of {length}. Copy its files again.")
    torch_to_onnx.check_equal(name, "text", ours, _as_float(theirs))
    return graph


def _as_float(rows: Any) -> NDArray[np.float32]:
    return np.asarray(rows, np.float32)
