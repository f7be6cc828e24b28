"""Pictures from addresses, off a server of this machine: what is read, how much, how long, and from where."""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike.errors import ImageError
from lookalike.images.decode import load
from lookalike.images.url import MOST_REDIRECTS, fetch, is_public


class Pages(BaseHTTPRequestHandler):
    """Each path is one way to answer."""

    picture = b""
    target = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/to"):
            left = int(self.path.partition("=")[2] or 0)
            self.send_response(302)
            self.send_header("Location", f"/to?left={left - 1}" if left else "/a.png")
            self.end_headers()
        elif path == "/elsewhere":
            self.send_response(301)
            self.send_header("Location", self.target)
            self.end_headers()
        elif path == "/page":
            self._send(b"<html>a.png</html>", "text/html")
        elif path == "/gone":
            self.send_error(404)
        elif path == "/large":
            self._send(self.picture, length=60_000_000)
        elif path == "/cut":
            self._send(self.picture, length=len(self.picture) + 1)
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            while True:
                try:
                    self.wfile.write(self.picture)
                except OSError:
                    return
        elif path == "/slow":
            self.send_response(200)
            self.end_headers()
            for byte in self.picture:
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:
                    return
                time.sleep(0.05)
        else:
            self._send(self.picture)

    def _send(self, content: bytes, kind: str = "image/png", length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    return draw(tmp_path_factory.mktemp("url") / "a.png", 1)


@pytest.fixture(scope="module")
def server(picture: Path) -> Iterator[str]:
    Pages.picture = picture.read_bytes()
    running = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("path", ["/a.png", "", f"/to?left={MOST_REDIRECTS - 1}", "/한글 a.png?b=ü#part"])
def test_a_picture_is_its_bytes_under_its_address(server: str, picture: Path, path: str):
    found = fetch(server + path, allow_private=True)
    assert (found.name, found.image) == (server + path, picture.read_bytes())
    assert load(found).tobytes() == load(picture).tobytes()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/page", "a page, not a picture. Give the address of the picture itself."),
        ("/gone", "the server answers 404 Not Found. Check the address."),
        ("/large", "more than 50 MB. Save the picture and ask with a smaller copy."),
        ("/cut", "the connection ended before the picture did. Try again."),
        (f"/to?left={MOST_REDIRECTS}", "more than 5 redirects. Check the address."),
    ],
)
def test_what_is_no_whole_picture_is_one_line(server: str, path: str, reason: str):
    with pytest.raises(ImageError) as error:
        fetch(server + path, allow_private=True)
    assert str(error.value) == f"{server}{path}: {reason}"


def test_bytes_and_time_are_bounded(server: str):
    with pytest.raises(ImageError, match=r"more than 0\.1 MB"):
        fetch(f"{server}/endless", allow_private=True, most_bytes=100_000)
    with pytest.raises(ImageError, match=r"takes too long|no whole answer within 0\.3 s"):
        fetch(f"{server}/slow", allow_private=True, timeout_s=0.3)


def test_a_private_address_is_refused_unless_told_and_a_redirect_to_one_is(server: str, monkeypatch):
    with pytest.raises(ImageError, match=r"127\.0\.0\.1 is 127\.0\.0\.1, an address of a private network\. .*--allow-"):
        fetch(f"{server}/a.png")
    asked = []
    lookup = socket.getaddrinfo

    def once(host, port, **options):
        """The system's names, where a stranger's name leads elsewhere at the second look, as in DNS rebinding."""
        asked.append(host)
        return lookup("127.0.0.1", port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    with pytest.raises(ImageError, match=r"rebinds\.example is 127\.0\.0\.1"):
        fetch(server.replace("127.0.0.1", "rebinds.example") + "/a.png")
    assert asked == ["rebinds.example"], "looked up once: what was checked is what is connected to"


def test_each_redirect_is_checked(server: str, monkeypatch):
    monkeypatch.setattr(Pages, "target", "file:///etc/passwd")
    with pytest.raises(ImageError, match="no address of http or https"):
        fetch(f"{server}/elsewhere", allow_private=True)
    monkeypatch.setattr(Pages, "target", server.replace("127.0.0.1", "127.0.0.2") + "/a.png")
    monkeypatch.setattr("lookalike.images.url.is_public", lambda address: str(address) == "127.0.0.1")
    with pytest.raises(ImageError, match=r"127\.0\.0\.2, an address of a private network"):
        fetch(f"{server}/elsewhere")


@pytest.mark.parametrize(
    "url",
    ["ftp://host/a.png", "file:///a.png", "a.png", "http://", "http://[::1", "http://h:99999/", "http://me:pw@h/"],
)
def test_what_is_no_address_is_refused_before_anything_is_asked(url: str, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **options: pytest.fail("it was looked up"))
    with pytest.raises(ImageError, match="address"):
        fetch(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool):
    assert is_public(ipaddress.ip_address(address)) == public
