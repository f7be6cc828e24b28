"""The table of refused files."""

from pathlib import Path

from lookalike.index.refused import RefusedFile, RefusedTable


def test_refused_files_keep_their_last_reason(tmp_path: Path):
    refused = RefusedTable(tmp_path / "r.lance")
    assert refused.rows() == []
    refused.append([RefusedFile("b.png", 1, 2, "broken"), RefusedFile("a.png", 3, 4, "empty")])
    refused.append([RefusedFile("b.png", 5, 6, "worse")])
    assert refused.rows() == [RefusedFile("a.png", 3, 4, "empty"), RefusedFile("b.png", 5, 6, "worse")]
    refused.remove(["a.png"])
    assert [one.file for one in refused.rows()] == ["b.png"]
