"""A backbone on disk: model.onnx and backbone.json; read, verified, written whole, named by its content."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lookalike.errors import BundleError
from lookalike.files import digest, replace_folder

TOKENIZERS, POOLS, MOST_TOKENS = ("clip", "siglip", "siglip2"), ("last", "first", "largest"), 512

NEARLY_EQUAL = 0.98


@dataclass(frozen=True)
class StageOutput:
    """One output of the graph, pooled, and its part in the features.

    Attributes:
        name: of the output.
        length: the number of its values.
        weight: how long its part of the features is, beside the others', above 0: what plain search reads.
        power: to which its values are raised, keeping their sign: above 0, at most 1; 0.5 is the square root.
        soft: the share of a row's mean size that is added before, 0 or more, so that small values stay small.
        lens_weight: how long its part is for lenses, above 0; None where that is `weight` too.
    """

    name: str
    length: int
    weight: float
    power: float = 0.5
    soft: float = 0.0
    lens_weight: float | None = None

    def table(self) -> dict[str, Any]:
        """Its row in backbone.json; what is not set is left out."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class TextTower:
    """How a bundle is asked in words: text.onnx, tokens.npy and tokenizer.json beside its model.onnx.

    Attributes:
        depth: the output of model.onnx that texts are compared with: its values and a text's lie in one space. Its
            power is 1, so that its part of the features is that of the network, made shorter.
        tokenizer: "clip", "siglip" or "siglip2": what is done to a text before its tokens are looked up.
        tokens: how many of them the network reads.
        vocabulary: how many there are.
        width: values a token.
        pool: where the network's answer stands: "last" place, place of the "first" token that is `end`, or of the
            "largest" number.
        end: a token; 0 where it does not matter.
    """

    depth: str
    tokenizer: str
    tokens: int
    vocabulary: int
    width: int
    pool: str
    end: int = 0


@dataclass(frozen=True)
class Bundle:
    """What backbone.json says, and where it lies.

    Attributes:
        path: the folder.
        name: what people call it.
        id: BLAKE2b of the tensors and the preprocessing, 32 hexadecimal digits.
        side_px: the side of its square input.
        depths: the outputs of stages that are combined into the features, in order.
        layers: name, kind, output shape and parameters of each layer, in order.
        parent: the id of the backbone that it was tuned from; "" where it was not.
        tuning: how it was tuned: the first layer that learned, steps, rate, seed and so on.
        text: how it is asked in words; None for a network of pictures alone.
        nearly_equal: the similarity of features from which on two pictures count as nearly equal, -1 to 1.
    """

    path: Path
    name: str
    id: str
    side_px: int
    depths: tuple[StageOutput, ...]
    layers: tuple[dict[str, Any], ...] = ()
    licence: str = ""
    source: str = ""
    resize: str = "squash"
    parent: str = ""
    tuning: dict[str, Any] = field(default_factory=dict)
    text: TextTower | None = None
    nearly_equal: float = NEARLY_EQUAL

    @property
    def length(self) -> int:
        """The number of features."""
        return sum(depth.length for depth in self.depths)

    @property
    def joint(self) -> tuple[slice, float]:
        """Which of the features are compared with a text, and how long that part is in features of length 1.

        A vector of length 1 that is zero elsewhere has with features the cosine of the joint space times this length.
        """
        assert self.text is not None
        start = 0
        for depth in self.depths:
            if depth.name == self.text.depth:
                break
            start += depth.length
        whole = math.sqrt(sum(one.weight**2 for one in self.depths))
        return slice(start, start + depth.length), depth.weight / whole

    @property
    def model(self) -> Path:
        """The graph: uint8 (n, side, side, 3) in, the outputs of the stages out."""
        return self.path / "model.onnx"


def read(path: Path) -> Bundle:
    """Read a bundle.

    Raises: BundleError, which says in one line what is wrong with it.
    """
    table = path / "backbone.json"
    try:
        found = json.loads(table.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(
            f"{path}: no backbone ({error.strerror}: backbone.json). A bundle holds model.onnx and backbone.json; "
            "a model in transformers' format config.json, preprocessor_config.json and model.safetensors."
        ) from error
    except ValueError as error:
        raise BundleError(f"{table}: not JSON ({error}). Write the bundle anew.") from error
    if not (path / "model.onnx").is_file():
        raise BundleError(f"{path}: model.onnx is missing. A bundle holds model.onnx and backbone.json.")
    try:
        bundle = Bundle(
            path=path,
            name=_text(found, "name"),
            id=_id(found),
            side_px=_count(found, "side_px"),
            depths=tuple(_depth(one) for one in found["depths"]),
            layers=tuple(found.get("layers", ())),
            licence=str(found.get("licence", "")),
            source=str(found.get("source", "")),
            resize=str(found.get("resize", "squash")),
            parent=str(found.get("parent", "")),
            tuning=dict(found.get("tuning", {})),
            nearly_equal=float(found.get("nearly_equal", NEARLY_EQUAL)),
            text=None if found.get("text") is None else _text_tower(found["text"]),
        )
    except KeyError as error:
        raise BundleError(f"{table}: {error} is missing. docs/formats.md lists every key.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{table}: {error}. docs/formats.md lists every key.") from error
    if not bundle.depths:
        raise BundleError(f"{table}: 'depths' is empty. Name at least one output of the graph.")
    if not -1 <= bundle.nearly_equal <= 1:
        raise BundleError(f"{table}: 'nearly_equal' is {bundle.nearly_equal}. Similarities lie between -1 and 1.")
    if bundle.resize != "squash":
        raise BundleError(f"{table}: resize {bundle.resize!r} is not known. Only 'squash' is.")
    if bundle.text is not None and bundle.text.depth not in {one.name for one in bundle.depths if one.power == 1}:
        raise BundleError(f"{table}: 'text' names the depth {bundle.text.depth!r}, which is none of power 1.")
    return bundle


def write(bundle: Bundle, model: bytes, also: Mapping[str, bytes] | None = None) -> Bundle:
    """Write a bundle's folder whole or not at all; when another process wrote it meanwhile, that one stays.

    Args:
        bundle: what backbone.json shall say, and where.
        model: model.onnx.
        also: further files, by name: weights.safetensors and config.json of a backbone that can learn.
    """
    table = {key: value for key, value in asdict(bundle).items() if key != "path" and (key, value) != ("text", None)}
    table["depths"] = [one.table() for one in bundle.depths]

    def write_files(folder: Path) -> None:
        (folder / "model.onnx").write_bytes(model)
        for name, content in (also or {}).items():
            (folder / name).write_bytes(content)
        (folder / "backbone.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")

    replace_folder(bundle.path, write_files, keep_existing=True)
    return bundle


def identify(tensors: dict[str, Any], preprocessing: dict[str, Any]) -> str:
    """The id: the same tensors under the same preprocessing have the same one, whatever file they came in."""

    def parts() -> Iterator[bytes]:
        yield json.dumps(preprocessing, sort_keys=True).encode()
        for name in sorted(tensors):
            yield f"{name}{tensors[name].shape}{tensors[name].dtype}".encode()
            yield tensors[name].tobytes()

    return digest(parts()).hex()


def _depth(table: dict[str, Any]) -> StageOutput:
    depth = StageOutput(
        name=_text(table, "name"),
        length=_count(table, "length"),
        weight=float(table["weight"]),
        power=float(table.get("power", 0.5)),
        soft=float(table.get("soft", 0.0)),
        lens_weight=None if table.get("lens_weight") is None else float(table["lens_weight"]),
    )
    for key, most in (("weight", 1e6), ("lens_weight", 1e6), ("power", 1), ("soft", 1e6)):
        value = getattr(depth, key)
        if value is not None and not (0 <= value <= most and (value > 0 or key == "soft")):
            raise ValueError(f"{key!r} of depth {depth.name!r} is {value}, which is out of its range")
    return depth


def _text_tower(table: dict[str, Any]) -> TextTower:
    tower = TextTower(
        depth=_text(table, "depth"),
        tokenizer=_text(table, "tokenizer"),
        tokens=_count(table, "tokens"),
        vocabulary=_count(table, "vocabulary", most=10_000_000),
        width=_count(table, "width"),
        pool=_text(table, "pool"),
        end=int(table.get("end", 0)),
    )
    for key, value, known in (("tokenizer", tower.tokenizer, TOKENIZERS), ("pool", tower.pool, POOLS)):
        if value not in known:
            raise ValueError(f"{key!r} of 'text' must be one of {', '.join(known)}, not {value!r}")
    if tower.tokens > MOST_TOKENS:
        raise ValueError(f"'tokens' of 'text' must be {MOST_TOKENS} at most, not {tower.tokens}")
    return tower


def _id(table: dict[str, Any]) -> str:
    """It names files: nothing in it may lead elsewhere."""
    found = _text(table, "id")
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}", found):
        raise ValueError(f"'id' must be 1 to 64 letters, digits, - and _, not {found!r}")
    return found


def _text(table: dict[str, Any], key: str) -> str:
    if not isinstance(table[key], str) or not table[key]:
        raise ValueError(f"{key!r} must be text, not {table[key]!r}")
    return str(table[key])


def _count(table: dict[str, Any], key: str, most: int = 100_000) -> int:
    if not isinstance(table[key], int) or isinstance(table[key], bool) or not 0 < table[key] <= most:
        raise ValueError(f"{key!r} must be a whole number above 0, not {table[key]!r}")
    return int(table[key])
