"""A chart in one call, for a cell of a notebook: lines, bands and levels over one axis, in panes.

It has no widget and no kernel behind it: what a cell shows stays in the notebook as it is.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.drawing.axes import Scale, Tick, limits, number_ticks, time_ticks
from vaenb.drawing.decimation import decimate
from vaenb.drawing.svg import (
    Pane,
    band,
    dots,
    frame,
    level,
    line,
    margin,
    picture,
    shade,
    standalone,
    words,
    x_axis,
    y_axis,
)
from vaenb.errors import InputError
from vaenb.events import runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_STYLES: Final = ("data", "held", "second", "label", "score")
_WIDTH, _RIGHT, _KEY, _UNDER = 960.0, 14.0, 24.0, 42.0
_DATE: Final = 46.0  # half of a date, which may stand under the left end of the axis
_BINS: Final = 700  # of a line: more cannot be told apart
_DOTTED: Final = 40  # points of a line up to which each is marked
_THEME: Final = (
    '<style>.vaenb-chart { color-scheme: light } [data-jp-theme-light="false"] .vaenb-chart '
    "{ color-scheme: dark }</style>"
)
_BACKGROUND: Final = "svg.vaenb { background: var(--v-paper); font-size: 13px; } "
_KINDS: Final = "".join(
    f".v-area-{css} {{ fill: var(--v-{css}); opacity: .2; }} .v-k-{css} {{ stroke: var(--v-{css}); }} "
    for css in _STYLES
)


@dataclass(frozen=True)
class Chart:
    """What `chart` has drawn; the last line of a cell shows it.

    Attributes
    ----------
    svg : str
    alt : str
        What there is to see, in words.
    """

    svg: str
    alt: str

    def __repr__(self) -> str:
        return f"Chart: {self.alt}"

    def _repr_html_(self) -> str:
        alone = standalone(self.svg).replace("</style>", f"{_BACKGROUND}{_KINDS}</style>", 1)
        data = base64.b64encode(alone.encode()).decode()
        return (
            f'{_THEME}<img class="vaenb-chart" alt="{escape(self.alt, quote=True)}" width="{_WIDTH:g}" '
            f'style="max-width:100%;height:auto" src="data:image/svg+xml;base64,{data}"/>'
        )


def chart(
    *panes: Mapping[str, Any],
    alt: str,
    x: ArrayLike | None = None,
    marks: ArrayLike | None = None,
    height: float = 170.0,
    x_title: str = "",
) -> Chart:
    """Draw lines over one axis, in one pane or several, one below the other.

    Parameters
    ----------
    *panes : mapping of str to array_like, (array_like, array_like) or float
        What a pane shows, by name: an array, shape (n,), is a line; a pair of arrays is the band between
        them; a number is a dashed level. NaN is a gap.
    alt : str
        What there is to see, in a sentence, for those who do not see it.
    x : array_like of datetime64 or numbers, shape (n,), optional
        Ascending; without it points are counted from 0.
    marks : array_like of 0/1, shape (n,) or (n_panes, n), optional
        Stretches to shade, such as labels or flags: in all panes, or in each its own.
    height : float
        Of each pane, in pixels.
    x_title : str

    Returns
    -------
    Chart

    Raises
    ------
    InputError
        If there is nothing to draw, or lengths differ.

    Examples
    --------
    >>> wave = np.sin(np.arange(100) / 5)
    >>> chart({"a wave": wave, "half": 0.5}, alt="A sine wave and a level at one half.")
    Chart: A sine wave and a level at one half.
    """
    shown = [_Shown(pane) for pane in panes]
    lengths = {len(array) for each in shown for array in each.arrays}
    if len(lengths) != 1:
        raise InputError(
            f"The lines have {sorted(lengths)} points; expected at least one line, and all of one length."
        )
    n = lengths.pop()
    places, ticks_of = _axis(x, n)
    tick_rows = [number_ticks(each.scale, max(3, int(height // 40))) for each in shown]
    left = max(margin(*tick_rows), _DATE)
    across = Scale(float(places[0]), float(places[-1])) if n > 1 else Scale(places[0] - 1, places[0] + 1)
    parts, top = [], 0.0
    for each, ticks, marked in zip(shown, tick_rows, _marked(marks, len(shown), n), strict=True):
        pane = Pane(
            x=across, y=each.scale, left=left, top=top + _KEY, width=_WIDTH - left - _RIGHT, height=height
        )
        stripes = shade(pane, *_stripes(marked, places))
        parts += [each.key(pane), y_axis(pane, ticks), frame(pane, stripes, *each.drawn(pane, places))]
        top = pane.bottom + 8
    parts.append(x_axis(pane, ticks_of(across), title=x_title))
    svg = picture("chart", *parts, width=_WIDTH, height=pane.bottom + _UNDER, title="Chart", desc=alt)
    return Chart(svg, alt)


class _Shown:
    """What one pane shows: its lines, bands and levels, each with its colour."""

    def __init__(self, pane: Mapping[str, Any]) -> None:
        self.lines: dict[str, Floats] = {}
        self.bands: dict[str, tuple[Floats, Floats]] = {}
        self.levels: dict[str, float] = {}
        for name, value in pane.items():
            if isinstance(value, tuple):
                low, high = (np.asarray(side, dtype=np.float64) for side in value)
                self.bands[name] = low, high
            elif np.ndim(value) == 0:
                self.levels[name] = float(value)
            else:
                self.lines[name] = np.asarray(value, dtype=np.float64).ravel()
        if not self.arrays:
            raise InputError("A pane has no line: give at least one array by name.")
        self.scale = Scale(*limits(*self.arrays, *([value] for value in self.levels.values())))
        colours = [*self.lines, *(name for name in self.bands if name not in self.lines)]
        self.colour = {name: _STYLES[place % len(_STYLES)] for place, name in enumerate(colours)}

    @property
    def arrays(self) -> list[Floats]:
        return [*self.lines.values(), *(side for both in self.bands.values() for side in both)]

    def drawn(self, pane: Pane, places: Floats) -> list[str]:
        found = [
            band(pane, places, low, high, css=f"v-area-{self.colour[name]}")
            for name, (low, high) in self.bands.items()
        ]
        for name, values in self.lines.items():
            kept = decimate(values, _BINS)
            css = f"v-line v-thick v-k-{self.colour[name]}"
            found.append(line(pane, places[kept], values[kept], css=css))
            if len(values) <= _DOTTED:
                known = np.isfinite(values)
                found.append(dots(pane, places[known], values[known], css=f"v-dot v-k-{self.colour[name]}"))
        return [*found, *(level(pane, value) for value in self.levels.values())]

    def key(self, pane: Pane) -> str:
        """The names above the pane, each behind a piece of what it names."""
        x, y, parts = pane.left, pane.top - 9, []
        for name in [*self.lines, *self.bands, *self.levels]:
            if name in self.levels:
                sign = f'<path class="v-threshold" d="M{x:g},{y - 4:g}h20"/>'
            elif name in self.bands:
                css = f"v-area-{self.colour[name]}"
                sign = f'<rect class="{css}" x="{x:g}" y="{y - 9:g}" width="20" height="10"/>'
            else:
                sign = f'<path class="v-line v-thick v-k-{self.colour[name]}" d="M{x:g},{y - 4:g}h20"/>'
            parts += [sign, words(x + 26, y, name)]
            x += 26 + 7.0 * len(name) + 22
        return "".join(parts)


def _axis(x: ArrayLike | None, n: int) -> tuple[Floats, Any]:
    """Where the points stand, and a function from the scale to its ticks."""
    found = np.arange(n) if x is None else np.asarray(x)
    if found.shape != (n,):
        raise InputError(
            f"x has shape {found.shape}; expected ({n},): one place for each point of the lines."
        )
    if found.dtype.kind != "M":
        return found.astype(np.float64), lambda scale: number_ticks(scale, 8)
    moments = found.astype("datetime64[ns]")
    places = (moments - moments[0]) / np.timedelta64(1, "s")

    def ticks(scale: Scale) -> list[Tick]:
        return [
            Tick(tick.value * scale.high, tick.label, tick.context)
            for _, tick in time_ticks(moments[0], moments[-1], 8)
        ]

    return places.astype(np.float64), ticks


def _marked(marks: ArrayLike | None, n_panes: int, n: int) -> NDArray[Any]:
    """What is marked in each pane, shape (n_panes, n)."""
    found = np.zeros(n) if marks is None else np.asarray(marks)
    if found.shape not in {(n,), (n_panes, n)}:
        raise InputError(f"marks has shape {found.shape}; expected ({n},) or ({n_panes}, {n}): one a point.")
    return np.broadcast_to(found, (n_panes, n))


def _stripes(marks: NDArray[Any], places: Floats) -> tuple[Floats, Floats]:
    """Where marked stretches begin and end: half a step beyond their points."""
    start, stop = runs(marks)
    half = np.diff(places, prepend=places[0], append=places[-1]) / 2
    return places[start] - half[start], places[stop - 1] + half[stop]
