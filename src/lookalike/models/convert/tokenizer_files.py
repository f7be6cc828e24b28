"""A model's tokenizer -> the tokenizer.json of its bundle: the vocabulary of its files, all else of its kind."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.errors import BundleError
from lookalike.models.convert.model_files import TOKENIZER_FILES, ModelFiles, read_json
from lookalike.models.tokens import LARGEST_BYTES, NORMALIZERS, SPLITS

TOKENIZER, SETTINGS, SENTENCEPIECE, VOCABULARY, MERGES = TOKENIZER_FILES
SPECIALS = {  # begin, end, padding, unknown: where tokenizer_config.json does not say
    "clip": ("<|startoftext|>", "<|endoftext|>", "<|endoftext|>", "<|endoftext|>"),
    "siglip": ("", "</s>", "</s>", "<unk>"),
    "siglip2": ("<bos>", "<eos>", "<pad>", "<unk>"),
}


@dataclass(frozen=True)
class TokenizerFile:
    """A tokenizer of one of the kinds of `lookalike.models.tokens`.

    Attributes:
        kind: "clip", "siglip" or "siglip2".
        content: tokenizer.json.
        end: the number of the token that ends a text.
    """

    kind: str
    content: bytes
    end: int


def has_tokenizer(folder: Path) -> bool:
    """Whether a model's folder holds what `read` needs."""
    there = {file for file in TOKENIZER_FILES if (folder / file).is_file()}
    return bool(there & {TOKENIZER, SENTENCEPIECE}) or {VOCABULARY, MERGES} <= there


def read(source: ModelFiles, family: str, length: int) -> TokenizerFile:
    """The tokenizer of a model.

    Only vocabularies are read from its files (JSON, text, and sentencepiece's table): never a pickle, never code.

    Args:
        source: the model's files, which `has_tokenizer`.
        family: "clip" or "siglip", as config.json says it.
        length: how many tokens the network has places for.
    Raises: BundleError, which says in one line what is wrong with them.
    """
    name, folder = source.name, source.folder
    given = _json(name, folder / SETTINGS) if (folder / SETTINGS).is_file() else {}
    table = _json(name, folder / TOKENIZER) if (folder / TOKENIZER).is_file() else None
    model = {} if table is None else table.get("model")
    kind, charsmap = family, None
    try:
        if family == "clip":
            model = _pairs(_from_lists(name, folder) if table is None else model)
        elif (model or {}).get("type") == "BPE":
            kind, model = "siglip2", _pairs(model)
        elif (folder / SENTENCEPIECE).is_file():  # what transformers reads, whatever lies beside it
            model, charsmap = _from_sentencepiece(folder / SENTENCEPIECE)
        else:
            model, charsmap = _pieces(model), _charsmap(table or {})
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise BundleError(f"{name}: its tokenizer cannot be read ({error!r:.100}). Copy its files again.") from error
    begin, end, padding, unknown = _specials(kind, given)
    added = list((table or {}).get("added_tokens") or []) if kind != "siglip" else []
    numbers = {one["content"]: int(one["id"]) for one in added if isinstance(one, dict) and "content" in one}
    vocabulary = _vocabulary(model)

    def number(token: str) -> int:
        found = numbers.get(token, vocabulary.get(token))
        if found is None:
            raise BundleError(f"{name}: its tokenizer has no token {token!r:.40}. Copy its files again.")
        return found

    if kind == "clip":
        model |= {"unk_token": unknown, "fuse_unk": False, "byte_fallback": False}
        model |= {"continuing_subword_prefix": "", "end_of_word_suffix": "</w>"}
        added = added or [_added(one, number(one)) for one in (begin, end)]
        before, after = [begin], [end]
    elif kind == "siglip":
        added = [_added(one, number(one), strips=True) for one in dict.fromkeys((end, padding, unknown))]
        before, after = [], [end]
    else:
        model |= {"unk_token": unknown, "fuse_unk": True, "byte_fallback": True}
        before, after = _around(given, (table or {}).get("post_processor"), begin, end)
    limit = given.get("model_max_length")
    tokens = min(length, limit) if isinstance(limit, int) and limit > len(before) + len(after) else length
    side = given.get("padding_side") or ("left" if kind == "siglip2" else "right")
    whole = {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": tokens, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": tokens},
            "direction": "Left" if side == "left" else "Right",
            "pad_to_multiple_of": None,
            "pad_id": number(padding),
            "pad_type_id": 0,
            "pad_token": padding,
        },
        "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": _normalizers(kind, charsmap)},
        "pre_tokenizer": SPLITS[kind],
        "post_processor": _template(before, after, number),
        "decoder": None,
        "model": model,
    }
    return TokenizerFile(kind, json.dumps(whole, ensure_ascii=False).encode(), number(end))


def _json(name: str, path: Path) -> dict[str, Any]:
    return read_json(name, path, LARGEST_BYTES)


def _specials(kind: str, given: dict[str, Any]) -> list[str]:
    found = []
    for key, usual in zip(("bos_token", "eos_token", "pad_token", "unk_token"), SPECIALS[kind], strict=True):
        value = given.get(key)
        value = value.get("content") if isinstance(value, dict) else value
        found.append(value if isinstance(value, str) else usual)
    return found


def _pairs(model: Any) -> dict[str, Any]:
    """The model of a tokenizer.json that joins pairs, without what else its file says of it."""
    merges = [one.split(" ") if isinstance(one, str) else list(one) for one in model["merges"]]
    return {"type": "BPE", "dropout": None, "vocab": dict(model["vocab"]), "merges": merges, "ignore_merges": False}


def _from_lists(name: str, folder: Path) -> dict[str, Any]:
    """The same from vocab.json and merges.txt."""
    if (folder / MERGES).stat().st_size > LARGEST_BYTES:
        raise ValueError(f"{MERGES} is larger than {LARGEST_BYTES / 1e6:g} MB")
    lines = (folder / MERGES).read_text(encoding="utf-8").split("\n")
    merges = [line.split() for line in lines if line.strip() and not line.startswith("#version")]
    return {"vocab": _json(name, folder / VOCABULARY), "merges": merges}


def _pieces(model: Any) -> dict[str, Any]:
    """The model of a tokenizer.json that weighs pieces."""
    vocabulary = [[str(piece), float(score)] for piece, score in model["vocab"]]
    return _weighed(vocabulary, int(model["unk_id"]), bool(model.get("byte_fallback")))


def _weighed(vocabulary: list[list[Any]], unknown: int, bytes_too: bool) -> dict[str, Any]:
    return {"type": "Unigram", "unk_id": unknown, "vocab": vocabulary, "byte_fallback": bytes_too}


def _charsmap(table: dict[str, Any]) -> str | None:
    normalizer = table.get("normalizer") or {}
    for one in normalizer.get("normalizers", [normalizer]):
        if one.get("type") == "Precompiled":
            return str(one["precompiled_charsmap"])
    return None


def _from_sentencepiece(path: Path) -> tuple[dict[str, Any], str | None]:
    """The same from sentencepiece's own file, which is a message of protobuf."""
    from transformers.convert_slow_tokenizer import import_protobuf

    if path.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"{path.name} is larger than {LARGEST_BYTES / 1e6:g} MB")
    try:
        found = import_protobuf().ModelProto.FromString(path.read_bytes())
    except Exception as error:  # protobuf's errors have no root in common across its versions
        raise ValueError(f"{path.name} is none of sentencepiece's ({error})") from error
    if found.trainer_spec.model_type != 1:
        raise ValueError(f"{path.name} does not weigh pieces (unigram)")
    vocabulary = [[one.piece, one.score] for one in found.pieces]
    charsmap = base64.b64encode(found.normalizer_spec.precompiled_charsmap).decode() or None
    return _weighed(vocabulary, found.trainer_spec.unk_id, found.trainer_spec.byte_fallback), charsmap


def _vocabulary(model: dict[str, Any]) -> dict[str, int]:
    found = model["vocab"]
    return found if isinstance(found, dict) else {piece: place for place, (piece, _) in enumerate(found)}


def _normalizers(kind: str, charsmap: str | None) -> list[dict[str, Any]]:
    steps = []
    for one in NORMALIZERS[kind]:
        if one["type"] != "Precompiled":
            steps.append(one)
        elif charsmap is not None:
            steps.append({**one, "precompiled_charsmap": charsmap})
    return steps


def _around(given: dict[str, Any], template: Any, begin: str, end: str) -> tuple[list[str], list[str]]:
    """The tokens before and after a text: the template of tokenizer.json, else as tokenizer_config.json says it."""
    if not isinstance(template, dict):
        return [begin] * bool(given.get("add_bos_token")), [end] * bool(given.get("add_eos_token"))
    around: tuple[list[str], list[str]] = ([], [])
    behind = False
    for one in template.get("single") or ():
        if "Sequence" in one:
            behind = True
        elif "SpecialToken" in one:
            around[behind].append(str(one["SpecialToken"]["id"]))
    return around


def _template(before: Sequence[str], after: Sequence[str], number: Any) -> dict[str, Any]:
    def single(text: str) -> list[dict[str, Any]]:
        wrapped = [[{"SpecialToken": {"id": one, "type_id": 0}} for one in some] for some in (before, after)]
        return [*wrapped[0], {"Sequence": {"id": text, "type_id": 0}}, *wrapped[1]]

    specials = {one: {"id": one, "ids": [number(one)], "tokens": [one]} for one in (*before, *after)}
    return {
        "type": "TemplateProcessing",
        "single": single("A"),
        "pair": [*single("A"), *single("B")],
        "special_tokens": specials,
    }


def _added(token: str, number: int, strips: bool = False) -> dict[str, Any]:
    return {
        "id": number,
        "content": token,
        "single_word": False,
        "lstrip": strips,
        "rstrip": strips,
        "normalized": False,
        "special": True,
    }
