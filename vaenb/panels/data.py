"""Step 1 as a panel: the series, its repairs and parts, windows that slide over it, and the period found."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.errors import InputError
from vaenb.panels.base import Panel, guarded, reachable
from vaenb.panels.data_controls import Controls
from vaenb.panels.data_series import SeriesChart
from vaenb.panels.data_windows import PeriodChart, WindowChart
from vaenb.panels.pace import Pace
from vaenb.panels.timeaxis import TimeAxis
from vaenb.view_models import data_words
from vaenb.view_models.data import MOST_SHOWN, DataView
from vaenb.view_models.data_picture import draw
from vaenb.view_models.timeline import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.preparing import Prepared
    from vaenb.records import Series

_LONG = 300_000  # values: from here on `prepare` takes more than a blink
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
        self._bundled: bool | None = None
        self._busy = False
        self._told = self.view.settings
        self._axis = TimeAxis(self.view.timeline)
        self._chart = SeriesChart(self.view, self._axis, self._on_handle)
        self._window, self._period = WindowChart(self.view), PeriodChart(self.view)
        self._controls = Controls(self.view, self._on_control)
        self._heading, self._legend, self._summary = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._pace = Pace(self._settle, per_second=10.0 if self.view.grid.size < _LONG else 3.0)
        self._axis.on_view(lambda _: self._say_points())
        self.show(*self._lay_out())
        self._draw_all()

    # ------------------------------------------------------------------ layout

    def _lay_out(self) -> list[widgets.Widget]:
        self._heading.add_class("vaenb-heading")
        self._legend.add_class("vaenb-legend")
        self._summary.add_class("vaenb-summary")
        self._channels = self._make_channels()
        near = widgets.VBox([_head("The window from near, as the network sees it"), self._window.figure])
        near.children += (self._make_slide(), self._window.words)
        period = widgets.VBox([_head("The period: how much the train part resembles itself later")])
        period.children += (self._period.figure, self._period.words)
        pair = widgets.GridBox([near, period])
        pair.add_class("vaenb-pair")
        return [
            self._heading,
            *([self._channels] if self._channels else []),
            self._axis.controls,
            self._chart.box,
            self._legend,
            pair,
            self._controls.box,
            self._summary,
        ]

    def _make_slide(self) -> widgets.HBox:
        self._slide = widgets.IntSlider(
            value=self.view.window_at,
            min=0,
            max=self.view.series.n_cells - self.view.size,
            description="Window at",
            layout={"flex": "1 1 auto"},
        )
        self._slide.observe(self._on_slide, "value")
        buttons = []
        for icon, words, sign in (
            ("step-backward", "One window back", -1),
            ("step-forward", "One window on", 1),
        ):
            button = widgets.Button(icon=icon, tooltip=words, layout={"width": "36px"})
            button.on_click(lambda _, sign=sign: self._step(sign))
            buttons.append(button)
        near = widgets.Button(icon="crosshairs", tooltip="Zoom to the window", layout={"width": "36px"})
        near.on_click(lambda _: self._zoom_to_window())
        row = widgets.HBox([self._slide, *buttons, near])
        row.add_class("vaenb-slide")
        return row

    def _make_channels(self) -> widgets.HBox | None:
        """Which channels are shown: as tags, and six by six."""
        names = self.view.series.channels
        if len(names) == 1:
            return None
        self._tags = widgets.TagsInput(
            value=[names[channel] for channel in self.view.shown],
            allowed_tags=list(names),
            allow_duplicates=False,
            placeholder="add a channel",
            layout={"flex": "1 1 auto"},
        )
        self._tags.observe(self._on_tags, "value")
        label = widgets.HTML(f"Channels, at most {MOST_SHOWN} of {len(names)}")
        label.add_class("vaenb-muted")
        row = widgets.HBox([label, self._tags])
        for icon, words, sign in (
            ("chevron-left", "The channels before", -1),
            ("chevron-right", "The next channels", 1),
        ):
            button = widgets.Button(icon=icon, tooltip=words, layout={"width": "36px"})
            button.on_click(lambda _, sign=sign: self._turn(sign))
            row.children += (button,)
        row.add_class("vaenb-channels")
        return row

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
        with self.lock:
            self.view.window_at = cell
            self._draw_window()

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
        """Show these channels, at most six.

        Raises
        ------
        InputError
            If there is no such channel.
        """
        known = self.view.series.channels
        wrong = [name for name in names if name not in known]
        if wrong:
            raise InputError(f"There is no channel {wrong[0]!r}; expected some of: {', '.join(known)}.")
        with self.lock:
            self._show_channels([known.index(name) for name in names])

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
    def _on_slide(self, change: Any) -> None:
        if not self._busy:
            self.view.window_at = change["new"]
            self._draw_window()

    @guarded
    def _step(self, sign: int) -> None:
        self.view.window_at += sign * self.view.size
        self._draw_window()

    @guarded
    def _zoom_to_window(self) -> None:
        half = _AROUND * self.view.size // 2
        middle = self.view.window_at + self.view.size // 2
        self._axis.set_view(View(middle - half, middle + half))

    @guarded
    def _on_tags(self, change: Any) -> None:
        if not self._busy:
            names = self.view.series.channels
            self._show_channels([names.index(name) for name in change["new"]])

    @guarded
    def _turn(self, sign: int) -> None:
        n = self.view.series.n_channels
        edge = self.view.shown[-1] + 1 if sign > 0 else self.view.shown[0] - MOST_SHOWN
        first = min(max(0, edge), max(0, n - MOST_SHOWN))
        self._show_channels(list(range(first, min(n, first + MOST_SHOWN))))

    # ------------------------------------------------------------------ what follows from them

    def _show_channels(self, channels: list[int]) -> None:
        self.view.show_channels(channels)
        self._busy = True
        try:
            self._tags.value = [self.view.series.channels[channel] for channel in self.view.shown]
        finally:
            self._busy = False
        self._chart.show_channels()
        self._window.draw()

    def _follow(self) -> None:
        """After a setting changed: what is cheap at once, the windows when there is time."""
        with self.hold_sync():
            self._controls.show()
            self._chart.show_parts()
        self._pace()

    @guarded
    def _settle(self) -> None:
        """Prepare anew, show what came of it, and tell the listeners."""
        self.view.refresh()
        self._draw_all()
        if self.view.error is not None:
            raise self.view.error
        if self._told != self.view.settings:
            self._told = self.view.settings
            for listener in list(self._listeners):
                listener(self.view.settings)

    def _draw_window(self) -> None:
        self._busy = True
        try:
            self._slide.max = self.view.series.n_cells - self.view.size
            self._slide.value = self.view.window_at
        finally:
            self._busy = False
        self._chart.show_window()
        self._window.draw()

    def _draw_all(self) -> None:
        self._controls.show()
        self._chart.show_parts()
        self._draw_window()
        self._period.draw()
        self._heading.value = f"<b>{escape(self.view.series.name)}</b> {escape(data_words.title(self.view))}"
        self._say_points()
        self._say_summary()
        self.refresh_code()
        if self.view.error is not None:
            self.say_error(self.view.error)

    def _say_points(self) -> None:
        drawn, seen = self._chart.points
        repairs = self.view.repairs
        keys = [(f"v-key-{part.name}", f"{part.name} {part.stop - part.start:,}") for part in self.view.parts]
        keys.append(("v-key-window", f"window {self.view.size:,}"))
        keys += [("v-key-missing", f"missing ({repairs.n_missing:,})")] if repairs.n_missing else []
        keys += (
            [("v-key-repeated", f"several rows ({len(repairs.repeated):,})")] if len(repairs.repeated) else []
        )
        keys += (
            [("v-key-backward", f"goes back ({len(repairs.backward):,})")] if len(repairs.backward) else []
        )
        told = "".join(f"<span><i class='{css}'></i>{text}</span>" for css, text in keys)
        self._legend.value = f"{told}<span class='vaenb-n'>{drawn:,} of {seen:,} points drawn</span>"

    def _say_summary(self) -> None:
        good = self.view.last_good
        notes = [] if good is None else [note for note in good.notes if not note.startswith("windows of")]
        repaired = self.view.repairs.words(self.view.series.repairs)
        listed = "".join(f"<li>{escape(text)}</li>" for text in repaired)
        noted = "".join(f"<li>{escape(text[0].upper() + text[1:])}.</li>" for text in notes)
        counted = escape(data_words.counts(self.view))
        self._summary.value = (
            f"<div><h4>Repaired</h4><ul>{listed}</ul></div>"
            f"<div><h4>Prepared</h4><ul><li>{counted}.</li>{noted}</ul></div>"
        )

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


def _head(text: str) -> widgets.HTML:
    head = widgets.HTML(f"<h4>{escape(text)}</h4>")
    head.add_class("vaenb-head")
    return head


def _is_bundled(series: Series) -> bool:
    """Whether `vaenb.load_dataset` gives this very series under its name."""
    import numpy as np

    from vaenb.datasets import list_datasets, load_dataset

    if series.name not in list_datasets()["name"].tolist():
        return False
    known = load_dataset(series.name)
    return known.train_end == series.train_end and np.array_equal(known.values, series.values, equal_nan=True)
