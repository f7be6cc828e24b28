"""The table of refused files."""

from pathlib import Path

import pytest

from lookalike.index.refused import RefusedFile, RefusedTable


def test_refused_files_keep_their_last_reason(tmp_path: Path):
    refused = RefusedTable(tmp_path / "r.lance")
    assert refused.rows() == []
    refused.append([RefusedFile("b.png", 1, 2, "broken"), RefusedFile("a.png", 3, 4, "empty")])
    refused.append([RefusedFile("b.png", 5, 6, "worse")])
    assert refused.rows() == [RefusedFile("a.png", 3, 4, "empty"), RefusedFile("b.png", 5, 6, "worse")]
    refused.remove(["a.png"])
    assert [one.file for one in refused.rows()] == ["b.png"]


@pytest.mark.parametrize(
    ("kind", "limits", "decoders", "again"),
    [
        ("broken", "9", "1", False),
        ("broken", "9", "2", True),
        ("too large", "8", "1", False),
        ("too large", "9", "1", True),
        ("unreadable", "8", "1", True),
        ("no memory", "8", "1", True),
        ("", "8", "1", True),
    ],
)
def test_what_is_tried_again_depends_on_why_it_was_refused(kind, limits, decoders, again):
    """Refused under the limits 8 by the decoders 1."""
    assert RefusedFile("a.png", 1, 2, "why", kind, "8", "1").may_be_readable(limits, decoders) == again


def test_what_the_system_refused_may_pass():
    assert [RefusedFile("a", 1, 2, "", kind).is_passing for kind in ("unreadable", "no memory", "killed")] == [
        True,
        True,
        False,
    ]
