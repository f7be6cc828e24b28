"""A lens without labels: worked by hand, against the formula written out, and safe where there is little to see."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.errors import ExamplesError, ShapeError
from lookalike.learning.closed_form import label_free as module
from lookalike.learning.closed_form.label_free import LabelFreeConfig, LabelFreeTrainer, label_free
from lookalike.learning.labelled_features import LabelledFeatures


def drawn(n: int, f: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, f)) * np.linspace(0.1, 2, f) + 3).astype(np.float32)


def seen(x: np.ndarray, each: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Views of every second row, which differ from it in the first features most."""
    of = np.repeat(np.arange(0, len(x), 2), each)
    change = np.random.default_rng(9).standard_normal((len(of), x.shape[1])) * np.linspace(1, 0.01, x.shape[1])
    return (x[of] + change).astype(np.float32), of


def formula(x, views=None, viewed=None, *, ridge=0.5, power=0.6, share=0.75):
    """Cosine under ((1 - s) T + s W + ridge / f I)^-power about the mean, in float64, both moments row by row."""
    x = np.asarray(x, np.float64)
    y, f = x - x.mean(axis=0), x.shape[1]
    moment = sum(np.outer(row, row) for row in y)
    moment = moment / np.trace(moment)
    if views is not None:
        changed = sum(np.outer(view - x[at], view - x[at]) for view, at in zip(views, viewed, strict=True))
        moment = (1 - share) * moment + share * changed / np.trace(changed)
    values, vectors = np.linalg.eigh(moment + ridge / f * np.eye(f))
    products = y @ (vectors * values**-power) @ vectors.T @ y.T
    length = np.sqrt(np.diag(products))
    return products / np.outer(length, length)


def similarities(lens, x):
    embedding = lens.apply(x)
    return embedding @ embedding.T


def test_worked_by_hand():
    """Rows (2, 0), (-2, 0), (0, 1), (0, -1): T = diag(.8, .2). Views move them by (0, 3) or (0, -3): W = diag(0, 1).

    Half and half with a ridge of .2: diag(.4, .6) + .1 = diag(.5, .7). Whitened, (2, 1) and (2, -1) have the product
    4 / .5 - 1 / .7 and the squared length 4 / .5 + 1 / .7.
    """
    x = np.array([[2, 0], [-2, 0], [0, 1], [0, -1]], np.float32)
    views = x + np.array([[0, 3], [0, -3], [0, 3], [0, -3]], np.float32)
    lens = label_free(x, views, np.arange(4), LabelFreeConfig(ridge=0.2, power=1.0, view_share=0.5))
    expected = (8 - 1 / 0.7) / (8 + 1 / 0.7)
    assert similarities(lens, [[2, 1], [2, -1]])[0, 1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("ridge, power, share", [(1.0, 0.5, 0.5), (0.1, 1.0, 0.3), (3.0, 0.75, 1.0)])
@pytest.mark.parametrize("n, f", [(60, 12), (10, 90)], ids=["many rows", "few rows"])
def test_it_is_the_formula(n: int, f: int, ridge: float, power: float, share: float):
    x = drawn(n, f)
    views, viewed = seen(x)
    lens = label_free(x, views, viewed, LabelFreeConfig(ridge, power, share))
    assert_allclose(similarities(lens, x), formula(x, views, viewed, ridge=ridge, power=power, share=share), atol=2e-4)


def test_without_views_the_spread_alone_decides():
    x = drawn(30, 8)
    alone = similarities(label_free(x), x)
    assert_allclose(alone, formula(x), atol=1e-4)
    same = label_free(x, x[:3], np.arange(3))  # views that change nothing say nothing
    assert_allclose(similarities(same, x), alone, atol=1e-6)
    assert (same.settings["view_share"], same.settings["views"]) == (0.0, 3)


def test_a_scale_is_what_the_features_are_multiplied_with_first():
    x = drawn(30, 8)
    views, viewed = seen(x)
    scale = np.linspace(0.2, 3, 8).astype(np.float32)
    scaled = label_free(x * scale, views * scale, viewed)
    assert_allclose(
        similarities(label_free(x, views, viewed, scale=scale), x), similarities(scaled, x * scale), atol=1e-4
    )
    with pytest.raises(ShapeError, match="a number above 0 for each of 8"):
        label_free(x, scale=np.zeros(8))


def test_power_0_is_the_cosine_of_what_is_left_without_the_mean():
    x = drawn(20, 30)
    y = x - x.mean(axis=0)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    assert_allclose(similarities(label_free(x, config=LabelFreeConfig(power=0.0)), x), y @ y.T, atol=1e-5)


def test_a_lens_of_few_dimensions_keeps_those_in_which_pictures_differ_most():
    """Three features have nearly all of the spread, and whitening softly leaves them the longest."""
    x = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32) * [9, 8, 7, 0.01, 0.01, 0.01]
    whole, cut = (label_free(x, config=LabelFreeConfig(dims=d)) for d in (None, 3))
    assert cut.matrix.shape == (6, 3)
    assert_allclose(similarities(cut, x), similarities(whole, x), atol=1e-3)


def test_with_more_dimensions_than_pictures_what_no_picture_has_is_told_apart_as_well():
    """Within the collection all is exact; later pictures are nearly as alike as in all dimensions."""
    x, later = drawn(12, 300), drawn(40, 300, seed=5)
    whole, cut, short = (label_free(x, config=LabelFreeConfig(dims=d)) for d in (None, 200, 11))
    assert cut.matrix.shape == (300, 200)
    assert_allclose(similarities(cut, x), similarities(whole, x), atol=1e-4)
    error, without = (abs(similarities(one, later) - similarities(whole, later)) for one in (cut, short))
    assert error.max() < 0.3 and error.mean() < without.mean() / 3


def test_a_large_collection_is_learned_from_by_a_sample(monkeypatch: pytest.MonkeyPatch):
    x = drawn(400, 10)
    views, viewed = seen(x)
    whole = similarities(label_free(x, views, viewed), x)
    monkeypatch.setattr(module, "MOST", 200)
    sampled = label_free(x, views, viewed)
    assert (sampled.settings["rows"], sampled.settings["views"]) == (400, 200)
    assert_allclose(similarities(sampled, x), whole, atol=0.1)


def test_half_the_precision_gives_the_same_lens():
    x = drawn(50, 20)
    views, viewed = seen(x)
    half = label_free(x.astype(np.float16), views.astype(np.float16), viewed)
    assert_allclose(similarities(half, x), similarities(label_free(x, views, viewed), x), atol=5e-3)


def test_pictures_that_are_all_alike_are_refused():
    with pytest.raises(ExamplesError, match="same features"):
        label_free(np.ones((5, 4)))


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"rows": np.zeros(3)}, "rows must be"),
        ({"rows": np.eye(3), "views": np.eye(3)}, "go together"),
        ({"rows": np.eye(3), "views": np.eye(4), "viewed": [0, 1, 2, 0]}, "a row number to each view"),
        ({"rows": np.eye(3), "views": np.eye(3), "viewed": [0, 1, 3]}, "numbers of rows"),
        ({"rows": np.full((3, 2), np.inf)}, "not finite"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict, words: str):
    with pytest.raises(ShapeError, match=words), np.errstate(invalid="ignore"):
        label_free(**arguments)


@pytest.mark.parametrize(
    "wrong", [{"ridge": 0.0}, {"ridge": float("nan")}, {"power": 1.1}, {"view_share": -0.1}, {"dims": 0}]
)
def test_settings_that_cannot_be_are_refused(wrong: dict):
    with pytest.raises(ShapeError, match=f"{next(iter(wrong))} must be"):
        LabelFreeConfig(**wrong)


def test_the_trainer_takes_each_view_for_one_of_the_picture_of_its_label():
    """Rows in any order; further pictures only widen the spread; a view whose picture is missing is left out."""
    x = drawn(30, 8)
    views, viewed = seen(x[:20])
    rows, labels = np.concatenate([views, x[:20]]), np.concatenate([viewed, np.arange(20)])
    mask = np.arange(len(rows)) >= len(views)
    orphan = LabelledFeatures.create(
        np.concatenate([rows, np.full((1, 8), 99.0)]), [*labels, 20], gallery_mask=[*mask, False]
    )
    turn = np.random.default_rng(3).permutation(len(orphan))
    lens = LabelFreeTrainer(LabelFreeConfig(), others=x[20:]).fit(orphan.subset(turn))
    assert_allclose(similarities(lens, x), similarities(label_free(x, views, viewed), x), atol=1e-4)


def test_the_trainer_needs_pictures():
    data = LabelledFeatures.create(np.eye(3), [0, 1, 2], gallery_mask=[False] * 3)
    with pytest.raises(ExamplesError, match="there are views alone"):
        LabelFreeTrainer(LabelFreeConfig()).fit(data)
