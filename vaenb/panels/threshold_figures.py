"""The series and its scores over time, with the threshold to be dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bqplot as bq
import numpy as np

from vaenb.drawing.axes import Scale, limits, number_ticks
from vaenb.panels.threshold_marks import (
    NOTHING,
    Handle,
    area,
    figure,
    score_axis,
    tick_score_axis,
    unit,
)
from vaenb.panels.timeaxis import TimeAxis, Trace
from vaenb.view_models.threshold_marks import above_line, column_maxima, outline, stripes

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.records import Floats
    from vaenb.view_models.threshold import ThresholdView
    from vaenb.view_models.threshold_marks import Above
    from vaenb.view_models.timeline import View


class TimeFigures:
    """The series and its scores over one time axis, with events, labels and the calibration part.

    Attributes
    ----------
    above : Above
        What is drawn red.
    """

    def __init__(self, view: ThresholdView, axis: TimeAxis, on_place: Callable[[float, bool], None]) -> None:
        self._view, self._axis = view, axis
        self.height = unit()
        over = {"x": axis.scale, "y": self.height}
        self.events = area(over, "var(--v-alarm)", 0.18)
        self.red = bq.Lines(x=NOTHING, y=NOTHING, scales=over, colors=["var(--v-alarm)"], stroke_width=1.5)
        self.handle = Handle(self.height, upright=False, on_place=on_place)
        self.scores = Trace(axis, view.heights, self.height, color="var(--v-score)", stroke_width=1.1)
        self.met = Trace(
            axis, _met(view), self.height, color="var(--v-second)", stroke_width=1.6, line_style="dashed"
        )
        self.fixed = [*_calibration(view, axis, over), self.events]
        self.labels = _labels(view, axis, over)
        self.above: Above | None = None
        self._highest: tuple[View, Floats] | None = None
        self.score_figure = self._score_figure()
        self.values: Trace | None = None
        self._channel = 0
        self.value_figure = self._value_figure()

    def _score_figure(self) -> bq.Figure:
        marks = [
            *(*self.fixed, self.scores.mark, self.red, self.met.mark),
            *(*self.labels, self.handle.line, self.handle.mark),
        ]
        self._scale, self._up = self._view.scale, score_axis(self._view, self.height, "left", 5)[0]
        found = figure(marks, [self._axis.axis(), self._up], height=230)
        found.add_class("vaenb-over-time")
        self._axis.pannable(found)
        return found

    def _value_figure(self) -> bq.Figure | None:
        values = self._view.pieces.values
        if values is None:
            return None
        self._value_scale = bq.LinearScale(allow_padding=False)
        up = self._value_axis = bq.Axis(scale=self._value_scale, side="left", tick_format=",.6~g")
        self._fit_scale(values[:, 0])
        self.values = Trace(self._axis, values[:, 0], self._value_scale)
        marks = [*self.fixed, self.values.mark, *self.labels]
        found = figure(marks, [self._axis.axis(visible=False), up], height=130, bottom=6)
        self._axis.pannable(found)
        return found

    def show_channel(self, channel: int) -> None:
        """Draw another channel of the series."""
        values = self._view.pieces.values
        if values is not None and self.values is not None:
            self._channel = channel
            self._fit_scale(values[:, channel])
            self.values.set_values(values[:, channel])

    def _fit_scale(self, values: Floats) -> None:
        low, high = limits(values, pad=0.06)
        with self._value_scale.hold_sync():
            self._value_scale.min, self._value_scale.max = low, high
        self._value_axis.tick_values = np.array([tick.value for tick in number_ticks(Scale(low, high), 3)])

    def grow(self) -> None:
        """Take what is new of the series and its scores; the axis draws it when it grows."""
        self.scores.take(self._view.heights)
        self.met.take(_met(self._view))
        self._highest = None
        if self._scale is not self._view.scale:
            self._scale = self._view.scale
            tick_score_axis(self._view, self._up, 5)
        values = self._view.pieces.values
        if values is not None and self.values is not None:
            shown = values[:, self._channel]
            self.values.take(shown)
            low, high = np.fmin.reduce(shown), np.fmax.reduce(shown)
            if not self._value_scale.min <= low <= high <= self._value_scale.max:
                self._fit_scale(shown)

    def draw(self) -> None:
        """Bring events, the red line and the handle up to date."""
        window, moments = self._axis.view, self._axis.timeline.moments
        x, y = outline(*stripes(self._view.spans, window))
        with self.events.hold_sync():
            self.events.x, self.events.y = moments(x), y
        flags = self._view.finder.flags(self._view.threshold, window.first, window.stop)
        line = self._view.place
        self.above = above_line(flags, self._view.heights, line, window, self._column_maxima(window))
        with self.red.hold_sync():
            self.red.x, self.red.y = moments(self.above.cells), self.above.heights
        self.handle.put(line)

    def _column_maxima(self, window: View) -> Floats:
        if self._highest is None or self._highest[0] != window:
            self._highest = window, column_maxima(self._view.heights, window)
        return self._highest[1]


def _met(view: ThresholdView) -> Floats:
    """The thresholds of a stream as places on the score axis."""
    met = view.pieces.thresholds
    return np.full(len(view.pieces), np.nan) if met is None else view.scale(met)


def _calibration(view: ThresholdView, axis: TimeAxis, scales: dict[str, bq.Scale]) -> list[bq.Mark]:
    part = view.pieces.calibration
    if part is None:
        return []
    band = area(scales, "var(--v-held)", 0.13)
    band.x, band.y = axis.timeline.moments(np.array([part[0], part[1] - 1.0])), np.ones(2)
    return [band]


def _labels(view: ThresholdView, axis: TimeAxis, scales: dict[str, bq.Scale]) -> list[bq.Mark]:
    if view.pieces.labels is None:
        return []
    strip = area(scales, "var(--v-label)", 1.0)

    def draw(window: View) -> None:
        x, y = outline(*stripes(view.labelled, window), height=0.03)
        with strip.hold_sync():
            strip.x, strip.y = axis.timeline.moments(x), y

    axis.on_view(draw)
    return [strip]
