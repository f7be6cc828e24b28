"""Pictures come from a bucket in their order, many on the way at once, within a budget, each refusal its own."""

import threading
from pathlib import Path

import pytest
from support.object_storage import Server
from support.pictures import draw

from lookalike.distributed import pictures
from lookalike.distributed.object_store import Location
from lookalike.distributed.pictures import BucketPictures, pictures_at
from lookalike.errors import ImageError
from lookalike.images.decode import open_bytes
from lookalike.images.limits import FLIGHT, Limits
from lookalike.images.picture_source import FolderPictures
from lookalike.images.scan import ImageFile

COUNT = 40


@pytest.fixture
def source(s3: Server, tmp_path: Path) -> BucketPictures:
    place = Location("s3", s3.bucket(), "photos")
    for i in range(COUNT):
        place.write(f"{i:02d}.png", draw(tmp_path / "photos" / f"{i:02d}.png", i).read_bytes())
    return BucketPictures(place, tmp_path / "kept")


def read_all(source: BucketPictures, files: list[ImageFile], limits: Limits) -> dict[str, object]:
    """What each file gives, read by two threads, as a backbone's pipeline does; how many bytes were held at most."""
    found: dict[str, object] = {}
    most = [0]
    waiting, taking = source.ahead(files, limits), threading.Lock()

    def work() -> None:
        while True:
            with taking:
                file = next(iter(waiting), None)
            if file is None:
                return
            try:
                with source.open(file, limits) as content:
                    most[0] = max(most[0], FLIGHT.taken)
                    found[file.file] = content
            except ImageError as error:
                found[file.file] = error.kind

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found | {"": most[0]}


def test_every_file_comes_with_its_own_bytes_within_the_budget(source: BucketPictures, tmp_path: Path):
    files = sorted(source.scan().files, key=lambda one: one.file)
    largest = max(one.bytes for one in files)
    found = read_all(source, files, Limits(in_flight=3 * largest))
    assert found.pop("") <= 3 * largest
    assert found == {one.file: (tmp_path / "photos" / one.file).read_bytes() for one in files}
    assert FLIGHT.taken == 0


def test_what_is_gone_too_large_or_no_picture_is_refused_alone(source: BucketPictures):
    source.location.write("note.txt", b"hello")
    source.location.write("large.txt", b"hello" * 300_000)
    files = sorted(source.scan().files, key=lambda one: one.file)
    source.location.remove("00.png")
    found = read_all(source, files, Limits(bytes=2_000_000))
    assert {name: kind for name, kind in found.items() if isinstance(kind, str)} == {
        "00.png": "gone", "note.txt": "not a picture", "large.txt": "not a picture",
    }  # fmt: skip
    found = read_all(source, files[1:3], Limits(bytes=10))
    assert set(found.values()) == {0, "too large"}


def test_who_stops_early_leaves_nothing_held(source: BucketPictures):
    ahead = source.ahead(source.scan().files)
    next(ahead)
    next(ahead)
    ahead.close()
    assert FLIGHT.taken == 0


def test_a_picture_opened_by_its_path_is_fetched_and_kept_with_its_date(source: BucketPictures, tmp_path: Path):
    place = tmp_path / "kept/07.png"
    with open_bytes(place) as content:
        assert content == (tmp_path / "photos/07.png").read_bytes()
    [file] = [one for one in source.scan().files if one.file == "07.png"]
    assert place.stat().st_mtime_ns == file.mtime_ns
    before = place.stat().st_ino
    with open_bytes(place):
        assert place.stat().st_ino == before, "it was not fetched again"
    source.location.remove("07.png")
    with pytest.raises(ImageError, match="no such file"), open_bytes(place):
        pass


def test_what_a_collection_names_is_a_folder_or_an_address(tmp_path: Path):
    assert isinstance(pictures_at(str(tmp_path), tmp_path), FolderPictures)
    assert pictures_at("s3://shop/photos", tmp_path).address == "s3://shop/photos"


def test_what_was_fetched_to_be_opened_stays_within_a_budget(source: BucketPictures, monkeypatch: pytest.MonkeyPatch):
    sizes = {one.file: one.bytes for one in source.scan().files}
    monkeypatch.setattr(pictures, "KEPT_BYTES", 8 * max(sizes.values()))
    for name in sizes:
        source.fetch(name)
        assert (source.folder / name).stat().st_size == sizes[name]  # what was asked for is there
        kept = [path for path in source.folder.rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in kept) <= pictures.KEPT_BYTES
    assert 1 < len(kept) < 12 and {path.name for path in kept} == set(list(sizes)[-len(kept) :])


def test_bytes_are_read_as_they_are_now_and_not_kept(source: BucketPictures, tmp_path: Path):
    content = (tmp_path / "photos" / "03.png").read_bytes()
    assert source.read("03.png") == content
    for name, limits, said in [("gone.png", Limits(), "no such file"), ("03.png", Limits(bytes=9), "over the limit")]:
        with pytest.raises(ImageError, match=said):
            source.read(name, limits)
    assert not source.folder.exists()
