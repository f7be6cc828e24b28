"""What a collection learns from, and what the lens is called after it."""

from pathlib import Path

import pandas as pd
import pytest
from support.on_disk import groups, put

from lookalike import Collection
from lookalike.collection.dataset_source import dataset_from, name_after, source_of
from lookalike.errors import ExamplesError
from lookalike.learning.datasets.judgements import Judgements


def test_named_folders_are_read_and_several_are_joined(tmp_path: Path):
    one = put(tmp_path / "one", "cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "dog/4.jpg")
    two = put(tmp_path / "two", "hen/5.jpg", "hen/6.jpg", "pig/7.jpg", "pig/8.jpg")
    judgements = Judgements(tmp_path / "none.jsonl")
    dataset, names = dataset_from([one, two], "classes", tmp_path, judgements, [])
    assert names == [str(one), str(two)]
    assert frozenset({"one/cat/1.jpg", "one/cat/2.jpg"}) in groups(dataset, tmp_path)
    assert frozenset({"two/pig/7.jpg", "two/pig/8.jpg"}) in groups(dataset, tmp_path)


@pytest.mark.parametrize(("judged", "layout"), [(19, "views"), (20, "judgements")])
def test_twenty_judgements_are_learned_from_before_views(tmp_path: Path, judged: int, layout: str):
    files = [f"{i}.jpg" for i in range(2 * judged)]
    judgements = Judgements(put(tmp_path, *files) / "judgements.jsonl")
    judgements.add_all([(files[2 * i], files[2 * i + 1], None) for i in range(judged)])
    dataset, names = dataset_from(None, None, tmp_path, judgements, files)
    assert (dataset.layout, names) == (layout, [layout])


def test_nothing_to_learn_from_is_one_line(tmp_path: Path):
    judgements = Judgements(tmp_path / "none.jsonl")
    with pytest.raises(ExamplesError, match="Run: lookalike index photos --at kept"):
        dataset_from(None, None, tmp_path, judgements, [], "photos --at kept")
    with pytest.raises(ExamplesError, match="Run: lookalike index"):
        dataset_from(None, None, tmp_path, judgements, [])
    with pytest.raises(ExamplesError, match="no data named"):
        dataset_from([], None, tmp_path, judgements, [])


def test_a_lens_is_named_after_its_first_data():
    assert name_after(["~/My Pairs/", "other"]) == "my-pairs"
    assert name_after(["일.csv"]) == name_after([]) == name_after(["plain"]) == "lens"


def test_what_python_holds_is_read_as_a_table_of_the_collection_s_files(tmp_path: Path):
    files = ["cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "dog/4.jpg"]
    folder, judgements = put(tmp_path / "photos", *files), Judgements(tmp_path / "none.jsonl")
    by_file = {file: file[:3] for file in files}
    for source in (by_file, pd.DataFrame({"file": by_file.keys(), "label": by_file.values()}), by_file.items()):
        dataset, names = dataset_from(source, None, folder, judgements, [])
        assert (groups(dataset, folder), names) == ({frozenset(files[:2]), frozenset(files[2:])}, ["examples"])
    both = dataset_from([folder, by_file], None, folder, judgements, [])
    assert both[1] == [str(folder), "examples"]
    assert len(both[0].paths) == 4
    with pytest.raises(ExamplesError, match=r"type int gives no examples\. Give folders and CSV files by name, a Data"):
        dataset_from(3, None, folder, judgements, [])


def test_a_collection_checks_and_learns_from_rows(own_badges: Collection):
    rows = [(f"kind-{kind:02d}/{look}.png", f"kind {kind}") for kind in range(20) for look in range(3)]
    assert "20 labels with 60 pictures" in "\n".join(own_badges.check(rows, quick=True))
    lens = own_badges.learn((row for row in rows), quick=True)
    assert (lens.name, lens.settings["data"], lens.settings["layout"]) == ("examples", ["examples"], "labels")


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        ({"layout": "judgements", "data": ["judgements"], "judgements": 40}, "judgements"),
        ({"layout": "judgements", "data": ["examples"], "judgements": 40}, "judgements"),
        ({"layout": "views", "data": ["views"]}, "views"),
        ({"layout": "classes", "data": ["photos"]}, "folders"),
        ({"layout": "sides", "data": ["emoji/noto", "emoji/twemoji"]}, "folders"),
        ({"layout": "pairs", "data": ["pairs.csv"]}, "csv"),
        ({"layout": "labels", "data": ["examples"]}, "python"),
        ({"layout": "several", "data": ["a", "b.csv"]}, "several"),
        ({}, None),
        ({"layout": ["pairs"], "data": ["x"]}, None),
        ({"layout": "pairs", "data": []}, None),
    ],
)
def test_a_lens_says_what_it_was_learned_from(settings: dict, source: str | None):
    assert source_of(settings) == source
