"""A lens without labels: directions in which pictures spread, or in which their own views differ, count less."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ExamplesError, ShapeError
from lookalike.images.arrays import number_array
from lookalike.learning.config import MANY, MANY_DIMS
from lookalike.learning.labelled_features import Features, LabelledFeatures
from lookalike.models.lens import Lens
from lookalike.models.vectors import as_float32
from lookalike.progress import SILENT, Reporter

NAME = "own"
METHOD = "label free"  # what the settings of such a lens say
RIDGE = 0.5
POWER = 0.6
VIEW_SHARE = 0.75  # of the moment of views, beside that of the pictures' spread
DIMS = 1024
MOST = 1024  # pictures, and as many differences of views, that the moments are made of; of more, a sample
ALIKE = 1e-10  # of the mean squared length: pictures whose spread is smaller are all alike


@dataclass(frozen=True)
class LabelFreeConfig:
    """How a lens without labels is made.

    Attributes:
        ridge: what is added in every direction, in mean variances, above 0.
        power: how far directions are brought to equal length: 0 leaves them, 1 whitens.
        view_share: s in `label_free`, 0 to 1.
        dims: of the embedding; None, or more than there are features, keeps all. Kept are the main axes of the moment
            along which the pictures differ most afterwards. Further dimensions hold a random
            projection of what no picture has, so that pictures that come later are told apart by that as well.
    Raises: ShapeError, for a value that cannot be.
    """

    ridge: float = RIDGE
    power: float = POWER
    view_share: float = VIEW_SHARE
    dims: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.ridge < float("inf"):
            raise ShapeError(f"ridge must be above 0 and finite, not {self.ridge}. {RIDGE:g} is a good start.")
        for name, value in (("power", self.power), ("view_share", self.view_share)):
            if not 0 <= value <= 1:
                raise ShapeError(f"{name} must be 0 to 1, not {value}. 0.5 is a good start.")
        if self.dims is not None and self.dims < 1:
            raise ShapeError(f"dims must be 1 or more, not {self.dims}. Leave it out to keep all.")


def label_free_config(pictures: int, dims: int | None = None) -> LabelFreeConfig:
    """The settings for a collection of so many pictures: 1,024 dimensions, and 512 above 20,000, if none are given.

    >>> label_free_config(300).dims, label_free_config(20_001).dims, label_free_config(300, 8).dims
    (1024, 512, 8)
    """
    return LabelFreeConfig(dims=dims or (MANY_DIMS if pictures > MANY else DIMS))


@dataclass(frozen=True, eq=False)
class LabelFreeTrainer:
    """`label_free` as a Trainer of pictures that have a label each, shared by their views alone.

    Attributes:
        config: how.
        others: (m, f) features of further pictures of the collection, without views; None for none.
    """

    config: LabelFreeConfig
    others: Features | None = None

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """Learn a lens; rows that are found are pictures, all others views. Triplets and domains are not read.

        Raises: ExamplesError, when there is no picture, or all are alike.
        """
        itself = np.ones(len(data), bool) if data.gallery_mask is None else data.gallery_mask
        pictures, of_views = np.flatnonzero(itself), np.flatnonzero(~itself)
        if not len(pictures):
            raise ExamplesError("no pictures to learn from: there are views alone.")
        order = np.argsort(data.labels[pictures], kind="stable")
        at = np.searchsorted(data.labels[pictures], data.labels[of_views], sorter=order)
        viewed = order[np.minimum(at, len(order) - 1)]
        there = data.labels[pictures[viewed]] == data.labels[of_views]
        rows = data.features[pictures]
        rows = rows if self.others is None else np.concatenate([rows, self.others.astype(rows.dtype)])
        scale = None if data.parts is None else data.parts.scale
        return label_free(rows, data.features[of_views[there]], viewed[there], self.config, scale=scale)


def label_free(
    rows: ArrayLike,
    views: ArrayLike | None = None,
    viewed: ArrayLike | None = None,
    config: LabelFreeConfig | None = None,
    *,
    scale: ArrayLike | None = None,
    name: str = NAME,
) -> Lens:
    """The lens whose similarity is cosine under ((1 - s) T + s W + ridge / f I)^-power about the pictures' mean.

    T is the second moment of the pictures about their mean, W that of views less the picture they are of, each with a
    trace of 1. Nothing needs to be told: what most pictures have more or less of says little about which one this is,
    and what a crop, a mirror or another light changes says still less.

    Args:
        rows: (n, f) of any float type, pictures; rows of any length. Of more than 1,024 a sample makes T.
        views: (v, f), views of some of them; None for none, and then s is 0. Of more than 1,024 a sample makes W.
        viewed: (v,) int, of which of `rows` each view is.
        config: how; None for the settings that were chosen by measuring.
        scale: (f,) above 0, what each feature is multiplied with first; the lens reads them as they are. None for 1.
        name: the lens's name.
    Returns: Lens. Where `dims` are fewer than features, no matrix of (f, f) is made.
    Raises: ExamplesError, when all pictures are alike; ShapeError.
    Source: whitening by the total covariance, as in Jegou and Chum, ECCV 2012, section 3, shrunk towards the identity
        and, with a power below 1, softened. W is the within-class scatter of learned whitening (Mikolajczyk and Matas,
        ICCV 2007), each picture a class of its own.

    >>> x = np.array([[3, 1], [-3, 1], [3, -1], [-3, -1]], np.float32)        # T = diag(.9, .1)
    >>> lens = label_free(x, config=LabelFreeConfig(ridge=0.2, power=1))      # (T + .1 I)^-1 = diag(1, 5)
    >>> print(round(float(lens.matrix[1, 1] / lens.matrix[0, 0]), 3))         # sqrt(5)
    2.236
    """
    config = config or LabelFreeConfig()
    x, differences = _checked(rows, views, viewed)
    n, f = x.shape
    mean = x.mean(axis=0, dtype=np.float64).astype(np.float32)
    even = _scale(scale, f)
    centred, differences = (as_float32(x[_some(n)]) - mean) * even, differences * even
    size = float(np.square(centred, dtype=np.float64).mean() + np.square(mean, dtype=np.float64).mean())
    if not np.isfinite(size + float(np.square(differences, dtype=np.float64).sum())):
        raise ShapeError("features that are not finite, or too large for float32. Bring rows to length 1.")
    if np.square(centred, dtype=np.float64).mean() <= ALIKE * size:
        raise ExamplesError("all pictures have the same features: nothing tells them apart. Add different pictures.")
    changes = len(differences) > 0 and np.square(differences, dtype=np.float64).mean() > ALIKE * size
    share = config.view_share if changes else 0.0
    parts = [_of_trace(centred, 1 - share), *([_of_trace(differences, share)] if share else [])]
    weights, directions = _main_axes(np.vstack(parts))
    ridge = config.ridge / f
    lengths = (weights + ridge) ** (-config.power / 2)  # (m,)
    rest = ridge ** (-config.power / 2)  # of every direction that no picture and no view has
    dims = config.dims if config.dims is not None and config.dims < f else None
    if dims is None:
        matrix = np.eye(f, dtype=np.float32) * np.float32(rest)
        matrix += (directions * (lengths - rest).astype(np.float32)) @ directions.T  # (f, m) @ (m, f) -> (f, f)
    else:
        along = directions * lengths.astype(np.float32)  # (f, m)
        spread = np.square(centred @ along).sum(axis=0)  # (n, f) @ (f, m) -> (m,)
        matrix = along[:, np.sort(np.argsort(-spread, kind="stable")[:dims])]
        if matrix.shape[1] < dims:
            matrix = np.hstack([matrix, np.float32(rest) * _outside(directions, dims - matrix.shape[1])])
    matrix *= (even / np.float32(rest))[:, None]
    settings = {"method": METHOD, "ridge": config.ridge, "power": config.power, "view_share": share}
    return Lens(name, mean, matrix, {**settings, "dims": dims, "rows": n, "views": len(differences)})


def _checked(
    rows: ArrayLike, views: ArrayLike | None, viewed: ArrayLike | None
) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """The rows (n, f), and views less theirs (v, f) float32, at most `MOST` of them."""
    x = number_array(rows, "rows")
    x = x.astype(np.float32) if x.dtype.kind in "iu" else x
    if x.ndim != 2 or x.dtype.kind != "f" or 0 in x.shape:
        raise ShapeError(f"rows must be (n, f) floats with n and f above 0, not {x.dtype} {x.shape}.")
    if views is None or viewed is None:
        if views is not None or viewed is not None:
            raise ShapeError("views and viewed go together. Give both, or neither.")
        return x, np.zeros((0, x.shape[1]), np.float32)
    seen, of = number_array(views, "views"), np.asarray(viewed)
    if seen.ndim != 2 or seen.shape[1] != x.shape[1] or of.shape != (len(seen),):
        raise ShapeError(
            f"views {seen.shape} and viewed {of.shape} for rows {x.shape}. Give a row number to each view."
        )
    if len(of) and not (of.dtype.kind in "iu" and of.min() >= 0 and of.max() < len(x)):
        raise ShapeError(f"viewed must hold numbers of rows, 0 to {len(x) - 1}.")
    some = _some(len(seen))
    return x, as_float32(seen[some]) - as_float32(x[of[some]])


def _scale(scale: ArrayLike | None, f: int) -> NDArray[np.float32]:
    even = np.ones(f, np.float32) if scale is None else np.asarray(scale, np.float32)
    if even.shape != (f,) or not (np.isfinite(even).all() and even.min() > 0):
        raise ShapeError(f"scale {even.shape} must hold a number above 0 for each of {f} features.")
    return even


def _some(n: int) -> NDArray[np.int64]:
    """All of n rows, or a sample of them, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST)).astype(np.int64))


def _of_trace(rows: NDArray[np.float32], trace: float) -> NDArray[np.float32]:
    """The rows, scaled so that their second moment has this trace."""
    return rows * np.float32(np.sqrt(trace / np.square(rows, dtype=np.float64).sum()))


def _outside(directions: NDArray[np.float32], dims: int) -> NDArray[np.float32]:
    """A random projection (f, d) of what is orthogonal to directions (f, m); products are kept in the mean.

    Source: Johnson and Lindenstrauss, 1984.
    """
    drawn = np.random.default_rng(0).standard_normal((len(directions), dims)).astype(np.float32)
    drawn -= directions @ (directions.T @ drawn)
    return drawn / np.float32(np.sqrt(dims))


def _main_axes(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The eigenvalues (k,) above rounding and eigenvectors (f, k) of the second moment of rows (m, f).

    By the smaller of the matrices (m, m) and (f, f).
    """
    m, f = rows.shape
    values, vectors = np.linalg.eigh(rows @ rows.T if m <= f else rows.T @ rows)
    kept = values > 1e-6 * values[-1]
    values, vectors = values[kept].astype(np.float64), vectors[:, kept]
    if m <= f:
        vectors = (rows.T @ vectors) / np.sqrt(values).astype(np.float32)  # (f, m) @ (m, k) -> (f, k)
    return values, np.asarray(vectors, np.float32)
