"""lookalike: a picture library that finds "the ones like this", and that people can teach what *like this* means."""

from importlib import import_module
from typing import TYPE_CHECKING

from lookalike.errors import LookalikeError

if TYPE_CHECKING:
    from lookalike.collection.collection import Collection
    from lookalike.index.exact_knn import similarity
    from lookalike.index.hits import Answers, Hit, Hits
    from lookalike.models.backbone import Backbone

__version__ = "0.1.0"
__all__ = ["Answers", "Backbone", "Collection", "Hit", "Hits", "LookalikeError", "__version__", "similarity"]

_ROOMS = {
    "Answers": "lookalike.index.hits",
    "Backbone": "lookalike.models.backbone",
    "Collection": "lookalike.collection.collection",
    "Hit": "lookalike.index.hits",
    "Hits": "lookalike.index.hits",
    "similarity": "lookalike.index.exact_knn",
}


def __getattr__(name: str) -> object:
    """Fetch a name from its room when it is first used, so that importing lookalike costs next to nothing."""
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'lookalike' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
