"""What a user hands to a detector, as a series with the channels it must have. NumPy ring."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vaenb.errors import InputError
from vaenb.formats import rounded_span
from vaenb.reading import read_series
from vaenb.records import SECONDS_PER_DAY, Series

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_SHOWN = 6
SAME_INTERVAL = 1.1  # two clocks with a larger ratio tick differently


class SamplingWarning(UserWarning):
    """A series is sampled at another interval than the one a detector learnt from."""


def read_to_fit(source: Any, labels: ArrayLike | None = None) -> Series:
    """A series to learn from; all of it is the training part, unless it says where that ends.

    Parameters
    ----------
    source : Series, DataFrame, pandas Series or array_like
    labels : array_like of 0/1, shape (n_rows,), optional

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if isinstance(source, Series):
        return source if labels is None else read_series(source, labels=labels)
    series = read_series(source, labels=labels)
    return replace(series, train_end=len(series))


def read_alike(source: Any, channels: tuple[str, ...]) -> Series:
    """A series with the channels that a detector was fitted on.

    A DataFrame may have other columns beside them, in any order; an array has no names, so the number of
    its columns must do. A channel may rest, or hold no value at all: that is what a dead sensor looks like.

    Parameters
    ----------
    source : Series, DataFrame, pandas Series or array_like
    channels : tuple of str

    Raises
    ------
    InputError
        If it has other channels; the sentence names both.
    """
    series = source if isinstance(source, Series) else _read(source, channels)
    if series.channels != channels:
        raise InputError(
            f"The channels are {_names(series.channels)}; the detector was fitted on {_names(channels)}: "
            "give the same columns."
        )
    return series


def compare_clocks(series: Series, points_per_day: float | None, *, stacklevel: int) -> None:
    """Warn where a series is sampled otherwise than what a detector was fitted on: its windows count points.

    Where one of the two has no clock, nothing can be said.

    Warns
    -----
    SamplingWarning
        If the intervals differ by more than a tenth; the sentence names both.
    """
    if series.interval is not None and points_per_day is not None:
        compare_intervals(series.interval, SECONDS_PER_DAY / points_per_day, stacklevel=stacklevel + 1)


def compare_intervals(interval: float, learnt: float, *, stacklevel: int) -> bool:
    """Whether two intervals, in seconds, are the same to a tenth; warns as `compare_clocks` where not."""
    now, then = rounded_span(interval), rounded_span(learnt)
    same = max(interval / learnt, learnt / interval) <= SAME_INTERVAL
    if not same:
        warnings.warn(
            f"The series has a point every {now}; the detector was fitted on a series with one "
            f"every {then}, and its windows count points: resample the series to {then}, or "
            "fit a detector on it.",
            SamplingWarning,
            stacklevel=stacklevel,
        )
    return same


def _read(source: Any, channels: tuple[str, ...]) -> Series:
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        named = set(channels) <= {str(name) for name in source.columns}
        return read_series(source, values=list(channels) if named else None, labels=False, may_rest=True)
    series = read_series(source, labels=False, may_rest=True)
    if not isinstance(source, pd.Series) and series.n_channels == len(channels):
        return replace(series, channels=channels)
    return series


def _names(channels: tuple[str, ...]) -> str:
    shown = ", ".join(repr(name) for name in channels[:_SHOWN])
    return f"{shown} and {len(channels) - _SHOWN} more" if len(channels) > _SHOWN else shown
