"""From eighty answered questions to a tested lens on the page; and a test answered by somebody who guesses."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from support.client import Client
from support.drawn_network import write_pixels
from support.in_browser import PHONE, Opener, ask_in_page, go
from support.once import once
from support.pixel_kinds import kind_of, pixel_kinds

from lookalike import Collection
from lookalike.server.run import Server

pytest.importorskip("torch")
# How many points the curve had whenever the page changed while something was learned.
WATCH = """() => {
    window.points = [];
    window.watch = new MutationObserver(() => {
        const line = document.querySelector(".curve .line-loss[d]");
        const learning = document.querySelector(".view-teach .job-progress progress");
        if (line && learning) window.points.push(line.getAttribute("d").match(/[ML]/g)?.length ?? 0);
    });
    window.watch.observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
TICK = "(all, places) => places.forEach((place) => all[place].click())"


def answer_as_expert(photos: Collection, count: int) -> None:
    for one in photos.questions("teach", n=count):
        same = [kind_of(file) == kind_of(one.query) for file in one.candidates]
        right, wrong = (
            [file for file, yes in zip(one.candidates, same, strict=True) if yes is way] for way in (True, False)
        )
        photos.answer(one, right, wrong)


@pytest.fixture
def clicked(run_folder: Path, tmp_path: Path) -> Path:
    """Pictures about which 79 questions were answered; the lens "early" learned from the first 60 of them."""

    def make(folder: Path) -> None:
        photos = Collection(pixel_kinds(folder / "photos"), backbone=write_pixels(folder / "network"))
        photos.index()
        answer_as_expert(photos, 60)
        photos.learn(name="early", quick=True)
        answer_as_expert(photos, 19)

    return Path(shutil.copytree(once(run_folder / "page-clicked", make) / "photos", tmp_path / "photos"))


def right_places(question: dict[str, Any], rng: np.random.Generator | None = None) -> list[int]:
    """Which candidates are of the query's kind; with rng as many others at random."""
    kind, candidates = kind_of(question["query"]["file"]), question["candidates"]
    right = [place for place, one in enumerate(candidates) if kind_of(one["file"]) == kind]
    return right if rng is None else rng.permutation(len(candidates))[: len(right)].tolist()


def answer_blind_test(page: Page, api: Client, lens: str, rng: np.random.Generator | None = None) -> None:
    """Answer a blind test to its end on the page, with rng at random; thumbnails are shown of the first questions."""
    page.set_viewport_size(PHONE)  # less to paint
    go(page, f"#/blind?name={lens}")
    asked = api.json(f"{api.c}/questions?kind=blind&lens={lens}&n=40")
    total, quick = asked[0]["of"], page.context.new_cdp_session(page)
    for one in asked:
        page.get_by_role("status").filter(has_text=f"{one['number']} of {total}").wait_for()
        places = right_places(one, rng)
        page.locator(".candidate").evaluate_all(TICK, places)
        expect(page.locator(".candidate[aria-pressed=true]")).to_have_count(len(places))
        page.keyboard.press("Enter")
        if one is asked[1]:
            quick.send("Network.enable")
            quick.send("Network.setBlockedURLs", {"urls": ["*/thumbs/*"]})
    page.get_by_role("button", name="Proof").click()
    expect(page.get_by_role("heading", name=f"Proof of {lens}")).to_be_visible()
    quick.detach()


def test_eighty_answers_teach_a_lens_and_a_blind_test_tells_who_knew(
    serve: Callable[..., Server], open_page: Opener, clicked: Path
):
    server = serve(clicked)
    page = open_page(server.url, "#/judge")
    with Client(server) as api:
        (first,) = api.json(f"{api.c}/questions?kind=teach&n=1")
        page.locator(".candidate").first.wait_for()
        for place in right_places(first):
            page.keyboard.press("123456789"[place] if place < 9 else "0-="[place - 9])
        page.keyboard.press("a")  # none of the rest
        with page.expect_response(lambda one: "/questions/teach" in one.url) as kept:
            page.keyboard.press("Enter")
        assert kept.value.json()["added"] == 12

        page.keyboard.press("t")
        page.evaluate(WATCH)
        page.get_by_label("Name of the lens").fill("clicks")
        page.get_by_text("More settings", exact=True).click()
        page.get_by_label("Epochs").fill("20")
        page.locator(".teach-form").get_by_role("button", name="Teach").click()
        expect(page.get_by_role("heading", name="clicks has been learned.")).to_be_visible(timeout=240_000)
        points = page.evaluate("() => { watch.disconnect(); return points; }")
        grown = sorted(set(points))
        risen = points[
            : points.index(grown[-1]) + 1
        ]  # afterwards the lens that is kept learns, with a curve of its own
        assert len(set(risen)) >= 3 and risen == sorted(risen)

        page.get_by_role("button", name="Try it").first.click()
        ask_in_page(page, "00-0000.png")
        expect(page.get_by_role("listbox", name=re.compile("through clicks"))).to_be_visible()

        answer_blind_test(page, api, "clicks")
        expect(page.get_by_text("Of the first 12 pictures, before")).to_be_visible()
        expect(page.get_by_role("heading", name="Better, and your examples taught it")).to_be_visible()
        assert api.json(f"{api.c}/lenses/clicks")["proof"]["protocol"]["hold_out"] == "blind"

        rng = np.random.default_rng(0)
        for one in api.json(f"{api.c}/questions?kind=blind&lens=early&n=40")[:36]:
            right = [one["candidates"][place]["id"] for place in right_places(one, rng)]
            api.json(f"{api.c}/questions/{one['question']}", {"right": right}, status=201)
        answer_blind_test(page, api, "early", rng)  # a test goes on where it was left
        expect(page.get_by_text("Of the first 12 pictures, before")).to_be_visible()
        expect(page.get_by_role("heading", name=re.compile("Too few to tell|Not better"))).to_be_visible()
