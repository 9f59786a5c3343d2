"""The frozen records that travel from step to step: numpy arrays with names, and little arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Floats32 = NDArray[np.float32]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """A time series as it was read, and its place on a regular grid.

    Rows are the input's rows, in the input's order; every result comes back on them.
    Cells are the steps of the regular time grid that windows are cut from: a cell
    without a row is missing, a cell with two rows holds their mean.

    Attributes
    ----------
    index : ndarray, shape (n_rows,)
        ``datetime64[ns]`` or ``int64``, as in the input.
    values : ndarray of float64, shape (n_rows, n_channels)
        In the input's units; NaN where missing.
    channels : tuple of str
    labels : ndarray of int8, shape (n_rows,), or None
        1 where somebody says that the row is anomalous.
    train_end : int
        Number of rows (in time order) that belong to the training part, calibration included.
    cells : ndarray of int64, shape (n_rows,)
        The cell of each row.
    n_cells : int
    interval : float or None
        Seconds from one cell to the next; None where the input has no clock.
    repairs : tuple of str
        What was found and mended, one sentence each.
    credit : str
        Source and licence, where they are known.
    """

    name: str
    index: NDArray[Any]
    values: Floats
    channels: tuple[str, ...]
    train_end: int
    cells: Ints
    n_cells: int
    labels: NDArray[np.int8] | None = None
    interval: float | None = None
    index_name: str = "index"
    repairs: tuple[str, ...] = ()
    credit: str = ""

    def __len__(self) -> int:
        return len(self.index)

    @property
    def n_channels(self) -> int:
        """The number of value columns."""
        return len(self.channels)

    @property
    def frame(self) -> pd.DataFrame:
        """The values as a DataFrame, one row for each row of the input."""
        import pandas as pd

        return pd.DataFrame(
            self.values, columns=list(self.channels), index=pd.Index(self.index, name=self.index_name)
        )

    @property
    def grid(self) -> Floats:
        """The values on the regular grid, shape (n_cells, n_channels); NaN where missing."""
        if len(self) == self.n_cells and np.array_equal(self.cells, np.arange(self.n_cells)):
            return self.values
        known = ~np.isnan(self.values)
        total = np.zeros((self.n_cells, self.n_channels))
        count = np.zeros((self.n_cells, self.n_channels))
        np.add.at(total, self.cells, np.where(known, self.values, 0.0))
        np.add.at(count, self.cells, known)
        return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)

    @property
    def train_cells(self) -> int:
        """The number of cells in the training part; a cell that it shares with later rows is not in it."""
        cells = np.sort(self.cells, kind="stable")
        after = cells[self.train_end - 1] + 1
        return int(after if self.train_end == len(cells) else min(after, cells[self.train_end]))

    @property
    def points_per_day(self) -> float | None:
        """Cells in a day, or None where the input has no clock."""
        return None if self.interval is None else SECONDS_PER_DAY / self.interval

    @property
    def about(self) -> str:
        """What the series is and what was mended, to be read by a person."""
        clock = "no clock" if self.interval is None else f"every {_span(self.interval)}"
        channels = "1 channel" if self.n_channels == 1 else f"{self.n_channels} channels"
        lines = [
            f"{self.name}: {_rows(len(self))}, {channels}, {clock}",
            f"from {_stamp(self.index.min())} to {_stamp(self.index.max())}",
            f"training part: the first {_rows(self.train_end)} ({self.train_end / len(self):.0%})",
        ]
        if self.labels is not None:
            marked = _rows(int(self.labels.sum()))
            lines.append(f"labels: {marked} marked anomalous ({self.labels.mean():.1%})")
        lines += [self.credit] if self.credit else []
        lines += [f"- {repair}" for repair in self.repairs] or ["- nothing to repair"]
        return "\n".join(lines)

    def to_rows(self, on_cells: NDArray[Any]) -> NDArray[Any]:
        """Bring values on the cells, shape (n_cells, ...), back onto the rows, shape (n_rows, ...)."""
        return np.asarray(on_cells[self.cells])


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _stamp(stamp: Any) -> str:
    """A timestamp to the minute, or as much finer as it says; any other index as it is."""
    if not isinstance(stamp, np.datetime64):
        return f"{stamp:,}"
    text = str(stamp.astype("datetime64[ns]")).replace("T", " ")
    return text.removesuffix(".000000000").removesuffix(":00") if text.endswith("0" * 9) else text.rstrip("0")


def _span(seconds: float) -> str:
    """Seconds in the largest unit that keeps the number at or above one."""
    for unit, size in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds * 1000:.4g} ms"


@dataclass(frozen=True, eq=False, kw_only=True)
class Windows:
    """Windows of a series, kept as the series and the places where they start.

    Attributes
    ----------
    values : ndarray of float32, shape (n_timestamps, n_channels)
        Scaled, with missing points filled.
    missing : ndarray of bool, shape (n_timestamps, n_channels), or None
        True where a value was filled in; None where nothing is missing.
    starts : ndarray of int64, shape (n_windows,)
        Window ``i`` covers ``values[starts[i] : starts[i] + window_size]``.
    """

    values: Floats32
    starts: Ints
    window_size: int
    stride: int = 1
    missing: Bools | None = None

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def n_timestamps(self) -> int:
        """The length of the series that the windows are cut from."""
        return len(self.values)

    @property
    def n_channels(self) -> int:
        """The number of channels."""
        return int(self.values.shape[1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_windows, window_size, n_channels), as if all windows were laid out."""
        return len(self), self.window_size, self.n_channels

    def __getitem__(self, key: slice | Ints | Bools) -> Windows:
        """Some of the windows, over the same values; nothing is copied but the starts."""
        from dataclasses import replace

        return replace(self, starts=self.starts[key])

    @property
    def array(self) -> Floats32:
        """All windows, shape (n_windows, window_size, n_channels).

        A view without a copy where the starts are evenly spaced, as `make_windows` leaves them.
        """
        from numpy.lib.stride_tricks import sliding_window_view

        view = np.moveaxis(sliding_window_view(self.values, self.window_size, axis=0), -1, 1)
        steps = np.diff(self.starts)
        if len(self.starts) and (steps == self.stride).all():
            return view[self.starts[0] : self.starts[-1] + 1 : self.stride]
        return view[self.starts]


@dataclass(frozen=True, eq=False, kw_only=True)
class EpochRecord:
    """What one epoch of training looked like. All in nats per window, means over windows."""

    epoch: int
    elbo: float
    reconstruction: float
    kl: float
    kl_per_dim: Floats
    active_units: int
    kl_weight: float
    seconds: float
    calibration_elbo: float | None = None
    calibration_reconstruction: float | None = None
    calibration_kl: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """The record of a training.

    Attributes
    ----------
    epochs : tuple of EpochRecord
    best_epoch : int
        The epoch whose weights the model has now; counted from 1, 0 where none was finished.
    stopped : str
        Why it ended: "finished", "early stopping", "stop event", "interrupted" or "diverged".
    warnings : tuple of str
        Things to know: a collapsed posterior, a loss that diverged.
    """

    epochs: tuple[EpochRecord, ...]
    best_epoch: int
    stopped: str
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.epochs)

    def curve(self, name: str) -> Floats:
        """One field of the epochs as an array, shape (n_epochs,); NaN where it was not measured."""
        found = [getattr(record, name) for record in self.epochs]
        return np.array([np.nan if value is None else value for value in found], dtype=np.float64)


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
