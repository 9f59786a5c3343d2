"""Where the training part ends: a row number, a share, or a point in time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.formats import plain_stamp

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from numpy.typing import NDArray

    from vaenb.records import Ints

    TrainEnd = int | float | str | datetime | np.datetime64 | pd.Timestamp


def find_train_end(train_end: TrainEnd, index: NDArray[Any], cells: Ints) -> int:
    """Turn the end of the training part into a number of rows in time order.

    Parameters
    ----------
    train_end : int, float, str or timestamp
        A row number from 1, a share between 0 and 1, or a timestamp: the rows before it are the training
        part. Text may be any of the three; "2014" is a row number.
    index : ndarray, shape (n_rows,)
    cells : ndarray of int64, shape (n_rows,)

    Returns
    -------
    int

    Raises
    ------
    InputError
        If it cannot be read, or leaves no training part or no test part.
    """
    n_rows = len(index)
    number = _as_number(train_end)
    if number is None:
        found = _rows_before(train_end, index, cells)
        expected = f"a time after {plain_stamp(index.min())} and up to {plain_stamp(index.max())}"
    else:
        found = _rows_of(number, n_rows)
        expected = f"a row number from 1 to {n_rows - 1:,}, or a share between 0 and 1"
    if not 0 < found < n_rows:
        part = "training" if found <= 0 else "test"
        raise InputError(
            f"train_end is {train_end}, which leaves no {part} part of {n_rows:,} rows; expected {expected}."
        )
    return found


def _as_number(train_end: TrainEnd) -> int | float | None:
    if isinstance(train_end, str):
        for kind in (int, float):
            try:
                return kind(train_end)
            except ValueError:
                continue
        return None
    if isinstance(train_end, bool | np.bool_):
        raise InputError(
            f"train_end is {train_end}; expected a row number, a share such as 0.5, or a timestamp."
        )
    if isinstance(train_end, int | np.integer):
        return int(train_end)
    return float(train_end) if isinstance(train_end, float | np.floating) else None


def _rows_of(number: float, n_rows: int) -> int:
    """The rows that a row number or a share stands for."""
    if 0 < number < 1:
        return round(number * n_rows)
    if not math.isfinite(number) or number != int(number):
        raise InputError(f"train_end is {number}; expected a whole row number or a share between 0 and 1.")
    return int(number)


def _rows_before(train_end: TrainEnd, index: NDArray[Any], cells: Ints) -> int:
    """The number of rows, in time order, before the first one at or after a timestamp."""
    import pandas as pd

    stamp = pd.to_datetime(str(train_end), errors="coerce")
    if not isinstance(stamp, pd.Timestamp):
        raise InputError(
            f"train_end is {train_end!r}; expected a row number, a share such as 0.5, or a timestamp such as "
            "2024-01-31."
        )
    if index.dtype.kind != "M":
        raise InputError(
            f"train_end is {train_end!r}, but the series has no timestamps; expected a row number or a share."
        )
    if stamp.tz is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    later = index[np.argsort(cells, kind="stable")] >= stamp.to_datetime64()
    return int(np.argmax(later)) if later.any() else len(index)
