"""A column of timestamps, however it is written, as UTC times or plain numbers."""

from __future__ import annotations

from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

_OFFSET: Final = r"\d(?:Z|\s?[+-]\d{2}:?\d{2}|\s?UTC|\s?GMT)\s*$"
_THREE_NUMBERS: Final = r"^\s*(\d{1,2})([./-])(\d{1,2})[./-](?:\d{4}|\d{2})\b"
_DOTTED_TIME: Final = r"\s(\d{2})\.(\d{2})\.(\d{2})$"
_COMMA: Final = r"(:\d{2}),(\d+)"
_DAY_FIRST: Final = ("%d/%m/%Y", "%d/%m/%y")
_MONTH_FIRST: Final = ("%m/%d/%Y", "%m/%d/%y")
_NAMED_MONTHS: Final = (
    *("%Y/%m/%d", "%d/%b/%Y", "%d/%B/%Y", "%d %b %Y", "%d %B %Y", "%d/%b/%y", "%b %d, %Y", "%B %d, %Y"),
    *("%b %d %Y", "%a %b %d %Y", ""),
)
_CLOCKS: Final = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")
_TIMES: Final = ("", *(gap + clock for gap in (" ", "T", ":", ", ", "") for clock in _CLOCKS))
_COMPACT: Final = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_EPOCHS: Final = (("s", 1e8, 1e10), ("ms", 1e11, 1e13), ("us", 1e14, 1e16), ("ns", 1e17, 1e19))
_UNITS: Final = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def parse_times(column: pd.Series[Any], where: Callable[[int], str]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Read timestamps.

    Parameters
    ----------
    column : Series of pandas
        Dates as text or datetimes, seconds (or milli-, micro-, nanoseconds) since 1970, or a running number.
    where : callable
        ``where(row)`` says where a row stands.

    Returns
    -------
    times : ndarray, shape (n_rows,)
        datetime64[ns], in UTC where the input has a time zone; int64 or float64 where numbers are no dates.
    notes : tuple of str
        What had to be decided.

    Raises
    ------
    InputError
        If a timestamp is missing, or cannot be read.
    """
    import pandas as pd

    column = column.reset_index(drop=True)
    if column.isna().any():
        row = int(np.argmax(column.isna().to_numpy()))
        raise InputError(
            f"Column {column.name!r} has no timestamp in {where(row)}; expected one in every row: "
            "fill it in, or take the row out."
        )
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _from_datetimes(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _from_numbers(column)
    text = column.astype(str).str.strip()
    if text.str.fullmatch(r"\d+").all():
        return _from_numbers(pd.to_numeric(text))
    return _from_text(text, where)


def looks_like_dates(column: pd.Series[Any]) -> bool:
    """Whether the first entries of a column of text can be read as dates."""
    import pandas as pd

    sample = column.dropna().head(20).astype(str).str.strip().reset_index(drop=True)
    if not len(sample) or not sample.str.contains(r"\d+\D+\d+").all():
        return False
    try:
        times, _ = parse_times(sample, str)
    except InputError:
        return False
    return bool(pd.api.types.is_datetime64_any_dtype(times.dtype))


def _from_datetimes(column: pd.Series[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    zone = column.dt.tz
    if zone is None:
        return _nanoseconds(column), ()
    note = () if str(zone) == "UTC" else (f"timestamps are brought from {zone} to UTC",)
    return _nanoseconds(column.dt.tz_convert("UTC").dt.tz_localize(None)), note


def _nanoseconds(column: pd.Series[Any]) -> NDArray[Any]:
    import pandas as pd

    try:
        return np.asarray(column.dt.as_unit("ns").to_numpy(), dtype="datetime64[ns]")
    except pd.errors.OutOfBoundsDatetime:
        raise InputError(
            f"Column {column.name!r} reaches from {column.min()} to {column.max()}; "
            "expected dates between 1678 and 2262: mend the ones outside."
        ) from None


def _from_numbers(column: pd.Series[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    numbers = column.to_numpy(dtype=np.float64)
    compact = _from_compact(column, numbers)
    if compact is not None:
        return compact, ()
    for unit, low, high in _EPOCHS:
        if low <= numbers.min() and numbers.max() < high:
            return _since_1970(column, unit), (f"{column.name!r} is read as {_UNITS[unit]} since 1970",)
    if not np.isfinite(numbers).all():
        raise InputError(f"Column {column.name!r} holds an infinite number; expected times: mend it.")
    if (numbers == np.rint(numbers)).all() and np.abs(numbers).max() < 2**53:
        return numbers.astype(np.int64), ()
    return numbers, ()


def _since_1970(column: pd.Series[Any], unit: str) -> NDArray[Any]:
    factor = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}[unit]
    if column.dtype.kind == "f":  # to the microsecond, which is what a float can hold
        micro = np.rint(column.to_numpy(dtype=np.float64) * (factor / 1_000)).astype(np.int64)
        return np.asarray(micro * 1_000).astype("datetime64[ns]")
    return np.asarray(column.to_numpy(dtype=np.int64) * factor).astype("datetime64[ns]")


def _from_compact(column: pd.Series[Any], numbers: NDArray[np.float64]) -> NDArray[Any] | None:
    """Dates such as 20240131, or None."""
    import pandas as pd

    length = len(f"{numbers[0]:.0f}")
    if length not in _COMPACT or numbers.min() < 1.9 * 10 ** (length - 1) or (numbers % 1).any():
        return None
    text = pd.Series(column.to_numpy(dtype=np.int64)).astype(str)
    times = pd.to_datetime(text, format=_COMPACT[length], errors="coerce")
    return None if times.isna().any() or times.dt.year.max() > 2100 else _nanoseconds(times)


def _from_text(text: pd.Series[Any], where: Callable[[int], str]) -> tuple[NDArray[Any], tuple[str, ...]]:
    import pandas as pd

    notes: tuple[str, ...] = ()
    times = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    if times.isna().mean() > 0.5:
        times, notes = _from_custom(text)
    if times.isna().any():
        row = int(np.argmax(times.isna().to_numpy()))
        raise InputError(
            f"Column {text.name!r} holds {text.iloc[row]!r} in {where(row)}, which cannot be read as a date; "
            "expected one such as 2024-01-31 13:45:00: mend it, or name another column with time=."
        )
    if text.str.contains(_OFFSET).any():
        notes += ("timestamps are brought to UTC",)
    return _nanoseconds(times.dt.tz_localize(None)), notes


def _from_custom(text: pd.Series[Any]) -> tuple[pd.Series[Any], tuple[str, ...]]:
    """Dates such as 31.01.2024 13:45 or Jan 31, 2024; NaT where they cannot be read."""
    import pandas as pd

    text = text.str.replace(_DOTTED_TIME, r" \1:\2:\3", regex=True).str.replace(_COMMA, r"\1.\2", regex=True)
    found = text.str.extract(_THREE_NUMBERS)
    if found[0].isna().mean() > 0.5:
        times = _read_alike(text, _NAMED_MONTHS)
        return _count_days(times) if times.dt.year.eq(1900).all() else (times, ())
    first, second = (pd.to_numeric(found[i]) for i in (0, 2))
    if (first > 12).any() or (second > 12).any():
        return _read_alike(text, _DAY_FIRST if (first > 12).any() else _MONTH_FIRST), ()
    # Either reading is possible: the one that runs forwards and evenly, or else the separator's custom.
    both = {"day": _read_alike(text, _DAY_FIRST), "month": _read_alike(text, _MONTH_FIRST)}
    oddness = {order: _oddness(times) for order, times in both.items()}
    custom = "day" if found[1].iloc[0] == "." else "month"
    order = custom if oddness["day"] == oddness["month"] else min(oddness, key=lambda order: oddness[order])
    note = f"dates such as {text.iloc[0]} can be read in two ways: they are read with the {order} first"
    return both[order], (note,)


def _count_days(times: pd.Series[Any]) -> tuple[pd.Series[Any], tuple[str, ...]]:
    """Times of day without a date, with a new day wherever the clock falls."""
    import pandas as pd

    days = (times.diff().dt.total_seconds() < 0).cumsum()
    return times + pd.to_timedelta(days, unit="D"), (
        "times without a date: days are counted from 1900-01-01",
    )


def _oddness(times: pd.Series[Any]) -> tuple[int, float]:
    """How often times fall, and how much longer the longest step is than the usual one."""
    steps = times.diff().dt.total_seconds().to_numpy()[1:]
    rising = steps[steps > 0]
    return int(np.sum(steps < 0)), float(rising.max() / np.median(rising)) if len(rising) else 0.0


def _read_alike(text: pd.Series[Any], days: tuple[str, ...]) -> pd.Series[Any]:
    """Read all dates in the format that fits the first one; NaT where it does not fit."""
    import pandas as pd

    for parts in (*product(days, _TIMES, ("", "%z", " %z")), ("%a %b %d %H:%M:%S %Y",)):
        form = "".join(parts).replace("/", _separator_of(text.iloc[0]))
        try:
            datetime.strptime(text.iloc[0], form)  # noqa: DTZ007 - only to see whether it fits
        except ValueError:
            continue
        return pd.to_datetime(text, format=form, utc=True, errors="coerce")
    return pd.to_datetime(pd.Series(pd.NaT, index=text.index), utc=True)


def _separator_of(text: str) -> str:
    return next((char for char in text if char in "./-"), "/")
