"""Which column of a table is the time, which only counts, and which holds labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.reading.dates import looks_like_dates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TIME_NAMES: Final = _words(
    "timestamp timestamps time times date dates datetime date_time ts ds t epoch unix elapsed seconds"
)
_TIME_WORDS: Final = ("time", "date", "stamp", "zeit", "datum", "fecha", "utc")
_YEAR_1973: Final = 1e8  # in seconds since 1970
_CLOCK_NAMES: Final = _words("time hour clock uhrzeit zeit heure hora ora tijd tid")
_CLOCK: Final = r"\s*\d{1,2}[:.]\d{2}"
_INDEX_NAMES: Final = _words("index idx unnamed_0")
_COUNTER_NAMES: Final = _words("row row_id step id no nr sample")
_LABEL_NAMES: Final = _words("label labels is_anomaly is_outlier is_attack ground_truth y_true")
_LIKELY_LABELS: Final = _words("anomaly anomalies anomalous outlier outliers attack fault normal_attack")
_LABEL_WORDS: Final = {
    **dict.fromkeys(_words("0 0.0 false f no n normal ok"), 0),
    **dict.fromkeys(_words("1 1.0 true yes y anomaly anomalous abnormal outlier attack"), 1),
}


def known(name: str) -> str:
    """A column's name as the lists above write it."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def require(frame: pd.DataFrame, name: str, role: str) -> str:
    """The name itself, where the table has such a column.

    Raises
    ------
    InputError
        If it has not.
    """
    if name in frame.columns:
        return name
    listed = ", ".join(map(str, frame.columns[:20])) + (", ..." if frame.shape[1] > 20 else "")
    raise InputError(f"There is no column {name!r} for the {role}; expected one of: {listed}.")


def find_time(frame: pd.DataFrame, taken: Sequence[str]) -> str | None:
    """The column that says when, or None.

    A column of datetimes; else text under a name such as "timestamp", even where it cannot be read, so that
    its reader is told; else numbers under such a name that never fall, or under one such as "event_time" that
    count from 1970; else any text that reads as dates.
    """
    from pandas.api import types

    free = [str(name) for name in frame.columns if name not in taken]
    named = [name for name in free if known(name) in _TIME_NAMES]
    likely = [name for name in free if any(word in known(name) for word in _TIME_WORDS)]
    texts = {name for name in free if not types.is_numeric_dtype(frame[name].dtype)}
    candidates = (
        *(name for name in free if types.is_datetime64_any_dtype(frame[name].dtype)),
        *(name for name in named if name in texts and frame[name].notna().any()),
        *(name for name in named if name not in texts and _is_running(frame[name], least=-np.inf)),
        *(name for name in likely if name not in texts and _is_running(frame[name], least=_YEAR_1973)),
        *(name for name in (*likely, *free) if name in texts and looks_like_dates(frame[name])),
    )
    return next(iter(candidates), None)


def _is_running(column: pd.Series[Any], *, least: float) -> bool:
    """Whether numbers are a time axis: never falling, or large as seconds since 1970 are."""
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(numbers).any() or len(numbers) < 2 or numbers.min() < least:
        return False
    is_rising = (np.diff(numbers) >= 0).all() and numbers[0] < numbers[-1]
    return bool(is_rising or numbers.min() > _YEAR_1973)


def find_clock(frame: pd.DataFrame, date: str) -> str | None:
    """The column with the time of day that belongs to a column of dates, or None."""
    from pandas.api import types

    if types.is_numeric_dtype(frame[date].dtype) or frame[date].astype(str).str.contains(":").any():
        return None
    for name in frame.columns:
        is_text = name != date and not types.is_numeric_dtype(frame[name].dtype)
        if is_text and known(name) in _CLOCK_NAMES and frame[name].astype(str).str.match(_CLOCK).all():
            return str(name)
    return None


def is_counter(frame: pd.DataFrame, name: str) -> bool:
    """Whether a column only counts the rows: an index, not a channel."""
    column = frame[name]
    if column.dtype.kind not in "iu" or len(column) < 2:
        return False
    steps = np.diff(column.to_numpy(dtype=np.int64))
    short = known(name)
    if short in _INDEX_NAMES or not short:
        return bool((steps != 0).any())
    if short in _COUNTER_NAMES:
        return bool((steps > 0).all())
    return bool(name == frame.columns[0] and frame.shape[1] > 1 and (steps == 1).all())


def find_labels(frame: pd.DataFrame, taken: Sequence[str]) -> str | None:
    """The column that says which rows are anomalous, or None."""
    names = [str(name) for name in frame.columns if name not in taken]
    for name in names:
        if known(name) in _LABEL_NAMES:
            return name
    for name in names:
        if known(name) in _LIKELY_LABELS and _as_labels(frame[name]) is not None:
            return name
    return None


def to_labels(
    column: pd.Series[Any], where: Callable[[int], str]
) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    """Labels as 0/1, a missing one as 0.

    Raises
    ------
    InputError
        If a label is neither 0 nor 1, nor a word such as "normal" or "attack".
    """
    marks = _as_labels(column)
    if marks is None:
        row = int(np.argmax(_marks(column) == 2))
        raise InputError(
            f"The labels in {column.name!r} hold {str(column.iloc[row])!r} in {where(row)}; "
            "expected 0 or 1: mend them, name another column with labels=, or use labels=False for none."
        )
    n_missing = int((marks == -1).sum())
    note = (f"{n_missing:,} missing labels count as 0",) if n_missing else ()
    return np.maximum(marks, 0).astype(np.int8), note


def _as_labels(column: pd.Series[Any]) -> NDArray[np.int8] | None:
    marks = _marks(column)
    return None if (marks == 2).any() or not (marks >= 0).any() else marks


def _marks(column: pd.Series[Any]) -> NDArray[np.int8]:
    """0 or 1 for each row, -1 where nothing is said, 2 where something else is said."""
    import pandas as pd

    codes, said = pd.factorize(column)
    meaning = [_LABEL_WORDS.get(str(word).lower().replace(" ", ""), 2) for word in said]
    return np.array([*meaning, -1], dtype=np.int8)[codes]
