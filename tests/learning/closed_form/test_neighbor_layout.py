"""Layouts in two dimensions: what they keep, what they do with copies, and how they are stopped."""

import numpy as np
import pytest
from support.recording import Recording

from lookalike.errors import Cancelled, MissingExtraError, ShapeError
from lookalike.learning.closed_form import neighbor_layout as module
from lookalike.learning.closed_form.neighbor_layout import fitted, nearest, neighbor_layout, spread_copies
from lookalike.learning.closed_form.pca import principal_plane
from lookalike.progress import as_reporter


def crowds(n: int, kinds: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, 24) around a few centres that no plane shows apart, and whose centre each is near."""
    rng = np.random.default_rng(3)
    kind = np.arange(n) % kinds
    return (np.eye(24)[kind] + rng.normal(0, 0.12, (n, 24))).astype(np.float32), kind


def kept(rows: np.ndarray, points: np.ndarray, k: int = 10) -> float:
    """The share of the k nearest neighbours of rows that are among the k nearest of their points."""
    before, after = (nearest(x, x, k, lambda _: None)[0] for x in (rows, points))
    return float(np.mean([len(np.intersect1d(one, other)) for one, other in zip(before, after, strict=True)]) / k)


@pytest.fixture
def tsne():
    return pytest.importorskip("openTSNE")


def test_neighbours_are_kept_and_crowds_lie_apart(tsne):
    rows, kind = crowds(240)
    points = neighbor_layout(rows)
    assert points.dtype == np.float32 and points.min() == 0 and points.max() == 1
    assert kept(rows, points) > 0.5 > 0.4 > kept(rows, principal_plane(rows))
    beside = nearest(points, points, 1, lambda _: None)[0][:, 0]
    assert (kind[beside] == kind).mean() > 0.97


@pytest.mark.parametrize("most_refined", [1000, 0])
def test_those_that_are_no_landmarks_lie_beside_their_like(tsne, monkeypatch, most_refined):
    monkeypatch.setattr(module, "LANDMARKS", 100)
    monkeypatch.setattr(module, "REFINED", most_refined)
    rows, kind = crowds(300)
    told = Recording()
    points = neighbor_layout(rows, reporter=told)
    beside = nearest(points, points, 1, lambda _: None)[0][:, 0]
    assert (kind[beside] == kind).mean() > 0.95
    assert len(np.unique(points, axis=0)) == 300
    counts = [now.done for now in told.seen]
    assert {(now.stage, now.total) for now in told.seen} == {("laying out", 300)}
    assert counts == sorted(counts) and counts[-1] == 300 and counts[-2] < 300


def test_one_seed_gives_one_layout(tsne, monkeypatch):
    monkeypatch.setattr(module, "LANDMARKS", 60)
    rows, _ = crowds(90)
    first = neighbor_layout(rows, seed=4)
    assert np.array_equal(neighbor_layout(rows, seed=4), first)
    assert not np.array_equal(neighbor_layout(rows, seed=5), first)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 11, 14])
def test_few_rows_are_laid_out_too(tsne, n):
    points = neighbor_layout(crowds(n)[0])
    assert points.shape == (n, 2) and np.isfinite(points).all() and len(np.unique(points, axis=0)) == n
    assert n == 1 or (points.min() == 0 and points.max() == 1)


def test_a_report_that_raises_stops_it(tsne):
    seen = []

    def stop_at_a_half(progress):
        seen.append(progress)
        if progress.done >= progress.total / 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        neighbor_layout(crowds(60)[0], reporter=as_reporter(stop_at_a_half))
    assert seen[-1].done < 40


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openTSNE", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lookalike\[map\]'"):
        neighbor_layout(crowds(11)[0])


@pytest.mark.parametrize("rows", [np.zeros((0, 3)), np.zeros(3), np.full((2, 2), np.nan)])
def test_what_is_no_matrix_of_numbers_is_refused(rows):
    with pytest.raises(ShapeError, match="finite numbers"):
        neighbor_layout(rows)


def test_copies_lie_around_their_point_and_none_on_another():
    """Of four groups one has 60 rows: the others keep their points, its rows stay within an eighth of its own."""
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    group = np.array([0, 1, 2] + [3] * 60)
    points = spread_copies(corners, group)
    assert len(np.unique(points, axis=0)) == 63
    assert np.linalg.norm(points[3:] - points[3], axis=1).max() <= 1 / 8
    assert np.linalg.norm(points[3:4] - points[:3], axis=1).min() > 0.8


def test_both_axes_are_fitted_by_one_scale():
    assert fitted(np.array([[-2.0, 1.0], [2.0, 3.0], [0.0, 2.0]])).tolist() == [[0, 0.25], [1, 0.75], [0.5, 0.5]]
    assert fitted(np.array([[7.0, 7.0]])).tolist() == [[0.5, 0.5]]


def test_nearest_is_what_a_plain_loop_finds():
    rows, _ = crowds(300)
    places, distances = nearest(rows, rows, 4, lambda _: None)
    for i in (0, 150, 299):
        apart = np.linalg.norm(rows - rows[i], axis=1)
        apart[i] = np.inf
        assert places[i].tolist() == np.argsort(apart)[:4].tolist()
        assert distances[i] == pytest.approx(np.sort(apart)[:4], abs=1e-3)
