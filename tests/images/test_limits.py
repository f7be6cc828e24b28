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
        Limits(option="--pixels").check_pixels(12_001, 10_000)
    with pytest.raises(ImageError, match=r"over the limit of 100\. Make a smaller copy"):  # where no option raises it
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
            with flight.hold_pixels(size, most=150):
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
    with flight.hold_pixels(1000, most=10):
        assert flight.taken == 1000
    assert flight.taken == 0


def test_who_waits_goes_in_the_order_of_coming_so_the_large_one_is_not_starved():
    """While 6 of 10 are held, first a 9 comes and then a 1, for which there would be room: it waits behind the 9."""
    flight, order = MemoryBudget(), []

    def work(size: int) -> None:
        with flight.hold_pixels(size, most=10):
            order.append(size)

    threads = [threading.Thread(target=work, args=(size,)) for size in (9, 1)]
    with flight.hold_pixels(6, most=10):
        for waiting, thread in enumerate(threads, start=1):
            thread.start()
            while len(flight._pixels) < waiting:
                time.sleep(0.001)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [9, 1]


def test_room_is_given_back_when_decoding_fails():
    flight = MemoryBudget()
    with pytest.raises(ValueError, match="broken"), flight.hold_pixels(5, most=10):
        raise ValueError("broken")
    assert flight.taken == 0


def test_a_picture_that_takes_more_memory_than_the_limit_is_refused_with_what_lets_it_pass():
    """1.5 GB are over the 1 GB of 100 megapixels; 10 bytes for each of 150 megapixels are enough."""
    with pytest.raises(
        ImageError,
        match=r"decoding this WebP takes about 1\.50 GB of memory, over the limit of 1\. Raise it with --pixels 150,",
    ) as refused:
        Limits().check_memory(1_500_000_000, "WebP")
    assert refused.value.kind == "too large"
    Limits(pixels=150_000_000).check_memory(1_500_000_000, "WebP")
    with pytest.raises(ImageError, match=r"over the limit of 0\.5\. Make a smaller copy\."):
        Limits(memory=500_000_000).check_memory(600_000_000, "WebP")


def test_files_and_pixels_share_one_budget_and_never_wait_for_each_other():
    """Four threads hold a file of 40 of 100 each and then ask for 90 more: each decodes alone, and all end."""
    flight, most = MemoryBudget(), []

    def work() -> None:
        for _ in range(20):
            with flight.hold_file(40, most=100), flight.hold_pixels(90, most=100):
                most.append(flight.taken)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert max(most) <= 2 * 40 + 90
    assert flight.taken == 0


def test_several_pictures_never_take_more_than_is_free():
    """Three of 100 MB each may take 1 GB by the limit, and 250 MB are free: two at a time, and the third waits."""
    flight, seen = MemoryBudget(free=lambda: 250_000_000), []
    inside = threading.Barrier(2)

    def work() -> None:
        with flight.hold_pixels(100_000_000, most=1_000_000_000):
            seen.append(flight.taken)
            if len(seen) < 3:
                inside.wait(timeout=10)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 3
    assert max(seen) == 200_000_000


def test_a_picture_that_takes_more_than_is_free_is_refused_and_gives_its_room_back():
    flight = MemoryBudget(free=lambda: 100_000_000)
    with (
        pytest.raises(
            ImageError, match=r"decoding it takes about 0\.20 GB of memory, and 0\.10 are free\. Close"
        ) as refused,
        flight.hold_pixels(200_000_000, most=1_000_000_000),
    ):
        pass
    assert refused.value.kind == "no memory"
    with (
        pytest.raises(ImageError, match=r"^reading it takes about 0\.2"),
        flight.hold_file(200_000_000, most=10**9),
    ):
        pass
    assert (flight.taken, flight._decoding) == (0, 0)
    with flight.hold_pixels(90_000_000, most=1_000_000_000):
        assert flight.taken == 90_000_000


def test_before_it_is_refused_it_waits_for_those_behind_it_in_the_line():
    """300 MB are free once the one behind has gone: the large one lets it go first, then passes."""
    order: list[str] = []
    flight = MemoryBudget(free=lambda: 300_000_000 if "small" in order else 100_000_000)

    def work(name: str, size: int) -> None:
        with flight.hold_pixels(size, most=1_000_000_000):
            order.append(name)

    threads = [threading.Thread(target=work, args=one) for one in (("large", 200_000_000), ("small", 1000))]
    with flight.hold_pixels(50_000_000, most=1_000_000_000):
        for waiting, thread in enumerate(threads, start=1):
            thread.start()
            while len(flight._pixels) < waiting:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == ["small", "large"]


def test_where_nothing_tells_what_is_free_the_limit_alone_counts():
    flight = MemoryBudget(free=lambda: None)
    with flight.hold_pixels(10**12, most=10):
        assert flight.taken == 10**12
