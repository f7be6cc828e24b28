"""The short way of thumbnails that are kept: the same answers, and nothing that the long way would refuse."""

import asyncio
import time
from pathlib import Path

import pytest
from support.client import Client

from lookalike.server.kept import KeptThumbnails
from lookalike.server.workspace import OpenCollection, Workspace


def asked(layer: KeptThumbnails, path: str, query: str = "side=160", method: str = "GET") -> bytes | None:
    """The body that the short way sends; None where it hands the request on."""
    sent: list[dict] = []

    async def send(message) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "http.request"}

    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
    asyncio.run(layer(scope, receive, send))
    return sent[1]["body"] if sent else None


@pytest.fixture
def layer() -> KeptThumbnails:
    async def hands_on(scope, receive, send) -> None:
        return None

    return KeptThumbnails(hands_on, Workspace())


@pytest.fixture
def opened(layer: KeptThumbnails, drawn_photos: Path) -> OpenCollection:
    return layer.workspace.add(drawn_photos)


def keep(opened: OpenCollection, place: int, content: bytes) -> tuple[str, Path]:
    """The path of a picture's thumbnail, which is kept now, and its file."""
    picture = opened.pictures().at(place)
    file = opened.collection.home.cache / "thumbnails" / picture.id[:2] / f"{picture.id}-160.jpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return f"/api/c/{opened.id}/thumbs/{picture.id}", file


def test_what_is_kept_is_sent_once_the_table_was_asked_within_a_second(layer: KeptThumbnails, opened: OpenCollection):
    content = b"\xff\xd8 as it is \xff\xd9"
    path, file = keep(opened, 1, content)
    assert asked(layer, path) is None, "nobody has asked the table"
    opened.files_of(path[-32:])
    assert asked(layer, path) == asked(layer, path, "side=160&key=" + "0" * 32) == content
    opened._asked = (opened.pictures(), time.monotonic() - 1.1)
    assert asked(layer, path) is None
    opened.files_of(path[-32:])
    for damaged in (b"", content[:-1]):
        file.write_bytes(damaged)
        assert asked(layer, path) is None
    file.unlink()
    assert asked(layer, path) is None


def test_all_else_goes_on(layer: KeptThumbnails, opened: OpenCollection):
    path, file = keep(opened, 2, b"\xff\xd8\xff\xd9")
    file.with_name(file.name.replace("-160", "-320")).unlink(missing_ok=True)  # of another test
    opened.files_of(path[-32:])
    assert asked(layer, path) == b"\xff\xd8\xff\xd9"
    for other in (f"{path}/", path.upper(), path[:-1], f"{path[:-32]}{'0' * 32}", path.replace(opened.id, "0" * 16)):
        assert asked(layer, other) is None, other
    for query in ("", "side=320", "side=100", "side=160&side=640", "side=160&x=1", "key=1&side=160", "s%69de=160"):
        assert asked(layer, path, query) is None, query
    for method in ("HEAD", "POST", "DELETE"):
        assert asked(layer, path, method=method) is None


def test_both_ways_answer_the_same_over_http(api: Client):
    id = api.id_of("05.png")
    path = f"{api.c}/thumbs/{id}?side=320"
    first, second, third = (api.get(path) for _ in range(3))
    assert first.status_code == 200
    assert first.content == second.content == third.content
    without_date = [{name: one.headers[name] for name in one.headers if name != "date"} for one in (first, third)]
    assert without_date[0] == without_date[1]
    assert api.get(path, headers={"authorization": "Bearer no"}).status_code == 401
