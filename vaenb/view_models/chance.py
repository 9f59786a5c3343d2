"""Is it better than chance: the detector beside a random score, window PCA and the rolling median."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.formats import fixed
from vaenb.judging.affiliation import affiliation
from vaenb.judging.baselines import random_score, rolling_median_score, window_pca_score
from vaenb.judging.event_metrics import best_point_adjusted_f1, point_adjusted
from vaenb.judging.metrics import best_f1, point_scores
from vaenb.judging.vus import find_length_rank, vus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from threading import Event

    from numpy.typing import NDArray

    from vaenb.evidence import Evidence
    from vaenb.records import Bools, Floats

    Flags = NDArray[Any]

DETECTOR, RANDOM, PCA, MEDIAN = "detector", "random", "window_pca", "rolling_median"
TITLES: Final = {
    DETECTOR: "the detector",
    RANDOM: "a random score",
    PCA: "window PCA",
    MEDIAN: "rolling median",
}
MEASURES: Final = {
    "f1": "point F1",
    "pa_f1": "point-adjusted F1",
    "affiliation": "affiliation F1",
    "vus_pr": "VUS-PR",
}
_RATES: Final = np.geomspace(0.0005, 0.3, 16)  # shares of points flagged that are tried for affiliation
_STEPS: Final = len(TITLES) * len(MEASURES) + len(TITLES)
_NEARLY: Final = 0.02  # differences below it are not spoken of


class Stopped(Exception):  # noqa: N818 - not an error: somebody closed the panel
    """The comparison was asked to end."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Chance:
    """The comparison.

    Attributes
    ----------
    table : mapping of str to (mapping of str to float)
        ``table["vus_pr"]["random"]``. F1 measures stand at each score's own best threshold, in hindsight.
    at_threshold : mapping of str to float
        Point, point-adjusted and affiliation F1 of the detector at its threshold.
    threshold : float
    labelled : float
        The share of the points that are labelled.
    vus_window : int
        The widest buffer of VUS, in points.
    """

    table: Mapping[str, Mapping[str, float]]
    at_threshold: Mapping[str, float]
    threshold: float
    labelled: float
    vus_window: int

    @property
    def verdict(self) -> str:
        """The answer, in a sentence; VUS-PR decides, as it needs no threshold."""
        found = self.table["vus_pr"]
        ours, chance = found[DETECTOR], found[RANDOM]
        figures = f"VUS-PR {fixed(ours, 2)} against {fixed(chance, 2)}"
        if np.isnan(ours):
            return "It cannot be said: no label is 1."
        if ours <= chance + _NEARLY:
            return f"No: the detector is no better than a random score here ({figures})."
        better = max((PCA, MEDIAN), key=lambda name: found[name])
        if found[better] > ours + _NEARLY:
            return (
                f"Better than chance ({figures}), but {TITLES[better]} does better still: "
                f"{fixed(found[better], 2)}. A simpler method is enough here."
            )
        if found[better] > ours - _NEARLY:
            return f"Better than chance ({figures}), and about as good as {TITLES[better]}."
        return f"Yes: better than chance ({figures}), than window PCA and than the rolling median."

    def sentence(self, measure: str) -> str:
        """What a measure asks, and what a random score gets under it on this series."""
        found = self.table[measure]
        chance, ours = fixed(found[RANDOM], 2), fixed(found[DETECTOR], 2)
        beats = found[RANDOM] > found[DETECTOR]
        figures = f"a random score gets {chance} on this very series, the detector {ours}"
        return {
            "f1": "Counts every point: how many of the flagged are labelled, how many of the labelled are "
            f"flagged. A random score gets {chance}{self._by_flagging_all()}.",
            "pa_f1": "Not to be trusted: one flagged point in a labelled stretch counts as if all of it had "
            f"been found. So {figures}{': chance wins' if beats else ''}. Compare nothing by it.",
            "affiliation": "Asks how near flags and labels lie, compared with points thrown at random. "
            f"A random score gets {chance}: read that as zero.",
            "vus_pr": "Needs no threshold, and forgives flags that come a little early or late. "
            f"A random score gets {chance}; 1 is perfect.",
        }[measure]

    def _by_flagging_all(self) -> str:
        """Say so where a random score does best by flagging everything."""
        everything = 2 * self.labelled / (1 + self.labelled)
        return ", as much as flagging every point" if self.table["f1"][RANDOM] < everything + 0.01 else ""


def compare(
    evidence: Evidence,
    threshold: float,
    *,
    labels: Bools | None = None,
    say: Callable[[str, float], None] = lambda *_: None,
    stop: Event | None = None,
    seed: int = 0,
) -> Chance:
    """Judge the detector and three baselines by four measures, on all cells.

    Parameters
    ----------
    evidence : Evidence
    threshold : float
        Of the detector.
    labels : ndarray of bool, shape (n_cells,), optional
        Those of the evidence without it.
    say : callable
        Told what is being computed, and which share of the work is done.
    stop : threading.Event, optional
        Once set, the comparison ends before its next step.
    seed : int
        Of the random score.

    Returns
    -------
    Chance

    Raises
    ------
    InputError
        Without a labelled point.
    Stopped
        If it was asked to end.
    """
    labels = evidence.labels if labels is None else labels
    if labels is None or not labels.any():
        raise InputError(
            "Nothing in this series is labelled, so nothing can be compared: give labels to read_series."
        )
    truth, progress = labels > 0, _Progress(say, stop)
    buffer = find_length_rank(np.asarray(evidence.series.grid, dtype=np.float64))
    table: dict[str, dict[str, float]] = {name: {} for name in MEASURES}
    for name, scores in _everyone(evidence, seed, progress):
        for measure, value in _measure(truth, scores, buffer, name, progress):
            table[measure][name] = value
    return Chance(
        table=table,
        at_threshold=_at(truth, evidence.scores > threshold),
        threshold=threshold,
        labelled=float(truth.mean()),
        vus_window=buffer,
    )


class _Progress:
    """Counts the steps, tells of them, and ends the work when asked to."""

    def __init__(self, say: Callable[[str, float], None], stop: Event | None) -> None:
        self._say, self._stop, self._done = say, stop, 0

    def __call__(self, words: str) -> None:
        if self._stop is not None and self._stop.is_set():
            raise Stopped
        self._say(words, self._done / _STEPS)
        self._done += 1


def _everyone(evidence: Evidence, seed: int, progress: _Progress) -> Iterator[tuple[str, Floats]]:
    """The scores of the detector and of each baseline."""
    series = evidence.series
    grid = np.asarray(series.grid, dtype=np.float64)
    size = min(evidence.window_size, series.train_cells)
    scorers: dict[str, Callable[[], Floats]] = {
        DETECTOR: lambda: evidence.scores,
        RANDOM: lambda: random_score(len(grid), seed=seed),
        PCA: lambda: window_pca_score(grid, size, train_end=series.train_cells),
        MEDIAN: lambda: rolling_median_score(grid, size),
    }
    for name, scorer in scorers.items():
        progress(f"scores of {TITLES[name]}")
        yield name, scorer()


def _measure(
    truth: Bools, scores: Floats, buffer: int, name: str, progress: _Progress
) -> Iterator[tuple[str, float]]:
    """Each measure of a score, F1 at the best threshold in hindsight."""
    measures: dict[str, Callable[[], float]] = {
        "f1": lambda: best_f1(truth, scores)[0],
        "pa_f1": lambda: best_point_adjusted_f1(truth, scores),
        "affiliation": lambda: best_affiliation_f1(truth, scores),
        "vus_pr": lambda: vus(truth, scores, buffer)[0],
    }
    for measure, compute in measures.items():
        progress(f"{MEASURES[measure]} of {TITLES[name]}")
        yield measure, float(compute())


def best_affiliation_f1(truth: Bools, scores: Floats) -> float:
    """The highest affiliation F1 over 16 thresholds that flag between 0.05 % and 30 % of the points."""
    known = np.sort(scores[~np.isnan(scores)])
    if not len(known):
        return 0.0
    places = np.unique(np.clip(len(known) - np.ceil(_RATES * len(known)) - 1, 0, None).astype(np.int64))
    return max(_affiliation_f1(truth, scores > limit) for limit in np.unique(known[places]))


def _affiliation_f1(truth: Bools, flags: Flags) -> float:
    found = affiliation(truth, flags)
    if not found.recall > 0:
        return 0.0
    return 2 * found.precision * found.recall / (found.precision + found.recall)


def _at(truth: Bools, flags: Flags) -> dict[str, float]:
    return {
        "f1": point_scores(truth, flags).f1,
        "pa_f1": point_adjusted(truth, flags).f1,
        "affiliation": _affiliation_f1(truth, flags),
    }
