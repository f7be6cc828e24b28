"""An address on the web -> the bytes of its picture, within bounds, and not from private networks unless told."""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import suppress
from urllib.parse import quote, urljoin, urlsplit

from lookalike.errors import ImageError
from lookalike.images.formats import HEAD, detect_format
from lookalike.images.sources import NamedImage

MOST_BYTES = 50_000_000
TIMEOUT_S = 30.0
MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits
_PORTS = {"http": 80, "https": 443}
_AS_IT_IS = "/%:=&?~+!$,;'@()*[]-._"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def fetch(
    url: str, *, allow_private: bool = False, timeout_s: float = TIMEOUT_S, most_bytes: int = MOST_BYTES
) -> NamedImage:
    """The picture at an address, to ask with: its bytes, which nothing has decoded yet.

    Every name on the way is looked up once, what it leads to is checked, and that very address is connected to. It
    goes there directly, by no proxy.

    Args:
        url: http or https; up to five redirects are followed, each checked like the first.
        allow_private: also from this machine, its network, and other addresses that are not public.
        timeout_s: for all of it, in seconds.
        most_bytes: that are read.
    Raises: ImageError, which names the address.
    """
    task = _Download(url, allow_private, time.monotonic() + timeout_s, most_bytes)
    thread = threading.Thread(target=task.run, daemon=True)  # looking up a name knows no limit of time
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        task.cancel()
        raise ImageError(
            f"no whole answer within {timeout_s:g} s. Save the picture and ask with it.", "unreadable", url
        )
    if isinstance(task.outcome, ImageError):
        raise ImageError(task.outcome.reason, task.outcome.kind, url) from task.outcome
    if isinstance(task.outcome, BaseException):
        raise task.outcome
    return NamedImage(url, task.outcome)


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's, an IPv4 one inside of it too.

    >>> [is_public(ipaddress.ip_address(one)) for one in ("8.8.8.8", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False]
    """
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo
        inside = [address.ipv4_mapped, address.sixtofour, *(teredo or ())]
        if address in _NAT64:
            inside.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        found = [one for one in inside if one is not None]
        if found:
            return all(map(is_public, found))
    return address.is_global and not address.is_multicast


class _Download:
    """One download, in a thread of its own."""

    def __init__(self, url: str, allow_private: bool, deadline: float, most_bytes: int):
        self._url, self._allow_private, self._deadline, self._most = url, allow_private, deadline, most_bytes
        self._socket: socket.socket | None = None
        self._connection: http.client.HTTPConnection | None = None
        self.outcome: bytes | BaseException = b""

    def run(self) -> None:
        """Leave the bytes, or what went wrong, in `outcome`."""
        try:
            self.outcome = self._follow()
        except ImageError as error:
            self.outcome = error
        except ssl.SSLError as error:
            self.outcome = ImageError(f"no secure connection ({error.reason or error}).", "unreadable")
        except (OSError, http.client.HTTPException) as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            self.outcome = ImageError(f"cannot be read ({said}). Check the address and the network.", "unreadable")
        except BaseException as error:
            self.outcome = error
        finally:
            self._close()

    def cancel(self) -> None:
        """End the connection, from another thread."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._socket is not None:
            self._socket.close()

    def _follow(self) -> bytes:
        url = self._url
        for _ in range(MOST_REDIRECTS + 1):
            scheme, host, port, path = _parts(url)
            connection = self._connect(scheme, host, port)
            connection.request("GET", path, headers={"User-Agent": "lookalike", "Accept": "image/*"})
            with connection.getresponse() as answer:
                target = answer.getheader("Location") if answer.status in _REDIRECTS else None
                if target is None:
                    return self._read(answer)
            self._close()
            url = urljoin(url, target)
        raise ImageError(f"more than {MOST_REDIRECTS} redirects. Check the address.", "unreadable")

    def _connect(self, scheme: str, host: str, port: int) -> http.client.HTTPConnection:
        """A connection to the very address that was checked."""
        try:
            found = [where[4] for where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (socket.gaierror, UnicodeError) as error:
            raise ImageError(f"{host} is no name that can be found. Check the address.", "unreadable") from error
        for one in found if not self._allow_private else ():
            if not is_public(ipaddress.ip_address(str(one[0]).partition("%")[0])):
                raise ImageError(
                    f"{host} is {one[0]}, an address of a private network. If you mean it, add --allow-private.",
                    "unreadable",
                )
        for place, one in enumerate(found, start=1):
            try:
                self._socket = socket.create_connection((str(one[0]), port), self._left())
                break
            except OSError:
                if place == len(found):
                    raise
        assert self._socket is not None
        if scheme == "http":
            connection = http.client.HTTPConnection(host, port)
        else:
            context = ssl.create_default_context()
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
            connection = http.client.HTTPSConnection(host, port, context=context)
        connection.sock, connection.auto_open = self._socket, 0  # it never looks the name up again
        self._connection = connection
        return connection

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        if answer.status != 200:
            said = f"the server answers {answer.status} {answer.reason}"
            raise ImageError(f"{said}. Check the address.", "unreadable")
        if answer.length is not None and answer.length > self._most:
            raise self._too_large()
        content = bytearray()
        while part := answer.read(min(1 << 16, self._most + 1 - len(content))):
            content += part
            if len(content) > self._most:
                raise self._too_large()
            self._left()
        if answer.length:
            raise ImageError("the connection ended before the picture did. Try again.", "unreadable")
        try:
            detect_format(bytes(content[:HEAD]))
        except ImageError as error:
            if not answer.headers.get_content_type().startswith("text/"):
                raise
            raise ImageError(
                "a page, not a picture. Give the address of the picture itself.", "not a picture"
            ) from error
        return bytes(content)

    def _too_large(self) -> ImageError:
        return ImageError(
            f"more than {self._most / 1e6:g} MB. Save the picture and ask with a smaller copy.", "too large"
        )

    def _left(self) -> float:
        """The seconds that are left. Raises: TimeoutError."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it takes too long")
        return left


def _parts(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of an address that may be asked. Raises: ImageError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ImageError(f"no address ({error}). Write it as https://host/picture.jpg", "unreadable") from error
    if parts.scheme not in _PORTS or not host:
        raise ImageError("no address of http or https. Write it as https://host/picture.jpg", "unreadable")
    if parts.username is not None or parts.password is not None:
        raise ImageError("a name or a password in the address. Save the picture and ask with it.", "unreadable")
    path = quote(parts.path or "/", safe=_AS_IT_IS) + (f"?{quote(parts.query, safe=_AS_IT_IS)}" if parts.query else "")
    return parts.scheme, host, port or _PORTS[parts.scheme], path
