"""The place of each row on a regular grid in time, and what had to be mended for it. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.counting import whole_numbers
from vaenb.errors import InputError
from vaenb.formats import plain_stamp, rounded_span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vaenb.records import Ints

LONGEST_GAP: Final = 1_000  # empty cells
_MOSTLY_EMPTY: Final = 2 / 3
_HANDFUL: Final = 10
_NEAR: Final = 10
_DAY: Final = 86_400e9  # nanoseconds


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """The cells of the rows.

    Attributes
    ----------
    cells : ndarray of int64, shape (n_rows,)
        The cell of each row.
    n_cells : int
    interval : float or None
        From one cell to the next, in seconds; None where the input has no clock.
    repairs : tuple of str
        What was found and mended, one sentence each.
    """

    cells: Ints
    n_cells: int
    interval: float | None
    repairs: tuple[str, ...] = ()


def lay_grid(index: NDArray[Any]) -> Grid:
    """Give each row of a series its cell on a regular grid.

    The interval of the grid is the usual step from one row to the next: the median step or, where clock
    ticks or jitter make the steps unequal, their mean, steps over a small gap counted as several. With the
    timestamps ``t`` in order, and equal ones taken together, the cells are
    ``c[i] = max(round((t[i] - t[0]) / interval), c[i - 1] + 1)``: different timestamps never share a cell,
    and rounding does not add up. Five things are mended, and told:

    - rows with the same timestamp share a cell;
    - where a clock is set back (by a day at most, and tells time again that it had told before), or an
      index starts over, the rows stay in their order and go on in the next cell;
    - rows that are out of order for another reason are put in order of time;
    - a gap of more than 1,000 cells is shortened to 1,000, so that a hole of ten years costs nothing;
    - where more than two thirds of the cells would be empty, through more than ten gaps, the rows are
      taken one after the other, as if evenly spaced.

    Parameters
    ----------
    index : ndarray of datetime64, int64 or float64, shape (n_rows,)
        Without missing values.

    Returns
    -------
    Grid

    Raises
    ------
    InputError
        If there is no row.

    Examples
    --------
    >>> import numpy as np
    >>> grid = lay_grid(np.array(["2024-01-01T00", "2024-01-01T01", "2024-01-01T04"], "datetime64[ns]"))
    >>> grid.cells, grid.interval, grid.repairs
    (array([0, 1, 4]), 3600.0, ('1 gap (2 missing points), the longest 3 h from 2024-01-01 01:00',))
    """
    if not len(index):
        raise InputError("The series has no rows; expected at least one.")
    clock = _Clock(index)
    if (step := _even_step(clock.time)) is not None:
        return Grid(
            cells=whole_numbers(len(index)),
            n_cells=len(index),
            interval=float(step) / 1e9 if clock.ticks else None,
        )
    order, time, repairs = _put_in_order(clock)
    firsts = np.flatnonzero(np.concatenate([[True], time[1:] > time[:-1]]))
    if len(firsts) == 1:
        same = () if len(index) == 1 else (f"all rows have the same {clock.word}: they stay in their order",)
        return Grid(cells=np.arange(len(index)), n_cells=len(index), interval=None, repairs=same)
    repairs += _tell_duplicates(len(index) - len(firsts), clock.word)
    stamps = time[firsts]
    interval = _usual_step(np.diff(stamps))
    places, found = _place(stamps, interval, index[order[firsts]], clock)
    if _is_uneven(places):
        found = (_tell_uneven(places, interval, clock),)
        places, interval = np.arange(len(stamps)), float(stamps[-1] - stamps[0]) / (len(stamps) - 1)
    cells = np.empty(len(index), dtype=np.int64)
    cells[order] = np.repeat(places, np.diff(firsts, append=len(index)))
    return Grid(
        cells=cells,
        n_cells=int(places[-1]) + 1,
        interval=interval / 1e9 if clock.ticks else None,
        repairs=(*repairs, *found),
    )


class _Clock:
    """An index as numbers (nanoseconds where it has a clock), and how to speak of it."""

    def __init__(self, index: NDArray[Any]) -> None:
        self.ticks = index.dtype.kind == "M"
        self.index = index
        self.time = index.astype("datetime64[ns]").astype(np.int64) if self.ticks else index
        self.word = "timestamp" if self.ticks else "index"

    def span(self, length: float) -> str:
        """A length of time as a person says it."""
        return rounded_span(length / 1e9) if self.ticks else f"{length:,.6g} steps of the index"


def _even_step(time: NDArray[Any]) -> Any:
    """The step from each time to the next, where it is one and the same and leads forward; else None."""
    if len(time) < 2 or not time[1] > time[0]:
        return None
    return time[1] - time[0] if (np.diff(time) == time[1] - time[0]).all() else None


def _put_in_order(clock: _Clock) -> tuple[Ints, NDArray[Any], tuple[str, ...]]:
    """The rows in order of time, their times (never falling), and what was done."""
    time = clock.time
    as_they_are = np.arange(len(time))
    falls = np.flatnonzero(time[1:] < time[:-1])
    if not len(falls):
        return as_they_are, time, ()
    order = np.argsort(time, kind="stable")
    if _tells_twice(clock, order, falls):
        return as_they_are, _undo_falls(time, falls), (_tell_falls(clock, falls),)
    if len(falls) == len(time) - 1:
        return order, time[order], ("the newest row comes first: the rows are used in order of time",)
    often = "once" if len(falls) == 1 else f"{len(falls):,} times"
    told = f"{often} a row is earlier than the row before: the rows are used in order of time"
    return order, time[order], (told,)


def _tells_twice(clock: _Clock, order: Ints, falls: Ints) -> bool:
    """Whether each fall of the clock is followed by times that had been told before."""
    if len(falls) > max(1, len(order) // _HANDFUL) or (clock.ticks and -np.diff(clock.time).min() > _DAY):
        return False
    steps = np.diff(clock.time[order])
    if not (steps > 0).any():
        return False
    close = steps < 0.5 * np.percentile(steps[steps > 0], 50, method="lower")
    return bool(np.sum(close & (np.abs(np.diff(order)) > 1)) >= len(falls))


def _undo_falls(time: NDArray[Any], falls: Ints) -> NDArray[Any]:
    """The times with every fall turned into one usual step forward."""
    steps = np.diff(time)
    steps[falls] = np.percentile(steps[steps > 0], 50, method="lower")
    return np.concatenate([time[:1], time[0] + np.cumsum(steps)])


def _tell_falls(clock: _Clock, falls: Ints) -> str:
    often = "once" if len(falls) == 1 else f"{len(falls):,} times"
    first = falls[0]
    if not clock.ticks:
        return f"the index starts over {often}: the rows stay in their order"
    length = clock.span(float(clock.time[first] - clock.time[first + 1]))
    when = f"{'' if len(falls) == 1 else 'first '}by {length} after {plain_stamp(clock.index[first])}"
    return f"the clock goes back {often} ({when}): the rows stay in their order"


def _tell_duplicates(n_repeated: int, word: str) -> tuple[str, ...]:
    if not n_repeated:
        return ()
    rows = f"1 row repeats the {word}" if n_repeated == 1 else f"{n_repeated:,} rows repeat the {word}"
    return (f"{rows} of another: the mean of rows with the same {word} is used",)


def _usual_step(steps: NDArray[Any]) -> float:
    """The median step; where steps are rounded to a coarser clock, or jitter, the mean of what lies near."""
    median = np.percentile(steps, 50, method="lower")
    single = steps[(steps > 0.5 * median) & (steps < 1.5 * median)]
    if np.mean(single == median) >= 0.9:
        return float(median)
    near = steps[steps <= _NEAR * median]
    return float(near.sum() / np.rint(near / median).sum())


def _place(
    stamps: NDArray[Any], interval: float, names: NDArray[Any], clock: _Clock
) -> tuple[Ints, tuple[str, ...]]:
    """The cell of each of the rising `stamps`, and what there is to say of gaps."""
    order = np.arange(len(stamps))
    nearest = np.minimum(np.rint((stamps - stamps[0]) / interval), 2.0**62).astype(np.int64)
    places = order + np.maximum.accumulate(nearest - order)
    told = []
    if (lead := int((places - nearest).max())) > _HANDFUL:
        told.append(
            f"in places rows come faster than every {clock.span(interval)}: each takes a cell of its own, "
            f"and the grid runs up to {lead:,} cells ahead of the {clock.word}"
        )
    empty = np.diff(places) - 1
    gaps = np.flatnonzero(empty)
    if len(gaps):
        longest = gaps[np.argmax(empty[gaps])]
        length = clock.span(float(stamps[longest + 1] - stamps[longest]))
        many = "1 gap" if len(gaps) == 1 else f"{len(gaps):,} gaps"
        points = f"{empty.sum():,} missing point{'' if empty.sum() == 1 else 's'}"
        told.append(f"{many} ({points}), the longest {length} from {plain_stamp(names[longest])}")
    shortened = int(np.sum(empty > LONGEST_GAP))
    if shortened:
        told.append(f"gaps of more than {LONGEST_GAP:,} points are shortened to that: {shortened:,}")
        places = np.concatenate([[0], np.cumsum(np.minimum(empty, LONGEST_GAP) + 1)])
    return places, tuple(told)


def _is_uneven(places: Ints) -> bool:
    """Whether the grid would be mostly holes, and not for a handful of long ones."""
    empty = places[-1] + 1 - len(places)
    n_gaps = np.sum(np.diff(places) > 1)
    return bool(empty > _MOSTLY_EMPTY * (places[-1] + 1) and n_gaps > _HANDFUL)


def _tell_uneven(places: Ints, interval: float, clock: _Clock) -> str:
    share = 1 - len(places) / (places[-1] + 1)
    return (
        f"the sampling is too uneven for a grid ({share:.0%} of the steps of {clock.span(interval)} would be "
        "empty): the rows are taken one after the other, as if evenly spaced"
    )
