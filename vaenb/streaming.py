"""A series that is still growing: what is new is scored as it comes. TensorFlow ring."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vaenb.errors import InputError
from vaenb.inputs import compare_intervals
from vaenb.reading.grid import lay_grid
from vaenb.records import SECONDS_PER_DAY
from vaenb.scoring import score_few
from vaenb.stream_log import Rows
from vaenb.stream_points import Clock, Points, check_forward, read_points
from vaenb.stream_tail import Weigher
from vaenb.thresholds.rules import as_rule
from vaenb.windows import make_windows

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from vaenb.detector import VAEDetector
    from vaenb.records import Floats, Ints, Windows
    from vaenb.stream_tail import Tail, Votes
    from vaenb.thresholds.base import Threshold

_NANO = 1e9


@dataclass(frozen=True, eq=False, kw_only=True)
class _Stand:
    """Where a stream stands; a new one takes its place once an update has succeeded.

    `waiting` holds rows that came before there was a clock: a window is needed to tell the usual step.
    """

    tail: Tail
    rule: Any
    n_rows: int = 0
    dated: bool | None = None
    time_column: str | None = None
    last: int | None = None
    clock: Clock | None = None
    waiting: tuple[Floats, Ints] | None = None
    newest: Newest | None = None


class Newest(NamedTuple):
    """The end of a stream on its grid, as `Stream.newest` tells it.

    Attributes
    ----------
    first : int
        The first of the cells that are told; the scores of those before it have not changed.
    scores : ndarray of float64, shape (n,)
    values : ndarray of float64, shape (n, n_channels)
        NaN where missing.
    cells : ndarray of int64, shape (n_new,)
        Of the newest rows.
    thresholds : ndarray of float64, shape (n_new,)
        That they met.
    """

    first: int
    scores: Floats
    values: Floats
    cells: Ints
    thresholds: Floats


class Stream:
    """The scores of a series that is still growing, by a fitted detector.

    A score hears all windows that cover its point, and its neighbours up to four windows away: of the newest
    points it is provisional, and settles as more come. `update` gives the scores of the new points as they
    stand, `scores` all of them as they stand now. Both are what ``detector.decision_function`` says of all
    points so far, to the rounding of float32 (2e-5 of a score, or 2e-6). Only what can change is computed
    anew: an update takes as long after a year as after a day.

    Parameters
    ----------
    detector : VAEDetector
        Fitted. Several streams can use one; fitting it again does not change a stream that has begun.
    history : Series, DataFrame or array_like, optional
        What came before, without a result. A stream that begins with nothing has no scores until there is a
        window of points, and its first eight windows hear less of their past than the rest. The end of what
        the detector was fitted on makes a good history.
    threshold : Threshold, str or float, optional
        A rule, fitted here on the detector's calibration scores, its short name, or a number; without it, the
        detector's own. `vaenb.DSPOT` (``"dspot"``) follows the scores of the stream as they first came;
        every other rule stays where it is.
    keep : int
        `scores` knows the newest points, at least so many; those that are not settled always.

    Attributes
    ----------
    n_rows : int
        Points so far, the history included.
    n_cells : int
        Steps of the regular time grid so far.
    rule : Threshold
        As it stands; one's own copy.

    Notes
    -----
    With dates, rows have their places on the grid that `vaenb.read_series` lays, missing points included. The
    step is the detector's own; where the stream's is another one, it is taken from its first window of
    points, and a `SamplingWarning` tells. Without dates, rows follow each other, whatever their index says.
    As the future is not known, a clock with uneven steps can get another grid than from `read_series`.

    The first update with up to 8, up to 128 and more new windows, and the first of each with missing values,
    compile a graph, which takes about half a second.

    Where all channels are missing the scores of a gap are drawn from its edges, so they change once it ends,
    as long as it may have been.

    Examples
    --------
    >>> import numpy as np, vaenb
    >>> wave = np.sin(np.arange(600) / 4)
    >>> detector = vaenb.VAEDetector(window_size=16, epochs=1, steps_per_epoch=5).fit(wave[:400])
    >>> stream = vaenb.Stream(detector, history=wave[:400])
    >>> found = stream.update(wave[400:600])
    >>> found.columns.to_list(), len(found), found.index[0]
    (['score', 'threshold', 'flag'], 200, 400)
    >>> whole = detector.decision_function(wave)
    >>> bool(np.allclose(stream.scores()["score"], whole, rtol=1e-5, atol=1e-6))
    True
    """

    def __init__(
        self,
        detector: VAEDetector,
        history: Any = None,
        *,
        threshold: Threshold | str | float | None = None,
        keep: int = 1_000_000,
    ) -> None:
        if not hasattr(detector, "threshold_"):
            raise InputError("The detector is not fitted: call fit(series) first, or vaenb.load(file).")
        self._channels, self._scaler = detector.channels_, detector.scaler_
        self._size, self._points_per_day = detector.window_size_, detector.points_per_day_
        chosen = {"method": detector.method, "vote": detector.window_vote, **detector.drawing}
        self._votes: Callable[[Windows], Votes] = partial(score_few, detector.model_, **chosen)
        self._weigher = Weigher(self._size, n_channels=len(self._channels), lengths=detector.lengths_)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Stream], None]] = []
        self._rows = Rows(keep)
        self._stand = _Stand(tail=self._weigher.nothing(), rule=_rule_for(detector, threshold))
        if history is not None:
            self._take(read_points(history, self._channels), follow=False)

    # ------------------------------------------------------------------ for the user

    def update(self, new_points: Any) -> pd.DataFrame:
        """Take new points, and score them.

        Parameters
        ----------
        new_points : Series, DataFrame, pandas Series or array_like
            With the channels of the detector, in order of time, following what came before; a single row,
            too: a row of a DataFrame (``frame.iloc[i]``), or an array of shape (n_channels,). A row with the
            time of the one before shares its place, where their mean counts.

        Returns
        -------
        DataFrame
            On the index of the new points (counted from 0 where they have none): ``score``, provisional, NaN
            until there is a window of points with a value; ``threshold``, which the score met; ``flag``, 1
            where it lies above.

        Raises
        ------
        InputError
            If the channels are others, a value cannot be used, or time goes back. Then nothing was taken, nor
            where the call is interrupted.

        Warns
        -----
        SamplingWarning
            Once, if the interval between the points is not the one at fit.
        """
        import pandas as pd

        points = read_points(new_points, self._channels, time_column=self._stand.time_column)
        with self._lock:
            first = self.n_rows
            scores, thresholds = self._take(points, follow=True)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(self)
        index = pd.RangeIndex(first, first + len(points)) if points.index is None else points.index
        flags = (scores > thresholds).astype(np.int8)
        return pd.DataFrame({"score": scores, "threshold": thresholds, "flag": flags}, index=index)

    def scores(self) -> pd.DataFrame:
        """All scores as they stand now, of the history as well; of long streams the newest ones (`keep`).

        Returns
        -------
        DataFrame
            One row a point: ``score``, ``threshold`` (NaN for the history), ``flag``, and ``settled``: 1
            where the score stays. Its index holds the times (in UTC where they had a time zone), or counts
            the points.
        """
        import pandas as pd

        with self._lock:
            stand, rows = self._stand, self._rows
            first = rows.cells.first
            cells = rows.cells.read(first, stand.n_rows)
            values = np.full(len(cells), np.nan)
            if stand.waiting is None:
                values = rows.scores(cells, stand.tail)
            thresholds = rows.thresholds.read(first, stand.n_rows)
            index: Any = pd.RangeIndex(first, stand.n_rows)
            if stand.dated:
                index = pd.DatetimeIndex(rows.times.read(first, stand.n_rows).view("datetime64[ns]"))
        return pd.DataFrame(
            {
                "score": values,
                "threshold": thresholds,
                "flag": (values > thresholds).astype(np.int8),
                "settled": (cells < stand.tail.n_settled).astype(np.int8),
            },
            index=index,
        )

    @property
    def n_rows(self) -> int:
        """Points so far, the history included."""
        return self._stand.n_rows

    @property
    def n_cells(self) -> int:
        """Steps of the time grid so far; 0 until there is a window of points."""
        return self._stand.tail.n_cells

    @property
    def rule(self) -> Threshold:
        """The rule as it stands."""
        rule: Threshold = copy.copy(self._stand.rule)
        return rule

    def on_update(self, callback: Callable[[Stream], None]) -> None:
        """Call `callback` with the stream after each update; its errors are raised by `update`."""
        self._listeners.append(callback)

    def off_update(self, callback: Callable[[Stream], None]) -> None:
        """Call it no more."""
        self._listeners = [each for each in self._listeners if each is not callback]

    def newest(self) -> Newest:
        """For who draws it: what the last update may have changed."""
        tail = self._stand.tail
        none = Newest(tail.base, tail.scores, tail.values, np.empty(0, dtype=np.int64), np.empty(0))
        return self._stand.newest or none

    def __copy__(self) -> Stream:
        """A stream that goes its own way from here; nobody listens to it yet."""
        with self._lock:
            twin = object.__new__(type(self))
            twin.__dict__.update(vars(self))
            twin._lock, twin._listeners = threading.Lock(), []
            twin._rows = self._rows.copy()
        return twin

    # ------------------------------------------------------------------ an update

    def _take(self, points: Points, *, follow: bool) -> tuple[Floats, Floats]:
        """Take points whole or not at all; their scores and thresholds."""
        nothing = np.full(len(points), np.nan)
        if not len(points):
            return nothing, nothing
        before = self._read_times(self._stand, points)
        rows, cells, stand = self._place(before, points)
        tail, scores, thresholds = before.tail, nothing, nothing
        mine = np.empty(0, dtype=np.int64)
        if cells is not None:
            tail = self._weigher.extend(tail, rows, cells, self._ask)
            mine = cells[len(cells) - len(points) :]
            scores = tail.scores[mine - tail.base]
        if follow:
            rule, thresholds = _met(stand.rule, scores)
            stand = replace(stand, rule=rule)
        self._rows.write(points, cells, thresholds, before=before.n_rows)
        self._rows.write_settled(before.tail, tail)
        told = cells is not None and follow
        newest = Newest(tail.base, tail.scores, tail.values, mine, thresholds) if told else None
        self._stand = replace(stand, tail=self._weigher.forget(tail), newest=newest)
        if stand.waiting is None:
            self._rows.forget(stand.n_rows, self._stand.tail)
        return scores, thresholds

    def _read_times(self, stand: _Stand, points: Points) -> _Stand:
        """The same stand, once it is clear that the times go on from there."""
        dated = points.times is not None
        if stand.dated is not None and dated != stand.dated:
            had, have = ("dates", "none") if stand.dated else ("no dates", "some")
            raise InputError(
                f"The points so far had {had}, the new ones have {have}: give them alike, or begin afresh "
                "with start_stream()."
            )
        if points.times is not None:
            check_forward(points.times, stand.last)
        return replace(stand, dated=dated, time_column=points.time_column or stand.time_column)

    def _place(self, stand: _Stand, points: Points) -> tuple[Floats, Ints | None, _Stand]:
        """Rows to be laid on the grid with their cells, or None while there is no clock; the stand then."""
        after = replace(stand, n_rows=stand.n_rows + len(points))
        if points.times is None:
            return points.values, np.arange(stand.n_rows, after.n_rows), after
        after = replace(after, last=int(points.times[-1]))
        if stand.clock is not None:
            cells, clock = stand.clock.place_rows(points.times)
            return points.values, cells, replace(after, clock=clock)
        rows, times = points.values, points.times
        if stand.waiting is not None:
            rows, times = np.concatenate([stand.waiting[0], rows]), np.append(stand.waiting[1], times)
        grid = lay_grid(times.view("datetime64[ns]"))
        if grid.interval is None or grid.n_cells < self._size:
            return rows, None, replace(after, waiting=(rows, times))
        interval = self._interval(grid.interval)
        start = Clock(first=int(times[0]), interval=interval * _NANO, last=int(times[0]))
        cells, clock = start.place_rows(times)
        return rows, cells, replace(after, clock=clock, waiting=None)

    def _interval(self, found: float) -> float:
        """The step of the grid in seconds: the detector's own, if the stream's is like it."""
        if self._points_per_day is None:
            return found
        learnt = SECONDS_PER_DAY / self._points_per_day
        return learnt if compare_intervals(found, learnt, stacklevel=6) else found

    def _ask(self, values: Floats) -> Votes:
        """What all windows of some values on the grid say: (n_windows, window_size)."""
        windows = make_windows(self._scaler.transform(values), self._size)
        return self._votes(windows)


def _rule_for(detector: VAEDetector, threshold: Any) -> Threshold:
    """A rule of the stream's own, fitted."""
    if threshold is None:
        return copy.copy(detector.rule_)
    rule = as_rule(threshold)
    return rule.fit(
        detector.calibration_scores_,
        window_size=detector.window_size_,
        points_per_day=detector.points_per_day_,
    )


def _met(rule: Any, scores: Floats) -> tuple[Any, Floats]:
    """The thresholds that new scores met, and the rule after them."""
    if not hasattr(rule, "update"):
        return rule, np.full(len(scores), float(rule.threshold_))
    rule = copy.copy(rule)
    return rule, rule.update(scores)
