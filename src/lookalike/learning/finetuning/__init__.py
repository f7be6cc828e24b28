"""Fine-tuning a backbone with torch: some of its layers learn, and the result is a backbone of its own.

Read it in this order: split_network (onnx_network, transformers_network, load_network), activation_cache, finetuner,
config, layer_finetuner; keras_recipe and keras_siamese are the Keras example's way.
"""

from lookalike.errors import MissingExtraError

try:
    from lookalike.learning.finetuning.config import FineTuneConfig, KerasSiameseConfig
    from lookalike.learning.finetuning.finetuner import FineTuneCost, FineTuner
    from lookalike.learning.finetuning.keras_siamese import KerasSiameseFineTuner
    from lookalike.learning.finetuning.layer_finetuner import LayerFineTuner
    from lookalike.learning.finetuning.load_network import load_network
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    raise MissingExtraError("learning with torch", "learn") from None

__all__ = [
    "FineTuneConfig",
    "FineTuneCost",
    "FineTuner",
    "KerasSiameseConfig",
    "KerasSiameseFineTuner",
    "LayerFineTuner",
    "load_network",
]
