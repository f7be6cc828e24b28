"""A new folder on the page: read, looked at meanwhile, stopped, gone on with, in one tab and in eight."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser_tabs import Tabs
from support.client import Client
from support.in_browser import Opener, ask_in_page, tiles
from support.pixel_kinds import pixel_kinds

from lookalike import Collection
from lookalike.images import picture_source
from lookalike.server.run import Server

PICTURES, LATE = 360, "29-0359.png"  # commits are of 256; the last one is read long after the first


class SlowDisk:
    """A disk that does not give out one file until `go_on` is set; `asked` once it was asked for it."""

    def __init__(self) -> None:
        self.asked, self.go_on = threading.Event(), threading.Event()

    def open_bytes(self, path: Path, *more: Any) -> Any:
        """As `decode.open_bytes`."""
        if path.name == LATE:
            self.asked.set()
            self.go_on.wait(300)
        return _open_bytes(path, *more)


_open_bytes = picture_source.open_bytes


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    disk = SlowDisk()
    monkeypatch.setattr(picture_source, "open_bytes", disk.open_bytes)
    yield disk
    disk.go_on.set()


def progress(page: Page) -> int:
    """How many of them the page says were read."""
    shown = page.locator(".job-line span", has_text=f"/ {PICTURES}")
    shown.wait_for()
    return int(shown.inner_text().split(" /")[0])


def pictures(page: Page) -> int:
    shown = page.locator(".count-words", has_text=re.compile("[1-9]"))
    shown.wait_for()
    return int(shown.inner_text().split()[0])


def wait_for_streams(guard: Any, count: int) -> None:
    """Wait until so many event streams are open: a hidden tab gives its own up a little later."""
    until = time.monotonic() + 60
    while guard._streams != count:
        assert time.monotonic() < until, f"{guard._streams} streams are open"
        time.sleep(0.02)


def test_a_new_folder_is_read_stopped_and_gone_on_with(
    serve: Callable[..., Server], open_page: Opener, browser: Browser, disk: SlowDisk, tmp_path: Path
):
    server = serve(pixel_kinds(tmp_path / "photos", each=PICTURES // 30))
    page = open_page(server.url)
    page.get_by_role("button", name="Read this folder").click()
    assert disk.asked.wait(120)
    expect(tiles(page).first).to_have_attribute("aria-label", re.compile("png"))  # what was committed appears
    committed, at = pictures(page), progress(page)
    assert 0 < at < PICTURES and 0 < committed < PICTURES
    ask_in_page(page, "00-0000.png")  # and can be asked with
    page.go_back()
    page.reload()
    job = server.workspace.all()[0].jobs.running()
    expect(page.locator(".job-line span", has_text=f"{job.stage['done']} / {PICTURES}")).to_be_visible()
    assert progress(page) >= at
    assert committed <= pictures(page) < PICTURES

    guard, tabs = server.server.config.app, Tabs(browser)
    with Client(server) as api:
        for _ in range(8):
            tabs.open(server.url)
        front = 7
        for tab in range(8):
            tabs.wait_for(tab, "document.documentElement.dataset.ready === '1'")
            asked = f"import('/static/api.js').then(({{ api }}) => api('{api.c}/status')).then((one) => one.pictures)"
            assert committed <= tabs.value(tab, asked) < PICTURES
            assert tabs.value(tab, "document.hidden") is (tab != front)
        tabs.wait_for(front, "document.querySelectorAll('.tile.there').length > 9")
        wait_for_streams(guard, 2)  # of the page and of the tab in front
        tabs.show(0)
        tabs.wait_for(0, "document.querySelectorAll('.tile.there').length > 9")
        tabs.wait_for(front, "document.hidden")
        wait_for_streams(guard, 2)
    tabs.close()

    page.locator(".job-chip").get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopping …").first).to_be_visible()
    disk.go_on.set()
    expect(page.locator(".banner-stopped")).to_be_visible()
    kept = Collection(tmp_path / "photos").status()["pictures"]
    assert committed <= kept < PICTURES
    expect(page.locator(".count-words", has_text=f"{kept} pictures")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".count-words", has_text=f"{PICTURES} pictures")).to_be_visible()
    expect(page.locator(".banner-stopped")).to_have_count(0)
