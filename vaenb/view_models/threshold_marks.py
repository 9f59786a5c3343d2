"""What the figures of the threshold explorer draw: stripes for events, red above the line, a histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaenb.drawing.axes import Scale, share_ticks
from vaenb.view_models.event_finder import flag_runs
from vaenb.view_models.threshold_axis import place_name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Bools, Floats, Ints
    from vaenb.view_models.event_finder import Spans
    from vaenb.view_models.timeline import View

MOST_POINTS = 2_000  # of one mark
COLUMNS = MOST_POINTS // 3  # of a figure, where points are too many to be drawn one by one
N_BARS = 72


def stripes(spans: Spans, view: View) -> tuple[Floats, Floats]:
    """Events in view as edges, in cells; none is lost, and none narrower than a column.

    Parameters
    ----------
    spans : Spans
    view : View

    Returns
    -------
    start, stop : ndarray of float64, shape (n_stripes,)
        Those that would touch each other on a screen are one: there are at most `COLUMNS`.
    """
    start, stop = spans.cut(view.first, view.stop)
    column = len(view) / COLUMNS
    begins: Floats = np.asarray(start - 0.5)
    ends: Floats = np.asarray(stop - 0.5)
    if column > 1:
        begins = view.first + np.floor((start - view.first) / column) * column
        ends = view.first + np.ceil((stop - view.first) / column) * column
    apart = np.flatnonzero(begins[1:] > ends[:-1])
    if len(begins):
        begins, ends = begins[np.append(0, apart + 1)], ends[np.append(apart, len(ends) - 1)]
    return begins, ends


def outline(start: ArrayLike, stop: ArrayLike, height: float = 1.0) -> tuple[Floats, Floats]:
    """Stripes as one line to be filled downwards: x and y, where y is NaN between two stripes.

    Examples
    --------
    >>> outline([1, 5], [3, 6])
    (array([1., 3., 3., 5., 6.]), array([ 1.,  1., nan,  1.,  1.]))
    """
    begins, ends = np.asarray(start, dtype=np.float64), np.asarray(stop, dtype=np.float64)
    x = np.column_stack([begins, ends, ends]).ravel()
    return x[:-1], np.tile([height, height, np.nan], len(begins))[:-1]


@dataclass(frozen=True, eq=False)
class Above:
    """What lies above the line in view, as one line with gaps.

    Attributes
    ----------
    cells, heights : ndarray of float64, shape (n_drawn,)
        Heights are NaN between the pieces.
    in_view : int
        How many points lie above the line in view.
    one_by_one : bool
        Whether each of them is drawn; else each of `COLUMNS` columns is red up to its highest point, which is
        what all of them together look like.
    """

    cells: Floats
    heights: Floats
    in_view: int
    one_by_one: bool


def above_line(flags: Bools, heights: Floats, line: float, view: View, highest: Floats) -> Above:
    """Draw all points above the line in view, or what they look like together.

    Parameters
    ----------
    flags : ndarray of bool, shape (n_in_view,)
        Which points in view lie above the threshold.
    heights : ndarray, shape (n_timestamps,)
        Places on the score axis.
    line : float
        The place of the threshold.
    view : View
    highest : ndarray, shape (n_columns,)
        `column_maxima` of the same view.
    """
    in_view = int(np.count_nonzero(flags))
    if in_view <= MOST_POINTS:
        start, stop = flag_runs(flags)
        if in_view + 3 * len(start) <= MOST_POINTS:
            drawn = _one_by_one(start + view.first, stop + view.first, heights, line)
            return Above(*drawn, in_view, one_by_one=True)
    red = np.flatnonzero(highest > line)
    x: Floats = np.asarray(view.first + (red + 0.5) * _column_size(view))
    cells = np.repeat(x, 3)
    tops = np.column_stack([np.full(len(x), line), highest[red], np.full(len(x), np.nan)]).ravel()
    return Above(cells[:-1], tops[:-1], in_view, one_by_one=False)


def _one_by_one(start: Ints, stop: Ints, heights: Floats, line: float) -> tuple[Floats, Floats]:
    """Each run as its points between two on the line, half a cell outside; NaN between runs."""
    length = stop - start
    rows = np.repeat(np.arange(len(start)), length + 3)
    first = np.cumsum(length + 3) - (length + 3)
    step = np.arange(len(rows)) - first[rows]
    cells = (start[rows] + step - 1).astype(np.float64)
    inside = (step >= 1) & (step <= length[rows])
    tops = np.full(len(rows), line)
    tops[inside] = heights[cells[inside].astype(np.int64)]
    cells[step == 0] += 0.5
    cells[step == length[rows] + 1] -= 0.5
    tops[step == length[rows] + 2] = np.nan
    return cells[:-1], tops[:-1]


def _column_size(view: View) -> int:
    return -(-len(view) // COLUMNS)


def column_maxima(heights: Floats, view: View) -> Floats:
    """The highest point of each column of a view, shape (n_columns,); minus infinity where there is none."""
    size = _column_size(view)
    part = heights[view.first : view.stop]
    table = np.append(part, np.full(-len(part) % size, np.nan)).reshape(-1, size)
    return np.asarray(np.nan_to_num(np.fmax.reduce(table, axis=1), nan=-np.inf))


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each score occurs: shares on a logarithmic scale, as places from 0 to 1.

    Attributes
    ----------
    edges : ndarray of float64, shape (N_BARS + 1,)
        Places on the score axis.
    judged, held : ndarray of float64, shape (N_BARS,)
        Heights of the bars of the judged and of the calibration scores; 0 where there is none.
    ticks : ndarray of float64
    labels : dict of str to str
        What stands at the ticks.
    """

    edges: Floats
    judged: Floats
    held: Floats
    ticks: Floats
    labels: dict[str, str]

    def steps(self, bars: Floats) -> tuple[Floats, Floats]:
        """Bars as one line to be filled downwards."""
        return np.repeat(self.edges, 2)[1:-1], np.repeat(bars, 2)

    def outline(self) -> tuple[Floats, Floats]:
        """The bars of the calibration scores, from the first to the last that is not empty."""
        some = np.flatnonzero(self.held)
        if not len(some):
            return np.empty(0), np.empty(0)
        first, stop = some[0], some[-1] + 1
        x, y = np.repeat(self.edges[first : stop + 1], 2), np.repeat(self.held[first:stop], 2)
        return x, np.concatenate([[0.0], y, [0.0]])

    def tail(self, place: float) -> tuple[Floats, Floats]:
        """The part of the judged bars to the right of a place."""
        x, y = self.steps(self.judged)
        first = min(int(np.searchsorted(x, place, side="right")), len(x) - 1)
        return np.append(place, np.maximum(x[first:], place)), np.append(y[first], y[first:])


def histogram(scale: Scale, judged: Floats, held: Floats) -> Histogram:
    """Count scores between evenly spaced places.

    Parameters
    ----------
    scale : Scale
    judged, held : ndarray, sorted
    """
    edges = np.linspace(0, 1, N_BARS + 1)
    values = scale.inverse(edges)
    values[0], values[-1] = -np.inf, np.inf
    counts = [np.diff(np.searchsorted(scores, values)) for scores in (judged, held)]
    most = max(len(judged), len(held), 2)
    tall = Scale(float(np.log10(1 / most)) - 0.3, 0.0)
    bars = [_bars(count, len(scores), tall) for count, scores in zip(counts, (judged, held), strict=True)]
    ticks = share_ticks(tall)[-6:][::-1][:: max(1, len(share_ticks(tall)) // 3)]
    places = np.round([float(tall(tick.value)) for tick in ticks], 6)
    names = {place_name(place): tick.label for place, tick in zip(places, ticks, strict=True)}
    return Histogram(edges, bars[0], bars[1], places, names)


def _bars(counts: Floats, total: int, tall: Scale) -> Floats:
    with np.errstate(divide="ignore"):
        shares = np.log10(counts / max(total, 1))
    return np.where(counts > 0, np.clip(tall(np.where(counts > 0, shares, 0.0)), 0, 1), 0.0)
