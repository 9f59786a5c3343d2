"""The series under the cloud: which stretches are lit, and a brush to light others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bqplot as bq
import ipywidgets as widgets
import numpy as np

from vaenb.drawing.axes import Scale, limits, number_ticks
from vaenb.panels.pace import Pace
from vaenb.panels.ticks import set_ticks
from vaenb.panels.timeaxis import TimeAxis, Trace
from vaenb.view_models.latent_words import about_lit

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from vaenb.records import Ints
    from vaenb.view_models.latent import LatentView

_HEIGHT: Final = 168
_BRUSHES_A_SECOND: Final = 12.0


class LitSeries:
    """A channel over time with the lit windows on it.

    Parameters
    ----------
    view : LatentView
    on_stretch : callable
        Gets the first cell of the brushed stretch and the cell after it.
    lock : context manager, optional
        The lock of the panel.

    Attributes
    ----------
    box : ipywidgets.VBox
    brush : bqplot.interacts.BrushIntervalSelector
    stretch : ipywidgets.IntRangeSlider
        The brush for the keyboard.
    """

    def __init__(
        self,
        view: LatentView,
        *,
        on_stretch: Callable[[int, int], object],
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self.view, self._on_stretch = view, on_stretch
        self._follows = False
        self.axis = TimeAxis(view.timeline, lock=lock)
        self._y, unit = bq.LinearScale(allow_padding=False), bq.LinearScale(min=0.0, max=1.0)
        self._trace = Trace(self.axis, view.values[:, 0], self._y)
        self._lit = Trace(
            self.axis, np.full(len(view.values), np.nan), self._y, color="var(--v-second)", stroke_width=1.6
        )
        bands = {"x": self.axis.scale, "y": unit}
        wash = {"fill": "bottom", "colors": ["transparent"], "stroke_width": 0}
        self.stripes = bq.Lines(
            x=[], y=[], scales=bands, fill_colors=["var(--v-second)"], fill_opacities=[0.16], **wash
        )
        self.here = bq.Lines(x=[], y=[], scales=bands, colors=["var(--v-ink)"], stroke_width=4)
        self.brush = bq.interacts.BrushIntervalSelector(scale=self.axis.scale, color="var(--v-second)")
        self._pace = Pace(self._brushed, per_second=_BRUSHES_A_SECOND)
        self.brush.observe(lambda _: None if self._follows else self._pace(), "selected")
        self.figure = self._make_figure()
        self.axis.pannable(self.figure, otherwise=self.brush)
        self.says = widgets.HTML()
        self.says.add_class("vaenb-latent-says")
        self._make_controls()
        self.set_channel(view.blame(view.picked)[0])

    def _make_figure(self) -> bq.Figure:
        self._up = bq.Axis(scale=self._y, side="left")
        return bq.Figure(
            marks=[self.stripes, self._trace.mark, self._lit.mark, self.here],
            axes=[self.axis.axis(), self._up],
            interaction=self.brush,
            fig_margin={"top": 8, "bottom": 28, "left": 62, "right": 8},
            layout={"height": f"{_HEIGHT}px", "width": "100%", "min_width": "0"},
            animation_duration=0,
            display_toolbar=False,
        )

    def _make_controls(self) -> None:
        channels = self.view.evidence.series.channels
        self.channel = widgets.Dropdown(
            options=[(name, place) for place, name in enumerate(channels)],
            description="Channel",
            layout={"width": "230px", "display": None if len(channels) > 1 else "none"},
        )
        self.channel.observe(lambda change: self.set_channel(change["new"]), "value")
        n_cells = self.view.timeline.n_cells
        self.stretch = widgets.IntRangeSlider(
            value=(0, 0),
            min=0,
            max=n_cells,
            description="Stretch",
            readout=False,
            layout={"flex": "1 1 320px"},
        )
        self.stretch.observe(self._slid, "value")
        top = widgets.HBox([self.says, self.channel])
        top.add_class("vaenb-latent-bar")
        keys = widgets.HBox([self.axis.controls, self.stretch])
        keys.add_class("vaenb-latent-time")
        self.box = widgets.VBox([top, self.figure, keys])

    # ------------------------------------------------------------------ drawing

    def set_channel(self, channel: int) -> None:
        """Show another channel."""
        values = self.view.values[:, channel]
        self.channel.value = channel
        edges = limits(values, pad=0.04)
        with self._y.hold_sync():
            self._y.min, self._y.max = edges
        set_ticks(self._up, number_ticks(Scale(*edges), 4))
        self._trace.set_values(values)
        self.draw_lit()

    def draw_lit(self) -> None:
        """Light up what is selected."""
        view = self.view
        starts, stops = view.lit()
        values = np.full(len(view.values), np.nan)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            values[start:stop] = view.values[start:stop, self.channel.value]
        self._lit.set_values(values)
        self._trace.mark.opacities = [0.55 if len(starts) else 1.0]
        self._bands(self.stripes, starts, stops)
        self.says.value = about_lit(view)

    def draw_here(self) -> None:
        """A bar over the window that is looked at."""
        start = int(self.view.starts[self.view.picked])
        with self.here.hold_sync():
            self.here.x = self.view.timeline.moments([start, start + self.view.window_size - 1])
            self.here.y = np.ones(2)

    def _bands(self, mark: bq.Lines, starts: Ints, stops: Ints) -> None:
        edges = np.stack([starts, starts, stops - 1, stops - 1], axis=1).ravel()
        with mark.hold_sync():
            mark.x = self.view.timeline.moments(edges)
            mark.y = np.tile([0.0, 1.0, 1.0, 0.0], len(starts))

    def clear_brush(self) -> None:
        """Take the brushed stretch away: something else was selected."""
        self._follows = True
        try:
            self.brush.selected = None
            self.stretch.value = (self.stretch.value[0],) * 2
        finally:
            self._follows = False

    # ------------------------------------------------------------------ gestures

    def _brushed(self) -> None:
        chosen = self.brush.selected
        if chosen is None or len(chosen) != 2:
            self._on_stretch(0, 0)
            return
        first, last = sorted(self.view.timeline.cell_of(moment) for moment in chosen)
        self._follow(lambda: setattr(self.stretch, "value", (first, last + 1)))
        self._on_stretch(first, last + 1)

    def _slid(self, change: Any) -> None:
        if self._follows:
            return
        first, stop = change["new"]
        moments = self.view.timeline.moments([first, max(first, stop - 1)])
        self._follow(lambda: setattr(self.brush, "selected", moments if stop > first else None))
        self._on_stretch(first, stop)

    def _follow(self, change: Callable[[], None]) -> None:
        self._follows = True
        try:
            change()
        finally:
            self._follows = False

    def close(self) -> None:
        """End what runs, and close what hangs on the figure only at times."""
        self._pace.end()
        self.axis.end()
        self.figure.interaction = None
        for widget in (self.brush, self.axis.pan_zoom):
            widget.close()
