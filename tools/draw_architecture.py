"""Draw docs/architecture.png: the folders of the package, and the ways of index, search and learn through them."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lookalike.drawing.canvas import BLUE, CARD, FAINT, GREEN, INK, LINE, SOFT, VERMILLION, dot, frame, panel, paper
from lookalike.drawing.png import save
from lookalike.drawing.typography import write

WIDTH, HEIGHT, MARGIN = 1120, 964, 28
INDEX, SEARCH, LEARN = BLUE, GREEN, VERMILLION
STEP_PX, HEAD_PX = 24, 58  # height of one step, and of a box's title with the line under it


@dataclass(frozen=True)
class Box:
    """One folder: its place in pixels, what it is for, and columns of steps (colour, number, text)."""

    left: int
    top: int
    width: int
    height: int
    title: str
    purpose: str
    columns: tuple[tuple[tuple[str, int, str], ...], ...] = ()
    coming: bool = False


BOXES = (
    Box(
        28, 108, 1064, 86, "cli/", "shell words -> calls on Collection -> print",
        (((INDEX, 1, "main.py"),), ((SEARCH, 1, "main.py"),), ((LEARN, 1, "learn.py"),)),
    ),
    Box(28, 206, 1064, 66, "server/", "requests over HTTP, and of assistants -> calls on Collection; the page"),
    Box(
        28, 284, 784, 110, "collection/",
        "a folder of pictures and all that is known of it; joins index and learning",
        (
            ((INDEX, 2, "collection.py"),),
            ((SEARCH, 2, "collection.py"),),
            ((LEARN, 3, "feature_loader.py: features"), (LEARN, 7, "lens_store.py: keep the lens")),
        ),
    ),
    Box(824, 284, 268, 110, "distributed/", "coming: many machines fill a table", coming=True),
    Box(
        28, 406, 608, 160, "index/", "features, stored and searched",
        (
            (
                (INDEX, 3, "indexer.py: what changed"),
                (INDEX, 7, "table.py: commit rows"),
                (LEARN, 8, "table.py: the lens's column"),
            ),
            (
                (SEARCH, 3, "query.py: known picture?"),
                (SEARCH, 5, "gallery.py: filter"),
                (SEARCH, 6, "exact_knn.py: the k nearest"),
                (SEARCH, 7, "hits.py"),
            ),
        ),
    ),
    Box(
        648, 406, 444, 160, "learning/", "examples -> a proved lens, on arrays",
        (
            (
                (LEARN, 2, "datasets/: folders or a CSV -> labels"),
                (LEARN, 4, "evaluation/: hold queries out"),
                (LEARN, 5, "closed_form/, training/, or finetuning/"),
                (LEARN, 6, "evaluation/: the proof"),
            ),
        ),
    ),
    Box(
        28, 578, 1064, 86, "models/",
        "pixels -> features (Backbone) -> embedding (Lens); convert/ imports other models",
        (
            ((INDEX, 6, "backbone.py: features"),),
            ((SEARCH, 4, "backbone.py: if the query is new"),),
            (),
        ),
    ),
    Box(
        28, 676, 608, 110, "images/", "files and bytes -> upright RGB",
        (((INDEX, 4, "scan.py: which files"), (INDEX, 5, "decode.py: pixels")), ()),
    ),
    Box(648, 676, 444, 110, "drawing/", "plain data -> PNG: grids, charts, maps"),
    Box(28, 798, 1064, 66, "errors.py   files.py   names.py   progress.py   text.py", "used by every folder"),
)  # fmt: skip


def draw() -> Image.Image:
    picture = paper(WIDTH, HEIGHT)
    write(picture, (MARGIN, 44), "lookalike: folders and the way of the data", 24, INK, bold=True)
    x = float(MARGIN)
    for colour, text in ((INDEX, "index a folder"), (SEARCH, "search with a query"), (LEARN, "learn from examples")):
        dot(picture, (x + 9, 75), 9, colour)
        x += 28 + write(picture, (x + 26, 81), text, 16, INK) + 28
    write(picture, (WIDTH - MARGIN, 81), "a folder imports only from rows below its own", 16, SOFT, align="right")
    for box in BOXES:
        draw_box(picture, box)
    below = (
        "Numbers are the order of the steps. index/ and learning/ do not import each other.",
        "torch is imported in learning/training, learning/finetuning and models/convert only.",
    )
    for i, line in enumerate(below):
        write(picture, (MARGIN, 898 + 26 * i), line, 16, SOFT)
    return picture


def draw_box(picture: Image.Image, box: Box) -> None:
    edges = (box.left, box.top, box.left + box.width, box.top + box.height)
    if not box.coming:
        panel(picture, edges, CARD, radius=8)
    frame(picture, edges, LINE if not box.coming else FAINT, width=1.5, radius=8)
    write(picture, (box.left + 14, box.top + 25), box.title, 18, FAINT if box.coming else INK, bold=not box.coming)
    write(picture, (box.left + 14, box.top + 46), box.purpose, 15, SOFT)
    for i, column in enumerate(box.columns):
        x = box.left + 24 + i * (box.width - 20) / len(box.columns)
        for j, (colour, number, text) in enumerate(column):
            y = box.top + HEAD_PX + 10 + j * STEP_PX
            dot(picture, (x, y), 9, colour)
            write(picture, (x, y + 4.5), str(number), 13, "#ffffff", bold=True, align="centre")
            write(picture, (x + 16, y + 5), text, 15, INK)


if __name__ == "__main__":
    save(draw(), Path(__file__).parents[1] / "docs/architecture.png")
