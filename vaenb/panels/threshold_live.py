"""The threshold panel in motion: its parts, what gestures do, and how the picture follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from vaenb.panels.base import Panel, guarded, reachable
from vaenb.panels.pace import Pace
from vaenb.panels.threshold_controls import STEPS, Controls, RuleTable, row, words
from vaenb.panels.threshold_curves import CurveFigures
from vaenb.panels.threshold_figures import TimeFigures
from vaenb.panels.threshold_rules import RuleFigures
from vaenb.panels.timeaxis import TimeAxis
from vaenb.view_models.threshold_words import cost_words, drawn_words, itself_words, rule_words, tiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.view_models.threshold import ThresholdView

_PICTURES_A_SECOND = 50.0


class LiveThreshold(Panel):
    """Figures and controls of a threshold, all of one view model.

    A gesture changes the view model under the panel's lock, then the picture follows: at once after a single
    step, and at most fifty times a second while something is dragged or slid, the last time always.

    Parameters
    ----------
    view : ThresholdView
    """

    def __init__(self, view: ThresholdView) -> None:
        super().__init__()
        self.view = view
        self._listeners: list[Callable[[float], None]] = []
        self._told = view.threshold
        self._slid, self._counted = False, True  # the slider is being slid; the curves are up to date
        self._build()

    def _build(self) -> None:
        self.axis = TimeAxis(self.view.pieces.timeline, lock=self.lock)
        self._pace = Pace(self._paint_paced, per_second=_PICTURES_A_SECOND)
        self.over_time = TimeFigures(self.view, self.axis, self._on_place)
        self.by_score = RuleFigures(self.view, self._on_place)
        self.curves = CurveFigures(self.view)
        self.controls = Controls(self.view)
        self.table = RuleTable(self.view, self.by_score.rules)
        self._connect()
        self._lay_out()
        self._paint()
        self.axis.on_view(lambda _: self._on_view())

    def _connect(self) -> None:
        """Every control to what it does."""
        controls = self.controls
        for which, button in enumerate(self.table.buttons):
            button.on_click(lambda _, which=which: self._on_rule(which))
        controls.on("typed", self._on_typed)
        controls.on("slider", self._on_slider)
        controls.on("merge_gap", self._on_merge_gap)
        controls.on("min_length", self._on_min_length)
        controls.on("part", self._on_part)
        controls.on("cost", self._on_cost)
        controls.on("channel", self._on_channel)
        controls.cheapest.on_click(lambda _: self._on_cheapest())

    def _lay_out(self) -> None:
        controls, figures = self.controls, self.over_time
        drawn = row(words("vaenb-name", "anomaly score"), controls.drawn, css="vaenb-over")
        above = []
        if figures.value_figure is not None:
            above = [row(controls.channel_name, controls.channel, css="vaenb-over"), figures.value_figure]
        by_score = (controls.histogram_name, self.by_score.histogram, self.table.box, controls.promise)
        self._worth = widgets.Box(layout={"flex": "0 0 auto"})
        events = row(
            controls.merge_gap, controls.min_length, controls.part_box, css="vaenb-events", upright=True
        )
        worth = (controls.curve_name, self._worth, controls.cost_box, events)
        self.show(
            controls.heading,
            controls.itself,
            controls.tiles,
            row(controls.typed, controls.slider, css="vaenb-line"),
            row(controls.legend, css="vaenb-keys"),
            *above,
            drawn,
            figures.score_figure,
            self.axis.controls,
            row(
                row(*by_score, css="vaenb-left", upright=True),
                row(*worth, css="vaenb-right", upright=True),
                css="vaenb-two",
            ),
        )

    # ------------------------------------------------------------------ gestures

    def _settle(self) -> None:
        """After a single step: paint and tell at once."""
        self._slid = False
        self._paint()
        self._tell()

    @guarded
    def _on_place(self, place: float, last: bool) -> None:  # noqa: FBT001
        self.view.move_to_place(place)
        self._slid = False
        if last:
            self._settle()
        else:
            self._pace()

    @guarded
    def _on_slider(self, steps: int) -> None:
        self.view.move_to_place(steps / STEPS)
        self._slid = True
        self._pace()

    @guarded
    def _on_typed(self, value: float) -> None:
        self.view.move_to(value)
        self._settle()

    @guarded
    def _on_rule(self, which: int) -> None:
        self.view.use_rule(which)
        self._settle()

    @guarded
    def _on_cheapest(self) -> None:
        self.view.use_cheapest()
        self._settle()

    @guarded
    def _on_cost(self, value: float) -> None:
        self.view.cost = value
        self.view.use_cheapest()
        self._settle()

    @guarded
    def _on_merge_gap(self, value: int) -> None:
        self.view.merge_gap, self._counted = value, False
        self._pace()

    @guarded
    def _on_min_length(self, value: int) -> None:
        self.view.min_length, self._counted = value, False
        self._pace()

    @guarded
    def _on_part(self, value: str) -> None:
        self.view.part, self._counted = value, False
        self.by_score.count()
        self._settle()

    @guarded
    def _on_channel(self, value: int) -> None:
        self.over_time.show_channel(value)
        self.controls.name_channel(value)

    @guarded
    def _on_view(self) -> None:
        self.over_time.draw()
        self._say_drawn()

    # ------------------------------------------------------------------ on screen

    @guarded
    def _paint_paced(self) -> None:
        self._paint()
        self._tell()

    def _paint(self) -> None:
        """Bring all that depends on the line up to date."""
        if not self._counted:
            self.curves.count()
            self._counted = True
        self.over_time.draw()
        self.by_score.draw()
        self.curves.draw()
        self.controls.draw(tiles(self.view), itself_words(self.view), slid=self._slid)
        self.table.draw(self.view.chosen)
        self.controls.promise.value = rule_words(self.view)
        labelled = self.view.has_labels
        self.controls.name(cost_words(self.view) if labelled else "", labelled=labelled)
        self._worth.children = (self.curves.curve_figure if labelled else self.curves.rate_figure,)
        self._say_drawn()
        self.refresh_code()

    def _say_drawn(self) -> None:
        above = self.over_time.above
        if above is not None:
            trace = self.over_time.scores
            self.controls.drawn.value = drawn_words(above, trace.shown, trace.in_view)

    def _tell(self) -> None:
        """Tell the listeners, once for each new value."""
        if self._told == self.view.threshold:
            return
        self._told = self.view.threshold
        for listener in tuple(self._listeners):
            self._tell_one(listener)

    @guarded
    def _tell_one(self, listener: Callable[[float], None]) -> None:
        listener(self.view.threshold)

    def close(self) -> None:
        """Close the panel and all that it made."""
        if self.is_closed:
            return
        self._pace.end()
        self.axis.end()
        self._listeners.clear()
        controls = self.controls
        hidden = [self.curves.curve_figure, self.curves.rate_figure, controls.channel, controls.channel_name]
        left = [widget for each in hidden for widget in reachable(each)]
        super().close()
        for widget in left:
            widget.close()
