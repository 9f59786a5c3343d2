"""Step 5 as a panel: drag the threshold, and see what it flags, finds, misses and costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaenb.evidence import Evidence
from vaenb.panels.threshold_stream import GrowingThreshold
from vaenb.view_models.threshold import ThresholdView
from vaenb.view_models.threshold_code import threshold_code
from vaenb.view_models.threshold_inputs import from_evidence, from_pieces
from vaenb.view_models.threshold_picture import threshold_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import ArrayLike

    from vaenb.records import Events, Scores
    from vaenb.thresholds.base import Threshold


class ThresholdPanel(GrowingThreshold):
    """The threshold to be dragged, with its events, its false alarms and what other rules would choose.

    Parameters
    ----------
    scores : Evidence, Scores or array_like, shape (n_timestamps,)
        The evidence of a study, which brings all that follows but the last two; or anomaly scores, higher =
        more anomalous, NaN where there is none.
    values : array_like, shape (n_timestamps,) or (n_timestamps, n_channels), optional
        The series, in its own units.
    index : array_like of datetime64 or numbers, shape (n_timestamps,), optional
        Evenly spaced; without it, points are counted.
    labels : array_like of 0/1, shape (n_timestamps,), optional
        With them, precision, recall and missed events are told; without, alarms.
    calibration_scores : array_like, shape (n_calibration,), optional
        Scores of normal data, for the rules to be fitted on.
    calibration : (int, int), optional
        The first cell of the calibration part and the cell after its last. It is shaded, and what follows it
        is judged; without `calibration_scores` the rules are fitted on it.
    points_per_day : float, optional
        For false alarms a day; found from `index` where that holds dates.
    window_size : int
        Points. Scores closer than this share windows.
    rule : Threshold, str or float, optional
        Where the line stands first: a rule such as ``vaenb.MAD(4)``, its short name such as
        ``"percentile:99"``, or a number. Without it `vaenb.ExponentialTail`.
    merge_gap : int, optional
        Events at most so many points apart become one; without it the window size (0 where that is 1).
    min_length : int
        Events shorter than so many points are dropped.

    Attributes
    ----------
    threshold, merge_gap, min_length, cost : float or int
        Can be set; the panel follows. Setting `cost`, "one missed event costs as much as so many false
        alarms", moves the line to the cheapest threshold.
    rule : Threshold or None
        The fitted rule that the line stands on; None once it was moved by hand.
    events : Events
    metrics : dict of str to float
        See `vaenb.view_models.threshold.ThresholdView.metrics`.

    Raises
    ------
    InputError
        If what was given does not fit together; the sentence says what, and what to do.

    Warnings
    --------
    Without `calibration_scores` and `calibration` the rules are fitted on the very scores they judge: a
    percentile of 95 then flags 5 % of them by construction. The panel says so.

    Examples
    --------
    >>> import numpy as np
    >>> scores = np.random.default_rng(0).exponential(size=2_000)
    >>> panel = ThresholdPanel(scores, calibration=(0, 1_000), rule=5.0)
    >>> panel.threshold, len(panel.events)
    (5.0, 15)
    >>> panel.threshold = 6.0
    >>> len(panel.events)
    8
    >>> panel.close()
    """

    title = "threshold"
    has_events = True

    def __init__(
        self,
        scores: Evidence | Scores | ArrayLike,
        *,
        values: ArrayLike | None = None,
        index: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        calibration_scores: ArrayLike | None = None,
        calibration: tuple[int, int] | None = None,
        points_per_day: float | None = None,
        window_size: int = 1,
        rule: Threshold | str | float | None = None,
        merge_gap: int | None = None,
        min_length: int = 1,
    ) -> None:
        if isinstance(scores, Evidence):
            pieces = from_evidence(scores)
        else:
            pieces = from_pieces(
                scores,
                values=values,
                index=index,
                labels=labels,
                calibration_scores=calibration_scores,
                calibration=calibration,
                points_per_day=points_per_day,
                window_size=window_size,
                rule=rule,
            )
        super().__init__(ThresholdView(pieces, merge_gap=merge_gap, min_length=min_length))

    # ------------------------------------------------------------------ for Python

    @property
    def threshold(self) -> float:
        """A timestamp is flagged where its score lies above it."""
        return self.view.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._do(lambda: self.view.move_to(value))

    @property
    def rule(self) -> Threshold | None:
        """The fitted rule that the line stands on; None once it was moved by hand."""
        return self.view.rule

    @property
    def events(self) -> Events:
        """What `vaenb.find_events` finds, in positions of the scores."""
        return self.view.events

    def events_frame(self) -> pd.DataFrame:
        """The events as a table; see `vaenb.view_models.threshold.ThresholdView.events_frame`."""
        return self.view.events_frame()

    @property
    def metrics(self) -> dict[str, float]:
        """What the threshold is worth; see `vaenb.view_models.threshold.ThresholdView.metrics`."""
        return self.view.metrics

    @property
    def merge_gap(self) -> int:
        """Events at most so many points apart become one."""
        return self.view.merge_gap

    @merge_gap.setter
    def merge_gap(self, value: int) -> None:
        self._do(lambda: setattr(self.view, "merge_gap", value), events=True)

    @property
    def min_length(self) -> int:
        """Events shorter than so many points are dropped."""
        return self.view.min_length

    @min_length.setter
    def min_length(self, value: int) -> None:
        self._do(lambda: setattr(self.view, "min_length", value), events=True)

    @property
    def cost(self) -> float:
        """One missed event costs as much as so many false alarms; setting it moves the line."""
        return self.view.cost

    @cost.setter
    def cost(self, value: float) -> None:
        def change() -> None:
            before = self.view.cost
            self.view.cost = value
            try:
                self.view.use_cheapest()
            except Exception:
                self.view.cost = before
                raise

        self._do(change)

    def use_rule(self, which: int) -> None:
        """Put the line where rule number `which` puts it, counted from 0 in the order on screen."""
        self._do(lambda: self.view.use_rule(which))

    def on_threshold(self, callback: Callable[[float], None]) -> None:
        """Call `callback` with the threshold whenever it has moved; an error in it is a line in the panel."""
        self._listeners.append(callback)

    def _do(self, change: Callable[[], None], *, events: bool = False) -> None:
        """A change from Python: an error is raised to who asked for it."""
        with self.lock:
            change()
            self._counted = self._counted and not events
            self._settle()
        self.changed()

    def code(self) -> str:
        """The lines of Python that give the threshold and its events."""
        return threshold_code(self.view)

    def picture(self) -> str:
        """What is on screen as a static SVG with alternative text."""
        return threshold_picture(self.view, channel=self.controls.channel.value or 0)
