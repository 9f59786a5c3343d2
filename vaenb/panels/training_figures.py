"""The figures of the training panel: each copies its part of the view model onto bqplot's marks."""

from __future__ import annotations

import html
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import bqplot as bq
import ipywidgets as widgets
import numpy as np

from vaenb.drawing.axes import Scale, number_ticks
from vaenb.panels.ticks import set_ticks
from vaenb.report.plots import TRAINING_CURVES
from vaenb.view_models.training_cloud import Plane, cloud_limits, errors, plane_of, power_ticks
from vaenb.view_models.training_figures import curves, epoch_axis, kl_bars, pinned, window_ticks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vaenb.view_models.training import TrainingView

DATA, HELD, CALM, MARK = "var(--v-data)", "var(--v-held)", "var(--v-calm)", "var(--v-faint)"
HINTS = {
    "elbo": "nats per window, higher is better",
    "reconstruction": "log-likelihood in nats, higher is better",
    "kl": "nats per window",
}
_LEFT, _GAP = 46, 15.0


class Plot:
    """A figure with a title above it, both of fixed height.

    Attributes
    ----------
    box : ipywidgets.VBox
    """

    def __init__(self, css: str, *, height: int, right: int = 12, scales: dict[str, bq.Scale]) -> None:
        self.height, self.scales = height, scales
        self.title = widgets.HTML()
        self.title.add_class("vaenb-plot-title")
        self.across = bq.Axis(scale=scales["x"], grid_lines="none", visible=False)
        self.up = bq.Axis(scale=scales["y"], side="left", grid_lines="solid", visible=False)
        self.figure = bq.Figure(
            axes=[self.across, self.up],
            fig_margin={"top": 6, "bottom": 24, "left": _LEFT, "right": right},
            layout={"width": "100%", "height": f"{height}px"},
            animation_duration=0,
            padding_x=0,
            padding_y=0,
        )
        self.box = widgets.VBox([self.title, self.figure])
        self.box.add_class("vaenb-plot")
        self.box.add_class(f"vaenb-plot-{css}")
        self.box.add_class("vaenb-plot-empty")

    def draw(self, view: TrainingView) -> None:
        """Bring it up to date."""
        raise NotImplementedError

    @property
    def inner_height(self) -> float:
        """Pixels between the lower and the upper axis."""
        return self.height - 30.0

    def say(self, name: str, hint: str = "", *, aside: str = "") -> None:
        """The title; `hint` and `aside` are HTML."""
        self.title.value = f"<b>{html.escape(name)}</b><span>{hint}</span><em>{aside}</em>"

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Changes within reach the browser as one message a widget; there is something to draw."""
        self.box.remove_class("vaenb-plot-empty")
        with ExitStack() as stack:
            for widget in (*self.scales.values(), self.across, self.up, *self.figure.marks):
                stack.enter_context(widget.hold_sync())
            yield

    def range(self, name: str, low: float, high: float) -> None:
        """What an axis shows."""
        scale = self.scales[name]
        scale.min, scale.max = float(low), float(high)


def set_line(mark: bq.Lines, x: Any, y: Any) -> None:
    """The points of a line: none where nothing is known, because bqplot cannot draw that."""
    is_known = bool(np.isfinite(y).any())
    mark.x, mark.y = (x, y) if is_known else (x[:0], y[:0])


def key(css: str, text: str) -> str:
    """An entry of a legend: a mark in the colour of `css`, and its name."""
    return f'<i class="{css}"></i>{html.escape(text)}'


class CurvePlot(Plot):
    """ELBO, reconstruction or KL against epochs, with names at the ends of the lines."""

    def __init__(self, name: str) -> None:
        self.name = name
        scales = {"x": bq.LinearScale(), "y": bq.LinearScale()}
        super().__init__(name, height=150, right=80, scales=scales)
        style = {"scales": scales, "stroke_width": 1.8, "x": [], "y": []}
        self.train, self.held = bq.Lines(colors=[DATA], **style), bq.Lines(colors=[HELD], **style)
        self.marker = bq.Lines(
            x=[], y=[], scales=scales, colors=[MARK], stroke_width=1, line_style="dashed", apply_clip=False
        )
        self.names = bq.Label(
            x=[], y=[], text=[], scales=scales, x_offset=6, y_offset=4, default_size=11, apply_clip=False
        )
        self.figure.marks = [self.marker, self.train, self.held, self.names]
        self.say(TRAINING_CURVES[name], HINTS[name])

    def draw(self, view: TrainingView) -> None:
        """Bring it up to date."""
        if not view.records:
            return
        found = curves(view.records, self.name, gap=_GAP / self.inner_height)
        last, ticks = epoch_axis(view.last_epoch, view.planned, 5)
        with self.at_once():
            self.range("x", 1, last)
            self.range("y", found.low, found.high)
            set_ticks(self.up, number_ticks(Scale(found.low, found.high), 4))
            set_ticks(self.across, ticks)
            set_line(self.train, found.epochs, found.train)
            set_line(self.held, found.epochs, found.calibration)
            shown = view.epoch >= 1
            self.marker.x = np.array([view.epoch] * 2 * shown, dtype=np.float64)
            self.marker.y = np.array([found.low, found.high] * shown, dtype=np.float64)
            self._name_the_ends(found.ends, found.epochs)

    def _name_the_ends(self, ends: Sequence[tuple[str, float, float]], epochs: Any) -> None:
        self.names.colors = [DATA if name == "train" else HELD for name, _, _ in ends] or [DATA]
        self.names.x = np.array([epochs[-1] for _ in ends], dtype=np.float64)
        self.names.y = np.array([place for _, _, place in ends], dtype=np.float64)
        self.names.text = np.array([name for name, _, _ in ends], dtype="U")


class KlPlot(Plot):
    """The KL of each latent dimension; active ones are coloured."""

    def __init__(self) -> None:
        scales = {"x": bq.LinearScale(), "y": bq.LinearScale(min=0.0)}
        super().__init__("dims", height=170, scales=scales)
        self.bars = bq.Bars(x=[], y=[], scales=scales, padding=0.25, color_mode="group", stroke="transparent")
        self.figure.marks = [self.bars]

    def draw(self, view: TrainingView) -> None:
        """Bring it up to date."""
        found = kl_bars(view)
        self.say(
            "KL by latent dimension", "nats", aside=key("v-key-data", "active") + key("v-key-calm", "idle")
        )
        if found is None:
            return
        n = len(found.kl)
        with self.at_once():
            self.range("x", 0.4, n + 0.6)
            self.range("y", 0.0, found.high)
            ticks = number_ticks(Scale(1, n), min(n, 8)) if n > 1 else []
            set_ticks(self.across, [tick for tick in ticks if tick.value == int(tick.value)])
            set_ticks(self.up, number_ticks(Scale(0.0, found.high), 4))
            self.bars.colors = [DATA if active else CALM for active in found.active]
            self.bars.x, self.bars.y = np.arange(1.0, n + 1), np.maximum(found.kl, 0.0)


class WindowPlot(Plot):
    """The pinned window and its reconstruction, one standard deviation to either side."""

    def __init__(self) -> None:
        scales = {"x": bq.LinearScale(), "y": bq.LinearScale()}
        super().__init__("window", height=170, scales=scales)
        style = {"scales": scales, "x": [], "y": []}
        self.band = bq.Lines(
            colors=["transparent"], fill="between", fill_colors=[DATA], fill_opacities=[0.18], **style
        )
        self.mean = bq.Lines(colors=[DATA], stroke_width=1.8, **style)
        self.actual = bq.Lines(colors=["var(--v-ink)"], stroke_width=1.2, **style)
        self.figure.marks = [self.band, self.mean, self.actual]

    def draw(self, view: TrainingView) -> None:
        """Bring it up to date."""
        legend = key("v-key-ink", "measured") + key("v-key-data", "reconstruction \u00b1 \u03c3")
        found = pinned(view)
        name = view.channels[view.channel] if view.channels else ""
        if found is None:
            self.say("Pinned window", aside=legend)
            return
        ticks, below = window_ticks(view, len(found.points))
        self.say("Pinned window", html.escape(", ".join(filter(None, [name, below]))), aside=legend)
        with self.at_once():
            self.range("x", 0.0, len(found.points) - 1.0)
            self.range("y", found.bottom, found.top)
            set_ticks(self.across, ticks)
            set_ticks(self.up, number_ticks(Scale(found.bottom, found.top), 4))
            known = np.isfinite(found.low) & np.isfinite(found.high)
            if known.any():
                self.band.x = found.points[known]
                self.band.y = np.stack([found.low[known], found.high[known]])
            set_line(self.mean, found.points, found.mean)
            set_line(self.actual, found.points, found.actual)


class CloudPlot(Plot):
    """Where the sampled windows lie in the latent space, coloured by their errors."""

    def __init__(self) -> None:
        scales = {"x": bq.LinearScale(), "y": bq.LinearScale()}
        super().__init__("cloud", height=190, scales=scales)
        self.dots = bq.Scatter(x=[], y=[], scales=scales, default_size=14, opacities=[0.85])
        self.figure.marks = [self.dots]
        self._plane: Plane | None = None

    def draw(self, view: TrainingView) -> None:
        """Bring it up to date."""
        frame, found = view.frame, errors(view)
        if frame is None or found is None:
            self.say("Latent space", "one dot a window")
            return
        self._plane = plane_of(view.frames[-1].latent, self._plane)
        places = self._plane(frame.latent)
        across, up = cloud_limits(view.frames, self._plane)
        names = " \u00b7 ".join(filter(None, (f"{name}" for name in self._plane.names)))
        self.say("Latent space", html.escape(names), aside=f"{len(places):,} windows")
        with self.at_once():
            self.range("x", *across)
            self.range("y", *up)
            set_ticks(self.across, number_ticks(Scale(*across), 5))
            set_ticks(self.up, number_ticks(Scale(*up), 4))
            order = np.argsort(found.of_windows, kind="stable")
            self.dots.colors = [f"var(--v-ramp{shade})" for shade in found.of_windows[order]]
            self.dots.x, self.dots.y = places[order, 0], places[order, 1]


class ErrorPlot(Plot):
    """The errors of the sampled windows as a histogram; before the training, as an outline."""

    def __init__(self) -> None:
        scales = {"x": bq.LinearScale(), "y": bq.LinearScale(min=0.0)}
        super().__init__("errors", height=190, scales=scales)
        self.bars = bq.Bars(x=[], y=[], scales=scales, padding=0.12, color_mode="group", stroke="transparent")
        self.before = bq.Lines(x=[], y=[], scales=scales, colors=[MARK], stroke_width=1.2)
        self.figure.marks = [self.before, self.bars]

    def draw(self, view: TrainingView) -> None:
        """Bring it up to date."""
        found = errors(view)
        first = "before the training" if view.frames and not view.frames[0].epoch else "first epoch"
        legend = key("v-key-outline", first) + key("v-key-ramp", "this epoch")
        self.say("Reconstruction errors", "mean square, scaled", aside=legend if found else "")
        if found is None:
            return
        high = float(max(found.counts.max(), found.before.max(), 1)) * 1.06
        low, top = float(found.edges[0]), float(found.edges[-1])
        with self.at_once():
            self.range("x", low, top)
            self.range("y", 0.0, high)
            set_ticks(self.across, power_ticks(low, top))
            ticks = number_ticks(Scale(0.0, high), 3)
            set_ticks(self.up, [tick for tick in ticks if tick.value == int(tick.value)])
            self.bars.colors = [f"var(--v-ramp{shade})" for shade in found.shades]
            self.bars.x = (found.edges[1:] + found.edges[:-1]) / 2
            self.bars.y = found.counts.astype(np.float64)
            inside = slice(*_inside(found.before))
            self.before.x = np.repeat(found.edges, 2)[inside]
            self.before.y = np.concatenate([[0.0], np.repeat(found.before, 2), [0.0]])[inside]


def _inside(counts: Any) -> tuple[int, int]:
    """Of the corners of a histogram's outline, two for each edge, those from the first to the last bar."""
    filled = np.flatnonzero(counts)
    return (2 * int(filled[0]), 2 * int(filled[-1]) + 4) if len(filled) else (0, 0)
