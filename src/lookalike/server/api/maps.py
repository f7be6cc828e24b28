"""Where each picture lies in two dimensions."""

import struct
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from lookalike.server.api.dependencies import Opened
from lookalike.server.api.images import FILE
from lookalike.server.jobs import Job
from lookalike.server.schemas import JobOut, JobRequest
from lookalike.server.work import work_for
from lookalike.server.workspace import OpenCollection

router = APIRouter(tags=["maps"])
WAITING = {**FILE, "responses": {**FILE["responses"], 202: {"model": JobOut, "description": "It is being laid out."}}}


@router.get("/c/{c}/map", **WAITING)
def layout_map(opened: Opened, lens: Annotated[str, Query(min_length=1, max_length=200)] = "plain") -> Response:
    """The layout of all pictures: uint32 number, uint32 version of the table, then x and y of each, float32, 0 to 1.

    All are little-endian, in the order of order=file. Until it is there, the answer is 202 with the job that makes it.
    """
    with opened.lock:
        points = opened.collection.kept_layout(lens=lens)
        version = opened.pictures().gallery.version
    if points is None:
        return JSONResponse({"job": JobOut.of(_job(opened, lens)).model_dump()}, 202)
    body = struct.pack("<II", len(points), version) + points.astype("<f4").tobytes()
    return Response(body, media_type="application/octet-stream")


def _job(opened: OpenCollection, lens: str) -> Job:
    """The job that lays out; the one that runs already, if it does that. Raises: Refusal, while another one runs."""
    running = opened.jobs.running()
    if running is not None and running.do == "map":
        return running
    return opened.jobs.start("map", work_for(opened, JobRequest(do="map", lens=lens, epochs=None, seed=0)))
