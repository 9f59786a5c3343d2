"""The line that reads a series, with what was found named: as a person would write it to change it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaenb.records import Series

_HEAD = 65_536  # bytes: enough for the line of names
_WIDTH = 88


def read_code(series: Series, path: str) -> str:
    """The call of `vaenb.read_series` that names the time axis and the channels of a series.

    Parameters
    ----------
    series : Series
        As it was read from the file, without further arguments.
    path : str
        The file, as it is seen from the current folder.

    Returns
    -------
    str
        Its time axis is left out where no column of the file bears that name: where there is none, or two
        columns make one.

    Examples
    --------
    >>> import vaenb
    >>> print(read_code(vaenb.read_series([1.0, 2.0, 1.0, 3.0]), "none.csv"))
    series = vaenb.read_series('none.csv', values=['value'])
    """
    given = [repr(path)]
    if series.index_name in _head(Path(path)):
        given.append(f"time={series.index_name!r}")
    given.append(f"values={list(series.channels)!r}")
    line = f"series = vaenb.read_series({', '.join(given)})"
    if len(line) <= _WIDTH:
        return line
    body = "".join(f"    {each},\n" for each in [*given[:-1], _values(series.channels)])
    return f"series = vaenb.read_series(\n{body})"


def print_code(series: Series, path: str) -> None:
    """Print `read_code`: for who asks a kernel."""
    print(read_code(series, path))  # noqa: T201 - that is what it is for


def _values(channels: tuple[str, ...]) -> str:
    """The channels, in lines that are not too long."""
    line = f"values={list(channels)!r}"
    if len(line) + 5 <= _WIDTH:
        return line
    rows, row = [], " " * 7
    for name in channels:
        piece = f" {name!r},"
        if len(row) + len(piece) > _WIDTH and row.strip():
            rows.append(row)
            row = " " * 7
        row += piece
    return "values=[\n" + "\n".join([*rows, row]) + "\n    ]"


def _head(path: Path) -> list[str]:
    """The names of the columns of a file; none where they cannot be told."""
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            from pyarrow.parquet import read_schema

            return list(read_schema(path).names)
        opened = gzip.open if name.endswith(".gz") else open
        with opened(path, "rb") as file:
            lines = file.read(_HEAD).decode("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return []
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    separator = max(";\t,", key=first.count)
    return [name.strip().strip("\"'") for name in first.split(separator)]
