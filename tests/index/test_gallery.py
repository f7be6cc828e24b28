"""The gallery: its rows in the order of files, and its codes, kept, copied or made."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from support.large_table import FEATURES, FILES, LENS, F, N, ask, content, names, row, truth

from lookalike import similarity
from lookalike.index.gallery import Gallery
from lookalike.index.quantization import Int8Codes
from lookalike.index.search import Selection, search
from lookalike.index.table import ImageRow, Table
from lookalike.models.lens import Lens


def test_a_lens_without_a_whole_column_of_its_weights_is_computed_from_the_features(table: Table, tmp_path: Path):
    vectors = LENS.apply(FEATURES).astype(np.float16)
    table.append([row(0)])  # a version that knew no lenses: this row has no vector
    other = Lens("pattern", LENS.mean, -LENS.matrix[:, ::-1])
    for lens, right in [(LENS, vectors), (other, -vectors[:, ::-1])]:
        gallery = Gallery(table.snapshot(), lens, tmp_path / "codes")
        assert gallery.rows[[gallery.row_of(FILES[0])]].tobytes() == right[0].tobytes()
        assert names(search([ask(right[0])], gallery, tmp_path, Selection(5))[0]) == truth(right, right[0], 5)
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


def mark(folder: Path) -> None:
    """Put 99 first in all kept codes, by which they are known."""
    codes, keys = Int8Codes.load(folder), np.load(folder / "keys.npy")
    values = np.array(codes.values)
    values[:, 0] = 99
    Int8Codes(values, codes.scale, codes.error_norm).save(folder)
    np.save(folder / "keys.npy", keys)


def test_what_was_prepared_is_not_made_again_and_holds_no_rows_in_memory(table: Table, tmp_path: Path):
    kept = tmp_path / "codes"
    first = Gallery(table.snapshot(), None, kept)
    first.build_codes()
    assert first.rows._memory is None
    [path] = kept.glob("*/values.npy")
    mark(path.parent)
    assert (Gallery(table.snapshot(), None, kept).knn.codes.values[:, 0] == 99).all()


def test_codes_of_an_earlier_version_are_copied_and_only_those_of_new_rows_are_made(table: Table, tmp_path: Path):
    kept = tmp_path / "codes"
    Gallery(table.snapshot(), None, kept).knn  # noqa: B018
    (folder,) = kept.iterdir()
    mark(folder)
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
        table = Table(tmp_path / "t.lance")
        contents = [bytes([salt]) + i.to_bytes(15, "big") for i in range(N)]
        table.append([ImageRow(f"{i:05d}.png", contents[i], 1, 1, 1, 1, features[i]) for i in range(N)])
        gallery = Gallery(table.snapshot(), None, tmp_path / "codes")
        values = similarity(features, features[9])[:, 0]
        right = [f"{i:05d}.png" for i in np.argsort(-values, kind="stable")[:5]]
        assert names(search([ask(features[9])], gallery, tmp_path, Selection(5))[0]) == right


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
        assert names(search([ask(FEATURES[9])], gallery, tmp_path, Selection(5))[0]) == truth(FEATURES, FEATURES[9], 5)


def test_where_nothing_can_be_kept_searching_goes_on(table: Table, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    gallery = Gallery(table.snapshot(), None, tmp_path / "file/codes")
    assert names(search([ask(FEATURES[9])], gallery, tmp_path, Selection(5))[0]) == truth(FEATURES, FEATURES[9], 5)


def test_places_contents_and_sizes_belong_to_the_sorted_files(table: Table):
    gallery = Gallery(table.snapshot())
    assert gallery.files == sorted(FILES)
    for i in (0, 103, N - 1):
        place = gallery.row_of(FILES[i])
        assert gallery.contents[place].tobytes() == content(i)
        assert gallery.sizes[place].tolist() == [i, 9]
    assert [gallery.files[place] for place in gallery.copies_of(content(100))] == sorted(FILES[100:105])
    assert (gallery.row_of("nothing.png"), gallery.row_of("~"), gallery.copies_of(b"?" * 16).size) == (None, None, 0)


def test_the_mean_is_that_of_the_rows_of_length_one_and_follows_the_table(table: Table, tmp_path: Path):
    unit = FEATURES.astype(np.float64) / np.linalg.norm(FEATURES.astype(np.float64), axis=1, keepdims=True)
    for few, tolerance in ((N, 1e-6), (1, 2e-3)):  # of all rows; of their codes
        gallery = Gallery(table.snapshot(), None, tmp_path / "codes", few)
        np.testing.assert_allclose(gallery.mean, unit.mean(axis=0), atol=tolerance)
        assert gallery.mean.tobytes() == Gallery(table.snapshot(), None, None, few).mean.tobytes()
    table.remove(FILES[: N // 2])
    np.testing.assert_allclose(Gallery(table.snapshot()).mean, unit[N // 2 :].mean(axis=0), atol=1e-6)
