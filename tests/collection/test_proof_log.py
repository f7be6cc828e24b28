"""Proofs of the same examples are counted: whatever their order and names, through hostile files, by every learning."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.recording import Recording

from lookalike import Collection
from lookalike.collection.proof_log import LONGEST_LINE, ProofKey, ProofLog, examples_digest, key_of, names_digest
from lookalike.errors import CollectionError
from lookalike.learning import prove
from lookalike.learning.config import ClosedForm, LearnConfig
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.proof_parts import Attempt

PROOF = prove([[1, 0], [0, 1]], [0, 1])
A, B, C = (ProofKey("e" * 32, way * 32) for way in "abc")


def feature_set(content: str, labels: list[int], triplets=None, domains=None) -> FeatureSet:
    """Rows of these contents, a letter each."""
    data = LabelledFeatures.create(np.eye(len(content)), labels, triplets=triplets, domains=domains)
    return FeatureSet(data, tuple(Path(one) for one in content), tuple(one.encode() for one in content))


def test_the_first_of_each_way_is_numbered_and_a_repeat_keeps_its_number(tmp_path: Path):
    log = ProofLog(tmp_path / "new" / "proofs.jsonl")
    seen = []
    for key in (A, B, A, B, C, A):
        seen.append(log.attempt(key))
        log.add(key, "kind", PROOF)
    assert seen == [Attempt(0, 1), Attempt(1, 2), Attempt(2, 1), Attempt(3, 2), Attempt(4, 3), Attempt(5, 1)]
    assert log.attempt(ProofKey("f" * 32, A.way)) == Attempt(0, 1)  # other examples
    assert json.loads(log.path.read_text().splitlines()[0])["lens"] == "kind"


def test_nothing_is_written_before_the_first(tmp_path: Path):
    log = ProofLog(tmp_path / "new" / "proofs.jsonl")
    assert (log.attempt(A), log.notes()) == (Attempt(0, 1), ())
    assert not log.path.parent.exists()


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe", b"{", b"[]", b"3", b"null", b"[" * 5000, b'{"examples": 3, "way": "a"}', b'{"examples": "e"}',
        b'{"examples": ["e"], "way": {}}', b"x" * 3 * LONGEST_LINE, b'{"way": "' + b"a" * LONGEST_LINE + b'"}',
    ],
)  # fmt: skip
def test_a_line_that_is_not_ours_is_passed_over_and_said(tmp_path: Path, line: bytes):
    log = ProofLog(tmp_path / "proofs.jsonl")
    log.add(A, "kind", PROOF)
    with log.path.open("ab") as file:
        file.write(line)  # breaks off, too
    log.add(B, "kind", PROOF)
    assert log.attempt(C) == Attempt(2, 3)
    assert log.notes() == ("passed over: 1 line with no proof",)


def test_what_is_no_file_is_one_line_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(CollectionError, match="cannot be read"):
            ProofLog(place).attempt(A)


def test_where_it_cannot_be_written_it_is_said_and_nothing_is_lost(tmp_path: Path):
    (tmp_path / "elsewhere").write_text("mine\n")
    (tmp_path / "proofs.jsonl").symlink_to(tmp_path / "elsewhere")
    told = Recording()
    ProofLog(tmp_path / "proofs.jsonl").add(A, "kind", PROOF, told)
    assert "cannot be written (it is a link to another place), so this proof is not counted" in told.lines[0]
    assert (tmp_path / "elsewhere").read_text() == "mine\n"


def test_examples_are_the_same_in_any_order_under_any_names_and_with_copies():
    one = examples_digest(feature_set("abcde", [0, 0, 1, 1, -1]))
    assert one == examples_digest(feature_set("dbcae", [7, 9, 7, 9, -1]))  # other order, other labels
    assert one == examples_digest(feature_set("abbcd", [0, 0, 0, 1, 1]))  # a copy; a picture of no group left out
    assert one == examples_digest(feature_set("abcde", [0, 0, 1, 1, 2]))  # alone with its label
    assert one == examples_digest(feature_set("abcde", [0, 0, 1, 1, -1], domains=[0, 1, 0, 1, 0]))


def test_examples_that_say_something_else_are_others():
    said = [
        feature_set("abcde", [0, 0, 1, 1, -1]),
        feature_set("abcde", [0, 1, 0, 1, -1]),
        feature_set("abcde", [0, 0, 1, 1, 1]),
        feature_set("abcdf", [0, 0, 1, 1, 1]),
        feature_set("abcde", [0, 0, 1, 1, -1], triplets=[[0, 1, 2]]),
        feature_set("abcde", [0, 0, 1, 1, -1], triplets=[[1, 0, 2]]),
        feature_set("abcde", [0, 0, 1, 1, -1], triplets=[[0, 1, 2], [1, 0, 2]]),
    ]
    assert len({examples_digest(one) for one in said}) == len(said)


def test_another_setting_backbone_layout_or_side_is_another_way(tmp_path: Path):
    features = feature_set("abcd", [0, 0, 1, 1])
    dataset = Dataset(features.paths, features.labels, None, None, "classes", ())
    config = LearnConfig(ClosedForm())
    sided = feature_set("abcd", [0, 0, 1, 1], domains=[0, 1, 0, 1])
    keys = [
        key_of(dataset, features, config, "b1", tmp_path),
        key_of(dataset, features, config, "b2", tmp_path),
        key_of(dataset, features, replace(config, seed=1), "b1", tmp_path),
        key_of(dataset, features, replace(config, dims=2), "b1", tmp_path),
        key_of(dataset, features, LearnConfig(), "b1", tmp_path),
        key_of(replace(dataset, layout="sides"), features, config, "b1", tmp_path),
        key_of(dataset, sided, config, "b1", tmp_path),
    ]
    assert len({key.way for key in keys}) == len(keys)
    assert len({key.examples for key in keys}) == 1
    assert key_of(dataset, features, config, "b1", tmp_path) == keys[0]


def test_pictures_without_labels_are_known_by_their_names(tmp_path: Path):
    files = tuple(tmp_path / name for name in ("a.jpg", "b.jpg", "caf\udce9.jpg"))
    assert names_digest(files, tmp_path) == names_digest(files[::-1], tmp_path)
    assert names_digest(files, tmp_path) != names_digest(files[:2], tmp_path)


def test_a_collection_counts_its_proofs_and_is_stricter_each_time(own_badges: Collection):
    photos = own_badges  # "kind" was learned once, with seed 0
    assert photos.lens("kind").proof.protocol.proved_before == 0
    again = photos.learn(photos.folder, name="again", quick=True).proof
    assert (again.protocol.proved_before, again.protocol.attempt, again.test.level) == (1, 1, 0.01)
    assert again.verdict == photos.lens("kind").proof.verdict
    photos.forget("again")  # it was tried all the same
    lines = photos.check(photos.folder, quick=True, seed=1)
    assert "proved twice before in this collection: tested at the 0.5% level" in lines
    proof = photos.learn(photos.folder, name="other", quick=True, seed=1).proof
    assert (proof.protocol.proved_before, proof.protocol.attempt, proof.test.level) == (2, 2, 0.005)
    assert len(proof.permutation.recalls) == 39
    assert proof.words.endswith("These examples were proved twice before.")
    said = "These examples were proved twice before in this collection, and 1 other way to learn was tried first."
    assert said in " ".join(proof.table().split())
    assert photos.lens("other").proof == proof
    assert (photos.home.at / "proofs.jsonl").read_text().count("\n") == 3
