"""A gallery on the disk answers bit for bit as the one in memory, and makes its codes once, a piece at a time."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.hard_rows import like_features
from support.large_table import FEATURES, FILES, LENS, N, ask, content, names, row, truth

import lookalike.index.kept_arrays as kept_arrays
import lookalike.index.kept_codes as kept_codes
import lookalike.index.mapped_codes as mapped_codes
import lookalike.index.prefix_codes as prefix_codes
from lookalike.errors import CollectionError, QueryError
from lookalike.index.gallery import Gallery
from lookalike.index.quantization import Int8Codes
from lookalike.index.search import Selection, search
from lookalike.index.table import ImageRow, Table
from lookalike.progress import Reporter

SELECTIONS = [
    Selection(5),
    Selection(12, others=True),
    Selection(20, where="width > 2500"),
    Selection(9, where="width < 3"),
    Selection(40, min_similarity=0.5),
    Selection(7, reverse=True),
    Selection(7, reverse=True, min_similarity=0.1),
    Selection(15, unique=0.999),
]


def on_disk(table: Table, tmp_path: Path, lens=None) -> Gallery:
    return Gallery(table.snapshot(), lens, tmp_path / "codes", most=1000)


def told(hits) -> list[tuple[str, float]]:
    return [(hit.file, hit.similarity) for hit in hits]


@pytest.mark.parametrize("lens", [None, LENS], ids=["plain", "pattern"])
@pytest.mark.parametrize("selection", SELECTIONS, ids=repr)
def test_answers_are_those_from_memory_bit_for_bit(table: Table, tmp_path: Path, lens, selection):
    vectors = FEATURES if lens is None else lens.apply(FEATURES).astype(np.float16)
    queries = [ask(vectors[i], content(i) if i % 2 else None) for i in (0, 101, 105, N - 1)]
    mapped, memory = on_disk(table, tmp_path, lens), Gallery(table.snapshot(), lens)
    assert (mapped.is_mapped, memory.is_mapped) == (True, False)
    found = search(queries, mapped, tmp_path, selection)
    assert [told(hits) for hits in found] == [told(hits) for hits in search(queries, memory, tmp_path, selection)]
    assert any(len(hits) for hits in found)
    assert [hit.content for hit in found[1]] == [memory.contents[memory.row_of(hit.file)].tobytes() for hit in found[1]]


def test_all_hits_of_a_gallery_on_the_disk_are_refused_in_a_line(table: Table, tmp_path: Path):
    with pytest.raises(QueryError, match=r"all hits of 4,996 pictures.*-k"):
        search([ask(FEATURES[0])], on_disk(table, tmp_path), tmp_path, Selection(None))
    with pytest.raises(CollectionError, match=r"4,996 pictures x 16 values.*--at"):
        on_disk(table, tmp_path).rows.whole()


def test_more_equal_pictures_than_hits_come_in_the_order_of_their_files(tmp_path: Path):
    """300 equal ones, written in another order than that of their names, and 8 are asked for."""
    table = Table(tmp_path / "t.lance")
    rows = np.random.default_rng(0).standard_normal((5000, 8)).astype(np.float16)
    rows[1000:1300] = rows[0]
    table.append(
        [ImageRow(f"{(i * 7919) % 5000:05d}", i.to_bytes(16, "big"), 1, 1, 1, 1, rows[i]) for i in range(5000)]
    )
    equal = sorted(f"{(i * 7919) % 5000:05d}" for i in (0, *range(1000, 1300)))
    assert names(search([ask(rows[0])], on_disk(table, tmp_path), tmp_path, Selection(8))[0]) == equal[:8]


def test_codes_are_made_once_and_again_when_they_are_damaged(table: Table, tmp_path: Path):
    on_disk(table, tmp_path).build_codes()
    (folder,) = (tmp_path / "codes").glob("plain@*")
    expected = Int8Codes.build(on_disk(table, tmp_path).rows)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    on_disk(table, tmp_path).build_codes()
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    for harm in ("a bit", "cut", "gone"):
        path = folder / "values.npy"
        if harm == "a bit":
            content = bytearray(path.read_bytes())
            content[-3] ^= 1
            path.write_bytes(content)
        elif harm == "cut":
            os.truncate(path, 999)
        else:
            path.unlink()
        on_disk(table, tmp_path).build_codes()
        found = on_disk(table, tmp_path).knn.codes
        assert_array_equal(found.values, expected.values)
        assert_array_equal(found.scale, expected.scale)
        assert_array_equal(found.error_norm, expected.error_norm)


def made_rows(monkeypatch) -> list[int]:
    """How many rows each call of what makes codes gets."""
    made: list[int] = []
    fill = mapped_codes.MappedCodes._fill_codes
    monkeypatch.setattr(
        mapped_codes.MappedCodes,
        "_fill_codes",
        lambda self, piece, arrays: (made.append(piece.rows), fill(self, piece, arrays))[1],
    )
    return made


def test_codes_of_an_earlier_version_are_copied_also_beside_rows_that_were_removed(
    table: Table, tmp_path: Path, monkeypatch
):
    on_disk(table, tmp_path).build_codes()
    made = made_rows(monkeypatch)
    table.remove([FILES[3], FILES[N - 1]])
    table.append([ImageRow("new.png", b"n" * 16, 1, 1, 1, 1, FEATURES[9])])
    mapped = on_disk(table, tmp_path)
    assert_array_equal(mapped.knn.codes.values, Int8Codes.build(mapped.rows).values)
    assert made == [1]
    assert names(search([ask(FEATURES[9])], mapped, tmp_path, Selection(2))[0]) == sorted([FILES[9], "new.png"])
    assert len(list((tmp_path / "codes").glob("plain@*"))) == 1


class Stopping(Reporter):
    """Ends the work after some rows, as a killed process would, but for what it had not saved."""

    def __init__(self, after: int):
        self.after, self.lines = after, []

    def progress(self, progress):
        if progress.done >= self.after:
            raise KeyboardInterrupt

    def message(self, line):
        self.lines.append(line)


def test_a_run_that_was_ended_is_continued_and_says_once_what_it_does(table: Table, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(kept_arrays, "SAVED_BYTES", 0)
    monkeypatch.setattr(kept_arrays, "SAID_BYTES", 0)
    made = made_rows(monkeypatch)
    first, stopping = on_disk(table, tmp_path), Stopping(1)
    first.reporter = stopping
    with pytest.raises(KeyboardInterrupt):
        _ = first.knn
    assert made == [N // 2]
    assert stopping.lines == ["Preparing 4,996 pictures, once: codes for searching, 0.0 GB."]
    assert not list((tmp_path / "codes").glob("plain@*"))
    table.append([row(0)])  # what was made serves the next version too
    table.remove([FILES[0]])
    again = on_disk(table, tmp_path)
    assert_array_equal(again.knn.codes.values, Int8Codes.build(again.rows).values)
    assert made == [N // 2, N - N // 2]
    assert not list((tmp_path / "codes").glob(".*partial"))


def test_prefix_codes_are_made_by_indexing_and_extended_with_what_is_new(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(mapped_codes, "PAYS_ROWS", 1000)
    monkeypatch.setattr(mapped_codes, "PAYS_VALUES", 10)
    monkeypatch.setattr(prefix_codes, "VALUES", 16)
    rows = like_features(5000, 60, np.random.default_rng(0), 6)
    table = Table(tmp_path / "t.lance")
    table.append([ImageRow(f"{i:05d}", i.to_bytes(16, "big"), 1, 1, 1, 1, rows[i]) for i in range(4600)])
    assert on_disk(table, tmp_path).knn.prefix is None
    on_disk(table, tmp_path).build_codes()
    learned = on_disk(table, tmp_path).knn.prefix
    monkeypatch.setattr(prefix_codes, "main_directions", None)  # directions are learned once
    table.append([ImageRow(f"{i:05d}", i.to_bytes(16, "big"), 1, 1, 1, 1, rows[i]) for i in range(4600, 5000)])
    table.remove(["00007"])
    mapped, memory = on_disk(table, tmp_path), Gallery(table.snapshot())
    assert_array_equal(mapped.knn.prefix.turn, learned.turn)
    expected = prefix_codes.PrefixCodes.gather(learned.turn, 4999, mapped.rows.blocks())
    for name in ("values", "scale", "sides"):
        assert_array_equal(getattr(mapped.knn.prefix, name), getattr(expected, name))
    queries = [ask(rows[i].astype(np.float32)) for i in (3, 104, 4000)]
    for selection in (Selection(10), Selection(10, where="file > '02000'")):
        found, right = (search(queries, one, tmp_path, selection) for one in (mapped, memory))
        assert [told(hits) for hits in found] == [told(hits) for hits in right]
    (tmp_path / "codes" / mapped.cache_name / kept_codes.PREFIX / "sides.npy").unlink()
    assert on_disk(table, tmp_path).knn.prefix is None


def test_without_a_place_to_keep_them_codes_go_with_the_gallery_and_a_place_that_cannot_be_written_is_named(
    table: Table, tmp_path: Path
):
    gallery = Gallery(table.snapshot(), None, None, most=1000)
    assert names(search([ask(FEATURES[9])], gallery, tmp_path, Selection(5))[0]) == truth(FEATURES, FEATURES[9], 5)
    place = gallery._kept_at.parent
    assert place.is_dir()
    gallery._temporary.cleanup()
    assert not place.exists()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CollectionError, match=r"codes for searching cannot be kept there.*--at"):
        _ = Gallery(table.snapshot(), None, tmp_path / "file/codes", most=1000).knn


def test_rows_without_numbers_are_left_out_and_found_by_their_codes(table: Table, tmp_path: Path):
    bad = np.full(FEATURES.shape[1], np.nan, np.float32)
    table.append([ImageRow("bad.png", b"!" * 16, 1, 1, 1, 1, bad)])
    mapped = on_disk(table, tmp_path)
    assert on_disk(table, tmp_path).find_unusable() == []  # it was not ranked yet
    assert "bad.png" not in names(search([ask(FEATURES[9])], mapped, tmp_path, Selection(4000))[0])
    assert [mapped.files[place] for place in mapped.unusable] == ["bad.png"]
    assert on_disk(table, tmp_path).find_unusable() == ["bad.png"]


def test_rows_that_the_column_of_a_lens_lacks_are_computed(table: Table, tmp_path: Path):
    table.append([ImageRow("late.png", b"l" * 16, 1, 1, 1, 1, FEATURES[9])])  # by a version that knew no lens
    vector = LENS.apply(FEATURES[9:10]).astype(np.float16)[0]
    mapped = on_disk(table, tmp_path, LENS)
    assert mapped.rows.column == "lens:pattern"
    assert names(search([ask(vector)], mapped, tmp_path, Selection(2))[0]) == sorted([FILES[9], "late.png"])
