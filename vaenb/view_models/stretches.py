"""What there is to judge: the events, and the labelled stretches that no event touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.events import run_maxima, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vaenb.records import Bools, Events, Floats, Ints

HIT, FALSE, MISSED, OTHER = "TP", "FP", "FN", "\u2260"
KINDS: Final = {
    HIT: "a labelled stretch was found",
    FALSE: "nothing is labelled here",
    MISSED: "labelled, and missed by the detector",
    OTHER: "labelled in the second labels alone, and missed by the detector",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Stretches:
    """Stretches of cells in the order in which they are judged: events first, most severe first.

    All arrays have the shape (n_stretches,).

    Attributes
    ----------
    start, stop, peak : ndarray of int64
        Cells; `stop` is the first one after the stretch.
    score, severity : ndarray of float64
        As in `Events`; the severity of a missed stretch is below 0.
    event : ndarray of int64
        Which of the events it is; -1 for a missed stretch.
    kind : ndarray of str
        "TP", "FP", "FN", "≠" (only the second labels mark it), or "" without labels.
    first, second : ndarray of bool, or None
        Whether the first and the second labels mark a cell of it; None where there are none.
    """

    start: Ints
    stop: Ints
    peak: Ints
    score: Floats
    severity: Floats
    event: Ints
    kind: NDArray[np.str_]
    first: Bools | None
    second: Bools | None

    def __len__(self) -> int:
        return len(self.start)


def check_events(events: Events, n_cells: int) -> None:
    """Refuse events that are not stretches of the cells, in the order of time and apart.

    Raises
    ------
    InputError
        With the first event that is wrong.
    """
    ends = np.concatenate([[0], events.stop[:-1]]) if len(events) else events.stop
    wrong = (events.start < ends) | (events.stop <= events.start) | (events.stop > n_cells)
    if wrong.any():
        event = int(np.argmax(wrong))
        raise InputError(
            f"Event {event} runs from {events.start[event]} to {events.stop[event]}; expected cells of the "
            f"series, 0 to {n_cells}, in the order of time, events that do not overlap: "
            "vaenb.find_events gives them."
        )


def list_stretches(
    events: Events,
    scores: Floats,
    *,
    threshold: float,
    normal: float,
    labels: Bools | None,
    second: Bools | None,
) -> Stretches:
    """The events, most severe first, then what was missed, highest score first.

    Parameters
    ----------
    events : Events
        On the cells, in the order of time, apart.
    scores : ndarray, shape (n_cells,)
    threshold : float
    normal : float
        The median normal score.
    labels, second : ndarray of bool, shape (n_cells,), or None
        No second ones without first ones.
    """
    start, stop, of_second = _missed(events, labels, second)
    score = run_maxima(scores, start, stop)
    order = np.argsort(-np.nan_to_num(score, nan=-np.inf), kind="stable")
    first = np.argsort(-np.nan_to_num(events.severity, nan=-np.inf), kind="stable")
    if np.isnan(events.severity).all():
        first = np.argsort(-np.nan_to_num(events.score, nan=-np.inf), kind="stable")
    kind = np.where(_touches(labels, events.start, events.stop), HIT, FALSE)
    kind = kind if labels is not None else np.full(len(events), "", dtype=kind.dtype)
    starts = np.concatenate([events.start[first], start[order]])
    stops = np.concatenate([events.stop[first], stop[order]])
    return Stretches(
        start=starts,
        stop=stops,
        peak=np.concatenate([events.peak[first], _peaks(scores, start[order], stop[order])]),
        score=np.concatenate([events.score[first], score[order]]),
        severity=np.concatenate([events.severity[first], _severity(score[order], threshold, normal)]),
        event=np.concatenate([first, np.full(len(order), -1)]).astype(np.int64),
        kind=np.concatenate([kind[first], np.where(of_second[order], OTHER, MISSED)]),
        first=None if labels is None else _touches(labels, starts, stops),
        second=None if second is None else _touches(second, starts, stops),
    )


def _missed(events: Events, labels: Bools | None, second: Bools | None) -> tuple[Ints, Ints, Bools]:
    """Labelled stretches that touch no event; those of the second labels, no first label either."""
    if labels is None:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
    found = events.flags(len(labels)) > 0
    start, stop = _alone(labels, found)
    of_first = len(start)
    if second is not None:
        begins, ends = _alone(second, found | labels)
        start, stop = np.concatenate([start, begins]), np.concatenate([stop, ends])
    in_time = np.argsort(start, kind="stable")
    return start[in_time], stop[in_time], in_time >= of_first


def _alone(marks: Bools, beside: Bools) -> tuple[Ints, Ints]:
    """The runs of marks that touch nothing else."""
    start, stop = runs(marks)
    alone = ~_touches(beside, start, stop)
    return start[alone], stop[alone]


def _touches(marks: Bools | None, start: Ints, stop: Ints) -> Bools:
    """Whether a mark lies in each stretch, shape (n_stretches,)."""
    if marks is None:
        return np.zeros(len(start), dtype=bool)
    before = np.concatenate([[0], np.cumsum(marks)])
    return np.asarray(before[stop] > before[start])


def _peaks(scores: Floats, start: Ints, stop: Ints) -> Ints:
    at = [
        begin + int(np.argmax(np.nan_to_num(scores[begin:end], nan=-np.inf)))
        for begin, end in zip(start, stop, strict=True)
    ]
    return np.array(at, dtype=np.int64)


def _severity(score: Floats, threshold: float, normal: float) -> Floats:
    height = threshold - normal
    if not (np.isfinite(height) and height > 0):
        return np.full(len(score), np.nan)
    return np.asarray((score - threshold) / height)


def best_overlap(first: Ints, last: Ints, start: Ints, stop: Ints) -> Ints:
    """For each of some spans, the stretch that it overlaps most.

    Parameters
    ----------
    first, last : ndarray of int64, shape (n_spans,)
        Cells, both in the span.
    start, stop : ndarray of int64, shape (n_stretches,)
        Apart from each other, in any order.

    Returns
    -------
    ndarray of int64, shape (n_spans,)
        Places among the stretches; -1 where a span touches none. Of equals the first in time.

    Examples
    --------
    >>> best_overlap(np.array([0, 9]), np.array([5, 9]), np.array([3, 0]), np.array([8, 1]))
    array([ 0, -1])
    """
    order = np.argsort(start, kind="stable")
    begins, ends = start[order], stop[order]
    low = np.searchsorted(ends, first, side="right")
    high = np.searchsorted(begins, last, side="right")
    best = np.full(len(first), -1, dtype=np.int64)
    for span in np.flatnonzero(high > low):
        near = slice(low[span], high[span])
        shared = np.minimum(ends[near], last[span] + 1) - np.maximum(begins[near], first[span])
        best[span] = order[low[span] + int(np.argmax(shared))]
    return best
