"""Lance, imported where it is used."""

from typing import Any

from lookalike.models.forks import check_not_forked


def load_lance() -> Any:
    """Lance, which crashes or hangs in a process whose parent used it before the fork.

    Raises: ForkedError.
    """
    check_not_forked("Lance")
    import lance

    return lance
