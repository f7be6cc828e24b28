"""What is kept beside a lens for people to look at: its proof as a page, its curve as a table and a drawing."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.errors import ImageError
from lookalike.gathering import FeatureSet
from lookalike.seeing import SIDE_PX, thumbnail_image
from lookalike.teaching import LearnResult

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.drawing import Block

SHOWN = 3  # queries of each kind: those that gained most, those that lost most


def lens_report(
    taught: LearnResult, material: FeatureSet, folder: Path, cache: Path | None
) -> "dict[str, str | Image]":
    """The files that lie beside a lens, by name: proof.png, and where there is a curve curves.csv and curves.png.

    Of a recipe the losses of its epochs are kept, in epochs.csv and epochs.png, whether it serves or not.

    Args:
        taught: the lens and its proof.
        material: what it was proved on.
        folder: the collection's.
        cache: where `thumbnail` keeps things.
    """
    from lookalike.drawing import line_chart, proof_page

    name = taught.lens.name
    beside: dict[str, str | Image] = {
        "proof.png": proof_page(taught.proof, _drawn(taught, material, folder, cache), lens=name, most=SHOWN)
    }
    if taught.history:
        from lookalike.siamese import curves_arguments, curves_csv

        beside["curves.csv"] = curves_csv(taught.history)
        beside["curves.png"] = line_chart(**curves_arguments(taught.history, f"{name}: {taught.history_title}"))
    if taught.epochs:
        from lookalike.siamese.recipes import epochs_arguments, epochs_csv

        beside["epochs.csv"] = epochs_csv(taught.epochs)
        beside["epochs.png"] = line_chart(**epochs_arguments(taught.epochs, f"{name}: loss by epoch"))
    return beside


def _drawn(
    taught: LearnResult, material: FeatureSet, folder: Path, cache: Path | None
) -> "Callable[[Mapping[str, Any]], Block]":
    """How an entry of the proof is drawn: its query with what plain and the lens found first."""
    from lookalike.drawing import Block, Cell, Row

    entries = [*taught.proof.best[:SHOWN], *taught.proof.worst[:SHOWN]]
    rows = {one["query"] for one in entries}
    rows |= {row for one in entries for first in one["hits"].values() for row, *_ in first}
    with ThreadPoolExecutor() as readers:
        pictures = dict(zip(rows, readers.map(lambda row: _picture(material, row, cache), rows), strict=True))
    names = [_short(name) for name in material.names(folder)]

    def block(one: Mapping[str, Any]) -> Block:
        found = [
            Row(
                title,
                [Cell(pictures[row], names[row], similarity, right) for row, similarity, right in one["hits"][way]],
            )
            for way, title in (("plain", "plain"), ("lens", taught.lens.name))
        ]
        return Block(Cell(pictures[one["query"]], names[one["query"]]), found)

    return block


def _short(name: str) -> str:
    """Of a whole path its last folder and its file, as there is little room under a picture."""
    return "/".join(Path(name).parts[-2:]) if Path(name).is_absolute() else name


def _picture(material: FeatureSet, row: int, cache: Path | None) -> "Image | str":
    """One row small enough to be drawn, as it was embedded; or why it cannot be."""
    path = material.paths[row]
    if material.views is None:
        return thumbnail_image(path, material.content[row], cache)
    try:
        view = material.views.image(row, path)
    except ImageError as error:
        return error.reason
    view.thumbnail((SIDE_PX, SIDE_PX))
    return view
