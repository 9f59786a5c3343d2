"""The score axis of the threshold explorer: bent where needed, with ticks that say true values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vaenb.drawing.axes import Scale, limits, number_ticks
from vaenb.formats import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaenb.records import Floats

_BEND = 4.0  # scores this many times as far out as the usual ones bend the axis
_USUAL = (0.01, 0.99)  # quantiles of the calibration scores
_ROOM = 0.3  # of a bent axis, for the usual ones
_PAD = 0.04
_RESOLUTION = 2_000


def score_scale(scores: Floats, held: Floats, lines: Sequence[float]) -> Scale:
    """A scale with all scores and the lines in sight; bent where some lie very far out.

    Parameters
    ----------
    scores : ndarray, shape (n_timestamps,)
    held : ndarray, shape (n_calibration,)
        Normal scores: what is usual among them gets a third of the axis, however far out the others are.
    lines : sequence of float
        Thresholds; NaN is passed over.

    Examples
    --------
    >>> score_scale(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]), []).bent
    False
    >>> score_scale(np.array([0.0, 1.0, 2000.0]), np.array([0.0, 1.0, 2.0]), []).bent
    True
    """
    low, high = limits(scores, lines, pad=0.0)
    known = held[np.isfinite(held)]
    centre, top = np.quantile(known, _USUAL).tolist() if len(known) else (low, low)
    width, far = top - centre, max(high - centre, centre - low)
    plain = Scale(low, high)
    if width > 0 and far > _BEND * width:
        # Places are arcsinh(v / w), nearly log(2 v / w): this w puts `top` at about `_ROOM`.
        apart = math.log(far / width) * _ROOM / (1 - _ROOM)
        plain = Scale(low, high, centre, min(width, width / math.sinh(apart)))
    airy_low, airy_high = (float(value) for value in plain.inverse([-_PAD, 1 + _PAD]))
    return replace(plain, low=max(airy_low, 0.0) if low >= 0 else airy_low, high=airy_high)


def whole_digits(scale: Scale, place: float) -> float:
    """The value at a place, with no more digits than tell it from its neighbours.

    Examples
    --------
    >>> whole_digits(Scale(0, 10), 1 / 3)
    3.333
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
    told = f"{place:.6f}".rstrip("0").rstrip(".")
    return "0" if told == "-0" else told
