"""The page's routes on a collection that lies on a bucket: what they answer is what they answer for a folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.client import Client
from support.drawn_network import write_bundle
from support.object_storage import SECRET, closed_port
from support.object_storage import Server as Store
from support.pictures import draw

from lookalike import Collection
from lookalike.cli.main import main
from lookalike.server import store_check
from lookalike.server.run import Listening, Server
from lookalike.server.workspace import OpenCollection, Workspace

PICTURES = 24


class Shop:
    """The same pictures in a bucket and in a folder, both indexed, and a server of both: the bucket's is the first."""

    def __init__(self, store: Store, folder: Path):
        self.store, self.bucket, self.folder, self.cache = store, store.bucket(), folder / "photos", folder / "cache"
        for i in range(PICTURES):
            path = draw(self.folder / f"{i % 3}/{i:02d}.png", i, (500, 300))
            self.put(f"{i % 3}/{i:02d}.png", path.read_bytes())
        self.photos, self.at = f"s3://{self.bucket}/photos", f"s3://{self.bucket}/tables/photos"
        backbone = write_bundle(folder / "backbone")
        Collection(self.photos, at=self.at, backbone=backbone).index()
        Collection(self.folder, backbone=backbone).index()
        self.workspace = Workspace()
        self.opened = self.workspace.add(self.at)
        self.local = f"/api/c/{self.workspace.add(self.folder).id}"

    def put(self, name: str, content: bytes) -> None:
        self.store.client.put_object(Bucket=self.bucket, Key=f"photos/{name}", Body=content)

    def files(self) -> list[str]:
        """The pictures that were fetched and are kept whole on this machine."""
        return [str(path) for path in self.cache.rglob("pictures/**/*") if path.is_file()]


@pytest.fixture
def shop(s3: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    return Shop(s3, tmp_path)


@pytest.fixture
def api(shop: Shop) -> Iterator[Client]:
    with Server(shop.workspace, Listening(port=0)).running() as running, Client(running) as client:
        yield client


def test_pictures_thumbnails_and_searches_are_those_of_the_same_pictures_in_a_folder(shop: Shop, api: Client):
    session = api.json("/api/session")["collections"]
    assert [(one["name"], one["pictures"], one["online"]) for one in session] == [("photos", PICTURES, True)] * 2
    status = api.json(f"{api.c}/status")
    assert (status["folder"], status["pictures"], status["indexed"]) == (shop.photos, PICTURES, True)
    pages = [api.json(f"{c}/pictures?offset=5&limit=7") for c in (api.c, shop.local)]
    assert pages[0]["total"] == PICTURES
    assert [(one["id"], one["file"]) for one in pages[0]["pictures"]] == [
        (one["id"], one["file"]) for one in pages[1]["pictures"]
    ]
    for one in pages[0]["pictures"]:
        for what in (f"thumbs/{one['id']}?side=160", f"images/{one['id']}?side=200", f"originals/{one['id']}"):
            here, there = (api.get(f"{c}/{what}") for c in (shop.local, api.c))
            assert (there.status_code, there.headers["content-type"]) == (200, here.headers["content-type"])
            assert there.content == here.content
    first = pages[0]["pictures"][0]
    about = api.json(f"{api.c}/pictures/{first['id']}")
    assert (about["bytes"], about["files"]) == ((shop.folder / first["file"]).stat().st_size, [first["file"]])
    asked = [{"positive": [{"id": first["id"]}], "k": 6}]
    asked += [{"positive": [{"id": first["id"], "region": [0.1, 0.1, 0.5, 0.5]}], "k": 6}]
    for body in asked:
        found, expected = ([(hit["id"], round(hit["similarity"], 3)) for hit in api.json(f"{c}/search", body)["hits"]]
                           for c in (api.c, shop.local))  # fmt: skip
        assert found == expected and len(found) == 6
    assert shop.files() == []  # bytes were read and not kept


def test_a_thumbnail_comes_from_the_cache_once_it_was_made_and_nothing_else_of_the_picture_is_kept(
    shop: Shop, api: Client
):
    one = api.json(f"{api.c}/pictures?limit=1")["pictures"][0]
    made = api.get(f"{api.c}/thumbs/{one['id']}?side=160").content
    shop.store.client.delete_object(Bucket=shop.bucket, Key=f"photos/{one['file']}")
    assert api.get(f"{api.c}/thumbs/{one['id']}?side=160").content == made
    gone = api.json(f"{api.c}/originals/{one['id']}", status=404)["error"]
    assert gone == {"code": "picture.gone", "message": "no such file. Check its name, or whether it was moved.",
                    "details": {}}  # fmt: skip
    shop.put(one["file"], draw(shop.folder.parent / "x.png", 999).read_bytes())
    changed = api.json(f"{api.c}/thumbs/{one['id']}?side=640", status=404)["error"]
    assert changed["message"] == "changed since it was indexed. Index again."
    assert shop.files() == []


def test_answers_lenses_and_jobs_are_kept_on_the_bucket(shop: Shop, api: Client):
    ids = {one["file"]: one["id"] for one in api.json(f"{api.c}/pictures?limit=500")["pictures"]}
    for file, id in ids.items():
        group = [other for name, other in ids.items() if name[0] == file[0] and other != id][:2]
        api.json(f"{api.c}/judgements", {"query": id, "yes": group}, status=201)
    there = shop.store.client.get_object(Bucket=shop.bucket, Key="tables/photos/judgements.jsonl")["Body"].read()
    assert there.count(b"\n") == 2 * PICTURES
    assert len(api.json(f"{api.c}/examples?source=judgements")["lines"]) > 1
    assert shop.files() == []  # features and contents came from the table
    end = api.run(do="learn", name="sides", source="judgements", quick=True)
    assert (end["state"], end["result"]["name"]) == ("done", "sides"), end
    assert "tables/photos/lenses/sides/lens.json" in shop.store.names(shop.bucket)
    assert [one["name"] for one in api.json(f"{api.c}/lenses")] == ["sides"]
    refused = api.run(do="learn", name="classes", source="folders", quick=True)["error"]
    assert refused["code"] == "examples"
    assert refused["message"].startswith(f"{shop.photos}: folders of a bucket are not read as classes. Learn from")
    shop.put("new.png", draw(shop.folder.parent / "new.png", 77).read_bytes())
    assert api.run(do="index")["result"]["added"] == 1
    assert api.json(f"{api.c}/pictures")["total"] == PICTURES + 1


def test_a_bucket_that_is_away_or_gone_is_one_line_and_no_fault_of_the_server(
    shop: Shop, api: Client, monkeypatch: pytest.MonkeyPatch
):
    one = api.json(f"{api.c}/pictures?limit=1")["pictures"][0]
    monkeypatch.setattr(store_check, "FRESH_S", 0.0)
    asks = [f"pictures?offset={PICTURES - 1}", f"thumbs/{one['id']}?side=640", f"pictures/{one['id']}", "judgements"]

    def refused(code: str) -> None:
        for ask in asks:
            error = api.json(f"{api.c}/{ask}", status=503)["error"]
            assert error["code"] == code and "\n" not in error["message"] and SECRET not in str(error), error
        assert api.json(f"{api.c}/search", {"positive": [{"id": one["id"]}]}, status=503)["error"]["code"] == code
        status = api.json(f"{api.c}/status")
        assert (status["online"], status["folder"], status["indexed"]) == (False, shop.photos, False)
        assert api.json(f"{api.c}/jobs") == []
        session = api.json("/api/session")["collections"]
        assert [(two["pictures"], two["online"]) for two in session] == [(0, False), (PICTURES, True)]

    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port()}")
        refused("storage.unreachable")
    assert api.json(f"{api.c}/pictures")["total"] == PICTURES
    for name in shop.store.names(shop.bucket):
        shop.store.client.delete_object(Bucket=shop.bucket, Key=name)
    shop.store.client.delete_bucket(Bucket=shop.bucket)
    refused("storage.no_bucket")


def test_a_collection_of_this_machine_is_searched_while_the_bucket_of_its_pictures_is_away(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    Collection(shop.photos, at=tmp_path / "kept", backbone=tmp_path / "backbone").index()
    workspace = Workspace()
    workspace.add(shop.photos, tmp_path / "kept")
    with Server(workspace, Listening(port=0)).running() as running, Client(running) as api:
        one, two = api.json(f"{api.c}/pictures?limit=2")["pictures"]
        made = api.get(f"{api.c}/thumbs/{one['id']}?side=160").content
        monkeypatch.setattr(store_check, "FRESH_S", 0.0)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port()}")
        assert api.json(f"{api.c}/status")["online"] is False
        assert len(api.json(f"{api.c}/search", {"positive": [{"id": one["id"]}], "k": 5})["hits"]) == 5
        assert api.get(f"{api.c}/thumbs/{one['id']}?side=160").content == made
        error = api.json(f"{api.c}/thumbs/{two['id']}?side=160", status=503)["error"]
        assert error["code"] == "storage.unreachable"


def test_what_cannot_be_opened_is_said_before_the_server_starts(s3: Store, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    for place, said in [
        ("s3://no-such-bucket/photos", "there is no bucket s3://no-such-bucket"),
        (f"s3://{s3.bucket()}/photos", "no collection there"),
        ("s3://", "not an address"),
    ]:
        result = CliRunner().invoke(main, ["serve", "--no-open", place])
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert said in result.output and SECRET not in result.output


def test_addresses_are_remembered_as_they_are(shop: Shop, tmp_path: Path):
    kept = tmp_path / "recent.json"
    opened = Workspace(kept).add(shop.at + "/")
    assert Workspace(kept).recent() == {opened.id: (shop.at, None)}
    assert opened.id == shop.opened.id == OpenCollection(shop.at).id
