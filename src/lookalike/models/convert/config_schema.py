"""What may stand in a config.json: the settings that reach transformers, each with its type and its range."""

import math
from collections.abc import Callable
from typing import Any

from lookalike.errors import BundleError
from lookalike.models.convert.architectures import SIDES_MOST_PX

ACTIVATIONS = (
    "gelu",
    "gelu_fast",
    "gelu_new",
    "gelu_python",
    "gelu_pytorch_tanh",
    "quick_gelu",
    "relu",
    "relu6",
    "leaky_relu",
    "selu",
    "sigmoid",
    "silu",
    "swish",
    "tanh",
)

Rule = Callable[[Any], Any]  # a value of JSON -> the value for transformers; ValueError says what it must be


def network_settings(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The settings of a network that are known, checked; all others are left out, and so is what is null.

    Args:
        name: the model's, for errors.
        config: config.json, or its vision_config where it has one.
    Raises: BundleError, for a value of the wrong type or out of its range, and for quantized weights.

    >>> network_settings("drawn", {"patch_size": [4, 4], "use_cache": "no"})
    {'patch_size': 4}
    """
    if config.get("quantization_config") is not None:
        raise BundleError(f"{name}: its weights are quantized, which is not read. Choose the model in float32.")
    settings = {}
    for key, rule in _RULES.items():
        value = config.get(key)
        if value is None:
            continue
        try:
            settings[key] = rule(value)
        except ValueError as error:
            raise BundleError(
                f"{name}: config.json has {key} {shown(value)}. It must be {error}. Copy it again."
            ) from None
    return settings


def shown(value: Any) -> str:
    """A value for an error: what Python shows of it, 60 characters at most."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def _count(most: int, least: int = 1) -> Rule:
    def rule(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most:,}")
        return value

    return rule


def _counts(most: int) -> Rule:
    def rule(value: Any) -> list[int]:
        if not isinstance(value, list) or not 1 <= len(value) <= 16:
            raise ValueError("a list of 1 to 16 whole numbers")
        return [_count(most)(one) for one in value]

    return rule


def _square(most: int) -> Rule:
    """A side in pixels, or twice the same side."""

    def rule(value: Any) -> int:
        if isinstance(value, list) and len(value) == 2 and value[0] == value[1]:
            value = value[0]
        return int(_count(most)(value))

    return rule


def _number(low: float, high: float) -> Rule:
    def rule(value: Any) -> int | float:
        if not is_number(value) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        number: int | float = value
        return number

    return rule


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _choice(*known: str) -> Rule:
    def rule(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return value

    return rule


_RULES: dict[str, Rule] = {
    "num_channels": _count(3, least=3),
    "image_size": _square(SIDES_MOST_PX),
    "patch_size": _square(SIDES_MOST_PX),
    "hidden_size": _count(16_384),
    "num_hidden_layers": _count(256),
    "num_attention_heads": _count(1_024),
    "intermediate_size": _count(131_072),
    "mlp_ratio": _number(1 / 64, 64),
    "num_register_tokens": _count(256, least=0),
    "vocab_size": _count(2_000_000),
    "max_position_embeddings": _count(4_096),
    "projection_dim": _count(16_384),
    "projection_size": _count(16_384),
    "rope_theta": _number(1e-3, 1e9),
    "query_bias": _flag,
    "key_bias": _flag,
    "value_bias": _flag,
    "proj_bias": _flag,
    "mlp_bias": _flag,
    "use_gated_mlp": _flag,
    "embedding_size": _count(16_384),
    "hidden_sizes": _counts(16_384),
    "depths": _counts(256),
    "num_stages": _count(16),
    "layer_type": _choice("basic", "bottleneck"),
    "hidden_act": _choice(*ACTIVATIONS),
    "layer_norm_eps": _number(0, 1),
    "layer_scale_init_value": _number(0, 1e6),
    "layerscale_value": _number(0, 1e6),
    "drop_path_rate": _number(0, 1),
    "hidden_dropout_prob": _number(0, 1),
    "attention_probs_dropout_prob": _number(0, 1),
    "attention_dropout": _number(0, 1),
    "qkv_bias": _flag,
    "use_swiglu_ffn": _flag,
    "use_mask_token": _flag,
    "downsample_in_first_stage": _flag,
    "downsample_in_bottleneck": _flag,
}
