"""Step 5 inside a detector: which rule sets the threshold, and on which scores. NumPy ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaenb.errors import InputError
from vaenb.thresholding import BestF1, ExponentialTail, Fixed, parse_threshold
from vaenb.thresholds.base import Threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vaenb.preparing import Prepared
    from vaenb.records import Floats, Series


def as_rule(value: object) -> Threshold:
    """The rule that a setting stands for, not fitted: None, a short name, a number, or a rule.

    Raises
    ------
    InputError
        If it is none of these.

    Examples
    --------
    >>> as_rule(None), as_rule("percentile:95"), as_rule(3.5)
    (ExponentialTail(rate=1e-05), Percentile(q=95.0), Fixed(value=3.5))
    """
    if value is None:
        return ExponentialTail()
    if isinstance(value, str):
        return parse_threshold(value)
    if isinstance(value, Threshold):
        return type(value)(**value.settings)
    if isinstance(value, int | float | np.number):
        return Fixed(float(value) if isinstance(value, np.number) else value)
    raise InputError(
        f"threshold is {value!r}; expected a rule such as vaenb.MAD(), its short name such as "
        "'percentile:95', or a number."
    )


def fit_rule(rule: Threshold, prepared: Prepared, scores: Floats, *, held_out: Floats) -> None:
    """Fit a rule on the calibration scores.

    `BestF1` is fitted on all scores where no label of the calibration part is 1, and warns of it.

    Parameters
    ----------
    rule : Threshold
        Fitted in place.
    prepared : Prepared
    scores : ndarray, shape (n_cells,)
    held_out : ndarray, shape (n_calibration,)
        The scores of the calibration part, by windows that lie in it.

    Raises
    ------
    InputError
        If the rule lacks labels, a clock or enough scores.

    Warns
    -----
    ThresholdWarning
        If the rule was fitted on all scores.
    """
    labels = labels_on_cells(prepared.series)
    marks = None if labels is None else labels[calibration_cells(prepared)]
    on_all = isinstance(rule, BestF1) and marks is not None and not marks.any()
    rule.fit(
        scores if on_all else held_out,
        labels=labels if on_all else marks,
        window_size=prepared.window_size,
        points_per_day=prepared.series.points_per_day,
        judges=scores if on_all else None,
    )


def rehearse(rule: Threshold, prepared: Prepared) -> None:
    """Fit a rule on made-up scores: one that lacks labels or a clock says so before the training.

    Raises
    ------
    InputError
        As `fit_rule`.
    """
    import warnings

    ranks = np.arange(prepared.series.n_cells, dtype=np.float64)
    with warnings.catch_warnings(action="ignore"):
        fit_rule(rule, prepared, ranks, held_out=ranks[calibration_cells(prepared)])


def calibration_cells(prepared: Prepared) -> slice:
    """The cells of the calibration part."""
    return slice(prepared.train_stop, prepared.calibration_stop)


def labels_on_cells(series: Series) -> NDArray[np.int8] | None:
    """The labels on the cells of the grid: 1 where a row of the cell is labelled 1."""
    if series.labels is None:
        return None
    on_cells = np.zeros(series.n_cells, dtype=np.int8)
    np.maximum.at(on_cells, series.cells, series.labels)
    return on_cells
