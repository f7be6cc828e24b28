"""The whole way in a minute: draw a catalogue, index it, search it, draw the answer."""

import sys
from pathlib import Path

from catalogue import draw_catalogue

from lookalike import Collection


def main(folder: Path) -> None:
    print("Drawing a catalogue of 360 pictures ...", flush=True)
    draw_catalogue(folder / "catalogue")
    collection = Collection(folder / "catalogue" / "photos")
    print("Indexing it ...", flush=True)
    done = collection.index()
    print(f"{done.added} added, {done.unchanged} unchanged.")
    queries = [str(path) for path in sorted((folder / "catalogue" / "queries").iterdir())[::2]]
    grid = collection.draw(collection.search(queries, k=5), folder / "grid.png")
    collection.map(folder / "map.png")
    print(f"""
Look at {grid}: each row a query, and the five pictures most like it.
And at {folder / "map.png"}: the whole catalogue, like beside like.

Now your own pictures:
    .venv/bin/lookalike index ~/Pictures
    .venv/bin/lookalike search ~/Pictures SOME-PICTURE --grid grid.png""")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo"))
