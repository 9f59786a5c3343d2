"""All series of a run as a table: sorted, filtered, and told row by row. NumPy ring."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vaenb.errors import InputError
from vaenb.formats import fixed, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Row = Mapping[str, Any]

WAITING, DONE, FAILED = "waiting", "done", "failed"
_STATES: Final = (FAILED, WAITING, DONE)  # sorted by status, what needs somebody comes first
_NOTHING: Final = "\u2013"


class Column(NamedTuple):
    """A column of the table.

    Attributes
    ----------
    key : str
        In the rows of the summary.
    title : str
    is_number : bool
        Numbers are sorted from the highest down at first.
    tell : callable
        What a cell says.
    """

    key: str
    title: str
    is_number: bool
    tell: Callable[[Any], str]


COLUMNS: Final = (
    Column("series", "Series", False, str),
    Column("status", "Status", False, str),
    Column("n_events", "Events", True, lambda n: f"{n:,}"),
    Column("worst_severity", "Worst severity", True, lambda severity: fixed(severity, 2)),
    Column("flagged", "Flagged", True, percent),
    Column("n_points", "Points", True, lambda n: f"{n:,}"),
)
SORTABLE: Final = {column.key: column for column in COLUMNS}


class FleetTable:
    """The rows of a run, in the order in which they are shown. Whoever calls holds a lock.

    Parameters
    ----------
    names : iterable of str
        Of all series.
    rows : iterable of mapping
        Those of the summary, of the series that are done or have failed.

    Attributes
    ----------
    version : int
        Another one after each change of what is shown.
    sorted_by : str
        The key of a column.
    descending : bool
    query : str
        Only series with it in their names are shown, in any case.
    """

    def __init__(self, names: Iterable[str] = (), rows: Iterable[Row] = ()) -> None:
        self._rows: dict[str, Row] = {}
        self._names: dict[str, Any] = {}  # and what they are sorted by
        self._order: list[str] | None = None
        self.version = 0
        self.sorted_by, self.descending, self.query = "worst_severity", True, ""
        self.set_names(names)
        for row in rows:
            self.add(row)

    # ------------------------------------------------------------------ what there is

    def set_names(self, names: Iterable[str]) -> None:
        """These are all series; of a new one nothing is known yet."""
        for name in names:
            self._rows.setdefault(name, _waiting(name))
        self._changed()

    def add(self, row: Row) -> None:
        """A series is done, or has failed."""
        self._rows[row["series"]] = row
        self._changed()

    def begin(self) -> None:
        """What has failed waits again."""
        self._rows = {
            name: _waiting(name) if row["status"] == FAILED else row for name, row in self._rows.items()
        }
        self._changed()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def names(self) -> list[str]:
        """Of all series."""
        return list(self._rows)

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __getitem__(self, name: str) -> Row:
        """The row of a series.

        Raises
        ------
        InputError
            If there is no such series.
        """
        if name not in self._rows:
            some = ", ".join(repr(each) for each in list(self._rows)[:3])
            raise InputError(f"There is no series {name!r}; expected one of {len(self):,}, such as {some}.")
        return self._rows[name]

    def count(self, status: str) -> int:
        """How many series are "done", "failed" or "waiting"."""
        return sum(row["status"] == status for row in self._rows.values())

    # ------------------------------------------------------------------ what is shown

    def sort(self, key: str, *, descending: bool | None = None) -> None:
        """Sort by a column; without a direction, numbers from the highest down, then the other way.

        Raises
        ------
        InputError
            If there is no such column.
        """
        if key not in SORTABLE:
            raise InputError(f"There is no column {key!r} to sort by; expected one of {', '.join(SORTABLE)}.")
        turned = not self.descending if key == self.sorted_by else SORTABLE[key].is_number
        self.sorted_by, self.descending = key, turned if descending is None else descending
        self._changed()

    def filter(self, query: str) -> None:
        """Show only the series with some text in their names."""
        if query.strip() != self.query:
            self.query = query.strip()
            self._changed()

    @property
    def order(self) -> list[str]:
        """The names that are shown, from top to bottom."""
        if self._order is None:
            wanted = self.query.casefold()
            shown = [row for name, row in self._rows.items() if wanted in name.casefold()]
            self._order = [row["series"] for row in sorted(shown, key=self._place)]
        return self._order

    def _place(self, row: Row) -> tuple[Any, ...]:
        """What a row is sorted by; those without a value come last either way, the failed ones first."""
        sign, name = -1 if self.descending else 1, row["series"]
        value: Any = row.get(self.sorted_by)
        if name not in self._names:
            self._names[name] = _natural(name)
        by_name, state = self._names[name], _STATES.index(row["status"])
        if self.sorted_by == "status":
            return (0, sign * state, by_name)
        if self.sorted_by == "series":
            return (0, _Turned(by_name) if self.descending else by_name)
        return (1, state, by_name) if _is_gap(value) else (0, sign * value, by_name)

    def window(self, start: int, stop: int) -> list[dict[str, Any]]:
        """The rows from one place to another, as the page draws them.

        Returns
        -------
        list of dict
            ``name``, ``status``, ``cells`` (a text for each of `COLUMNS`) and ``reason``.
        """
        return [self.told(name) for name in self.order[max(0, start) : max(0, stop)]]

    def told(self, name: str) -> dict[str, Any]:
        """One row, as the page draws it."""
        row = self[name]
        cells = [_told(column, row.get(column.key)) for column in COLUMNS]
        return {"name": name, "status": row["status"], "cells": cells, "reason": row.get("reason") or ""}

    def _changed(self) -> None:
        self._order = None
        self.version += 1


class _Turned:
    """Sorts the other way round."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Turned) -> bool:
        return bool(other.value < self.value)


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A name to sort by: pump-9 before pump-10.

    Examples
    --------
    >>> sorted(["pump-10", "pump-9", "fan"], key=_natural)
    ['fan', 'pump-9', 'pump-10']
    """
    parts, at = [], 0
    for stop in range(1, len(name) + 1):
        if stop == len(name) or name[stop].isdecimal() != name[at].isdecimal():
            piece, at = name[at:stop], stop
            parts.append((0, int(piece), "") if piece.isdecimal() else (1, 0, piece.casefold()))
    return tuple(parts)


def _told(column: Column, value: Any) -> str:
    return _NOTHING if _is_gap(value) else column.tell(value)


def _is_gap(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _waiting(name: str) -> Row:
    return {"series": name, "status": WAITING}
