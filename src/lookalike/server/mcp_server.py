"""The Model Context Protocol: a collection as tools for assistants, over standard input and output."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from mcp.server.mcpserver import Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from lookalike import __version__
from lookalike.collection.search_options import SearchKeywords
from lookalike.errors import LookalikeError
from lookalike.images.thumbnails import encoded, thumbnail_bytes
from lookalike.index.pictures import Picture
from lookalike.progress import SILENT
from lookalike.server.errors import Refusal
from lookalike.server.schemas import JobRequest
from lookalike.server.work import use_work, work_for
from lookalike.server.workspace import OpenCollection

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
MOST_HITS, THUMB_PX, PICTURE_PX, MOST_BASE64 = 50, 320, 1024, 14_000_000
INSTRUCTIONS = (
    "A collection of pictures that is searched by similarity. A picture is named by its id (32 hex digits), which "
    "search and pictures give. A lens is a learned meaning of 'similar'; 'plain' is the one without examples."
)
Ids = Annotated[list[str], Field(max_length=100)]


class CollectionTools:
    """What assistants can do with a collection; each method is a tool, its docstring what they read.

    Args:
        opened: the collection.
    """

    def __init__(self, opened: OpenCollection):
        self.opened = opened

    def status(self) -> dict[str, Any]:
        """How many pictures the collection has, whether it knows words, the lens in use, and what cannot be read."""
        with self.opened.lock, _told():
            found = self.opened.collection.status()
            config = self.opened.collection.home.require_config()
            found["words"] = self.opened.collection.backbone.has_words
        found["lens"] = config.lens or "plain"
        names = ("pictures", "contents", "backbone", "words", "lens", "refused", "other_files")
        return {name: found[name] for name in names}

    def lenses(self) -> list[dict[str, Any]]:
        """The learned lenses: name, verdict of its proof, and the proof in words."""
        with self.opened.lock, _told():
            return self.opened.collection.lenses()

    def pictures(
        self, offset: Annotated[int, Field(ge=0)] = 0, limit: Annotated[int, Field(ge=1, le=500)] = 50, where: str = ""
    ) -> dict[str, Any]:
        """Pictures in the order of their files. where: an SQL condition on file, width, height, bytes, mtime."""
        with _told():
            page = self.opened.pictures().page(offset, limit, where=where or None)
        return {"total": page.total, "pictures": [_about(one) for one in page.pictures]}

    def look(self, id: str) -> list[Any]:
        """One picture, large, with the names of its files."""
        with _told():
            found = self.opened.files_of(id)
            picture, content = self.opened.read(found)
            image = Image(data=encoded(content, PICTURE_PX), format="jpeg")
        return [json.dumps({**_about(picture), "files": [one.file for one in found]}, ensure_ascii=False), image]

    def search(
        self,
        positive: Ids = (),  # type: ignore[assignment]
        negative: Ids = (),  # type: ignore[assignment]
        picture_base64: Annotated[str, Field(max_length=MOST_BASE64)] = "",
        k: Annotated[int, Field(ge=1, le=MOST_HITS)] = 10,
        lens: str = "",
        where: str = "",
        text: Annotated[str, Field(max_length=1000)] = "",
    ) -> list[Any]:
        """The pictures most like the positive ones and unlike the negative ones, the best first, as images.

        To refine a search, ask again with the hits that were right as positive and those that were wrong as negative:
        none of them comes again. similarity: to the nearest of the positive ones; with a text the mean of those to all.
        positive, negative: ids. text: what the pictures should show, in a few words, alone or beside pictures, where
        the collection knows words, which status says. picture_base64: a picture that is not in the collection, to ask
        with as well. lens: its name, or plain; left out, the one in use. where: an SQL condition on file, width,
        height, bytes, mtime. likely, of a hit: how likely it is right, 0 to 1; null where nobody knows.
        """
        with self.opened.lock, _told():
            asked: list[Any] = [self.opened.picture(id) for id in positive]
            if picture_base64:
                asked.append(_decoded(picture_base64))
            against = [self.opened.picture(id) for id in negative]
            if not asked and not text:
                raise Refusal(400, "request", "no positive picture. Name the id of one, send one, or give a text.")
            collection = self.opened.collection
            options: SearchKeywords = {"lens": lens or None, "where": where or None}
            alone = len(asked) == 1 and not against
            if text:
                options["text"] = text
            if not alone:
                options |= {"positive": asked, "negative": against}
            hits = collection.search(asked[0] if alone else None, k, **options)
            found = [self.opened.picture(hit.content.hex()) for hit in hits if hit.content is not None]
            lines = [
                {**_about(one), "file": hit.file, "similarity": round(hit.similarity, 3), "likely": hit.likely}
                for hit, one in zip(hits, found, strict=True)
            ]
        thumbs = [image for one in found if (image := self._thumb(one)) is not None]
        note = {"note": hits.note} if hits.note else {}
        return [json.dumps({"lens": hits.lens, **note, "hits": lines}, ensure_ascii=False), *thumbs]

    def judge(self, query: str, yes: Ids, no: Ids = ()) -> dict[str, int]:  # type: ignore[assignment]
        """Say which pictures (ids) belong with the query picture, and which do not."""
        with self.opened.lock, _told():
            name = self.opened.picture(query).file
            right, wrong = ([self.opened.picture(id).file for id in ids] for ids in (yes, no))
            return {"judgements": self.opened.collection.judgements.add_answer(name, right, wrong, "assistant")}

    def undo(self) -> dict[str, Any]:
        """Take the last judgement back."""
        with _told():
            taken = self.opened.collection.judgements.undo()
        return {"said": str(taken), **taken.to_json()}

    def teach(self, name: str, replace: bool = False) -> dict[str, Any]:
        """Learn a lens of this name from the judgements, and prove it on held-out ones. Then use can serve it."""
        with _told():
            request = JobRequest(do="learn", name=name, replace=replace, quick=True, epochs=None, seed=0)
            result: dict[str, Any] = work_for(self.opened, request)(SILENT)
            return result

    def use(self, name: str) -> dict[str, str]:
        """Search through this lens from now on, if its proof says that it is better; "plain" goes back."""
        with self.opened.lock, _told():
            return use_work(self.opened.collection, name, anyway=False)

    def _thumb(self, picture: Picture) -> Image | None:
        home = self.opened.collection.home

        def read() -> bytes:
            return self.opened.read([picture])[1]

        try:
            return Image(data=thumbnail_bytes(read, picture.content, home.cache, THUMB_PX), format="jpeg")
        except (LookalikeError, Refusal):  # its file is away: the line about it is there
            return None


def mcp_server(folder: Path | str, at: Path | str | None = None, *, changes: bool = False) -> MCPServer[Any]:
    """The server of one collection.

    Args:
        folder: of the pictures, or an address.
        at: where the collection is kept; None for within the folder.
        changes: offer the tools that judge, teach and put a lens into service, too.
    """
    server: MCPServer[Any] = MCPServer("lookalike", version=__version__, instructions=INSTRUCTIONS, log_level="WARNING")
    tools = CollectionTools(OpenCollection(folder, at))
    reading: tuple[Callable[..., Any], ...] = (tools.status, tools.lenses, tools.pictures)
    showing: tuple[Callable[..., Any], ...] = (tools.search, tools.look)
    writing: tuple[Callable[..., Any], ...] = (tools.judge, tools.undo, tools.teach, tools.use)
    for tool in reading:
        server.tool(annotations=READS)(tool)
    for tool in showing:
        server.tool(annotations=READS, structured_output=False)(tool)
    for tool in writing if changes else ():
        server.tool(annotations=WRITES)(tool)
    return server


@contextmanager
def _told() -> Iterator[None]:
    """What the library refuses, as the line that an assistant reads."""
    try:
        yield
    except LookalikeError as error:
        raise ToolError(str(error)) from error
    except Refusal as refusal:
        raise ToolError(refusal.message) from refusal


def _about(picture: Picture) -> dict[str, Any]:
    return {"id": picture.id, "file": picture.file, "width": picture.width, "height": picture.height}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(400, "request", "picture_base64 is no base64.") from None
