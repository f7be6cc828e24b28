"""What a process that was forked may use: the threads of native libraries do not survive a fork."""

import ctypes
import os
from functools import cache
from typing import Any
from weakref import WeakSet

from lookalike.errors import ForkedError

_used_by: dict[str, int] = {}  # a library -> the process that used it first


def check_not_forked(library: str) -> None:
    """Ask before a library is used that hangs or crashes where a parent of this process used it before the fork.

    Args:
        library: its name, for the message.
    Raises: ForkedError.
    """
    process = os.getpid()
    first = _used_by.setdefault(library, process)
    if first != process:
        raise ForkedError(
            f"{library} was used in process {first} before this one was forked from it, and its threads do not survive "
            "a fork. Search, index and learn in children only, or start them with "
            "multiprocessing.get_context('spawn')."
        )


def keep_in_children(thing: Any) -> None:
    """Never destroy an object of a native library in a forked child: that would wait for threads that are not there.

    Args:
        thing: may be destroyed as usual in this process.
    """
    _kept().add(thing)


@cache
def _kept() -> "WeakSet[Any]":
    kept: WeakSet[Any] = WeakSet()

    def keep() -> None:
        for thing in kept:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=keep)
    return kept
