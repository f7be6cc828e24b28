"""The clipboard of a Linux desktop, whose own program is played by a script of ours."""

import sys
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike import Collection
from lookalike.errors import ImageError
from lookalike.images.clipboard import clipboard_images

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have a clipboard of their own")


@pytest.fixture
def xclip(tmp_path: Path, monkeypatch) -> Path:
    """What stands for xclip, to be written; no other program is found."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin/xclip"


def write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_copied_picture_is_a_query_with_a_name(xclip: Path, indexed: Collection):
    write(xclip, f"exec /bin/cat '{indexed.folder / '2.png'}'")
    (found,) = clipboard_images()
    hits = indexed.search(found, 1)
    assert (hits.query, hits[0].file) == ("the clipboard", "2.png")


@pytest.mark.parametrize(
    ("script", "line"),
    [
        (None, "the clipboard cannot be read here. Install wl-clipboard or xclip, or save the picture."),
        ("echo 'Error: target image/png not available' >&2; exit 1", "the clipboard holds no picture. Copy one first."),
        ("echo 'cannot open display' >&2; exit 1", "the clipboard cannot be read (xclip error: cannot open display). "),
        ("echo no picture", "the clipboard cannot be read (cannot identify image file"),
    ],
)
def test_without_one_there_is_one_line(xclip: Path, script: str | None, line: str):
    if script is not None:
        write(xclip, script)
    with pytest.raises(ImageError) as error:
        clipboard_images()
    assert str(error.value).startswith(line)


def test_of_a_picture_that_is_cut_the_reason_is_said(xclip: Path, tmp_path: Path):
    picture = draw(tmp_path / "a.png", 1)
    picture.write_bytes(picture.read_bytes()[:300])
    write(xclip, f"exec /bin/cat '{picture}'")
    with pytest.raises(ImageError, match="the clipboard cannot be read"):
        clipboard_images()
