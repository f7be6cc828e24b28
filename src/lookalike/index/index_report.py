"""What an index run did, in numbers."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class IndexReport:
    """What an index run did, as numbers of files, and what it left out.

    Attributes:
        unchanged: pictures that are as they were.
        kept_missing: files that are gone from the folder, but kept because the folder looks unplugged.
        kept_unseen: pictures that could not be looked at, or whose folder is empty now: kept as they were.
        left_out: files and folders that patterns leave out.
        dropped: pictures that left the collection because they are left out from now on.
        in_part: file -> what it lacks, of pictures whose files end early, and were read as far as they go.
        refused: file -> reason, of images that could not be read.
        still_refused: images that were refused before, for the same reason.
        other_files: ending -> number of files that are new, and no pictures.
        skipped: name -> reason, of what could not be entered or named.
        damaged: lens -> reason, of lenses that cannot be read; their columns are filled once they can.
        notes: lines for people: what else they should know.
        freed: bytes of the tables that were removed.
    """

    added: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    unchanged: int = 0
    kept_missing: int = 0
    kept_unseen: int = 0
    left_out: int = 0
    dropped: int = 0
    in_part: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    still_refused: int = 0
    other_files: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    freed: int = 0
