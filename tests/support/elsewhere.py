"""Small networks with random weights, saved as transformers saves them."""

import json
from pathlib import Path

import numpy as np
import pytest

from support.words import save_tokenizer

MEAN, DEVIATION = (0.5, 0.4, 0.3), (0.2, 0.3, 0.25)
TOKENS = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 8,
}
TEXT = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 50,
    "bos_token_id": None,
    "eos_token_id": 49,
    "pad_token_id": None,
}
WORDS = {"clip_words": "clip", "siglip_words": "siglip", "siglip2_words": "siglip2"}  # with their tokenizers


def make(kind: str, vocabulary: int = 0):
    """One network of a kind; with words, of a vocabulary."""
    t = pytest.importorskip("transformers")
    if kind in WORDS:
        text = {**TEXT, "num_hidden_layers": 2, "vocab_size": vocabulary, "eos_token_id": vocabulary - 1}
        if kind == "clip_words":
            return t.CLIPModel(t.CLIPConfig(vision_config=TOKENS, text_config=text, projection_dim=24))
        text = {**text, "projection_size": TOKENS["hidden_size"]}
        return t.SiglipModel(t.SiglipConfig(vision_config=TOKENS, text_config=text))
    if kind == "resnet":
        sizes = {"embedding_size": 8, "hidden_sizes": [16, 24, 32, 40], "depths": [1, 1, 2, 1]}
        return t.ResNetModel(t.ResNetConfig(**sizes))
    if kind == "convnext":
        return t.ConvNextModel(t.ConvNextConfig(hidden_sizes=[8, 12, 16, 24], depths=[1, 1, 2, 1]))
    if kind == "vit":
        return t.ViTModel(t.ViTConfig(**TOKENS))
    if kind == "dinov2":  # built for 64 px, asked at 32: its places are interpolated
        return t.Dinov2Model(t.Dinov2Config(**{**TOKENS, "image_size": 64, "mlp_ratio": 2}))
    if kind == "dinov3":
        return t.DINOv3ViTModel(t.DINOv3ViTConfig(**TOKENS, num_register_tokens=2))
    if kind == "clip":
        return t.CLIPModel(t.CLIPConfig(vision_config=TOKENS, text_config=TEXT))
    if kind == "clip_vision":
        return t.CLIPVisionModel(t.CLIPVisionConfig(**TOKENS))
    if kind == "siglip":
        return t.SiglipModel(t.SiglipConfig(vision_config=TOKENS, text_config=TEXT))
    assert kind == "siglip_vision"
    return t.SiglipVisionModel(t.SiglipVisionConfig(**TOKENS))


def save(kind: str, folder: Path) -> Path:
    """A network of a kind in transformers' format, with weights that no layer leaves as they were."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(3)
    model = make(kind, save_tokenizer(WORDS[kind], folder) if kind in WORDS else 0).eval()
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if kind in WORDS and tensor.ndim == 2 and tensor.is_floating_point():  # else all texts would be alike
            torch.nn.init.normal_(tensor.data, std=0.4)
        if tensor.ndim == 1 and tensor.is_floating_point():  # norms, biases, running statistics
            torch.nn.init.uniform_(tensor.data, *((0.5, 1.5) if "weight" in name or "var" in name else (-0.3, 0.3)))
    model.save_pretrained(folder)
    side = 64 if kind in {"resnet", "convnext"} else 32
    table = {"size": {"height": side, "width": side}, "image_mean": MEAN, "image_std": DEVIATION}
    (folder / "preprocessor_config.json").write_text(json.dumps(table))
    return folder


def pictures(side: int, n: int = 8):
    return np.random.default_rng(5).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def witness(kind: str, folder: Path, pixels) -> dict[str, np.ndarray]:
    """The depths as transformers itself gives them, its hidden states asked for by its own option."""
    import torch
    import transformers as t

    towers = {"clip": t.CLIPVisionModel, "siglip": t.SiglipVisionModel}
    model = towers.get(kind, t.AutoModel).from_pretrained(folder).eval()
    values = ((pixels / 255 - MEAN) / DEVIATION).astype(np.float32).transpose(0, 3, 1, 2)
    with torch.no_grad():
        out = model(pixel_values=torch.from_numpy(values), output_hidden_states=True)
    states = [state.numpy() for state in out.hidden_states]
    last = out.last_hidden_state.numpy()
    if last.ndim == 4:
        whole = out.pooler_output.flatten(1).numpy()
        stages = {f"stage{i}": states[i].mean((2, 3)) for i in (2, 1)}
        return {"features": whole} | seen_by_place("stage3", states[3]) | stages
    first = 0 if kind.startswith("siglip") else 3 if kind == "dinov3" else 1  # before them: the class, registers
    whole = out.pooler_output.numpy() if kind.startswith(("clip", "siglip")) else last[:, 0]
    side = round((last.shape[1] - first) ** 0.5)
    grid = states[3][:, first:].reshape(len(last), side, side, -1).transpose(0, 3, 1, 2)
    patches = seen_by_place("patches3", grid) | {"patches2": states[2][:, first:].mean(1)}
    return {"features": whole, "patches": last[:, first:].mean(1)} | patches


def seen_by_place(name: str, maps: np.ndarray) -> dict[str, np.ndarray]:
    """The centre and the fall of maps (n, c, side, side), place by place."""
    side = maps.shape[2]
    at = np.arange(side) - (side - 1) / 2
    bell = np.exp(-(at[:, None] ** 2 + at**2) / 2 / (side / 4) ** 2)
    upper, lower = maps[:, :, : side // 2], maps[:, :, -(side // 2) :]
    fall = upper.mean((2, 3)) - lower.mean((2, 3))
    return {f"{name}.centre": (maps * bell).sum((2, 3)) / bell.sum(), f"{name}.fall": fall}
