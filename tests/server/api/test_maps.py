"""The map over HTTP: first the job that makes it, then two numbers a picture."""

import struct

import numpy as np
import pytest
from support.client import Client

from lookalike import Collection

pytest.importorskip("openTSNE")


def test_a_map_is_laid_out_once_and_then_sent(badges: Client):
    api = badges
    assert api.run(do="index")["state"] == "done"
    first = api.get(f"{api.c}/map")
    assert first.status_code == 202
    end = api.events(first.json()["job"])[-1][1]
    assert (end["state"], end["do"]) == ("done", "map")
    answer = api.get(f"{api.c}/map")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
    count, version = struct.unpack("<II", answer.content[:8])
    points = np.frombuffer(answer.content, "<f4", offset=8).reshape(-1, 2)
    page = api.json(f"{api.c}/pictures?limit=500")
    assert (count, version, len(points)) == (page["total"], page["version"], page["total"])
    opened = api.server.workspace.all()[0]
    files, expected = Collection(opened.folder).layout()
    assert [one["file"] for one in page["pictures"]] == files
    np.testing.assert_array_equal(points, expected)
    assert api.json(f"{api.c}/map?lens=stripes", status=404)["error"]["code"] == "lens.unknown"
