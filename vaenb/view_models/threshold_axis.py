"""The score axis of the threshold explorer: bent where needed, with ticks that say true values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vaenb.formats import number
from vaenb.report.axes import Scale, limits, number_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaenb.records import Floats

_BEND = 8.0  # scores this many times as far out as the usual high ones bend the axis
_USUAL = 0.99
_PAD = 0.04
_RESOLUTION = 2_000


def score_scale(scores: Floats, held: Floats, normal: float, lines: Sequence[float]) -> Scale:
    """A scale with all scores and the lines in sight; bent where some lie very far out.

    Parameters
    ----------
    scores : ndarray, shape (n_timestamps,)
    held : ndarray, shape (n_calibration,)
        Normal scores: what is usual among them gets room.
    normal : float
        Their median.
    lines : sequence of float
        Thresholds; NaN is passed over.

    Examples
    --------
    >>> score_scale(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]), 1.0, []).bent
    False
    >>> score_scale(np.array([0.0, 1.0, 2000.0]), np.array([0.0, 1.0, 2.0]), 1.0, []).bent
    True
    """
    low, high = limits(scores, lines, pad=0.0)
    known = held[np.isfinite(held)]
    width = float(np.quantile(known, _USUAL)) - normal if len(known) else 0.0
    far = max(high - normal, normal - low)
    plain = Scale(low, high, normal, width) if width > 0 and far > _BEND * width else Scale(low, high)
    airy_low, airy_high = (float(value) for value in plain.inverse([-_PAD, 1 + _PAD]))
    return replace(plain, low=max(airy_low, 0.0) if low >= 0 else airy_low, high=airy_high)


def whole_digits(scale: Scale, place: float) -> float:
    """The value at a place, with no more digits than tell it from its neighbours.

    Examples
    --------
    >>> whole_digits(Scale(0, 10), 1 / 3)
    3.33
    """
    at = min(place, 1 - 1 / _RESOLUTION)
    value = float(scale.inverse(place))
    step = float(scale.inverse(at + 1 / _RESOLUTION)) - float(scale.inverse(at))
    if not (step > 0 and math.isfinite(step)):
        return value
    return round(value, 1 - math.ceil(math.log10(step)))


def score_ticks(scale: Scale, n: int) -> tuple[Floats, dict[str, str]]:
    """Places of ticks, and the true values to write there.

    Returns
    -------
    ndarray of float64
        From 0 to 1.
    dict of str to str
        The places as JavaScript writes these numbers, and the labels.
    """
    ticks = number_ticks(scale, n)
    places = np.round([float(scale(tick.value)) for tick in ticks], 6)
    return places + 0.0, {place_name(p): number(tick.value, 3) for p, tick in zip(places, ticks, strict=True)}


def place_name(place: float) -> str:
    """A place with up to six decimals as JavaScript writes it.

    Examples
    --------
    >>> place_name(0.0), place_name(1.0), place_name(0.25)
    ('0', '1', '0.25')
    """
    return f"{place + 0.0:.6f}".rstrip("0").rstrip(".").replace("-0", "0") if place else "0"
