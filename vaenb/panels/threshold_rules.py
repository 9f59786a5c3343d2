"""The histogram of the scores with its tail, and the rules on the same axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bqplot as bq
import numpy as np

from vaenb.panels.threshold_marks import (
    NOTHING,
    Handle,
    area,
    figure,
    score_axis,
    tick_score_axis,
    unit,
)
from vaenb.view_models.threshold_axis import score_ticks
from vaenb.view_models.threshold_marks import histogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.records import Floats
    from vaenb.view_models.threshold import ThresholdView

ROW = 28  # pixels of a rule's row
NAMES, PROMISES = 136, 92  # pixels left and right of the histogram, for the rules' names and promises


class RuleFigures:
    """The histogram with its tail, and below it the rules on the same score axis."""

    def __init__(self, view: ThresholdView, on_place: Callable[[float, bool], None]) -> None:
        self._view = view
        self.across, self.up = unit(), unit()
        scales = {"x": self.across, "y": self.up}
        self.held = bq.Lines(x=NOTHING, y=NOTHING, scales=scales, colors=["var(--v-held)"], stroke_width=1.4)
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
        self._scale, self._under = self._view.scale, score_axis(self._view, self.across, "bottom", 6)[0]
        self._under.grid_lines = "none"
        found = figure(marks, [self._under, self._shares], height=180, left=NAMES, right=PROMISES)
        found.add_class("vaenb-upright")
        return found

    def _rule_marks(self) -> tuple[bq.Scatter, bq.Lines]:
        rows = {"x": self.across, "y": unit()}
        n = len(self._view.rules)
        dots = bq.Scatter(
            x=self._places(),
            y=1 - (np.arange(n) + 0.5) / n,
            scales=rows,
            colors=["var(--v-data)"],
            marker="diamond",
            default_size=70,
        )
        line = bq.Lines(x=[0.0, 0.0], y=[0.0, 1.0], scales=rows, colors=["var(--v-alarm)"], stroke_width=1.5)
        return dots, line

    def _places(self) -> Floats:
        """Where the rules put the line, on the score axis."""
        return self._view.scale([row.threshold for row in self._view.rules])

    def _rules(self) -> bq.Figure:
        ticks = score_ticks(self._view.scale, 6)[0]
        grid = self._grid = bq.Axis(
            scale=self.across, tick_values=ticks, grid_lines="solid", tick_style={"display": "none"}
        )
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
                self.held.x, self.held.y = self.bars.outline()
        with self._shares.hold_sync():
            self._shares.tick_values, self._shares.tick_labels = self.bars.ticks, self.bars.labels

    def grow(self) -> None:
        """Count the scores anew; rules and ticks move where the axis has changed."""
        if self._scale is not self._view.scale:
            self._scale = self._view.scale
            tick_score_axis(self._view, self._under, 6)
            self._grid.tick_values = score_ticks(self._scale, 6)[0]
            self.dots.x = self._places()
        self.count()

    def draw(self) -> None:
        """Bring the tail, the handle and the line through the rules up to date."""
        place = self._view.place
        with self.tail.hold_sync():
            self.tail.x, self.tail.y = self.bars.tail(place)
        self.handle.put(place)
        self.line.x = np.array([place, place])
