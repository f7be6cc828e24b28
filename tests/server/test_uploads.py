"""Pictures that are sent: kept in memory, the last ones."""

import numpy as np
import pytest
from PIL import Image
from support.pictures import draw

from lookalike.errors import ImageError
from lookalike.images.decode import content_hash, load
from lookalike.server import uploads
from lookalike.server.errors import Refusal
from lookalike.server.uploads import Uploads


def test_a_picture_is_kept_with_its_bytes_size_and_a_small_one(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((20, 40, 3), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    content = (tmp_path / "a.jpg").read_bytes()
    kept = Uploads()
    upload = kept.add(content)
    assert kept.get(upload.id) is upload
    assert (upload.content, upload.hash, upload.width, upload.height) == (content, content_hash(content), 20, 40)
    assert load(upload.thumbnail).size == (20, 40)


def test_the_oldest_goes_first_by_number_and_by_bytes(tmp_path, monkeypatch: pytest.MonkeyPatch):
    content = draw(tmp_path / "a.png", 1).read_bytes()
    kept = Uploads()
    first = kept.add(content)
    second = kept.add(content)
    for _ in range(uploads.MOST - 2):
        kept.add(content)
    kept.get(first.id)  # asked again: now the second is the oldest
    kept.add(content)
    assert kept.get(first.id) is first
    with pytest.raises(Refusal, match="no longer kept"):
        kept.get(second.id)
    monkeypatch.setattr(uploads, "MOST_BYTES", 2 * len(content))
    last = [kept.add(content) for _ in range(3)]
    assert kept.get(last[2].id)
    with pytest.raises(Refusal):
        kept.get(last[0].id)


def test_what_is_no_picture_is_not_kept():
    with pytest.raises(ImageError):
        Uploads().add(b"<svg onload=alert(1)>")
