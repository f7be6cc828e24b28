"""Errors as answers: a status and a code each."""

import asyncio
import json

import pytest
from support.client import Client

from lookalike.errors import CollectionError, ImageError, LensError, LockedError, LookalikeError, QueryError
from lookalike.server.errors import Refusal, on_lookalike_error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (LensError("x", code="lens.unknown"), 404, "lens.unknown"),
        (LensError("x", code="lens.refused"), 409, "lens.refused"),
        (LockedError("x"), 409, "collection.locked"),
        (CollectionError("x", code="collection.offline"), 503, "collection.offline"),
        (ImageError("x", "not a picture"), 422, "image.not_a_picture"),
        (QueryError("x"), 422, "query"),
    ],
)
def test_what_the_library_refuses_has_its_status(error: LookalikeError, status: int, code: str):
    answer = asyncio.run(on_lookalike_error(None, error))
    assert (answer.status_code, json.loads(answer.body)) == (
        status,
        {"error": {"code": code, "message": "x", "details": {}}},
    )


def test_a_refusal_carries_details():
    answer = Refusal(409, "job.running", "busy.", {"job": "1f"}).response()
    assert json.loads(answer.body)["error"]["details"] == {"job": "1f"}


def test_requests_that_are_not_understood_are_one_line(api: Client):
    for body, said in (
        ({}, "body.positive"),
        ({"positive": [{"id": "zz"}]}, "body.positive.0.id"),
        ({"positive": [{"id": "00"}], "k": 1001}, "body.k"),
        ({"positive": [{"id": "00", "region": [0, 0, 2, 1]}]}, "body.positive.0.region.2"),
        ({"positive": [{"id": "00"}], "path": "/etc/passwd"}, "body.path"),
    ):
        error = api.json(f"{api.c}/search", body, status=400)["error"]
        assert error["code"] == "request"
        assert error["message"].startswith(said)
        assert "\n" not in error["message"]
    broken = api.post(f"{api.c}/search", content=b"{" * 50_000, headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "request")
    assert api.json("/api/nothing", status=404)["error"]["code"] == "request.unknown"
    assert api.json("/api/session", {}, method="DELETE", status=405)["error"]["code"] == "request.method"
