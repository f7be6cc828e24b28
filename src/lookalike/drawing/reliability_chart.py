"""Whether what was said to be likely came true as often: a reliability diagram."""

from collections.abc import Sequence

from PIL import Image

from lookalike.drawing.bar_chart import MARGIN, SMALL, TITLE, TYPE, WIDTH
from lookalike.drawing.canvas import BLUE, FAINT, INK, LINE, SOFT, dot, panel, paper, stroke
from lookalike.drawing.typography import lines, write
from lookalike.errors import ShapeError

SIDE, HEIGHT = 440, 664  # of the square, and of the whole drawing, in pixels
ROW = 40


def reliability_chart(
    points: Sequence[tuple[float, float, float]], *, title: str = "How likely a hit is right", note: str = ""
) -> Image.Image:
    """Draw what was said against what came true: on the diagonal what is said is as often right.

    Args:
        points: (said, right, share) of hits that were said to be about equally likely: the mean of what was said and
            the share that was right, 0 to 1; the share of all hits that they are, by which a dot is large.
        title: over the drawing.
        note: a line or more beside the square.
    Returns: RGB, 1,400 pixels wide; the same numbers stand beside the square as a table.
    Raises: ShapeError, when there is no point or one lies outside 0 to 1.

    >>> reliability_chart([(0.1, 0.12, 0.7), (0.9, 0.88, 0.3)]).size
    (1400, 664)
    """
    if not points or not all(0 <= value <= 1 for point in points for value in point):
        raise ShapeError("a reliability diagram without points, or with values outside 0 to 1. Give shares.")
    picture = paper(WIDTH, HEIGHT)
    write(picture, (MARGIN, 72), title, TITLE, INK, bold=True)
    left, top = MARGIN + 90, 128
    bottom = top + SIDE

    def at(said: float, right: float) -> tuple[float, float]:
        return left + said * SIDE, bottom - right * SIDE

    for tick in (0, 0.25, 0.5, 0.75, 1):
        x, y = at(tick, tick)
        panel(picture, (x - 0.75, top, x + 0.75, bottom), SOFT if tick == 0 else LINE)
        panel(picture, (left, y - 0.75, left + SIDE, y + 0.75), SOFT if tick == 0 else LINE)
        write(picture, (x, bottom + 28), f"{tick:.0%}", SMALL, SOFT, align="centre")
        write(picture, (left - 14, y + 6), f"{tick:.0%}", SMALL, SOFT, align="right")
    write(picture, (left + SIDE / 2, bottom + 58), "said to be likely", SMALL, SOFT, align="centre")
    write(picture, (left, top - 16), "of these, right", SMALL, SOFT)
    stroke(picture, [at(0, 0), at(1, 1)], FAINT, width=2)
    for said, right, share in points:
        stroke(picture, [at(said, said), at(said, right)], BLUE, width=2)
        dot(picture, at(said, right), 5 + 16 * share**0.5, BLUE)

    column = left + SIDE + 110
    wrapped = lines(note, WIDTH - MARGIN - column, TYPE) if note else []
    for i, line in enumerate(wrapped):
        write(picture, (column, top + 14 + i * 30), line, TYPE, INK)
    head = top + 14 + len(wrapped) * 30 + 26
    row = min(ROW, (bottom - head) / max(1, len(points)))
    for word, x in (("said", 70), ("right", 190), ("of the hits", 340)):
        write(picture, (column + x, head), word, SMALL, SOFT, align="right")
    for i, point in enumerate(points, start=1):
        for value, x in zip(point, (70, 190, 340), strict=True):
            write(picture, (column + x, head + i * row), f"{value:.0%}", SMALL, INK, align="right")
    return picture
