"""What a network wants done to pixels: preprocessor_config.json read by us, for transformers' own wants torchvision."""

from dataclasses import dataclass
from typing import Any

from lookalike.errors import BundleError


@dataclass(frozen=True)
class Preprocessing:
    """Pixels 0 to 255 become (pixel * scale - mean) / deviation, by channel, in a square of side_px.

    Pictures are squashed to the square whole, whatever the model's own rule (docs/decisions/0013).
    """

    side_px: int
    scale: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def factors(self) -> tuple[float, ...]:
        """What a pixel is multiplied by, by channel."""
        return tuple(self.scale / one for one in self.deviation)

    @property
    def offsets(self) -> tuple[float, ...]:
        """What is added then, by channel."""
        return tuple(-mean / one for mean, one in zip(self.mean, self.deviation, strict=True))


def read(name: str, table: dict[str, Any], own_side_px: int | None = None) -> Preprocessing:
    """Understand a preprocessor_config.json.

    Args:
        name: the model's, for errors.
        table: its contents.
        own_side_px: the side that the network was built for, where it takes no other.
    Raises: BundleError.

    >>> read("drawn", {"size": {"shortest_edge": 256}, "crop_size": 224, "do_normalize": False})
    Preprocessing(side_px=224, scale=0.00392156862745098, mean=(0.0, 0.0, 0.0), deviation=(1.0, 1.0, 1.0))
    """
    side = own_side_px
    if side is None:
        cropped = table.get("crop_size") if table.get("do_center_crop", True) else None
        side = _side(name, cropped or table.get("size"))
    scale = float(table.get("rescale_factor", 1 / 255)) if table.get("do_rescale", True) else 1.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    if table.get("do_normalize", True):
        mean, deviation = _three(name, table, "image_mean"), _three(name, table, "image_std")
    if 0.0 in deviation:
        raise BundleError(f"{name}: preprocessor_config.json has an image_std of 0. Copy it again.")
    return Preprocessing(side, scale, mean, deviation)


def _side(name: str, size: Any) -> int:
    found = size
    if isinstance(size, dict):
        if size.get("height") != size.get("width"):
            raise BundleError(
                f"{name}: wants pictures of {size.get('width')} x {size.get('height')}. Only squares are known; "
                "choose a model that takes squares."
            )
        found = size.get("height") or size.get("shortest_edge")
    if not isinstance(found, int) or not 0 < found <= 2048:
        raise BundleError(
            f"{name}: preprocessor_config.json names no side of its pictures (size is {size!r}). "
            'Write one into it, for instance "size": 224.'
        )
    return found


def _three(name: str, table: dict[str, Any], key: str) -> tuple[float, ...]:
    value = table.get(key)
    if not isinstance(value, list) or len(value) != 3 or not all(isinstance(one, int | float) for one in value):
        raise BundleError(
            f"{name}: preprocessor_config.json has {key} {value!r}. Write the three numbers that the model was "
            "trained with."
        )
    return tuple(float(one) for one in value)
