"""Reading an ONNX file of anybody: checked by onnx, without loops and branches; what is wrong is one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lookalike.errors import BundleError


def read_onnx(path: Path) -> Any:
    """An onnx.ModelProto, checked.

    Raises: BundleError, when it is none, keeps weights outside of its folder, or has loops or branches.
    """
    import onnx

    with onnx_errors(path):
        model = onnx.load(path)
        onnx.checker.check_model(model)
    for node in model.graph.node:
        if any(one.HasField("g") or one.graphs for one in node.attribute):
            raise with_control_flow(path, node.op_type)
    return model


@contextmanager
def onnx_errors(path: Path) -> Iterator[None]:
    """Whatever a broken graph makes onnx or protobuf raise, as a BundleError of one line."""
    try:
        yield
    except BundleError:
        raise
    except Exception as error:  # the errors of onnx and protobuf have no root in common
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise BundleError(f"{path}: not a graph that can be used ({reason}). Export it anew.") from error


def with_control_flow(path: Path, kind: str) -> BundleError:
    """The error for a graph with a node of this kind."""
    return BundleError(
        f"{path}: has loops or branches ({kind}), which are never run. Export the network without control flow."
    )
