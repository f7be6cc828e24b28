"""Arrays whose space is reserved: all of it, or none and one line."""

import os
import subprocess

import numpy as np
import pytest

from lookalike.errors import TrainingError
from lookalike.learning.finetuning.reserved_arrays import reserve_arrays


def test_the_arrays_are_zeros_that_can_be_written_and_take_their_space_at_once(tmp_path):
    arrays = reserve_arrays({tmp_path / "a.npy": ((500, 1000), np.float16), tmp_path / "b.npy": ((3,), np.uint8)})
    assert (arrays["a"].shape, arrays["a"].dtype, arrays["b"].shape) == ((500, 1000), np.float16, (3,))
    assert not arrays["a"].any()
    if hasattr(os, "posix_fallocate"):
        assert (tmp_path / "a.npy").stat().st_blocks * 512 >= 1_000_000
    arrays["b"][:] = 7
    arrays["b"].flush()
    assert np.load(tmp_path / "b.npy").tolist() == [7, 7, 7]


def test_more_than_the_disk_has_is_one_line_and_nothing_is_left(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"of an earlier run")
    with pytest.raises(TrainingError, match=r"the activations take 1,152,921,504,607 MB, but the disk has .* MB free"):
        reserve_arrays({tmp_path / "a.npy": ((2**60,), np.uint8)})
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts a small disk: needs root")
def test_a_disk_that_fills_while_space_is_taken_leaves_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        almost = 2**20 - 100  # the data fit, with the headers they do not
        with pytest.raises(TrainingError, match="the activations take 1 MB, but the disk has 1 MB free"):
            reserve_arrays({disk / "a.npy": ((almost // 2,), np.uint8), disk / "b.npy": ((almost // 2,), np.uint8)})
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)
