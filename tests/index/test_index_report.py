"""What an index run did, in numbers."""

from pathlib import Path

from support.pictures import draw

from lookalike import Collection


def test_a_run_counts_what_it_did(tmp_path: Path):
    for number in range(4):
        draw(tmp_path / f"{number}.png", number)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    first = Collection(tmp_path).index()
    assert (first.added, first.changed, first.gone, first.unchanged) == (4, 0, 0, 0)
    assert (list(first.refused), dict(first.other_files)) == (["broken.png"], {".txt": 1})
    (tmp_path / "0.png").unlink()
    (tmp_path / "1.png").rename(tmp_path / "moved.png")
    draw(tmp_path / "2.png", 20)
    second = Collection(tmp_path).index()
    assert (second.added, second.changed, second.moved, second.gone, second.unchanged) == (0, 1, 1, 1, 1)
    assert (second.refused, second.still_refused, second.other_files) == ({}, 1, {})
