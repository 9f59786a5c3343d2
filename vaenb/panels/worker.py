"""A long piece of work in a thread of its own, which a button, a call or the kernel's interrupt can stop."""

from __future__ import annotations

import asyncio
import atexit
import math
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from vaenb.panels.kernel import answer_widgets, hear_interrupts

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK = 0.03  # seconds between two looks at whether the work is over
_PIECE = 0.1  # seconds of waiting without a look around
_LAST_WORDS = 10.0  # seconds that the end of Python waits for a piece of work
_alive: weakref.WeakSet[Worker] = weakref.WeakSet()


class Worker:
    """Does one piece of work at a time in a daemon thread.

    Parameters
    ----------
    on_end : callable
        Called in that thread when the work is over: ``on_end(result, None)`` or ``on_end(None, error)``.

    Attributes
    ----------
    was_interrupted : bool
        Whether the kernel's interrupt, or Ctrl-C, ended the work.
    """

    def __init__(self, on_end: Callable[[Any, BaseException | None], None]) -> None:
        self._on_end = on_end
        self._stop, self._done = threading.Event(), threading.Event()
        self._done.set()
        self._thread: threading.Thread | None = None
        self.was_interrupted = False

    @property
    def is_running(self) -> bool:
        """Whether the work is not over."""
        return not self._done.is_set()

    def start(self, work: Callable[[threading.Event], Any]) -> None:
        """Begin; `work` gets the event that tells it to stop. Call it only when the work before is over."""
        self._stop, self._done, self.was_interrupted = threading.Event(), threading.Event(), False
        self._thread = threading.Thread(target=self._run, args=(work,), name="vaenb-training", daemon=True)
        _alive.add(self)
        hear_interrupts(interrupt_all)
        self._thread.start()

    def _run(self, work: Callable[[threading.Event], Any]) -> None:
        result, error = None, None
        try:
            result = work(self._stop)
        except BaseException as caught:  # noqa: BLE001 - the thread tells its owner, and nobody else
            error = caught
        try:
            self._on_end(result, error)
        finally:
            self._done.set()

    def stop(self) -> None:
        """Tell the work to end; it does so when it next looks."""
        self._stop.set()

    def interrupt(self) -> bool:
        """The same, and remember that it was the kernel's interrupt; whether the work did not know yet."""
        is_news = self.is_running and not self._stop.is_set()
        self.was_interrupted = self.was_interrupted or self.is_running
        self._stop.set()
        return is_news

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; an interrupt stops the work, and a second one the waiting.

        The wait is for an event and never for the thread: an interrupted `Thread.join` marks a live thread
        as dead.

        Returns
        -------
        bool
            False if `timeout` seconds were not enough.
        """
        if threading.current_thread() is self._thread:
            return self._done.is_set()
        try:
            return self._wait(timeout)
        except KeyboardInterrupt:
            self.interrupt()
            return self._wait(timeout)

    def _wait(self, timeout: float | None) -> bool:
        """In short pieces: a signal that another thread of the process takes does not wake this one."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not self._done.wait(min(_PIECE, max(0.0, end - time.monotonic()))):
            if time.monotonic() >= end:
                return self._done.is_set()
        return True

    async def finished(self) -> None:
        """The same for ``await``: meanwhile the kernel answers to buttons."""
        try:
            await self._over()
        except asyncio.CancelledError:  # what an interrupt is to a cell that awaits
            self.interrupt()
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            await self._over()

    async def _over(self) -> None:
        while not self._done.is_set():
            await answer_widgets()
            await asyncio.sleep(_LOOK)


def interrupt_all() -> bool:
    """Stop whatever runs, because of the kernel's interrupt; whether anything ran that did not know yet."""
    running = [worker for worker in list(_alive) if worker.is_running]
    told = [worker.interrupt() for worker in running]
    return any(told)


@atexit.register
def _end_all() -> None:
    """Python must not end in the middle of a step."""
    running = [worker for worker in list(_alive) if worker.is_running]
    for worker in running:
        worker.stop()
    for worker in running:
        worker.wait(_LAST_WORDS)
