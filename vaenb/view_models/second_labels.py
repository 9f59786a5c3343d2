"""A second set of labels, to be held against the first: from an array or from a CSV."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.events import as_flags
from vaenb.reading.columns import find_labels, to_labels
from vaenb.reading.dates import parse_times
from vaenb.reading.tables import read_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from vaenb.records import Bools, Series
    from vaenb.view_models.timeline import Timeline

    Labels = str | os.PathLike[str] | ArrayLike
    Frame = pd.DataFrame

_ENDS = ("end", "stop")


def read_second_labels(source: Labels, series: Series, timeline: Timeline) -> Bools:
    """Labels on the cells of a series.

    Parameters
    ----------
    source : array_like of 0/1, shape (n_rows,) or (n_cells,), or a path
        A CSV has columns ``start`` and ``end``, one labelled stretch a line, both ends in it; or a column
        of 0/1 with a line for each row of the series.
    series : Series
    timeline : Timeline
        Of this series.

    Returns
    -------
    ndarray of bool, shape (n_cells,)

    Raises
    ------
    InputError
        If it is neither, or belongs to another series.
    """
    if isinstance(source, str | os.PathLike):
        return _from_file(Path(source), series, timeline)
    return _on_cells(as_flags(source, "other_labels"), series)


def _on_cells(flags: Bools, series: Series) -> Bools:
    if len(flags) == len(series):
        on_cells = np.zeros(series.n_cells, dtype=bool)
        np.logical_or.at(on_cells, series.cells, flags)
        return on_cells
    if len(flags) == series.n_cells:
        return flags
    raise InputError(
        f"other_labels holds {len(flags):,} values and the series has {len(series):,} rows; "
        "expected a 0 or 1 for each row."
    )


def _from_file(path: Path, series: Series, timeline: Timeline) -> Bools:
    frame = read_table(path).frame
    names = {str(name).strip().lower(): str(name) for name in frame.columns}
    end = next((names[name] for name in _ENDS if name in names), None)
    if "start" in names and end is not None:
        return _from_stretches(path, frame[[names["start"], end]], timeline)
    column = find_labels(frame, ())
    if column is None and frame.shape[1] == 1:
        column = str(frame.columns[0])
    if column is None:
        raise InputError(
            f"{path} has the columns {', '.join(map(repr, names.values()))}; expected start and end, "
            "one labelled stretch a line, or a column of 0/1 such as 'label'."
        )
    flags, _ = to_labels(frame[column], lambda row: f"line {row + 2}")
    return _on_cells(flags.astype(bool), series)


def _from_stretches(path: Path, frame: Frame, timeline: Timeline) -> Bools:
    """Cells between starts and ends, both in it; what lies outside of the series is passed over."""
    first, last = (_cells(path, frame[name], timeline) for name in frame.columns)
    if (first > last).any():
        line = int(np.argmax(first > last)) + 2
        raise InputError(f"{path}: the stretch in line {line} ends before it starts.")
    inside = (last > -0.5) & (first < timeline.n_cells - 0.5)
    if len(first) and not inside.any():
        raise InputError(f"{path}: none of its {len(first)} stretches lies in the series; is it another's?")
    steps = np.zeros(timeline.n_cells + 1, dtype=np.int64)
    np.add.at(steps, np.maximum(np.round(first[inside]), 0).astype(np.int64), 1)
    stops = np.minimum(np.round(last[inside]) + 1, timeline.n_cells).astype(np.int64)
    np.add.at(steps, stops, -1)
    return np.asarray(np.cumsum(steps[:-1]) > 0)


def _cells(path: Path, column: pd.Series[Any], timeline: Timeline) -> Any:
    """The moments of a column as places on the cells, outside of the series too."""
    import pandas as pd

    if not timeline.has_clock:
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
        _refuse(path, column, np.isnan(numbers), "a number, as the series has no clock")
        return (numbers - timeline.start) / timeline.step
    if pd.api.types.is_numeric_dtype(column):
        _refuse(path, column, np.ones(len(column), dtype=bool), "a date, as the series has a clock")
    times, _ = parse_times(column, lambda row: f"line {row + 2} of {path}")
    moments = times.astype("datetime64[ns]")
    _refuse(path, column, np.isnat(moments), "a date, as the series has a clock")
    return (moments - timeline.start.astype("datetime64[ns]")) / np.timedelta64(1, "s") / timeline.step


def _refuse(path: Path, column: pd.Series[Any], wrong: Bools, expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path}: {column.name} in line {row + 2} is {str(column.iloc[row])!r}; expected {expected}."
        )
