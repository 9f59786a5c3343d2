"""How far a run over many series is, how fast it goes, and what can be done next. NumPy ring."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final

from vaenb.formats import counted, duration, number
from vaenb.view_models.fleet import DONE, FAILED, WAITING

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.view_models.fleet import FleetTable

_RECENT: Final = 30  # series over which the rate is taken: the first ones wait for the compiler
READY, RUNNING, STOPPING, STOPPED = "ready", "running", "stopping", "stopped"


class FleetProgress:
    """Where a run stands.

    Parameters
    ----------
    table : FleetTable
    clock : callable
        Seconds.

    Attributes
    ----------
    state : str
        "ready", "running", "stopping" or "stopped".
    error : BaseException or None
        What ended the last run, if it failed.
    why_not : str
        Why it cannot go on; empty where it can.
    """

    def __init__(self, table: FleetTable, clock: Callable[[], float] = time.monotonic) -> None:
        self._table, self._clock = table, clock
        self.state, self.why_not = READY, ""
        self.error: BaseException | None = None
        self.was_interrupted = False
        self._times: deque[float] = deque(maxlen=_RECENT + 1)

    # ------------------------------------------------------------------ what happens

    def begin(self) -> None:
        """A run begins."""
        self.state, self.error, self.was_interrupted = RUNNING, None, False
        self._table.begin()
        self._times.clear()

    def count(self) -> None:
        """One more is done, or has failed."""
        self._times.append(self._clock())

    def stop(self) -> None:
        """It is to stop after the series that are being done."""
        self.state = STOPPING if self.is_running else self.state

    def end(self, error: BaseException | None = None, *, interrupted: bool = False) -> None:
        """It is over."""
        self.error, self.was_interrupted = error, interrupted
        self.state = STOPPED if self.left or error is not None else READY

    # ------------------------------------------------------------------ what to say

    @property
    def is_running(self) -> bool:
        """Whether series are being done."""
        return self.state in {RUNNING, STOPPING}

    @property
    def left(self) -> int:
        """How many series wait."""
        return self._table.count(WAITING)

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return 1 - self.left / len(self._table) if len(self._table) else 0.0

    @property
    def rate(self) -> float | None:
        """Series a second since the first of the last ones; None before the second one is done."""
        took = self._times[-1] - self._times[0] if len(self._times) > 1 else 0.0
        return (len(self._times) - 1) / took if took > 0 else None

    @property
    def can_start(self) -> bool:
        """Whether there is anything to do."""
        return not self.is_running and not self.why_not and not (len(self._table) and self._is_done)

    @property
    def _is_done(self) -> bool:
        return self._table.count(DONE) == len(self._table)

    @property
    def start_words(self) -> str:
        """What the button says."""
        if self._table.count(FAILED) and not self.left:
            return "Try failed again"
        return "Go on" if self._table.count(DONE) or self._table.count(FAILED) else "Start"

    @property
    def words(self) -> str:
        """How far it is: n of N, failures, rate and the time left."""
        n_done, n_failed = self._table.count(DONE), self._table.count(FAILED)
        told = f"{n_done + n_failed:,} of {counted(len(self._table), 'series', 'series')}"
        told += f", {n_failed:,} failed" if n_failed else ""
        if self.is_running:
            return f"{told}. {self._pace()}"
        if self.error is not None:
            return f"{told}. The run broke off; what is done is kept."
        if self.state == STOPPED:
            return f"{told}. {'Interrupted' if self.was_interrupted else 'Stopped'}; what is done is kept."
        told = f"{told}." if len(self._table) else "No series are known yet: Start looks for them."
        return f"{told} {self.why_not}".strip()

    def _pace(self) -> str:
        if self.state == STOPPING:
            return "Stopping after the series that is being done."
        if self.rate is None and self._times:
            return "The second one tells how fast it goes."
        if self.rate is None:
            return "The first series waits for TensorFlow and the compiler, which takes a few seconds."
        told = (
            f"{number(self.rate, 2)} series a second"
            if self.rate >= 1
            else f"{duration(1 / self.rate)} a series"
        )
        return f"{told}, about {_rounded(self.left / self.rate)} left."


def _rounded(seconds: float) -> str:
    """A time that nobody knows to the second."""
    return duration(60 * round(seconds / 60) if seconds > 120 else max(1, round(seconds)))
