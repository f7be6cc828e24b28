"""Servers that are killed, disks that are pulled out, other programs that write: nothing that was said is lost."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.client import Client
from support.in_browser import Opener, ask_in_page, go, keep_answers, names, press_on, said, tile, tiles
from support.judgement_lines import said_in

from lookalike import Collection
from lookalike.progress import SILENT
from lookalike.server.run import Server

LOOK = "document.dispatchEvent(new Event('visibilitychange'))"  # what a browser tells a tab that is looked at again


@pytest.fixture
def start(photos: Path, tmp_path: Path) -> Iterator[Callable[[], tuple["subprocess.Popen[str]", str]]]:
    """Starts `lookalike serve` on the same port each time: the process and the address that it prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun: list[subprocess.Popen[str]] = []

    def begin() -> tuple["subprocess.Popen[str]", str]:
        words = ["serve", str(photos), "--port", str(port), "--no-open"]
        process = subprocess.Popen(
            [sys.executable, "-m", "lookalike", *words],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "COLUMNS": "200"},
        )
        begun.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().removeprefix("Open ").strip()

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def test_a_killed_server_loses_no_answer_and_the_next_one_gets_those_that_waited(
    start: Callable[[], tuple["subprocess.Popen[str]", str]], open_page: Opener, photos: Path
):
    process, url = start()
    page = open_page(url)
    ask_in_page(page, "a/04.png")
    keep_answers(page)
    query, *hits = names(page, 5)
    press_on(page, 2, "y")
    said(page, "1 picture belongs.")
    process.kill()
    process.wait()
    kept = [{"who": None, "query": query, "yes": hits[0], "no": None}]
    assert said_in(photos) == kept
    press_on(page, 3, "n")
    said(page, "1 answer is kept and will be sent later.")
    expect(page.locator(".banner-gone")).to_be_visible()
    press_on(page, 4, "y")
    expect(page.locator(".banner-unsent")).to_contain_text("2 answers")
    page.keyboard.press("u")
    said(page, "Taken back before it was sent.")
    expect(page.locator(".banner-unsent")).to_contain_text("1 answer")
    expect(tile(page, 4)).not_to_have_attribute("aria-label", re.compile("belongs"))
    assert said_in(photos) == kept

    process, url = start()
    expect(page.get_by_role("heading", name="Open the address that was printed")).to_be_visible()  # yesterday's token
    expect(page.locator(".banner-unsent")).to_contain_text("1 answer")
    page.goto(url)
    expect(page.locator(".banner-unsent")).to_have_count(0)
    kept.append({"who": None, "apart": [query, hits[1]]})
    assert said_in(photos) == kept

    go(page, "#/status")
    with Collection(photos).home.write_lock("index", SILENT):  # this process is another one than the server
        page.get_by_role("button", name="Read the folder again").click()
        expect(page.locator(".banner-locked")).to_be_visible()
    page.get_by_role("button", name="Read the folder again").click()
    expect(page.locator(".banner-locked")).to_have_count(0)

    go(page)
    press_on(page, 1, "x")
    press_on(page, 2, "x")
    page.keyboard.press("g")
    page.get_by_label("Name", exact=True).fill("Stripes")
    page.keyboard.press("Enter")
    said(page, "Stripes: made with 2 pictures.")
    process.kill()
    process.wait()
    assert [one.get("name") for one in said_in(photos)[2:]] == ["Stripes"]


def test_a_folder_that_is_away_is_said_to_be_and_comes_back_with_all_answers(
    serve: Callable[..., Server], open_page: Opener, photos: Path, tmp_path: Path
):
    server, away = serve(photos), tmp_path / "away"
    page = open_page(server.url)
    ask_in_page(page, "a/04.png")
    keep_answers(page)
    query, hit = names(page, 2)
    photos.rename(away)
    press_on(page, 2, "y")
    expect(page.locator(".banner-offline")).to_contain_text("goes on when it is back")
    expect(page.get_by_role("heading", name="The folder is not there")).to_be_visible()
    expect(page.locator(".banner-unsent")).to_contain_text("1 answer")
    with Client(server) as api:
        api.json(f"{api.c}/groups", {"name": "Stripes"}, status=503)
    assert not photos.exists()  # nothing was written in its place
    away.rename(photos)
    page.evaluate(LOOK)
    expect(tile(page, 2)).to_have_attribute("aria-label", re.compile("belongs"))
    expect(page.locator(".banner-offline, .banner-unsent")).to_have_count(0)
    assert said_in(photos) == [{"who": None, "query": query, "yes": hit, "no": None}]


def test_a_collection_kept_elsewhere_goes_on_without_its_folder(
    serve: Callable[..., Server], open_page: Opener, photos: Path, tmp_path: Path
):
    at = tmp_path / "kept"
    (photos / ".lookalike").rename(at)
    Collection(photos, at=at, moved=True).index()
    page = open_page(serve(photos, at=at).url)
    page.locator(".tile.there").nth(11).wait_for()
    photos.rename(tmp_path / "away")
    page.reload()
    expect(page.locator(".banner-offline")).to_contain_text("What was read stays searchable")
    page.locator(".tile.there").nth(11).wait_for()  # by the thumbnails that were kept
    ask_in_page(page, "a/04.png")
    keep_answers(page)
    press_on(page, 2, "n")
    said(page, "1 picture doesn’t belong.")
    go(page, "#/status")
    expect(page.get_by_role("button", name="Read the folder again")).to_be_disabled()
    (tmp_path / "away").rename(photos)
    page.evaluate(LOOK)
    expect(page.locator(".banner-offline")).to_have_count(0)
    go(page)
    expect(tiles(page).first).to_be_visible()
