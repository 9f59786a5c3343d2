"""What the defaults find of anomalies that are planted where nobody has labelled any.

    python tests/benchmarks/planted.py [--data FOLDER] [--only nyc_taxi] [--seeds 2]

Of each labelled series the training part alone: a detector is fitted on its first 60 %, and copies of the
rest get up to eight anomalies of one kind each (`vaenb.inject`). VUS-PR of the default scores, of the same
errors averaged otherwise, and of others; how many of the planted are found at the default threshold, and what
share of the normal points is flagged. No label has a part in it, so the defaults cannot have been chosen for
it. Each result is written as soon as it is there: stop it, start it again, and it goes on.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from typing import TYPE_CHECKING

import numpy as np
from common import save, table
from labelled import add_arguments, go_on, in_time
from quality import Textbook, flagged_normal, judge_events
from score_ablation import another_scale

import vaenb
from vaenb import multiscale
from vaenb.multiscale import MultiScale
from vaenb.thresholds.rules import as_rule, calibration_cells, fit_rule

if TYPE_CHECKING:
    from vaenb.records import Floats, Series

TRAINED_ON = 0.6  # of the training part
MOST, MOST_SHARE = 8, 0.15  # anomalies of a kind, and the share of the rest that they take
# Points (None: a window) and size, of which every second one points down.
KINDS: dict[str, tuple[str, int | None, float]] = {
    "spike of 4": ("spike", 1, 4.0),
    "spike of 10": ("spike", 1, 10.0),
    "peak of 5 points": ("spike", 5, 4.0),
    "shift of 2": ("shift", None, 2.0),
    "shift of 4": ("shift", None, 4.0),
    "drift": ("drift", None, 3.0),
    "twice as fast": ("frequency", None, 2.0),
    "stuck": ("flat", None, 0.0),
}
LADDER = multiscale.LENGTHS


class TwoSided(MultiScale):
    """From half a window on, the lower of the means before and after: beside a spike one of them is low."""

    def _mean(self, errors: Floats, part: slice, length: int) -> Floats:
        if length < self.window_size // 2:
            return super()._mean(errors, part, length)
        half = length // 2
        first, stop = max(part.start - length, 0), min(part.stop + length, len(errors))
        near = super()._mean(errors, slice(first, stop), half)  # centred; moved to either side
        n, here = len(near), np.arange(part.start - first, part.stop - first)
        before, after = near[np.maximum(here - half // 2, 0)], near[np.minimum(here + half // 2, n - 1)]
        return np.fmin(before, after)


WAYS: dict[str, tuple[type[MultiScale], tuple[float, ...]]] = {
    "vaenb": (MultiScale, LADDER),
    "lengths to 4 windows": (MultiScale, LADDER[:-1]),
    "to 2": (MultiScale, LADDER[:-2]),
    "to 1": (MultiScale, LADDER[:-3]),
    "1 window alone": (MultiScale, (1.0,)),
    "the point alone": (MultiScale, (0.0,)),
    "two-sided": (TwoSided, LADDER),
}
FLAGGED = ("vaenb", "two-sided")  # whose flags are told as well
OTHERS = {"window_pca": "window PCA", "rolling_median": "rolling median", "random": "random"}


def training_part(series: Series) -> Series:
    """What nobody labelled, as a series of its own: the rows in the order of time, without their clock."""
    values = series.values[in_time(series)][: series.train_end]
    return vaenb.read_series(values, train_end=int(TRAINED_ON * len(values)))


def planted(series: Series, kind: str, window_size: int, seed: int) -> Series | None:
    """A copy with anomalies of a kind in its last part; None where there is no room for one."""
    shape, length, size = KINDS[kind]
    length = length or window_size
    begin, end = series.train_end + window_size, len(series) - length
    n = min(MOST, int(MOST_SHARE * (end - begin) / length))
    if n < 1:
        return None
    rng = np.random.default_rng(seed)
    edges = np.linspace(begin, end, n + 1).astype(int)
    for i, (first, last) in enumerate(itertools.pairwise(edges)):
        at = int(rng.integers(first, max(first + 1, last - 2 * length)))
        is_down = shape in {"spike", "shift", "drift"} and i % 2 == 1
        series = vaenb.inject(series, shape, at=at, length=length, size=-size if is_down else size)
    return series


def vus_pr(series: Series, scores: Floats, window_size: int, *, baselines: bool = False) -> dict[str, float]:
    """VUS-PR of some scores, as "vae", and of the baselines beside them."""
    told = vaenb.evaluate(
        series.labels,
        scores,
        np.inf,
        values=series.values,
        train_end=series.train_end,
        window_size=window_size,
        baselines=baselines,
    )
    return {name: metrics["vus_pr"] for name, metrics in told.metrics.items()}


def compare(series: Series, detector: vaenb.VAEDetector, page: Textbook) -> dict[str, float]:
    """What each way makes of a series with something planted."""
    size, found = detector.window_size_, {}
    prepared = vaenb.prepare(series, window_size=size)
    held_out = prepared.calibration.over(calibration_cells(prepared))
    errors, calibration = (detector._errors(windows).values for windows in (prepared.everything, held_out))
    for name, (kind, lengths) in WAYS.items():
        with another_scale(lengths, multiscale.CAP):
            scale = kind(size).fit(errors[: prepared.train_stop])
        scores = scale.transform(errors)
        told = vus_pr(series, series.to_rows(scores), size, baselines=name == "vaenb")
        found[name] = told.pop("vae")
        found |= {OTHERS[other]: value for other, value in told.items()}
        if name in FLAGGED:
            rule = as_rule(None)
            fit_rule(rule, prepared, scores, held_out=scale.transform(calibration))
            found |= flags(series, series.to_rows(scores), rule.threshold_, detector, name)
    found["textbook"] = vus_pr(series, page.score(series), size)["vae"]
    return found


def flags(
    series: Series, scores: Floats, limit: float, detector: vaenb.VAEDetector, name: str
) -> dict[str, float]:
    """The share of what is planted that is found, and of the normal points that are flagged."""
    detector.decision_scores_ = scores
    events = judge_events(series, limit, detector, name)
    normal = flagged_normal(series, scores > limit)
    return {f"{name} finds %": 100 * events[f"{name} finds"], f"{name} flags normal %": 100 * normal}


def results(series: Series, seed: int) -> dict[str, dict[str, float]]:
    """What each way makes of each kind that there is room for."""
    part = training_part(series)
    detector = vaenb.VAEDetector(seed=seed).fit(part)
    page = Textbook(part, detector.window_size_, seed)
    copies = {kind: planted(part, kind, detector.window_size_, seed) for kind in KINDS}
    return {kind: compare(copy, detector, page) for kind, copy in copies.items() if copy is not None}


def brief(told: dict[str, dict[str, float]]) -> float | str:
    """The mean VUS-PR over the kinds."""
    return round(float(np.mean([one["vaenb"] for one in told.values()])), 3) if told else "too short"


def rows(found: dict[str, dict[str, dict[str, dict[str, float]]]]) -> list[dict[str, object]]:
    """A line for each kind: means over the series, in which every seed counts as much."""
    columns = [*WAYS, "textbook", *OTHERS.values()]
    columns += [f"{name} {what}" for name in FLAGGED for what in ("finds %", "flags normal %")]
    lines: list[dict[str, object]] = []
    for kind in KINDS:
        seeds = [[one[kind] for one in each.values() if kind in one] for each in found.values()]
        known = [told for told in seeds if told]
        if known:
            means = {
                c: float(np.mean([np.mean([one[c] for one in told]) for told in known])) for c in columns
            }
            lines.append({"planted": kind, "series": len(known), **means})
    if lines:
        means = {column: float(np.mean([line[column] for line in lines])) for column in columns}
        lines.append({"planted": "mean", "series": len(found), **means})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    found = go_on("planted", asked, results, brief=brief)
    lines = rows({name: each for name, each in found.items() if any(each.values())})
    print("", table(lines), sep="\n")
    print("\nWritten to", save("planted", {"found": found, "table": lines}))


if __name__ == "__main__":
    main()
