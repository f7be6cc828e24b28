"""What is kept beside a lens for people to look at: its proof as a page, its curve as a table and a drawing."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from lookalike.drawing.bar_chart import MARGIN, WIDTH, Arm, bar_chart, said
from lookalike.drawing.canvas import paper
from lookalike.drawing.grid import MARGIN as GRID_MARGIN
from lookalike.drawing.grid import Block, grid
from lookalike.errors import ImageError
from lookalike.images.thumbnails import SIDE_PX, thumbnail_image
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.pipeline import LearnResult

if TYPE_CHECKING:
    from lookalike.models.proof import Proof


MARKS = "a tick marks what belongs with the query"
MOST = 3  # queries shown of each kind
BETWEEN = 24
SMALLEST, LARGEST = 96, 220  # side of a cell in pixels


def proof_page(
    proof: "Proof", blocks: Callable[[Mapping[str, Any]], Block], *, lens: str = "lens", most: int = MOST
) -> Image.Image:
    """Draw a proof: the verdict and its bars, then the queries that gained most, then those that lost most.

    Args:
        proof: as `prove` gives it.
        blocks: an entry of the proof's best or worst -> that query with two rows of hits, plain first: those of the
            entry, found in the gallery of the proof by a lens that did not learn from the query.
        lens: what the lens is called.
        most: queries shown of each kind.
    Returns: RGB, 1,400 pixels wide; of a proof that compares nothing only its words.
    """
    if not proof.ways:  # too few examples to hold anything out
        return said(proof.words)
    parts = [
        bar_chart(
            arms_of(proof, lens),
            verdict=proof.words,
            measure="share put right" if proof.hold_out == "triplets" else "recall@1",
            note=_measured(proof),
            won=proof.won,
            lost=proof.lost,
            same=max(0, proof.queries - proof.won - proof.lost),
        )
    ]
    for title, entries in (("Gained most", proof.best[:most]), ("Lost most", proof.worst[:most])):
        drawn = [_noted(blocks(entry), entry) for entry in entries]
        if drawn:
            parts.append(grid(drawn, title=title, subtitle=MARKS, cell_px=_cell(drawn)))
    page = paper(max(part.width for part in parts), sum(part.height for part in parts) + BETWEEN * (len(parts) - 1))
    top = 0
    for i, part in enumerate(parts):
        page.paste(part, (MARGIN - GRID_MARGIN if i else 0, top))
        top += part.height + BETWEEN
    return page


def arms_of(proof: "Proof", lens: str = "lens") -> list[Arm]:
    """What a proof compares, from plain to the lens, for `bar_chart`."""
    names = {
        "plain": "plain", "shuffled": "shuffled labels", "closed form": "closed form",
        "corrected": "with correction", "untouched": "lens, not tuned", "tuned": "lens, tuned", "lens": lens,
    }  # fmt: skip
    arms = []
    for way, name in names.items():
        row = proof.ways.get(way)
        if row and (way in ("plain", "shuffled", "lens") or row["recall@1"] != proof.ways["lens"]["recall@1"]):
            shuffled = way == "shuffled"  # its spread is shown by its dots
            low, high = (None, None) if shuffled else (row.get("from"), row.get("to"))
            arms.append(Arm(name, row["recall@1"], low, high, proof.shuffles if shuffled else ()))
    return arms


def _measured(proof: "Proof") -> str:
    if proof.hold_out == "triplets":
        return f"{proof.queries:,} triplets held out, {proof.pictures:,} pictures in all"
    if proof.hold_out == "views":
        return f"{proof.queries:,} parts of held-out pictures asked for the whole ones"
    groups = f"of {proof.groups:,} groups, whole groups held out" if proof.hold_out == "groups" else ""
    return f"{proof.queries:,} queries {groups or 'held out within their groups'}, {proof.pictures:,} pictures in all"


def _noted(block: Block, entry: Mapping[str, Any]) -> Block:
    """The block with the place of the first right picture beside each row's name."""
    rows = [
        replace(row, note=f"first right picture at place {entry[way]:,}")
        for row, way in zip(block.rows, ("plain", "lens"), strict=True)
    ]
    return replace(block, rows=rows)


def _cell(blocks: Sequence[Block]) -> int:
    """The side of a cell with which a grid is as wide as a proof: query 1.3 cells, gaps and margins 150 pixels."""
    columns = max(1, min(6, max(len(row.hits) for block in blocks for row in block.rows)))
    side = int((WIDTH - 2 * (MARGIN - GRID_MARGIN) - 140 - 16 * (columns - 1)) / (columns + 1.3))
    return max(SMALLEST, min(LARGEST, side))


SHOWN = 3  # queries of each kind: those that gained most, those that lost most


def lens_report(
    taught: LearnResult, material: FeatureSet, folder: Path, cache: Path | None
) -> dict[str, str | Image.Image]:
    """The files that lie beside a lens, by name: proof.png, and where there is a curve curves.csv and curves.png.

    Of a recipe the losses of its epochs are kept, in epochs.csv and epochs.png, whether it serves or not.

    Args:
        taught: the lens and its proof.
        material: what it was proved on.
        folder: the collection's.
        cache: where `thumbnail` keeps things.
    """
    from lookalike.drawing import line_chart

    name = taught.lens.name
    beside: dict[str, str | Image.Image] = {
        "proof.png": proof_page(taught.proof, _drawn(taught, material, folder, cache), lens=name, most=SHOWN)
    }
    if taught.history:
        from lookalike.learning.training import curves_arguments, curves_csv

        beside["curves.csv"] = curves_csv(taught.history)
        beside["curves.png"] = line_chart(**curves_arguments(taught.history, f"{name}: {taught.history_title}"))
    if taught.epochs:
        from lookalike.learning.training.history import epochs_arguments, epochs_csv

        beside["epochs.csv"] = epochs_csv(taught.epochs)
        beside["epochs.png"] = line_chart(**epochs_arguments(taught.epochs, f"{name}: loss by epoch"))
    return beside


def _drawn(
    taught: LearnResult, material: FeatureSet, folder: Path, cache: Path | None
) -> Callable[[Mapping[str, Any]], Block]:
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


def _picture(material: FeatureSet, row: int, cache: Path | None) -> Image.Image | str:
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
