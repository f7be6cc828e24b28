"""Proofs as pictures: plain, shuffled labels and the lens side by side, with the queries won and lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from lookalike.drawing.canvas import BLUE, FAINT, INK, LINE, SOFT, VERMILLION, dot, panel, paper
from lookalike.drawing.line_chart import ticks
from lookalike.drawing.typography import lines, text_width, write
from lookalike.errors import ShapeError

WIDTH, MARGIN = 1400, 48
TYPE, SMALL, TITLE = 20, 18, 30
ROW = 76


@dataclass(frozen=True)
class Arm:
    """One way of searching in a proof: "plain", "shuffled labels", "lens pattern".

    value: its measure, 0 to 1. low, high: the ends of its interval, where there is one. each: the single values
    behind it (one a shuffle), drawn as dots.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    each: Sequence[float] = field(default=())


def bar_chart(
    arms: Sequence[Arm],
    *,
    verdict: str,
    measure: str = "recall@1",
    note: str = "",
    won: int | None = None,
    lost: int | None = None,
    same: int | None = None,
) -> Image.Image:
    """Draw a proof: its verdict as the title, a bar from zero for each way of searching, and queries won and lost.

    Args:
        arms: from the first (plain) to the last (the lens, in colour).
        verdict: the sentence that the proof comes to.
        measure: what the bars show.
        note: one line on how it was measured.
        won: the number of queries that the lens answered better; drawn when given with `lost`.
        lost: the number that it answered worse.
        same: the number that came out alike.
    Returns: RGB, 1,400 pixels wide.
    Raises: ShapeError, when there are no arms or a value lies outside 0 to 1.

    >>> bar_chart([Arm("plain", 0.48), Arm("lens", 0.61)], verdict="Better than plain.").width
    1400
    """
    if not arms:
        raise ShapeError("a proof without anything to compare. Give at least one arm.")
    for arm in arms:
        if not 0 <= arm.value <= 1:
            raise ShapeError(f"{arm.name}: a value of {arm.value}. Give 0 to 1.")
    counted = won is not None and lost is not None
    wrapped = lines(verdict, WIDTH - 2 * MARGIN, TITLE, bold=True)
    top = 44 + len(wrapped) * 40 + (36 if note else 0) + 44
    bottom = top + len(arms) * ROW
    picture = paper(WIDTH, bottom + 84 + (132 if counted else 0))
    for i, line in enumerate(wrapped):
        write(picture, (MARGIN, 72 + i * 40), line, TITLE, INK, bold=True)
    if note:
        for line in lines(note, WIDTH - 2 * MARGIN, TYPE, most=1):
            write(picture, (MARGIN, 68 + len(wrapped) * 40), line, TYPE, SOFT)

    highest = max(max([arm.value, arm.high or 0, *arm.each]) for arm in arms)
    marks = [tick for tick in ticks(0, max(highest, 0.05)) if tick <= 1]
    left = MARGIN + max(text_width(arm.name, TYPE, bold=True) for arm in arms) + 28
    scale = (WIDTH - MARGIN - 96 - left) / marks[-1]
    for tick in marks:
        x = left + tick * scale
        panel(picture, (x - 0.75, top, x + 0.75, bottom), SOFT if tick == 0 else LINE)
        write(picture, (x, bottom + 30), f"{tick:.10g}", SMALL, SOFT, align="centre")
    write(picture, (left + marks[-1] * scale, bottom + 60), measure, SMALL, SOFT, align="right")
    for i, arm in enumerate(arms):
        colour = BLUE if i == len(arms) - 1 and i else LINE if arm.each else FAINT
        _draw_arm(picture, arm, left, top + i * ROW + ROW / 2, scale, colour)
    if counted:
        _draw_counts(picture, bottom + 88, won or 0, same or 0, lost or 0)
    return picture


def said(verdict: str) -> Image.Image:
    """A verdict alone, where there is nothing to compare: as wide as a proof."""
    wrapped = lines(verdict, WIDTH - 2 * MARGIN, TITLE, bold=True)
    picture = paper(WIDTH, 88 + len(wrapped) * 40)
    for i, line in enumerate(wrapped):
        write(picture, (MARGIN, 72 + i * 40), line, TITLE, INK, bold=True)
    return picture


def _draw_arm(picture: Image.Image, arm: Arm, left: float, y: float, scale: float, colour: str) -> None:
    write(picture, (left - 20, y + 7), arm.name, TYPE, INK, bold=True, align="right")
    end = left + arm.value * scale
    panel(picture, (left, y - 19, max(end, left + 2), y + 19), colour)
    for x, lift in swarm([left + value * scale for value in arm.each]):
        dot(picture, (x, y + lift), 4, SOFT)
    if arm.low is not None and arm.high is not None:
        low, high = left + max(arm.low, 0) * scale, left + min(arm.high, 1) * scale
        for pad, shade in ((1.5, "#ffffff"), (0.0, INK)):  # a white edge keeps it visible on the bar
            panel(picture, (low - pad, y - 1.25 - pad, high + pad, y + 1.25 + pad), shade)
            for x in (low, high):
                panel(picture, (x - 1.25 - pad, y - 9 - pad, x + 1.25 + pad, y + 9 + pad), shade)
        end = max(end, high)
    end = max([end, *(left + value * scale + 5 for value in arm.each)])
    write(picture, (end + 14, y + 7), f"{arm.value:.3f}", TYPE, INK, bold=True)


def swarm(places: Sequence[float], apart: float = 9) -> list[tuple[float, float]]:
    """Dots on a line, lifted off it in turn where they would cover each other: (place, lift) for each.

    >>> swarm([10, 50, 12])
    [(10, 0.0), (50, 0.0), (12, -9)]
    """
    free_from: dict[float, float] = {}
    lifts: list[float] = [0.0, -apart, apart, -2 * apart, 2 * apart]
    at: dict[int, tuple[float, float]] = {}
    for i in sorted(range(len(places)), key=lambda i: places[i]):
        lift = next((up for up in lifts if free_from.get(up, -1e9) <= places[i]), lifts[len(at) % 5])
        free_from[lift] = places[i] + apart
        at[i] = (places[i], lift)
    return [at[i] for i in range(len(places))]


def _draw_counts(picture: Image.Image, top: float, won: int, same: int, lost: int) -> None:
    """One bar cut in three, the share of queries won, left as they were and lost, with its words above."""
    total, width, x, at = max(1, won + same + lost), WIDTH - 2 * MARGIN, float(MARGIN), float(MARGIN)
    for count, words, colour, ink in (
        (won, "won", BLUE, BLUE),
        (same, "as before", LINE, SOFT),
        (lost, "lost", VERMILLION, VERMILLION),
    ):
        at += 28 + write(picture, (at, top + 24), f"{count:,} {words}", TYPE, ink, bold=True)
        end = x + width * count / total
        if count:
            panel(picture, (x, top + 42, end - (2 if end < MARGIN + width - 1 else 0), top + 72), colour)
        x = end
    write(picture, (MARGIN + width, top + 24), "of the held-out queries", TYPE, SOFT, align="right")
