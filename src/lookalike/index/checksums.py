"""Checksums of a table's data files, for Lance keeps none: written with each commit, compared when a table is verified.

They lie in `checksums.txt` in the table's folder, a line a file. The lines are not forced to the disk: a file whose
line a power cut took is not compared, until `renew_checksums` gives it another.
"""

import re
import zlib
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from lookalike.files import atomic_write

NAME = "checksums.txt"
_LINE = re.compile(rb"([0-9a-f]{8}) (\S+)")
_AT_ONCE = 1 << 20  # bytes


def add_checksums(folder: Path, files: Iterable[str]) -> None:
    """Append the checksums of files that were just written. What is committed stays committed, whatever fails here.

    Args:
        folder: of the table.
        files: their paths in it; they never change again.
    """
    with suppress(OSError):
        lines = [_line(name, checksum_of(folder / name)) for name in sorted(files)]
        if lines:
            with (folder / NAME).open("ab") as file:
                file.write(b"\n" + b"".join(lines))  # a line that broke off before stays a line of its own


def renew_checksums(folder: Path, files: Collection[str]) -> None:
    """Give checksums to files that have none, and forget those of files that are gone.

    Args:
        folder: of the table.
        files: of the version that is read, by their paths in the folder.
    """
    known = read_checksums(folder)
    with suppress(OSError):
        kept = {name: known[name] for name in known if (folder / name).is_file()}
        missing = sorted(set(files) - kept.keys())
        if missing or kept != known:
            kept |= {name: checksum_of(folder / name) for name in missing}
            atomic_write(folder / NAME, b"".join(_line(name, value) for name, value in kept.items()))


def read_checksums(folder: Path) -> dict[str, int]:
    """The checksums of a table's files, by their paths; what is no whole line is passed over."""
    try:
        content = (folder / NAME).read_bytes()
    except OSError:
        return {}
    found = [match for line in content.split(b"\n") if (match := _LINE.fullmatch(line))]
    return {match[2].decode("utf-8", "replace"): int(match[1], 16) for match in found}


def checksum_of(path: Path) -> int:
    """CRC-32 of a file's bytes."""
    value = 0
    with path.open("rb") as file:
        while block := file.read(_AT_ONCE):
            value = zlib.crc32(block, value)
    return value


def _line(name: str, value: int) -> bytes:
    return f"{value:08x} {name}\n".encode()
