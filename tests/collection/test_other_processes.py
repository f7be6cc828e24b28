"""A collection in other processes: handed over by pickle, opened anew there."""

import copy
import multiprocessing
import os
import pickle
from pathlib import Path

import pytest
from support.drawn_network import write_bundle, write_pair

from lookalike import Backbone, Collection
from lookalike.errors import QueryError


@pytest.fixture
def drawn(photos: Path, tmp_path: Path) -> Collection:
    """Kept outside of its pictures, under a backbone of its own."""
    collection = Collection(photos, at=tmp_path / "kept", backbone=write_bundle(tmp_path / "bundle"), threads=1)
    collection.index()
    return collection


def files(collection: Collection) -> list[str]:
    return [hit.file for hit in collection.search("2.png", k=None)]


def search_there(collection: Collection, query: str) -> list[str]:
    return [f"{os.getpid()}", *(hit.file for hit in collection.search(query, k=None))]


def test_a_spawned_process_searches_the_same_collection_and_hands_errors_back(drawn: Collection):
    files(drawn)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        process, *found = pool.apply(search_there, (drawn, "2.png"))
        assert found == files(drawn)
        assert process != f"{os.getpid()}"
        with pytest.raises(QueryError, match="no such picture"):
            pool.apply(search_there, (drawn, "nowhere.png"))


def test_what_is_pickled_is_the_place_and_the_options(
    drawn: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    near = Collection("photos", at="kept", backbone="bundle", threads=1)
    expected, kept = files(near), pickle.dumps(near)
    assert len(kept) < 2000
    monkeypatch.chdir("/")
    again = pickle.loads(kept)
    assert (again.folder, again.home.at) == (tmp_path / "photos", tmp_path / "kept")
    assert again.backbone.threads == 1
    assert files(again) == expected


def test_it_is_opened_with_what_is_committed_by_then(indexed: Collection, photos: Path):
    files(indexed)
    kept = pickle.dumps(indexed)
    (photos / "10.png").unlink()
    Collection(photos).index()
    assert "10.png" not in files(pickle.loads(kept))


def test_a_copy_is_a_collection_of_its_own(drawn: Collection):
    again = copy.deepcopy(drawn)
    assert again.backbone is not drawn.backbone
    assert files(again) == files(drawn)


def test_another_backbone_that_was_named_is_named_again(photos: Path, tmp_path: Path):
    first, second = write_pair(tmp_path / "pair")
    Collection(photos, backbone=first).index()
    again = pickle.loads(pickle.dumps(Collection(photos, backbone=second)))
    again.index()
    assert again.backbone.name == "second"


def test_a_backbone_embeds_as_before(drawn: Collection, photos: Path):
    kept = drawn.backbone
    again = pickle.loads(pickle.dumps(kept))
    assert isinstance(again, Backbone)
    assert (again.id, again.precision, again.threads) == (kept.id, kept.precision, 1)
    assert (again.embed([photos / "1.png"]) == kept.embed([photos / "1.png"])).all()


def test_answers_and_lenses_are_pickled_whole(swapped: Collection):
    answers = swapped.search(["2.png", "1.png"], lens="swap")
    again = pickle.loads(pickle.dumps(answers))
    assert (repr(again), again[0].lens, again[1][0]) == (repr(answers), "swap", answers[1][0])
    assert again.grid().tobytes() == answers.grid().tobytes()
    lens = swapped.lens("swap")
    assert pickle.loads(pickle.dumps(lens)).fingerprint == lens.fingerprint
