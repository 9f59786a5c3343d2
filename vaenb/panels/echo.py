"""Whether the browser keeps up with what it is sent: a slow one is not buried under pictures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import ipywidgets as widgets

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = 4  # pictures from one question to the next
PATIENCE = 3.0  # seconds after which nobody seems to look, or nobody can answer


class Echo:
    """Sends a number after some pictures; the browser sends it back when it has come to it.

    Parameters
    ----------
    clock : callable
        Seconds.

    Attributes
    ----------
    asked, answered : ipywidgets.IntText
        Linked in the browser, never shown.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.asked, self.answered = widgets.IntText(0), widgets.IntText(0)
        self._link = widgets.jslink((self.asked, "value"), (self.answered, "value"))
        self._clock, self._since, self._sent = clock, -PATIENCE, 0

    @property
    def is_behind(self) -> bool:
        """Whether the browser has not answered yet, and may still do so."""
        is_open = self.asked.value != self.answered.value
        return is_open and self._clock() - self._since < PATIENCE

    def sent(self) -> None:
        """Another picture is on its way."""
        self._sent += 1
        if self._sent % EVERY == 0:
            self._since = self._clock()
            self.asked.value += 1

    def close(self) -> None:
        """Close its widgets."""
        self._link.close()
        for text in (self.asked, self.answered):
            for widget in (text.layout, text.style, text):
                widget.close()
