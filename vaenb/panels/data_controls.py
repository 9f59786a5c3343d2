"""The controls of step 1, each with one sentence on what it brings."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.panels.told import Told
from vaenb.view_models import data_words
from vaenb.view_models.data import LEAST_SHARE, MOST_SHARE
from vaenb.view_models.data_settings import SCALERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.view_models.data import DataView

_LONGEST = 256  # as far as the slider of sizes goes, unless a longer one was asked for
_DECIMALS = 4  # a slider adds its steps up: 0.21000000000000002
_WIDE = {"width": "auto"}
_NAMED = {"description_width": "88px"}


class Controls:
    """Sliders for the training part's end, the calibration share and the window's size; a list of scalers.

    Parameters
    ----------
    view : DataView
    chosen : callable
        Called with the name of a setting and its new value.

    Attributes
    ----------
    box : ipywidgets.GridBox
    """

    def __init__(self, view: DataView, chosen: Callable[[str, Any], None]) -> None:
        self._view, self._chosen, self._quiet = view, chosen, False
        n_rows = len(view.series)
        self.train_end = widgets.IntSlider(
            value=view.train_end,
            min=1,
            max=n_rows - 1,
            description="Training ends",
            layout=_WIDE,
            style=_NAMED,
        )
        self.calibration = widgets.FloatSlider(
            value=view.settings["calibration"],
            min=LEAST_SHARE,
            max=MOST_SHARE,
            step=0.01,
            readout_format=".0%",
            description="Calibration",
            layout=_WIDE,
            style=_NAMED,
        )
        self._told = Told(self.calibration)
        self.auto = widgets.ToggleButton(
            description="Auto", tooltip="The window size that the period asks for", layout={"width": "64px"}
        )
        self.window_size = widgets.IntSlider(
            value=view.size,
            min=2,
            max=self._longest(),
            description="Window size",
            layout={"flex": "1 1 auto", "width": "auto"},
            style=_NAMED,
        )
        self.scaler = widgets.Dropdown(options=SCALERS, description="Scaler", layout=_WIDE, style=_NAMED)
        self.says = {name: widgets.HTML() for name in ("train_end", "calibration", "window_size", "scaler")}
        size = widgets.HBox([self.window_size, self.auto])
        self.box = widgets.GridBox(
            [
                self._card(self.train_end, "train_end"),
                self._card(self.calibration, "calibration"),
                self._card(size, "window_size"),
                self._card(self.scaler, "scaler"),
            ]
        )
        self.box.add_class("vaenb-cards")
        self.show()
        self._told.on_gesture(lambda share: self._chosen("calibration", round(share, _DECIMALS)))
        for name in ("train_end", "window_size", "scaler"):
            getattr(self, name).observe(lambda change, name=name: self._on_change(name, change), "value")
        self.auto.observe(self._on_auto, "value")

    def _longest(self) -> int:
        return max(2, min(self._view.series.n_cells // 2, max(_LONGEST, self._view.size)))

    def _card(self, control: widgets.Widget, name: str) -> widgets.VBox:
        self.says[name].add_class("vaenb-says")
        card = widgets.VBox([control, self.says[name]])
        card.add_class("vaenb-card")
        return card

    def _on_change(self, name: str, change: Any) -> None:
        if not self._quiet:
            self._chosen(name, change["new"])

    def _on_auto(self, change: Any) -> None:
        if not self._quiet:
            self._chosen("window_size", "auto" if change["new"] else self._view.size)

    def show(self) -> None:
        """Bring every control to the settings as they are."""
        settings = self._view.settings
        self._quiet = True
        try:
            self.window_size.max = max(self._longest(), self._view.size)
            self.train_end.value = self._view.train_end
            self._told.tell(settings["calibration"])
            self.window_size.value = self._view.size
            self.auto.value = settings["window_size"] == "auto"
            self.scaler.value = settings["scaler"]
        finally:
            self._quiet = False
        self.say()

    def say(self) -> None:
        """The sentences under the controls."""
        size = f"{self._view.size:,} points{data_words.length_of(self._view, self._view.size)}. "
        told = {
            "train_end": data_words.train_end_consequence(self._view),
            "calibration": data_words.calibration_consequence(self._view),
            "window_size": size + data_words.size_consequence(self._view),
            "scaler": data_words.SCALER_WORDS[self._view.settings["scaler"]],
        }
        for name, text in told.items():
            self.says[name].value = escape(text)
