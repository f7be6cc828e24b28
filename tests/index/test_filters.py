"""Conditions: what people write passes as it is, what could end the process is refused before it is parsed."""

import pytest
from support.small_table import small_table

from lookalike.errors import QueryError
from lookalike.index.filters import checked_condition

GOOD = {  # of 50 rows: width 40 to 89, height 30, bytes 0, 10, ... 490
    "width > 80": 9,
    "WIDTH > 80 and Height = 30": 9,
    "width BETWEEN 40 AND 49": 10,
    "width IN (40, 41, 999)": 2,
    "NOT (width > 41)": 2,
    "NOT width > 41": 2,
    "file LIKE '000%'": 10,
    "file ilike '000%.PNG'": 10,
    "file = '0007.png' OR file = '0008.png'": 2,
    "file <> '0007.png'": 49,
    "length(file) = 8": 50,
    "lower(upper(file)) = '0001.png'": 1,
    "starts_with(file, '004')": 10,
    "width % 2 = 0": 25,
    "width * height >= 2640": 2,
    "width + 1 = 41": 1,
    "-width < -88": 1,
    "bytes / 10 = 7": 1,
    "mtime < timestamp '1970-01-02'": 50,
    "mtime > timestamp '1970-01-02' AND file LIKE 'mtime%'": 0,
    "file = 'it''s; -- (((' OR width = 40": 1,
    "`width` = 40": 1,
    "file IS NOT NULL": 50,
    "coalesce(width, 0) = 40": 1,
    "(((width = 40)))": 1,
}


@pytest.mark.parametrize("where", GOOD)
def test_what_people_write_is_answered(tmp_path, where: str):
    snapshot = small_table(tmp_path / "t.lance").snapshot()
    assert snapshot is not None
    assert len(snapshot.matching(where)) == GOOD[where]


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("width > 1; DROP TABLE x", "one condition is taken, without ;"),
        ("width > 1 OR " * 400 + "1 = 1", "characters, more than 4,096"),
        ("width + " * 400 + "1 > 0", "operators, more than 200"),
        ("file || " * 300 + "'a' = 'a'", "operators, more than 200"),
        ("(" * 31 + "width > 1" + ")" * 31, "nested more than 30 deep"),
        ("NOT " * 31 + "width > 1", "nested more than 30 deep"),
        ("-" * 31 + "width > 1", "nested more than 30 deep"),
        ("(width > 1", "a parenthesis is open"),
        ("width > 1)", "closed that was not opened"),
        ("lpad('a', 2147483647, 'b') = file", "lpad is no function"),
        ("length(repeat('a', 5000000000)) > 1", "repeat is no function"),
        ("width(1) > 1", "width is no function"),
        ("file IN (SELECT file FROM t)", "SELECT is no column"),
        ("features IS NOT NULL", "features is no column"),
        ("`lens:x` IS NULL", "`lens:x` is no column"),
        ("_rowid > 3", "_rowid is no column"),
        ("colour = 'red'", "colour is no column. There are file, width, height, bytes and mtime"),
        ("width > 1\0", "bytes that are no text"),
        ("width > 'open", "is not understood"),
        ("file ~ '(a+)+$'", "is not understood"),
        ("width > 1 -- c", "c is no column"),
        ("width > 1 /* c */", "c is no column"),
        ("\udc80", "bytes that are no text"),
        ("file = '\udcff'", "bytes that are no text"),
        ("width > ١", "is not understood"),
    ],
)
def test_what_is_no_condition_or_out_of_bounds_is_one_line(where: str, reason: str):
    with pytest.raises(QueryError) as caught:
        checked_condition(where)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_everything_but_mtime_stays_as_it_was_written():
    where = "width  >  640 AND\tfile LIKE 'shoes/%  mtime'"
    assert checked_condition(where) == where
    assert checked_condition("mtime > now()") == "to_timestamp_nanos(mtime_ns) > now()"
