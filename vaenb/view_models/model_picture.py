"""The network as a drawing: layers as blocks, taller where more numbers come out, parameters below."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import log, pi, sin
from typing import TYPE_CHECKING, Final

from vaenb.drawing.axes import limits
from vaenb.drawing.svg import picture, words
from vaenb.formats import counted
from vaenb.view_models import model_words
from vaenb.view_models.layers import Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vaenb.records import Floats
    from vaenb.view_models.model import ModelView

WIDE, NARROW = 1060.0, 600.0
_TOP, _TALL, _SHORT = (
    40.0,
    132.0,
    20.0,
)  # room for the headings; heights of the largest and the smallest block
_ROW = 232.0
_BLOCK, _WINDOW, _Z = 26.0, 54.0, 34.0  # widths
_MOST = 5  # hidden layers in a row; of more, the inner ones are folded into one block
_MOST_LINES = 6  # channels of a drawn window
_TITLES: Final = {
    "encoder": ("encoder", "q(z | x)"),
    "latent": ("latent", "p(z)"),
    "decoder": ("decoder", "p(x | z)"),
}


@dataclass(frozen=True)
class _Place:
    """A layer, and where its block stands."""

    layer: Layer
    x: float  # of its middle
    width: float
    height: float

    @property
    def middle(self) -> float:
        return _TOP + _TALL / 2

    @property
    def top(self) -> float:
        return self.middle - self.height / 2

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2


def draw(view: ModelView) -> str:
    """The drawing as a picture of its own, with alternative text."""
    return picture(
        "vaenb-model",
        _heading(view),
        f'<g transform="translate(0 28)">{row(view, view.layers, WIDE)}</g>',
        width=WIDE,
        height=_ROW + 28,
        title=f"A VAE of {counted(view.n_params, 'parameter')}",
        desc=model_words.described(view),
    )


def _heading(view: ModelView) -> str:
    size = view.settings["window_size"]
    text = f"windows of {counted(size, 'point')}, {counted(view.settings['n_channels'], 'channel')}"
    total = words(WIDE - 8, 18, f"{counted(view.n_params, 'parameter')}", css="v-name", anchor="end")
    return words(8, 18, text, css="v-name") + total


def live(view: ModelView) -> str:
    """The drawing for a panel: in one row where there is room, else in two; the style sheet chooses."""
    layers = view.layers
    turn = next(place for place, layer in enumerate(layers) if layer.part == "latent")
    rows = [row(view, layers[: turn + 1], NARROW), row(view, layers[turn:], NARROW)]
    two = f'{rows[0]}<g transform="translate(0 {_ROW:g})">{rows[1]}</g>'
    label = escape(model_words.described(view), quote=True)
    return "".join(
        f'<svg class="vaenb-net vaenb-net-{name}" role="img" aria-label="{label}" '
        f'viewBox="0 0 {width:g} {height:g}">{body}</svg>'
        for name, width, height, body in (
            ("wide", WIDE, _ROW, row(view, layers, WIDE)),
            ("narrow", NARROW, 2 * _ROW, two),
        )
    )


def row(view: ModelView, layers: Sequence[Layer], width: float) -> str:
    """Some layers from left to right, with their headings above and their numbers below."""
    places = _place(fold(layers), width, largest=max(layer.size for layer in view.layers))
    flows = "".join(_flow(left, right) for left, right in pairwise(places))
    blocks = "".join(_block(place) + _label(place) for place in places)
    return flows + blocks + _titles(view, places)


def fold(layers: Sequence[Layer]) -> list[Layer]:
    """The layers, with the inner ones of more than five hidden layers in one block."""
    found: list[Layer] = []
    for part in ("encoder", "latent", "decoder"):
        own = [layer for layer in layers if layer.part == part]
        ends = {"encoder": (1, 1), "latent": (0, 0), "decoder": (0, 1)}[part]
        inner = own[ends[0] : len(own) - ends[1]]
        if len(inner) > _MOST:
            folded = inner[2:-2]
            rest = Layer(
                part=inner[0].part,
                name=f"{len(folded)} more",
                shape=folded[len(folded) // 2].shape,
                n_params=sum(layer.n_params for layer in folded),
                does=", ".join(f"{layer.name} {model_words.shape(layer)}" for layer in folded),
            )
            inner = [*inner[:2], rest, *inner[-2:]]
        found += [*own[: ends[0]], *inner, *own[len(own) - ends[1] :]]
    return found


def _place(layers: Sequence[Layer], width: float, *, largest: int) -> list[_Place]:
    step = width / len(layers)
    return [
        _Place(layer, (place + 0.5) * step, _width(layer), _height(layer, largest))
        for place, layer in enumerate(layers)
    ]


def _width(layer: Layer) -> float:
    return {"window": _WINDOW, "likelihood": _WINDOW, "z": _Z}.get(layer.name, _BLOCK)


def _height(layer: Layer, largest: int) -> float:
    """By the logarithm of the numbers that come out."""
    if layer.name == "z":
        return _Z
    return _SHORT + (_TALL - _SHORT) * log(1 + layer.size) / log(1 + largest)


def _flow(left: _Place, right: _Place) -> str:
    """What leads from one block to the next."""
    y0, y1 = left.top, left.top + left.height
    y2, y3 = right.top, right.top + right.height
    d = f"M{left.right:.1f},{y0:.1f}L{right.left:.1f},{y2:.1f}V{y3:.1f}L{left.right:.1f},{y1:.1f}Z"
    return f'<path class="v-net-flow" d="{d}"/>'


def _block(place: _Place) -> str:
    layer = place.layer
    tip = f"<title>{escape(f'{layer.name}: {layer.does}')}</title>"
    if layer.name == "z":
        shape = f'<circle class="v-net-z" cx="{place.x:.1f}" cy="{place.middle:g}" r="{_Z / 2:g}"/>'
        return f"<g>{tip}{shape}{words(place.x, place.middle + 5, 'z', css='v-net-on', anchor='middle')}</g>"
    css = {"window": "v-net-end", "likelihood": "v-net-end", "posterior": "v-net-latent"}.get(
        layer.name, "v-net-layer"
    )
    rect = (
        f'<rect class="{css}" x="{place.left:.1f}" y="{place.top:.1f}" width="{place.width:g}" '
        f'height="{place.height:.1f}" rx="5"/>'
    )
    return f"<g>{tip}{rect}{_wave(place) if css == 'v-net-end' else ''}</g>"


def _wave(place: _Place) -> str:
    """A window, drawn small; a reconstruction with how sure it is, where the decoder says so."""
    tall = min(place.height / 2 - 6, 22.0)
    xs = [place.left + 5 + (place.width - 10) * i / 24 for i in range(25)]
    ys = [place.middle - tall * 0.7 * sin(2 * pi * i / 18 + 0.4) for i in range(25)]
    line = "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    band = ""
    if place.layer.name == "likelihood" and len(place.layer.shape) == 3:
        wide = [tall * (0.18 + 0.14 * sin(pi * i / 24)) for i in range(25)]
        forth = [f"{x:.1f},{y - w:.1f}" for x, y, w in zip(xs, ys, wide, strict=True)]
        back = [f"{x:.1f},{y + w:.1f}" for x, y, w in zip(xs, ys, wide, strict=True)]
        band = f'<path class="v-net-band" d="M{" ".join([*forth, *reversed(back)])}Z"/>'
    return f'{band}<path class="v-net-wave" d="{line}"/>'


def _label(place: _Place) -> str:
    """The name, the shape and the parameters, below."""
    layer, below = place.layer, _TOP + _TALL
    params = f"{model_words.short(layer.n_params)}" if layer.n_params else "\u2013"
    return "".join(
        words(place.x, below + down, text, css=css, anchor="middle")
        for down, text, css in (
            (20, layer.name, "v-net-name"),
            (36, model_words.shape(layer), "v-net-shape"),
            (52, params, "v-net-params"),
        )
    )


def _titles(view: ModelView, places: Iterable[_Place]) -> str:
    """What belongs to the encoder, the latent space and the decoder."""
    found, all_places = [], list(places)
    for part, (name, symbol) in _TITLES.items():
        own = [place for place in all_places if place.layer.part == part]
        if not own:
            continue
        left, right = min(place.left for place in own), max(place.right for place in own)
        middle = (left + right) / 2
        if len(own) > 1:
            found.append(f'<path class="v-net-brace" d="M{left:.1f},{_TOP - 14:g}H{right:.1f}"/>')
            text = f"{name} {symbol} \u00b7 {counted(view.params_of(part), 'parameter')}"
        else:
            text = name
        found.append(words(middle, _TOP - 22, text, css="v-net-title", anchor="middle"))
    return "".join(found)


def drawn_windows(view: ModelView) -> str:
    """Windows from the prior, one small picture each, all on one scale; nothing where none was drawn."""
    if view.drawn is None:
        return ""
    low, high = limits(view.drawn, pad=0.08)
    css = "vaenb-drawn-grid" if view.is_drawn_fresh else "vaenb-drawn-grid v-stale"
    return f'<div class="{css}">{"".join(_small(window, low, high) for window in view.drawn)}</div>'


def _small(window: Floats, low: float, high: float) -> str:
    """Up to six channels, the first one on top."""
    height = 100 * (high - window[:, :_MOST_LINES]) / (high - low)
    across = [200 * place / max(1, len(window) - 1) for place in range(len(window))]
    lines = [
        "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, channel, strict=True))
        for channel in height.T.tolist()
    ]
    paths = "".join(f'<path d="{line}"/>' for line in reversed(lines))
    return f'<svg viewBox="0 0 200 100" preserveAspectRatio="none" aria-hidden="true">{paths}</svg>'
