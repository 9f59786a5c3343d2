"""Exercises of step 4: which way a score points, an unsure decoder, from windows to points, and order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.exercises.checking import HintError, Mistake, an_array, call, compare, exercise, figure, got
from vaenb.exercises.pump import CALIBRATION_DAYS, PER_DAY, TRAIN_DAYS, calm_pump
from vaenb.judging.baselines import window_pca_score
from vaenb.judging.metrics import auc_roc

if TYPE_CHECKING:
    from vaenb.records import Floats, Series

_WINDOW: Final = 36
_BLIND, _SEEN = 0.65, 0.85


@dataclass(frozen=True, eq=False, kw_only=True)
class Decoded:
    """What the exercises of step 4 are about.

    Attributes
    ----------
    log_likelihood : ndarray of float64, shape (200,)
        Of the windows of a series, in nats, as a decoder gave it.
    x, mean, scale : ndarray of float64, shape (96,)
        A stretch of a series, and what a decoder expects: the value, and how far it may be off.
    labels : ndarray of int64, shape (96,)
        1 at the four points that were tampered with.
    series : Series
        The pressure of a pump in which nothing happens.
    """

    log_likelihood: Floats
    x: Floats
    mean: Floats
    scale: Floats
    labels: Any
    series: Series


@cache
def material() -> Decoded:
    """Log-likelihoods, a stretch with a quiet and a noisy half, and a series to plant in."""
    rng = np.random.default_rng(6)
    mean = np.sin(2 * np.pi * np.arange(96) / 48)
    scale = np.where(np.arange(96) < 48, 0.05, 0.8)
    x, labels = mean + scale * np.clip(rng.normal(size=96), -2.2, 2.2), np.zeros(96, dtype=np.int64)
    labels[[10, 20, 31, 40]] = 1
    x[labels > 0] = mean[labels > 0] + np.array([0.35, -0.3, 0.4, -0.35])
    log_likelihood = -40 + 6 * rng.standard_t(5, size=200)
    return Decoded(
        log_likelihood=log_likelihood, x=x, mean=mean, scale=scale, labels=labels, series=calm_pump()
    )


@exercise("04.1", wants="an array of anomaly scores, one for each window")
def polarity(answer: object) -> str:
    """Anomaly scores from log-likelihoods."""
    given = material().log_likelihood
    scores = an_array(answer, given.shape, "an array of anomaly scores, one for each window")
    order = scores[np.argsort(given)]
    if (np.diff(order) < 0).all():
        return (
            "The unlikelier a window, the higher its score. Everything that comes after, "
            "thresholds, events and "
            "metrics, relies on this one sign."
        )
    if (np.diff(order) >= 0).all():
        raise HintError(
            "The score rises with the likelihood: the most usual windows would be flagged first. "
            "An anomaly score "
            "is high where the model is surprised."
        )
    raise HintError(
        "The scores do not put the windows in the order of their likelihood: the least "
        "likely window must have "
        "the highest score, and so on down."
    )


@exercise("04.2", wants="a function of `x`, `mean` and `scale`")
def unsure_decoder(answer: Any) -> str:
    """A score of each point that knows how sure the decoder is."""
    given = material()
    if not callable(answer):
        raise HintError(f"{got(answer)} came; expected a function of `x`, `mean` and `scale`.")
    found = call(answer, (given.x, given.mean, given.scale))
    scores = an_array(found, given.x.shape, "a score for each point")
    auc, error = auc_roc(given.labels, scores), auc_roc(given.labels, (given.x - given.mean) ** 2)
    if auc > 0.99:
        return (
            f"All four come first. The squared error reaches an AUC of {figure(error)} here: it "
            f"mistakes the noise of "
            "the second half, which the decoder had announced, for anomalies."
        )
    if auc < 0.1:
        raise HintError(
            "The score points the wrong way: the four points have the lowest scores. Turn the sign."
        )
    if np.argmax(scores) >= len(scores) // 2:
        raise HintError(
            f"The highest score lies in the noisy half, where the decoder said that it is unsure "
            f"(AUC {figure(auc)}). "
            "How many times its `scale` is a point off?"
        )
    raise HintError(f"The AUC is {figure(auc)}; the four points that were tampered with must come first.")


def _to_points(scores: Any, size: int, n: int) -> Floats:
    total, count = np.zeros(n), np.zeros(n)
    for start, score in enumerate(scores):
        total[start : start + size] += score
        count[start : start + size] += 1
    return total / count


def _shifted(scores: Any, size: int, n: int, place: int) -> Floats:
    out = np.full(n, np.nan)
    out[place : place + len(scores)] = scores
    return np.asarray(np.nan_to_num(out)) if size else out


def _extreme(scores: Any, size: int, n: int) -> Floats:
    return np.array([np.max(scores[max(0, t - size + 1) : t + 1]) for t in range(n)])


def _summed(scores: Any, size: int, n: int) -> Floats:
    return np.convolve(scores, np.ones(size))[:n]


@exercise("04.3", wants="a function of `window_scores`, `window_size` and `n_points`")
def from_windows_to_points(answer: object) -> str:
    """The mean over the windows that cover a point, with stride 1."""
    rng = np.random.default_rng(7)
    cases: list[tuple[Any, int, int]] = [
        (np.array([0.0, 3.0]), 2, 3),
        (np.array([0.0, 0.0, 6.0, 0.0]), 3, 6),
        (rng.exponential(size=31), 10, 40),
        (rng.exponential(size=8), 1, 8),
    ]
    compare(
        answer,
        _to_points,
        cases,
        wants="a function of `window_scores`, `window_size` and `n_points`",
        mistakes=[
            Mistake(
                _summed,
                "The scores are summed: a point at the end of the series, which few windows cover, "
                "then looks normal. Divide by how many windows cover the point.",
            ),
            Mistake(
                _extreme,
                "The highest score of the covering windows is taken. Then one odd point makes a "
                "plateau of a whole window; take the mean.",
            ),
            Mistake(
                lambda s, w, n: _shifted(s, w, n, 0),
                "Each score goes to the first point of its window. An event then seems to begin a "
                "window too early: every point of the window has a share in the score.",
            ),
            Mistake(
                lambda s, w, n: _shifted(s, w, n, n - len(s)),
                "Each score goes to the last point of its window: every point of the window has a "
                "share in the score.",
            ),
            Mistake(
                lambda s, w, n: _summed(s, w, n) / w,
                "It is divided by `window_size` everywhere. At both ends of the series fewer windows "
                "cover a point.",
            ),
        ],
    )
    return (
        "Every point gets the mean over the windows that cover it, and near the ends there are fewer of them."
    )


def _new_labels(answer: Any) -> Any:
    series = material().series
    if not (hasattr(answer, "labels") and hasattr(answer, "values")):
        raise HintError(f"{got(answer)} came; expected a `Series` from `vaenb.inject(given.series, ...)`.")
    if answer.values.shape != series.values.shape:
        raise HintError(
            f"The series has {len(answer):,} rows; plant in `given.series`, which has {len(series):,}."
        )
    if answer.labels is None or not answer.labels.any():
        raise HintError(
            "Nothing is planted in this series: `vaenb.inject(given.series, kind, ...)` returns a new one."
        )
    if answer.labels[: series.train_end].any():
        raise HintError(
            "Something is planted in the training part. Choose a place in the test part with `at`."
        )
    unlabelled = (answer.values != series.values).any(axis=1) & (answer.labels == 0)
    if unlabelled.any():
        raise HintError(
            f"{int(unlabelled.sum()):,} rows were changed that carry no label: let `vaenb.inject` do it."
        )
    return np.asarray(answer.labels)


@exercise("04.4", wants="a `Series` from `vaenb.inject`")
def hidden_from_single_points(answer: Any) -> str:
    """An anomaly that a score of windows finds and a score of single points cannot."""
    labels = _new_labels(answer)
    values, learnt = answer.values[:, 0], answer.values[: TRAIN_DAYS * PER_DAY, 0]
    test = slice(CALIBRATION_DAYS * PER_DAY, None)
    alone = auc_roc(labels[test], np.abs(values - np.median(learnt))[test])
    windowed = auc_roc(labels[test], window_pca_score(values, _WINDOW, train_end=len(learnt))[test])
    both = f"single points {figure(alone)}, windows {figure(windowed)} (AUC)"
    if alone > _BLIND:
        raise HintError(
            f"A look at single points finds it: {both}. It holds values that are rare by "
            f"themselves. Which kind keeps "
            "to usual values, and is odd only in their order?"
        )
    if windowed < _SEEN:
        raise HintError(f"Not even the windows find it: {both}. Make it longer, or stronger.")
    return (
        f"Each value is usual, and their order is not: {both}. This is why windows are "
        f"scored, and not points."
    )
