"""Files into tables: which separator, which decimal mark, which encoding, and what is wrong with a file."""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from vaenb.errors import InputError
from vaenb.reading.dialects import SAMPLE, sniff

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from vaenb.reading.dialects import Dialect

MISSING: Final = ("", "?", "-", "--", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>")

_NOT_TABLES: Final = {
    b"PK\x03\x04": "a zip or Excel file",
    b"\x1f\x9d": "a compressed file",
    b"BZh": "a bzip2 file",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    frame : DataFrame
        Columns have distinct names; rows are numbered from 0.
    name : str
    where : callable
        ``where(row)`` says where a row stands, as its reader counts: "line 17", "row 15 (counted from 0)".
    notes : tuple of str
        What a reader should know of how it was read.
    """

    frame: pd.DataFrame
    name: str
    where: Callable[[int], str]
    notes: tuple[str, ...] = ()


def read_table(path: Path) -> Table:
    """Read a CSV file (comma, semicolon, tab; decimal comma; UTF-8, UTF-16, Latin-1; gzip) or a Parquet file.

    Raises
    ------
    InputError
        If there is no such file, or no table in it.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected a CSV or Parquet file: name one in it.")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}: check the name and the folder.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}): check that you may read it.") from None
    if not start:
        raise InputError(
            f"{path} is empty; expected a table with a header and rows: check how it was written."
        )
    for magic, what in _NOT_TABLES.items():
        if start.startswith(magic):
            raise InputError(f"{path} is {what}; expected CSV or Parquet: export the table as CSV.")
    if start.startswith(b"PAR1"):
        return _read_parquet(path)
    return _read_csv(path, zipped=start.startswith(b"\x1f\x8b"))


def _read_parquet(path: Path) -> Table:
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_parquet(path)
    # What pandas wrote into the file beside the table may be damaged, too, and raises what it likes.
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} is a damaged Parquet file ({reason}): write or copy it again.") from None
    return from_pandas(frame, name=stem_of(path))


def from_pandas(source: pd.DataFrame | pd.Series[Any], *, name: str = "series") -> Table:
    """A table with its index, where that says something, as the first column."""
    import pandas as pd

    if isinstance(source, pd.Series):
        source = source.to_frame("value" if source.name is None else source.name)
    frame, index = source, source.index
    if not (isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1):
        index = index.set_names([_free_name(frame, given) for given in index.names])
        frame = pd.concat([index.to_frame(index=False), frame.reset_index(drop=True)], axis=1)
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"Two columns are called {twice!r}; expected different names: rename one of them.")
    if frame.empty:
        raise InputError(f"The DataFrame has shape {source.shape}; expected at least one row and one column.")
    return Table(frame=frame, name=name, where=name_row)


def _free_name(frame: pd.DataFrame, name: object) -> str:
    """A name for the index that is not taken by a column."""
    wanted = "index" if name is None else str(name)
    while wanted in frame.columns:
        wanted += "_index"
    return wanted


def name_row(row: int) -> str:
    """Say where a row of a DataFrame or an array stands."""
    return f"row {row:,} (counted from 0)"


def stem_of(path: Path) -> str:
    """The name of a file without what says how it is written."""
    return path.name.removesuffix(".gz").rsplit(".", 1)[0] or path.name


def _read_csv(path: Path, *, zipped: bool) -> Table:
    try:
        dialect = sniff(path, _sample(path, zipped=zipped))
        frame, encoding = _parse(path, dialect, zipped=zipped)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is a damaged gzip file ({error}): copy or compress it again.") from None
    notes = []
    if encoding == "latin-1":
        notes.append("the file is not UTF-8: it is read as Latin-1")
    if not dialect.has_header:
        frame.columns = [f"v{i}" for i in range(frame.shape[1])] if frame.shape[1] > 1 else ["value"]
        notes.append(f"the first line holds values, not names: the columns are named {_list(frame.columns)}")
    frame.columns = plain_names(frame.columns)
    frame = _without_empty_end(frame)
    if frame.empty:
        raise InputError(
            f"{path} has a header and no rows; expected at least one row below it: check how it was written."
        )

    def where(row: int) -> str:
        return f"line {_line_of(path, row, dialect, encoding, zipped=zipped)}"

    return Table(frame=frame, name=stem_of(path), where=where, notes=tuple(notes))


def plain_names(columns: pd.Index) -> list[str]:
    """Names of columns without what some programs write before them."""
    return [str(name).lstrip("# ").strip() for name in columns]


def _list(names: pd.Index) -> str:
    return ", ".join(names) if len(names) < 4 else f"{names[0]} to {names[-1]}"


def _sample(path: Path, *, zipped: bool) -> bytes:
    with gzip.open(path, "rb") if zipped else path.open("rb") as file:
        return file.read(SAMPLE)


def _parse(path: Path, dialect: Dialect, *, zipped: bool) -> tuple[pd.DataFrame, str]:
    """The table, and the encoding that worked."""
    try:
        return _parse_as(path, dialect, dialect.encoding, zipped=zipped), dialect.encoding
    except UnicodeDecodeError:
        return _parse_as(path, dialect, "latin-1", zipped=zipped), "latin-1"


def _parse_as(path: Path, dialect: Dialect, encoding: str, *, zipped: bool) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            frame: pd.DataFrame = pd.read_csv(path, **csv_options(dialect, encoding, zipped=zipped))
    except pd.errors.ParserWarning:
        raise InputError(
            f"The rows of {path} have more fields than its header: give every column a name."
        ) from None
    except pd.errors.EmptyDataError:
        raise InputError(
            f"{path} is empty; expected a table with a header and rows: check how it was written."
        ) from None
    except pd.errors.ParserError as error:
        raise InputError(f"{path} is not a table: {_reason(str(error))}.") from None
    return frame


def csv_options(dialect: Dialect, encoding: str, *, zipped: bool) -> dict[str, Any]:
    """How `pandas.read_csv` reads a file of a dialect."""
    return {
        "sep": dialect.separator,
        "decimal": dialect.decimal,
        "encoding": encoding,
        "compression": "gzip" if zipped else None,
        "header": 0 if dialect.has_header else None,
        "skiprows": dialect.n_skipped,
        "skip_blank_lines": not dialect.is_single,  # in a single column an empty line is a missing value
        "skipinitialspace": True,
        "index_col": False,
        "na_values": list(MISSING),
        "low_memory": False,
    }


def _reason(message: str) -> str:
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if not found:
        return message.strip().rstrip(".")
    return (
        f"line {found[2]} has {found[3]} fields; expected {found[1]}, as in the lines above: mend that line"
    )


def _without_empty_end(frame: pd.DataFrame) -> pd.DataFrame:
    """The table without the empty lines that spreadsheets leave at its end."""
    last = len(frame)
    while last and frame.iloc[last - 1].isna().all():
        last -= 1
    return frame.iloc[:last]


def _line_of(path: Path, row: int, dialect: Dialect, encoding: str, *, zipped: bool) -> int:
    """The line of a row, counted from 1, the header included."""
    opener = gzip.open if zipped else open
    with opener(path, "rt", encoding=encoding) as file:
        counted = (
            number
            for number, line in enumerate(file, start=1)
            if number > dialect.n_skipped and (dialect.is_single or line.strip())
        )
        return next(islice(counted, row + dialect.has_header, None), row)
