"""Rows that hold no numbers, as an earlier version could write them: left out everywhere, said once, mended."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support.badges import classes
from support.drawn_network import write_bundle
from support.pictures import draw
from support.recording import Recording

from lookalike import Collection, similarity
from lookalike.cli.main import main
from lookalike.errors import QueryError

SPOILT = "2.png"
LINE = (
    "1 picture left out (2.png): the features in the table are no numbers. To mend it, run: "
    "lookalike check {folder} --repair"
)


def spoil(collection: Collection, file: str, value: float = np.nan) -> None:
    """Put a value that is no number into the row of a file."""
    (row,) = collection.table.rows([file])
    features = np.array(row.features, np.float32)
    features[1] = value
    collection.table.append([replace(row, features=features)])


@pytest.fixture
def spoilt(photos: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Collection:
    """A collection of seven rows, one of them with a value that is no number, opened anew."""
    draw(photos / "0 same.png", 0)
    collection = Collection(photos, backbone=write_bundle(tmp_path / "bundle"), threads=1)
    collection.index()
    spoil(collection, SPOILT, getattr(request, "param", np.nan))
    return Collection(photos, threads=1)


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf], indirect=True)
@pytest.mark.parametrize("few", [4096, 1])
def test_a_search_ranks_the_other_rows_as_if_it_was_not_there(spoilt: Collection, few: int):
    spoilt._searcher.few = few  # of more rows than this, codes are made and kept
    frame = spoilt.to_pandas()
    assert SPOILT not in set(frame["file"])
    rows = np.stack(frame["features"])
    query = rows[frame["file"].tolist().index("10.png")]
    truth = dict(zip(frame["file"], similarity(rows, query)[:, 0], strict=True))
    for _ in range(2):
        hits = spoilt.search("10.png", k=None)
        assert {hit.file: hit.similarity for hit in hits} == pytest.approx(truth, abs=1e-6)
        spoilt = Collection(spoilt.folder, threads=1)  # its codes are read
        spoilt._searcher.few = few
    assert spoilt.search("10.png", where="file < '2'", k=None)[0].file == "10.png"
    assert SPOILT not in {hit.file for hit in spoilt.search("10.png", where="file >= '2'", k=None)}


def test_a_reporter_is_told_once_with_the_mend(spoilt: Collection):
    reporter = Recording()
    spoilt.search("10.png")
    spoilt.search("10.png", report=reporter)
    spoilt.search(["10.png", "1.png"], report=reporter)
    assert reporter.lines == [LINE.format(folder=spoilt.folder)]


def test_the_command_says_it_beside_the_hits(spoilt: Collection):
    done = CliRunner().invoke(main, ["search", str(spoilt.folder), "10.png", "--json", "-k", "9"])
    assert done.exit_code == 0
    assert done.stderr == LINE.format(folder=spoilt.folder) + "\n"
    assert len(json.loads(done.stdout)["hits"]) == 7


def test_asking_with_the_picture_itself_embeds_it(spoilt: Collection):
    for query in (SPOILT, spoilt.folder / SPOILT, (spoilt.folder / SPOILT).read_bytes()):
        hits = spoilt.search(query, k=None)
        assert len(hits) == 7
        assert hits[0].similarity > 0.5


def test_a_query_that_is_no_number_is_refused(spoilt: Collection):
    with pytest.raises(QueryError, match="a vector: its features are no numbers"):
        spoilt.search(np.full(3, np.nan, np.float32))


@pytest.mark.parametrize("few", [4096, 1])
def test_index_embeds_it_again(spoilt: Collection, few: int):
    spoilt._searcher.few = few
    expected = spoilt.embed([spoilt.folder / SPOILT])[0]
    spoilt.search("10.png")
    done = spoilt.index()
    assert (done.added, done.unchanged, done.notes) == (1, 7, [f"1 row held no numbers ({SPOILT}): embedded anew"])
    frame = spoilt.to_pandas()
    found = dict(zip(frame["file"], frame["features"], strict=True))
    np.testing.assert_allclose(found[SPOILT], expected, atol=1e-3)
    assert not spoilt.index().notes


def test_duplicates_and_exports_leave_it_out(spoilt: Collection, tmp_path: Path):
    groups = spoilt.duplicates(-1)
    assert SPOILT not in {file for group in groups for file in (group.keep, *(name for name, _ in group.others))}
    assert spoilt.export(tmp_path / "rows.npy") == 7
    assert np.isfinite(np.load(tmp_path / "rows.npy")).all()
    assert SPOILT not in json.loads((tmp_path / "rows.json").read_text())
    spoilt.map(tmp_path / "map.png")


def test_equal_pictures_are_found_by_their_content(spoilt: Collection):
    for name in (same := ["0 same.png", "1.png", "sub/copy.png"]):
        spoil(spoilt, name)
    (group,) = [one for one in spoilt.duplicates() if "1.png" in {one.keep, *(name for name, _ in one.others)}]
    assert sorted([group.keep, *(name for name, _ in group.others)]) == same
    assert {value for _, value in group.others} == {1.0}


def test_a_lens_computed_from_the_features_leaves_it_out(swapped: Collection):
    spoil(swapped, "2.png")
    swapped.table.drop_lens("swap")
    hits = Collection(swapped.folder).search("10.png", k=None, lens="swap")
    assert len(hits) == 6
    assert "2.png" not in {hit.file for hit in hits}


def test_learning_leaves_it_out_and_names_it(tmp_path: Path):
    folder = classes(tmp_path / "badges", 8, 5)
    collection = Collection(folder, backbone=write_bundle(tmp_path / "bundle"), threads=1)
    collection.index()
    name = collection.table.columns()["file"][3]
    spoil(collection, name)
    reporter = Recording()
    lens = collection.learn(folder, quick=True, report=reporter)
    assert np.isfinite(lens.matrix).all()
    assert f"1 picture left out: {Path(name).name}: its features are no numbers" in reporter.lines
