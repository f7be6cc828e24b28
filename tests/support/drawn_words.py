"""A tiny network that knows words, drawn by hand: the mean colour of a picture, and the colours that a text names."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from lookalike.models.tokens import NORMALIZERS, SPLITS

COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "빨간": (1, 0, 0), "dark": (-0.5, -0.5, -0.5)}
TOKENS = 6
TABLE: dict[str, Any] = {
    "name": "drawn-words",
    "id": "c0105",
    "side_px": 8,
    "depths": [
        {"name": "rest", "length": 3, "weight": 0.5},
        {"name": "mean", "length": 3, "weight": 1.0, "power": 1.0},
    ],
    "text": {"depth": "mean", "tokenizer": "siglip", "tokens": TOKENS, "vocabulary": 8, "width": 3, "pool": "last"},
}
SHARE = 1 / np.sqrt(1.25)  # of the depth "mean" in features of length 1


def write_words(folder: Path, **text: Any) -> Path:
    """The bundle; its colour words add up: "red green" is yellow. `text` replaces what backbone.json says of texts."""
    folder.mkdir(parents=True)
    (folder / "backbone.json").write_text(json.dumps({**TABLE, "text": {**TABLE["text"], **text}}), "utf-8")
    (folder / "model.onnx").write_bytes(_pictures())
    (folder / "text.onnx").write_bytes(texts())
    rows = np.array([(0, 0, 0)] * 3 + list(COLOURS.values()), np.float16)
    np.save(folder / "tokens.npy", rows, allow_pickle=False)
    write_tokenizer(folder)
    return folder


def write_tokenizer(folder: Path, **other: Any) -> None:
    """Its tokenizer.json, with other values."""
    pieces = ["<pad>", "</s>", "<unk>", *(f"▁{word}" for word in COLOURS)]
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    table = {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": TOKENS, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": TOKENS},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "<pad>",
        },
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": NORMALIZERS["siglip"][1:]},
        "pre_tokenizer": SPLITS["siglip"],
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, end],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, end, {"Sequence": {"id": "B", "type_id": 0}}, end],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}},
        },
        "decoder": None,
        "model": {"type": "Unigram", "unk_id": 2, "vocab": [[piece, -1.0] for piece in pieces], "byte_fallback": False},
        **other,
    }
    (folder / "tokenizer.json").write_text(json.dumps(table), "utf-8")


def write_colours(folder: Path) -> Path:
    """Pictures of one colour each: red.png, green.png, blue.png, yellow.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, colour in {"red": (255, 20, 20), "green": (20, 255, 20), "blue": (20, 20, 255)}.items():
        Image.new("RGB", (40, 30), colour).save(folder / f"{name}.png")
    Image.new("RGB", (40, 30), (255, 255, 20)).save(folder / "yellow.png")
    return folder


def _pictures() -> bytes:
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("Div", ["channels_first", "white"], ["shares"]),
        helper.make_node("GlobalAveragePool", ["shares"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["mean"], axis=1),
        helper.make_node("Sub", ["mean", "half"], ["rest"]),
    ]
    constants = {"white": 255, "half": 0.25}
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("rest", "mean")]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 8, 8, 3])
    return _model(nodes, [image], outputs, constants)


def texts(width: int = 3, output: str = "text") -> bytes:
    """text.onnx: the sum of the tokens' vectors."""
    nodes = [
        helper.make_node("Unsqueeze", ["pick", "two"], ["column"]),
        helper.make_node("Mul", ["column", "zero"], ["nothing"]),
        helper.make_node("Add", ["tokens", "nothing"], ["all"]),
        helper.make_node("ReduceSum", ["all", "one"], [output], keepdims=0),
    ]
    inputs = [
        helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["n", TOKENS, width]),
        helper.make_tensor_value_info("pick", TensorProto.FLOAT, ["n", TOKENS]),
    ]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", width])]
    return _model(nodes, inputs, outputs, {"zero": 0.0}, {"one": [1], "two": [2]})


def _model(nodes: Any, inputs: Any, outputs: Any, numbers: dict[str, float], axes: Any = None) -> bytes:
    constants = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in numbers.items()]
    constants += [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in (axes or {}).items()]
    graph = helper.make_graph(nodes, "drawn", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return bytes(model.SerializeToString())
