"""What the latent panel says: about a window, about the cloud, about the walk; and its lines of code."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from vaenb.formats import counted, number, stamp

if TYPE_CHECKING:
    from vaenb.records import Ints
    from vaenb.view_models.latent import LatentView

_UNITS = ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


def moment(view: LatentView, cell: int) -> str:
    """When a cell is, to be read."""
    at = view.timeline.moments([cell])[0]
    return stamp(at, view.evidence.series.interval) if view.timeline.has_clock else number(float(at), 12)


def when(view: LatentView, window: int) -> str:
    """When a window starts."""
    return moment(view, int(view.starts[window]))


def span(view: LatentView, window: int) -> str:
    """From when to when a window lasts; a day is not said twice."""
    first = int(view.starts[window])
    begin, end = moment(view, first), moment(view, first + view.window_size - 1)
    if view.timeline.has_clock and " " in end and begin.split(" ")[0] == end.split(" ")[0]:
        end = end.split(" ")[1]
    return f"{begin} to {end}"


def tips(view: LatentView, windows: Ints) -> list[str]:
    """What a point says when it is pointed at."""
    flags = view.flagged[windows]
    return [
        f"{when(view, window)}: score {number(view.sample.scores[window])}{', flagged' if flagged else ''}"
        for window, flagged in zip(windows.tolist(), flags.tolist(), strict=True)
    ]


def about_window(view: LatentView, window: int) -> str:
    """A window's score, and what the rule makes of it."""
    flag = "flagged" if view.flagged[window] else "not flagged"
    return f"score {number(view.sample.scores[window])}, {flag}"


def about_cloud(view: LatentView) -> str:
    """How many windows are in the cloud, how many of them are flagged, and how many are lit."""
    shown, total = len(view.shown), view.n_windows
    some = counted(total, "window") if shown == total else f"{shown:,} of {total:,} windows"
    said = f"{some} shown, {int(view.flagged[view.shown].sum()):,} flagged"
    return f"{said}, {len(view.selected):,} lit"


def about_lit(view: LatentView) -> str:
    """What part of the series is lit."""
    starts, stops = view.lit()
    if not len(starts):
        return "Nothing is lit: draw a lasso around points above, or brush a stretch of the series here."
    lit = counted(len(view.selected), "window")
    stretches = f"{len(starts):,} stretches, " if len(starts) > 1 else ""
    return f"{lit} lit: {stretches}{moment(view, int(starts[0]))} to {moment(view, int(stops[-1]) - 1)}"


def about_walk(view: LatentView, *, inside: bool = True) -> str:
    """Where the cross is, and what is to be known about the drawing there."""
    if not view.walks:
        grid = ' Choose the plane "stored drawings".' if view.evidence.walk is not None else ""
        return f"There is no decoder here, and no stored drawings lie in this plane.{grid}"
    place = ", ".join(f"z{at} {number(value, 2)}" for at, value in enumerate(view.walk_point[:3].tolist(), 1))
    more = ", \u2026" if view.n_dims > 3 else ""
    edge = "" if inside else ". Beyond the stored drawings: this is the one at their edge."
    return f"{place}{more}{edge}"


def about_shares(view: LatentView, window: int, most: int = 4) -> list[tuple[str, float]]:
    """The channels to blame first, with their shares; what is left comes last, as "n others"."""
    names, shares = view.evidence.series.channels, view.sample.shares[window]
    order = view.blame(window)
    told = [(names[channel], float(shares[channel])) for channel in order[:most]]
    if len(order) > most:
        told.append((counted(len(order) - most, "other"), float(shares[order[most:]].sum())))
    return told


def clock_unit(view: LatentView) -> tuple[float, str]:
    """How long a point lasts and in which unit, for an axis along a window."""
    interval = view.evidence.series.interval
    if interval is None:
        return 1.0, "points"
    length = interval * (view.window_size - 1)
    size, name = next((unit for unit in _UNITS if length >= 2 * unit[0]), _UNITS[-1])
    return interval / size, name


def code(view: LatentView, mode: str) -> str:
    """The lines that give a panel in the same state, where `evidence` (and `decode`) are at hand."""
    given = "evidence" if view.decode is None else "evidence, decode=decode"
    x, y = (float(place) for place in view.walk_at)
    lines = [
        "import vaenb",
        "",
        f"panel = vaenb.LatentPanel({given})",
        f"panel.plane = {view.plane_choice!r}",
        f"panel.color_by = {view.color_by!r}",
        f"panel.picked = {view.picked}",
        f"panel.selected = {_as_code(view.selected)}",
        f"panel.walk_at = ({x!r}, {y!r})",
        f"panel.mode = {mode!r}",
        "panel",
    ]
    return "\n".join(lines)


def _as_code(windows: Ints) -> str:
    """Ascending numbers as a list; runs of them as ranges."""
    if len(windows) < 3:
        return repr(windows.tolist())
    edges = [0, *(np.flatnonzero(np.diff(windows) > 1) + 1).tolist(), len(windows)]
    parts = []
    for begin, end in pairwise(edges):
        first, last = int(windows[begin]), int(windows[end - 1])
        parts += [str(first)] if first == last else [f"*range({first}, {last + 1})"]
    return f"[{', '.join(parts)}]"
