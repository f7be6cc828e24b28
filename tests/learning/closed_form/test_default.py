"""The closed form with its defaults, one trainer after another, and one that learns nothing."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lookalike.errors import ExamplesError, ShapeError
from lookalike.learning.closed_form.default import RIDGE, ChainedTrainer, ClosedFormTrainer, IdentityTrainer
from lookalike.learning.closed_form.discriminant import reweight_between_class
from lookalike.learning.closed_form.whitening import WhitenTrainer, spread_scale, whiten
from lookalike.learning.labelled_features import LabelledFeatures, PartWeights
from lookalike.models.vectors import normalize_rows


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), 4)  # classes so small that they are not re-weighted
    return rng.standard_normal((8, 12))[labels] + rng.standard_normal((32, 12)), labels


def test_of_small_classes_it_is_whitening_of_evened_features(examples):
    x, labels = examples
    lens = ClosedFormTrainer().fit(LabelledFeatures.create(x, labels))
    assert_array_equal(lens.matrix, whiten(x, labels, ridge=RIDGE, scale=spread_scale(x)).matrix)
    cut = ClosedFormTrainer(ridge=0.3, dims=5).fit(LabelledFeatures.create(x, labels))
    assert_array_equal(cut.matrix, whiten(x, labels, ridge=0.3, scale=spread_scale(x), dims=5).matrix)


def test_a_weight_of_a_part_means_what_it_says_however_the_part_is_stored(examples):
    """Spreads are evened as if both parts weighed 1, and the lens's weights multiplied in afterwards."""
    x, labels = examples
    stored, lens = np.repeat([2.0, 0.1], 6), np.repeat([1.0, 3.0], 6)
    first = ClosedFormTrainer().fit(replace(LabelledFeatures.create(x, labels), parts=PartWeights(np.ones(12), lens)))
    other = replace(LabelledFeatures.create(x * stored, labels), parts=PartWeights(stored, lens))
    assert_allclose(ClosedFormTrainer().fit(other).apply(x * stored), first.apply(x), atol=1e-5)
    assert_allclose(first.matrix, whiten(x, labels, scale=spread_scale(x) * lens).matrix, rtol=1e-3, atol=1e-6)
    ones = PartWeights(np.ones(12), np.ones(12))
    assert_array_equal(spread_scale(x, parts=ones), spread_scale(x))
    with pytest.raises(ShapeError, match="weights of 12 values for 11 features"):
        spread_scale(x[:, 1:], parts=ones)


def test_of_large_classes_it_is_reweighted_by_what_lies_between_them():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 10)
    data = LabelledFeatures.create(rng.standard_normal((6, 12))[labels] + rng.standard_normal((60, 12)), labels)
    white = whiten(data.features, labels, scale=spread_scale(data.features))
    lens = ClosedFormTrainer().fit(data)
    assert_array_equal(lens.matrix, reweight_between_class(white, data).matrix)
    assert not np.allclose(lens.matrix, white.matrix)


def test_pairs_of_triplets_are_learned_from_as_labels_are(examples):
    x, _ = examples
    triplets = np.column_stack([np.arange(10), np.arange(10, 20), np.arange(20, 30)])
    data = LabelledFeatures.create(x, np.full(32, -1), triplets=triplets)
    by_label = np.r_[np.arange(10), np.arange(10), np.full(12, -1)]
    one, other = (ClosedFormTrainer().fit(some).apply(x) for some in (data, LabelledFeatures.create(x, by_label)))
    assert_allclose(one @ one.T, other @ other.T, atol=1e-5)


def test_without_anything_that_belongs_together_it_is_refused():
    with pytest.raises(ExamplesError, match="belong together"):
        ClosedFormTrainer().fit(LabelledFeatures.create(np.eye(3), [0, 1, -1]))


def test_a_second_trainer_goes_on_from_the_lens_of_the_first(examples):
    training = pytest.importorskip("lookalike.learning.training")
    x, labels = examples
    data = LabelledFeatures.create(x.astype(np.float32), labels)
    alone, refiner = ClosedFormTrainer().fit(data), training.LowRankTrainer()
    lens = ChainedTrainer(ClosedFormTrainer(), refiner).fit(data)
    assert_array_equal(lens.matrix, refiner.fit(data, alone).matrix)
    assert not np.allclose(lens.matrix, alone.matrix)


def test_the_identity_gives_the_rows_at_length_1(examples):
    x, labels = examples
    x = x.astype(np.float32)
    assert_array_equal(IdentityTrainer().fit(LabelledFeatures.create(x, labels)).apply(x), normalize_rows(x))


def test_a_scale_is_what_scaled_features_would_have_given(examples):
    """Many rows and few: the lens of x with a scale answers as the lens of x * scale does."""
    x, labels = examples
    scale = np.linspace(0.5, 2, 12)
    for rows in (slice(None), slice(0, 4)):
        wide = np.hstack([x[rows]] * 2)
        data = LabelledFeatures.create(wide, labels[rows])
        lens = WhitenTrainer(scale=np.tile(scale, 2)).fit(data)
        witness = whiten(wide * np.tile(scale, 2), labels[rows])
        one, other = lens.apply(wide), witness.apply(wide * np.tile(scale, 2))
        assert_allclose(one @ one.T, other @ other.T, atol=1e-5)


def test_evened_features_have_spreads_half_as_far_apart():
    """Deviations 1 and 100: without the floor their ratio would be 10; a tenth of the mean variance makes it 2.1."""
    x = np.random.default_rng(0).standard_normal((4000, 2)) * [1, 100]
    scale = spread_scale(x)
    assert scale[0] / scale[1] == pytest.approx((1.9 / 0.1) ** 0.25, rel=0.01)
    assert_allclose(spread_scale(np.ones((3, 2))), 1)


@pytest.mark.parametrize("scale", [[1.0, 0.0], [1.0, np.nan], [1.0]])
def test_a_scale_that_does_not_fit_is_refused(scale):
    with pytest.raises(ShapeError, match="scale"):
        whiten(np.eye(2), [0, 0], scale=scale)
