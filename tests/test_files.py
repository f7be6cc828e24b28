"""Files and folders written whole or not at all, and digests."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.forced import record_forced

from lookalike.files import (
    append_lines,
    atomic_write,
    digest,
    find_leftovers,
    fitting_name,
    previous_of,
    read_lines,
    remove_folder,
    remove_leftovers,
    replace_folder,
    try_writing,
    why_unwritable,
)


def test_a_file_that_fails_leaves_the_old_one_and_nothing_beside(tmp_path: Path):
    atomic_write(tmp_path / "a/b.txt", b"old")
    with pytest.raises(TypeError):
        atomic_write(tmp_path / "a/b.txt", "no bytes")  # type: ignore[arg-type]
    assert [(one.name, one.read_bytes()) for one in (tmp_path / "a").iterdir()] == [("b.txt", b"old")]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path):
    folder = tmp_path / "x"
    replace_folder(folder, lambda new: (new / "one").write_text("1"))
    replace_folder(folder, lambda new: (new / "two").write_text("2"))
    assert [one.name for one in folder.iterdir()] == ["two"]

    def fails(new: Path) -> None:
        (new / "three").write_text("3")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        replace_folder(folder, fails)
    assert [one.name for one in tmp_path.rglob("*")] == ["x", "two"]


def test_a_folder_that_is_there_can_be_kept(tmp_path: Path):
    for text in "12":
        replace_folder(tmp_path / "x", lambda new, text=text: (new / "a").write_text(text), keep_existing=True)
    assert (tmp_path / "x/a").read_text() == "1"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_a_digest_is_blake2b_of_the_joined_parts():
    expected = hashlib.blake2b(b"abc", digest_size=8).digest()
    assert digest([b"a", b"", b"bc"], 8) == digest([b"abc"], 8) == expected


@pytest.mark.parametrize("renames", [1, 2])
def test_a_folder_that_is_being_replaced_can_be_read_at_every_moment(tmp_path: Path, monkeypatch, renames: int):
    """Killed before the first or the second rename, the old content lies at one of two places, and comes back."""
    folder = tmp_path / "x"
    replace_folder(folder, lambda new: (new / "a").write_text("old"))
    rename, calls = Path.rename, []

    def killed(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) == renames:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        replace_folder(folder, lambda new: (new / "a").write_text("new"))
    monkeypatch.setattr(Path, "rename", rename)
    assert [(one / "a").read_text() for one in (folder, previous_of(folder)) if one.exists()] == ["old"]
    remove_leftovers(tmp_path)
    assert (folder / "a").read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_a_folder_is_removed_under_a_name_that_is_no_longer_its_own(tmp_path: Path, monkeypatch):
    (tmp_path / "x/deep").mkdir(parents=True)
    (tmp_path / "x/deep/a").write_text("1")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("os.rmdir", killed)
        remove_folder(tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert len(list(tmp_path.iterdir())) == 1
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_what_we_began_is_taken_for_a_leftover(tmp_path: Path):
    names = [".DS_Store", ".gitignore", "x.previous", ".hidden/file.removed.txt", ".a.b", "plain"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("theirs")
    (tmp_path / ".lens.ab12_xyz").mkdir()
    (tmp_path / ".table.lance.removed").mkdir()
    (tmp_path / ".collection.json.0a1b2c3d").write_text("half")
    remove_leftovers(tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        names
    )
    assert len(list(tmp_path.iterdir())) == len(names)


def test_lines_are_added_whole_and_forced_to_the_disk(tmp_path: Path, monkeypatch):
    synced = record_forced(monkeypatch)
    path = tmp_path / "a" / "b.jsonl"
    append_lines(path, ["one", "caf\udce9"])
    assert synced == [path, path.parent]  # the name of a new file, too
    append_lines(path, ["three"])
    assert synced[2:] == [path]
    assert path.read_bytes() == b"one\ncaf\\udce9\nthree\n"


def test_a_line_that_broke_off_stays_a_line_of_its_own(tmp_path: Path):
    path = tmp_path / "b.jsonl"
    path.write_bytes(b"one\ntw")
    append_lines(path, ["three"])
    assert list(read_lines(path, 100)) == [b"one\n", b"tw\n", b"three\n"]


def test_nothing_is_added_behind_a_link(tmp_path: Path):
    (tmp_path / "theirs").write_text("theirs\n")
    for name, target in (("one", "theirs"), ("two", "nowhere")):
        (tmp_path / name).symlink_to(tmp_path / target)
        with pytest.raises(OSError, match="a link to another place"):
            append_lines(tmp_path / name, ["ours"])
    assert (tmp_path / "theirs").read_text() == "theirs\n" and not (tmp_path / "nowhere").exists()


def test_lines_too_long_are_none_and_are_not_held(tmp_path: Path):
    path = tmp_path / "b.jsonl"
    path.write_bytes(b"a\n" + b"x" * 25 + b"\n" + b"123456789\n" + b"1234567890" + b"\nend")
    assert list(read_lines(path, 10)) == [b"a\n", None, b"123456789\n", None, b"end"]
    assert list(read_lines(tmp_path / "none", 10)) == []


def test_of_a_file_that_is_too_long_the_end_is_read(tmp_path: Path):
    path = tmp_path / "b.jsonl"
    lines = [f"{number:04}\n".encode() for number in range(100)]
    path.write_bytes(b"".join(lines))
    for last in range(500):
        assert list(read_lines(path, 100, last)) == lines[100 - last // 5 :], last
    path.write_bytes(b"x" * 1000 + b"\nend\n")
    assert list(read_lines(path, 10, 500)) == [b"end\n"]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(OSError, match="it is no file"):
            list(read_lines(place, 100))


def test_names_reach_the_disk_after_what_they_name(tmp_path: Path, monkeypatch):
    """Every file is forced before its folder, and the folder in which the new one stands last."""
    synced = record_forced(monkeypatch)
    replace_folder(tmp_path / "x", lambda new: [(new / name).write_text(name) for name in "ab"] and None)
    assert sorted(path.name for path in synced[:2]) == ["a", "b"]
    assert [path.name for path in synced[2:]] == ["new", tmp_path.name]
    synced.clear()
    atomic_write(tmp_path / "y.txt", b"y")
    assert synced[0].name.startswith(".y.txt.")
    assert synced[1:] == [tmp_path]


def test_a_file_of_the_longest_name_is_written(tmp_path: Path):
    for name in ("x" * 255, "한" * 83 + ".png"):
        atomic_write(tmp_path / name, b"1")
        assert (tmp_path / name).read_bytes() == b"1"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_name_is_cut_to_what_the_disk_takes(tmp_path: Path):
    assert fitting_name("x" * 250 + ".jpg", tmp_path / "not/there") == "x" * 250 + ".jpg"
    assert fitting_name("한" * 100 + ".jpg", tmp_path) == "한" * 83 + ".jpg"
    assert fitting_name("1-" + "y" * 9 + "." + "x" * 300, tmp_path) == "1-" + "y" * 9 + "." + "x" * 243
    assert fitting_name("x" * 250 + ".jpg", tmp_path, keep_ending=False, room=10) == "x" * 245
    assert len(os.fsencode(fitting_name("\udcff" * 300, tmp_path))) == 255


def test_writing_is_tried_and_leaves_nothing(tmp_path: Path):
    try_writing(tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        try_writing(tmp_path / "file")


def test_what_prevents_a_new_file_is_known_before(tmp_path: Path):
    (tmp_path / "file").touch()
    assert why_unwritable(tmp_path / "new/deep/file.csv") == ""
    assert why_unwritable(tmp_path / "file/below.csv") == f"{tmp_path / 'file'} is a file"


def write_file(path: Path) -> None:
    atomic_write(path, b"new")


def write_folder(path: Path) -> None:
    replace_folder(path, lambda new: (new / "a").write_text("new") and None)


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_the_next_write_removes_what_a_killed_one_of_the_same_name_left(tmp_path: Path, write: Callable[[Path], None]):
    (tmp_path / ".x.0a1b2c3d").write_text("half")
    (tmp_path / ".x.4e5f6a7b").mkdir()
    for theirs in (".y.0a1b2c3d", ".x.txt", ".x.y.0a1b2c3d"):
        (tmp_path / theirs).write_text("theirs")
    write(tmp_path / "x")
    assert sorted(one.name for one in tmp_path.iterdir()) == [".x.txt", ".x.y.0a1b2c3d", ".y.0a1b2c3d", "x"]


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_what_another_process_is_writing_is_no_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
):
    """Another process here is a second description of an open file: locks tell them apart in the same way."""
    pytest.importorskip("fcntl")
    seen: list[list[Path]] = []
    real = os.fsync

    def meanwhile(opened: int) -> None:
        monkeypatch.setattr(os, "fsync", real)
        remove_leftovers(tmp_path)
        seen.append(find_leftovers(tmp_path))
        write(tmp_path / "x")
        real(opened)

    monkeypatch.setattr(os, "fsync", meanwhile)
    write(tmp_path / "x")
    assert seen == [[]]
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
