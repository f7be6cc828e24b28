"""Whether it can be said how likely the hits of a search are right, and by what."""

from lookalike.errors import LensError, QueryError
from lookalike.index.gallery import Gallery
from lookalike.models.lens import PLAIN
from lookalike.models.likelihood import Likelihood


def likelihood_for(gallery: Gallery, cut: float | None, *, whole: bool) -> Likelihood | None:
    """What says how likely a hit is right: what the lens's proof learned; None where nobody knows.

    Args:
        gallery: what is searched.
        cut: the least likelihood that is asked for; None for none.
        whole: whether one whole picture asks: held-out queries were such, not parts and not several at once.
    Raises: LensError, QueryError, where hits shall be cut by what is not known.
    """
    name = PLAIN if gallery.lens is None else gallery.lens.name
    proof = None if gallery.lens is None else gallery.lens.proof
    found = None if proof is None else proof.likelihood
    grown = found is not None and not found.tells_of(len(gallery))
    if cut is None:
        return found if whole and not grown else None
    if found is None:
        raise LensError(
            f"{name}: how likely a hit is right is not known. Leave --likely out, or give a number with "
            "--min-similarity."
        )
    if grown:
        raise LensError(
            f"{name}: how likely a hit is right was learned among {found.pictures:,} pictures, here are "
            f"{len(gallery):,}. Learn the lens again, or leave --likely out."
        )
    if not whole:
        raise QueryError("likely: known for one whole picture, not for a part, several, words or --reverse.")
    return found
