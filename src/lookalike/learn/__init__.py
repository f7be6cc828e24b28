"""Teaching and proving on arrays, with numpy alone: examples, the closed form, metrics, the proof."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookalike.learn.proof import Proof, prove
    from lookalike.learn.transformer import LensTransformer
    from lookalike.learn.whitening import whiten

__all__ = ["LensTransformer", "Proof", "prove", "whiten"]

_ROOMS = {
    "LensTransformer": "lookalike.learn.transformer",
    "Proof": "lookalike.learn.proof",
    "prove": "lookalike.learn.proof",
    "whiten": "lookalike.learn.whitening",
}


def __getattr__(name: str) -> object:
    """Fetch a name from its room when it is first used."""
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'lookalike.learn' has no attribute {name!r}")
