"""Figures for Prometheus: only when asked, counted by route."""

from pathlib import Path

import pytest
from support.client import Client

from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace

parser = pytest.importorskip("prometheus_client.parser")


def test_requests_are_counted_by_route_and_pictures_by_collection(drawn_photos: Path):
    workspace = Workspace()
    opened = workspace.add(drawn_photos)
    with Server(workspace, Listening(port=0, metrics=True)).running() as server, Client(server) as api:
        for id in (api.id_of("00.png"), api.id_of("01.png"), "0" * 32):
            api.get(f"{api.c}/thumbs/{id}")
        assert api.get("/metrics", headers={"authorization": ""}).status_code == 401
        text = api.get("/metrics").text
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    route = "/c/{c}/thumbs/{id}"
    assert found[("lookalike_requests_total", *sorted(["GET", route, "200"]))] == 2
    assert found[("lookalike_requests_total", *sorted(["GET", route, "404"]))] == 1
    assert found[("lookalike_request_seconds_count", *sorted(["GET", route]))] == 3
    assert found["lookalike_pictures", opened.id] == 12
    assert found["lookalike_online", opened.id] == 1
    assert opened.picture(opened.pictures().at(0).id).id not in text


def test_without_being_asked_there_are_none(api: Client):
    assert api.get("/metrics").status_code == 404
