"""The list of events in words: a page of lines at a time, and what there is in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.formats import counted, duration, number, percent, stamp
from vaenb.view_models.stretches import FALSE, HIT, KINDS, MISSED, OTHER

if TYPE_CHECKING:
    from vaenb.view_models.judge import Judge

PAGE: Final = 10
_NAMED: Final = 1  # channels in a line; the shares of all stand with the event from near
SYMBOLS: Final = {HIT: "\u25cf", FALSE: "\u25b2", MISSED: "\u25cb", OTHER: "\u2260", "": ""}
WORDS: Final = {HIT: "TP", FALSE: "FP", MISSED: "FN missed", OTHER: "2nd labels", "": ""}
KINDS_IN_WORDS: Final = {**KINDS, "": ""}
MARKS: Final = {"anomaly": "\u2716", "normal": "\u2714", "unsure": "?", "": ""}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the list, ready to be read.

    Attributes
    ----------
    place : int
        Its place in the list, from 0.
    start, lasts, score, severity, blamed : str
    needs : str
        The threshold that its score did not reach; "" for an event.
    kind : str
        See `vaenb.view_models.stretches.KINDS`.
    differs : bool
        Whether the two sets of labels disagree about it.
    labelled : str
        What each set of labels says about it; "" where there is one.
    verdict, note : str
    is_current : bool
    """

    place: int
    start: str
    lasts: str
    score: str
    severity: str
    needs: str
    blamed: str
    kind: str
    differs: bool
    labelled: str
    verdict: str
    note: str
    is_current: bool

    @property
    def facts(self) -> str:
        """Score, severity and blame, as far as they are known."""
        height = f"severity {self.severity}" if self.severity else ""
        height = f"needs {self.needs}" if self.needs else height
        return " \u00b7 ".join(part for part in (f"score {self.score}", height, self.blamed) if part)

    @property
    def told(self) -> str:
        """The line as a sentence, for a screen reader and for a tooltip."""
        said = [f"{self.place + 1}: {self.start}, lasts {self.lasts}, score {self.score}"]
        said += [f"the threshold is {self.needs}"] if self.needs else []
        said += [f"severity {self.severity}"] if self.severity and not self.needs else []
        said += [f"to blame: {self.blamed}"] if self.blamed else []
        said += [WORDS[self.kind]] if self.kind else []
        said += [self.labelled] if self.labelled else []
        said.append(f"verdict {self.verdict}" if self.verdict else "not judged yet")
        said += [f"note: {self.note}"] if self.note else []
        return ", ".join(said)


def first_of_page(place: int | None) -> int:
    """The first line of the page that shows a line."""
    return 0 if place is None else place // PAGE * PAGE


def page(judge: Judge, first: int) -> list[Line]:
    """The lines from `first` on, a page of them at most."""
    return [line(judge, place) for place in range(first, min(first + PAGE, len(judge)))]


def line(judge: Judge, place: int) -> Line:
    """A line of the list."""
    found, said = judge.stretches, judge.verdict_on(place)
    start, stop = int(found.start[place]), int(found.stop[place])
    severity = float(found.severity[place])
    return Line(
        place=place,
        start=when(judge, start),
        lasts=lasts(judge, stop - start),
        score=number(float(found.score[place]), 3),
        severity="" if np.isnan(severity) else number(severity, 2),
        needs="" if found.event[place] >= 0 else number(judge.threshold, 3),
        blamed=_blamed(judge, place),
        kind=str(found.kind[place]),
        differs=_differs(judge, place),
        labelled=_labelled(judge, place),
        verdict="" if said is None else said.verdict,
        note="" if said is None else said.note,
        is_current=place == judge.current,
    )


def when(judge: Judge, cell: int) -> str:
    """The moment of a cell, as precise as the series."""
    moment = judge.moment(cell)
    interval = judge.evidence.series.interval
    return stamp(moment, interval) if judge.timeline.has_clock else number(float(moment), 12)


def lasts(judge: Judge, n_cells: int) -> str:
    """How long so many cells last."""
    interval = judge.evidence.series.interval
    return counted(n_cells, "point") if interval is None else duration(n_cells * interval)


def title(judge: Judge) -> str:
    """The current stretch and from when to when it lasts; the day is not said twice."""
    place = judge.current or 0
    name = f"{'Event' if judge.stretches.event[place] >= 0 else 'Missed'} {place + 1}"
    start, stop = judge.span
    first, last = when(judge, start), when(judge, stop - 1)
    if first == last:
        return f"{name} \u00b7 {first}"
    is_same_day = judge.timeline.has_clock and len(first) > 10 and first[:10] == last[:10]
    return f"{name} \u00b7 {first} \u2013 {last[11:] if is_same_day else last}"


def _blamed(judge: Judge, place: int) -> str:
    if judge.evidence.series.n_channels == 1:
        return ""
    shares = judge.blame(place)
    order = np.argsort(-shares, kind="stable")[:_NAMED]
    names = judge.evidence.series.channels
    return ", ".join(f"{names[i]} {percent(float(shares[i]))}" for i in order if shares[i] >= 0.005)


def _differs(judge: Judge, place: int) -> bool:
    first, second = judge.stretches.first, judge.stretches.second
    return first is not None and second is not None and bool(first[place] != second[place])


def _labelled(judge: Judge, place: int) -> str:
    first, second = judge.stretches.first, judge.stretches.second
    if first is None or second is None:
        return ""
    names = [name for name, marks in (("labels", first), ("second labels", second)) if marks[place]]
    return f"marked in {' and '.join(names)}" if names else "marked in neither set of labels"


def summary(judge: Judge) -> list[tuple[str, str]]:
    """What there is in the list: pieces of a line, each with the kind that it speaks of, or ""."""
    kinds, events = judge.stretches.kind, len(judge.events)
    judged = sum(bool(judge.verdict_of(place)) for place in range(len(judge)))
    told = [(f"{counted(events, 'event')} above {number(judge.threshold)}", "")]
    if judge.labels is not None:
        told += [
            (f"{SYMBOLS[kind]} {int((kinds == kind).sum()):,} {kind}", kind) for kind in (HIT, FALSE, MISSED)
        ]
    if judge.second is not None:
        differ = sum(_differs(judge, place) for place in range(len(judge)))
        told.append((f"{SYMBOLS[OTHER]} labels disagree on {differ:,}", OTHER))
    told.append((f"{judged:,} of {len(judge):,} judged" if len(judge) else "nothing to judge", ""))
    return told


def agreement(judge: Judge) -> str:
    """How much the two sets of labels have in common; "" where there is one."""
    if judge.labels is None or judge.second is None:
        return ""
    both, either = int((judge.labels & judge.second).sum()), int((judge.labels | judge.second).sum())
    share = percent(both / either) if either else "100\u202f%"
    return f"the two sets of labels share {share} of the points that either marks"


def by_verdict(judge: Judge) -> str:
    """How many alarms were right, as the person says; "" before the first verdict on an event."""
    said = [judge.verdict_of(place) for place in np.flatnonzero(judge.stretches.event >= 0).tolist()]
    right, wrong = said.count("anomaly"), said.count("normal")
    if not right + wrong:
        return ""
    be = "is an anomaly" if right == 1 else "are anomalies"
    return f"{right:,} of the {counted(right + wrong, 'event')} you decided {be}"


def empty(judge: Judge) -> str:
    """What to tell where the list is empty."""
    highest = float(np.nanmax(judge.evidence.scores)) if np.isfinite(judge.evidence.scores).any() else np.nan
    return (
        f"Nothing to judge: no score lies above the threshold {number(judge.threshold)}; the highest is "
        f"{number(highest)}. A lower threshold (step 5) gives events."
    )
