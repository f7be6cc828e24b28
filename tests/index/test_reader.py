"""The one reader of files: what it decodes, what it hands on undecoded, what it refuses."""

from pathlib import Path

import pytest
from PIL import Image

from lookalike.errors import ImageError
from lookalike.images.decode import content_hash, decode_square
from lookalike.images.thumbnails import thumbnail
from lookalike.index.reader import Decoded, ImageReader, KnownContent


def test_a_file_is_decoded_with_the_hash_of_its_bytes(photos: Path):
    read = ImageReader(32).read(photos / "1.png")
    raw = (photos / "1.png").read_bytes()
    assert isinstance(read, Decoded)
    assert read.content == content_hash(raw)
    assert (read.image.array == decode_square(raw, 32).array).all()


def test_known_content_is_not_decoded_whatever_holds_its_hash(photos: Path):
    content = content_hash((photos / "1.png").read_bytes())
    for known in ({content}, {content: "1.png"}):
        assert ImageReader(32, known).read(photos / "sub/copy.png") == KnownContent(content)
        assert isinstance(ImageReader(32, known).read(photos / "2.png"), Decoded)


def test_what_cannot_be_read_is_an_image_error(photos: Path):
    with pytest.raises(ImageError, match="no such file") as error:
        ImageReader(32).read(photos / "gone.png")
    assert error.value.kind == "gone"


def test_the_thumbnail_of_a_large_picture_is_kept_where_it_is_decoded(tmp_path: Path):
    """1,700 x 1,300 = 2.2 megapixels; the second file of the content decodes nothing and keeps nothing."""
    Image.new("RGB", (1700, 1300), (200, 30, 30)).save(tmp_path / "large.jpg")
    content = content_hash((tmp_path / "large.jpg").read_bytes())
    ImageReader(32, {content}, cache=tmp_path / "cache").read(tmp_path / "large.jpg")
    assert not (tmp_path / "cache").exists()
    ImageReader(224, cache=tmp_path / "cache").read(tmp_path / "large.jpg")
    (tmp_path / "large.jpg").unlink()
    assert thumbnail(tmp_path / "large.jpg", content, tmp_path / "cache", 320).size == (320, 245)
