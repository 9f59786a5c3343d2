"""What is looked at in step 1: which channels are on screen, and where the window stands."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.view_models.data import MOST_SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vaenb.view_models.data import DataView

_BUTTON = {"width": "36px"}


def _button(icon: str, words: str, press: Callable[[], None]) -> widgets.Button:
    button = widgets.Button(icon=icon, tooltip=words, layout=_BUTTON)
    button.on_click(lambda _: press())
    return button


def head(text: str) -> widgets.HTML:
    """A heading in a panel."""
    found = widgets.HTML(f"<h4>{escape(text)}</h4>")
    found.add_class("vaenb-head")
    return found


class Channels:
    """The channels on screen: as tags to add, take away and put in order, and six by six.

    Parameters
    ----------
    view : DataView
    chosen : callable
        Called with the places of the channels that were chosen.

    Attributes
    ----------
    box : ipywidgets.HBox
    tags : ipywidgets.TagsInput
    """

    def __init__(self, view: DataView, chosen: Callable[[Sequence[int]], None]) -> None:
        self._view, self._chosen, self._quiet = view, chosen, False
        names = view.series.channels
        self.tags = widgets.TagsInput(
            value=[names[channel] for channel in view.shown],
            allowed_tags=list(names),
            allow_duplicates=False,
            placeholder="add a channel",
            layout={"flex": "1 1 auto", "width": "auto"},
        )
        self.tags.observe(self._on_tags, "value")
        few = len(names) <= MOST_SHOWN
        label = widgets.HTML("Channels" if few else f"Channels, at most {MOST_SHOWN} of {len(names)}")
        label.add_class("vaenb-muted")
        self.back = _button("chevron-left", "The channels before", lambda: self.turn(-1))
        self.on = _button("chevron-right", "The next channels", lambda: self.turn(1))
        for button in (self.back, self.on) if few else ():
            button.layout.display = "none"
        self.box = widgets.HBox([label, self.tags, self.back, self.on])
        self.box.add_class("vaenb-channels")
        if len(names) == 1:
            self.box.layout.display = "none"

    def _on_tags(self, change: Any) -> None:
        if not self._quiet:
            names = self._view.series.channels
            self._chosen([names.index(name) for name in change["new"]])

    def turn(self, sign: int) -> None:
        """Go on to the next six channels, or back."""
        n, shown = self._view.series.n_channels, self._view.shown
        edge = max(shown) + 1 if sign > 0 else min(shown) - MOST_SHOWN
        first = min(max(0, edge), max(0, n - MOST_SHOWN))
        self._chosen(range(first, min(n, first + MOST_SHOWN)))

    def show(self) -> None:
        """The tags of the channels that are on screen now."""
        self._quiet = True
        try:
            self.tags.value = [self._view.series.channels[channel] for channel in self._view.shown]
        finally:
            self._quiet = False


class Slide:
    """Where the highlighted window stands: a slider, one window back and on, and zooming to it.

    Parameters
    ----------
    view : DataView
    moved : callable
        Called with the cell where the window is to start.
    zoom : callable
        Called when the window is to be seen from near in the series.

    Attributes
    ----------
    box : ipywidgets.HBox
    slider : ipywidgets.IntSlider
    """

    def __init__(self, view: DataView, moved: Callable[[int], None], zoom: Callable[[], None]) -> None:
        self._view, self._moved, self._quiet = view, moved, False
        self.slider = widgets.IntSlider(
            value=view.window_at,
            min=0,
            max=view.series.n_cells - view.size,
            description="Window at",
            style={"description_width": "72px"},
            layout={"flex": "1 1 auto", "width": "auto"},
        )
        self.slider.observe(self._on_slider, "value")
        self.box = widgets.HBox(
            [
                self.slider,
                _button("step-backward", "One window back", lambda: moved(view.window_at - view.size)),
                _button("step-forward", "One window on", lambda: moved(view.window_at + view.size)),
                _button("crosshairs", "Zoom to the window", zoom),
            ]
        )

    def _on_slider(self, change: Any) -> None:
        if not self._quiet:
            self._moved(change["new"])

    def show(self) -> None:
        """Where the window stands now."""
        self._quiet = True
        try:
            self.slider.max = self._view.series.n_cells - self._view.size
            self.slider.value = self._view.window_at
        finally:
            self._quiet = False
