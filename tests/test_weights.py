"""Reading .pth files: torch's own files come out equal, hostile ones are refused and nothing of them runs."""

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import BundleError
from lookalike.weights import read_weights


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
