"""The controls of the training panel: to start and stop, and to go back through the epochs."""

from __future__ import annotations

import html
from collections import deque
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.panels.base import reachable
from vaenb.view_models.training_words import alarm, failure, place, status, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.view_models.training import TrainingView

MOST_EPOCHS = 10**6
_PLAY_MS = 120
_ECHOES = 12  # where the slider was put of late: a page that is loaded again may say it back


class Head:
    """Start, Stop, how many epochs, a progress bar, and the sentences.

    Attributes
    ----------
    rows : tuple of ipywidgets.Widget
    """

    def __init__(self, view: TrainingView, *, is_live: bool) -> None:
        self.start = widgets.Button(description="Start", icon="play", button_style="primary")
        self.stop = widgets.Button(
            description="Stop", icon="stop", tooltip="End after this step, and keep the best weights"
        )
        self.epochs = widgets.BoundedIntText(
            view.epochs, min=1, max=MOST_EPOCHS, tooltip="How many epochs Start and Continue ask for"
        )
        self.unit = widgets.Label("epochs")
        self.bar = widgets.FloatProgress(0.0, min=0.0, max=1.0)
        self.status, self.verdict, self.alarm = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._live = [self.start, self.stop, self.epochs, self.unit, self.bar]
        self._first = first = widgets.HBox(self._live if is_live else [])
        second = widgets.VBox([self.status, self.verdict, self.alarm])
        self.rows = (first, second) if is_live else (second,)
        named = {"head": first, "words": second, "alarm": self.alarm, "bar": self.bar, "status": self.status}
        for css, widget in (named | {"epochs": self.epochs, "unit": self.unit}).items():
            widget.add_class(f"vaenb-training-{css}")

    def draw(self, view: TrainingView) -> None:
        """Bring it up to date."""
        self.start.description = "Continue" if view.records else "Start"
        self.start.disabled = self.epochs.disabled = view.is_running
        self.stop.disabled = view.state != "running"
        if view.is_running:
            self.epochs.value = view.epochs
        self.bar.value = view.share
        (self.bar.add_class if view.is_running else self.bar.remove_class)("vaenb-training-runs")
        self.status.value = html.escape(status(view))
        told = failure(view) or alarm(view)
        self.verdict.value = html.escape(verdict(view) if view.records and not told else "")
        self.verdict.layout.display, self.alarm.layout.display = ("none", None) if told else (None, "none")
        self.alarm.value = f"<div role='alert'>{html.escape(told)}</div>" if told else ""

    def close(self) -> None:
        """Close what the panel may not reach."""
        close_all([self._first, *self._live])


class Scrubber:
    """A slider over the epochs, a button that plays them, one that goes to the best, and the channel's menu.

    Parameters
    ----------
    view : TrainingView
    show : callable
        Called with the epoch to look at; None: the newest or the best one.
    show_channel : callable
        Called with the name of a channel.
    """

    def __init__(
        self, view: TrainingView, show: Callable[[int | None], Any], show_channel: Callable[[str], Any]
    ) -> None:
        self._view, self._show, self._show_channel = view, show, show_channel
        self._follows = False  # while the panel itself moves the slider
        self._told: deque[int] = deque(maxlen=_ECHOES)
        self.play = widgets.Play(interval=_PLAY_MS, min=0, max=1, show_repeat=False)
        self.slider = widgets.IntSlider(0, 0, 1, description="Epoch", readout=False)
        self.place = widgets.HTML()
        self.best = widgets.Button(description="Best", tooltip="The epoch whose weights the model has")
        self.channel = widgets.Dropdown(options=list(view.channels), description="Channel")
        many = [self.channel] if len(view.channels) > 1 else []
        self.row = widgets.HBox([self.play, self.slider, self.place, self.best, *many])
        for css, widget in {"scrubber": self.row, "slider": self.slider, "place": self.place}.items():
            widget.add_class(f"vaenb-training-{css}")
        # Linked here and not in the browser: there each would echo what the other was told a while ago.
        self.slider.observe(self._on_slider, "value")
        self.play.observe(self._on_slider, "value")
        self.best.on_click(lambda _: self._show(None))
        self.channel.observe(self._on_channel, "value")

    def _on_slider(self, change: Any) -> None:
        view = self._view
        is_echo = view.is_running and view.chosen is None and change["new"] in self._told
        if not self._follows and not is_echo:
            is_newest = view.is_running and change["new"] >= view.last_epoch
            self._show(None if is_newest else change["new"])

    def _on_channel(self, change: Any) -> None:
        if not self._follows and change["new"] is not None:
            self._show_channel(change["new"])

    def draw(self, view: TrainingView) -> None:
        """Bring it up to date, without hearing itself."""
        self._follows = True
        try:
            self._draw(view)
        finally:
            self._follows = False

    def _draw(self, view: TrainingView) -> None:
        first, last = view.first_epoch, max(view.last_epoch, view.first_epoch + 1)
        for control in (self.play, self.slider):
            with control.hold_sync():
                control.max = max(last, control.min)
                control.min, control.max = first, last
                control.disabled = not view.records
                control.value = min(max(view.epoch, first), last)
        self._told.append(self.slider.value)
        self.place.value = html.escape(place(view))
        ended = "Best" if view.keeps_the_best else "Kept"
        self.best.description = "Newest" if view.is_running else ended
        self.best.disabled = view.chosen is None
        if view.channels:
            self.channel.value = view.channels[view.channel]

    def close(self) -> None:
        """Close what the panel may not reach."""
        close_all([self.channel])


def close_all(roots: list[widgets.Widget]) -> None:
    """Close some widgets with their layouts and styles."""
    for root in roots:
        for widget in reachable(root):
            widget.unobserve_all()
            widget.close()
