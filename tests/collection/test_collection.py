"""Collection: opening, exports, drawings, and lenses that come from elsewhere."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.pictures import draw

from lookalike import Collection, LookalikeError
from lookalike.errors import CollectionError, LensError, QueryError
from lookalike.index.near_duplicates import DuplicateGroup


def test_opening_writes_nothing_and_searching_says_to_index_first(photos: Path):
    with pytest.raises(CollectionError, match="Run: lookalike index"):
        Collection(photos).search("1.png")
    assert not (photos / ".lookalike").exists()


def test_a_collection_kept_elsewhere_leaves_the_folder_alone(photos: Path, tmp_path: Path):
    Collection(photos, at=tmp_path / "kept").index()
    assert not (photos / ".lookalike").exists()
    assert Collection(tmp_path / "kept").search("1.png")[0].file == "1.png"


def test_duplicates_names_equal_content(indexed: Collection):
    assert indexed.duplicates(0.9999) == [DuplicateGroup("1.png", (("sub/copy.png", 1.0),))]


@pytest.mark.parametrize("ending", ["parquet", "csv", "npy"])
@pytest.mark.parametrize("lens", ["plain", "swap"])
def test_exports_hold_the_files_and_vectors_of_the_table(swapped: Collection, tmp_path: Path, ending: str, lens: str):
    files, rows = swapped.table.features(column="features" if lens == "plain" else "lens:swap")
    out = tmp_path / f"out.{ending}"
    assert swapped.export(out, lens=lens) == 7
    if ending == "parquet":
        duckdb, pandas, polars = (pytest.importorskip(name) for name in ("duckdb", "pandas", "polars"))
        frame = pandas.read_parquet(out)
        assert frame["file"].tolist() == polars.read_parquet(out)["file"].to_list() == files
        assert duckdb.sql(f"SELECT count(*) FROM '{out}' WHERE len(features) = {rows.shape[1]}").fetchall() == [(7,)]
        found = np.stack(frame["features"])
    elif ending == "csv":
        frame = pytest.importorskip("pandas").read_csv(out)
        assert frame["file"].tolist() == files
        found = frame.drop(columns="file").to_numpy()
    else:
        assert json.loads(out.with_suffix(".json").read_text()) == files
        found = np.load(out)
    np.testing.assert_allclose(found, rows.astype(np.float32), atol=1e-7)


def test_pictures_that_come_later_get_every_lens_and_so_do_moved_and_changed_ones(swapped: Collection, photos: Path):
    (photos / "10.png").rename(photos / "moved.png")
    draw(photos / "2.png", 51, size=(80, 80))
    draw(photos / "new.png", 52)
    Collection(photos).index()
    files, features = swapped.table.features()
    served, vectors = swapped.table.features(column="lens:swap")
    assert {"moved.png", "new.png", "2.png"} < set(served)
    assert served == files
    np.testing.assert_allclose(vectors.astype(np.float32), swapped.lens("swap").apply(features), atol=1e-3)


def test_a_damaged_lens_is_named_in_one_line_and_served_again_once_it_is_mended(swapped: Collection, photos: Path):
    weights = swapped.home.lens("swap") / "weights.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:100])
    draw(photos / "new.png", 52)
    done = Collection(photos).index()
    assert done.added == 1
    assert len(done.damaged["swap"].splitlines()) == 1
    assert swapped.table.snapshot().unfilled("swap") == ["new.png"]
    with pytest.raises(LensError, match="damaged lens"):
        swapped.search("1.png", lens="swap")
    weights.write_bytes(good)
    assert Collection(photos).index().damaged == {}
    assert swapped.table.snapshot().unfilled("swap") == []
    assert swapped.search("new.png", lens="swap")[0].file == "new.png"


def test_a_lens_folder_copied_here_serves_at_once_and_has_its_column_after_indexing(
    swapped: Collection, tmp_path: Path
):
    draw(tmp_path / "others/x.png", 1)
    draw(tmp_path / "others/y.png", 2)
    others = Collection(tmp_path / "others")
    shutil.copytree(swapped.home.lens("swap"), others.home.lens("copied"))
    others.index()
    assert others.table.lenses() == {"copied": 5}
    shutil.copytree(swapped.home.lens("swap"), others.home.lens("late"))
    assert others.search("x.png", lens="late").lens == "late"
    assert list(others.search("x.png", lens="late")) == list(others.search("x.png", lens="copied"))


def test_a_grid_is_drawn_with_the_query_set_apart(indexed: Collection):
    hits = indexed.search("it's \n한글.png", k=3)
    drawn = Image.open(io.BytesIO(hits._repr_png_()))
    assert drawn.format == "PNG"
    assert drawn.width > 4 * 200
    assert "한글" in repr(hits)


def test_our_errors_share_one_root():
    assert issubclass(QueryError, LookalikeError)
    assert issubclass(CollectionError, LookalikeError)
