"""Who may ask what: one layer around the whole application, which no route can leave out."""

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException

from lookalike.server.errors import Refusal, internal_error

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PICTURE_BYTES, JSON_BYTES = 50_000_000, 1_000_000  # of a body
BODY_S = 60  # a body has to be there within this time
AT_WORK, WAITING, STREAMS = 16, 256, 32  # requests
WAIT_S = 20  # for a place among those at work
TRIES, TRIES_S = 5, 60  # of passwords

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_C = r"/api/c/[^/]+"
_QUERY_BODY = re.compile(_C + r"/queries")
_BY_KEY = re.compile(_C + r"/(thumbs/[^/]+|images/[^/]+|originals/[^/]+|queries/[^/]+/thumb|jobs/[^/]+/result)")
_READS = re.compile(_C + r"/(queries|search)|/api/session")  # what a POST may do on a server that is read-only
_STREAM = re.compile(_C + r"/jobs/[^/]+/events")
_WITH_TOKEN = ("/api/", "/metrics")


@dataclass
class Access:
    """The secrets of one start of the server, and what it may be called.

    Attributes:
        hosts: what the Host header may say, with the port.
        read_only: nothing may be changed.
        password: asked for by `login`; None where the token is printed at the start.
        token: 128 bits, in hex; image_key: derived from it, good for GETs of pictures only.
    """

    hosts: frozenset[str]
    read_only: bool = False
    password: str | None = None
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    _tries: deque[float] = field(default_factory=deque)

    @property
    def image_key(self) -> str:
        """What the addresses of pictures carry, since <img> sends no headers: an HMAC of the token."""
        return hmac.new(self.token.encode(), b"pictures", hashlib.sha256).hexdigest()[:32]

    @classmethod
    def on(
        cls, port: int, names: Iterable[str] = (), *, read_only: bool = False, password: str | None = None
    ) -> "Access":
        """Access to a port of this machine, and under further names, with and without the port."""
        own = [f"{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]")]
        named = [host for name in names for host in (name.lower(), f"{name.lower()}:{port}")]
        return cls(frozenset(own + named), read_only, password)

    def login(self, password: str) -> str:
        """The token for the password, at most five tries a minute whoever tries.

        Raises: Refusal.
        """
        now = time.monotonic()
        while self._tries and now - self._tries[0] > TRIES_S:
            self._tries.popleft()
        if len(self._tries) >= TRIES:
            raise Refusal(429, "access.tries", "too many tries. Wait a minute.")
        if self.password is None or not hmac.compare_digest(password.encode(), self.password.encode()):
            self._tries.append(now)
            raise Refusal(401, "access.password", "wrong password.")
        return self.token


class Guard:
    """The application behind every rule of access.

    Args:
        app: an ASGI application.
        access: who may ask what.
    """

    def __init__(self, app: App, access: Access):
        self.app, self.access = app, access
        # Those without a token, which only get the page's files, have places of their own.
        self._at_work, self._pages = asyncio.Semaphore(AT_WORK), asyncio.Semaphore(AT_WORK)
        self._waiting, self._streams = 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": _with_headers(message.get("headers", []))}
            await send(message)

        try:
            self._check(scope)
            return await self._run(scope, _counted(scope, receive), answer)
        except Refusal as refusal:
            response = refusal.response()
        except Exception as error:
            response = internal_error(error)
        if not started:
            await response(scope, receive, answer)
        return None

    def _check(self, scope: Scope) -> None:
        """Raises: Refusal."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key = name.decode("latin-1").lower()
            if key in headers and key in ("host", "origin", "authorization", "content-length"):
                raise Refusal(400, "request", f"two headers {key}.")
            headers[key] = value.decode("latin-1")
        if "content-length" in headers and "transfer-encoding" in headers:  # a proxy may count its end otherwise
            raise Refusal(400, "request", "both a length and a transfer encoding.")
        host, method, path = headers.get("host", "").lower(), scope["method"], scope["path"]
        if host not in self.access.hosts:
            raise Refusal(421, "access.host", "this server does not go by that name. Name it with --host.")
        self._check_origin(headers, method, path)
        if not path.startswith(_WITH_TOKEN):
            if method not in ("GET", "HEAD"):
                raise Refusal(405, "request.method", "read only.")
            return
        if not (path == "/api/session" and method == "POST"):
            self._check_token(headers, scope)
        reads = method in ("GET", "HEAD") or (method == "POST" and _READS.fullmatch(path))
        if self.access.read_only and not reads:
            raise Refusal(403, "access.read_only", "this server is read-only.")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdecimal() or int(length[:20]) > _longest(path):
            raise Refusal(413, "request.too_large", f"larger than {_longest(path) // 1_000_000} MB.")

    def _check_origin(self, headers: dict[str, str], method: str, path: str) -> None:
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        ours = {f"{scheme}://{headers['host'].lower()}" for scheme in ("http", "https")}
        if origin is not None and origin.lower() not in ours:
            raise Refusal(403, "access.origin", "asked by another site.")
        if site in ("same-origin", "none"):
            return
        # A link elsewhere may lead to the page, which by itself shows nothing.
        leads_here = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if not (leads_here and method == "GET" and path == "/"):
            raise Refusal(403, "access.origin", "asked by another site.")

    def _check_token(self, headers: dict[str, str], scope: Scope) -> None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self.access.token.encode()):
            return
        if scope["method"] in ("GET", "HEAD") and _BY_KEY.fullmatch(scope["path"]):
            key = parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]
            if hmac.compare_digest(key.encode(), self.access.image_key.encode()):
                return
        raise Refusal(401, "access.token", "no token, or that of an earlier start. Open the address that was printed.")

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """At most so many requests at once; the others wait for a place."""
        if _STREAM.fullmatch(scope["path"]):
            if self._streams >= STREAMS:
                raise Refusal(503, "server.busy", "too many event streams.")
            self._streams += 1
            try:
                return await self.app(scope, receive, send)
            finally:
                self._streams -= 1
        places = self._at_work if scope["path"].startswith(_WITH_TOKEN) else self._pages
        if places.locked():
            await self._wait(places)
        else:
            await places.acquire()  # at once
        try:
            return await self.app(scope, receive, send)
        finally:
            places.release()

    async def _wait(self, places: asyncio.Semaphore) -> None:
        """Take the next place that is free. Raises: Refusal."""
        if self._waiting >= WAITING:
            raise Refusal(503, "server.busy", "too many requests. Try again.")
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_S):
                await places.acquire()
        except TimeoutError:
            raise Refusal(503, "server.busy", "too many requests. Try again.") from None
        finally:
            self._waiting -= 1


def _longest(path: str) -> int:
    return PICTURE_BYTES if _QUERY_BODY.fullmatch(path) else JSON_BYTES


def _counted(scope: Scope, receive: Receive) -> Receive:
    """A body that is cut off where it is too large or too slow, whatever its declared length says."""
    left, until = _longest(scope["path"]), time.monotonic() + BODY_S
    whole = False

    async def counted() -> Message:
        nonlocal left, whole
        if whole:  # what comes now is that the client has gone
            return await receive()
        try:
            async with asyncio.timeout(until - time.monotonic()):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "the body took too long.") from None
        if message["type"] == "http.request":
            whole = not message.get("more_body", False)
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"larger than {_longest(scope['path']) // 1_000_000} MB.")
        return message

    return counted


def _with_headers(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, with those that every answer has."""
    headers = list(given)
    there = {name.lower() for name, _ in headers}
    added = HEADERS | ({} if b"cache-control" in there else {"cache-control": "no-store"})
    return headers + [(name.encode(), value.encode()) for name, value in added.items()]
