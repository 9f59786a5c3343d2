"""What was found as pandas tables, on the index of the series it was found in. NumPy ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.records import Series

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from vaenb.records import Events, Floats

ENOUGH_BLAME = 0.9
MOST_BLAMED = 5


def events_frame(events: Events, series: Series) -> pd.DataFrame:
    """Events as a table, one row each, in time order.

    Parameters
    ----------
    events : Events
        Its positions count the rows of `series` in the order of time.
    series : Series

    Returns
    -------
    DataFrame
        ``start``, ``end`` (the last row of the event) and ``peak`` on the index of `series`; ``n_points``;
        ``score`` at the peak; ``severity``; ``channels``: whom to blame, with their shares.

    Examples
    --------
    >>> import vaenb
    >>> series = vaenb.read_series([1.0, 2.0, 1.0, 9.0, 8.0, 1.0], train_end=3)
    >>> events = vaenb.find_events(series.values[:, 0], threshold=5, normal=[1.0])
    >>> events_frame(events, series)[["start", "end", "peak", "n_points", "severity"]].values.tolist()
    [[3.0, 4.0, 3.0, 2.0, 1.0]]
    """
    import pandas as pd

    index = series.index[np.argsort(series.cells, kind="stable")]
    shares = [None] * len(events) if events.shares is None else events.shares
    return pd.DataFrame(
        {
            "start": index[events.start],
            "end": index[events.stop - 1],
            "peak": index[events.peak],
            "n_points": events.stop - events.start,
            "score": events.score,
            "severity": events.severity,
            "channels": pd.Series([blamed(series.channels, row) for row in shares], dtype=object),
        }
    )


def blamed(channels: tuple[str, ...], shares: Floats | None) -> str:
    """The channels that make up nine tenths of the blame, at most five, the guiltiest first.

    Examples
    --------
    >>> blamed(("cpu", "disk", "net"), np.array([0.25, 0.05, 0.7]))
    'net 70%, cpu 25%'
    """
    if shares is None:
        return ""
    order = np.argsort(-shares, kind="stable")
    enough = int(np.searchsorted(np.cumsum(shares[order]), ENOUGH_BLAME)) + 1
    return ", ".join(f"{channels[i]} {shares[i]:.0%}" for i in order[: min(enough, MOST_BLAMED)])


def scores_frame(series: Series, scores: Floats, threshold: float) -> pd.DataFrame:
    """The scores as a table, one row for each row of the series, in the series' own order.

    Returns
    -------
    DataFrame
        ``timestamp`` (``index`` without dates), ``score`` and ``flag``: 1 above the threshold.
    """
    import pandas as pd

    clock = "timestamp" if np.issubdtype(series.index.dtype, np.datetime64) else "index"
    return pd.DataFrame({clock: series.index, "score": scores, "flag": (scores > threshold).astype(np.int8)})


def on_index(values: NDArray[Any], like: object, series: Series, name: str) -> Any:
    """Values on the rows of a series, with the index of what the series was read from, if that has one.

    Parameters
    ----------
    values : ndarray, shape (n_rows,)
    like : Series, DataFrame, pandas Series or array_like
        What the user gave.
    series : Series
        What was read from it.
    name : str

    Returns
    -------
    pandas.Series or ndarray, shape (n_rows,)
    """
    import pandas as pd

    if isinstance(like, Series):
        return pd.Series(values, index=series.frame.index, name=name)
    if isinstance(like, pd.DataFrame | pd.Series):
        return pd.Series(values, index=like.index, name=name)
    return values
