"""The gallery and searching in it: the same answers as brute force, from disk or memory, with codes kept or made."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from lookalike import similarity
from lookalike.errors import QueryError
from lookalike.index.exact_knn import FEW
from lookalike.index.gallery import Gallery
from lookalike.index.indexer import update_lens_column
from lookalike.index.quantization import Int8Codes
from lookalike.index.query import Query, resolve_query
from lookalike.index.search import search
from lookalike.index.table import ImageRow, Table
from lookalike.models.lens import Lens

N, F = FEW + 900, 16
RNG = np.random.default_rng(7)
FEATURES = RNG.standard_normal((N, F)).astype(np.float16)
FEATURES[100:110] = FEATURES[100]  # ten pictures that look alike to the bit; five of them are one content
LENS = Lens("pattern", RNG.standard_normal(F), RNG.standard_normal((F, 4)))


def content(i: int) -> bytes:
    return (100 if 100 <= i < 105 else i).to_bytes(16, "big")


def row(i: int) -> ImageRow:
    return ImageRow(f"{(i * 7919) % N:05d}.png", content(i), i, i, i, 9, FEATURES[i])  # not in the order of their names


FILES = [row(i).file for i in range(N)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gallery") / "t.lance"
    table = Table(path, F)
    table.append([row(i) for i in range(N // 2)])
    table.append([row(i) for i in range(N // 2, N)])
    update_lens_column(table, LENS)
    return path


@pytest.fixture
def table(made: Path, tmp_path: Path) -> Table:
    return Table(shutil.copytree(made, tmp_path / "t.lance"), F)


def truth(vectors: np.ndarray, query: np.ndarray, k: int) -> list[str]:
    """By brute force: the most similar first, ties by file."""
    values = similarity(vectors, query)[:, 0]
    return [FILES[i] for i in sorted(range(N), key=lambda i: (-values[i], FILES[i]))[:k]]


def ask(vector: np.ndarray, own: bytes | None = None) -> Query:
    return Query("q", vector, own, None)


def names(hits) -> list[str]:
    return [hit.file for hit in hits]


@pytest.mark.parametrize("lens", [None, LENS], ids=["plain", "pattern"])
def test_the_first_k_are_those_of_brute_force_from_disk_and_from_memory(table: Table, tmp_path: Path, lens):
    vectors = FEATURES if lens is None else lens.apply(FEATURES).astype(np.float16)
    for i in (0, 105, N - 1):
        gallery = Gallery(table.snapshot(), lens, tmp_path / "codes")
        for _ in range(2):
            (hits,) = search([ask(vectors[i])], gallery, tmp_path, 20)
            assert names(hits) == truth(vectors, vectors[i], 20)
            assert hits.lens == ("plain" if lens is None else "pattern")
            gallery.rows.whole()


def test_many_queries_at_once_get_what_each_gets_alone(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), None, tmp_path / "codes")
    queries = [ask(FEATURES[i], content(i)) for i in (3, 102, 107)]
    for others in (False, True):
        together = search(queries, gallery, tmp_path, 12, others=others)
        alone = [search([query], gallery, tmp_path, 12, others=others)[0] for query in queries]
        assert [list(hits) for hits in together] == [list(hits) for hits in alone]


def test_a_querys_own_pictures_come_first_with_one_even_among_those_that_look_the_same(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    own = sorted(FILES[100:105])
    (hits,) = search([ask(FEATURES[102], content(102))], gallery, tmp_path, 7)
    assert names(hits)[:5] == own
    assert [hit.similarity for hit in hits][:5] == [1.0] * 5
    assert names(hits)[5:] == sorted(FILES[105:110])[:2]
    (hits,) = search([ask(FEATURES[102], content(102))], gallery, tmp_path, 7, others=True)
    assert names(hits)[:5] == sorted(FILES[105:110])
    assert len(hits) == 7
    assert not set(own) & set(names(hits))


def test_a_filter_is_applied_before_ranking_so_k_are_found(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), None, tmp_path / "codes")
    (hits,) = search([ask(FEATURES[102], content(102))], gallery, tmp_path, 9, where="width >= 103")
    right = truth(FEATURES, FEATURES[102], N)
    allowed = set(FILES[103:])
    own = sorted(FILES[103:105])
    assert names(hits) == own + [file for file in right if file in allowed and file not in own][:7]
    assert names(search([ask(FEATURES[0])], gallery, tmp_path, None, where="width < 3")[0]) == [
        file for file in right_of(0) if file in FILES[:3]
    ]
    with pytest.raises(QueryError, match="Write it like"):
        search([ask(FEATURES[0])], gallery, tmp_path, 9, where="colour = 1")


def right_of(i: int) -> list[str]:
    return truth(FEATURES, FEATURES[i], N)


def test_a_least_similarity_cuts_and_k_none_gives_all(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), None, tmp_path / "codes")
    values = similarity(FEATURES, FEATURES[0])[:, 0]
    (hits,) = search([ask(FEATURES[0], content(0))], gallery, tmp_path, None, min_similarity=0.5)
    assert len(hits) == int((values >= 0.5).sum())
    (hits,) = search([ask(FEATURES[0], content(0))], gallery, tmp_path, None)
    assert names(hits) == right_of(0)


def test_a_lens_without_a_whole_column_of_its_weights_is_computed_from_the_features(table: Table, tmp_path: Path):
    vectors = LENS.apply(FEATURES).astype(np.float16)
    table.append([row(0)])  # a version that knew no lenses: this row has no vector
    other = Lens("pattern", LENS.mean, -LENS.matrix[:, ::-1])
    for lens, right in [(LENS, vectors), (other, -vectors[:, ::-1])]:
        gallery = Gallery(table.snapshot(), lens, tmp_path / "codes")
        assert gallery.rows[[gallery.row_of(FILES[0])]].tobytes() == right[0].tobytes()
        assert names(search([ask(right[0])], gallery, tmp_path, 5)[0]) == truth(right, right[0], 5)
        assert gallery.rows.whole()[gallery.row_of(FILES[9])].tobytes() == right[9].tobytes()


def test_codes_are_kept_used_again_and_replaced_by_the_next_version(table: Table, tmp_path: Path):
    kept = tmp_path / "codes"
    assert Gallery(table.snapshot(), None, kept).knn.codes.values.shape == (N, F)
    Gallery(table.snapshot(), LENS, kept).knn  # noqa: B018  (asked for, it is made)
    before = {folder.name for folder in kept.iterdir()}
    assert len(before) == 2
    dates = {file: file.stat().st_mtime_ns for file in kept.rglob("*.npy")}
    assert Gallery(table.snapshot(), None, kept).knn.codes.values.shape == (N, F)
    assert dates == {file: file.stat().st_mtime_ns for file in kept.rglob("*.npy")}
    table.remove([FILES[0]])
    assert Gallery(table.snapshot(), None, kept).knn.codes.values.shape == (N - 1, F)
    after = {folder.name for folder in kept.iterdir()}
    assert len(after) == 2  # the lens's own are stale, and go when they are made again
    assert len(before & after) == 1


def test_what_was_prepared_is_not_made_again_and_holds_no_rows_in_memory(table: Table, tmp_path: Path):
    kept = tmp_path / "codes"
    first = Gallery(table.snapshot(), None, kept)
    first.build_codes()
    assert first.rows._memory is None
    [path] = kept.glob("*/values.npy")
    values = np.load(path)
    values[:, 0] = 99  # a mark by which kept codes are known
    np.save(path, values)
    assert (Gallery(table.snapshot(), None, kept).knn.codes.values[:, 0] == 99).all()


def test_codes_of_an_earlier_version_are_copied_and_only_those_of_new_rows_are_made(table: Table, tmp_path: Path):
    kept = tmp_path / "codes"
    Gallery(table.snapshot(), None, kept).knn  # noqa: B018
    (folder,) = kept.iterdir()
    values = np.load(folder / "values.npy")
    values[:, 0] = 99  # a mark by which copied codes are known
    np.save(folder / "values.npy", values)
    changed = np.full(F, 0.25, np.float32)
    table.remove([FILES[3]])
    table.append([ImageRow(name, name.encode().ljust(16), 1, 1, 1, 1, changed) for name in ("00000.png", "new.png")])
    gallery = Gallery(table.snapshot(), None, kept)
    copied = gallery.knn.codes.values[:, 0] == 99
    assert [gallery.files[i] for i in np.flatnonzero(~copied)] == ["00000.png", "new.png"]
    shutil.rmtree(kept)
    right = Gallery(table.snapshot(), None, kept).knn.codes
    assert (gallery.knn.codes.values[:, 1:] == right.values[:, 1:]).all()
    assert (gallery.knn.codes.scale == right.scale).all()
    assert (gallery.knn.codes.error_norm == right.error_norm).all()


def test_codes_of_a_table_made_anew_are_not_taken_for_those_of_the_old_one(tmp_path: Path):
    for salt, features in enumerate((FEATURES, -FEATURES[:, ::-1])):
        shutil.rmtree(tmp_path / "t.lance", ignore_errors=True)
        table = Table(tmp_path / "t.lance", F)
        contents = [bytes([salt]) + i.to_bytes(15, "big") for i in range(N)]
        table.append([ImageRow(f"{i:05d}.png", contents[i], 1, 1, 1, 1, features[i]) for i in range(N)])
        gallery = Gallery(table.snapshot(), None, tmp_path / "codes")
        values = similarity(features, features[9])[:, 0]
        right = [f"{i:05d}.png" for i in np.argsort(-values, kind="stable")[:5]]
        assert names(search([ask(features[9])], gallery, tmp_path, 5)[0]) == right


@pytest.mark.parametrize("harm", ["cut", "gone", "other shape", "not a folder"])
def test_damaged_or_foreign_codes_are_made_again(table: Table, tmp_path: Path, harm: str):
    kept = tmp_path / "codes"
    Gallery(table.snapshot(), None, kept).knn  # noqa: B018
    (folder,) = kept.iterdir()
    if harm == "cut":
        (folder / "values.npy").write_bytes((folder / "values.npy").read_bytes()[:1000])
    elif harm == "gone":
        (folder / "scale.npy").unlink()
    elif harm == "other shape":
        Int8Codes.build(FEATURES[:10]).save(folder)
    else:
        shutil.rmtree(folder)
        folder.write_bytes(b"?")
    for _ in range(2):
        gallery = Gallery(table.snapshot(), None, kept)
        assert names(search([ask(FEATURES[9])], gallery, tmp_path, 5)[0]) == truth(FEATURES, FEATURES[9], 5)


def test_where_nothing_can_be_kept_searching_goes_on(table: Table, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    gallery = Gallery(table.snapshot(), None, tmp_path / "file/codes")
    assert names(search([ask(FEATURES[9])], gallery, tmp_path, 5)[0]) == truth(FEATURES, FEATURES[9], 5)


def test_places_contents_and_sizes_belong_to_the_sorted_files(table: Table):
    gallery = Gallery(table.snapshot())
    assert gallery.files == sorted(FILES)
    for i in (0, 103, N - 1):
        place = gallery.row_of(FILES[i])
        assert gallery.contents[place].tobytes() == content(i)
        assert gallery.sizes[place].tolist() == [i, 9]
    assert [gallery.files[place] for place in gallery.copies_of(content(100))] == sorted(FILES[100:105])
    assert (gallery.row_of("nothing.png"), gallery.row_of("~"), gallery.copies_of(b"?" * 16).size) == (None, None, 0)


def test_an_emptied_table_has_no_hits(table: Table, tmp_path: Path):
    table.remove(FILES)
    gallery = Gallery(table.snapshot(), LENS, tmp_path / "codes")
    assert (len(gallery), gallery.files, gallery.rows.whole().shape) == (0, [], (0, 4))
    assert len(search([ask(np.ones(4))], gallery, tmp_path, 5)[0]) == 0


def test_a_vector_of_another_length_is_no_query(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), LENS)
    assert resolve_query(FEATURES[0], tmp_path, gallery, lambda _: pytest.fail("no picture")).vector.shape == (4,)
    with pytest.raises(QueryError, match=r"features are \(16,\)"):
        resolve_query(np.ones(4), tmp_path, gallery, lambda _: pytest.fail("no picture"))


def test_a_name_too_long_for_any_disk_is_one_line(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    for asked in ("x" * 5000, "a\0b"):
        with pytest.raises(QueryError, match="no such picture"):
            resolve_query(asked, tmp_path, gallery, lambda _: pytest.fail("no picture"))
