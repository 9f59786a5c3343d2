"""What a threshold is explored on: from the evidence of a study, or from pieces that are checked here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaenb.checks import check_number, check_whole
from vaenb.errors import InputError
from vaenb.events import as_flags, as_scores, same_length
from vaenb.records import SECONDS_PER_DAY
from vaenb.thresholds.rules import as_rule
from vaenb.view_models.timeline import Timeline

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.evidence import Evidence
    from vaenb.records import Bools, Floats
    from vaenb.thresholds.base import Threshold

_UNEVEN = 0.01  # of a step


@dataclass(frozen=True, eq=False, kw_only=True)
class Pieces:
    """Scores, and all that is known beside them.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_timestamps,)
        Higher = more anomalous; NaN where there is none.
    timeline : Timeline
    rule : Threshold
        Where the line stands first; fitted or not.
    calibration_scores : ndarray of float64, shape (n_calibration,)
        What rules are fitted on; `scores` themselves where nothing better is known.
    source : str
        "evidence", "calibration_scores", "cells" or "scores": where the calibration scores come from.
    calibration : (int, int) or None
        The first cell of the calibration part and the one after its last.
    values : ndarray of float64, shape (n_timestamps, n_channels), or None
    channels : tuple of str
    labels : ndarray of bool, shape (n_timestamps,), or None
    points_per_day : float or None
    window_size : int
    name : str
    thresholds : ndarray of float64, shape (n_timestamps,), or None
        That the scores of a stream met; NaN where there is none.
    """

    scores: Floats
    timeline: Timeline
    rule: Threshold
    calibration_scores: Floats
    source: Literal["evidence", "calibration_scores", "cells", "scores"] = "scores"
    calibration: tuple[int, int] | None = None
    values: Floats | None = None
    channels: tuple[str, ...] = field(default=())
    labels: Bools | None = None
    points_per_day: float | None = None
    window_size: int = 1
    name: str = "series"
    thresholds: Floats | None = None

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def judges_itself(self) -> bool:
        """Whether rules are fitted on the very scores that they judge."""
        held = self.calibration_scores
        same = held.shape == self.scores.shape
        return self.source == "scores" or (same and np.array_equal(held, self.scores, equal_nan=True))


def from_evidence(evidence: Evidence) -> Pieces:
    """The pieces of a study; nothing is copied."""
    series = evidence.series
    labels = evidence.labels
    return Pieces(
        scores=_known(evidence.scores),
        timeline=Timeline.of(series),
        rule=evidence.rule,
        calibration_scores=np.asarray(evidence.calibration_scores, dtype=np.float64),
        source="evidence",
        calibration=(evidence.train_stop, evidence.calibration_stop),
        values=np.asarray(series.grid, dtype=np.float64),
        channels=series.channels,
        labels=None if labels is None else as_flags(labels, "labels"),
        points_per_day=series.points_per_day,
        window_size=evidence.window_size,
        name=series.name,
    )


def from_pieces(
    scores: ArrayLike,
    *,
    values: ArrayLike | None = None,
    index: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    calibration_scores: ArrayLike | None = None,
    calibration: tuple[int, int] | None = None,
    points_per_day: float | None = None,
    window_size: int = 1,
    rule: object = None,
) -> Pieces:
    """Check what was given, one sentence for each thing that is wrong; see `vaenb.ThresholdPanel`.

    Raises
    ------
    InputError
        If lengths differ, scores are infinite or all missing, the index is uneven, or a setting makes no
        sense.
    """
    found = _known(as_scores(scores))
    timeline = _timeline(index, len(found))
    part = None if calibration is None else _part(calibration, len(found))
    held, source = _held(found, calibration_scores, part)
    return Pieces(
        scores=found,
        timeline=timeline,
        rule=as_rule(rule) if not getattr(rule, "is_fitted", False) else rule,  # type: ignore[arg-type]
        calibration_scores=held,
        source=source,
        calibration=part,
        values=None if values is None else _table(values, len(found)),
        channels=_names(values),
        labels=None if labels is None else _labels(labels, found),
        points_per_day=_points_per_day(points_per_day, timeline),
        window_size=check_whole("window_size", window_size),
    )


def _known(scores: Floats) -> Floats:
    wild = np.flatnonzero(np.isinf(scores))
    if len(wild):
        raise InputError(
            f"scores holds {scores[wild[0]]} at position {wild[0]}; every score must be a finite number, "
            "or NaN where there is none."
        )
    if not len(scores) or np.isnan(scores).all():
        raise InputError(
            f"scores holds {len(scores)} values and none of them is a number; give one score a timestamp."
        )
    return scores


def _labels(labels: ArrayLike, scores: Floats) -> Bools:
    truth = as_flags(labels, "labels")
    same_length(truth, scores, "scores")
    return truth


def _table(values: ArrayLike, n: int) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) != n:
        raise InputError(
            f"values has shape {np.shape(values)} and there are {n} scores; expected one row a score, "
            f"({n},) or ({n}, n_channels)."
        )
    return table


def _names(values: Any) -> tuple[str, ...]:
    """The names of the channels, where values have some."""
    if values is None:
        return ()
    named = getattr(values, "columns", None)
    if named is not None:
        return tuple(str(name) for name in named)
    one = getattr(values, "name", None)
    shape = np.shape(values)
    n = shape[1] if len(shape) > 1 else 1
    return (str(one or "value"),) if n == 1 else tuple(f"channel {i + 1}" for i in range(n))


def _timeline(index: ArrayLike | None, n: int) -> Timeline:
    if index is None:
        return Timeline(n_cells=n)
    moments = np.asarray(index)
    if moments.shape != (n,):
        raise InputError(f"index has shape {moments.shape} and there are {n} scores; expected ({n},).")
    clock = np.issubdtype(moments.dtype, np.datetime64)
    if not clock and not np.issubdtype(moments.dtype, np.number):
        raise InputError(f"index holds {moments.dtype}; expected dates (datetime64) or numbers.")
    places = moments.astype("datetime64[ns]").astype(np.int64) / 1e9 if clock else moments.astype(np.float64)
    step = _step(places)
    return Timeline(n_cells=n, start=moments[0] if clock else float(places[0]), step=step)


def _step(places: Floats) -> float:
    if len(places) < 2:
        return 1.0
    steps = np.diff(places)
    step = float(np.median(steps))
    wrong = np.flatnonzero(~(np.abs(steps - step) <= _UNEVEN * abs(step)))
    if step <= 0 or len(wrong):
        at = int(wrong[0]) + 1 if len(wrong) else 1
        raise InputError(
            f"index is not evenly spaced and rising: between its values {at - 1} and {at} the step is "
            f"{steps[at - 1]:g}, and usually {step:g}. vaenb.read_series puts a series onto an even grid; "
            "or leave index out, and points are counted."
        )
    return step


def _part(calibration: tuple[int, int], n: int) -> tuple[int, int]:
    try:
        first, stop = (int(cell) for cell in calibration)
    except (TypeError, ValueError):
        first, stop = -1, -1
    if not 0 <= first < stop <= n:
        raise InputError(
            f"calibration is {calibration!r}; expected its first cell and the cell after its last, "
            f"such as (0, {max(1, n // 2)}), within the {n} scores."
        )
    return first, stop


def _held(
    scores: Floats, given: ArrayLike | None, part: tuple[int, int] | None
) -> tuple[Floats, Literal["calibration_scores", "cells", "scores"]]:
    if given is not None:
        return as_scores(given, "calibration_scores"), "calibration_scores"
    if part is not None:
        return scores[part[0] : part[1]], "cells"
    return scores, "scores"


def _points_per_day(given: float | None, timeline: Timeline) -> float | None:
    if given is not None:
        return check_number("points_per_day", given, above=0)
    return SECONDS_PER_DAY / timeline.step if timeline.has_clock else None
