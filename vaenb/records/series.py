"""A time series as it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.counting import whole_numbers
from vaenb.formats import counted, plain_stamp, rounded_span

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from vaenb.records.arrays import Floats, Ints

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
    planted : tuple of str
        What `vaenb.inject` planted in it, one sentence each.
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
    planted: tuple[str, ...] = ()

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
        clock = "no clock" if self.interval is None else f"every {rounded_span(self.interval)}"
        channels = "1 channel" if self.n_channels == 1 else f"{self.n_channels} channels"
        lines = [
            f"{self.name}: {counted(len(self), 'row')}, {channels}, {clock}",
            f"from {plain_stamp(self.index.min())} to {plain_stamp(self.index.max())}",
            f"training part: the first {counted(self.train_end, 'row')} ({self.train_end / len(self):.0%})",
        ]
        if self.labels is not None:
            marked = counted(int(self.labels.sum()), "row")
            lines.append(f"labels: {marked} marked anomalous ({self.labels.mean():.1%})")
        lines += [self.credit] if self.credit else []
        lines += [f"- {repair}" for repair in self.repairs] or ["- nothing to repair"]
        lines += [f"- planted: {what}" for what in self.planted]
        return "\n".join(lines)

    def to_rows(self, on_cells: NDArray[Any]) -> NDArray[Any]:
        """Bring values on the cells, shape (n_cells, ...), back onto the rows, shape (n_rows, ...).

        Where each row is a cell, in their order, they are the same values, not copied.
        """
        if len(self.cells) == len(on_cells) and np.array_equal(self.cells, whole_numbers(len(on_cells))):
            return on_cells
        return np.asarray(on_cells[self.cells])
