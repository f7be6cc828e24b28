"""Requests as no library would send them."""

import json
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Any


def raw(port: int, head: str, parts: Iterable[bytes] = ()) -> tuple[int, dict[str, str], Any]:
    """Send bytes to a server of this machine; gives the status, the headers, and the JSON or bytes of the answer.

    Args:
        port: of the server.
        head: what is sent first.
        parts: what is sent after it, as long as the server takes it.
    """
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        with suppress(OSError):  # it may answer and close before everything is sent
            connection.sendall(head.encode("latin-1"))
            for part in parts:
                connection.sendall(part)
        answer = b""
        with suppress(OSError):
            while piece := connection.recv(65_536):
                answer += piece
                if _is_whole(answer):
                    break
    top, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    with suppress(ValueError):
        return int(first.split()[1]), headers, json.loads(body)
    return int(first.split()[1]), headers, body


def _is_whole(answer: bytes) -> bool:
    top, found, body = answer.partition(b"\r\n\r\n")
    lengths = [line for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(found and lengths) and len(body) >= int(lengths[0].split(b":")[1])
