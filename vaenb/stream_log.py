"""A list of numbers that grows at its end and is forgotten at its beginning. NumPy ring."""

from __future__ import annotations

from typing import Any

import numpy as np

_ROOM = 1024


class Log:
    """Numbers by their place in a stream.

    Examples
    --------
    >>> log = Log(float)
    >>> log.write(0, np.arange(5.0))
    >>> log.forget(3)
    >>> log.first, log.read(3, 5).tolist()
    (3, [3.0, 4.0])
    """

    def __init__(self, dtype: Any) -> None:
        self._held: tuple[int, Any] = 0, np.empty(_ROOM, dtype=dtype)

    @property
    def first(self) -> int:
        """The first place that is not forgotten."""
        return self._held[0]

    def write(self, at: int, values: Any) -> None:
        """Write from place `at` on; what lies behind does not count any more."""
        first, data = self._held
        stop = at - first + len(values)
        if stop > len(data):
            grown = np.empty(max(2 * len(data), stop), dtype=data.dtype)
            grown[: at - first] = data[: at - first]
            self._held, data = (first, grown), grown
        data[at - first : stop] = values

    def read(self, first: int, stop: int) -> Any:
        """A copy of the places `first` to `stop` - 1."""
        begin, data = self._held
        return data[first - begin : stop - begin].copy()

    def forget(self, before: int) -> None:
        """Keep nothing before a place."""
        first, data = self._held
        if before > first:
            self._held = before, data[before - first :].copy()

    def copy(self) -> Log:
        """Another one with the same numbers."""
        twin = Log(self._held[1].dtype)
        twin._held = self._held[0], self._held[1].copy()
        return twin
