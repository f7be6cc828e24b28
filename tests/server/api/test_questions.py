"""Questions over HTTP: asked, answered, skipped."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.client import Client

from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace

KINDS = 6


@pytest.fixture
def patches(tmp_path: Path):
    """A server of 90 coloured patches of six kinds, which lie in their names."""
    for number in range(90):
        rng = np.random.default_rng(number)
        pixels = np.zeros((48, 48, 3), np.uint8) + np.array(
            [40 * (number % KINDS), 90, 200 - 30 * (number % KINDS)], np.uint8
        )
        pixels[8:40, 8:40] = rng.integers(0, 255, (32, 32, 3))
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number % KINDS}-{number:03d}.png")
    workspace = Workspace()
    workspace.add(tmp_path / "photos")
    with Server(workspace, Listening(port=0)).running() as server, Client(server) as api:
        api.run(do="index")
        yield api


def kind(picture: dict) -> str:
    return picture["file"][0]


def answer(api: Client, question: dict) -> dict:
    """Answer as somebody does who knows the kinds."""
    right = [one["id"] for one in question["candidates"] if kind(one) == kind(question["query"])]
    wrong = [one["id"] for one in question["candidates"] if kind(one) != kind(question["query"])]
    return api.json(f"{api.c}/questions/{question['question']}", {"right": right, "wrong": wrong}, status=201)


def test_questions_teach_and_a_blind_test_asks_about_other_pictures(patches: Client):
    api = patches
    taught = api.json(f"{api.c}/questions?kind=teach&n=3")
    assert [one["number"] for one in taught] == [1, 2, 3]
    for question in taught:
        assert len(question["candidates"]) == 12
        assert question["query"]["id"] not in [one["id"] for one in question["candidates"]]
        assert answer(api, question)["added"] == 12
    fresh = api.json(f"{api.c}/questions?kind=teach&n=5")
    assert not {one["query"]["id"] for one in fresh} & {one["query"]["id"] for one in taught}
    learned = api.run(do="learn", source="judgements", name="kinds", quick=True)
    assert (learned["state"], learned["error"]) == ("done", None)

    blind = api.json(f"{api.c}/questions?kind=blind&lens=kinds&n=100")
    said = {one["query"]["id"] for one in taught}
    assert not said & {one["query"]["id"] for one in blind}
    assert blind[0]["of"] == len(blind) >= 30
    assert "similarity" not in str(blind)
    skipped = api.json(f"{api.c}/questions/{blind[0]['question']}", {"skip": True}, status=201)
    assert (skipped["left"], len(skipped["next"])) == (len(blind), 1)
    assert skipped["next"][0]["question"] not in [one["question"] for one in blind]
    assert answer(api, blind[1])["left"] == len(blind) - 1
    end = [answer(api, question) for question in (*blind[2:], *skipped["next"])][-1]
    assert (end["left"], end["proof"]["protocol"]["hold_out"]) == (0, "blind")
    assert end["words"] == api.json(f"{api.c}/lenses/kinds")["words"]
    assert api.json(f"{api.c}/questions?kind=blind&lens=kinds") == []


def test_what_is_no_question_is_named(patches: Client):
    api = patches
    for wrong, status in (("nonsense", 400), ("teach-" + "0" * 32, 422), ("blind-" + "0" * 32 + "-1", 422)):
        api.json(f"{api.c}/questions/{wrong}", {"right": []}, status=status)
    assert api.json(f"{api.c}/questions?kind=blind&lens=none", status=404)["error"]["code"] == "lens.unknown"
    assert api.json(f"{api.c}/questions?kind=blind", status=422)["error"]["code"] == "lens"
