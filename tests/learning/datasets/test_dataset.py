"""Examples as one thing: labels of pairs and names, and which files are one and the same."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.learning.datasets.dataset import Identities, encode_labels, labels_from_pairs, unlabelled


@given(pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_labels_of_pairs_are_their_components(pairs):
    one, other = np.array(pairs, np.int64).reshape(-1, 2).T
    labels = labels_from_pairs(10, one, other)
    paired = set(one.tolist()) | set(other.tolist())
    assert all((labels[row] >= 0) == (row in paired) for row in range(10))
    assert all(labels[a] == labels[b] for a, b in pairs)
    assert sorted(set(labels[labels >= 0].tolist())) == list(range(len(set(labels[labels >= 0].tolist()))))


def test_names_are_numbered_as_they_come():
    assert encode_labels(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]


def test_pictures_that_stand_alone_have_a_label_each():
    examples = unlabelled([Path("a"), Path("b")], ["a line"])
    assert examples.views and examples.labels.tolist() == [0, 1] and examples.notes == ("a line",)


def test_a_link_is_the_file_that_it_leads_to(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.png").write_bytes(b"a")
    try:
        (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
        (tmp_path / "b.png").symlink_to(tmp_path / "real/a.png")
    except OSError:
        pytest.skip("needs symbolic links")
    same = Identities()
    assert same.of(tmp_path / "link/a.png") == same.of(tmp_path / "b.png") == same.of(tmp_path / "real/a.png")
    assert same.of(tmp_path / "gone.png") is None
    assert same.of_name(tmp_path / "link/gone.png") == str((tmp_path / "real/gone.png").resolve())
