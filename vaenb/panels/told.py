"""What a slider was told: the browser says it back, on its own steps and late, and that is no gesture."""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LATE = 1.0  # seconds within which an earlier value still comes back
_KEPT = 64


class Told:
    """Sets a slider from Python, and knows what comes back from the browser for it.

    A browser rounds a value to the slider's steps and sends it back; when its ends move, what lies outside
    them as well. Heard as a gesture that would undo what was set.

    Parameters
    ----------
    slider : ipywidgets.IntSlider, IntRangeSlider, FloatSlider or FloatRangeSlider
    clock : callable
        Seconds.

    Attributes
    ----------
    is_telling : bool
        Whether the slider is being set from here right now.
    """

    def __init__(self, slider: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self.slider, self._clock, self.is_telling = slider, clock, False
        self._said: deque[tuple[float, Any]] = deque(maxlen=_KEPT)
        self._stands: Any = slider.value

    def tell(self, value: Any, **ends: float) -> None:
        """Set the slider, on its nearest step; `ends`: also its `min`, `max` and `step`."""
        moved = {name: end for name, end in ends.items() if getattr(self.slider, name) != end}
        with self._telling(), self.slider.hold_sync():  # one message: none with the ends of before
            self._set_ends(moved)
            on_steps = self._on_steps(value)
            if moved or self.slider.value != on_steps:  # not where a gesture has put it
                self._said.append((self._clock(), on_steps))
            self.slider.value = self._stands = on_steps

    def is_echo(self, value: Any) -> bool:
        """Whether a value is one that the slider was told; after an old one it is told the newest again.

        A person cannot move a slider by less than a step, so nothing that somebody did is lost; within a
        second, moving it back to where it was told to be before is.
        """
        if self.is_telling or self._is_near(value, self._stands):
            return True
        now = self._clock()
        if any(now - when < _LATE and self._is_near(value, said) for when, said in self._said):
            with self._telling():
                self.slider.value = self._stands
            return True
        return False

    def on_gesture(self, call: Callable[[Any], None]) -> None:
        """Call with every value that somebody moves the slider to."""
        self.slider.observe(
            lambda change: None if self.is_echo(change["new"]) else call(change["new"]), "value"
        )

    @contextmanager
    def _telling(self) -> Iterator[None]:
        before, self.is_telling = self.is_telling, True
        try:
            yield
        finally:
            self.is_telling = before

    def _set_ends(self, ends: dict[str, float]) -> None:
        """In an order in which the lower end never passes the upper one."""
        low, high = ends.get("min", self.slider.min), ends.get("max", self.slider.max)
        if low > self.slider.max:
            self.slider.max = high
        self.slider.min, self.slider.max = low, high
        if "step" in ends:
            self.slider.step = ends["step"]

    def _on_steps(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._on_steps(each) for each in value)
        low, high, step = self.slider.min, self.slider.max, self.slider.step
        if isinstance(low, int):
            return int(value)
        inside = min(max(value, low), high)
        return high if inside == high else min(high, low + round((inside - low) / step) * step)

    def _is_near(self, value: Any, said: Any) -> bool:
        if isinstance(said, tuple):
            return all(self._is_near(one, other) for one, other in zip(value, said, strict=True))
        if isinstance(said, int):
            return bool(value == said)
        return math.isclose(value, said, rel_tol=0.0, abs_tol=0.51 * self.slider.step)
