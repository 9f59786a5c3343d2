"""Scores in order, once for all metrics that ask what each threshold would flag. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaenb.events import as_flags, as_scores, same_length

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Bools, Floats, Ints


class Ranking(NamedTuple):
    """The scores in order, and the steps at which a falling threshold flags more labelled timestamps.

    Between two steps a lower threshold flags normal timestamps alone, so the steps say all that the metrics
    ask, and only one array as long as the series has to be sorted.

    Attributes
    ----------
    truth : ndarray of bool, shape (n_timestamps,)
    scores : ndarray of float64, shape (n_timestamps,)
        As given.
    rising : ndarray of float64, shape (n_timestamps,)
        The scores in order, NaN as the lowest of all.
    step : ndarray of float64, shape (n_steps,)
        The scores of labelled timestamps, falling, each once.
    hits, flagged, above : ndarray of int64, shape (n_steps,)
        Labelled timestamps, and all timestamps, that score as high as the step or higher; all that score
        higher.
    """

    truth: Bools
    scores: Floats
    rising: Floats
    step: Floats
    hits: Ints
    flagged: Ints
    above: Ints


def rank(labels: ArrayLike, scores: ArrayLike) -> Ranking:
    """Bring scores into order.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    scores : array_like, shape (n_timestamps,)

    Raises
    ------
    InputError
        If the lengths differ, or a label is neither 0 nor 1.
    """
    truth, values = as_flags(labels, "labels"), as_scores(scores)
    same_length(truth, values, "scores")
    rising = _nan_lowest(values)
    rising.sort()
    step, counts = np.unique(_nan_lowest(values[truth]), return_counts=True)
    step, counts = step[::-1], counts[::-1]
    return Ranking(
        truth=truth,
        scores=values,
        rising=rising,
        step=step,
        hits=np.cumsum(counts),
        flagged=len(rising) - np.searchsorted(rising, step, side="left"),
        above=len(rising) - np.searchsorted(rising, step, side="right"),
    )


def _nan_lowest(values: Floats) -> Floats:
    """A copy with -inf for NaN."""
    found = values.copy()
    found[np.isnan(found)] = -np.inf
    return found
