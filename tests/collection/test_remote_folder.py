"""A collection on a bucket is the same: its rows, its hits, its lenses; and no refusal of the store looks empty."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from support.drawn_network import write_bundle
from support.object_storage import SECRET, Server, closed_port, settings
from support.pictures import draw

from lookalike import Collection
from lookalike.collection.remote_folder import open_home
from lookalike.distributed.lease import Lease
from lookalike.distributed.object_store import Location
from lookalike.errors import CollectionError, DamagedTableError, LockedError, StorageError

PICTURES = 40
BROKEN = b"\xff\xd8\xff\xe0 no picture"


class Shop:
    """Pictures in a bucket and the same in a folder, and where their collections are kept."""

    def __init__(self, server: Server, folder: Path):
        self.server, self.bucket, self.folder = server, server.bucket(), folder / "photos"
        self.backbone = write_bundle(folder / "backbone")
        for i in range(PICTURES):
            self.put(f"{i % 4}/{i}.png", draw(self.folder / f"{i % 4}/{i}.png", i).read_bytes())
        (self.folder / "3/broken.jpg").write_bytes(BROKEN)
        self.put("3/broken.jpg", BROKEN)
        self.photos, self.at = f"s3://{self.bucket}/photos", f"s3://{self.bucket}/tables/photos"

    def put(self, name: str, content: bytes) -> None:
        self.server.client.put_object(Bucket=self.bucket, Key=f"photos/{name}", Body=content)

    def remove(self, name: str) -> None:
        self.server.client.delete_object(Bucket=self.bucket, Key=f"photos/{name}")

    def open(self) -> Collection:
        return Collection(self.photos, at=self.at, backbone=self.backbone)


@pytest.fixture
def shop(s3: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("lookalike.collection.remote_folder.FRESH_S", 0.0)  # what another machine wrote counts at once
    return Shop(s3, tmp_path)


@pytest.fixture
def indexed(shop: Shop) -> Shop:
    shop.open().index()
    return shop


@pytest.fixture
def another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """From now on this is another machine: nothing of the collection lies in its cache."""

    def move() -> None:
        monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "another cache"))

    return move


def test_a_bucket_is_indexed_as_the_same_pictures_in_a_folder_row_for_row(shop: Shop):
    remote, local = shop.open(), Collection(shop.folder, backbone=shop.backbone)
    done, same = remote.index(), local.index()
    assert (done.added, list(done.refused)) == (same.added, list(same.refused)) == (PICTURES, ["3/broken.jpg"])
    files, features = remote.table.features()
    expected, others = local.table.features()
    assert files == expected
    np.testing.assert_allclose(features.astype(float), others.astype(float), atol=1e-3)
    columns, others_of = remote.table.columns(), local.table.columns()
    for name in ("content", "bytes", "width", "height"):
        assert dict(zip(columns["file"], columns[name], strict=True)) == dict(
            zip(others_of["file"], others_of[name], strict=True)
        )
    for query in ("0/0.png", shop.folder / "1/1.png"):
        assert [(hit.file, round(hit.similarity, 3)) for hit in remote.search(query, k=7)] == [
            (hit.file, round(hit.similarity, 3)) for hit in local.search(query, k=7)
        ]


def test_a_second_run_reads_nothing_and_what_changed_is_found(indexed: Shop):
    photos = indexed.open()
    again = photos.index()
    assert (again.added, again.changed, again.gone, again.unchanged, again.still_refused) == (0, 0, 0, PICTURES, 1)
    version = photos.table.snapshot().version
    indexed.put("new/1.png", (indexed.folder / "0/0.png").read_bytes())
    indexed.put("1/1.png", draw(indexed.folder / "x.png", 999, (80, 60)).read_bytes())
    indexed.remove("2/2.png")
    done = photos.index()
    assert (done.added, done.changed, done.gone, done.unchanged) == (1, 1, 1, PICTURES - 2)
    assert photos.table.snapshot().version > version
    assert "new/1.png" in photos and "2/2.png" not in photos


def test_another_machine_finds_all_of_it_by_the_address_of_the_collection_alone(indexed: Shop, another_machine):
    photos = indexed.open()
    photos.learn(indexed.folder, name="side", quick=True)
    photos.use("side", anyway=True)
    photos.judge("0/0.png", ["0/4.png"], ["1/1.png"])
    hits = list(photos.search("1/1.png", k=3))
    another_machine()
    there = Collection(indexed.at, backbone=indexed.backbone)
    assert there.home.name == indexed.photos
    assert len(there) == PICTURES
    assert [(one["name"], one["serves"]) for one in there.lenses()] == [("side", True)]
    assert [hit.file for hit in there.search("1/1.png", k=3)] == [hit.file for hit in hits]
    assert len(there.judgements.standing()) == 1
    assert there.status()["collection"] == indexed.at
    there.judge("0/8.png", ["0/4.png"])
    there.forget("side")
    assert [one["name"] for one in photos.lenses()] == []
    assert not [name for name in indexed.server.names(indexed.bucket) if "lenses" in name]
    photos.judge("0/0.png", ["0/12.png"])
    assert len(photos.judgements.standing()) == 3


def test_hits_are_fetched_when_they_are_opened_and_again_when_they_changed(indexed: Shop, tmp_path: Path):
    photos = indexed.open()
    hit = photos.search("0/0.png", k=1)[0]
    assert Path(hit).read_bytes() == (indexed.folder / "0/0.png").read_bytes()
    copies = photos.copy_hits(photos.search("0/0.png", k=3), tmp_path / "copies")
    assert [copy.read_bytes() for copy in copies[:1]] == [(indexed.folder / "0/0.png").read_bytes()]
    assert photos.draw(photos.search("0/0.png", k=3), tmp_path / "grid.png").stat().st_size > 1000
    assert photos.map(tmp_path / "map.png").stat().st_size > 1000
    indexed.put("0/0.png", b"now something else, and longer")
    assert Path(hit).read_bytes() == b"now something else, and longer"
    indexed.remove("0/0.png")
    with pytest.raises(FileNotFoundError):
        os.fspath(hit)


def test_what_lies_at_the_address_is_a_collection_in_a_folder_and_the_other_way_round(
    indexed: Shop, tmp_path: Path, another_machine
):
    photos = indexed.open()
    photos.learn(indexed.folder, name="side", quick=True)
    hits = [(hit.file, hit.similarity) for hit in photos.search("1/1.png", k=5, lens="side")]
    here = tmp_path / "here"
    client = indexed.server.client
    for name in indexed.server.names(indexed.bucket):
        if name.startswith("tables/photos/"):
            place = here / name.removeprefix("tables/photos/")
            place.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(indexed.bucket, name, str(place))
    another_machine()
    local = Collection(here, backbone=indexed.backbone)
    assert local.home.name == indexed.photos
    assert [(hit.file, hit.similarity) for hit in local.search("1/1.png", k=5, lens="side")] == hits
    indexed.put("new.png", (indexed.folder / "0/0.png").read_bytes())
    assert local.index().added == 1
    for path in here.rglob("*"):
        if path.is_file() and "cache" not in path.parts:
            client.upload_file(str(path), indexed.bucket, f"back/{path.relative_to(here).as_posix()}")
    back = Collection(f"s3://{indexed.bucket}/back", backbone=indexed.backbone)
    assert [(hit.file, hit.similarity) for hit in back.search("1/1.png", k=5, lens="side")] == hits
    assert (back.index().unchanged, len(back)) == (PICTURES + 1, PICTURES + 1)


def test_pictures_of_a_folder_may_have_their_collection_in_a_bucket(shop: Shop):
    photos = Collection(shop.folder, at=shop.at, backbone=shop.backbone)
    assert photos.index().added == PICTURES
    assert Collection(shop.at, backbone=shop.backbone).search("0/0.png", k=1)[0].path == shop.folder / "0/0.png"
    with pytest.raises(CollectionError, match=r"the collection of .*photos, not of s3://"):
        Collection(shop.photos, at=shop.at, backbone=shop.backbone)


def test_pictures_of_a_bucket_may_have_their_collection_in_a_folder(shop: Shop, tmp_path: Path):
    photos = Collection(shop.photos, at=tmp_path / "kept", backbone=shop.backbone)
    assert photos.index().added == PICTURES
    assert Collection(tmp_path / "kept", backbone=shop.backbone).index().unchanged == PICTURES
    assert not [name for name in shop.server.names(shop.bucket) if not name.startswith("photos/")]


def test_pictures_alone_say_where_their_collection_is_to_be_kept(shop: Shop):
    with pytest.raises(CollectionError, match=f"^{shop.photos}: no collection there.*--at s3://BUCKET/PREFIX"):
        Collection(shop.photos)
    with pytest.raises(CollectionError, match="the place of the pictures itself"):
        Collection(shop.photos, at=shop.photos)
    with pytest.raises(CollectionError, match="not empty, and no collection"):
        Collection(shop.folder, at=shop.photos)
    with pytest.raises(CollectionError, match="not indexed yet"):
        shop.open().search("0/0.png")


def test_a_second_writer_is_refused_by_name_and_readers_are_not(indexed: Shop, another_machine):
    holder = Lease(Location.parse(indexed.at), {"program": "other", "host": "a", "process": 12, "work": "index",
                                                "since": "2026-11-27T12:00:00Z"}, term_s=1.5)  # fmt: skip
    holder.acquire()
    with pytest.raises(LockedError, match=r"other on a, process 12 \(index, since 2026-11-27 12:00 UTC\) is writing"):
        indexed.open().index()
    assert len(indexed.open().search("0/0.png", k=3)) == 3
    holder.release()
    assert indexed.open().index().unchanged == PICTURES


def test_a_writer_that_lost_its_lock_commits_nothing_more(indexed: Shop):
    photos = indexed.open()
    with pytest.raises(LockedError, match="another may write there now"), photos.home.write_lock("test"):
        photos.home._lease._written_s -= 3600
        photos.table.remove(["0/0.png"])
    assert len(photos) == PICTURES


def test_a_listing_that_shrank_by_more_than_half_removes_nothing_without_prune(indexed: Shop):
    photos = indexed.open()
    for i in range(PICTURES // 2 + 5):
        indexed.remove(f"{i % 4}/{i}.png")
    done = photos.index()
    assert (done.gone, done.kept_missing, len(photos)) == (0, PICTURES // 2 + 5, PICTURES)
    assert photos.index(prune=True).gone == PICTURES // 2 + 5
    assert len(photos) == PICTURES - (PICTURES // 2 + 5)


def refusals(place: str, at: str, line: str) -> None:
    """Opening a collection there is refused in this one line, which holds no secret."""
    with pytest.raises(StorageError) as error:
        Collection(place, at=at)
    assert line in str(error.value) and "\n" not in str(error.value) and SECRET not in str(error.value)


def test_every_refusal_is_one_line_and_makes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    before = shop.server.names(shop.bucket)
    refusals(shop.photos, "s3://no-such-bucket/tables", "there is no bucket s3://no-such-bucket")
    key, secret = shop.server.user("s3:GetObject")
    with monkeypatch.context() as other, shop.server.asking_for_keys():
        refusals(shop.photos, shop.at, "the store does not know this key")
        for name, value in settings(shop.server.url, key, secret).items():
            other.setenv(name, value)
        refusals(shop.photos, shop.at, f"{shop.at}: to list is denied. Ask for the permission s3:ListBucket on it.")
    with monkeypatch.context() as other:
        other.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port()}")
        refusals(shop.photos, shop.at, "cannot be reached")
    assert shop.server.names(shop.bucket) == before
    assert not list((tmp_path / "cache").rglob("collection.json"))


def test_who_may_only_read_may_search_and_is_told_what_writing_needs(
    indexed: Shop, monkeypatch: pytest.MonkeyPatch, another_machine
):
    key, secret = indexed.server.user("s3:ListBucket", "s3:GetObject")
    for name, value in settings(indexed.server.url, key, secret).items():
        monkeypatch.setenv(name, value)
    another_machine()
    with indexed.server.asking_for_keys():
        photos = indexed.open()
        assert photos.search("0/0.png", k=1)[0].file == "0/0.png"
        with pytest.raises(StorageError, match=f"^{indexed.at}/lease: to write is denied.*s3:PutObject on it"):
            photos.index()


def test_pictures_that_cannot_be_listed_are_not_gone(indexed: Shop):
    photos = indexed.open()
    photos.home.pictures.location = Location("s3", "no-such-bucket", "photos")
    with pytest.raises(StorageError, match="there is no bucket"):
        photos.index(prune=True)
    assert len(photos) == PICTURES


def test_a_damaged_table_is_damaged_and_not_empty(indexed: Shop, another_machine):
    [manifest] = [
        name for name in indexed.server.names(indexed.bucket) if "_versions" in name and "refused" not in name
    ][:1]
    indexed.server.client.put_object(Bucket=indexed.bucket, Key=manifest, Body=b"")
    another_machine()
    photos = indexed.open()
    for ask in (lambda: photos.search("0/0.png"), lambda: len(photos), photos.index):
        with pytest.raises(DamagedTableError, match=f"^{indexed.at}/tables/.*: damaged .*Restore it from the versions"):
            ask()


def test_two_who_judge_at_once_lose_no_answer(indexed: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    homes = []
    for machine in range(4):
        monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / f"machine {machine}"))
        homes.append(indexed.open())
        len(homes[-1].judgements.standing())

    def say(photos: Collection, machine: int) -> None:
        for i in range(3):
            photos.judge("0/0.png", [f"{machine}/{machine + 4 * (i + 1)}.png"])

    threads = [threading.Thread(target=say, args=(one, machine)) for machine, one in enumerate(homes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    content, _ = Location.parse(indexed.at).read("judgements.jsonl")
    assert content.count(b"\n") == 12
    assert len(set(content.splitlines())) == 12


def test_a_local_search_loads_nothing_of_object_storage(photos: Path, tmp_path: Path):
    backbone = write_bundle(tmp_path / "backbone")
    Collection(photos, backbone=backbone).index()
    check = (
        f"import sys; from lookalike import Collection; Collection({str(photos)!r}).search('1.png');"
        "print(sorted({'obstore', 'boto3', 'botocore', 'moto', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_no_address_is_a_folder(tmp_path: Path):
    assert open_home(tmp_path / "photos").place == str(tmp_path / "photos/.lookalike")
