"""What the proof of a lens allows, and what is said of it."""

from lookalike.errors import LensError
from lookalike.learning.closed_form.label_free import METHOD
from lookalike.models.lens import Lens


def check_allowed(lens: Lens | None, anyway: bool) -> None:
    """Raises: LensError, when a lens may not be used: not proved to be better than plain, and not `anyway`."""
    if lens is not None and not anyway and not is_allowed(lens):
        line = f"{lens.name}: {words_of(lens)} To put it into service anyway, add --anyway."
        raise LensError(line, code="lens.refused")


def is_label_free(lens: Lens) -> bool:
    """Whether a lens was learned from pictures alone."""
    return lens.settings.get("method") == METHOD


def is_allowed(lens: Lens) -> bool:
    """Whether a lens may be used without `anyway`: its proof allows it, or it claims nothing that one could show.

    Of a lens from pictures alone a proof by their parts tells only where it is surely worse: plain search traces most
    parts as well. A blind test decides about it as about any other.
    """
    proof = lens.proof
    if not is_label_free(lens) or (proof is not None and proof.protocol.hold_out != "views"):
        return proof is not None and proof.serves
    return proof is None or proof.test.method == "none" or proof.test.upper >= 0


def words_of(lens: Lens) -> str:
    """What the proof of a lens says, in words."""
    if lens.proof is not None:
        return lens.proof.words
    return "Learned from your pictures alone. It makes no claim about kinds." if is_label_free(lens) else "Not proved."


def learned_cut(lens: Lens | None) -> float:
    """The similarity that best separated right from wrong in a lens's proof.

    Raises: LensError, for plain, and where nothing was proved.
    """
    proof = None if lens is None else lens.proof
    if proof is None or proof.threshold is None:
        name = "plain" if lens is None else lens.name
        raise LensError(f"{name}: no similarity was learned with it. Give a number with --min-similarity.")
    return proof.threshold.similarity
