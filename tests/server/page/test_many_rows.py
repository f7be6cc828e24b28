"""The grid over 100,000 and 1,000,000 pictures: few nodes, the last picture reached, nothing asked for in flight."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from support.in_browser import DESK, tile
from support.many_rows import many_rows

from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace

MANY, MOST = 100_000, 1_000_000
NODES = 400
# One step of a fling, until the grid has learned of it.
STEP = """by => new Promise((moved) => {
    const box = document.querySelector('[role=listbox]');
    box.addEventListener('scroll', () => moved(), { once: true });
    box.scrollTop += by;
})"""
# Of two moves of a mouse that drags a bar, Chromium passes over the second where both come within one frame.
NEXT_FRAME = "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
BEGUN = "url => performance.getEntriesByName(url).map((one) => one.startTime)"  # ms
FIRST_SEEN = """() => {
    const top = document.querySelector('[role=listbox]').getBoundingClientRect().top;
    const seen = [...document.querySelectorAll('.tile')].filter((one) => one.getBoundingClientRect().bottom > top);
    return Math.min(...seen.map((one) => +one.getAttribute('aria-posinset')));
}"""


@pytest.fixture(scope="module", params=[MANY, MOST])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    """A server of so many pictures, and their number."""
    workspace = Workspace()
    workspace.add(many_rows(tmp_path_factory.mktemp("rows"), request.param))
    with Server(workspace, Listening(port=0)).running() as server:
        yield server, request.param


@pytest.fixture(scope="module")
def library(browser: Browser, served: tuple[Server, int]) -> Iterator[Page]:
    """The library of that server."""
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    yield opened(context.new_page(), served[0])
    context.close()


@pytest.fixture
def page(library: Page) -> Page:
    """The library at its beginning."""
    library.evaluate("document.querySelector('[role=listbox]').scrollTop = 0")
    tile(library, 1).focus()
    return library


def opened(page: Page, server: Server) -> Page:
    page.goto(server.url)
    expect(tile(page, 1)).to_have_attribute("aria-label", "0000000.png", timeout=60_000)
    return page


def expect_last(page: Page, total: int) -> None:
    """The last picture is there by its name, and within the view."""
    expect(tile(page, total)).to_have_attribute("aria-label", f"{total - 1:07d}.png")
    expect(tile(page, total)).to_be_in_viewport(ratio=0.9)
    assert page.locator("*").count() < NODES


def test_the_last_picture_is_reached_by_end_and_the_first_by_home(page: Page, served: tuple[Server, int]):
    total = served[1]
    page.keyboard.press("End")
    expect_last(page, total)
    expect(tile(page, total)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(tile(page, total - 1)).to_be_focused()
    page.keyboard.press("Home")
    expect(tile(page, 1)).to_be_focused()
    expect(tile(page, 1)).to_be_in_viewport(ratio=0.9)


def test_the_last_picture_is_reached_by_dragging_the_bar(page: Page, served: tuple[Server, int]):
    box = page.get_by_role("listbox").bounding_box()
    assert box is not None
    right = box["x"] + box["width"] - 6
    expect(tile(page, 1)).to_be_in_viewport(ratio=0.9)
    page.mouse.move(right, box["y"] + 22)  # below its arrow
    page.mouse.down()
    for down in (50, 200, 400, 600, box["height"] + 50):
        page.evaluate(NEXT_FRAME)
        page.mouse.move(right, box["y"] + down)
    page.evaluate(NEXT_FRAME)
    page.mouse.up()
    expect_last(page, served[1])


def test_the_last_picture_is_among_the_first_in_the_opposite_order(page: Page, served: tuple[Server, int]):
    """The first file is the one picture that was drawn today; the others are dated by their number."""
    total, order = served[1], page.get_by_label("Order")
    order.select_option("mtime")
    expect(tile(page, 2)).to_have_attribute("aria-label", f"{total - 1:07d}.png")
    tile(page, 2).focus()
    page.keyboard.press("End")
    expect(tile(page, total)).to_have_attribute("aria-label", "0000001.png")
    order.select_option("file")
    expect(tile(page, 1)).to_have_attribute("aria-label", "0000000.png")


def test_rows_that_do_not_come_are_asked_for_again_after_a_pause_and_not_in_a_loop(page: Page):
    rows = re.compile(r"/pictures\?offset=[1-9]")
    refused: set[str] = set()

    def answer(route: Route) -> None:
        busy = {"error": {"code": "server.busy", "message": ""}}
        route.continue_() if route.request.url in refused else route.fulfill(status=503, json=busy)
        refused.add(route.request.url)

    page.route(rows, answer)
    page.evaluate("performance.clearResourceTimings()")
    page.evaluate(STEP, 300_000)
    expect(page.locator(".tile:not([hidden])[aria-label='Loading']")).to_have_count(0)
    page.unroute(rows)
    begun = {url: page.evaluate(BEGUN, url) for url in refused}
    assert all(later - sooner > 1400 for sooner, later in begun.values()), begun
    assert begun


def test_a_turn_of_the_wheel_moves_by_rows_however_many_there_are(page: Page):
    tile(page, 1).hover()
    page.mouse.wheel(0, 300)
    expect(tile(page, 1)).not_to_be_in_viewport()
    assert 4 <= page.evaluate(FIRST_SEEN) <= 10


def test_what_left_the_screen_gave_its_request_up_and_its_place(page: Page):
    page.evaluate(STEP, 50_000)
    assert page.locator(".tile[hidden] img[src]").count() == 0
    assert page.locator(".tile:focus").count() == 1  # never recycled under the keyboard
    places = [int(one.get_attribute("aria-posinset") or 0) for one in page.locator(".tile:not([hidden])").all()]
    seen = sorted(places)[1:]  # the first one has the focus
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_nothing_is_asked_for_in_flight_and_all_of_the_screen_afterwards(browser: Browser, served: tuple[Server, int]):
    """The browser's clock is stopped, so that a busy machine does not look like a grid that stands still."""
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")
    page = context.new_page()
    page.clock.install(time=0)
    opened(page, served[0])
    page.clock.pause_at(3_600_000)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/thumbs/" in one.url else None)
    for _ in range(20):
        page.evaluate(STEP, 5000)
        page.clock.run_for(16)
        assert page.locator("*").count() < NODES
    assert asked == []
    page.clock.run_for(200)
    page.clock.resume()
    expect(page.locator(".tile:not([hidden]) img:not([src])")).to_have_count(0)
    assert len(asked) >= page.locator(".tile:not([hidden])").count() > 12
    context.close()
