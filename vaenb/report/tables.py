"""The tables and lists of a report, as HTML. NumPy only."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from vaenb.formats import counted, duration, fixed, number, percent
from vaenb.report.pictures import MAX_EVENTS, spark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vaenb.records import Floats, Report
    from vaenb.report.scene import Scene

MAX_ROWS = 1_000
_MAX_BLAMED = 3
_DETECTORS = {
    "vae": "VAE",
    "random": "random score",
    "window_pca": "PCA of windows",
    "rolling_median": "rolling median",
}
_METRICS = {
    "vus_pr": "VUS-PR",
    "vus_roc": "VUS-ROC",
    "auc_pr": "AUC-PR",
    "auc_roc": "AUC-ROC",
    "best_f1": "best F1",
    "f1": "F1",
    "event_f1": "event F1",
    "false_alarms_per_day": "false alarms a day",
    "false_alarms_per_1000": "false alarms in 1,000 points",
    "delay": "mean delay, in points",
    "delay_median": "median delay, in points",
    "point_adjusted_f1": "point-adjusted F1",
}
_LOWER_IS_BETTER = ("false_alarm", "delay", "missed")


def bar(share: float, text: str) -> str:
    """A number with a small bar; the bar says nothing new, so it is not read out."""
    width = 100 * min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
    return f'<span class="bar" aria-hidden="true"><i style="width:{width:.0f}%"></i></span>{escape(text)}'


def events_table(scene: Scene) -> str:
    """The most severe events with small pictures; the others folded away, in words."""
    shown, others = scene.order[:MAX_EVENTS], scene.order[MAX_EVENTS:MAX_ROWS]
    table = _table(scene, shown, first=1, drawn=True)
    if others:
        left = len(scene.order) - len(shown) - len(others)
        more = f"; {left:,} more are not listed" if left else ""
        table += f"<details><summary>The other {counted(len(others), 'event')}{more}</summary>"
        table += _table(scene, others, first=MAX_EVENTS + 1, drawn=False) + "</details>"
    return table


def _table(scene: Scene, events: list[int], *, first: int, drawn: bool) -> str:
    blames = scene.findings.events.shares is not None and scene.findings.series.n_channels > 1
    heads = ["#", "start", "end", "length", "peak at", "score", "severity"]
    heads += ["channels to blame"] * blames + ["close up"] * drawn
    rows = (
        _event_row(scene, event, rank, blames=blames, drawn=drawn) for rank, event in enumerate(events, first)
    )
    return table("events", heads, rows)


def table(css: str, heads: Iterable[str], rows: Iterable[str]) -> str:
    """A table that scrolls by itself where the page is too narrow for it."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    inside = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="scroll"><table class="{css}">{inside}</table></div>'


def _event_row(scene: Scene, event: int, rank: int, *, blames: bool, drawn: bool) -> str:
    events = scene.findings.events
    start, stop = int(events.start[event]), int(events.stop[event])
    worst = np.nanmax(events.severity) if np.isfinite(events.severity).any() else 1.0
    severity, decimals = float(events.severity[event]), 1 if worst >= 1 else 2
    link = f'<a href="#event-{rank}" aria-label="Event {rank} from near">{rank}</a>' if drawn else str(rank)
    cells = [
        f'<th scope="row" class="rank">{link}</th>',
        *(f"<td>{_moment(scene.when(row))}</td>" for row in (start, stop - 1)),
        f"<td>{event_length(scene, event)}</td>",
        f"<td>{_moment(scene.when(int(events.peak[event])))}</td>",
        f'<td class="number">{fixed(float(events.score[event]), _decimals(scene))}</td>',
        f'<td class="severity">{bar(severity / (worst or 1.0), fixed(severity, decimals))}</td>',
    ]
    if blames and events.shares is not None:
        cells.append(f"<td>{_blame(events.shares[event], scene.findings.series.channels)}</td>")
    if drawn:
        cells.append(f'<td class="spark"><a href="#event-{rank}">{spark(scene, event, rank=rank)}</a></td>')
    return "".join(cells)


def _decimals(scene: Scene) -> int:
    """As many decimals for all scores as give the threshold three significant digits."""
    size = abs(scene.over or 0.0)
    return int(np.clip(2 - math.floor(math.log10(size)), 0, 6)) if size else 3


def _moment(text: str) -> str:
    """A date above its time of day, so that columns stay narrow."""
    day, _, clock = text.partition(" ")
    return (
        f'<span class="day">{escape(day)}</span> <span class="clock">{escape(clock)}</span>'
        if clock
        else escape(day)
    )


def event_length(scene: Scene, event: int, *, both: bool = True) -> str:
    """How long an event lasts: in time where there is a clock, in points where there is none; or `both`."""
    first, last = scene.spans[0][event], scene.spans[1][event]
    interval = scene.findings.series.interval
    points = counted(int(scene.findings.events.stop[event] - scene.findings.events.start[event]), "point")
    if interval is None:
        return f'<span class="day">{points}</span>'
    lasts = duration(float(last - first) * interval)
    return f'{lasts} <span class="soft">{points}</span>' if both else lasts


def _whole(share: float) -> str:
    return percent(max(round(share, 2), 0.01))


def _blame(shares: Floats, channels: tuple[str, ...]) -> str:
    """The channels to blame most, with their shares; the others together."""
    known = np.nan_to_num(shares)
    chosen = np.argsort(-known, kind="stable")[:_MAX_BLAMED]
    items = [(channels[channel], float(known[channel])) for channel in chosen if known[channel] > 0]
    rest = 1.0 - sum(share for _, share in items)
    listed = "".join(
        f"<li><span>{escape(name)}</span>{bar(share, _whole(share))}</li>" for name, share in items
    )
    if len(channels) > len(items) and rest > 0.005:
        others = counted(len(channels) - len(items), "other")
        listed += f'<li class="soft">{others}: {_whole(rest)} together</li>'
    return f'<ul class="blame">{listed}</ul>'


def metrics_table(report: Report) -> str:
    """Metrics beside those of the baselines, the best of each row marked; then what only one detector has."""
    detectors = list(report.metrics)
    names = list(dict.fromkeys(name for metrics in report.metrics.values() for name in metrics))
    heads = ["metric", *(_DETECTORS.get(detector, detector) for detector in detectors)]
    found = {name: [report.metrics[each].get(name, math.nan) for each in detectors] for name in names}
    shared = [name for name in names if sum(name in metrics for metrics in report.metrics.values()) > 1]
    beside = table("metrics", heads, (_metric_row(name, found[name]) for name in shared)) if shared else ""
    alone = {
        metric_name(name): next((value for value in found[name] if math.isfinite(value)), math.nan)
        for name in names
        if name not in shared
    }
    return beside + (f'<h3>At the threshold</h3><dl class="settings">{pairs(alone)}</dl>' if alone else "")


def _metric_row(name: str, values: list[float]) -> str:
    known = [value for value in values if math.isfinite(value)]
    lower = any(word in name for word in _LOWER_IS_BETTER)
    best = (min(known) if lower else max(known)) if len(set(known)) > 1 else None
    bars = not lower and all(0 <= value <= 1 for value in known)
    cells = [f'<th scope="row">{escape(metric_name(name))}</th>']
    for value in values:
        css = "number best" if value == best else "number"
        text = fixed(value, 3) if bars else number(value, 3)
        cells.append(f'<td class="{css}">{bar(value, text) if bars else escape(text)}</td>')
    return "".join(cells)


def metric_name(name: str) -> str:
    """A metric's key as it is written in papers, or at least with spaces."""
    return _METRICS.get(name, name.replace("_", " "))


def pairs(items: Mapping[str, object]) -> str:
    """Names and values, one line each."""
    return "".join(
        f"<div><dt>{escape(str(name))}</dt><dd>{escape(_shown(value))}</dd></div>"
        for name, value in items.items()
    )


def _shown(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def bullets(items: Iterable[str]) -> str:
    """Sentences as a list."""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
