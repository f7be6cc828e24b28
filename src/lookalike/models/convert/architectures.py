"""The kinds of networks that can be converted, by the model_type of their config.json."""

from dataclasses import dataclass, replace
from typing import Any

from lookalike.errors import BundleError

SIDES_MOST_PX = 2048  # of the pictures of any network


@dataclass(frozen=True)
class Architecture:
    """One kind of network: its class in transformers, and how the outputs of its stages are pooled.

    Attributes:
        architecture: the class.
        tokens: whether its blocks give (n, tokens, c), not (n, c, h, w).
        summary: "class" where the first token stands for the picture, "pooler" where the network says so itself.
        fixed: whether it takes pictures of one side only.
        unpooled: whether it is loaded without its pooler.
        text: the class of the network of texts beside it; "" where there is none.
        joint: the class that gives pictures in the space of texts, where that is another one.
    """

    architecture: str
    tokens: bool = True
    summary: str = "class"
    fixed: bool = True
    unpooled: bool = False
    text: str = ""
    joint: str = ""

    @property
    def with_words(self) -> "Architecture":
        """The same, giving pictures in the space of texts."""
        return replace(self, architecture=self.joint or self.architecture)

    @property
    def options(self) -> dict[str, Any]:
        """How it is made: without a head of its own, where it would have one that is not used."""
        return {"add_pooling_layer": False} if self.unpooled else {}


ARCHITECTURES = {
    "resnet": Architecture("ResNetModel", tokens=False, fixed=False),
    "convnext": Architecture("ConvNextModel", tokens=False, summary="pooler", fixed=False),
    "convnextv2": Architecture("ConvNextV2Model", tokens=False, summary="pooler", fixed=False),
    "vit": Architecture("ViTModel", unpooled=True),
    "deit": Architecture("DeiTModel", unpooled=True),
    "dinov2": Architecture("Dinov2Model", fixed=False),
    "dinov2_with_registers": Architecture("Dinov2WithRegistersModel", fixed=False),
    "dinov3_vit": Architecture("DINOv3ViTModel", fixed=False),
    "clip": Architecture(
        "CLIPVisionModel", summary="pooler", text="CLIPTextModelWithProjection", joint="CLIPVisionModelWithProjection"
    ),
    "clip_vision_model": Architecture("CLIPVisionModel", summary="pooler", joint="CLIPVisionModelWithProjection"),
    "siglip": Architecture("SiglipVisionModel", summary="pooler", text="SiglipTextModel"),
    "siglip_vision_model": Architecture("SiglipVisionModel", summary="pooler"),
}


def architecture_of(name: str, config: dict[str, Any]) -> Architecture:
    """The family of a model, by its config.json.

    Raises: BundleError, when the model wants code of its own, or is of no family that is known.
    """
    kind = config.get("model_type")
    known = ", ".join(sorted(ARCHITECTURES))
    code = config.get("auto_map") or {}
    if not isinstance(code, dict) or any(key.startswith("AutoModel") for key in code):
        raise BundleError(f"{name}: needs Python code of its own, which is never run. Choose a model of {known}.")
    if kind is None and "architecture" in config:
        raise BundleError(f"{name}: in timm's format. Choose the same network in transformers' format ({known}).")
    if not isinstance(kind, str) or kind not in ARCHITECTURES:
        raise BundleError(f"{name}: a model of type {kind!r:.60}, which is not known here. There are {known}.")
    return ARCHITECTURES[kind]


def vision_part(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The part of config.json that is of the network of pictures: `vision_config`, or all of it.

    Raises: BundleError.
    """
    part = config.get("vision_config", config)
    if not isinstance(part, dict):
        raise BundleError(f"{name}: config.json has vision_config {part!r:.60}. It must be a table. Copy it again.")
    return part


def own_side_px(settings: dict[str, Any]) -> int:
    """The side of the pictures that a network was built for, by its checked settings."""
    return int(settings.get("image_size", 224))
