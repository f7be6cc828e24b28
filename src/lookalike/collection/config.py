"""What collection.json holds: the pictures' folder, its backbones, and the lens in use."""

from dataclasses import dataclass, field

FORMAT = 1


@dataclass(frozen=True)
class BackboneRecord:
    """A backbone that a collection was indexed with: its name, its precision here, and how to find it again."""

    name: str
    precision: str
    locator: str = ""


@dataclass(frozen=True)
class CollectionConfig:
    """What collection.json holds: the pictures' folder, the backbone in use, the lens in use.

    Attributes:
        original: the id of the backbone to which plain goes back; None for the one in use.
        switching: the id of the backbone whose table is being filled; None where no switch was begun.
        backbones: id -> record, of every backbone that the collection was indexed with.
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
        """Every backbone that the collection was indexed with, the one in use included."""
        return {self.backbone: BackboneRecord(self.backbone_name, self.precision)} | self.backbones
