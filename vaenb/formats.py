"""How numbers, times and lengths of time read to a person."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUTE, HOUR, DAY = 60, 3_600, 86_400
_STEP_NAMES = {
    1.0: "seconds",
    60.0: "minutes",
    900.0: "quarter-hours",
    1_800.0: "half-hours",
    3_600.0: "hours",
    86_400.0: "days",
    604_800.0: "weeks",
}


def step_name(interval: float | None) -> str:
    """What rows `interval` seconds apart are called.

    Examples
    --------
    >>> step_name(1800.0), step_name(7.0), step_name(None)
    ('half-hours', 'points', 'points')
    """
    return _STEP_NAMES.get(interval or 0.0, "points")


def counted(count: int, one: str, many: str = "") -> str:
    """A number of things, in the singular where it is one.

    Examples
    --------
    >>> counted(1, "event"), counted(1200, "event")
    ('1 event', '1,200 events')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def number(value: float, digits: int = 4) -> str:
    """A number to be read by a person: `digits` significant digits, thousands marked.

    Examples
    --------
    >>> number(12345.6), number(0.012345), number(float("nan"))
    ('12,346', '0.01235', '\u2013')
    """
    if not math.isfinite(value):
        return "\u2013" if math.isnan(value) else ("\u221e" if value > 0 else "\u2212\u221e")
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    if value and not -4 < int(power) < 9:
        mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}\u00d710{str(int(power)).translate(SUPERSCRIPTS)}".replace("-", "\u2212")
    text = f"{value:,.{max(0, digits - 1 - int(power))}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "\u2212")


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals, to stand in a column with others.

    Examples
    --------
    >>> fixed(1234.5, 2)
    '1,234.50'
    """
    known = math.isfinite(value) and abs(value) < 1e9
    return f"{value:,.{decimals}f}".replace("-", "\u2212") if known else number(value)


def percent(share: float) -> str:
    r"""A share as a percentage with two significant digits.

    Examples
    --------
    >>> percent(0.00123) == "0.12\u202f%"
    True
    """
    return f"{number(100 * share, 2)}\u202f%"


def duration(seconds: float) -> str:
    """A length of time in its two largest units.

    Examples
    --------
    >>> duration(12_600), duration(0.0055), duration(90_000)
    ('3 h 30 min', '5.5 ms', '1 d 1 h')
    """
    if seconds < 1:
        return f"{number(seconds * 1000, 3)} ms"
    if seconds < MINUTE:
        return f"{number(seconds, 3)} s"
    units = (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", 1))
    (unit, size), (small, small_size) = next(
        pair for pair in itertools.pairwise(units) if seconds >= pair[0][1]
    )
    whole, rest = divmod(round(seconds / small_size), size // small_size)
    return f"{whole:,} {unit} {rest} {small}" if rest else f"{whole:,} {unit}"


def stamp(moment: np.datetime64 | np.int64 | int, interval: float | None) -> str:
    """A timestamp as precise as the sampling: days, minutes, seconds or milliseconds; or a row's number.

    Examples
    --------
    >>> stamp(np.datetime64("2015-01-27T01:30:00"), 1800.0), stamp(12345, None)
    ('2015-01-27 01:30', '12,345')
    """
    if not isinstance(moment, np.datetime64):
        return number(float(moment), 12)
    if np.isnat(moment):
        return "\u2013"
    units = (("D", DAY), ("m", MINUTE), ("s", 1))
    step = interval or 0.001
    unit = next((unit for unit, size in units if step >= size and step % size == 0), "ms")
    return str(moment.astype(f"datetime64[{unit}]")).replace("T", " ")


def plain_stamp(stamp: Any) -> str:
    """A timestamp to the minute, or as much finer as it says; any other index as it is.

    Examples
    --------
    >>> plain_stamp(np.datetime64("2015-01-27T01:30:00")), plain_stamp(12345)
    ('2015-01-27 01:30', '12,345')
    """
    if not isinstance(stamp, np.datetime64):
        return f"{stamp:,}"
    text = str(stamp.astype("datetime64[ns]")).replace("T", " ")
    return text.removesuffix(".000000000").removesuffix(":00") if text.endswith("0" * 9) else text.rstrip("0")


def rounded_span(seconds: float) -> str:
    """Seconds in the largest unit that keeps the number at or above one.

    Examples
    --------
    >>> rounded_span(5_400.0), rounded_span(0.0055)
    ('1.5 h', '5.5 ms')
    """
    for unit, size in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds * 1000:.4g} ms"
