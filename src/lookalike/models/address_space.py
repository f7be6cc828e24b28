"""A process whose address space is limited, as by `ulimit -v`: whether it is, and how little of it can be reserved."""

import ctypes
import sys
from pathlib import Path

M_ARENA_MAX = -8  # of glibc's malloc.h


def is_limited() -> bool:
    """Whether the address space of this process has a limit."""
    try:
        import resource
    except ImportError:  # Windows has none
        return False
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def bytes_left() -> int | None:
    """How much more this process may reserve; None without a limit, or where the system does not tell."""
    if not is_limited():
        return None
    import resource

    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return resource.getrlimit(resource.RLIMIT_AS)[0] - pages * resource.getpagesize()


def reserve_little() -> None:
    """Where there is a limit, let all threads allocate from one heap: glibc reserves 64 MB for each thread's own.

    For programs, at their start; where malloc is another one, nothing happens.
    """
    if sys.platform == "linux" and is_limited():
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_ARENA_MAX, 1)
