"""Affiliation precision and recall: how near, not whether, flags and events lie. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaenb.events import as_flags, runs, same_length

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Floats, Ints

# Every kink of the functions integrated here lies on a whole quarter of a point, so that the
# midpoint rule over quarters of points is no approximation.
_MIDPOINTS = (0.125, 0.375, 0.625, 0.875)


class Affiliation(NamedTuple):
    """Affiliation precision and recall, each between 0 and 1."""

    precision: float
    recall: float


class _Zones(NamedTuple):
    """For each labelled event its start and stop, and those of its zone; all of shape (n_events,)."""

    start: Floats
    stop: Floats
    left: Floats
    right: Floats


def affiliation(labels: ArrayLike, flags: ArrayLike) -> Affiliation:
    r"""Affiliation precision and recall.

    Timestamp :math:`t` is the interval :math:`[t, t+1)`, and the series is cut into zones: the points
    nearest to each labelled event :math:`J`. In a zone :math:`E`, with :math:`X` uniform on it,

    .. math:: \text{precision} = \operatorname{mean}_{x \in \text{flags} \cap E}
        \Pr[d(X, J) \ge d(x, J)], \qquad \text{recall} = \operatorname{mean}_{y \in J}
        \Pr[|X - y| \ge d(y, \text{flags} \cap E)].

    Both compare a distance with that of a point thrown at random. Recall is averaged over all zones
    (0 in a zone without a flag), precision over the zones with a flag.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    flags : array_like of 0/1, shape (n_timestamps,)

    Returns
    -------
    precision, recall : float
        Both NaN where no label is 1. Where nothing is flagged, precision is NaN and recall 0.

    Raises
    ------
    InputError
        If the lengths differ, or a value is neither 0 nor 1.

    Warnings
    --------
    Neither number starts at 0: flags thrown at random have a precision of about 0.5 and, once there are
    a few of them in every zone, a recall near 1; their harmonic mean is about 0.68. Read the figures
    beside those of a random score.

    References
    ----------
    Huet, Navarro and Rossi (2022), Local Evaluation of Time Series Anomaly Detection Algorithms, KDD.

    Examples
    --------
    >>> affiliation([0, 0, 0, 0, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1, 0, 0, 0])
    Affiliation(precision=0.85, recall=0.95)
    """
    truth, flagged = as_flags(labels, "labels"), as_flags(flags)
    same_length(truth, flagged, "flags")
    if not truth.any():
        return Affiliation(float("nan"), float("nan"))
    zones = _zones(*runs(truth), len(truth))
    precision = _precision(zones, np.flatnonzero(flagged))
    recall = _recall(zones, np.flatnonzero(truth), *runs(flagged))
    return Affiliation(precision, recall)


def _zones(start: Ints, stop: Ints, n_timestamps: int) -> _Zones:
    """Cut the series half-way between one event and the next."""
    between = (stop[:-1] + start[1:]) / 2
    return _Zones(
        start=start.astype(np.float64),
        stop=stop.astype(np.float64),
        left=np.concatenate([[0.0], between]),
        right=np.concatenate([between, [float(n_timestamps)]]),
    )


def _precision(zones: _Zones, flagged: Ints) -> float:
    """The mean over the zones with flags of the mean chance, over the flags, to lie further off."""
    total, count = np.zeros(len(zones.start)), np.zeros(len(zones.start))
    for middle in _MIDPOINTS:
        point: Floats = flagged + np.float64(middle)
        home = np.searchsorted(zones.left, point, side="right") - 1
        total += np.bincount(home, _further_from_event(zones, home, point), len(total))
        count += np.bincount(home, minlength=len(total))
    if not count.any():
        return float("nan")
    return float((total[count > 0] / count[count > 0]).mean())


def _further_from_event(zones: _Zones, home: Ints, point: Floats) -> Floats:
    """The share of each point's zone that lies at least as far from the event as the point does."""
    start, stop, left, right = (edge[home] for edge in zones)
    distance = np.maximum(np.maximum(start - point, point - stop), 0.0)
    beyond = np.maximum(start - distance - left, 0.0) + np.maximum(right - stop - distance, 0.0)
    return np.where(distance > 0, beyond / (right - left), 1.0)


def _recall(zones: _Zones, labelled: Ints, start: Ints, stop: Ints) -> float:
    """The mean over the zones of the mean chance, over the event, to lie further off than the flags."""
    total = np.zeros(len(zones.start))
    starts = np.concatenate([[-np.inf], start, [np.inf]])
    stops = np.concatenate([[-np.inf], stop, [np.inf]])
    for middle in _MIDPOINTS:
        point: Floats = labelled + np.float64(middle)
        home = np.searchsorted(zones.start, point, side="right") - 1
        left, right = zones.left[home], zones.right[home]
        run = np.searchsorted(starts, point, side="right") - 1
        before, after = stops[run], starts[run + 1]
        distance = np.minimum(
            np.where(before > left, np.maximum(point - before, 0.0), np.inf),
            np.where(after < right, after - point, np.inf),
        )
        further = np.maximum(point - distance - left, 0.0) + np.maximum(right - point - distance, 0.0)
        total += np.bincount(home, further / (right - left), len(total)) / len(_MIDPOINTS)
    return float((total / (zones.stop - zones.start)).mean())
