"""The controls of the latent panel: modes, colours, planes, and the keyboard twin of each gesture."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets
import numpy as np

from vaenb.panels.told import Told
from vaenb.view_models.latent_colors import Kinds, Ramp
from vaenb.view_models.latent_plane import dimension_names
from vaenb.view_models.latent_space import GRID, PCA

if TYPE_CHECKING:
    from vaenb.panels.latent import LatentPanel
    from vaenb.view_models.latent import LatentView

_CLOSE: Final = {"description_width": "initial"}
_STEPS: Final = 200  # of a slider from edge to edge
_NAMES: Final = {"circle": "\u25cf", "square": "\u25a0", "triangle-up": "\u25b2", "diamond": "\u25c6"}
_NEAR: Final = 0.16  # ticks of the key nearer to each other would touch


class Controls:
    """Two lines of controls, and the key to the colours.

    Attributes
    ----------
    bar : ipywidgets.HBox
        Mode, colours, plane.
    gestures : ipywidgets.HBox
        What the mode's gesture is for the keyboard; as high in every mode.
    key : ipywidgets.HTML
    """

    def __init__(self, view: LatentView, panel: LatentPanel) -> None:
        self.view, self.panel = view, panel
        self._follows = False
        self.key = widgets.HTML()
        self.key.add_class("vaenb-latent-key")
        self._make_bar()
        rows = {"Pick": self._make_pick(), "Lasso": self._make_lasso(), "Walk": self._make_walk()}
        self._rows = {mode: widgets.HBox(row) for mode, row in rows.items()}
        self.gestures = widgets.HBox(list(self._rows.values()))
        self.gestures.add_class("vaenb-latent-gestures")

    def _set(self, name: str, value: Any) -> None:
        if not self._follows:
            self.panel.set_from_control(name, value)

    # ------------------------------------------------------------------ the bar

    def _make_bar(self) -> None:
        self.mode = widgets.ToggleButtons(
            options=["Pick", "Lasso", "Walk"],
            tooltips=[
                "Click a point to look at its window",
                "Draw around points to light up their windows",
                "Move a cross and see what the decoder draws there",
            ],
            style={"button_width": "72px"},
        )
        self.mode.observe(lambda change: self._set("mode", change["new"]), "value")
        choices = [(name.capitalize(), name) for name in self.view.color_choices]
        self.color = widgets.Dropdown(
            options=choices, description="Colour by", style=_CLOSE, layout={"width": "165px"}
        )
        self.color.observe(lambda change: self._set("color_by", change["new"]), "value")
        self._make_plane()
        self.bar = widgets.HBox([self.mode, self.color, self.plane, self.across, self.up])
        self.bar.add_class("vaenb-latent-bar")
        self.bar.add_class("vaenb-latent-top")

    def _make_plane(self) -> None:
        n_dims, choices = self.view.n_dims, self.view.plane_choices
        names = {GRID: "Stored drawings", PCA: "Principal axes"}
        planes = [(names[choice], choice) for choice in choices if isinstance(choice, str)]
        planes.append(("Two dimensions" if n_dims > 1 else "One dimension", ""))
        self.plane = widgets.Dropdown(
            options=planes, description="Plane", style=_CLOSE, layout={"width": "190px"}
        )
        dims = [(name, at) for at, name in enumerate(dimension_names(self.view.sample.kl_per_dim))]
        second = min(1, n_dims - 1)
        self.across = widgets.Dropdown(
            options=dims, description="Across", style=_CLOSE, layout={"width": "185px"}
        )
        self.up = widgets.Dropdown(
            options=dims, value=second, description="Up", style=_CLOSE, layout={"width": "165px"}
        )
        for axis, other in ((self.across, self.up), (self.up, self.across)):
            axis.observe(lambda change, other=other: self._choose_dims(change, other), "value")
        self.plane.observe(lambda change: self._choose_plane(change["new"]), "value")

    def _choose_plane(self, choice: str) -> None:
        self._set("plane", choice or (self.across.value, self.up.value))

    def _choose_dims(self, change: Any, other: widgets.Dropdown) -> None:
        """Two axes of one dimension make no plane: the other axis takes what this one was."""
        if self._follows:
            return
        if change["new"] == other.value:
            self._follows = True
            other.value = change["old"]
            self._follows = False
        self._set("plane", (self.across.value, self.up.value))

    # ------------------------------------------------------------------ gestures for the keyboard

    def _button(self, words: str, tip: str, icon: str, act: Any) -> widgets.Button:
        button = widgets.Button(description=words, tooltip=tip, icon=icon, layout={"width": "auto"})
        button.on_click(lambda _: act())
        return button

    def _make_pick(self) -> list[widgets.Widget]:
        self.number = widgets.BoundedIntText(
            min=0, max=self.view.n_windows - 1, description="Window", layout={"width": "170px"}
        )
        self.number.observe(lambda change: self._set("picked", change["new"]), "value")
        return [
            self.number,
            self._button("", "The window before", "arrow-left", lambda: self._step(-1)),
            self._button("", "The window after", "arrow-right", lambda: self._step(1)),
            self._button("Next flagged", "The next window that the rule flags", "flag", self._next_flagged),
            self._button("Light it up", "Show it on the series", "lightbulb-o", self._light),
        ]

    def _make_lasso(self) -> list[widgets.Widget]:
        self.sides = [
            widgets.FloatRangeSlider(description=name, readout=False, layout={"flex": "1 1 150px"})
            for name in ("Across", "Up")
        ]
        self._told_sides = [Told(side) for side in self.sides]
        for told in self._told_sides:
            told.on_gesture(lambda _: self._rectangle())
        return [
            *self.sides,
            self._button("Flagged", "Light up all windows that the rule flags", "flag", self._flagged),
            self._button("Clear", "Light up nothing", "times", lambda: self._set("selected", [])),
        ]

    def _make_walk(self) -> list[widgets.Widget]:
        self.steps = [
            widgets.FloatSlider(description=name, readout_format=".2f", layout={"flex": "1 1 150px"})
            for name in ("Across", "Up")
        ]
        self._told_steps = [Told(step) for step in self.steps]
        across, up = self._told_steps
        # The other coordinate stays as it is: its slider knows it to a step only.
        across.on_gesture(lambda x: self._set("walk_at", (x, self.view.walk_at[1])))
        up.on_gesture(lambda y: self._set("walk_at", (self.view.walk_at[0], y)))
        self.steps[1].disabled = self.view.n_dims == 1
        to_picked = lambda: self._set("walk_at", tuple(self.view.places[self.view.picked].tolist()))  # noqa: E731
        return [
            *self.steps,
            self._button("To the picked window", "Move the cross there", "crosshairs", to_picked),
        ]

    def _step(self, by: int) -> None:
        self._set("picked", int(np.clip(self.view.picked + by, 0, self.view.n_windows - 1)))

    def _next_flagged(self) -> None:
        flagged = np.flatnonzero(self.view.flagged)
        if len(flagged):
            later = flagged[flagged > self.view.picked]
            self._set("picked", int(later[0] if len(later) else flagged[0]))

    def _light(self) -> None:
        self._set("selected", [self.view.picked])

    def _flagged(self) -> None:
        self._set("selected", np.flatnonzero(self.view.flagged))

    def _rectangle(self) -> None:
        across, up = (side.value for side in self.sides)
        self._set("selected", self.view.in_rectangle(across, up))

    # ------------------------------------------------------------------ following

    def follow(self) -> None:
        """Show what the view says, without setting it again."""
        view, self._follows = self.view, True
        try:
            self.mode.value, self.color.value = self.panel.mode, view.color_by
            self._follow_plane()
            self.number.value = view.picked
            for mode, row in self._rows.items():
                row.layout.display = None if mode == self.panel.mode else "none"
            self.key.value = key(view.coloring(), view.color_by)
        finally:
            self._follows = False

    def _follow_plane(self) -> None:
        choice = self.view.plane_choice
        self.plane.value = choice if isinstance(choice, str) else ""
        pair = isinstance(choice, tuple)
        for axis in (self.across, self.up):
            axis.layout.visibility = "visible" if pair else "hidden"
            axis.disabled = self.view.n_dims == 1
        if isinstance(choice, tuple):
            self.across.value, self.up.value = choice
        for place, (low, high) in enumerate(self.view.edges):
            ends = {"min": low, "max": high, "step": (high - low) / _STEPS}
            if (self.sides[place].min, self.sides[place].max) != (low, high):
                self._told_sides[place].tell((low, high), **ends)
            self._told_steps[place].tell(self.view.walk_at[place], **ends)


def key(coloring: Ramp | Kinds, name: str) -> str:
    """What the colours stand for, as HTML."""
    if isinstance(coloring, Kinds):
        present = set(coloring.codes.tolist())
        return "".join(
            f'<span><i class="v-kind" style="color:var({kind.color})">{_NAMES[kind.marker]}</i>'
            f"{escape(kind.name)}</span>"
            for code, kind in enumerate(coloring.kinds)
            if code in present
        )
    ticks: list[tuple[float, str]] = []
    for place, words in coloring.ticks:
        if 0 <= place <= 1 and (not ticks or place - ticks[-1][0] > _NEAR):
            ticks.append((place, words))
    shades = "".join(f'<i class="v-shade{shade}"></i>' for shade in range(10))
    told = "".join(f'<b style="left:{100 * place:.1f}%">{escape(words)}</b>' for place, words in ticks)
    ring = '<span><i class="v-kind v-ring">\u25cb</i>flagged</span>'
    return f'<span>{escape(name)}</span><span class="v-ramp"><span>{shades}</span>{told}</span>{ring}'
