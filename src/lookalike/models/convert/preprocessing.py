"""What a network wants done to pixels: preprocessor_config.json read by us, for transformers' own wants torchvision."""

from dataclasses import dataclass
from typing import Any

from lookalike.errors import BundleError
from lookalike.models.convert.architectures import SIDES_MOST_PX
from lookalike.models.convert.config_schema import is_number, shown

SMALLEST, LARGEST = 1e-6, 1e6  # of the numbers that pixels are multiplied with


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
        cropped = table.get("crop_size") if _flag(name, table, "do_center_crop") else None
        side = _side(name, cropped or table.get("size"))
    scale = 1.0
    if _flag(name, table, "do_rescale"):
        scale = _positive(name, "rescale_factor", table.get("rescale_factor", 1 / 255))
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    if _flag(name, table, "do_normalize"):
        mean = _three(name, table, "image_mean")
        deviation = tuple(_positive(name, "image_std", one) for one in _three(name, table, "image_std"))
    return Preprocessing(side, scale, mean, deviation)


def _side(name: str, size: Any) -> int:
    found = size
    if isinstance(size, dict):
        if size.get("height") != size.get("width"):
            sides = f"{shown(size.get('width'))} x {shown(size.get('height'))}"
            raise BundleError(
                f"{name}: wants pictures of {sides}. Only squares are known; choose a model that takes squares."
            )
        found = size.get("height") or size.get("shortest_edge")
    if not isinstance(found, int) or isinstance(found, bool) or not 0 < found <= SIDES_MOST_PX:
        raise BundleError(
            f"{name}: preprocessor_config.json names no side of its pictures (size is {shown(size)}). "
            'Write one into it, for instance "size": 224.'
        )
    return found


def _flag(name: str, table: dict[str, Any], key: str) -> bool:
    """Whether a step is done; it is where nothing is said."""
    value = table.get(key)
    if value is not None and not isinstance(value, bool):
        raise BundleError(f"{name}: preprocessor_config.json has {key} {shown(value)}. Write true or false.")
    return value is not False


def _positive(name: str, key: str, value: Any) -> float:
    if not is_number(value) or not SMALLEST <= value <= LARGEST:
        raise BundleError(
            f"{name}: preprocessor_config.json has {key} {shown(value)}. It must be from {SMALLEST:g} to {LARGEST:g}. "
            "Copy it again."
        )
    return float(value)


def _three(name: str, table: dict[str, Any], key: str) -> tuple[float, ...]:
    value = table.get(key)
    right = isinstance(value, list) and len(value) == 3
    if not right or not all(is_number(one) and abs(one) <= LARGEST for one in value or ()):
        raise BundleError(
            f"{name}: preprocessor_config.json has {key} {shown(value)}. Write the three numbers that the model was "
            "trained with."
        )
    return tuple(float(one) for one in value or ())
