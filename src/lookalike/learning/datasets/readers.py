"""What people have on disk -> Examples: folders of sides or classes, CSVs, pictures alone; several of them united."""

from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.errors import ExamplesError
from lookalike.images.formats import has_image_suffix
from lookalike.learning.datasets.csv_table import from_csv
from lookalike.learning.datasets.dataset import Dataset, Identities, unlabelled
from lookalike.learning.datasets.image_folder import from_folder
from lookalike.learning.datasets.python_tables import CAN_BE, as_table, is_path, is_table
from lookalike.learning.datasets.tables import Layout, from_table
from lookalike.learning.labels import Rows, components
from lookalike.names import on_disk
from lookalike.text import plural

__all__ = ["Dataset", "from_files", "merge_datasets", "read"]
JOINING = frozenset({"sides", "pairs", "judgements"})  # each says of two pictures that they belong together


def read(source: Any, *, as_: Layout | None = None, folder: Path | None = None) -> Dataset:
    """What people have to learn from, in any form. No picture is decoded.

    Args:
        source: a folder (see `from_folder`) or a CSV (see `from_csv`) by its name; what Python holds (see `as_table`):
            a DataFrame, a dict, or rows of names; a Dataset; or an iterable of several of these, which are merged.
        as_: how to read what could be read in two ways.
        folder: the collection's, from which a CSV's paths are tried after the CSV's own folder, and those that Python
            holds before the current folder.
    Raises: ExamplesError, which says what was found, what was expected and the nearest layout.

    >>> read([]).paths
    Traceback (most recent call last):
    lookalike.errors.ExamplesError: no examples were given. Name a folder or a CSV.
    """
    return merge_datasets([_read_one(one, as_, folder) for one in sources_of(source)])


def sources_of(source: Any) -> list[Any]:
    """The single sources in one argument: itself, or what a list, a tuple, a generator or a column of them gives.

    Raises: ExamplesError, for what can be neither.

    >>> sources_of("a.csv"), sources_of(one for one in ("a.csv", "b.csv")), sources_of(zip("ab", "cd"))
    (['a.csv'], ['a.csv', 'b.csv'], [[('a', 'c'), ('b', 'd')]])
    """
    if is_path(source) or isinstance(source, Dataset) or is_table(source):
        return [source]
    if isinstance(source, bytes | bytearray) or hasattr(source, "read") or not isinstance(source, Iterable):
        raise ExamplesError(f"an object of type {type(source).__name__} gives no examples. Give {CAN_BE}.")
    found = sorted(source, key=str) if isinstance(source, Set) else list(source)
    return [found] if is_table(found) else found


def _read_one(source: Any, as_: Layout | None, folder: Path | None) -> Dataset:
    if isinstance(source, Dataset):
        return source
    if is_path(source):
        return _read_path(on_disk(Path(source)), as_, folder)
    if not is_table(source):
        raise ExamplesError(f"an object of type {type(source).__name__} gives no examples. Give {CAN_BE}.")
    table = as_table(source, [*([folder] if folder is not None else []), Path.cwd()], classes=as_ == "classes")
    return from_table(table, as_)


def _read_path(source: Path, as_: Layout | None, folder: Path | None) -> Dataset:
    if source.is_dir():
        return from_folder(source, as_)
    if not source.exists():
        raise ExamplesError(f"{source}: no such file or folder. Check its name.")
    if not source.is_file():
        raise ExamplesError(f"{source}: a pipe, a socket or a device; expected a folder or a CSV. Name one.")
    if has_image_suffix(source.name):
        raise ExamplesError(f"{source}: found a picture; expected a folder or a CSV. Nearest: the folder it lies in.")
    if source.suffix.lower() == ".jsonl":
        raise ExamplesError(
            f"{source}: found judgements; expected a folder or a CSV. Leave out --from to learn from them."
        )
    if source.suffix.lower() == ".json":
        raise ExamplesError(f"{source}: found JSON; expected a folder or a CSV. Write it as a CSV: file,label or a,b.")
    return from_csv(source, as_, folder)


def from_files(paths: Iterable[Path]) -> Dataset:
    """Pictures that stand alone, to be learned from by their own views; each file once, whatever its names.

    >>> from_files([Path("a.jpg"), Path("b.jpg"), Path("a.jpg")]).labels.tolist()
    [0, 1]
    """
    identities = Identities()
    once = {identities.of_name(path): path for path in reversed(list(map(Path, paths)))}
    kept = list(reversed(once.values()))
    return unlabelled(
        kept, [f"views: {plural(len(kept), 'picture')}; what belongs together is each picture and its own views"]
    )


def merge_datasets(parts: Sequence[Dataset]) -> Dataset:
    """Several examples as one.

    - The same file (by its resolved path) in two parts is one row.
    - Groups are never merged by name: class `cat` of one part and class `cat` of another are two groups.
    - A row in a group of two parts: where both parts say of two pictures that they belong together (sides, pairs,
      judgements), the two groups become one, transitively. Otherwise the part that came first counts, for classes
      and labels say what a picture is, and it is one thing only; it is reported how many this concerned.
    - Sides of two parts are different sides, even of one name; a row keeps the side of the first part that has one.
    - Pictures alone (views) say nothing of others: what any other part says of such a picture counts. Among other
      parts they stay groups of one.

    Args:
        parts: what `read`, `from_files` and `Judgements.examples` gave; one or more.
    Raises: ExamplesError, when there is none.
    """
    if not parts:
        raise ExamplesError("no examples were given. Name a folder or a CSV.")
    if len(parts) == 1:
        return parts[0]
    paths, at = _one_row_a_file(parts)
    group = np.full(len(paths), -1)
    edges: list[tuple[Rows, Rows]] = []
    joining: list[bool] = []  # by group, numbered through all parts
    names: list[str] = []
    twice = 0
    for part, rows in sorted(zip(parts, at, strict=True), key=lambda both: both[0].views):  # views last
        size = int(part.labels.max(initial=-1)) + 1
        mine = part.labels >= 0
        old, new = group[rows[mine]], part.labels[mine] + len(joining)
        joining += [part.layout in JOINING] * size
        names += part.label_names or [""] * size
        known = old >= 0
        both = known & np.array(joining, bool)[old] & (part.layout in JOINING)
        edges.append((old[both], new[both]))
        group[rows[mine][~known]] = new[~known]
        twice += 0 if part.views else int((known & ~both).sum())
    of = np.append(components(len(joining), edges), -1)[group]  # the last for rows of no group
    kept = np.unique(of[of >= 0])
    group = np.where(of >= 0, np.searchsorted(kept, of), -1)
    label_names = tuple(names[one] for one in kept) if any(names) else ()
    side, domain_names = _sides(parts, at, len(paths))
    triplets = [rows[part.triplets] for part, rows in zip(parts, at, strict=True) if part.triplets is not None]
    notes = [line for part in parts for line in part.notes]
    if shared := sum(map(len, at)) - len(paths):
        notes.append(f"{plural(shared, 'picture')} in several of these, taken once")
    if twice:
        notes.append(f"{plural(twice, 'picture')} in a group of several of these: what the first says counts")
    layout = "views" if all(part.views for part in parts) else "several"
    return Dataset(
        tuple(paths),
        group,
        side,
        np.concatenate(triplets) if triplets else None,
        layout,
        tuple(notes),
        domain_names,
        label_names,
    )


def _one_row_a_file(parts: Sequence[Dataset]) -> tuple[list[Path], list[Rows]]:
    """All files, each once, and the rows of each part's pictures among them."""
    identities = Identities()
    paths: list[Path] = []
    known: dict[str, int] = {}
    at = []
    for part in parts:
        rows = np.empty(len(part.paths), np.int64)
        for i, path in enumerate(part.paths):
            rows[i] = known.setdefault(identities.of_name(path), len(known))
            if rows[i] == len(paths):
                paths.append(path)
        at.append(rows)
    return paths, at


def _sides(parts: Sequence[Dataset], at: Sequence[Rows], n: int) -> tuple[Rows | None, tuple[str, ...]]:
    """The side of each of n rows, -1 for none, and the names of all sides; None where no part has any."""
    if all(part.domains is None for part in parts):
        return None, ()
    side = np.full(n, -1)
    names: list[str] = []
    for part, rows in zip(parts, at, strict=True):
        if part.domains is not None:
            free = (side[rows] < 0) & (part.domains >= 0)
            side[rows[free]] = part.domains[free] + len(names)
            names += part.domain_names
    return side, tuple(names)
