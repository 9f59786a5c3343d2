"""Scales, and where the ticks of an axis stand and what they say: the arithmetic behind every picture."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.formats import DAY, HOUR, MINUTE, SUPERSCRIPTS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Moment = np.datetime64

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LARGE_UNITS = {6: "\u202fM", 9: "\u202fG", 12: "\u202fT"}
_NS = 1_000_000_000
_STEPS_NS = (
    *(digit * 10**power for power in range(9) for digit in (1, 2, 5)),
    *(seconds * _NS for seconds in (1, 2, 5, 10, 15, 30)),
    *(minutes * MINUTE * _NS for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR * _NS for hours in (1, 2, 3, 6, 12)),
    *(days * DAY * _NS for days in (1, 2, 7, 14)),
)
_MONDAY_NS = 4 * DAY * _NS  # 1970 began on a Thursday; weeks are counted from its first Monday
_STEPS_MONTHS = (1, 2, 3, 6, *(12 * digit * 10**power for power in range(5) for digit in (1, 2, 5)))
_MORE = 1.6  # how many ticks too many are better than too few: steps grow by up to 3.5
_ABOUT_A_MONTH_NS = 30.44 * DAY * _NS


@dataclass(frozen=True)
class Tick:
    """A place on an axis, what stands there, and a second line that is shown where it changes."""

    value: float
    label: str
    context: str = ""


@dataclass(frozen=True)
class Scale:
    """Values to places from 0 (at `low`) to 1 (at `high`).

    A finite `width` bends the scale: it is straight within about one `width` of `centre` and
    logarithmic beyond, so that one enormous score does not flatten all others.

    Examples
    --------
    >>> Scale(0, 10)([0, 2.5, 10]).tolist()
    [0.0, 0.25, 1.0]
    """

    low: float
    high: float
    centre: float = 0.0
    width: float = math.inf

    @property
    def bent(self) -> bool:
        """Whether the scale is logarithmic far from its centre."""
        return math.isfinite(self.width)

    def _bend(self, values: ArrayLike) -> Floats:
        plain = np.asarray(values, dtype=np.float64)
        return np.arcsinh((plain - self.centre) / self.width) if self.bent else plain

    def __call__(self, values: ArrayLike) -> Floats:
        """The places of `values`; beyond 0 and 1 for values outside the scale."""
        low, high = self._bend([self.low, self.high])
        # Halves, because the span of the largest floats is itself too large for a float.
        return np.asarray((self._bend(values) / 2 - low / 2) / (high / 2 - low / 2))

    def inverse(self, places: ArrayLike) -> Floats:
        """The values at `places`, the other way round."""
        low, high = self._bend([self.low, self.high])
        bent = low + np.asarray(places, dtype=np.float64) * (high - low)
        return np.asarray(self.centre + self.width * np.sinh(bent) if self.bent else bent)


def limits(*arrays: ArrayLike, pad: float = 0.05) -> tuple[float, float]:
    """The lowest and the highest finite value, with some air; never equal.

    Parameters
    ----------
    *arrays : array_like
        NaN and infinities are passed over; nothing left gives (0, 1).
    pad : float
        Air on either side, as a share of the span.

    Examples
    --------
    >>> limits([1.0, 3.0], pad=0.0), limits([5.0]), limits([])
    ((1.0, 3.0), (4.5, 5.5), (0.0, 1.0))
    """
    plain = [np.asarray(array, dtype=np.float64).ravel() for array in arrays]
    # Spans of the largest floats are themselves too large for a float.
    known = [np.clip(array[np.isfinite(array)], -1e300, 1e300) for array in plain]
    low = min((float(array.min()) for array in known if len(array)), default=math.inf)
    high = max((float(array.max()) for array in known if len(array)), default=-math.inf)
    if low > high:
        return 0.0, 1.0
    air = (high - low) * pad
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-300):
        air = 0.1 * max(abs(low), abs(high)) or 1.0
    return low - air, high + air


def nice_step(span: float, n: int) -> float:
    """Of 1, 2 and 5 times a power of ten, the one that cuts `span` into nearest to `n` parts.

    Examples
    --------
    >>> nice_step(10, 5), nice_step(0.9, 5)
    (2.0, 0.2)
    """
    rough = span / max(n, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    # Borders at the geometric means: 1.4 is as far from 1 as from 2.
    digit = sum(
        extra for border, extra in ((50**0.5, 5), (10**0.5, 3), (2**0.5, 1)) if rough >= border * power
    )
    return (1 + digit) * power


def number_ticks(scale: Scale, n: int = 5) -> list[Tick]:
    """About `n` ticks at round numbers inside the scale, with labels that all differ.

    Examples
    --------
    >>> [tick.label for tick in number_ticks(Scale(0, 31_000), 4)]
    ['0', '10,000', '20,000', '30,000']
    """
    if scale.bent:
        ticks = [Tick(value, *_labels([value], step)) for value, step in _bent_values(scale, n)]
    else:
        step = nice_step(scale.high - scale.low, n)
        values = _multiples(scale.low, scale.high, step)
        ticks = [Tick(value, label) for value, label in zip(values, _labels(values, step), strict=True)]
    return list({tick.label: tick for tick in ticks}.values())


def _multiples(low: float, high: float, step: float) -> list[float]:
    """The multiples of a step from `low` to `high`."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = {float(f"{count * step:.15g}") for count in range(first, last + 1)}
    return sorted(value for value in values if low <= value <= high)


def _bent_values(scale: Scale, n: int) -> list[tuple[float, float]]:
    """Evenly spaced places, each moved up to the roundest number that is near, and how round it is."""
    values = {}
    for value, following in itertools.pairwise(scale.inverse(np.linspace(0, 1, n + 1))):
        step = nice_step(following - value, 2)
        values[float(f"{math.ceil(value / step - 1e-9) * step:.15g}")] = step
    return [(value, values[value]) for value in sorted(values) if scale.low <= value <= scale.high]


def _labels(values: list[float], step: float) -> list[str]:
    """The numbers with just enough digits to tell one from the next, all in one unit."""
    largest = max((abs(value) for value in values), default=0.0)
    power = 3 * math.floor(math.log10(largest) / 3 + 1e-9) if largest else 0
    if 1e-3 <= largest < 1e6 or (largest < 1e12 and step < 10.0 ** (power - 3)):
        power = 0  # as it is, or with its thousands
    unit = "\u00d710" + str(power).translate(SUPERSCRIPTS) if power else ""
    unit = _LARGE_UNITS.get(power, unit)
    digits = min(max(0, math.ceil(-math.log10(step / 10.0**power) - 1e-6)), 12)
    scaled = [value / 10.0**power for value in values]
    return ["0" if value == 0 else f"{value:,.{digits}f}{unit}".replace("-", "\u2212") for value in scaled]


def share_ticks(scale: Scale) -> list[Tick]:
    r"""Ticks for shares on a scale of their decimal logarithms: 100 %, 10 %, 1 %, 0.1 %.

    Examples
    --------
    >>> [tick.label.replace("\u202f", " ") for tick in share_ticks(Scale(-2.5, 0))]
    ['1 %', '10 %', '100 %']
    """
    powers = range(math.ceil(scale.low), math.floor(scale.high) + 1)
    return [Tick(float(power), f"{100 * 10.0**power:.10g}\u202f%") for power in powers]


def time_ticks(start: Moment, stop: Moment, n: int = 6) -> list[tuple[Moment, Tick]]:
    """About `n` ticks at round times from `start` to `stop`, both included.

    Returns
    -------
    list of (datetime64[ns], Tick)
        The tick's value is its place, from 0 at `start` to 1 at `stop`.

    Examples
    --------
    >>> found = time_ticks(np.datetime64("2014-07-01"), np.datetime64("2015-02-01"), 4)
    >>> [tick.label for _, tick in found]
    ['Jul 2014', 'Sep 2014', 'Nov 2014', 'Jan 2015']
    """
    first, last = (int(moment.astype("datetime64[ns]").astype(np.int64)) for moment in (start, stop))
    span = max(last - first, 1)
    step = next((step for step in _STEPS_NS if span / step <= _MORE * n), None)
    moments, step = _months(start, stop, n) if step is None else (_steps(first, last, step), step)
    # Python's whole numbers: a difference of centuries overflows 64 bits of nanoseconds.
    places = [(int(moment.astype(np.int64)) - first) / span for moment in moments]
    return [
        (moment, Tick(place, *_time_label(moment, step)))
        for moment, place in zip(moments, places, strict=True)
    ]


def _steps(first: int, last: int, step: int) -> NDArray[Any]:
    """The multiples of `step` nanoseconds; weeks begin on Mondays."""
    origin = _MONDAY_NS if step % (7 * DAY * _NS) == 0 else 0
    counts = range(-((origin - first) // step), (last - origin) // step + 1)
    return np.array([origin + count * step for count in counts], dtype="datetime64[ns]")


def _months(start: Moment, stop: Moment, n: int) -> tuple[NDArray[Any], int]:
    """First days of months or years, and roughly the step in nanoseconds."""
    months = np.array([start, stop]).astype("datetime64[M]").astype(np.int64) + 1970 * 12
    begin, end = (int(month) for month in months)
    fits = (step for step in _STEPS_MONTHS if (end - begin) / step <= _MORE * n)
    step = next(fits, _STEPS_MONTHS[-1])
    counted = np.arange(-(-begin // step) * step, end + 1, step) - 1970 * 12
    moments = counted.astype("datetime64[M]").astype("datetime64[ns]")
    return moments[(moments >= start) & (moments <= stop)], int(step * _ABOUT_A_MONTH_NS)


def _time_label(moment: Moment, step: int) -> tuple[str, str]:
    """What a tick says, and the line under it that is shown once."""
    text = np.datetime_as_string(moment, unit="ns")
    year, month, day, clock = text[:-25], MONTHS[int(text[-24:-22]) - 1], int(text[-21:-19]), text[-18:]
    if step >= 11.9 * _ABOUT_A_MONTH_NS:
        return year, ""
    if step >= 0.9 * _ABOUT_A_MONTH_NS:
        return f"{month} {year}", ""
    if step >= DAY * _NS:
        return f"{day} {month}", year
    if step >= MINUTE * _NS:
        return clock[:5], f"{day} {month} {year}"
    digits = math.ceil(-math.log10(step / _NS) - 1e-9) if step < _NS else -1
    return clock[: 9 + digits], f"{day} {month} {year}"
