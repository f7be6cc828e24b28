"""The page's files: kept for ever under an address that changes with them."""

import os
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lookalike.server.page_files import PageFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text(
        '<link href="/static/locales/en.json" /><script type="module" src="/static/app.js"></script>'
    )
    (tmp_path / "locales").mkdir()
    for language in ("en", "ko"):
        (tmp_path / f"locales/{language}.json").write_text("{}")
    (tmp_path / "views").mkdir()
    (tmp_path / "app.js").write_text("one")
    (tmp_path / "views/map.js").write_text("map")
    return tmp_path


@pytest.fixture
def client(folder: Path) -> TestClient:
    return TestClient(Starlette(routes=PageFiles(folder).routes()))


def script_of(client: TestClient) -> str:
    page = client.get("/")
    assert (page.headers["content-type"][:9], page.headers["cache-control"]) == ("text/html", "no-cache")
    return re.findall(r'src="([^"]+)"', page.text)[0]


def test_what_the_page_names_may_be_kept_for_ever(client: TestClient):
    script = script_of(client)
    assert re.fullmatch(r"/static/v-[0-9a-f]{12}/app\.js", script)
    for address in (script, script.replace("app.js", "views/map.js")):
        found = client.get(address)
        assert "immutable" in found.headers["cache-control"]
        assert found.headers["content-type"].startswith("text/javascript")
    assert found.text == "map"


def test_a_file_that_changes_has_another_address_and_the_old_one_is_not_kept(client: TestClient, folder: Path):
    before = script_of(client)
    (folder / "app.js").write_text("another")
    os.utime(folder / "app.js", ns=(1, 1))
    after = script_of(client)
    assert after != before
    assert client.get(after).text == "another"
    old = client.get(before)
    assert (old.text, old.headers["cache-control"]) == ("another", "no-cache")


def test_without_the_stamp_a_browser_asks_each_time_whether_it_changed(client: TestClient):
    found = client.get("/static/app.js")
    assert (found.text, found.headers["cache-control"]) == ("one", "no-cache")
    again = client.get("/static/app.js", headers={"if-none-match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_file_is_sent_as_gzip_to_those_who_take_it(client: TestClient, folder: Path):
    (folder / "app.js").write_text("again " * 500)
    script = script_of(client)
    for accepted, encoding in (
        ("gzip, deflate, br", "gzip"),
        ("br;q=1, GZIP;q=0.5", "gzip"),
        ("gzip;q=0, br", None),
        ("gzip; q=0.0", None),
        ("identity", None),
        ("", None),
    ):
        found = client.get(script, headers={"accept-encoding": accepted})
        assert found.headers.get("content-encoding") == encoding, accepted
        assert (found.text, found.headers["vary"]) == ("again " * 500, "accept-encoding")
        assert (int(found.headers["content-length"]) < 100) == (encoding == "gzip")
    short = client.get(script.replace("app.js", "views/map.js"), headers={"accept-encoding": "gzip"})
    assert (short.text, short.headers.get("content-encoding")) == ("map", None)  # it would only grow


def test_the_page_names_the_words_of_the_language_that_the_browser_asks_for(client: TestClient):
    for accepted, language in (("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("de, EN-gb, ko", "en"), ("fr", "en"), ("", "en")):
        page = client.get("/", headers={"accept-language": accepted})
        words = re.findall(r'href="([^"]+)"', page.text)
        assert [one.rsplit("/", 1)[1] for one in words] == [f"{language}.json"]
        assert client.get(words[0]).headers["cache-control"].endswith("immutable")
        assert page.headers["vary"] == "accept-encoding, accept-language"


@pytest.mark.parametrize("path", ["nothing.js", "%2e%2e/app.js", "v-000000000000/", "v-1/app.js", "views", ""])
def test_nothing_else_is_served(client: TestClient, path: str):
    assert client.get(f"/static/{path}").status_code == 404
