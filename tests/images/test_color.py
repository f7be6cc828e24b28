"""Every way of storing colours -> the RGB that a screen shows."""

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms
from pytest import approx

from lookalike.images.color import to_rgb


def only(image: Image.Image) -> tuple[int, ...]:
    """The colour of a picture that has but one."""
    rgb = to_rgb(image)
    assert rgb.mode == "RGB"
    ((_, colour),) = rgb.getcolors()
    return colour


def deep(*values: float, dtype: type = np.uint16) -> list[int]:
    """What becomes of a row of deep grey values."""
    red, green, blue = to_rgb(Image.fromarray(np.array([values], dtype))).split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()
    return list(red.tobytes())


def test_sixteen_bit_grey_is_scaled_and_not_white():
    """65535 / 257 = 255, 32896 / 257 = 128, 257 / 257 = 1; Pillow's own convert makes all but the first 255."""
    assert deep(0, 257, 32896, 65535) == [0, 1, 128, 255]


def test_twelve_bits_kept_in_sixteen_are_not_black():
    """The largest value needs 12 bits, so 4095 is white: 2048 / 4095 of 255 is 127.5."""
    assert deep(0, 2048, 4095) == [0, 128, 255]
    assert deep(0, 600, 1023) == [0, 150, 255]
    assert deep(0, 7, 200) == [0, 7, 200]


def test_floats_from_0_to_1_become_0_to_255_and_others_are_stretched():
    assert deep(0.0, 0.2, 0.5, dtype=np.float32) == [0, 51, 128]
    assert deep(-10.0, 0.0, 30.0, dtype=np.float32) == [0, 64, 255]


def test_numbers_that_are_none_are_black_and_infinite_ones_are_at_the_ends():
    assert deep(np.nan, -np.inf, 0.4, 1.0, np.inf, dtype=np.float32) == [0, 0, 102, 255, 255]


def test_integers_beyond_sixteen_bits_are_stretched():
    assert deep(-100, 0, 300, dtype=np.int32) == [0, 64, 255]
    assert deep(0, 100_000, 200_000, dtype=np.int32) == [0, 128, 255]


def test_a_deep_picture_of_one_value_that_has_no_scale_is_black():
    assert deep(7.5, 7.5, dtype=np.float32) == [0, 0]
    assert deep(0, 0) == [0, 0]


@given(arrays(np.uint8, (4, 5)))
def test_eight_bits_stored_in_sixteen_look_as_before_where_white_is_there(values):
    values[0, 0] = 255
    image = Image.fromarray(values.astype(np.uint16) * 257)
    assert np.array_equal(np.asarray(to_rgb(image))[..., 0], values)


def test_a_transparent_value_of_sixteen_bit_grey_is_white():
    image = Image.fromarray(np.array([[0, 500, 65535]], np.uint16))
    image.info["transparency"] = 500
    assert to_rgb(image).convert("L").tobytes() == bytes([0, 255, 255])


def test_alpha_lies_on_white():
    """A quarter of red on white: 255 stays, 0 * 64 / 255 + 255 * 191 / 255 = 191."""
    assert only(Image.new("RGBA", (2, 2), (255, 0, 0, 64))) == (255, 191, 191)
    assert only(Image.new("RGBA", (2, 2), (255, 0, 0, 0))) == (255, 255, 255)
    assert only(Image.new("LA", (2, 2), (0, 64))) == (191, 191, 191)


def test_transparent_entries_of_palettes_and_colour_keys_lie_on_white():
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    palette.info["transparency"] = 1
    assert list(to_rgb(palette).tobytes()) == [255, 0, 0, 255, 255, 255]
    palette.info["transparency"] = bytes([64, 255])
    assert list(to_rgb(palette).tobytes()) == [255, 191, 191, 0, 0, 255]
    keyed = Image.new("RGB", (1, 1), (1, 2, 3))
    keyed.info["transparency"] = (1, 2, 3)
    assert only(keyed) == (255, 255, 255)
    grey = Image.new("L", (1, 1), 9)
    grey.info["transparency"] = 9
    assert only(grey) == (255, 255, 255)


def test_other_modes_become_rgb():
    assert only(Image.new("1", (2, 2), 1)) == (255, 255, 255)
    assert only(Image.new("L", (2, 2), 7)) == (7, 7, 7)
    assert only(Image.new("CMYK", (2, 2), (0, 255, 255, 0))) == (255, 0, 0)
    assert only(Image.new("HSV", (2, 2), (0, 255, 255))) == (255, 0, 0)
    assert only(Image.new("YCbCr", (2, 2), (128, 128, 128))) == (128, 128, 128)


def test_lab_is_read_as_lab():
    """L* = 100 is white, 0 is black; a* far above its middle is reddish, far below greenish."""
    assert only(Image.new("LAB", (2, 2), (255, 128, 128))) == approx((255, 255, 255), abs=1)
    assert only(Image.new("LAB", (2, 2), (0, 128, 128))) == approx((0, 0, 0), abs=1)
    red, green, _ = only(Image.new("LAB", (2, 2), (128, 190, 128)))
    assert red > green + 50
    red, green, _ = only(Image.new("LAB", (2, 2), (128, 66, 128)))
    assert green > red + 50


def profile(name: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def test_srgb_profiles_change_nothing_and_are_not_even_applied():
    image = Image.new("RGB", (2, 2), (200, 100, 50))
    image.info["icc_profile"] = profile("sRGB")
    assert to_rgb(image) is image


def test_a_profile_of_another_kind_of_colours_or_of_nonsense_is_passed_over():
    for damaged in (profile("LAB"), profile("sRGB")[:200], b"no profile", b"", "text"):
        image = Image.new("RGB", (2, 2), (200, 100, 50))
        image.info["icc_profile"] = damaged
        assert only(image) == (200, 100, 50)


def test_display_p3_is_brought_to_srgb(real_data):
    """The same photo was saved in both: unconverted they differ by some levels, converted by JPEG's noise."""
    odd = real_data / "odd_files" / "decodes"
    with Image.open(odd / "display_p3.jpg") as wide, Image.open(odd / "display_p3_srgb_twin.jpg") as twin:
        want = np.asarray(to_rgb(twin)).astype(int)
        raw = np.abs(np.asarray(wide).astype(int) - want).mean()
        converted = np.abs(np.asarray(to_rgb(wide)).astype(int) - want).mean()
    assert converted < raw / 3


@given(
    st.sampled_from(["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I;16", "F"]), st.integers(1, 40), st.integers(1, 40)
)
def test_band_by_band_gives_what_the_whole_gives(mode, width, height):
    values = np.random.default_rng(width * height).integers(0, 256, (height, width, 4), np.uint8)
    if mode == "I;16":
        image = Image.fromarray(values[..., 0].astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(values[..., 0].astype(np.float32))
    else:
        image = Image.fromarray(values).convert(mode)
    for factors in ((1, 1), (2, 3), (50, 1)):
        whole = to_rgb(image, factors)
        banded = to_rgb(image, factors, band_px=60)
        assert banded.size == (-(-width // factors[0]), -(-height // factors[1]))
        assert np.array_equal(np.asarray(banded), np.asarray(whole))


def test_shrinking_takes_means_of_what_is_seen_not_of_what_transparency_hides():
    """Clear black beside opaque white: both are white on white, so is their mean."""
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (255, 255, 255, 255))
    assert to_rgb(image, (2, 1)).tobytes() == bytes([255, 255, 255])


def test_a_png_of_sixteen_bits_survives_the_way_through_a_file():
    buffer = io.BytesIO()
    Image.fromarray(np.array([[0, 32896, 65535]], np.uint16)).save(buffer, "PNG")
    with Image.open(buffer) as image:
        assert to_rgb(image).convert("L").tobytes() == bytes([0, 128, 255])


def test_a_profile_above_4_mb_is_passed_over_and_none_is_kept_in_memory():
    """The same valid profile, padded beyond the bound, changes nothing; of 30 profiles of 1 MB less than 5 MB stay."""
    import tracemalloc

    red = Image.new("RGB", (4, 4), (200, 60, 60))
    red.info["icc_profile"] = bytes(5_000_000)
    assert to_rgb(red).getpixel((0, 0)) == (200, 60, 60)
    tracemalloc.start()
    for number in range(30):
        one = red.copy()
        one.info["icc_profile"] = bytes([number]) * 1_000_000
        to_rgb(one)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 5_000_000
