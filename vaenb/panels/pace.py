"""At most so many updates a second, and the last one always."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """Calls a function at most `per_second` times a second; what comes in between is dropped, the last not.

    Two calls never overlap: the one that began first, with what was newest then, could end last.

    Parameters
    ----------
    call : callable
        Without arguments: it reads what is newest.
    per_second : float
    patience : float
        Seconds from the first time it is asked to the call: for what comes in pairs.
    """

    def __init__(self, call: Callable[[], None], *, per_second: float = 10.0, patience: float = 0.0) -> None:
        self._call, self._gap, self._patience = call, 1.0 / per_second, patience
        self._lock = threading.Lock()
        self._last = -1e9
        self._timer: threading.Timer | None = None
        self._ended = False
        self._calls, self._again = False, False  # a call is under way; it was asked for another meanwhile

    def __call__(self) -> None:
        """Call now, or when it is time."""
        with self._lock:
            if self._ended or self._timer is not None:
                return
            wait = max(self._last + self._gap - time.monotonic(), self._patience)
            if wait > 0:
                self._timer = threading.Timer(wait, self._fire)
                self._timer.daemon = True
                self._timer.start()
                return
        self._now()

    def flush(self) -> None:
        """Make the call that is waiting, if one is, now."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self._now()

    def cancel(self) -> None:
        """Make no call for what came until now."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def end(self) -> None:
        """No call after this one."""
        with self._lock:
            self._ended = True
        self.cancel()

    def _fire(self) -> None:
        with self._lock:
            if self._ended or self._timer is None:
                return
            self._timer = None
        self._now()

    def _now(self) -> None:
        with self._lock:
            self._last = time.monotonic()
            self._again = self._calls
            if self._calls:
                return
            self._calls = True
        try:
            self._call()
        finally:
            with self._lock:
                self._calls, again = False, self._again
        if again:
            self()


class Lull:
    """Calls a function once it has not been asked to for a while: for what takes long, during a drag.

    Parameters
    ----------
    call : callable
        Without arguments: it reads what is newest.
    seconds : float
        How long nobody must have asked.
    """

    def __init__(self, call: Callable[[], None], *, seconds: float = 0.3) -> None:
        self._call, self._seconds = call, seconds
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._ended = False

    def __call__(self) -> None:
        """Call when it has been quiet for long enough."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._ended:
                return
            self._timer = threading.Timer(self._seconds, self.flush)
            self._timer.daemon = True
            self._timer.start()

    def flush(self) -> None:
        """Make the call that is waiting, if one is, now."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self._call()

    def end(self) -> None:
        """No call after this one."""
        with self._lock:
            self._ended = True
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
