"""A lens: worked by hand, kept and read back to the bit, and refused in one line when it is damaged or hostile."""

import json
import shutil

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import save

from lookalike.errors import LensError, ShapeError
from lookalike.learning import prove
from lookalike.models.lens import FORMAT, Lens, _digest, check_name

RNG = np.random.default_rng(0)


def lens(**more):
    given = {
        "name": "pattern",
        "mean": RNG.standard_normal(6).astype(np.float32),
        "matrix": RNG.standard_normal((6, 4)).astype(np.float32),
        "settings": {"backbone": "b0", "seed": 3, "data": "사진/ü", "how": {"dims": None}},
    }
    return Lens(**{**given, **more})


@pytest.fixture(scope="module")
def proof():
    return prove(np.eye(4), [0, 0, 1, 1])


def test_a_row_worked_by_hand():
    """((3, 5) - (0, 1)) turned to (4, 3), length 5."""
    one = Lens("swap", np.array([0.0, 1.0]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert_allclose(one.apply([[3.0, 5.0]]), [[0.8, 0.6]], rtol=1e-6)


def test_rows_have_length_1_and_the_mean_itself_has_none():
    one = lens()
    rows = np.vstack([RNG.standard_normal((5, 6)), one.mean])
    assert_allclose(np.linalg.norm(one.apply(rows), axis=1), [1, 1, 1, 1, 1, 0], atol=1e-5)


def test_blocks_and_kinds_of_numbers_give_the_same():
    one, rows = lens(), RNG.standard_normal((50, 6)).astype(np.float16)
    whole = one.apply(rows)
    assert_allclose(one.apply(rows.astype(np.float64), rows_at_once=7), whole, atol=1e-6)
    assert one.apply(np.zeros((0, 6))).shape == (0, 4)


def test_rows_of_another_backbone_are_refused():
    with pytest.raises(ShapeError, match="rows of 6 features"):
        lens().apply(np.zeros((2, 7)))
    with pytest.raises(ShapeError, match="rows of 6 features"):
        lens().apply(np.zeros(6))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean": np.zeros(5)},
        {"matrix": np.zeros(6)},
        {"mean": np.zeros((2, 6))},
        {"mean": np.zeros((1, 2, 6))},
        {"matrix": np.zeros((6, 0))},
        {"mean": np.full(6, np.nan)},
        {"matrix": np.full((6, 4), np.inf)},
    ],
)
def test_what_is_no_lens_is_refused(wrong):
    with pytest.raises(ShapeError) as error:
        lens(**wrong)
    assert "\n" not in str(error.value)


def test_it_comes_back_to_the_bit(tmp_path, proof):
    for one in (lens(), lens(proof=proof)):
        one.save(tmp_path)
        back = Lens.load(tmp_path)
        assert_array_equal(back.matrix, one.matrix)
        assert_array_equal(back.mean, one.mean)
        assert (back.name, back.settings, back.proof) == (one.name, one.settings, one.proof)
        assert (back.backbone, back.features, back.dims) == ("b0", 6, 4)


def test_saving_again_replaces_the_old_and_leaves_other_files(tmp_path, proof):
    lens(proof=proof).save(tmp_path)
    (tmp_path / "proof.png").write_bytes(b"a picture")
    lens().save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lens.json", "proof.png", "weights.safetensors"]
    assert Lens.load(tmp_path).proof is None


def test_the_folder_can_be_copied(tmp_path, proof):
    lens(proof=proof).save(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert Lens.load(tmp_path / "b").proof == proof


@pytest.mark.parametrize("name", ["", "plain", "A", "a b", "../a", "a" * 41, "käse", "a\n", "a/b", ".", 3])
def test_names_that_no_lens_may_have_are_refused(name, tmp_path):
    with pytest.raises(LensError) as error:
        check_name(name)
    assert "\n" not in str(error.value)
    if isinstance(name, str):
        with pytest.raises(LensError):
            lens(name=name).save(tmp_path)
        assert not list(tmp_path.iterdir())


def test_settings_that_json_cannot_hold_are_refused_before_anything_is_written(tmp_path):
    for settings in ({"a": float("nan")}, {"a": {1, 2}}):
        with pytest.raises(LensError, match="JSON"):
            lens(settings=settings).save(tmp_path)
    assert not list(tmp_path.iterdir())


def refused(folder):
    with pytest.raises(LensError) as error:
        Lens.load(folder)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500
    return str(error.value)


@pytest.fixture
def kept(tmp_path, proof):
    lens(proof=proof).save(tmp_path)
    return tmp_path


def test_a_folder_without_a_lens_is_named(tmp_path):
    assert "no lens.json" in refused(tmp_path)
    assert "no lens.json" in refused(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["weights.safetensors", "proof.json"])
def test_a_missing_file_is_named(kept, name):
    (kept / name).unlink()
    assert f"{name} is missing" in refused(kept)


@pytest.mark.parametrize("name", ["weights.safetensors", "proof.json", "lens.json"])
def test_every_cut_and_every_flipped_byte_is_noticed(kept, name):
    """Each file cut at some places, and one bit of each of some bytes turned; a lens.json of other words may be one."""
    path = kept / name
    good = path.read_bytes()
    for at in np.linspace(0, len(good) - 2, 23).astype(int):
        path.write_bytes(good[:at])
        refused(kept)
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
        if name != "lens.json":
            refused(kept)
        else:
            try:
                Lens.load(kept)
            except LensError as error:
                assert "\n" not in str(error)
    path.write_bytes(good + b"more")
    refused(kept)


def rewritten(folder, weights=None, proof=None, **changes):
    """A folder made by hand: digests that agree, whatever is in the files."""
    about = json.loads((folder / "lens.json").read_text())
    if weights is not None:
        (folder / "weights.safetensors").write_bytes(weights)
        about["digests"]["weights.safetensors"] = _digest(weights)
    if proof is not None:
        (folder / "proof.json").write_bytes(proof)
        about["digests"]["proof.json"] = _digest(proof)
    (folder / "lens.json").write_text(json.dumps({**about, **changes}))


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        b"\x00" * 8,
        b"\xff" * 64,
        (2**63).to_bytes(8, "little") + b"{}",
        (10).to_bytes(8, "little") + b"{" * 10,
        (2).to_bytes(8, "little") + b"[]",
        (70).to_bytes(8, "little") + b'{"mean":{"dtype":"F32","shape":[99999999999],"data_offsets":[0,24]}}   ',
        (64).to_bytes(8, "little") + b'{"mean":{"dtype":"F32","shape":[6],"data_offsets":[24,0]}}       ',
        (64).to_bytes(8, "little") + b'{"mean":{"dtype":"ZZZ","shape":[6],"data_offsets":[0,24]}}       ',
        b"\x80\x04\x95pickle",
        save({"mean": np.zeros(6, np.float32)}),
        save({"mean": np.zeros(6), "matrix": np.zeros((6, 4))}),
        save({"mean": np.zeros(6, np.float32), "matrix": np.zeros((4, 6), np.float32)}),
        save({"mean": np.zeros(6, np.float32), "matrix": np.full((6, 4), np.nan, np.float32)}),
        save({"mean": np.zeros(6, np.float16), "matrix": np.zeros((6, 4), np.float16)}),
        b"x" * 2_000_000,
    ],
    ids=range(16),
)
def test_hostile_weights_are_refused(kept, weights):
    rewritten(kept, weights=weights)
    refused(kept)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b"nonsense", b"\xff\xfe", b"[" * 100_000, b'{"p": NaN}', b"9" * 5000, b'{"verdict": "taught"}'],
)
def test_hostile_proofs_are_refused(kept, text):
    rewritten(kept, proof=text)
    refused(kept)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b'"a"',
        b"{",
        b"\xff",
        b"{" * 50_000,
        b"[" * 100_000,
        b'{"format": NaN}',
        b'{"format": 1e999}',
    ],
    ids=range(10),
)
def test_hostile_json_is_refused(kept, text):
    (kept / "lens.json").write_bytes(text)
    refused(kept)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": None}, {"format": "1"}, {"format": 0}, {"format": True, "digests": None}, {"name": None},
        {"name": "../../etc"}, {"name": "plain"}, {"digests": []}, {"digests": {}}, {"mean": None}, {"mean": []},
        {"mean": [6, 6, 6]}, {"mean": ["6"]}, {"mean": [-6]}, {"mean": [True]}, {"mean": [10**12]}, {"matrix": [6, 5]},
        {"matrix": [10**5, 10**5]}, {"mean": [7]},
    ],
    ids=str,
)  # fmt: skip
def test_a_lens_json_that_says_what_cannot_be_is_refused(kept, changes):
    rewritten(kept, **changes)
    refused(kept)


def test_a_lens_of_an_earlier_version_says_to_learn_it_again(kept):
    rewritten(kept, format=1)
    assert "earlier version" in refused(kept) and "Learn it again" in refused(kept)


def test_a_newer_format_names_the_upgrade(kept):
    rewritten(kept, format=FORMAT + 1)
    assert "pip install -U lookalike" in refused(kept)


def test_a_folder_in_the_place_of_a_file_is_refused(kept):
    (kept / "lens.json").unlink()
    (kept / "lens.json").mkdir()
    refused(kept)
