"""The whole way in a minute: draw a catalogue, index it, search it, teach it two meanings of similar, and compare."""

import sys
import time
from importlib.util import find_spec
from pathlib import Path

from catalogue import draw_catalogue

from lookalike import Collection
from lookalike.drawing.png import save
from lookalike.index.hits import comparison_grid

SHOWN = ("mug-scallops-tomato", "vase-stripes-mustard")  # of ten queries: products that are not in the collection
WITHOUT_TORCH = """
torch is not installed, so each lens below is the closed form alone, without the correction by gradient descent.
.venv/bin/pip install -c constraints.txt '.[learn]' adds it."""


def main(folder: Path) -> None:
    started = time.perf_counter()
    print("Drawing a catalogue of 360 pictures ...", flush=True)
    draw_catalogue(folder / "catalogue")
    photos = Collection(folder / "catalogue" / "photos")
    print("Indexing it ...", flush=True)
    done = photos.index()
    print(f"{done.added} added, {done.unchanged} unchanged.")
    queries = sorted((folder / "catalogue" / "queries").iterdir())
    grid = photos.draw(photos.search(queries[::2], k=5, lens="plain"), folder / "grid.png")
    photos.map(folder / "map.png")

    quick = find_spec("torch") is None
    if quick:
        print(WITHOUT_TORCH)
    for name in ("pattern", "colour"):
        labels = folder / "catalogue" / f"{name}.csv"
        print(f"\nTeaching it {name}, from {labels} ...", flush=True)
        lens = photos.learn(labels, name=name, quick=quick, replace=True)
        assert lens.proof is not None
        print(lens.proof.table())
    print("\nOf the first five answers to each of ten new products, so many share its")
    for meaning in ("pattern", "colour"):
        counts = {lens: right_ones(photos, queries, lens, meaning) for lens in ("plain", meaning)}
        print(f"    {meaning}: {counts['plain']} of 50 in plain search, {counts[meaning]} through the lens {meaning}")
    asked = [query for query in queries if query.stem in SHOWN]
    taught = comparison_grid(
        {name: photos.search(asked, k=5, lens=name) for name in ("plain", "pattern", "colour")},
        right=is_right,
        title="One library, two meanings of similar",
        subtitle="the same pictures and the same query, searched plainly and through two lenses taught a moment ago",
    )
    save(taught, folder / "taught.png")
    print(f"""
Done in {time.perf_counter() - started:.0f} s.
Look at {folder / "taught.png"}: the same query, plain, by pattern, and by colour.
At {grid}: each row a query, and the five pictures most like it, before anything was taught.
At {folder / "map.png"}: the whole catalogue, like beside like.
At {photos.home.lens("pattern") / "proof.png"}: what the lens was worth on queries that it had not seen.

In the browser, to click and to teach: make page, or

    .venv/bin/pip install -c constraints.txt '.[server]'
    .venv/bin/lookalike serve {photos.folder}

Now your own pictures:
    .venv/bin/lookalike index ~/Pictures
    .venv/bin/lookalike search ~/Pictures SOME-PICTURE --grid grid.png
    .venv/bin/lookalike learn ~/Pictures --from FOLDER-OF-CLASSES-OR-PAIRS""")


def right_ones(photos: Collection, queries: list[Path], lens: str, meaning: str) -> int:
    """How many of the first five answers to each query are right in this meaning."""
    answers = photos.search(queries, k=5, lens=lens)
    return sum(bool(is_right(meaning, hits.query, hit.file)) for hits in answers for hit in hits)


def is_right(lens: str, query: str, file: str) -> bool | None:
    """The names of the catalogue's pictures tell what they show: product-pattern-colour, and the shot."""
    part = {"pattern": 1, "colour": 2}.get(lens)
    return None if part is None else Path(query).stem.split("-")[part] == Path(file).stem.split("-")[part]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo"))
