"""An event from near: channels with their reconstruction, and the score with its threshold, over time."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import bqplot as bq
import ipywidgets as widgets
import numpy as np

from vaenb.drawing.axes import Scale, number_ticks
from vaenb.formats import number, percent
from vaenb.view_models.event_zoom import MOST_CHANNELS, zoom

if TYPE_CHECKING:
    from vaenb.panels.timeaxis import TimeAxis
    from vaenb.records import Floats, Ints
    from vaenb.view_models.event_zoom import ChannelZoom, Zoom
    from vaenb.view_models.judge import Judge
    from vaenb.view_models.timeline import View

_TALL, _LOW, _SCORE = 260, 100, 150  # pixels: a channel alone, one of several, the score
_LEFT, _RIGHT = 62, 12
_HERE, _EVENTS, _MARKED, _EDGE = 0.3, 0.12, 0.9, 0.45  # opacities
_STRIP = 6  # pixels: how high labels are


class EventZoom:
    """The figures, and the words above them.

    Parameters
    ----------
    judge : Judge
    axis : TimeAxis
        Whatever is in view there is drawn.

    Attributes
    ----------
    widget : ipywidgets.VBox
    panes : list of ChannelPane
    score : ScorePane
    """

    def __init__(self, judge: Judge, axis: TimeAxis) -> None:
        self._judge, self.axis = judge, axis
        n_panes = min(MOST_CHANNELS, judge.evidence.series.n_channels)
        height = _TALL if n_panes == 1 else _LOW
        self.panes = [ChannelPane(axis, height) for _ in range(n_panes)]
        self.score = ScorePane(axis)
        self._shares = widgets.HTML(layout={"display": "none" if n_panes == 1 else None})
        self._shares.add_class("vaenb-judge-shares")
        self._legend = widgets.HTML(value=_legend(judge))
        self._legend.add_class("vaenb-judge-legend")
        self._shown = widgets.HTML()
        self._shown.add_class("vaenb-judge-shown")
        axis.controls.add_class("vaenb-judge-below")
        foot = widgets.HBox([self._legend, self._shown])
        foot.add_class("vaenb-judge-legends")
        rows = [row for pane in [*self.panes, self.score] for row in (pane.caption, pane.figure)]
        self.widget = widgets.VBox([self._shares, *rows, foot, axis.controls])
        self.widget.add_class("vaenb-judge-figures")
        axis.on_view(self.draw)

    def draw(self, view: View | None = None) -> None:
        """Draw what is in view around the current stretch."""
        found = zoom(self._judge, self.axis.view if view is None else view)
        for pane, channel in zip(self.panes, found.channels, strict=True):
            pane.draw(found, channel, self._judge.evidence.series.channels[channel.channel])
        self.score.draw(found, self._judge.threshold)
        self._shown.value = found.shown
        self._shares.value = _share_bar(self._judge)


class _Stripes:
    """Stretches of time as stripes over a part of a figure's height."""

    def __init__(self, axis: TimeAxis, css: str, opacity: float, low: float = 0.0, high: float = 1.0) -> None:
        self._axis, self._opacity, self._ends = axis, opacity, (low, high)
        self._colour = f"var({css})"
        self._edge = max(opacity, _EDGE)
        self.height = bq.LinearScale(min=0.0, max=1.0)
        self.mark = bq.Lines(
            x=[],
            y=[],
            scales={"x": axis.scale, "y": self.height},
            fill="inside",
            close_path=True,
            stroke_width=1,
            apply_clip=True,
        )

    def draw(self, starts: Ints, stops: Ints) -> None:
        """Show other stretches, of cells."""
        low, high = self._ends
        edges = np.stack([starts, starts, stops, stops], axis=1) - 0.5 if len(starts) else np.empty((0, 4))
        with self.mark.hold_sync():
            self.mark.x = self._axis.timeline.moments(edges) if len(starts) else np.empty(0)
            self.mark.y = np.tile([low, high, high, low], (len(starts), 1)) if len(starts) else np.empty(0)
            # One entry for each stripe: bqplot does not begin again where a list ends. What is inside is
            # as opaque as both numbers multiplied.
            self.mark.colors = self.mark.fill_colors = [self._colour] * max(1, len(starts))
            self.mark.opacities = [self._edge] * len(starts)
            self.mark.fill_opacities = [self._opacity / self._edge] * len(starts)


class _Pane:
    """A figure with a caption, the stripes of events and labels, and an axis on its left."""

    def __init__(self, axis: TimeAxis, height: int, *, shows_time: bool) -> None:
        self.axis = axis
        self.y = bq.LinearScale()
        self.y_axis = bq.Axis(scale=self.y, side="left", grid_lines="solid")
        self.n_ticks = max(3, height // 45)
        self.here = _Stripes(axis, "--v-alarm", _HERE)
        self.events = _Stripes(axis, "--v-alarm", _EVENTS)
        strip = _STRIP / height
        self.labels = _Stripes(axis, "--v-label", _MARKED, 0.0, strip)
        self.second = _Stripes(axis, "--v-second", _MARKED, strip * 1.3, strip * 2.3)
        self.caption = widgets.HTML()
        self.caption.add_class("vaenb-judge-caption")
        margin = {"top": 4, "bottom": 24 if shows_time else 4, "left": _LEFT, "right": _RIGHT}
        self.figure = bq.Figure(
            axes=[self.y_axis, axis.axis(visible=shows_time)],
            layout={"height": f"{height}px", "width": "100%", "min_width": "0"},
            fig_margin=margin,
            animation_duration=0,
            padding_x=0,
            padding_y=0,
        )
        axis.pannable(self.figure)

    def line(self, css: str, **style: Any) -> bq.Lines:
        """A line over time."""
        chosen = {"stroke_width": 1.4, "colors": [f"var({css})"], **style}
        return bq.Lines(x=[], y=[], scales={"x": self.axis.scale, "y": self.y}, **chosen)

    def show(self, *marks: bq.Mark) -> None:
        """Lay the marks over the stripes."""
        stripes = (self.events, self.here, self.labels, self.second)
        self.figure.marks = [*(stripe.mark for stripe in stripes), *marks]

    def draw_stripes(self, found: Zoom) -> None:
        """Events and labels in view."""
        start, stop = (np.array([edge]) for edge in found.here)
        self.here.draw(start[start < stop], stop[start < stop])
        self.events.draw(*found.events)
        self.labels.draw(*found.labels)
        self.second.draw(*found.second)

    def fit(self, ends: tuple[float, float]) -> None:
        """Show these values from bottom to top."""
        ticks = number_ticks(Scale(*ends), self.n_ticks)
        with self.y_axis.hold_sync():
            self.y_axis.tick_values = np.array([tick.value for tick in ticks], dtype=np.float64)
            self.y_axis.tick_format = _format([tick.label for tick in ticks])
        with self.y.hold_sync():
            self.y.min, self.y.max = ends


class ChannelPane(_Pane):
    """A channel: measured, and expected with one standard deviation about it."""

    def __init__(self, axis: TimeAxis, height: int) -> None:
        super().__init__(axis, height, shows_time=False)
        self.band = self.line(
            "--v-calm", fill="between", fill_opacities=[0.55], opacities=[0, 0], fill_colors=["var(--v-calm)"]
        )
        self.mean = self.line("--v-held", line_style="dashed")
        self.values = self.line("--v-data", stroke_width=1.6)
        self.show(self.band, self.mean, self.values)

    def draw(self, found: Zoom, channel: ChannelZoom, name: str) -> None:
        """Show another channel, or another part of it."""
        moments = self.axis.timeline.moments(channel.cells)
        _send(self.values, moments, channel.values)
        _send(self.mean, moments, channel.mean)
        _send(self.band, moments, np.stack([channel.low, channel.high]))
        self.fit(channel.y)
        self.draw_stripes(found)
        share = f"<span>{percent(channel.share)} of the blame</span>" if len(found.channels) > 1 else ""
        self.caption.value = f"<b>{escape(name)}</b>{share if np.isfinite(channel.share) else ''}"


class ScorePane(_Pane):
    """The anomaly score and the threshold across it."""

    def __init__(self, axis: TimeAxis) -> None:
        super().__init__(axis, _SCORE, shows_time=True)
        self.values = self.line("--v-score", stroke_width=1.6)
        self.threshold = self.line("--v-alarm", line_style="dashed")
        self.show(self.values, self.threshold)

    def draw(self, found: Zoom, threshold: float) -> None:
        """Show another part of the scores."""
        _send(self.values, self.axis.timeline.moments(found.cells), found.scores)
        ends = self.axis.timeline.moments([found.view.first, found.view.stop - 1])
        _send(self.threshold, ends, np.full(2, threshold if np.isfinite(threshold) else np.nan))
        self.fit(found.y)
        self.draw_stripes(found)
        self.caption.value = f"<b>anomaly score</b><span class='v-alarm'>threshold {number(threshold)}</span>"


def _send(mark: bq.Lines, moments: Any, values: Floats) -> None:
    """Put points on a line; up to the last known one, at which bqplot wants to put a label."""
    known = np.flatnonzero(np.isfinite(values.reshape(-1, values.shape[-1])[0]))
    until = known[-1] + 1 if len(known) else 0
    with mark.hold_sync():
        mark.x, mark.y = moments[:until], values[..., :until]


def _format(labels: list[str]) -> str:
    """How bqplot should write some ticks, in d3's words.

    Examples
    --------
    >>> _format(["0", "10,000"]), _format(["0.25", "0.50"]), _format(["1\u202fM", "2\u202fM"])
    (',.0f', ',.2f', '~s')
    """
    if any(label[-1].isalpha() or "\u00d7" in label for label in labels):
        return "~e" if any("\u207b" in label for label in labels) else "~s"
    return f",.{max((len(label.partition('.')[2]) for label in labels), default=0)}f"


def _legend(judge: Judge) -> str:
    """What the colours mean, as HTML."""
    told = [("value", "value"), ("mean", "expected"), ("band", "expected \u00b1 \u03c3")]
    told += [("here", "this event"), ("events", "other events")]
    told += [("label", "labels")] if judge.labels is not None else []
    told += [("second", "second labels")] if judge.second is not None else []
    return "".join(f'<span><i class="v-key-{css}"></i>{words}</span>' for css, words in told)


def _share_bar(judge: Judge) -> str:
    """The channels' shares of the blame as one bar."""
    if judge.current is None or judge.evidence.series.n_channels == 1:
        return ""
    shares, names = judge.blame(judge.current), judge.evidence.series.channels
    order = np.argsort(-shares, kind="stable")
    first = [(names[i], float(shares[i])) for i in order[:MOST_CHANNELS]]
    rest = len(names) - len(first)
    others = max(0.0, 1.0 - sum(share for _, share in first))
    parts = [*first, *([(f"{rest} others", others)] if rest else [])]
    drawn = "".join(
        f'<span class="v-share{min(place, MOST_CHANNELS)}" style="flex:{share:.4f} 1 0" '
        f'title="{escape(name)} {percent(share)}">{escape(name) if share > 0.12 else ""}</span>'
        for place, (name, share) in enumerate(parts)
    )
    return f'<span class="v-shares-name">blame</span><div class="v-shares">{drawn}</div>'
