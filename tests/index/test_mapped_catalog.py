"""A catalog on the disk finds, filters and names as the one in memory does, whatever became of the table since."""

import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lookalike.errors import AmbiguousNameError, CollectionError
from lookalike.index.catalog import MemoryCatalog
from lookalike.index.mapped_catalog import MappedCatalog, name_numbers
from lookalike.index.table import ImageRow, Table

NFC, NFD = (unicodedata.normalize(form, "ä.png") for form in ("NFC", "NFD"))


def row(file: str, number: int, content: int | None = None) -> ImageRow:
    content = number if content is None else content
    return ImageRow(file, content.to_bytes(16, "big"), 10 + number, number, 40 + number, 30, np.ones(4, np.float32))


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Three pieces, of which one lost a row; not in the order of the names; two pictures of one content."""
    made = Table(tmp_path / "t.lance")
    made.append([row(f"{9 - i}.png", i) for i in range(8)])
    made.append([row(NFD, 20), row("b/long name.png", 21, 3), row(NFC + ".png", 22)])
    made.append([row("z.png", 30)])
    made.remove(["4.png"])
    return made


def both(table: Table, kept: Path) -> tuple[MemoryCatalog, MappedCatalog]:
    return MemoryCatalog(table.snapshot()), MappedCatalog(table.snapshot(), kept)


def names(catalog, places) -> list[str]:
    return [catalog.files[int(place)] for place in places]


def test_it_says_what_the_catalog_in_memory_says(table: Table, tmp_path: Path):
    memory, mapped = both(table, tmp_path / "kept")
    assert len(mapped) == len(memory) == 11
    assert sorted(mapped.files) == memory.files
    assert mapped.files[2:4] == ["7.png", "6.png"]
    for catalog in (memory, mapped):
        assert catalog.find("4.png") is None and catalog.find_exactly("no such.png") is None
        assert catalog.find("\udcff.png") is None
        for name in memory.files:
            assert catalog.files[catalog.find(name)] == name == catalog.files[catalog.find_exactly(name)]
        assert catalog.files[catalog.find(NFC)] == NFD and catalog.find_exactly(NFC) is None
        assert names(catalog, catalog.copies_of((3).to_bytes(16, "big"))) == ["6.png", "b/long name.png"]
        assert not len(catalog.copies_of(b"?" * 16))
        some = [catalog.find(name) for name in ("z.png", "9.png", "z.png")]
        assert catalog.named(some) == [
            ("z.png", (30).to_bytes(16, "big")),
            ("9.png", bytes(16)),
            catalog.named(some)[0],
        ]
        assert [one["width"] for one in catalog.details(some)] == [70, 40, 70]
        assert catalog.column("height").tolist() == [30] * 11
        assert names(catalog, catalog.by_file(np.array(some[:2]))) == ["9.png", "z.png"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("width >= 60", ["b/long name.png", "z.png", "ä.png", "ä.png.png"]),
        (f"file = '{NFC}'", ["ä.png"]),
        (f"file LIKE '{NFD}%'", ["ä.png", "ä.png.png"]),
        ("mtime < to_timestamp_nanos(2)", ["8.png", "9.png"]),
        ("width < 0", []),
    ],
)
def test_conditions_find_the_same_rows_whatever_form_names_have(table: Table, tmp_path: Path, where, expected):
    for catalog in both(table, tmp_path / "kept"):
        found = names(catalog, np.flatnonzero(catalog.filter(where)))
        assert sorted(unicodedata.normalize("NFC", name) for name in found) == expected
    table.remove([NFD])  # now all names are in one form
    for catalog in both(table, tmp_path / "kept"):
        found = names(catalog, np.flatnonzero(catalog.filter(where)))
        assert sorted(found) == [name for name in expected if name != "ä.png"]


def test_two_forms_of_one_name_are_told_apart_or_named(table: Table, tmp_path: Path):
    table.append([row(NFC, 40)])
    for catalog in both(table, tmp_path / "kept"):
        assert [catalog.files[catalog.find(name)] for name in (NFC, NFD)] == [NFC, NFD]
    table.remove([NFC])
    table.append([row("o\u0323\u0302.png", 41), row("\u1ecd\u0302.png", 42)])
    for catalog in both(table, tmp_path / "kept"):
        with pytest.raises(AmbiguousNameError, match="2 files have this name"):
            catalog.find("\u1ed9.png")


def test_only_what_is_new_is_read_again_and_older_versions_are_removed(table: Table, tmp_path: Path, monkeypatch):
    _, before = both(table, tmp_path / "kept")
    before.prepare()
    table.append([row("new.png", 50)])
    table.remove(["8.png"])
    read = []
    monkeypatch.setattr(MappedCatalog, "_fill", lambda self, piece, arrays, fill=MappedCatalog._fill: (
        read.append(piece.rows), fill(self, piece, arrays))[1])  # fmt: skip
    memory, after = both(table, tmp_path / "kept")
    assert [after.files[after.find(name)] for name in memory.files] == memory.files
    assert after.find("8.png") is None
    assert read == [1]
    assert [path.name for path in (tmp_path / "kept").glob("pictures@*")] == [after._made.folder.name]


def test_names_outside_the_folder_are_refused(table: Table, tmp_path: Path):
    table.append([row("../secret.png", 60)])
    with pytest.raises(CollectionError, match="outside the folder"):
        MappedCatalog(table.snapshot(), tmp_path / "kept").find("9.png")


def test_numbers_of_names_hang_on_every_byte_and_its_place():
    drawn = ["", "a", "b", "ab", "ba", "aa", "a" * 5000, "a" * 4999 + "b", "ä"]
    numbers = name_numbers(pa.array(drawn))
    assert len(set(numbers.tolist())) == len(drawn)
    assert (name_numbers(pa.array(["x", *drawn, "y"]).slice(1, len(drawn))) == numbers).all()
    assert name_numbers(pa.array([], pa.string())).shape == (0,)
