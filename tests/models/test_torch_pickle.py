"""Reading .pth files: torch's own files come out equal, hostile ones are refused and nothing of them runs."""

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import BundleError
from lookalike.models.torch_pickle import read_weights


class Hostile:
    def __reduce__(self):
        return os.system, ("touch HACKED",)


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_of_both_layouts_equal_those_that_torch_saved(tmp_path: Path, zipped: bool):
    torch = pytest.importorskip("torch")
    base = torch.arange(12.0).reshape(3, 4)
    saved = OrderedDict(whole=base, turned=base.T, part=base[1:, ::2], one=torch.tensor(7))
    torch.save(saved, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    read = read_weights(tmp_path / "w.pth")
    assert list(read) == list(saved)
    for name, tensor in saved.items():
        np.testing.assert_array_equal(read[name], tensor.numpy())


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "w.pth"
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("w/data.pkl", pickle.dumps({"w": Hostile()}))
    else:
        path.write_bytes(b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {}, {"w": Hostile()})))
    with pytest.raises(BundleError, match="which no weights file needs"):
        read_weights(path)
    assert not (tmp_path / "HACKED").exists()


def test_anything_else_is_refused_in_one_line(tmp_path: Path):
    (tmp_path / "w.pth").write_bytes(b"not a pickle at all")
    with pytest.raises(BundleError, match="not a readable"):
        read_weights(tmp_path / "w.pth")


class Calls:
    """A pickle of the call `module.name(*arguments)`."""

    def __init__(self, what, *arguments):
        self.what, self.arguments = what, arguments

    def __reduce__(self):
        return self.what, self.arguments


@pytest.mark.parametrize(
    "hostile",
    [
        Calls(eval, "open('HACKED', 'w')"),
        Calls(getattr, "x", "__class__"),
        Calls(__import__, "os"),
        Calls(exec, "open('HACKED', 'w')"),
        Calls(Path, "HACKED"),
        Calls(bytearray, 10),
    ],
    ids=lambda one: one.what.__name__,
)
def test_no_name_but_those_of_tensors_resolves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hostile: Calls):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        archive.writestr("w/data.pkl", pickle.dumps({"w": hostile}, 2))
    with pytest.raises(BundleError, match="which no weights file needs"):
        read_weights(tmp_path / "w.pth")
    assert not (tmp_path / "HACKED").exists()


class Rebuilt:
    """Pickles as torch's tensors do, but with whatever offset, shape and stride a hostile file would give."""

    def __init__(self, offset, shape, stride, count=4):
        self.storage, self.rest = ("storage", "FloatStorage", "0", "cpu", count), (offset, shape, stride)


def write_rebuilt(path: Path, tensor: Rebuilt) -> None:
    """The same bytes as torch would write, by hand: the names of torch, without torch."""
    rest = b"".join(b"(" + b"".join(b"I%d\n" % number for number in row) + b"t" for row in tensor.rest[1:])
    storage = b"(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI%d\ntQ" % tensor.storage[-1]
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"I%d\n" % tensor.rest[0] + rest + b"I00\nNtR"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w/data.pkl", b"(dVw\n" + made + b"s.")
        archive.writestr("w/data/0", np.arange(4, dtype="<f4").tobytes())


def test_a_tensor_written_by_hand_is_read(tmp_path: Path):
    write_rebuilt(tmp_path / "w.pth", Rebuilt(1, (3,), (1,)))
    np.testing.assert_array_equal(read_weights(tmp_path / "w.pth")["w"], [1, 2, 3])


@pytest.mark.parametrize(
    "tensor",
    [
        Rebuilt(2, (3,), (1,)),
        Rebuilt(-1, (2,), (1,)),
        Rebuilt(3, (2,), (-1,)),
        Rebuilt(0, (2, 3), (3, 1)),
        Rebuilt(0, (10**9,), (0,)),
        Rebuilt(0, (1,), (1,), count=5),
        Rebuilt(0, (1,), (1,), count=-1),
        Rebuilt(0, (1,), (1,), count=2**62),
        Rebuilt(0, (2, 2), (1,)),
    ],
)
def test_a_tensor_that_reaches_outside_its_storage_is_refused(tmp_path: Path, tensor: Rebuilt):
    write_rebuilt(tmp_path / "w.pth", tensor)
    with pytest.raises(BundleError, match="not a readable"):
        read_weights(tmp_path / "w.pth")
