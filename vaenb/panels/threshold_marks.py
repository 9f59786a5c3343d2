"""What the figures of the threshold panel are made of: scales, areas, the line to drag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bqplot as bq
import numpy as np

from vaenb.view_models.threshold_axis import score_ticks

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.view_models.threshold import ThresholdView

LEFT, RIGHT = 64, 18
NOTHING = np.empty(0)


def unit(*, low: float = 0.0, high: float = 1.0) -> bq.LinearScale:
    """A scale that stays as it is."""
    return bq.LinearScale(min=low, max=high, allow_padding=False)


def figure(marks: list[bq.Mark], axes: list[bq.Axis], *, height: int, **margin: int) -> bq.Figure:
    """A figure of fixed height, as wide as it may be."""
    edges = {"top": 8, "bottom": 26, "left": LEFT, "right": RIGHT, **margin}
    return bq.Figure(
        marks=marks,
        axes=axes,
        fig_margin=edges,
        padding_x=0,
        padding_y=0,
        animation_duration=0,
        display_toolbar=False,
        layout={"height": f"{height}px", "width": "100%", "min_width": "0"},
    )


def area(scales: dict[str, bq.Scale], color: str, opacity: float, **more: Any) -> bq.Lines:
    """Filled stripes or bars: a line without a stroke."""
    chosen = {
        "fill": "bottom",
        "fill_colors": [color],
        "fill_opacities": [opacity],
        "opacities": [0.0],
        **more,
    }
    return bq.Lines(x=NOTHING, y=NOTHING, scales=scales, colors=[color], stroke_width=0, **chosen)


class Handle:
    """The threshold as a line that the mouse can drag.

    The mark is a point; the style sheet draws it as a line through the whole figure, so that the line follows
    the mouse without waiting for the kernel. Where a browser cannot do that, `line` is the line.

    Parameters
    ----------
    scale : bqplot.Scale
        Of the score axis.
    upright : bool
        Whether the line stands (in the histogram) or lies (over the scores).
    on_place : callable
        Gets the place on the score axis with every move.
    """

    def __init__(self, scale: bq.Scale, *, upright: bool, on_place: Callable[[float, bool], None]) -> None:
        self._axis, other = ("x", "y") if upright else ("y", "x")
        scales = {self._axis: scale, other: unit()}
        self.is_held = False
        fixed = {f"restrict_{self._axis}": True}
        self.mark = bq.Scatter(
            x=[1.0],
            y=[1.0],
            scales=scales,
            colors=["var(--v-alarm)"],
            default_size=80,
            enable_move=True,
            **fixed,
        )
        self.line = bq.Lines(
            x=[0.0, 1.0], y=[0.0, 1.0], scales=scales, colors=["var(--v-threshold-line)"], stroke_width=1.5
        )
        self._on_place = on_place
        self.mark.on_drag_start(self._start)
        self.mark.on_drag(self._drag)
        self.mark.on_drag_end(self._end)

    def _start(self, _: Any, __: Any) -> None:
        self.is_held = True

    def _drag(self, _: Any, content: dict[str, Any]) -> None:
        self.is_held = True
        self._on_place(content["point"][self._axis], False)

    def _end(self, _: Any, content: dict[str, Any]) -> None:
        self.is_held = False
        self._on_place(content["point"][self._axis], True)

    def put(self, place: float) -> None:
        """Move to a place, unless the mouse holds it."""
        setattr(self.line, self._axis, np.array([place, place]))
        if not self.is_held:
            setattr(self.mark, self._axis, np.array([place]))


def score_axis(view: ThresholdView, scale: bq.Scale, side: str, n: int) -> list[bq.Axis]:
    """The axis of the scores: places on it, true values beside it."""
    places, names = score_ticks(view.scale, n)
    return [bq.Axis(scale=scale, side=side, tick_values=places, tick_labels=names, grid_lines="solid")]


def tick_score_axis(view: ThresholdView, axis: bq.Axis, n: int) -> None:
    """Bring the ticks of an axis up to date with another scale of the scores."""
    places, names = score_ticks(view.scale, n)
    with axis.hold_sync():
        axis.tick_labels, axis.tick_values = names, places
