"""Words -> the numbers of their tokens: the vocabulary of a bundle, read by the tokenizers library."""

import json
import re
import string
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BundleError, MissingExtraError, QueryError
from lookalike.models.bundle import Bundle

FILE, TABLE, GRAPH = "tokenizer.json", "tokens.npy", "text.onnx"  # of a bundle that knows words
LARGEST_BYTES = 64_000_000  # of the file; 256,000 pieces take 34 MB
MOST_CHARACTERS = 10_000  # of a text; a network reads 77 tokens at most
SPACE = "▁"  # what sentencepiece writes for a space
_CLIP_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_LOWER = {"type": "Lowercase"}
_SPACES = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
# What is done to a text before its pieces are looked up, in the words of tokenizer.json: by kind, ever the same. A file
# brings its vocabulary and nothing else, so no pattern of somebody else's is ever run over a text.
NORMALIZERS: dict[str, list[dict[str, Any]]] = {
    "clip": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}, _LOWER],
    "siglip": [
        {"type": "Precompiled"},
        {"type": "Strip", "strip_left": False, "strip_right": True},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
        _SPACES,
    ],
    "siglip2": [_LOWER, _SPACES],
}
SPLITS: dict[str, dict[str, Any] | None] = {
    "clip": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": _CLIP_WORDS}, "behavior": "Removed", "invert": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        ],
    },
    "siglip": None,
    "siglip2": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
}


class Tokens:
    """The tokens of a bundle's texts.

    Args: bundle: with a text tower.
    Raises: BundleError, when its tokenizer.json is damaged or does more than look words up; MissingExtraError.
    """

    def __init__(self, bundle: Bundle):
        assert bundle.text is not None
        self.tower, self.path = bundle.text, bundle.path / FILE
        self._tokenizer = read_tokenizer(self.path, self.tower.tokenizer)

    def of(self, text: str) -> tuple[NDArray[np.int64], bool]:
        """The tokens of a text, (l,), padded or cut to the l that the network reads, and whether it was cut.

        Raises: QueryError, for a text that is too long, or holds what is no Unicode.
        """
        if len(text) > MOST_CHARACTERS:
            raise QueryError(f"a text of {len(text):,} characters: a network reads some 60 words. Ask with fewer.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise QueryError(f"a text that is no Unicode ({error.reason}). Write it anew.") from error
        if self.tower.tokenizer == "siglip":
            text = canonical(text)
        found = _guarded(self.path, lambda: self._tokenizer.encode(text))
        ids = np.array(found.ids, np.int64)
        if len(ids) != self.tower.tokens or ids.max() >= self.tower.vocabulary:
            raise _damaged(self.path, f"it gives {len(ids)} tokens up to {ids.max()}")
        return ids, bool(found.overflowing)


def canonical(text: str) -> str:
    """A text as SigLIP was trained with: lower case, without ASCII's punctuation, single spaces.

    Source: big_vision's prompt_engineering.canonicalize_text; the order is that of transformers' SiglipTokenizer.

    >>> canonical("A red-striped  BAG!")
    '▁a redstriped bag'
    """
    text = (SPACE + text.replace(SPACE, " ")).lower().translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\s+", " ", text).strip()


def read_tokenizer(path: Path, kind: str) -> Any:
    """A tokenizers.Tokenizer from a file, which does nothing to a text but what its kind does.

    Args:
        path: of tokenizer.json.
        kind: "clip", "siglip" or "siglip2".
    Raises: BundleError; MissingExtraError.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError("asking in words", "words") from error
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise _damaged(path, f"larger than {LARGEST_BYTES / 1e6:g} MB")
        content = path.read_bytes()
    except OSError as error:
        raise _damaged(path, str(error.strerror)) from error
    found = _guarded(path, lambda: Tokenizer.from_buffer(content))
    normalizer = _state(found.normalizer) or {}
    steps = [
        {key: value for key, value in one.items() if key != "precompiled_charsmap"}  # data: what is one letter
        for one in normalizer.get("normalizers", ())
    ]
    known = [one for one in NORMALIZERS[kind] if one in steps or one["type"] != "Precompiled"]
    if steps != known or _state(found.pre_tokenizer) != SPLITS[kind]:
        raise _damaged(path, f"it does other things to a text than {kind} does")
    if (_state(found.post_processor) or {}).get("type") != "TemplateProcessing":
        raise _damaged(path, "it does not say how a text begins and ends")
    return found


def _state(part: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = None if part is None else json.loads(part.__getstate__())
    return found


def _guarded(path: Path, run: Any) -> Any:
    try:
        return run()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # what Rust panics with is no Exception
        raise _damaged(path, (str(error).strip().splitlines() or [type(error).__name__])[0][:150]) from error


def _damaged(path: Path, why: str) -> BundleError:
    return BundleError(f"{path}: cannot be used ({why}). Convert the model anew from where it came from.")
