"""A person's verdicts, and the CSV that keeps them: written whole after each one, shared by panels."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VERDICTS: Final = ("anomaly", "normal", "unsure")
COLUMNS: Final = ("start", "end", "score", "severity", "verdict", "note", "decided_at")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?)?")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a person says about a stretch of the series.

    Attributes
    ----------
    start, end : numpy.datetime64 or float
        The first and the last moment of the stretch, both in it.
    score, severity : float
        Of the stretch when it was judged, to six digits.
    verdict : str
        "anomaly", "normal", "unsure", or "" where there is only a note.
    note : str
    decided_at : str
        Local time with its offset from UTC.
    more : tuple of (str, str)
        Columns that somebody else added to the file, and what stands in them.
    """

    start: Any
    end: Any
    score: float
    severity: float
    verdict: str
    note: str = ""
    decided_at: str = ""
    more: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What tells one stretch from another: its ends as they are written."""
        return as_text(self.start), as_text(self.end)

    def row(self) -> dict[str, str]:
        """The line of the CSV."""
        numbers = {"score": f"{self.score:.6g}", "severity": f"{self.severity:.6g}"}
        plain = {"verdict": self.verdict, "note": self.note, "decided_at": self.decided_at}
        return {"start": as_text(self.start), "end": as_text(self.end), **numbers, **plain, **dict(self.more)}


def now() -> str:
    """The time on the wall, as a verdict carries it."""
    return datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")


def as_text(moment: Any) -> str:
    """A moment as it stands in the file, without digits that say nothing.

    Examples
    --------
    >>> as_text(np.datetime64("2014-11-02T01:30:00.000")), as_text(12.0)
    ('2014-11-02 01:30:00', '12')
    """
    if not isinstance(moment, np.datetime64):
        return repr(float(moment)).removesuffix(".0")
    whole, _, rest = str(moment.astype("datetime64[ns]")).partition(".")
    rest = rest.rstrip("0")
    return whole.replace("T", " ") + (f".{rest}" if rest else "")


def default_path(name: str) -> str:
    """The file of verdicts of a series: beside the notebook, that is, in the current folder.

    Examples
    --------
    >>> default_path("nyc taxi/2014")
    'nyc_taxi_2014_verdicts.csv'
    """
    plain = re.sub(r"[^\w.-]+", "_", name).strip("._")[:100]
    return f"{plain or 'series'}_verdicts.csv"


def read_verdicts(path: Path, *, has_clock: bool) -> list[Verdict]:
    """The verdicts of a file, in the order of its lines.

    Parameters
    ----------
    path : Path
    has_clock : bool
        Whether its moments must be dates; numbers otherwise.

    Raises
    ------
    InputError
        If it is not a file of verdicts on such a series, or is damaged; the sentence says in which line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not a text file in UTF-8") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}") from error
    if not text.strip():
        return []
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise InputError(f"{path.name} is another kind of file: it has no column {missing[0]!r}")
        return [_parse(row, path.name, rows.line_num, has_clock=has_clock) for row in rows]
    except csv.Error as error:
        raise InputError(f"{path.name} is damaged in line {rows.line_num}: {error}") from error


def _separator(text: str) -> str:
    """A comma; a semicolon or a tab where a spreadsheet saved the file."""
    head = text.lstrip().splitlines()[0]
    return max((",", ";", "\t"), key=head.count)


def _parse(row: dict[str, str], name: str, line: int, *, has_clock: bool) -> Verdict:
    where = f"{name} is damaged in line {line}"
    if None in row or None in row.values():
        raise InputError(f"{where}: it has more or fewer fields than the header")
    if row["verdict"] not in (*VERDICTS, ""):
        raise InputError(f"{where}: the verdict is {row['verdict']!r}; expected {', '.join(VERDICTS)}")
    try:
        start, end = (_moment(row[edge], has_clock=has_clock) for edge in ("start", "end"))
        score, severity = float(row["score"]), float(row["severity"])
    except ValueError as error:
        kind = "dates" if has_clock else "numbers"
        raise InputError(
            f"{where}: expected start and end as {kind}, score and severity as numbers"
        ) from error
    if not start <= end:
        raise InputError(f"{where}: it ends before it starts")
    more = tuple((key, value) for key, value in row.items() if key not in COLUMNS)
    told = {key: row[key] for key in ("verdict", "note", "decided_at")}
    return Verdict(start=start, end=end, score=score, severity=severity, more=more, **told)


def _moment(text: str, *, has_clock: bool) -> Any:
    if not has_clock:
        found = float(text)
        if not np.isfinite(found):
            raise ValueError(text)
        return found
    if not _DATE.fullmatch(text.strip()):
        raise ValueError(text)
    return np.datetime64(text.strip().replace(" ", "T"), "ns")


def write_verdicts(path: Path, verdicts: Sequence[Verdict]) -> None:
    """Write a file of verdicts: whole, or not at all.

    Raises
    ------
    OutputError
        If the operating system refuses.
    """
    others = dict.fromkeys(name for verdict in verdicts for name, _ in verdict.more)
    with atomic_write(path, "w") as file:
        table = csv.DictWriter(file, [*COLUMNS, *others], restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(verdict.row() for verdict in verdicts)
