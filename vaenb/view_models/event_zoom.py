"""A stretch from near: values with what was expected of them, scores, and who is to blame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.drawing.axes import limits
from vaenb.events import runs
from vaenb.view_models.timeline import View, thin

if TYPE_CHECKING:
    from vaenb.records import Bools, Floats, Ints
    from vaenb.view_models.judge import Judge

MOST_CHANNELS: Final = 4
_MOST_STRIPES: Final = 200


@dataclass(frozen=True, eq=False, kw_only=True)
class ChannelZoom:
    """One channel in view.

    Attributes
    ----------
    channel : int
    share : float
        Of the blame for the current stretch.
    cells : ndarray of int64, shape (n,)
        Those that make the line look whole.
    values, mean, low, high : ndarray of float64, shape (n,)
        Measured; expected, and one standard deviation about it.
    y : tuple of float
        The lowest and the highest value to show.
    """

    channel: int
    share: float
    cells: Ints
    values: Floats
    mean: Floats
    low: Floats
    high: Floats
    y: tuple[float, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class Zoom:
    """All that stands in view.

    Attributes
    ----------
    view : View
    channels : tuple of ChannelZoom
        The most blamed first, `MOST_CHANNELS` at most.
    cells : ndarray of int64, shape (n,)
    scores : ndarray of float64, shape (n,)
    y : tuple of float
        The lowest and the highest score to show; the threshold lies between them.
    here : tuple of int
        The current stretch, as (first cell, cell after the last).
    events, labels, second : tuple of ndarray
        Starts and stops of the other events and of labelled stretches in view.
    """

    view: View
    channels: tuple[ChannelZoom, ...]
    cells: Ints
    scores: Floats
    y: tuple[float, float]
    here: tuple[int, int]
    events: tuple[Ints, Ints]
    labels: tuple[Ints, Ints]
    second: tuple[Ints, Ints]

    @property
    def shown(self) -> str:
        """How many of the points in view are drawn: n of N."""
        n_drawn = int(((self.cells >= self.view.first) & (self.cells < self.view.stop)).sum())
        return f"{n_drawn:,} of {len(self.view):,} points drawn"


def zoom(judge: Judge, view: View) -> Zoom:
    """What stands in view, around the current stretch."""
    place = judge.current
    shares = np.full(judge.grid.shape[1], np.nan) if place is None else judge.blame(place)
    first = np.argsort(-np.nan_to_num(shares), kind="stable")[:MOST_CHANNELS]
    scores = judge.evidence.scores
    cells = thin(scores, view, above=judge.threshold)
    level = judge.threshold if np.isfinite(judge.threshold) else np.nan
    low, high = limits(scores[cells], [level], pad=0.08)
    here = judge.span if place is not None else (0, 0)
    return Zoom(
        view=view,
        channels=tuple(_channel(judge, int(channel), float(shares[channel]), view) for channel in first),
        cells=cells,
        scores=scores[cells],
        y=(max(low, 0.0) if np.nanmin(scores[cells], initial=np.inf) >= 0 else low, high),
        here=here,
        events=_others(judge, view, here),
        labels=marked(judge.labels, view),
        second=marked(judge.second, view),
    )


def _channel(judge: Judge, channel: int, share: float, view: View) -> ChannelZoom:
    values = judge.grid[:, channel]
    cells = thin(values, view)
    mean = judge.evidence.reconstruction[cells, channel].astype(np.float64)
    spread = judge.evidence.spread[cells, channel].astype(np.float64)
    return ChannelZoom(
        channel=channel,
        share=share,
        cells=cells,
        values=values[cells],
        mean=mean,
        low=mean - spread,
        high=mean + spread,
        y=limits(values[cells], mean, pad=0.1),
    )


def _others(judge: Judge, view: View, here: tuple[int, int]) -> tuple[Ints, Ints]:
    events = judge.events
    seen = (events.start < view.stop) & (events.stop > view.first) & (events.start != here[0])
    chosen = np.flatnonzero(seen)
    if len(chosen) > _MOST_STRIPES:
        chosen = np.sort(chosen[np.argsort(-events.score[chosen], kind="stable")[:_MOST_STRIPES]])
    return events.start[chosen], events.stop[chosen]


def marked(marks: Bools | None, view: View) -> tuple[Ints, Ints]:
    """Where marks in view start and stop; nothing without marks."""
    if marks is None:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    start, stop = runs(marks[view.first : view.stop])
    longest = np.sort(np.argsort(start - stop, kind="stable")[:_MOST_STRIPES])
    return start[longest] + view.first, stop[longest] + view.first
