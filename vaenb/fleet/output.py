"""What a fleet leaves behind: partitioned Parquet, whole by series. NumPy ring."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vaenb.errors import InputError, OutputError
from vaenb.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    Known = dict[str, tuple[tuple[int, int, int], dict[str, Any]]]
    """Rows by the names of their files, each with inode, time and size of the file it was read from."""

COLUMNS = (
    "series",
    "status",
    "reason",
    "n_points",
    "n_channels",
    "window_size",
    "threshold",
    "n_events",
    "worst_severity",
    "flagged",
    "highest_score",
    "seconds",
)
MARK = "fleet.json"
SOURCE = "source.json"


@dataclass(frozen=True)
class Output:
    """The folder of a run.

    A series' row of the summary is written last: where it is, the series is done. So a killed worker leaves
    at worst files that the next one replaces.

    Attributes
    ----------
    folder : Path
    """

    folder: Path
    _known: Known = field(default_factory=dict, init=False, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process without the rows that were read here."""
        return Output, (self.folder,)

    @property
    def mark(self) -> dict[str, Any] | None:
        """The settings that its results were made with; None where it holds none."""
        return _read_json(self.folder / MARK)

    @property
    def source(self) -> dict[str, Any] | None:
        """Where its series came from, ``path`` and ``key``; None where nobody has said so."""
        return _read_json(self.folder / SOURCE)

    def remember(self, source: Any, key: str | None) -> None:
        """Note where the series come from: whoever opens the folder finds them."""
        is_path = isinstance(source, str | os.PathLike)
        path = os.path.abspath(source) if is_path else str(self.folder / "input")  # noqa: PTH100 - a pattern too
        with atomic_write(self.folder / SOURCE, "w") as file:
            json.dump({"path": path, "key": key}, file)

    def check(self, mark: Mapping[str, Any]) -> None:
        """Raise `InputError` where the folder holds the results of other settings."""
        path = self.folder / MARK
        if path.exists() and path.read_text(encoding="utf-8") != _as_text(mark):
            raise InputError(
                f"{str(self.folder)!r} holds the results of other settings: name another folder, or "
                "delete it to start afresh."
            )

    def begin(self, mark: Mapping[str, Any]) -> None:
        """Make the folder where it is not there yet.

        Raises
        ------
        OutputError
            If it cannot be made.
        """
        path = self.folder / MARK
        if path.exists():
            return
        try:
            for part in ("scores", "events", "summary", "detectors"):
                (self.folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise OutputError(f"Cannot make the folder {str(self.folder)!r}: {reason}.") from error
        with atomic_write(path, "w") as file:
            file.write(_as_text(mark))

    def write(self, kind: str, name: str, table: pd.DataFrame, *, part: str = "0") -> None:
        """Write the scores or the events of a series, or a part of them."""
        place = self.place(kind, name)
        place.mkdir(parents=True, exist_ok=True)
        with atomic_write(place / f"part-{part}.parquet") as file:
            table.to_parquet(file, index=False)

    def place(self, kind: str, name: str) -> Path:
        """Where the scores or the events of a series are."""
        return self.folder / kind / f"series={_as_path(name)}"

    def detector(self, name: str) -> Path:
        """Where the detector of a series is kept."""
        return self.folder / "detectors" / f"{_as_path(name)}.vaenb"

    def group(self, name: str) -> Path:
        """Where the detector of a group is kept."""
        return self.folder / "groups" / f"{_as_path(name)}.vaenb"

    def finish(self, row: Mapping[str, Any]) -> None:
        """Write the row of a series: it is done, or has failed."""
        with atomic_write(self.row(row["series"]), "w") as file:
            json.dump(dict(row), file)

    def done(self) -> set[str]:
        """The series that need no further work; those that failed are tried again."""
        return {row["series"] for row in self.rows() if row["status"] == "done"}

    def table(self, names: Iterable[str]) -> pd.DataFrame:
        """The rows of these series, worst first."""
        import pandas as pd

        wanted = set(names)
        table = pd.DataFrame([row for row in self.rows() if row["series"] in wanted], columns=list(COLUMNS))
        return table.sort_values(["worst_severity", "series"], ascending=[False, True], ignore_index=True)

    def summary(self, names: Iterable[str]) -> pd.DataFrame:
        """The rows of these series, worst first, and ``summary.parquet`` with them."""
        table = self.table(names)
        with atomic_write(self.folder / "summary.parquet") as file:
            table.to_parquet(file, index=False)
        return table

    def row(self, name: str) -> Path:
        """Where the row of a series is: without it, the series is to be done."""
        return self.folder / "summary" / f"{_as_path(name)}.json"

    def rows(self) -> list[dict[str, Any]]:
        """The rows of all series that are done or have failed, by name; only what is new is read."""
        for name, state in self._row_files():
            if name not in self._known or self._known[name][0] != state:
                text = (self.folder / "summary" / name).read_text(encoding="utf-8")
                self._known[name] = state, json.loads(text)
        return [self._known[name][1] for name in sorted(self._known)]

    def _row_files(self) -> list[tuple[str, tuple[int, int, int]]]:
        """Each row's file, and what changes when it is replaced; those that are gone are forgotten."""
        found = {}
        if (self.folder / "summary").is_dir():
            with os.scandir(self.folder / "summary") as entries:
                for entry in entries:
                    if entry.name.endswith(".json"):
                        state = entry.stat()
                        found[entry.name] = state.st_ino, state.st_mtime_ns, state.st_size
        for name in self._known.keys() - found.keys():
            del self._known[name]
        return list(found.items())


def _read_json(path: Path) -> dict[str, Any] | None:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def _as_text(mark: Mapping[str, Any]) -> str:
    return json.dumps(mark, indent=1, sort_keys=True)


def _as_path(name: str) -> str:
    """A name that every file system takes; the name itself where it is harmless."""
    return quote(name, safe=" ") if set(name) - {"."} else name.replace(".", "%2E")
