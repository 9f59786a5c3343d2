"""Step 1 as a static picture: the series with its parts, its repairs and the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaenb.drawing.axes import Scale, Tick, limits, number_ticks, time_ticks
from vaenb.drawing.svg import Pane, frame, line, margin, picture, shade, words, x_axis, y_axis
from vaenb.view_models import data_words
from vaenb.view_models.timeline import View, thin

if TYPE_CHECKING:
    from vaenb.view_models.data import DataView

_WIDTH, _TOP, _RIGHT, _GAP = 960.0, 66.0, 18.0, 26.0


def draw(view: DataView) -> str:
    """All of the series, whatever is zoomed in on the screen."""
    panes = _panes(view)
    body = [_channel(view, pane, channel) for pane, channel in zip(panes, view.shown, strict=True)]
    last = panes[-1]
    return picture(
        "vaenb-data",
        words(last.left, 18, view.series.name, css="v-name"),
        words(last.right, 18, data_words.counts(view), anchor="end"),
        _strip(view, panes[0]),
        *body,
        x_axis(last, _ticks(view)),
        width=_WIDTH,
        height=last.bottom + 42,
        title=f"{view.series.name}, prepared",
        desc=data_words.described(view),
    )


def _panes(view: DataView) -> list[Pane]:
    height = 190.0 if len(view.shown) == 1 else 74.0
    scales = [Scale(*limits(view.grid[:, channel])) for channel in view.shown]
    left = margin(*(number_ticks(scale, 3) for scale in scales))
    across = Scale(-0.5, view.series.n_cells - 0.5)
    return [
        Pane(
            x=across,
            y=scale,
            left=left,
            top=_TOP + i * (height + _GAP),
            width=_WIDTH - left - _RIGHT,
            height=height,
        )
        for i, scale in enumerate(scales)
    ]


def _ticks(view: DataView) -> list[Tick]:
    timeline = view.timeline
    edges = timeline.moments([0, view.series.n_cells - 1])
    if not timeline.has_clock:
        ticks = number_ticks(Scale(float(edges[0]), float(edges[1])), 7)
        return [Tick((tick.value - timeline.start) / timeline.step, tick.label) for tick in ticks]
    last = view.series.n_cells - 1
    return [
        Tick(tick.value * last, tick.label, tick.context) for _, tick in time_ticks(edges[0], edges[1], 7)
    ]


def _strip(view: DataView, pane: Pane) -> str:
    parts = []
    for i, part in enumerate(view.parts):
        left, right = (pane.at(edge - 0.5, pane.y.low)[0] for edge in (part.start, part.stop))
        width = right - left
        parts.append(f'<rect class="v-part{i}" x="{left:.1f}" y="28" width="{width:.1f}" height="6"/>')
        if width > 8 * len(part.name):
            parts.append(words((left + right) / 2, 48, part.name, anchor="middle"))
    return "".join(parts)


def _channel(view: DataView, pane: Pane, channel: int) -> str:
    values = view.grid[:, channel]
    whole = View(0, len(values))
    cells = thin(values, whole)
    missing = view.repairs.missing[channel].within(whole)
    at = view.window_at - 0.5
    marks = [
        shade(pane, missing.starts - 0.5, missing.stops - 0.5, css="v-band"),
        shade(pane, np.array([at]), np.array([at + view.size]), css="v-event"),
        line(pane, cells, values[cells]),
    ]
    named = (
        words(pane.left, pane.top - 6, view.series.channels[channel]) if view.series.n_channels > 1 else ""
    )
    return y_axis(pane, number_ticks(pane.y, 3)) + frame(pane, *marks) + named
