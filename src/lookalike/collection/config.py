"""What collection.json holds: the pictures' folder, its backbones, and the lens in service."""

import re
from dataclasses import dataclass, field

FORMAT = 1


@dataclass(frozen=True)
class BackboneRecord:
    """A backbone that a collection was read with: its name, its precision here, and how to find it again."""

    name: str
    precision: str
    locator: str = ""


@dataclass(frozen=True)
class CollectionConfig:
    """What collection.json holds: the pictures' folder, the backbone that reads them, the lens that serves.

    Attributes:
        original: the id of the backbone to which plain goes back; None for the one that serves.
        switching: the id of the backbone whose table is being filled; None where no switch was begun.
        backbones: id -> what is known of it, of every backbone that the collection was read with.
    """

    folder: str
    backbone: str
    backbone_name: str
    precision: str
    lens: str | None = None
    original: str | None = None
    switching: str | None = None
    backbones: dict[str, BackboneRecord] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def plain(self) -> str:
        """The id of the backbone to which plain goes back."""
        return self.original or self.backbone

    def known(self) -> dict[str, BackboneRecord]:
        """Every backbone that the collection was read with, the one that serves included."""
        return {self.backbone: BackboneRecord(self.backbone_name, self.precision)} | self.backbones


def _reason(error: OSError) -> str:
    """What the system said, without the wrapping of the library that passed it on."""
    first = (str(error).splitlines() or [""])[0]
    said = re.sub(r"^LanceError\(\w+\): |( \(os error \d+\))?, \S+\.rs:\d+:\d+$", "", first)
    return error.strerror or said or type(error).__name__
