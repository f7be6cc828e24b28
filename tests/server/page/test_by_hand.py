"""What hands do on the page and no key does alone: dragging by finger on the board of groups, the lasso on the map."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Locator, Page, expect
from support.client import Client
from support.in_browser import DESK, Opener

from lookalike.server.run import Server


def middle(place: Locator) -> dict[str, float]:
    box = place.bounding_box()
    assert box is not None
    return {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}


def drag_by_finger(page: Page, what: Locator, to: Locator) -> None:
    """Hold a picture until it is lifted, then carry it."""
    start, end = middle(what), middle(to)
    half = {name: (start[name] + end[name]) / 2 for name in start}
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [start]})
    expect(page.locator(".ghost")).to_be_visible()
    for point in (half, end):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    expect(page.locator(".drop-here")).to_have_count(1)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator(".ghost")).to_have_count(0)


def test_a_finger_carries_pictures_between_groups_and_out(browser: Browser, serve: Callable[..., Server], photos: Path):
    server = serve(photos)
    with Client(server) as api:
        ids = [api.id_of(file) for file in ("a/00.png", "a/02.png", "b/01.png")]
        api.json(f"{api.c}/groups", {"name": "Left", "add": ids[:2]}, status=201)
        api.json(f"{api.c}/groups", {"name": "Right", "add": ids[2:]}, status=201)
        context = browser.new_context(viewport={"width": 820, "height": 900}, has_touch=True, reduced_motion="reduce")
        page = context.new_page()
        page.goto(server.url)
        page.locator("html[data-ready]").wait_for()
        page.goto(f"{server.url.split('#')[0]}#/groups")
        left, right = page.get_by_role("region", name="Left"), page.get_by_role("region", name="Right")
        drag_by_finger(page, left.locator(".board-one").first, right)
        expect(right.locator(".board-one")).to_have_count(2)
        drag_by_finger(page, right.locator(".board-one").first, page.locator("[data-drop=out]"))
        expect(right.locator(".board-one")).to_have_count(1)
        groups = {one["name"]: {picture["id"] for picture in one["pictures"]} for one in api.json(f"{api.c}/groups")}
        assert groups == {"Left": {ids[1]}, "Right": {ids[0]}}
        context.close()


def test_the_lasso_selects_what_lies_within_it(open_page: Opener, serve: Callable[..., Server], photos: Path):
    server = serve(photos)
    with Client(server) as api:
        api.run(do="map")
        found = api.get(f"{api.c}/map").content
        places = np.frombuffer(found, np.float32, offset=8).reshape(-1, 2)
    page = open_page(server.url, "#/map", viewport=DESK)
    expect(page.get_by_role("heading", name="The pictures are being laid out.")).to_have_count(0)
    box = page.get_by_label("Map of the pictures").bounding_box()
    assert box is not None
    low, high = places.min(0), places.max(0)
    seen = (places - (low + high) / 2) / (high - low).max() * min(box["width"], box["height"]) * 0.92 + [
        box["width"] / 2,
        box["height"] / 2,
    ]
    order = np.sort(seen[:, 0])
    gap = int(np.argmax(np.diff(order)[4:-4])) + 4  # where a line between two pictures is farthest from both
    line = float(order[gap : gap + 2].mean())
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    for x, y in ((line, 2), (line, box["height"] - 2), (2, box["height"] - 2)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    inside = int((seen[:, 0] < line).sum())
    assert 0 < inside < len(seen)
    expect(page.get_by_role("status").filter(has_text=f"{inside} pictures selected")).to_be_visible()
    expect(page.locator(".map-list .thumb")).to_have_count(inside)
