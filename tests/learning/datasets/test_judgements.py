"""Judgements: kept one line each, read again after crashes and strangers, taken back, and made into examples."""

import json
import multiprocessing
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forced import record_forced

from lookalike.errors import ExamplesError
from lookalike.learning.datasets import judgements as module
from lookalike.learning.datasets.judgement_lines import Apart, BlindAnswer, Distinct, Group, GroupChange, is_inside
from lookalike.learning.datasets.judgements import Judgements, read_judgements_csv


def put(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"12345")
    return root


@pytest.fixture
def judgements(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / ".lookalike" / "judgements.jsonl")


def standing(judgements: Judgements) -> list[tuple[str, str, "str | None"]]:
    return [(one.query, one.yes, one.no) for one in judgements.standing()]


def test_an_answer_is_one_line_of_json_with_its_time_in_utc(judgements):
    assert judgements.add("a.jpg", ["고양이/b.jpg"], [], who="Ann") == 1
    line = judgements.path.read_text(encoding="utf-8")
    assert line.endswith("}\n")
    entry = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry.pop("t"))
    assert entry == {"who": "Ann", "query": "a.jpg", "yes": "고양이/b.jpg", "no": None}
    assert "고양이" in line


def test_every_yes_is_set_against_every_no(judgements):
    assert judgements.add("q", ["a", "b"], ["c", "d"]) == 4
    assert standing(judgements) == [("q", "a", "c"), ("q", "a", "d"), ("q", "b", "c"), ("q", "b", "d")]
    assert judgements.add("q", ["e", "f"], []) == 2
    assert standing(judgements)[4:] == [("q", "e", None), ("q", "f", None)]
    assert [one.line for one in judgements.standing()] == [1, 2, 3, 4, 5, 6]


def test_the_longest_and_oddest_names_come_back_as_they_were(judgements):
    longest = ["\x01" * 4094 + letter for letter in "abc"]
    judgements.add(longest[0], [longest[1]], [longest[2]], who="caf\udce9")
    assert standing(judgements) == [tuple(longest)]
    assert judgements.standing()[0].who == "caf\udce9"
    with pytest.raises(ExamplesError, match="too long for a name"):
        judgements.add("a", ["b"], [], who="x" * 201)


def test_nothing_is_written_before_the_first_answer(judgements):
    assert judgements.standing() == []
    assert judgements.notes() == ()
    assert not judgements.path.parent.exists()


def test_what_was_said_of_two_pictures_is_taken_back_wherever_it_stands(judgements):
    judgements.add_answer("a", ["b", "c"], ["d"])
    judgements.add("a", ["e"], ["b"])
    judgements.add_distinct("a", ["b"])
    judgements.set_group("g", add=["a", "b"])
    judgements.add("b", ["a"])
    assert judgements.take_back("a", "b") == 3  # the pair both ways, and the triplet with query a
    assert [json.loads(line).get("undo") for line in judgements.path.read_text().splitlines()[7:]] == [1, 4, 7]
    assert standing(judgements) == [("a", "c", None)]
    assert judgements.take_back("d", "a") == 1
    assert judgements.take_back("a", "b") == 0
    assert [group.files for group in judgements.groups()] == [("a", "b")]
    assert judgements.distinct() == {frozenset("ab")}
    assert len(judgements.path.read_text().splitlines()) == 11


def test_undo_takes_back_the_last_one_that_stands_and_the_file_only_grows(judgements):
    judgements.add("a", ["b"], [])
    judgements.add("c", ["d"], ["e"])
    before = judgements.path.read_bytes()
    assert judgements.undo().query == "c"
    assert judgements.undo().query == "a"
    assert judgements.path.read_bytes().startswith(before)
    assert json.loads(judgements.path.read_text().splitlines()[2])["undo"] == 2
    with pytest.raises(ExamplesError, match="no judgement left to take back"):
        judgements.undo()
    judgements.add("a", ["f"], [])
    assert standing(judgements) == [("a", "f", None)]


def test_a_torn_last_line_is_passed_over_and_said_and_the_next_answer_is_safe(judgements):
    judgements.add("a", ["b"], [])
    with judgements.path.open("ab") as file:
        file.write(b'{"t": "2026-11-23T12:00:00Z", "who": null, "que')
    assert standing(judgements) == [("a", "b", None)]
    assert judgements.notes() == ("passed over: line 2, which breaks off (a crash, or it is being written)",)
    judgements.add("c", ["d"], [])
    assert standing(judgements) == [("a", "b", None), ("c", "d", None)]
    assert [one.line for one in judgements.standing()] == [1, 3]
    assert judgements.undo().query == "c"


def test_cut_anywhere_the_whole_lines_stand(judgements):
    for i in range(3):
        judgements.add(f"q{i}", [f"고{i}"], [])
    whole = judgements.path.read_bytes()
    ends = [i for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole)):
        judgements.path.write_bytes(whole[:cut])
        assert len(judgements.standing()) == sum(cut >= end for end in ends)


GOOD = '{"query": "a", "yes": "b"}'


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        "null",
        "3",
        "{}",
        '{"query": "a"}',
        '{"query": "a", "yes": null}',
        '{"query": "a", "yes": 3}',
        '{"query": "a", "yes": ["b"]}',
        '{"query": "a", "yes": "b", "no": 0}',
        '{"query": "a", "yes": "a"}',
        '{"query": "a", "yes": "b", "no": "b"}',
        '{"query": "a", "yes": "../../etc/passwd"}',
        '{"query": "/etc/passwd", "yes": "b"}',
        '{"query": "C:/x.jpg", "yes": "b"}',
        '{"query": "a", "yes": ""}',
        '{"query": "a", "yes": "."}',
        '{"query": "a", "yes": "b\\u0000"}',
        '{"query": "a", "yes": "\\ud800"}',
        '{"query": "a", "yes": "' + "x" * 5000 + '"}',
        '{"query": "a", "yes": "' + "x" * 200_000 + '"}',
        '{"undo": 2}',
        '{"undo": 0}',
        '{"undo": -1}',
        '{"undo": true}',
        '{"undo": 99}',
        '{"undo": "1"}',
        '{"undo": 1e400}',
        "[" * 50_000,
        '{"query": ' + "9" * 6000 + "}",
        "\x00" * 100,
        "caf\udce9",
    ],
    ids=lambda line: line[:40].replace("\x00", "0").encode("ascii", "replace").decode(),
)
def test_hostile_and_foreign_lines_are_passed_over_and_counted(judgements, line):
    judgements.path.parent.mkdir()
    judgements.path.write_bytes(f"{GOOD}\n{line}\n\n{GOOD}\n".encode("utf-8", "surrogateescape"))
    assert standing(judgements) == [("a", "b", None)] * 2
    assert [one.line for one in judgements.standing()] == [1, 4]
    assert judgements.notes() == ("passed over: 1 line with no judgement: line 2",)


def test_undoing_twice_what_another_took_back_is_no_stranger(judgements):
    judgements.path.parent.mkdir()
    judgements.path.write_text(f'{GOOD}\n{GOOD}\n{{"undo": 2}}\n{{"undo": 2}}\n')
    assert [one.line for one in judgements.standing()] == [1]
    assert judgements.notes() == ()


@pytest.mark.parametrize(
    ("query", "yes", "no", "words"),
    [
        ("a", [], ["b"], "a: no yes. Name at least one picture that belongs with it."),
        ("a", ["a"], [], "a: one picture twice in one judgement (a, a). Name different ones."),
        ("a", ["b"], ["c", "b"], "a: one picture twice in one judgement (a, b, b). Name different ones."),
        ("a", ["../b"], [], "'../b': not the name of a file in the collection. Name it from its folder on."),
        ("/a", ["b"], [], "'/a': not the name of a file in the collection. Name it from its folder on."),
    ],
)
def test_an_answer_that_says_nothing_is_refused_whole(judgements, query, yes, no, words):
    with pytest.raises(ExamplesError) as caught:
        judgements.add(query, yes, no)
    assert str(caught.value) == words
    assert not judgements.path.exists()


def test_what_cannot_be_written_or_read_is_said_in_one_line(tmp_path):
    put(tmp_path, "file")
    with pytest.raises(ExamplesError, match="cannot be written"):
        Judgements(tmp_path / "file" / "judgements.jsonl").add("a", ["b"], [])
    with pytest.raises(ExamplesError, match="cannot be read"):
        Judgements(tmp_path).standing()


def test_a_pipe_in_its_place_is_said_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "judgements.jsonl")
    with pytest.raises(ExamplesError, match="cannot be read \\(it is no file\\)"):
        Judgements(tmp_path / "judgements.jsonl").standing()


def test_an_answer_is_not_written_behind_a_link(tmp_path):
    """A collection of somebody else could name any file of mine so."""
    (tmp_path / "mine").write_text("mine\n")
    (tmp_path / "judgements.jsonl").symlink_to(tmp_path / "mine")
    with pytest.raises(ExamplesError, match="a link to another place"):
        Judgements(tmp_path / "judgements.jsonl").add("a", ["b"])
    assert (tmp_path / "mine").read_text() == "mine\n"


def _add_many(path: Path, who: str) -> None:
    for i in range(100):
        Judgements(path).add(f"{who}{i}", ["x" * 200], ["y"], who=who)


def test_two_processes_that_add_at_once_lose_nothing(judgements):
    spawn = multiprocessing.get_context("spawn")
    both = [spawn.Process(target=_add_many, args=(judgements.path, who)) for who in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join()
    for who in "ab":
        mine = [one.query for one in judgements.standing() if one.who == who]
        assert mine == [f"{who}{i}" for i in range(100)]
    assert judgements.notes() == ()


def test_a_line_that_another_adds_just_before_ours_is_not_written_over(judgements, monkeypatch):
    judgements.add("a", ["b"], [])
    write = os.write

    def write_after_another(handle: int, text: bytes) -> int:
        with judgements.path.open("ab") as other:
            other.write(b'{"query": "other", "yes": "x"}\n')
        return write(handle, text)

    monkeypatch.setattr(os, "write", write_after_another)
    judgements.add("c", ["d"], [])
    assert [one.query for one in judgements.standing()] == ["a", "other", "c"]


# --- as examples


def test_a_yes_alone_is_a_pair_and_pairs_join(judgements, tmp_path):
    put(tmp_path, "a", "b", "c", "d", "e")
    judgements.add("a", ["b"], [])
    judgements.add("c", ["b"], [])
    judgements.add("d", ["e"], [])
    examples = judgements.examples(tmp_path)
    assert examples.layout == "judgements"
    assert dict(zip((path.name for path in examples.paths), examples.labels.tolist(), strict=True)) == {
        "a": 0,
        "b": 0,
        "c": 0,
        "d": 1,
        "e": 1,
    }
    assert (examples.triplets, examples.domains) == (None, None)
    assert examples.notes == ("judgements: 3 pairs and 0 triplets of 5 pictures",)


def test_a_yes_with_a_no_is_a_triplet_and_not_a_pair(judgements, tmp_path):
    put(tmp_path, "a", "b", "c", "d")
    judgements.add("d", ["a"], [])
    judgements.add("a", ["b"], ["c"])
    examples = judgements.examples(tmp_path)
    names = [path.name for path in examples.paths]
    assert [[names[row] for row in three] for three in examples.triplets] == [["a", "b", "c"]]
    assert {name for name, of in zip(names, examples.labels, strict=True) if of >= 0} == {"a", "d"}


def test_the_later_of_two_contradicting_answers_counts(judgements, tmp_path):
    put(tmp_path, "a", "b", "c")
    judgements.add("a", ["b"], ["c"])
    judgements.add("a", ["c"], ["b"])
    examples = judgements.examples(tmp_path)
    names = [path.name for path in examples.paths]
    assert [[names[row] for row in three] for three in examples.triplets] == [["a", "c", "b"]]
    assert "left out: 1 judgement that a later one contradicts" in examples.notes


def test_the_same_answer_twice_counts_once(judgements, tmp_path):
    put(tmp_path, "a", "b", "c")
    for _ in range(2):
        judgements.add("a", ["b"], ["c"])
        judgements.add("a", ["b"], [])
    examples = judgements.examples(tmp_path)
    assert len(examples.triplets) == 1
    assert examples.notes[0] == "judgements: 1 pair and 1 triplet of 3 pictures"


def test_files_that_are_gone_are_counted_and_named(judgements, tmp_path):
    put(tmp_path, "a", "b")
    judgements.add("a", ["b"], [])
    judgements.add("a", ["gone"], [])
    judgements.add("a", ["b"], ["gone2"])
    examples = judgements.examples(tmp_path)
    assert [path.name for path in examples.paths] == ["a", "b"]
    assert "left out: 2 judgements about files that are gone: gone, gone2" in examples.notes
    (tmp_path / "b").unlink()
    with pytest.raises(
        ExamplesError,
        match=r"no judgements to learn from: 3 judgements, about files that are gone \(b, gone, gone2\)\.",
    ):
        judgements.examples(tmp_path)


def test_no_judgements_are_no_examples(judgements, tmp_path):
    with pytest.raises(ExamplesError, match=r"no judgements to learn from\. Add some with lookalike judge"):
        judgements.examples(tmp_path)


def test_rows_of_examples_are_int64(judgements, tmp_path):
    put(tmp_path, "a", "b", "c")
    judgements.add("a", ["b"], ["c"])
    examples = judgements.examples(tmp_path)
    assert examples.labels.dtype == examples.triplets.dtype == np.int64


# --- groups, apart, duplicates, blind tests


def test_an_answer_is_pairs_and_what_is_apart_in_one_write(judgements):
    assert judgements.add_answer("q", ["a", "b"], ["c"], who="Ann") == 3
    said = [
        {key: one[key] for key in one if key != "t"}
        for one in map(json.loads, judgements.path.read_text().splitlines())
    ]
    assert said == [
        {"who": "Ann", "query": "q", "yes": "a", "no": None},
        {"who": "Ann", "query": "q", "yes": "b", "no": None},
        {"who": "Ann", "apart": ["q", "c"]},
    ]
    assert judgements.add_answer("q", [], []) == 0
    with pytest.raises(ExamplesError, match=r"q: right and wrong at once \(a\)\. Say one of the two\."):
        judgements.add_answer("q", ["a"], ["a", "b"])
    with pytest.raises(ExamplesError, match="one picture twice"):
        judgements.add_answer("q", ["a"], ["q"])
    assert judgements.lines() == 3


def test_every_kind_is_found_by_its_door_and_taken_back_last_first(judgements):
    judgements.add("a", ["b"])
    judgements.add_apart("a", ["c", "d"])
    group = judgements.set_group(add=["a", "e"], name="Stripes")
    judgements.set_group(group, remove=["e"], who="Bo")
    judgements.add_distinct("a", ["b"])
    blind = BlindAnswer(0, "", None, "q", ("a",), ("b",), "x", "ab" * 16, 5)
    judgements.add_blind(blind)
    assert [(one.one, one.other) for one in judgements.apart()] == [("a", "c"), ("a", "d")]
    assert judgements.groups() == [Group(group, "Stripes", ("a",))]
    assert judgements.distinct() == {frozenset("ab")}
    assert [one.to_json() for one in judgements.blind_answers("ab" * 16)] == [blind.to_json()]
    assert judgements.blind_answers("cd" * 16) == []
    taken = [judgements.undo() for _ in range(4)]
    assert [type(one) for one in taken] == [BlindAnswer, Distinct, GroupChange, GroupChange]
    assert judgements.groups() == []
    assert isinstance(judgements.undo(), Apart)
    assert standing(judgements) == [("a", "b", None)]
    assert len(judgements.apart()) == 1


def test_a_group_of_many_is_spread_over_lines_and_read_as_one(judgements):
    files = [f"{i}.jpg" for i in range(60)]
    group = judgements.set_group("stripes", add=[*files, "0.jpg"])
    assert judgements.lines() == 3
    assert judgements.groups() == [Group(group, "", tuple(files))]
    judgements.set_group(group, name="Stripes")
    judgements.set_group("checks", name="Checks")
    assert [(one.name, len(one.files)) for one in judgements.groups()] == [("Stripes", 60), ("Checks", 0)]
    judgements.set_group(group, gone=True)
    assert judgements.groups() == [Group("checks", "Checks", ())]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"group": "no blanks"}, "'no blanks': not the id of a group. Use up to 64 of A-Z, a-z, 0-9, _ and -."),
        ({"group": "g", "name": "x" * 201}, "xxxxxxxxxxxxxxxxxxxx...: too long for a group's name."),
        ({"group": "g", "add": ["a"], "remove": ["a"]}, "g: put in and taken out at once (a). Say one of the two."),
        ({"group": "g", "add": ["../a"]}, "'../a': not the name of a file in the collection."),
    ],
)
def test_a_group_that_cannot_be_is_refused_whole(judgements, arguments, words):
    with pytest.raises(ExamplesError) as caught:
        judgements.set_group(**arguments)
    assert str(caught.value).startswith(words)
    assert not judgements.path.exists()


def test_what_can_be_learned_from_is_counted_and_blind_answers_are_not(judgements):
    judgements.add("a", ["b", "c"])
    judgements.add_apart("a", ["d"])
    judgements.add_distinct("a", ["d"])
    judgements.set_group(add=["e", "f", "g"])
    judgements.set_group(add=["h"])
    judgements.add_blind(BlindAnswer(0, "", None, "q", ("a",), (), "x", "ab" * 16, 5))
    assert judgements.learnable() == 4


def test_examples_are_those_that_stood_at_an_earlier_line(judgements, tmp_path):
    put(tmp_path, "a", "b", "c")
    judgements.add("a", ["b"])
    until = judgements.lines()
    judgements.undo()
    judgements.add("a", ["c"])
    assert [path.name for path in Judgements(judgements.path, until).examples(tmp_path).paths] == ["a", "b"]
    assert [path.name for path in judgements.examples(tmp_path).paths] == ["a", "c"]


def test_the_longest_blind_answer_comes_back_as_it_was(judgements):
    longest = ["\x01" * 4090 + f"{i:06}" for i in range(25)]
    right, wrong = tuple(longest[1:9]), tuple(longest[9:])
    judgements.add_blind(BlindAnswer(0, "", None, longest[0], right, wrong, "x", "ab" * 16, 5))
    (found,) = judgements.blind_answers("ab" * 16)
    assert [found.query, *found.right, *found.wrong] == longest
    assert found.line == 1


# --- in bulk


def test_a_csv_of_judgements_is_read_and_added_at_once(judgements, tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("\ufeffno;Query;yes;note\n;a;b;sure\nc;a;b;\n", encoding="utf-8")
    rows = read_judgements_csv(path)
    assert rows == [("a", "b", None), ("a", "b", "c")]
    assert judgements.add_all(rows, who="Bo") == 2
    assert standing(judgements) == rows


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("query,yes\na,b\n", None),
        ("a,b\n1,2\n", "found columns a, b; expected query,yes,no. Name the columns so in the first line."),
        ("query,yes,no\na,b,c\na,,c\n", "line 3 has no query or no yes. Fill both cells, or remove the line."),
        ("query,yes,no\n", "no lines below the first. Add one for each judgement."),
    ],
)
def test_a_csv_that_is_no_judgements_gets_one_line(tmp_path, text, words):
    path = tmp_path / "answers.csv"
    path.write_text(text)
    if words is None:
        assert read_judgements_csv(path) == [("a", "b", None)]
    else:
        with pytest.raises(ExamplesError) as caught:
            read_judgements_csv(path)
        assert str(caught.value) == f"{path}: {words}"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file of such a name")
def test_a_name_with_a_colon_second_is_judged_and_a_path_with_a_drive_is_not(judgements: Judgements):
    judgements.add("A: holiday.jpg", ["b:c/1.jpg"])
    assert standing(judgements) == [("A: holiday.jpg", "b:c/1.jpg", None)]
    for outside in ("C:\\a.jpg", "C:/a.jpg", "\\\\server\\share\\a.jpg"):
        with pytest.raises(ExamplesError, match="not the name of a file in the collection"):
            judgements.add(outside, ["b.jpg"])


def test_an_answer_is_forced_to_the_disk_and_the_name_of_a_new_file_after_it(judgements, monkeypatch):
    forced = record_forced(monkeypatch)
    judgements.add("a.jpg", ["b.jpg"])
    assert forced == [judgements.path, judgements.path.parent]
    judgements.add("a.jpg", ["c.jpg"])
    assert forced[2:] == [judgements.path]


SAID = st.one_of(
    st.integers(0, 9).map(lambda number: {"query": f"{number}.jpg", "yes": "y.jpg", "no": None}),
    st.integers(-1, 14).map(lambda line: {"undo": line}),
    st.sampled_from([{"query": "../x", "yes": "y"}, {"query": "C:/x", "yes": "y"}, {"undo": "1"}, {}, [], 3]),
)


@settings(max_examples=80, deadline=None)
@given(said=st.lists(SAID, max_size=14), escaped=st.booleans(), broken=st.booleans())
def test_one_by_one_and_from_the_last_judgements_are_those_of_a_plain_loop(tmp_path_factory, said, escaped, broken):
    standing: dict[int, str] = {}
    lines = []
    for number, entry in enumerate(said, 1):
        text = json.dumps(entry)
        lines.append(text.replace("undo", "\\u0075ndo") if escaped else text)
        if isinstance(entry, dict) and entry.get("query", "/")[0] not in "./C":
            standing[number] = entry["query"]
        elif isinstance(entry, dict) and type(entry.get("undo")) is int and 0 < entry["undo"] < number:
            standing.pop(entry["undo"], None)
    path = tmp_path_factory.getbasetemp() / "said.jsonl"
    path.write_text("\n".join(lines) + ("" if broken else "\n"))
    judgements = Judgements(path)
    assert {one.line: one.query for one in judgements} == standing
    assert judgements.standing() == list(judgements) == judgements._read()[0]
    if not standing:
        with pytest.raises(ExamplesError, match="no judgement left to take back"):
            judgements.undo()
        return
    last = max(standing)
    assert judgements.undo().line == last
    assert last not in {one.line for one in judgements}


def test_taking_back_parses_no_line_before_the_last_that_stands(judgements, monkeypatch):
    judgements.add_all([(f"{number}.jpg", "y.jpg", None) for number in range(500)])
    parsed, entry = [], module._entry
    monkeypatch.setattr(module, "_entry", lambda number, line: parsed.append(number) or entry(number, line))
    assert [judgements.undo().line for _ in range(3)] == [500, 499, 498]
    assert parsed == [500, 501, 500, 499, 502, 501, 500, 499, 498]


@pytest.mark.parametrize(
    ("file", "inside"),
    [
        *[(file, True) for file in ("a", "...", "a/..b", "a:b", "x//y")],
        *[(file, False) for file in ("", ".", "./.", "..", "a/../b", "/a", "C:/a", "\\\\s\\t\\a", "a\0")],
    ],
)
def test_a_name_stays_within_the_folder(file: str, inside: bool):
    assert is_inside(file) == inside
