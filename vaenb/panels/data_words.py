"""The data panel's lines of words, as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from vaenb.view_models import data_words

if TYPE_CHECKING:
    from vaenb.view_models.data import DataView


class Words:
    """The lines around the charts.

    Parameters
    ----------
    view : DataView

    Attributes
    ----------
    heading, legend, problem, summary : ipywidgets.HTML
    """

    def __init__(self, view: DataView) -> None:
        self._view = view
        self.heading, self.legend, self.problem, self.summary = (widgets.HTML() for _ in range(4))
        for name in ("heading", "legend", "problem", "summary"):
            getattr(self, name).add_class(f"vaenb-{name}")

    def draw(self) -> None:
        """Bring all but the legend up to date."""
        name, title = self._view.series.name, data_words.title(self._view)
        self.heading.value = f"<b>{escape(name)}</b> {escape(title)}"
        self._say_problem()
        self.summary.value = _summary(self._view)

    def _say_problem(self) -> None:
        error = self._view.error
        words = "" if error is None else f"These settings cannot be prepared. {error}"
        shown = f"<div role='alert'>{escape(words)} What you see is the last that could be.</div>"
        self.problem.value = shown if words else ""
        self.problem.layout.display = None if words else "none"

    def say_legend(self, drawn: int, seen: int) -> None:
        """What the colours mean, and how many of the points in view are drawn."""
        told = "".join(
            f"<span><i class='v-key-{key}'></i>{escape(text)}</span>"
            for key, text in data_words.legend(self._view)
        )
        self.legend.value = f"{told}<span class='vaenb-n'>{drawn:,} of {seen:,} points drawn</span>"


def _summary(view: DataView) -> str:
    """What was repaired and what was prepared, as two lists."""
    good = view.last_good
    notes = [] if good is None else [note for note in good.notes if not note.startswith("windows of")]
    prepared = [f"{data_words.counts(view)}.", *(f"{note[0].upper()}{note[1:]}." for note in notes)]
    lists = {"Repaired": view.repairs.words(view.series.repairs), "Prepared": prepared}
    return "".join(
        f"<div><h4>{name}</h4><ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul></div>"
        for name, texts in lists.items()
    )
