"""Pictures over HTTP: pages, thumbnails, large ones, originals; addresses name hashes and nothing else."""

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image
from support.client import Client
from support.pictures import draw
from support.raw_http import raw

from lookalike import Collection
from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace


def test_pages_have_the_pictures_in_their_order(api: Client):
    whole = api.json(f"{api.c}/pictures")
    files = [one["file"] for one in whole["pictures"]]
    assert files == [f"{number:02d}.png" for number in range(11)] + ["more/copy.png"]
    assert (whole["total"], whole["offset"]) == (12, 0)
    page = api.json(f"{api.c}/pictures?offset=10&limit=5")
    assert [one["file"] for one in page["pictures"]] == files[10:]
    some = api.json(f"{api.c}/pictures", None)
    assert some == whole
    newest = api.json(f"{api.c}/pictures?order=mtime&limit=1")["pictures"][0]
    assert newest["file"] == "more/copy.png"
    assert api.json(f"{api.c}/pictures?where=file LIKE 'more/%25'")["total"] == 1
    for wrong in ("limit=501", "offset=-1", "order=size", "offset=x"):
        api.json(f"{api.c}/pictures?{wrong}", status=400)


def test_only_a_condition_is_given_up_when_its_time_is_over(api: Client, monkeypatch: pytest.MonkeyPatch):
    """A page without one takes what it takes: a large table on a busy machine is no fault of who asks."""
    monkeypatch.setattr("lookalike.server.timed.LIMIT_S", 0.0)
    for order in ("file", "mtime", "random"):
        assert api.json(f"{api.c}/pictures?order={order}")["total"] == 12
    assert api.json(f"{api.c}/pictures?where=width > 1", status=422)["error"]["code"] == "query.slow"


def test_a_picture_has_all_its_files(api: Client):
    found = api.json(f"{api.c}/pictures/{api.id_of('03.png')}")
    assert (found["files"], found["width"], found["height"]) == (["03.png", "more/copy.png"], 96, 64)
    assert found["bytes"] > 100
    assert found["mtime"].startswith("2001-09-09")


def test_pictures_are_jpegs_within_their_size_that_may_be_kept(api: Client):
    id = api.id_of("05.png")
    for path, side in ((f"thumbs/{id}?side=160", 96), (f"thumbs/{id}", 96), (f"images/{id}?side=64", 64)):
        answer = api.get(f"{api.c}/{path}")
        assert answer.headers["content-type"] == "image/jpeg"
        assert "immutable" in answer.headers["cache-control"]
        image = Image.open(io.BytesIO(answer.content))
        assert (image.format, max(image.size)) == ("JPEG", side)
    for wrong in (f"thumbs/{id}?side=5000", f"images/{id}?side=99999"):
        assert api.get(f"{api.c}/{wrong}").status_code == 400


def test_the_original_is_a_file_to_save(api: Client, drawn_photos: Path):
    answer = api.get(f"{api.c}/originals/{api.id_of('03.png')}")
    assert answer.content == (drawn_photos / "03.png").read_bytes()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''03.png"


IDS = ("..", "../../00.png", "%2e%2e%2f00.png", "00.png", "0" * 31 + "%00", "f" * 5000, "A" * 32, "/etc/passwd")


@pytest.mark.parametrize("kind", ["thumbs", "images", "originals", "pictures"])
@pytest.mark.parametrize("id", ["0" * 32, *IDS])
def test_an_id_is_a_hash_that_is_in_the_table(api: Client, server: Server, kind: str, id: str):
    head = (
        f"GET {api.c}/{kind}/{id} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {server.access.token}\r\nConnection: close\r\n\r\n"
    )
    assert raw(server.port, head)[0] in (400, 404)


def test_nothing_is_read_that_was_put_in_a_pictures_place(tmp_path: Path):
    folder = tmp_path / "photos"
    for number, name in enumerate(("a.png", "b.png", "<img src=x onerror=alert(1)>.png")):
        draw(folder / name, number)
    Collection(folder).index()
    secret = draw(tmp_path / "secret.png", 9)
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to(secret)
    (folder / "b.png").write_text("<script>alert(1)</script>")
    workspace = Workspace()
    workspace.add(folder)
    with Server(workspace, Listening(port=0)).running() as server, Client(server) as api:
        for file in ("a.png", "b.png"):
            id = api.id_of(file)
            for kind in ("thumbs", "images", "originals"):
                answer = api.get(f"{api.c}/{kind}/{id}")
                assert (answer.status_code, answer.json()["error"]["code"]) == (404, "picture.gone")
                assert str(tmp_path) not in answer.text
        odd = "<img src=x onerror=alert(1)>.png"
        answer = api.get(f"{api.c}/originals/{api.id_of(odd)}")
        assert "<" not in answer.headers["content-disposition"]


def test_what_was_kept_is_shown_while_the_disk_is_away(tmp_path: Path):
    folder = tmp_path / "photos"
    for number in range(3):
        draw(folder / f"{number}.png", number)
    at = tmp_path / "kept"
    Collection(folder, at=at).index()
    workspace = Workspace()
    workspace.add(folder, at)
    with Server(workspace, Listening(port=0)).running() as server, Client(server) as api:
        id = api.id_of("1.png")
        kept = api.get(f"{api.c}/thumbs/{id}").content
        shutil.move(folder, tmp_path / "away")
        status = api.json(f"{api.c}/status")
        assert (status["online"], status["pictures"]) == (False, 3)
        assert api.get(f"{api.c}/thumbs/{id}").content == kept
        assert len(api.json(f"{api.c}/search", {"positive": [{"id": id}]})["hits"]) == 3
        assert api.get(f"{api.c}/images/{id}").status_code == 404
        shutil.move(tmp_path / "away", folder)
        assert api.get(f"{api.c}/images/{id}").status_code == 200
