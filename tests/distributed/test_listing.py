"""What is listed in a bucket is sifted as a folder's files are: the same rules leave the same files out."""

from pathlib import Path

import pytest
from support.object_storage import Server
from support.pictures import draw

from lookalike.distributed.listing import as_scan
from lookalike.distributed.object_store import Location
from lookalike.errors import CollectionError, StorageError
from lookalike.images.leave_out import NOTHING_ELSE, LeaveOut
from lookalike.images.scan import scan_folder

NAMES = ["1.jpg", "a/2.jpg", "a/old/3.jpg", "a/old/deep/4.jpg", "b/5.psd", "b/.hidden/6.jpg", "@eaDir/7.jpg",
         "b/Thumbs.db", "other/collection.json", "other/tables/t.lance/_versions/8.manifest", "other/1.jpg", "#1.jpg",
         "(a)/1.jpg", "a/(old).psd", "c/collection.json", "9"]  # fmt: skip


@pytest.fixture
def place(s3: Server) -> Location:
    return Location("s3", s3.bucket(), "photos")


def put(place: Location, folder: Path, name: str, content: bytes = b"x") -> None:
    place.write(name, content)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def test_a_bucket_and_a_folder_of_the_same_files_give_the_same_names(place: Location, tmp_path: Path):
    for name in NAMES:
        put(place, tmp_path, name)
    put(place, tmp_path, ".lookalikeignore", b"*.psd\nold/\n")
    put(place, tmp_path, "a/.lookalikeignore", b"!old/\nold/deep/\n")
    for patterns in ((), ("9", "c/")):
        leave_out = LeaveOut(patterns, None)
        found, same = as_scan(place, leave_out), scan_folder(tmp_path, leave_out)
        assert sorted(one.file for one in found.files) == sorted(one.file for one in same.files)
        assert found.excluded == same.excluded
        assert found.collections == same.collections == {"other"}
        assert found.skipped == same.skipped
    assert [one.bytes for one in found.files] == [1] * len(found.files)
    assert all(one.mtime_ns % 1_000_000_000 == 0 for one in found.files)


def test_a_sieve_is_asked_of_every_file_and_keeps_what_it_likes(place: Location):
    for name in ("1.jpg", "2.jpg", "#3.jpg"):
        place.write(name, b"x")
    asked = []

    def sieve(names, sizes, dates):
        asked.extend(names)
        assert sizes == [1] * len(names) and len(dates) == len(names)
        return [place for place, name in enumerate(names) if name != "1.jpg"]

    assert sorted(one.file for one in as_scan(place, NOTHING_ELSE, sieve=sieve).files) == ["#3.jpg", "2.jpg"]
    assert sorted(asked) == ["#3.jpg", "1.jpg", "2.jpg"]


def test_the_own_collection_below_the_pictures_is_left_out_from_the_first_run_on(place: Location):
    place.write("1.jpg", b"x")
    place.write("kept/lease", b"x")
    found = as_scan(place, NOTHING_ELSE, place.child("kept"))
    assert ([one.file for one in found.files], found.skipped) == (["1.jpg"], {})


def test_a_name_that_no_file_can_have_is_named(place: Location, s3: Server):
    s3.client.put_object(Bucket=place.bucket, Key="photos/a//1.jpg", Body=b"x")
    with pytest.raises(StorageError, match=r"an object has the name 'photos/a//1\.jpg', which no file can have"):
        as_scan(place, NOTHING_ELSE)


def test_a_listing_that_cannot_be_made_is_an_error_and_not_nothing(s3: Server):
    with pytest.raises(StorageError, match="there is no bucket"):
        as_scan(Location("s3", "no-such-bucket", "photos"), NOTHING_ELSE)


def test_an_ignore_file_that_is_no_text_stops_the_run(place: Location, tmp_path: Path):
    place.write("1.png", draw(tmp_path / "1.png", 1).read_bytes())
    place.write(".lookalikeignore", b"\xff\xfe\xfa")
    with pytest.raises(CollectionError, match=r"\.lookalikeignore: cannot be read \(not UTF-8\)"):
        as_scan(place, NOTHING_ELSE)
