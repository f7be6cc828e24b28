"""Names in a table that lead out of the folder."""

import pyarrow as pa
import pytest

from lookalike.errors import CollectionError
from lookalike.index.inside import check_inside, outside

INSIDE = ["a.jpg", "a/b.jpg", "..a.jpg", "a..", "...", "a/...b/c.png", "it's \n.png", "~/a.png", ".hidden/a.png"]
OUTSIDE = ["..", "../a.jpg", "a/../../b.jpg", "a/..", "/etc/hostname", "//host/a.jpg", "", "a\0b.jpg"]


def test_names_inside_pass_and_names_outside_are_given():
    assert outside(pa.array(INSIDE)) == []
    assert outside(pa.array([*INSIDE, *OUTSIDE])) == OUTSIDE


def test_a_table_with_names_outside_is_refused_in_one_line():
    check_inside(pa.array(INSIDE), "t.lance")
    with pytest.raises(CollectionError, match=r"^t.lance: names files outside .*\.\./a\.jpg") as caught:
        check_inside(pa.array(["a.jpg", "../a.jpg"]), "t.lance")
    assert "\n" not in str(caught.value)
