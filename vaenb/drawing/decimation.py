"""Which points of a long line are drawn, so that it looks as if all were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Ints = NDArray[np.int64]


def decimate(values: ArrayLike, n_bins: int, *, above: float = np.inf) -> Ints:
    """Choose the points that make a line look as if all were drawn: each bin's lowest and highest.

    Parameters
    ----------
    values : array_like, shape (n_points,)
        NaN is a gap; a bin with a gap keeps one of its NaNs.
    n_bins : int
        Up to twice as many points are all kept.
    above : float
        Every point above it is kept, whatever its bin.

    Returns
    -------
    ndarray of int64, shape (n_kept,)
        Positions, ascending. The first, the last, the lowest and the highest point are among them.

    Examples
    --------
    >>> decimate([0, 1, 0, 0, 9, 0, 0, -5, 0, 0, 0, 0], 2)
    array([ 0,  4,  6,  7, 11])
    """
    plain = np.asarray(values, dtype=np.float64)
    if len(plain) <= 2 * n_bins:
        return np.arange(len(plain))
    size = -(-len(plain) // n_bins)
    begins = np.arange(0, len(plain), size)
    table = np.append(plain, np.full(-len(plain) % size, plain[-1])).reshape(-1, size)
    gaps = np.isnan(table)
    whole = not gaps.any()
    kept = [
        begins + (table if whole else np.where(gaps, np.inf, table)).argmin(axis=1),
        begins + (table if whole else np.where(gaps, -np.inf, table)).argmax(axis=1),
        begins[:0] if whole else (begins + gaps.argmax(axis=1))[gaps.any(axis=1)],
        np.flatnonzero(plain > above) if above < np.inf else begins[:0],
        [0, len(plain) - 1],
    ]
    return np.unique(np.minimum(np.concatenate(kept), len(plain) - 1)).astype(np.int64)
