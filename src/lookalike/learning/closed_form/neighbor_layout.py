"""Rows in two dimensions, neighbours kept: t-SNE of landmarks, the others put beside theirs, then all of them moved."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import MissingExtraError, ShapeError
from lookalike.learning.closed_form.pca import principal_plane
from lookalike.progress import SILENT, Reporter, Timer

LANDMARKS = 2000  # rows whose layout is computed from nothing
REFINED = 20_000  # rows that are moved together afterwards; above, that would take minutes
FEW = 10  # rows for which principal components do
PERPLEXITY, NEAR = 30, 20  # neighbours that hold a row: among the landmarks, and among all
GATHERING, SPREADING, REFINING = 125, 175, 75  # steps; benchmarks/map_layout.py shows what they give
EXAGGERATION = 12.0  # of the attraction while rows gather (van der Maaten, JMLR 15, 2014)
ROWS_AT_ONCE, STEPS_AT_ONCE, COMPARING = 256, 5, 20
Points = NDArray[np.float64]


def neighbor_layout(rows: NDArray[np.floating], *, seed: int = 0, reporter: Reporter = SILENT) -> NDArray[np.float32]:
    """Rows in two dimensions, so that the nearest neighbours of a row stay its neighbours where they can.

    Args:
        rows: (n, d), no two of them equal; the first 2,000 are the landmarks, so let their order be a random one.
        seed: of the little that is random: where rows beside the same landmarks lie.
        reporter: told how far it is, counted in rows: "laying out". It may raise `Cancelled`.
    Returns: (n, 2) float32, 0 to 1, both axes to the same scale; the same for the same rows and seed on one machine.
        Up to 10 rows are laid out by their principal components.
    Raises: ShapeError, when there are no rows and columns or a value is no number; MissingExtraError, without openTSNE.
    Source: t-SNE (van der Maaten, Accelerating t-SNE using tree-based algorithms, JMLR 15, 2014) by openTSNE, begun
        from principal components (Kobak and Berens, Nature Communications 10, 2019).

    >>> neighbor_layout(np.array([[-2.0, 0.0], [2.0, 0.0]])).round(2).tolist()
    [[1.0, 0.5], [0.0, 0.5]]
    """
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise ShapeError(f"rows of shape {rows.shape}. Give (n, d) finite numbers, at least one row.")
    rows = np.asarray(rows, np.float32)
    if len(rows) <= FEW:
        return fitted(principal_plane(rows))
    tsne = _open_tsne()
    n, m = len(rows), min(len(rows), LANDMARKS)
    steps = _Steps(n, m, reporter)

    def moved(start: Points, near: NDArray[np.int64], distances: Points, perplexity: float) -> Any:
        known = tsne.nearest_neighbors.PrecomputedNeighbors(near, distances)
        pulls = tsne.affinity.PerplexityBasedNN(knn_index=known, perplexity=perplexity)
        return tsne.TSNEEmbedding(
            start, pulls, negative_gradient_method="bh", random_state=seed, n_jobs=1,  # several wait for one another
            callbacks=steps.moved, callbacks_every_iters=STEPS_AT_ONCE,
        )  # fmt: skip

    plane = principal_plane(rows[:m]).astype(np.float64)
    perplexity = min(PERPLEXITY, (m - 1) / 3)
    near, distances = nearest(rows[:m], rows[:m], max(1, int(3 * perplexity)), steps.compared)
    points = moved(plane * (1e-4 / max(plane[:, 0].std(), 1e-30)), near, distances, perplexity)
    points.optimize(GATHERING, exaggeration=EXAGGERATION, momentum=0.5, inplace=True)
    points.optimize(SPREADING, exaggeration=1, momentum=0.8, inplace=True)
    laid = np.array(points, np.float64)
    if m < n:
        laid = np.concatenate([laid, _beside(rows[m:], rows[:m], laid, seed, steps.compared)])
    if m < n <= REFINED:
        near, distances = nearest(rows, rows, 3 * NEAR, steps.compared)
        points = moved(laid * np.sqrt(n / m), near, distances, NEAR)  # n points take so much more room than m
        points.optimize(REFINING, exaggeration=1, momentum=0.8, inplace=True)
        laid = np.array(points, np.float64)
    return fitted(laid)


def spread_copies(points: NDArray[np.float32], group: NDArray[np.int64]) -> NDArray[np.float32]:
    """Points for rows of which some are equal: these lie around the point of the first, none on another.

    Args:
        points: (m, 2), one for each group of equal rows.
        group: (n,), 0 to m - 1: whose point a row takes.
    Returns: (n, 2) float32, 0 to 1; no copy lies farther from its point than an eighth of the layout.

    >>> len(np.unique(spread_copies(np.full((1, 2), 0.5, np.float32), np.zeros(5, np.int64)), axis=0))
    5
    """
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=len(points))
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    turn = rank * (np.pi * (3 - np.sqrt(5)))  # a sunflower's: evenly spread, however many there are
    radius = np.sqrt(rank / len(group)) / 8
    return fitted(points[group] + np.column_stack([np.cos(turn), np.sin(turn)]) * radius[:, None])


def fitted(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Points (n, 2) brought to 0 to 1 in the middle of a square, both axes by the same scale.

    >>> fitted(np.array([[0.0, 5.0], [4.0, 7.0]])).tolist()
    [[0.0, 0.25], [1.0, 0.75]]
    """
    low, high = points.min(axis=0), points.max(axis=0)
    widest = float((high - low).max()) or 1.0
    placed: NDArray[np.float32] = np.clip((points - (low + high) / 2) / widest + 0.5, 0, 1).astype(np.float32)
    return placed


def nearest(
    rows: NDArray[np.float32], among: NDArray[np.float32], k: int, compared: Callable[[int], None]
) -> tuple[NDArray[np.int64], Points]:
    """The k nearest of `among` (m, d) to each of rows (n, d), a row itself left out where both are one array.

    Returns: indices (n, k) int64 and Euclidean distances (n, k) float64, nearest first.
    """
    squares = np.einsum("md,md->m", among, among)
    places, distances = np.empty((len(rows), k), np.int64), np.empty((len(rows), k))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        apart = squares - 2 * (part @ among.T)  # (b, d) @ (d, m) -> (b, m), short of the rows' own squares
        if rows is among:
            apart[np.arange(len(part)), start + np.arange(len(part))] = np.inf
        first = np.argpartition(apart, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(apart, first, axis=1), axis=1, kind="stable")
        first = np.take_along_axis(first, order, axis=1)
        own = np.einsum("bd,bd->b", part, part)[:, None]
        places[start : start + len(part)] = first
        distances[start : start + len(part)] = np.sqrt(np.maximum(np.take_along_axis(apart, first, axis=1) + own, 0))
        compared(len(part))
    return places, distances


def _beside(
    rows: NDArray[np.float32], landmarks: NDArray[np.float32], laid: Points, seed: int, compared: Callable[[int], None]
) -> Points:
    """Rows (n, d) at the points of their nearest landmarks, a little apart: (n, 2)."""
    places = nearest(rows, landmarks, 1, compared)[0][:, 0]
    return np.asarray(laid[places] + np.random.default_rng(seed).normal(0, 0.05, (len(rows), 2)))


class _Steps:
    """Tells how far a layout is; each step of a row counts as one, comparing it with others as twenty."""

    def __init__(self, n: int, m: int, reporter: Reporter):
        compared, self._steps = n, m * (GATHERING + SPREADING)
        if m < n <= REFINED:
            compared, self._steps = compared + n, self._steps + n * REFINING
        self._steps += COMPARING * compared
        self._timer, self._reporter, self._done = Timer("laying out", n), reporter, 0

    def compared(self, rows: int) -> None:
        self._tell(COMPARING * rows)

    def moved(self, iteration: int, error: float, points: NDArray[Any]) -> None:
        self._tell(STEPS_AT_ONCE * len(points))

    def _tell(self, steps: int) -> None:
        self._done += steps
        self._reporter.progress(self._timer.at(self._timer.total * self._done // self._steps))


def _open_tsne() -> Any:
    """OpenTSNE. Raises: MissingExtraError."""
    try:
        import openTSNE  # it brings scikit-learn, a second to import
    except ImportError as error:
        raise MissingExtraError("a layout that keeps neighbours", "map") from error
    return openTSNE
