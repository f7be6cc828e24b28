"""Sayings as examples: what is joined, what becomes triplets, and what is left out when sayings contradict."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.judgement_examples import examples_from, join
from lookalike.learning.datasets.judgement_lines import Apart, BlindAnswer, Distinct, GroupChange, Judgement
from lookalike.learning.labels import components


def pair(a: str, b: str) -> Judgement:
    return Judgement(0, "", None, a, b, None)


def apart(a: str, b: str) -> Apart:
    return Apart(0, "", None, a, b)


def group(id: str, *files: str) -> GroupChange:
    return GroupChange(0, "", None, id, id.upper(), files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "abcdefghijklmnop":
        (tmp_path / name).write_bytes(b"1")
    return tmp_path


def read(folder: Path, *sayings) -> "tuple[set[str], set[str], tuple[str, ...]]":
    """Groups and triplets by letters, and what is said about them."""
    found = examples_from(sayings, folder)
    names = np.array([path.name for path in found.paths])
    groups = {"".join(sorted(names[found.labels == one])) for one in np.unique(found.labels[found.labels >= 0])}
    triplets = set() if found.triplets is None else {"".join(names[three]) for three in found.triplets}
    return groups, triplets, found.notes


def test_groups_join_their_members_and_pairs_join_groups(folder):
    groups, triplets, notes = read(folder, group("x", "a", "b"), group("y", "c", "d"), pair("b", "e"), pair("f", "g"))
    assert (groups, triplets) == ({"abe", "cd", "fg"}, set())
    assert notes == ("judgements: 2 pairs, 0 triplets, 4 pictures in 2 groups of 7 pictures",)


def test_two_apart_make_a_triplet_with_each_partner_of_either(folder):
    groups, triplets, notes = read(folder, pair("a", "b"), pair("a", "c"), pair("d", "e"), apart("a", "d"))
    assert groups == {"abc", "de"}
    assert triplets == {"abd", "acd", "dea"}
    assert notes == ("judgements: 3 pairs, 0 triplets, 1 pair kept apart of 5 pictures",)


def test_at_most_eight_partners_and_those_first_that_were_said_to_belong(folder):
    """b has partners a, c .. l; c alone was ticked beside it, and stands first."""
    chain = [pair("a", other) for other in "defghijkl"]
    _, triplets, _ = read(folder, *chain, pair("a", "c"), pair("c", "b"), apart("b", "p"))
    assert len(triplets) == 8
    assert {three[0] + three[2] for three in triplets} == {"bp"}
    assert "bcp" in triplets


def test_a_pair_and_apart_of_the_same_two_are_both_left_out_and_named(folder):
    groups, triplets, notes = read(folder, pair("a", "b"), apart("b", "a"), pair("c", "d"))
    assert (groups, triplets) == ({"cd"}, set())
    assert notes[1] == "left out: 2 judgements that others contradict: a: b, b: not a"


def test_of_a_chain_the_later_link_and_apart_are_left_out(folder):
    groups, triplets, notes = read(folder, pair("a", "b"), pair("b", "c"), apart("a", "c"))
    assert (groups, triplets) == ({"ab"}, set())
    assert notes[1] == "left out: 2 judgements that others contradict: b: c, a: not c"


def test_a_group_that_holds_two_apart_loses_the_later_one(folder):
    groups, _, notes = read(folder, group("x", "a", "b", "c"), apart("a", "c"))
    assert groups == {"ab"}
    assert notes[1] == "left out: 2 judgements that others contradict: c in group X, a: not c"


def test_one_wrong_tick_between_two_groups_is_outvoted_and_what_is_apart_stands(folder):
    right = [pair("a", "b"), pair("a", "c"), pair("d", "e"), pair("d", "f")]
    groups, triplets, notes = read(folder, *right, pair("c", "d"), apart("a", "d"), apart("b", "e"))
    assert groups == {"abc", "def"}
    assert notes[1] == "left out: 1 judgement that others contradict: c: d"
    assert {"abd", "acd", "dea", "dfa"} <= triplets


def test_one_wrong_apart_within_a_group_is_outvoted(folder):
    around = [*(pair("a", one) for one in "bcd"), pair("b", "c"), pair("c", "d")]
    groups, triplets, notes = read(folder, *around, apart("b", "d"))
    assert (groups, triplets) == ({"abcd"}, set())
    assert notes[1] == "left out: 1 judgement that others contradict: b: not d"


def test_a_triplet_that_says_the_opposite_counts_before_what_is_apart(folder):
    said = [pair("a", "b"), apart("a", "c"), Judgement(0, "", None, "a", "c", "b")]
    assert read(folder, *said)[1] == {"acb"}


def test_duplicates_and_blind_tests_teach_nothing(folder):
    blind = BlindAnswer(0, "", None, "e", ("f",), ("g",), "x", "0" * 32, 0)
    said = [pair("a", "b"), Distinct(0, "", None, "a", "c"), blind]
    groups, triplets, notes = read(folder, *said)
    assert (groups, triplets, notes) == ({"ab"}, set(), ("judgements: 1 pair and 0 triplets of 2 pictures",))
    with pytest.raises(ExamplesError, match="no judgements to learn from"):
        read(folder, *said[1:])


def test_apart_alone_and_a_group_of_one_teach_nothing(folder):
    with pytest.raises(ExamplesError, match="no judgements to learn from"):
        read(folder, apart("a", "b"), group("x", "c"))


def test_members_that_are_gone_are_named(folder):
    groups, _, notes = read(folder, group("x", "a", "b", "gone"), apart("a", "lost"))
    assert groups == {"ab"}
    assert notes[1] == "left out: 1 judgement about files that are gone: gone, lost"


TWO = st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda two: two[0] < two[1])


@given(st.lists(TWO, unique=True))
def test_without_anything_apart_what_is_joined_are_the_connected_components(links):
    a, b = np.array(links, np.int64).reshape(-1, 2).T
    joined = join(8, links, [])
    assert joined.cluster.tolist() == components(8, [(a, b)]).tolist()
    assert all(joined.link_stands)


@given(st.dictionaries(TWO, st.booleans()))
def test_what_stands_never_contradicts_what_stands(said):
    links, apart = ([two for two, together in said.items() if together is way] for way in (True, False))
    joined = join(8, links, apart)
    kept = np.array([two for two, stands in zip(links, joined.link_stands, strict=True) if stands], np.int64)
    of = components(8, [tuple(kept.reshape(-1, 2).T)])
    for (a, b), stands in zip(apart, joined.apart_stands, strict=True):
        assert not stands or of[a] != of[b]
