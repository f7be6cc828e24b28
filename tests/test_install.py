"""What users install: the package without extras, in an environment of its own, from here to a grid."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from support import badges
from support.pictures import draw

ROOT = Path(__file__).parents[1]
# A HEIC file's head: that is how far it is looked at without the extra.
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)
SAYS = """
from lookalike import Collection
photos = Collection("photos")
hits = photos.search("photos/1.png", k=2)
for ask in (photos.to_pandas, hits.to_pandas, lambda: __import__("lookalike.learning.training")):
    try:
        ask()
    except ImportError as error:
        print(error)
from lookalike.learning import whiten
print(whiten(photos.embed(["photos/1.png", "photos/2.png", "photos/3.png"]), [0, 0, 1]).dims)
"""


@pytest.mark.slow  # installs the package
def test_without_extras_it_indexes_searches_draws_and_says_what_an_extra_would_give(tmp_path: Path):
    venv.create(tmp_path / "venv", with_pip=True)
    bin_ = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    environment["LOOKALIKE_CACHE"] = str(tmp_path / "cache")

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(bin_ / str(words[0])), *map(str, words[1:])],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=600,
        )  # fmt: skip

    run("python", "-m", "pip", "install", "--quiet", "--no-input", "-c", ROOT / "constraints.txt", ROOT)
    for seed in range(1, 5):
        draw(tmp_path / f"photos/{seed}.png", seed)
    (tmp_path / "photos/phone.heic").write_bytes(HEIC)
    (tmp_path / "photos/camera.raf").write_bytes(b"FUJIFILMCCD-RAW 0201" + bytes(100))

    there = run("python", "-m", "pip", "list", "--format", "freeze").stdout
    assert not any(
        f"\n{name}==" in f"\n{there}" for name in ("torch", "pandas", "polars", "duckdb", "pillow-heif", "rawpy")
    )
    assert "4 added" in run("lookalike", "index", "photos").stderr
    said = run("lookalike", "status", "photos").stdout
    assert "needs the extra 'heic'" in said
    assert "needs the extra 'raw'. Install it with: pip install 'lookalike[raw]'" in said
    found = run("lookalike", "search", "photos", "photos/2.png", "-k", 1, "--grid", "grid.png")
    assert found.stdout == "1.000\t2.png\n"
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")
    run("lookalike", "map", "photos", "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "photos/copy.png").write_bytes((tmp_path / "photos/3.png").read_bytes())
    run("lookalike", "index", "photos")
    alike = run("lookalike", "duplicates", "photos", "--min-similarity", 0.9999).stdout.splitlines()
    assert alike[0] == "1.0000\t3.png\tcopy.png"
    run("lookalike", "export", "photos", "photos.parquet")
    assert (tmp_path / "photos.parquet").read_bytes().startswith(b"PAR1")
    said = run("python", "-c", SAYS).stdout.splitlines()
    assert [line.partition(" needs the extra ")[2].split(".")[0] for line in said[:3]] == [
        "'tables'", "'tables'", "'learn'",
    ]  # fmt: skip
    assert said[3] == "3488"

    badges.classes(tmp_path / "badges", kinds=12)
    run("lookalike", "index", "badges")
    quick = run("lookalike", "learn", "badges", "--from", "badges", "--name", "kind", "--quick", "--json")
    assert json.loads(quick.stdout)["protocol"]["queries"] >= 24  # of 36; how many are nearly equal depends on bf16
    lens = tmp_path / "badges/.lookalike/lenses/kind"
    assert (lens / "proof.png").read_bytes().startswith(b"\x89PNG")
    through = run(
        "lookalike", "search", "badges", "badges/kind-03/0.png", "-k", 3, "--lens", "kind", "--grid", "kind.png"
    )
    assert {line.split("\t")[1].split("/")[0] for line in through.stdout.splitlines()} == {"kind-03"}
    assert (tmp_path / "kind.png").read_bytes().startswith(b"\x89PNG")
    corrected = run("lookalike", "learn", "badges", "--from", "badges", "--name", "corrected")
    assert "lookalike[learn]" in corrected.stdout + corrected.stderr
