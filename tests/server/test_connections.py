"""Clients that say nothing more, or take no answer, hold neither a connection nor a place."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from PIL import Image
from support.client import Client

from lookalike import Collection
from lookalike.server import connections
from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second in place of twenty."""
    monkeypatch.setattr(connections, "HEAD_S", 1.0)
    monkeypatch.setattr(connections, "STALLED_S", 1.0)


def connect(server: Server, receives: int = 0) -> socket.socket:
    """A connection that waits a minute at most; `receives`: bytes that the system keeps for it."""
    found = socket.socket()
    if receives:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    found.settimeout(60)
    found.connect(("127.0.0.1", server.port))
    return found


def is_ended(connection: socket.socket) -> bool:
    """Whether the server ends it, whatever it sent before."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def head(server: Server, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *lines, "", ""]).encode()


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: 127", b"GET /"])
def test_a_request_that_does_not_come_ends_its_connection(server: Server, said: bytes):
    with connect(server) as connection:
        connection.sendall(said)
        assert is_ended(connection)


def test_a_head_that_comes_letter_by_letter_gets_no_more_time(server: Server):
    with connect(server) as connection, pytest.raises(ConnectionError):
        for letter in head(server, "/", f"X: {'a' * 99}") * 9:
            connection.sendall(bytes([letter]))
            time.sleep(0.05)


def test_the_rest_of_a_refused_body_is_not_waited_for(server: Server):
    """Without a token; four of a million bytes."""
    with connect(server) as connection:
        connection.sendall(
            head(server, "/api/c/0/search", "Content-Length: 1000000").replace(b"GET", b"POST") + b"more"
        )
        assert is_ended(connection)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, int]]:
    """A server, the path of a file of 40 MB there, and its size."""
    folder = tmp_path_factory.mktemp("large") / "photos"
    folder.mkdir()
    Image.new("RGB", (4000, 3400), (1, 2, 3)).save(folder / "large.bmp")
    Collection(folder).index()
    workspace = Workspace()
    workspace.add(folder)
    with Server(workspace, Listening(port=0)).running() as server:
        with Client(server) as api:
            path = f"{api.c}/originals/{api.id_of('large.bmp')}?key={server.access.image_key}"
        yield server, path, (folder / "large.bmp").stat().st_size


def test_a_client_that_takes_no_answer_is_let_go(large: tuple[Server, str, int]):
    server, path, size = large
    state = server.server.server_state
    before, until = state.total_requests, time.monotonic() + 60
    with connect(server, receives=4096) as connection:
        connection.sendall(head(server, path))
        while state.total_requests == before or (state.connections and time.monotonic() < until):
            time.sleep(0.02)
        assert not state.connections
        found = 0
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(1 << 20):
                found += len(part)
    assert found < size


def test_a_slow_client_that_takes_its_answer_gets_all_of_it(
    large: tuple[Server, str, int], monkeypatch: pytest.MonkeyPatch
):
    """It takes longer than a silent one may; on a busy machine one of its pauses may last two seconds."""
    monkeypatch.setattr(connections, "STALLED_S", 2.5)
    server, path, size = large
    with connect(server, receives=1 << 16) as connection:
        connection.sendall(head(server, path, "Connection: close"))
        found, pause = 0, time.monotonic() + 3
        while part := connection.recv(1 << 20):
            found += len(part)
            if time.monotonic() < pause:
                time.sleep(0.02)
    assert found > size
