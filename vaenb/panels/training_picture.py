"""What the training panel shows, as a static SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaenb.drawing.axes import Scale, number_ticks
from vaenb.drawing.svg import (
    Pane,
    band,
    end_labels,
    frame,
    line,
    picture,
    ramp_dots,
    shade,
    steps,
    upright,
    words,
    x_axis,
    y_axis,
)
from vaenb.formats import number
from vaenb.report.plots import TRAINING_CURVES
from vaenb.view_models.training_cloud import cloud_limits, errors, plane_of, power_ticks
from vaenb.view_models.training_figures import curves, epoch_axis, kl_bars, pinned, window_ticks
from vaenb.view_models.training_words import alarm, place, status, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaenb.drawing.axes import Tick
    from vaenb.view_models.training import TrainingView

WIDTH = 960.0
_LEFT, _THIRD = 56.0, 320.0


def training_picture(view: TrainingView, title: str) -> str:
    """The picture of a training at the epoch that is looked at."""
    parts = [words(0, 16, status(view), css="v-name"), words(WIDTH, 16, place(view), anchor="end")]
    height = 32.0
    if view.records:
        parts += [_curve(view, name, i * _THIRD) for i, name in enumerate(TRAINING_CURVES)]
        parts += [_window(view), _bars(view)]
        height = 420.0
    if view.frames:
        parts += [_cloud(view), _errors(view)]
        height = 632.0
    return picture(
        "training", *parts, width=WIDTH, height=height, title=f"{title}, {place(view)}", desc=_told(view)
    )


def _told(view: TrainingView) -> str:
    """What there is to see, for those who do not see it."""
    told = [status(view)]
    if view.records:
        first, last = view.records[0], view.records[-1]
        told.append(f"ELBO on train from {number(first.elbo)} to {number(last.elbo)} nats per window.")
        if first.calibration_elbo is not None and last.calibration_elbo is not None:
            ends = number(first.calibration_elbo), number(last.calibration_elbo)
            told.append(f"On calibration from {ends[0]} to {ends[1]}.")
        told.append(alarm(view) or verdict(view))
    return " ".join(told)


def _pane(x: tuple[float, float], y: tuple[float, float], *box: float) -> Pane:
    left, top, width, height = box
    return Pane(x=Scale(*x), y=Scale(*y), left=left, top=top, width=width, height=height)


def _drawn(pane: Pane, name: str, across: Sequence[Tick], *marks: str, n_up: int = 4) -> str:
    ups = number_ticks(pane.y, n_up)
    title = words(pane.left, pane.top - 8, name, css="v-name")
    return title + y_axis(pane, ups) + frame(pane, *marks) + x_axis(pane, across)


def _curve(view: TrainingView, name: str, left: float) -> str:
    found = curves(view.records, name)
    last, whole = epoch_axis(view.last_epoch, view.planned, 4)
    pane = _pane((1, last), (found.low, found.high), left + _LEFT, 60, _THIRD - _LEFT - 82, 120)
    marks = [
        upright(pane, view.epoch) if view.epoch else "",
        line(pane, found.epochs, found.train, css="v-line v-thick v-data"),
        line(pane, found.epochs, found.calibration, css="v-line v-thick v-held"),
    ]
    css = {"train": "v-text-data", "calibration": "v-text-held"}
    ends = end_labels(pane, [(value, text, css[text]) for text, value, _ in found.ends])
    return _drawn(pane, TRAINING_CURVES[name], whole, *marks) + ends


def _window(view: TrainingView) -> str:
    found = pinned(view)
    if found is None:
        return ""
    size = len(found.points)
    pane = _pane((0, size - 1), (found.bottom, found.top), _LEFT, 250, 480, 130)
    ticks, _ = window_ticks(view, size)
    marks = [line(pane, found.points, found.actual, css="v-line v-score")]
    if np.isfinite(found.mean).all():
        marks.insert(0, band(pane, found.points, found.low, found.high))
        marks.append(line(pane, found.points, found.mean, css="v-line v-thick v-data"))
    channel = f", {view.channels[view.channel]}" if view.channels else ""
    return _drawn(pane, f"One window and its reconstruction \u00b1 \u03c3{channel}", ticks, *marks)


def _bars(view: TrainingView) -> str:
    found = kl_bars(view)
    if found is None:
        return ""
    n = len(found.kl)
    pane = _pane((0.4, n + 0.6), (0, found.high), 610, 250, 338, 130)
    marks = [
        frame_bar(pane, at + 1, float(kl), active=bool(active))
        for at, (kl, active) in enumerate(zip(found.kl, found.active, strict=True))
    ]
    ticks = number_ticks(Scale(1, n), min(n, 8)) if n > 1 else []
    whole = [tick for tick in ticks if tick.value == int(tick.value)]
    return _drawn(pane, f"KL by latent dimension: {int(np.sum(found.active))} of {n} active", whole, *marks)


def frame_bar(pane: Pane, at: int, height: float, *, active: bool) -> str:
    """One bar of the KL, blue where the dimension is active."""
    top = float(pane.down(max(height, 0.0)))
    across = pane.across([at - 0.38, at + 0.38])
    css = "v-part0" if active else "v-part2"
    return (
        f'<rect class="{css}" x="{across[0]:.1f}" y="{top:.1f}" width="{across[1] - across[0]:.1f}" '
        f'height="{pane.height - top:.1f}"/>'
    )


def _cloud(view: TrainingView) -> str:
    seen, found = view.frame, errors(view)
    if seen is None or found is None:
        return ""
    plane = plane_of(view.frames[-1].latent)
    places = plane(seen.latent)
    pane = _pane(*cloud_limits(view.frames, plane), _LEFT, 450, 400, 150)
    marks = ramp_dots(pane, places[:, 0], places[:, 1], found.of_windows / 9)
    return _drawn(pane, f"Latent space, {len(places):,} windows", number_ticks(pane.x, 5), marks)


def _errors(view: TrainingView) -> str:
    found = errors(view)
    if found is None:
        return ""
    low, high = float(found.edges[0]), float(found.edges[-1])
    top = float(max(found.counts.max(), found.before.max(), 1)) * 1.06
    pane = _pane((low, high), (0, top), 530, 450, 418, 150)
    counts = np.where(found.counts, found.counts, np.nan)
    first = np.where(found.before, found.before, np.nan)
    marks = [
        steps(pane, found.edges, counts, css="v-part0"),
        steps(pane, found.edges, first, css="v-outline"),
        shade(pane, [], []),
    ]
    return _drawn(
        pane, "Their reconstruction errors; outlined, before", power_ticks(low, high), *marks, n_up=3
    )
