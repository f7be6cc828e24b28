"""Take the README's picture of the page: a search in the demo's catalogue, with a few hits judged.

Run: make demo && python tools/draw_page.py demo/catalogue/photos docs/page.jpg
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from lookalike import Collection
from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 1280, "height": 800}
QUERY, LENS = "vase-stripes", "pattern"


def main(photos: Path, out: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium here. Install it, and run this again.")
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(photos, Path(folder) / "catalogue")
        collection = Collection(copy)
        query = next(one for one in sorted(copy.iterdir()) if one.stem.startswith(QUERY)).name
        right = query.split("-")[1]
        hits = [hit.file for hit in collection.search(query, k=9, lens="plain", others=True)]
        collection.judgements.add_answer(
            query,
            [file for file in hits if file.split("-")[1] == right][:3],
            [file for file in hits if file.split("-")[1] != right][:3],
        )
        workspace = Workspace()
        opened = workspace.add(copy)
        id = opened.pictures().at(opened.pictures().gallery.files.index(query)).id
        with Server(workspace, Listening(port=0)).running() as server, sync_playwright() as started:
            launched = started.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            page = launched.new_context(viewport=SIZE, locale="en-US", device_scale_factor=1.5).new_page()
            page.goto(server.url)
            page.locator("html[data-ready]").wait_for()
            page.goto(f"http://127.0.0.1:{server.port}/#/library?plus={id}&lens={LENS}")
            page.locator("[role=option] img").nth(8).wait_for()
            page.wait_for_load_state("networkidle")
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            launched.close()
    picture.save(out, quality=80, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
