"""How fast networks of each family are fine-tuned: one table, measured for one of them and published for the others."""

import json
from dataclasses import dataclass

from lookalike.models.bundle import Bundle


@dataclass(frozen=True)
class LearningRates:
    """AdamW's learning rates for one family of networks, at 128 images a step.

    Attributes:
        few: of the last block, where no more than one block of the default backbone learns.
        many: of the last block, where more learns.
        layer_decay: what each block's rate is multiplied with for the block before it, above 0, at most 1.
        head: of the correction that is trained along and thrown away; None: the rate of the last block.
        source: where the numbers come from.
    """

    few: float
    many: float
    layer_decay: float
    head: float | None
    source: str


DEFAULT_FAMILY = "efficientnet"  # networks that are plain convolutions, without a config.json
_TRANSFORMER = LearningRates(
    few=5e-5,
    many=5e-5,
    layer_decay=0.65,
    head=1e-3,
    source="not measured here; arXiv:2212.06138 (CLIP ViT-B/16, AdamW): 6e-4 at 2,048 images a step, decay 0.6, "
    "which is 4e-5 at 128; arXiv:2203.10833 (retrieval by DINO's ViT-S/16, AdamW): 1e-5 for all blocks",
)
_CONVNEXT = LearningRates(
    few=5e-5,
    many=5e-5,
    layer_decay=0.8,
    head=1e-3,
    source="not measured here; arXiv:2201.03545 and its published commands: 5e-5 at 512 images, decay 0.7 to 0.8",
)
LEARNING_RATES = {
    DEFAULT_FAMILY: LearningRates(
        few=1e-3, many=4e-4, layer_decay=1.0, head=None, source="measured on EfficientNet-Lite0, docs/quality.md"
    ),
    "resnet": LearningRates(
        few=1e-4,
        many=1e-4,
        layer_decay=1.0,
        head=1e-3,
        source="not measured here; the Keras example of a Siamese ResNet50, from conv5 on: 1e-4; arXiv:2002.08473 "
        "(retrieval by ResNet50, Adam): 1e-5 for all blocks over 150 epochs",
    ),
    "convnext": _CONVNEXT,
    "convnextv2": _CONVNEXT,
}


def learning_rates_of(bundle: Bundle) -> LearningRates:
    """The learning rates of a backbone's family: by its config.json, that of the default where it has none.

    Families without a line of their own (ViT, DeiT, DINO, CLIP, SigLIP) are transformers.

    >>> from lookalike.models.registry import resolve_bundle
    >>> learning_rates_of(resolve_bundle("efficientnet-lite0")).few
    0.001
    """
    return LEARNING_RATES.get(family_of(bundle), _TRANSFORMER)


def family_of(bundle: Bundle) -> str:
    """The model_type of a converted backbone's config.json; `DEFAULT_FAMILY` where it has none."""
    config = bundle.path / "config.json"
    if not config.is_file():
        return DEFAULT_FAMILY
    return str(json.loads(config.read_text(encoding="utf-8")).get("model_type"))
