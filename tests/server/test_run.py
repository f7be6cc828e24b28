"""A port, an address, a browser that is opened without showing the token."""

import os
import stat
from pathlib import Path
from urllib.request import url2pathname

import httpx
import pytest
from support.client import Client

from lookalike.errors import LookalikeError
from lookalike.server import run
from lookalike.server.run import Listening, Server, bind, open_browser
from lookalike.server.workspace import Workspace


def test_the_next_free_port_is_taken():
    first = bind("127.0.0.1", 0)
    port = first.getsockname()[1]
    second = bind("127.0.0.1", port)
    assert port < second.getsockname()[1] <= port + run.PORTS
    first.close()
    second.close()
    with pytest.raises(LookalikeError, match="no free port"):
        bind("203.0.113.1", 8431)  # an address of nobody


def test_the_address_carries_the_token_where_browsers_keep_it(server: Server):
    before, token = server.url.split("#t=")
    assert token == server.access.token
    assert httpx.get(before).status_code == 200


def test_a_server_ends_and_stops_its_job(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    workspace = Workspace()
    opened = workspace.add(tmp_path / "photos")
    with Server(workspace, Listening(port=0)).running() as server:
        job = opened.jobs.start("learn", lambda reporter: [reporter.message("x") for _ in iter(int, 1)])
        port = server.port
    assert job.state == "stopped"  # a thread that went on would keep the process from ending
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz")


def test_a_server_with_a_password_gives_its_token_for_it():
    with Server(Workspace(), Listening(port=0, hosts=["photos.example"], password="right horse")).running() as server:
        own = f"http://127.0.0.1:{server.port}"
        headers = {"host": "photos.example"}
        assert httpx.post(f"{own}/api/session", json={"password": "wrong"}, headers=headers).status_code == 401
        token = httpx.post(f"{own}/api/session", json={"password": "right horse"}, headers=headers).json()["token"]
        assert httpx.get(f"{own}/api/session", headers=headers).status_code == 401
        with Client(server, token) as client:
            assert client.json("/api/session")["collections"] == []


def test_the_browser_is_opened_through_a_file_of_ours_alone(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr(run.webbrowser, "open", asked.append)
    open_browser("http://127.0.0.1:8431/#t=secret")
    (address,) = asked
    assert address.startswith("file:") and "secret" not in address
    file = Path(url2pathname(address.removeprefix("file://")))
    assert "url=http://127.0.0.1:8431/#t=secret" in file.read_text()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.unlink()
