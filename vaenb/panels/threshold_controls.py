"""What is set and read beside the figures of the threshold panel: sliders, buttons, tiles, sentences."""

from __future__ import annotations

import threading
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.panels.threshold_rules import NAMES, PROMISES, ROW
from vaenb.view_models.threshold_words import heading, histogram_name, legend, rate_words

if TYPE_CHECKING:
    from collections.abc import Callable

    import bqplot as bq

    from vaenb.view_models.threshold import ThresholdView

COSTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
STEPS = 1000  # of the slider
_WIDE = {"description_width": "initial"}


def row(*children: widgets.Widget, css: str, upright: bool = False) -> widgets.Box:
    """A box with a style class."""
    box = (widgets.VBox if upright else widgets.HBox)(list(children))
    box.add_class(css)
    return box


def words(css: str, value: str = "", **layout: str) -> widgets.HTML:
    """A piece of HTML with a style class."""
    found = widgets.HTML(value, layout=layout)
    found.add_class(css)
    return found


class Controls:
    """Sliders, boxes and sentences of the panel; `on` says what they do.

    While `draw` copies the state onto them, nobody is told.
    """

    def __init__(self, view: ThresholdView) -> None:
        self._view = view
        self._drawing: int | None = None  # the thread that draws: what it sets is no gesture
        self.heading = words("vaenb-heading", heading(view))
        self.itself = words("vaenb-itself")
        self.tiles = words("vaenb-tiles")
        self.legend = words("vaenb-legend", legend(view))
        self.drawn = words("vaenb-n")
        self.promise = words("vaenb-promise")
        self.curve_name = words("vaenb-name")
        self.histogram_name = words("vaenb-name")
        self.typed = widgets.FloatText(
            description="Threshold",
            step=None,
            continuous_update=False,
            layout={"width": "190px"},
            style=_WIDE,
        )
        # Whole numbers: a fraction the browser sends back where it rounds it otherwise, and late, during a
        # drag, when it would take the line back to where it was.
        self.slider = widgets.IntSlider(
            min=0, max=STEPS, readout=False, description="", layout={"flex": "1 1 auto"}
        )
        self.slider.tooltip = "The threshold on the score axis: drag, or use the arrow keys"
        self.merge_gap = self._points("Merge gaps up to", view.merge_gap, 0)
        self.min_length = self._points("Shortest event", view.min_length, 1)
        self.part = self._part_buttons()
        self.channel = self._channels()
        self._build_costs()

    def _points(self, name: str, value: int, low: int) -> widgets.IntSlider:
        high = max(20, 4 * self._view.pieces.window_size, 2 * value)
        return widgets.IntSlider(
            value, low, min(high, max(low + 1, len(self._view.pieces))), description=name, style=_WIDE
        )

    def _part_buttons(self) -> widgets.ToggleButtons:
        options = [("whole series", "all")]
        if self._view.has_test_part:
            options.insert(0, ("test part", "test"))
        found = widgets.ToggleButtons(options=options, value=self._view.part)
        found.style.button_width = "auto"
        self.part_box = row(widgets.Label("Judge the"), found, css="vaenb-part")
        self.part_box.layout.display = None if len(options) > 1 else "none"
        return found

    def _channels(self) -> widgets.Dropdown:
        names = self._view.pieces.channels
        found = widgets.Dropdown(
            options=[(name, i) for i, name in enumerate(names)],
            description="Channel",
            layout={"width": "240px"},
        )
        found.layout.display = None if len(names) > 1 else "none"
        self.channel_name = words("vaenb-name")
        self.name_channel(0)
        return found

    def name_channel(self, channel: int) -> None:
        """Say which channel is drawn."""
        names = self._view.pieces.channels
        self.channel_name.value = escape(names[channel]) if names else ""

    def _build_costs(self) -> None:
        options = [(f"{k:,} false {'alarm' if k == 1 else 'alarms'}", float(k)) for k in COSTS]
        self.cost = widgets.SelectionSlider(
            options=options,
            value=self._view.cost,
            description="One missed event costs as much as",
            style=_WIDE,
            layout={"width": "100%"},
        )
        self.cost_words = words("vaenb-cost")
        self.cheapest = widgets.Button(
            description="Go to the cheapest",
            icon="crosshairs",
            tooltip="Move the line to the cheapest threshold",
            layout={"width": "auto", "flex": "0 0 auto"},
        )
        self.cost_box = row(
            self.cost,
            row(self.cost_words, self.cheapest, css="vaenb-cost-row"),
            css="vaenb-costs",
            upright=True,
        )

    def on(self, name: str, do: Callable[[Any], None]) -> None:
        """Call `do` with the new value of a control, unless `draw` has set it."""
        control = getattr(self, name)

        def heard(change: dict[str, Any]) -> None:
            if self._drawing != threading.get_ident():
                do(change["new"])

        control.observe(heard, "value")

    def draw(self, tiles: str, itself: str, *, slid: bool = False) -> None:
        """Copy the state onto the controls; not onto the slider while it is being slid, or it would shake."""
        view = self._view
        self.tiles.value = tiles
        self.itself.value = itself
        self.itself.layout.display = None if itself else "none"
        self._drawing = threading.get_ident()
        try:
            self.typed.value = float(f"{view.threshold:.6g}")
            if not slid:
                self.slider.value = round(view.place * STEPS)
            for slider, value in ((self.merge_gap, view.merge_gap), (self.min_length, view.min_length)):
                slider.max = max(slider.max, value)
                slider.value = value
            self.part.value = view.part
            self.cost.value = min((float(k) for k in COSTS), key=lambda k: abs(k - view.cost))
        finally:
            self._drawing = None

    def name(self, worth: str, *, labelled: bool) -> None:
        """Titles and words that change with the judged part."""
        self.cost_words.value = worth
        self.cost_box.layout.display = None if labelled else "none"
        self.histogram_name.value = histogram_name(self._view)
        self.curve_name.value = (
            "Precision and recall by point, at every threshold"
            if labelled
            else f"Alarms {escape(rate_words(self._view))} at every threshold"
        )


class RuleTable:
    """The rules in rows: a button, its place on the score axis, and the false alarms it promises."""

    def __init__(self, view: ThresholdView, figure: bq.Figure) -> None:
        self.buttons = [self._button(one) for one in view.rules]
        for button, one in zip(self.buttons, view.rules, strict=True):
            button.tooltip = one.trouble or one.rule.promise
            button.disabled = bool(one.trouble)
        names = widgets.VBox(self.buttons, layout={"width": f"{NAMES - 4}px", "flex": "0 0 auto"})
        told = "".join(f"<div>{escape(one.promise)}</div>" for one in view.rules)
        promises = words("vaenb-promises", told, width=f"{PROMISES - 4}px", flex="0 0 auto")
        head = words(
            "vaenb-rules-head",
            f"<span>Rules on the same axis</span><span>false alarms {escape(rate_words(view))}</span>",
        )
        self.box = row(
            head, row(names, figure, promises, css="vaenb-rules"), css="vaenb-rules-box", upright=True
        )
        self._chosen: int | None = None

    def _button(self, one: Any) -> widgets.Button:
        found = widgets.Button(description=one.name, layout={"width": "100%", "height": f"{ROW - 4}px"})
        found.add_class("vaenb-rule")
        return found

    def draw(self, chosen: int | None) -> None:
        """Mark the rule that the line stands on."""
        if chosen == self._chosen:
            return
        if self._chosen is not None:
            self.buttons[self._chosen].remove_class("vaenb-on")
        if chosen is not None:
            self.buttons[chosen].add_class("vaenb-on")
        self._chosen = chosen
