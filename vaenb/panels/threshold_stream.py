"""The threshold panel while scores keep coming: it grows to the right, at most ten times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.panels.base import guarded
from vaenb.panels.pace import Pace
from vaenb.panels.threshold_live import LiveThreshold
from vaenb.view_models.threshold_growth import grown
from vaenb.view_models.threshold_words import heading, legend

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.view_models.threshold import ThresholdView

_PICTURES_A_SECOND = 10.0
_COUNTS_A_SECOND = 1.0  # of the curves, which take longer than all else


class GrowingThreshold(LiveThreshold):
    """The panel's way to grow.

    New scores are in `view` at once; the picture follows at most ten times a second, the last time always.
    Where the line stands, what was set, the judged part and a zoom stay as they are; a view that reaches the
    end of the series stays at its end.

    Parameters
    ----------
    view : ThresholdView
    """

    def __init__(self, view: ThresholdView) -> None:
        super().__init__(view)
        self._growth = Pace(self._paint_growth, per_second=_PICTURES_A_SECOND)
        self._counting = Pace(self._count_growth, per_second=_COUNTS_A_SECOND)
        self._streams: list[Any] = []

    def append(
        self,
        scores: ArrayLike,
        *,
        values: ArrayLike | None = None,
        thresholds: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        first: int | None = None,
    ) -> None:
        """Show scores that have come, behind the others; or some of these anew.

        Parameters
        ----------
        scores : array_like, shape (n,)
        values : array_like, shape (n,) or (n, n_channels), optional
            Of the series, where the panel shows it.
        thresholds : array_like, shape (n,), optional
            That the scores met, such as those of `vaenb.DSPOT`: a dashed line. NaN where there is none.
        labels : array_like of 0/1, shape (n,), optional
        first : int, optional
            The position of the first of these scores, counted from 0: what stood from there on is replaced,
            since the newest scores of a stream are provisional. Without it nothing is.

        Raises
        ------
        InputError
            If it does not fit to what is shown.
        """
        with self.lock:
            at = len(self.view.pieces) if first is None else first
            pieces = grown(
                self.view.pieces,
                scores,
                first=first,
                values=values,
                thresholds=thresholds,
                labels=labels,
            )
            self.view.take(pieces, at)
        self._growth()

    def follow(self, stream: Any) -> None:
        """Show every update of a stream as it comes.

        Parameters
        ----------
        stream : vaenb.Stream
            With as many steps on its time grid as the panel shows points: make both of the same history.

        Raises
        ------
        InputError
            If it has not.
        """
        if stream.n_cells != len(self.view.pieces):
            raise InputError(
                f"The panel shows {len(self.view.pieces):,} points, and the stream has {stream.n_cells:,}: "
                "make the panel of the scores of the stream's history, on its grid."
            )
        self._on_stream(stream)
        self._streams.append(stream)
        stream.on_update(self._on_stream)

    def _on_stream(self, stream: Any) -> None:
        newest = stream.newest()
        thresholds = np.full(len(newest.scores), np.nan)
        inside = newest.cells >= newest.first
        thresholds[newest.cells[inside] - newest.first] = newest.thresholds[inside]
        values = None if self.view.pieces.values is None else newest.values
        self.append(newest.scores, values=values, thresholds=thresholds, first=newest.first)

    @guarded
    def _paint_growth(self) -> None:
        self.over_time.grow()
        self.axis.grow(self.view.pieces.timeline)
        self.by_score.grow()
        self.controls.heading.value = heading(self.view)
        self.controls.legend.value = legend(self.view)
        self._paint()
        self._counting()

    @guarded
    def _count_growth(self) -> None:
        self.curves.grow()
        self.curves.draw()

    def close(self) -> None:
        """Close the panel and all that it made; follow no stream any more."""
        if not self.is_closed:
            for stream in self._streams:
                stream.off_update(self._on_stream)
            self._growth.end()
            self._counting.end()
        super().close()
