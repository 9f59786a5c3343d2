"""The table of all series in the page: a widget that asks for the rows in sight, and for no others."""

from __future__ import annotations

import threading
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from vaenb.view_models.fleet import COLUMNS, DONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.view_models.fleet import FleetTable
    from vaenb.view_models.fleet_spark import Sparks

_MOST_AT_ONCE = 200  # rows of one answer, whatever was asked for
_SENT_TOGETHER = 8  # pictures


def _text(name: str) -> str:
    return (files("vaenb.panels") / name).read_text(encoding="utf-8")


class FleetGrid(anywidget.AnyWidget):
    """The table of a fleet.

    Parameters
    ----------
    table : FleetTable
    sparks : Sparks
    lock : threading.RLock
        Held whenever `table` is asked.
    on_open : callable
        Called with the name of the series whose row was clicked.
    on_sort : callable
        Called with the key of the column whose head was clicked.
    """

    _esm = _text("fleet_table.js")
    _css = _text("fleet_table.css")
    columns = traitlets.List().tag(sync=True)
    label = traitlets.Unicode("Series").tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    n_rows = traitlets.Int(0).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)
    sorted_by = traitlets.Unicode("").tag(sync=True)
    descending = traitlets.Bool(default_value=True).tag(sync=True)
    opened = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        table: FleetTable,
        sparks: Sparks,
        *,
        lock: threading.RLock,
        on_open: Callable[[str], None],
        on_sort: Callable[[str], None],
    ) -> None:
        told = [{"key": each.key, "title": each.title, "number": each.is_number} for each in COLUMNS]
        super().__init__(columns=told)
        self._table, self._panel_lock, self._calls = table, lock, {"open": on_open, "sort": on_sort}
        self._reader = SparkReader(sparks, self._send_sparks)
        self.on_msg(self._hear)
        self.add_class("vaenb-fleet-table")

    def draw(self) -> None:
        """What is shown has changed: the page asks for the rows in sight again."""
        table = self._table
        with self.hold_sync():
            self.n_rows, self.version = len(table.order), table.version
            self.sorted_by, self.descending = table.sorted_by, table.descending
            self.empty = f"No series has “{table.query}” in its name." if table.query else ""

    # ------------------------------------------------------------------ what the page says

    def _hear(self, _: Any, content: dict[str, Any], buffers: Any) -> None:  # noqa: ARG002 - the protocol
        kind = content.get("kind")
        if kind == "rows":
            self._answer(int(content["start"]), int(content["stop"]))
        elif kind == "open":
            self._calls["open"](str(content["name"]))
        elif kind == "sort":
            self._calls["sort"](str(content["column"]))

    def _answer(self, start: int, stop: int) -> None:
        with self._panel_lock:
            rows, version = self._table.window(start, min(stop, start + _MOST_AT_ONCE)), self._table.version
            done = {row["name"]: self._table[row["name"]] for row in rows if row["status"] == DONE}
        lacking = []
        for row in rows:
            about = done.get(row["name"])
            if about is not None and about.get("threshold") is not None:
                asked = row["name"], about["threshold"], about.get("seconds")
                row["spark"] = self._reader.sparks.get(*asked)
                lacking += [asked] if row["spark"] is None else []
        self.send({"kind": "rows", "start": start, "version": version, "rows": rows})
        self._reader.want(lacking)

    def _send_sparks(self, found: dict[str, Any]) -> None:
        self.send({"kind": "sparks", "sparks": found})

    def close(self) -> None:
        """Close it; nothing is read any more."""
        self._reader.end()
        super().close()


class SparkReader:
    """Reads scores from the disk, the latest wanted first, in a thread that ends when it has nothing to read.

    Parameters
    ----------
    sparks : Sparks
    send : callable
        Called with pictures by name, a few at a time.
    """

    def __init__(self, sparks: Sparks, send: Callable[[dict[str, Any]], None]) -> None:
        self.sparks, self._send = sparks, send
        self._lock = threading.Lock()
        self._wanted: dict[str, tuple[Any, ...]] = {}
        self._runs = self._ended = False

    def want(self, wanted: list[tuple[Any, ...]]) -> None:
        """Read these next: name, threshold and what changes with a new run, the first one first."""
        with self._lock:
            for asked in reversed(wanted):
                self._wanted.pop(asked[0], None)
                self._wanted[asked[0]] = asked
            if self._runs or self._ended or not self._wanted:
                return
            self._runs = True
        threading.Thread(target=self._read, name="vaenb-sparks", daemon=True).start()

    def end(self) -> None:
        """Read no more."""
        with self._lock:
            self._ended, self._wanted = True, {}

    def _next(self) -> list[tuple[Any, ...]]:
        with self._lock:
            some = [self._wanted.popitem()[1] for _ in range(min(_SENT_TOGETHER, len(self._wanted)))]
            self._runs = bool(some)
            return some

    def _read(self) -> None:
        while some := self._next():
            found = {asked[0]: self.sparks.read(*asked) for asked in some}
            if not self._ended:
                self._send(found)
