"""Refining on the page: clicks order the hits anew, teach nothing, and are kept in one go."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from support.client import Client
from support.in_browser import PHONE, Opener, answer_of, ask_in_page, names, tile

from lookalike.server.run import Server

COPIES = ("a/00.png", "a/copy.png")  # one content: a click on one marks both


def no_violation(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_clicks_order_anew_what_is_behind_them_and_are_kept_in_one_go(page: Page, api: Client):
    ask_in_page(page, "a/04.png")
    page.get_by_label("Refine while I click").check()
    before = names(page, 12)
    asked = {"positive": [{"id": api.id_of("a/04.png")}], "negative": []}
    for place, key, side in ((3, "y", "positive"), (5, "n", "negative"), (8, "y", "positive")):
        clicked = tile(page, place)
        clicked.focus()
        held, where = names(page, place), clicked.bounding_box()
        assert held[-1] not in COPIES, "choose another place"
        asked[side].append({"id": api.id_of(held[-1])})
        rest = [file for file in answer_of(api, **asked) if file not in held]
        with page.expect_response("**/search"):
            page.keyboard.press(key)
        expect(clicked).to_have_attribute("data-mark", {"y": "yes", "n": "no"}[key])
        expect(tile(page, place + 1)).to_have_attribute("aria-label", re.compile(re.escape(rest[0])))
        assert names(page, 12) == held + rest[: 12 - place]
        expect(clicked).to_be_focused()
        assert clicked.bounding_box() == where
    expect(page.get_by_text("Refined by 3 clicks")).to_be_visible()
    assert api.json(f"{api.c}/judgements") == []

    page.keyboard.press("u")
    expect(page.get_by_text("Refined by 2 clicks")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Refined by 3 clicks")).to_be_visible()
    page.get_by_role("button", name="Best first").click()
    best = answer_of(api, **asked)[:5]
    expect(tile(page, 1)).to_have_attribute("aria-label", re.compile(re.escape(best[0])))
    assert names(page, 5) == best
    expect(page.locator(".side-yes .clicked")).to_have_count(2)  # in their strip, though no more in the grid
    page.locator(".side-no .clicked button").click()
    expect(page.get_by_text("Refined by 2 clicks")).to_be_visible()
    no_violation(page)

    page.get_by_role("button", name="Keep these answers").click()
    expect(page.locator(".toast")).to_contain_text("2 answers are kept")
    ids = [one["id"] for one in asked["positive"]]
    kept = api.json(f"{api.c}/judgements")
    assert [(one["query"]["id"], one["yes"]["id"]) for one in kept] == [(ids[0], ids[1]), (ids[0], ids[2])]
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Keep these answers")).to_be_visible()
    assert api.json(f"{api.c}/judgements") == []
    page.get_by_role("button", name="Undo all").click()
    expect(page.get_by_text("Refined by")).to_have_count(0)
    expect(tile(page, 1)).to_have_attribute("aria-label", re.compile(re.escape(before[0])))
    assert names(page, 12) == before


def test_on_a_phone_the_hits_stay_where_they_are_and_the_strip_is_seen(open_page: Opener, shared: Server):
    page = open_page(shared.url, viewport=PHONE, language="ko-KR")
    page.emulate_media(color_scheme="dark")
    page.locator(".tile[aria-label^='a/04.png']").click()
    clicked = tile(page, 2)
    expect(clicked.locator(".near")).to_have_text(re.compile(r"\.\d\d"))
    where = clicked.bounding_box()
    clicked.focus()
    page.keyboard.press("y")
    expect(page.locator(".refine-strip .clicked")).to_have_count(1)
    assert clicked.bounding_box() == where
    no_violation(page)
    page.locator(".refine-strip .clicked button").click()
    expect(page.locator(".refine-strip")).to_have_count(0)
