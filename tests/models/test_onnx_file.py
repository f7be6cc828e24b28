"""ONNX files of strangers, read for export and for torch."""

import onnx
import pytest
from support import hostile_graphs
from support.drawn_network import write_bundle

from lookalike.errors import BundleError
from lookalike.models.bundle import read
from lookalike.models.onnx_export import onnx_model
from lookalike.models.onnx_file import read_onnx


def test_a_graph_is_read_as_it_was_written(tmp_path):
    path = write_bundle(tmp_path / "own") / "model.onnx"
    assert read_onnx(path) == onnx.load(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (hostile_graphs.loop, "has loops or branches (Loop), which are never run"),
        (hostile_graphs.branch, "has loops or branches (If), which are never run"),
        (hostile_graphs.scan, "has loops or branches (Scan), which are never run"),
        (hostile_graphs.outside, "not a graph that can be used"),
        (hostile_graphs.unknown, "not a graph that can be used"),
    ],
)
def test_a_graph_that_may_never_end_or_reaches_outside_is_not_exported(tmp_path, make, words):
    bundle = read(make(tmp_path / "own"))
    with pytest.raises(BundleError) as error:
        onnx_model(bundle, None)
    assert str(error.value).startswith(f"{bundle.model}: {words}")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"<html>404 Not Found</html>", b"\x08\x08", bytes(range(256)) * 20])
def test_a_file_that_is_no_graph_is_one_line(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(BundleError, match="not a graph that can be used"):
        read_onnx(path)
