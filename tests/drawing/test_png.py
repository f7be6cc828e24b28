"""Drawings as PNG files: named right, and written whole."""

import pytest
from PIL import Image

from lookalike.drawing.png import drawable, save
from lookalike.errors import CollectionError

RED = Image.new("RGB", (30, 20), "#c0392b")


def test_only_a_png_is_drawn_and_never_over_a_folder(tmp_path):
    assert drawable(tmp_path / "new/deep/map.PNG") == tmp_path / "new/deep/map.PNG"
    (tmp_path / "folder.png").mkdir()
    for name in ("map.jpg", "map", "folder.png"):
        with pytest.raises(CollectionError):
            drawable(tmp_path / name)
    with Image.open(save(RED, tmp_path / "new/map.png")) as saved:
        assert saved.size == (30, 20)
