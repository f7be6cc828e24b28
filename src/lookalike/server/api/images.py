"""Pictures page by page, one by one, and as images: found by the hash of their content, never by a path."""

import os
import threading
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from lookalike.images.thumbnails import encoded, kept_thumbnail, thumbnail_bytes
from lookalike.index.pictures import PictureList, PicturePage
from lookalike.server.api.dependencies import HexId, Opened
from lookalike.server.picture_files import size_of
from lookalike.server.schemas import Order, PagesResponse, PictureOut, PictureResponse, Side
from lookalike.server.timed import timed
from lookalike.server.workspace import OpenCollection

router = APIRouter(tags=["pictures"])
DECODERS = threading.Semaphore(min(4, os.cpu_count() or 1))  # more would be no faster, and each takes up to 100 MB
FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}
Key = Annotated[str | None, Query(max_length=64, description="the session's image_key, in place of a token")]


class JpegResponse(Response):
    """A picture as it may be shown in a page."""

    media_type = "image/jpeg"


_BINARY = {"schema": {"type": "string", "format": "binary"}}
IMAGE: dict[str, Any] = {
    "response_class": Response,  # its own type would be taken for that of errors
    "responses": {200: {"description": "A JPEG.", "content": {"image/jpeg": _BINARY}}},
}
FILE: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"description": "A file to save.", "content": {"application/octet-stream": _BINARY}}},
}


@router.get("/c/{c}/pictures")
async def pictures(
    opened: Opened,
    offset: Annotated[int, Query(ge=0, le=10**12)] = 0,
    limit: Annotated[int, Query(ge=0, le=500)] = 100,
    where: Annotated[str | None, Query(max_length=4000)] = None,
    order: Order = "file",
) -> PagesResponse:
    """Some of the pictures, by file, date or at random."""
    found = await run_in_threadpool(_list, opened)

    def read() -> PicturePage:
        return found.page(offset, limit, where=where or None, order=order)

    page = await (timed(read) if where else run_in_threadpool(read))
    return PagesResponse(
        version=page.version,
        total=page.total,
        offset=page.offset,
        pictures=[PictureOut.of(one) for one in page.pictures],
    )


def _list(opened: OpenCollection) -> PictureList:
    """The pictures, with the columns that a page shows: to read them the first time takes long in a large table."""
    found = opened.pictures()
    found.page(limit=1)
    return found


@router.get("/c/{c}/pictures/{id}")
def picture(opened: Opened, id: HexId) -> PictureResponse:
    """All that is known of a picture."""
    found = opened.files_of(id)
    first = found[0]
    files = {one.file for one in found}
    size = next((size for one in found if (size := size_of(one, opened.collection.home.pictures))), 0)
    about = [
        {"query": one.query, "yes": one.yes, "no": one.no, "t": one.t, "who": one.who}
        for one in opened.collection.judgements.standing()
        if files & one.files
    ]
    groups = [one.name or one.id for one in opened.collection.judgements.groups() if files & set(one.files)]
    return PictureResponse(
        **PictureOut.of(first).model_dump(),
        files=[one.file for one in found],
        bytes=size,
        mtime=datetime.fromtimestamp(first.mtime_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        groups=groups,
        judgements=about,
    )


@router.get("/c/{c}/thumbs/{id}", **IMAGE)
def thumb(opened: Opened, id: HexId, side: Side = Side.MEDIUM, key: Key = None) -> Response:
    """A small picture."""
    found, home = opened.files_lately(id) or opened.files_of(id), opened.collection.home
    content = kept_thumbnail(found[0].content, home.cache, int(side))
    if content is None:
        _, original = opened.read(found)  # a bucket answers slowly: meanwhile others decode
        with DECODERS:
            content = thumbnail_bytes(lambda: original, found[0].content, home.cache, int(side))
    return JpegResponse(content, headers=FOR_EVER)


@router.get("/c/{c}/images/{id}", **IMAGE)
def image(opened: Opened, id: HexId, side: Annotated[int, Query(ge=64, le=2560)] = 1600, key: Key = None) -> Response:
    """A large picture, upright, encoded anew."""
    found = opened.files_of(id)
    _, original = opened.read(found)
    with DECODERS:
        content = encoded(original, side)
    return JpegResponse(content, headers=FOR_EVER)


@router.get("/c/{c}/originals/{id}", **FILE)
def original(opened: Opened, id: HexId, key: Key = None) -> Response:
    """The file itself, to be saved."""
    picture, content = opened.read(opened.files_of(id))
    name = quote(picture.path.name.encode("utf-8", "surrogateescape"), safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(content, media_type="application/octet-stream", headers=headers)
