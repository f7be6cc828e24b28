"""Kill -9 at random moments of indexing real small files: nothing committed is lost, and the next run finishes it.

    LOOKALIKE_DATA=... python benchmarks/kills.py --kills 20

A folder of emoji is indexed by `python -m lookalike index`, killed after a random share of the time that a whole run
took. After each kill a reader opens the table: what it showed before the kill must still be there, no file twice, each
row with the features that an undisturbed run gives its content. A run that ends before its kill is checked to be whole,
and the folder is changed, so that kills meet new, changed, moved and removed files; a lens has its column throughout.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lookalike import Collection
from lookalike.images.decode import content_hash
from lookalike.index.table import Table
from lookalike.models.lens import Lens

INDEX = [sys.executable, "-m", "lookalike", "index"]
Rows = dict[str, bytes]  # file -> content


def begin(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([*INDEX, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def a_lens(collection: Collection) -> Lens:
    rng, f = np.random.default_rng(1), collection.backbone.length
    return Lens("bench", rng.random(f) / 99, rng.standard_normal((f, 8)), {"backbone": collection.backbone.id})


def rows_of(table: Table) -> Rows:
    """What a reader sees; raises where a file is there twice."""
    columns = table.columns()
    assert len(columns["file"]) == len(set(columns["file"])), "a file is there twice"
    return dict(zip(columns["file"], columns["content"], strict=True))


def check(table: Table, truth: dict[bytes, bytes], lens: Lens) -> Rows:
    """Every row against an undisturbed run's: content -> its features as bytes."""
    rows = rows_of(table)
    files, features = table.features()
    for file, row in zip(files, features, strict=True):
        assert row.tobytes() == truth[rows[file]], f"{file}: other features than an undisturbed run's"
    if lens.name in table.lenses():
        served, vectors = table.features(column=f"lens:{lens.name}")
        found = table.snapshot()
        assert served == files
        assert found is not None
        assert not found.unfilled(lens.name), "rows without the lens's vector"
        np.testing.assert_allclose(vectors.astype(np.float32), lens.apply(features), atol=1e-3)
    return rows


def on_disk(folder: Path) -> Rows:
    return {path.name: content_hash(path.read_bytes()) for path in folder.iterdir() if path.is_file()}


def change(folder: Path, pool: list[Path], rng: np.random.Generator) -> None:
    """A quarter of the files gets another content, some move, some go, and others come."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    rng.shuffle(files)  # type: ignore[arg-type]
    quarter = len(files) // 4
    for path in files[:quarter]:
        path.write_bytes(pool[rng.integers(len(pool))].read_bytes())
    for path in files[quarter : quarter + 40]:
        path.rename(path.with_name(f"moved {rng.integers(1 << 40)}.png"))
    for path in files[-quarter:]:
        path.unlink()
    for number in rng.choice(len(pool), quarter, replace=False):
        shutil.copy(pool[number], folder / f"new {rng.integers(1 << 40)}.png")


def left_over(collection: Collection) -> list[str]:
    """Files below the tables that no version still kept needs, and what a write left half done."""
    import lance

    left = [str(path) for path in collection.home.at.rglob(".*.json.*")]
    for table in (collection.table.uri, collection.refused.uri):
        if not Path(table).is_dir():
            continue
        dataset = lance.dataset(table)
        needed = set()
        for version in dataset.versions():
            for fragment in lance.dataset(table, version=version["version"]).get_fragments():
                needed.update(file.path for file in fragment.data_files())
                if deletions := fragment.deletion_file():
                    needed.add(str(deletions))
        left += [path.name for path in (Path(table) / "data").glob("*") if path.name not in needed]
    return left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    data = os.environ.get("LOOKALIKE_DATA", "")
    pool = sorted((Path(data) / "emoji").rglob("*.png"))
    if not data or len(pool) < 2 * asked.pictures:
        print("Set LOOKALIKE_DATA to the folder of the real pictures.")
        return
    pool = pool[:: len(pool) // (2 * asked.pictures)]
    with tempfile.TemporaryDirectory(prefix="lookalike-") as work:
        measure(Path(work), pool, asked.kills, asked.pictures, np.random.default_rng(asked.seed))


def measure(work: Path, pool: list[Path], kills: int, pictures: int, rng: np.random.Generator) -> None:
    everything = work / "everything"
    everything.mkdir()
    for i, path in enumerate(pool):
        shutil.copy(path, everything / f"{i}.png")
    undisturbed = Collection(everything)
    undisturbed.index()
    files, features = undisturbed.table.features()
    contents = rows_of(undisturbed.table)
    truth = {contents[file]: row.tobytes() for file, row in zip(files, features, strict=True)}

    folder = work / "photos"
    folder.mkdir()
    for number in rng.choice(len(pool), pictures, replace=False):
        shutil.copy(pool[number], folder / f"{number}.png")
    started = time.monotonic()
    assert begin(folder).wait() == 0
    whole_s = time.monotonic() - started
    collection = Collection(folder)
    lens = a_lens(collection)
    shutil.rmtree(collection.home.at)
    print(f"{pictures} pictures, a whole run takes {whole_s:.1f} s; seconds to the kill, rows before and after it:")

    done = whole = 0
    while done < kills:
        moment = rng.uniform(0, whole_s)
        first = collection.home.config() is None
        run = begin(folder)
        try:
            run.wait(moment)
        except subprocess.TimeoutExpired:
            before = {} if first and collection.home.config() is None else rows_of(collection.table)
            run.kill()
            run.wait()
            done += 1
            after = check(collection.table, truth, lens)
            missing = [file for file in before if file not in after and (folder / file).exists()]
            assert not missing, f"lost: {missing}"
            left = left_over(collection)
            print(f"{done:3}  {moment:5.1f} s  {len(before):5} {len(after):5}   orphans {len(left)}", flush=True)
            continue
        assert run.returncode == 0, run.stderr.read().decode() if run.stderr else ""
        assert check(collection.table, truth, lens) == on_disk(folder), "a finished run is not the folder"
        whole += 1
        lens.save(collection.home.lens(lens.name))
        change(folder, pool, rng)
    run = begin(folder)
    assert run.wait() == 0
    assert check(collection.table, truth, lens) == on_disk(folder), "a finished run is not the folder"
    left = left_over(collection)
    print(f"{done} kills, {whole + 1} runs finished, each equal to the folder; nothing lost, nothing twice, features")
    print(f"bit for bit those of an undisturbed run. Orphans after the last run: {len(left)} {left[:5]}")


if __name__ == "__main__":
    main()
