"""Plant an anomaly in a series, to see whether it is found. NumPy ring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from vaenb.checks import check_choice, check_number, check_whole
from vaenb.errors import InputError
from vaenb.formats import counted, number, plain_stamp
from vaenb.periods import dominant_period
from vaenb.reading import read_series
from vaenb.records import Series
from vaenb.scaling import Scaler

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd
    from numpy.typing import ArrayLike

    from vaenb.records import Bools, Floats

    When = int | str | datetime | np.datetime64 | pd.Timestamp

Kind = Literal["spike", "shift", "drift", "frequency", "flat"]
_SIZES: Final[dict[str, float]] = {"spike": 6.0, "shift": 3.0, "drift": 3.0, "frequency": 2.0, "flat": 0.0}
_NO_PERIOD: Final = 32


def inject(
    series: Series | pd.DataFrame | ArrayLike,
    kind: Kind,
    *,
    at: When | None = None,
    length: int | None = None,
    size: float | None = None,
    channels: str | Sequence[str] | None = None,
    seed: int = 0,
) -> Series:
    """Plant an anomaly in a series, and label it.

    With ``x`` the channel, ``s`` its robust spread, and ``t`` from 0 to ``length - 1`` the points of the
    stretch that begins at ``at``, the stretch becomes

    - "spike": ``x[at + t] + size * s * min(t + 1, length - t) / ceil(length / 2)``, a peak;
    - "shift": ``x[at + t] + size * s``, another level;
    - "drift": ``x[at + t] + size * s * (t + 1) / length``, which begins unseen and ends at ``size``;
    - "frequency": ``x[at + (size * t) mod length]``, its own values ``size`` times as fast, in a circle;
    - "flat": ``x[at] + size * s``, a sensor that is stuck.

    The spread is what `Scaler` learns from the training part: a shift of size 3 moves the scaled values by 3.

    Parameters
    ----------
    series : Series, DataFrame or array_like
        It is left as it is. A DataFrame or an array is read by `read_series`.
    kind : {"spike", "shift", "drift", "frequency", "flat"}
    at : timestamp, str or int, optional
        Where the stretch begins: a point in time, or the row number from 0 in the order of time. Without it,
        a place in the test part is drawn that keeps its own length away from other labelled rows.
    length : int, optional
        In points of the regular grid. Without it, 1 for a spike, else the dominant period of the training
        part, or 32 points where there is none.
    size : float, optional
        In robust spreads, negative for down; for "frequency" a factor, 0.5 for half as fast. The default is 6
        for a spike, 3 for a shift and a drift, 2 for a frequency, and 0 for a flat line.
    channels : str or sequence of str, optional
        Where to plant it; all channels without it.
    seed : int
        Of the place that is drawn.

    Returns
    -------
    Series
        With the values changed, 1 in `Series.labels` where they were planted, beside the labels that were
        there, and a sentence in `Series.planted`, which `Series.about` tells too. What was missing stays
        missing.

    Raises
    ------
    InputError
        If a setting cannot be used, the stretch does not fit, or nothing would change.

    Examples
    --------
    >>> import vaenb
    >>> series = vaenb.load_dataset("toy_daily")
    >>> planted = inject(series, "shift", at="2014-04-13 12:00", length=24)
    >>> int(planted.labels.sum() - series.labels.sum())
    24
    >>> print(*planted.planted)
    a shift of 3 spreads in 'value', 24 points from 2014-04-13 12:00 to 2014-04-13 13:55
    """
    check_choice("kind", kind, get_args(Kind))
    whole = series if isinstance(series, Series) else read_series(series)
    size = _check_size(kind, size)
    places = _check_channels(whole, channels)
    grid = whole.grid
    if length is None:
        length = 1 if kind == "spike" else dominant_period(grid[: whole.train_cells]) or _NO_PERIOD
    length = check_whole("length", length, least=1 if kind in {"spike", "shift", "drift"} else 2)
    start = _draw(whole, grid[:, places], length, seed) if at is None else _find(whole, at, length)
    stretch = _Stretch(kind=kind, start=start, length=length, size=size)
    return _planted(whole, stretch, grid, places)


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """What is planted, and in which cells."""

    kind: str
    start: int
    length: int
    size: float

    def shape(self, values: Floats, spread: float) -> Floats:
        """The stretch of one channel, shape (length,), after it was planted; where it knows nothing, NaN."""
        t = np.arange(self.length)
        if self.kind == "flat":
            return np.full(self.length, _filled(values)[0] + self.size * spread)
        if self.kind == "frequency":
            return np.asarray(np.interp(self.size * t, t, _filled(values), period=self.length))
        rise = {
            "spike": np.minimum(t + 1, self.length - t) / ((self.length + 1) // 2),
            "shift": np.ones(self.length),
            "drift": (t + 1) / self.length,
        }[self.kind]
        return np.asarray(values + self.size * spread * rise)


def _filled(values: Floats) -> Floats:
    """A stretch whose missing values lie on straight lines between the known ones; at least one is known."""
    known = np.flatnonzero(~np.isnan(values))
    return np.asarray(np.interp(np.arange(len(values)), known, values[known]))


def _planted(series: Series, stretch: _Stretch, grid: Floats, places: list[int]) -> Series:
    """The series with the stretch in the channels at `places`."""
    begin, stop = stretch.start, stretch.start + stretch.length
    rows = np.flatnonzero((series.cells >= begin) & (series.cells < stop))
    spreads = Scaler().fit(grid[: series.train_cells]).scale_
    values = series.values.copy()
    for place in places:
        cells = grid[begin:stop, place]
        if np.isnan(cells).all():
            raise InputError(
                f"Channel {series.channels[place]!r} has no value in the {counted(len(cells), 'point')} from "
                f"{_where(series, begin)}: choose another place with at, or other channels."
            )
        changed = stretch.shape(cells, spreads[place])[series.cells[rows] - begin]
        values[rows, place] = np.where(np.isnan(values[rows, place]), np.nan, changed)
    if np.array_equal(values, series.values, equal_nan=True):
        raise InputError(
            f"A {stretch.kind} of size {stretch.size:g} over {counted(stretch.length, 'point')} from "
            f"{_where(series, begin)} would change nothing: choose another size, length or place."
        )
    labels = np.zeros(len(series), dtype=np.int8) if series.labels is None else series.labels.copy()
    labels[rows] = 1
    told = _told(series, stretch, places)
    return replace(series, values=values, labels=labels, planted=(*series.planted, told))


def _told(series: Series, stretch: _Stretch, places: list[int]) -> str:
    """What was planted where, in a sentence."""
    size = number(stretch.size)
    what = {
        "frequency": f"the stretch's own values {size} times as fast",
        "flat": f"a flat line, {size} spreads off" if stretch.size else "a flat line",
    }.get(stretch.kind, f"a {stretch.kind} of {size} {'spread' if size == '1' else 'spreads'}")
    if len(places) == series.n_channels > 1:
        where = f"all {series.n_channels} channels"
    else:
        where = ", ".join(repr(series.channels[place]) for place in places)
    span = f"from {_where(series, stretch.start)} to {_where(series, stretch.start + stretch.length - 1)}"
    if stretch.length == 1:
        span = f"at {_where(series, stretch.start)}"
    return f"{what} in {where}, {counted(stretch.length, 'point')} {span}"


def _where(series: Series, cell: int) -> str:
    """The timestamp of a cell: of its first row, or of the nearest one where the cell is empty."""
    return plain_stamp(series.index[int(np.argmin(np.abs(series.cells - cell)))])


def _check_size(kind: str, size: float | None) -> float:
    if size is None:
        return _SIZES[kind]
    return check_number("size", size, above=0.0) if kind == "frequency" else check_number("size", size)


def _check_channels(series: Series, channels: str | Sequence[str] | None) -> list[int]:
    chosen = series.channels if channels is None else [channels] if isinstance(channels, str) else channels
    for channel in chosen:
        if channel not in series.channels:
            raise InputError(
                f"There is no channel {channel!r}; expected some of: {', '.join(series.channels)}."
            )
    if not len(chosen):
        raise InputError("channels is empty; expected at least one, or None for all.")
    return sorted({series.channels.index(channel) for channel in chosen})


# ---------------------------------------------------------------------- where


def _find(series: Series, at: Any, length: int) -> int:
    """The cell that a timestamp or a row number stands for; the stretch from there must fit."""
    order = np.argsort(series.cells, kind="stable")
    if isinstance(at, int | np.integer) and not isinstance(at, bool):
        row = int(at)
        expected = f"a row number from 0 to {len(series) - 1:,}"
    else:
        row = _row_at(series, at, order)
        index = series.index[order]
        expected = f"a time from {plain_stamp(index[0])} to {plain_stamp(index[-1])}"
    if not 0 <= row < len(series):
        raise InputError(f"at is {at!r}, which is outside the series; expected {expected}.")
    cell = int(series.cells[order[row]])
    if cell + length > series.n_cells:
        raise InputError(
            f"A stretch of {counted(length, 'point')} from {at!r} reaches over the end of the series: "
            f"{series.n_cells - cell:,} are left there; choose an earlier place or a smaller length."
        )
    return cell


def _row_at(series: Series, at: Any, order: Any) -> int:
    """The first row, in the order of time, at or after a timestamp; -1 before the series begins."""
    import pandas as pd

    stamp = None if isinstance(at, bool | float) else pd.to_datetime(str(at), errors="coerce")
    if not isinstance(stamp, pd.Timestamp) or series.index.dtype.kind != "M":
        dated = series.index.dtype.kind == "M"
        expected = (
            "a timestamp such as 2024-01-31, or a row number" if dated else "a row number: no dates here"
        )
        raise InputError(f"at is {at!r}; expected {expected}.")
    if stamp.tz is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    moment, index = stamp.to_datetime64(), series.index[order]
    if moment < index[0]:
        return -1
    later = index >= moment
    return int(np.argmax(later)) if later.any() else len(index)


def _draw(series: Series, values: Floats, length: int, seed: int) -> int:
    """A cell in the test part with room for the stretch and its own length free of labels on either side."""
    first, n_starts = series.train_cells, series.n_cells - length + 1
    labelled = np.zeros(series.n_cells, dtype=bool)
    if series.labels is not None:
        labelled[series.cells[series.labels > 0]] = True
    starts = np.arange(first, max(n_starts, first))
    near = _any_between(labelled, starts - length, starts + 2 * length)
    missing = _any_between(np.asarray(np.isnan(values).any(axis=1)), starts, starts + length)
    free = starts[~missing & ~near]
    if not len(free):
        raise InputError(
            f"The test part of {counted(series.n_cells - first, 'point')} has no stretch of "
            f"{counted(length, 'point')} that is complete and away from labelled rows: "
            "choose a smaller length, or the place with at."
        )
    return int(np.random.default_rng(check_whole("seed", seed, least=0)).choice(free))


def _any_between(flags: Bools, starts: Any, stops: Any) -> Bools:
    """For each start and stop, cut to the ends, whether a flag lies between them."""
    total = np.concatenate([[0], np.cumsum(flags)])
    low, high = (np.clip(edge, 0, len(flags)) for edge in (starts, stops))
    return np.asarray(total[high] > total[low])
