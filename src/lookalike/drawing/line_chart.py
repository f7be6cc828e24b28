"""Curves: how a loss falls and a recall rises, each line named where it ends."""

from collections.abc import Mapping, Sequence
from math import floor, log10

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.drawing.canvas import INK, LINE, SERIES, SOFT, dot, panel, paper, stroke
from lookalike.drawing.typography import lines, text_width, write
from lookalike.errors import ShapeError

WIDTH, HEIGHT = 1400, 800
TYPE, TITLE = 20, 30
Series = Mapping[str, tuple[Sequence[float] | NDArray[np.floating], Sequence[float] | NDArray[np.floating]]]


def line_chart(
    series: Series, *, title: str = "", x: str = "", y: str = "", from_zero: bool = True, by_powers: bool = False
) -> Image.Image:
    """Draw lines over a common x, in colours that people who see few colours can tell apart.

    Args:
        series: name -> (x values, y values), drawn in the order given, at most eight; what is not finite is a gap.
        title: a line over the drawing; long ones are wrapped.
        x: what goes to the right.
        y: what goes up.
        from_zero: whether the y axis starts at zero where all values are 0 or more.
        by_powers: whether x is drawn by its logarithm, so that each doubling takes the same room; x above 0 then.
    Returns: RGB, 1,400 x 800 pixels.
    Raises: ShapeError, when there is no finite point, x and y differ in length, or x by powers is not above 0.

    >>> line_chart({"loss": ([1, 2, 3], [0.9, 0.4, 0.2])}, title="Loss", x="step").size
    (1400, 800)
    """
    drawn = {name: _checked(name, *pair) for name, pair in series.items()}
    finite = [points[np.isfinite(points).all(axis=1)] for points in drawn.values()]
    if not drawn or not sum(map(len, finite)):
        raise ShapeError("curves without a point. Give at least one series with a finite value.")
    if len(drawn) > len(SERIES):
        raise ShapeError(f"{len(drawn)} curves in one picture. Give at most {len(SERIES)}.")
    every = np.concatenate(finite)
    first, last = float(every[:, 0].min()), float(every[:, 0].max())
    if by_powers:
        if first <= 0:
            raise ShapeError(f"x from {first:g} on has no logarithm. Give x above 0, or leave by_powers out.")
        x_ticks = [(log10(value), value) for value in powers(first, last)]
        drawn = {name: np.column_stack([np.log10(at[:, 0]), at[:, 1]]) for name, at in drawn.items()}
        first, last = log10(first), log10(last)
    else:
        first = 0.0 if 0 < first <= 0.2 * last else first
        x_ticks = [(value, value) for value in ticks(first, last if last > first else first + 1)]
    last = last if last > first else first + 1
    low = min(0.0, every[:, 1].min()) if from_zero else every[:, 1].min()
    y_ticks = ticks(low, every[:, 1].max())

    picture = paper(WIDTH, HEIGHT)
    names_room = max(text_width(name, TYPE, bold=True) for name in drawn) + 24
    wrapped = lines(title, WIDTH - 96, TITLE, bold=True) if title else []
    for i, line in enumerate(wrapped):
        write(picture, (48, 72 + i * 40), line, TITLE, INK, bold=True)
    top = 72 + len(wrapped) * 40 + (24 if y else 0)
    left = 48 + max(text_width(label, TYPE) for label in map(_short, y_ticks)) + 16
    box = (left, top, WIDTH - 48 - names_room, HEIGHT - 64 - (36 if x else 0))
    _axes(picture, box, (first, last), x_ticks, y_ticks, x, y)

    ends = []
    for points, colour in zip(drawn.values(), SERIES, strict=False):
        at = _placed(points, box, (first, last), y_ticks)
        for piece in _pieces(at):
            stroke(picture, piece, colour, width=3)
        whole = at[np.isfinite(at).all(axis=1)]
        ends.append(tuple(whole[-1]) if len(whole) else (box[2], box[3]))
        if len(whole):
            dot(picture, (whole[-1][0], whole[-1][1]), 5, colour)
    for name, colour, y_at in zip(drawn, SERIES, apart([end[1] for end in ends], 26), strict=False):
        write(picture, (box[2] + 20, y_at + 7), name, TYPE, colour, bold=True)
    return picture


def _checked(
    name: str, xs: Sequence[float] | NDArray[np.floating], ys: Sequence[float] | NDArray[np.floating]
) -> NDArray[np.float64]:
    across, up = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    if across.shape != up.shape or across.ndim != 1:
        raise ShapeError(
            f"curve {name}: x of shape {across.shape}, y of shape {up.shape}. Give two rows of one length."
        )
    return np.column_stack([across, up])


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers, evenly apart, that enclose low to high: steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 0.87)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(3, 97)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    span = (high - low) or abs(high) or 1.0
    rough = span / about
    power = 10.0 ** floor(log10(rough))
    step = next(m for m in (1, 2, 5, 10) if rough <= m * power * 1.0000001) * power
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    last = max(last, first + 1)
    return [round(i * step, 12) for i in range(first, last + 1)]


def powers(low: float, high: float) -> list[float]:
    """Powers of ten, their doubles and their halves within low to high, both above 0.

    >>> powers(5, 1000)
    [5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]
    """
    exponents = range(floor(log10(low)), floor(log10(high)) + 1)
    every = [m * 10.0**exponent for exponent in exponents for m in (1, 2, 5)]
    return [value for value in every if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def _short(value: float) -> str:
    return f"{value:,.10g}".replace("-", "−") if abs(value) < 1e6 else f"{value:.2g}"


def _axes(
    picture: Image.Image,
    box: tuple[float, float, float, float],
    span: tuple[float, float],
    x_ticks: list[tuple[float, float]],
    y_ticks: list[float],
    x: str,
    y: str,
) -> None:
    left, top, right, bottom = box
    for value in y_ticks:
        at = bottom - (value - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]) * (bottom - top)
        panel(picture, (left, at - 0.75, right, at + 0.75), SOFT if value == y_ticks[0] else LINE)
        write(picture, (left - 14, at + 7), _short(value), TYPE, SOFT, align="right")
    for place, value in x_ticks:
        if not span[0] <= place <= span[1]:
            continue
        at = left + (place - span[0]) / (span[1] - span[0]) * (right - left)
        panel(picture, (at - 0.75, bottom, at + 0.75, bottom + 7), SOFT)
        write(picture, (at, bottom + 32), _short(value), TYPE, SOFT, align="centre")
    if x:
        write(picture, (right, bottom + 66), x, TYPE, SOFT, align="right")
    if y:
        write(picture, (48, top - 24), y, TYPE, SOFT)


def _placed(
    points: NDArray[np.float64], box: tuple[float, float, float, float], span: tuple[float, float], y_ticks: list[float]
) -> NDArray[np.float64]:
    """(n, 2) values -> (n, 2) pixels."""
    left, top, right, bottom = box
    across = (points[:, 0] - span[0]) / (span[1] - span[0])
    up = (points[:, 1] - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
    return np.column_stack([left + across * (right - left), bottom - up * (bottom - top)])


def _pieces(points: NDArray[np.float64]) -> list[list[tuple[float, float]]]:
    """Points cut where one is not finite."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in points.tolist():
        if np.isfinite(x) and np.isfinite(y):
            pieces[-1].append((x, y))
        else:
            pieces.append([])
    return [piece for piece in pieces if piece]


def apart(places: Sequence[float], least: float) -> list[float]:
    """Places moved as little as need be, so that neighbours are at least so far from each other; order is kept.

    >>> apart([100, 102, 300], 20)
    [91.0, 111.0, 300.0]
    """
    order = np.argsort(np.asarray(places), kind="stable")
    groups: list[list[float]] = []  # middle, and how many stand around it
    for i in order:
        groups.append([float(places[i]), 1])
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < least * (groups[-1][1] + groups[-2][1]) / 2:
            (a, m), (b, n) = groups[-2:]
            groups[-2:] = [[(a * m + b * n) / (m + n), m + n]]
    at = [middle + (i - (n - 1) / 2) * least for middle, n in groups for i in range(int(n))]
    moved = [0.0] * len(at)
    for i, place in zip(order, at, strict=True):
        moved[int(i)] = place
    return moved
