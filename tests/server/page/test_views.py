"""Every view for everyone: axe finds nothing in it, and in Korean no English word is left."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from support.client import Client
from support.in_browser import DESK, PHONE, VIEWS, Opener, go
from support.pictures import draw

from lookalike import Collection
from lookalike.server.run import Server

RUN = """rules => axe.run(document, {
    resultTypes: ['violations'], ...(rules.length ? { runOnly: { type: 'rule', values: rules } } : {}),
})"""


def settled(page: Page, view: str) -> None:
    """Go to a view, and wait until nothing of it is waited for."""
    go(page, f"#/{view}")
    page.locator(".waiting").first.wait_for(state="detached")


def check(page: Page, what: str, *rules: str) -> None:
    """Run the rules of axe that are named, or all of them."""
    found = AxeResults(page.evaluate(RUN, list(rules)))
    assert found.violations_count == 0, f"{what}: {found.generate_report()}"


def check_both_themes(page: Page, view: str) -> None:
    """All rules in the light theme; of the dark one what depends on colours."""
    check(page, view)
    page.emulate_media(color_scheme="dark")
    check(page, f"{view}, dark", "color-contrast")
    page.emulate_media(color_scheme="light")


def test_axe_finds_nothing_in_english_on_a_desk(page: Page):
    page.evaluate(Axe().axe_script)
    for view in VIEWS:
        settled(page, view)
        check_both_themes(page, view)


def test_axe_finds_nothing_on_the_map_and_in_a_blind_test(
    open_page: Opener, serve: Callable[..., Server], photos: Path
):
    for number in range(40):
        draw(photos / "more" / f"{number:02d}.png", 100 + number, (96, 96))
    Collection(photos).index()
    server = serve(photos)
    with Client(server) as api:
        ids = [one["id"] for one in api.json(f"{api.c}/pictures?limit=8")["pictures"]]
        for query, yes, no in ((0, 1, 2), (2, 3, 0), (4, 5, 6), (6, 7, 4)):
            api.json(f"{api.c}/judgements", {"query": ids[query], "yes": [ids[yes]], "no": [ids[no]]}, status=201)
        job = api.run(do="learn", source="judgements", name="clicked", quick=True)
        assert job["state"] == "done", job
        api.run(do="map")
    for viewport, language in ((DESK, "en-US"), (PHONE, "ko-KR")):
        page = open_page(server.url, viewport=viewport, language=language)
        page.evaluate(Axe().axe_script)
        for view, seen in (
            ("map", ".map-list" if viewport == DESK else ".map-hint"),
            ("blind?name=clicked", ".candidate"),
        ):
            settled(page, view)
            page.locator(seen).first.wait_for()
            check_both_themes(page, view)

    with Client(server) as api:
        questions = api.json(f"{api.c}/questions?kind=blind&lens=clicked&n=40")
        for one in questions[:-1]:
            answer = {"right": [], "wrong": [candidate["id"] for candidate in one["candidates"]]}
            api.json(f"{api.c}/questions/{one['question']}", answer, status=201)
    settled(page, "lenses")
    settled(page, "blind?name=clicked")
    page.locator(".candidate").first.wait_for()
    page.keyboard.press("Enter")
    page.locator(".verdict").wait_for()  # said at once, in words
    check(page, "the end of a blind test")


def test_with_korean_no_english_word_is_left_and_axe_finds_nothing_on_a_phone(open_page: Opener, shared: Server):
    page: Any = open_page(shared.url, language="ko-KR")
    assert page.locator("html").get_attribute("lang") == "ko"
    files = r"\S*\.png\S*|\S*/\S*|onerror\S*|<img|src=x"
    allowed = rf"photos|kinds|lookalike|width|Parquet|CSV|NumPy|ONNX|MB|kB|pixels|{files}"
    for view in VIEWS:
        settled(page, view)
        text = page.locator("#app").inner_text()
        assert re.findall(r"[A-Za-z]{2,}", re.sub(allowed, "", text)) == [], view
    page.set_viewport_size(PHONE)
    page.evaluate("async () => { (await import('/static/state.js')).rightOpen.value = false; }")  # as a phone begins
    page.evaluate(Axe().axe_script)
    for view in VIEWS:
        settled(page, view)
        check_both_themes(page, view)
