"""Asking: with pictures of the collection, with pictures that are sent, with parts of them, for and against."""

import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from lookalike.errors import LensError
from lookalike.images.crop import crop
from lookalike.index.hits import Hits
from lookalike.index.words import Text, Weighted
from lookalike.server.api.dependencies import HexId, Opened
from lookalike.server.api.images import DECODERS, FOR_EVER, IMAGE, JpegResponse, Key
from lookalike.server.errors import Refusal
from lookalike.server.schemas import (
    Asked,
    DuplicatesOut,
    HitOut,
    PictureOut,
    QueryResponse,
    SearchRequest,
    SearchResponse,
)
from lookalike.server.timed import timed
from lookalike.server.workspace import OpenCollection

router = APIRouter(tags=["search"])
_PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/c/{c}/queries", status_code=201, openapi_extra=_PICTURE)
async def send_picture(opened: Opened, request: Request) -> QueryResponse:
    """Send a picture to ask with: the body is its file, at most 50 MB. The last 32 are kept, in memory alone."""
    content = await request.body()

    def keep() -> QueryResponse:
        with DECODERS:
            upload = opened.uploads.add(content)
        known = opened.pictures().find(upload.hash.hex()) if opened.is_indexed else []
        return QueryResponse(
            query=upload.id, width=upload.width, height=upload.height, known=known[0].id if known else None
        )

    return await run_in_threadpool(keep)


@router.get("/c/{c}/queries/{q}/thumb", **IMAGE)
def sent_picture(opened: Opened, q: HexId, key: Key = None) -> JpegResponse:
    """A picture that was sent, no larger than 1600 pixels."""
    return JpegResponse(opened.uploads.get(q).thumbnail, headers=FOR_EVER)


@router.post("/c/{c}/search")
async def search(opened: Opened, request: SearchRequest) -> SearchResponse:
    """The pictures most like what is asked with.

    With more than one picture, or one against: ranked by a regression through them, none of them among the hits, and a
    hit's similarity is that to the nearest positive one.
    """
    limit_s = None if request.where else 30.0
    await run_in_threadpool(opened.count)  # opens the table, the first time
    return await timed(lambda: _search(opened, request), limit_s)


def _search(opened: OpenCollection, request: SearchRequest) -> SearchResponse:
    started = time.perf_counter()
    options: dict[str, Any] = {
        "lens": request.lens,
        "where": request.where or None,
        "others": request.others,
        "min_similarity": request.min_similarity,
        "likely": request.likely,
        "reverse": request.reverse,
        "unique": request.unique,
    }
    first, *more = request.positive
    alone = not more and not request.negative and first.text is None
    if alone:
        query, region = _source(opened, first), first.region
    else:
        options["positive"] = [_part(opened, one) for one in request.positive]
        options["negative"] = [_part(opened, one) for one in request.negative]
        query, region = None, None
    with opened.lock:
        hits = opened.collection.search(query, request.k, region=region, **options)
        # Hits of several come in another order than their similarities.
        cut = _cut(opened, hits) if alone and not request.reverse else None
        pictures = opened.pictures()
        found = pictures.named([hit.file for hit in hits])
    return SearchResponse(
        version=pictures.gallery.version,
        lens=hits.lens,
        cut=cut,
        took_ms=round(1000 * (time.perf_counter() - started), 1),
        note=hits.note,
        hidden=hits.hidden,
        hits=[HitOut.of_hit(hit, one) for hit, one in zip(hits, found, strict=True) if one is not None],
    )


def _source(opened: OpenCollection, asked: Asked) -> Any:
    """What the library is asked with. Raises: Refusal."""
    if [asked.id, asked.query, asked.text].count(None) != 2:
        raise Refusal(400, "request", "name either the id of a picture, a query that was sent, or a text.")
    if asked.text is not None:
        if asked.region is not None:
            raise Refusal(400, "request", "a region of a text: only pictures have one.")
        return Text(asked.text)
    if asked.query is not None:
        return opened.uploads.get(asked.query).content
    assert asked.id is not None
    if asked.region is not None:  # its pixels are needed
        return opened.read(opened.files_of(asked.id))[1]
    return opened.picture(asked.id)


def _part(opened: OpenCollection, asked: Asked) -> Any:
    """One of several that are asked with: a text, a picture or a part of one, with its weight."""
    source = _source(opened, asked)
    if asked.region is not None:
        side_px = opened.collection.backbone.bundle.side_px
        with DECODERS:
            source = crop(source, asked.region, side_px)
    return source if asked.weight == 1 else Weighted(source, asked.weight)


def _cut(opened: OpenCollection, hits: Hits) -> float | None:
    if hits.lens == "plain":
        return None
    try:
        proof = opened.collection.lens(hits.lens).proof
    except LensError:
        return None
    return None if proof is None or proof.threshold is None else proof.threshold.similarity


@router.get("/c/{c}/duplicates")
def duplicates(opened: Opened, least: float | None = None) -> list[DuplicatesOut]:
    """Groups of equal and nearly equal pictures, equal ones first."""
    with opened.lock:
        groups = opened.collection.duplicates(least)
        pictures = opened.pictures()
    apart, found = opened.collection.judgements.distinct(), []
    for group in groups:
        others = [one for one in group.others if frozenset((group.keep, one[0])) not in apart]
        if not others:
            continue
        files = [group.keep, *(file for file, _ in others)]
        shown = [PictureOut.of(one) for one in pictures.named(files) if one is not None]
        worst = min(similarity for _, similarity in others)
        found.append(DuplicatesOut(equal=worst >= 1, least=round(worst, 4), keep=shown[0].id, pictures=shown))
    return sorted(found, key=lambda one: not one.equal)
