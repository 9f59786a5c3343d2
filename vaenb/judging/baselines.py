"""Three baselines that a model has to beat: a random score, a PCA of the windows, the rolling median."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaenb.errors import InputError
from vaenb.windows import VoteCounter, make_windows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Floats, Floats32

_MOST_FIT_WINDOWS = 20_000
_MOST_FIT_NUMBERS = 4_000_000
_CHUNK_NUMBERS = 1_000_000


def random_score(n_timestamps: int, *, seed: int = 0) -> Floats:
    """A score that knows nothing: uniform random numbers between 0 and 1.

    Parameters
    ----------
    n_timestamps : int
    seed : int

    Returns
    -------
    ndarray of float64, shape (n_timestamps,)

    Examples
    --------
    >>> random_score(3).round(2)
    array([0.64, 0.27, 0.04])
    """
    return np.random.default_rng(seed).random(n_timestamps)


def window_pca_score(
    values: ArrayLike, window_size: int, *, train_end: int | None = None, n_components: float = 0.9
) -> Floats:
    """How badly a few principal components of the windows redraw each window.

    Channels are standardised by the training part. The components are those that explain
    `n_components` of the variance of the training windows (at most 20,000 of them, and 4,000,000
    numbers, evenly spaced). Each window's mean squared reconstruction error goes to all its points,
    and each point gets the mean over the windows that cover it.

    Parameters
    ----------
    values : array_like, shape (n_timestamps,) or (n_timestamps, n_channels)
        NaN counts as the channel's mean.
    window_size : int
        Points.
    train_end : int, optional
        The components are fitted on the first `train_end` points; on all of them without it.
    n_components : float
        A share of the variance, below 1. The default of 0.9 was fixed before any result was seen.

    Returns
    -------
    ndarray of float64, shape (n_timestamps,)
        Higher = more anomalous; in squared training standard deviations.

    Raises
    ------
    InputError
        If a window does not fit into the training part, or `n_components` is not between 0 and 1.

    References
    ----------
    Shyu et al. (2003), A novel anomaly detection scheme based on principal component classifier.

    Examples
    --------
    >>> wave = np.sin(np.arange(400) / 5)
    >>> wave[300] += 3
    >>> int(window_pca_score(wave, 20, train_end=200).argmax())
    300
    """
    table = _table(values)
    end = len(table) if train_end is None else train_end
    if not 0 < n_components < 1:
        raise InputError(f"n_components is {n_components:g}; expected a share of the variance, such as 0.9.")
    if not 1 <= window_size <= end <= len(table):
        raise InputError(
            f"window_size is {window_size}, train_end is {end} and there are {len(table)} points; "
            "a window must fit into the training part, and that into the series."
        )
    scaled = _standardise(table, end)
    components, mean = _principal_components(make_windows(scaled[:end], window_size).array, n_components)
    windows = make_windows(scaled, window_size).array
    votes = VoteCounter(len(table), window_size)
    step = max(1, _CHUNK_NUMBERS // (window_size * table.shape[1]))
    for first in range(0, len(windows), step):
        chunk = windows[first : first + step]
        votes.add(_residuals(chunk, components, mean), np.arange(first, first + len(chunk)))
    return votes.mean()


def rolling_median_score(values: ArrayLike, window_size: int) -> Floats:
    r"""How far each point lies from the median of the points around it, in MADs.

    .. math:: s_t = \frac1C \sum_c |x_{tc} - m_{tc}| / \text{median}_u |x_{uc} - m_{uc}|

    where :math:`m` is the median of a centred window, shortened at both ends of the series. Where more
    than half of a channel lies on its rolling median, the mean distance takes the place of the median.

    Parameters
    ----------
    values : array_like, shape (n_timestamps,) or (n_timestamps, n_channels)
        NaN counts as its rolling median.
    window_size : int
        Points.

    Returns
    -------
    ndarray of float64, shape (n_timestamps,)
        Higher = more anomalous.

    Raises
    ------
    InputError
        If `window_size` is less than 1.

    Examples
    --------
    >>> rolling_median_score([1, 2, 1, 9, 1, 2, 1], 3)
    array([0.5, 1. , 1. , 8. , 1. , 1. , 0.5])
    """
    import pandas as pd

    table = _table(values)
    if window_size < 1:
        raise InputError(f"window_size is {window_size}; it counts points and must be 1 or more.")
    middle = pd.DataFrame(table).rolling(window_size, center=True, min_periods=1).median().to_numpy()
    distance = np.abs(table - middle)
    distance[np.isnan(distance)] = 0.0
    scale = np.median(distance, axis=0)
    scale = np.where(scale > 0, scale, distance.mean(axis=0))
    return np.asarray((distance / np.where(scale > 0, scale, 1.0)).mean(axis=1))


def _table(values: ArrayLike) -> Floats:
    """The values as float64, shape (n_timestamps, n_channels), with NaN for all that is not finite."""
    table = np.asarray(values, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not table.size:
        raise InputError(
            f"values has shape {np.shape(values)}; expected (n_timestamps,) or (n_timestamps, n_channels)."
        )
    return np.where(np.isfinite(table), table, np.nan)


def _standardise(table: Floats, end: int) -> Floats32:
    """Mean 0 and standard deviation 1 over the first `end` points of each channel; NaN becomes 0."""
    known = ~np.isnan(table[:end])
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, table[:end], 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, table[:end] - mean, 0.0) ** 2).sum(axis=0) / count)
    scaled = (table - mean) / np.where(spread > 0, spread, 1.0)
    return np.where(np.isnan(scaled), 0.0, scaled).astype(np.float32)


def _principal_components(windows: Floats32, share: float) -> tuple[Floats32, Floats32]:
    """The components that explain `share` of the variance, as columns, and the mean window."""
    n_numbers = int(np.prod(windows.shape[1:]))
    most = min(len(windows), _MOST_FIT_WINDOWS, max(2, _MOST_FIT_NUMBERS // n_numbers))
    chosen = windows[np.linspace(0, len(windows) - 1, most).astype(np.int64)].reshape(most, n_numbers)
    mean = chosen.mean(axis=0)
    centred = chosen - mean
    # Both products have the same eigenvalues; that of the windows is the smaller one with many channels.
    wide = n_numbers > most
    product = (centred @ centred.T if wide else centred.T @ centred).astype(np.float64)
    variance, vectors = np.linalg.eigh(product)
    variance, vectors = np.maximum(variance[::-1], 0.0), vectors[:, ::-1]
    n_kept = int(np.searchsorted(variance.cumsum(), share * variance.sum())) + 1 if variance.any() else 0
    components = centred.T @ vectors[:, :n_kept] / np.sqrt(variance[:n_kept]) if wide else vectors[:, :n_kept]
    return components.astype(np.float32), mean


def _residuals(windows: Floats32, components: Floats32, mean: Floats32) -> Floats:
    """Mean squared reconstruction error of each window, shape (n_windows,)."""
    centred = windows.reshape(len(windows), -1) - mean
    centred -= (centred @ components) @ components.T
    return np.asarray(np.square(centred, dtype=np.float64).mean(axis=1))
