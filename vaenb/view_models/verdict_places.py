"""Where verdicts belong: they are kept with moments, and what there is to judge lies on cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.view_models.stretches import best_overlap
from vaenb.view_models.verdicts import Verdict, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vaenb.view_models.stretches import Stretches
    from vaenb.view_models.timeline import Timeline


def place_verdicts(
    verdicts: Iterable[Verdict], stretches: Stretches, timeline: Timeline
) -> dict[int, Verdict]:
    """For each stretch the verdict on it: each goes to the one it overlaps most, and the longest counts.

    Parameters
    ----------
    verdicts : iterable of Verdict
    stretches : Stretches
    timeline : Timeline

    Returns
    -------
    dict of int to Verdict
        By the place of the stretch; without those that nobody has judged.
    """
    known = [(verdict, cells) for verdict in verdicts if (cells := cells_of(timeline, verdict)) is not None]
    if not known or not len(stretches):
        return {}
    first, last = np.array([cells for _, cells in known], dtype=np.int64).T
    places = best_overlap(first, last, stretches.start, stretches.stop)
    shared = np.minimum(last + 1, stretches.stop[places]) - np.maximum(first, stretches.start[places])
    found: dict[int, Verdict] = {}
    for i in sorted(range(len(known)), key=lambda i: (int(shared[i]), known[i][0].decided_at)):
        if places[i] >= 0:
            found[int(places[i])] = known[i][0]
    return found


def make_verdict(stretches: Stretches, place: int, timeline: Timeline, *, verdict: str, note: str) -> Verdict:
    """What a person says now about a stretch, with the moments between which it lies."""
    start, stop = stretches.start[place], stretches.stop[place]
    return Verdict(
        start=moment_of(timeline, int(start)),
        end=moment_of(timeline, int(stop) - 1),
        score=float(f"{stretches.score[place]:.6g}"),
        severity=float(f"{stretches.severity[place]:.6g}"),
        verdict=verdict,
        note=note,
        decided_at=now(),
    )


def moment_of(timeline: Timeline, cell: int) -> Any:
    """The moment of a cell, to the nanosecond where there is a clock."""
    if not timeline.has_clock:
        number = float(timeline.start + cell * timeline.step)
        return number if number.is_integer() else float(f"{number:.15g}")
    away = np.timedelta64(round(cell * timeline.step * 1e9), "ns")
    return timeline.start.astype("datetime64[ns]") + away


def cells_of(timeline: Timeline, verdict: Verdict) -> tuple[int, int] | None:
    """The first and the last cell of a verdict's stretch; None outside of the series."""
    away = np.array([_away(timeline, moment) for moment in (verdict.start, verdict.end)]) / timeline.step
    first, last = (int(cell) for cell in np.round(np.clip(away, -1e15, 1e15)))
    return (first, last) if last >= 0 and first < timeline.n_cells else None


def _away(timeline: Timeline, moment: Any) -> float:
    """How far a moment lies behind the first cell, in the units of the step."""
    if not timeline.has_clock:
        return float(moment - timeline.start)
    return float((moment - timeline.start.astype("datetime64[ns]")) / np.timedelta64(1, "s"))
