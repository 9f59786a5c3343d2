"""What a report's pictures share: findings brought onto the time grid, thinned and ranked. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.drawing.axes import Scale, Tick, limits, number_ticks, time_ticks
from vaenb.drawing.decimation import decimate
from vaenb.formats import stamp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Floats, Ints, Series
    from vaenb.report import Findings

MAX_CHANNELS = 6
_BINS = 18_000  # shared by all curves of the overview: 36,000 points keep a page under 2 MB
_MANY = 5_000  # points above the threshold that are all kept; beyond, each bin's highest must do
_STRIPES = 1_500
_BEND = 8.0  # scores this many times as far out as the threshold bend the score axis


@dataclass(frozen=True)
class Timeline:
    """The cells of a series as times, or as numbers where it has no clock."""

    start: np.datetime64 | float
    step: float  # nanoseconds, or units of the index
    n_cells: int

    @classmethod
    def of(cls, series: Series) -> Timeline:
        """The timeline of a series."""
        first, last = series.index.min(), series.index.max()
        gaps = max(series.n_cells - 1, 1)
        if series.index.dtype.kind != "M":
            return cls(float(first), float(last - first) / gaps or 1.0, series.n_cells)
        span = float((last - first) / np.timedelta64(1, "ns"))
        step = span / gaps if series.interval is None else series.interval * 1e9
        return cls(first.astype("datetime64[ns]"), step or 1.0, series.n_cells)

    def at(self, cell: float) -> Any:
        """The time, or number, of a cell."""
        if isinstance(self.start, np.datetime64):
            return self.start + np.timedelta64(round(cell * self.step), "ns")
        return self.start + cell * self.step

    def scale(self, begin: float = 0, end: float | None = None) -> Scale:
        """The x scale of the cells from `begin` to before `end`; half a cell of air on either side."""
        return Scale(begin - 0.5, (self.n_cells if end is None else end) - 0.5)

    def ticks(self, scale: Scale, n: int) -> list[Tick]:
        """About `n` ticks for a scale in cells."""
        low, high = self.at(scale.low), self.at(scale.high)
        if isinstance(self.start, np.datetime64):
            span = scale.high - scale.low
            return [
                Tick(scale.low + tick.value * span, tick.label, tick.context)
                for _, tick in time_ticks(low, high, n)
            ]
        return [
            Tick((tick.value - self.start) / self.step, tick.label)
            for tick in number_ticks(Scale(low, high), n)
        ]


def stripes(starts: Ints, stops: Ints, scale: Scale) -> tuple[Floats, Floats]:
    """The stripes in sight as edges between cells; those too close to be told apart become one.

    However many events or labels there are, a picture gets no more than some `_STRIPES` of them.
    """
    seen = (starts < scale.high) & (stops > scale.low)
    if not seen.any():
        return np.empty(0), np.empty(0)
    order = np.argsort(starts[seen], kind="stable")
    begins = starts[seen][order].astype(np.float64) - 0.5
    ends = np.maximum.accumulate(stops[seen][order]).astype(np.float64) - 0.5
    apart = begins[1:] - ends[:-1] > (scale.high - scale.low) / _STRIPES
    return begins[np.insert(apart, 0, values=True)], ends[np.append(apart, values=True)]


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of a line: cells and values, and the name they go by."""

    name: str
    cells: Ints
    values: Floats


@dataclass(frozen=True, eq=False)
class Scene:
    """Findings as the pictures want them: on cells, most severe events and most blamed channels first."""

    findings: Findings

    @cached_property
    def timeline(self) -> Timeline:
        """The cells as times."""
        return Timeline.of(self.findings.series)

    @cached_property
    def grid(self) -> Floats:
        """The values on cells, shape (n_cells, n_channels)."""
        return self.findings.series.grid

    @cached_property
    def scores(self) -> Floats:
        """The scores on cells, shape (n_cells,); NaN where no row is, the highest where several are."""
        on_cells = np.full(self.findings.series.n_cells, np.nan)
        np.fmax.at(on_cells, self.findings.series.cells, self.findings.scores.values)
        return on_cells

    @cached_property
    def labels(self) -> tuple[Ints, Ints] | None:
        """Where labelled stretches start and stop, in cells; None without labels."""
        series = self.findings.series
        if series.labels is None:
            return None
        marked = np.zeros(series.n_cells + 1, dtype=np.int8)
        marked[series.cells[series.labels > 0]] = 1
        turns = np.diff(marked, prepend=0)
        return np.flatnonzero(turns > 0), np.flatnonzero(turns < 0)

    @cached_property
    def spans(self) -> tuple[Ints, Ints]:
        """Where events start and stop, in cells, shape (n_events,) each."""
        cells, events = self.findings.series.cells, self.findings.events
        rows = [cells[start:stop] for start, stop in zip(events.start, events.stop, strict=True)]
        starts, stops = [found.min() for found in rows], [found.max() + 1 for found in rows]
        return np.array(starts, dtype=np.int64), np.array(stops, dtype=np.int64)

    @cached_property
    def order(self) -> list[int]:
        """The events, most severe first; of equals the first in time."""
        severity = np.nan_to_num(self.findings.events.severity, nan=-np.inf)
        return [int(event) for event in np.argsort(-severity, kind="stable")]

    @cached_property
    def channels(self) -> list[int]:
        """The channels to show, most blamed first, `MAX_CHANNELS` at most."""
        shares = self.findings.events.shares
        everyone = list(range(self.findings.series.n_channels))
        if shares is None or not len(shares):
            return everyone[:MAX_CHANNELS]
        blame = np.nan_to_num(shares).sum(axis=0)
        return sorted(everyone, key=lambda channel: -blame[channel])[:MAX_CHANNELS]

    @cached_property
    def curves(self) -> list[Curve]:
        """The channels shown, then the scores: thinned so that the picture loses nothing to the eye."""
        series = self.findings.series
        n_bins = _BINS // (len(self.channels) + 1)
        curves = [
            self._thin(series.channels[channel], self.grid[:, channel], n_bins) for channel in self.channels
        ]
        threshold = self.findings.threshold.threshold_
        few = np.count_nonzero(self.scores > threshold) <= _MANY
        return [*curves, self._thin("score", self.scores, n_bins, above=threshold if few else np.inf)]

    @staticmethod
    def _thin(name: str, values: Floats, n_bins: int, *, above: float = np.inf) -> Curve:
        kept = decimate(values, n_bins, above=above)
        return Curve(name, kept, values[kept])

    @cached_property
    def normal(self) -> float:
        """The median normal score, of the calibration part where it is known."""
        known = self.findings.calibration_scores
        scores = np.asarray(self.scores if known is None else known, dtype=np.float64)
        scores = scores[np.isfinite(scores)]
        return float(np.median(scores)) if len(scores) else 0.0

    def score_scale(self, *arrays: ArrayLike, pad: float = 0.08) -> Scale:
        """A scale for scores with the threshold in sight, bent where some are very far out."""
        threshold = self.findings.threshold.threshold_
        low, high = limits(*arrays, [threshold], pad=0.0)
        width = threshold - self.normal
        far = max(high - self.normal, self.normal - low)
        bent = np.isfinite(width) and width > 0 and far > _BEND * width
        plain = Scale(low, high, self.normal, width) if bent else Scale(low, high)
        airy_low, airy_high = (float(value) for value in plain.inverse([-pad, 1 + pad]))
        return replace(plain, low=max(airy_low, 0.0) if low >= 0 else airy_low, high=airy_high)

    @property
    def over(self) -> float | None:
        """The threshold, or None where it is no number to draw."""
        threshold = self.findings.threshold.threshold_
        return threshold if np.isfinite(threshold) else None

    def when(self, row: int) -> str:
        """A row's timestamp, to be read."""
        return stamp(self.findings.series.index[row], self.findings.series.interval)
