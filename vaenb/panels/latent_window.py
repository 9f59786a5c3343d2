"""One window from near: what it was, what the decoder draws, whom to blame, and what is like it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import bqplot as bq
import ipywidgets as widgets
import numpy as np

from vaenb.drawing.axes import Scale, limits, number_ticks
from vaenb.drawing.svg import Pane, frame, line
from vaenb.formats import percent
from vaenb.panels.ticks import set_ticks
from vaenb.view_models.latent_words import about_shares, about_walk, about_window, clock_unit, span, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.records import Floats, Ints
    from vaenb.view_models.latent import LatentView

_MOST: Final = 3  # channels drawn
_HEIGHT: Final = {1: 236, 2: 118, 3: 86}
_AXIS: Final = 42
_LIKE: Final = 4


class WindowPictures:
    """The column beside the cloud.

    Parameters
    ----------
    view : LatentView
    on_pick : callable
        Gets the window whose button was pressed.

    Attributes
    ----------
    box : ipywidgets.VBox
    """

    def __init__(self, view: LatentView, *, on_pick: Callable[[int], object]) -> None:
        self.view, self._on_pick = view, on_pick
        self.n_shown = min(_MOST, view.evidence.series.n_channels)
        self._usual = {c: _usual(view, c) for c in range(view.evidence.series.n_channels)}
        step, unit = clock_unit(view)
        self._along: Floats = np.arange(view.window_size, dtype=np.float64) * step
        self.x = bq.LinearScale(min=0.0, max=float(self._along[-1]) or 1.0, allow_padding=False)
        self.pictures = [
            ChannelPicture(self.x, self._along, height=_HEIGHT[self.n_shown], unit=unit if last else "")
            for last in (place == self.n_shown - 1 for place in range(self.n_shown))
        ]
        self.head, self.key, self.shares = (widgets.HTML() for _ in range(3))
        self.head.add_class("vaenb-latent-head")
        self.key.add_class("vaenb-latent-key")
        self.shares.add_class("vaenb-latent-shares")
        self._like: list[int] = []
        self.like_name = widgets.HTML("Nearest normal windows")
        self.like_name.add_class("vaenb-latent-key")
        self.cards = [self._card(place) for place in range(_LIKE)]
        like = widgets.HBox(self.cards)
        like.add_class("vaenb-latent-like")
        drawn = [part for picture in self.pictures for part in (picture.name, picture.figure)]
        if view.evidence.series.n_channels == 1:
            self.shares.layout.display = "none"
        self.box = widgets.VBox([self.head, self.key, *drawn, self.shares, self.like_name, like])
        self.box.add_class("vaenb-latent-window")

    def _card(self, place: int) -> widgets.VBox:
        button = widgets.Button(tooltip="Look at this window")
        button.on_click(lambda _: self._on_pick(self._like[place]) if place < len(self._like) else None)
        card = widgets.VBox([widgets.HTML(), button])
        card.add_class("vaenb-latent-card")
        return card

    # ------------------------------------------------------------------ drawing

    def draw_picked(self) -> None:
        """The window that is looked at."""
        view, window = self.view, self.view.picked
        self.head.value = _heading(span(view, window), about_window(view, window))
        self.key.value = _key(("data", "the window"), ("model", "reconstruction \u00b1 \u03c3"))
        actual, mean, spread = view.actual(window), view.sample.mean[window], view.sample.spread[window]
        order = view.blame(window)
        for picture, channel in zip(self.pictures, order, strict=False):
            picture.draw(mean[:, channel], spread[:, channel], actual[:, channel], usual=self._usual[channel])
            picture.say(self._channel_name(channel))
        self.shares.value = "".join(_bar(*told) for told in about_shares(view, window))
        self.shares.layout.visibility = "visible"
        near = view.nearest_normal(window, most=_LIKE)
        name = "Nearest normal windows" if len(near) else "There is no normal window to compare with"
        self._draw_like(name, near, order[0])

    def draw_walk(self) -> None:
        """What the decoder draws at the cross, and the windows nearest to it for comparison."""
        view, drawn = self.view, self.view.drawing()
        nearest = view.nearest(view.walk_point, np.arange(view.n_windows), most=_LIKE)
        inside = drawn is None or drawn.inside
        self.head.value = _heading("What the decoder draws here", about_walk(view, inside=inside))
        like = f"nearest window, {when(view, int(nearest[0]))}"
        self.key.value = _key(("model", "decoder \u00b1 \u03c3"), ("calm", like))
        actual, empty = view.actual(int(nearest[0])), np.full(view.window_size, np.nan)
        order = view.blame(view.picked)
        for picture, channel in zip(self.pictures, order, strict=False):
            mean, spread = (
                (empty, empty) if drawn is None else (drawn.mean[:, channel], drawn.spread[:, channel])
            )
            picture.draw(mean, spread, actual[:, channel], usual=self._usual[channel], calm=True)
            picture.say(self._channel_name(channel))
        self.shares.layout.visibility = "hidden"
        self._draw_like("Nearest windows", nearest, order[0])

    def _channel_name(self, channel: int) -> str:
        return self.view.evidence.series.channels[channel]

    def _draw_like(self, name: str, windows: Ints, channel: int) -> None:
        self._like, self.like_name.value = windows.tolist(), name
        for place, card in enumerate(self.cards):
            picture, button = card.children
            card.layout.visibility = "visible" if place < len(self._like) else "hidden"
            if place < len(self._like):
                values = self.view.actual(self._like[place])[:, channel]
                picture.value = _spark(values, Scale(*limits(values, self._usual[channel], pad=0.0)))
                button.description = when(self.view, self._like[place])


class ChannelPicture:
    """A channel of a window: a line, another line, and one standard deviation around that."""

    def __init__(self, x: bq.Scale, along: Floats, *, height: int, unit: str) -> None:
        self._along = along
        self.y = bq.LinearScale(allow_padding=False)
        scales = {"x": x, "y": self.y}
        both = np.stack([along, along])
        self.band = bq.Lines(
            x=both, y=both * np.nan, scales=scales, fill="between", colors=["transparent"],
            fill_colors=["var(--v-score)", "var(--v-score)"], fill_opacities=[0.2, 0.2], stroke_width=0,
        )  # fmt: skip
        self.model = bq.Lines(
            x=along, y=along * np.nan, scales=scales, colors=["var(--v-score)"], stroke_width=2
        )
        self.actual = bq.Lines(
            x=along, y=along * np.nan, scales=scales, colors=["var(--v-data)"], stroke_width=1.8
        )
        self.name = widgets.HTML()
        self.name.add_class("vaenb-latent-channel")
        across = bq.Axis(scale=x, grid_lines="none", label=unit, label_offset="30px", visible=bool(unit))
        set_ticks(across, number_ticks(Scale(float(along[0]), float(along[-1]) or 1.0), 6))
        self._up = bq.Axis(scale=self.y, side="left")
        self._n_ticks = 4 if height > 150 else 2
        self.figure = bq.Figure(
            marks=[self.band, self.model, self.actual],
            axes=[across, self._up],
            fig_margin={"top": 6, "bottom": _AXIS if unit else 6, "left": 52, "right": 10},
            layout={"height": f"{height + (_AXIS if unit else 6)}px", "width": "100%", "min_width": "0"},
            animation_duration=0,
            display_toolbar=False,
        )

    def say(self, name: str) -> None:
        """Which channel it is."""
        self.name.value = escape(name)

    def draw(
        self, mean: Any, spread: Any, actual: Any, *, usual: tuple[float, float], calm: bool = False
    ) -> None:
        """Other values, shape (window_size,) each; `usual` stays in sight, so that the axis is calm."""
        mean, spread, actual = (np.asarray(values, dtype=np.float64) for values in (mean, spread, actual))
        low, high = mean - spread, mean + spread
        edges = limits(low, high, actual, usual, pad=0.03)
        with self.y.hold_sync():
            self.y.min, self.y.max = edges
        set_ticks(self._up, number_ticks(Scale(*edges), self._n_ticks))
        _fill(self.band, np.stack([low, high]))
        _fill(self.model, mean)
        _fill(self.actual, actual)
        with self.actual.hold_sync():
            self.actual.colors = ["var(--v-axis)" if calm else "var(--v-data)"]
            self.actual.line_style = "dashed" if calm else "solid"


def _usual(view: LatentView, channel: int) -> tuple[float, float]:
    """Between which values a channel of a normal window mostly lies."""
    windows: Ints = view.normal if len(view.normal) else np.arange(view.n_windows)
    some = windows[:: -(-len(windows) // 200)]
    values = view.values[view.starts[some][:, None] + np.arange(view.window_size), channel]
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = np.percentile(known, [0.5, 99.5]).tolist()
    return limits([low, high], pad=0.05)


def _fill(mark: bq.Lines, values: Floats) -> None:
    """Draw other values; a line without any is hidden, for bqplot cannot draw it."""
    mark.visible = bool(np.isfinite(values).any())
    if mark.visible:
        mark.y = values


def _heading(name: str, words: str) -> str:
    return f"<b>{escape(name)}</b><span>{escape(words)}</span>"


def _key(*entries: tuple[str, str]) -> str:
    return "".join(f'<span><i class="v-key-{css}"></i>{escape(words)}</span>' for css, words in entries)


def _bar(name: str, share: float) -> str:
    return (
        f'<span class="v-name" title="{escape(name, quote=True)}">{escape(name)}</span>'
        f'<span class="v-track"><i style="width:{100 * share:.1f}%"></i></span><span>{percent(share)}</span>'
    )


def _spark(values: Floats, scale: Scale) -> str:
    """A window as a line without axes."""
    pane = Pane(x=Scale(0, max(1, len(values) - 1)), y=scale, left=0, top=2, width=120, height=34)
    drawn = frame(pane, line(pane, np.arange(len(values)), values, css="vaenb-spark"))
    return f'<svg viewBox="0 0 120 38" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
