"""What pictures may cost, and who waits for whom."""

import threading
import time

import pytest

from lookalike.errors import ImageError
from lookalike.images.limits import Limits, MemoryBudget


def test_a_picture_of_exactly_the_limit_passes_and_one_pixel_more_does_not():
    limits = Limits(pixels=1000)
    limits.check_pixels(50, 20)
    with pytest.raises(
        ImageError, match=r"7 x 143 pixels are 0\.001001 megapixels, over the limit of 0\.001\."
    ) as refused:
        limits.check_pixels(7, 143)
    assert refused.value.kind == "too large"


def test_the_refusal_of_a_large_picture_names_the_option_that_lets_it_pass():
    """12,001 x 10,000 is 120.01 megapixels, so --pixels 121."""
    with pytest.raises(ImageError, match="Raise it with --pixels 121, or make a smaller copy"):
        Limits().check_pixels(12_001, 10_000)
    Limits(pixels=121_000_000).check_pixels(12_001, 10_000)


def test_a_size_that_nothing_has_is_not_invited_to_try_again():
    with pytest.raises(ImageError, match=r"6,000,000 megapixels, over the limit of 100\. No picture is that large"):
        Limits().check_pixels(3_000_000, 2_000_000)


def test_a_picture_without_width_or_height_is_broken():
    with pytest.raises(ImageError, match="declares a size of 0 x 5 pixels") as refused:
        Limits().check_pixels(0, 5)
    assert refused.value.kind == "broken"


def test_bytes_over_the_limit_are_refused():
    Limits(bytes=2_000_000).check_bytes(2_000_000)
    with pytest.raises(ImageError, match=r"3 MB, over the limit of 2\. Make a smaller copy\."):
        Limits(bytes=2_000_000).check_bytes(3_000_000)


def test_what_is_held_never_exceeds_the_most_however_many_threads_ask():
    """8 threads, 25 times 30 to 100 of at most 150: the sum that they see while holding stays within it."""
    flight, seen = MemoryBudget(), []

    def work(size: int) -> None:
        for _ in range(25):
            with flight.hold(size, most=150):
                seen.append(flight.taken)

    threads = [threading.Thread(target=work, args=(30 + 10 * i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 200
    assert max(seen) <= 150
    assert flight.taken == 0


def test_one_that_is_larger_than_everything_passes_alone():
    flight = MemoryBudget()
    with flight.hold(1000, most=10):
        assert flight.taken == 1000
    assert flight.taken == 0


def test_who_waits_goes_in_the_order_of_coming_so_the_large_one_is_not_starved():
    """While 6 of 10 are held, first a 9 comes and then a 1, for which there would be room: it waits behind the 9."""
    flight, order = MemoryBudget(), []

    def work(size: int) -> None:
        with flight.hold(size, most=10):
            order.append(size)

    threads = [threading.Thread(target=work, args=(size,)) for size in (9, 1)]
    with flight.hold(6, most=10):
        for waiting, thread in enumerate(threads, start=1):
            thread.start()
            while len(flight._line) < waiting:
                time.sleep(0.001)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [9, 1]


def test_room_is_given_back_when_decoding_fails():
    flight = MemoryBudget()
    with pytest.raises(ValueError, match="broken"), flight.hold(5, most=10):
        raise ValueError("broken")
    assert flight.taken == 0
