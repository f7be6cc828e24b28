"""What people may choose about learning: one small frozen dataclass for each method."""

import math
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Literal, TypedDict, Unpack, get_args

from lookalike.errors import LensError

MANY, MANY_DIMS = 20_000, 512  # images, above which a lens has so many dimensions; what they cost: decision 12
LOSSES = ("softmax", "triplet", "soft-margin")
HoldOutKind = Literal["groups", "pictures"]


@dataclass(frozen=True)
class ClosedForm:
    """The closed form alone: a second, without torch."""


@dataclass(frozen=True)
class LowRank:
    """The closed form, then a low-rank correction by gradient: the default.

    Attributes:
        loss: training loss.
        margin: of the triplet loss, in squared distance.
        epochs: times that every label is seen; None for the measured number of steps.
        learning_rate: None for the measured one.
    """

    loss: str = "softmax"
    margin: float = 0.2
    epochs: int | None = None
    learning_rate: float | None = None


@dataclass(frozen=True)
class FineTune:
    """The backbone is fine-tuned from a layer on, and a lens learned on it.

    Attributes:
        layer: the first layer that is trained, a name or an index.
        loss, margin, epochs, learning_rate: of the backbone's training.
        quick: the lens on the tuned backbone is the closed form alone.
    """

    layer: str | int
    loss: str = "softmax"
    margin: float = 0.2
    epochs: int | None = None
    learning_rate: float | None = None
    quick: bool = False


@dataclass(frozen=True)
class KerasSiamese:
    """The network and settings of the Keras example.

    Attributes:
        layer: the first layer that is trained; None for the example's.
        epochs: passes over the training images; None for the example's 40.
        learning_rate: None for the example's.
        keep: keep its network even where the proof prefers a lens on the untuned backbone.
        quick: the lens that it is compared with is the closed form alone.
    """

    layer: str | int | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    keep: bool = False
    quick: bool = False


class LearnOptions(TypedDict, total=False):
    """The keyword options of `Collection.learn`, as the shell names them."""

    quick: bool
    loss: str
    margin: float
    epochs: int | None
    rate: float | None
    dims: int | None
    hold_out: HoldOutKind | None
    seed: int
    unfreeze: str | int | None
    recipe: Literal["keras-siamese"] | None
    anyway: bool


@dataclass(frozen=True)
class LearnConfig:
    """How a lens is learned and proved; the defaults held for every kind of picture they were measured on.

    Attributes:
        method: what is learned, with its settings.
        hold_out: "groups" (does it hold for new kinds?), "pictures" (for new pictures of these kinds?), None to decide
            by the examples.
        dims: of the embedding; None for as many as there are features, and 512 above 20,000 images.
        seed: of every random draw.
    """

    method: ClosedForm | LowRank | FineTune | KerasSiamese = LowRank()
    hold_out: HoldOutKind | None = None
    dims: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises: LensError, for a value that cannot be."""
        if not isinstance(self.method, ClosedForm | LowRank | FineTune | KerasSiamese):
            raise LensError(
                f"method {self.method!r}: expected ClosedForm(), LowRank(), FineTune(layer) or KerasSiamese(). Give "
                "one, or leave it out."
            )
        check_hold_out(self.hold_out)
        loss, layer = getattr(self.method, "loss", LOSSES[0]), getattr(self.method, "layer", None)
        if not isinstance(loss, str) or loss not in LOSSES:
            raise LensError(f"loss {loss!r}: expected {', '.join(LOSSES)}. Give one, or leave it out.")
        if not isinstance(layer, str | Integral | None) or isinstance(layer, bool):
            raise LensError(
                f"unfreeze {layer!r}: expected the name of a layer or its index. See lookalike layers FOLDER."
            )
        check_whole("seed", self.seed, least=0)
        if self.dims is not None:
            check_whole("dims", self.dims, least=1)
        epochs = getattr(self.method, "epochs", None)
        if epochs is not None:
            check_whole("epochs", epochs, least=1)
        rate, margin = getattr(self.method, "learning_rate", None), getattr(self.method, "margin", 0)
        if rate is not None and not (is_number(rate) and 0 < rate < math.inf):
            raise LensError(f"rate {rate!r}: expected a number above 0. Give one, or leave it out.")
        if not (is_number(margin) and 0 <= margin < math.inf):
            raise LensError(f"margin {margin!r}: expected a number from 0 on. Give one, or leave it out.")

    @property
    def finetunes(self) -> bool:
        """Whether the backbone is trained."""
        return isinstance(self.method, FineTune | KerasSiamese)

    def for_size(self, images: int) -> "LearnConfig":
        """The same for a collection of so many images.

        >>> LearnConfig().for_size(20_001).dims, LearnConfig().for_size(20_000).dims
        (512, None)
        """
        return replace(self, dims=MANY_DIMS) if self.dims is None and images > MANY else self

    @classmethod
    def from_options(cls, **options: Unpack[LearnOptions]) -> "LearnConfig":
        """The configuration that options ask for; options of None are left out.

        Raises: LensError, for an option that is unknown or that the chosen method does not have.

        >>> LearnConfig.from_options(quick=True, dims=8)
        LearnConfig(method=ClosedForm(), hold_out=None, dims=8, seed=0)
        """
        given = {name: value for name, value in options.items() if value is not None and value is not False}
        for name in options:
            if name not in LearnOptions.__annotations__:
                raise LensError(f"{name}: no option of learn. There are: {', '.join(LearnOptions.__annotations__)}.")
        common = {name: given.pop(name) for name in ("hold_out", "dims", "seed") if name in given}
        recipe, quick = given.pop("recipe", None), given.pop("quick", False)
        if not (recipe is None or (isinstance(recipe, str) and recipe == "keras-siamese")):
            raise LensError(f"recipe {recipe!r}: not known. There is keras-siamese.")
        names = {"rate": "learning_rate", "unfreeze": "layer", "anyway": "keep"}
        settings = {names.get(name, name): value for name, value in given.items()}
        kind: type = LowRank
        if recipe is not None:
            kind, settings = KerasSiamese, settings | {"quick": bool(quick)}
        elif "layer" in settings:
            kind, settings = FineTune, settings | {"quick": bool(quick)}
        elif quick:
            kind = ClosedForm
        for name in given:
            if names.get(name, name) not in {one.name for one in fields(kind)}:
                raise LensError(_refusal(name, kind))
        return cls(kind(**settings), **common)  # type: ignore[arg-type]


def is_number(value: object) -> bool:
    """Whether this is one real number of Python or NumPy, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_whole(name: str, value: object, least: int) -> None:
    """Raises: LensError, for what is no whole number from `least` on.

    >>> check_whole("seed", 0, least=0)
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise LensError(f"{name} {value!r}: expected a whole number from {least} on. Give one, or leave it out.")


def check_hold_out(hold_out: object) -> None:
    """Raises: LensError, for a way of holding out that there is not."""
    if not (hold_out is None or (isinstance(hold_out, str) and hold_out in get_args(HoldOutKind))):
        raise LensError(f"hold_out {hold_out!r}: expected 'groups' or 'pictures'. Give one, or leave it out.")


def _refusal(name: str, kind: type) -> str:
    if name == "anyway":
        return "anyway: keeps the network of a recipe. Name one with recipe, or leave anyway out."
    which = {ClosedForm: "quick, the closed form alone", KerasSiamese: "recipe keras-siamese"}.get(kind, "this method")
    return f"{name}: does not go with {which}. Leave one of them out."
