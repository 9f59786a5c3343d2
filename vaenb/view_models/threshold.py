"""The threshold explorer: where the line stands, which events it makes, what they are worth. NumPy ring."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vaenb.checks import check_choice, check_number, check_whole
from vaenb.errors import InputError
from vaenb.events import runs
from vaenb.view_models.event_finder import EventFinder, Spans
from vaenb.view_models.threshold_axis import score_scale, whole_digits
from vaenb.view_models.threshold_cost import Costs, cost_curve
from vaenb.view_models.threshold_metrics import Judge
from vaenb.view_models.threshold_rules import RuleRow, fit_rules

if TYPE_CHECKING:
    import pandas as pd

    from vaenb.drawing.axes import Scale
    from vaenb.records import Events, Floats
    from vaenb.thresholds.base import Threshold
    from vaenb.view_models.threshold_inputs import Pieces

PARTS = ("test", "all")
_DEFAULT_COST = 10.0


class ThresholdView:
    """All state of a threshold panel, and its arithmetic; what depends on the line waits to be asked for.

    Parameters
    ----------
    pieces : Pieces
        `vaenb.view_models.threshold_inputs.from_evidence` or `from_pieces` makes them.
    merge_gap : int, optional
        Points; as `vaenb.VAEDetector` does, the window size without it, and 0 for windows of 1.
    min_length : int
        Points.

    Attributes
    ----------
    rules : tuple of RuleRow
    chosen : int or None
        Which of them the line stands on; None once it was moved by hand.
    scale : Scale
        Of the score axis: places from 0 to 1, bent where some scores are very far out.
    heights : ndarray of float64, shape (n_timestamps,)
        The scores as places on that axis.

    Raises
    ------
    InputError
        If the rule cannot be fitted, or a setting makes no sense.
    """

    def __init__(self, pieces: Pieces, *, merge_gap: int | None = None, min_length: int = 1) -> None:
        self.pieces = pieces
        self.rules = fit_rules(
            pieces.rule,
            pieces.calibration_scores,
            window_size=pieces.window_size,
            points_per_day=pieces.points_per_day,
            judged=pieces.judges_itself,
        )
        held = pieces.calibration_scores
        self.normal = float(np.median(held[~np.isnan(held)]))
        self.finder = EventFinder(pieces.scores, normal=self.normal)
        self.scale: Scale = score_scale(pieces.scores, held, [row.threshold for row in self.rules])
        self.heights: Floats = self.scale(pieces.scores)
        default = pieces.window_size if pieces.window_size > 1 else 0
        self._merge_gap = check_whole("merge_gap", default if merge_gap is None else merge_gap, least=0)
        self._min_length = check_whole("min_length", min_length)
        self._part = "test" if self.has_test_part else "all"
        self._cost = _DEFAULT_COST
        self._judges: dict[str, Judge] = {}
        self._costs: dict[tuple[str, int, int], Costs] = {}
        self.chosen: int | None = [row.rule for row in self.rules].index(pieces.rule)
        self._threshold = self.rules[self.chosen].threshold
        self._spans: Spans | None = None

    def take(self, pieces: Pieces, first: int) -> None:
        """Go on with pieces that are new from a position on (`vaenb.view_models.threshold_growth.grown`).

        The line, the rules and all that was set stay; the axis changes where it does not hold the new scores.
        """
        met = np.empty(0) if pieces.thresholds is None else pieces.thresholds
        lines = [float(np.fmax.reduce(met, initial=-np.inf))]
        new = np.concatenate([pieces.scores[first:], lines])
        new = new[np.isfinite(new)]
        self.pieces, self._spans = pieces, None
        self.finder = EventFinder(pieces.scores, normal=self.normal)
        if len(new) and not self.scale.low <= new.min() <= new.max() <= self.scale.high:
            lines += [row.threshold for row in self.rules]
            self.scale = score_scale(pieces.scores, pieces.calibration_scores, lines)
            first = 0
        self.heights = np.concatenate([self.heights[:first], self.scale(pieces.scores[first:])])
        self._judges.clear()
        self._costs.clear()
        vars(self).pop("labelled", None)

    # ------------------------------------------------------------------ the line

    @property
    def threshold(self) -> float:
        """A timestamp is flagged where its score lies above it."""
        return self._threshold

    def move_to(self, threshold: float) -> None:
        """Put the line somewhere, by hand.

        Raises
        ------
        InputError
            If it is not a finite number.
        """
        value = check_number("threshold", threshold)
        if value != self._threshold:
            self._threshold, self.chosen, self._spans = value, None, None

    def move_to_place(self, place: float) -> None:
        """Put the line at a place on the score axis, 0 at its low end and 1 at its high end.

        The threshold gets as many digits as a picture of 2,000 points height can show.
        """
        self.move_to(whole_digits(self.scale, min(max(float(place), 0.0), 1.0)))

    def nudge(self, share: float) -> None:
        """Move the line by a share of the score axis."""
        self.move_to_place(self.place + share)

    @property
    def place(self) -> float:
        """Where the line stands on the score axis, from 0 to 1; at the end for a threshold beyond it."""
        return float(np.clip(self.scale(self._threshold), 0.0, 1.0))

    # ------------------------------------------------------------------ rules

    def use_rule(self, which: int) -> None:
        """Put the line where a rule puts it.

        Raises
        ------
        InputError
            If the rule could not be fitted; the sentence says why.
        """
        row = self.rules[which]
        if row.trouble:
            raise InputError(f"{row.name}: {row.trouble}")
        self._threshold, self.chosen, self._spans = row.threshold, which, None

    @property
    def row(self) -> RuleRow | None:
        """The rule that the line stands on, or None where it was moved by hand."""
        return None if self.chosen is None else self.rules[self.chosen]

    @property
    def rule(self) -> Threshold | None:
        """The same, as the fitted `Threshold`."""
        return None if self.row is None else self.row.rule

    # ------------------------------------------------------------------ events

    @property
    def merge_gap(self) -> int:
        """Events at most so many points apart become one."""
        return self._merge_gap

    @merge_gap.setter
    def merge_gap(self, value: int) -> None:
        self._merge_gap, self._spans = check_whole("merge_gap", value, least=0), None

    @property
    def min_length(self) -> int:
        """Events shorter than so many points are dropped."""
        return self._min_length

    @min_length.setter
    def min_length(self, value: int) -> None:
        self._min_length, self._spans = check_whole("min_length", value), None

    @property
    def spans(self) -> Spans:
        """Where the events start and stop."""
        if self._spans is None:
            self._spans = self.finder.spans(
                self._threshold, merge_gap=self._merge_gap, min_length=self._min_length
            )
        return self._spans

    @property
    def events(self) -> Events:
        """What `vaenb.find_events` finds, with ``normal=`` the calibration scores."""
        return self.finder.events(self.spans, self._threshold)

    def events_frame(self) -> pd.DataFrame:
        """The events as a table, one row each, in time order.

        Returns
        -------
        DataFrame
            ``start``, ``end`` (the last timestamp of the event) and ``peak`` on the time axis; ``n_points``;
            ``score`` at the peak; ``severity``; with labels also ``labelled``: whether the event touches one.
        """
        import pandas as pd

        found, moments = self.events, self.pieces.timeline.moments
        columns = {
            "start": moments(found.start),
            "end": moments(found.stop - 1),
            "peak": moments(found.peak),
            "n_points": found.stop - found.start,
            "score": found.score,
            "severity": found.severity,
        }
        if self.pieces.labels is not None:
            before = np.concatenate([[0], np.cumsum(self.pieces.labels)])
            columns["labelled"] = before[found.stop] > before[found.start]
        return pd.DataFrame(columns)

    # ------------------------------------------------------------------ what it is worth

    @property
    def has_test_part(self) -> bool:
        """Whether something comes after the calibration part."""
        part = self.pieces.calibration
        return part is not None and part[1] < len(self.pieces)

    @property
    def part(self) -> str:
        """What is judged: "test", all after the calibration part, or "all"."""
        return self._part

    @part.setter
    def part(self, value: str) -> None:
        known = PARTS if self.has_test_part else PARTS[1:]
        self._part = check_choice("part", value, known)

    @property
    def judge(self) -> Judge:
        """Who counts, on the judged part."""
        if self._part not in self._judges:
            stop = self.pieces.calibration[1] if self.pieces.calibration else 0
            self._judges[self._part] = Judge(
                self.pieces.scores,
                labels=self.pieces.labels,
                first=stop if self._part == "test" else 0,
                points_per_day=self.pieces.points_per_day,
            )
        return self._judges[self._part]

    @property
    def metrics(self) -> dict[str, float]:
        """What the line is worth on the judged part; NaN where there is nothing to measure.

        Always ``flagged`` and ``flagged_share`` (points above the line), ``alarms`` (events),
        ``alarms_per_day`` (NaN without a clock) and ``alarms_per_1000`` (points). With labels, by point:
        ``precision``, ``recall``, ``f1``, as `vaenb.judging.metrics.point_scores` of the points above the
        line; by event: ``event_precision``, ``event_recall``, ``event_f1``, ``false_alarms``,
        ``false_alarms_per_day``, ``false_alarms_per_1000``, as `vaenb.judging.event_metrics.event_scores` of
        the events that are shown, merged and without the short ones; and ``labelled_events``, ``found``,
        ``missed``.
        """
        return self.judge.metrics(self._threshold, self.spans)

    @property
    def has_labels(self) -> bool:
        """Whether there is something to compare with in the judged part."""
        return self.judge.n_labelled > 0

    # ------------------------------------------------------------------ what it costs

    @property
    def costs(self) -> Costs:
        """Missed events and false alarms at many thresholds; without labels, alarms."""
        key = (self._part, self._merge_gap, self._min_length)
        if key not in self._costs:
            self._costs[key] = cost_curve(
                self.finder, self.judge, merge_gap=self._merge_gap, min_length=self._min_length
            )
        return self._costs[key]

    @property
    def cost(self) -> float:
        """One missed event costs as much as so many false alarms."""
        return self._cost

    @cost.setter
    def cost(self, value: float) -> None:
        self._cost = check_number("cost", value, above=0)

    def use_cheapest(self) -> None:
        """Put the line where missed events and false alarms cost least.

        Raises
        ------
        InputError
            If there are no labels to compare with.
        """
        if not self.has_labels:
            raise InputError(
                "There are no labelled events to miss: a cost needs labels=, one 0 or 1 a score."
            )
        self.move_to(float(self.costs.threshold[self.costs.cheapest(self._cost)]))

    # ------------------------------------------------------------------ to be seen

    @cached_property
    def labelled(self) -> Spans:
        """Where labelled stretches of the whole series start and stop."""
        return Spans(*runs(np.zeros(0, dtype=bool) if self.pieces.labels is None else self.pieces.labels))

    @cached_property
    def is_honest(self) -> bool:
        """Whether rules are fitted on other scores than those that are judged."""
        return not self.pieces.judges_itself
