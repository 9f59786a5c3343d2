"""Where a shared time axis has its ticks, and in which format they are written."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.drawing.axes import Scale, number_ticks, time_ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vaenb.view_models.timeline import Timeline, View

_SHORT, _LONG = 5, 4  # about so many ticks; labels with a date and a time of day need more room
_DAY: Final = np.timedelta64(1, "D")


def view_ticks(timeline: Timeline, view: View) -> tuple[NDArray[Any], str]:
    """Round moments within a view, and how d3 should write them.

    Returns
    -------
    ndarray of datetime64[ms], or of float64 where there is no clock
    str
        A format of d3.

    Examples
    --------
    >>> from vaenb.view_models.timeline import Timeline, View
    >>> view_ticks(Timeline(n_cells=1000), View(0, 1000))
    (array([  0., 200., 400., 600., 800.]), ',.0f')
    """
    first, last = timeline.moments([view.first, max(view.first + 1, view.stop - 1)])
    if not timeline.has_clock:
        values = np.array([tick.value for tick in number_ticks(Scale(float(first), float(last)), _SHORT)])
        apart = float(np.diff(values).min()) if len(values) > 1 else 1.0
        return values, f",.{max(0, math.ceil(-math.log10(apart) - 1e-9))}f"
    moments = _moments(first, last, _SHORT)
    step = _step(moments)
    if step < _DAY:
        moments = _moments(first, last, _LONG)
        step = _step(moments)
    return moments, _format(step)


def _moments(first: Any, last: Any, n: int) -> NDArray[Any]:
    return np.array([moment for moment, _ in time_ticks(first, last, n)], dtype="datetime64[ms]")


def _step(moments: NDArray[Any]) -> Any:
    return np.diff(moments).min() if len(moments) > 1 else _DAY


def _format(step: Any) -> str:
    if step >= 360 * _DAY:
        return "%Y"
    if step >= 27 * _DAY:
        return "%b %Y"
    if step >= _DAY:
        return "%d %b"
    if step >= np.timedelta64(1, "m"):
        return "%d %b %H:%M"
    return "%H:%M:%S" if step >= np.timedelta64(1, "s") else "%H:%M:%S.%L"
