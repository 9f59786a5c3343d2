"""Exercises of step 1: points and hours, how far an anomaly reaches, and what leaks into a training."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.datasets import load_dataset
from vaenb.exercises.checking import HintError, Mistake, a_number, an_array, compare, exercise, figure, near

if TYPE_CHECKING:
    from vaenb.records import Series

_POINTS_A_DAY: Final = 288
_LENGTH: Final = 60
_TOUCHED: Final = _LENGTH + _POINTS_A_DAY - 1


@cache
def _machine() -> Series:
    return load_dataset("machine_temperature")


@exercise("01.1", wants="a number of points")
def window_of_a_day(answer: object) -> str:
    """How many points a window of one day has in "machine_temperature"."""
    value = a_number(answer, "a number of points")
    if near(value, _POINTS_A_DAY):
        return "288 points: a day has 1,440 minutes, and here a point comes every 5 of them."
    if near(value, 24):
        raise HintError(
            "24 is the hours in a day. A window is counted in points, and here one comes every 5 minutes."
        )
    if near(value, 1440) or near(value, 86_400):
        raise HintError(
            f"{value:,.0f} is a day in {'minutes' if near(value, 1440) else 'seconds'}. A window is counted "
            "in points: how many minutes lie between two of them? `series.interval` says it in seconds."
        )
    if near(value, 12):
        raise HintError("12 points are one hour. A day has 24 of them.")
    raise HintError(
        f"{figure(value)} points of {figure(_machine().interval or 0)} seconds each are "
        f"{figure(value * (_machine().interval or 0) / 3600)} hours; a day has 24."
    )


@exercise("01.2", wants="a number of windows")
def windows_touched(answer: object) -> str:
    """How many windows of 288 points hold a point of an anomaly of 60 points."""
    value = a_number(answer, "a number of windows")
    if near(value, _TOUCHED):
        return (
            "347 windows: the first one ends with the first planted point, the last one begins with the "
            "last, so there are length + window_size - 1. One event speaks through hundreds of windows, "
            "and these are anything but independent."
        )
    if near(value, 1):
        raise HintError(
            "One would be right if windows did not overlap. With stride 1 they overlap nearly wholly."
        )
    if near(value, _LENGTH):
        raise HintError("60 is how many points are anomalous. Each of them lies in many windows.")
    if near(value, _POINTS_A_DAY):
        raise HintError("288 windows hold one given point. The anomaly has 60 points.")
    if near(value, _TOUCHED, 1):
        raise HintError(
            f"{value:.0f} is off by one. Count a small case by hand: windows of 3 points, 2 anomalous ones."
        )
    raise HintError(
        f"{figure(value)} is not it. Which window is the first that holds a planted point, "
        f"which is the last? "
        "Count with the labels: `labels[start : start + 288].any()` for every start."
    )


@exercise("01.3", wants="the scaled values, one a row")
def scale_by_the_training_part(answer: object) -> str:
    """The machine's temperature with the mean and the standard deviation of its training part."""
    series = _machine()
    values, train = series.values[:, 0], series.values[: series.train_end, 0]
    scaled = an_array(answer, values.shape, "the scaled values, one a row")
    if np.allclose(scaled, (values - train.mean()) / train.std(), atol=5e-3):
        return (
            "The training part has mean 0 and standard deviation 1. The failure in the test part lies far "
            "out now, since nobody told the scale that it would come."
        )
    if np.allclose(scaled, (values - values.mean()) / values.std(), atol=5e-3):
        raise HintError(
            "The mean and the standard deviation are those of the whole series: the test part has leaked "
            "into the scale, and the failure in it makes itself look smaller. Take `values[: "
            "series.train_end]`."
        )
    part = scaled[: series.train_end]
    raise HintError(
        f"The training part of your answer has mean {figure(round(float(part.mean()), 6))} "
        f"and standard deviation "
        f"{figure(round(float(part.std()), 6))}; expected 0 and 1."
    )


def _leaks(train: object, test: object, size: int) -> int:
    apart = np.abs(np.asarray(test)[:, None] - np.asarray(train)[None, :]).reshape(len(np.asarray(test)), -1)
    return int((apart < size).any(axis=1).sum())


def _same_start(train: object, test: object, size: int) -> int:  # noqa: ARG001 - a mistake has the same arguments
    return int(np.isin(np.asarray(test), np.asarray(train)).sum())


def _touching(train: object, test: object, size: int) -> int:
    return _leaks(train, test, size + 1)


def _one_side(train: object, test: object, size: int) -> int:
    ahead = np.asarray(test)[:, None] - np.asarray(train)[None, :]
    return int(((ahead >= 0) & (ahead < size)).any(axis=1).sum())


def _pairs(train: object, test: object, size: int) -> int:
    return int((np.abs(np.asarray(test)[:, None] - np.asarray(train)[None, :]) < size).sum())


@exercise("01.4", wants="a function of `train_starts`, `test_starts` and `window_size`")
def windows_that_leak(answer: object) -> str:
    """How many test windows share a point with a training window."""
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(200)
    cases = [
        (np.array([0]), np.array([9]), 10),
        (np.array([0]), np.array([10]), 10),
        (np.array([20]), np.array([12]), 10),
        (np.array([0, 1, 40]), np.array([5, 30, 48]), 10),
        (shuffled[:160], shuffled[160:], 24),
        (np.arange(100), np.arange(123, 170), 24),
    ]
    compare(
        answer,
        _leaks,
        cases,
        wants="a function of `train_starts`, `test_starts` and `window_size`",
        mistakes=[
            Mistake(
                _same_start,
                "Only windows that begin at the same point are counted. Two windows share points as "
                "soon as their starts are less than `window_size` apart.",
            ),
            Mistake(
                _touching,
                "Windows that merely touch are counted too: one that begins at 10 shares nothing "
                "with one of 10 points that begins at 0.",
            ),
            Mistake(
                _one_side,
                "A training window that begins after the test window is overlooked: it shares points "
                "as well.",
            ),
            Mistake(
                _pairs,
                "Pairs of windows are counted. The question is how many test windows share a point "
                "with at least one training window.",
            ),
        ],
    )
    return (
        "After a random split nearly every test window shares points with the training part: the test then "
        "measures memory. After a split in time with a gap of one window, none does."
    )
