"""Products are those of whole numbers, whichever kernel makes them."""

import numkong
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import lookalike.index.products as products
from lookalike.index.products import ALONE, ALONE_AVX2, STACKED, Products


def drawn(b, d, seed):
    return np.random.default_rng(seed).integers(-127, 128, (b, d), dtype=np.int8)


@pytest.mark.parametrize("alone", [ALONE, ALONE_AVX2])
@pytest.mark.parametrize("d", [1, 33, 64, STACKED, STACKED + 1, 256, 257, 1000])
@pytest.mark.parametrize("q", [1, 2, 3, 4, 9])
def test_products_are_those_of_whole_numbers(d, q, alone, monkeypatch):
    """For numbers of rows that four divides, that it does not, and fewer than four."""
    monkeypatch.setattr(products, "_longest_packed", lambda: alone)
    queries = drawn(q, d, 1)
    for b in (1, 3, 4, 102, 103):
        codes = drawn(b, d, b)
        expected = codes.astype(np.int64) @ queries.T.astype(np.int64)
        assert_array_equal(Products(queries).of(codes), expected)


def test_a_part_of_a_larger_matrix_is_multiplied_as_it_lies():
    codes, query = drawn(50, 64, 2), drawn(1, 64, 3)
    found = Products(query).of(codes[7:30])
    assert_array_equal(found, codes[7:30].astype(np.int64) @ query.T.astype(np.int64))


def test_a_processor_without_avx512_multiplies_alone_what_it_would_pack_slowly(monkeypatch):
    asked = []
    for can in ({"haswell": True, "icelake": False}, {"haswell": True, "icelake": True}, {"neonsdot": True}):
        products._longest_packed.cache_clear()
        monkeypatch.setattr(numkong, "get_capabilities", lambda can=can: can)
        asked.append(products._longest_packed())
    products._longest_packed.cache_clear()
    assert asked == [ALONE_AVX2, ALONE, ALONE]
