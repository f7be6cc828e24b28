"""HDF5 files of strangers: what is read, and what is one line."""

from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import BundleError
from lookalike.models.convert import hdf5_arrays, keras_resnet
from lookalike.models.convert.hdf5_arrays import float_arrays

h5py = pytest.importorskip("h5py")


def test_arrays_of_floats_are_read_by_their_paths_and_others_left_out(tmp_path: Path):
    file = tmp_path / "x.h5"
    with h5py.File(file, "w") as opened:
        opened["a/b"] = np.array([1.5, 2], np.float64)
        opened["a/half"] = np.array([0.25], np.float16)
        opened["count"] = np.array([3])
        opened["text"] = "words"
        opened["empty"] = np.zeros((0, 3), np.float32)
    found = float_arrays(file)
    assert {parts: array.tolist() for parts, array in found.items()} == {
        ("a", "b"): [1.5, 2.0],
        ("a", "half"): [0.25],
        ("empty",): [],
    }
    assert all(array.dtype == np.float32 for array in found.values())


def soft_link(opened, folder):
    opened["a"] = h5py.SoftLink("/a")


def external_link(opened, folder):
    opened["a"] = h5py.ExternalLink(str(folder / "other.h5"), "/x")


def external_values(opened, folder):
    (folder / "secret").write_bytes(np.array([7.25, 8.5], "<f4").tobytes())
    opened.create_dataset("a/kernel", (2,), "<f4", external=[(str(folder / "secret"), 0, 8)])


def virtual_values(opened, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["x"] = np.ones(2, np.float32)
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "x", (2,))
    opened.create_virtual_dataset("a", layout)


def never_written(opened, folder):
    opened.create_dataset("a", (475_000_000,), "f4", fillvalue=1.0)


def never_written_in_chunks(opened, folder):
    opened.create_dataset("a", (2**40, 2**18), "f4", chunks=(1, 1024))


def large_in_chunks(opened, folder):
    one = opened.create_dataset("a", (2**40, 2**18), "f2", chunks=(1, 1024))
    one[0, 0] = 1


def half_floats(opened, folder):
    one = opened.create_dataset("a", (950_000_000,), "f2", chunks=(1024,))
    one[0] = 1


def deep(opened, folder):
    for _ in range(3000):
        opened = opened.create_group("g")


def in_itself(opened, folder):
    group = opened.create_group("a")
    group["b"] = group


def many(opened, folder):
    for i in range(hdf5_arrays.MOST_OBJECTS + 1):
        opened.create_group(f"{i}")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (soft_link, "a is a link"),
        (external_link, "a is a link"),
        (external_values, "a/kernel is stored in another file"),
        (virtual_values, "a is stored in another file"),
        (never_written, "a has a shape but no values"),
        (never_written_in_chunks, "a has a shape but no values"),
        (large_in_chunks, "more than 2 GB of weights"),
        (half_floats, "more than 2 GB of weights"),
        (deep, "groups more than 12 deep"),
        (in_itself, "groups more than 12 deep"),
        (many, "more than 20,000 parts"),
    ],
)
def test_what_leads_elsewhere_or_grows_without_end_is_one_line(tmp_path: Path, make, words: str):
    file = tmp_path / "x.h5"
    with h5py.File(file, "w") as opened:
        make(opened, tmp_path)
    with pytest.raises(BundleError) as error:
        float_arrays(file)
    assert str(error.value).startswith(f"{file}: {words}")


def layers_is_an_array(opened):
    opened["layers"] = np.ones(1, np.float32)


def model_weights_is_an_array(opened):
    opened["model_weights"] = np.ones(1, np.float32)


def a_part_that_is_no_number(opened):
    opened["layers/conv2d/vars/kernel"] = np.ones(1, np.float32)


def a_thousand_million_blocks(opened):
    opened["conv1_conv/kernel"] = np.ones((7, 7, 3, 8), np.float32)
    for stage in range(2, 6):
        opened[f"conv{stage}_block1_1_conv/kernel"] = np.ones((1, 1, 8, 8), np.float32)
    opened["conv2_block1000000000_1_conv/kernel"] = np.ones((1, 1, 8, 8), np.float32)
    opened["conv2_block9000_1_conv/kernel"] = np.ones((1, 1, 8, 8), np.float32)


@pytest.mark.parametrize(
    "make", [layers_is_an_array, model_weights_is_an_array, a_part_that_is_no_number, a_thousand_million_blocks]
)
def test_names_that_are_not_those_of_a_resnet_are_one_line(tmp_path: Path, make):
    file = tmp_path / "x.h5"
    with h5py.File(file, "w") as opened:
        make(opened)
    with pytest.raises(BundleError, match="HDF5, but not the weights of Keras' ResNet50"):
        keras_resnet.as_source(file, tmp_path)


@pytest.mark.parametrize("cut", [0, 8, 100, 1000])
def test_a_cut_file_is_one_line(tmp_path: Path, cut: int):
    file = tmp_path / "x.h5"
    with h5py.File(file, "w") as opened:
        opened["a/b"] = np.ones(5000, np.float32)
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(BundleError, match="not HDF5"):
        float_arrays(file)
