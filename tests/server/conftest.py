"""A real server on a real port, with a collection of drawn pictures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.badges import classes
from support.drawn_words import write_colours, write_words
from support.pictures import draw

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
httpx = pytest.importorskip("httpx")

from support.client import Client  # noqa: E402

from lookalike import Collection  # noqa: E402
from lookalike.server.run import Listening, Server  # noqa: E402
from lookalike.server.workspace import Workspace  # noqa: E402


@pytest.fixture(scope="session")
def drawn_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An indexed folder of twelve pictures, two of them equal; not to be changed."""
    folder = tmp_path_factory.mktemp("server") / "photos"
    for number in range(11):
        draw(folder / f"{number:02d}.png", number, (96, 64))
    draw(folder / "more" / "copy.png", 3, (96, 64))
    Collection(folder).index()
    return folder


@pytest.fixture(scope="module")
def server(drawn_photos: Path) -> Iterator[Server]:
    """A server of the drawn pictures."""
    workspace = Workspace()
    workspace.add(drawn_photos)
    with Server(workspace, Listening(port=0)).running() as running:
        yield running


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[Client]:
    """Asks that server with its token."""
    with Client(server) as client:
        yield client


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server of four pictures of one colour each, whose collection knows words of colours."""
    pytest.importorskip("tokenizers")
    place = tmp_path_factory.mktemp("colours")
    Collection(write_colours(place / "photos"), backbone=write_words(place / "bundle")).index()
    workspace = Workspace()
    workspace.add(place / "photos")
    with Server(workspace, Listening(port=0)).running() as server, Client(server) as client:
        yield client


@pytest.fixture
def badges(tmp_path: Path) -> Iterator[Client]:
    """A server of pictures that nobody has indexed yet."""
    classes(tmp_path / "photos")
    workspace = Workspace()
    workspace.add(tmp_path / "photos")
    with Server(workspace, Listening(port=0)).running() as server, Client(server) as client:
        yield client
