"""Groups over HTTP."""

import json
from pathlib import Path

from support.client import Client


def test_groups_are_made_changed_and_given_up(badges: Client, tmp_path: Path):
    api = badges
    api.run(do="index")
    one, two, three = api.json(f"{api.c}/pictures?limit=3")["pictures"]
    stripes = api.json(f"{api.c}/groups", {"name": "Stripes", "add": [one["id"], two["id"]]}, status=201)
    assert (stripes["name"], [picture["id"] for picture in stripes["pictures"]]) == ("Stripes", [one["id"], two["id"]])
    checks = api.json(f"{api.c}/groups", {"name": "Checks"}, status=201)
    place = f"{api.c}/groups/{checks['id']}"
    changed = api.json(place, {"add": [two["id"], three["id"]], "name": "Checks & more"}, method="PATCH")
    assert [picture["file"] for picture in changed["pictures"]] == [two["file"], three["file"]]
    found = api.json(f"{api.c}/groups")
    assert [(group["name"], len(group["pictures"])) for group in found] == [("Stripes", 1), ("Checks & more", 2)]
    assert api.json(f"{api.c}/pictures/{three['id']}")["groups"] == ["Checks & more"]
    api.json(place, {"remove": [three["id"]]}, method="PATCH")
    assert api.json(place, method="DELETE") == {"id": checks["id"]}
    assert [group["name"] for group in api.json(f"{api.c}/groups")] == ["Stripes"]
    lines = [json.loads(line) for line in (tmp_path / "photos/.lookalike/judgements.jsonl").read_text().splitlines()]
    assert [line["group"] for line in lines] == [stripes["id"], *[checks["id"]] * 4]
    api.json(f"{api.c}/judgements/last", method="DELETE")  # the giving up
    assert len(api.json(f"{api.c}/groups")) == 2


def test_what_is_no_group_is_named(badges: Client):
    api = badges
    api.run(do="index")
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        assert api.json(f"{api.c}/groups/none", body, method=method, status=404)["error"]["code"] == "group.unknown"
    assert api.json(f"{api.c}/groups/a.b", {"name": "x"}, method="PATCH", status=400)["error"]["code"] == "request"
    assert api.json(f"{api.c}/groups", {"name": "x" * 201}, status=400)["error"]["code"] == "request"
    assert api.json(f"{api.c}/groups", {"add": ["0" * 32]}, status=404)["error"]["code"] == "picture.unknown"
