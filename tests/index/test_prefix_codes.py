"""Prefixes bound every similarity, leave few rows where rows have main directions, and are never trusted damaged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.hard_rows import HALF, KINDS, D, N, brute_force, drawn, like_features

import lookalike.index.exact_knn as exact_knn
import lookalike.index.prefix_codes as prefix_codes
from lookalike.errors import CollectionError, ShapeError
from lookalike.index.exact_knn import ExactKNN, similarity
from lookalike.index.prefix_codes import LEFT, TILT, VALUES, PrefixCodes, main_directions, tells_apart, unit_sample
from lookalike.index.quantization import Int8Codes, row_blocks


def sampled(rows):
    return unit_sample(rows.shape, row_blocks(rows))


def turned(rows, values=8):
    """Codes whatever the rows: also of those for which they would not be made."""
    return PrefixCodes.gather(main_directions(sampled(rows), values), len(rows), row_blocks(rows))


def test_a_bound_worked_by_hand():
    """Of four dimensions the first three are kept: the mean's, and one in each part.

    (0, 0.6, 0.48, 0.64) has 0.6 in the first part and 0.8 outside. (0, 0.8, 0.6, 0) may reach 0.48 + 0.8 * 0.6 = 0.96;
    by the second part it is 0.48 + 0.48 * 0.6 + 0.64 * 0 = 0.768. Codes of one value each lose nothing.
    """
    row = np.array([[0, 0.6, 0.48, 0.64]], np.float32)
    codes = PrefixCodes.gather(np.eye(3, 4, dtype=np.float32), 1, row_blocks(row))
    assert_allclose(codes.sides[:, 0], [0, 0, 0.8, 0, 0.64], atol=1e-5)
    bounds = codes.bounds(np.array([[0, 4, 3, 0]], np.float32))
    assert_allclose(bounds.most, [[0.96]], atol=2e-5)
    many = PrefixCodes.gather(
        codes.turn, 9, row_blocks(np.concatenate([row, np.tile(row[:, ::-1] * [1, 0, 0, 1], (8, 1))]))
    )
    for least, left in ((0.7679, [0]), (0.77, [])):
        assert many.bounds(np.array([[0, 4, 3, 0]], np.float32)).reaching(0, np.float32(least)).tolist() == left


@pytest.mark.parametrize("kind", KINDS)
def test_no_row_is_more_alike_than_its_bound(kind, monkeypatch):
    """Of all of them, by queries that are rows, opposites, something else or nothing; by one part and by both."""
    monkeypatch.setattr(prefix_codes, "LEFT", 1)
    rng = np.random.default_rng(3)
    rows = drawn(kind, rng).astype(np.float32)
    queries = np.stack([rows[7], -rows[9], rng.random(D), np.zeros(D)]).astype(np.float32)
    exact = similarity(queries, rows)
    for values in (1, 8, D // 2):
        bounds = turned(rows, values).bounds(queries)
        assert (bounds.most >= exact).all()
        for j in range(4):
            for least in np.quantile(exact[j], [0.1, 0.5, 0.99, 1]).astype(np.float32):
                assert np.isin(np.flatnonzero(exact[j] >= least), bounds.reaching(j, least)).all()


def test_a_bound_is_tight_where_all_directions_are_kept(monkeypatch):
    """Then it is the similarity and what the codes may have lost, some hundredths."""
    monkeypatch.setattr(prefix_codes, "LEFT", 1)
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((500, D)).astype(np.float32)
    exact = similarity(rows[:1], rows)[0]
    least = np.sort(exact)[-20]
    assert set(turned(rows, D // 2).bounds(rows[:1]).reaching(0, least)) <= set(np.flatnonzero(exact >= least - 0.05))


@pytest.mark.parametrize(
    ("kind", "dtype"), [(kind, np.float32) for kind in KINDS] + [(kind, np.float16) for kind in HALF[:4]]
)
@pytest.mark.parametrize("left", [LEFT, 1])
def test_the_answer_is_that_of_brute_force_whatever_the_rows(kind, dtype, left, monkeypatch):
    """With the scan of all codes where many rows are left, and without it (left = 1 lets all through)."""
    monkeypatch.setattr(exact_knn, "LEFT", left)
    monkeypatch.setattr(prefix_codes, "LEFT", left)
    rng = np.random.default_rng(5)
    rows = drawn(kind, rng).astype(dtype)
    near = rows[7].astype(np.float32)
    queries = np.stack([near, near * (1 + 0.1 * rng.random(D)), rng.random(D), -near, 0 * near]).astype(np.float32)
    ranking = ExactKNN(rows, prefix=turned(rows))
    for k in (1, 10, 300):
        indices, similarities = ranking.search(queries, k)
        for j, query in enumerate(queries):
            expected, exact = brute_force(rows, query, k)
            assert_array_equal(similarities[j], exact)
            assert_array_equal(indices[j], expected)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from([*KINDS, "features"]), k=st.integers(1, 200))
def test_with_and_without_a_prefix_the_answer_is_the_same_to_the_bit(seed, kind, k):
    """One query, many, filtered, and what reaches a similarity."""
    rng = np.random.default_rng(seed)
    rows = like_features(N, D, rng, 6) if kind == "features" else drawn(kind, rng).astype(np.float32)
    plain, ranking = ExactKNN(rows), ExactKNN(rows, prefix=turned(rows))
    queries = rows[rng.integers(0, N, 3)] + rng.choice([0, 0.1]) * rng.random(D)
    for asked in (queries, queries[0] * 7):
        for among in (None, rng.random(N) < 0.9):
            for found, expected in zip(ranking.search(asked, k, among), plain.search(asked, k, among), strict=True):
                assert_array_equal(found, expected)
    for least in (float(rng.choice(similarity(rows, queries)[:, 0])), 0.9, -1.0):
        assert_array_equal(ranking.reaches(queries, least), plain.reaches(queries, least))


def test_few_codes_are_read_where_rows_have_main_directions(monkeypatch):
    """Of 12,000 rows less than a tenth; the codes of all are not scanned."""
    rng = np.random.default_rng(6)
    rows = like_features(12_000, 400, rng)
    prefix = turned(rows, 32)
    ranking, read = ExactKNN(rows, Int8Codes.build(rows), prefix), list[int]()
    some = Int8Codes.estimate_some
    monkeypatch.setattr(Int8Codes, "estimate", None)
    monkeypatch.setattr(
        Int8Codes, "estimate_some", lambda self, query, at: read.append(len(at)) or some(self, query, at)
    )
    queries = rows[:5].astype(np.float32)
    indices, _ = ranking.search(queries, 10)
    for j, query in enumerate(queries):
        assert_array_equal(indices[j], brute_force(rows, query, 10)[0])
    assert sum(read) < 5 * 1200


def test_rows_without_main_directions_keep_no_prefix_and_are_scanned():
    """Random rows lie as much in all directions; a cosine bound by a few of them rules nothing out."""
    rng = np.random.default_rng(7)
    rows = rng.standard_normal((N, 2 * VALUES + 100)).astype(np.float16)
    prefix = PrefixCodes.build(rows)
    assert not prefix.is_worth_it
    assert prefix.values.shape == (2, 0, 0)
    ranking = ExactKNN(rows, prefix=prefix)
    assert ranking.prefix is None
    assert_array_equal(ranking.search(rows[0], 10)[0], brute_force(rows, rows[0], 10)[0])


def test_rows_with_main_directions_keep_one():
    rows = like_features(600, 2 * VALUES + 9, np.random.default_rng(8))
    sample = sampled(rows)
    assert tells_apart(main_directions(sample, 32), sample)
    prefix = PrefixCodes.build(rows)
    assert prefix.is_worth_it
    assert prefix.turn.shape == (1 + 2 * VALUES, 2 * VALUES + 9)


@pytest.mark.parametrize("kind", ["random", "all equal", "mostly zeros", "one huge coordinate", "denormal"])
def test_directions_are_orthonormal_and_the_first_is_the_mean(kind):
    """As closely as the bound takes for granted, also of rows that lie in fewer dimensions than are asked for."""
    rows = sampled(drawn(kind, np.random.default_rng(9)).astype(np.float32)[:500])
    turn = main_directions(rows, 10).astype(np.float64)
    assert np.linalg.norm(turn @ turn.T - np.eye(21), 2) < TILT
    mean = rows.mean(axis=0, dtype=np.float64)
    assert_allclose(abs(turn[0] @ mean), np.linalg.norm(mean), rtol=1e-6)


def test_directions_hold_as_much_as_the_best_ones_do():
    """The witness: the main directions by an eigendecomposition of the spread about the mean's direction."""
    rows = sampled(like_features(800, 90, np.random.default_rng(10)))
    mean = rows.mean(axis=0) / np.linalg.norm(rows.mean(axis=0))
    spread = rows - np.outer(rows @ mean, mean)
    most = np.linalg.eigvalsh(spread.T @ spread)[-24:].sum()
    assert (np.square(spread @ main_directions(rows, 24)[1:25].T)).sum() > 0.99 * most


def test_no_value_of_a_prefix_is_much_larger_than_the_others():
    """Turned at random among themselves: sorted by size, the first would make the codes of the others coarse."""
    rows = sampled(like_features(800, 90, np.random.default_rng(11)))
    values = np.square(rows @ main_directions(rows, 24)[1:25].T).mean(axis=0)
    assert values.max() < 4 * values.mean()


def test_codes_of_new_rows_are_added_in_the_old_directions():
    rng = np.random.default_rng(12)
    rows = like_features(300, 60, rng)
    old = PrefixCodes.gather(main_directions(sampled(rows), 16), 200, row_blocks(rows[:200]))
    places = np.concatenate([np.arange(100, 200), np.full(100, -1), np.arange(100)])
    together = old.extended(places, rows[200:])
    whole = PrefixCodes.gather(old.turn, 300, row_blocks(np.concatenate([rows[100:200], rows[200:], rows[:100]])))
    for name in ("turn", "values", "scale", "sides"):
        assert_array_equal(getattr(together, name), getattr(whole, name))


def test_blocks_in_any_order_give_the_codes_of_the_whole():
    rows = like_features(50, 24, np.random.default_rng(13))
    turn, order = main_directions(sampled(rows), 8), np.random.default_rng(14).permutation(50)
    gathered = PrefixCodes.gather(turn, 50, ((at, rows[at]) for at in np.array_split(order, 7)))
    assert_array_equal(gathered.values, PrefixCodes.gather(turn, 50, row_blocks(rows)).values)


def test_a_row_that_is_no_numbers_is_named():
    rows = np.ones((9, 3), np.float32)
    rows[4, 1] = np.nan
    with pytest.raises(ShapeError, match=r"^row 4: a value that is no number"):
        PrefixCodes.gather(np.eye(3, dtype=np.float32), 9, row_blocks(rows))


def test_a_prefix_of_other_rows_is_refused():
    rows = np.ones((5, 3), np.float32)
    with pytest.raises(ShapeError, match="make the codes again"):
        ExactKNN(rows, prefix=PrefixCodes.gather(np.eye(3, dtype=np.float32), 4, row_blocks(rows[:4])))


@pytest.mark.parametrize("is_worth_it", [True, False])
def test_a_prefix_is_kept_and_opened_without_being_read(tmp_path, is_worth_it):
    rows = like_features(200, 40, np.random.default_rng(15))
    codes = turned(rows) if is_worth_it else PrefixCodes.gather(np.empty((0, 40), np.float32), 200, [])
    codes.save(tmp_path / "prefix")
    kept = PrefixCodes.load(tmp_path / "prefix")
    assert kept.is_worth_it == is_worth_it == isinstance(kept.values, np.memmap)
    for name in ("turn", "values", "scale", "sides"):
        assert_array_equal(getattr(kept, name), getattr(codes, name))


@pytest.mark.parametrize("name", ["turn", "values", "scale", "sides"])
@pytest.mark.parametrize("harm", ["one bit", "cut short", "gone", "of other rows"])
def test_a_damaged_prefix_is_refused_in_one_line(tmp_path, name, harm):
    turned(like_features(200, 40, np.random.default_rng(16))).save(tmp_path / "prefix")
    file = tmp_path / "prefix" / f"{name}.npy"
    content = bytearray(file.read_bytes())
    if harm == "one bit":
        content[-1] ^= 1
        file.write_bytes(content)
    elif harm == "cut short":
        file.write_bytes(content[:-9])
    elif harm == "gone":
        file.unlink()
    else:
        np.save(file, np.load(file)[..., :-1])
    with pytest.raises(CollectionError, match="Delete it") as caught:
        PrefixCodes.load(tmp_path / "prefix")
    assert "\n" not in str(caught.value)


def test_many_queries_by_short_rows_scan_all_codes_and_answer_the_same(monkeypatch):
    rows = like_features(N, 300, np.random.default_rng(9))
    ranking, queries = ExactKNN(rows, prefix=turned(rows, 32)), rows[: exact_knn.MANY].astype(np.float32)
    alone = [ranking.search(one, 5) for one in queries]
    monkeypatch.setattr(PrefixCodes, "bounds", None)
    indices, similarities = ranking.search(queries, 5)
    for j, (expected, exact) in enumerate(alone):
        assert_array_equal(indices[j], expected)
        assert_array_equal(similarities[j], exact)
    monkeypatch.setattr(exact_knn, "MANY_VALUES", 300)
    monkeypatch.setattr(exact_knn, "multiplies_in_tiles", lambda: False)
    with pytest.raises(TypeError):
        ranking.search(queries, 5)
