"""The page of a collection that knows words: its box, in two languages, by the keyboard alone."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from support.drawn_words import write_colours, write_words
from support.in_browser import Opener, tile, tiles

from lookalike import Collection

pytest.importorskip("tokenizers")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = write_colours(tmp_path / "photos")
    Collection(photos, backbone=write_words(tmp_path / "bundle")).index()
    return photos


def stands(page: Any, place: int, name: str) -> None:
    """This picture stands at a place, from 1."""
    expect(tile(page, place)).to_have_attribute("aria-label", re.compile(rf"^{name}\b"))


def test_words_are_typed_taken_out_and_kept_in_the_address(open_page: Opener, serve, folder: Path):
    page: Any = open_page(serve(folder).url)
    expect(tiles(page)).to_have_count(4)
    page.keyboard.press("w")
    box = page.get_by_role("textbox", name="Find in words")
    expect(box).to_be_focused()
    page.keyboard.type("red ~ & @")
    page.keyboard.press("Enter")
    stands(page, 1, "red.png")
    expect(box).to_have_value("")
    page.keyboard.type("green")
    page.keyboard.press("Enter")
    stands(page, 1, "yellow.png")
    expect(page.locator(".asked-words span")).to_have_text(["red ~ & @", "green"])
    address = page.url
    page.evaluate(Axe().axe_script)
    found = AxeResults(page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })"))
    assert found.violations_count == 0, found.generate_report()
    page.locator(".asked-words").nth(1).get_by_role("button", name="Take it out").click()
    stands(page, 1, "red.png")
    page.goto(address)
    expect(page.locator(".asked-words span")).to_have_text(["red ~ & @", "green"])


def test_in_korean_with_a_picture_and_less_of_what_stands_behind_a_minus(open_page: Opener, serve, folder: Path):
    page: Any = open_page(serve(folder).url, language="ko-KR")
    expect(tiles(page)).to_have_count(4)
    box = page.get_by_role("textbox", name="말로 찾기")
    box.fill("빨간")
    box.press("Enter")
    stands(page, 1, "red.png")
    box.fill("-green")
    box.press("Enter")
    expect(page.locator(".asked.minus .asked-words span")).to_have_text(["green"])
    stands(page, 2, "blue.png")
    box.fill("x")
    box.press("Escape")
    expect(box).to_have_value("")
    box.press("Escape")
    expect(box).not_to_be_focused()


def test_without_words_there_is_no_box(page: Any):
    expect(page.get_by_role("textbox", name="Find in words")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Filter")).to_have_count(1)
