"""A store that is away is said in seconds, by one request for many questions; a folder is never asked."""

import time
from pathlib import Path

import pytest
from support.drawn_network import write_bundle
from support.object_storage import SECRET, Server, closed_port
from support.pictures import draw

from lookalike import Collection
from lookalike.collection.folder import CollectionFolder
from lookalike.errors import StorageError
from lookalike.server import store_check
from lookalike.server.store_check import StoreCheck


def test_a_folder_needs_no_store(tmp_path: Path):
    home = CollectionFolder(tmp_path)
    for check in (StoreCheck.of_table(home), StoreCheck.of_pictures(home)):
        check.require()
        assert not check.is_needed


@pytest.mark.parametrize("at", ["s3", "folder"])
def test_a_store_that_is_away_is_said_and_one_that_is_back_is_found(
    s3: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    bucket = s3.bucket()
    s3.client.put_object(Bucket=bucket, Key="photos/1.png", Body=draw(tmp_path / "1.png", 1).read_bytes())
    place = f"s3://{bucket}/table" if at == "s3" else tmp_path / "kept"
    photos = Collection(f"s3://{bucket}/photos", at=place, backbone=write_bundle(tmp_path / "backbone"))
    photos.index()
    check, table = StoreCheck.of_pictures(photos.home), StoreCheck.of_table(photos.home)
    assert (check.is_needed, table.is_needed) == (True, at == "s3")
    check.require()
    now = [time.monotonic()]
    monkeypatch.setattr(store_check.time, "monotonic", lambda: now[0])
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port()}")
        check.require()  # it answered a moment ago
        now[0] += store_check.FRESH_S
        with pytest.raises(StorageError, match="cannot be reached") as refused:
            check.require()
    assert (refused.value.code, SECRET in str(refused.value)) == ("storage.unreachable", False)
    with pytest.raises(StorageError, match="cannot be reached"):
        check.require()  # not asked again at once
    now[0] += store_check.FRESH_S
    check.require()
