"""Where a series was repaired: stretches that are missing, timestamps that repeat, a clock that goes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaenb.formats import counted, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from vaenb.records import Floats, Ints, Series
    from vaenb.view_models.timeline import View

MOST_MARKS = 400  # on one screen: beyond, they run into each other


@dataclass(frozen=True, eq=False)
class Spans:
    """Stretches of cells, in order, that do not touch: from `starts` to just before `stops`."""

    starts: Ints
    stops: Ints

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def n_cells(self) -> int:
        """The cells in them, all together."""
        return int((self.stops - self.starts).sum())

    def within(self, view: View, *, most: int = MOST_MARKS) -> Spans:
        """Those that reach into a view, cut at its edges; of more than `most`, the nearest are joined."""
        begin = np.searchsorted(self.stops, view.first, side="right")
        end = np.searchsorted(self.starts, view.stop, side="left")
        starts = np.maximum(self.starts[begin:end], view.first)
        stops = np.minimum(self.stops[begin:end], view.stop)
        if len(starts) <= most:
            return Spans(starts, stops)
        apart = starts[1:] - stops[:-1]
        kept = np.sort(np.argsort(-apart, kind="stable")[: most - 1])
        return Spans(starts[np.append(0, kept + 1)], stops[np.append(kept, len(stops) - 1)])


def spans_of(flags: ArrayLike) -> Spans:
    """The runs of True in an array, shape (n_cells,).

    Examples
    --------
    >>> found = spans_of([False, True, True, False, True])
    >>> found.starts.tolist(), found.stops.tolist()
    ([1, 4], [3, 5])
    """
    marked = np.concatenate([[False], np.asarray(flags, dtype=bool), [False]])
    edges = np.flatnonzero(marked[1:] != marked[:-1]).astype(np.int64)
    return Spans(edges[::2], edges[1::2])


def pick(cells: Ints, view: View, *, most: int = MOST_MARKS) -> Ints:
    """Those of some ascending cells that lie in a view, and of too many an even choice."""
    begin, end = np.searchsorted(cells, [view.first, view.stop])
    seen = cells[begin:end]
    if len(seen) <= most:
        return seen
    return seen[np.linspace(0, len(seen) - 1, most).round().astype(np.int64)]


@dataclass(frozen=True, eq=False, kw_only=True)
class Repairs:
    """What was found in a series, and where.

    Attributes
    ----------
    missing : tuple of Spans
        For each channel, where it has no value.
    repeated : ndarray of int64
        Cells that hold more than one row: their mean is used.
    backward : ndarray of int64
        Cells whose row tells an earlier time than the row before it. None where all rows do, because the
        newest comes first.
    n_cells : int
    """

    missing: tuple[Spans, ...]
    repeated: Ints
    backward: Ints
    n_cells: int

    @classmethod
    def of(cls, series: Series, grid: Floats) -> Repairs:
        """Look a series and its grid over.

        Parameters
        ----------
        series : Series
        grid : ndarray, shape (n_cells, n_channels)
            ``series.grid``, which may be costly to ask for again.
        """
        counts = np.bincount(series.cells, minlength=series.n_cells)
        falls = np.flatnonzero(series.index[1:] < series.index[:-1])
        if len(falls) == len(series) - 1:
            falls = falls[:0]
        return cls(
            missing=tuple(spans_of(np.isnan(channel)) for channel in grid.T),
            repeated=np.flatnonzero(counts > 1).astype(np.int64),
            backward=np.unique(series.cells[falls + 1]).astype(np.int64),
            n_cells=series.n_cells,
        )

    @property
    def n_missing(self) -> int:
        """Values that are missing on the grid, all channels together."""
        return sum(spans.n_cells for spans in self.missing)

    def words(self, told: Sequence[str]) -> list[str]:
        """What was repaired, one sentence each: what the reader `told`, and what is missing now."""
        found = [sentence[0].upper() + sentence[1:] + "." for sentence in told]
        if self.n_missing:
            share = percent(self.n_missing / (self.n_cells * len(self.missing)))
            many = counted(self.n_missing, "value is", "values are")
            found.append(f"{many} missing ({share}): the model leaves them out, and nothing is made up.")
        return found or ["Nothing had to be repaired: every step in time has one row, with all its values."]
