"""What another site can do to the server, tried in a real browser: nothing."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lookalike.server.run import Server

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")

TRIES = """async ([own, c, id, key, token]) => {
    const said = {};
    const attempt = async (name, act) => {
        try { said[name] = await act(); } catch { said[name] = "refused"; }
    };
    await attempt("fetch", async () => (await fetch(`${own}/api/session`)).status);
    await attempt("fetch with a token", async () =>
        (await fetch(`${own}/api/session`, { headers: { authorization: `Bearer ${token}` } })).status);
    await attempt("no-cors POST", async () => (await fetch(`${own}${c}/jobs`, {
        method: "POST", mode: "no-cors", body: JSON.stringify({ do: "index" }) })).type);
    await attempt("img", () => new Promise((done) => {
        const image = new Image();
        image.onload = () => done("shown");
        image.onerror = () => done("refused");
        image.src = `${own}${c}/thumbs/${id}?key=${key}`;
    }));
    await attempt("frame", () => new Promise((done) => {
        const frame = document.createElement("iframe");
        frame.onload = () => { try { done(frame.contentDocument ? "empty" : "refused"); } catch { done("refused"); } };
        frame.src = `${own}/`;
        document.body.append(frame);
    }));
    return said;
}"""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of another site, on another port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title><body></body>")

        def log_message(self, *_: object) -> None:
            pass

    site = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{site.server_port}/"
    site.shutdown()
    thread.join()
    site.server_close()


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of a browser in which evil.example is a name of this machine."""
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield launched.new_page()
        launched.close()


def test_a_name_that_leads_here_is_refused(server: Server, page: Any):
    answer = page.goto(f"http://evil.example:{server.port}/")
    assert answer.status == 421
    assert page.goto(f"http://127.0.0.1:{server.port}/").status == 200


def test_a_page_of_another_port_gets_nothing_even_with_our_secrets(
    server: Server, elsewhere: str, page: Any, drawn_photos: Path
):
    opened = server.workspace.all()[0]
    jobs, id = len(opened.jobs.list()), opened.pictures().at(0).id
    page.goto(elsewhere)
    secrets = [f"http://127.0.0.1:{server.port}", f"/api/c/{opened.id}", id]
    said = page.evaluate(TRIES, [*secrets, server.access.image_key, server.access.token])
    assert said.pop("no-cors POST") in ("opaque", "refused")  # opaque: sent, answered with 403, and not shown
    assert set(said.values()) == {"refused"}
    assert len(opened.jobs.list()) == jobs
    assert page.context.cookies() == []
