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
    assert [(said["kind"], said["query"]["id"], said["yes"]["id"], said["no"]) for said in standing] == [
        ("pair", one, two, None),
        ("pair", one, three, None),
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


def test_what_does_not_belong_is_kept_as_apart_and_never_as_a_triplet(badges: Client, tmp_path: Path):
    api = badges
    api.run(do="index")
    one, two, three, four = api.json(f"{api.c}/pictures?limit=4")["pictures"]
    body = {"query": one["id"], "yes": [two["id"]], "no": [three["id"], four["id"]]}
    assert api.json(f"{api.c}/judgements", body, status=201)["lines"] == 3
    lines = [json.loads(line) for line in (tmp_path / "photos/.lookalike/judgements.jsonl").read_text().splitlines()]
    assert [line.get("apart") for line in lines] == [
        None,
        [one["file"], three["file"]],
        [one["file"], four["file"]],
    ]
    assert (lines[0]["yes"], lines[0]["no"]) == (two["file"], None)
    assert [said["kind"] for said in api.json(f"{api.c}/judgements")] == ["pair", "apart", "apart"]
    both = {"query": one["id"], "yes": [two["id"]], "no": [two["id"]]}
    assert api.json(f"{api.c}/judgements", both, status=422)["error"]["code"] == "examples"


def test_what_is_no_duplicate_is_not_shown_as_one_again(badges: Client):
    api = badges
    api.run(do="index")
    first = api.json(f"{api.c}/duplicates?least=0.5")[0]
    keep, *others = [one["id"] for one in first["pictures"]]
    for id in others:
        assert api.json(f"{api.c}/duplicates", {"distinct": [keep, id]}, status=201)["lines"] == 1
    again = api.json(f"{api.c}/duplicates?least=0.5")
    assert keep not in [one["keep"] for one in again]
    assert all(said["kind"] == "distinct" for said in api.json(f"{api.c}/judgements"))


def test_what_was_said_of_two_pictures_is_taken_back_from_any_line(badges: Client, tmp_path: Path):
    api = badges
    api.run(do="index")
    one, two, three = (picture["id"] for picture in api.json(f"{api.c}/pictures?limit=3")["pictures"])
    api.json(f"{api.c}/judgements", {"query": one, "yes": [two], "no": [three]}, status=201)
    api.json(f"{api.c}/groups", {"name": "both", "add": [one, two]}, status=201)
    assert api.json(f"{api.c}/status")["lines"] == 3
    assert api.json(f"{api.c}/judgements/{two}/{one}", method="DELETE") == {"lines": 1}
    assert [said["kind"] for said in api.json(f"{api.c}/judgements")] == ["apart"]
    assert len(api.json(f"{api.c}/groups")[0]["pictures"]) == 2
    assert api.json(f"{api.c}/status")["lines"] == 4
    nothing = api.json(f"{api.c}/judgements/{two}/{one}", method="DELETE", status=404)
    assert nothing["error"]["code"] == "judgements.none"
    api.json(f"{api.c}/judgements/{'0' * 32}/{one}", method="DELETE", status=404)
