"""What people may choose about learning, with its defaults."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    pass


MANY, MANY_DIMS = 20_000, 512  # pictures, above which a lens has so many dimensions; what they cost: decision 12


@dataclass(frozen=True)
class LearnConfig:
    """What people may turn; the defaults held for every kind of picture they were measured on.

    Attributes:
        quick: the closed form alone: a second, without torch.
        loss: of the correction, "softmax", "triplet" or "soft-margin".
        margin: of the triplet loss, in squared distance.
        epochs: times that every group is seen; None for the measured number of steps.
        rate: learning rate of the correction; None for the measured one.
        dims: of the embedding; None for as many as there are features, and 512 in collections of over 20,000 pictures,
            where a column of all would be slow to make and to read.
        hold_out: "groups" (does it hold for new kinds?), "pictures" (for new pictures of these kinds?), None to decide
            by the examples.
        seed: of everything that is drawn.
        unfreeze: the first layer of the backbone that learns along, a name or an index; None: none does. `loss`,
            `margin`, `epochs` and `rate` are then those of the backbone's learning.
        recipe: "keras-siamese", the Keras example's network and settings in place of all of these, but for `epochs`,
            `rate` and `unfreeze` where they are given; None: none.
    """

    quick: bool = False
    loss: str = "softmax"
    margin: float = 0.2
    epochs: int | None = None
    rate: float | None = None
    dims: int | None = None
    hold_out: Literal["groups", "pictures"] | None = None
    seed: int = 0
    unfreeze: str | int | None = None
    recipe: Literal["keras-siamese"] | None = None

    @property
    def finetunes(self) -> bool:
        """Whether the backbone learns along."""
        return self.unfreeze is not None or self.recipe is not None

    def for_size(self, pictures: int) -> "LearnConfig":
        """The same for a collection of so many pictures.

        >>> LearnConfig().for_size(20_001).dims, LearnConfig().for_size(20_000).dims, LearnConfig(dims=64).for_size(10**6).dims
        (512, None, 64)
        """
        return replace(self, dims=MANY_DIMS) if self.dims is None and pictures > MANY else self
