"""The window of step 1 from near, and the autocorrelation that its size comes from."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import bqplot as bq
import ipywidgets as widgets
import numpy as np

from vaenb.drawing.axes import Scale, number_ticks
from vaenb.drawing.decimation import decimate
from vaenb.view_models import data_words
from vaenb.view_models.data import MOST_SHOWN
from vaenb.view_models.timeline import MOST_POINTS

if TYPE_CHECKING:
    from vaenb.records import Bools, Floats
    from vaenb.view_models.data import DataView, WindowSight

_HEIGHT = "210px"
_MARGIN = {"top": 10, "bottom": 40, "left": 44, "right": 22}
_BELOW = {"grid_lines": "none", "tick_format": ",d", "label_offset": "2.6em"}


def _figure(marks: list[bq.Mark], axes: list[bq.Axis]) -> bq.Figure:
    return bq.Figure(
        marks=marks,
        axes=axes,
        animation_duration=0,
        display_toolbar=False,
        padding_x=0,
        padding_y=0,
        fig_margin=dict(_MARGIN),
        layout={"width": "100%", "height": _HEIGHT, "min_width": "0"},
    )


def _round_numbers(high: float, n: int) -> Floats:
    """About `n` round numbers from 0 on."""
    ticks = (tick.value for tick in number_ticks(Scale(0.0, high), n))
    return np.array([value for value in ticks if value == int(value)])


class WindowChart:
    """The highlighted window, scaled, as the network sees it.

    One channel stands on an axis of scaled units. Several stand one below the other, each between its
    lowest and highest usual value.
    """

    def __init__(self, view: DataView) -> None:
        self._view = view
        self.x, self.y = bq.LinearScale(), bq.LinearScale()
        scales = {"x": self.x, "y": self.y}
        self.line = bq.Lines(
            x=[], y=[], scales=scales, colors=["var(--v-second)"], stroke_width=1.6, fill="none"
        )
        self.filled = bq.Scatter(
            x=[],
            y=[],
            scales=scales,
            marker="circle",
            colors=["var(--v-axis)"],
            default_size=7,
        )
        self.names = bq.Label(
            x=[0.0] * MOST_SHOWN,
            y=[0.0] * MOST_SHOWN,
            text=[""] * MOST_SHOWN,
            scales=scales,
            colors=["var(--v-muted)"],
            default_size=11,
            font_weight="normal",
        )
        self._y_axis = bq.Axis(scale=self.y, side="left", tick_format=".3~g")
        self._x_axis = bq.Axis(scale=self.x, label="point of the window", **_BELOW)
        self.figure = _figure([self.line, self.filled, self.names], [self._x_axis, self._y_axis])
        self.words = widgets.HTML()
        self.words.add_class("vaenb-says")

    def draw(self) -> None:
        """Show the window where it is now."""
        sight = self._view.sight()
        self.words.value = escape(data_words.window_words(self._view))
        if sight is None:
            return
        several = sight.values.shape[1] > 1
        heights = _one_below_the_other(self._view, sight) if several else sight.values.astype(np.float64)
        kept = decimate(heights[:, 0], MOST_POINTS // (2 * heights.shape[1]))
        rows, columns = np.nonzero(sight.missing)
        with self.x.hold_sync(), self.y.hold_sync(), self.line.hold_sync(), self.filled.hold_sync():
            self.x.min, self.x.max = 0.0, float(max(1, len(heights) - 1))
            self.y.min, self.y.max = self._span(heights)
            self._y_axis.tick_values = self._ticks(heights.shape[1])
            self._x_axis.tick_values = _round_numbers(self.x.max, 6)
            self.line.x, self.line.y = kept.astype(np.float64), _without(heights, sight.missing)[kept].T
            self.filled.x, self.filled.y = (
                rows[:MOST_POINTS].astype(np.float64),
                heights[rows, columns][:MOST_POINTS],
            )
        self._name(several=several)

    def _span(self, heights: Floats) -> tuple[float, float]:
        if heights.shape[1] > 1:
            return 0.0, float(heights.shape[1])
        low, high = data_words.ranges(self._view)[0]
        low, high = min(low, heights.min()), max(high, heights.max())
        air = 0.08 * (high - low) or 1.0
        return float(low - air), float(high + air)

    def _ticks(self, n_shown: int) -> Floats:
        """Numbers for one channel; for several the borders between them, whose labels are hidden."""
        if n_shown > 1:
            return np.arange(1.0, n_shown)
        return np.array([tick.value for tick in number_ticks(Scale(self.y.min, self.y.max), 4)])

    def _name(self, *, several: bool) -> None:
        (self.figure.add_class if several else self.figure.remove_class)("vaenb-stacked")
        names = [self._view.series.channels[channel] for channel in self._view.shown] if several else []
        with self.names.hold_sync():
            self.names.text = names + [""] * (MOST_SHOWN - len(names))
            self.names.y = np.maximum(0.0, len(names) - 0.16 - np.arange(MOST_SHOWN))


def _without(heights: Floats, missing: Bools) -> Floats:
    """The heights with gaps where a value is missing; not at the end, where bqplot puts a label."""
    gaps = missing.copy()
    gaps[-1] = False
    return np.where(gaps, np.nan, heights)


def _one_below_the_other(view: DataView, sight: WindowSight) -> Floats:
    """The channels' values as heights: the first between n - 1 and n, the last between 0 and 1."""
    low, high = data_words.ranges(view).T
    shares = (sight.values - low) / np.where(high > low, high - low, 1.0)
    floor = sight.values.shape[1] - 1.0 - np.arange(sight.values.shape[1])
    return np.asarray(floor + 0.08 + 0.66 * np.clip(shares, 0.0, 1.12))


class PeriodChart:
    """The autocorrelation of the train part, its clear peaks, the period chosen and the window's size."""

    def __init__(self, view: DataView) -> None:
        self._view = view
        self.x, self.y = bq.LinearScale(min=0, max=1), bq.LinearScale(min=-1.05, max=1.05)
        scales = {"x": self.x, "y": self.y}
        self.line = bq.Lines(x=[], y=[], scales=scales, colors=["var(--v-score)"], stroke_width=1.4)
        dots = {"x": [], "y": [], "scales": scales, "marker": "circle", "stroke": "var(--v-paper)"}
        self.peaks = bq.Scatter(colors=["var(--v-axis)"], default_size=26, **dots)
        self.chosen = bq.Scatter(colors=["var(--v-label)"], default_size=80, **dots)
        self.window = bq.Lines(
            x=[], y=[], scales=scales, colors=["var(--v-second)"], stroke_width=1.6, line_style="dashed"
        )
        self.names = bq.Label(
            x=[0.0, 0.0],
            y=[0.86, -0.92],
            text=["", ""],
            scales=scales,
            colors=["var(--v-label)", "var(--v-second)"],
            default_size=11,
            x_offset=6,
        )
        self._x_axis = bq.Axis(scale=self.x, label="lag in points", **_BELOW)
        ticks = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
        y_axis = bq.Axis(scale=self.y, side="left", tick_values=ticks, tick_format=".1f")
        marks = [self.window, self.line, self.peaks, self.chosen, self.names]
        self.figure = _figure(marks, [self._x_axis, y_axis])
        self.figure.add_class("vaenb-period")
        self.words = widgets.HTML()
        self.words.add_class("vaenb-says")

    def draw(self) -> None:
        """Show the autocorrelation of the train part as it is now."""
        acf, n_lags = self._view.acf, data_words.shown_lags(self._view)
        values = np.zeros(0) if acf is None else acf.values[:n_lags]
        peaks = np.zeros(0, np.int64) if acf is None else acf.peaks[acf.peaks < n_lags]
        kept = decimate(values, MOST_POINTS // 2) if len(values) else np.zeros(0, np.int64)
        period = None if acf is None else acf.period
        best = np.array([] if period is None else [period], dtype=np.int64)
        with self.line.hold_sync(), self.peaks.hold_sync(), self.chosen.hold_sync(), self.x.hold_sync():
            self.x.max = float(max(1, n_lags - 1))
            self._x_axis.tick_values = _round_numbers(self.x.max, 6)
            self.line.x, self.line.y = kept.astype(np.float64), values[kept]
            for mark, lags in ((self.peaks, peaks), (self.chosen, best)):
                mark.x, mark.y = lags.astype(np.float64), values[lags]
        self._mark_size(period)
        said = [
            data_words.size_reason(self._view),
            data_words.resemblance(self._view),
        ]
        self.words.value = escape(" ".join(filter(None, said)))

    def _mark_size(self, period: int | None) -> None:
        size = float(self._view.size)
        with self.window.hold_sync(), self.names.hold_sync():
            self.window.x, self.window.y = np.array([size, size]), np.array([-1.0, 1.0])
            self.names.x = np.array([size if period is None else float(period), size])
            self.names.text = ["" if period is None else f"period {period:,}", f"window {size:,.0f}"]
