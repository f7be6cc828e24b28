"""What is said on the page is kept line by line, seen in every tab, and taken back."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.in_browser import Opener, ask_in_page, keep_answers, names, press_on, said, tile
from support.judgement_lines import said_in

from lookalike.server.run import Server

LOOK = "document.dispatchEvent(new Event('visibilitychange'))"  # what a browser tells a tab that is looked at again


@pytest.fixture
def asked(serve: Callable[..., Server], open_page: Opener, photos: Path) -> Page:
    """Asked with the picture a/04.png."""
    page = open_page(serve(photos).url)
    ask_in_page(page, "a/04.png")
    keep_answers(page)
    return page


def test_each_answer_is_exactly_one_line_and_a_second_tab_sees_it(asked: Page, open_page: Opener, photos: Path):
    page = asked
    query, *hits = names(page, 6)
    second = open_page(page.url)
    expected: list[dict[str, Any]] = []

    def stands(*more: dict[str, Any]) -> None:
        expected.extend(more)
        assert said_in(photos) == expected

    press_on(page, 2, "y")
    said(page, "1 picture belongs.")
    stands({"who": None, "query": query, "yes": hits[0], "no": None})
    press_on(page, 3, "n")
    said(page, "1 picture doesn’t belong.")
    stands({"who": None, "apart": [query, hits[1]]})
    press_on(page, 4, "y")
    said(page, "1 picture belongs.")
    stands({"who": None, "query": query, "yes": hits[2], "no": None})
    page.keyboard.press("u")
    said(page, f"Taken back: {hits[2].split('/')[-1]}")
    stands({"undo": 3})
    press_on(page, 2, "y")  # again: of any picture, not of the last one alone
    said(page, f"Taken back: {hits[0].split('/')[-1]}")
    stands({"undo": 1})
    expect(tile(page, 2)).not_to_have_attribute("aria-label", re.compile("belongs"))
    press_on(page, 3, "n")
    said(page, "Taken back")
    stands({"undo": 2})
    press_on(page, 3, "x")
    press_on(page, 4, "x")
    page.keyboard.press("g")
    page.get_by_label("Name", exact=True).fill("Stripes")
    page.keyboard.press("Enter")
    said(page, "Stripes: made with 2 pictures.")
    group = said_in(photos)[-1]["group"]
    stands({"who": None, "group": group, "name": "Stripes", "add": hits[1:3], "remove": []})
    page.keyboard.press("Escape")
    press_on(page, 6, "1")
    said(page, "Stripes: 1 picture added.")
    stands({"who": None, "group": group, "name": None, "add": [hits[4]], "remove": []})
    press_on(page, 5, "n")
    said(page, "1 picture doesn’t belong.")
    stands({"who": None, "apart": [query, hits[3]]})

    second.evaluate(LOOK)
    expect(tile(second, 5)).to_have_attribute("aria-label", re.compile("doesn’t belong"))
    expect(second.locator(".group-row", has_text="Stripes")).to_contain_text("3")
    press_on(second, 5, "n")  # taken back where it was not said
    said(second, "Taken back")
    stands({"undo": 9})
    page.keyboard.press("Control+z")  # now the last line that stands is the group's
    said(page, "Taken back")
    stands({"undo": 8})
    expect(page.locator(".group-row", has_text="Stripes")).to_contain_text("2")


def test_what_was_said_of_two_pictures_is_taken_back_whichever_of_them_was_asked_with(page: Page, shared: Server):
    before = len(said_in(shared.workspace.all()[0].folder))
    ask_in_page(page, "a/04.png")
    keep_answers(page)
    first, second = names(page, 2)
    press_on(page, 2, "n")
    said(page, "1 picture doesn’t belong.")
    press_on(page, 2, "y")
    said(page, "1 picture belongs.")
    press_on(page, 2, "Enter")
    expect(tile(page, 1)).to_have_attribute("aria-label", re.compile(re.escape(second)))
    tile_of_first = page.locator(f".tile[aria-label^='{first}']")
    expect(tile_of_first).to_have_attribute("aria-label", re.compile(", belongs"))
    tile_of_first.focus()
    page.keyboard.press("y")
    said(page, "Taken back")
    undone = said_in(shared.workspace.all()[0].folder)[before + 2 :]
    assert undone == [{"undo": before + 1}, {"undo": before + 2}]
