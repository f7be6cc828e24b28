"""Files of a table damaged in the ways of disks and power cuts."""

import os
from collections.abc import Callable
from pathlib import Path


def _random(file: Path) -> None:
    file.write_bytes(os.urandom(file.stat().st_size))


WAYS: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "empty": lambda file: os.truncate(file, 0),
    "cut": lambda file: os.truncate(file, file.stat().st_size // 2),
    "zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)) and None,
    "garbled": _random,
}


def flip_bit(file: Path, share: float) -> None:
    """Turn one bit over, so far into the file: 0 for its first byte, 1 for its end."""
    content = bytearray(file.read_bytes())
    content[int(share * len(content))] ^= 16
    file.write_bytes(content)


def newest_manifest(uri: str) -> Path:
    """The manifest of the newest version: names count down."""
    return min(Path(uri, "_versions").glob("*.manifest"))


def new_files(uri: str, folder: str, before: set[Path]) -> list[Path]:
    """The files of one of a table's folders that were not there before."""
    return sorted(set(Path(uri, folder).iterdir()) - before)
