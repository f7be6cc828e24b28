"""What leaves a collection: lists, exports, drawings."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike import Collection
from lookalike.index.near_duplicates import DuplicateGroup


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


def test_a_grid_is_drawn_with_the_query_set_apart(indexed: Collection):
    hits = indexed.search("it's \n한글.png", k=3)
    drawn = Image.open(io.BytesIO(hits._repr_png_()))
    assert drawn.format == "PNG"
    assert drawn.width > 4 * 200
    assert "한글" in repr(hits)
