"""A large table for the tests of galleries and of searching in them."""

import shutil
from pathlib import Path

import pytest
from support.large_table import LENS, N, row

from lookalike.index.lens_column import update_lens_column
from lookalike.index.table import Table


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gallery") / "t.lance"
    table = Table(path)
    table.append([row(i) for i in range(N // 2)])
    table.append([row(i) for i in range(N // 2, N)])
    update_lens_column(table, LENS)
    return path


@pytest.fixture
def table(made: Path, tmp_path: Path) -> Table:
    return Table(shutil.copytree(made, tmp_path / "t.lance"))
