"""Where the series of a study comes from, as a line of Python, or as a file beside the notebook.

NumPy ring.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError, OutputError
from vaenb.files import atomic_write

if TYPE_CHECKING:
    import pandas as pd

    from vaenb.records import Series

_TIME: Final = "time"
_LABELS: Final = "is_anomaly"


def is_bundled(series: Series) -> bool:
    """Whether `vaenb.load_dataset` gives this very series under its name."""
    from vaenb.datasets import list_datasets, load_dataset

    return series.name in set(list_datasets()["name"]) and same_series(load_dataset(series.name), series)


def same_series(one: Series, other: Series) -> bool:
    """Whether two series give the same study: same values on the same cells, same labels and parts."""
    if (
        len(one) != len(other)
        or one.channels != other.channels
        or (one.labels is None) != (other.labels is None)
    ):
        return False
    equal = [np.array_equal(getattr(one, name), getattr(other, name)) for name in ("index", "cells")]
    equal += [np.array_equal(one.values, other.values, equal_nan=True)]
    equal += [one.labels is None or np.array_equal(one.labels, other.labels)]  # type: ignore[arg-type] # both have some
    return all(equal) and (one.train_end, one.n_cells, one.interval) == (
        other.train_end,
        other.n_cells,
        other.interval,
    )


def series_code(series: Series, source: str | None, folder: Path) -> str | None:
    """The line that gives the series again; None where no line can.

    Parameters
    ----------
    series : Series
    source : str or None
        The path that it was read from.
    folder : Path
        Where the line will run.
    """
    if is_bundled(series):
        return f"series = vaenb.load_dataset({series.name!r})"
    if source is None:
        return None
    return f"series = vaenb.read_series({_relative(source, folder)!r})"


def _relative(source: str, folder: Path) -> str:
    """A path as it is seen from a folder; whole where there is no way."""
    try:
        return Path(os.path.relpath(source, folder)).as_posix()
    except ValueError:  # another drive
        return str(Path(source).resolve())


def write_series(series: Series, path: Path) -> str:
    """Write a series as a Parquet file, and give the line that reads it again.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the file would not give the same series: then nothing is left.
    OutputError
        If it cannot be written.
    """
    from vaenb.reading import read_series

    frame = _frame(series)
    with atomic_write(path) as file:
        frame.to_parquet(file, index=False)
    told: dict[str, Any] = {
        "time": _TIME if _TIME in frame else False,
        "values": list(series.channels),
        "labels": False if series.labels is None else _LABELS,
        "train_end": int(series.train_end),
        "name": series.name,
    }
    again = read_series(path, **told)
    if not same_series(again, series):
        path.unlink()
        raise InputError(
            "The series does not come back from a file as it is: save it yourself, and give that file."
        )
    given = ", ".join(f"{name}={value!r}" for name, value in told.items())
    return f"series = vaenb.read_series({path.name!r}, {given})"


def _frame(series: Series) -> pd.DataFrame:
    import pandas as pd

    clash = {_TIME, _LABELS} & set(series.channels)
    if clash:
        raise OutputError(f"A channel is called {min(clash)!r}, as a column of the file would be: rename it.")
    columns: dict[str, Any] = {}
    if not np.array_equal(series.index, np.arange(len(series))):
        columns[_TIME] = series.index
    columns |= {name: series.values[:, place] for place, name in enumerate(series.channels)}
    if series.labels is not None:
        columns[_LABELS] = series.labels
    return pd.DataFrame(columns)


def file_name(name: str) -> str:
    """A name of a series as a name of a file.

    Examples
    --------
    >>> file_name("nyc taxi/2014")
    'nyc_taxi_2014'
    """
    plain = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
    return plain.strip("._")[:100] or "series"
