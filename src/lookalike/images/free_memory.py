"""How much memory this process can still take: of the machine, of its container, of its own limit; Linux only."""

import ctypes
import gc
import mmap
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

_PROC = Path("/proc")
_GROUPS = Path("/sys/fs/cgroup")
_PAGE = mmap.PAGESIZE
# A share of what is free that stays free: estimates are a few percent off, and the rest of the program needs some too.
_RESERVE = 0.1


def free_bytes(proc: Path = _PROC, groups: Path = _GROUPS) -> int | None:
    """The bytes that this process can still take, less a reserve of a tenth; None where nothing tells.

    It is the least of what the machine has available, what every control group above this process (a container, a
    service) leaves, and what `ulimit -v` leaves. Files that the system keeps in memory count as free.

    Args:
        proc: where the system tells about processes.
        groups: where it tells about control groups, of version 1 or 2.
    """
    found = [*_of_machine(proc), *_of_groups(proc, groups), *_of_process(proc)]
    return max(0, int(min(found) * (1 - _RESERVE))) if found else None


def give_back(thoroughly: bool = False) -> None:
    """Give the system back what this process holds and does not use.

    Args:
        thoroughly: also look for what is held in circles, as by the frames of errors; that takes some 0.05 s.
    """
    if thoroughly:
        gc.collect()
    with suppress(AttributeError, OSError, TypeError):  # glibc keeps blocks of up to 32 MB; other libraries do not
        ctypes.CDLL(None).malloc_trim(0)


def _of_machine(proc: Path) -> Iterator[int]:
    if found := re.search(r"^MemAvailable: *(\d+) kB", _text(proc / "meminfo"), re.MULTILINE):
        yield int(found[1]) * 1024


def _of_process(proc: Path) -> Iterator[int]:
    limit = re.search(r"^Max address space +(\d+)", _text(proc / "self/limits"), re.MULTILINE)
    if limit and (pages := _text(proc / "self/statm").split()):
        yield int(limit[1]) - int(pages[0]) * _PAGE


def _of_groups(proc: Path, groups: Path) -> Iterator[int]:
    """What each control group of this process leaves, and each above; inside a container only its own is there."""
    for line in _text(proc / "self/cgroup").splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            root, files = groups, ("memory.max", "memory.current", "")
        elif "memory" in controllers.split(","):
            root, files = groups / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
        else:
            continue
        inside = PurePosixPath(name.lstrip("/"))
        for folder in {root / inside, *(root / parent for parent in inside.parents)}:
            yield from _of_group(folder, *files)


def _of_group(folder: Path, limit: str, usage: str, prefix: str) -> Iterator[int]:
    most, taken = _text(folder / limit).strip(), _text(folder / usage).strip()
    if most.isdigit() and taken.isdigit():  # "max": no limit
        stat = _text(folder / "memory.stat")
        kept = re.findall(rf"^{prefix}(?:in)?active_file (\d+)", stat, re.MULTILINE)
        yield int(most) - int(taken) + sum(map(int, kept))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
