"""The page's files as they lie in git, kept in memory, and under an address that changes when one of them does."""

import gzip
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}
ASK_AGAIN = {"cache-control": "no-cache"}
KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_STAMPED = re.compile(r"(?:v-(?P<stamp>[0-9a-f]{12})/)?(?P<name>.+)")
_WORDS = "locales/en.json"  # as index.html names them


@dataclass(frozen=True)
class PageFile:
    """A file of the page.

    Attributes:
        made: its date and size, by which a change is noticed.
        content: its bytes; packed: the same, compressed by gzip once and for all.
        tag: their hash; kind: their media type.
    """

    made: tuple[int, int]
    content: bytes
    packed: bytes
    tag: str
    kind: str


class PageFiles:
    """The page's files, read anew where they change.

    The first page names each file under /static/v-STAMP/, which browsers may keep for ever: they ask for nothing again
    until the stamp is another one. Modules import one another by relative names, so they stay under the same stamp.

    Args:
        folder: where index.html and all other files are.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._files: dict[str, PageFile] = {}
        self._stamp = ""

    def routes(self) -> list[Route]:
        """GET / and GET /static/..."""
        return [
            Route("/", self.page, include_in_schema=False),
            Route("/static/{path:path}", self.file, include_in_schema=False),
        ]

    def read(self) -> str:
        """Read what is new or changed; the stamp of all files together."""
        names = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*") if path.is_file()}
        self._files = {name: self._one(name, path) for name, path in sorted(names.items())}
        tags = "".join(f"{name} {one.tag}\n" for name, one in self._files.items())
        self._stamp = hashlib.sha256(tags.encode()).hexdigest()[:12]
        return self._stamp

    def _one(self, name: str, path: Path) -> PageFile:
        seen = path.stat()
        made, known = (seen.st_mtime_ns, seen.st_size), self._files.get(name)
        if known is not None and known.made == made:
            return known
        content = path.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        return PageFile(made, content, gzip.compress(content, mtime=0), tag, KINDS.get(path.suffix, "text/plain"))

    async def page(self, request: Request) -> Response:
        """The first page, whose links carry the stamp, with the words of the language that the browser asks for."""
        stamp = self.read()
        there = [name[len("locales/") : -len(".json")] for name in self._files if name.startswith("locales/")]
        words = f"locales/{_language(request.headers.get('accept-language', ''), there)}.json"
        content = self._files["index.html"].content.replace(_WORDS.encode(), words.encode())
        content = content.replace(b'"/static/', f'"/static/v-{stamp}/'.encode())
        return _answer(request, content, gzip.compress(content), "text/html", ASK_AGAIN)

    async def file(self, request: Request) -> Response:
        """A file, or that it has not changed. Raises: HTTPException, where there is none."""
        if not self._files:
            self.read()
        asked = _STAMPED.fullmatch(request.path_params["path"])
        found = None if asked is None else self._files.get(asked["name"])
        if asked is None or found is None:
            raise HTTPException(404)
        if asked["stamp"] == self._stamp:
            return _answer(request, found.content, found.packed, found.kind, FOR_EVER)
        headers = ASK_AGAIN | {"etag": found.tag}
        if request.headers.get("if-none-match") == found.tag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.kind, headers=headers)


def _answer(request: Request, content: bytes, packed: bytes, kind: str, keep: dict[str, str]) -> Response:
    headers = keep | {"vary": "accept-encoding, accept-language" if kind == "text/html" else "accept-encoding"}
    if len(packed) < len(content) and _takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(packed, media_type=kind, headers=headers | {"content-encoding": "gzip"})
    return Response(content, media_type=kind, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether a header Accept-Encoding names gzip, and not by a weight of zero."""
    for one in accepted.lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() == "gzip":
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


def _language(accepted: str, there: Iterable[str]) -> str:
    """The first language of a header Accept-Language that there is; English, where none is."""
    names = [one.strip()[:2].lower() for one in accepted.split(",")]
    return next((name for name in names if name in there), "en")
