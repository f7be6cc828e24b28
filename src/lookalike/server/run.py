"""A server on a port of this machine, until Ctrl-C."""

import atexit
import contextlib
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn

from lookalike.errors import LookalikeError
from lookalike.server.allocation import give_back_large_blocks
from lookalike.server.app import create_app
from lookalike.server.auth import Access
from lookalike.server.connections import BoundedConnection
from lookalike.server.workspace import Place, Workspace, recent_file

PORT, PORTS = 8431, 100


@dataclass(frozen=True)
class Listening:
    """Where a server listens, and under which names it answers.

    Attributes:
        address: 127.0.0.1 unless another one was asked for.
        metrics: figures for Prometheus at /metrics.
        hosts: further names that the Host header may say.
    """

    address: str = "127.0.0.1"
    port: int = PORT
    hosts: Sequence[str] = ()
    password: str | None = None
    read_only: bool = False
    metrics: bool = False


class Server:
    """A server whose port is taken, so that its address can be told before it answers.

    Args:
        workspace: the collections that are open.
        listening: where it listens. Where the port is taken, the next free one is.
    Raises: LookalikeError, when no port is free.
    """

    def __init__(self, workspace: Workspace, listening: Listening):
        self.workspace = workspace
        self.socket = bind(listening.address, listening.port)
        self.port = int(self.socket.getsockname()[1])
        self.access = Access.on(self.port, listening.hosts, read_only=listening.read_only, password=listening.password)
        config = uvicorn.Config(
            create_app(workspace, self.access, metrics=listening.metrics),
            access_log=False,
            server_header=False,
            log_level="warning",
            ws="none",
            http=BoundedConnection,
            limit_concurrency=512,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=32_768,
        )
        self.server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        """The page's address, with the token after the #, which browsers keep to themselves."""
        return f"http://127.0.0.1:{self.port}/#t={self.access.token}"

    def run(self) -> None:
        """Answer until Ctrl-C; then stop what runs."""
        give_back_large_blocks()
        self.server.run(sockets=[self.socket])

    @contextlib.contextmanager
    def running(self) -> Iterator["Server"]:
        """Answer from a thread for as long as this is open."""
        thread = threading.Thread(target=self.run, name="server", daemon=True)
        thread.start()
        while not self.server.started and thread.is_alive():
            thread.join(0.01)
        try:
            yield self
        finally:
            self.server.should_exit = True
            thread.join(20)


def open_folders(folders: Sequence[Place], at: Place | None, read_only: bool) -> Workspace:
    """A workspace with the collections of some folders; what was opened before is remembered unless it is read-only.

    Raises: CollectionError; StorageError.
    """
    workspace = Workspace(None if read_only else recent_file())
    for folder in folders:
        workspace.add(folder, at)
    return workspace


def bind(address: str, port: int) -> socket.socket:
    """A socket on the first free port from one on. Raises: LookalikeError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    reason = ""
    for tried in range(port, min(port + PORTS, 65536)) if port else (0,):
        # With the protocol named, asyncio sends answers at once (TCP_NODELAY), not 40 ms later.
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((address, tried))
            found.listen(256)
            return found
        except OSError as error:
            found.close()
            reason = error.strerror or str(error)
    line = f"{address}: no free port from {port} on ({reason}). Name another with --port."
    raise LookalikeError(line, code="server.port")


def open_browser(url: str) -> None:
    """Open the page through a file that only its owner can read: a command line would show the token to everybody."""
    handle = tempfile.NamedTemporaryFile("w", prefix="lookalike-", suffix=".html", delete=False)  # noqa: SIM115
    with handle as file:  # made with mode 0600
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0;url={url}"><title>lookalike</title>')
    remove = partial(Path(handle.name).unlink, missing_ok=True)
    atexit.register(remove)
    timer = threading.Timer(60, remove)
    timer.daemon = True  # Ctrl-C does not wait for it
    timer.start()
    webbrowser.open(Path(handle.name).as_uri())
