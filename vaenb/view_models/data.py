"""Step 1: the settings of `prepare`, the parts and the window they give, and why. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from vaenb.errors import InputError
from vaenb.periods import Autocorrelation, autocorrelation, choose_window_size
from vaenb.preparing import Prepared, prepare
from vaenb.view_models.data_settings import DEFAULTS, as_lines, check
from vaenb.view_models.repairs import Repairs
from vaenb.view_models.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaenb.records import Bools, Floats32, Series

MOST_SHOWN: Final = 6  # channels at a time
LEAST_SHARE, MOST_SHARE = 0.01, 0.9  # of the training part, held out for calibration
_NO_SIZE: Final = 64  # while nothing could be prepared yet


class Part(NamedTuple):
    """A part of the series: the cells `start` to `stop` - 1."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowSight:
    """One window as the network sees it.

    Attributes
    ----------
    start, stop : int
        Its cells, to `stop` - 1.
    values : ndarray of float32, shape (size, n_shown)
        Scaled, of the channels that are shown; missing points are filled.
    missing : ndarray of bool, shape (size, n_shown)
    parts : tuple of str
        The parts that it reaches into, in order.
    """

    start: int
    stop: int
    values: Floats32
    missing: Bools
    parts: tuple[str, ...]


class DataView:
    """What the panel of step 1 knows: a series, the settings of `prepare`, and what they give.

    Parameters
    ----------
    series : Series
    window_size, calibration, scaler
        As `vaenb.prepare` takes them.
    train_end
        As `vaenb.read_series` takes it; None for the series' own.

    Attributes
    ----------
    series : Series
        As it was given.
    grid : ndarray, shape (n_cells, n_channels)
    timeline : Timeline
    repairs : Repairs
    shown : tuple of int
        The channels on screen, at most six.
    error : InputError or None
        Why the present settings cannot be prepared, after `refresh`.
    acf : Autocorrelation or None
        Of the train part, in which the period is looked for; brought up to date by `refresh`.
    auto : (int, str) or None
        The window size that "auto" takes, and why, after `refresh`; None where there is none.

    Raises
    ------
    InputError
        If a setting is of the wrong kind.
    """

    def __init__(
        self,
        series: Series,
        *,
        window_size: Any = "auto",
        calibration: float = 0.2,
        scaler: str = "robust",
        train_end: Any = None,
    ) -> None:
        self.series, self.grid = series, series.grid
        self.timeline, self.repairs = Timeline.of(series), Repairs.of(series, self.grid)
        self.shown = self._first_channels()
        self.error: InputError | None = None
        self._cells = np.sort(series.cells, kind="stable")  # they mostly are in order: that is fast
        self._good: Prepared | None = None  # the last that could be prepared
        self._is_fresh = False
        self._looked_at = (-1, -1)
        self.acf: Autocorrelation | None = None
        self.auto: tuple[int, str] | None = None
        self._settings: dict[str, Any] = dict(DEFAULTS)
        self._window_at = 0
        self.choose(window_size=window_size, calibration=calibration, scaler=scaler, train_end=train_end)
        self.refresh()
        self.window_at = (self.parts[0].stop - self.size) // 2

    def _first_channels(self) -> tuple[int, ...]:
        """The first channels that ever change."""
        changes = np.fmax.reduce(self.grid, axis=0) > np.fmin.reduce(self.grid, axis=0)
        order = [*np.flatnonzero(changes).tolist(), *np.flatnonzero(~changes).tolist()]
        return tuple(sorted(order[:MOST_SHOWN]))

    # ------------------------------------------------------------------ settings

    @property
    def settings(self) -> dict[str, Any]:
        """The settings now; `train_end` in rows, or None for the series' own."""
        return dict(self._settings)

    def choose(self, **changes: Any) -> bool:
        """Change some settings; say whether any is another than before.

        Raises
        ------
        InputError
            If there is no such setting, or its value is of the wrong kind; nothing changes then.
        """
        checked = check(changes, self.series)
        if {**self._settings, **checked} == self._settings:
            return False
        self._settings |= checked
        self._is_fresh = False
        self.window_at = self._window_at
        return True

    # ------------------------------------------------------------------ the parts

    @property
    def train_end(self) -> int:
        """Rows of the training part, calibration included."""
        chosen = self._settings["train_end"]
        return self.series.train_end if chosen is None else int(chosen)

    @property
    def parts(self) -> tuple[Part, Part, Part]:
        """Train, calibration and test, as `prepare` would split them; cheap."""
        end = self.train_end
        n_held = max(round(self._settings["calibration"] * end), 1)
        train_stop = int(self._cells[end - n_held])
        after = int(self._cells[end - 1]) + 1
        stop = after if end == len(self._cells) else min(after, int(self._cells[end]))
        n_cells = self.series.n_cells
        return (
            Part("train", 0, train_stop),
            Part("calibration", train_stop, stop),
            Part("test", stop, n_cells),
        )

    def move_train_end(self, cell: int) -> bool:
        """End the training part, calibration included, before a cell."""
        rows = int(np.searchsorted(self._cells, cell))
        return self.choose(train_end=int(np.clip(rows, 1, len(self._cells) - 1)))

    def move_calibration(self, cell: int) -> bool:
        """Begin the calibration part at a cell; its share is kept at three decimals."""
        share = 1 - int(np.searchsorted(self._cells, cell)) / self.train_end
        return self.choose(calibration=float(np.clip(round(share, 3), LEAST_SHARE, MOST_SHARE)))

    # ------------------------------------------------------------------ prepared

    @property
    def chosen_series(self) -> Series:
        """The series with the training part that was chosen."""
        end = self._settings["train_end"]
        return self.series if end is None else replace(self.series, train_end=end)

    def refresh(self) -> Prepared | None:
        """Prepare with the present settings, if that was not done yet; on failure keep the last that worked.

        Returns
        -------
        Prepared or None
            The last that could be prepared; None where none could. `error` says what is wrong.
        """
        if not self._is_fresh:
            self._is_fresh = True
            choices = {name: self._settings[name] for name in ("window_size", "calibration", "scaler")}
            try:
                self._good, self.error = prepare(self.chosen_series, **choices), None
            except InputError as error:
                self.error = error
            self._look_for_period()
            self.window_at = self._window_at
        return self._good

    def _look_for_period(self) -> None:
        train, held, _ = self.parts
        if (train.stop, held.stop) == self._looked_at:
            return
        self._looked_at = train.stop, held.stop
        values = self.grid[: train.stop]
        self.acf = autocorrelation(values)
        try:
            size, why = choose_window_size(values, held.stop - train.stop)
        except InputError:  # `error` says it, unless a window size was given
            self.auto = None
        else:
            self.auto = size, why.partition(": ")[2]

    @property
    def prepared(self) -> Prepared:
        """What `vaenb.prepare` gives with the present settings.

        Raises
        ------
        InputError
            If they cannot be prepared.
        """
        found = self.refresh()
        if self.error is not None or found is None:
            raise self.error or InputError("The series has not been prepared: choose other settings.")
        return found

    @property
    def last_good(self) -> Prepared | None:
        """The last that could be prepared."""
        return self._good

    # ------------------------------------------------------------------ the window

    @property
    def size(self) -> int:
        """Points in a window: as chosen, or as "auto" chose last."""
        chosen = self._settings["window_size"]
        if chosen != "auto":
            return min(int(chosen), self.series.n_cells)
        return self._good.window_size if self._good else min(_NO_SIZE, self.series.n_cells)

    @property
    def window_at(self) -> int:
        """The cell where the highlighted window starts."""
        return self._window_at

    @window_at.setter
    def window_at(self, cell: int) -> None:
        self._window_at = int(np.clip(cell, 0, self.series.n_cells - self.size))

    def sight(self) -> WindowSight | None:
        """The highlighted window as the network sees it; None where nothing could be prepared yet."""
        if self._good is None:
            return None
        start, stop = self._window_at, self._window_at + self.size
        windows = self._good.everything
        shown = list(self.shown)
        values = windows.values[start:stop, shown]
        holes = windows.missing
        missing = np.zeros(values.shape, bool) if holes is None else holes[start:stop, shown]
        parts = tuple(part.name for part in self.parts if start < part.stop and stop > part.start)
        return WindowSight(start=start, stop=stop, values=values, missing=missing, parts=parts)

    def show_channels(self, channels: Sequence[int]) -> None:
        """Show other channels, the first six of them; none at all leaves those that are shown.

        Raises
        ------
        InputError
            If there is no such channel.
        """
        wrong = [channel for channel in channels if not 0 <= channel < self.series.n_channels]
        if wrong:
            raise InputError(f"There is no channel {wrong[0]}; expected 0 to {self.series.n_channels - 1}.")
        self.shown = tuple(dict.fromkeys(channels))[:MOST_SHOWN] or self.shown

    def code(self, *, bundled: bool) -> str:
        """The lines that prepare the same; `bundled` where the series is one of `vaenb.load_dataset`."""
        return as_lines(self._settings, self.series.name, bundled=bundled)
