"""The time axis that the panels of one study share: cells, what they are called, and which are in view."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.drawing.decimation import decimate
from vaenb.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vaenb.records import Floats, Ints, Series

MOST_POINTS = 2_000  # of a line that is drawn as SVG: beyond, a repaint takes longer than a blink


@dataclass(frozen=True, eq=False, kw_only=True)
class Timeline:
    """Cells 0 to ``n_cells - 1`` and the moments at which they stand.

    Attributes
    ----------
    n_cells : int
    start : numpy.datetime64 or float
        The moment of cell 0.
    step : float
        Seconds from cell to cell; units of the index where there is no clock.
    """

    n_cells: int
    start: Any = 0.0
    step: float = 1.0

    @classmethod
    def of(cls, series: Series) -> Timeline:
        """The timeline of a series' regular grid."""
        first = series.index[np.argmin(series.cells)]
        if isinstance(first, np.datetime64):
            return cls(n_cells=series.n_cells, start=first, step=float(series.interval or 1.0))
        rows = np.asarray(series.index, dtype=np.float64)
        span = float(rows.max() - rows.min())
        return cls(n_cells=series.n_cells, start=float(first), step=span / max(1, series.n_cells - 1) or 1.0)

    @property
    def has_clock(self) -> bool:
        """Whether moments are dates."""
        return isinstance(self.start, np.datetime64)

    def moments(self, cells: Any) -> NDArray[Any]:
        """The moments of some cells: datetime64[ms], or float64 where there is no clock."""
        places = np.asarray(cells, dtype=np.float64)
        if not self.has_clock:
            return np.asarray(self.start + places * self.step)
        begin = self.start.astype("datetime64[ms]")
        return np.asarray(begin + np.round(places * self.step * 1000).astype("timedelta64[ms]"))

    def cell_of(self, moment: Any) -> int:
        """The cell nearest to a moment, between the first and the last one."""
        if self.has_clock:
            away = (np.datetime64(moment, "ms") - self.start.astype("datetime64[ms]")).astype(float) / 1000
        else:
            away = float(moment) - self.start
        return int(np.clip(round(away / self.step), 0, self.n_cells - 1))


@dataclass(frozen=True)
class View:
    """The cells `first` to `stop` - 1, which are on screen."""

    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first

    def within(self, n_cells: int) -> View:
        """The same, moved and cut so that it lies inside the series; at least two cells long."""
        length = min(max(2, self.stop - self.first), n_cells)
        first = int(np.clip(self.first, 0, n_cells - length))
        return View(first, first + length)

    def zoomed(self, factor: float) -> View:
        """About the middle, `factor` times as long."""
        half = len(self) * factor / 2
        middle = (self.first + self.stop) / 2
        return replace(self, first=round(middle - half), stop=round(middle + half))

    def moved(self, share: float) -> View:
        """To the right by a share of its length."""
        by = round(len(self) * share)
        return View(self.first + by, self.stop + by)


def thin(values: Floats, view: View, *, above: float = np.inf, most: int = MOST_POINTS) -> Ints:
    """The cells of a view that make its line look whole: extremes of each bin, all `above` a threshold.

    Parameters
    ----------
    values : ndarray, shape (n_cells,)
    view : View
    above : float
        Every cell whose value lies above it is kept, even beyond `most`.
    most : int
        About how many cells to keep.

    Returns
    -------
    ndarray of int64
        Ascending; also the neighbours just outside the view, so that the line runs to its edges.

    Raises
    ------
    InputError
        If the view lies outside the series.
    """
    if not 0 <= view.first < view.stop <= len(values):
        raise InputError(
            f"The view is {view.first} to {view.stop} of a series of {len(values)} cells; "
            "expected a part of it."
        )
    begin, end = max(0, view.first - 1), min(len(values), view.stop + 1)
    seen = values[begin:end]
    kept_of_a_bin = 3 if np.isnan(seen).any() else 2  # lowest, highest, and a gap where there is one
    return begin + decimate(seen, most // kept_of_a_bin, above=above)
