"""New points of a stream: what a user hands over, as values with times; and their cells. NumPy ring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.formats import plain_stamp
from vaenb.reading.channels import LARGEST, to_numbers
from vaenb.reading.columns import find_clock, find_time
from vaenb.reading.dates import parse_times
from vaenb.reading.grid import LONGEST_GAP
from vaenb.reading.tables import from_pandas, name_row
from vaenb.records import Series

if TYPE_CHECKING:
    import pandas as pd

    from vaenb.records import Floats, Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class Points:
    """New rows of a stream.

    Attributes
    ----------
    values : ndarray of float64, shape (n, n_channels)
        NaN where missing.
    index : pandas.Index or None
        The input's own; None where it has none.
    times : ndarray of int64, shape (n,), or None
        Nanoseconds; None where the rows have no dates.
    time_column : str or None
        Where the times stand, for rows that are too few to find it.
    """

    values: Floats
    index: pd.Index[Any] | None = None
    times: Ints | None = None
    time_column: str | None = None

    def __len__(self) -> int:
        return len(self.values)


def read_points(source: Any, channels: tuple[str, ...], *, time_column: str | None = None) -> Points:
    """The rows that a user hands over, also a single one.

    Parameters
    ----------
    source : Series, DataFrame, pandas Series or array_like
        A pandas Series whose index holds the channels is one row, with its name as the time; an array of
        shape (n_channels,) is one row, too, where there are several channels.
    channels : tuple of str
    time_column : str, optional
        Where the times stood before.

    Raises
    ------
    InputError
        If the channels are others, or a value or a time cannot be used; the sentence says which.
    """
    import pandas as pd

    if isinstance(source, Series):
        found = _of_record(source, channels)
    elif isinstance(source, pd.Series) and set(channels) <= {str(name) for name in source.index}:
        row = source.set_axis([str(name) for name in source.index])
        named = None if source.name is None else pd.Index([source.name])
        frame = pd.DataFrame([row[list(channels)].to_list()], columns=list(channels), index=named)
        found = _of_frame(frame, channels, None)
    elif isinstance(source, pd.Series):
        name = channels[0] if source.name is None and len(channels) == 1 else source.name
        found = _of_frame(source.to_frame(name), channels, None)
    elif isinstance(source, pd.DataFrame):
        found = _of_frame(source, channels, time_column)
    else:
        found = _of_array(source, len(channels))
    _refuse_enormous(found.values, channels)
    return found


def _of_record(series: Series, channels: tuple[str, ...]) -> Points:
    if series.channels != channels:
        _refuse_channels(series.channels, channels)
    dated = series.index.dtype.kind == "M"
    times = series.index.astype("datetime64[ns]").astype(np.int64) if dated else None
    return Points(values=series.values, index=series.frame.index, times=times)


def _of_frame(frame: pd.DataFrame, channels: tuple[str, ...], time_column: str | None) -> Points:
    names = [str(name) for name in frame.columns]
    if not set(channels) <= set(names):
        _refuse_channels(tuple(names), channels)
    table = frame.set_axis(names, axis=1)
    columns = [to_numbers(table[channel]) for channel in channels]
    for channel, (_, wrong, _) in zip(channels, columns, strict=True):
        if wrong is not None:
            raise InputError(
                f"Column {channel!r} holds {str(table[channel].iloc[wrong])!r} in {name_row(wrong)}; "
                "expected a number, or nothing."
            )
    values = np.stack([numbers for numbers, _, _ in columns], axis=1)
    if not len(frame):
        return Points(values=values, index=frame.index, time_column=time_column)
    times, column = _times(frame, channels, time_column)
    return Points(values=values, index=frame.index, times=times, time_column=column)


def _times(
    frame: pd.DataFrame, channels: tuple[str, ...], time_column: str | None
) -> tuple[Ints | None, str | None]:
    """Nanoseconds of the rows, and the column that they stand in."""
    import pandas as pd

    if isinstance(frame.index, pd.DatetimeIndex):
        stamps, column = frame.index.to_series(), None
    else:
        table = from_pandas(frame).frame
        column = time_column if time_column in table.columns else find_time(table, channels)
        if column is None:
            return None, None
        clock = find_clock(table, column)
        stamps = table[column] if clock is None else table[column] + " " + table[clock]
    times, _ = parse_times(stamps, name_row)
    return (times.astype(np.int64), column) if times.dtype.kind == "M" else (None, None)


def _of_array(source: Any, n_channels: int) -> Points:
    try:
        # NumPy takes None for NaN.
        table = np.asarray("" if source is None else source, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"The new points are {type(source).__name__}, which cannot be read as numbers; expected a "
            "DataFrame, a Series or an array of shape (n, n_channels)."
        ) from None
    if table.ndim < 2:
        table = table.reshape(-1, 1) if n_channels == 1 else table.reshape(1, -1)
    if table.ndim != 2 or (table.shape[1] != n_channels and table.size):
        raise InputError(
            f"The new points have shape {np.shape(source)}; fitted was a detector of {n_channels}: "
            f"give an array of shape (n, {n_channels})."
        )
    return Points(values=table.reshape(-1, n_channels))


def _refuse_channels(found: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    told = [", ".join(map(repr, names[:6])) + ", ..." * (len(names) > 6) for names in (found, wanted)]
    raise InputError(
        f"The channels are {told[0]}; the detector was fitted on {told[1]}: give the same columns."
    )


def _refuse_enormous(values: Floats, channels: tuple[str, ...]) -> None:
    wrong = np.argwhere(np.abs(values) > LARGEST)  # NaN is not
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"Column {channels[column]!r} holds {values[row, column]:g} in {name_row(row)}; expected a "
            f"finite number of at most {LARGEST:g} in size, or nothing."
        )


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Where a stream with dates stands on its grid, as `vaenb.reading.grid.lay_grid` lays it.

    Attributes
    ----------
    first : int
        The time of the first row, in nanoseconds.
    interval : float
        From one cell to the next, in nanoseconds.
    last : int
        The time of the last row.
    place : int
        Intervals from the first row to the last one's cell, gaps in full length.
    cell : int
        The cell of the last row; gaps are at most 1,000 cells long.
    """

    first: int
    interval: float
    last: int
    place: int = 0
    cell: int = 0

    def place_rows(self, times: Ints) -> tuple[Ints, Clock]:
        """The cells of rows that follow, and where the clock stands after them."""
        new = np.diff(times, prepend=self.last) > 0
        order = np.arange(new.sum() + 1)
        nearest = np.minimum(np.rint((times[new] - self.first) / self.interval), 2.0**62).astype(np.int64)
        places = order + np.maximum.accumulate(np.append(self.place, nearest) - order)
        cells = self.cell + np.cumsum(np.minimum(np.diff(places, prepend=places[0]), LONGEST_GAP + 1))
        rows = cells[np.cumsum(new)]
        return rows, replace(self, last=int(times[-1]), place=int(places[-1]), cell=int(cells[-1]))


def check_forward(times: Ints, last: int | None) -> None:
    """Refuse times that go back.

    Raises
    ------
    InputError
        With the time, and the one that it must not lie before.
    """
    before = times[:-1] if last is None else np.append(last, times[:-1])
    falls = np.flatnonzero(times[len(times) - len(before) :] < before)
    if len(falls):
        at, stands = (
            plain_stamp(np.datetime64(int(moment), "ns"))
            for moment in (times[len(times) - len(before) :][falls[0]], before[falls[0]])
        )
        raise InputError(
            f"Time goes back: {at} comes after {stands}. Nothing was taken; give the points in order of "
            "time, or begin afresh with start_stream()."
        )
