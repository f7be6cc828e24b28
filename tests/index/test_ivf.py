"""The approximate index: how much it finds, that it follows the table, and that what it says is measured."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from support.large_table import ask, names

import lookalike.index.ivf as ivf
from lookalike import similarity
from lookalike.index.gallery import Gallery
from lookalike.index.ivf import ApproximateIndex, kmeans, partitions_for
from lookalike.index.lance_runtime import load_lance
from lookalike.index.search import Selection, search
from lookalike.index.table import ImageRow, Table

N, D, K = 20_000, 32, 10
RNG = np.random.default_rng(0)
CENTRES = RNG.standard_normal((400, D))


def drawn(n: int) -> np.ndarray:
    rows = CENTRES[RNG.integers(0, len(CENTRES), n)] + 0.6 * RNG.standard_normal((n, D))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


ROWS = drawn(N)
ROWS[50:60] = ROWS[50]  # ten that look alike
ROWS[77] = np.nan
FILES = [f"{(i * 7919) % N:05d}.png" for i in range(N)]


def row(i: int, vector: np.ndarray, file: str = "") -> ImageRow:
    return ImageRow(file or FILES[i], i.to_bytes(16, "big"), i, i, i, 9, vector)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ivf") / "t.lance"
    table = Table(path)
    for start in (0, N // 2):
        table.append([row(i, ROWS[i]) for i in range(start, start + N // 2)])
    table.update_index("features")
    return path


@pytest.fixture
def table(indexed: Path, tmp_path: Path) -> Table:
    import shutil

    return Table(shutil.copytree(indexed, tmp_path / "t.lance"))


def approximate(table: Table, tmp_path: Path, query, selection=None, most=1000) -> list:
    gallery = Gallery(table.snapshot(), None, tmp_path / "codes", most=most)
    return search([ask(query)], gallery, tmp_path, selection or Selection(K, approximate=True))[0]


def test_it_finds_at_least_98_of_100_and_says_so(table: Table, tmp_path: Path):
    usable = np.delete(np.arange(N), 77)
    found = 0
    for i in range(0, N, 400):
        query = ROWS[i].astype(np.float32) + 0.05 * RNG.standard_normal(D).astype(np.float32)
        right = usable[np.argsort(-similarity(ROWS[usable], query)[:, 0], kind="stable")[:K]]
        hits = approximate(table, tmp_path, query)
        found += len({hit.file for hit in hits} & {FILES[j] for j in right})
        exact = {FILES[j]: value for j, value in zip(right, similarity(ROWS[right], query)[:, 0], strict=True)}
        assert all(hit.similarity == pytest.approx(exact.get(hit.file, hit.similarity), abs=0) for hit in hits)
    assert found >= 0.98 * 50 * K
    made = ApproximateIndex.of(table.snapshot(), "features").settings
    assert made.recall >= 0.98 and (made.queries, made.rows) == (200, N)
    assert hits.note == f"approximate: recall@10 {made.recall:.3f} on 200 of its own rows"


@pytest.mark.parametrize("most", [1000, 10**9], ids=["on disk", "in memory"])
def test_equal_ones_come_in_the_order_of_their_files(table: Table, tmp_path: Path, most: int):
    hits = approximate(table, tmp_path, ROWS[50], Selection(7, approximate=True), most)
    assert names(hits) == sorted(FILES[50:60])[:7]


def test_new_rows_are_found_at_once_and_removed_ones_are_not(table: Table, tmp_path: Path):
    new = drawn(3)
    table.append([row(N + i, new[i], f"new{i}.png") for i in range(3)])
    table.remove([FILES[9]])
    for _ in range(2):
        assert [approximate(table, tmp_path, one)[0].file for one in new] == ["new0.png", "new1.png", "new2.png"]
        hits = approximate(table, tmp_path, ROWS[9])
        assert len(hits) == K and FILES[9] not in names(hits)
        table.update_index("features")  # a part of its own for the three
    assert table.snapshot().index_parts("features") == (2, True)


def test_conditions_are_fulfilled_before_ranking(table: Table, tmp_path: Path):
    usable = np.delete(np.arange(N), 77)
    for first, last in ((10, 400), (5000, 10_000), (0, N)):
        where, found = f"width >= {first} AND width < {last}", 0
        rows = usable[(usable >= first) & (usable < last)]
        for i in range(20, 30):
            hits = approximate(table, tmp_path, ROWS[i], Selection(K, where=where, approximate=True))
            right = rows[np.argsort(-similarity(ROWS[rows], ROWS[i])[:, 0], kind="stable")[:K]]
            assert len(hits) == K and set(names(hits)) <= {FILES[j] for j in rows}
            found += len(set(names(hits)) & {FILES[j] for j in right})
        assert found >= 0.97 * 10 * K


def test_what_it_cannot_answer_is_answered_exactly(table: Table, tmp_path: Path):
    for selection in (
        Selection(K, approximate=True, reverse=True),
        Selection(K, approximate=True, reverse=True, min_similarity=0.0),
    ):
        hits = approximate(table, tmp_path, ROWS[20], selection)
        assert hits.note == "" and len(hits) == K
    assert approximate(table, tmp_path, ROWS[20], Selection(K)).note == ""


def test_many_parts_become_one_and_doubled_rows_a_new_index(table: Table, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(ivf, "DELTAS", 2)
    for turn, parts in ((0, 2), (1, 1)):
        table.append([row(N + turn, drawn(1)[0], f"new{turn}.png")])
        table.update_index("features")
        assert table.snapshot().index_parts("features") == (parts, True)
    table.append([row(N + 10 + i, one, f"more{i}.png") for i, one in enumerate(drawn(N))])
    table.update_index("features")
    assert ApproximateIndex.of(table.snapshot(), "features").settings.rows == 2 * N + 2


def test_an_index_whose_files_are_gone_is_made_again(table: Table, tmp_path: Path):
    expected = names(approximate(table, tmp_path, ROWS[20], Selection(K)))
    for path in Path(table.uri, "_indices").rglob("*.idx"):
        path.unlink()
    hits = approximate(table, tmp_path, ROWS[20])
    assert names(hits) == expected and hits.note.startswith("The approximate index cannot be read")
    table.update_index("features")
    hits = approximate(table, tmp_path, ROWS[20])
    assert names(hits)[:5] == expected[:5] and hits.note.startswith("approximate: recall")


def test_it_outlives_compaction_and_the_end_of_older_versions(tmp_path: Path):
    lance, table = load_lance(), Table(tmp_path / "t.lance")
    table.append([row(i, ROWS[i]) for i in range(100, 3100)])
    rows = table.snapshot().read("file", "content", "bytes", "mtime_ns", "width", "height", "features")
    lance.write_dataset(rows, table.uri, mode="overwrite", max_rows_per_file=25, data_storage_version="2.1")
    table.update_index("features")
    table.remove([FILES[100]])
    before = names(approximate(table, tmp_path, ROWS[105]))
    table.compact()
    table.clean(timedelta(0))
    snapshot = table.snapshot()
    assert len(snapshot.pieces("features")) == 1 and snapshot.index_parts("features")[1]
    assert names(approximate(table, tmp_path, ROWS[105])) == before


def test_too_little_recall_doubles_the_effort_until_it_is_enough(table: Table, monkeypatch):
    monkeypatch.setattr(ivf, "NPROBES", 1)
    monkeypatch.setattr(ivf, "REFINE", 1)
    monkeypatch.setattr(ivf, "ENOUGH", 0.97)
    found = ivf.measured(table.snapshot(), "features")
    assert found.recall >= 0.97 and found.nprobes > 1 and found.nprobes in (2, 4, 8, 16, 32, 64)


def test_an_index_goes_with_its_column(table: Table, tmp_path: Path):
    table.add_lens("pattern", 8, lambda features: np.nan_to_num(features[:, :8]))
    table.update_index("lens:pattern")
    assert ApproximateIndex.of(table.snapshot(), "lens:pattern") is not None
    table.drop_lens("pattern")
    assert ApproximateIndex.of(table.snapshot(), "lens:pattern") is None
    assert ApproximateIndex.of(table.snapshot(), "features") is not None
    assert table.verify()[0].picture == FILES[77]  # what holds no numbers, and nothing else
    assert len(table.verify()) == 1


def test_the_index_is_one_commit(tmp_path: Path):
    table = Table(tmp_path / "t.lance")
    table.append([row(i, ROWS[i]) for i in range(500)])
    before = table.snapshot().version
    table.update_index("features")
    assert table.snapshot().version == before + 1
    assert load_lance().dataset(table.uri).describe_indices()[0].name == "features"


def test_centroids_have_length_1_and_lie_where_the_rows_do():
    centroids = kmeans(np.asarray(ROWS[100:3000], np.float32), 64)
    np.testing.assert_allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-6)
    own = similarity(ROWS[100:3000], centroids).max(axis=1)
    drawn_at_random = similarity(ROWS[100:3000], ROWS[200:264].astype(np.float32)).max(axis=1)
    assert own.mean() > drawn_at_random.mean() + 0.02
    assert kmeans(np.eye(2, dtype=np.float32), 3).shape == (3, 2)
    assert [partitions_for(n) for n in (1, 4096, 10**6, 10**8)] == [1, 64, 1024, 8192]
