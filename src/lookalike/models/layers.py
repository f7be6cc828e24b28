"""The layers of a backbone as a table: which of them learn when it is unfrozen from one on; no torch is needed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from lookalike.errors import BundleError
from lookalike.models.bundle import Bundle


def layer_index(bundle: Bundle, layer: str | int) -> int:
    """The place of a layer in the bundle's table of layers, from 0.

    Args:
        bundle: with a table of layers.
        layer: its name; the start of names up to a dot, for the first of them ("blocks.15"); or its place, which counts
            from the end where it is negative.
    Raises: BundleError, which names the nearest.
    """
    names = [str(one["name"]) for one in bundle.layers]
    if not names:
        raise BundleError(f"{bundle.name}: its backbone.json has no table of layers. Convert the model anew.")
    if isinstance(layer, int) or re.fullmatch(r"-?\d+", layer):
        place = int(layer)
        if not -len(names) <= place < len(names):
            raise BundleError(f"{bundle.name}: has no layer {place}. Its {len(names)} layers count from 0, or from -1.")
        return place % len(names)
    for place, name in enumerate(names):
        if name == layer or name.startswith(f"{layer}."):
            return place
    near = get_close_matches(layer, names, 1, 0.0)[0]
    raise BundleError(f"{bundle.name}: has no layer {layer!r}. The nearest is {near!r}, of {len(names)} layers.")


@dataclass(frozen=True)
class Layer:
    """One row of the table.

    Attributes:
        index: its place, from 0.
        name: what `unfreeze` takes.
        kind: convolution, Linear, LayerNorm ...
        shape: of what it gives for one picture, without the batch; empty where it is not known.
        parameters: how many numbers it holds.
        trainable: whether it learns.
    """

    index: int
    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    trainable: bool


def layers_of(bundle: Bundle, unfreeze: str | int | None = None) -> list[Layer]:
    """The layers of a backbone, in the order in which they run.

    Args:
        bundle: of the backbone.
        unfreeze: the first layer that learns: a name, the start of names up to a dot ("blocks.15"), or an index, which
            counts from the end where it is negative. None: none learns.
    Raises: BundleError, when there is no such layer, or no table of layers.
    """
    first = layer_index(bundle, -1 if unfreeze is None else unfreeze)
    return [
        Layer(
            index,
            str(one["name"]),
            str(one.get("kind", "")),
            tuple(int(size) for size in one.get("shape") or ()),
            int(one.get("parameters", 0)),
            unfreeze is not None and index >= first,
        )
        for index, one in enumerate(bundle.layers)
    ]


def totals(layers: Sequence[Layer]) -> Iterator[str]:
    """The lines under the table: all, those that learn, those that stay frozen."""
    learning = [layer for layer in layers if layer.trainable]
    frozen = [layer for layer in layers if not layer.trainable]
    for word, some in (("", layers), ("trainable", learning), ("frozen", frozen)):
        what = f"{word} layer".strip() + ("" if len(some) == 1 else "s")
        yield f"{len(some):,} {what}, {sum(layer.parameters for layer in some):,} parameters"
