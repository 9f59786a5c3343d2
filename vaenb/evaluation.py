"""Step 6, judge: the metrics of a detector, beside those of three baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vaenb.errors import InputError
from vaenb.events import as_flags, as_scores, same_length
from vaenb.judging.affiliation import affiliation
from vaenb.judging.baselines import random_score, rolling_median_score, window_pca_score
from vaenb.judging.event_metrics import best_point_adjusted_f1, event_scores, point_adjusted
from vaenb.judging.metrics import best_step, point_scores, pr_area, roc_area
from vaenb.judging.ranking import rank
from vaenb.judging.vus import NO_PERIOD, find_length_rank, volumes
from vaenb.records import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike

    from vaenb.records import Bools, Floats, Scores

_TITLES = {
    "random": "A random score",
    "window_pca": "Window PCA",
    "rolling_median": "Distance from the rolling median",
}


class FittedThreshold(Protocol):
    """Anything that has learnt a threshold."""

    threshold_: float


def evaluate(
    labels: ArrayLike,
    scores: ArrayLike | Scores,
    threshold: float | FittedThreshold,
    *,
    values: ArrayLike | None = None,
    train_end: int | None = None,
    window_size: int | None = None,
    points_per_day: float | None = None,
    seed: int = 0,
    baselines: bool = True,
) -> Report:
    """Judge anomaly scores, and the flags that a threshold makes of them, against labels.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    scores : array_like or Scores, shape (n_timestamps,)
        Higher = more anomalous; all that is given is judged, the training part included. NaN counts as
        the lowest score and never flags.
    threshold : float, or an object with ``threshold_``
        A timestamp is flagged where its score lies above it.
    values : array_like, shape (n_timestamps,) or (n_timestamps, n_channels), optional
        The series; NaN where missing. Without it there are no baselines.
    train_end : int, optional
        The PCA is fitted on the first `train_end` points; on all of them without it.
    window_size : int, optional
        Points in a window of the baselines. Without it that of `scores`, or else the series' period.
    points_per_day : float, optional
        Timestamps in a day, for the false alarms a day.
    seed : int
        For the random score.
    baselines : bool
        Whether to judge the baselines too.

    Returns
    -------
    Report
        ``metrics["vae"]``, and ``"random"``, ``"window_pca"`` and ``"rolling_median"`` where there are
        `values`, hold ``vus_pr``, ``vus_roc``, ``auc_pr``, ``auc_roc`` and ``best_f1``. ``metrics["vae"]``
        also holds what depends on the threshold: ``precision``, ``recall``, ``f1``, ``event_recall``,
        ``event_precision``, ``event_f1``, ``false_alarms``, ``false_alarms_per_day`` (NaN without a
        clock), ``false_alarms_per_1000``, ``delay`` (points, mean), ``delay_median``,
        ``affiliation_precision``, ``affiliation_recall`` and ``point_adjusted_f1``. What is undefined is
        NaN. ``settings["vus_window"]`` is the widest buffer of VUS: `find_length_rank` of the first
        channel, as TSB-AD does; without `values` it is the window size, or 125.

    Raises
    ------
    InputError
        If lengths differ, a label is neither 0 nor 1, or a setting makes no sense (a threshold that is
        NaN or not fitted, a training part outside the series).

    Warnings
    --------
    ``best_f1`` is the F1 of the best threshold in hindsight. ``point_adjusted_f1`` is comparable with
    nothing: `vaenb.judging.event_metrics.point_adjusted` says why.

    Examples
    --------
    >>> wave = np.sin(np.arange(600) / 8)
    >>> wave[400:410] += 0.8
    >>> labels = (np.arange(600) >= 400) & (np.arange(600) < 410)
    >>> report = evaluate(labels, np.abs(wave), 1.0, values=wave, train_end=300, window_size=32)
    >>> round(report.metrics["vae"]["recall"], 2), report.metrics["vae"]["false_alarms"]
    (0.6, 0.0)
    >>> print(report.remarks[0])
    Window PCA beats the VAE here: VUS-PR 1.000 against 0.637.
    """
    truth, found = as_flags(labels, "labels"), as_scores(scores)
    same_length(truth, found, "scores")
    limit = _limit(threshold)
    table = None if values is None else _same_rows(values, len(truth))
    size = getattr(scores, "window_size", None) if window_size is None else window_size
    buffer, window = _windows(size, table, len(truth) if train_end is None else train_end)
    metrics = {"vae": _of_scores(truth, found, buffer) | _of_flags(truth, found > limit, points_per_day)}
    if table is not None and baselines:
        for name, score in _baselines(table, window, train_end, seed):
            metrics[name] = _of_scores(truth, score, buffer)
    return Report(
        metrics=metrics,
        remarks=tuple(_remarks(metrics, truth, found > limit, seed)),
        settings={
            "threshold": limit,
            "vus_window": buffer,
            "window_size": window,
            "train_end": train_end,
            "points_per_day": points_per_day,
            "seed": seed,
        },
    )


def _limit(threshold: float | FittedThreshold) -> float:
    """The number itself."""
    found: Any = getattr(threshold, "threshold_", threshold)
    if not isinstance(found, (int, float, np.number)) or np.isnan(found):
        raise InputError(
            f"threshold is {found!r}; expected a number, or a threshold that has been fitted "
            "(fit gives it its threshold_)."
        )
    return float(found)


def _windows(size: int | None, table: Floats | None, train_end: int) -> tuple[int, int]:
    """The widest buffer of VUS, and the points in a window of the baselines."""
    if size is not None and size < 1:
        raise InputError(f"window_size is {size}; it counts points and must be 1 or more.")
    buffer = (size or NO_PERIOD) if table is None else find_length_rank(table)
    return buffer, min(size or buffer, train_end)


def _same_rows(values: ArrayLike, n_timestamps: int) -> Floats:
    """The series as float64, if it has a row for each label."""
    table = np.asarray(values, dtype=np.float64)
    if len(table) != n_timestamps:
        raise InputError(
            f"There are {n_timestamps} labels and {len(table)} rows of values; "
            "there must be one of each a timestamp."
        )
    return table


def _of_scores(truth: Bools, scores: Floats, buffer: int) -> dict[str, float]:
    """What needs no threshold."""
    ranking = rank(truth, scores)
    vus_pr, vus_roc = volumes(ranking, buffer)
    return {
        "vus_pr": vus_pr,
        "vus_roc": vus_roc,
        "auc_pr": pr_area(ranking),
        "auc_roc": roc_area(ranking),
        "best_f1": best_step(ranking)[0],
    }


def _of_flags(truth: Bools, flags: Bools, points_per_day: float | None) -> dict[str, float]:
    """What the threshold decides."""
    point, near = point_scores(truth, flags), affiliation(truth, flags)
    event = event_scores(truth, flags, points_per_day)
    a_day = event.false_alarms_per_day
    return {
        "precision": point.precision,
        "recall": point.recall,
        "f1": point.f1,
        "event_recall": event.recall,
        "event_precision": event.precision,
        "event_f1": event.f1,
        "false_alarms": float(event.false_alarms),
        "false_alarms_per_day": float("nan") if a_day is None else a_day,
        "false_alarms_per_1000": event.false_alarms_per_1000,
        "delay": event.delay_mean,
        "delay_median": event.delay_median,
        "affiliation_precision": near.precision,
        "affiliation_recall": near.recall,
        "point_adjusted_f1": point_adjusted(truth, flags).f1,
    }


def _baselines(table: Floats, window: int, train_end: int | None, seed: int) -> Iterator[tuple[str, Floats]]:
    """Each baseline's name and scores."""
    yield "random", random_score(len(table), seed=seed)
    yield "window_pca", window_pca_score(table, window, train_end=train_end)
    yield "rolling_median", rolling_median_score(table, window)


def _apart(first: float, second: float) -> str:
    """Two numbers that differ, with the three decimals or more that it takes to see it."""
    told = ((f"{first:.{digits}f}", f"{second:.{digits}f}") for digits in range(3, 17))
    return " against ".join(next((pair for pair in told if pair[0] != pair[1]), (repr(first), repr(second))))


def _remarks(
    metrics: Mapping[str, Mapping[str, float]], truth: Bools, flags: Bools, seed: int
) -> Iterator[str]:
    """What a reader must not miss."""
    ours = metrics["vae"]
    if not truth.any():
        yield (
            "No label is 1: all that compares with a labelled event is undefined, "
            "and only the false alarms mean something."
        )
        return
    for name, title in _TITLES.items():
        theirs = metrics.get(name, {}).get("vus_pr", float("nan"))
        if theirs > ours["vus_pr"]:
            yield f"{title} beats the VAE here: VUS-PR {_apart(theirs, ours['vus_pr'])}."
    if not flags.any():
        yield "The threshold flags nothing: every event is missed."
    lucky = best_point_adjusted_f1(truth, random_score(len(truth), seed=seed))
    yield (
        f"Point-adjusted F1 ({ours['point_adjusted_f1']:.2f}) is comparable with nothing: "
        f"a random score reaches {lucky:.2f} under it at its best threshold."
    )
