"""The choices of step 2: one control a setting, and under each one sentence on what it brings."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets

from vaenb.choices import DEFAULT_HIDDEN, LIKELIHOODS, PRIORS, SCALES
from vaenb.errors import InputError
from vaenb.panels.told import Told
from vaenb.view_models import model_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.view_models.model import ModelView

_MOST_LATENT: Final = 32  # as far as the slider goes, unless more was asked for
_MOST_WEIGHT: Final = 4.0
_DECIMALS: Final = 4  # a slider adds its steps up: 1.1500000000000001
_WIDE = {"width": "auto"}
_NAMED = {"description_width": "88px"}


class Choices:
    """All choices of the panel.

    Parameters
    ----------
    view : ModelView
    chosen : callable
        Called with the name of a setting and its new value.

    Attributes
    ----------
    box : ipywidgets.GridBox
    controls : dict of str to widget
        One for each setting.
    """

    def __init__(self, view: ModelView, chosen: Callable[[str, Any], None]) -> None:
        self._view, self._chosen, self._quiet = view, chosen, False
        self.controls: dict[str, widgets.Widget] = {
            "encoder": _buttons("Encoder", DEFAULT_HIDDEN),
            "hidden": widgets.Text(
                description="Hidden sizes",
                continuous_update=False,
                placeholder="256, 64",
                style=_NAMED,
                layout=_WIDE,
            ),
            "latent_dim": widgets.IntSlider(
                min=1, max=_MOST_LATENT, description="Latent size", style=_NAMED, layout=_WIDE
            ),
            "likelihood": _buttons("Likelihood", LIKELIHOODS),
            "scale": _buttons("Scale", SCALES),
            "prior": _buttons("Prior", PRIORS),
            "kl_weight": widgets.FloatSlider(
                min=0, max=_MOST_WEIGHT, step=0.05, description="KL weight", style=_NAMED, layout=_WIDE
            ),
            "seed": widgets.BoundedIntText(
                min=0, max=2**31 - 1, description="Seed", style=_NAMED, layout={"width": "200px"}
            ),
        }
        self._told = Told(self.controls["kl_weight"])
        self._says = {name: widgets.HTML() for name in self.controls}
        cards = []
        for name, control in self.controls.items():
            self._says[name].add_class("vaenb-says")
            card = widgets.VBox([control, self._says[name]])
            card.add_class("vaenb-card")
            cards.append(card)
        self.box = widgets.GridBox(cards)
        self.box.add_class("vaenb-choices")
        self.show()
        self._told.on_gesture(lambda weight: self._chosen("kl_weight", round(weight, _DECIMALS)))
        for name in self.controls.keys() - {"kl_weight"}:
            self.controls[name].observe(
                lambda change, name=name: self._on_change(name, change["new"]), "value"
            )

    def _on_change(self, name: str, value: Any) -> None:
        if not self._quiet:
            self._chosen(name, value)

    def show(self) -> None:
        """Bring every control, and the sentence under it, to the settings as they are."""
        settings = self._view.settings
        self._quiet = True
        try:
            self.controls["latent_dim"].max = max(_MOST_LATENT, settings["latent_dim"])
            self._told.tell(settings["kl_weight"], max=max(_MOST_WEIGHT, settings["kl_weight"]))
            for name in self.controls.keys() - {"kl_weight"}:
                self.controls[name].value = _sizes(self._view) if name == "hidden" else settings[name]
            self.controls["scale"].disabled = settings["likelihood"] == "bernoulli"
        finally:
            self._quiet = False
        for name, text in model_words.consequences(self._view).items():
            self._says[name].value = escape(text)


def _buttons(name: str, options: Any) -> widgets.ToggleButtons:
    shown = [(option.replace("_", " "), option) for option in options]
    return widgets.ToggleButtons(options=shown, description=name, style=_NAMED, layout=_WIDE)


def _sizes(view: ModelView) -> str:
    return ", ".join(str(units) for units in view.full["hidden"])


def read_sizes(text: str) -> tuple[int, ...]:
    """The sizes of hidden layers, as somebody types them: "256, 64", "256 64", "(32,)", or nothing.

    Raises
    ------
    InputError
        If there is anything but whole numbers.
    """
    plain = text.strip().strip("()[]").strip()
    parts = [part for part in re.split(r"[\s,;]+", plain) if part]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError(
            f"The hidden sizes are {text!r}; expected whole numbers such as 256, 64, or nothing, which makes "
            "a linear model."
        )
    return tuple(int(part) for part in parts)
