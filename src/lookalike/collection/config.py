"""What collection.json holds: the pictures' folder, its backbones, and the lens in use."""

import json
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from lookalike.errors import CollectionError, LensError
from lookalike.models.lens import check_name

FORMAT = 1
MOST_CHARACTERS = 1 << 20  # of collection.json; a thousand backbones fit
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_PRECISIONS = ("bf16", "f32")


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

    def to_json(self) -> str:
        """The text of collection.json."""
        found = asdict(self)
        for record in found["backbones"].values():
            record["place"] = record.pop("locator")
        text = json.dumps(found, indent=2, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:  # the pictures' folder has a name that is not UTF-8
            text = json.dumps(found, indent=2)
        return text + "\n"


class NewerFormatError(ValueError):
    """A collection.json that a later version of lookalike wrote."""


def parse_config(text: str) -> CollectionConfig:
    """The text of collection.json -> what it says, every value of the right type and every id known.

    Raises: NewerFormatError; ValueError, which says what is wrong.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError("it is too large")
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        raise ValueError("it is not JSON") from error
    table = _table(found, "it")
    version = table.get("format")
    if type(version) is not int or version < 1:
        raise ValueError(f"'format' must be a whole number above 0, not {_shown(version)}")
    if version > FORMAT:
        raise NewerFormatError(f"format {version}, this lookalike knows up to {FORMAT}")
    _check_keys(table, "it", {one.name for one in fields(CollectionConfig)})
    records = _table(table.get("backbones", {}), "'backbones'")
    config = CollectionConfig(
        folder=_text(table, "folder"),
        backbone=_id(table.get("backbone"), "'backbone'"),
        backbone_name=_text(table, "backbone_name"),
        precision=_precision(table),
        lens=_lens_name(table.get("lens")),
        original=_optional_id(table, "original"),
        switching=_optional_id(table, "switching"),
        backbones={_id(id, "a key of 'backbones'"): _record(one, id) for id, one in records.items()},
    )
    for key in ("original", "switching"):
        id = getattr(config, key)
        if id is not None and id not in config.known():
            raise ValueError(f"{key!r} is {id}, which is not in 'backbones'")
    return config


def read_config(path: Path, shown: str, shell_words: str) -> CollectionConfig | None:
    """What a collection.json says; None where there is none.

    Args:
        path: of it.
        shown: how people call it.
        shell_words: what names the collection in the command that mends it.
    Raises: CollectionError, when it is damaged or newer than this version.
    """
    try:
        if path.exists() and not path.is_file():  # a folder, a pipe
            raise ValueError("it is no file")
        with path.open("rb") as file:
            return parse_config(file.read(MOST_CHARACTERS + 1).decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except NewerFormatError as error:
        raise CollectionError(f"{shown}: {error}. Upgrade with: pip install -U lookalike") from error
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        reason = str(error) if not isinstance(error, OSError | UnicodeDecodeError) else reason
        raise CollectionError(
            f"{shown}: cannot be read ({reason}). To make it again, run: lookalike check {shell_words} --repair. "
            "Tables, lenses and judgements stay."
        ) from error


def _record(value: object, id: str) -> BackboneRecord:
    table = _table(value, f"backbone {id}")
    _check_keys(table, f"backbone {id}", {"name", "precision", "place", "locator"})
    place = table.get("place", table.get("locator", ""))  # previews wrote "locator"
    if not isinstance(place, str) or "\0" in place:
        raise ValueError(f"'place' of backbone {id} must be text, not {_shown(place)}")
    return BackboneRecord(_text(table, "name"), _precision(table), place)


def _table(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object with keys, not {_shown(value)}")
    return value


def _check_keys(table: dict[str, Any], what: str, known: set[str]) -> None:
    if unknown := sorted(table.keys() - known):
        raise ValueError(f"{what} has the key {_shown(unknown[0])}, which is not known")


def _text(table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{key!r} must be text, not {_shown(value)}")
    return value


def _id(value: object, what: str) -> str:
    """It names files: nothing in it may lead elsewhere."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError(f"{what} must be 1 to 64 letters, digits, - and _, not {_shown(value)}")
    return value


def _optional_id(table: dict[str, Any], key: str) -> str | None:
    value = table.get(key)
    return None if value is None else _id(value, repr(key))


def _precision(table: dict[str, Any]) -> str:
    value = table.get("precision")
    if value not in _PRECISIONS:
        raise ValueError(f"'precision' must be {' or '.join(_PRECISIONS)}, not {_shown(value)}")
    return str(value)


def _lens_name(value: object) -> str | None:
    if value is None:
        return None
    try:
        check_name(value)  # type: ignore[arg-type]
    except LensError:
        raise ValueError(f"'lens' must be the name of a lens, not {_shown(value)}") from None
    return str(value)


def _shown(value: object) -> str:
    """A value on one short line."""
    return ascii(value)[:60]
