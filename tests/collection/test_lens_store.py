"""Lenses are kept, replaced, listed, put into service only where their proof allows, and removed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.badges import NAMES, flat, kind_of, table

from lookalike import Collection
from lookalike.collection.lens_store import MOST_READ, LensStore
from lookalike.errors import LensError
from lookalike.models.lens import Lens


def test_the_lens_in_service_answers_where_none_is_named(badges: Collection):
    assert badges.search("kind-00/0.png").lens == "kind"
    assert badges.search("kind-00/0.png", lens="plain").lens == "plain"


def test_a_name_that_is_taken_is_refused_before_anything_is_learned(own_badges: Collection):
    with pytest.raises(LensError, match=r"kind: a lens of .* already. Choose another with --name, or add --replace"):
        own_badges.learn(own_badges.folder, name="kind")
    with pytest.raises(LensError, match="cannot name a lens"):
        own_badges.learn(own_badges.folder, name="Kind!")


def test_a_replaced_lens_answers_with_its_new_weights(own_badges: Collection):
    before = own_badges.search("kind-00/0.png", lens="kind", others=True)[0].similarity
    own_badges.learn(own_badges.folder, name="kind", quick=True, dims=16, replace=True)
    after = own_badges.search("kind-00/0.png", lens="kind", others=True)[0].similarity
    assert before != after
    assert own_badges.table.lenses() == {"kind": 16}


def test_a_lens_is_read_again_only_where_one_of_its_files_is_another(own_badges: Collection):
    store, folder = LensStore(own_badges.home), own_badges.home.lens("kind")
    lens = store.get("kind")
    assert store.get("kind") is lens
    weights = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    with pytest.raises(LensError, match="damaged lens"):
        store.get("kind")
    (folder / "weights.safetensors").write_bytes(weights)
    again = store.get("kind")
    assert again is not lens
    assert_array_equal(again.matrix, lens.matrix)
    replace(lens, proof=None).save(folder)
    assert store.get("kind").proof is None
    shutil.rmtree(folder)
    with pytest.raises(LensError, match="no such lens"):
        store.get("kind")


def test_few_lenses_are_kept_in_memory(own_badges: Collection):
    store, folder = LensStore(own_badges.home), own_badges.home.lens("kind")
    first, names = store.get("kind"), [f"kind-{number}" for number in range(MOST_READ)]
    for name in names:
        shutil.copytree(folder, folder.with_name(name))
        assert store.get(name).name == name
    assert store.get(names[0]) is store.get(names[0])
    assert store.get("kind") is not first


def nonsense(own_badges: Collection, path: Path) -> Path:
    """Labels laid on the pictures at random."""
    files = own_badges.table.columns()["file"]
    labels = np.random.default_rng(0).permutation([kind_of(file) for file in files])
    return table(path, "file,label", list(zip(files, labels, strict=True)))


def test_nonsense_does_not_serve_unless_told(own_badges: Collection, tmp_path: Path):
    lens = own_badges.learn(nonsense(own_badges, tmp_path / "x.csv"), name="nonsense", quick=True, use=True)
    assert lens.proof is not None and lens.proof.verdict == "refused"
    assert own_badges.search("kind-00/0.png").lens == "kind"
    with pytest.raises(LensError, match=r"nonsense: Not (surely )?better than plain: .* add --anyway"):
        own_badges.use("nonsense")
    own_badges.use("nonsense", anyway=True)
    assert own_badges.search("kind-00/0.png").lens == "nonsense"


def test_a_lens_in_service_is_not_replaced_by_a_worse_one(own_badges: Collection, tmp_path: Path):
    before = Lens.load(own_badges.home.lens("kind"))
    with pytest.raises(LensError, match=r"kind: Not (surely )?better than plain.* stays in service"):
        own_badges.learn(nonsense(own_badges, tmp_path / "x.csv"), name="kind", quick=True, replace=True)
    assert_array_equal(Lens.load(own_badges.home.lens("kind")).matrix, before.matrix)


def test_use_and_forget(own_badges: Collection):
    own_badges.use("plain")
    assert own_badges.search("kind-00/0.png").lens == "plain"
    own_badges.use("kind")
    own_badges.forget("kind")
    assert own_badges.search("kind-00/0.png").lens == "plain"
    assert (own_badges.home.lenses(), own_badges.table.lenses()) == ([], {})
    with pytest.raises(LensError, match=r"kind: no such lens in .* There are: none"):
        own_badges.forget("kind")


def test_a_lens_folder_can_be_copied_to_another_collection(own_badges: Collection, tmp_path: Path):
    other = Collection(flat(tmp_path / "other", kinds=4))
    other.index()
    shutil.copytree(own_badges.home.lens("kind"), other.home.lens("badge"))
    other.use("badge")
    assert other.search("00.png").lens == "badge"
    assert other.table.lenses() == {"badge": own_badges.lens("kind").dims}


def test_lenses_are_listed_with_what_their_proofs_say(own_badges: Collection):
    (one,) = own_badges.lenses()
    assert (one["name"], one["serves"], one["verdict"], one["source"]) == ("kind", True, "taught", "folders")
    (own_badges.home.lens("kind") / "weights.safetensors").write_bytes(b"")
    (one,) = own_badges.lenses()
    assert (one["verdict"], one["source"]) == (None, None)
    assert "damaged" in one["words"]


def test_the_learned_similarity_leaves_out_what_is_less_alike(own_badges: Collection):
    proof = own_badges.lens("kind").proof
    assert proof is not None and proof.threshold is not None
    hits = own_badges.search("kind-00/0.png", k=None, lens="kind", min_similarity="learned")
    assert 1 <= len(hits) < len(NAMES) and min(hit.similarity for hit in hits) >= proof.threshold.similarity
    with pytest.raises(LensError, match="plain: no similarity was learned"):
        own_badges.search("kind-00/0.png", lens="plain", min_similarity="learned")


def found(collection: Collection) -> list[tuple[str, float]]:
    return [(hit.file, hit.similarity) for hit in collection.search("kind-00/0.png", others=True)]


def test_killed_while_a_lens_is_replaced_the_old_one_answers_and_the_next_write_puts_it_back(own_badges: Collection):
    lenses = own_badges.home.at / "lenses"
    before = found(own_badges)
    (lenses / "kind").rename(lenses / ".kind.previous")  # between the two renames
    (lenses / ".kind.ab12cd34").mkdir()
    again = Collection(own_badges.folder)
    assert found(again) == before
    assert [one["name"] for one in again.lenses()] == ["kind"]
    again.index()
    assert [path.name for path in lenses.iterdir()] == ["kind"]
    assert found(Collection(own_badges.folder)) == before


def test_killed_while_it_forgets_a_lens_the_same_command_goes_on(own_badges: Collection, monkeypatch):
    from lookalike.collection import lens_store

    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(lens_store, "remove_folder", killed)
        own_badges.forget("kind")
    again = Collection(own_badges.folder)
    assert again.search("kind-00/0.png").lens == "plain"
    again.forget("kind")
    assert again.lenses() == []
    assert again.table.lenses() == {}


def test_a_name_that_the_shell_takes_for_an_option_is_refused(own_badges: Collection):
    with pytest.raises(LensError, match=r"'-x' cannot name a lens: .* Begin it with a-z or 0-9\.$"):
        own_badges.learn([own_badges.folder], name="-x", quick=True)


def test_a_lens_gets_another_proof_and_keeps_the_one_of_its_learning(own_badges: Collection):
    lens, store = own_badges.lens("kind"), LensStore(own_badges.home)
    folder = own_badges.home.lens("kind")
    curve = (folder / "proof.png").read_bytes()
    other = replace(lens.proof, verdict="refused", summary="Not better.")
    store.save_proof(lens, other, {"note.txt": "why"})
    again = own_badges.lens("kind")
    assert (again.proof, again.fingerprint) == (other, lens.fingerprint)
    assert (folder / "note.txt").read_text() == "why"
    assert (folder / "proof.png").read_bytes() == curve
    kept = json.loads((folder / "proof-held-out.json").read_text())
    assert kept == lens.proof.to_json()
    moved = replace(lens, matrix=2 * lens.matrix)
    with pytest.raises(LensError, match="kind: learned anew while it was tested"):
        store.save_proof(moved, other, {})


def test_the_digest_tells_other_weights_without_reading_them(own_badges: Collection):
    store = LensStore(own_badges.home)
    before = store.weights_digest("kind")
    (own_badges.home.lens("kind") / "weights.safetensors").unlink()
    assert store.weights_digest("kind") == before
    with pytest.raises(LensError, match="no such lens"):
        store.weights_digest("other")
    (own_badges.home.lens("kind") / "lens.json").write_text("{}")
    with pytest.raises(LensError):
        store.weights_digest("kind")
