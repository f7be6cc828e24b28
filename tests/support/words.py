"""Real tokenizers of the three kinds, learned here from a few sentences, and texts to try them with."""

from pathlib import Path
from typing import Any

import numpy as np

SENTENCES = [
    "a red bag, striped",
    "two cats asleep on a blue sofa",
    "the harbour of Busan at night",
    "a bag of red apples and a striped cat",
    "빨간 줄무늬 가방",
    "파란 소파에서 자는 고양이 두 마리",
    "밤의 부산항과 빨간 배",
]
TEXTS = [
    "a red bag, striped",
    "A RED-Striped  BAG!  ",
    "빨간 줄무늬 가방",
    "밤의 부산항, 파란 고양이?",
    "cat's 3 apples 🍎🍎 & naïve Ünïcode ﬁ Ⅳ",
    "",
    " ",
    "  두  칸\t띄고\n줄",
    "red " * 200,
]
BEGIN, END = "<|startoftext|>", "<|endoftext|>"


def save_tokenizer(kind: str, folder: Path) -> int:
    """Learn and save a tokenizer as transformers saves it; returns how many tokens it has."""
    import transformers as t

    if kind == "clip":
        vocabulary, merges = _byte_pairs()
        tokenizer: Any = t.CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)
    elif kind == "siglip":
        tokenizer = t.SiglipTokenizer(vocab_file=str(_sentencepiece(folder)))
    else:
        vocabulary, merges = _spaced_pairs()
        tokenizer = t.Siglip2Tokenizer(
            vocab=vocabulary, merges=merges, add_eos_token=True, padding_side="right", model_max_length=64
        )
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def theirs(kind: str, folder: Path, texts: list[str], length: int) -> Any:
    """The tokens that transformers gives, (n, length)."""
    import transformers as t

    classes = {"clip": t.CLIPTokenizer, "siglip": t.SiglipTokenizer, "siglip2": t.Siglip2Tokenizer}
    tokenizer = classes[kind].from_pretrained(folder)
    options = {"padding": "max_length", "truncation": True, "max_length": length, "return_tensors": "np"}
    return np.asarray(tokenizer(texts, **options)["input_ids"])


def _byte_pairs() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """As CLIP's: all bytes, all bytes at the end of a word, pairs, and two special tokens at the end."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    learned = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learned.normalizer = normalizers.Lowercase()
    learned.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    trainer = trainers.BpeTrainer(vocab_size=700, end_of_word_suffix="</w>", show_progress=False)
    learned.train_from_iterator(SENTENCES, trainer)
    merges = _merges(learned)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*letters, *(f"{one}</w>" for one in letters), *("".join(pair) for pair in merges), BEGIN, END]
    return {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}, merges


def _spaced_pairs() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """As Gemma's: special tokens, all bytes for what is not known, letters, pairs; spaces are pieces."""
    from tokenizers import Tokenizer, models, normalizers, trainers

    learned = Tokenizer(models.BPE())
    learned.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "▁")])
    trainer = trainers.BpeTrainer(vocab_size=250, show_progress=False)
    learned.train_from_iterator(SENTENCES, trainer)
    merges = _merges(learned)
    letters = sorted({letter for one in SENTENCES for letter in one.lower().replace(" ", "▁")})
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<0x{i:02X}>" for i in range(256)), *letters]
    pieces += ["".join(pair) for pair in merges]
    return {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}, merges


def _merges(learned: Any) -> list[tuple[str, str]]:
    import json

    return [tuple(one) for one in json.loads(learned.to_str())["model"]["merges"]]


def _sentencepiece(folder: Path) -> Path:
    """As SigLIP's: pieces with weights; padding, end and unknown first."""
    import sentencepiece

    folder.mkdir(parents=True, exist_ok=True)
    texts = [one.lower().replace(",", "") for one in SENTENCES]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=str(folder / "spiece"),
        vocab_size=80,
        character_coverage=1.0,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    (folder / "spiece.vocab").unlink()
    return folder / "spiece.model"
