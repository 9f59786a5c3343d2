"""Metrics that count timestamps: precision, recall, F1, and the areas under two curves.

Throughout, a metric that has nothing to measure is NaN: recall and every F1 where no label is 1,
precision where nothing is flagged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaenb.events import as_flags, same_length
from vaenb.judging.ranking import rank

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.judging.ranking import Ranking

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
    return pr_area(rank(labels, scores))


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
    return roc_area(rank(labels, scores))


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
    return best_step(rank(labels, scores))


def pr_area(ranking: Ranking) -> float:
    """As `auc_pr`, of scores that are in order already."""
    if not len(ranking.step):
        return _NAN
    return float(np.diff(ranking.hits, prepend=0) @ (ranking.hits / ranking.flagged) / ranking.hits[-1])


def roc_area(ranking: Ranking) -> float:
    """As `auc_roc`, of scores that are in order already."""
    n_labelled = int(ranking.truth.sum())
    n_normal = len(ranking.truth) - n_labelled
    if not n_labelled or not n_normal:
        return _NAN
    new = np.diff(ranking.hits, prepend=0)
    higher = ranking.above - (ranking.hits - new)  # normal timestamps that score higher than the step
    equal = ranking.flagged - ranking.above - new
    return float(new @ (n_normal - higher - equal / 2) / (n_labelled * n_normal))


def best_step(ranking: Ranking) -> tuple[float, float]:
    """As `best_f1`, of scores that are in order already."""
    n_labelled = int(ranking.truth.sum())
    if not n_labelled:
        return _NAN, _NAN
    can_flag = ranking.step > -np.inf  # no threshold lies below that, and NaN never flags
    if not can_flag.any():
        return 0.0, float("inf")
    f1 = 2 * ranking.hits[can_flag] / (ranking.flagged[can_flag] + n_labelled)
    best = int(np.argmax(f1))
    n_lower = len(ranking.rising) - int(ranking.flagged[best])
    if n_lower > np.isnan(ranking.scores).sum():
        return float(f1[best]), float(ranking.rising[n_lower - 1])
    return float(f1[best]), float(np.nextafter(ranking.step[best], -np.inf))


def precision_recall_f1(hits: int, flagged: int, labelled: int) -> PointScores:
    """The three from counts of timestamps: flagged and labelled, flagged, labelled."""
    return PointScores(
        precision=hits / flagged if flagged else _NAN,
        recall=hits / labelled if labelled else _NAN,
        f1=2 * hits / (flagged + labelled) if labelled else _NAN,
    )
