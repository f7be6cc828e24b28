"""A lens as a step of a scikit-learn pipeline: fit, transform, clone and pickle, without importing scikit-learn."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import LensError
from lookalike.images.arrays import number_array
from lookalike.learning.closed_form.whitening import whiten
from lookalike.models.lens import Lens


class LensTransformer:
    """Features -> embedding by a closed form learned in `fit`, as scikit-learn's transformers work.

    It keeps scikit-learn's conventions by shape alone: what `__init__` takes is kept under the same name, what `fit`
    learns ends in an underscore, and `get_params` and `set_params` are what `clone` and grid searches call.

    Args:
        ridge: as for `whiten`.
        dims: as for `whiten`.

    >>> x = np.array([[0, 1, 0], [0, -1, 0], [1, 1, 0], [1, -1, 0]], np.float32)
    >>> LensTransformer(dims=2).fit_transform(x, ["a", "a", "b", "b"]).shape
    (4, 2)
    """

    lens_: Lens
    n_features_in_: int

    def __init__(self, *, ridge: float = 1.0, dims: int | None = None):
        self.ridge, self.dims = ridge, dims

    def fit(self, X: ArrayLike, y: ArrayLike, *, triplets: ArrayLike | None = None) -> "LensTransformer":
        """Learn from features (n, f) and what groups them (n,): numbers or names of any kind, negative numbers none."""
        x = number_array(X, "X")
        if x.dtype.kind != "f":
            x = x.astype(np.float32)
        self.lens_ = whiten(x, y, triplets=triplets, ridge=self.ridge, dims=self.dims)
        self.n_features_in_ = x.shape[1]
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Features (n, f) -> embedding (n, d) float32, rows of length 1.

        Raises: LensError, before `fit`.
        """
        if not hasattr(self, "lens_"):
            raise LensError("this LensTransformer has learned nothing yet. Call fit(features, labels) first.")
        return self.lens_.apply(X)

    def fit_transform(self, X: ArrayLike, y: ArrayLike, *, triplets: ArrayLike | None = None) -> NDArray[np.float32]:
        """`fit`, then `transform` of the same rows."""
        return self.fit(X, y, triplets=triplets).transform(X)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What `__init__` was given."""
        return {"ridge": self.ridge, "dims": self.dims}

    def set_params(self, **params: object) -> "LensTransformer":
        """Change what `__init__` was given; what was learned stays until the next `fit`."""
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"LensTransformer has no parameter {name!r}; it has {sorted(self.get_params())}.")
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "lens_")

    def __sklearn_tags__(self) -> Any:
        """Asked for by scikit-learn 1.6 and newer, which is loaded already when it asks."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=True),
            transformer_tags=TransformerTags(),
            input_tags=InputTags(),
        )

    def __repr__(self) -> str:
        return f"LensTransformer(ridge={self.ridge}, dims={self.dims})"
