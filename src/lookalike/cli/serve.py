"""lookalike serve and mcp: the page with its API, and the tools for assistants."""

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lookalike.cli.options import AT, FOLDER, PLACE
from lookalike.cli.output import echo
from lookalike.errors import CollectionError, MissingExtraError

if TYPE_CHECKING:
    from lookalike.server.run import Server


@click.command()
@click.argument("folders", nargs=-1, type=PLACE, metavar="[FOLDER]...")
@click.option("--at", type=PLACE, metavar="DIR", help="Where the collection of FOLDER is kept.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8431,
    show_default=True,
    help="The next free one is taken.",
)
@click.option("--no-open", is_flag=True, help="Do not open the page in a browser.")
@click.option("--read-only", is_flag=True, help="Search and look, but change nothing.")
@click.option("--metrics", is_flag=True, help="Figures for Prometheus at /metrics.")
@click.option("--listen", metavar="ADDRESS", help="Listen to the network, not to this machine alone.")
@click.option("--password-file", type=click.Path(path_type=Path), metavar="FILE", help="It holds the password.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A name that the server goes by, for --listen.")
def serve(
    folders: tuple[Path | str, ...],
    at: Path | str | None,
    port: int,
    no_open: bool,
    read_only: bool,
    metrics: bool,
    listen: str | None,
    password_file: Path | None,
    hosts: tuple[str, ...],
) -> None:
    """Open collections in the browser: look, search, judge, teach. Programs ask the same server."""
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise MissingExtraError("the page", "server")
    if at is not None and len(folders) != 1:
        raise click.UsageError("--at goes with one FOLDER.")
    if listen is not None and (password_file is None or not hosts):
        raise click.UsageError(
            "--listen opens the collections to the network. Give --password-file FILE and --host NAME with it."
        )
    if listen is None and (password_file is not None or hosts):
        raise click.UsageError("--password-file and --host go with --listen ADDRESS.")
    from lookalike.server import run  # loads FastAPI

    password = None if password_file is None else _password(password_file)
    listening = run.Listening(listen or "127.0.0.1", port, hosts, password, read_only, metrics)
    server = run.Server(run.open_folders(folders, at, read_only), listening)
    _announce(server, listen)
    if not no_open and listen is None:
        run.open_browser(server.url)
    with suppress(KeyboardInterrupt):  # Ctrl-C, after it has stopped what ran
        server.run()


@click.command()
@FOLDER
@AT
@click.option("--allow-changes", is_flag=True, help="Let assistants judge, teach, and put a lens into service.")
def mcp(folder: Path | str, at: Path | str | None, allow_changes: bool) -> None:
    """Offer the collection of FOLDER to an assistant, by the Model Context Protocol on standard input and output."""
    if find_spec("mcp") is None:
        raise MissingExtraError("the Model Context Protocol", "mcp")
    from lookalike.server.mcp_server import mcp_server  # loads the SDK

    mcp_server(folder, at, changes=allow_changes).run("stdio")


def _announce(server: "Server", listen: str | None) -> None:
    if listen is None:
        echo(f"Open {server.url}")
        echo("Ctrl-C ends it.")
        return
    echo(
        f"Listening on {listen}, port {server.port}: whoever has the password can see these pictures. Nothing is "
        f"encrypted, so the network can read along. Safer is: ssh -L {server.port}:127.0.0.1:{server.port} HOST"
    )


def _password(path: Path) -> str:
    """The first line of a file. Raises: CollectionError."""
    try:
        password = path.read_text("utf-8").split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CollectionError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'no text'}).") from error
    if len(password) < 8:
        raise CollectionError(f"{path}: a password of at least 8 letters, in the first line.")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise CollectionError(f"{path}: others can read it. Run: chmod 600 {path}")
    return password
