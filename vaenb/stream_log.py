"""What a stream has written down; it grows at its end and is forgotten at its beginning. NumPy ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from vaenb.records import Floats, Ints
    from vaenb.stream_points import Points
    from vaenb.stream_tail import Tail

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


class Rows:
    """The rows of a stream: their times, cells and thresholds; and the scores of the cells that are settled.

    Parameters
    ----------
    keep : int
        How many of the newest rows are kept at least.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self.times, self.cells = Log(np.int64), Log(np.int64)
        self.thresholds, self.settled = Log(np.float64), Log(np.float64)

    def write(self, points: Points, cells: Ints | None, thresholds: Floats, *, before: int) -> None:
        """Write new rows behind the `before` rows that there are; nobody reads them before they are told.

        `cells` can hold those of rows before as well, which had waited for a clock.
        """
        if points.times is not None:
            self.times.write(before, points.times)
        self.thresholds.write(before, thresholds)
        written = np.zeros(len(points), dtype=np.int64) if cells is None else cells
        self.cells.write(before + len(points) - len(written), written)

    def write_settled(self, before: Tail, tail: Tail) -> None:
        """Write the scores of the cells that later points have a say in no more."""
        newly = tail.scores[before.n_settled - tail.base : tail.n_settled - tail.base]
        self.settled.write(before.n_settled, newly)

    def forget(self, n_rows: int, tail: Tail) -> None:
        """Let go of what is older than `keep`, once it is twice as much; never of what is not settled."""
        first = self.cells.first
        if n_rows - first <= 2 * self._keep:
            return
        unsettled = self.cells.read(first, n_rows) >= tail.n_settled
        begin = min(n_rows - self._keep, first + int(np.argmax(unsettled)))
        self.settled.forget(int(self.cells.read(begin, begin + 1)[0]))
        for log in (self.cells, self.thresholds, self.times):
            log.forget(begin)

    def scores(self, cells: Ints, tail: Tail) -> Floats:
        """The scores of some cells, in their order, as they stand now."""
        if not len(cells):
            return np.empty(0)
        begin = max(int(cells[0]), self.settled.first)
        settled = self.settled.read(begin, tail.n_settled) if begin < tail.n_settled else np.empty(0)
        rest = tail.scores[max(begin, tail.n_settled) - tail.base :]
        known: Floats = np.concatenate([settled, rest])
        return known[cells - begin]

    def copy(self) -> Rows:
        """Another one with the same numbers."""
        twin = Rows(self._keep)
        for name in ("times", "cells", "thresholds", "settled"):
            setattr(twin, name, getattr(self, name).copy())
        return twin
