"""The rules of step 5 side by side: where each puts the threshold, and the false alarms it promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vaenb.errors import InputError
from vaenb.formats import number
from vaenb.thresholding import (
    DSPOT,
    MAD,
    POT,
    AlarmBudget,
    BestF1,
    Conformal,
    ExponentialTail,
    Fixed,
    Percentile,
)
from vaenb.thresholds.calibration import look_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.records import Floats
    from vaenb.thresholds.base import Threshold
    from vaenb.thresholds.calibration import Calibration

_BUDGET_POINTS = 10_000.0  # one alarm in so many, where there is no clock


@dataclass(frozen=True, eq=False)
class RuleRow:
    """A rule that was fitted, or why it could not be.

    Attributes
    ----------
    name : str
        E.g. "Percentile 95".
    rule : Threshold
    trouble : str
        Why it could not be fitted; empty where it was.
    """

    name: str
    rule: Threshold
    trouble: str = ""

    @property
    def threshold(self) -> float:
        """Where it puts the line; NaN where it could not be fitted."""
        return float("nan") if self.trouble else self.rule.threshold_

    @property
    def promise(self) -> str:
        """The false alarms to expect, short: a day, or in 1,000 points where there is no clock."""
        if self.trouble:
            return "\u2013"
        daily = self.rule.expected_false_alarms_per_day_
        return number(self.rule.expected_false_alarms_per_1000_points_ if daily is None else daily, 2)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What makes the promise weaker than it looks, one sentence each."""
        return (self.trouble,) if self.trouble else self.rule.warnings_


def fit_rules(
    chosen: Threshold,
    calibration_scores: Floats,
    *,
    window_size: int,
    points_per_day: float | None,
    judged: bool,
) -> tuple[RuleRow, ...]:
    """The usual six rules, and the chosen one among them, all on the same calibration scores.

    Parameters
    ----------
    chosen : Threshold
        Takes the place of the usual one of its kind. It is fitted here unless it already is.
    calibration_scores : ndarray, shape (n_calibration,)
    window_size : int
        Points.
    points_per_day : float or None
    judged : bool
        Whether these are also the scores to be judged; every rule then says what that breaks.

    Raises
    ------
    InputError
        If the scores cannot be used, or the chosen rule cannot be fitted on them.
    """
    usual = _usual(points_per_day)
    kinds = [type(rule) for rule in usual]
    if type(chosen) in kinds:
        usual[kinds.index(type(chosen))] = chosen
    else:
        usual.append(chosen)
    calibration = look_at(calibration_scores, window_size=window_size, points_per_day=points_per_day)
    return tuple(_fitted(rule, calibration, judged=judged, needed=rule is chosen) for rule in usual)


def _usual(points_per_day: float | None) -> list[Threshold]:
    budget = AlarmBudget() if points_per_day is not None else AlarmBudget(per_points=_BUDGET_POINTS)
    return [Percentile(95), MAD(), ExponentialTail(), POT(), Conformal(), budget]


def _fitted(rule: Threshold, calibration: Calibration, *, judged: bool, needed: bool) -> RuleRow:
    if not rule.is_fitted:
        try:
            rule.fit_to(calibration, judged=judged)
        except InputError as error:
            if needed:
                raise
            return RuleRow(rule_name(rule), rule, str(error))
    return RuleRow(rule_name(rule), rule)


def rule_name(rule: Threshold) -> str:
    """A rule's name for a button.

    Examples
    --------
    >>> rule_name(Percentile(95)), rule_name(AlarmBudget(per_day=2))
    ('Percentile 95', '2 alarms a day')
    """
    name = _NAMES.get(type(rule))
    return name(rule) if name else type(rule).__name__


def _budget_name(rule: AlarmBudget) -> str:
    if rule.per_points is not None:
        return f"1 alarm in {number(rule.per_points, 3)}"
    return f"{rule.per_day:g} {'alarm' if rule.per_day == 1 else 'alarms'} a day"


def _percent(share: float) -> str:
    return f"{number(100 * share, 2)}\u202f%"


_NAMES: dict[type, Callable[[Any], str]] = {
    Percentile: lambda rule: f"Percentile {rule.q:g}",
    MAD: lambda rule: f"MAD \u00d7 {rule.n_mads:g}",
    ExponentialTail: lambda _: "Exponential tail",
    POT: lambda rule: f"POT {_percent(rule.rate)}",
    DSPOT: lambda rule: f"DSPOT {_percent(rule.rate)}",
    Conformal: lambda rule: f"Conformal {_percent(rule.alpha)}",
    AlarmBudget: _budget_name,
    BestF1: lambda _: "Best F1",
    Fixed: lambda rule: f"Fixed {number(rule.value)}",
}
