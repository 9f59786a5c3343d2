"""How long a window should be: the dominant period of a series. NumPy and SciPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Floats, Ints

SHORTEST: Final = 16
LONGEST: Final = 128
_NO_PERIOD: Final = 64
_WIDEST: Final = 2048  # numbers in a window, all channels together: what a small network can learn
_FEWEST: Final = 4

_POINTS: Final = 1 << 16  # enough for 45 days of minutes
_LAGS: Final = 3_000
CLEAR_HEIGHT: Final = 0.2  # of a peak of the autocorrelation
_PROMINENCE: Final = 0.08
_NEARLY: Final = 0.9


def dominant_period(values: ArrayLike, *, longest: int = _LAGS) -> int | None:
    """Find the period that dominates a series, in points.

    The autocorrelation of each channel, after a straight line is taken off and its outermost 1 % on
    either side are clipped, is averaged over the channels:
    ``r[k] = mean over channels of sum_t x[t] x[t + k] / sum_t x[t]^2``.
    The period is the shortest lag with a clear peak that is at least 0.9 times as high as the highest;
    clear means a height of at least 0.2 and a prominence of at least 0.08. So a day wins over a week
    that repeats it.

    Parameters
    ----------
    values : array_like, shape (n_timestamps,) or (n_timestamps, n_channels)
        NaN is missing, and counts as the mean. Only the first 65,536 points are looked at.
    longest : int
        The longest period to look for, in points; never more than a third of the series.

    Returns
    -------
    int or None
        The period in points; None where none is clear.

    Examples
    --------
    >>> import numpy as np
    >>> dominant_period(np.sin(2 * np.pi * np.arange(1000) / 48))
    48
    """
    found = autocorrelation(values, longest=longest)
    return None if found is None else found.period


@dataclass(frozen=True, eq=False, kw_only=True)
class Autocorrelation:
    """How much a series resembles itself some points later; see `dominant_period`.

    Attributes
    ----------
    values : ndarray of float64, shape (n_lags,)
        The mean over the channels; 1 at lag 0.
    peaks : ndarray of int64
        The lags of the clear peaks, ascending.
    """

    values: Floats
    peaks: Ints

    @property
    def period(self) -> int | None:
        """The shortest of the peaks that are nearly as high as the highest; None where none is clear."""
        heights = self.values[self.peaks]
        return int(self.peaks[heights >= _NEARLY * heights.max()][0]) if len(heights) else None


def autocorrelation(values: ArrayLike, *, longest: int = _LAGS) -> Autocorrelation | None:
    """Measure how much a series resembles itself at each lag; `dominant_period` says how.

    Parameters
    ----------
    values : array_like, shape (n_timestamps,) or (n_timestamps, n_channels)
    longest : int

    Returns
    -------
    Autocorrelation or None
        None where the series is too short, or never changes.
    """
    table = np.asarray(values, dtype=np.float64)[:_POINTS]
    table = table[:, None] if table.ndim == 1 else table
    n_lags = min(longest + 1, len(table) // 3)
    found = [acf for channel in table.T if (acf := _autocorrelation(channel, n_lags)) is not None]
    if n_lags < 3 or not found:
        return None
    from scipy.signal import find_peaks

    acf = np.mean(found, axis=0)
    peaks, _ = find_peaks(acf, height=CLEAR_HEIGHT, prominence=_PROMINENCE)
    return Autocorrelation(values=acf, peaks=peaks.astype(np.int64))


def choose_window_size(values: ArrayLike, n_calibration: int) -> tuple[int, str]:
    """Choose a window size: the dominant period, between 16 and 128 points, and why.

    A shorter period is repeated until it reaches 16 points. A longer one is cut at 128; one of more than 256
    cannot be seen through any window, and without a period to see a window has 64 points. Many channels make
    windows shorter: they hold at most 2,048 numbers, but never fewer than 16 points. A window never has more
    than half the points of the calibration part.

    Parameters
    ----------
    values : array_like, shape (n_timestamps, n_channels)
        The training part.
    n_calibration : int
        Points of the calibration part.

    Returns
    -------
    window_size : int
    why : str
        One sentence.

    Raises
    ------
    InputError
        If the calibration part has fewer than 8 points.
    """
    if n_calibration < 2 * _FEWEST:
        raise InputError(
            f"The calibration part has {n_calibration} points, too few for windows: it needs at least "
            f"{2 * _FEWEST}; give a longer series, or a later train_end."
        )
    period = dominant_period(values)
    if period is None:
        size, why = _NO_PERIOD, "no clear period was found"
    else:
        size, why = _within_bounds(period), f"the dominant period is {period:,} points"
        if period > 2 * LONGEST:
            why += f", too long for a window of at most {LONGEST}"
        elif not SHORTEST <= period <= LONGEST:
            why += f", and a window has between {SHORTEST} and {LONGEST}"
    n_channels = 1 if np.ndim(values) == 1 else np.shape(values)[1]
    most = max(SHORTEST, _WIDEST // n_channels)
    if size > most:
        size = most
        why += f", and {n_channels} channels ask for short windows"
    if size > n_calibration // 2:
        size = n_calibration // 2
        why += f", and the calibration part has {n_calibration:,}"
    return size, f"windows of {size} points: {why}"


def _within_bounds(period: int) -> int:
    """The period itself, its smallest multiple of at least 16, or what a window can see of it."""
    if period > 2 * LONGEST:
        return _NO_PERIOD
    return min(period * -(-SHORTEST // period), LONGEST)


def _autocorrelation(channel: Floats, n_lags: int) -> Floats | None:
    """The first lags of the autocorrelation, or None for a channel that says nothing."""
    known = ~np.isnan(channel)
    if known.sum() < 3:
        return None
    x = np.clip(channel[known], *np.percentile(channel[known], [1, 99]))
    x -= x.mean()
    x /= np.abs(x).max() or 1.0  # the squares of large values stay finite
    time = np.flatnonzero(known) - np.flatnonzero(known).mean()
    x -= time * (time @ x) / (time @ time)
    filled = np.zeros(len(channel))
    filled[known] = x
    spectrum = np.fft.rfft(filled, 1 << (2 * len(filled) - 1).bit_length())
    acf = np.fft.irfft(np.abs(spectrum) ** 2)[:n_lags]
    return acf / acf[0] if len(acf) and acf[0] > 1e-12 * known.sum() else None
