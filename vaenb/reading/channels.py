"""The channels of a table: numbers with their faults named, told or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.reading.tables import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from vaenb.reading.tables import Table
    from vaenb.records import Floats

LARGEST: Final = 1e30
_FAR: Final = 100.0
_SHOWN: Final = 5
_ELSEWHERE: Final = "take another file, or other columns"


def read_channels(
    table: Table, names: Sequence[str], *, named: bool, may_rest: bool = False
) -> tuple[Floats, tuple[str, ...], tuple[str, ...]]:
    """The values of some columns.

    Parameters
    ----------
    table : Table
    names : sequence of str
        The columns to read.
    named : bool
        Whether somebody asked for these columns; else the ones without numbers are left out.
    may_rest : bool
        Whether channels may be constant or hold no value: in what is to be scored, not learnt from.

    Returns
    -------
    values : ndarray of float64, shape (n_rows, n_channels)
        NaN where missing.
    channels : tuple of str
    notes : tuple of str
        What was left out, and what is odd.

    Raises
    ------
    InputError
        If there is text among numbers, or no numeric column, or no value at all, or nothing but constants,
        or a value that is infinite or beyond 1e30.
    """
    columns: dict[str, Floats] = {}
    texts: list[str] = []
    empty: list[str] = []
    notes: list[str] = []
    for name in names:
        numbers, wrong, told = to_numbers(table.frame[name])
        if wrong is not None and (named or _is_mostly_numbers(numbers, table.frame[name])):
            _refuse_text(table, name, wrong)
        notes += told
        if wrong is not None:
            texts.append(name)
        elif np.isnan(numbers).all() and not may_rest:
            empty.append(name)
        else:
            columns[name] = numbers
    if not columns:
        raise InputError(_nothing(table.frame, names, texts, empty))
    notes += [
        f"left out, because it holds no {what}: {_shorten(left)}"
        for what, left in (("number", texts), ("value", empty))
        if left
    ]
    values = (
        np.stack(list(columns.values()), axis=1)
        if len(columns) > 1
        else next(iter(columns.values()))[:, None]
    )
    channels = tuple(columns)
    notes += check_values(values, channels, table.where, may_rest=may_rest)
    return values, channels, tuple(notes)


def check_values(
    values: Floats, channels: Sequence[str], where: Callable[[int], str], *, may_rest: bool = False
) -> list[str]:
    """Refuse values that nothing can be learnt from, and tell of the odd ones."""
    if len(values) < 2:
        raise InputError("The series has 1 row; expected at least 2, for a training and a test part.")
    _refuse_enormous(values, channels, where)
    spans = np.array(
        [np.ptp(column[~np.isnan(column)]) if not np.isnan(column).all() else 0.0 for column in values.T]
    )
    still = [channel for channel, span in zip(channels, spans, strict=True) if span == 0]
    if len(still) == len(channels):
        first = values[~np.isnan(values)]
        if not len(first):
            raise InputError(f"All {values.size:,} values are missing; expected numbers: {_ELSEWHERE}.")
        if may_rest:
            return []
        raise InputError(
            f"The series is constant: {_shorten(still)} never changes from {first[0]:g}; "
            f"expected values that vary: {_ELSEWHERE}."
        )
    notes = [f"constant from beginning to end: {_shorten(still)}"] if still else []
    for channel, column in zip(channels, values.T, strict=True):
        notes += _tell_far(channel, column, where)
    return notes


def to_numbers(column: pd.Series[Any]) -> tuple[Floats, int | None, tuple[str, ...]]:
    """A column as numbers, NaN where missing; the first row that is no number; and how commas were read."""
    import pandas as pd
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype) and column.dtype.kind != "c":
        return column.to_numpy(dtype=np.float64, na_value=np.nan), None, ()
    if types.is_datetime64_any_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        return np.full(len(column), np.nan), 0, ()
    text = column.astype(str).str.strip()
    missing = (column.isna() | text.isin(MISSING)).to_numpy()
    said, notes = _without_commas(text[~missing])
    numbers = np.full(len(column), np.nan)
    numbers[~missing] = pd.to_numeric(said, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(np.isnan(numbers) & ~missing)
    return numbers, int(wrong[0]) if len(wrong) else None, notes


def _without_commas(text: pd.Series[Any]) -> tuple[pd.Series[Any], tuple[str, ...]]:
    """Numbers as text, with commas read as what the whole column shows them to be."""
    if not text.str.contains(",", regex=False).any():
        return text, ()
    if text.str.fullmatch(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?").all():
        note = f"{text.name!r}: commas are read as thousands separators, as in {text.iloc[0]}"
        return text.str.replace(",", "", regex=False), (note,)
    if text.str.fullmatch(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?([eE][+-]?\d+)?").all():
        return text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False), ()
    return text, ()


def _is_mostly_numbers(numbers: Floats, column: pd.Series[Any]) -> bool:
    return bool(2 * np.sum(~np.isnan(numbers)) > column.notna().sum())


def _refuse_text(table: Table, name: str, row: int) -> None:
    raise InputError(
        f"Column {name!r} holds {str(table.frame[name].iloc[row])!r} in {table.where(row)}; "
        "expected a number: mend it, leave it empty, or choose other columns with values=."
    )


def _nothing(frame: pd.DataFrame, names: Sequence[str], texts: list[str], empty: list[str]) -> str:
    if empty and not texts:
        found = f"All {len(frame):,} values of {_shorten(empty)} are missing"
        return f"{found}; expected numbers: {_ELSEWHERE}."
    taken = [str(column) for column in frame.columns if column not in names]
    beside = f" beside {_shorten(taken)}, taken for the time or the labels" if taken else ""
    held = ""
    if texts:
        example = f"{texts[0]!r} holds {str(frame[texts[0]].iloc[0])!r}"
        held = f" among: {', '.join(map(str, names[:20]))} ({example})"
    return f"There is no numeric column{beside}{held}; expected at least one column of numbers."


def _shorten(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _refuse_enormous(values: Floats, channels: Sequence[str], where: Callable[[int], str]) -> None:
    for channel, column in zip(channels, values.T, strict=True):
        enormous = np.abs(column) > LARGEST  # NaN is not
        if enormous.any():
            row = int(np.argmax(enormous))
            raise InputError(
                f"Column {channel!r} holds {column[row]:g} in {where(row)}; expected a finite number "
                f"of at most {LARGEST:g} in size: mend it, or leave it empty."
            )


def _tell_far(channel: str, column: Floats, where: Callable[[int], str]) -> list[str]:
    """One sentence on values far outside the range of all the others, which may be codes of an error."""
    known = column[~np.isnan(column)]
    if not len(known):
        return []
    low, below, middle, above, high = np.percentile(known, [1, 10, 50, 90, 99])
    span = above - below or high - low
    if span <= 0:
        return []
    distance = np.abs(column - middle)
    n_far = int(np.sum(distance > _FAR * span))
    if not n_far:
        return []
    row = int(np.nanargmax(distance))
    many = "1 value lies" if n_far == 1 else f"{n_far:,} values lie"
    return [f"{channel}: {many} far outside the usual range, the farthest {column[row]:g} in {where(row)}"]
