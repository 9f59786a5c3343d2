"""The pictures of a report over time: the series with its scores, and each event from near. NumPy only."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from vaenb.drawing.axes import Scale, limits, number_ticks
from vaenb.drawing.decimation import decimate
from vaenb.drawing.svg import (
    Pane,
    frame,
    level,
    line,
    margin,
    picture,
    shade,
    words,
    x_axis,
    y_axis,
)
from vaenb.formats import counted, number
from vaenb.report.scene import Curve, stripes

if TYPE_CHECKING:
    from vaenb.records import Floats
    from vaenb.report.scene import Scene

WIDTH, CARD = 960.0, 460.0
MAX_EVENTS = 24  # pictured from near
_TOP, _RIGHT, _GAP = 62.0, 18.0, 24.0
_LABELS = 18.0  # room for the strip of labels above the scores
_LEFT = 58.0  # room for the word "labels"
_UNDER = 40.0  # room for the labels of a time axis
_CARD_BINS = 300
_SPARK_BINS = 75


def overview(scene: Scene) -> str:
    """The series and its scores over one time axis: parts, events, labels, threshold."""
    panes = overview_panes(scene)
    last = panes[-1]
    pairs = list(zip(panes, scene.curves, strict=True))
    drawn = [value_pane(scene, pane, curve) for pane, curve in pairs[:-1]]
    drawn.append(score_pane(scene, *pairs[-1], ident="overview-score"))
    return picture(
        "overview",
        parts_strip(scene, last),
        *drawn,
        labels_strip(scene, last),
        _badges(scene, last),
        x_axis(last, scene.timeline.ticks(last.x, 7)),
        width=WIDTH,
        height=last.bottom + _UNDER,
        title=f"{scene.findings.series.name}: the series, its anomaly scores and its events",
        desc=_overview_words(scene),
    )


def overview_panes(scene: Scene) -> list[Pane]:
    """One pane for each curve, one below the other, over the same time."""
    n_channels = len(scene.channels)
    heights = [200.0 if n_channels == 1 else 66.0] * n_channels + [150.0]
    scales = [Scale(*limits(curve.values)) for curve in scene.curves[:-1]]
    scales.append(scene.score_scale(scene.curves[-1].values))
    left = margin(
        *(number_ticks(scale, _n_ticks(height)) for scale, height in zip(scales, heights, strict=True))
    )
    pane = Pane(
        x=scene.timeline.scale(),
        y=scales[0],
        left=left,
        top=_TOP,
        width=WIDTH - left - _RIGHT,
        height=heights[0],
        inner=float(scene.timeline.n_cells),
    )
    tops = _TOP + np.cumsum([0.0, *(height + _GAP for height in heights[:-1])])
    tops[-1] += 0 if scene.labels is None else _LABELS
    columns = zip(scales, tops.tolist(), heights, strict=True)
    return [replace(pane, y=scale, top=top, height=height) for scale, top, height in columns]


def overview_data(scene: Scene) -> dict[str, object]:
    """What the page's script needs to zoom and to read values out: plain lists and numbers."""
    timeline, pane = scene.timeline, overview_panes(scene)[-1]
    clock = isinstance(timeline.start, np.datetime64)
    milliseconds = 1e-6 if clock else 1.0
    return {
        "clock": clock,
        "start": float(np.asarray(timeline.start).astype(np.float64)) * milliseconds,
        "step": timeline.step * milliseconds,
        "n": timeline.n_cells,
        "pane": [pane.left, pane.width, pane.bottom],
        "threshold": scene.over,
        "curves": [_curve_data(curve, timeline.n_cells) for curve in scene.curves],
    }


def _curve_data(curve: Curve, n_cells: int) -> dict[str, object]:
    values = [float(f"{value:.5g}") if np.isfinite(value) else None for value in curve.values.tolist()]
    cells = None if len(values) == n_cells else curve.cells.tolist()
    return {"name": curve.name, "cells": cells, "values": values}


def _n_ticks(height: float) -> int:
    return max(2, round(height / 38))


def _stripes(scene: Scene, pane: Pane) -> str:
    """All events as stripes."""
    return shade(pane, *stripes(*scene.spans, pane.x))


def value_pane(scene: Scene, pane: Pane, curve: Curve) -> str:
    """One channel with the events behind it."""
    return "".join(
        [
            y_axis(pane, number_ticks(pane.y, _n_ticks(pane.height))),
            frame(pane, _stripes(scene, pane), line(pane, curve.cells, curve.values), css="v-zoom"),
            words(pane.left, pane.top - 6, curve.name, css="v-name"),
        ]
    )


def score_pane(scene: Scene, pane: Pane, curve: Curve, *, ident: str) -> str:
    """The scores with the events behind them and the threshold across; red where they are above it."""
    path = line(pane, curve.cells, curve.values, css="v-line v-score", ident=ident)
    parts = [
        y_axis(pane, number_ticks(pane.y, _n_ticks(pane.height))),
        frame(pane, _stripes(scene, pane), path, css="v-zoom"),
    ]
    if scene.over is not None:
        again = f'<use href="#{escape(ident)}" class="v-over"/>' if path else ""
        parts.append(frame(pane, again, css="v-zoom", down_to=scene.over))
        parts.append(frame(pane, level(pane, scene.over), css="v-zoom"))
        parts.append(_threshold_name(scene.over, pane))
    parts.append(words(pane.left, pane.top - 6, "anomaly score", css="v-name"))
    return "".join(parts)


def _threshold_name(threshold: float, pane: Pane) -> str:
    """What the dashed line is, above the pane, where it hides nothing."""
    text = f"threshold {number(threshold)}"
    dash = f'<path class="v-threshold" d="M{pane.right - 8.4 * len(text) - 24:.1f},{pane.top - 10:g}h18"/>'
    return dash + words(pane.right, pane.top - 6, text, css="v-text-alarm", anchor="end")


def parts_of(scene: Scene) -> list[tuple[str, int, int]]:
    """The parts of the series as (name, first cell, cell after the last)."""
    series, begin = scene.findings.series, scene.findings.train_stop
    end = series.train_cells
    parts = [("training", 0, end if begin is None else min(begin, end))]
    if begin is not None:
        parts.append(("calibration", min(begin, end), end))
    parts.append(("test", end, series.n_cells))
    return [part for part in parts if part[1] < part[2]]


def parts_strip(scene: Scene, pane: Pane) -> str:
    """A thin bar above the panes that says which part of the series is which."""
    strip = replace(pane, top=16.0, height=4.0)
    drawn = []
    for name, begin, end in parts_of(scene):
        css = {"training": "v-part0", "calibration": "v-part1"}.get(name, "v-part2")
        drawn.append(frame(strip, shade(strip, [begin - 0.5], [end - 0.5], css=css), css="v-zoom"))
        middle = strip.at((begin + end - 1) / 2, 0)[0]
        room = (end - begin) / scene.timeline.n_cells * pane.width
        hidden = "" if room > 6.5 * len(name) else ' visibility="hidden"'
        data = f' data-from="{begin}" data-to="{end}"{hidden}'
        drawn.append(words(middle, 11, name, css="v-part", anchor="middle", data=data))
    return "".join(drawn)


def labels_strip(scene: Scene, pane: Pane) -> str:
    """Where labels say that something is wrong, as a strip above the scores; nothing without labels."""
    if scene.labels is None:
        return ""
    strip = replace(pane, top=pane.top - 31, height=5.0)
    edges = stripes(*scene.labels, pane.x)
    if not len(edges[0]):
        return ""
    marks = shade(strip, *edges, css="v-labels")
    name = words(pane.left - 8, pane.top - 25, "labels", css="v-text-label", anchor="end")
    return frame(strip, marks, css="v-zoom") + name


def _badges(scene: Scene, pane: Pane) -> str:
    """Numbers above the most severe events; those without room appear when the page zooms in."""
    taken: list[float] = []
    drawn = []
    for rank, event in enumerate(scene.order[:MAX_EVENTS], start=1):
        cell = (scene.spans[0][event] + scene.spans[1][event]) / 2
        x = pane.at(cell - 0.5, 0)[0]
        hidden = ' visibility="hidden"' if any(abs(x - other) < 19 for other in taken) else ""
        taken += [] if hidden else [x]
        drawn.append(
            f'<g class="v-badge" data-at="{cell:g}" transform="translate({x:.1f},32)"{hidden}>'
            f'<circle r="8"/><text y="3.6" text-anchor="middle">{rank}</text></g>'
        )
    return "".join(drawn)


def _overview_words(scene: Scene) -> str:
    """What there is to see, for those who do not see it."""
    findings = scene.findings
    names = ", ".join(findings.series.channels[channel] for channel in scene.channels)
    first, last = scene.when(0), scene.when(len(findings.series) - 1)
    told = [f"{names} from {first} to {last}, with {counted(len(findings.events), 'event')} shaded."]
    told += [
        f"{event_span(scene, event)}, score {number(findings.events.score[event])}."
        for event in scene.order[:5]
    ]
    return " ".join(told)


def event_span(scene: Scene, event: int) -> str:
    """From when to when an event lasts, in words; the day is not said twice."""
    first = scene.when(int(scene.findings.events.start[event]))
    last = scene.when(int(scene.findings.events.stop[event]) - 1)
    if first == last:
        return first
    same_day = len(first) > 10 and first[:10] == last[:10]
    return f"{first} \u2013 {last[11:] if same_day else last}"


def _near(scene: Scene, event: int) -> tuple[int, int]:
    """The cells around an event: as much again on either side, a window at least."""
    start, stop = int(scene.spans[0][event]), int(scene.spans[1][event])
    around = max(scene.findings.scores.window_size, round(1.2 * (stop - start)), 8)
    return max(0, start - around), min(scene.timeline.n_cells, stop + around)


def _thinned(name: str, values: Floats, begin: int, end: int, n_bins: int) -> Curve:
    kept = begin + decimate(values[begin:end], n_bins)
    return Curve(name, kept, values[kept])


def blamed(scene: Scene, event: int) -> int:
    """The channel to blame most for an event."""
    shares = scene.findings.events.shares
    return scene.channels[0] if shares is None else int(np.nan_to_num(shares[event]).argmax())


def zoom(scene: Scene, event: int, *, rank: int) -> str:
    """An event from near: its most blamed channel above, the scores below."""
    begin, end = _near(scene, event)
    channel = blamed(scene, event)
    name = scene.findings.series.channels[channel]
    values = _thinned(name, scene.grid[:, channel], begin, end, _CARD_BINS)
    scores = _thinned("score", scene.scores, begin, end, _CARD_BINS)
    scales = Scale(*limits(values.values)), scene.score_scale(scores.values)
    left = max(_LEFT, margin(*(number_ticks(scale, n) for scale, n in zip(scales, (3, 2), strict=True))))
    upper = Pane(
        x=scene.timeline.scale(begin, end), y=scales[0], left=left, top=20, width=CARD - left - 8, height=112
    )
    room = _GAP + (0 if scene.labels is None else _LABELS)
    lower = replace(upper, y=scales[1], top=upper.bottom + room, height=76)
    return picture(
        f"zoom-{rank}",
        value_pane(scene, upper, values),
        labels_strip(scene, lower),
        score_pane(scene, lower, scores, ident=f"zoom-{rank}-score"),
        x_axis(lower, scene.timeline.ticks(lower.x, 4)),
        width=CARD,
        height=lower.bottom + _UNDER,
        title=f"Event {rank} from near: {event_span(scene, event)}",
        desc=f"{name} and the anomaly score around the event; the score peaks at "
        f"{number(scene.findings.events.score[event])}.",
    )


def spark(scene: Scene, event: int, *, rank: int) -> str:
    """An event as a small line for a table's cell."""
    begin, end = _near(scene, event)
    channel = blamed(scene, event)
    name = scene.findings.series.channels[channel]
    curve = _thinned(name, scene.grid[:, channel], begin, end, _SPARK_BINS)
    pane = Pane(
        x=scene.timeline.scale(begin, end),
        y=Scale(*limits(curve.values)),
        left=0,
        top=2,
        width=150,
        height=36,
    )
    return picture(
        f"spark-{rank}",
        frame(pane, _stripes(scene, pane), line(pane, curve.cells, curve.values)),
        width=150,
        height=40,
        title=f"{name} around event {rank}",
        desc=f"A small line of {name}; the event, {event_span(scene, event)}, is shaded.",
    )
