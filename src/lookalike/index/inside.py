"""Names in a table that lead out of the pictures' folder: lookalike writes none, somebody else's table may."""

import os
from typing import Any

from lookalike.errors import CollectionError
from lookalike.text import first_few

# A part "..", an absolute path, a NUL, nothing at all; on Windows also a drive, and the other separator.
_OUTSIDE = r"(^|/)\.\.(/|$)|^/|\x00|^$" + (r"|[\\:]" if os.name == "nt" else "")


def outside(names: Any) -> list[str]:
    """The names, of a pyarrow column, that lead out of the folder.

    >>> import pyarrow as pa
    >>> outside(pa.array(["a/b.jpg", "..b.jpg", "../id_rsa", "/etc/hostname", "a/../../b"]))
    ['../id_rsa', '/etc/hostname', 'a/../../b']
    """
    import pyarrow.compute as pc

    found: list[str] = names.filter(pc.match_substring_regex(names, _OUTSIDE)).to_pylist()
    return found


def check_inside(names: Any, table: str) -> None:
    """Raises: CollectionError, when a name, of a pyarrow column, leads out of the folder."""
    if found := outside(names):
        raise CollectionError(
            f"{table}: names files outside the folder of its pictures ({first_few(found)}), as no table of lookalike's "
            "does. The next lookalike index removes them."
        )
