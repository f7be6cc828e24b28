"""One browser for all tests of the page, and small collections that are made once and copied."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python.sync_playwright")

from playwright.sync_api import Browser, BrowserContext, Page  # noqa: E402
from support.client import Client  # noqa: E402
from support.drawn_network import write_pixels  # noqa: E402
from support.in_browser import CHROMIUM, Opener, go  # noqa: E402
from support.once import once  # noqa: E402
from support.pictures import draw  # noqa: E402

from lookalike import Collection  # noqa: E402
from lookalike.server.run import Listening, Server  # noqa: E402
from lookalike.server.workspace import Workspace  # noqa: E402

playwright.expect.set_options(timeout=30_000)
Contexts = dict[str, BrowserContext]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser in which evil.example is a name of this machine, and whose bars can be dragged."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", rules],
            ignore_default_args=["--hide-scrollbars"],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Contexts:
    """The browser's contexts, by language."""
    return {}


@pytest.fixture
def open_page(browser: Browser, contexts: Contexts) -> Iterator[Opener]:
    """Opens pages, on which nothing may go wrong."""
    opener = Opener(browser, contexts)
    yield opener
    opener.close()
    assert opener.wrong == []


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers of folders, which end with the test."""
    with ExitStack() as running:

        def start(*folders: Path, at: Path | None = None) -> Server:
            workspace = Workspace()
            for folder in folders:
                workspace.add(folder, at)
            return running.enter_context(Server(workspace, Listening(port=0)).running())

        yield start


@pytest.fixture(scope="package")
def drawn(run_folder: Path) -> Path:
    """An indexed folder of 24 drawn pictures, with a lens "kinds"; to be copied."""

    def make(folder: Path) -> None:
        photos = folder / "photos"
        for number in range(22):
            draw(photos / f"{'ab'[number % 2]}" / f"{number:02d}.png", number, (160 if number < 11 else 96, 96))
        draw(photos / "a" / "copy.png", 0, (160, 96))
        draw(photos / "<img src=x onerror=alert(1)>.png", 30, (96, 96))
        collection = Collection(photos, backbone=write_pixels(folder / "network"))
        collection.index()
        collection.learn(photos, as_="classes", name="kinds", quick=True)

    return once(run_folder / "page-drawn", make) / "photos"


@pytest.fixture
def photos(drawn: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(drawn, tmp_path / "photos"))


@pytest.fixture(scope="package")
def shared(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of a copy that tests leave as they found it."""
    workspace = Workspace()
    workspace.add(Path(shutil.copytree(drawn, tmp_path_factory.mktemp("page") / "photos")))
    with Server(workspace, Listening(port=0)).running() as server:
        yield server


@pytest.fixture(scope="package")
def api(shared: Server) -> Iterator[Client]:
    """Asks that server as a program would."""
    with Client(shared) as client:
        yield client


@pytest.fixture(scope="package")
def opened_once(browser: Browser, contexts: Contexts, shared: Server) -> Iterator[Opener]:
    """The page of that server: loading it takes longer than most tests."""
    opener = Opener(browser, contexts)
    opener(shared.url)
    yield opener
    opener.close()


@pytest.fixture
def page(opened_once: Opener, shared: Server) -> Iterator[Page]:
    """The library of that server, on which nothing may go wrong."""
    try:
        page = go(opened_once.pages[-1])
    except playwright.Error:  # left by a test that failed
        page = opened_once(shared.url)
    yield page
    wrong = opened_once.wrong.copy()
    opened_once.wrong.clear()
    assert wrong == []
