"""Files of a folder that stands for others are there once they are asked for, and other files are left alone."""

from pathlib import Path

from lookalike.images.fetched import present, stand_in


def test_a_file_is_fetched_when_it_is_asked_for_and_no_other(tmp_path: Path):
    asked = []

    def fetch(name: str) -> None:
        asked.append(name)
        (tmp_path / "kept" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "kept" / name).write_bytes(b"x")

    stand_in(tmp_path / "kept", fetch)
    assert present(tmp_path / "kept/a/1.jpg").read_bytes() == b"x"
    present(tmp_path / "kept")
    present(tmp_path / "kept too/2.jpg")
    present(tmp_path / "2.jpg")
    assert asked == ["a/1.jpg"]
