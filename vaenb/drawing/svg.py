"""Small SVG pictures: scales, marks and axes as strings, without a plotting library.

A picture is made of panes; marks are drawn inside a pane and cut off at its edges, axes and words stand
around it. Colours come from classes (`drawing.css`), so one picture suits light and dark pages and paper.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from vaenb.drawing.axes import Scale, Tick

    Floats = NDArray[np.float64]

RAMP_SIZE = 10  # colours in the ramp of `drawing.css`
_FAR = 1e5  # places further out than this are not worth their digits
_CHARACTER = 7.2  # width of a character, a little on the wide side


@dataclass(frozen=True, kw_only=True)
class Pane:
    """A rectangle of a picture with a scale along each side.

    Attributes
    ----------
    x, y : Scale
    left, top, width, height : float
        Its place in the picture.
    inner : float or None
        Units from its left to its right edge in which marks are written; None for `width`. With
        one unit for each point, zooming in is a matter of the pane's view box and loses nothing.
    """

    x: Scale
    y: Scale
    left: float
    top: float
    width: float
    height: float
    inner: float | None = None

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height

    def across(self, values: ArrayLike) -> Floats:
        """Where values of x stand inside, from the left edge."""
        return np.clip(self.x(values) * (self.inner or self.width), -_FAR * 100, _FAR * 100)

    def down(self, values: ArrayLike) -> Floats:
        """Where values of y stand inside, from the upper edge."""
        return np.clip((1 - self.y(values)) * self.height, -_FAR, _FAR)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point stands in the picture."""
        return self.left + float(self.x(x)) * self.width, self.top + float(self.down(y))


def _write(places: Floats) -> list[str]:
    return [f"{place:.9g}" for place in np.round(places, 1).tolist()]


def _path(d: str, css: str, ident: str = "") -> str:
    name = f' id="{escape(ident)}"' if ident else ""
    return f'<path{name} class="{css}" d="{d}"/>' if d else ""


def line(pane: Pane, xs: ArrayLike, ys: ArrayLike, *, css: str = "v-line v-data", ident: str = "") -> str:
    """A line through points, broken where a value is NaN; a point alone between two gaps is a dot."""
    values = np.asarray(ys, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(values))
    across, down = _write(pane.across(np.asarray(xs)[known])), _write(pane.down(values[known]))
    points = [f"{x},{y}" for x, y in zip(across, down, strict=True)]
    breaks = [0, *(np.flatnonzero(np.diff(known) > 1) + 1).tolist(), len(points)]
    runs = [points[begin:end] for begin, end in itertools.pairwise(breaks) if end > begin]
    return _path("".join("M" + " ".join(run) + ("h0" if len(run) == 1 else "") for run in runs), css, ident)


def band(pane: Pane, xs: ArrayLike, lows: ArrayLike, highs: ArrayLike, *, css: str = "v-band") -> str:
    """The area between two curves."""
    forth = zip(_write(pane.across(xs)), _write(pane.down(highs)), strict=True)
    back = zip(_write(pane.across(xs))[::-1], _write(pane.down(lows))[::-1], strict=True)
    points = [f"{x},{y}" for x, y in (*forth, *back)]
    return _path("M" + " ".join(points) + "Z" if points else "", css)


def shade(pane: Pane, starts: ArrayLike, stops: ArrayLike, *, css: str = "v-event") -> str:
    """Upright stripes over the whole height; a hairline keeps the narrowest in sight."""
    edges = zip(_write(pane.across(starts)), _write(pane.across(stops)), strict=True)
    return _path("".join(f"M{x0},0H{x1}V{pane.height:g}H{x0}Z" for x0, x1 in edges), css)


def level(pane: Pane, value: float, *, css: str = "v-threshold") -> str:
    """A line from left to right, such as a threshold; nothing where it lies outside of the pane."""
    down = float(pane.down(value)) if np.isfinite(value) else -1.0
    return _path(f"M0,{down:.1f}H{pane.inner or pane.width:.9g}" if 0 <= down <= pane.height else "", css)


def upright(pane: Pane, value: float, *, css: str = "v-mark") -> str:
    """A line from top to bottom."""
    return _path(f"M{_write(pane.across([value]))[0]},0V{pane.height:g}", css)


def steps(pane: Pane, edges: ArrayLike, heights: ArrayLike, *, css: str = "v-bars") -> str:
    """A histogram: `heights`, (n_bins,), between `edges`, (n_bins + 1,); NaN is an empty bin."""
    across = _write(pane.across(edges))
    base = f"{pane.height:g}"
    down = [base if np.isnan(place) else f"{place:.1f}" for place in pane.down(heights).tolist()]
    tops = "".join(f"V{y}H{x}" for y, x in zip(down, across[1:], strict=True))
    return _path(f"M{across[0]},{base}{tops}V{base}Z" if down else "", css)


def dots(pane: Pane, xs: ArrayLike, ys: ArrayLike, *, css: str = "v-dot") -> str:
    """Round dots, as lines of no length with round ends: the shortest way to write them."""
    places = zip(_write(pane.across(xs)), _write(pane.down(ys)), strict=True)
    return _path("".join(f"M{x},{y}h0" for x, y in places), css)


def ramp_dots(pane: Pane, xs: ArrayLike, ys: ArrayLike, places: ArrayLike) -> str:
    """Dots coloured along the ramp, `places` from 0 to 1; the highest are drawn last, on top."""
    shades = (np.clip(places, 0, 1) * (RAMP_SIZE - 1)).round().astype(int)
    groups = ((shade, np.flatnonzero(shades == shade)) for shade in range(RAMP_SIZE))
    found = (
        dots(pane, np.asarray(xs)[at], np.asarray(ys)[at], css=f"v-dot v-ramp{shade}") for shade, at in groups
    )
    return "".join(found)


def ramp_key(left: float, top: float, height: float, *, width: float = 10) -> str:
    """The ramp as an upright bar, highest on top."""
    step = height / RAMP_SIZE
    return "".join(
        f'<rect class="v-ramp{shade} v-key" x="{left:g}" y="{top + (RAMP_SIZE - 1 - shade) * step:.1f}" '
        f'width="{width:g}" height="{step + 0.3:.1f}"/>'
        for shade in range(RAMP_SIZE)
    )


def frame(pane: Pane, *marks: str, css: str = "", down_to: float | None = None) -> str:
    """The pane with its marks; with `down_to`, only the part above that value."""
    height = pane.height if down_to is None else float(np.clip(pane.down(down_to), 0, pane.height))
    if height <= 0:
        return ""
    return (
        f'<svg class="v-pane {css}" x="{pane.left:g}" y="{pane.top:g}" width="{pane.width:g}" '
        f'height="{height:g}" viewBox="0 0 {pane.inner or pane.width:.9g} {height:g}" '
        f'preserveAspectRatio="none">{"".join(marks)}</svg>'
    )


def words(x: float, y: float, text: str, *, css: str = "", anchor: str = "start", data: str = "") -> str:
    """A line of text; `anchor` is "start", "middle" or "end"."""
    shown = f' class="{css}"' if css else ""
    return f'<text{shown} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{data}>{escape(text)}</text>'


def x_axis(pane: Pane, ticks: Sequence[Tick], *, title: str = "") -> str:
    """Ticks and labels under the pane; labels that would touch the one before are left out."""
    parts = [
        f'<path class="v-axis" d="M{pane.left:g},{pane.bottom:g}H{pane.right:g}"/>',
        '<g class="v-ticks">',
    ]
    taken = taken_below = -np.inf
    context = ""
    for tick in ticks:
        x = pane.at(tick.value, pane.y.low)[0]
        parts.append(f'<path class="v-axis" d="M{x:.1f},{pane.bottom:g}v5"/>')
        half = len(tick.label) * _CHARACTER / 2
        if x - half < taken:
            continue
        parts.append(words(x, pane.bottom + 18, tick.label, anchor="middle"))
        taken = x + half + _CHARACTER
        half = len(tick.context) * _CHARACTER / 2
        if tick.context != context and x - half > taken_below:
            parts.append(words(x, pane.bottom + 33, tick.context, css="v-faint", anchor="middle"))
            context, taken_below = tick.context, x + half + _CHARACTER
    parts.append("</g>")
    if title:
        parts.append(
            words(pane.left + pane.width / 2, pane.bottom + 37, title, css="v-faint", anchor="middle")
        )
    return "".join(parts)


def y_axis(pane: Pane, ticks: Iterable[Tick]) -> str:
    """Lines across the pane, and labels to the left of it."""
    parts = []
    for tick in ticks:
        y = pane.at(pane.x.low, tick.value)[1]
        parts.append(f'<path class="v-grid" d="M{pane.left:g},{y:.1f}H{pane.right:g}"/>')
        parts.append(words(pane.left - 8, y + 4, tick.label, anchor="end"))
    return "".join(parts)


def margin(*axes: Iterable[Tick]) -> float:
    """The room that the longest label of some upright axes needs."""
    return 14 + _CHARACTER * max((len(tick.label) for ticks in axes for tick in ticks), default=1)


def end_labels(pane: Pane, labels: Sequence[tuple[float, str, str]], *, gap: float = 15) -> str:
    """Names at the right ends of lines, (value, text, css) each, moved apart where they would touch."""
    order = sorted(labels, key=lambda label: -label[0])
    places = [float(np.clip(pane.at(pane.x.low, label[0])[1], pane.top, pane.bottom)) for label in order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    beyond = max(0.0, max(places, default=0.0) - pane.bottom)
    named = zip(places, order, strict=True)
    return "".join(words(pane.right + 6, y - beyond + 4, text, css=css) for y, (_, text, css) in named)


def picture(name: str, *parts: str, width: float, height: float, title: str, desc: str) -> str:
    """The finished SVG, with alternative text.

    Parameters
    ----------
    name : str
        Differs from picture to picture on a page.
    *parts : str
        What the functions of this module return, in drawing order.
    width, height : float
        Of the drawing; on a page it fills the width that it is given.
    title, desc : str
        What it shows, and what there is to see: read out to those who do not see it.
    """
    ident = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    return (
        f'<svg class="vaenb" id="{ident}" role="img" aria-labelledby="{ident}-title {ident}-desc" '
        f'viewBox="0 0 {width:g} {height:g}"><title id="{ident}-title">{escape(title)}</title>'
        f'<desc id="{ident}-desc">{escape(desc)}</desc>{"".join(parts)}</svg>'
    )


def style() -> str:
    """The style sheet that the pictures need once on a page: colours for light, dark and paper."""
    return (files("vaenb.drawing") / "drawing.css").read_text(encoding="utf-8")


def standalone(svg: str) -> str:
    """A picture as a file of its own, with its colours."""
    head, rest = svg.split("<title", 1)
    opened = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{opened}<style>{escape(style(), quote=False)}</style><title{rest}"
