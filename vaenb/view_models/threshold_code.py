"""The lines of Python that reproduce a threshold and its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaenb.errors import InputError
from vaenb.thresholding import Fixed

if TYPE_CHECKING:
    from vaenb.thresholds.base import Threshold
    from vaenb.view_models.threshold import ThresholdView
    from vaenb.view_models.threshold_inputs import Pieces

_EVIDENCE = "scores, calibration_scores = evidence.scores, evidence.calibration_scores"


def threshold_code(view: ThresholdView) -> str:
    """Lines that run where ``scores`` (and ``calibration_scores``, or ``evidence``) are at hand.

    They set ``threshold`` and ``events``, as the panel's attributes of the same names.
    """
    lines = ["import numpy as np", "", "import vaenb", ""]
    if view.pieces.source == "evidence":
        lines += [_EVIDENCE]
    elif view.pieces.source == "cells":
        lines += [f"calibration_scores = np.asarray(scores)[{_slice(view.pieces)}]"]
    elif view.pieces.source == "scores":
        lines += ["calibration_scores = scores  # fitted on what it judges"]
    used = any("np." in line for line in lines)
    head = lines if used else lines[2:]
    return "\n".join([*head, _threshold_line(view), _events_line(view)])


def _slice(pieces: Pieces) -> str:
    first, stop = pieces.calibration or (0, len(pieces))
    return f"{first}:{stop}"


def _threshold_line(view: ThresholdView) -> str:
    """The rule's own line where it gives this very threshold; else the number."""
    rule, pieces = view.rule, view.pieces
    if rule is None or isinstance(rule, Fixed):
        return f"threshold = {view.threshold!r}"
    if not _comes_back(rule, pieces):
        return f"threshold = {view.threshold!r}  # {rule!r}"
    settings = []
    if pieces.window_size != 1:
        settings.append(f"window_size={pieces.window_size}")
    if pieces.points_per_day is not None:
        settings.append(f"points_per_day={pieces.points_per_day!r}")
    given = ", ".join(["calibration_scores", *settings])
    return f"threshold = vaenb.{rule!r}.fit({given}).threshold_"


def _comes_back(rule: Threshold, pieces: Pieces) -> bool:
    """Whether fitting the rule again on the calibration scores gives the same threshold."""
    again = type(rule)(**rule.settings)
    try:
        again.fit(
            pieces.calibration_scores, window_size=pieces.window_size, points_per_day=pieces.points_per_day
        )
    except InputError:
        return False
    return again.threshold_ == rule.threshold_


def _events_line(view: ThresholdView) -> str:
    settings = []
    if view.merge_gap:
        settings.append(f"merge_gap={view.merge_gap}")
    if view.min_length > 1:
        settings.append(f"min_length={view.min_length}")
    given = ", ".join(["scores", "threshold", *settings, "normal=calibration_scores"])
    return f"events = vaenb.find_events({given})"
