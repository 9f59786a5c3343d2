"""From a series to windows, and from scores of windows back to timestamps. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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


class VoteCounter:
    """Adds up the votes of windows chunk by chunk; memory is two numbers a timestamp.

    Plain sums, no running differences: one enormous vote leaves no trace on timestamps it does not cover.
    """

    def __init__(self, n_timestamps: int, window_size: int) -> None:
        self.window_size = window_size
        self._total = np.zeros(n_timestamps)
        self._count = np.zeros(n_timestamps, dtype=np.int64)

    def add(self, values: NDArray[np.floating[Any]], starts: NDArray[np.int64]) -> None:
        """Add the votes of the windows at `starts`, shape (n_windows,); starts differ.

        `values` holds one vote for all timestamps of a window, (n_windows,), or one for each,
        (n_windows, window_size), where NaN abstains.
        """
        if not len(starts):
            return
        steps = np.diff(starts)
        # A slice adds ten times faster than a list of positions.
        even = len(steps) > 0 and steps[0] > 0 and bool((steps == steps[0]).all())
        abstains = values.ndim == 2 and bool(np.isnan(values).any())
        for offset in range(self.window_size):
            places: slice | NDArray[np.int64] = starts + offset
            if even:
                places = slice(int(starts[0]) + offset, int(starts[-1]) + offset + 1, int(steps[0]))
            votes = values if values.ndim == 1 else values[:, offset]
            self._total[places] += np.nan_to_num(votes, nan=0.0) if abstains else votes
            self._count[places] += ~np.isnan(votes) if abstains else 1

    def mean(self) -> NDArray[np.float64]:
        """The mean vote, shape (n_timestamps,); NaN where nobody voted."""
        nobody = np.full(len(self._total), np.nan)
        return np.asarray(np.divide(self._total, self._count, out=nobody, where=self._count > 0))
