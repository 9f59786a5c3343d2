"""What JupyterLab's side panel "Anomalies" shows of a study: small, and ready to be read. NumPy ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.formats import counted, duration, number, stamp
from vaenb.view_models.stretches import Stretches, list_stretches
from vaenb.view_models.verdict_places import make_verdict, moment_of, place_verdicts

if TYPE_CHECKING:
    from vaenb.records import Events, Floats
    from vaenb.view_models.timeline import Timeline
    from vaenb.view_models.verdict_book import VerdictBook
    from vaenb.view_models.verdicts import Verdict

MOST_EVENTS: Final = 50  # that are listed: more than anybody reads in a side panel
MOST_POINTS: Final = 60  # of a sparkline
_DIGITS: Final = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class LabEvents:
    """The events of a study at a threshold, and the verdicts on them.

    Parameters
    ----------
    name : str
        Of the series.
    events : Events
        On the cells.
    scores : ndarray, shape (n_cells,)
    timeline : Timeline
    threshold : float
    normal : float
        The median normal score.
    window_size : int
        Cells; a sparkline shows at least so many on either side.
    book : VerdictBook or None
        None where nobody can judge.
    """

    name: str
    events: Events
    scores: Floats
    timeline: Timeline
    threshold: float
    normal: float
    window_size: int
    book: VerdictBook | None

    @property
    def stretches(self) -> Stretches:
        """The events, most severe first."""
        return list_stretches(
            self.events,
            self.scores,
            threshold=self.threshold,
            normal=self.normal,
            labels=None,
            second=None,
        )

    def told(self) -> dict[str, Any]:
        """Everything as JSON can hold it: see vaenb/labext/src/messages.ts."""
        stretches = self.stretches
        said = {} if self.book is None else place_verdicts(self.book, stretches, self.timeline)
        count, judged = len(stretches), sum(bool(verdict.verdict) for verdict in said.values())
        told = f"{counted(count, 'event')} above {number(self.threshold)}"
        return {
            "name": self.name,
            "words": "" if count else "No score lies above the threshold: lower it in step 5.",
            "threshold": float(self.threshold) if np.isfinite(self.threshold) else None,
            "told": f"{told} · {judged:,} judged" if self.book is not None and count else told,
            "count": count,
            "canJudge": self.book is not None,
            "events": [self._event(stretches, i, said.get(i)) for i in range(min(count, MOST_EVENTS))],
        }

    def _event(self, stretches: Stretches, place: int, said: Verdict | None) -> dict[str, Any]:
        start, stop, peak = (int(getattr(stretches, name)[place]) for name in ("start", "stop", "peak"))
        severity = float(stretches.severity[place])
        return {
            "start": start,
            "stop": stop,
            "when": self._when(start),
            "lasts": self._lasts(stop - start),
            "peak": self._when(peak),
            "score": number(float(stretches.score[place]), 3),
            "severity": "" if np.isnan(severity) else number(severity, 2),
            "verdict": "" if said is None else said.verdict,
            "line": sparkline(self.scores, start, stop, around=self.window_size),
        }

    def _when(self, cell: int) -> str:
        moment = moment_of(self.timeline, cell)
        return stamp(moment, self.timeline.step) if self.timeline.has_clock else number(float(moment), 12)

    def _lasts(self, n_cells: int) -> str:
        return (
            duration(n_cells * self.timeline.step) if self.timeline.has_clock else counted(n_cells, "point")
        )

    def judge(self, start: int, stop: int, verdict: str) -> Verdict | None:
        """Write a verdict on an event into the book; "" takes it back, and a note on it stays.

        Returns
        -------
        Verdict or None
            None where there is no such event any more, nobody can judge, or nothing is left of the verdict.
        """
        stretches = self.stretches
        found = np.flatnonzero((stretches.start == start) & (stretches.stop == stop))
        if self.book is None or not len(found):
            return None
        place, said = int(found[0]), None
        before = place_verdicts(self.book, stretches, self.timeline).get(place)
        note = before.note if before is not None else ""
        if verdict or note:
            said = make_verdict(stretches, place, self.timeline, verdict=verdict, note=note)
            self.book.put(said, instead_of=before)
        elif before is not None:
            self.book.remove(before)
        return said


def sparkline(scores: Floats, start: int, stop: int, *, around: int) -> list[float | None]:
    """The scores about an event, as few numbers as a small picture shows: the highest of each piece.

    Parameters
    ----------
    scores : ndarray, shape (n_cells,)
    start, stop : int
        The event's cells.
    around : int
        Cells to show on either side; as many as the event lasts, where that is more.

    Returns
    -------
    list of float or None
        At most `MOST_POINTS`, None where there is no score.

    Examples
    --------
    >>> import numpy as np
    >>> sparkline(np.array([0.0, 1.0, 5.0, np.nan, 0.5]), 2, 3, around=2)
    [0.0, 1.0, 5.0, None, 0.5]
    """
    more = max(around, stop - start)
    seen = np.asarray(scores[max(0, start - more) : stop + more], dtype=np.float64)
    edges = np.unique(np.linspace(0, len(seen), min(MOST_POINTS, len(seen)), endpoint=False).astype(int))
    highest = np.fmax.reduceat(seen, edges)
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in highest]
