"""The cloud of windows: points, a lasso around them, a click on one of them, and a cross to walk with.

A bqplot Scatter styles all of its points anew when the mouse enters one of them, in time that grows with
their square. So the cloud is made of many small marks; a pool of them is made once and filled anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bqplot as bq
import numpy as np

from vaenb.drawing.axes import Scale, number_ticks
from vaenb.panels.ticks import set_ticks
from vaenb.view_models.latent_colors import batches
from vaenb.view_models.latent_words import tips

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.records import Floats, Ints
    from vaenb.view_models.latent import LatentView
    from vaenb.view_models.latent_colors import Batch

_HEIGHT: Final = {1: 430, 2: 500, 3: 560}  # by how many channels are drawn beside it
_BATCH: Final = 100
_MOST_KINDS: Final = 4
_FADED: Final = 0.18
_TIP: Final = {
    "background": "var(--jp-layout-color2)",
    "color": "var(--jp-ui-font-color1)",
    "border": "1px solid var(--jp-border-color2)",
    "border-radius": "4px",
    "font": "12px system-ui, sans-serif",
    "padding": "2px 6px",
    "opacity": "0.97",
}


class Cloud:
    """The figure with the points of a view.

    Parameters
    ----------
    view : LatentView
    on_lasso : callable
        Gets the windows inside the lasso.
    on_pick : callable
        Gets the window that was clicked at, or near.
    on_walk : callable
        Gets x and y of the cross; ``dragged=True`` while its handle is being dragged.

    Attributes
    ----------
    figure : bqplot.Figure
    lasso : bqplot.interacts.LassoSelector
    points : list of bqplot.Scatter
    cross : bqplot.Scatter
    """

    def __init__(
        self,
        view: LatentView,
        *,
        on_lasso: Callable[[Ints], object],
        on_pick: Callable[[int], object],
        on_walk: Callable[..., object],
    ) -> None:
        self.view, self.mode = view, "Pick"
        self._on_lasso, self._on_pick, self._on_walk = on_lasso, on_pick, on_walk
        self.x, self.y = bq.LinearScale(allow_padding=False), bq.LinearScale(allow_padding=False)
        self._scales = {"x": self.x, "y": self.y}
        self._batches: list[Batch] = []
        self._make_points()
        self._make_gestures()
        self._make_cross()
        self.lasso = bq.interacts.LassoSelector(
            x_scale=self.x, y_scale=self.y, marks=[self.targets], color="var(--v-second)"
        )
        self._axes = [
            bq.Axis(scale=self.x, label_offset="32px"),
            bq.Axis(scale=self.y, side="left", label_offset="46px"),
        ]
        self.figure = bq.Figure(
            marks=[
                self.targets,
                self.catcher,
                *self.points,
                self.links,
                self.near,
                self.ring,
                self.hair,
                self.cross,
            ],
            axes=self._axes,
            fig_margin={"top": 8, "bottom": 44, "left": 62, "right": 8},
            layout={
                "height": f"{_HEIGHT[min(3, view.evidence.series.n_channels)]}px",
                "width": "100%",
                "min_width": "0",
            },
            animation_duration=0,
            display_toolbar=False,
        )

    # ------------------------------------------------------------------ marks

    def _scatter(self, **style: Any) -> bq.Scatter:
        return bq.Scatter(x=np.empty(0), y=np.empty(0), scales=self._scales, **style)

    def _make_points(self) -> None:
        view = self.view
        many = len(view.shown) > 600
        size, self._ring_width = (26, 1.0) if many else (46, 1.6)
        self._tip = bq.Tooltip(fields=["name"], show_labels=False)
        self.points = [
            self._scatter(
                default_size=size,
                display_names=False,
                tooltip=self._tip,
                tooltip_style=_TIP,
                unselected_style={"opacity": _FADED},
                hovered_style={"stroke": "var(--v-ink)", "stroke-width": 2},
            )
            for _ in range(-(-len(view.shown) // _BATCH) + _MOST_KINDS)
        ]
        for place, mark in enumerate(self.points):
            mark.on_element_click(lambda _, told, place=place: self._clicked(place, told))
        ring = {"fill": False, "stroke_width": 2.0}
        self.ring = self._scatter(default_size=230, stroke="var(--v-ink)", **ring)
        self.near = self._scatter(default_size=130, stroke="var(--v-score)", **ring)
        self.links = bq.Lines(x=[], y=[], scales=self._scales, colors=["var(--v-score)"], stroke_width=1)

    def _make_gestures(self) -> None:
        """Marks that are not seen: what the lasso asks, and what catches clicks beside the points."""
        self.targets = bq.Lines(x=[], y=[], scales=self._scales, visible=False)
        self.targets.observe(self._lassoed, "selected")
        corner = np.zeros(1)
        self.catcher = bq.Scatter(
            x=corner, y=corner, scales=self._scales, visible=False, interactions={"click": "add"}
        )
        self.catcher.observe(self._caught, "y")

    def _make_cross(self) -> None:
        self.cross = self._scatter(
            marker="circle",
            default_size=210,
            fill=True,
            colors=["var(--v-paper)"],
            stroke="var(--v-ink)",
            stroke_width=2,
            enable_move=True,
            drag_size=1.0,
            visible=False,
        )
        self.cross.on_drag(self._dragged)
        self.cross.on_drag_end(self._dragged)
        self.hair = bq.Lines(
            x=[], y=[], scales=self._scales, colors=["var(--v-ink)"], stroke_width=1, visible=False,
            opacities=[0.4], line_style="dashed",
        )  # fmt: skip

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """All of it anew: another plane, or other colours."""
        view = self.view
        (self.x.min, self.x.max), (self.y.min, self.y.max) = view.edges
        for axis, name, edges in zip(self._axes, view.plane.names, view.edges, strict=True):
            axis.label = name
            set_ticks(axis, number_ticks(Scale(*edges), 6))
        places = view.places[view.shown]
        with self.targets.hold_sync():
            self.targets.x, self.targets.y = places[:, 0], places[:, 1]
        self._park()
        self.draw_points()
        self.draw_picked()
        self.draw_cross()

    def draw_points(self) -> None:
        """The points with their colours, and which of them are lit."""
        view = self.view
        self._batches = batches(
            view.coloring(), view.shown, scores=view.sample.scores, flagged=view.flagged, size=_BATCH
        )
        for place, mark in enumerate(self.points):
            if place < len(self._batches):
                self._fill(mark, self._batches[place])
            elif len(mark.x):
                _put(mark, np.empty((0, 2)))
        self.draw_selected()

    def _fill(self, mark: bq.Scatter, batch: Batch) -> None:
        places = self.view.places[batch.windows]
        with mark.hold_sync():
            mark.x, mark.y = places[:, 0], places[:, 1]
            mark.names = np.array(tips(self.view, batch.windows))
            mark.colors = [f"var({color})" for color in batch.colors]
            mark.marker = batch.marker
            mark.stroke = "var(--v-alarm)" if batch.ringed else "var(--v-paper)"
            mark.stroke_width = self._ring_width if batch.ringed else 0.6

    def draw_selected(self) -> None:
        """The lit points in full colour, the others faded; all in full colour where none is lit."""
        lit = np.zeros(self.view.n_windows, dtype=bool)
        lit[self.view.selected] = True
        anything = bool(lit[self.view.shown].any())
        for mark, batch in zip(self.points, self._batches, strict=False):
            mark.selected = np.flatnonzero(lit[batch.windows]).astype(np.int32) if anything else None

    def draw_picked(self) -> None:
        """A ring around the window that is looked at, and smaller ones around its nearest normal windows."""
        at, near = (
            self.view.places[[self.view.picked]],
            self.view.places[self.view.nearest_normal(self.view.picked)],
        )
        _put(self.ring, at)
        _put(self.near, near)
        ends = np.stack([np.broadcast_to(at, near.shape), near], axis=1)
        with self.links.hold_sync():
            self.links.x, self.links.y = ends[:, :, 0], ends[:, :, 1]

    def draw_cross(self, *, handle: bool = True) -> None:
        """The cross; without its handle where that is being dragged, and knows better where it is."""
        x, y = self.view.walk_at
        (left, right), (low, high) = self.view.edges
        with self.hair.hold_sync():
            self.hair.x, self.hair.y = np.array([[left, right], [x, x]]), np.array([[y, y], [low, high]])
        if handle:
            _put(self.cross, np.array([[x, y]]))

    def set_mode(self, mode: str) -> None:
        """Which gesture the mouse makes: "Pick", "Lasso" or "Walk"."""
        self.mode = mode
        self.figure.interaction = self.lasso if mode == "Lasso" else None
        for mark in (self.cross, self.hair):
            mark.visible = mode == "Walk"
        for mark in (self.ring, self.near, self.links):
            mark.visible = mode != "Walk"

    # ------------------------------------------------------------------ gestures

    def _lassoed(self, change: Any) -> None:
        if change["new"] is None or not len(change["new"]):  # the line was taken away, by us
            return
        inside = np.asarray(change["new"], dtype=np.int64)
        self.lasso.reset()
        self._on_lasso(self.view.shown[inside])

    def _clicked(self, place: int, told: Any) -> None:
        window = int(self._batches[place].windows[told["data"]["index"]])
        if self.mode == "Walk":
            self._on_walk(*self.view.places[window].tolist())
        else:
            self._on_pick(window)

    def _caught(self, _: Any) -> None:
        """A click beside the points: bqplot adds a point to the catcher where it was."""
        if len(self.catcher.y) < 2:
            return
        x, y = float(self.catcher.x[-1]), float(self.catcher.y[-1])
        self._park()
        if self.mode == "Walk":
            self._on_walk(x, y)
        else:
            self._on_pick(self.view.nearest_shown(x, y))

    def _park(self) -> None:
        (left, _), (low, _) = self.view.edges
        _put(self.catcher, np.array([[left, low]]))

    def _dragged(self, _: Any, told: Any) -> None:
        self._on_walk(float(told["point"]["x"]), float(told["point"]["y"]), dragged=True)

    def close(self) -> None:
        """Close what hangs on the figure only at times."""
        self.figure.interaction = None
        self.lasso.close()


def _put(mark: Any, places: Floats) -> None:
    with mark.hold_sync():
        mark.x, mark.y = places[:, 0], places[:, 1]
