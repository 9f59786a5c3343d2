"""Metrics that count timestamps: precision, recall, F1, and the areas under two curves.

Throughout, a metric that has nothing to measure is NaN: recall and every F1 where no label is 1,
precision where nothing is flagged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaenb.events import as_flags, as_scores, same_length

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Bools, Floats

_HUGE = 1e300
_NAN = float("nan")


class PointScores(NamedTuple):
    """Precision, recall and F1, each between 0 and 1."""

    precision: float
    recall: float
    f1: float


def point_scores(labels: ArrayLike, flags: ArrayLike) -> PointScores:
    """Precision, recall and F1 over timestamps.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    flags : array_like of 0/1, shape (n_timestamps,)

    Returns
    -------
    precision, recall, f1 : float
        Precision is NaN where nothing is flagged (F1 is then 0), recall and F1 where no label is 1.

    Raises
    ------
    InputError
        If the lengths differ, or a value is neither 0 nor 1.

    Examples
    --------
    >>> point_scores([0, 1, 1, 0], [0, 1, 0, 0])
    PointScores(precision=1.0, recall=0.5, f1=0.6666666666666666)
    """
    truth, flagged = as_flags(labels, "labels"), as_flags(flags)
    same_length(truth, flagged, "flags")
    return precision_recall_f1(int((truth & flagged).sum()), int(flagged.sum()), int(truth.sum()))


def auc_pr(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the precision-recall curve over timestamps: scikit-learn's average precision.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    scores : array_like, shape (n_timestamps,)
        Higher = more anomalous. NaN counts as the lowest score.

    Returns
    -------
    float
        A random score reaches the share of 1s among the labels. NaN where no label is 1.

    Raises
    ------
    InputError
        If the lengths differ, or a label is neither 0 nor 1.

    Examples
    --------
    >>> auc_pr([0, 1, 0, 1], [0.1, 0.9, 0.8, 0.7])
    0.8333333333333333
    """
    from sklearn.metrics import average_precision_score

    truth, values = _finite(labels, scores)
    return float(average_precision_score(truth, values)) if truth.any() else _NAN


def auc_roc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve over timestamps (scikit-learn's).

    The chance that an anomalous timestamp scores higher than a normal one, ties counted half.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    scores : array_like, shape (n_timestamps,)
        Higher = more anomalous. NaN counts as the lowest score.

    Returns
    -------
    float
        A random score reaches 0.5. NaN where all labels are the same.

    Raises
    ------
    InputError
        If the lengths differ, or a label is neither 0 nor 1.

    Examples
    --------
    >>> auc_roc([0, 1, 0, 1], [0.1, 0.9, 0.8, 0.7])
    0.75
    """
    from sklearn.metrics import roc_auc_score

    truth, values = _finite(labels, scores)
    return float(roc_auc_score(truth, values)) if truth.any() and not truth.all() else _NAN


def best_f1(labels: ArrayLike, scores: ArrayLike) -> tuple[float, float]:
    """The highest F1 over timestamps that any threshold reaches, and that threshold.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    scores : array_like, shape (n_timestamps,)
        Higher = more anomalous. NaN never flags.

    Returns
    -------
    f1, threshold : float
        A timestamp is flagged where its score lies above the threshold, which is the highest score that is
        not flagged. Both NaN where no label is 1.

    Raises
    ------
    InputError
        If the lengths differ, or a label is neither 0 nor 1.

    Warnings
    --------
    The threshold was chosen with the labels that judge it: the F1 is a ceiling, not a forecast.

    Examples
    --------
    >>> best_f1([0, 1, 1, 0], [0.1, 0.9, 0.7, 0.2])
    (1.0, 0.2)
    """
    truth, values = as_flags(labels, "labels"), as_scores(scores)
    same_length(truth, values, "scores")
    if not truth.any():
        return _NAN, _NAN
    order = np.argsort(values, kind="stable")[::-1]
    order = order[~np.isnan(values[order])]
    falling = np.append(values[order], np.nextafter(values[order[-1:]], -np.inf))
    # A threshold can only stand below the last of several equal scores.
    flagged = np.flatnonzero(falling[1:] < falling[:-1]) + 1
    if not len(flagged):
        return 0.0, float("inf")
    f1 = 2 * truth[order].cumsum()[flagged - 1] / (flagged + truth.sum())
    best = int(np.argmax(f1))
    return float(f1[best]), float(falling[flagged[best]])


def precision_recall_f1(hits: int, flagged: int, labelled: int) -> PointScores:
    """The three from counts of timestamps: flagged and labelled, flagged, labelled."""
    return PointScores(
        precision=hits / flagged if flagged else _NAN,
        recall=hits / labelled if labelled else _NAN,
        f1=2 * hits / (flagged + labelled) if labelled else _NAN,
    )


def _finite(labels: ArrayLike, scores: ArrayLike) -> tuple[Bools, Floats]:
    """Labels and scores of one length; what is not finite becomes huge, and NaN the lowest score."""
    truth, values = as_flags(labels, "labels"), as_scores(scores)
    same_length(truth, values, "scores")
    return truth, np.nan_to_num(values, nan=-_HUGE, posinf=_HUGE, neginf=-_HUGE)
