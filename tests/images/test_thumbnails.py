"""Small pictures that are kept by their content, and whose folder may be damaged, read-only or gone."""

import io
import sys

import numpy as np
import pytest
from PIL import Image
from support.pictures import draw

from lookalike.errors import ImageError
from lookalike.files import find_leftovers
from lookalike.images import thumbnails
from lookalike.images.decode import content_hash, decode_square, read_bytes
from lookalike.images.thumbnails import encoded, keep_thumbnail, thumbnail, thumbnail_bytes, thumbnail_image


def put(path, size=(300, 200), colour=(200, 30, 30)) -> bytes:
    """Draw a picture and give its hash."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())
    return content_hash(buffer.getvalue())


def kept(cache) -> list:
    return [path for path in (cache / "thumbnails").rglob("*") if path.is_file()]


def test_the_longer_side_is_as_asked_and_the_proportions_stay(tmp_path):
    content = put(tmp_path / "a.png")
    small = thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 60)
    assert (small.mode, small.size) == ("RGB", (60, 40))
    assert np.abs(np.asarray(small).astype(int) - (200, 30, 30)).max() < 4


@pytest.mark.parametrize(
    ("size", "expected"), [((20, 30), (20, 30)), ((3000, 1), (60, 1)), ((400, 4000), (6, 60)), ((1, 1), (1, 1))]
)
def test_small_pictures_are_not_enlarged_and_thin_ones_keep_a_pixel(tmp_path, size, expected):
    content = put(tmp_path / "a.png", size)
    assert thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 60).size == expected


def test_a_kept_thumbnail_serves_without_the_picture_and_is_the_same(tmp_path):
    content = put(tmp_path / "a.png")
    fresh = thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 60)
    (tmp_path / "a.png").unlink()
    again = thumbnail(tmp_path / "moved.png", content, tmp_path / "cache", 60)
    assert fresh.tobytes() == again.tobytes()
    with pytest.raises(ImageError, match="no such file"):
        thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 61)


def test_another_side_and_another_content_are_kept_beside_it(tmp_path):
    one, two = put(tmp_path / "1.png"), put(tmp_path / "2.png", colour=(0, 0, 0))
    for side_px in (60, 30):
        thumbnail(tmp_path / "1.png", one, tmp_path / "cache", side_px)
        thumbnail(tmp_path / "2.png", two, tmp_path / "cache", side_px)
    assert len(kept(tmp_path / "cache")) == 4
    assert thumbnail(tmp_path / "2.png", two, tmp_path / "cache", 30).getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("damage", [b"", b"no picture", "half"])
def test_a_damaged_thumbnail_is_made_anew(tmp_path, damage):
    content = put(tmp_path / "a.png")
    good = thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 60).tobytes()
    (file,) = kept(tmp_path / "cache")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage == "half" else damage)
    assert thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 60).tobytes() == good
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    """A file stands where the folder should be, so that not even root can write there."""
    content = put(tmp_path / "a.png")
    (tmp_path / "cache").write_bytes(b"in the way")
    assert thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 60).size == (60, 40)


def test_nothing_is_left_lying_about_when_the_last_step_fails(tmp_path):
    """A folder stands where the thumbnail should be: the temporary file cannot take its place, and goes."""
    content = put(tmp_path / "a.png")
    thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 60)
    (file,) = kept(tmp_path / "cache")
    file.unlink()
    file.mkdir()
    (file / "x").touch()
    assert thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 60).size == (60, 40)
    assert [path.name for path in kept(tmp_path / "cache")] == ["x"]


def test_a_file_that_changed_since_is_shown_but_not_kept_under_the_old_content(tmp_path):
    old = put(tmp_path / "a.png")
    put(tmp_path / "a.png", colour=(0, 0, 255))
    shown = thumbnail(tmp_path / "a.png", old, tmp_path / "cache", 60)
    assert np.abs(np.asarray(shown).astype(int) - (0, 0, 255)).max() < 6
    assert not kept(tmp_path / "cache")


def test_a_picture_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(ImageError, match="empty file"):
        thumbnail(tmp_path / "a.jpg", content_hash(b""), tmp_path / "cache", 60)
    assert not (tmp_path / "cache").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="renaming over open files is for POSIX systems")
def test_thumbnails_made_by_many_threads_at_once_are_whole(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    content = put(tmp_path / "a.png", (900, 600))
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda _: thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 90).tobytes(), range(40))
        )
    assert len(set(made)) == 1
    assert len(kept(tmp_path / "cache")) == 1


def test_a_picture_that_was_drawn_before_is_not_decoded_again(tmp_path):
    path = draw(tmp_path / "a.png", 1, (900, 600))
    content = content_hash(path.read_bytes())
    first = thumbnail_image(path, content, tmp_path / "cache")
    path.unlink()
    again = thumbnail_image(path, content, tmp_path / "cache")
    assert first.size == (320, 213)
    assert np.array_equal(first, again)


def test_the_bytes_of_a_kept_thumbnail_are_sent_as_they_are_and_damaged_ones_made_anew(tmp_path):
    content = put(tmp_path / "a.png")

    def read() -> bytes:
        return read_bytes(tmp_path / "a.png")

    first = thumbnail_bytes(read, content, tmp_path / "cache", 60)
    assert Image.open(io.BytesIO(first)).size == (60, 40)
    (place,) = kept(tmp_path / "cache")
    assert place.read_bytes() == first
    (tmp_path / "a.png").unlink()
    assert thumbnail_bytes(read, content, tmp_path / "cache", 60) == first
    place.write_bytes(first[:-9])
    with pytest.raises(ImageError, match="no such file"):
        thumbnail_bytes(read, content, tmp_path / "cache", 60)
    put(tmp_path / "a.png")
    assert thumbnail_bytes(read, content, tmp_path / "cache", 60) == first


def test_any_source_is_encoded_anew_upright_and_no_larger_than_asked(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (300, 200)).save(tmp_path / "turned.tif", exif=exif)
    image = Image.open(io.BytesIO(encoded(tmp_path / "turned.tif", 150)))
    assert (image.format, image.size, image.getexif().get(0x0112)) == ("JPEG", (100, 150), None)


def test_what_a_killed_run_left_lies_where_the_next_writer_looks(tmp_path, monkeypatch):
    """Killed before the rename, the file lies beside the folders of all thumbnails."""
    content = put(tmp_path / "a.png")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pathlib.Path.replace", killed)
        thumbnail(tmp_path / "a.png", content, tmp_path / "cache", 60)
    (left,) = kept(tmp_path / "cache")
    assert find_leftovers(tmp_path / "cache/thumbnails") == [left]


def large(size, orientation=1, format="JPEG") -> bytes:
    """A picture file of a smooth drawing, dark at the top left."""
    blocks = np.add.outer(np.arange(6) * 30, np.arange(8) * 10).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image = Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC).convert("RGB")
    image.save(buffer, format, exif=exif, compress_level=1)
    return buffer.getvalue()


def kept_while_decoding(content: bytes, cache, side_px=224) -> list[bool]:
    said: list[bool] = []
    decode_square(content, side_px, also=lambda one: said.append(keep_thumbnail(one, content_hash(content), cache)))
    return said


@pytest.mark.parametrize(
    ("size", "orientation", "format", "expected"),
    [
        ((1700, 1300), 1, "JPEG", (320, 245)),
        ((1700, 1300), 6, "JPEG", (245, 320)),
        ((9000, 300), 1, "JPEG", (320, 11)),
        ((300, 9000), 3, "JPEG", (11, 320)),
        ((1601, 1301), 8, "PNG", (260, 320)),
    ],
)
def test_what_is_kept_while_indexing_is_upright_whole_and_looks_like_the_one_made_later(
    tmp_path, size, orientation, format, expected
):
    content = large(size, orientation, format)
    assert kept_while_decoding(content, tmp_path) == [True]
    (file,) = kept(tmp_path)
    here, later = Image.open(file), Image.open(io.BytesIO(encoded(content, 320)))
    assert here.size == later.size == expected
    assert np.abs(np.asarray(here).astype(int) - np.asarray(later)).max() <= 6
    assert thumbnail_bytes(lambda: b"", content_hash(content), tmp_path, 320) == file.read_bytes()
    assert kept_while_decoding(content, tmp_path) == [False], "it is there"


def test_small_pictures_and_pixels_too_few_for_a_thumbnail_keep_nothing(tmp_path):
    assert kept_while_decoding(large((1600, 1250)), tmp_path) == [False], "2 megapixels"
    assert kept_while_decoding(large((2504, 2504)), tmp_path) == [False], "decoded as 313 x 313"
    assert kept_while_decoding(large((2600, 2600)), tmp_path) == [True]


def test_a_disk_that_is_nearly_full_is_left_to_what_has_to_be_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(thumbnails, "LEAST_FREE", 1 << 62)
    assert kept_while_decoding(large((1700, 1300)), tmp_path) == [False]
    assert not list(tmp_path.iterdir())


def test_decoding_goes_on_where_no_thumbnail_can_be_kept(tmp_path):
    (tmp_path / "cache").write_bytes(b"in the way")
    assert kept_while_decoding(large((1700, 1300)), tmp_path / "cache") == [False]


def test_nothing_is_made_in_the_place_of_a_disk_that_is_away(tmp_path):
    away = tmp_path / "disk" / ".lookalike" / "cache"
    content = large((1700, 1300))
    assert kept_while_decoding(content, away) == [False]
    assert len(thumbnail_bytes(lambda: content, content_hash(content), away, 60)) > 100
    assert not list(tmp_path.iterdir())
