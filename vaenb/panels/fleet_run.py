"""A run over many series in a thread of its own, and the rows that come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vaenb.panels.worker import Worker
from vaenb.view_models.fleet import FleetTable
from vaenb.view_models.fleet_progress import READY, FleetProgress

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from vaenb.fleet.folder import Run
    from vaenb.fleet.sources import Member


class FleetRun:
    """A run that can be started, stopped and continued.

    Parameters
    ----------
    run : Run
    workers : int
    lock : threading.RLock
        Held whenever the table or the progress changes.
    changed : callable
        Called in the thread of the run whenever there is something new.
    ended : callable
        Called in that thread at the end, with what went wrong or None.

    Attributes
    ----------
    members : dict of str to Member
        The series as they are known; none where nobody knows where they are.
    table : FleetTable
    progress : FleetProgress
    worker : Worker
    """

    def __init__(
        self,
        run: Run,
        *,
        workers: int,
        lock: threading.RLock,
        changed: Callable[[], None],
        ended: Callable[[BaseException | None], None],
    ) -> None:
        self.run, self._workers, self._lock = run, workers, lock
        self._changed, self._ended = changed, ended
        self.members: dict[str, Member] = {}
        self.table = FleetTable()
        self.progress = FleetProgress(self.table)
        self.progress.why_not = run.why_not
        self.worker = Worker(self._on_end)

    def know(self, members: list[Member]) -> None:
        """These are all series; without any, all that have results are."""
        self.members = {member.name: member for member in members}
        self.table.set_names(self.members)
        for row in self.run.output.rows():
            if not members or row["series"] in self.members:
                self.table.add(row)

    @property
    def waits(self) -> bool:
        """Whether nobody has started it yet, and there is something to do."""
        is_new = self.progress.state == READY and not self.run.why_not
        return is_new and bool(self.progress.left or not len(self.table))

    def start(self) -> None:
        """Start, or go on; under the lock, and not while it runs."""
        self.progress.begin()
        self.worker.start(self._work)

    def stop(self) -> None:
        """Stop after the series that is being done."""
        self.worker.stop()
        with self._lock:
            self.progress.stop()

    def _work(self, stop: threading.Event) -> None:
        self.run.go_on(workers=self._workers, on_begin=self._on_begin, on_series=self._on_series, stop=stop)

    def _on_begin(self, n_series: int, n_done: int) -> None:  # noqa: ARG002 - the members tell more
        members = self.run.members()
        with self._lock:
            self.members = {member.name: member for member in members}
            self.table.set_names(self.members)
        self._changed()

    def _on_series(self, row: dict[str, Any]) -> None:
        with self._lock:
            self.table.add(row)
            self.progress.count()
        self._changed()

    def _on_end(self, _: None, error: BaseException | None) -> None:
        with self._lock:
            self.progress.end(error, interrupted=self.worker.was_interrupted)
        self._ended(error)
