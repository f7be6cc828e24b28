"""The page in a browser: opening it, and what tests read from it."""

import re
import shutil
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.client import Client

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VIEWS = ("library", "judge", "groups", "teach", "lenses", "duplicates", "status")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Opener:
    """Opens pages; what went wrong on them, or was asked of others, is kept in `wrong`.

    Args:
        browser: of all tests.
        contexts: its contexts, by language; their caches hold the page's files for the next test.
    """

    def __init__(self, browser: Browser, contexts: dict[str, BrowserContext]):
        self.browser, self.contexts = browser, contexts
        self.pages: list[Page] = []
        self.wrong: list[str] = []

    def __call__(self, url: str, address: str = "", *, viewport: Any = DESK, language: str = "en-US") -> Page:
        """A page at the address that a server printed, and then at a place within it."""
        if language not in self.contexts:
            context = self.browser.new_context(locale=language, reduced_motion="reduce")
            context.set_default_timeout(30_000)
            self.contexts[language] = context
        page = self.contexts[language].new_page()
        self.pages.append(page)
        page.set_viewport_size(viewport)
        own = url.split("#")[0]
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda one: self.wrong.append(one.url) if not one.url.startswith((own, "blob:")) else None)
        page.on("console", lambda one: self.wrong.append(one.text) if "Content Security" in one.text else None)
        page.goto(url)
        page.locator("html[data-ready]").wait_for()
        if address:
            page.goto(f"{own}{address}")
        return page

    def close(self) -> None:
        """Close all pages and forget what they kept, so that the next test finds nothing."""
        for page in self.pages:
            page.evaluate("localStorage.clear()")
            assert page.context.cookies() == []
            page.close()


RESET = """async () => {
    const own = document.querySelector("script[type=module]").src;  // the page's own modules, not a second copy
    const state = await import(new URL("state.js", own));
    state.dialog.value = state.preview.value = state.filterError.value = null;
    state.selection.value = new Set();
    state.toasts.value = [];
    document.activeElement?.blur();
}"""


def go(page: Page, address: str = "#/library") -> Page:
    """Show a view of a page that is open, with nothing before it: a second instead of loading it anew costs nothing."""
    page.mouse.move(0, 0)
    page.evaluate(RESET)
    page.evaluate("address => { location.hash = address; }", address)
    page.locator(f"main.view-{address.split('/')[1].split('?')[0]}").wait_for()
    return page


def tiles(page: Page) -> Any:
    """The pictures of the grid that is shown."""
    return page.get_by_role("listbox").get_by_role("option")


def tile(page: Page, place: int) -> Any:
    """One of them, from 1."""
    return page.locator(f".tile[aria-posinset='{place}']")


def names(page: Page, count: int) -> list[str]:
    """The files of the first tiles."""
    found = []
    for place in range(1, count + 1):
        expect(tile(page, place)).to_have_attribute("aria-label", re.compile(r"\.png"))
        found.append((tile(page, place).get_attribute("aria-label") or "").split(".png")[0] + ".png")
    return found


def ask_in_page(page: Page, file: str) -> None:
    """Ask with a picture of the library, and wait for the answer."""
    page.locator(f".tile[aria-label^='{file}']").click()
    expect(tiles(page).first).to_have_attribute("aria-label", re.compile("similarity"))


def keep_answers(page: Page) -> None:
    """Let every tick and cross be kept at once, in place of refining the question."""
    page.get_by_label("Refine while I click").uncheck()


def press_on(page: Page, place: int, key: str) -> None:
    """Press a key on one picture of the grid."""
    tile(page, place).focus()
    page.keyboard.press(key)


def said(page: Page, words: str) -> None:
    """Wait for the words at the foot of the page that follow an answer, and put them away."""
    page.locator(".toast", has_text=words).wait_for()
    page.evaluate('async () => { (await import("/static/state.js")).toasts.value = []; }')
    page.locator(".toast").first.wait_for(state="detached")


def answer_of(api: Client, **asked: Any) -> list[str]:
    """The files that the API answers a search with."""
    found = api.json(f"{api.c}/search", {"k": 200, **asked})
    return [one["file"] for one in found["hits"]]
