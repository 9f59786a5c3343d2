"""The upper tail of normal scores: clusters of high scores, and generalised Pareto distributions for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vaenb.records import Floats, Ints

LEAST_CLUSTERS = 10  # fewer separate highs than this say next to nothing about a tail
LEAST_SIZED = 5  # nor do fewer about how long the next one lasts
LEAST_EXCESSES = 20
MOST_EXCESSES = 5_000  # more would only cost time
LOWEST_LEVEL = 0.8  # below it is the bulk of the scores, which no tail describes
SHAPE_SPREAD = 0.3  # prior standard deviation of the shape: t(3) has 1/3, an exponential 0, a uniform -1
LOWEST_SHAPE = -0.95
GRID = 24
TINY, HUGE = 1e-250, 1e250  # beyond these, floats lose their digits or end


def find_peaks(scores: Floats, gap: int) -> Ints:
    """Positions of the scores that are the highest within `gap` points on either side.

    The number of peaks above a threshold counts separate highs. It is never smaller than the number of
    clusters of the runs estimator [1]_ with run length `gap`, equals it at high thresholds, and, unlike
    it, only falls as the threshold rises.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        NaN is never a peak.
    gap : int
        Points. Of equal neighbours the first is the peak.

    Returns
    -------
    ndarray of int64, shape (n_peaks,)

    References
    ----------
    .. [1] R. L. Smith and I. Weissman, Estimating the extremal index. J. R. Stat. Soc. B 56, 1994.

    Examples
    --------
    >>> find_peaks(np.array([0.0, 3.0, 1.0, 2.0, 0.0, 0.0, 5.0]), gap=2)
    array([1, 6])
    """
    from scipy.ndimage import maximum_filter1d

    known = np.where(np.isnan(scores), -np.inf, scores)
    highest = maximum_filter1d(known, 2 * gap + 1, mode="constant", cval=-np.inf)
    found = np.flatnonzero((known == highest) & (known > -np.inf))
    return found[np.diff(found, prepend=-gap - 1) > gap]


def cluster_size(scores: Floats, peaks: Floats, threshold: float) -> float:
    """Mean number of scores in a cluster above the threshold: 1 / extremal index, at least 1.

    Where fewer than five peaks lie above the threshold, it is measured just below the fifth highest,
    since one or two clusters say little about the size of the next.

    Parameters
    ----------
    scores, peaks : ndarray of float64
        Both sorted, without NaN.
    threshold : float
    """
    low = min(threshold, float(np.nextafter(peaks[-min(LEAST_SIZED, len(peaks))], -np.inf)))
    return max(1.0, count_above(scores, low) / count_above(peaks, low))


def count_above(ascending: Floats, threshold: float) -> int:
    """How many of the sorted values are greater than the threshold."""
    return len(ascending) - int(np.searchsorted(ascending, threshold, side="right"))


@dataclass(frozen=True, eq=False, kw_only=True)
class Tail:
    """What is known of the scores above `start`: a weighted set of generalised Pareto distributions.

    ``P(score > start + z) = share * sum_ij w[i, j] * (1 + shape[i] * z / scale[j]) ** (-1 / shape[i])``

    Attributes
    ----------
    start : float
        Where the tail begins.
    share : float
        Share of normal scores beyond it.
    shapes, scales : ndarray of float64, shape (24,)
    weights : ndarray of float64, shape (24, 24)
        How plausible each pair is; they sum to 1.
    n_excesses : int
        The scores that were fitted.
    n_clusters : int
        The separate highs among them.
    """

    start: float
    share: float
    shapes: Floats
    scales: Floats
    weights: Floats
    n_excesses: int
    n_clusters: int

    @property
    def shape(self) -> float:
        """The mean shape: above 0 heavier than exponential, below 0 with an end."""
        return float(self.weights.sum(axis=1) @ self.shapes)

    @property
    def scale(self) -> float:
        """The mean scale, in the unit of the scores."""
        return float(self.weights.sum(axis=0) @ self.scales)

    def rate_above(self, threshold: float) -> float:
        """The expected share of normal scores above a threshold at or beyond `start`."""
        z = max(threshold - self.start, 0.0) / self.scales[None, :]
        shape = np.where(np.abs(self.shapes) < 1e-6, 1e-6, self.shapes)[:, None]
        with np.errstate(divide="ignore"):
            beyond = np.exp(-np.log1p(np.maximum(shape * z, -1.0)) / shape)
        return self.share * float((self.weights * beyond).sum())

    def threshold_for(self, rate: float) -> float:
        """The threshold that this share of normal scores exceeds; the rate is below `share`."""
        width = float(self.scales.max())
        while width < HUGE and self.rate_above(self.start + width) > rate:
            width *= 2.0
        low, high = self.start, self.start + width
        for _ in range(100):
            middle = low + (high - low) / 2
            low, high = (middle, high) if self.rate_above(middle) > rate else (low, middle)
        return high


def fit_tail(scores: Floats, peaks: Floats, *, level: float, lowest: float = LOWEST_LEVEL) -> Tail | None:
    r"""Fit the generalised Pareto distribution to what lies above a high quantile of the scores.

    Peaks over threshold as in [1]_, with two changes that keep its promise when calibration scores are
    few or lean on each other:

    - Instead of the most likely parameters, all plausible ones are used, each by its weight
      :math:`w \propto L(\gamma, \sigma)^{k/N}\, e^{-\gamma^2 / 2 \cdot 0.3^2}`, uniform in
      :math:`\log \sigma`. A rate computed from the most likely ones alone is too low on average.
    - The :math:`N` excesses of overlapping windows come in :math:`k` clusters, and count as :math:`k`
      observations, not :math:`N` (the power of the likelihood, [2]_).

    With many independent excesses both changes fade, and the threshold is Siffer's
    :math:`t + \sigma / \gamma\,((q n / N)^{-\gamma} - 1)`.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Sorted, without NaN.
    peaks : ndarray of float64, shape (n_peaks,)
        Sorted: the scores at `find_peaks`.
    level : float
        The quantile where the tail begins. It is lowered, not below `lowest`, until ten peaks and twenty
        scores lie above it, and raised where more than 5,000 do.
    lowest : float

    Returns
    -------
    Tail or None
        None where no score is higher than the start, e.g. because all are equal.

    References
    ----------
    .. [1] A. Siffer, P.-A. Fouque, A. Termier, C. Largouet, Anomaly detection in streams with extreme
       value theory. KDD 2017.
    .. [2] M. Ribatet, D. Cooley, A. C. Davison, Bayesian inference from composite likelihoods, with an
       application to spatial extremes. Statistica Sinica 22, 2012.
    """
    start = _start(scores, peaks, max(level, 1 - MOST_EXCESSES / len(scores)), lowest)
    if scores[-1] - start < TINY:
        return None
    n_excesses, n_clusters = count_above(scores, start), count_above(peaks, start)
    return tail_of(
        scores[-n_excesses:] - start,
        start=start,
        n_excesses=n_excesses,
        n_clusters=n_clusters,
        n_scores=len(scores),
    )


def tail_of(excesses: Floats, *, start: float, n_excesses: int, n_clusters: int, n_scores: int) -> Tail:
    """The tail whose excesses are known, weighed as `fit_tail` does.

    Parameters
    ----------
    excesses : ndarray of float64
        Scores above `start`, less `start`; sorted. They may be a part of all.
    start : float
    n_excesses, n_clusters : int
        All scores above `start`, and the clusters that they come in.
    n_scores : int
        All scores, those below `start` included.
    """
    shapes, scales, weights = _weigh(excesses, n_clusters / n_excesses)
    # One more cluster than was seen: the next one may lie above the start, too.
    size = n_excesses / n_clusters
    return Tail(
        start=start,
        share=(n_excesses + size) / (n_scores + size),
        shapes=shapes,
        scales=scales,
        weights=weights,
        n_excesses=n_excesses,
        n_clusters=n_clusters,
    )


def _start(scores: Floats, peaks: Floats, level: float, lowest: float) -> float:
    """The highest start, from the level downwards, above which there is enough to fit."""
    share, n = 1 - level, len(scores)
    while True:
        start = float(scores[min(n, int(np.ceil((n + 1) * (1 - share)))) - 1])
        enough = count_above(peaks, start) >= LEAST_CLUSTERS and count_above(scores, start) >= LEAST_EXCESSES
        if enough or share >= 1 - lowest:
            return start
        share = min(share * 1.25, 1 - lowest)


def _weigh(excesses: Floats, power: float) -> tuple[Floats, Floats, Floats]:
    """Shapes, scales and their weights on a grid that zooms in on where the weight is."""
    unit = float(excesses.mean())
    excesses = excesses / unit
    middle = max(float(np.median(excesses)), 1e-12)
    shape_span, scale_span = (LOWEST_SHAPE, 1.5), (float(np.log(middle)) - 3.0, 3.0)
    for _ in range(8):
        shapes, log_scales = np.linspace(*shape_span, GRID), np.linspace(*scale_span, GRID)
        log_weights = power * _log_likelihood(excesses, shapes, log_scales)
        log_weights -= 0.5 * (shapes[:, None] / SHAPE_SPREAD) ** 2
        weights = np.exp(log_weights - log_weights.max())
        heavy = weights > 1e-5
        if heavy.any(axis=1).sum() > GRID / 2 and heavy.any(axis=0).sum() > GRID / 2:
            break
        shape_span = _zoom(shapes, heavy.any(axis=1), LOWEST_SHAPE)
        scale_span = _zoom(log_scales, heavy.any(axis=0), -np.inf)
    return shapes, np.exp(log_scales) * unit, weights / weights.sum()


def _zoom(ticks: Floats, heavy: Floats, lowest: float) -> tuple[float, float]:
    """The part of the axis that carries weight, and a step and a half on either side."""
    margin = 1.5 * (ticks[1] - ticks[0])
    found = ticks[heavy]
    return max(float(found[0] - margin), lowest), float(found[-1] + margin)


def _log_likelihood(excesses: Floats, shapes: Floats, log_scales: Floats) -> Floats:
    """Of the generalised Pareto distribution, shape (n_shapes, n_scales); -inf beyond its end."""
    relative = excesses[None, :] / np.exp(log_scales)[:, None]
    total = np.empty((len(shapes), len(log_scales)))
    with np.errstate(divide="ignore", invalid="ignore"):
        for row, shape in enumerate(np.where(np.abs(shapes) < 1e-6, 1e-6, shapes)):
            inside = shape * relative[:, -1] > -1  # the excesses ascend: the last is the largest
            logs = np.log1p(shape * relative).sum(axis=1)
            total[row] = np.where(inside, -len(excesses) * log_scales - (1 + 1 / shape) * logs, -np.inf)
    return total
