"""Step 6, judge: the events one after the other, and a person's verdict on each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.panels.base import Panel, guarded
from vaenb.panels.chance_table import ChanceTable
from vaenb.panels.event_list import EventList
from vaenb.panels.event_zoom import EventZoom
from vaenb.panels.judge_words import Words
from vaenb.panels.timeaxis import TimeAxis
from vaenb.panels.verdict_box import KEYS, VerdictBox
from vaenb.view_models.judge import AUTO, Judge
from vaenb.view_models.judge_code import judge_code
from vaenb.view_models.judge_picture import judge_picture

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import ArrayLike

    from vaenb.evidence import Evidence
    from vaenb.records import Events
    from vaenb.view_models.verdicts import Verdict

    Path = str | os.PathLike[str]


class JudgePanel(Panel):
    """The events, most severe first, each from near; a verdict with one key; the verdicts in a CSV.

    Keys work while the focus is in the box "Keys": a click on an event, a verdict or a finished note puts it
    there. They are a (anomaly), n (normal), u (unsure), x (take the verdict back), j (next), k (back), o (the
    next without a verdict) and t (write a note; Enter comes back).

    Parameters
    ----------
    evidence : Evidence
    events : Events, optional
        On the cells of the series. Without it, the runs of scores above the threshold of the evidence.
    verdicts : path-like, "auto" or None
        The CSV with the verdicts; "auto" is ``NAME_verdicts.csv`` beside the notebook, None keeps them in
        memory. It is written whole after each verdict, and read when the panel opens.
    other_labels : array_like, path-like, optional
        A second set of labels: 0/1 a row, or a CSV with ``start`` and ``end``, or with a column of 0/1.
    merge_gap : int, optional
        Runs at most so many cells apart are one event; the window size without it, as in
        ``VAEDetector.detect``.

    Attributes
    ----------
    state : Judge
        The view model.
    events : Events
    order : ndarray of int64, shape (n_events,)
        The places of the events in `events`, most severe first.
    current : int or None
        The line of the list that is shown, from 0; settable.
    verdicts : DataFrame
        ``start``, ``end``, ``score``, ``severity``, ``verdict``, ``note``, ``decided_at``.

    Raises
    ------
    InputError
        If events, labels or settings do not fit the series.

    Examples
    --------
    From the evidence of a fitted detector::

        panel = vaenb.JudgePanel(evidence)
        panel.judge("normal", note="a public holiday")
        panel.verdicts
    """

    title = "judge the events"
    has_events = True

    def __init__(
        self,
        evidence: Evidence,
        *,
        events: Events | None = None,
        verdicts: Path | None = AUTO,
        other_labels: Path | ArrayLike | None = None,
        merge_gap: int | None = None,
    ) -> None:
        # First of all: what is refused leaves no half-made panel behind.
        state = Judge(
            evidence, events=events, verdicts=verdicts, other_labels=other_labels, merge_gap=merge_gap
        )
        super().__init__()
        self.state = state
        self._asked = {"verdicts": verdicts, "other_labels": other_labels}
        self._on_verdict: list[Callable[[Verdict | None], None]] = []
        self._on_current: list[Callable[[int | None], None]] = []
        self._axis = TimeAxis(self.state.timeline, lock=self.lock)
        if len(self.state):
            self._axis.set_view(self.state.context())
        self.list = EventList(self.state, self._on_choose)
        self.zoom = EventZoom(self.state, self._axis)
        self.chance = ChanceTable(self.state, self.lock)
        self.chance.ask.on_click(self._on_ask)
        self.box = VerdictBox(self._on_key, self._on_verdict_button, self._write_note)
        self._lay_out()
        self._refresh()

    # ------------------------------------------------------------------ what it consists of

    def _lay_out(self) -> None:
        told = self._words = Words(self.state)
        right = widgets.VBox([told.headline, self.box.widget, self.zoom.widget])
        right.add_class("vaenb-judge-near")
        self._main = widgets.HBox([widgets.VBox([self.list.widget, told.kinds]), right])
        self._main.children[0].add_class("vaenb-judge-left")
        self._main.add_class("vaenb-judge-main")
        self.add_class("vaenb-judge")
        self.show(told.summary, told.nothing, self._main, told.notice, self.chance.widget)

    # ------------------------------------------------------------------ for Python

    @property
    def events(self) -> Events:
        """The events that are judged, on the cells of the series."""
        return self.state.events

    @property
    def order(self) -> Any:
        """The places of the events in `events`, most severe first."""
        return self.state.order

    @property
    def verdicts(self) -> pd.DataFrame:
        """All verdicts, in the order of time."""
        with self.lock:
            return self.state.verdicts

    @property
    def current(self) -> int | None:
        """The line of the list that is shown, from 0; None where there is none."""
        return self.state.current

    @current.setter
    def current(self, place: int) -> None:
        with self.lock:
            self.box.finish_note()
            self.state.current = place
            self._go()

    def judge(self, verdict: str | None, note: str | None = None) -> None:
        """Say what the current event is, and save it.

        Parameters
        ----------
        verdict : "anomaly", "normal", "unsure" or None
            None takes the verdict back.
        note : str, optional
            What there is already stays without it.

        Raises
        ------
        InputError
            If it is another word, or there is no event.
        """
        with self.lock:
            self.box.finish_note()
            found = self.state.judge(verdict, note)
            self._refresh()
            self._tell(found)

    def set_events(
        self, events: Events | None = None, *, threshold: float | None = None, merge_gap: int | None = None
    ) -> None:
        """Judge other events: each verdict stays with the stretch that it overlaps most.

        Parameters
        ----------
        events : Events, optional
            On the cells. Without it they are found anew.
        threshold : float, optional
        merge_gap : int, optional
            As they are without it.

        Raises
        ------
        InputError
            If they do not fit the series; all stays as it was.
        """
        with self.lock:
            self.box.finish_note()
            before = self.state.span if len(self.state) else None
            self.state.set_events(events, threshold=threshold, merge_gap=merge_gap)
            self.chance.mark_stale()
            if len(self.state) and before != self.state.span:
                self._go()
            else:
                self.zoom.draw()
                self._refresh()

    def take_verdict(self, verdict: Verdict | None) -> None:
        """Show a verdict that was written into the book of the panel elsewhere."""
        with self.lock:
            self.state.match()
            self._refresh()
            self._tell(verdict)

    def on_verdict(self, callback: Callable[[Verdict | None], None]) -> None:
        """Call with each verdict once it is saved; with None where one was taken back."""
        self._on_verdict.append(callback)

    def on_current(self, callback: Callable[[int | None], None]) -> None:
        """Call with the line of the list whenever another one is shown."""
        self._on_current.append(callback)

    def code(self) -> str:
        """The lines of Python that give what is on screen."""
        return judge_code(self.state, **self._asked)

    def picture(self) -> str:
        """The list and the current event as a static SVG."""
        return judge_picture(self.state)

    def close(self) -> None:
        """Save what was typed, end the worker, and close everything."""
        if self.is_closed:
            return
        with self.lock:
            self.box.finish_note()
        self.box.end()
        self.chance.end()
        self._axis.end()
        super().close()

    # ------------------------------------------------------------------ gestures

    @guarded
    def _on_choose(self, place: int) -> None:
        self.current = place
        self.box.keys.focus()

    @guarded
    def _on_verdict_button(self, verdict: str) -> None:
        self._decide(None if self._said() == verdict else verdict)
        self.box.keys.focus()

    @guarded
    def _on_key(self, letter: str) -> None:
        if letter in {"a", "n", "u"}:
            self._decide(KEYS[letter])
        elif letter == "x":
            self._decide(None)
        elif letter in {"j", "k"}:
            self._step(1 if letter == "j" else -1)
        elif letter == "o":
            self._show_next_open()
        elif letter == "t":
            self.box.note.focus()

    def _decide(self, verdict: str | None) -> None:
        if not len(self.state):
            return
        self.judge(verdict)
        if verdict and self.box.goes_on.value:
            self._step(1)

    def _step(self, by: int) -> None:
        self.box.finish_note()
        before = self.state.current
        self.state.step(by)
        if self.state.current != before:
            self._go()

    def _show_next_open(self) -> None:
        place = self.state.next_open()
        if place is not None:
            self.current = place

    @guarded
    def _write_note(self) -> None:
        """Save what stands in the box for notes, if it is new."""
        said = self.state.verdict_on(self.state.current) if self.state.current is not None else None
        if self.state.current is None or self.box.note.value == (said.note if said else ""):
            return
        found = self.state.annotate(self.box.note.value)
        self._refresh()
        self._tell(found)

    @guarded
    def _on_ask(self, _: Any) -> None:
        self.chance.start()

    # ------------------------------------------------------------------ what is shown

    def _said(self) -> str:
        place = self.state.current
        return "" if place is None else self.state.verdict_of(place)

    def _tell(self, verdict: Verdict | None) -> None:
        for callback in self._on_verdict:
            callback(verdict)

    def _go(self) -> None:
        """Show the current stretch from near."""
        self.state.refresh()
        view = self.state.context()
        if view == self._axis.view:
            self.zoom.draw()
        self._axis.set_view(view)
        self._refresh()
        for callback in self._on_current:
            callback(self.state.current)

    def _refresh(self) -> None:
        """Bring everything but the figures up to date."""
        some = len(self.state) > 0
        self._main.layout.display = None if some else "none"
        self._words.draw()
        self.list.draw()
        if some:
            self.box.show(self.state.verdict_on(self.state.current or 0))
        self.refresh_code()
