"""The scores of a series as a picture of a few hundred bytes, read when somebody looks. NumPy ring."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

WIDTH, HEIGHT = 160, 24  # of the picture, in its own units
N_BINS: Final = 80
LINE: Final = HEIGHT / 2  # where the threshold stands, in every row
MOST_KEPT: Final = 20_000  # pictures: 20 MB


def spark(scores: ArrayLike, threshold: float) -> str:
    """A line through the lowest and the highest score of each piece; the threshold is always at half height.

    A score is drawn at the height ``s / (1 + s)``, where s is 0 at the series' lowest score and 1 on its
    threshold: rows can be compared, and the highest peak still fits.

    Parameters
    ----------
    scores : array_like, shape (n_points,)
        NaN is a gap.
    threshold : float

    Returns
    -------
    str
        The path of an SVG of `WIDTH` by `HEIGHT`; empty where there is no score.

    Examples
    --------
    >>> spark([0.0, 1.0, 3.0], threshold=1.0)
    'M27 24L80 12L133 6'
    """
    values = np.asarray(scores, dtype=np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(values).all():
        return ""
    edges = np.unique(np.linspace(0, len(values), min(N_BINS, len(values)), endpoint=False).astype(np.int64))
    low, high = np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)
    lowest = np.nanmin(values)
    down = [HEIGHT * (1 - _height(each - lowest, threshold - lowest)) for each in (low, high)]
    across = (np.arange(len(edges)) + 0.5) * WIDTH / len(edges)
    return _path(across, *down)


def _height(above: Any, span: float) -> Any:
    """From 0 to 1; 0.5 on the threshold."""
    if not span > 0:  # everything lies above it
        return np.where(above > 0, 1.0, 0.75)
    return above / (above + span)


def _path(across: Any, bottom: Any, top: Any) -> str:
    """Up and down in turns, so that the line has no strokes back; a new line after each gap."""
    told, is_gap, is_up = [], True, True
    for x, y0, y1 in zip(across, bottom, top, strict=True):
        if math.isnan(y0):
            is_gap = True
            continue
        ends = dict.fromkeys(f"{x:.0f} {y:.0f}" for y in ((y0, y1) if is_up else (y1, y0)))
        told += [f"{'M' if is_gap and not at else 'L'}{end}" for at, end in enumerate(ends)]
        is_gap, is_up = False, not is_up
    return "".join(told)


class Sparks:
    """The pictures that were read, the latest ones; any thread may ask.

    Parameters
    ----------
    read : callable
        The scores of a series, (n_points,), by its name; what it raises leaves the row without a picture.
    """

    def __init__(self, read: Callable[[str], ArrayLike]) -> None:
        self._read = read
        self._kept: OrderedDict[str, tuple[Any, str]] = OrderedDict()

    def get(self, name: str, threshold: float, seen: Any = None) -> str | None:
        """The picture of a series if it is at hand.

        Parameters
        ----------
        name : str
        threshold : float
        seen : object
            What changes when the series is scored anew.
        """
        known = self._kept.get(name)
        return known[1] if known is not None and known[0] == (threshold, seen) else None

    def read(self, name: str, threshold: float, seen: Any = None) -> str:
        """The same, read from the disk where it is not at hand."""
        found = self.get(name, threshold, seen)
        if found is None:
            try:
                found = spark(self._read(name), threshold)
            except (OSError, ValueError, KeyError):
                found = ""
            self._kept[name] = (threshold, seen), found
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found
