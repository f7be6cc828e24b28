"""What another site can do to the server, tried in a real browser: nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page

from lookalike.server.run import Server

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
def stranger(browser: Browser) -> Iterator[Page]:
    """A page that has never seen our server."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_a_name_that_leads_here_is_refused(shared: Server, stranger: Page):
    answer = stranger.goto(f"http://evil.example:{shared.port}/")
    assert answer.status == 421
    assert stranger.goto(f"http://127.0.0.1:{shared.port}/").status == 200


def test_a_page_of_another_port_gets_nothing_even_with_our_secrets(shared: Server, elsewhere: str, stranger: Page):
    opened = shared.workspace.all()[0]
    jobs, id = len(opened.jobs.list()), opened.pictures().at(0).id
    stranger.goto(elsewhere)
    secrets = [f"http://127.0.0.1:{shared.port}", f"/api/c/{opened.id}", id]
    said = stranger.evaluate(TRIES, [*secrets, shared.access.image_key, shared.access.token])
    assert said.pop("no-cors POST") in ("opaque", "refused")  # opaque: sent, answered with 403, and not shown
    assert set(said.values()) == {"refused"}
    assert len(opened.jobs.list()) == jobs
    assert stranger.context.cookies() == []
