"""Step 1, prepare data: read a series from a file, a DataFrame or an array, and find out what is what."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaenb.counting import whole_numbers
from vaenb.errors import InputError
from vaenb.reading.channels import check_values, read_channels
from vaenb.reading.columns import find_clock, find_labels, find_time, is_counter, require, to_labels
from vaenb.reading.dates import parse_times
from vaenb.reading.grid import lay_grid
from vaenb.reading.tables import from_pandas, name_row, read_table
from vaenb.records import Series
from vaenb.splits import find_train_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from vaenb.reading.tables import Table
    from vaenb.records import Floats
    from vaenb.splits import TrainEnd

    Source = str | os.PathLike[str] | pd.DataFrame | pd.Series[Any] | ArrayLike | Series
    Labels = str | ArrayLike | Literal[False] | None

_HALF = 0.5


def read_series(
    source: Source,
    *,
    time: str | Literal[False] | None = None,
    values: str | Sequence[str] | None = None,
    labels: Labels = None,
    train_end: TrainEnd | None = None,
    name: str | None = None,
    may_rest: bool = False,
) -> Series:
    """Read a time series, and find its time axis, its channels and its labels.

    Parameters
    ----------
    source : path, DataFrame, pandas Series, array_like or Series
        A CSV file (comma, semicolon, tab; decimal point or comma; UTF-8, UTF-16 or Latin-1; gzip or not),
        a Parquet file, a DataFrame, an array of shape (n_rows,) or (n_rows, n_channels), or a `Series`, of
        which a copy with other `values`, `labels`, `train_end` or `name` comes back.
    time : str or False, optional
        The column with the timestamps; False where there is none. Without it, dates are looked for,
        then a running number such as "index".
    values : str or sequence of str, optional
        The columns with the channels; without it, all columns of numbers that are nothing else.
    labels : str, array_like or False, optional
        The column, or the array of shape (n_rows,), with 1 for each anomalous row and 0 for the others;
        False leaves them out. Without it, a column with a name such as "label" or "is_anomaly" is taken.
    train_end : int, float, str or timestamp, optional
        Where the training part ends: a row number, a share between 0 and 1, or a timestamp, the rows before
        which are the training part. Half of the rows without it.
    name : str, optional
        What to call the series; the file's name without it.
    may_rest : bool
        Accept a series that never changes, and named columns without a value: for what is only to be
        scored. Nothing can be learnt from it.

    Returns
    -------
    Series
        With one row for each row of the input. What was found and mended is told in `Series.about`.

    Raises
    ------
    InputError
        If nothing can be learnt from the input as it is; the sentence says where and what to do.

    Warnings
    --------
    The training part should be free of anomalies as far as anybody knows: what is in it is learnt as normal.

    Examples
    --------
    >>> import numpy as np
    >>> series = read_series(np.sin(np.arange(1000) / 8), train_end=600)
    >>> len(series), series.channels, series.train_end
    (1000, ('value',), 600)
    """
    import pandas as pd

    if isinstance(source, Series):
        return _override(source, time=time, values=values, labels=labels, train_end=train_end, name=name)
    if isinstance(source, str | os.PathLike):
        table = read_table(Path(source))
    elif isinstance(source, pd.DataFrame | pd.Series):
        table = from_pandas(source)
    else:
        if time or values is not None or isinstance(labels, str):
            raise InputError("An array has no column names: pass a DataFrame to choose columns by name.")
        return _from_array(
            np.asarray(source), labels=labels, train_end=train_end, name=name, may_rest=may_rest
        )
    return _from_table(
        table,
        time=time,
        values=values,
        labels=labels,
        train_end=train_end,
        name=name,
        may_rest=may_rest,
    )


def _from_array(
    array: NDArray[Any],
    *,
    labels: ArrayLike | Literal[False] | None,
    train_end: TrainEnd | None,
    name: str | None,
    may_rest: bool,
) -> Series:
    try:
        table = array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise InputError(
            f"An array of {array.dtype} cannot be read as numbers; expected floats or integers."
        ) from None
    if table.ndim not in {1, 2} or not table.size:
        raise InputError(f"The array has shape {array.shape}; expected (n_rows,) or (n_rows, n_channels).")
    table = table[:, None] if table.ndim == 1 else table
    channels = tuple(f"v{i}" for i in range(table.shape[1])) if table.shape[1] > 1 else ("value",)
    notes = check_values(table, channels, name_row, may_rest=may_rest)
    marks = None if labels is None or labels is False else _given_labels(labels, len(table))
    axis = _Axis(index=whole_numbers(len(table)), name="index")
    return _assemble(
        table, channels, axis, labels=marks, train_end=train_end, name=name or "series", notes=notes
    )


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """The index of a series, and where it differs, the times to lay the grid by."""

    index: NDArray[Any]
    name: str
    times: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()  # which are no channels therefore


def _from_table(
    table: Table,
    *,
    time: str | Literal[False] | None,
    values: str | Sequence[str] | None,
    labels: Labels,
    train_end: TrainEnd | None,
    name: str | None,
    may_rest: bool,
) -> Series:
    frame = table.frame
    chosen = [values] if isinstance(values, str) else list(values or ())
    for column in chosen:
        require(frame, column, "values")
    label_column = require(frame, labels, "labels") if isinstance(labels, str) else find_labels(frame, chosen)
    taken = [*chosen, *([label_column] if label_column else [])]
    axis = _read_axis(table, time, taken)
    rest = [column for column in frame.columns if column not in (label_column, *axis.columns)]
    numbers, channels, notes = read_channels(table, chosen or rest, named=bool(chosen), may_rest=may_rest)
    marks, said = _read_labels(table, labels, label_column)
    return _assemble(
        numbers,
        channels,
        axis,
        labels=marks,
        train_end=train_end,
        name=name or table.name,
        notes=[*table.notes, *axis.notes, *notes, *said],
    )


def _read_axis(table: Table, time: str | Literal[False] | None, taken: Sequence[str]) -> _Axis:
    """The time axis that is named or found; else a column that counts; else the row numbers."""
    frame = table.frame
    counters = tuple(column for column in frame.columns if column not in taken and is_counter(frame, column))
    column = require(frame, time, "time") if time else None
    if time is None:
        column = find_time(frame, taken) or (counters[0] if counters else None)
    if column is None:
        return _Axis(index=np.arange(len(frame)), name="index", columns=counters)
    clock = find_clock(frame, column)
    stamps = (
        frame[column] if clock is None else (frame[column] + " " + frame[clock]).rename(f"{column} {clock}")
    )
    times, notes = parse_times(stamps, table.where)
    used = (column, *((clock,) if clock else ()), *counters)
    if times.dtype.kind != "f":
        return _Axis(index=times, name=str(stamps.name), notes=notes, columns=used)
    return _Axis(index=np.arange(len(times)), name="index", times=times, notes=notes, columns=used)


def _read_labels(
    table: Table, labels: Labels, column: str | None
) -> tuple[NDArray[np.int8] | None, tuple[str, ...]]:
    if labels is False or (labels is None and column is None):
        return None, ()
    if labels is None or isinstance(labels, str):
        return to_labels(table.frame[column], table.where)
    return _given_labels(labels, len(table.frame)), ()


def _given_labels(labels: ArrayLike, n_rows: int) -> NDArray[np.int8]:
    import pandas as pd

    array = np.asarray(labels)
    if array.shape != (n_rows,):
        raise InputError(f"labels has shape {array.shape}; expected ({n_rows},), one label for each row.")
    return to_labels(pd.Series(array, name="labels"), name_row)[0]


def _assemble(
    values: Floats,
    channels: tuple[str, ...],
    axis: _Axis,
    *,
    labels: NDArray[np.int8] | None,
    train_end: TrainEnd | None,
    name: str,
    notes: Sequence[str],
) -> Series:
    grid = lay_grid(axis.index if axis.times is None else axis.times)
    return Series(
        name=name,
        index=axis.index,
        values=values,
        channels=channels,
        train_end=find_train_end(_HALF if train_end is None else train_end, axis.index, grid.cells),
        cells=grid.cells,
        n_cells=grid.n_cells,
        labels=labels,
        interval=grid.interval,
        index_name=axis.name,
        repairs=(*notes, *grid.repairs),
    )


def _override(
    series: Series,
    *,
    time: str | Literal[False] | None,
    values: str | Sequence[str] | None,
    labels: Labels,
    train_end: TrainEnd | None,
    name: str | None,
) -> Series:
    if time is not None or isinstance(labels, str):
        raise InputError(
            "A Series has its time axis, and no label column: read the file again to choose columns."
        )
    changes: dict[str, Any] = {}
    if values is not None:
        chosen = (values,) if isinstance(values, str) else tuple(values)
        for channel in chosen:
            if channel not in series.channels:
                raise InputError(
                    f"There is no channel {channel!r}; expected some of: {', '.join(series.channels)}."
                )
        places = [series.channels.index(channel) for channel in chosen]
        changes |= {"channels": chosen, "values": series.values[:, places]}
    if labels is not None:
        changes["labels"] = None if labels is False else _given_labels(labels, len(series))
    if train_end is not None:
        changes["train_end"] = find_train_end(train_end, series.index, series.cells)
    if name is not None:
        changes["name"] = name
    return replace(series, **changes)
