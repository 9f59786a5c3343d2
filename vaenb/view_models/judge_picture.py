"""The judge panel as a static picture: the list of events, and beside it the current one from near."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.drawing.axes import Scale, Tick, number_ticks, time_ticks
from vaenb.drawing.svg import Pane, band, frame, level, line, picture, shade, words, x_axis, y_axis
from vaenb.formats import number, percent
from vaenb.view_models import event_list as told
from vaenb.view_models.event_zoom import zoom

if TYPE_CHECKING:
    from vaenb.view_models.event_list import Line
    from vaenb.view_models.event_zoom import ChannelZoom, Zoom
    from vaenb.view_models.judge import Judge

WIDTH: Final = 960.0
_LIST, _TOP, _ROW = 330.0, 62.0, 44.0
_LEFT, _GAP = _LIST + 76.0, 26.0
_TALL, _LOW, _SCORE = 190.0, 74.0, 96.0
_CSS: Final = {
    "TP": "v-text-label",
    "FP": "v-text-alarm",
    "FN": "v-text-held",
    "\u2260": "v-text-data",
    "": "",
}


def judge_picture(judge: Judge) -> str:
    """What there is to judge as an SVG with alternative text."""
    summary = " \u00b7 ".join(piece for piece, _ in told.summary(judge))
    head = words(8, 18, summary, css="v-name")
    title = f"{judge.evidence.series.name}: events to judge"
    if not len(judge):
        sentence = told.empty(judge)
        body = words(8, 48, sentence)
        return picture("judge", head, body, width=WIDTH, height=70, title=title, desc=sentence)
    found = zoom(judge, judge.context())
    drawn, bottom = _panes(judge, found)
    lines = told.page(judge, told.first_of_page(judge.current))
    rows = "".join(_row(each, _TOP + 6 + _ROW * i) for i, each in enumerate(lines))
    here = told.line(judge, judge.current or 0)
    name = words(_LEFT, 38, told.title(judge), css="v-name")
    return picture(
        "judge",
        head,
        rows,
        name,
        drawn,
        width=WIDTH,
        height=max(bottom + 44, _TOP + _ROW * len(lines) + 8),
        title=title,
        desc=f"{summary}. Shown from near: {here.told}. "
        + " ".join(f"{each.told}." for each in lines if not each.is_current),
    )


def _row(each: Line, top: float) -> str:
    """A line of the list."""
    box = f'<rect x="0" y="{top - 4:g}" width="{_LIST:g}" height="{_ROW - 4:g}" rx="6" fill="var(--v-wash)"/>'
    kind = f"{told.SYMBOLS[each.kind]} {told.WORDS[each.kind]}".strip()
    verdict = f"{told.MARKS[each.verdict]} {each.verdict}" if each.verdict else "to judge"
    return "".join(
        [
            box if each.is_current else "",
            words(26, top + 12, f"{each.place + 1}", css="v-faint", anchor="end"),
            words(36, top + 12, each.start, css="v-name"),
            words(158, top + 12, each.lasts),
            words(36, top + 28, each.facts[:38], css="v-faint"),
            words(_LIST - 8, top + 12, kind, css=_CSS[each.kind], anchor="end"),
            words(_LIST - 8, top + 28, verdict, css="" if each.verdict else "v-faint", anchor="end"),
        ]
    )


def _panes(judge: Judge, found: Zoom) -> tuple[str, float]:
    """The channels and the score, one below the other; and where they end."""
    across = Scale(found.view.first - 0.5, found.view.stop - 0.5)
    height = _TALL if len(found.channels) == 1 else _LOW
    pane = Pane(
        x=across,
        y=across,
        left=_LEFT,
        top=_TOP,
        width=WIDTH - _LEFT - 12,
        height=height,
        inner=float(len(found.view)),
    )
    parts = []
    for channel in found.channels:
        pane = replace(pane, y=Scale(*channel.y))
        parts.append(_channel(judge, found, pane, channel))
        pane = replace(pane, top=pane.bottom + _GAP)
    pane = replace(pane, y=Scale(*found.y), height=_SCORE)
    name = f"anomaly score, threshold {number(judge.threshold)}"
    score = line(pane, found.cells, found.scores, css="v-line v-score")
    marks = frame(pane, _stripes(found, pane), score, level(pane, judge.threshold))
    parts += [
        y_axis(pane, number_ticks(pane.y, 3)),
        marks,
        words(pane.left, pane.top - 6, name, css="v-name"),
    ]
    parts.append(x_axis(pane, _ticks(judge, found)))
    return "".join(parts), pane.bottom


def _channel(judge: Judge, found: Zoom, pane: Pane, channel: ChannelZoom) -> str:
    name = judge.evidence.series.channels[channel.channel]
    share = f", {percent(channel.share)} of the blame" if len(found.channels) > 1 else ""
    return "".join(
        [
            y_axis(pane, number_ticks(pane.y, 4 if pane.height == _TALL else 2)),
            frame(
                pane,
                _stripes(found, pane),
                band(pane, channel.cells, channel.low, channel.high),
                line(pane, channel.cells, channel.mean, css="v-line v-held"),
                line(pane, channel.cells, channel.values),
            ),
            words(pane.left, pane.top - 6, f"{name}{share}", css="v-name"),
        ]
    )


def _stripes(found: Zoom, pane: Pane) -> str:
    """The event that is shown, and the labels as a strip at the bottom."""
    here = shade(pane, np.array([found.here[0] - 0.5]), np.array([found.here[1] - 0.5]))
    foot = f'<g transform="translate(0,{pane.height - 4:g})">'
    labels = shade(replace(pane, height=4.0), found.labels[0] - 0.5, found.labels[1] - 0.5, css="v-labels")
    return f"{here}{foot}{labels}</g>"


def _ticks(judge: Judge, found: Zoom) -> list[Tick]:
    view = found.view
    low, high = judge.moment(view.first), judge.moment(view.stop - 1)
    span = len(view) - 1
    if judge.timeline.has_clock:
        return [
            Tick(view.first + tick.value * span, tick.label, tick.context)
            for _, tick in time_ticks(low, high, 5)
        ]
    line_ = judge.timeline
    return [
        Tick((tick.value - line_.start) / line_.step, tick.label)
        for tick in number_ticks(Scale(low, high), 5)
    ]
