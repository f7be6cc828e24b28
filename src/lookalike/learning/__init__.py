"""Teaching and proving on arrays, with numpy alone: examples, the closed form, metrics, the proof."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookalike.learning.closed_form.sklearn_transformer import LensTransformer
    from lookalike.learning.closed_form.whitening import whiten
    from lookalike.learning.evaluation.prove import prove
    from lookalike.models.proof import Proof


__all__ = ["LensTransformer", "Proof", "prove", "whiten"]

_ROOMS = {
    "LensTransformer": "lookalike.learning.closed_form.sklearn_transformer",
    "Proof": "lookalike.learning.evaluation.prove",
    "prove": "lookalike.learning.evaluation.prove",
    "whiten": "lookalike.learning.closed_form.whitening",
}


def __getattr__(name: str) -> object:
    """Fetch a name from its room when it is first used."""
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'lookalike.learning' has no attribute {name!r}")
