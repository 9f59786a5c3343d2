"""What is chosen in step 4: how windows are scored, and how they vote. One sentence on each choice."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.view_models.study_scores import METHODS, VOTES, consequence
from vaenb.votes import POINT_METHODS, takes_draws

if TYPE_CHECKING:
    from collections.abc import Callable


class ScoreControls:
    """Two lists and a number.

    Parameters
    ----------
    chosen : callable
        Called with the settings that a person chose: method, vote, n_samples.

    Attributes
    ----------
    box : ipywidgets.VBox
    """

    def __init__(self, chosen: Callable[[dict[str, Any]], None]) -> None:
        self._chosen, self._quiet = chosen, False
        self.method = widgets.Dropdown(
            options=[(told, name) for name, told in METHODS.items()], description="Score"
        )
        self.vote = widgets.Dropdown(options=_votes(next(iter(METHODS))), description="Vote")
        self.n_samples = widgets.BoundedIntText(8, min=1, max=1000, description="Draws of z")
        self._says = widgets.HTML()
        self._says.add_class("vaenb-says")
        row = widgets.HBox([self.method, self.vote, self.n_samples])
        row.add_class("vaenb-study-choices")
        self.box = widgets.VBox([row, self._says], layout={"display": "none"})
        for control in (self.method, self.vote, self.n_samples):
            control.observe(self._on_change, "value")

    @property
    def settings(self) -> dict[str, Any]:
        """As they are chosen now."""
        return {"method": self.method.value, "vote": self.vote.value, "n_samples": self.n_samples.value}

    def _on_change(self, _: Any) -> None:
        if not self._quiet:
            vote = self.vote.value
            found = self.settings
            if vote == "point" and self.method.value not in POINT_METHODS:
                found["vote"] = "lengths"
            self._chosen(found)

    def show(self, settings: dict[str, Any], *, is_shown: bool, enabled: bool) -> None:
        """Bring the controls to the settings."""
        self._quiet = True
        try:
            self.method.value = settings["method"]
            self.vote.options = _votes(settings["method"])
            self.vote.value = settings["vote"]
            self.n_samples.value = settings["n_samples"]
            for control in (self.method, self.vote, self.n_samples):
                control.disabled = not enabled
            drawn = takes_draws(method=settings["method"], vote=settings["vote"])
            self.n_samples.disabled = not (enabled and drawn)
        finally:
            self._quiet = False
        self._says.value = html.escape(consequence(**settings))
        self.box.layout.display = None if is_shown else "none"


def _votes(method: str) -> list[tuple[str, str]]:
    return [(told, name) for name, told in VOTES.items() if name != "point" or method in POINT_METHODS]
