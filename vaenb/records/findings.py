"""What came of a series: scores, events, and what the judges say of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from vaenb.records.arrays import Floats, Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores:
    """Anomaly scores, one a timestamp; higher = more anomalous.

    Attributes
    ----------
    values : ndarray of float64, shape (n_timestamps,)
    method : str
        The scoring method, e.g. "reconstruction_probability".
    window_size : int
    window_values : ndarray of float64, shape (n_windows,)
        The score of each window, before the windows vote on the timestamps.
    window_starts : ndarray of int64, shape (n_windows,)
    """

    values: Floats
    method: str
    window_size: int
    window_values: Floats
    window_starts: Ints

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001
        return np.array(self.values, dtype=dtype, copy=copy)


@dataclass(frozen=True, eq=False, kw_only=True)
class Events:
    """Runs of flagged timestamps, in time order.

    Attributes
    ----------
    start, stop : ndarray of int64, shape (n_events,)
        Positions; ``stop`` is the first position after the event.
    peak : ndarray of int64, shape (n_events,)
        Where the score is highest.
    score : ndarray of float64, shape (n_events,)
        The score there.
    severity : ndarray of float64, shape (n_events,)
        How far above the threshold, in units of the threshold's own height above the median
        normal score: 0 stands on the threshold, 1 is twice as far out.
    shares : ndarray of float64, shape (n_events, n_channels), or None
        Each channel's share of the blame; every row sums to 1.
    """

    start: Ints
    stop: Ints
    peak: Ints
    score: Floats
    severity: Floats
    shares: Floats | None = None

    def __len__(self) -> int:
        return len(self.start)

    def flags(self, n_timestamps: int) -> NDArray[np.int8]:
        """0/1 a timestamp, shape (n_timestamps,): 1 inside an event."""
        steps = np.zeros(n_timestamps + 1, dtype=np.int64)
        np.add.at(steps, self.start, 1)
        np.add.at(steps, self.stop, -1)
        return (np.cumsum(steps[:-1]) > 0).astype(np.int8)


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """What the judges say: metrics of the detector and, where asked for, of the baselines beside it.

    Attributes
    ----------
    metrics : mapping of str to (mapping of str to float)
        ``metrics["vae"]["vus_pr"]``; beside "vae" stand "random", "window_pca" and "rolling_median".
    remarks : tuple of str
        Sentences a reader must not miss, e.g. that a baseline wins.
    """

    metrics: Mapping[str, Mapping[str, float]]
    remarks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """The metrics as a DataFrame: one row a metric, one column for the detector and each baseline."""
        import pandas as pd

        return pd.DataFrame({name: pd.Series(found) for name, found in self.metrics.items()}).reindex(
            list(dict.fromkeys(metric for found in self.metrics.values() for metric in found))
        )

    def __str__(self) -> str:
        table = self.table().to_string(float_format=_three_decimals, na_rep="")
        return "\n".join([table, *(f"- {remark}" for remark in self.remarks)])

    def _repr_html_(self) -> str:
        table = str(self.table().to_html(float_format=_three_decimals, na_rep=""))
        return table + "".join(f"<p>{escape(remark)}</p>" for remark in self.remarks)


def _three_decimals(value: float) -> str:
    """0.277 and 1,204.0: enough digits to compare by."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
