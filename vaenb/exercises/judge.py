"""Exercises of step 6: counting events, a metric that luck wins, and what a missed event costs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from vaenb.events import runs
from vaenb.exercises.checking import HintError, Mistake, an_array, compare, exercise, figure
from vaenb.exercises.pump import Pump, pump
from vaenb.exercises.set_the_threshold import a_threshold, check_alarm, view_of
from vaenb.judging.event_metrics import point_adjusted
from vaenb.judging.metrics import point_scores

_LUCKY, _UNLUCKY = 0.6, 0.4
_COST: Final = 50
_SLACK: Final = 1.15


def material() -> Pump:
    """The pump with its scores."""
    return pump()


def _runs(flags: Any) -> list[tuple[int, int]]:
    start, stop = runs(np.asarray(flags) > 0)
    return list(zip(start.tolist(), stop.tolist(), strict=True))


def _event_recall(labels: Any, flags: Any) -> float:
    events = _runs(labels)
    return sum(np.asarray(flags)[a:b].any() for a, b in events) / len(events)


def _event_precision(labels: Any, flags: Any) -> float:
    alarms = _runs(flags)
    return sum(np.asarray(labels)[a:b].any() for a, b in alarms) / max(1, len(alarms))


@exercise("06.1", wants="a function of `labels` and `flags`")
def event_recall(answer: object) -> str:
    """The share of labelled events in which at least one point is flagged."""
    rng = np.random.default_rng(9)
    cases = [
        (np.array([0, 1, 1, 0, 1]), np.array([0, 0, 1, 0, 0])),
        (np.array([1, 1, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 0, 1])),
        (np.repeat(rng.integers(0, 2, size=12), 5), (rng.random(60) < 0.1).astype(int)),
        (np.array([0, 1, 1, 1, 0]), np.zeros(5, dtype=int)),
    ]
    compare(
        answer,
        _event_recall,
        cases,
        wants="a function of `labels` and `flags`",
        mistakes=[
            Mistake(
                lambda y, f: np.sum((y > 0) & (f > 0)) / np.sum(y > 0),
                "It counts points. A person on call asks whether an event was noticed at all: one "
                "flag in it is enough.",
            ),
            Mistake(
                _event_precision,
                "That is the precision: how many alarms are right. Recall asks how many of the "
                "labelled events were found.",
            ),
            Mistake(
                lambda y, f: sum(f[a:b].all() for a, b in _runs(y)) / len(_runs(y)),
                "It wants every point of an event to be flagged. One is enough.",
            ),
        ],
    )
    return (
        "Long events no longer count for more than short ones. Read it beside the false "
        "alarms: one endless alarm finds everything."
    )


@exercise("06.2", wants="an array of 0 and 1, one for each test point")
def luck(answer: object) -> str:
    """Flags at random that reach a point-adjusted F1 of 0.6."""
    labels = pump().test_labels
    wants = "an array of 0 and 1, one for each test point"
    flags = an_array(answer, labels.shape, wants)
    if not np.isin(flags, (0, 1)).all():
        raise HintError(f"The numbers are not all 0 and 1; expected {wants}.")
    adjusted, honest = point_adjusted(labels, flags).f1, point_scores(labels, flags).f1
    both = f"point-adjusted F1 {figure(adjusted)}, F1 by point {figure(honest)}"
    if not flags.any():
        raise HintError("Nothing is flagged. Flag a few points at random.")
    if honest > _UNLUCKY:
        raise HintError(f"These flags know something: {both}. Use nothing but a random generator.")
    if adjusted < _LUCKY:
        share = figure(float(100 * flags.mean()))
        raise HintError(
            f"{both}, with {share} % of the points flagged. Too few and long events are not hit; "
            f"too many and the false "
            "ones weigh. Try other shares."
        )
    return (
        f"{both}, and nobody has looked at the data. A metric that luck wins says nothing about a detector."
    )


@exercise("06.3", wants="a threshold: a number, a fitted rule or a `ThresholdPanel`")
def what_a_miss_costs(answer: Any) -> str:
    """The threshold that costs least where a missed event costs as much as 50 false alarms."""
    threshold = a_threshold(answer)
    view = view_of(threshold)
    cost = _cost(view.metrics)
    view.cost = _COST
    view.use_cheapest()
    least = _cost(view.metrics)
    metrics = view_of(threshold).metrics
    check_alarm(threshold, metrics)
    sum_ = f"{metrics['missed']:.0f} missed x {_COST} + {metrics['false_alarms']:.0f} false = {cost:.0f}"
    if cost <= _SLACK * least:
        return (
            f"{sum_}. The line stands where it stands because of a price that somebody can name, "
            f"and with another "
            "price it stands elsewhere."
        )
    if metrics["missed"] > 0:
        raise HintError(
            f"{sum_}. Each missed event costs as much as {_COST} false alarms: can the line go lower?"
        )
    raise HintError(
        f"{sum_}. Nothing is missed, and there is a line that misses nothing with fewer false alarms."
    )


def _cost(metrics: dict[str, float]) -> float:
    return _COST * metrics["missed"] + metrics["false_alarms"]
