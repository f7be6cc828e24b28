"""Codes estimate similarities and know how wrong they may be: never more than they say."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from lookalike.errors import CollectionError, ShapeError
from lookalike.index.exact_knn import similarity
from lookalike.index.quantization import LONGEST, Int8Codes, encode, in_blocks, lengths

FLOATS = st.floats(-(2.0**127), 2.0**127, width=32) | st.floats(-1, 1, width=32) | st.just(0.0)


def rows_of(width: int, most: int = 6) -> st.SearchStrategy:
    """Matrices of anything that float32 holds: huge, tiny, denormal, negative, zero."""
    return hnp.arrays(np.float32, st.tuples(st.integers(1, most), st.just(width)), elements=FLOATS)


def test_a_code_worked_by_hand():
    """(3, 4) has length 5 and peak 4: scale 4 / (5 * 127), 3 / 4 * 127 = 95.25 -> 95, so 0.25 * scale is lost."""
    values, scale, error_norm = encode(np.array([[3, 4]], np.float32))
    assert values.tolist() == [[95, 127]]
    assert_allclose(scale, 4 / 635, rtol=1e-6)
    assert_allclose(error_norm, 0.25 * 4 / 635, rtol=1e-5)


def test_an_estimate_worked_by_hand():
    """Codes of (3, 4) and (1, 0) are (95, 127) * 4 / 635 and (127, 0) / 127: their dot product is 95 * 4 / 635."""
    estimates, error_bound = Int8Codes.build(np.array([[3, 4]], np.float16)).estimate(np.array([[1, 0]], np.float32))
    assert_allclose(estimates, [[380 / 635]], rtol=1e-6)
    assert error_bound[0] < 1e-5, "a query that codes hold exactly loses nothing"


@given(rows=rows_of(5), queries=rows_of(5, most=3))
def test_no_estimate_is_further_off_than_it_says(rows, queries):
    codes = Int8Codes.build(rows)
    estimates, error_bound = codes.estimate(queries)
    assert (abs(estimates - similarity(rows, queries)) <= codes.error_norm[:, None] + error_bound).all()


def test_the_bound_is_not_idle():
    """One coordinate of 1 and 99 of just under half a step: every one of them is rounded away, and error_norm says so.

    The step is 1 / 127, so the code is (1, 0, ..., 0) and what is lost has length sqrt(99) * 0.49 / 127, by the row's.
    """
    row = np.full((1, 100), 0.49 / 127, np.float32)
    row[0, 0] = 1
    lost = np.sqrt(99) * 0.49 / 127
    assert_allclose(Int8Codes.build(row).error_norm, lost / np.sqrt(1 + lost**2), rtol=1e-4)


def test_one_query_and_many_are_estimated_alike():
    rng = np.random.default_rng(1)
    codes = Int8Codes.build(rng.standard_normal((5000, 70)).astype(np.float16))
    queries = rng.standard_normal((9, 70)).astype(np.float32)
    estimates, error_bound = codes.estimate(queries)
    for j in range(9):
        alone, its_bound = codes.estimate(queries[j : j + 1])
        assert_allclose(alone[:, 0], estimates[:, j], rtol=1e-6)
        assert its_bound[0] == error_bound[j]


def test_rows_of_zeros_are_zeros_and_no_warning():
    values, scale, error_norm = encode(np.zeros((2, 3), np.float32))
    assert not values.any() and not scale.any() and not error_norm.any()


def test_codes_are_kept_and_opened_without_being_read(tmp_path):
    codes = Int8Codes.build(np.random.default_rng(2).standard_normal((50, 8)).astype(np.float16))
    codes.save(tmp_path / "cache" / "codes")
    kept = Int8Codes.load(tmp_path / "cache" / "codes")
    assert isinstance(kept.values, np.memmap)
    for name in ("values", "scale", "error_norm"):
        assert_array_equal(getattr(kept, name), getattr(codes, name))


def test_codes_saved_again_replace_the_old_ones_and_leave_nothing_else(tmp_path):
    rng = np.random.default_rng(3)
    for n in (5, 7):
        Int8Codes.build(rng.standard_normal((n, 4)).astype(np.float32)).save(tmp_path / "codes")
    assert len(Int8Codes.load(tmp_path / "codes").values) == 7
    assert [path.name for path in tmp_path.iterdir()] == ["codes"]


def test_codes_that_could_not_be_written_whole_are_not_there(tmp_path):
    """The third array refuses to be written: the first two must not be left behind, and the old ones stay."""
    old = Int8Codes.build(np.ones((5, 4), np.float32))
    old.save(tmp_path / "codes")

    class Unwritable(np.ndarray):
        def tofile(self, *_):
            raise OSError("No space left on device")

    broken = Int8Codes(old.values[:2], old.scale[:2], np.ones(2, np.float32).view(Unwritable))
    with pytest.raises(OSError, match="No space"):
        broken.save(tmp_path / "codes")
    assert len(Int8Codes.load(tmp_path / "codes").values) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["codes"]


@pytest.mark.parametrize("damage", ["missing", "cut short", "of other rows", "empty"])
def test_damaged_codes_are_refused_in_one_line(tmp_path, damage):
    codes = Int8Codes.build(np.ones((500, 40), np.float32))
    if damage == "of other rows":
        codes = Int8Codes(codes.values, codes.scale[:3], codes.error_norm)
    codes.save(tmp_path / "codes")
    file = tmp_path / "codes" / "values.npy"
    if damage == "missing":
        file.unlink()
    elif damage == "cut short":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "empty":
        file.write_bytes(b"")
    with pytest.raises(CollectionError, match="Delete it") as caught:
        Int8Codes.load(tmp_path / "codes")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["values", "scale", "error_norm"])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_codes_of_which_one_bit_has_changed_are_refused(tmp_path, name, place):
    """Three MiB of values, so that several checksums are compared."""
    rows = np.random.default_rng(0).standard_normal((3001, 1049)).astype(np.float32)
    Int8Codes.build(rows).save(tmp_path / "codes")
    assert len(Int8Codes.load(tmp_path / "codes").values) == 3001
    file = tmp_path / "codes" / f"{name}.npy"
    content = bytearray(file.read_bytes())
    content[128 + round(place * (len(content) - 129))] ^= 1  # behind npy's header
    file.write_bytes(content)
    with pytest.raises(CollectionError, match="damaged ranking codes"):
        Int8Codes.load(tmp_path / "codes")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_no_numbers_is_named(bad):
    rows = np.ones((100, 3), np.float16)
    rows[41, 2] = bad
    with pytest.raises(ShapeError, match=r"^row 41: a value that is no number or infinite"):
        Int8Codes.build(rows)


def test_the_named_row_is_counted_over_all_blocks():
    class FarApart:
        shape = (3_000_000, 64)

        def __len__(self):
            return len(range(3_000_000))

        def __getitem__(self, indices):
            rows = np.ones((len(indices), 64), np.float16)
            rows[indices == 70_000] = np.nan
            return rows

    with pytest.raises(ShapeError, match=r"^row 70000:"):
        Int8Codes.build(FarApart())


def test_rows_too_long_for_int32_are_refused():
    """127 * 127 * LONGEST still fits, one more would not."""
    assert 127**2 * LONGEST < 2**31 <= 127**2 * (LONGEST + 1)
    row = np.ones((1, LONGEST), np.float16)
    assert_allclose(Int8Codes.build(row).estimate(row.astype(np.float32))[0], 1, rtol=1e-6)
    with pytest.raises(ShapeError, match="can be ranked"):
        Int8Codes.build(np.ones((1, LONGEST + 1), np.float16))


def test_building_needs_the_codes_and_a_few_blocks():
    """200,000 x 512 are 102 MB of codes; as float32 they would be 410 MB."""

    class Drawn:
        shape = (200_000, 512)

        def __len__(self):
            return 200_000

        def __getitem__(self, indices):
            return np.ones((len(indices), 512), np.float16)

    tracemalloc.start()
    Int8Codes.build(Drawn())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6


def test_lengths_neither_overflow_nor_vanish():
    """3-4-5 triangles of 1e30 and of 1e-40 (denormal): squares of both are beyond float32."""
    for size in (1e30, 1e-40):
        assert_allclose(lengths(np.array([[3, 4]], np.float32) * np.float32(size)), [5 * size], rtol=1e-4)


@settings(max_examples=30)
@given(n=st.integers(0, 200), most=st.integers(1, 50), threads=st.sampled_from([1, 2, 3, None]))
def test_blocks_cover_everything_once(n, most, threads):
    seen = np.zeros(n, int)

    def work(start, stop):
        assert stop - start <= most
        seen[start:stop] += 1

    in_blocks(work, n, most, threads)
    assert (seen == 1).all()


def test_blocks_in_any_order_give_the_codes_of_the_whole():
    rows = np.random.default_rng(0).standard_normal((50, 24)).astype(np.float16)
    order = np.random.default_rng(1).permutation(50)
    gathered = Int8Codes.gather(rows.shape, ((at, rows[at]) for at in np.array_split(order, 7)))
    whole = Int8Codes.build(rows)
    for name in ("values", "scale", "error_norm"):
        assert_array_equal(getattr(gathered, name), getattr(whole, name))


def test_an_empty_block_adds_nothing():
    rows = np.eye(3, 4, dtype=np.float16)
    gathered = Int8Codes.gather((3, 4), [(np.arange(0), rows[:0]), (np.arange(3), rows)])
    assert_array_equal(gathered.values, Int8Codes.build(rows).values)


def test_a_block_with_a_value_that_is_no_number_names_its_place():
    rows = np.ones((6, 4), np.float16)
    rows[1, 2] = np.nan
    with pytest.raises(ShapeError, match="row 5: a value that is no number"):
        Int8Codes.gather(rows.shape, [(np.array([3, 5, 0, 1, 2, 4]), rows)])
