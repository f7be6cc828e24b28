"""The files kept beside a lens for people to look at: its proof as a page, its curve as a table and a drawing."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from PIL import Image

from lookalike.drawing.bar_chart import MARGIN, WIDTH, Arm, bar_chart, said
from lookalike.drawing.canvas import paper
from lookalike.drawing.grid import MARGIN as GRID_MARGIN
from lookalike.drawing.grid import Block, Cell, Row, grid
from lookalike.drawing.line_chart import line_chart
from lookalike.drawing.reliability_chart import reliability_chart
from lookalike.errors import ImageError
from lookalike.images.thumbnails import SIDE_PX, thumbnail_image
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.pipeline import LearnResult
from lookalike.models.likelihood import Likelihood
from lookalike.models.proof import ROW_TITLES, Proof
from lookalike.models.proof_parts import FoundImage, Protocol, QueryChange
from lookalike.progress import SILENT, Reporter, track

MARKS = "a tick marks what belongs with the query"
MOST = 3  # queries shown of each kind
BETWEEN = 24
SMALLEST, LARGEST = 96, 220  # side of a cell in pixels


def proof_page(
    proof: Proof, blocks: Callable[[QueryChange], Block] | None = None, *, lens: str = "lens", most: int = MOST
) -> Image.Image:
    """Draw a proof: the verdict, its bars, whether the likely comes true, and the queries that gained and lost most.

    Args:
        proof: as `prove` gives it.
        blocks: an entry of the proof's best or worst -> that query with two rows of hits, plain first: those of the
            entry, found in the gallery of the proof by a lens that did not learn from the query. None: no queries.
        lens: what the lens is called.
        most: queries shown of each kind.
    Returns: RGB, 1,400 pixels wide; of a proof that compares nothing only its words.
    """
    if not proof.results:  # too few examples to hold anything out
        return said(proof.summary)
    parts = [
        bar_chart(
            arms_of(proof, lens),
            verdict=proof.summary,
            measure=_measure(proof),
            note=_measured(proof.protocol),
            won=proof.queries.won,
            lost=proof.queries.lost,
            same=max(0, proof.protocol.queries - proof.queries.won - proof.queries.lost),
        )
    ]
    if proof.likelihood is not None and proof.likelihood.reliability:
        points = [(one.said, one.right, one.share) for one in proof.likelihood.reliability]
        parts.append(reliability_chart(points, note=_said(proof.likelihood)))
    placed = len(parts)
    for title, entries in (("Gained most", proof.queries.best[:most]), ("Lost most", proof.queries.worst[:most])):
        drawn = [] if blocks is None else [_noted(blocks(entry), entry) for entry in entries]
        if drawn:
            parts.append(grid(drawn, title=title, subtitle=MARKS, cell_px=_cell(drawn)))
    page = paper(max(part.width for part in parts), sum(part.height for part in parts) + BETWEEN * (len(parts) - 1))
    top = 0
    for i, part in enumerate(parts):
        page.paste(part, (MARGIN - GRID_MARGIN if i >= placed else 0, top))
        top += part.height + BETWEEN
    return page


def arms_of(proof: Proof, lens: str = "lens") -> list[Arm]:
    """What a proof compares, from plain to the lens, for `bar_chart`."""
    if (blind := proof.blind) is not None:
        return [Arm("plain", blind.plain, *blind.plain_interval), Arm(lens, blind.lens, *blind.lens_interval)]
    titles = ROW_TITLES | {"plain": "plain", "lens": lens}
    arms = []
    for name, title in titles.items():
        row = proof.results.get(name)
        told = name in ("plain", "own", "shuffled", "lens")
        if row and (told or row.recall_at_1 != proof.results["lens"].recall_at_1):
            shuffled = name == "shuffled"  # its spread is shown by its dots
            low, high = (None, None) if shuffled else (row.lower, row.upper)
            arms.append(Arm(title, row.recall_at_1, low, high, proof.permutation.recalls if shuffled else ()))
    return arms


def _measure(proof: Proof) -> str:
    if proof.blind is not None:
        return f"share of the first {proof.blind.first} that belongs"
    return "share put right" if proof.protocol.hold_out == "triplets" else "recall@1"


def _measured(protocol: Protocol) -> str:
    queries, images = protocol.queries, protocol.images
    if protocol.hold_out == "blind":
        return f"{queries:,} questions, answered without knowing which search found what; {images:,} pictures in all"
    if protocol.hold_out == "triplets":
        return f"{queries:,} triplets held out, {images:,} pictures in all"
    if protocol.hold_out == "views":
        return f"{queries:,} parts of held-out pictures asked for the whole ones"
    of = f"of {protocol.clusters:,} groups, whole groups held out" if protocol.hold_out == "groups" else ""
    return f"{queries:,} queries {of or 'held out within their groups'}, {images:,} pictures in all"


def _said(likelihood: Likelihood) -> str:
    return (
        f"The first hits of {likelihood.queries:,} held-out queries among {likelihood.pictures:,} pictures, each query "
        f"judged by what the others taught. On average what was said was off by {100 * likelihood.error:.1f} points."
    )


def _noted(block: Block, entry: QueryChange) -> Block:
    """The block with the place of the first right picture beside each row's name."""
    rows = [
        replace(row, note=f"first right picture at place {entry.ranks[way]:,}")
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
    result: LearnResult, name: str, features: FeatureSet, folder: Path, cache: Path | None, reporter: Reporter = SILENT
) -> dict[str, str | Image.Image]:
    """The files that lie beside a lens, by name: proof.png, and where there is a curve curves.csv and curves.png.

    Of a recipe the losses of its epochs are kept, in epochs.csv and epochs.png, whether it is used or not.

    Args:
        result: the lens and its proof, whose queries and hits are rows of the features.
        name: of the lens.
        features: what it was proved on.
        folder: the collection's.
        cache: where `thumbnail` keeps things.
        reporter: told of each picture: "drawing".
    """
    blocks = _blocks(result, name, features, folder, cache, reporter)
    files: dict[str, str | Image.Image] = {"proof.png": proof_page(result.proof, blocks, lens=name, most=SHOWN)}
    if result.history:
        from lookalike.learning.training.history import curves_arguments, curves_csv

        files["curves.csv"] = curves_csv(result.history)
        files["curves.png"] = line_chart(**curves_arguments(result.history, f"{name}: {result.history_title}"))
    if result.epochs:
        from lookalike.learning.training.history import epochs_arguments, epochs_csv

        files["epochs.csv"] = epochs_csv(result.epochs)
        files["epochs.png"] = line_chart(**epochs_arguments(result.epochs, f"{name}: loss by epoch"))
    return files


def _blocks(
    result: LearnResult, name: str, features: FeatureSet, folder: Path, cache: Path | None, reporter: Reporter
) -> Callable[[QueryChange], Block]:
    """How an entry of the proof is drawn: its query with what plain and the lens found first."""
    changes = result.proof.queries
    entries = [*changes.best[:SHOWN], *changes.worst[:SHOWN]]
    rows = {int(one.query) for one in entries}
    rows |= {int(hit.image) for one in entries for hits in one.hits.values() for hit in hits}
    pictures: dict[int, Image.Image | str] = {}
    with ThreadPoolExecutor() as readers:
        try:
            found = zip(rows, readers.map(lambda row: _picture(features, row, cache), rows), strict=True)
            pictures.update(track(found, "drawing", len(rows), reporter))
        finally:
            readers.shutdown(cancel_futures=True)
    names = [_short(name) for name in features.names(folder)]

    def cell(hit: FoundImage) -> Cell:
        row = int(hit.image)
        return Cell(pictures[row], names[row], hit.similarity, hit.relevant)

    def block(one: QueryChange) -> Block:
        ways = [Row(title, [cell(hit) for hit in one.hits[way]]) for way, title in (("plain", "plain"), ("lens", name))]
        return Block(Cell(pictures[int(one.query)], names[int(one.query)]), ways)

    return block


def _short(name: str) -> str:
    """Of a whole path its last folder and its file, as there is little room under a picture."""
    return "/".join(Path(name).parts[-2:]) if Path(name).is_absolute() else name


def _picture(features: FeatureSet, row: int, cache: Path | None) -> Image.Image | str:
    """One row small enough to be drawn, as it was embedded; or why it cannot be."""
    path = features.paths[row]
    if features.views is None:
        return thumbnail_image(path, features.content[row], cache)
    try:
        view = features.views.image(row, path)
    except ImageError as error:
        return error.reason
    view.thumbnail((SIDE_PX, SIDE_PX))
    return view
