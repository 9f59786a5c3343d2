"""Which channels an event is to blame on. NumPy ring: what scores the channels is handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.records import Floats, Ints, Windows

    ChannelScorer = Callable[[Windows], Floats]

_LOOKED_AT: Final = 64  # windows of an event
_NORMAL: Final = 512  # calibration windows


def normal_parts(windows: Windows, score_channels: ChannelScorer) -> Floats:
    """What each channel adds to the score of a normal window: the median, shape (n_channels,).

    Parameters
    ----------
    windows : Windows
        The calibration part.
    score_channels : callable
        Each channel's part of the score of each window, shape (n_windows, n_channels).
    """
    return np.asarray(np.median(score_channels(windows[evenly(len(windows), _NORMAL)]), axis=0))


def share_blame(
    windows: Windows, first: Ints, last: Ints, *, normal: Floats, score_channels: ChannelScorer
) -> Floats:
    """Each channel's share of the blame for each event.

    The blame is what a channel adds to the scores of the windows that touch the event, on average, beyond
    what it adds to a normal one; where no channel adds more, all share it equally.

    Parameters
    ----------
    windows : Windows
        All windows of the series.
    first, last : ndarray of int64, shape (n_events,)
        The cells in which each event begins and ends.
    normal : ndarray, shape (n_channels,)
        From `normal_parts`.
    score_channels : callable
        As for `normal_parts`. It is called once for all events.

    Returns
    -------
    ndarray of float64, shape (n_events, n_channels)
        Every row sums to 1.
    """
    if not len(first):
        return np.empty((0, windows.n_channels))
    near = [_near(windows, *ends) for ends in zip(first, last, strict=True)]
    found = np.nan_to_num(score_channels(windows[np.concatenate(near)]))
    ends = np.cumsum([len(places) for places in near])[:-1]
    beyond = np.array([part.mean(axis=0) for part in np.split(found, ends)]) - normal
    blame = np.maximum(beyond, 0.0)
    total = blame.sum(axis=1, keepdims=True)
    equal = np.full_like(blame, 1 / windows.n_channels)
    return np.asarray(np.divide(blame, total, out=equal, where=total > 0))


def _near(windows: Windows, first: int, last: int) -> Ints:
    """Places of some of the windows that touch the cells from `first` to `last`."""
    low, high = np.searchsorted(windows.starts, (first - windows.window_size, last), side="right")
    return np.asarray(low + evenly(high - low, _LOOKED_AT))


def evenly(n: int, most: int) -> Ints:
    """At most `most` of the places 0 to n - 1, evenly spaced.

    Examples
    --------
    >>> evenly(9, 3), evenly(2, 3)
    (array([0, 4, 8]), array([0, 1]))
    """
    return np.unique(np.linspace(0, n - 1, min(most, n)).astype(np.int64))
