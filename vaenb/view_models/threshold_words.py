"""What the threshold explorer says, as HTML and as plain sentences."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from vaenb.formats import counted, number, percent

if TYPE_CHECKING:
    from vaenb.view_models.threshold import ThresholdView
    from vaenb.view_models.threshold_marks import Above


def rate_words(view: ThresholdView) -> str:
    """The unit of rates: "a day", or "in 1,000 points" where there is no clock."""
    return "a day" if view.pieces.points_per_day is not None else "in 1,000 points"


def part_words(view: ThresholdView) -> str:
    """What is judged."""
    return "test part" if view.part == "test" else "whole series"


def tiles(view: ThresholdView) -> str:
    """The figures of merit as HTML, one tile each; always the same tiles, so that nothing jumps."""
    told = view.metrics
    clock = view.pieces.points_per_day is not None
    shown = [
        ("events", f"{int(told['alarms']):,}", part_words(view), ""),
        (
            "points flagged",
            percent(told["flagged_share"]),
            f"{int(told['flagged']):,} of {len(view.judge):,}",
            "",
        ),
    ]
    if not view.has_labels:
        rate = told["alarms_per_day" if clock else "alarms_per_1000"]
        return _tiles(
            [*shown, (f"alarms {rate_words(view)}", _few(rate), "no labels to compare with", "main")]
        )
    rate = told["false_alarms_per_day" if clock else "false_alarms_per_1000"]
    found = f"{int(told['found'])} of {int(told['labelled_events'])}"
    return _tiles(
        [
            *shown,
            ("precision", _share(told["precision"]), "by point", ""),
            ("recall", _share(told["recall"]), "by point", ""),
            ("F1", _share(told["f1"]), "by point", ""),
            ("events found", found, f"{int(told['missed'])} missed", ""),
            (f"false alarms {rate_words(view)}", _few(rate), f"{int(told['false_alarms']):,} in all", "main"),
        ]
    )


def _tiles(shown: list[tuple[str, str, str, str]]) -> str:
    return "".join(
        f"<div class='vaenb-tile {css}'><span>{escape(name)}</span><b>{escape(value)}</b>"
        f"<small>{escape(more)}</small></div>"
        for name, value, more, css in shown
    )


def _share(value: float) -> str:
    return "\u2013" if np.isnan(value) else f"{value:.2f}"


def _few(value: float) -> str:
    """A rate with two digits."""
    return number(value, 2) if value < 100 else number(value, 3)


def cost_words(view: ThresholdView) -> str:
    """What the line costs, and the cheapest."""
    told, costs = view.metrics, view.costs
    here = view.cost * told["missed"] + told["false_alarms"]
    best = costs.cheapest(view.cost)
    missed, false = int(told["missed"]), int(told["false_alarms"])
    text = (
        f"Here: {counted(missed, 'missed event')} \u00d7 {view.cost:g} + {counted(false, 'false alarm')} "
        f"= <b>{number(here)}</b>."
    )
    cheapest = float(costs.of(view.cost)[best])
    if here <= cheapest:
        return f"{text} Nothing is cheaper."
    at = number(float(costs.threshold[best]))
    return f"{text} Cheapest: <b>{number(cheapest)}</b>, at a threshold of {at}."


def drawn_words(above: Above, shown: int, in_view: int) -> str:
    """How many points are drawn, of how many."""
    scores = f"{shown:,} of {in_view:,} drawn"
    if not above.in_view:
        return f"{scores}, none above the line"
    if above.in_view == 1:
        return f"{scores}, with the one above the line"
    by = "" if above.one_by_one else ", by column"
    return f"{scores}, with all {above.in_view:,} above the line{by}"


def itself_words(view: ThresholdView) -> str:
    """The warning where rules are fitted on what they judge; empty where they are not."""
    if view.is_honest:
        return ""
    first = view.rules[0]
    share = percent(1 - getattr(first.rule, "q", 95) / 100)
    return (
        f"<b>{share} flagged by construction.</b> The rules below were fitted on the very scores they judge: "
        f"{escape(first.name)} flags {share} of them, anomalies or not, and no promise of false alarms "
        "holds. Fit them on other scores of normal data: <code>calibration_scores=</code>, or "
        "<code>calibration=(first, stop)</code>."
    )


def rule_words(view: ThresholdView) -> str:
    """What the chosen rule promises, and what weakens the promise."""
    row = view.row
    if row is None:
        return (
            "The line was moved by hand: nothing is promised. Choose a rule to see how many false alarms to "
            "expect of it."
        )
    told = [f"<b>{escape(row.name)}</b> {escape(row.rule.promise)}."]
    own = view.is_honest
    told += [escape(remark) for remark in row.remarks if own or "very scores" not in remark]
    return " ".join(told)


def legend(view: ThresholdView) -> str:
    """What the colours stand for."""
    keys = [("v-key-event", "event"), ("v-key-above", "score above the line")]
    if view.pieces.labels is not None:
        keys.append(("v-key-label", "label"))
    if view.pieces.calibration is not None:
        keys.append(("v-key-held", "calibration part: the rules were fitted here"))
    if view.pieces.thresholds is not None and not np.isnan(view.pieces.thresholds).all():
        keys.append(("v-key-met", "threshold that each score met"))
    return "".join(f"<span><i class='{css}'></i>{escape(name)}</span>" for css, name in keys)


def heading(view: ThresholdView) -> str:
    """What the panel is about."""
    return f"<b>Threshold</b>{escape(view.pieces.name)}: drag the line, type, slide, or choose a rule"


def histogram_name(view: ThresholdView) -> str:
    """The title of the histogram, and what its colours stand for."""
    keys = [("v-key-judged", part_words(view)), ("v-key-tail", "above the line")]
    if view.is_honest:
        keys.append(("v-key-outline", "calibration"))
    told = "".join(f"<i class='{css}'></i><span>{escape(name)}</span>" for css, name in keys)
    return f"How often each score occurs {told}"


def alternative(view: ThresholdView) -> str:
    """What there is to see, for those who do not see it."""
    told = view.metrics
    by = "moved by hand" if view.row is None else f"set by {view.row.name}"
    alarms = f"{counted(int(told['alarms']), 'event')} in the {part_words(view)}"
    flagged = f"{int(told['flagged']):,} of {len(view.judge):,} points flagged"
    said = [
        f"The threshold is {number(view.threshold)}, {by}: {alarms}, {flagged}.",
        _worth_words(view, told),
    ]
    if not view.is_honest:
        said.append("Warning: the rules were fitted on the very scores they judge.")
    return " ".join(said)


def _worth_words(view: ThresholdView, told: dict[str, float]) -> str:
    unit = "per_day" if view.pieces.points_per_day is not None else "per_1000"
    if not view.has_labels:
        return f"{_few(told[f'alarms_{unit}'])} alarms {rate_words(view)}."
    point = f"Precision {_share(told['precision'])}, recall {_share(told['recall'])}, F1 {_share(told['f1'])}"
    found = f"{int(told['found'])} of {int(told['labelled_events'])} labelled events found"
    return f"{point}; {found}; {_few(told[f'false_alarms_{unit}'])} false alarms {rate_words(view)}."
