"""What the judge panel knows: what there is to judge, where one stands, and what was decided."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.events import find_events
from vaenb.view_models.blame import Blame
from vaenb.view_models.second_labels import read_second_labels
from vaenb.view_models.stretches import Stretches, best_overlap, check_events, list_stretches
from vaenb.view_models.timeline import Timeline, View
from vaenb.view_models.verdict_book import VerdictBook
from vaenb.view_models.verdict_places import make_verdict, moment_of, place_verdicts
from vaenb.view_models.verdicts import COLUMNS, VERDICTS, Verdict, default_path

if TYPE_CHECKING:
    import os

    import pandas as pd
    from numpy.typing import ArrayLike

    from vaenb.evidence import Evidence
    from vaenb.records import Bools, Events, Floats

AUTO = "auto"
CONTEXT = 3  # windows on either side of an event


class Judge:
    """The events of a study, most severe first, with a person's verdicts on them.

    Parameters
    ----------
    evidence : Evidence
    events : Events, optional
        On the cells. Without it, the runs of scores above the threshold of the evidence's rule.
    verdicts : path-like, "auto" or None
        The CSV of the verdicts; "auto" is ``NAME_verdicts.csv`` in the current folder, None keeps them
        in memory.
    other_labels : array_like or path-like, optional
        A second set of labels: see `vaenb.view_models.second_labels.read_second_labels`.
    merge_gap : int, optional
        Runs at most so many cells apart are one event; the window size without it.

    Attributes
    ----------
    evidence : Evidence
    timeline : Timeline
    book : VerdictBook
    events : Events
    threshold : float
    merge_gap : int
    stretches : Stretches
        What the list shows: events, then labelled stretches that were missed.

    Raises
    ------
    InputError
        If events, labels or settings do not fit the series.
    """

    def __init__(
        self,
        evidence: Evidence,
        *,
        events: Events | None = None,
        verdicts: str | os.PathLike[str] | None = AUTO,
        other_labels: str | os.PathLike[str] | ArrayLike | None = None,
        merge_gap: int | None = None,
    ) -> None:
        self.evidence = evidence
        self.timeline = Timeline.of(evidence.series)
        self.merge_gap = evidence.window_size if merge_gap is None else merge_gap
        self.labels: Bools | None = None if evidence.labels is None else evidence.labels > 0
        self.second = self._read_second(other_labels)
        if self.labels is None:
            self.labels, self.second = self.second, None
        self._current: int | None = None
        self._verdict_on: dict[int, Verdict] = {}
        path = default_path(evidence.series.name) if verdicts == AUTO else verdicts
        self.book = VerdictBook(None if path is None else Path(path), has_clock=self.timeline.has_clock)
        self.set_events(events)

    def _read_second(self, source: Any) -> Bools | None:
        return None if source is None else read_second_labels(source, self.evidence.series, self.timeline)

    @cached_property
    def grid(self) -> Floats:
        """The values on the cells, shape (n_cells, n_channels)."""
        return np.asarray(self.evidence.series.grid, dtype=np.float64)

    @cached_property
    def normal(self) -> float:
        """The median normal score."""
        scores = self.evidence.calibration_scores
        scores = scores[np.isfinite(scores)]
        return float(np.median(scores)) if len(scores) else float("nan")

    def blame(self, place: int) -> Floats:
        """Each channel's share of the blame for a line of the list, shape (n_channels,); they sum to 1.

        The shares that came with the events or, without them, those of `vaenb.view_models.blame`.
        """
        event = int(self.stretches.event[place])
        if self.events.shares is not None and event >= 0:
            return np.asarray(np.nan_to_num(self.events.shares[event]))
        return self._blame.shares(int(self.stretches.start[place]), int(self.stretches.stop[place]))

    @cached_property
    def _blame(self) -> Blame:
        return Blame(self.evidence, self.grid)

    # ------------------------------------------------------------------ events

    def set_events(
        self, events: Events | None = None, *, threshold: float | None = None, merge_gap: int | None = None
    ) -> None:
        """Judge other events; each verdict stays with the stretch it overlaps most, and so does the place.

        Parameters
        ----------
        events : Events, optional
            On the cells. Without it they are found anew.
        threshold : float, optional
            The one there is without it.
        merge_gap : int, optional
            The one there is without it.

        Raises
        ------
        InputError
            If they do not fit the series; all stays as it was.
        """
        limit = getattr(self, "threshold", float(self.evidence.rule.threshold_))
        limit = limit if threshold is None else float(threshold)
        gap = self.merge_gap if merge_gap is None else merge_gap
        found = events
        if found is None:
            found = find_events(self.evidence.scores, limit, merge_gap=gap, normal=self.normal)
        check_events(found, self.timeline.n_cells)
        stretches = list_stretches(
            found,
            self.evidence.scores,
            threshold=limit,
            normal=self.normal,
            labels=self.labels,
            second=self.second,
        )
        before = None if self._current is None else self.span
        self.events, self.threshold, self.merge_gap = found, limit, gap
        self.are_given = events is not None
        self.stretches: Stretches = stretches
        self._stand_on(before)
        self.match()

    def _stand_on(self, before: tuple[int, int] | None) -> None:
        """The stretch that overlaps most what one stood on; the first one where there is none."""
        self._current = 0 if len(self.stretches) else None
        if before is not None and len(self.stretches):
            span = np.array([before[0]]), np.array([before[1] - 1])
            self._current = max(0, int(best_overlap(*span, self.stretches.start, self.stretches.stop)[0]))

    @property
    def order(self) -> Any:
        """The places of the events in `events`, most severe first, shape (n_events,)."""
        return self.stretches.event[self.stretches.event >= 0]

    def __len__(self) -> int:
        return len(self.stretches)

    # ------------------------------------------------------------------ where one stands

    @property
    def current(self) -> int | None:
        """The line of the list that is looked at, from 0; None where the list is empty."""
        return self._current

    @current.setter
    def current(self, place: int) -> None:
        if isinstance(place, bool) or place not in range(len(self)):
            raise InputError(
                f"current is {place!r}; expected a line of the list, 0 to {len(self) - 1}."
                if len(self)
                else f"current is {place!r}, and there is no event to look at: lower the threshold."
            )
        self._current = int(place)

    @property
    def span(self) -> tuple[int, int]:
        """The first cell of the current stretch and the first one after it."""
        place = self._place()
        return int(self.stretches.start[place]), int(self.stretches.stop[place])

    def _place(self) -> int:
        if self._current is None:
            raise InputError("There is no event to judge: no score lies above the threshold; lower it.")
        return self._current

    def context(self) -> View:
        """The current stretch with three windows on either side."""
        start, stop = self.span
        around = CONTEXT * self.evidence.window_size
        return View(max(0, start - around), min(self.timeline.n_cells, stop + around)).within(
            self.timeline.n_cells
        )

    def step(self, by: int) -> None:
        """Go on by some lines; at either end one stays."""
        if self._current is not None:
            self._current = int(np.clip(self._current + by, 0, len(self) - 1))

    def next_open(self) -> int | None:
        """The next line without a verdict, from the top again after the last; None where all are judged."""
        begin = -1 if self._current is None else self._current
        around = ((begin + 1 + k) % len(self) for k in range(len(self)))
        return next((place for place in around if not self.verdict_of(place)), None)

    # ------------------------------------------------------------------ verdicts

    def judge(self, verdict: str | None, note: str | None = None) -> Verdict | None:
        """Say what the current stretch is, and write the file.

        Parameters
        ----------
        verdict : "anomaly", "normal", "unsure" or None
            None takes the verdict back.
        note : str, optional
            The note stays as it is without it.

        Returns
        -------
        Verdict or None
            None where neither a verdict nor a note is left.

        Raises
        ------
        InputError
            If it is another word, or there is nothing to judge.
        """
        if verdict not in {*VERDICTS, None, ""}:
            raise InputError(f"verdict is {verdict!r}; expected 'anomaly', 'normal', 'unsure', or None.")
        place = self._place()
        before = self._verdict_on.get(place)
        words = (before.note if before else "") if note is None else note
        found = None
        if verdict or words:
            found = make_verdict(self.stretches, place, self.timeline, verdict=verdict or "", note=words)
        if found is not None:
            self.book.put(found, instead_of=before)
        elif before is not None:
            self.book.remove(before)
        self.match()
        return found

    def annotate(self, note: str) -> Verdict | None:
        """Change the note on the current stretch and keep its verdict."""
        return self.judge(self.verdict_of(self._place()), note)

    def refresh(self) -> bool:
        """Take over what another panel wrote into the file; whether there was anything."""
        changed = self.book.refresh()
        if changed:
            self.match()
        return changed

    def match(self) -> None:
        """Find for each verdict the stretch that it overlaps most; of several on one the longest counts."""
        self._verdict_on = place_verdicts(self.book, self.stretches, self.timeline)

    def verdict_on(self, place: int) -> Verdict | None:
        """What was said about a line of the list; None where nothing was."""
        return self._verdict_on.get(place)

    def verdict_of(self, place: int) -> str:
        """The verdict on a line of the list; "" where there is none."""
        found = self._verdict_on.get(place)
        return "" if found is None else found.verdict

    @property
    def verdicts(self) -> pd.DataFrame:
        """All verdicts, in the order of time: also those on stretches that are no events any more."""
        import pandas as pd

        rows = [{name: getattr(verdict, name) for name in COLUMNS} for verdict in self.book]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def moment(self, cell: int) -> Any:
        """The moment of a cell, to the nanosecond where the series has a clock."""
        return moment_of(self.timeline, cell)
