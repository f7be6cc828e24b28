"""From hits of held-out queries, right or wrong, to how likely a hit is right: Platt or isotonic, checked by query."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.evaluation.judged_hits import Floats, JudgedHits
from lookalike.models.likelihood import Likelihood, Method, ReliabilityBin, evidence

PARTS = 5  # of the queries; each part is judged by what the others taught
BINS = 10
GROUPS = 50  # of hits, of which isotonic steps are made
COUNTED = 10  # first hits whose calibration error is reported
FEWEST_QUERIES, FEWEST_CLUSTERS = 40, 7
LARGEST_ERROR = 0.1  # of the calibration error on held-out queries: above, nothing is said
PENALTY = 1e-2  # on squared standardised weights, so that separable hits do not make them infinite
SIGNS = (1, -1, 0, 0, 0, -1)  # that weights may have: more similar is more likely, a later rank is not


def calibrate(hits: JudgedHits, pictures: int, rng: np.random.Generator) -> tuple[Likelihood | None, str]:
    """How likely a hit is right, or None and why not.

    Log-odds are fitted to similarity, rank, the first hit and the crowd around the query (`evidence`). Platt's logistic
    function or isotonic steps on top: whichever has the smaller log loss on queries that it was not fitted to. Clusters
    of queries are never torn.

    Args:
        hits: of held-out queries.
        pictures: how many were searched.
        rng: deals clusters to parts.

    >>> rng = np.random.default_rng(0)
    >>> similarities = -np.sort(-rng.random((300, 5)), axis=1)
    >>> right = rng.random((300, 5)) < similarities
    >>> hits = JudgedHits(similarities, right, np.ones((300, 5)), np.arange(300), np.arange(300))
    >>> told, why = calibrate(hits, 1000, rng)
    >>> bool(np.abs(told.of(np.array([0.9, 0.5, 0.3, 0.2]), 1000) - [0.9, 0.5, 0.3, 0.2]).max() < 0.15)
    True
    """
    clusters = len(np.unique(hits.cluster))
    if hits.queries < FEWEST_QUERIES or clusters < FEWEST_CLUSTERS:
        return None, f"too few queries to say how likely a hit is right: {hits.queries} in {clusters} draws."
    counted = hits.weight > 0
    if not hits.right[counted].any() or hits.right[counted].all():
        which = "right" if hits.right[counted].any() else "wrong"
        return None, f"how likely a hit is right cannot be said: all of them were {which}."
    names, at = np.unique(hits.cluster, return_inverse=True)
    part = (rng.permutation(len(names)) % PARTS)[at]
    told: dict[Method, Floats] = {"platt": np.zeros(hits.right.shape), "isotonic": np.zeros(hits.right.shape)}
    for one in range(PARTS):
        elsewhere, here = hits.subset(part != one), part == one
        if not here.any():
            continue
        for way, values in told.items():
            values[here] = _fitted(elsewhere, pictures, way)(hits.similarities[here])
    losses = {way: _log_loss(values, hits) for way, values in told.items()}
    method: Method = "isotonic" if losses["isotonic"] < losses["platt"] else "platt"
    first = np.zeros_like(hits.weight)
    first[:, :COUNTED] = hits.weight[:, :COUNTED]
    bins = reliability(told[method], hits.right, first)
    error = calibration_error(bins)
    if error > LARGEST_ERROR:
        return None, (
            f"how likely a hit is right cannot be said: on held-out queries it would be wrong by {error:.0%}. "
            "Give more examples."
        )
    found = _fit(hits, pictures, method, error, bins)
    if not any((*found.weights[:2], found.weights[-2])):
        return None, "how likely a hit is right cannot be said: more similar hits were not right more often."
    return found, ""


def reliability(told: Floats, right: NDArray[np.bool_], weight: Floats) -> tuple[ReliabilityBin, ...]:
    """What was said beside what was right, in ten steps of what was said; steps without a hit are left out.

    Args:
        told: what was said, of any shape.
        right: whether it was, of the same.
        weight: of the same; 0 is not counted.

    >>> told, right = np.array([0.95, 0.95, 0.15, 0.15]), np.array([True, True, True, False])
    >>> [(one.said, one.right, one.share) for one in reliability(told, right, np.ones(4))]
    [(0.15, 0.5, 0.5), (0.95, 1.0, 0.5)]
    """
    at = np.minimum((told * BINS).astype(int), BINS - 1).ravel()
    weight, told, right = weight.ravel(), told.ravel(), right.ravel()
    total, sums, rights = (np.bincount(at, weight * one, BINS) for one in (np.ones(len(at)), told, right))
    return tuple(
        ReliabilityBin(*(round(float(one), 4) for one in (s / t, r / t, t / total.sum())))
        for t, s, r in zip(total, sums, rights, strict=True)
        if t > 0
    )


def calibration_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """The expected calibration error: the mean difference of what was said and what was right, by the share of hits.

    Source: Guo et al., "On calibration of modern neural networks", arXiv:1706.04599, section 2.

    >>> round(calibration_error((ReliabilityBin(0.2, 0.3, 0.5), ReliabilityBin(0.9, 0.9, 0.5))), 3)
    0.05
    """
    return float(min(1.0, sum(abs(one.said - one.right) * one.share for one in bins)))


def pool_adjacent_violators(values: Floats, weight: Floats) -> Floats:
    """The rising sequence nearest to values by weighted squares: (n,) float64.

    Source: Barlow et al., "Statistical Inference under Order Restrictions", 1972.

    >>> pool_adjacent_violators(np.array([0.0, 1.0, 0.0, 1.0]), np.ones(4))
    array([0. , 0.5, 0.5, 1. ])
    """
    blocks: list[list[float]] = []  # mean, weight, length
    for value, one in zip(values.tolist(), weight.tolist(), strict=True):
        blocks.append([value, one, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            last, before = blocks.pop(), blocks[-1]
            total = before[1] + last[1]
            before[0] = (before[0] * before[1] + last[0] * last[1]) / total if total else before[0]
            before[1], before[2] = total, before[2] + last[2]
    return np.repeat([block[0] for block in blocks], [int(block[2]) for block in blocks])


def logistic_weights(x: Floats, y: Floats, weight: Floats, signs: tuple[int, ...]) -> Floats:
    """Weights and constant of a logistic regression by Newton's method: (f + 1,) float64.

    Args:
        x: (n, f).
        y: (n,) 0 to 1.
        weight: (n,) 0 or more.
        signs: (f,) 1 or -1 where a weight must not be below or above 0, else 0. One that would be is left out.

    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> w = logistic_weights(x, np.array([0, 0, 1, 1.0]), np.ones(4), (1,))
    >>> bool(w[0] > 1), bool(abs(w[0] * 1.5 + w[1]) < 1e-6)
    (True, True)
    """
    used = list(range(x.shape[1]))
    while True:
        found = np.zeros(x.shape[1] + 1)
        found[[*used, -1]] = _newton(x[:, used], y, weight)
        against = [at for at in used if signs[at] * found[at] < 0]
        if not against:
            return found
        used = [at for at in used if at not in against]


def _newton(x: Floats, y: Floats, weight: Floats, most: int = 100) -> Floats:
    """The unconstrained fit, on standardised columns with a small penalty; steps are halved while they do not help."""
    weight = weight / weight.mean()
    mean = np.average(x, axis=0, weights=weight)
    spread = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight))
    scale = np.where(spread > 1e-9, spread, np.inf)  # a column that does not vary gets no weight
    z = np.column_stack([(x - mean) / scale, np.ones(len(x))])
    penalty = np.full(z.shape[1], PENALTY)
    penalty[-1] = 1e-9

    def loss(b: Floats) -> float:
        t = z @ b
        return float((weight * (np.logaddexp(0, t) - y * t)).sum() + (penalty * b * b).sum() / 2)

    b = np.zeros(z.shape[1])
    now = loss(b)
    for _ in range(most):
        p = 1 / (1 + np.exp(-np.clip(z @ b, -500, 500)))
        slope = z.T @ (weight * (p - y)) + penalty * b
        curve = (z * (weight * np.maximum(p * (1 - p), 1e-9))[:, None]).T @ z + np.diag(penalty)
        step, size = np.linalg.solve(curve, slope), 1.0
        while size > 1e-6 and loss(b - size * step) > now:
            size /= 2
        b = b - size * step
        before, now = now, loss(b)
        if before - now <= 1e-10 * abs(before):
            break
    return np.append(b[:-1] / scale, b[-1] - (b[:-1] * mean / scale).sum())


def _fit(
    hits: JudgedHits, pictures: int, method: Method, error: float = 0.0, bins: tuple[ReliabilityBin, ...] = ()
) -> Likelihood:
    weight = _by_query(hits)
    counted = weight > 0
    x, y, w = evidence(hits.similarities)[counted], hits.right[counted].astype(np.float64), weight[counted]
    weights = logistic_weights(x, y, w, SIGNS)
    steps = _steps(x @ weights[:-1] + weights[-1], y, w) if method == "isotonic" else ()
    least = 1 / (hits.queries + 2)  # as Laplace's rule has it for what never happened in so many queries
    return Likelihood(
        method if steps or method == "platt" else "platt",
        tuple(round(float(one), 6) for one in weights),
        steps,
        round(least, 6),
        round(1 - least, 6),
        hits.queries,
        pictures,
        round(error, 4),
        bins,
    )


def _fitted(hits: JudgedHits, pictures: int, method: Method) -> Callable[[Floats], Floats]:
    """From similarities (q, k) to likelihoods (q, k), by what these hits teach."""
    likelihood = _fit(hits, pictures, method)
    return lambda found: likelihood.from_log_odds(likelihood.log_odds(found))


def _steps(odds: Floats, right: Floats, weight: Floats) -> tuple[tuple[float, float], ...]:
    """Isotonic steps as a line through the middle of each: pairs of log-odds and probability, both rising.

    Hits are put into at most `GROUPS` groups of equal weight first, so that a few at an end make no step of their own.
    """
    order = np.argsort(odds, kind="stable")
    odds, right, weight = odds[order], right[order], weight[order]
    before = np.cumsum(weight) - weight
    group = np.unique((GROUPS * before / weight.sum()).astype(int), return_inverse=True)[1]
    total = np.bincount(group, weight).astype(np.float64)
    middles, means = np.bincount(group, weight * odds) / total, np.bincount(group, weight * right) / total
    values = pool_adjacent_violators(means, total)
    levels, at = np.unique(values, return_inverse=True)
    weights = np.bincount(at, total)
    found: list[tuple[float, float]] = []
    for middle, value in zip(np.bincount(at, total * middles) / weights, levels, strict=True):
        pair = (round(float(middle), 6), round(float(np.clip(value, 0, 1)), 6))
        if not found or pair[0] > found[-1][0]:
            found.append(pair)
    return tuple(found)


def _by_query(hits: JudgedHits) -> Floats:
    """Each hit's weight over how often its query asked."""
    at = np.unique(hits.asked, return_inverse=True)[1]
    return hits.weight / np.bincount(at)[at, None]


def _log_loss(told: Floats, hits: JudgedHits) -> float:
    weight = _by_query(hits)
    p = np.clip(told, 1e-9, 1 - 1e-9)
    losses = -np.where(hits.right, np.log(p), np.log(1 - p))
    return float((weight * losses).sum() / weight.sum())
