"""A lens as a step of a real scikit-learn pipeline."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from lookalike.errors import LensError
from lookalike.learning import LensTransformer, whiten

RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(12), 8)
# Kinds differ in four features; four others vary much more within them.
X = np.hstack([RNG.standard_normal((12, 4))[Y] + 0.3 * RNG.standard_normal((96, 4)), 3 * RNG.standard_normal((96, 4))])


def test_it_is_whiten():
    assert_allclose(LensTransformer(ridge=0.5, dims=3).fit(X, Y).transform(X), whiten(X, Y, ridge=0.5, dims=3).apply(X))
    assert_allclose(LensTransformer().fit_transform(X, Y), LensTransformer().fit(X, Y).transform(X))


def test_a_pipeline_with_it_finds_what_one_without_does_not():
    nearest = KNeighborsClassifier(1)
    plain = cross_val_score(nearest, X, Y, cv=4).mean()
    lens = cross_val_score(make_pipeline(LensTransformer(ridge=0.01), nearest), X, Y, cv=4).mean()
    assert plain < 0.5 and lens > 0.7


def test_a_grid_search_chooses_its_ridge():
    search = GridSearchCV(
        Pipeline([("lens", LensTransformer()), ("nearest", KNeighborsClassifier(1))]),
        {"lens__ridge": [0.01, 1e4], "lens__dims": [None, 4]},
        cv=4,
    ).fit(X, Y)
    assert search.best_params_["lens__ridge"] == 0.01
    assert search.best_score_ > 0.7


def test_a_clone_has_the_settings_and_nothing_learned():
    fitted = LensTransformer(ridge=0.5, dims=2).fit(X, Y)
    copy = clone(fitted)
    assert copy.get_params() == {"ridge": 0.5, "dims": 2}
    check_is_fitted(fitted)
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)


def test_a_pickled_pipeline_answers_the_same():
    pipeline = make_pipeline(FunctionTransformer(), LensTransformer(), KNeighborsClassifier(1)).fit(X, Y)
    assert_array_equal(pickle.loads(pickle.dumps(pipeline)).predict(X), pipeline.predict(X))


def test_labels_are_names_or_numbers_and_negative_numbers_are_none():
    names = np.array([f"kind {one}" for one in Y])
    assert_allclose(LensTransformer().fit(X, names).transform(X), LensTransformer().fit(X, Y).transform(X), atol=1e-5)
    some = np.where(Y < 6, Y, -1)
    assert_allclose(LensTransformer().fit(X, some).transform(X), whiten(X, some).apply(X), atol=1e-5)


def test_integers_are_read():
    assert LensTransformer().fit(np.round(X).astype(int), Y).transform(np.round(X).astype(int)).shape == (96, 8)


def test_before_fit_it_says_so():
    with pytest.raises(LensError, match="fit"):
        LensTransformer().transform(X)


def test_a_parameter_it_does_not_have_is_refused():
    with pytest.raises(ValueError, match="no parameter 'depth'"):
        LensTransformer().set_params(depth=3)


def test_it_says_how_it_was_made():
    assert repr(LensTransformer(dims=3)) == "LensTransformer(ridge=1.0, dims=3)"
    pipeline = make_pipeline(LensTransformer(), KNeighborsClassifier())
    assert "LensTransformer" in repr(pipeline)
    assert "LensTransformer" in pipeline._repr_html_()
