"""A time axis that several figures share, with zooming by mouse, by button and by keyboard; and its lines."""

from __future__ import annotations

import math
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import bqplot as bq
import ipywidgets as widgets
import numpy as np
from bqplot.traits import Date
from traitlets import Float

from vaenb.panels.pace import Pace
from vaenb.panels.told import Told
from vaenb.view_models.ticks import view_ticks
from vaenb.view_models.timeline import View, thin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from vaenb.records import Floats
    from vaenb.view_models.timeline import Timeline

_ZOOMS_A_SECOND = 20.0
_PAIR = 0.015  # seconds within which both ends of the scale arrive after a move of the mouse
_TINY = 1e-9
_STEPS = 500  # of the slider, at most: an arrow key, which moves it by one step, shall be seen to move it


# The kernel does not repeat to the browser what it heard from it (`echo_update`): while the mouse drags, the
# echo of an earlier place would put one end of the scale back, and the stretch in view would grow or shrink.


class Dates(bq.DateScale):
    """A scale of dates that also hears the browser: bqplot 0.13's own cannot read what comes back from it."""

    min = Date(default_value=None, allow_none=True).tag(sync=True, echo_update=False)
    max = Date(default_value=None, allow_none=True).tag(sync=True, echo_update=False)


class Numbers(bq.LinearScale):
    """A scale of numbers for a series without a clock."""

    min = Float(default_value=None, allow_none=True).tag(sync=True, echo_update=False)
    max = Float(default_value=None, allow_none=True).tag(sync=True, echo_update=False)


class TimeAxis:
    """The x axis of one or more figures. It knows which cells are in view, and tells who listens.

    Parameters
    ----------
    timeline : Timeline
    lock : context manager, optional
        The lock of the panel: moves of the mouse are followed on another thread.

    Attributes
    ----------
    scale : Dates or Numbers
        Give it to every mark that stands on this axis.
    view : View
    controls : ipywidgets.HBox
        Buttons, and a slider of two handles that arrow keys move.
    pan_zoom : bqplot.PanZoom
        Behind the toggle: it takes the mouse wheel away from the page. Figures with `interaction` of their
        own leave it out; see `pannable`.
    """

    def __init__(self, timeline: Timeline, *, lock: AbstractContextManager[Any] | None = None) -> None:
        self.timeline = timeline
        self._lock = lock or nullcontext()
        self.view = View(0, timeline.n_cells)
        edges = timeline.moments([0, max(1, timeline.n_cells - 1)])
        kind = Dates if timeline.has_clock else Numbers
        self.scale = kind(min=_plain(edges[0]), max=_plain(edges[1]), allow_padding=False)
        self._listeners: list[Callable[[View], None]] = []
        self._axes: list[bq.Axis] = []
        self._figures: list[tuple[bq.Figure, bq.interacts.Interaction | None]] = []
        self._follows = False
        self._step: float = -(-timeline.n_cells // _STEPS)  # cells
        self._n_steps = -(-timeline.n_cells // int(self._step))
        self._slider = widgets.IntRangeSlider(
            value=self._on_steps(self.view),
            min=0,
            max=self._n_steps,
            description="In view",
            readout=False,
            continuous_update=True,
            layout={"flex": "1 1 0", "min_width": "120px"},
            style={"description_width": "initial"},
        )
        self._told = Told(self._slider)
        self.pan_zoom = bq.PanZoom(scales={"x": [self.scale]})
        self._toggle = widgets.ToggleButton(
            icon="arrows", tooltip="Move and zoom with the mouse: drag, wheel", layout={"width": "40px"}
        )
        self._toggle.observe(self._on_toggle, "value")
        self.controls = widgets.HBox([*self._buttons(), self._toggle, self._slider])
        self.controls.add_class("vaenb-time-controls")
        self._told.on_gesture(self._on_slider)
        self._pace = Pace(self._read_scale, per_second=_ZOOMS_A_SECOND, patience=_PAIR)
        self._ends: tuple[Any, Any] | None = None
        self.scale.observe(self._on_scale, ["min", "max"])

    def _buttons(self) -> list[widgets.Button]:
        moves: list[tuple[str, str, Callable[[View], View]]] = [
            ("search-plus", "Zoom in", lambda view: view.zoomed(0.5)),
            ("search-minus", "Zoom out", lambda view: view.zoomed(2.0)),
            ("arrow-left", "Earlier", lambda view: view.moved(-0.5)),
            ("arrow-right", "Later", lambda view: view.moved(0.5)),
            ("arrows-h", "Whole series", lambda _: View(0, self.timeline.n_cells)),
        ]
        found = []
        for icon, words, move in moves:
            button = widgets.Button(icon=icon, tooltip=words, layout={"width": "40px"})
            button.on_click(lambda _, move=move: self.set_view(move(self.view)))
            found.append(button)
        return found

    # ------------------------------------------------------------------ figures

    def axis(self, *, label: str = "", visible: bool = True) -> bq.Axis:
        """The axis to draw under a figure."""
        axis = bq.Axis(scale=self.scale, label=label, grid_lines="none", visible=visible)
        self._axes.append(axis)
        self._set_ticks()
        return axis

    def _set_ticks(self) -> None:
        """Round times: of its own accord bqplot takes equal parts of the axis, or labels that overlap."""
        values, form = view_ticks(self.timeline, self.view)
        for axis in self._axes:
            axis.tick_format = form  # first and alone: the ticks are written in the format that stands then
            axis.tick_values = values

    def pannable(self, figure: bq.Figure, *, otherwise: bq.interacts.Interaction | None = None) -> None:
        """Let the toggle put a figure under the mouse's wheel; while it is off, `otherwise` has the mouse."""
        self._figures.append((figure, otherwise))

    def _on_toggle(self, change: Any) -> None:
        for figure, otherwise in self._figures:
            figure.interaction = self.pan_zoom if change["new"] else otherwise

    # ------------------------------------------------------------------ the view

    def on_view(self, listener: Callable[[View], None]) -> None:
        """Call `listener` with the view now and after every change."""
        self._listeners.append(listener)
        listener(self.view)

    def set_view(self, view: View) -> None:
        """Show other cells; everything on the axis follows."""
        with self._lock:
            view = view.within(self.timeline.n_cells)
            self._move_scale(view)
            self._show(view)

    def grow(self, timeline: Timeline) -> None:
        """Take a longer timeline with the same beginning; everything on the axis is drawn anew.

        A view of the whole stays one, a view of the end stays at the end, and any other where it is.
        """
        with self._lock:
            before, view = self.timeline.n_cells, self.view
            self.timeline, n_cells = timeline, timeline.n_cells
            if view.stop == before:
                view = View(0 if view.first == 0 else view.first + n_cells - before, n_cells)
            # The slider keeps its ends: a browser answers to other ones, perhaps much later.
            self._step = n_cells / self._n_steps
            self._told.tell(self._on_steps(view))
            if view != self.view:
                self._move_scale(view)
            self.view = view
            self._set_ticks()
            for listener in self._listeners:
                listener(view)

    def _move_scale(self, view: View) -> None:
        edges = self.timeline.moments([view.first, view.stop - 1])
        self._ends = None
        with self._following(), self.scale.hold_sync():
            self.scale.min, self.scale.max = _plain(edges[0]), _plain(edges[1])

    @contextmanager
    def _following(self) -> Iterator[None]:
        self._follows = True
        try:
            yield
        finally:
            self._follows = False

    def _show(self, view: View) -> None:
        self._told.tell(self._on_steps(view))
        if view != self.view:
            self.view = view
            self._set_ticks()
            for listener in self._listeners:
                listener(view)

    def _on_steps(self, view: View) -> tuple[int, int]:
        first, stop = view.first / self._step, view.stop / self._step
        return math.floor(first + _TINY), min(math.ceil(stop - _TINY), self._n_steps)

    def _on_slider(self, steps: tuple[int, int]) -> None:
        self.set_view(View(*(round(place * self._step) for place in steps)))

    def _on_scale(self, _: Any) -> None:
        if not self._follows:
            self._ends = (
                self.scale.min,
                self.scale.max,
            )  # here both are of one message; on a timer, perhaps not
            self._pace()

    def _read_scale(self) -> None:
        """Follow a pan or a zoom by mouse, which moved the scale itself: writing it back would shake it."""
        with self._lock:
            if self._ends is not None:
                low, high = sorted(self.timeline.cell_of(end) for end in self._ends)
                self._show(View(low, high + 1).within(self.timeline.n_cells))

    def end(self) -> None:
        """Stop following the mouse: call it from the panel's `close`."""
        self._pace.end()
        self.pan_zoom.close()  # it hangs on no figure while the toggle is off


def _plain(moment: Any) -> Any:
    """A moment as a bqplot scale takes it: a Python datetime, or a float."""
    return moment.astype("datetime64[ms]").item() if isinstance(moment, np.datetime64) else float(moment)


class Trace:
    """A line over time: of the cells in view, as many as look like all of them.

    Attributes
    ----------
    mark : bqplot.Lines
    shown, in_view : int
        "n of N".
    """

    def __init__(
        self,
        axis: TimeAxis,
        values: Floats,
        y_scale: bq.Scale,
        *,
        color: str = "var(--v-data)",
        **style: Any,
    ) -> None:
        self._axis, self._values, self._above = axis, values, np.inf
        self.shown = self.in_view = 0
        chosen = {"stroke_width": 1.2, "colors": [color], **style}
        self.mark = bq.Lines(x=[], y=[], scales={"x": axis.scale, "y": y_scale}, **chosen)
        axis.on_view(lambda _: self.draw())

    def set_values(self, values: Floats, *, above: float = np.inf) -> None:
        """Other values; every cell above `above` will be drawn."""
        self._values, self._above = values, above
        self.draw()

    def take(self, values: Floats) -> None:
        """Other values, to be drawn with the next view."""
        self._values = values

    def draw(self) -> None:
        """Choose the cells anew and send them."""
        view = self._axis.view
        cells = thin(self._values, view, above=self._above)
        self.shown, self.in_view = len(cells), len(view)
        known = np.flatnonzero(~np.isnan(self._values[cells]))
        cells = cells[: known[-1] + 1 if len(known) else 0]  # bqplot puts a label at the last point
        with self.mark.hold_sync():
            self.mark.x = self._axis.timeline.moments(cells)
            self.mark.y = np.asarray(self._values[cells], dtype=np.float64)
