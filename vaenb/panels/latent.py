"""Step 4 as a panel: the latent space, the windows in it, and what the decoder draws between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets
import numpy as np

from vaenb.errors import InputError
from vaenb.panels.base import Panel, guarded
from vaenb.panels.latent_cloud import Cloud
from vaenb.panels.latent_controls import Controls
from vaenb.panels.latent_series import LitSeries
from vaenb.panels.latent_window import WindowPictures
from vaenb.panels.pace import Pace
from vaenb.view_models.latent import LatentView
from vaenb.view_models.latent_picture import draw
from vaenb.view_models.latent_words import about_cloud, code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vaenb.evidence import Decode, Evidence
    from vaenb.records import Ints

MODES: Final = ("Pick", "Lasso", "Walk")
_WALKS_A_SECOND: Final = 40.0


class LatentPanel(Panel):
    """Step 4, score: the windows of a series as points of the latent space, linked with the series.

    Lasso points, and their windows light up on the series; brush a stretch of the series, and its windows
    light up in the cloud. A click on a point shows the window with its reconstruction, the channels to
    blame, and the normal windows nearest to it. A cross walks through the plane, and the decoder draws
    what it thinks a window looks like there.

    Parameters
    ----------
    evidence : Evidence
    decode : callable, optional
        From latent points, shape (n, latent_dim), to means and standard deviations, shape
        (n, window_size, n_channels) each, in the series' units. Without it the drawings that the evidence
        holds serve, in their own plane of the latent space.

    Raises
    ------
    InputError
        If the evidence holds no windows.
    """

    title = "step 4, the latent space"

    def __init__(self, evidence: Evidence, *, decode: Decode | None = None) -> None:
        super().__init__()
        self.view = LatentView(evidence, decode=decode)
        self._listeners: list[Callable[[Ints], object]] = []
        self._mode = MODES[0]
        self._cloud = Cloud(self.view, on_lasso=self._lassoed, on_pick=self._picked, on_walk=self._walked)
        self._window = WindowPictures(self.view, on_pick=self._picked)
        self._series = LitSeries(self.view, on_stretch=self._stretched, lock=self.lock)
        self._controls = Controls(self.view, self)
        self._pace = Pace(self._draw_walk, per_second=_WALKS_A_SECOND)
        row = widgets.HBox([self._left_column(), self._window.box])
        row.add_class("vaenb-latent-row")
        self.add_class("vaenb-latent")
        self.show(self._controls.bar, self._controls.gestures, row, self._series.box)
        self._draw_all()

    def _left_column(self) -> widgets.VBox:
        self._counts = widgets.HTML()
        self._counts.add_class("vaenb-latent-says")
        under = widgets.HBox([self._controls.key, self._counts])
        under.add_class("vaenb-latent-bar")
        column = widgets.VBox([self._cloud.figure, under])
        column.add_class("vaenb-latent-cloud")
        return column

    # ------------------------------------------------------------------ what can be asked and set

    @property
    def plane(self) -> str | tuple[int, int]:
        """The plane of the cloud: "pca" for the principal axes, or a pair of dimensions, counted from 0."""
        return self.view.plane_choice

    @plane.setter
    def plane(self, choice: str | tuple[int, int]) -> None:
        with self.lock:
            self.view.set_plane(choice)
            self._draw_all()

    @property
    def color_by(self) -> str:
        """What colours the points: "score", "time", "split", "label" or "verdict"."""
        return self.view.color_by

    @color_by.setter
    def color_by(self, name: str) -> None:
        with self.lock:
            self.view.set_color_by(name)
            self._cloud.draw_points()
            self._told()

    @property
    def selected(self) -> Ints:
        """The windows that are lit: numbers of sampled windows, ascending."""
        return self.view.selected.copy()

    @selected.setter
    def selected(self, windows: Iterable[int]) -> None:
        with self.lock:
            self._series.clear_brush()
            self.select(windows)

    @property
    def picked(self) -> int:
        """The number of the window that is looked at."""
        return self.view.picked

    @picked.setter
    def picked(self, window: int) -> None:
        with self.lock:
            self.view.pick(window)
            self._draw_picked()

    @property
    def walk_at(self) -> tuple[float, float]:
        """Where the cross is, in the plane."""
        return self.view.walk_at

    @walk_at.setter
    def walk_at(self, place: tuple[float, float]) -> None:
        with self.lock:
            try:
                x, y = place
            except (TypeError, ValueError):
                raise InputError(f"walk_at is {place!r}; expected two numbers, (x, y).") from None
            self.view.walk_to(x, y)
            self._cloud.draw_cross()
            self._draw_walk()

    @property
    def mode(self) -> str:
        """What the mouse does in the cloud: "Pick", "Lasso" or "Walk"."""
        return self._mode

    @mode.setter
    def mode(self, name: str) -> None:
        if name not in MODES:
            raise InputError(f"mode is {name!r}; expected one of {', '.join(repr(mode) for mode in MODES)}.")
        with self.lock:
            self._mode = name
            self._cloud.set_mode(name)
            self._draw_near()
            self._told()

    def set_verdicts(self, verdicts: Any) -> None:
        """What a person said about stretches of the series, for ``color_by = "verdict"``.

        Parameters
        ----------
        verdicts : mapping, DataFrame or None
            From (first moment, last moment) to "anomaly", "normal" or "unsure"; or a table with the columns
            `start`, `end` and `verdict`, such as ``JudgePanel.verdicts``. None takes them back: then what
            the rule flags is coloured.

        Raises
        ------
        InputError
            If they are something else.
        """
        with self.lock:
            self.view.set_verdicts(verdicts)
            self._cloud.draw_points()
            self._told()

    def on_select(self, callback: Callable[[Ints], object]) -> None:
        """Call `callback` with the numbers of the lit windows after every change of them."""
        self._listeners.append(callback)

    # ------------------------------------------------------------------ gestures

    @guarded
    def _lassoed(self, windows: Ints) -> None:
        self.selected = windows

    @guarded
    def _picked(self, window: int) -> None:
        self.picked = window

    @guarded
    def _stretched(self, first: int, stop: int) -> None:
        self.select(self.view.in_stretch(first, stop) if stop > first else np.empty(0, dtype=np.int64))

    @guarded
    def _walked(self, x: float, y: float, *, dragged: bool = False) -> None:
        self.view.walk_to(x, y)
        self._cloud.draw_cross(handle=not dragged)
        self._pace()

    @guarded
    def set_from_control(self, name: str, value: Any) -> None:
        """What a control of the bar was set to."""
        setattr(self, name, value)

    # ------------------------------------------------------------------ drawing

    def select(self, windows: Iterable[int]) -> None:
        """Light up some windows; the brushed stretch stays as it is."""
        self.view.select(windows)
        self._cloud.draw_selected()
        self._series.draw_lit()
        self._told()
        for listener in self._listeners:
            listener(self.selected)

    def _draw_all(self) -> None:
        self._cloud.draw()
        self._cloud.set_mode(self._mode)
        self._series.draw_here()
        self._draw_near()
        self._told()

    def _draw_picked(self) -> None:
        self._cloud.draw_picked()
        self._series.draw_here()
        self._draw_near()
        self._told()

    def _draw_near(self) -> None:
        if self._mode == "Walk":
            self._window.draw_walk()
        else:
            self._window.draw_picked()

    @guarded
    def _draw_walk(self) -> None:
        self._draw_near()
        self._told()

    def _told(self) -> None:
        """Words and controls follow."""
        self._counts.value = about_cloud(self.view)
        self._controls.follow()
        self.refresh_code()
        self.changed()

    # ------------------------------------------------------------------ what all panels say

    def code(self) -> str:
        """The lines of Python that give what is on screen."""
        return code(self.view, self._mode)

    def picture(self) -> str:
        """What is on screen as a static SVG with alternative text."""
        return draw(self.view)

    def close(self) -> None:
        """Close the panel and all that it made. Twice does no harm."""
        with self.lock:
            if not self.is_closed:
                self._pace.end()
                self._cloud.close()
                self._series.close()
        super().close()
