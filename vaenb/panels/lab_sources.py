"""Whose events JupyterLab's side panel shows: a study's, a threshold panel's or a judge panel's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from vaenb.panels.judge import JudgePanel
from vaenb.panels.study import StudyPanel
from vaenb.panels.threshold import ThresholdPanel
from vaenb.view_models.judge import AUTO
from vaenb.view_models.lab_events import LabEvents
from vaenb.view_models.timeline import Timeline, View
from vaenb.view_models.verdict_book import VerdictBook
from vaenb.view_models.verdicts import default_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vaenb.panels.base import Panel

_AROUND = 3  # windows on either side of an event, as in the judge panel


class Source(Protocol):
    """A panel, as the side panel sees it; any thread may ask."""

    def events(self) -> LabEvents | None:
        """The events as they stand; None where there are none yet."""

    def words(self) -> str:
        """What to say where there are none yet."""

    def go(self, start: int, stop: int) -> None:
        """Zoom to an event."""

    def judge(self, start: int, stop: int, verdict: str) -> None:
        """Say what an event is."""


def source_of(panel: Panel, others: Iterable[Panel]) -> Source | None:
    """A panel as a source; None where it has no events. `others` are on screen too."""
    if isinstance(panel, StudyPanel):
        return OfStudy(panel)
    if isinstance(panel, JudgePanel):
        return OfJudge(panel)
    return OfThreshold(panel, others) if isinstance(panel, ThresholdPanel) else None


class OfJudge:
    """The events of a judge panel."""

    def __init__(self, panel: JudgePanel) -> None:
        self._panel = panel

    def events(self) -> LabEvents:
        """See `Source`."""
        with self._panel.lock:
            state = self._panel.state
            events, threshold = state.events, state.threshold
        return LabEvents(
            name=state.evidence.series.name,
            events=events,
            scores=state.evidence.scores,
            timeline=state.timeline,
            threshold=threshold,
            normal=state.normal,
            window_size=state.evidence.window_size,
            book=state.book,
        )

    def words(self) -> str:
        """See `Source`."""
        return ""

    def go(self, start: int, stop: int) -> None:
        """See `Source`."""
        found = self._panel.state.stretches
        place = np.flatnonzero((found.start < stop) & (found.stop > start))
        if len(place):
            self._panel.current = int(place[0])

    def judge(self, start: int, stop: int, verdict: str) -> None:
        """See `Source`."""
        self._panel.take_verdict(self.events().judge(start, stop, verdict))


class OfThreshold:
    """The events of a threshold panel; verdicts are kept by a judge panel of the same scores."""

    def __init__(self, panel: ThresholdPanel, others: Iterable[Panel]) -> None:
        self._panel = panel
        self._judge = next((each for each in others if _judges(each, panel)), None)

    def events(self) -> LabEvents:
        """See `Source`."""
        return threshold_events(self._panel, None if self._judge is None else self._judge.state.book)

    def words(self) -> str:
        """See `Source`."""
        return ""

    def go(self, start: int, stop: int) -> None:
        """See `Source`."""
        zoom(self._panel, start, stop)

    def judge(self, start: int, stop: int, verdict: str) -> None:
        """See `Source`."""
        if self._judge is not None:
            self._judge.take_verdict(self.events().judge(start, stop, verdict))


class OfStudy:
    """The events of a study, whichever step is on screen."""

    def __init__(self, panel: StudyPanel) -> None:
        self._panel, self._owner = panel, panel.owner

    def events(self) -> LabEvents | None:
        """See `Source`."""
        steps = self._owner.steps
        evidence, line = steps.evidence, steps.get("threshold")
        if evidence is None:
            return None
        if line is not None:
            return threshold_events(line, self._book())
        return LabEvents(
            name=evidence.series.name,
            events=steps.events(),
            scores=evidence.scores,
            timeline=Timeline.of(evidence.series),
            threshold=float(evidence.rule.threshold_),
            normal=_median(evidence.calibration_scores),
            window_size=evidence.window_size,
            book=self._book(),
        )

    def _book(self) -> VerdictBook:
        """The verdicts: those of the judge panel where it was opened, else what its file holds."""
        steps = self._owner.steps
        judge, path, evidence = steps.get("judge"), steps.verdicts, steps.evidence
        if judge is not None:
            return cast("VerdictBook", judge.state.book)
        path = default_path(self._owner.name) if path == AUTO else path
        has_clock = evidence is not None and Timeline.of(evidence.series).has_clock
        return VerdictBook(None if path is None else Path(path), has_clock=has_clock)

    def words(self) -> str:
        """See `Source`."""
        return self._owner.plan.progress()

    def go(self, start: int, stop: int) -> None:
        """See `Source`."""
        line = self._owner.steps.get("threshold")
        if line is not None and self._panel.shown == "threshold":
            line.carry_out(lambda: zoom(line, start, stop))
            return
        self._owner.stay()
        self._panel.show_step("judge")
        judge = self._owner.steps.get("judge")
        if judge is not None:
            judge.carry_out(lambda: OfJudge(judge).go(start, stop))

    def judge(self, start: int, stop: int, verdict: str) -> None:
        """See `Source`."""
        panel: Any = self._owner.open_step("judge")
        found = self.events()
        if panel is not None and found is not None:
            panel.take_verdict(found.judge(start, stop, verdict))


def threshold_events(panel: ThresholdPanel, book: VerdictBook | None) -> LabEvents:
    """What a threshold panel shows."""
    view, pieces = panel.view, panel.view.pieces
    with panel.lock:  # what the line makes is kept by the view: nobody may move it meanwhile
        events, threshold = view.events, view.threshold
    return LabEvents(
        name=pieces.name,
        events=events,
        scores=pieces.scores,
        timeline=pieces.timeline,
        threshold=threshold,
        normal=view.normal,
        window_size=pieces.window_size,
        book=book,
    )


def zoom(panel: ThresholdPanel, start: int, stop: int) -> None:
    """Show an event and three windows on either side."""
    around = _AROUND * panel.view.pieces.window_size
    panel.axis.set_view(View(start - around, stop + around).within(len(panel.view.pieces)))


def _judges(other: Panel, panel: ThresholdPanel) -> bool:
    """Whether a judge panel judges the scores of a threshold panel."""
    if not isinstance(other, JudgePanel) or other.is_closed:
        return False
    scores = other.state.evidence.scores
    return scores is panel.view.pieces.scores or np.array_equal(
        scores, panel.view.pieces.scores, equal_nan=True
    )


def _median(scores: Any) -> float:
    known = scores[np.isfinite(scores)]
    return float(np.median(known)) if len(known) else float("nan")
