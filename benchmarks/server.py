"""The server's figures: what the page weighs, how soon it answers, how many thumbnails a second, searches beside work.

Run: python benchmarks/server.py [--pictures 3000] [--rows 100000]. Absolute times hold for a machine that does nothing
else; ratios are taken within one run. The parts in a browser need Chromium and say so where there is none.
"""

import argparse
import gzip
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from lookalike.images.decode import content_hash
from lookalike.index.table import ImageRow, Table
from lookalike.server.app import STATIC
from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1500, help="real pictures, of clothing and grocery")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the large collection; 0 for none")
    options = parser.parse_args()
    weigh()
    with tempfile.TemporaryDirectory() as folder:
        photos = real_pictures(Path(folder) / "photos", options.pictures)
        started_from_shell(photos)
        with serving(photos) as (server, api, c):
            thumbnails(api, c, "made")
            thumbnails(api, c, "kept")
            searches(api, c, "quiet")
            uploads(api, c, photos)
            beside_work(api, c, photos)
            first_paint(server)
        if options.rows:
            large(Path(folder) / "large", options.rows)


def weigh() -> None:
    """What all views weigh: gzipped one by one, as they are served, and in one piece, as others weigh their bundles."""
    files = [path.read_bytes() for path in sorted(STATIC.rglob("*")) if path.suffix in (".js", ".css")]
    alone = sum(len(gzip.compress(one, 9)) for one in files)
    whole = len(gzip.compress(b"".join(files), 9))
    words = [len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.glob("locales/*.json")]
    print(
        f"JavaScript and CSS, {len(files)} files: gzipped in one piece {whole / 1000:.1f} KB, one by one "
        f"{alone / 1000:.1f} KB; the words of one language {max(words) / 1000:.1f} KB"
    )


def real_pictures(folder: Path, count: int) -> Path:
    data = Path(os.environ.get("LOOKALIKE_DATA", ""))
    found = [path for name in ("clothing", "grocery") for path in sorted((data / name).rglob("*.jpg"))][:count]
    if not found:
        sys.exit("needs the real pictures: set LOOKALIKE_DATA to their folder")
    folder.mkdir(parents=True)
    for number, path in enumerate(found):
        shutil.copy(path, folder / f"{number:05d}.jpg")
    rng = np.random.default_rng(0)
    for number in range(6):
        blocks = Image.fromarray(rng.integers(0, 255, (30, 40, 3), np.uint8)).resize(
            (4000, 3000), Image.Resampling.BICUBIC
        )
        blocks.save(folder / f"large-{number}.jpg", quality=90)
    return folder


def started_from_shell(photos: Path) -> None:
    """From the command to the first answer, for a folder that is indexed."""
    run = [sys.executable, "-m", "lookalike"]
    subprocess.run([*run, "index", str(photos)], check=True, capture_output=True)
    began = time.perf_counter()
    with subprocess.Popen(
        [*run, "serve", str(photos), "--no-open", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        address, token = process.stdout.readline().removeprefix("Open ").strip().split("/#t=")
        api = httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, timeout=60)
        c = f"/api/c/{api.get('/api/session').json()['collections'][0]['id']}"
        first = api.get(f"{c}/pictures?limit=1").json()["pictures"][0]["id"]
        api.post(f"{c}/search", json={"positive": [{"id": first}]}).raise_for_status()
        print(f"from the command to the first answer: {time.perf_counter() - began:.2f} s")
        process.terminate()


@contextmanager
def serving(photos: Path) -> Iterator[tuple[Server, httpx.Client, str]]:
    workspace = Workspace()
    opened = workspace.add(photos)
    with Server(workspace, Listening(port=0)).running() as server:
        headers = {"authorization": f"Bearer {server.access.token}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=120) as api:
            yield server, api, f"/api/c/{opened.id}"


def ids_of(api: httpx.Client, c: str, where: str) -> list[str]:
    page = api.get(f"{c}/pictures", params={"limit": 400, "where": where}).json()
    return [one["id"] for one in page["pictures"]]


def thumbnails(api: httpx.Client, c: str, what: str) -> None:
    for name, where in (("224 px", "width < 1000"), ("12 megapixels", "width > 3000")):
        ids = ids_of(api, c, where)
        began = time.perf_counter()
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda id: api.get(f"{c}/thumbs/{id}?side=320").raise_for_status(), ids))
        print(f"thumbnails {what}, {name}: {len(answers) / (time.perf_counter() - began):.0f} a second")


def timed(act: Callable[[], Any], times: int) -> list[float]:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        spent.append(1000 * (time.perf_counter() - began))
    return spent


def told(what: str, spent: list[float]) -> None:
    print(f"{what}: p50 {statistics.median(spent):.0f} ms, p95 {np.quantile(spent, 0.95):.0f} ms")


def search_once(api: httpx.Client, c: str, ids: list[str], rng: np.random.Generator) -> None:
    body = {"positive": [{"id": ids[int(rng.integers(len(ids)))]}], "k": 60}
    api.post(f"{c}/search", json=body).raise_for_status()


def searches(api: httpx.Client, c: str, what: str) -> list[float]:
    ids, rng = ids_of(api, c, "width < 1000"), np.random.default_rng(1)
    search_once(api, c, ids, rng)
    spent = timed(lambda: search_once(api, c, ids, rng), 200)
    told(f"search, {what}", spent)
    return spent


def uploads(api: httpx.Client, c: str, photos: Path) -> None:
    rng = np.random.default_rng(2)

    def ask(size: tuple[int, int], region: list[float] | None) -> None:
        pixels = Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        pixels.save(buffer, "JPEG", quality=90)
        began = time.perf_counter()
        query = api.post(f"{c}/queries", content=buffer.getvalue()).raise_for_status().json()["query"]
        asked = {"query": query} | ({"region": region} if region else {})
        api.post(f"{c}/search", json={"positive": [asked]}).raise_for_status()
        spent.append(1000 * (time.perf_counter() - began))

    for name, size, region in (
        ("224 px", (224, 224), None),
        ("12 megapixels", (4000, 3000), None),
        ("a region of 12 megapixels", (4000, 3000), [0.25, 0.25, 0.5, 0.5]),
    ):
        spent: list[float] = []
        for _ in range(8):
            ask(size, region)
        told(f"upload to answer, {name}", spent[1:])


def beside_work(api: httpx.Client, c: str, photos: Path) -> None:
    """Searches while a lens is learned, and how long Stop takes."""
    body = {"do": "learn", "source": "views", "name": "beside", "replace": True}
    job = api.post(f"{c}/jobs", json=body).raise_for_status().json()
    ids, rng, spent = ids_of(api, c, "width < 1000"), np.random.default_rng(3), []
    until = time.perf_counter() + 20
    while time.perf_counter() < until and api.get(f"{c}/jobs/{job['id']}").json()["state"] == "running":
        spent += timed(lambda: search_once(api, c, ids, rng), 5)
    if spent:
        told(f"search, while a lens is learned ({len(spent)} times)", spent)
    began = time.perf_counter()
    api.delete(f"{c}/jobs/{job['id']}")
    while api.get(f"{c}/jobs/{job['id']}").json()["state"] in ("running", "stopping"):
        time.sleep(0.02)
    print(f"from Stop to stopped: {time.perf_counter() - began:.2f} s")


@contextmanager
def page_of(server: Server) -> Iterator[Any]:
    """A page of a browser; None where there is no Chromium."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        print("no Chromium here: nothing was measured in a browser")
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        launched = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched.new_context(viewport={"width": 1440, "height": 900}).new_page()
        launched.close()


PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (one.name === 'first-contentful-paint') done(one.startTime);
}).observe({ type: 'paint', buffered: true }))"""


def first_paint(server: Server) -> None:
    with page_of(server) as page:
        if page is None:
            return
        painted: list[tuple[float, float]] = []
        for turn in range(8):
            began = time.perf_counter()
            page.reload() if turn else page.goto(server.url)
            page.locator("[role=option].there").first.wait_for()
            painted.append((page.evaluate(PAINT), 1000 * (time.perf_counter() - began)))
        for what, times in (("cold", painted[:1]), ("warm, median of 7", painted[1:])):
            paint, ready = np.median(np.array(times), axis=0)
            print(f"first paint, {what}: {paint:.0f} ms; first pictures after {ready:.0f} ms")


def many_rows(folder: Path, rows: int) -> None:
    """A collection of many rows whose pictures are a few."""
    folder.mkdir()
    pixels = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8))
    pixels.save(folder / "one.jpg")
    content = (folder / "one.jpg").read_bytes()
    from lookalike import Collection

    collection = Collection(folder)
    collection.index()
    length = collection.backbone.length
    table: Table = collection.table
    rng = np.random.default_rng(1)
    for start in range(0, rows, 4096):
        vectors = rng.standard_normal((min(4096, rows - start), length), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        table.append(
            [
                ImageRow(f"{start + i:07d}.jpg", content_hash(str(start + i).encode()), len(content), 1, 80, 60, vector)
                for i, vector in enumerate(vectors)
            ]
        )


def large(folder: Path, rows: int) -> None:
    """Scrolling in a collection of many rows, and what a search takes."""
    many_rows(folder, rows)
    with serving(folder) as (server, api, c):
        began = time.perf_counter()
        total = api.get(f"{c}/pictures?limit=1").json()["total"]
        print(f"{total:,} rows: first page after {time.perf_counter() - began:.2f} s")
        searches(api, c, f"{total:,} rows")
        scrolling(server, total)


def busy_s(inside: Any) -> float:
    """Processor time of the page's main thread so far."""
    metrics = inside.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


def scrolling(server: Server, total: int) -> None:
    """Frames while a page flies past 100,000 pixels, and nodes on it at the end."""
    with page_of(server) as page:
        if page is None:
            return
        page.goto(server.url)
        page.locator("[role=option]").first.wait_for()
        inside = page.context.new_cdp_session(page)
        inside.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = busy_s(inside)
        found = page.evaluate(
            """async () => {
                const grid = document.querySelector('[role=listbox]');
                let box = grid;
                while (box && box.scrollHeight <= box.clientHeight + 10) box = box.parentElement;
                const frames = []; let last = performance.now();
                for (let i = 0; i < 180; i++) {
                    await new Promise(requestAnimationFrame);
                    const now = performance.now(); frames.push(now - last); last = now;
                    box.scrollTop += 100000 / 180;
                }
                const height = box.scrollHeight;
                box.scrollTop += 1000000; // a fling, and how soon the screen is whole
                const began = performance.now();
                const isWhole = () => {
                    const shown = document.querySelectorAll('[role=option]:not([hidden])');
                    return shown.length > 0 && [...shown].every((one) => one.matches('.there, .missing'));
                };
                while (performance.now() - began < 20000) {
                    await new Promise(requestAnimationFrame);
                    if (performance.now() - began > 100 && isWhole()) break;
                }
                const whole = performance.now() - began;
                box.scrollTop = height; await new Promise((r) => setTimeout(r, 1500));
                const tiles = [...document.querySelectorAll('[role=option]')];
                const places = tiles.map((one) => +one.getAttribute('aria-posinset'));
                const nodes = document.querySelectorAll('*').length;
                return { frames, height, whole, nodes, last: Math.max(...places) };
            }"""
        )
        spent = 1000 * (busy_s(inside) - before) / len(found["frames"])
    frames = np.array(found["frames"][5:])
    print(
        f"scrolling {total:,}: {1000 / frames.mean():.0f} frames a second, p95 {np.quantile(frames, 0.95):.0f} ms, "
        f"{spent:.1f} ms of processor time a frame at most, screen whole {found['whole']:.0f} ms after a fling, "
        f"{found['nodes']} nodes, scroll height {found['height']:,} px, last picture reached: {found['last'] == total}"
    )


if __name__ == "__main__":
    main()
