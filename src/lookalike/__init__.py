"""lookalike: a picture library that finds "the ones like this", and that people can teach what *like this* means."""

from importlib import import_module
from typing import TYPE_CHECKING

from lookalike.errors import LookalikeError

if TYPE_CHECKING:
    from lookalike.backbone import Backbone
    from lookalike.collection import Collection
    from lookalike.hits import Answers, Hit, Hits
    from lookalike.ranking import similarity

__version__ = "0.1.0"

__all__ = ["Answers", "Backbone", "Collection", "Hit", "Hits", "LookalikeError", "__version__", "similarity"]

_ROOMS = {
    "Answers": "lookalike.hits",
    "Backbone": "lookalike.backbone",
    "Collection": "lookalike.collection",
    "Hit": "lookalike.hits",
    "Hits": "lookalike.hits",
    "similarity": "lookalike.ranking",
}


def __getattr__(name: str) -> object:
    """Fetch a name from its room when it is first used, so that importing lookalike costs next to nothing."""
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'lookalike' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
