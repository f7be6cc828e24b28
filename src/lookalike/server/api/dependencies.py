"""What every route needs: the open collection that its address names."""

from typing import Annotated

from fastapi import Depends, Path, Request
from starlette.concurrency import run_in_threadpool

from lookalike.server.auth import Access
from lookalike.server.schemas import FailureResponse
from lookalike.server.workspace import OpenCollection, Workspace

FAILURES: dict[int | str, dict[str, object]] = {
    status: {"model": FailureResponse} for status in (400, 401, 403, 404, 409, 413, 421, 422, 503)
}
HexId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9a-f]+$")]
GroupId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
QuestionId = Annotated[str, Path(pattern=r"^(teach-[0-9a-f]{32}|blind-[0-9a-f]{32}-[0-9]{1,6})$")]
LensName = Annotated[str, Path(min_length=1, max_length=200)]


# Coroutines, though they wait for nothing: a function would be given a thread.
async def workspace(request: Request) -> Workspace:
    """The collections of this server."""
    found: Workspace = request.app.state.workspace
    return found


async def access(request: Request) -> Access:
    """The secrets of this server."""
    found: Access = request.app.state.access
    return found


async def named(c: HexId, request: Request) -> OpenCollection:
    """The same, for what needs no store. Raises: Refusal."""
    return (await workspace(request)).get(c)


async def opened(c: HexId, request: Request) -> OpenCollection:
    """The collection that an address names. Raises: Refusal; StorageError, where its bucket does not answer."""
    found = await named(c, request)
    if found.table_store.is_needed:
        await run_in_threadpool(found.table_store.require)
    return found


Opened = Annotated[OpenCollection, Depends(opened)]
Named = Annotated[OpenCollection, Depends(named)]
Collections = Annotated[Workspace, Depends(workspace)]
AccessOf = Annotated[Access, Depends(access)]
