"""Exercises of step 5: five percent by construction, a line that is worth it, a promise, and a p-value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.exercises.checking import HintError, Mistake, a_number, compare, exercise, figure, got, near
from vaenb.exercises.pump import Pump, pump
from vaenb.view_models.threshold import ThresholdView
from vaenb.view_models.threshold_inputs import from_pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEAST_RECALL: Final = 0.9
_MOST_ALARMS: Final = 1.0
_ENDLESS: Final = 0.5
_A_WEEK: Final = 1 / 7
_LINE: Final = "a threshold: a number, a fitted rule or a `ThresholdPanel`"


def material() -> Pump:
    """The pump with its scores."""
    return pump()


def view_of(threshold: float) -> ThresholdView:
    """What the threshold panel knows of the pump with its line there."""
    given = pump()
    pieces = from_pieces(
        given.scores,
        values=given.series.values,
        index=given.series.index,
        labels=given.labels,
        calibration_scores=None,
        calibration=given.calibration,
        points_per_day=given.points_per_day,
        window_size=given.window_size,
        rule=threshold,
    )
    return ThresholdView(pieces)


def a_threshold(answer: Any) -> float:
    """The threshold of a number, of a fitted rule, or of a panel that shows the pump's scores.

    Raises
    ------
    HintError
        If it is none of them.
    """
    if hasattr(answer, "view") and hasattr(answer, "threshold"):
        if not np.array_equal(answer.view.pieces.scores, pump().scores, equal_nan=True):
            raise HintError("The panel shows other scores than `given.scores`.")
        return float(answer.threshold)
    if hasattr(answer, "is_fitted"):
        if not answer.is_fitted:
            raise HintError(
                f"`{answer!r}` has seen no scores yet: `fit(given.calibration_scores, ...)` comes first."
            )
        return float(answer.threshold_)
    return a_number(answer, _LINE)


def check_alarm(threshold: float, metrics: Mapping[str, float]) -> None:
    """Refuse the alarm that never ends: it finds every event, and is never false.

    Raises
    ------
    HintError
        If more than half of the points are flagged.
    """
    if metrics["flagged_share"] > _ENDLESS:
        raise HintError(
            f"At {figure(threshold)} the alarm rings {figure(100 * metrics['flagged_share'])} % "
            f"of the time. It touches "
            "every event, so by event it is hardly ever false, and nobody can work with it. Put "
            "the line higher."
        )


@exercise("05.1", wants="a number of points")
def five_percent_of_a_clean_week(answer: object) -> str:
    """How many points of a week without anomalies its own 95th percentile flags."""
    scores = pump().calibration_scores
    flagged = int((scores > np.percentile(scores, 95)).sum())
    value = a_number(answer, "a number of points")
    if near(value, flagged, 1):
        return (
            f"{flagged} of {len(scores):,} points, in a week in which nothing happened. A "
            f"percentile of the very scores "
            "that it judges flags 5 % of them, whatever they are."
        )
    if near(value, 0):
        raise HintError(
            "Nothing happened in this week, and still the textbook's rule flags something: 95 % "
            "of the scores lie at "
            "or below their 95th percentile. And the others?"
        )
    if near(value, 0.05) or near(value, 5):
        raise HintError(f"That is the share. How many of the {len(scores):,} points of the week are 5 %?")
    raise HintError(
        f"{figure(value)} of {len(scores):,} points would be {figure(100 * value / len(scores))} %. "
        "Count them: `(scores > np.percentile(scores, 95)).sum()`."
    )


@exercise("05.2", wants=_LINE)
def recall_and_alarms(answer: Any) -> str:
    """A threshold with recall of at least 0.9 and fewer than one false alarm a day."""
    threshold = a_threshold(answer)
    is_panel = hasattr(answer, "metrics")
    metrics = answer.metrics if is_panel else view_of(threshold).metrics
    if "event_recall" not in metrics:
        raise HintError("The panel has no labels to compare with: give it `labels=given.labels`.")
    recall, alarms = metrics["event_recall"], metrics["false_alarms_per_day"]
    if not np.isfinite(alarms):
        raise HintError("The panel has no clock: give it `index=given.series.index`.")
    stands = f"At {figure(threshold)} recall is {figure(recall)}, with {figure(alarms)} false alarms a day"
    check_alarm(threshold, metrics)
    if recall < _LEAST_RECALL:
        raise HintError(f"{stands}. Too many events are missed: which way must the line go?")
    if alarms >= _MOST_ALARMS:
        raise HintError(
            f"{stands}. Too many alarms are false; fewer than one a day are allowed. Which way "
            f"must the line go?"
        )
    return (
        f"{stands}: both hold. A lower line would find more and cry wolf more often; it is a "
        f"choice between the two."
    )


@exercise("05.3", wants="a fitted rule")
def promise_of_a_week(answer: Any) -> str:
    """A rule, fitted on the calibration scores, that promises at most one false alarm a week."""
    given = pump()
    if not (hasattr(answer, "is_fitted") and hasattr(answer, "settings")):
        raise HintError(
            f"{got(answer)} came; expected a rule, such as `vaenb.Percentile(99.9).fit(...)`: a "
            f"number promises nothing."
        )
    a_threshold(answer)
    if answer.points_per_day_ is None:
        raise HintError(
            "The rule knows no clock: `fit(..., points_per_day=given.points_per_day)` lets it "
            "tell alarms a day."
        )
    if not near(answer.points_per_day_, given.points_per_day):
        raise HintError(
            f"The rule believes that a day has {figure(answer.points_per_day_)} points; with one "
            f"every 10 minutes it has "
            f"{figure(given.points_per_day)}."
        )
    _check_where(answer, given)
    promised = answer.expected_false_alarms_per_day_
    if promised > _A_WEEK * 1.001:
        raise HintError(
            f"It promises that {figure(promised)} alarms a day will be false; one a week is "
            f"{figure(_A_WEEK)} a day. "
            "`AlarmBudget` takes just this as its argument."
        )
    return (
        f"It {answer.promise}. That was said before a single test score was seen, and it can be held to it."
    )


def _check_where(rule: Any, given: Pump) -> None:
    """Whether a rule was fitted on the calibration scores."""

    def is_fit_on(scores: Any) -> bool:
        refits = (
            type(rule)(**rule.settings).fit(scores, points_per_day=given.points_per_day, window_size=size)
            for size in (given.window_size, 1)
            if len(scores) == rule.n_
        )
        return any(near(refit.threshold_, rule.threshold_) for refit in refits)

    if is_fit_on(given.calibration_scores):
        return
    for scores, name in (
        (given.test_scores, "test scores, the ones to be judged"),
        (given.scores, "scores of all six weeks"),
    ):
        if is_fit_on(scores):
            raise HintError(
                f"It was fitted on the {name}: what it promises, it has looked up. Fit it on "
                f"`given.calibration_scores`."
            )
    raise HintError(
        f"It was fitted on {rule.n_:,} scores that are not `given.calibration_scores`, of "
        f"which there are {len(given.calibration_scores):,}."
    )


def _p_value(calibration: Any, score: float) -> float:
    return float((1 + np.sum(np.asarray(calibration) >= score)) / (len(calibration) + 1))


@exercise("05.4", wants="a function of `calibration` and `score`")
def conformal_p_value(answer: object) -> str:
    """``(1 + #{calibration scores >= score}) / (n + 1)``."""
    rng = np.random.default_rng(8)
    many = rng.exponential(size=99)
    cases: list[tuple[Any, float]] = [
        (np.array([1.0, 2.0, 3.0]), 2.5),
        (np.array([1.0, 2.0, 3.0]), 9.0),
        (np.array([1.0, 2.0, 2.0, 3.0]), 2.0),
        (many, float(np.quantile(many, 0.7))),
        (many, 0.0),
    ]
    compare(
        answer,
        _p_value,
        cases,
        wants="a function of `calibration` and `score`",
        mistakes=[
            Mistake(
                lambda c, s: np.mean(np.asarray(c) >= s),
                "The score itself is not counted, so a score above all others gets a p-value of 0: a "
                "promise that no "
                "three scores can give. Add 1 above and below the line.",
            ),
            Mistake(
                lambda c, s: (1 + np.sum(np.asarray(c) <= s)) / (len(c) + 1),
                "It counts the scores below. An anomaly must get a small p-value: count those that "
                "are at least as high.",
            ),
            Mistake(
                lambda c, s: np.mean(np.asarray(c) <= s),
                "It counts the scores below. An anomaly must get a small p-value: count those that "
                "are at least as high.",
            ),
            Mistake(
                lambda c, s: (1 + np.sum(np.asarray(c) > s)) / (len(c) + 1),
                "Scores that are just as high are not counted: `>=`, or ties make a p-value too small.",
            ),
        ],
    )
    return (
        "With n calibration scores no p-value lies below 1 / (n + 1): a promise of one false "
        "alarm in a thousand points "
        "needs 999 of them."
    )
