"""Pictures that are no examples: which, how many, each content once."""

import numpy as np

from lookalike import Collection
from lookalike.collection.other_pictures import other_features
from lookalike.index.pictures import Picture


def pictures_of(collection: Collection) -> list[Picture]:
    pictures = collection.pictures()
    return [pictures.at(i) for i in range(len(pictures.gallery))]


def test_every_content_that_is_no_example_is_there_once(indexed: Collection):
    """1.png has a copy: the two are one picture."""
    snapshot = indexed.home.open_table(indexed.backbone.id).snapshot()
    contents = {bytes.fromhex(picture.id) for picture in pictures_of(indexed)}
    frame = indexed.to_pandas().set_index("file")["features"]
    every = other_features(snapshot, [])
    assert len(every) == len(contents) == len(frame) - 1
    known = bytes.fromhex(next(one.id for one in pictures_of(indexed) if one.file == "1.png"))
    rest = other_features(snapshot, [known])
    assert len(rest) == len(every) - 1
    assert not (np.abs(rest.astype(np.float32) - frame["1.png"]).max(axis=1) < 1e-3).any()


def test_of_many_a_sample_is_drawn_the_same_for_the_same_seed(indexed: Collection):
    snapshot = indexed.home.open_table(indexed.backbone.id).snapshot()
    one, again, other = (other_features(snapshot, [], seed, most=3) for seed in (0, 0, 5))
    assert len(one) == 3
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_where_all_are_examples_there_are_none(indexed: Collection):
    snapshot = indexed.home.open_table(indexed.backbone.id).snapshot()
    assert other_features(snapshot, [bytes.fromhex(one.id) for one in pictures_of(indexed)]) is None
    assert other_features(None, []) is None
