"""What each part of the default score is worth: one training a series, scored in several ways.

    python tests/benchmarks/score_ablation.py [--data FOLDER] [--only nyc_taxi] [--seeds 2]

VUS-PR over the whole series, event F1 of the test part at the default threshold, and the share of its normal
points that are flagged; means over the series of a kind, and the VUS-PR of each source. Each result is
written as soon as it is there: stop it, start it again, and it goes on.
"""

from __future__ import annotations

import argparse
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from common import save, table
from labelled import add_arguments, go_on, records
from quality import flagged_normal, judge_events

import vaenb
from vaenb import multiscale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vaenb.records import Series

LONGER = (*multiscale.LENGTHS, 16.0)
WAYS: dict[str, dict[str, Any]] = {
    "the default": {},
    "8 draws of z": {"n_samples": 8},
    "8 draws, no tolerance": {"n_samples": 8, "tolerance": 0.0},
    "no tolerance": {"tolerance": 0.0},
    "tolerance 0.05": {"tolerance": 0.05},
    "tolerance 0.1": {"tolerance": 0.1},
    "tolerance 0.2": {"tolerance": 0.2},
    "tolerance 0.4": {"tolerance": 0.4},
    "tolerance 0.8": {"tolerance": 0.8},
    "squared error": {"method": "reconstruction_error"},
    "missing points imputed": {"impute": True},
    "missing points at 0": {"impute": False},
    "lengths to 4 windows": {"lengths": multiscale.LENGTHS[:-1]},
    "lengths to 16 windows": {"lengths": LONGER},
    "errors beyond a window not capped": {"cap": np.inf},
    "capped at 10 sigmas": {"cap": 10.0},
}


class Detector(vaenb.VAEDetector):
    """The default detector, whose scores can be taken in another way."""

    way: dict[str, Any] = {}  # noqa: RUF012 - of each one its own

    @property
    def drawing(self) -> dict[str, Any]:
        return super().drawing | self.way


@contextmanager
def another_scale(lengths: tuple[float, ...], cap: float) -> Iterator[None]:
    """For the block, `MultiScale` with other constants."""
    before = multiscale.LENGTHS, multiscale.CAP
    multiscale.LENGTHS, multiscale.CAP = lengths, cap
    try:
        yield
    finally:
        multiscale.LENGTHS, multiscale.CAP = before


def compare(series: Series, seed: int) -> dict[str, dict[str, float]]:
    """The metrics of each way on one series."""
    detector = Detector(seed=seed)
    prepared = detector.fit_prepare(series)
    detector.fit_build()
    detector.fit_train(prepared)
    found, method = {}, detector.method
    for name, chosen in WAYS.items():
        way = dict(chosen)
        detector.method = way.pop("method", method)
        scale = way.pop("lengths", multiscale.LENGTHS), way.pop("cap", multiscale.CAP)
        detector.way = way
        with another_scale(*scale):
            detector.fit_threshold(prepared, detector.fit_score(prepared))
            found[name] = judge(series, detector)
    return found


def judge(series: Series, detector: Detector) -> dict[str, float]:
    """VUS-PR, event F1, and the share of normal points that are flagged."""
    told = vaenb.evaluate(
        series.labels,
        detector.decision_scores_,
        detector.rule_,
        values=series.values,
        train_end=series.train_end,
        window_size=detector.window_size_,
        baselines=False,
    )
    return {
        "VUS-PR": told.metrics["vae"]["vus_pr"],
        "AUC-PR": told.metrics["vae"]["auc_pr"],
        "event F1": judge_events(series, detector.threshold_, detector, "default")["default F1"],
        "flagged %": 100 * flagged_normal(series, detector.labels_),
    }


def rows(found: dict[str, dict[str, dict]], names: list[str], kind: str) -> list[dict[str, object]]:
    """A line for each way: means over the series, of which every seed counts as much."""
    known = {name: list(found[name].values()) for name in names if name in found}
    sources = list(dict.fromkeys(name.split("_")[0] for name in known))

    def mean(way: str, metric: str, source: str = "") -> float:
        each = [told for name, told in known.items() if name.startswith(source)]
        return float(np.mean([np.mean([seed[way][metric] for seed in told]) for told in each]))

    return [
        {f"{kind}, {len(known)} series": way}
        | {metric: mean(way, metric) for metric in ("VUS-PR", "AUC-PR", "event F1", "flagged %")}
        | {source: mean(way, "VUS-PR", f"{source}_") for source in sources}
        for way in (WAYS if known else ())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    found = go_on(
        "score_ablation", asked, compare, brief=lambda told: round(told["the default"]["VUS-PR"], 3)
    )
    asked.only = ""
    tables = {}
    for kind in ("univariate", "multivariate"):
        names = [record["name"] for record in records(asked) if record["kind"] == kind]
        tables[kind] = rows(found, names, kind)
        if tables[kind]:
            print("", table(tables[kind]), sep="\n")
    print("\nWritten to", save("score_ablation", {"found": found, "tables": tables}))


if __name__ == "__main__":
    main()
