"""One decoder: upright RGB pixels from whatever people have, within bounds, and one clear line for the rest."""

import io
import os
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from support.pictures import scene

from lookalike.errors import ImageError, ShapeError
from lookalike.images.decode import content_hash, decode_square, load, open_bytes, read_bytes
from lookalike.images.limits import FLIGHT, Limits

RED, BLUE = (255, 0, 0), (0, 0, 255)


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Something with the detail of a photo: noise of several sizes, one upon the other."""
    rng, total = np.random.default_rng(seed), np.zeros((height, width, 3), np.float32)
    for step in (2, 8, 32, 128):
        blocks = rng.normal(0, 18, (-(-height // step), -(-width // step), 3)).astype(np.float32)
        total += blocks.repeat(step, axis=0).repeat(step, axis=1)[:height, :width]
    return Image.fromarray((total + 128).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, format: str = "PNG", **settings: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **settings)
    return buffer.getvalue()


def reason(source: object, *arguments: object) -> str:
    with pytest.raises(ImageError) as refused:
        load(source, *arguments)  # type: ignore[arg-type]
    return refused.value.reason


def test_the_same_pixels_come_from_every_kind_of_source(tmp_path):
    image = scene()
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(image))
    want = np.asarray(image)
    for source in (path, str(path), encoded(image), image, want):
        got = load(source)
        assert (got.mode, got.size) == ("RGB", (40, 30))
        assert np.array_equal(np.asarray(got), want)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "TGA", "QOI", "WEBP", "JPEG2000"])
def test_lossless_formats_come_back_exactly(format):
    settings = {"lossless": True} if format == "WEBP" else {}
    assert np.array_equal(np.asarray(load(encoded(scene(), format, **settings))), np.asarray(scene()))


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF", "MPO"])
def test_lossy_formats_come_back_nearly(format):
    away = np.asarray(load(encoded(scene(), format, quality=95))).astype(int) - np.asarray(scene())
    assert np.abs(away).mean() < 3


def test_heic_comes_back_nearly():
    heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    heif.from_pillow(scene(64, 48)).save(buffer, quality=90)
    assert np.abs(np.asarray(load(buffer.getvalue())).astype(int) - np.asarray(scene(64, 48))).mean() < 3


def test_without_the_extra_a_heic_picture_names_it():
    """In a process of its own, in which pillow_heif cannot be imported."""
    program = """
import sys
sys.modules["pillow_heif"] = None
from lookalike.errors import ImageError
from lookalike.images.decode import load
try:
    load(b"\\0\\0\\0\\x18ftypheic\\0\\0\\0\\0mif1heic")
except ImageError as error:
    print(error.kind, "|", error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    said = "needs an extra | a HEIC picture needs the extra 'heic'. Install it with: pip install 'lookalike[heic]'"
    assert run.stdout.strip() == said


def test_arrays_of_pixels_may_be_grey_or_have_alpha():
    grey = np.array([[0, 100]], np.uint8)
    assert list(load(grey).tobytes()) == [0, 0, 0, 100, 100, 100]
    clear = np.array([[[255, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    assert list(load(clear).tobytes()) == [255, 0, 0, 255, 255, 255]


@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 5), (1, 2, 3, 4), (0, 4, 3)])
def test_arrays_of_another_shape_are_no_pixels(shape):
    with pytest.raises(ShapeError, match=r"pixels must be uint8 \(h, w\), \(h, w, 3\) or \(h, w, 4\), not uint8"):
        load(np.zeros(shape, np.uint8))


def test_arrays_of_floats_are_no_pixels():
    with pytest.raises(ShapeError, match=r"not float32 \(2, 2\)"):
        load(np.zeros((2, 2), np.float32))  # type: ignore[arg-type]


@pytest.mark.parametrize("flag", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_pictures_are_upright_whatever_their_exif_flag(flag, format):
    """A camera held otherwise stores turned pixels and the flag that turns them back; Pillow's own turning agrees."""
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = scene() if flag == 1 else scene().transpose(Image.Transpose(turns[flag]))
    exif = Image.Exif()
    exif[0x0112] = flag
    content = encoded(stored, format, exif=exif, **({"quality": 95} if format != "PNG" else {}))
    with Image.open(io.BytesIO(content)) as witness:
        assert ImageOps.exif_transpose(witness).size == (40, 30)
    upright = load(content)
    assert np.abs(np.asarray(upright).astype(int) - np.asarray(scene())).mean() < 3
    found = decode_square(content, 16)
    assert (found.width, found.height) == (40, 30)
    assert np.abs(found.array.astype(int) - decode_square(scene(), 16).array).mean() < 3
    assert np.array_equal(np.asarray(load(upright)), np.asarray(upright))  # turned once, not twice


def test_the_flag_may_stand_in_xmp():
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    content = encoded(scene().transpose(Image.Transpose.ROTATE_90), "JPEG", xmp=xmp, quality=95)
    assert load(content).size == (40, 30)


def test_pil_images_are_turned_as_well_and_left_as_they_were():
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(encoded(scene(), "JPEG", exif=exif))) as image:
        assert load(image, side_px=40).size == (30, 40)
        assert image.size == (40, 30)
        assert image.getexif()[0x0112] == 6
    plain = scene()
    assert load(plain) is not plain


def test_a_damaged_exif_block_does_not_spoil_the_picture():
    content = encoded(scene(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff nonsense", quality=95)
    assert load(content).size == (40, 30)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_of_an_animation_the_first_frame_counts(format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    got = np.asarray(load(encoded(frames[0], format, save_all=True, append_images=frames[1:])))
    assert np.abs(got.reshape(-1, 3).astype(int) - RED).max() < 12


def test_of_an_icon_the_largest_picture_counts():
    assert load(encoded(scene(64, 64), "ICO", sizes=[(16, 16), (48, 48)])).size == (48, 48)


def test_a_picture_is_squashed_whole_not_cropped():
    """Left half red, right half blue, 200 x 50 to 10 x 10: columns 0 to 3 are red, 6 to 9 blue, in every row."""
    image = Image.new("RGB", (200, 50), RED)
    image.paste(BLUE, (100, 0, 200, 50))
    array = decode_square(image, 10).array
    assert (array.shape, array.dtype) == ((10, 10, 3), np.uint8)
    assert (array[:, :4] == RED).all()
    assert (array[:, 6:] == BLUE).all()
    assert array.flags.writeable  # torch asks for that


@pytest.mark.parametrize("size", [(1, 1), (10_000, 1), (1, 10_000), (3, 2000)])
def test_the_smallest_and_the_thinnest_pictures_have_pixels(size):
    found = decode_square(encoded(Image.new("RGB", size, (9, 9, 9))), 32)
    assert (found.width, found.height) == size
    assert (found.array == 9).all()


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(1600, 1200), (640, 479), (2000, 300), (330, 1111)])
def test_shrinking_early_stays_within_two_levels_of_the_full_decode(format, size):
    """The witness: everything decoded, then Pillow's antialiased bicubic; the mean difference of 255 levels."""
    content = encoded(photo(*size), format)
    with Image.open(io.BytesIO(content)) as image:
        witness = np.asarray(image.resize((96, 96), Image.Resampling.BICUBIC)).astype(int)
    found = decode_square(content, 96)
    assert (found.width, found.height) == size
    assert np.abs(found.array - witness).mean() < 2


@given(st.integers(1, 700), st.integers(1, 700), st.integers(1, 64), st.sampled_from(["JPEG", "PNG"]))
@settings(max_examples=40, deadline=None)
def test_a_picture_shrunk_early_keeps_its_proportions_and_is_not_smaller_than_asked(width, height, side_px, format):
    image = load(encoded(Image.new("L", (width, height)), format), side_px=side_px)
    assert min(image.size) >= min(side_px, width, height)
    step = min(width // image.width, height // image.height) + 1
    assert abs(image.width * height - image.height * width) <= step * max(width, height)


def test_a_large_picture_is_refused_before_it_is_decoded():
    """A 1-bit PNG of 1,000 megapixels: 122 kB, that would become a gigabyte; less than 5 MB are taken to refuse it."""
    row = b"\0" * (1 + 40_000 // 8)
    content = _png(40_000, 25_000, row * 200)  # only some rows: the rest is not even looked for
    tracemalloc.start()
    said = reason(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said.startswith("40,000 x 25,000 pixels are 1,000 megapixels, over the limit of 100. Make a smaller copy")
    assert peak < 5e6


def _png(width: int, height: int, rows: bytes) -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "ICO"])
def test_the_limit_of_pixels_holds_for_every_format(format):
    content = encoded(scene(40, 30), format, **({"sizes": [(40, 30)]} if format == "ICO" else {}))
    load(content, Limits(pixels=1200))
    assert "over the limit of" in reason(content, Limits(pixels=1199))


def test_who_allows_more_than_pillow_does_gets_it(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for format in ("WEBP", "TIFF"):
        assert load(encoded(scene(), format), Limits(pixels=5000)).size == (40, 30)


def test_the_limit_of_bytes_holds_for_files_and_bytes(tmp_path):
    content = encoded(scene())
    (tmp_path / "a.png").write_bytes(content)
    limits = Limits(bytes=len(content) - 1)
    assert "over the limit of" in reason(content, limits)
    assert "over the limit of" in reason(tmp_path / "a.png", limits)
    load(content, Limits(bytes=len(content)))


def test_many_threads_decode_within_a_small_budget_and_all_get_their_picture():
    contents = [encoded(scene(60 + i, 40)) for i in range(8)]
    sizes: list[tuple[int, int]] = []

    def work(content: bytes) -> None:
        sizes.append(load(content, Limits(in_flight=20_000)).size)

    threads = [threading.Thread(target=work, args=(content,)) for content in contents * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sizes) == sorted([(60 + i, 40) for i in range(8)] * 3)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "AVIF"])
def test_a_file_that_ends_early_is_called_cut_short(format):
    content = encoded(photo(64, 64), format)
    cut = content[: len(content) // 2]
    name = {"WEBP": "WebP"}.get(format, format)
    said = f"the {name} is cut short: it ends before its picture does. Copy it again from where it came."
    assert reason(cut) == said
    with pytest.raises(ImageError, match="is cut short"):
        decode_square(cut, 16)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_is_damaged_gives_a_picture_or_one_line(data):
    """Bytes of good files overwritten or cut anywhere: never another exception than ours, never two lines."""
    format = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "ICO", "TGA", "PPM", "QOI"]))
    content = bytearray(encoded(scene(16, 12), format))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(1, len(content)))]
    try:
        assert load(bytes(content), Limits(pixels=1_000_000)).mode == "RGB"
    except ImageError as error:
        assert error.reason.endswith(".")
        assert len(str(error).splitlines()) == 1


def test_errors_of_files_name_the_file_on_one_line_and_know_the_reason_without_it(tmp_path):
    path = tmp_path / "two\nlines.jpg"
    if sys.platform == "win32":
        path = tmp_path / "lines.jpg"
    path.write_bytes(b"")
    with pytest.raises(ImageError) as refused:
        load(path)
    assert refused.value.reason == "empty file (0 bytes). It will be tried again when it changes."
    assert str(refused.value) == f"{tmp_path / path.name.replace(chr(10), chr(92) + 'n')}: {refused.value.reason}"
    with pytest.raises(ImageError) as refused:
        read_bytes(path)
    assert str(refused.value) == refused.value.reason


def test_what_is_no_file_says_what_it_is(tmp_path):
    kinds = {}
    for name in ("folder.jpg", "missing.jpg", "notes.txt", "text.jpg"):
        if name.startswith("folder"):
            (tmp_path / name).mkdir()
        elif not name.startswith("missing"):
            (tmp_path / name).write_text("Dear all")
        with pytest.raises(ImageError) as refused:
            read_bytes(tmp_path / name)
        kinds[name] = (refused.value.kind, refused.value.reason.split(".")[0])
    assert kinds == {
        "folder.jpg": ("not a picture", "a folder, not a picture"),
        "missing.jpg": ("gone", "no such file"),
        "notes.txt": ("not a picture", "a text file, not a picture"),
        "text.jpg": ("broken", "a text file, not a picture"),
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are for POSIX systems")
def test_a_pipe_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason(tmp_path / "pipe.jpg").startswith("a pipe, a socket or a device, not a picture")


def test_of_a_large_file_that_is_no_picture_only_the_beginning_is_read(tmp_path):
    """A sparse file of 1 TB, which no memory would hold."""
    with (tmp_path / "clip.mp4").open("wb") as file:
        file.write(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom")
        file.truncate(10**12 if sys.platform.startswith("linux") else 10**8)
    with pytest.raises(ImageError, match=r"^a video, not a picture\.$"):
        read_bytes(tmp_path / "clip.mp4")


def test_equal_bytes_have_equal_hashes_and_others_do_not():
    """The value is BLAKE2b with 16 bytes of digest, as `b2sum -l 128` prints it."""
    assert content_hash(b"abc").hex() == "cf4ab791c62b8d2b2109c90275287816"
    assert content_hash(b"abd") != content_hash(b"abc")


def test_every_odd_file_that_holds_a_picture_is_read(real_data):
    pytest.importorskip("pillow_heif")
    files = sorted((real_data / "odd_files" / "decodes").iterdir())
    assert len(files) == 65
    for file in files:
        found = decode_square(file, 64)
        assert found.array.shape == (64, 64, 3), file.name
    big = decode_square(real_data / "odd_files" / "decodes" / "big_8000x6000.png", 224)
    assert (big.width, big.height) == (8000, 6000)


NEARLY_WHOLE = {"cut_last_bytes.jpg": "its last 3.0 %", "truncated_jpeg.jpg": "its finest detail"}
BROKEN = {
    "bad_header_crc.png": "the PNG is damaged (bad header checksum in b'IHDR')",
    "bomb_20000x20000.png": "20,000 x 20,000 pixels are 400 megapixels",
    "broken.png": "the PNG is damaged (chunk",
    "broken_data_stream.png": "the PNG is damaged (unrecognized data stream contents)",
    "corrupt_data.png": "the PNG is damaged (unrecognized data stream contents)",
    "cut_at_": "is cut short",
    "declares_50000x50000.png": "50,000 x 50,000 pixels are 2,500 megapixels",
    "declares_60000x60000.gif": "60,000 x 60,000 pixels are 3,600 megapixels",
    "decompression_bomb.gif": "the GIF declares more pixels than any picture has",
    "fuzzed_1.tif": "the TIFF is damaged (its data make no sense",
    "fuzzed_libtiff.tif": "the TIFF is damaged (Invalid value for samples per pixel)",
    "header_only.jp2": "the JPEG 2000 is damaged (broken data stream)",
    "html_renamed.jpg": "an HTML page, not a picture",
    "inside.txt": "a text file, not a picture",
    "only_signature.png": "the PNG is cut short",
    "random_after_header.jpg": "the JPEG is damaged (no marker found)",
    "random_bytes.jpg": "no picture in it that lookalike knows (it begins with",
    "really_big.bmp": "3,000,000 x 2,000,000 pixels are 6,000,000 megapixels",
    "seek_too_large.tif": "the TIFF is damaged (Unable to seek",
    "short_file.bmp": "the BMP is cut short",
    "svg_renamed.png": "an SVG drawing, which lookalike does not read",
    "text_chunk_bomb.png": "the PNG holds text that unpacks to more than any caption",
    "text_renamed.jpg": "a text file, not a picture",
    "truncated_image.png": "is cut short",
    "ultra_hdr_cut.jpg": "the JPEG is cut short",
    "unbound_variable.jp2": "the JPEG 2000 is damaged (Malformed JP2 header)",
    "unknown_compression.png": "the PNG is damaged (Unknown compression method",
    "zero_byte": "empty file (0 bytes)",
    "zero_width": "declares a width or a height of 0",
    "zip_renamed.jpg": "a zip archive, not a picture",
}


def test_every_broken_odd_file_is_refused_with_what_is_wrong_with_it(real_data):
    """Those that are nearly whole may be read. Read in full and shrunk, the reasons are the same."""
    files = [path for path in (real_data / "odd_files" / "broken").rglob("*") if path.is_file()]
    assert len(files) == 46
    for file in files:
        if file.name == "bad_data_crc.png":  # its pixels are whole
            continue
        if file.name in NEARLY_WHOLE:
            assert decode_square(file, 32).lacks == NEARLY_WHOLE[file.name]
            continue
        with pytest.raises(ImageError) as shrunk:
            decode_square(file, 32)
        said = reason(file)
        assert said == shrunk.value.reason
        assert len(said.splitlines()) == 1
        expected = [words for start, words in BROKEN.items() if file.name.startswith(start)]
        assert all(words in said for words in expected), (file.name, said)
        assert expected or file.name.startswith("fuzzed_"), file.name


def test_one_photo_under_every_exif_flag_has_nearly_the_same_pixels(real_data):
    """Saved as JPEG after turning, they differ by 1.3 to 2 levels even where everything is decoded in full."""
    files = sorted((real_data / "exif_rotated").glob("*.jpg"))
    first, *others = [decode_square(file, 224) for file in files]
    assert len(others) == 8
    for other in others:
        assert (other.width, other.height) == (first.width, first.height)
        assert np.abs(other.array.astype(int) - first.array).mean() < 2.5


def test_display_p3_and_its_twin_have_nearly_the_same_pixels(real_data):
    odd = real_data / "odd_files" / "decodes"
    wide, twin = (decode_square(odd / f"display_p3{name}.jpg", 224).array.astype(int) for name in ("", "_srgb_twin"))
    assert np.abs(wide - twin).mean() < 2


def test_sixteen_bit_grey_files_are_not_white_and_twelve_bits_not_black(real_data):
    for name in ("grey16.png", "grey16.tif", "grey16.jp2", "float32.tif"):
        array = decode_square(real_data / "odd_files" / "decodes" / name, 64).array
        assert 40 < array.mean() < 200, name
        assert array.std() > 5, name


def test_a_small_file_takes_a_small_read(tmp_path):
    """The limit is 512 MB; the file of some kB takes less than 1 MB to read."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded(photo(40, 30)))
    tracemalloc.start()
    content = read_bytes(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert content == path.read_bytes()
    assert peak < 1e6


def test_the_bytes_of_a_file_count_as_in_flight_until_it_is_closed(tmp_path):
    path = tmp_path / "a.bmp"
    path.write_bytes(encoded(scene(), "BMP"))
    with open_bytes(path) as content:
        assert FLIGHT.taken == len(content) == 40 * 30 * 3 + 54
    assert FLIGHT.taken == 0


@pytest.mark.parametrize("format", ["WEBP", "JPEG2000"])
def test_a_small_file_that_needs_more_memory_than_the_limit_is_refused_before_it_is_decoded(format):
    """2,000 x 2,000 flat pixels of a few bytes; WebP and JPEG 2000 take more than 12 bytes for each."""
    content = encoded(Image.new("RGB", (2000, 2000)), format)
    with pytest.raises(ImageError, match=r"takes about 0\.\d\d GB of memory, over the limit of 0\.048") as refused:
        decode_square(content, 32, Limits(memory=48_000_000))
    assert refused.value.kind == "too large"
    assert decode_square(content, 32).width == 2000


def test_no_memory_for_a_file_is_a_refusal_of_that_file(tmp_path):
    """A child that may take 300 MB more than it has reads a sparse JPEG of 500 MB."""
    pytest.importorskip("resource")
    path = tmp_path / "hole.jpg"
    path.write_bytes(encoded(scene(), "JPEG"))
    os.truncate(path, 500_000_000)
    code = (
        "import resource, sys\nfrom lookalike.errors import ImageError\nfrom lookalike.images.decode import load\n"
        "have = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (have + 300_000_000,) * 2)\n"
        "try:\n    load(sys.argv[1])\nexcept ImageError as error:\n    print(error.kind, '|', error.reason)"
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("Linux limits a process's memory")
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("no memory | reading it takes about 0.50 GB of memory, and 0.")


def test_pillows_own_limit_is_that_of_the_program_afterwards():
    before = Image.MAX_IMAGE_PIXELS
    load(encoded(scene(), "TIFF"), Limits(pixels=10**10))
    assert before == Image.MAX_IMAGE_PIXELS
