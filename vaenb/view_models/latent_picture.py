"""The latent panel as a still picture: the cloud, the window that is looked at, and the series."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.drawing.axes import Scale, limits, number_ticks
from vaenb.drawing.decimation import decimate
from vaenb.drawing.svg import (
    Pane,
    band,
    dots,
    frame,
    line,
    picture,
    ramp_dots,
    ramp_key,
    shade,
    words,
    x_axis,
    y_axis,
)
from vaenb.formats import counted
from vaenb.report.scene import Timeline as Clock
from vaenb.view_models.latent_colors import Kinds
from vaenb.view_models.latent_words import about_cloud, about_window, clock_unit, span

if TYPE_CHECKING:
    from vaenb.records import Ints
    from vaenb.view_models.latent import LatentView

_WIDTH: Final = 960.0
_CSS: Final = {
    "--v-data": "v-data",
    "--v-held": "v-held",
    "--v-label": "v-labels",
    "--v-alarm": "v-ring",
    "--v-calm": "v-axis",
}
_BINS: Final = 900


def draw(view: LatentView) -> str:
    """The SVG, with alternative text."""
    return picture(
        "latent-panel",
        _cloud(view),
        _window(view),
        _series(view),
        width=_WIDTH,
        height=520,
        title=f"The latent space of {view.evidence.series.name}: {about_cloud(view)}",
        desc=_description(view),
    )


def _description(view: LatentView) -> str:
    across, up = view.plane.names
    lit, n_stretches = len(view.selected), len(view.lit()[0])
    told = (
        f" {counted(lit, 'window')} lit, in {counted(n_stretches, 'stretch', 'stretches')} of the series."
        if lit
        else ""
    )
    return (
        f"Scatter of the posterior means of {counted(len(view.shown), 'window')}, {across} and {up}, "
        f"coloured by {view.color_by}.{told} Beside it the window {span(view, view.picked)} "
        f"({about_window(view, view.picked)}) with its reconstruction; below it the series."
    )


def _cloud(view: LatentView) -> str:
    x, y = (Scale(low, high) for low, high in view.edges)
    pane = Pane(x=x, y=y, left=56, top=30, width=410, height=270)
    lit = np.isin(view.shown, view.selected)
    marks = [_dots(view, pane, view.shown)]
    if lit.any():
        marks = [f'<g opacity="0.2">{marks[0]}</g>', _dots(view, pane, view.shown[lit])]
    here = view.places[[view.picked]]
    marks.append(dots(pane, here[:, 0], here[:, 1], css="v-ring"))
    return "".join(
        [
            y_axis(pane, number_ticks(y, 5)),
            frame(pane, *marks),
            x_axis(pane, number_ticks(x, 6), title=view.plane.names[0]),
            words(pane.left, 16, f"\u2191 {view.plane.names[1]}", css="v-faint"),
            _key(view, pane),
        ]
    )


def _dots(view: LatentView, pane: Pane, windows: Ints) -> str:
    coloring, places = view.coloring(), view.places
    if isinstance(coloring, Kinds):
        groups = [
            (kind, windows[coloring.codes[windows] == code]) for code, kind in enumerate(coloring.kinds)
        ]
        return "".join(
            dots(pane, places[at, 0], places[at, 1], css=f"v-dot {_CSS[kind.color]}") for kind, at in groups
        )
    order = windows[np.argsort(coloring.places[windows], kind="stable")]
    return ramp_dots(pane, places[order, 0], places[order, 1], coloring.places[order])


def _key(view: LatentView, pane: Pane) -> str:
    """What the colours mean, in the upper right corner."""
    coloring = view.coloring()
    if isinstance(coloring, Kinds):
        at = [pane.right - 128 * (len(coloring.kinds) - place) + 12 for place in range(len(coloring.kinds))]
        return "".join(
            f'<path class="v-dot {_CSS[kind.color]}" d="M{x:g},12h0"/>' + words(x + 8, 16, kind.name)
            for x, kind in zip(at, coloring.kinds, strict=True)
        )
    left, top, height = pane.right + 8, pane.top + 20, 120.0
    ends = [coloring.ticks[0], coloring.ticks[-1]] if coloring.ticks else []
    names = [words(left, top - 8, view.color_by)]
    names += [words(left + 14, top + (1 - place) * height + 4, text) for place, text in ends]
    return ramp_key(left, top, height) + "".join(names)


def _window(view: LatentView) -> str:
    window, channel = view.picked, view.blame(view.picked)[0]
    step, unit = clock_unit(view)
    along = np.arange(view.window_size) * step
    actual = view.actual(window)[:, channel]
    mean, spread = (
        part[window, :, channel].astype(np.float64) for part in (view.sample.mean, view.sample.spread)
    )
    scale = Scale(*limits(actual, mean - spread, mean + spread))
    pane = Pane(x=Scale(0.0, float(along[-1]) or 1.0), y=scale, left=600, top=46, width=346, height=254)
    return "".join(
        [
            y_axis(pane, number_ticks(scale, 5)),
            frame(
                pane,
                band(pane, along, mean - spread, mean + spread),
                line(pane, along, mean, css="v-line v-thick v-score"),
                line(pane, along, actual, css="v-line v-thick v-data"),
            ),
            x_axis(pane, number_ticks(pane.x, 5), title=unit),
            words(pane.left - 40, 16, span(view, window), css="v-name"),
            words(pane.left - 40, 34, view.evidence.series.channels[channel], css="v-text-data"),
            words(pane.right, 34, "reconstruction \u00b1 \u03c3", css="v-faint", anchor="end"),
        ]
    )


def _series(view: LatentView) -> str:
    channel = view.blame(view.picked)[0]
    values, clock = view.values[:, channel], Clock.of(view.evidence.series)
    scale = Scale(*limits(values))
    pane = Pane(x=clock.scale(), y=scale, left=56, top=378, width=890, height=96, inner=float(len(values)))
    kept = decimate(values, _BINS)
    starts, stops = view.lit()
    begin = int(view.starts[view.picked])
    cells = replace(pane.x)
    here = shade(pane, [begin], [begin + view.window_size], css="v-tail")
    lit = shade(pane, starts.astype(np.float64), stops.astype(np.float64), css="v-band")
    return "".join(
        [
            y_axis(pane, number_ticks(scale, 3)),
            frame(pane, lit, here, line(pane, kept, values[kept])),
            x_axis(pane, clock.ticks(cells, 7)),
            words(pane.left, pane.top - 8, view.evidence.series.channels[channel], css="v-name"),
        ]
    )
