"""How the C library keeps memory that is free again."""

import contextlib
import ctypes
import sys

_M_MMAP_THRESHOLD, _LARGE = -3, 1 << 20  # of glibc's malloc.h; bytes


def give_back_large_blocks() -> bool:
    """Have glibc give every large block back to the system as soon as it is free, in whichever thread.

    Left alone it learns from the first decoded picture that blocks of 32 MB are usual, and then keeps up to 64 MB for
    each of the threads that ever decoded one: hundreds of MB, after some minutes of many clients.

    Returns: whether there is a glibc that does so.
    """
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError, AttributeError):  # musl has no such function
        return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE))
    return False
