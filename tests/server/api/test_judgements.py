"""Judgements over HTTP: kept at once, taken back."""

import json
from pathlib import Path

from support.client import Client


def test_judgements_are_kept_at_once_and_taken_back(badges: Client, tmp_path: Path):
    api = badges
    api.run(do="index")
    pictures = api.json(f"{api.c}/pictures?limit=4")["pictures"]
    one, two, three, four = (picture["id"] for picture in pictures)
    assert api.json(f"{api.c}/judgements", {"query": one, "yes": [two, three]}, status=201)["lines"] == 2
    file = tmp_path / "photos" / ".lookalike" / "judgements.jsonl"
    assert [json.loads(line)["yes"] for line in file.read_text().splitlines()] == [
        pictures[1]["file"],
        pictures[2]["file"],
    ]
    standing = api.json(f"{api.c}/judgements")
    assert [(said["query"]["id"], said["yes"]["id"], said["no"]) for said in standing] == [
        (one, two, None),
        (one, three, None),
    ]
    assert api.json(f"{api.c}/pictures/{two}")["judgements"][0]["query"] == pictures[0]["file"]
    assert api.json(f"{api.c}/judgements/last", method="DELETE")["yes"] == pictures[2]["file"]
    assert len(api.json(f"{api.c}/judgements")) == 1
    api.json(f"{api.c}/judgements/last", method="DELETE")
    assert api.json(f"{api.c}/judgements/last", method="DELETE", status=404)["error"]["code"] == "judgements.none"
    wrong = {"query": one, "yes": ["0" * 32]}
    assert api.json(f"{api.c}/judgements", wrong, status=404)["error"]["code"] == "picture.unknown"
    assert api.json(f"{api.c}/judgements", {"query": one, "yes": [one]}, status=422)["error"]["code"] == "examples"
    assert four not in file.read_text()
