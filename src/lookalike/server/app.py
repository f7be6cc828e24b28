"""The ASGI application: every route, the static files, and the guard around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from lookalike import __version__
from lookalike.errors import LookalikeError, MissingExtraError
from lookalike.server import errors
from lookalike.server.api import (
    collections,
    groups,
    images,
    jobs,
    judgements,
    learning,
    maps,
    questions,
    search,
)
from lookalike.server.api.dependencies import FAILURES
from lookalike.server.auth import Access, App, Guard
from lookalike.server.kept import KeptThumbnails
from lookalike.server.page_files import PageFiles
from lookalike.server.workspace import Workspace

STATIC = Path(__file__).parent / "static"


def create_app(workspace: Workspace, access: Access, *, metrics: bool = False) -> Guard:
    """The application behind its guard.

    Args:
        workspace: the collections that are open.
        access: who may ask what.
        metrics: count requests, for /metrics.
    Raises: MissingExtraError, where metrics are asked for without prometheus-client.
    """
    app: App = KeptThumbnails(bare_app(workspace, access), workspace)
    if metrics:
        try:
            counting = import_module("lookalike.server.metrics")
        except ImportError as error:
            raise MissingExtraError("/metrics", "metrics") from error
        app = counting.Metrics(app, workspace)
    return Guard(app, access)


def bare_app(workspace: Workspace, access: Access) -> FastAPI:
    """The application without its guard: never served as it is."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        workspace.close()

    app = FastAPI(
        title="lookalike",
        version=__version__,
        description="A picture library that finds the ones like this, and that people can teach what that means.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
    )
    app.state.workspace, app.state.access = workspace, access
    app.router.routes[:0] = PageFiles(STATIC).routes()  # before all others: these are what most requests are for
    for part in (collections, images, search, judgements, groups, questions, learning, maps, jobs):
        app.include_router(part.router, prefix="/api", responses=FAILURES)
    app.add_exception_handler(errors.Refusal, errors.on_refusal)
    app.add_exception_handler(LookalikeError, errors.on_lookalike_error)
    app.add_exception_handler(RequestValidationError, errors.on_invalid_request)
    app.add_exception_handler(HTTPException, errors.on_http_error)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app
