"""Objects are listed, read and written as they are, and every way in which a store says no is one line of its own."""

import pickle

import pytest
from support.object_storage import KEY, SECRET, Server, closed_port, settings

from lookalike.distributed.object_store import Location
from lookalike.errors import StorageError


@pytest.fixture
def place(s3: Server) -> Location:
    return Location("s3", s3.bucket(), "photos")


@pytest.mark.parametrize("address", ["s3://", "s3:///a", "http://host/a", "photos", "s3://b/a//c", "s3://b/../c"])
def test_what_is_no_address_is_refused(address: str):
    with pytest.raises(StorageError, match="not an address of an object store"):
        Location.parse(address)


def test_an_address_with_a_secret_in_it_is_refused_without_repeating_it():
    for address in (f"s3://key:{SECRET}@bucket/photos", f"s3://bucket/photos?secret={SECRET}"):
        with pytest.raises(StorageError) as error:
            Location.parse(address)
        assert SECRET not in str(error.value)


def test_a_location_is_its_address_also_in_another_process():
    place = Location.parse("gs://shop/a/b/")
    assert pickle.loads(pickle.dumps(place)) == place
    assert (str(place), place.name, str(Location.parse("az://shop"))) == ("gs://shop/a/b", "b", "az://shop")


def test_what_is_written_is_read_listed_and_removed(place: Location):
    tag = place.write("a/1.jpg", b"one")
    place.write("a/2.jpg", b"two")
    place.write("3.jpg", b"three")
    place.write("folder/", b"")
    Location("s3", place.bucket).write("photos-of-others/4.jpg", b"four")
    content, what = place.read("a/1.jpg")
    assert (content, what.name, what.bytes, what.tag) == (b"one", "a/1.jpg", 3, tag)
    assert what.mtime_ns % 1_000_000_000 == 0
    assert [one.name for one in place.list_all()] == ["3.jpg", "a/1.jpg", "a/2.jpg"]
    assert [one.name for one in place.list_all("a")] == ["a/1.jpg", "a/2.jpg"]
    here, folders = place.list_here()
    assert ([one.name for one in here], folders) == (["3.jpg"], ["a"])
    assert place.look("a/1.jpg") == what
    assert place.read_start("3.jpg", 2) == b"th"
    place.remove("a/1.jpg")
    place.remove("a/1.jpg")
    assert place.look("a/1.jpg") is None
    with pytest.raises(FileNotFoundError):
        place.read("a/1.jpg")


def test_a_listing_of_more_than_one_answer_is_whole(place: Location, s3: Server):
    for i in range(1003):
        s3.client.put_object(Bucket=place.bucket, Key=f"photos/{i:04d}", Body=b"x")
    assert [one.name for one in place.list_all()] == [f"{i:04d}" for i in range(1003)]


def test_of_two_who_write_on_the_same_condition_one_does(place: Location):
    first = place.write("lock", b"a", new=True)
    assert first is not None
    assert place.write("lock", b"b", new=True) is None
    second = place.write("lock", b"c", tag=first)
    assert second not in (None, first)
    assert place.write("lock", b"d", tag=first) is None
    assert place.write("none", b"d", tag=first) is None
    assert place.read("lock")[0] == b"c"


def said(place: Location, what: str = "check") -> str:
    """The one line that a store's refusal is."""
    ask = {"check": place.check, "read": lambda: place.read("1.jpg"), "write": lambda: place.write("2.jpg", b"x")}
    with pytest.raises(StorageError) as error:
        ask[what]()
    line = str(error.value)
    assert "\n" not in line and SECRET not in line
    assert error.value.__cause__ is None
    return line


def test_no_such_bucket(s3: Server):
    line = f"there is no bucket s3://no-such-bucket at {s3.url}. Check its name, or make it."
    place = Location.parse("s3://no-such-bucket/photos")
    assert said(place) == f"s3://no-such-bucket/photos: {line}"
    assert said(place, "read") == f"s3://no-such-bucket/photos/1.jpg: {line}"
    assert said(place, "write") == f"s3://no-such-bucket/photos/2.jpg: {line}"


def test_a_server_that_is_down(place: Location, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://somebody:{SECRET}@127.0.0.1:{closed_port()}")
    assert "cannot be reached. Check the network and AWS_ENDPOINT_URL" in said(place)


def test_a_key_that_is_not_known_and_a_secret_that_is_wrong(
    place: Location, s3: Server, monkeypatch: pytest.MonkeyPatch
):
    known, secret = s3.user("s3:*")
    with s3.asking_for_keys():
        line = f"{place}: the store does not know this key, or its secret is another. Check the credentials."
        assert said(place) == line
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", known)
        assert said(place) == line
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        place.check()


def test_what_is_denied_is_named_with_the_permission_that_is_missing(
    place: Location, s3: Server, monkeypatch: pytest.MonkeyPatch
):
    place.write("1.jpg", b"x")
    key, secret = s3.user("s3:GetObject")
    for name, value in settings(s3.url, key, secret).items():
        monkeypatch.setenv(name, value)
    with s3.asking_for_keys():
        assert place.read("1.jpg")[0] == b"x"
        assert said(place) == f"{place}: to list is denied. Ask for the permission s3:ListBucket on it."
        assert said(place, "write") == f"{place}/2.jpg: to write is denied. Ask for the permission s3:PutObject on it."


def test_no_credentials_at_all(place: Location, monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{closed_port()}")
    assert said(place) == f"{place}: no credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."


def test_a_profile_is_used_where_one_is_named_and_one_that_is_not_there_is_no_credentials(
    place: Location, s3: Server, monkeypatch: pytest.MonkeyPatch, tmp_path
):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    profiles = tmp_path / "credentials"
    profiles.write_text(f"[shop]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    monkeypatch.setenv("AWS_PROFILE", "shop")
    assert place.write("1.jpg", b"x") is not None
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "no credentials. Set AWS_PROFILE" in said(place)


def test_a_name_that_reads_like_a_refusal_is_only_a_name(place: Location):
    with pytest.raises(FileNotFoundError):
        place.read("AccessDenied timed out NoSuchBucket.jpg")
