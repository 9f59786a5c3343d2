"""The threshold explorer as a still SVG: series, scores with the line, histogram and rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vaenb.drawing.axes import Scale, Tick, limits, number_ticks, time_ticks
from vaenb.drawing.decimation import decimate
from vaenb.drawing.svg import (
    Pane,
    frame,
    level,
    line,
    picture,
    shade,
    steps,
    upright,
    words,
    x_axis,
    y_axis,
)
from vaenb.formats import number
from vaenb.view_models.threshold_marks import histogram, stripes
from vaenb.view_models.threshold_words import alternative, rate_words
from vaenb.view_models.timeline import View

if TYPE_CHECKING:
    from vaenb.view_models.threshold import ThresholdView

_WIDTH, _LEFT, _RIGHT = 960.0, 62.0, 18.0
_BINS = 700
_ROW = 22.0


def threshold_picture(view: ThresholdView, *, channel: int = 0) -> str:
    """The picture of all that is on screen, whole in time; see `vaenb.drawing.svg.picture`."""
    n = len(view.pieces)
    pane = Pane(
        x=Scale(-0.5, n - 0.5), y=view.scale, left=_LEFT, top=170, width=_WIDTH - _LEFT - _RIGHT, height=150
    )
    upper = replace(pane, top=32, height=104, y=_value_scale(view, channel))
    if view.pieces.values is None:
        pane = replace(pane, top=32)
    low = replace(pane, x=view.scale, top=pane.bottom + 78, width=500, height=110, y=Scale(0, 1))
    drawn = [] if view.pieces.values is None else [_values(view, upper, channel)]
    return picture(
        "threshold",
        *drawn,
        _scores(view, pane),
        x_axis(pane, _times(view)),
        _histogram(view, low),
        _rules(view, low),
        width=_WIDTH,
        height=low.bottom + 40,
        title=f"Threshold of the anomaly scores of {view.pieces.name}",
        desc=alternative(view),
    )


def _value_scale(view: ThresholdView, channel: int) -> Scale:
    values = view.pieces.values
    return Scale(0, 1) if values is None else Scale(*limits(values[:, channel]))


def _backdrop(view: ThresholdView, pane: Pane) -> str:
    """Calibration part, events and labels, behind a line."""
    part = view.pieces.calibration
    drawn = [] if part is None else [shade(pane, [part[0] - 0.5], [part[1] - 0.5], css="v-part1 v-soft")]
    drawn.append(shade(pane, *stripes(view.spans, View(0, len(view.pieces)))))
    return "".join(drawn)


def _values(view: ThresholdView, pane: Pane, channel: int) -> str:
    values = view.pieces.values
    if values is None:
        return ""
    cells = decimate(values[:, channel], _BINS)
    return "".join(
        [
            y_axis(pane, number_ticks(pane.y, 3)),
            frame(pane, _backdrop(view, pane), line(pane, cells, values[cells, channel])),
            words(pane.left, pane.top - 7, view.pieces.channels[channel], css="v-name"),
        ]
    )


def _scores(view: ThresholdView, pane: Pane) -> str:
    cells = decimate(view.pieces.scores, _BINS)
    curve = line(pane, cells, view.pieces.scores[cells], css="v-line v-score", ident="threshold-score")
    again = '<use href="#threshold-score" class="v-over"/>'
    told = f"threshold {number(view.threshold)}"
    return "".join(
        [
            y_axis(pane, number_ticks(pane.y, 4)),
            frame(pane, _backdrop(view, pane), curve),
            frame(pane, again, down_to=view.threshold),
            frame(pane, _met(view, pane), level(pane, view.threshold)),
            _labels(view, pane),
            words(pane.left, pane.top - 7, "anomaly score", css="v-name"),
            words(pane.right, pane.top - 7, told, css="v-text-alarm", anchor="end"),
        ]
    )


def _met(view: ThresholdView, pane: Pane) -> str:
    """The thresholds that the scores of a stream met."""
    met = view.pieces.thresholds
    if met is None:
        return ""
    cells = decimate(met, _BINS)
    return line(pane, cells, met[cells], css="v-met")


def _labels(view: ThresholdView, pane: Pane) -> str:
    if view.pieces.labels is None:
        return ""
    start, stop = view.labelled
    strip = replace(pane, top=pane.bottom - 4, height=4)
    return frame(strip, shade(strip, start - 0.5, stop - 0.5, css="v-labels"))


def _times(view: ThresholdView) -> list[Tick]:
    line_of_time, n = view.pieces.timeline, len(view.pieces)
    if not line_of_time.has_clock:
        first, last = line_of_time.moments([0, max(1, n - 1)])
        ticks = number_ticks(Scale(float(first), float(last)), 6)
        return [Tick((t.value - line_of_time.start) / line_of_time.step, t.label) for t in ticks]
    first, last = line_of_time.moments([0, max(1, n - 1)])
    return [Tick(tick.value * (n - 1), tick.label, tick.context) for _, tick in time_ticks(first, last, 7)]


def _histogram(view: ThresholdView, pane: Pane) -> str:
    """The judged scores, those above the line red."""
    held = np.sort(view.pieces.calibration_scores[~np.isnan(view.pieces.calibration_scores)])
    found = histogram(view.scale, view.judge.ascending, held)
    edges = view.scale.inverse(found.edges)
    marks = [
        steps(pane, edges, found.judged, css="v-bars"),
        shade(pane, [view.threshold], [view.scale.high], css="v-tail"),
        upright(pane, min(view.threshold, view.scale.high), css="v-threshold"),
    ]
    return "".join(
        [
            frame(pane, *marks),
            words(pane.left, pane.top - 7, "how often each score occurs (logarithmic)", css="v-name"),
            x_axis(pane, number_ticks(pane.x, 5)),
        ]
    )


def _rules(view: ThresholdView, pane: Pane) -> str:
    """The rules as a small table to the right of the histogram."""
    left = pane.right + 50
    columns = (left, left + 180, left + 330)  # "false alarms a day" needs its room
    top = pane.top - 7
    unit = f"false alarms {rate_words(view)}"
    drawn = [
        words(columns[0], top, "rule", css="v-name"),
        words(columns[1], top, "threshold", css="v-name", anchor="end"),
        words(columns[2], top, unit, css="v-name", anchor="end"),
    ]
    for place, row in enumerate(view.rules):
        css = "v-text-alarm" if place == view.chosen else ""
        y = pane.top + 14 + place * _ROW
        drawn += [
            words(columns[0], y, row.name, css=css),
            words(columns[1], y, number(row.threshold), css=css, anchor="end"),
            words(columns[2], y, row.promise, css=css, anchor="end"),
        ]
    return "".join(drawn)
