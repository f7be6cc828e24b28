"""Thumbnails that are kept: sent on past the layers that check and describe requests; a page asks for hundreds."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lookalike.images.thumbnails import kept_thumbnail
from lookalike.server.api.images import FOR_EVER
from lookalike.server.auth import App, Receive, Scope, Send
from lookalike.server.errors import Refusal
from lookalike.server.workspace import Workspace

_PATH = re.compile(r"/api/c/([0-9a-f]{1,64})/thumbs/([0-9a-f]{32})")
_QUERY = re.compile(rb"side=(160|320|640)(?:&key=[0-9a-f]{0,64})?")
_READERS = ThreadPoolExecutor(4, "kept thumbnails")
_HEADERS = [(b"content-type", b"image/jpeg"), *((name.encode(), value.encode()) for name, value in FOR_EVER.items())]


@dataclass(frozen=True)
class _Route:
    """What `Metrics` counts by."""

    path: str = "/api/c/{c}/thumbs/{id}"


class KeptThumbnails:
    """Answers what asks for a thumbnail that is kept; all else, and all that is wrong, goes on to the application.

    Args:
        app: the application, which answers the same.
        workspace: its collections.
    """

    def __init__(self, app: App, workspace: Workspace):
        self.app, self.workspace = app, workspace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose access was checked."""
        content = await self._kept(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if content is None:
            return await self.app(scope, receive, send)
        scope["route"] = _Route()
        headers = [*_HEADERS, (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})
        return None

    async def _kept(self, scope: Scope) -> bytes | None:
        asked, query = _PATH.fullmatch(scope["path"]), _QUERY.fullmatch(scope["query_string"])
        if asked is None or query is None:
            return None
        try:
            opened = self.workspace.get(asked[1])
        except Refusal:
            return None
        if not (found := opened.files_lately(asked[2])):
            return None
        cache, loop = opened.collection.home.cache, asyncio.get_running_loop()
        return await loop.run_in_executor(_READERS, kept_thumbnail, found[0].content, cache, int(query[1]))
