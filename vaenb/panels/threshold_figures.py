"""The figures of the threshold panel: series and scores over time, histogram with rules, curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bqplot as bq
import numpy as np

from vaenb.panels.timeaxis import TimeAxis, Trace
from vaenb.report.axes import Scale, number_ticks
from vaenb.view_models.threshold_axis import score_ticks
from vaenb.view_models.threshold_marks import above_line, column_maxima, histogram, outline, stripes
from vaenb.view_models.threshold_words import rate_words
from vaenb.view_models.timeline import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.records import Floats
    from vaenb.view_models.threshold import ThresholdView
    from vaenb.view_models.threshold_marks import Above

LEFT, RIGHT = 64, 18
ROW = 28  # pixels of a rule's row
NAMES, PROMISES = 136, 92  # pixels left and right of the histogram, for the rules' names and promises
_NOTHING = np.empty(0)
_AXIS = {"grid_lines": "solid", "label_offset": "32px"}


def unit(*, low: float = 0.0, high: float = 1.0) -> bq.LinearScale:
    """A scale that stays as it is."""
    return bq.LinearScale(min=low, max=high, allow_padding=False)


def figure(marks: list[bq.Mark], axes: list[bq.Axis], *, height: int, **margin: int) -> bq.Figure:
    """A figure of fixed height, as wide as it may be."""
    edges = {"top": 8, "bottom": 26, "left": LEFT, "right": RIGHT, **margin}
    return bq.Figure(
        marks=marks,
        axes=axes,
        fig_margin=edges,
        padding_x=0,
        padding_y=0,
        animation_duration=0,
        display_toolbar=False,
        layout={"height": f"{height}px", "width": "100%", "min_width": "0"},
    )


def area(scales: dict[str, bq.Scale], color: str, opacity: float, **more: Any) -> bq.Lines:
    """Filled stripes or bars: a line without a stroke."""
    chosen = {"fill": "bottom", "fill_colors": [color], "fill_opacities": [opacity], "opacities": [0.0], **more}
    return bq.Lines(x=_NOTHING, y=_NOTHING, scales=scales, colors=[color], stroke_width=0, **chosen)


class Handle:
    """The threshold as a line that the mouse can drag.

    The mark is a point; the style sheet draws it as a line through the whole figure, so that the line follows
    the mouse without waiting for the kernel. Where a browser cannot do that, `line` is the line.

    Parameters
    ----------
    scale : bqplot.Scale
        Of the score axis.
    upright : bool
        Whether the line stands (in the histogram) or lies (over the scores).
    on_place : callable
        Gets the place on the score axis with every move.
    """

    def __init__(self, scale: bq.Scale, *, upright: bool, on_place: Callable[[float, bool], None]) -> None:
        self._axis, other = ("x", "y") if upright else ("y", "x")
        scales = {self._axis: scale, other: unit()}
        self.is_held = False
        fixed = {f"restrict_{self._axis}": True}
        self.mark = bq.Scatter(
            x=[1.0], y=[1.0], scales=scales, colors=["var(--v-alarm)"], default_size=80, enable_move=True, **fixed
        )
        self.line = bq.Lines(
            x=[0.0, 1.0], y=[0.0, 1.0], scales=scales, colors=["var(--v-threshold-line)"], stroke_width=1.5
        )
        self._on_place = on_place
        self.mark.on_drag_start(self._start)
        self.mark.on_drag(self._drag)
        self.mark.on_drag_end(self._end)

    def _start(self, _: Any, __: Any) -> None:
        self.is_held = True

    def _drag(self, _: Any, content: dict[str, Any]) -> None:
        self.is_held = True
        self._on_place(content["point"][self._axis], False)  # noqa: FBT003

    def _end(self, _: Any, content: dict[str, Any]) -> None:
        self.is_held = False
        self._on_place(content["point"][self._axis], True)  # noqa: FBT003

    def put(self, place: float) -> None:
        """Move to a place, unless the mouse holds it."""
        setattr(self.line, self._axis, np.array([place, place]))
        if not self.is_held:
            setattr(self.mark, self._axis, np.array([place]))


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
        self.red = bq.Lines(x=_NOTHING, y=_NOTHING, scales=over, colors=["var(--v-alarm)"], stroke_width=1.5)
        self.handle = Handle(self.height, upright=False, on_place=on_place)
        self.scores = Trace(axis, view.heights, self.height, color="var(--v-score)", stroke_width=1.1)
        self.fixed = [*_calibration(view, axis, over), self.events]
        self.labels = _labels(view, axis, over)
        self.above: Above | None = None
        self._highest: tuple[View, Floats] | None = None
        self.score_figure = self._score_figure()
        self.values: Trace | None = None
        self.value_figure = self._value_figure()

    def _score_figure(self) -> bq.Figure:
        marks = [*self.fixed, self.scores.mark, self.red, *self.labels, self.handle.line, self.handle.mark]
        found = figure(marks, [self._axis.axis(), *_score_axis(self._view, self.height, "left", 5)], height=230)
        found.add_class("vaenb-over-time")
        self._axis.pannable(found)
        return found

    def _value_figure(self) -> bq.Figure | None:
        values = self._view.pieces.values
        if values is None:
            return None
        self._value_scale = bq.LinearScale(allow_padding=False)
        self.values = Trace(self._axis, values[:, 0], self._value_scale)
        up = self._value_axis = bq.Axis(scale=self._value_scale, side="left", tick_format=",.6~g")
        self.show_channel(0)
        marks = [*self.fixed, self.values.mark, *self.labels]
        found = figure(marks, [self._axis.axis(visible=False), up], height=130, bottom=6)
        self._axis.pannable(found)
        return found

    def show_channel(self, channel: int) -> None:
        """Draw another channel of the series."""
        values = self._view.pieces.values
        if values is None or self.values is None:
            return
        known = values[:, channel][np.isfinite(values[:, channel])]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        air = 0.06 * (high - low) or 1.0
        with self._value_scale.hold_sync():
            self._value_scale.min, self._value_scale.max = low - air, high + air
        ticks = number_ticks(Scale(low - air, high + air), 3)
        self._value_axis.tick_values = np.array([tick.value for tick in ticks])
        self.values.set_values(values[:, channel])

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


def _score_axis(view: ThresholdView, scale: bq.Scale, side: str, n: int) -> list[bq.Axis]:
    """The axis of the scores: places on it, true values beside it."""
    places, names = score_ticks(view.scale, n)
    return [
        bq.Axis(scale=scale, side=side, tick_values=places, tick_labels=names, grid_lines="solid")
    ]


class RuleFigures:
    """The histogram with its tail, and below it the rules on the same score axis."""

    def __init__(self, view: ThresholdView, on_place: Callable[[float, bool], None]) -> None:
        self._view = view
        self.across, self.up = unit(), unit()
        scales = {"x": self.across, "y": self.up}
        self.held = bq.Lines(
            x=_NOTHING, y=_NOTHING, scales=scales, colors=["var(--v-held)"], stroke_width=1.4
        )
        self.judged = area(scales, "var(--v-calm)", 0.85)
        self.tail = area(scales, "var(--v-alarm)", 0.85)
        self.handle = Handle(self.across, upright=True, on_place=on_place)
        self._shares = bq.Axis(scale=self.up, side="left", grid_lines="solid")
        self.histogram = self._histogram()
        self.dots, self.line = self._rule_marks()
        self.rules = self._rules()
        self.count()

    def _histogram(self) -> bq.Figure:
        marks = [self.judged, self.tail, self.held, self.handle.line, self.handle.mark]
        across = _score_axis(self._view, self.across, "bottom", 6)
        across[0].grid_lines = "none"
        found = figure(marks, [*across, self._shares], height=180, left=NAMES, right=PROMISES)
        found.add_class("vaenb-upright")
        return found

    def _rule_marks(self) -> tuple[bq.Scatter, bq.Lines]:
        rows = {"x": self.across, "y": unit()}
        n = len(self._view.rules)
        places = [np.nan if row.trouble else float(self._view.scale(row.threshold)) for row in self._view.rules]
        dots = bq.Scatter(
            x=np.array(places),
            y=1 - (np.arange(n) + 0.5) / n,
            scales=rows,
            colors=["var(--v-data)"],
            marker="diamond",
            default_size=70,
        )
        line = bq.Lines(x=[0.0, 0.0], y=[0.0, 1.0], scales=rows, colors=["var(--v-alarm)"], stroke_width=1.5)
        return dots, line

    def _rules(self) -> bq.Figure:
        ticks = score_ticks(self._view.scale, 6)[0]
        grid = bq.Axis(scale=self.across, tick_values=ticks, grid_lines="solid", tick_style={"display": "none"})
        height = ROW * len(self._view.rules)
        found = figure([self.line, self.dots], [grid], height=height, top=0, bottom=0, left=4, right=4)
        found.add_class("vaenb-rule-rows")
        return found

    def count(self) -> None:
        """Count the scores anew: another part is judged."""
        held = self._view.pieces.calibration_scores
        self.bars = histogram(self._view.scale, self._view.judge.ascending, np.sort(held[~np.isnan(held)]))
        with self.judged.hold_sync():
            self.judged.x, self.judged.y = self.bars.steps(self.bars.judged)
        if self._view.is_honest:
            with self.held.hold_sync():
                self.held.x, self.held.y = self.bars.steps(self.bars.held)
        with self._shares.hold_sync():
            self._shares.tick_values, self._shares.tick_labels = self.bars.ticks, self.bars.labels

    def draw(self) -> None:
        """Bring the tail, the handle and the line through the rules up to date."""
        place = self._view.place
        with self.tail.hold_sync():
            self.tail.x, self.tail.y = self.bars.tail(place)
        self.handle.put(place)
        self.line.x = np.array([place, place])


class CurveFigures:
    """Precision against recall where there are labels; alarms against the threshold where there are none."""

    def __init__(self, view: ThresholdView) -> None:
        self._view = view
        fifths = np.arange(6) / 5
        shares = (unit(low=-0.02, high=1.02), unit(low=-0.02, high=1.04))
        across, up = (
            bq.Axis(scale=scale, side=side, label=label, tick_values=fifths, tick_format=".1f", **_AXIS)
            for scale, side, label in zip(shares, ("bottom", "left"), ("recall", "precision"), strict=True)
        )
        self.curve, self.here, self.curve_figure = _curve(shares, [across, up])
        places = (unit(), unit())
        self._rate_scale = places[1]
        rate = f"alarms {rate_words(view)}"
        [across] = _score_axis(view, places[0], "bottom", 5)
        across.label, across.label_offset, across.grid_lines = "threshold", "30px", "none"
        up = bq.Axis(scale=places[1], side="left", label=rate, num_ticks=5, tick_format="~g", **_AXIS)
        self.rates, self.rate_here, self.rate_figure = _curve(places, [across, up])
        self.count()

    def count(self) -> None:
        """Draw the curves anew: another part is judged, or events are joined in another way."""
        curve = self._view.judge.curve
        with self.curve.hold_sync():
            self.curve.x = _NOTHING if curve is None else np.append(0.0, curve.recall)
            self.curve.y = _NOTHING if curve is None else np.append(curve.precision[0], curve.precision)
        if self._view.has_labels:
            return
        costs = self._view.costs
        rates = costs.false_alarms * self._rate(1)
        self._rate_scale.max = max(1.05 * float(rates.max()), 1e-9)
        with self.rates.hold_sync():
            self.rates.x, self.rates.y = self._view.scale(costs.threshold), rates

    def _rate(self, alarms: float) -> float:
        n = max(1, len(self._view.judge))
        return alarms / n * (self._view.pieces.points_per_day or 1000.0)

    def draw(self) -> None:
        """Put the point where the line stands."""
        told = self._view.metrics
        if self._view.has_labels:
            precision = 1.0 if np.isnan(told["precision"]) else told["precision"]
            _put(self.here, told["recall"], precision)
        else:
            _put(self.rate_here, self._view.place, self._rate(told["alarms"]))


def _curve(scales: tuple[bq.Scale, bq.Scale], axes: list[bq.Axis]) -> tuple[bq.Lines, bq.Scatter, bq.Figure]:
    """A curve, and the point on it where the line stands."""
    on = dict(zip("xy", scales, strict=True))
    curve = bq.Lines(x=_NOTHING, y=_NOTHING, scales=on, colors=["var(--v-data)"], stroke_width=1.8)
    here = bq.Scatter(
        x=_NOTHING,
        y=_NOTHING,
        scales=on,
        colors=["var(--v-alarm)"],
        default_size=110,
        stroke="var(--v-paper)",
        stroke_width=2,
    )
    return curve, here, figure([curve, here], axes, height=212, bottom=44, left=58, right=10)


def _put(mark: bq.Scatter, x: float, y: float) -> None:
    with mark.hold_sync():
        mark.x, mark.y = np.array([x]), np.array([y])
