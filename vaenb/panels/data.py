"""Step 1 as a panel: the series, its repairs and parts, windows that slide over it, and the period found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.errors import InputError
from vaenb.panels.base import Panel, guarded, reachable
from vaenb.panels.data_choosers import Channels, Slide, head
from vaenb.panels.data_controls import Controls
from vaenb.panels.data_series import SeriesChart
from vaenb.panels.data_windows import PeriodChart, WindowChart
from vaenb.panels.data_words import Words
from vaenb.panels.pace import Lull, Pace
from vaenb.panels.timeaxis import TimeAxis
from vaenb.view_models.data import DataView
from vaenb.view_models.data_picture import draw
from vaenb.view_models.timeline import View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vaenb.preparing import Prepared
    from vaenb.records import Series

_LONG = 200_000  # values: from here on `prepare` takes more than a blink
_AROUND = 20  # windows on screen after "Zoom to the window"


class DataPanel(Panel):
    """Step 1, prepare data: what is in a series, and how it is split and cut into windows.

    Parameters
    ----------
    series : Series
        From `vaenb.read_series` or `vaenb.load_dataset`.
    window_size : int or "auto"
        Points in a window.
    calibration : float
        The share of the training part, from its end, that is held out to set the threshold.
    scaler : {"robust", "standard", "minmax"}
    train_end : int, float, str or timestamp, optional
        Where the training part ends, as `vaenb.read_series` takes it; the series' own without it.

    Raises
    ------
    InputError
        If a setting is of the wrong kind. Settings that leave a part too short are told in the panel.

    Examples
    --------
    >>> import vaenb
    >>> panel = vaenb.DataPanel(vaenb.load_dataset("nyc_taxi"))
    >>> panel.prepared.window_size
    48
    >>> panel.close()
    """

    title = "step 1, prepare data"

    def __init__(
        self,
        series: Series,
        *,
        window_size: Any = "auto",
        calibration: float = 0.2,
        scaler: str = "robust",
        train_end: Any = None,
    ) -> None:
        super().__init__()
        self.view = DataView(
            series, window_size=window_size, calibration=calibration, scaler=scaler, train_end=train_end
        )
        self._listeners: list[Callable[[dict[str, Any]], None]] = []
        self._told = self.view.settings
        self._bundled: bool | None = None
        is_long = self.view.grid.size > _LONG
        self._pace = Lull(self._settle) if is_long else Pace(self._settle)
        self._axis = TimeAxis(self.view.timeline, lock=self.lock)
        self._chart = SeriesChart(self.view, self._axis, self._on_handle)
        self._window, self._period = WindowChart(self.view), PeriodChart(self.view)
        self._slide = Slide(self.view, self._on_move, self._on_zoom)
        self._channels = Channels(self.view, self._on_channels)
        self._controls = Controls(self.view, self._on_control)
        self._words = Words(self.view)
        self._lay_out()
        self._axis.on_view(lambda _: self._say_legend())
        self._draw_all()

    def _lay_out(self) -> None:
        near = [head("The window from near, as the network sees it"), self._window.figure, self._slide.box]
        period = [head("The period: how much the train part resembles itself later"), self._period.figure]
        pair = widgets.GridBox(
            [widgets.VBox([*near, self._window.words]), widgets.VBox([*period, self._period.words])]
        )
        pair.add_class("vaenb-pair")
        self.show(
            self._words.heading,
            self._channels.box,
            self._axis.controls,
            self._chart.box,
            self._words.legend,
            pair,
            self._controls.box,
            self._words.problem,
            self._words.summary,
        )

    # ------------------------------------------------------------------ from Python

    @property
    def settings(self) -> dict[str, Any]:
        """The settings now: window_size, calibration, scaler, train_end (None for the series' own)."""
        return self.view.settings

    @property
    def prepared(self) -> Prepared:
        """What `vaenb.prepare` gives with the present settings.

        Raises
        ------
        InputError
            If they cannot be prepared; the panel goes on showing the last that could.
        """
        with self.lock:
            return self.view.prepared

    @property
    def window_at(self) -> int:
        """The cell where the highlighted window starts."""
        return self.view.window_at

    @window_at.setter
    def window_at(self, cell: int) -> None:
        self._on_move(cell)

    def choose(self, **settings: Any) -> None:
        """Change settings, as the controls do.

        Raises
        ------
        InputError
            If a setting is of the wrong kind; nothing changes then.
        """
        with self.lock:
            if self.view.choose(**settings):
                self._follow()

    def show_channels(self, *names: str) -> None:
        """Show these channels, in this order, at most six.

        Raises
        ------
        InputError
            If there is no such channel.
        """
        known = self.view.series.channels
        wrong = [name for name in names if name not in known]
        if wrong:
            raise InputError(f"There is no channel {wrong[0]!r}; expected some of: {', '.join(known)}.")
        self._on_channels([known.index(name) for name in names])

    def on_change(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call `callback` with the settings after they changed and could be prepared.

        That is at most 10 times a second, the last time included.
        """
        self._listeners.append(callback)

    # ------------------------------------------------------------------ gestures

    @guarded
    def _on_control(self, name: str, value: Any) -> None:
        if self.view.choose(**{name: value}):
            self._follow()

    @guarded
    def _on_handle(self, name: str, cell: int, ends: bool) -> None:  # noqa: FBT001 - of a drag
        if name == "window":
            self.view.window_at = cell - (self.view.size - 1) // 2
            self._draw_window()
            return
        move = self.view.move_train_end if name == "train_end" else self.view.move_calibration
        if move(cell) or ends:
            self._follow()

    @guarded
    def _on_move(self, cell: int) -> None:
        self.view.window_at = cell
        self._draw_window()

    @guarded
    def _on_zoom(self) -> None:
        half = _AROUND * self.view.size // 2
        middle = self.view.window_at + self.view.size // 2
        self._axis.set_view(View(middle - half, middle + half))

    @guarded
    def _on_channels(self, channels: Sequence[int]) -> None:
        self.view.show_channels(channels)
        self._channels.show()
        self._chart.show_channels()
        self._window.draw()

    # ------------------------------------------------------------------ what follows from them

    def _follow(self) -> None:
        """After a setting changed: what is cheap at once, the windows when there is time."""
        self._controls.show()
        self._chart.show_parts()
        self._say_legend()
        self._pace()

    @guarded
    def _settle(self) -> None:
        """Prepare anew, show what came of it, and tell the listeners."""
        self.view.refresh()
        self._draw_all()
        if self.view.error is None and self._told != self.view.settings:
            self._told = self.view.settings
            for listener in list(self._listeners):
                listener(self.view.settings)

    def _draw_window(self) -> None:
        self._slide.show()
        self._chart.show_window()
        self._window.draw()

    def _draw_all(self) -> None:
        self._controls.show()
        self._chart.show_parts()
        self._draw_window()
        self._period.draw()
        self._words.draw()
        self._say_legend()
        self.refresh_code()

    def _say_legend(self) -> None:
        self._words.say_legend(*self._chart.points)

    # ------------------------------------------------------------------ code, picture, end

    def code(self) -> str:
        """The lines of Python that prepare the same."""
        if self._bundled is None:
            self._bundled = _is_bundled(self.view.series)
        return self.view.code(bundled=self._bundled)

    def picture(self) -> str:
        """The series with its parts, repairs and window as a static SVG."""
        return draw(self.view)

    def close(self) -> None:
        """Close the panel and all that it made."""
        self._pace.end()
        self._axis.end()
        hidden = [widget for row in self._chart.rows for widget in reachable(row.box)]
        super().close()
        for widget in hidden:
            widget.close()


def _is_bundled(series: Series) -> bool:
    """Whether `vaenb.load_dataset` gives this very series under its name."""
    import numpy as np

    from vaenb.datasets import list_datasets, load_dataset

    if series.name not in list_datasets()["name"].tolist():
        return False
    known = load_dataset(series.name)
    return known.train_end == series.train_end and np.array_equal(known.values, series.values, equal_nan=True)
