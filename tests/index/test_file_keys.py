"""Keys tell files apart as their names, sizes and dates do, and rows are found by content as in a dictionary."""

import numpy as np

from lookalike.index.file_keys import ContentRows, KnownKeys, keys_of


def test_a_key_changes_with_the_name_the_size_and_the_date():
    keys = keys_of(["a", "a", "b", "a", "a"], [1, 1, 1, 2, 1], [7, 7, 7, 7, 8])
    assert keys[0] == keys[1]
    assert len(set(keys.tolist())) == 4


def test_two_hundred_thousand_files_have_as_many_keys_of_which_every_bit_turns():
    names = [f"folder {i // 1000}/picture {i}.jpg" for i in range(200_000)]
    keys = keys_of(names, [1000] * len(names), [7] * len(names))
    assert len(np.unique(keys)) == len(names)
    bits = np.unpackbits(keys.view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
    assert np.all(abs(bits - 0.5) < 0.01)


def test_what_was_listed_is_told_from_what_was_not_block_by_block():
    names = [str(i) for i in range(1000)]
    keys = keys_of(names, [1] * 1000, [1] * 1000)
    known = KnownKeys([keys[:300], keys[300:900]])
    assert len(known) == 900
    assert known.is_known(keys[::2]).tolist() == [i < 900 for i in range(0, 1000, 2)]
    assert known.listed == 450
    assert known.was_listed(keys[:900]).tolist() == [i % 2 == 0 for i in range(900)]
    assert known.is_known(keys[1:3]).all() and known.listed == 451


def test_a_file_that_is_to_be_read_again_is_not_known():
    keys = keys_of(["a", "b"], [1, 1], [1, 1])
    known = KnownKeys([keys], keys[1:])
    assert known.is_known(keys).tolist() == [True, False]
    assert known.was_listed(keys).tolist() == [True, False]


def test_an_empty_table_knows_nothing():
    known = KnownKeys([])
    assert known.is_known(keys_of(["a"], [1], [1])).tolist() == [False]
    assert (len(known), known.listed) == (0, 0)


def test_rows_are_found_by_content_as_a_dictionary_finds_them():
    contents = np.random.default_rng(0).integers(0, 4, (500, 2)).astype(np.uint64)
    rows, expected = ContentRows(contents), {content.tobytes(): row for row, content in enumerate(contents)}
    assert {content: rows[content] for content in expected} == expected
    assert set(rows) == set(expected)
    assert len(rows) == 500
    assert all(np.array([a, b], np.uint64).tobytes() not in rows for a, b in ((4, 0), (0, 9), (9, 9)))
