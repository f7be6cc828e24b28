"""Pictures alone, and several examples united."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.on_disk import error, groups, put, table, triplets

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.dataset import Dataset, labels_from_pairs
from lookalike.learning.datasets.readers import from_files, merge_datasets, read


def test_given_files_are_views_each_once_whatever_its_names(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "3.jpg").symlink_to(tmp_path / "1.jpg")
    examples = from_files([tmp_path / "2.jpg", tmp_path / "1.jpg", tmp_path / "x" / ".." / "2.jpg", tmp_path / "3.jpg"])
    assert [path.name for path in examples.paths] == ["2.jpg", "1.jpg"]
    assert examples.views


def test_a_wrong_source_gets_one_line(tmp_path):
    put(tmp_path, "a.jpg", "judgements.jsonl")
    os.mkfifo(tmp_path / "pipe")
    assert error(tmp_path / "pipe") == "a pipe, a socket or a device; expected a folder or a CSV. Name one."
    assert error(tmp_path / "none") == "no such file or folder. Check its name."
    assert error(tmp_path / "a.jpg") == "found a picture; expected a folder or a CSV. Nearest: the folder it lies in."
    assert "Leave out --from" in error(tmp_path / "judgements.jsonl")


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_pairs_join_as_walking_from_picture_to_picture_does(pairs):
    """The slow obvious way: a picture's group is what can be reached from it."""
    reached = {i: {i} for pair in pairs for i in pair}
    for _ in range(len(reached)):
        for a, b in pairs:
            reached[a] = reached[b] = reached[a] | reached[b]
    group = labels_from_pairs(31, np.array([a for a, _ in pairs], np.int64), np.array([b for _, b in pairs], np.int64))
    for i in range(31):
        together = {j for j in range(31) if group[j] == group[i]} if group[i] >= 0 else set()
        assert together == reached.get(i, set())
    firsts = [int(np.flatnonzero(group == one)[0]) for one in range(group.max() + 1)]
    assert firsts == sorted(firsts)


def test_a_chain_of_a_hundred_thousand_pairs_is_one_group():
    order = np.random.default_rng(0).permutation(100_001)
    assert labels_from_pairs(100_001, order[:-1], order[1:]).max() == 0


def test_groups_of_several_are_not_merged_by_name(tmp_path):
    put(
        tmp_path,
        *(f"{one}/{label}/{i}.jpg" for one in "pq" for label in ("cat", "dog") for i in (one + "1", one + "2")),
    )
    both = merge_datasets([read(tmp_path / "p", as_="classes"), read(tmp_path / "q", as_="classes")])
    assert both.layout == "several"
    assert both.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert both.label_names == ("cat", "dog", "cat", "dog")
    assert both.domains is None


def test_pairs_that_share_a_picture_join_across_several(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(8)))
    one = read(table(tmp_path, "a,b\n0.jpg,1.jpg\n2.jpg,3.jpg\n", "one.csv"))
    two = read(table(tmp_path, "a,b\n1.jpg,4.jpg\n5.jpg,6.jpg\n6.jpg,7.jpg\n", "two.csv"))
    both = merge_datasets([one, two])
    assert groups(both, tmp_path) == {
        frozenset({"0.jpg", "1.jpg", "4.jpg"}),
        frozenset({"2.jpg", "3.jpg"}),
        frozenset({"5.jpg", "6.jpg", "7.jpg"}),
    }
    assert "1 picture in several of these, taken once" in both.notes


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=8), min_size=1, max_size=4
    )
)
def test_pairs_of_several_join_as_all_of_them_in_one_would(several):
    parts = []
    for pairs in several:
        one, other = np.array(pairs, np.int64).T
        group = labels_from_pairs(13, one, other)
        used = np.flatnonzero(group >= 0)
        paths = tuple(Path(f"/none/{i}.jpg") for i in used)
        parts.append(Dataset(paths, group[used], None, None, "pairs", ()))
    both = merge_datasets(parts)
    one, other = np.array([pair for pairs in several for pair in pairs], np.int64).T
    expected = labels_from_pairs(13, one, other)
    assert len(both.paths) == (expected >= 0).sum()
    got = {int(path.stem): int(of) for path, of in zip(both.paths, both.labels, strict=True)}
    for i in got:
        assert {j for j in got if got[j] == got[i]} == set(np.flatnonzero(expected == expected[i]).tolist())


def test_classes_that_share_a_picture_do_not_join_and_what_came_first_counts(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(6)))
    colour = read(table(tmp_path, "file,label\n0.jpg,red\n1.jpg,red\n2.jpg,blue\n3.jpg,blue\n", "colour.csv"))
    shape = read(table(tmp_path, "file,label\n0.jpg,round\n4.jpg,round\n2.jpg,flat\n5.jpg,flat\n", "shape.csv"))
    both = merge_datasets([colour, shape])
    assert groups(both, tmp_path) == {
        frozenset({"0.jpg", "1.jpg"}),
        frozenset({"2.jpg", "3.jpg"}),
        frozenset({"4.jpg"}),
        frozenset({"5.jpg"}),
    }
    assert both.label_names == ("red", "blue", "round", "flat")
    assert "2 pictures in a group of several of these: what the first says counts" in both.notes


def test_pairs_that_came_first_are_not_joined_by_a_class_that_holds_some_of_their_pictures(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(8)))
    pairs = read(table(tmp_path, "a,b\n0.jpg,1.jpg\n2.jpg,3.jpg\n", "pairs.csv"))
    text = "file,label\n1.jpg,x\n2.jpg,x\n4.jpg,x\n5.jpg,x\n6.jpg,y\n7.jpg,y\n"
    both = merge_datasets([pairs, read(table(tmp_path, text, "labels.csv"))])
    pairs_of = [(0, 1), (2, 3), (4, 5), (6, 7)]
    assert groups(both, tmp_path) == {frozenset({f"{a}.jpg", f"{b}.jpg"}) for a, b in pairs_of}
    assert both.label_names == ("", "", "x", "y")
    assert "2 pictures in a group of several of these: what the first says counts" in both.notes


def test_views_among_others_are_groups_of_one_and_give_way_to_what_others_say(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(5)))
    views = read(tmp_path)
    pairs = read(table(tmp_path, "a,b\n0.jpg,1.jpg\n2.jpg,3.jpg\n"))
    both = merge_datasets([views, pairs])
    assert not both.views
    assert groups(both, tmp_path) == {
        frozenset({"0.jpg", "1.jpg"}),
        frozenset({"2.jpg", "3.jpg"}),
        frozenset({"4.jpg"}),
    }
    assert not any("what the first says" in line for line in both.notes)


def test_views_united_with_views_are_views(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg")
    both = merge_datasets([read(tmp_path / "a"), read(tmp_path / "b"), from_files([tmp_path / "a/1.jpg"])])
    assert both.views
    assert both.labels.tolist() == [0, 1, 2, 3]


def test_sides_and_triplets_keep_their_place_when_united(tmp_path):
    put(tmp_path, *(f"{part}/{side}/{part}{i}.jpg" for part in "pq" for side in ("left", "right") for i in (1, 2)))
    put(tmp_path, "x.jpg")
    three = read(table(tmp_path, "anchor,positive,negative\nx.jpg,q/left/q1.jpg,q/right/q2.jpg\n"))
    all_ = merge_datasets([read(tmp_path / "p"), three, read(tmp_path / "q")])
    assert all_.domain_names == ("left", "right", "left", "right")
    sides = {
        path.relative_to(tmp_path).as_posix(): int(side) for path, side in zip(all_.paths, all_.domains, strict=True)
    }
    assert (sides["p/left/p1.jpg"], sides["p/right/p1.jpg"], sides["q/left/q1.jpg"], sides["q/right/q2.jpg"]) == (
        0,
        1,
        2,
        3,
    )
    assert sides["x.jpg"] == -1
    assert triplets(all_) == [("x.jpg", "q1.jpg", "q2.jpg")]
    named = dict(zip((path.name for path in all_.paths), all_.labels, strict=True))
    assert named["x.jpg"] == -1
    assert sorted(np.bincount(all_.labels[all_.labels >= 0])) == [2, 2, 2, 2]


def test_one_part_united_is_itself_and_none_is_an_error(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg")
    one = read(tmp_path)
    assert merge_datasets([one]) is one
    with pytest.raises(ExamplesError, match="no examples were given"):
        merge_datasets([])


def test_the_python_of_the_docs_runs(tmp_path, monkeypatch, capsys):
    words = (Path(__file__).parents[3] / "docs/examples.md").read_text(encoding="utf-8")
    code = next(part for part in words.split("```python\n")[1:] if "merge_datasets" in part).split("```")[0]
    put(tmp_path, *(f"emoji/{design}/{sign}.png" for design in ("noto", "twemoji") for sign in (1, 2)))
    put(tmp_path, *(f"photos/{i}.jpg" for i in range(4)))
    table(tmp_path, "a,b\n0.jpg,1.jpg\n2.jpg,3.jpg\n", "pairs.csv")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out.startswith("sides: 2 folders with 2 matching names (noto, twemoji)\n")
