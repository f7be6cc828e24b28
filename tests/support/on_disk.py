"""Examples on disk for tests, and what they were read as."""

from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.readers import read


def put(root: Path, *files: str) -> Path:
    """Files of these names; layouts are read from names, so no picture is needed in them."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"12345")
    return root


def table(root: Path, text: "str | bytes", name: str = "examples.csv") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def groups(examples, root: Path) -> set[frozenset[str]]:
    """Who belongs together, by names."""
    names = [path.relative_to(root).as_posix() for path in examples.paths]
    kinds = np.unique(examples.labels[examples.labels >= 0])
    return {frozenset(name for name, of in zip(names, examples.labels, strict=True) if of == kind) for kind in kinds}


def triplets(examples) -> list[tuple[str, ...]]:
    return [tuple(examples.paths[row].name for row in three) for three in examples.triplets]


def error(source: Path, **options) -> str:
    with pytest.raises(ExamplesError) as caught:
        read(source, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert line.endswith(".")
    return line.removeprefix(f"{source}: ")
