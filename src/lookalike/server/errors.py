"""Errors -> answers: a status, a code for programs, one line for people; never a path or a traceback."""

import logging
import secrets
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from lookalike.errors import LookalikeError, StorageError

LOG = logging.getLogger("lookalike.server")
STATUS = {
    "lens.unknown": 404,
    "lens.refused": 409,
    "lens.taken": 409,
    "collection.locked": 409,
    "collection.offline": 503,
    "collection.damaged": 503,
    "query.unknown": 404,
}
_HTTP_CODES = {404: "request.unknown", 405: "request.method", 408: "request.slow", 413: "request.too_large"}


class Refusal(Exception):  # noqa: N818  (an answer, not a fault)
    """An answer that is an error.

    Args:
        status: of HTTP.
        code: what tells the reason apart.
        message: one line.
        details: what a program may want to know of it.
    """

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any] | None = None):
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details or {}

    def response(self) -> JSONResponse:
        """The answer."""
        return error_response(self.status, self.code, self.message, self.details)


def error_response(status: int, code: str, message: str, details: dict[str, Any] | None = None) -> JSONResponse:
    """An error as JSON: {"error": {"code", "message", "details"}}."""
    return JSONResponse({"error": {"code": code, "message": message, "details": details or {}}}, status)


def internal_error(error: Exception) -> JSONResponse:
    """A fault of ours: it is logged under a number, and the answer says no more than that."""
    number = secrets.token_hex(4)
    LOG.error("error %s", number, exc_info=error)
    return error_response(500, "server.error", f"an error of lookalike itself, {number} in the server's log.")


async def on_refusal(_: Request, error: Exception) -> JSONResponse:
    """The answer to a Refusal."""
    assert isinstance(error, Refusal)
    return error.response()


async def on_lookalike_error(_: Request, error: Exception) -> JSONResponse:
    """The answer to what the library refuses."""
    assert isinstance(error, LookalikeError)
    status = 503 if isinstance(error, StorageError) else STATUS.get(error.code, 422)
    return error_response(status, error.code, str(error), error.details)


async def on_invalid_request(_: Request, error: Exception) -> JSONResponse:
    """The answer to a request whose values are none of those that the schema allows."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return error_response(400, "request", f"{where[:200]}: {first['msg'][:200]}")


async def on_http_error(_: Request, error: Exception) -> JSONResponse:
    """The answer to what Starlette refuses."""
    assert isinstance(error, HTTPException)
    return error_response(error.status_code, _HTTP_CODES.get(error.status_code, "request"), str(error.detail))
