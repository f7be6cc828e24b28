"""The errors by themselves: one tree, and what each of them tells."""

import inspect
import pickle

import pytest

from lookalike import errors
from lookalike.errors import (
    Cancelled,
    ImageError,
    LensError,
    LookalikeError,
    MemoryLimitError,
    MissingExtraError,
    TrainingError,
    is_out_of_memory,
)
from lookalike.index.damage import is_lance_error


def own_errors() -> list[type]:
    """The errors of the module; a warning is none."""
    classes = [one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__]
    return [one for one in classes if not issubclass(one, Warning)]


def test_every_error_of_the_module_is_caught_as_a_lookalike_error():
    found = own_errors()
    assert len(found) > 10
    assert [one for one in found if not issubclass(one, LookalikeError)] == []


def test_an_image_error_names_its_file_in_the_line_and_not_in_the_reason():
    named = ImageError("cut off. Copy it again.", "gone", file="a/1.png")
    assert (str(named), named.reason, named.kind) == (
        "a/1.png: cut off. Copy it again.",
        "cut off. Copy it again.",
        "gone",
    )
    bare = ImageError("cut off")
    assert (str(bare), bare.reason, bare.kind) == ("cut off", "cut off", "broken")


def test_a_missing_extra_is_an_import_error_that_names_the_line_to_type():
    with pytest.raises(ImportError) as caught:
        raise MissingExtraError("reading HEIC", "heic")
    assert str(caught.value) == "reading HEIC needs the extra 'heic'. Install it with: pip install 'lookalike[heic]'"


def test_cancelling_is_a_lookalike_error_but_no_failure_of_training():
    assert issubclass(Cancelled, LookalikeError)
    assert not issubclass(Cancelled, TrainingError)


def test_every_error_has_a_code_that_programs_can_tell_apart():
    found = own_errors()
    codes = [one.code for one in found if one is not ImageError]
    assert len(set(codes)) == len(codes)
    assert LensError("x: no such lens.", code="lens.unknown").code == "lens.unknown"
    assert (LensError("x").code, ImageError("x", "too large").code) == ("lens", "image.too_large")
    assert MissingExtraError("x", "heic").code == "extra.missing"
    assert pickle.loads(pickle.dumps(LensError("x", code="lens.taken"))).code == "lens.taken"


def test_every_error_can_be_handed_on_by_a_worker_process():
    """One that cannot be made again would leave a multiprocessing.Pool waiting for ever."""
    found = own_errors()
    for kind in found:
        error = kind("reading HEIC", "heic") if kind is MissingExtraError else kind("a line")
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (kind, str(error))
    named = pickle.loads(pickle.dumps(ImageError("cut off", "gone", file="a.png")))
    assert (str(named), named.reason, named.kind) == ("a.png: cut off", "cut off", "gone")


class PanicException(BaseException):
    """As Rust's, which is no Exception."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        ImportError("lance.abi3.so: failed to map segment from shared object"),
        RuntimeError("Exception from src/inference: std::bad_alloc"),
        RuntimeError("could not create a primitive: can't alloc"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory"),
        RuntimeError("can't start new thread"),
        PanicException("memory allocation of 4096 bytes failed"),
    ],
)
def test_too_little_memory_is_told_from_bugs_and_from_damage(error: BaseException):
    assert is_out_of_memory(error)
    assert not is_lance_error(error)
    around = ValueError("while something else was done")
    around.__cause__ = error
    assert is_out_of_memory(around)


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left"), ValueError("bad shape"), LensError("out of memory"), PanicException("index")],
)
def test_other_errors_say_nothing_of_memory(error: BaseException):
    assert not is_out_of_memory(error)


def test_a_memory_limit_is_a_memory_error_too():
    assert issubclass(MemoryLimitError, MemoryError)
    assert str(MemoryLimitError("learn")).startswith("not enough memory for learn. ")
