"""Volume under the surface: range-aware AUCs, averaged over the width of a soft border around each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaenb.errors import InputError
from vaenb.events import runs
from vaenb.judging.ranking import rank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from vaenb.judging.ranking import Ranking
    from vaenb.records import Bools, Floats, Ints

_LONGEST_LAG = 400
_SHORTEST_LAG = 3
NO_PERIOD = 125
_ACF_POINTS = 20_000
_PIECE = 1 << 16


def vus(labels: ArrayLike, scores: ArrayLike, window: int, *, n_thresholds: int = 250) -> tuple[float, float]:
    r"""VUS-PR and VUS-ROC, as TSB-AD computes them.

    Labels are rarely right to the point. So every event gets a soft border: with a buffer of
    :math:`\ell` points, an unlabelled point at distance :math:`d \le \lfloor \ell/2 \rfloor` from an
    event counts as anomalous to the degree :math:`\sqrt{1 - d/\ell}` (two events: the sum, at most 1).
    With these soft labels :math:`y`, flags :math:`\hat y` at one threshold, :math:`P` labelled points and
    :math:`P' = P + \frac12 \sum_{\text{border}} y \hat y`,

    .. math:: \text{TPR} = \min\Big(1, \frac{\sum y\hat y}{P'}\Big) \cdot
        \frac{\text{events with a flag}}{\text{events}}, \quad
        \text{FPR} = \frac{\sum (1-y)\hat y}{n - P'}, \quad
        \text{precision} = \frac{\sum y\hat y}{\sum \hat y},

    where an event includes its border, and events whose borders overlap are one. The areas under the two
    curves over `n_thresholds` thresholds (quantiles of the scores) are averaged over :math:`\ell` from 0
    to `window`.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    scores : array_like, shape (n_timestamps,)
        Higher = more anomalous. NaN counts as the lowest score.
    window : int
        The widest buffer, in points; `find_length_rank` of the series gives TSB-AD's choice.
    n_thresholds : int

    Returns
    -------
    vus_pr, vus_roc : float
        NaN where no label is 1; VUS-ROC also where all are.

    Raises
    ------
    InputError
        If the lengths differ, a label is neither 0 nor 1, or a number is out of range.

    Warnings
    --------
    VUS-PR is not one number: other packages draw the border or place the thresholds in other ways and
    arrive elsewhere. Compare only with figures computed as TSB-AD does, and with the same `window`.
    A random score does not reach 0: its VUS-PR is a little above the share of anomalous points.

    References
    ----------
    Paparrizos et al. (2022), Volume Under the Surface, PVLDB 15(11).
    Liu and Paparrizos (2024), The Elephant in the Room (TSB-AD), NeurIPS Datasets and Benchmarks.

    Examples
    --------
    >>> labels = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    >>> pr, roc = vus(labels, [1, 7, 1, 1, 6, 9, 2, 1, 2, 1], window=2)
    >>> round(pr, 4), round(roc, 4)
    (0.8333, 0.9375)
    """
    return volumes(rank(labels, scores), window, n_thresholds=n_thresholds)


def volumes(ranking: Ranking, window: int, *, n_thresholds: int = 250) -> tuple[float, float]:
    """As `vus`, of scores that are in order already."""
    if window < 0 or n_thresholds < 2:
        raise InputError(
            f"window is {window} and n_thresholds is {n_thresholds}; expected at least 0 and at least 2."
        )
    if not len(ranking.step):
        return float("nan"), float("nan")
    n, n_labelled = len(ranking.truth), int(ranking.hits[-1])
    areas = [_areas(curve, n_labelled, n - n_labelled) for curve in _curves(ranking, window, n_thresholds)]
    pr, roc = np.mean(areas, axis=0)
    return float(pr), float(roc)


def find_length_rank(values: ArrayLike, rank: int = 1) -> int:
    """The period of a series as TSB-AD guesses it: its `window` for VUS.

    The lag of the highest local peak of the autocorrelation of the first 20,000 points, over lags 3 to
    400; 125 where there is no peak or it lies outside of 6 to 303.

    Parameters
    ----------
    values : array_like, shape (n_timestamps,) or (n_timestamps, n_channels)
        Of several channels the first one speaks. NaN counts as the mean.
    rank : int
        1 for the highest peak, 2 for the highest one at a longer lag than that.

    Returns
    -------
    int
        Points.

    Raises
    ------
    InputError
        If `rank` is neither 1 nor 2, or there are no values.

    Examples
    --------
    >>> find_length_rank(np.sin(np.arange(2000) * 2 * np.pi / 50))
    50
    """
    if rank not in {1, 2}:
        raise InputError(f"rank is {rank}; expected 1 (the highest peak) or 2 (the next one).")
    table = np.asarray(values, dtype=np.float64)
    if not table.size:
        raise InputError("There are no values to find a period in; give a series of at least one point.")
    found = _autocorrelation(table.reshape(len(table), -1)[:_ACF_POINTS, 0])[_SHORTEST_LAG:]
    if len(found) < 3:
        return NO_PERIOD
    peaks = np.flatnonzero((found[1:-1] > found[:-2]) & (found[1:-1] > found[2:])) + 1
    if not len(peaks):
        return NO_PERIOD
    order = np.argsort(found[peaks])[::-1]
    later = order[order > order[0]]
    best = peaks[later[0] if rank == 2 and len(later) else order[0]]
    return int(best) + _SHORTEST_LAG if 3 <= best <= 300 else NO_PERIOD


def _autocorrelation(channel: Floats) -> Floats:
    """Autocorrelation at lags 0 to 400, not corrected for the shorter overlap; NaN for a constant."""
    known = np.isfinite(channel)
    if not known.any():
        return np.full(1, np.nan)
    centred = np.where(known, channel - channel[known].mean(), 0.0)
    spectrum = np.fft.rfft(centred, 2 * len(channel))
    lags = np.fft.irfft(spectrum * spectrum.conj())[: min(_LONGEST_LAG + 1, len(channel))]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(lags / lags[0])


def _thresholds(rising: Floats, n_thresholds: int) -> Floats:
    """The falling thresholds: scores at evenly spaced places in their order."""
    places = np.linspace(0, len(rising) - 1, n_thresholds).astype(np.int64)
    return rising[len(rising) - 1 - places]


def _first_flagged(scores: Floats, thresholds: Floats) -> NDArray[np.int32]:
    """For each point the first of the falling thresholds that flags it, shape (n_timestamps,)."""
    found = np.empty(len(scores), dtype=np.int32)
    for first in range(0, len(scores), _PIECE):
        piece = scores[first : first + _PIECE]
        found[first : first + _PIECE] = np.searchsorted(
            -thresholds, np.where(np.isnan(piece), np.inf, -piece)
        )
    return found


class _Curve(NamedTuple):
    """What the flags of each threshold catch at one buffer; all of shape (n_thresholds,)."""

    flagged: Floats
    inside: Floats
    border: Floats
    detected: Floats


def _curves(ranking: Ranking, window: int, n_thresholds: int) -> Iterator[_Curve]:
    """One curve for each buffer from 0 to `window`."""
    truth, thresholds = ranking.truth, _thresholds(ranking.rising, n_thresholds)
    rank = _first_flagged(ranking.scores, thresholds)
    flagged = len(truth) - np.searchsorted(ranking.rising, thresholds).astype(np.float64)
    inside = _count(rank[truth], n_thresholds).cumsum()
    borders = _borders(truth, rank, window // 2, n_thresholds)
    detected = _detected(truth, rank, window // 2, n_thresholds)
    for half, ((alone, shared), found) in enumerate(zip(borders, detected, strict=True)):
        # Two buffers, 2 half and 2 half + 1, reach equally far and differ in the degrees alone.
        for buffer in range(2 * half, min(2 * half + 1, window) + 1):
            degree = np.sqrt(1 - np.arange(1, half + 1) / max(buffer, 1))
            yield _Curve(flagged, inside, (degree @ alone + shared).cumsum(), found)


def _areas(curve: _Curve, n_labelled: int, n_normal: int) -> tuple[float, float]:
    """The areas under one precision-recall curve (a staircase) and one ROC curve (trapezoids)."""
    caught = curve.inside + curve.border
    positives = n_labelled + curve.border / 2
    tpr = np.concatenate([[0.0], np.minimum(caught / positives, 1.0) * curve.detected])
    pr = np.diff(tpr) @ (caught / curve.flagged)
    if not n_normal:
        return float(pr), float("nan")
    fpr = np.concatenate([[0.0], (curve.flagged - caught) / (n_labelled + n_normal - positives), [1.0]])
    return float(pr), float(np.trapezoid(np.append(tpr, 1.0), fpr))


def _count(rank: NDArray[np.int32], n_thresholds: int) -> Floats:
    """How many points each threshold is the first to flag, shape (n_thresholds,)."""
    return np.bincount(rank, minlength=n_thresholds).astype(np.float64)


def _borders(
    truth: Bools, rank: NDArray[np.int32], reach: int, n_thresholds: int
) -> Iterator[tuple[Floats, Floats]]:
    """For each reach from 0 to `reach`, the border points counted by the threshold that flags them first.

    Yields
    ------
    alone : ndarray, shape (reach, n_thresholds)
        Points that lie in the border of a single event, by their distance from it (1, 2, ...).
    shared : ndarray, shape (n_thresholds,)
        Points in the borders of several: each degree is above 0.7, so the sum is cut to 1.
    """
    place, nearest, second = _distances(truth, reach)
    first = rank[place]
    alone = np.zeros((reach + 1, n_thresholds))
    shared = np.zeros(n_thresholds)
    entering, crossing = _by_distance(nearest, reach), _by_distance(second, reach)
    for half in range(reach + 1):
        alone[half] = _count(first[entering[half]], n_thresholds)
        np.subtract.at(alone, (nearest[crossing[half]], first[crossing[half]]), 1)
        shared = shared + _count(first[crossing[half]], n_thresholds)
        yield alone[1 : half + 1], shared


def _distances(truth: Bools, reach: int) -> tuple[Ints, Ints, Ints]:
    """The unlabelled points within `reach` of an event, and their distances from the nearest two."""
    start, stop = runs(truth)
    far = 4 * len(truth)
    ends = np.concatenate([[-far, -far], stop - 1])
    starts = np.concatenate([start, [far, far]])
    place = _around(truth, start, stop, reach)
    before = np.searchsorted(start, place)
    nearest = np.minimum(place - ends[before + 1], starts[before] - place)
    other = np.maximum(place - ends[before + 1], starts[before] - place)
    beyond = np.minimum(place - ends[before], starts[before + 1] - place)
    return place, nearest, np.minimum(other, beyond)


def _around(truth: Bools, start: Ints, stop: Ints, reach: int) -> Ints:
    """The unlabelled points within `reach` of an event, ascending."""
    steps = np.zeros(len(truth) + 1, dtype=np.int32)
    np.add.at(steps, np.maximum(start - reach, 0), 1)
    np.subtract.at(steps, np.minimum(stop + reach, len(truth)), 1)
    return np.flatnonzero((np.cumsum(steps[:-1], out=steps[:-1]) > 0) & ~truth)


def _by_distance(distance: Ints, reach: int) -> list[Ints]:
    """Positions in `distance` that hold 0, 1, ..., `reach`."""
    order = np.argsort(distance, kind="stable")
    return np.split(order, np.searchsorted(distance[order], np.arange(1, reach + 2)))


def _detected(truth: Bools, rank: NDArray[np.int32], reach: int, n_thresholds: int) -> Iterator[Floats]:
    """For each reach from 0 to `reach`, the share of events (with borders) in which a flag falls."""
    start, stop = runs(truth)
    last = stop - 1
    ends = np.column_stack([start, stop]).ravel()
    first = np.minimum.reduceat(np.append(rank, n_thresholds), ends)[::2]
    for half in range(reach + 1):
        first = np.minimum(first, rank[np.maximum(start - half, 0)])
        first = np.minimum(first, rank[np.minimum(last + half, len(rank) - 1)])
        alone = np.concatenate([[True], last[:-1] + half < start[1:] - half])
        joined = np.minimum.reduceat(first, np.flatnonzero(alone))
        yield _count(joined, n_thresholds).cumsum() / len(joined)
