"""Precision against recall, and alarms against the threshold, with the point where the line stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bqplot as bq
import numpy as np

from vaenb.drawing.axes import Scale, number_ticks
from vaenb.panels.threshold_marks import NOTHING, figure, score_axis, tick_score_axis, unit

if TYPE_CHECKING:
    from vaenb.view_models.threshold import ThresholdView

_AXIS = {"grid_lines": "solid", "label_offset": "32px"}


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
        [across] = score_axis(view, places[0], "bottom", 5)
        self._scale, self._across = view.scale, across
        across.label, across.label_offset, across.grid_lines = "threshold", "30px", "none"
        up = self._rate_axis = bq.Axis(scale=places[1], side="left", tick_format=",.4~g")
        self.rates, self.rate_here, self.rate_figure = _curve(places, [across, up])
        self.count()

    def count(self) -> None:
        """Draw the curves anew: another part is judged, or events are joined in another way."""
        curve = self._view.judge.curve
        with self.curve.hold_sync():
            self.curve.x = NOTHING if curve is None else np.append(0.0, curve.recall)
            self.curve.y = NOTHING if curve is None else np.append(curve.precision[0], curve.precision)
        if self._view.has_labels:
            return
        costs = self._view.costs
        rates = costs.false_alarms * self._rate(1)
        top = max(1.05 * float(rates.max()), 1e-9)
        self._rate_scale.max = top
        self._rate_axis.tick_values = np.array([tick.value for tick in number_ticks(Scale(0, top), 5)])
        with self.rates.hold_sync():
            self.rates.x, self.rates.y = self._view.scale(costs.threshold), rates

    def grow(self) -> None:
        """Draw the curves anew, with other ticks where the axis of the scores has changed."""
        if self._scale is not self._view.scale:
            self._scale = self._view.scale
            tick_score_axis(self._view, self._across, 5)
        self.count()

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
    curve = bq.Lines(x=NOTHING, y=NOTHING, scales=on, colors=["var(--v-data)"], stroke_width=1.8)
    here = bq.Scatter(
        x=NOTHING,
        y=NOTHING,
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
