"""Step 5 as a panel: drag the threshold, and see what it flags, finds, misses and costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.evidence import Evidence
from vaenb.panels.base import Panel, guarded, reachable
from vaenb.panels.pace import Pace
from vaenb.panels.threshold_controls import Controls, RuleTable, row, words
from vaenb.panels.threshold_figures import CurveFigures, RuleFigures, TimeFigures
from vaenb.panels.timeaxis import TimeAxis
from vaenb.view_models.threshold import ThresholdView
from vaenb.view_models.threshold_code import threshold_code
from vaenb.view_models.threshold_inputs import from_evidence, from_pieces
from vaenb.view_models.threshold_picture import threshold_picture
from vaenb.view_models.threshold_words import cost_words, drawn_words, itself_words, rule_words, tiles

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import ArrayLike

    from vaenb.records import Events, Scores
    from vaenb.thresholds.base import Threshold

_PICTURES_A_SECOND = 50.0


class ThresholdPanel(Panel):
    """The threshold to be dragged, with its events, its false alarms and what other rules would choose.

    Parameters
    ----------
    scores : Evidence, Scores or array_like, shape (n_timestamps,)
        The evidence of a study, which brings all that follows but the last two; or anomaly scores, higher =
        more anomalous, NaN where there is none.
    values : array_like, shape (n_timestamps,) or (n_timestamps, n_channels), optional
        The series, in its own units.
    index : array_like of datetime64 or numbers, shape (n_timestamps,), optional
        Evenly spaced; without it, points are counted.
    labels : array_like of 0/1, shape (n_timestamps,), optional
        With them, precision, recall and missed events are told; without, alarms.
    calibration_scores : array_like, shape (n_calibration,), optional
        Scores of normal data, for the rules to be fitted on.
    calibration : (int, int), optional
        The first cell of the calibration part and the cell after its last. It is shaded, and what follows it
        is judged; without `calibration_scores` the rules are fitted on it.
    points_per_day : float, optional
        For false alarms a day; found from `index` where that holds dates.
    window_size : int
        Points. Scores closer than this share windows.
    rule : Threshold, str or float, optional
        Where the line stands first: a rule such as ``vaenb.MAD(4)``, its short name such as
        ``"percentile:99"``, or a number. Without it `vaenb.POT`.
    merge_gap : int, optional
        Events at most so many points apart become one; without it the window size (0 where that is 1).
    min_length : int
        Events shorter than so many points are dropped.

    Attributes
    ----------
    threshold, merge_gap, min_length, cost : float or int
        Can be set; the panel follows. Setting `cost`, "one missed event costs as much as so many false
        alarms", moves the line to the cheapest threshold.
    rule : Threshold or None
        The fitted rule that the line stands on; None once it was moved by hand.
    events : Events
    metrics : dict of str to float
        See `vaenb.view_models.threshold.ThresholdView.metrics`.

    Raises
    ------
    InputError
        If what was given does not fit together; the sentence says what, and what to do.

    Warnings
    --------
    Without `calibration_scores` and `calibration` the rules are fitted on the very scores they judge: a
    percentile of 95 then flags 5 % of them by construction. The panel says so.

    Examples
    --------
    >>> scores = np.random.default_rng(0).exponential(size=2_000)
    >>> panel = ThresholdPanel(scores, calibration=(0, 1_000), rule=5.0)
    >>> panel.threshold, len(panel.events)
    (5.0, 9)
    >>> panel.threshold = 6.0
    >>> len(panel.events)
    4
    >>> panel.close()
    """

    title = "threshold"

    def __init__(
        self,
        scores: Evidence | Scores | ArrayLike,
        *,
        values: ArrayLike | None = None,
        index: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        calibration_scores: ArrayLike | None = None,
        calibration: tuple[int, int] | None = None,
        points_per_day: float | None = None,
        window_size: int = 1,
        rule: Threshold | str | float | None = None,
        merge_gap: int | None = None,
        min_length: int = 1,
    ) -> None:
        super().__init__()
        if isinstance(scores, Evidence):
            pieces = from_evidence(scores)
        else:
            pieces = from_pieces(
                scores,
                values=values,
                index=index,
                labels=labels,
                calibration_scores=calibration_scores,
                calibration=calibration,
                points_per_day=points_per_day,
                window_size=window_size,
                rule=rule,
            )
        self.view = ThresholdView(pieces, merge_gap=merge_gap, min_length=min_length)
        self._listeners: list[Callable[[float], None]] = []
        self._told: float | None = None
        self._build()

    def _build(self) -> None:
        self.axis = TimeAxis(self.view.pieces.timeline)
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
        events = row(controls.merge_gap, controls.min_length, controls.part_box, css="vaenb-events", upright=True)
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

    # ------------------------------------------------------------------ for Python

    @property
    def threshold(self) -> float:
        """A timestamp is flagged where its score lies above it."""
        return self.view.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._do(lambda: self.view.move_to(value))

    @property
    def rule(self) -> Threshold | None:
        """The fitted rule that the line stands on; None once it was moved by hand."""
        return self.view.rule

    @property
    def events(self) -> Events:
        """What `vaenb.find_events` finds, in positions of the scores."""
        return self.view.events

    def events_frame(self) -> pd.DataFrame:
        """The events as a table; see `vaenb.view_models.threshold.ThresholdView.events_frame`."""
        return self.view.events_frame()

    @property
    def metrics(self) -> dict[str, float]:
        """What the threshold is worth; see `vaenb.view_models.threshold.ThresholdView.metrics`."""
        return self.view.metrics

    @property
    def merge_gap(self) -> int:
        """Events at most so many points apart become one."""
        return self.view.merge_gap

    @merge_gap.setter
    def merge_gap(self, value: int) -> None:
        self._do(lambda: setattr(self.view, "merge_gap", value), events=True)

    @property
    def min_length(self) -> int:
        """Events shorter than so many points are dropped."""
        return self.view.min_length

    @min_length.setter
    def min_length(self, value: int) -> None:
        self._do(lambda: setattr(self.view, "min_length", value), events=True)

    @property
    def cost(self) -> float:
        """One missed event costs as much as so many false alarms; setting it moves the line."""
        return self.view.cost

    @cost.setter
    def cost(self, value: float) -> None:
        def change() -> None:
            before = self.view.cost
            self.view.cost = value
            try:
                self.view.use_cheapest()
            except Exception:
                self.view.cost = before
                raise

        self._do(change)

    def use_rule(self, which: int) -> None:
        """Put the line where rule number `which` puts it, counted from 0 in the order on screen."""
        self._do(lambda: self.view.use_rule(which))

    def on_threshold(self, callback: Callable[[float], None]) -> None:
        """Call `callback` with the threshold whenever it has moved; an error in it is a line in the panel."""
        self._listeners.append(callback)

    def _do(self, change: Callable[[], None], *, events: bool = False) -> None:
        """A change from Python: an error is raised to who asked for it."""
        with self.lock:
            change()
            if events:
                self.curves.count()
            self._paint()
        self.changed()
        self._tell()

    # ------------------------------------------------------------------ gestures

    @guarded
    def _on_place(self, place: float, last: bool) -> None:  # noqa: FBT001
        self.view.move_to_place(place)
        self._pace()
        if last:
            self._pace.flush()
            self._paint()
            self._tell()

    @guarded
    def _on_slider(self, value: float) -> None:
        self.view.move_to_place(value)
        self._pace()

    @guarded
    def _on_typed(self, value: float) -> None:
        self.view.move_to(value)
        self._paint()
        self._tell()

    @guarded
    def _on_rule(self, which: int) -> None:
        self.view.use_rule(which)
        self._paint()
        self._tell()

    @guarded
    def _on_cheapest(self) -> None:
        self.view.use_cheapest()
        self._paint()
        self._tell()

    @guarded
    def _on_cost(self, value: float) -> None:
        self.view.cost = value
        self.view.use_cheapest()
        self._paint()
        self._tell()

    @guarded
    def _on_merge_gap(self, value: int) -> None:
        self.view.merge_gap = value
        self.curves.count()
        self._paint()

    @guarded
    def _on_min_length(self, value: int) -> None:
        self.view.min_length = value
        self.curves.count()
        self._paint()

    @guarded
    def _on_part(self, value: str) -> None:
        self.view.part = value
        self.by_score.count()
        self.curves.count()
        self._paint()

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
        self.over_time.draw()
        self.by_score.draw()
        self.curves.draw()
        self.controls.draw(tiles(self.view), itself_words(self.view))
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
            self.controls.drawn.value = drawn_words(self.view, above, trace.shown, trace.in_view)

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

    def code(self) -> str:
        """The lines of Python that give the threshold and its events."""
        return threshold_code(self.view)

    def picture(self) -> str:
        """What is on screen as a static SVG with alternative text."""
        return threshold_picture(self.view, channel=self.controls.channel.value or 0)

    def close(self) -> None:
        """Close the panel and all that it made."""
        self._pace.end()
        self.axis.end()
        self._listeners.clear()
        hidden = [self.curves.curve_figure, self.curves.rate_figure]
        left = [widget for each in hidden for widget in reachable(each)]
        super().close()
        for widget in left:
            widget.close()

