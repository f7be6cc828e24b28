"""Work that takes time: started, watched, stopped."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from lookalike.server.api.dependencies import HexId, Named
from lookalike.server.api.images import FILE, Key
from lookalike.server.errors import Refusal
from lookalike.server.jobs import Job
from lookalike.server.schemas import JobOut, JobRequest
from lookalike.server.work import work_for

router = APIRouter(tags=["jobs"])
EVERY_S, COMMENT_S = 0.1, 15
_TEXT = {"text/event-stream": {"schema": {"type": "string"}}}
EVENTS: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"description": "Events.", "content": _TEXT}},
}


@router.post("/c/{c}/jobs", status_code=202)
def start_job(opened: Named, request: JobRequest) -> JobOut:
    """Begin to index, learn, use a lens, or export; one at a time."""
    return _shown(opened.jobs.start(request.do, work_for(opened, request)))


@router.get("/c/{c}/jobs")
def jobs(opened: Named) -> list[JobOut]:
    """The last jobs, the newest first."""
    return [_shown(job) for job in opened.jobs.list()]


@router.get("/c/{c}/jobs/{j}")
def job(opened: Named, j: HexId) -> JobOut:
    """One job."""
    return _shown(opened.jobs.get(j))


@router.delete("/c/{c}/jobs/{j}", status_code=202)
def stop_job(opened: Named, j: HexId) -> JobOut:
    """Ask a job to stop: it does so at its next report."""
    return _shown(opened.jobs.stop(j))


@router.get("/c/{c}/jobs/{j}/events", **EVENTS)
async def job_events(opened: Named, j: HexId, request: Request) -> StreamingResponse:
    """What happens to a job, as text/event-stream: first the whole job, then stage, curve, said, end."""
    return StreamingResponse(_events(opened.jobs.get(j), request), media_type="text/event-stream")


@router.get("/c/{c}/jobs/{j}/result", **FILE)
def job_result(opened: Named, j: HexId, key: Key = None) -> FileResponse:
    """The file that an export made."""
    found = opened.jobs.get(j)
    if found.do != "export" or found.state != "done" or not Path(found.result["path"]).is_file():
        raise Refusal(404, "job.no_file", "this job made no file.")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(found.result['file'], safe='')}"}
    return FileResponse(found.result["path"], media_type="application/octet-stream", headers=headers)


def _shown(job: Job) -> JobOut:
    """A job as the answer holds it, without the place of its file."""
    shown = JobOut.of(job)
    if isinstance(shown.result, dict):
        shown.result = {key: value for key, value in shown.result.items() if key != "path"}
    return shown


async def _events(job: Job, request: Request) -> AsyncIterator[str]:
    seen, curve, said = job.revision, len(job.curve), len(job.said)
    yield _event("job", _shown(job).model_dump())
    quiet = 0.0
    while not job.is_over and not await request.is_disconnected():
        await asyncio.sleep(EVERY_S)
        quiet += EVERY_S
        if job.revision == seen:
            if quiet >= COMMENT_S:
                quiet = 0.0
                yield ": still here\n\n"
            continue
        seen, quiet = job.revision, 0.0
        points, lines = list(job.curve), list(job.said)
        yield _event("stage", {"state": job.state, "stage": job.stage})
        if len(points) < curve or (points and len(points) == curve):  # thinned, or begun anew
            yield _event("curve", {"whole": True, "points": points})
        elif len(points) > curve:
            yield _event("curve", {"whole": False, "points": points[curve:]})
        curve = len(points)
        if len(lines) != said:
            yield _event("said", {"lines": lines[said:] if len(lines) > said else lines[-1:]})
        said = len(lines)
    yield _event("end", _shown(job).model_dump())


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
