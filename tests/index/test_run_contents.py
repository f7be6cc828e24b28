"""Contents that one run meets: the first file of each is decoded, the others take what came of it."""

from concurrent.futures import ThreadPoolExecutor

from lookalike.errors import ImageError
from lookalike.images.scan import ImageFile
from lookalike.index.run_contents import ContentsOfRun


def file(name: str) -> ImageFile:
    return ImageFile(name, None, 1, 1)  # type: ignore[arg-type]


def test_of_many_threads_one_is_first():
    contents = ContentsOfRun()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(contents.is_first, [b"same"] * 200)) == 1


def test_files_wait_for_the_first_and_take_its_name_or_its_error():
    contents = ContentsOfRun()
    assert contents.is_first(b"x")
    assert contents.outcome(b"x", file("2")) is None
    assert contents.outcome(b"x", file("3")) is None
    assert [one.file for one in contents.settle(b"x", "1")] == ["2", "3"]
    assert contents.outcome(b"x", file("4")) == "1"
    contents.is_first(b"y")
    error = ImageError("cut off")
    assert contents.settle(b"y", error) == []
    assert contents.outcome(b"y", file("5")) is error
