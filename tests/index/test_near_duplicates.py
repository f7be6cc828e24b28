"""Pairs of equal or nearly equal pictures, beside all pairs compared one by one."""

from pathlib import Path

import numpy as np
import pytest
from support.small_table import row, small_table

from lookalike import similarity
from lookalike.errors import QueryError
from lookalike.index.gallery import Gallery
from lookalike.index.near_duplicates import BELOW_EQUAL, near_duplicates
from lookalike.index.table import ImageRow


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """Fifty rows; copy.png has the content of 0007.png, and twin.png only its features."""
    table = small_table(tmp_path / "t.lance")
    seven = row(7)
    copy = ImageRow("copy.png", seven.content, 1, 1, 1, 1, seven.features)
    twin = ImageRow("twin.png", b"another content ", 1, 1, 1, 1, 2 * seven.features)
    table.append([copy, twin])
    return Gallery(table.snapshot())


def test_only_equal_bytes_are_1_and_equal_features_a_little_less(gallery: Gallery):
    assert near_duplicates(gallery, 0.995) == [
        ("0007.png", "copy.png", 1.0),
        ("0007.png", "twin.png", BELOW_EQUAL),
        ("copy.png", "twin.png", BELOW_EQUAL),
    ]


def test_the_pairs_are_those_of_brute_force_the_most_similar_first(gallery: Gallery):
    pairs = near_duplicates(gallery, 0.5)
    values = similarity(gallery.rows.whole(), gallery.rows.whole())
    n = len(gallery)
    right = {(gallery.files[i], gallery.files[j]) for i in range(n) for j in range(i + 1, n) if values[i, j] >= 0.5}
    assert {(one, other) for one, other, _ in pairs} == right
    assert len(pairs) == len(right) > 50
    assert pairs == sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))
    assert (
        np.abs([value - values[gallery.row_of(one), gallery.row_of(other)] for one, other, value in pairs]).max() < 1e-3
    )


def test_what_is_no_similarity_is_refused(gallery: Gallery):
    for least in (1.01, -1.5):
        with pytest.raises(QueryError, match=r"lie between -1 and 1\."):
            near_duplicates(gallery, least)
