"""What people hold a picture in, as what is decoded: by pixels."""

import io
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from lookalike.errors import ImageError, ShapeError
from lookalike.images.decode import load
from lookalike.images.sources import are_many, as_image_source, as_source_list

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)


class Located:
    def __init__(self, path: Path):
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


class Converting:
    """As a tensor of a library that numpy can read."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return self.array


class Exchanging:
    """As a tensor that is handed over by DLPack alone."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def __dlpack__(self, **options: object) -> object:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_picture_is_the_same_in_whatever_it_is_held(file: Path):
    raw = file.read_bytes()
    read_before = io.BytesIO(raw)
    read_before.read()
    with file.open("rb") as opened, io.BufferedReader(io.BytesIO(raw)) as buffered:
        held = [
            file, str(file), Located(file), raw, bytearray(raw), memoryview(raw), io.BytesIO(raw), read_before, opened,
            buffered, SimpleNamespace(file=io.BytesIO(raw), filename="a.png"), SimpleNamespace(read=lambda n=-1: raw),
            Image.fromarray(PIXELS), PIXELS, PIXELS.transpose(2, 0, 1), PIXELS / 255, (PIXELS / 255).astype(np.float32),
            Converting(PIXELS), Converting(PIXELS.transpose(2, 0, 1) / 255), Exchanging(PIXELS),
        ]  # fmt: skip
        for source in held:
            np.testing.assert_array_equal(np.asarray(load(source)), PIXELS, err_msg=type(source).__name__)


def test_one_channel_and_yes_or_no_are_gray():
    gray = PIXELS[:, :, :1]
    np.testing.assert_array_equal(np.asarray(load(gray)), np.repeat(gray, 3, axis=2))
    assert np.unique(np.asarray(load(PIXELS[:, :, 0] > 99))).tolist() == [0, 255]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"])
def test_pil_images_of_every_mode_are_read(mode: str):
    assert load(Image.new(mode, (4, 3))).mode == "RGB"


@pytest.mark.parametrize(
    "source", [None, 3, object(), {"a": 1}, [0.5], (one for one in "ab"), PurePosixPath, np.array(["a"]), Converting]
)
def test_what_is_no_picture_is_one_line_that_says_what_can_be(source: object):
    with pytest.raises(ImageError, match=r"is no picture\. Give a path, bytes, a file opened with 'rb', a PIL image"):
        as_image_source(source)


def test_a_file_opened_as_text_or_closed_and_floats_beyond_one_say_how_to_mend_it(file: Path):
    with pytest.raises(ImageError, match=r"gives str, not bytes\. Open it with 'rb'"):
        as_image_source(io.StringIO("text"))
    closed = file.open("rb")
    closed.close()
    with pytest.raises(ImageError, match=r"cannot be read .* do not close it"):
        as_image_source(closed)
    for spoilt in (PIXELS * 1.0, np.full((2, 2, 3), np.nan)):
        with pytest.raises(ImageError, match="must be 0 to 1"):
            as_image_source(spoilt)
    with pytest.raises(ShapeError, match="pixels must be uint8"):
        load(np.zeros(7))


def test_several_are_told_from_one(file: Path):
    pandas = pytest.importorskip("pandas")
    several = [["a"], ("a",), {"a"}, iter(["a"]), np.array(["a"]), pandas.Series(["a"]), PIXELS[None]]
    assert all(are_many(one) for one in several)
    assert [len(as_source_list(one)) for one in several] == [1] * len(several)
    with file.open("rb") as opened:
        one = [
            "a",
            b"a",
            file,
            opened,
            io.BytesIO(),
            PIXELS,
            np.zeros(4),
            pandas.Series([0.5, 0.5]),
            None,
            PIXELS[:, :, 0],
        ]
        assert not any(are_many(source) for source in one)


def test_a_tensor_in_bfloat16_is_a_picture_or_features():
    pixels = torch.tensor([[[0.0, 1.0], [0.5, 0.25]]] * 3, dtype=torch.bfloat16)
    assert np.asarray(as_image_source(pixels)).tolist() == [[[0] * 3, [255] * 3], [[128] * 3, [64] * 3]]
    features = as_image_source(torch.tensor([0.5, -2.0], dtype=torch.bfloat16))
    assert (features.tolist(), features.dtype) == ([0.5, -2.0], np.float32)
