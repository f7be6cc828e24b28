"""The page's files as they lie in git, kept in memory, and under an address that changes when one of them does."""

import hashlib
import re
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


@dataclass(frozen=True)
class PageFile:
    """A file of the page.

    Attributes:
        made: its date and size, by which a change is noticed.
        content: its bytes; tag: their hash; kind: their media type.
    """

    made: tuple[int, int]
    content: bytes
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
        return PageFile(made, content, tag, KINDS.get(path.suffix, "text/plain"))

    async def page(self, _: Request) -> Response:
        """The first page, whose links carry the stamp."""
        stamp = self.read()
        content = self._files["index.html"].content.replace(b'"/static/', f'"/static/v-{stamp}/'.encode())
        return Response(content, media_type="text/html", headers=ASK_AGAIN)

    async def file(self, request: Request) -> Response:
        """A file, or that it has not changed. Raises: HTTPException, where there is none."""
        if not self._files:
            self.read()
        asked = _STAMPED.fullmatch(request.path_params["path"])
        found = None if asked is None else self._files.get(asked["name"])
        if asked is None or found is None:
            raise HTTPException(404)
        if asked["stamp"] == self._stamp:
            return Response(found.content, media_type=found.kind, headers=FOR_EVER)
        headers = ASK_AGAIN | {"etag": found.tag}
        if request.headers.get("if-none-match") == found.tag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.kind, headers=headers)
