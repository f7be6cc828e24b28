"""The rules of access, asked of a real server: names, origins, tokens, keys, sizes, and what every answer carries."""

import asyncio
import socket

import httpx
import pytest
from support.client import Client
from support.raw_http import raw

from lookalike.server import auth
from lookalike.server.auth import HEADERS, Access, Guard
from lookalike.server.errors import Refusal
from lookalike.server.run import Server

STREAMS = {"/api/c/{c}/jobs/{j}/events"}


def every_route(api: Client) -> list[tuple[str, str]]:
    """Method and address of each route of the schema, with ids that look like ids."""
    found = []
    for path, methods in api.json("/api/openapi.json")["paths"].items():
        filled = path.replace("{c}", api.c.rsplit("/", 1)[1])
        for name in ("id", "q", "j", "g", "question", "name"):
            filled = filled.replace("{" + name + "}", "0" * 32)
        found += [(method.upper(), filled) for method in methods]
    return found


def test_every_route_of_the_schema_asks_for_the_token(server: Server, api: Client):
    routes = every_route(api)
    assert len(routes) > 20
    for method, path in [*routes, ("GET", "/api/openapi.json"), ("GET", "/api/nothing"), ("GET", "/metrics")]:
        if (method, path) == ("POST", "/api/session"):
            continue
        for headers in ({}, {"authorization": "Bearer " + "0" * 32}, {"authorization": server.access.token}):
            answer = httpx.request(method, f"http://127.0.0.1:{server.port}{path}", headers=headers, timeout=30)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "access.token"), (method, path)


def test_the_key_of_pictures_opens_pictures_and_nothing_else(server: Server, api: Client):
    key = api.json("/api/session")["image_key"]
    assert key != server.access.token and server.access.token not in key
    id = api.id_of("00.png")
    own = f"http://127.0.0.1:{server.port}{api.c}"
    for path in (f"/thumbs/{id}?side=160&", f"/images/{id}?", f"/originals/{id}?"):
        assert httpx.get(f"{own}{path}key={key}").status_code == 200
        assert httpx.get(f"{own}{path}key={'0' * 32}").status_code == 401
    for method, path in every_route(api):
        if not any(part in path for part in ("/thumbs/", "/images/", "/originals/", "/thumb", "/result", "/session")):
            answer = httpx.request(method, f"http://127.0.0.1:{server.port}{path}", params={"key": key})
            assert answer.status_code == 401, (method, path)
    assert httpx.post(f"{own}/thumbs/{id}?key={key}").status_code == 401


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/session", "/healthz", "/nothing"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", "", "[::1]"])
def test_another_name_than_ours_is_refused_before_anything_else(server: Server, path: str, host: str):
    status, _, _ = raw(server.port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert status == 421


def test_our_own_names_are_answered(server: Server):
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        request = f"GET /healthz HTTP/1.1\r\nHost: {host}:{server.port}\r\nConnection: close\r\n\r\n"
        assert raw(server.port, request)[0] == 200


def test_two_hosts_in_one_request_are_refused(server: Server):
    own = f"Host: 127.0.0.1:{server.port}\r\n"
    assert raw(server.port, f"GET / HTTP/1.1\r\n{own}Host: evil.example\r\nConnection: close\r\n\r\n")[0] == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://127.0.0.1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},  # another port of this machine
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    ],
)
def test_another_site_is_refused_even_with_the_token(api: Client, headers: dict[str, str]):
    for path in ("/api/session", "/static/app.js", "/healthz"):
        answer = api.get(path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access.origin")
    assert api.post(f"{api.c}/jobs", json={"do": "index"}, headers=headers).status_code == 403


def test_our_own_page_is_answered_and_a_link_may_lead_to_it(api: Client):
    own = {"origin": f"http://127.0.0.1:{api.server.port}", "sec-fetch-site": "same-origin"}
    assert api.get("/api/session", headers=own).status_code == 200
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert api.get("/", headers=link).status_code == 200
    assert api.get("/api/session", headers=link).status_code == 403


def test_every_answer_carries_the_headers_and_sets_no_cookie(server: Server, api: Client):
    answers = [
        api.get("/"),
        api.get("/api/session"),
        api.get("/nothing"),
        api.get(f"{api.c}/thumbs/{api.id_of('00.png')}"),
        api.post(f"{api.c}/search", json={}),
        httpx.get(f"http://127.0.0.1:{server.port}/api/session"),
        httpx.get(f"http://127.0.0.1:{server.port}/", headers={"host": "evil.example"}),
    ]
    assert {answer.status_code for answer in answers} == {200, 400, 401, 404, 421}
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "cache-control" in answer.headers
        assert not {"set-cookie", "server", "access-control-allow-origin", "x-powered-by"} & set(answer.headers)


def test_bodies_are_counted_while_they_are_read(server: Server, monkeypatch: pytest.MonkeyPatch):
    head = (
        f"POST /api/c/{'0' * 16}/search HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {server.access.token}\r\nContent-Type: application/json\r\n"
    )
    declared = raw(server.port, head + "Content-Length: 2000000\r\n\r\n")
    assert (declared[0], declared[2]["error"]["code"]) == (413, "request.too_large")
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    chunked = raw(server.port, head + "Transfer-Encoding: chunked\r\n\r\n", [chunk] * 40)
    assert (chunked[0], chunked[2]["error"]["code"]) == (413, "request.too_large")
    assert raw(server.port, head + "Content-Length: -5\r\n\r\n")[0] in (400, 413)
    monkeypatch.setattr(auth, "BODY_S", 0.2)
    slow = raw(server.port, head + "Content-Length: 10\r\nConnection: close\r\n\r\n", [b"{"])
    assert (slow[0], slow[2]["error"]["code"]) == (408, "request.slow")


def test_a_read_only_server_searches_and_changes_nothing():
    access = Access.on(80, read_only=True)
    guard, asked = Guard(answering([]), access), []
    for method, path in (
        ("POST", "/api/c/0/judgements"), ("DELETE", "/api/c/0/judgements/last"), ("POST", "/api/c/0/jobs"),
        ("POST", "/api/collections"), ("DELETE", "/api/c/0/lenses/a"), ("POST", "/api/c/0/lenses/a/use"),
        ("PATCH", "/api/c/0/groups/1"), ("PUT", "/api/c/0/search"), ("POST", "/api/c/0/duplicates"),
        ("POST", "/api/c/0/search/"), ("POST", "/api/c/0/jobs/search"),
    ):  # fmt: skip
        asked.append(asyncio.run(ask(guard, method, path, access.token)))
    assert set(asked) == {403}
    for method, path in (
        ("POST", "/api/c/0/search"), ("POST", "/api/c/0/queries"), ("GET", "/api/c/0/pictures"),
        ("GET", "/api/session"),
    ):  # fmt: skip
        assert asyncio.run(ask(guard, method, path, access.token)) == 200


def test_a_fault_is_a_number_and_no_traceback(caplog: pytest.LogCaptureFixture):
    async def broken(scope, receive, send):
        raise RuntimeError("/home/somebody/secret")

    access, told = Access.on(80), []
    status = asyncio.run(ask(Guard(broken, access), "GET", "/api/session", access.token, told))
    assert status == 500
    assert b"secret" not in told[1]["body"] and b"server.error" in told[1]["body"]
    assert "secret" in caplog.text


def test_only_so_many_requests_are_at_work_and_the_rest_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(auth, "WAITING", 40)
    access, busy = Access.on(80), []

    async def many() -> list[int]:
        guard = Guard(answering(busy), access)
        return await asyncio.gather(*(ask(guard, "GET", "/api/session", access.token) for _ in range(100)))

    answers = asyncio.run(many())
    assert max(busy) == auth.AT_WORK
    assert (answers.count(200), answers.count(503)) == (40 + auth.AT_WORK, 60 - auth.AT_WORK)


def test_a_password_is_tried_five_times_a_minute(monkeypatch: pytest.MonkeyPatch):
    clock = [1000.0]
    monkeypatch.setattr(auth.time, "monotonic", lambda: clock[0])
    access = Access.on(80, password="right horse")
    assert access.login("right horse") == access.token
    for _ in range(5):
        with pytest.raises(Refusal, match="wrong password"):
            access.login("wrong")
    with pytest.raises(Refusal, match="Wait a minute") as caught:
        access.login("right horse")
    assert caught.value.status == 429
    clock[0] += 61
    assert access.login("right horse") == access.token
    with pytest.raises(Refusal):
        Access.on(80).login("")


def test_each_start_has_its_own_token_of_128_bits():
    tokens = {Access.on(80).token for _ in range(20)}
    assert len(tokens) == 20
    assert {len(bytes.fromhex(token)) for token in tokens} == {16}


def test_websockets_are_closed(server: Server):
    request = (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert raw(server.port, request)[0] != 101


def test_the_server_listens_on_this_machine_alone(server: Server):
    assert server.socket.getsockname()[0] == "127.0.0.1"
    own = {one[4][0] for one in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in own:
        with pytest.raises(OSError), socket.create_connection((address, server.port), 1):
            pass


def answering(busy: list[int]):
    """An application that answers 200 after a while, and notes how many requests are in it."""
    inside = 0

    async def app(scope, receive, send):
        nonlocal inside
        inside += 1
        busy.append(inside)
        await asyncio.sleep(0.01)
        inside -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


async def ask(guard: Guard, method: str, path: str, token: str, told: list | None = None) -> int:
    """The status of one request to a guard on port 80."""
    told = [] if told is None else told
    headers = [(b"host", b"127.0.0.1:80"), (b"authorization", b"Bearer " + token.encode())]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        told.append(message)

    await guard(scope, receive, send)
    return told[0]["status"]


def test_a_length_and_a_transfer_encoding_at_once_are_refused(server: Server):
    """A proxy that goes by the length would take what follows for another request than we do."""
    lines = (
        "POST /api/session HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Content-Length: 4",
        "Transfer-Encoding: chunked",
        "Connection: close",
    )
    status, _, body = raw(server.port, "\r\n".join(lines) + "\r\n\r\n0\r\n\r\n")
    assert status == 400
    assert body["error"]["message"] == "both a length and a transfer encoding."


def test_the_files_of_the_page_take_no_places_of_those_with_a_token():
    """As many requests without a token as there are places wait for ever; one with a token is answered."""
    held, answered = asyncio.Event(), []

    async def app(scope, receive, send) -> None:
        if scope["path"] == "/":
            await held.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    access = Access.on(1)
    guard = Guard(app, access)

    async def ask(path: str, *headers: tuple[bytes, bytes]) -> None:
        async def send(message) -> None:
            if message["type"] == "http.response.start":
                answered.append((path, message["status"]))

        scope = {"type": "http", "method": "GET", "path": path, "query_string": b""}
        await guard(scope | {"headers": [(b"host", b"127.0.0.1:1"), *headers]}, None, send)

    async def run() -> None:
        waiting = [asyncio.create_task(ask("/")) for _ in range(2 * auth.AT_WORK)]
        await asyncio.sleep(0)
        await asyncio.wait_for(ask("/api/nothing", (b"authorization", f"Bearer {access.token}".encode())), 10)
        assert answered == [("/api/nothing", 200)]
        held.set()
        await asyncio.gather(*waiting)

    asyncio.run(run())
    assert len(answered) == 1 + 2 * auth.AT_WORK
