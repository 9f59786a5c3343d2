"""From a series to windows, and from scores of windows back to timestamps. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.counting import whole_numbers
from vaenb.errors import InputError
from vaenb.records import Windows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def make_windows(
    values: ArrayLike, window_size: int = 64, *, stride: int = 1, missing: ArrayLike | None = None
) -> Windows:
    """Cut a series into overlapping windows, without copying it.

    Parameters
    ----------
    values : array_like, shape (n_timestamps,) or (n_timestamps, n_channels)
        NaN counts as missing and is filled with 0.
    window_size : int
        Points in a window.
    stride : int
        Points from the start of one window to the start of the next. The last window always ends
        on the last point, so that every point lies in a window.
    missing : array_like of bool, same shape, optional
        True where the value is not to be trusted.

    Returns
    -------
    Windows

    Raises
    ------
    InputError
        If the series is shorter than one window, or a number is not positive.

    Examples
    --------
    >>> make_windows([1, 2, 3, 4, 5], window_size=3).array[:, :, 0]
    array([[1., 2., 3.],
           [2., 3., 4.],
           [3., 4., 5.]], dtype=float32)
    """
    table = np.asarray(values)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2:
        raise InputError(
            f"values has shape {table.shape}; expected (n_timestamps,) or (n_timestamps, n_channels)."
        )
    if window_size < 1 or stride < 1:
        raise InputError(
            f"window_size is {window_size} and stride is {stride}; both must be whole numbers of at least 1."
        )
    if len(table) < window_size:
        raise InputError(
            f"The series has {len(table)} points, fewer than one window of {window_size}: "
            "give a longer series or a smaller window_size."
        )
    filled, hidden = _fill(table, missing)
    return Windows(
        values=filled,
        missing=hidden,
        starts=window_starts(len(table), window_size, stride=stride),
        window_size=window_size,
        stride=stride,
    )


def _fill(
    table: NDArray[Any], missing: ArrayLike | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """The table as float32 with its missing points at 0, and where they are (None: nowhere)."""
    data = table.astype(np.float32, copy=False)
    hidden = np.isnan(data)
    if missing is not None:
        hidden |= np.asarray(missing, dtype=bool).reshape(data.shape)
    if not hidden.any():
        return data, None
    return np.where(hidden, np.float32(0), data), hidden


def window_starts(n_timestamps: int, window_size: int, *, stride: int = 1) -> NDArray[np.int64]:
    """Where windows start so that every point is covered: each `stride`, and once at the very end."""
    last = n_timestamps - window_size
    if stride == 1:
        return whole_numbers(last + 1)
    starts = np.arange(0, last + 1, stride, dtype=np.int64)
    return starts if starts[-1] == last else np.append(starts, last)


def average_windows(
    window_values: ArrayLike, starts: ArrayLike, window_size: int, n_timestamps: int
) -> NDArray[np.float64]:
    """Let windows vote: each timestamp gets the plain mean of the values of the windows that cover it.

    Parameters
    ----------
    window_values : array_like, shape (n_windows,)
    starts : array_like of int, shape (n_windows,)
    window_size : int
    n_timestamps : int

    Returns
    -------
    ndarray of float64, shape (n_timestamps,)
        NaN at a timestamp that no window covers.
    """
    votes = VoteCounter(n_timestamps, window_size)
    votes.add(np.asarray(window_values, dtype=np.float64), np.asarray(starts, dtype=np.int64))
    return votes.mean()


def whole_share(windows: Windows) -> float:
    """The share of the windows that no point is missing from."""
    if windows.missing is None:
        return 1.0
    holes = np.append(0, np.cumsum(windows.missing.any(axis=1)))
    return float(np.mean(holes[windows.starts + windows.window_size] == holes[windows.starts]))


class VoteCounter:
    """Adds up the votes of windows chunk by chunk.

    Memory is 12 bytes a timestamp. Plain sums, no running differences: one enormous vote leaves no trace on
    timestamps it does not cover.

    Parameters
    ----------
    n_timestamps : int
    window_size : int
    """

    def __init__(self, n_timestamps: int, window_size: int) -> None:
        self.window_size = window_size
        self._total = np.zeros(n_timestamps)
        self._more = np.zeros(n_timestamps + 1, dtype=np.int32)  # voters, less those of the timestamp before

    def add(self, values: NDArray[np.floating[Any]], starts: NDArray[np.int64]) -> None:
        """Add the votes of the windows at `starts`, shape (n_windows,); starts differ.

        `values` holds one vote for all timestamps of a window, (n_windows,), or one for each,
        (n_windows, window_size), where NaN abstains.
        """
        if not len(starts):
            return
        stride = _even_stride(starts)
        self._more[_places(starts, stride, 0)] += 1
        self._more[_places(starts, stride, self.window_size)] -= 1
        if values.ndim > 1:
            self._add_each(values, starts, stride)
        elif stride == 1:
            spread = moving_sums(values, self.window_size)
            self._total[starts[0] : starts[0] + len(spread)] += spread
        else:
            for offset in range(self.window_size):
                self._total[_places(starts, stride, offset)] += values

    def _add_each(self, values: NDArray[np.floating[Any]], starts: NDArray[np.int64], stride: int) -> None:
        """Add a vote for each timestamp, (n_windows, window_size)."""
        abstains = np.isnan(values)
        some = bool(abstains.any())
        votes = np.where(abstains, 0.0, values) if some else values
        for offset in range(self.window_size):
            here = _places(starts, stride, offset)
            self._total[here] += votes[:, offset]
            if some:
                self._more[here] -= abstains[:, offset]
                self._more[_places(starts, stride, offset + 1)] += abstains[:, offset]

    def mean(self) -> NDArray[np.float64]:
        """The mean vote, shape (n_timestamps,); NaN where nobody voted. Ends the count."""
        voters = np.cumsum(self._more[:-1], out=self._more[:-1])
        with np.errstate(invalid="ignore"):  # nothing by nobody is NaN
            return np.divide(self._total, voters, out=self._total)


def _even_stride(starts: NDArray[np.int64]) -> int:
    """The distance between starts that are evenly spaced; 0 where they are not."""
    steps = np.diff(starts)
    return int(steps[0]) if len(steps) and steps[0] > 0 and bool((steps == steps[0]).all()) else 0


def _places(starts: NDArray[np.int64], stride: int, offset: int) -> slice | NDArray[np.int64]:
    """The timestamps that lie `offset` behind the starts."""
    if not stride:
        return starts + offset
    # A slice adds ten times faster than a list of positions.
    return slice(int(starts[0]) + offset, int(starts[-1]) + offset + 1, stride)


def moving_sums(values: NDArray[np.floating[Any]], size: int) -> NDArray[np.float64]:
    """The sum of each value and the `size` - 1 before it, as far as there are any.

    Sums of k values become sums of 2 k and of 2 k + 1, along the binary digits of `size`. So they are plain
    sums, each of its own values alone and in the same order wherever it stands, in log(size) steps.

    Parameters
    ----------
    values : ndarray, shape (n,)
    size : int

    Returns
    -------
    ndarray of float64, shape (n + size - 1,)

    Examples
    --------
    >>> moving_sums(np.array([1.0, 2.0, 4.0]), 2)
    array([1., 3., 6., 4.])
    """
    alone = np.concatenate([values, np.zeros(size - 1)], dtype=np.float64)
    total, reach = alone.copy(), 1
    for digit in f"{size:b}"[1:]:
        total[reach:] += total[:-reach].copy()
        reach *= 2
        if digit == "1":
            total[reach:] += alone[: len(alone) - reach]
            reach += 1
    return total
