"""Which collections are open, over HTTP."""

from pathlib import Path

from support.client import Client
from support.pictures import draw

from lookalike import Collection, __version__
from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace


def test_a_session_names_the_open_collections_and_no_place(api: Client, drawn_photos: Path):
    session = api.json("/api/session")
    assert (session["version"], session["read_only"], session["recent"]) == (__version__, False, [])
    (one,) = session["collections"]
    assert (one["name"], one["pictures"], one["online"]) == ("photos", 12, True)
    assert str(drawn_photos.parent) not in str(session)


def test_several_collections_and_those_that_were_open_before(tmp_path: Path):
    for name in ("a", "b", "c"):
        draw(tmp_path / name / "1.png", ord(name))
    Collection(tmp_path / "a").index()
    Workspace(tmp_path / "recent.json").add(tmp_path / "c")
    workspace = Workspace(tmp_path / "recent.json")
    for name in ("a", "b"):
        workspace.add(tmp_path / name)
    with Server(workspace, Listening(port=0)).running() as server, Client(server) as api:
        session = api.json("/api/session")
        assert [(one["name"], one["pictures"]) for one in session["collections"]] == [("a", 1), ("b", 0)]
        (before,) = session["recent"]
        assert (before["name"], before["folder"]) == ("c", str(tmp_path / "c"))
        id = api.json("/api/collections", {"recent": before["id"]}, status=201)["id"]
        assert id == before["id"]
        assert [one["name"] for one in api.json("/api/session")["collections"]] == ["a", "b", "c"]
        assert api.json(f"/api/c/{id}/status")["name"] == "c"
        other = {"id": api.json(f"{api.c}/pictures")["pictures"][0]["id"]}
        assert api.json(f"/api/c/{id}/search", {"positive": [other]}, status=422)["error"]["code"] == "collection.empty"


def test_only_what_was_open_before_can_be_opened_by_name(api: Client, tmp_path: Path):
    for body, status in (
        ({"recent": "0" * 16}, 404),
        ({"recent": str(tmp_path)}, 400),
        ({"folder": str(tmp_path)}, 400),
        ({}, 400),
    ):
        api.json("/api/collections", body, status=status)


def test_the_status_counts_and_names_what_was_refused(tmp_path: Path):
    draw(tmp_path / "a.png", 1)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "notes.txt").write_text("x")
    Collection(tmp_path).index()
    workspace = Workspace()
    workspace.add(tmp_path)
    with Server(workspace, Listening(port=0)).running() as server, Client(server) as api:
        found = api.json(f"{api.c}/status")
        assert (found["pictures"], found["contents"], found["indexed"], found["job"]) == (1, 1, True, None)
        assert [one["file"] for one in found["refused"]] == ["broken.png"]
        assert found["other_files"] == 1
