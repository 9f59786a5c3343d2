"""A pump that nobody owns: three weeks to learn from, and three in which something happens ten times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.injecting import inject
from vaenb.reading import read_series

if TYPE_CHECKING:
    from vaenb.injecting import Kind
    from vaenb.records import Floats, Ints, Series

PER_DAY: Final = 144
TRAIN_DAYS, CALIBRATION_DAYS, DAYS = 14, 21, 42
WINDOW: Final = 5
# kind, day, points, size
_PLAN: Final[tuple[tuple[Kind, float, int, float], ...]] = (
    ("spike", 22.3, 3, 1.3),
    ("shift", 24.2, 18, 0.45),
    ("flat", 26.45, 40, 0.0),
    ("frequency", 28.5, 72, 2.0),
    ("drift", 30.7, 60, 0.8),
    ("spike", 32.6, 5, 1.6),
    ("shift", 34.3, 6, 0.26),
    ("shift", 36.6, 24, -0.4),
    ("frequency", 38.0, 72, 3.0),
    ("flat", 40.3, 30, 0.0),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pump:
    """The pressure of a pump every 10 minutes for six weeks, made up, with anomaly scores.

    Attributes
    ----------
    series : Series
        Two weeks to train on, one to calibrate on, and three to test on; labels where something was planted.
    scores : ndarray of float64, shape (6048,)
        Higher = more anomalous: the distance from the usual day, over 5 points.
    calibration : (int, int)
        The first row of the calibration part and the row after its last.
    window_size : int
        Points: scores closer than this share values.
    """

    series: Series
    scores: Floats
    calibration: tuple[int, int] = (TRAIN_DAYS * PER_DAY, CALIBRATION_DAYS * PER_DAY)
    window_size: int = WINDOW

    @property
    def points_per_day(self) -> float:
        """144.0."""
        return float(PER_DAY)

    @property
    def labels(self) -> Ints:
        """1 where something was planted, shape (6048,)."""
        return np.asarray(self.series.labels, dtype=np.int64)

    @property
    def calibration_scores(self) -> Floats:
        """The scores of the third week, in which nothing happens, shape (1008,)."""
        return self.scores[slice(*self.calibration)]

    @property
    def test_scores(self) -> Floats:
        """The scores of the last three weeks, shape (3024,)."""
        return self.scores[self.calibration[1] :]

    @property
    def test_labels(self) -> Ints:
        """The labels of the last three weeks, shape (3024,)."""
        return self.labels[self.calibration[1] :]


@cache
def pump() -> Pump:
    """The pump with its ten anomalies, and scores of it."""
    series = calm_pump()
    for kind, day, length, size in _PLAN:
        series = inject(series, kind, at=int(day * PER_DAY), length=length, size=size)
    return Pump(series=series, scores=_scores(series.values[:, 0]))


@cache
def calm_pump() -> Series:
    """The same pump in six weeks in which nothing happens."""
    import pandas as pd

    rng = np.random.default_rng(3)
    hours = 2 * np.pi * np.arange(DAYS * PER_DAY) / PER_DAY
    usual = 20 + 4 * np.sin(hours - 2) + 1.5 * np.sin(2 * hours)
    pressure = usual + 0.5 * rng.standard_t(6, size=len(hours))
    times = pd.date_range("2024-03-04", periods=len(hours), freq="10min", name="time")
    frame = pd.DataFrame({"time": times, "pressure": pressure})
    return read_series(frame, train_end=CALIBRATION_DAYS * PER_DAY, name="pump")


def _scores(values: Floats) -> Floats:
    """The root mean square, over 5 points, of the distance from the mean day, in training deviations."""
    learnt = TRAIN_DAYS * PER_DAY
    day = values[:learnt].reshape(-1, PER_DAY).mean(axis=0)
    smooth = np.convolve(np.tile(day, 3), np.ones(9) / 9, "same")[PER_DAY : 2 * PER_DAY]
    off = values - np.tile(smooth, DAYS)
    off = off / off[:learnt].std()
    return np.asarray(np.sqrt(np.convolve(off**2, np.ones(WINDOW) / WINDOW, "same")))
