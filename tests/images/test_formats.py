"""Telling what a file is from its first bytes, and saying so."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from lookalike.errors import ImageError
from lookalike.images.formats import HEAD, check_slow, declared_sizes, detect_format, is_truncated


def encoded(format: str, size: tuple[int, int] = (20, 10), mode: str = "RGB", **settings: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 0).save(buffer, format, **settings)
    return buffer.getvalue()


OURS = {"JPEG2000": "JPEG 2000", "WEBP": "WebP", "PPM": "PNM", "MPO": "JPEG"}


@pytest.mark.parametrize(
    "pillow", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "ICO", "JPEG2000", "AVIF", "TGA", "PPM", "QOI", "MPO"]
)
def test_what_pillow_writes_is_known_by_its_content_whatever_its_ending(pillow):
    head = encoded(pillow)[:HEAD]
    assert detect_format(head, "photo.png") == detect_format(head) == OURS.get(pillow, pillow)


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"Hello,\nworld", "a text file"),
        ("안녕하세요".encode()[:-1], "a text file"),
        ("﻿<!DOCTYPE html>".encode("utf-16"), "a text file"),
        (b" <!DOCTYPE html><p>404", "an HTML page"),
        (b'<?xml version="1.0"?><a/>', "an XML file"),
        (b"PK\3\4....", "a zip archive"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound"),
        (b"\0\1\2\3" * 9, "unknown data"),
    ],
)
def test_what_is_no_picture_is_named_and_is_broken_only_where_its_ending_pretends(head, what):
    with pytest.raises(ImageError) as honest:
        detect_format(head, "file.txt")
    assert (honest.value.reason, honest.value.kind) == (f"{what}, not a picture.", "not a picture")
    with pytest.raises(ImageError) as pretender:
        detect_format(head, "FILE.JPG")
    assert pretender.value.kind == "broken"
    assert what == "unknown data" or pretender.value.reason.startswith(f"{what}, not a picture. ")


@pytest.mark.parametrize(
    ("head", "name", "what"),
    [
        (b'<?xml version="1.0"?>\n<svg xmlns="...">', "drawing.svg", "an SVG drawing"),
        (b"\xff\x0a\0\0", "photo.jxl", "a JPEG XL picture"),
    ],
)
def test_pictures_in_formats_that_nobody_here_reads_say_what_to_export(head, name, what):
    with pytest.raises(ImageError) as refused:
        detect_format(head, name)
    expected = f"{what}, which lookalike does not read. Export it as JPEG or PNG."
    assert (refused.value.reason, refused.value.kind) == (expected, "unsupported")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "photo.cr3"),
        (b"II*\0\x10\0\0\0CR\2\0", "photo.jpg"),
        (b"MM\0*\0\0\0\x08", "photo.NEF"),
        (b"II*\0" + bytes(100), "photo.3FR"),
        (b"II*\0" + bytes(100), "photo.kdc"),
        (b"FUJIFILMCCD-RAW 0201", "photo"),
        (b"IIU\0" + bytes(20), "photo.rw2"),
        (b"IIRO" + bytes(20), "photo.orf"),
        (b"FOVb" + bytes(20), "photo.x3f"),
    ],
)
def test_raw_photos_are_known_by_their_beginning_or_their_ending(head, name):
    assert detect_format(head, name) == "RAW"


def test_an_empty_file_is_a_broken_picture_or_an_empty_note_by_its_ending():
    kinds = []
    for name in ("photo.jpg", "notes.txt", None):
        with pytest.raises(
            ImageError, match=r"^empty file \(0 bytes\)\. It will be tried again when it changes\.$"
        ) as one:
            detect_format(b"", name)
        kinds.append(one.value.kind)
    assert kinds == ["broken", "not a picture", "broken"]


@example(b"\0\0\1\0", None)
@given(st.binary(max_size=64), st.sampled_from([None, "a.jpg", "a.tga", "a.txt"]))
def test_any_bytes_get_a_format_or_one_line(head, name):
    try:
        assert detect_format(head, name)
    except ImageError as error:
        assert error.reason.endswith(".")
        assert "\n" not in error.reason


@given(st.integers(1, 300), st.integers(1, 300), st.booleans())
def test_a_webp_declares_the_size_that_it_has(width, height, lossless):
    content = encoded("WEBP", (width, height), lossless=lossless)
    assert declared_sizes("WebP", content) == [(width, height)]


def test_an_animated_webp_declares_the_size_of_its_canvas():
    more = [Image.new("RGB", (30, 40), "red")]
    assert declared_sizes("WebP", encoded("WEBP", (30, 40), save_all=True, append_images=more)) == [(30, 40)]


def test_an_icon_declares_the_sizes_of_all_its_pictures():
    content = encoded("ICO", (64, 64), "RGBA", sizes=[(16, 16), (64, 64)])
    assert sorted(declared_sizes("ICO", content)) == [(16, 16), (64, 64)]
    bitmaps = encoded("ICO", (32, 32), "RGBA", sizes=[(32, 32)], bitmap_format="bmp")
    assert declared_sizes("ICO", bitmaps) == [(32, 32)]


@pytest.mark.parametrize("pillow", ["PNG", "WEBP", "BMP", "AVIF"])
def test_a_file_without_its_last_bytes_is_cut(pillow):
    content, ours = encoded(pillow), OURS.get(pillow, pillow)
    assert not is_truncated(ours, content)
    assert all(is_truncated(ours, content[:-missing]) for missing in range(1, 12))


@pytest.mark.parametrize(
    ("head", "name", "what"),
    [
        (b'<?xml version="1.0"?>\n<!-- ' + b"made by hand " * 120 + b"-->\n<svg />", "long.svg", "an SVG drawing"),
        (b'<?xml version="1.0"?>\n<!-- ' + b"x" * HEAD, "longer.svg", "an SVG drawing"),
        (b"<!DOCTYPE svg [ <!ENTITY a 'b'> ]><svg:svg xmlns:svg='a'>", "drawing", "an SVG drawing"),
        ("<svg>".encode("utf-16"), "wide.svg", "an SVG drawing"),
        (b"DDS |\0\0\0", "texture.dds", "a DirectDraw texture"),
        (b"\n\5\1\x08" + bytes(60), "scan.pcx", "a PCX picture"),
    ],
)
def test_pictures_that_are_not_read_are_called_what_they_are(head, name, what):
    with pytest.raises(ImageError, match=f"^{what}, which lookalike does not read") as refused:
        detect_format(head[:HEAD], name)
    assert refused.value.kind == "unsupported"


def test_slow_formats_are_bounded_by_the_bytes_of_the_file():
    for format, content in (("QOI", b"qoif"), ("PNM", b"P1 9 9 ")):
        check_slow(format, content + b"1 " * 3_999_000)
        with pytest.raises(ImageError, match=r"would take too long: over the limit of 8\. Save it as PNG") as refused:
            check_slow(format, content + b"1 " * 4_000_000)
        assert refused.value.kind == "too large"
    check_slow("PNM", b"P6 9 9 255 " + bytes(9_000_000))


def test_a_pnm_whose_comment_goes_on_and_on_is_refused():
    check_slow("PNM", b"P5 # one\n#two\n 3 # three\n 4\n255\n" + bytes(12))
    with pytest.raises(ImageError, match="no width and height at its beginning"):
        check_slow("PNM", b"P6\n#" + b"x" * 20_000 + b"\n2 2\n255\n" + bytes(12))
