"""What stands around the table of a fleet: the controls of the run above it, the study of a series below."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.panels.base import Panel
    from vaenb.view_models.fleet_progress import FleetProgress


class Head:
    """Start or Go on, Stop, one progress bar, the filter, and a line that says how far the run is.

    Parameters
    ----------
    start, stop : callable
        Called with the button that was pressed.
    query : callable
        Called with the text that names are filtered by.

    Attributes
    ----------
    rows : tuple of ipywidgets.Widget
    """

    def __init__(
        self, *, start: Callable[[Any], None], stop: Callable[[Any], None], query: Callable[[str], None]
    ) -> None:
        self.start = widgets.Button(description="Start", icon="play", button_style="primary")
        self.stop = widgets.Button(
            description="Stop",
            icon="stop",
            tooltip="End after the series that is being done; what is done is kept",
        )
        self.bar = widgets.FloatProgress(0.0, min=0.0, max=1.0)
        self.query = widgets.Text(placeholder="Part of a name", continuous_update=True)
        self.query.tooltip = "Show only the series with this text in their names"
        self.status = widgets.HTML()
        self.start.on_click(start)
        self.stop.on_click(stop)
        self.query.observe(lambda change: query(change["new"]), "value")
        row = widgets.HBox([self.start, self.stop, self.bar, self.query])
        self.rows = (row, self.status)
        named = {"head-row": row, "bar": self.bar, "query": self.query, "status": self.status}
        for css, widget in named.items():
            widget.add_class(f"vaenb-fleet-{css}")

    def draw(self, progress: FleetProgress, query: str) -> None:
        """Bring it up to date."""
        self.start.description = progress.start_words
        self.start.disabled = not progress.can_start
        self.start.tooltip = progress.why_not or "Do what is not done; what failed is tried again"
        self.stop.disabled = progress.state != "running"
        self.bar.value = progress.share
        (self.bar.add_class if progress.is_running else self.bar.remove_class)("vaenb-training-runs")
        self.status.value = f"<div role='status'>{html.escape(progress.words)}</div>"
        if self.query.value.strip() != query:
            self.query.value = query


class StudySlot:
    """The place beneath the table: a head with a button that closes, a sentence, and the study.

    Parameters
    ----------
    close : callable
        Called with the button that was pressed.

    Attributes
    ----------
    box : ipywidgets.VBox
    """

    def __init__(self, *, close: Callable[[Any], None]) -> None:
        self._name, self._note, self._slot = widgets.HTML(), widgets.HTML(), widgets.VBox([])
        self.close = widgets.Button(description="Close study", icon="times")
        self.close.on_click(close)
        self._head = widgets.HBox([self._name, self.close])
        self.box = widgets.VBox([self._head, self._note, self._slot])
        for css, widget in {"study-head": self._head, "note": self._note, "slot": self._slot}.items():
            widget.add_class(f"vaenb-fleet-{css}")
        self.box.add_class("vaenb-fleet-slot")
        self.put(None, "", "")

    def put(self, panel: Panel | None, name: str, note: str) -> None:
        """Show a study, and a sentence above it."""
        self._name.value = f"<h4>{html.escape(name)}</h4>"
        self._head.layout.display = None if name else "none"
        self._slot.children = () if panel is None else (panel,)
        self.tell(note)

    def tell(self, note: str, *, busy: bool = False) -> None:
        """Say a sentence; what is shown stays."""
        self._note.value = f"<div role='{'status' if busy else 'note'}'>{html.escape(note)}</div>"
        self._note.layout.display = None if note else "none"
