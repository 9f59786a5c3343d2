"""The series of step 1: its channels one below the other, its parts as a strip, its repairs in place."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import bqplot as bq
import ipywidgets as widgets
import numpy as np

from vaenb.drawing.axes import Scale, limits, number_ticks
from vaenb.panels.timeaxis import Trace
from vaenb.view_models.repairs import Spans, pick

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.panels.timeaxis import TimeAxis
    from vaenb.view_models.data import DataView

LEFT, RIGHT = 58, 18  # room beside every figure, so that they stand exactly below each other
_UNDER = 28  # room for the labels of the time axis
_HEIGHTS = (190, 118, 92, 80, 74, 68)  # of a channel, by how many are shown
_PART_COLORS = {"train": "var(--v-data)", "calibration": "var(--v-held)", "test": "var(--v-calm)"}
_LOW, _HIGH = 0.5, 0.92  # the strip; the window's handle stands below it


class Stripes:
    """Upright stripes over time; the narrowest stays in sight as a hairline.

    Parameters
    ----------
    axis : TimeAxis
    y : bqplot.LinearScale
        From 0 to 1.
    color : str
    opacity, hairline : float
        Of the area and of its border.
    """

    def __init__(
        self, axis: TimeAxis, y: bq.Scale, color: str, *, opacity: float = 0.2, hairline: float = 0.5
    ) -> None:
        self._axis = axis
        self.mark = bq.Lines(
            x=[],
            y=[],
            scales={"x": axis.scale, "y": y},
            colors=[color],
            opacities=[hairline],
            stroke_width=1,
            fill="inside" if opacity else "none",
            fill_colors=[color],
            fill_opacities=[opacity],
        )

    def show(self, spans: Spans, *, low: float = 0.0, high: float = 1.0) -> None:
        """Draw other stripes; a stripe ends half a cell before the next cell."""
        edges = np.column_stack(
            [spans.starts - 0.5, spans.starts - 0.5, spans.stops - 0.5, spans.stops - 0.5]
        )
        x = np.column_stack([edges, edges[:, -1:]]).ravel()
        y = np.tile([low, high, high, low, np.nan], len(spans))
        with self.mark.hold_sync():
            # Without the last NaN: bqplot puts a label at the last point.
            self.mark.x, self.mark.y = self._axis.timeline.moments(x[:-1]), y[:-1]


class _Row:
    """One channel: its name, its line, what is missing in it, the window and the ends of the parts."""

    def __init__(self, view: DataView, axis: TimeAxis, channel: int) -> None:
        self._view, self._axis, self.channel = view, axis, -1
        self.y, self._unit = bq.LinearScale(), bq.LinearScale(min=0, max=1)
        self.missing = Stripes(axis, self._unit, "var(--v-axis)", opacity=0.35)
        self.window = Stripes(axis, self._unit, "var(--v-second)", opacity=0.2, hairline=0.9)
        self.edges = Stripes(axis, self._unit, "var(--v-faint)", opacity=0.0, hairline=0.6)
        self.trace = Trace(axis, view.grid[:, channel], self.y)
        scales = {"x": axis.scale, "y": self._unit}
        look = {"x": [], "y": [], "scales": scales, "default_size": 34, "stroke": "var(--v-paper)"}
        self.repeated = bq.Scatter(marker="diamond", colors=["var(--v-label)"], **look)
        self.backward = bq.Scatter(marker="triangle-down", colors=["var(--v-alarm)"], **look)
        self._x_axis = axis.axis(visible=False)
        self._y_axis = bq.Axis(scale=self.y, side="left", grid_lines="solid", tick_format=".4~g")
        self.name = widgets.HTML()
        self.name.add_class("vaenb-row-name")
        lines = [self.missing.mark, self.edges.mark, self.trace.mark, self.window.mark]
        self.figure = bq.Figure(
            marks=[*lines, self.repeated, self.backward],
            axes=[self._x_axis, self._y_axis],
            animation_duration=0,
            display_toolbar=False,
            padding_x=0,
            padding_y=0,
            layout={"width": "100%", "height": "100px", "min_width": "0"},
        )
        axis.pannable(self.figure)
        self.box = widgets.VBox([self.name, self.figure])
        self.show_channel(channel)

    def show_channel(self, channel: int) -> None:
        if channel == self.channel:
            return
        self.channel, values = channel, self._view.grid[:, channel]
        low, high = limits(values, pad=0.06)
        ticks = [tick.value for tick in number_ticks(Scale(low, high), 3)]
        with self.y.hold_sync():
            self.y.min, self.y.max = low, high
        with self._y_axis.hold_sync():
            self._y_axis.tick_values = np.array(ticks)
            self._y_axis.tick_format = "~s" if max(map(abs, ticks), default=0) >= 10_000 else ".4~g"
        self.name.value = f"<b>{escape(self._view.series.channels[channel])}</b>"
        self.trace.set_values(values)

    def lay_out(self, height: int, *, is_last: bool) -> None:
        """Give it its height; the last one carries the time axis."""
        self._x_axis.visible = is_last
        bottom = _UNDER if is_last else 4
        self.figure.fig_margin = {"top": 4, "bottom": bottom, "left": LEFT, "right": RIGHT}
        self.figure.layout.height = f"{height + bottom}px"

    def mark_repairs(self) -> None:
        """What is missing, repeated or earlier than before, as far as it is in view."""
        seen, repairs = self._axis.view, self._view.repairs
        self.missing.show(repairs.missing[self.channel].within(seen))
        for mark, cells, height in (
            (self.repeated, repairs.repeated, 0.08),
            (self.backward, repairs.backward, 0.92),
        ):
            chosen = pick(cells, seen)
            with mark.hold_sync():
                mark.x, mark.y = self._axis.timeline.moments(chosen), np.full(len(chosen), height)


class _Strip:
    """Train, calibration and test in colour over the series, with handles at their ends, and the window's."""

    def __init__(self, axis: TimeAxis, moved: Callable[[str, int, bool], None]) -> None:
        self._axis, self._moved = axis, moved
        y = bq.LinearScale(min=0, max=1)
        self.parts = {
            name: Stripes(axis, y, color, opacity=1.0, hairline=0.55) for name, color in _PART_COLORS.items()
        }
        self.handles = {
            name: self._handle(y, name, place, marker)
            for name, place, marker in (
                ("calibration", 0.71, "circle"),
                ("train_end", 0.71, "circle"),
                ("window", 0.2, "triangle-up"),
            )
        }
        self.figure = bq.Figure(
            marks=[*(part.mark for part in self.parts.values()), *self.handles.values()],
            axes=[],
            animation_duration=0,
            display_toolbar=False,
            padding_x=0,
            padding_y=0,
            max_aspect_ratio=1000,
            fig_margin={"top": 2, "bottom": 2, "left": LEFT, "right": RIGHT},
            layout={"width": "100%", "height": "40px", "min_width": "0"},
        )
        self.figure.add_class("vaenb-strip")
        self._held: str | None = None

    def _handle(self, y: bq.Scale, name: str, place: float, marker: str) -> bq.Scatter:
        color = "var(--v-second)" if name == "window" else "var(--v-ink)"
        mark = bq.Scatter(
            x=self._axis.timeline.moments([0]),
            y=[place],
            scales={"x": self._axis.scale, "y": y},
            marker=marker,
            colors=[color],
            stroke="var(--v-paper)",
            stroke_width=1.5,
            default_size=110,
            enable_move=True,
            restrict_x=True,
        )
        mark.on_drag(lambda _, message: self._on_drag(name, message, ends=False))
        mark.on_drag_end(lambda _, message: self._on_drag(name, message, ends=True))
        return mark

    def _on_drag(self, name: str, message: dict[str, Any], *, ends: bool) -> None:
        self._held = None if ends else name
        moment = message["point"]["x"]
        if isinstance(moment, str):
            moment = np.datetime64(moment.removesuffix("Z"))
        self._moved(name, self._axis.timeline.cell_of(moment), ends)

    def show(self, view: DataView) -> None:
        """The parts and handles as they are now; a handle that is being dragged is left to the mouse."""
        train, held, _ = view.parts
        for part in view.parts:
            self.parts[part.name].show(
                Spans(np.array([part.start]), np.array([part.stop])), low=_LOW, high=_HIGH
            )
        places = {
            "calibration": train.stop - 0.5,
            "train_end": held.stop - 0.5,
            "window": view.window_at + (view.size - 1) / 2,
        }
        for name, place in places.items():
            if name != self._held:
                self.handles[name].x = self._axis.timeline.moments([place])


class SeriesChart:
    """All of the series: strip, channels, repairs, the window.

    Parameters
    ----------
    view : DataView
    axis : TimeAxis
    moved : callable
        Called with the name of a dragged handle ("calibration", "train_end", "window"), the cell under it,
        and whether the drag is over.

    Attributes
    ----------
    box : ipywidgets.VBox
    rows : list
        Of every channel that was ever shown; those on screen come first.
    """

    def __init__(self, view: DataView, axis: TimeAxis, moved: Callable[[str, int, bool], None]) -> None:
        self._view, self._axis = view, axis
        self.strip = _Strip(axis, moved)
        self.rows: list[_Row] = []
        self.box = widgets.VBox()
        self.show_channels()
        axis.on_view(lambda _: self._on_view())

    def show_channels(self) -> None:
        """One row for each channel that the view model shows."""
        shown = self._view.shown
        while len(self.rows) < len(shown):
            self.rows.append(_Row(self._view, self._axis, shown[len(self.rows)]))
        height = _HEIGHTS[len(shown) - 1]
        for row, channel in zip(self.rows, shown, strict=False):
            row.show_channel(channel)
            row.lay_out(height, is_last=channel == shown[-1])
            row.name.layout.display = None if self._view.series.n_channels > 1 else "none"
            row.mark_repairs()
        self.box.children = (self.strip.figure, *(row.box for row in self.rows[: len(shown)]))
        self.show_parts()

    def show_parts(self) -> None:
        """The parts and the window."""
        self.strip.show(self._view)
        train, held, _ = self._view.parts
        ends = np.array([train.stop, held.stop])
        for row in self.rows[: len(self._view.shown)]:
            row.edges.show(Spans(ends, ends))
        self.show_window()

    def show_window(self) -> None:
        """The window alone."""
        at = self._view.window_at
        span = Spans(np.array([at]), np.array([at + self._view.size]))
        for row in self.rows[: len(self._view.shown)]:
            row.window.show(span)
        if self.strip._held != "window":  # noqa: SLF001 - one room
            middle = at + (self._view.size - 1) / 2
            self.strip.handles["window"].x = self._axis.timeline.moments([middle])

    def _on_view(self) -> None:
        for row in self.rows[: len(self._view.shown)]:
            row.mark_repairs()

    @property
    def points(self) -> tuple[int, int]:
        """How many points are drawn of a channel, and how many it has in view."""
        trace = self.rows[0].trace
        return min(trace.shown, trace.in_view), trace.in_view
