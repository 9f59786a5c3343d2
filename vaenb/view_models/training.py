"""What the training panel knows: the epochs so far, and which one is looked at."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.checks import check_choice, check_whole
from vaenb.drawing.axes import limits
from vaenb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from vaenb.evidence import EpochFrame, Evidence
    from vaenb.records import EpochRecord, Floats, History

MOST_FRAMES = 1_000  # beyond, every second one is forgotten
RECENT = 10  # epochs whose pace tells the time left


class TrainingView:
    """A training as it is watched, and looked through afterwards.

    Parameters
    ----------
    epochs : int
        How many one press of Start asks for.
    window : array_like, shape (window_size, n_channels) or (window_size,), optional
        The pinned window's values in the series' units; NaN where missing.
    index : array_like, shape (window_size,), optional
        The moments of its points: datetime64, or numbers; by default 0, 1, 2, ...
    channels : sequence of str
        By default "channel 1", "channel 2", ...
    clock : callable
        Seconds, for the time left.

    Attributes
    ----------
    records : list of EpochRecord
    frames : list of EpochFrame
        Of the epochs that can be looked at again; `MOST_FRAMES` at most.
    state : str
        "ready", "running", "stopping", "finished" or "failed".
    planned : int
        The epoch at which the training will end.
    history : History or None
        Of all epochs, once a training has ended.
    error : BaseException or None
        What ended the last training, if it failed.
    chosen : int or None
        The epoch that a person chose to look at; None: the newest one, and after the end the best one.
    channel : int
        Which channel of the pinned window is drawn.
    runs : list of int
        How many epochs each run has brought.
    log_errors : pair of float
        The range of all errors so far, in decimal logarithms.

    Raises
    ------
    InputError
        If the window, its index and the channels do not fit together.
    """

    def __init__(
        self,
        epochs: int,
        *,
        window: ArrayLike | None = None,
        index: ArrayLike | None = None,
        channels: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.epochs = check_whole("epochs", epochs)
        self.window, self.index, self.channels = _checked_window(window, index, channels)
        self.records: list[EpochRecord] = []
        self.frames: list[EpochFrame] = []
        self.state, self.planned, self.channel = "ready", self.epochs, 0
        self.history: History | None = None
        self.error: BaseException | None = None
        self.chosen: int | None = None
        self.runs: list[int] = []
        self.log_errors = (0.0, 1.0)
        self._clock, self._came = clock, [clock()]

    @classmethod
    def of(cls, evidence: Evidence) -> TrainingView:
        """A training that is over, as a study has kept it."""
        from vaenb.view_models.timeline import Timeline

        cells = evidence.pinned + np.arange(evidence.window_size)
        view = cls(
            max(1, len(evidence.history)),
            window=evidence.series.grid[cells],
            index=Timeline.of(evidence.series).moments(cells),
            channels=evidence.series.channels,
        )
        view.records = list(evidence.history.epochs)
        for frame in evidence.frames:
            view.add_frame(frame)
        view.end(evidence.history)
        return view

    # ------------------------------------------------------------------ what happens

    def begin(self, epochs: int | None = None) -> int:
        """A training begins, or goes on; gives how many epochs it is asked for."""
        if epochs is not None:
            self.epochs = check_whole("epochs", epochs)
        self.planned, self.state, self.error = self.last_epoch + self.epochs, "running", None
        self.chosen, self._came = None, [self._clock()]
        self.runs.append(0)
        return self.epochs

    def add_record(self, record: EpochRecord) -> None:
        """An epoch is over."""
        self.records.append(record)
        self._came = [*self._came[-RECENT:], self._clock()]
        if self.runs:
            self.runs[-1] += 1

    def add_frame(self, frame: EpochFrame) -> None:
        """What the model sees now; a frame of the same epoch is replaced."""
        low, high = limits(log_errors(frame.errors), pad=0.02)
        if self.frames:
            low, high = min(low, self.log_errors[0]), max(high, self.log_errors[1])
        self.log_errors = low, high
        if self.frames and self.frames[-1].epoch == frame.epoch:
            self.frames.pop()
        self.frames.append(frame)
        if len(self.frames) > MOST_FRAMES:
            self.frames = [*self.frames[:-1:2], frame]

    def stop(self) -> None:
        """The training is told to end."""
        if self.state == "running":
            self.state = "stopping"

    def end(self, history: History, *, interrupted: bool = False) -> None:
        """The training is over."""
        stopped = "interrupted" if interrupted and history.stopped == "stop event" else history.stopped
        self.history = replace(history, epochs=tuple(self.records), stopped=stopped)
        self.state, self.planned = "finished", max(1, self.last_epoch)

    def fail(self, error: BaseException) -> None:
        """The training has raised an error."""
        self.state, self.error, self.planned = "failed", error, max(1, self.last_epoch)

    # ------------------------------------------------------------------ which epoch is looked at

    @property
    def is_running(self) -> bool:
        """Whether epochs are still to come."""
        return self.state in {"running", "stopping"}

    @property
    def last_epoch(self) -> int:
        """The newest epoch; 0 where none is over."""
        return self.records[-1].epoch if self.records else 0

    @property
    def first_epoch(self) -> int:
        """The first epoch that can be looked at: 0, before the training, where its frame was taken."""
        return 0 if not self.records or (self.frames and self.frames[0].epoch == 0) else 1

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights are, or would be, kept; 0 where there is none."""
        if self.history is not None and not self.is_running:
            return self.history.best_epoch
        return self.peak_epoch or self.last_epoch

    @property
    def keeps_the_best(self) -> bool:
        """Whether no epoch has a higher calibration ELBO than the one that is kept, as far as is known."""
        return self.best_epoch == (self.peak_epoch or self.best_epoch)

    @property
    def peak_epoch(self) -> int:
        """The epoch with the highest calibration ELBO; 0 where none was measured."""
        held = [record.calibration_elbo for record in self.records]
        known = np.array([-np.inf if elbo is None or not np.isfinite(elbo) else elbo for elbo in held])
        return self.records[int(known.argmax())].epoch if (known > -np.inf).any() else 0

    @property
    def epoch(self) -> int:
        """The epoch that is looked at."""
        if self.chosen is not None:
            return self.chosen
        return self.last_epoch if self.is_running or self.history is None else self.best_epoch

    def show(self, epoch: int | None) -> None:
        """Look at an epoch; None: the newest one, and after the end the best one.

        Raises
        ------
        InputError
            If there is no such epoch.
        """
        if epoch is not None and not self.first_epoch <= epoch <= self.last_epoch:
            raise InputError(
                f"epoch is {epoch!r}; expected one from {self.first_epoch} to {self.last_epoch}, "
                "which this training has been through."
            )
        self.chosen = epoch if epoch is None else int(epoch)

    def show_channel(self, name: str) -> None:
        """Draw another channel of the pinned window."""
        self.channel = self.channels.index(check_choice("channel", name, self.channels))

    @property
    def frame(self) -> EpochFrame | None:
        """What the model saw at the epoch that is looked at, or at the nearest one that was kept."""
        return min(self.frames, key=lambda frame: abs(frame.epoch - self.epoch), default=None)

    @property
    def record(self) -> EpochRecord | None:
        """The measures of the epoch that is looked at; None for epoch 0."""
        place = self.epoch - (self.records[0].epoch if self.records else 0)
        return self.records[place] if 0 <= place < len(self.records) else None

    # ------------------------------------------------------------------ progress

    @property
    def is_timed(self) -> bool:
        """Whether an epoch of this run is over."""
        return len(self._came) > 1

    @property
    def share(self) -> float:
        """Of the run's epochs, how many are over: 0 to 1."""
        if not self.is_running:
            return 1.0 if self.records else 0.0
        return 1.0 - (self.planned - self.last_epoch) / self.epochs

    @property
    def seconds_left(self) -> float | None:
        """By the pace of the last epochs; None before the second, because the first one was compiled."""
        if len(self._came) < 3:
            return None
        steady = self._came[1:]
        each = (steady[-1] - steady[0]) / (len(steady) - 1)
        return max(0.0, (self.planned - self.last_epoch) * each - (self._clock() - steady[-1]))


def log_errors(values: ArrayLike) -> Floats:
    """Decimal logarithms; an error of 0 counts as the smallest other one, one that is no number is NaN."""
    plain = np.asarray(values, dtype=np.float64)
    plain = np.where(np.isfinite(plain) & (plain >= 0), plain, np.nan)
    above = plain[plain > 0]
    return np.log10(np.maximum(plain, above.min() if len(above) else 1e-12))


def _checked_window(
    window: ArrayLike | None, index: ArrayLike | None, channels: Sequence[str]
) -> tuple[Floats | None, NDArray[Any] | None, tuple[str, ...]]:
    """The window as (window_size, n_channels), the moments of its points, and the names of its channels."""
    if window is None:
        return None, None if index is None else np.asarray(index), tuple(channels)
    values = np.asarray(window, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    names = tuple(channels) or tuple(f"channel {place + 1}" for place in range(values.shape[-1]))
    moments = np.arange(len(values)) if index is None else np.asarray(index)
    if values.ndim != 2 or values.shape[1] != len(names) or moments.shape != values.shape[:1]:
        raise InputError(
            f"window has shape {values.shape}, index {moments.shape}, and there are {len(names)} channels; "
            "expected (window_size, n_channels), (window_size,) and n_channels of them."
        )
    return values, moments, names
