"""What the benchmarks of quality share: a folder of labelled series, its test parts, the rules they try."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from common import load, save

import vaenb

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from vaenb.records import Floats, Series
    from vaenb.thresholds.base import Threshold

RULES: dict[str, Callable[[], Threshold]] = {
    "ExponentialTail()": vaenb.ExponentialTail,
    "ExponentialTail(1e-4)": lambda: vaenb.ExponentialTail(1e-4),
    "ExponentialTail(3e-5)": lambda: vaenb.ExponentialTail(3e-5),
    "ExponentialTail(1e-6)": lambda: vaenb.ExponentialTail(1e-6),
    "POT()": vaenb.POT,
    "POT(1e-3)": lambda: vaenb.POT(1e-3),
    "POT(1e-4)": lambda: vaenb.POT(1e-4),
    "AlarmBudget(1)": lambda: vaenb.AlarmBudget(1),
    "Conformal()": vaenb.Conformal,
    "MAD()": vaenb.MAD,
    "MAD(10)": lambda: vaenb.MAD(10),
    "Percentile(99.9)": lambda: vaenb.Percentile(99.9),
    "Percentile(95)": lambda: vaenb.Percentile(95),
}
DEFAULT = Path(__file__).parents[2] / ".." / "shared" / "data" / "dev"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--data``, ``--only`` and ``--seeds``."""
    folder = os.environ.get("VAENB_DATA", os.path.relpath(DEFAULT))
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(folder),
        help="folder with a meta.json (default: $VAENB_DATA, or %(default)s)",
    )
    parser.add_argument("--only", default="", help="names of series, or parts of them, between commas")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds; their mean is shown")


def records(asked: argparse.Namespace) -> list[dict]:
    """The records of meta.json that were asked for, univariate ones first."""
    found = json.loads((asked.data / "meta.json").read_text())
    parts = [part for part in asked.only.split(",") if part]
    chosen = [record for record in found if not parts or any(part in record["name"] for part in parts)]
    return sorted(chosen, key=lambda record: record["kind"] != "univariate")


def read(asked: argparse.Namespace, record: dict) -> Series:
    """The series of a record."""
    return vaenb.read_series(
        asked.data / record["file"], labels="label", train_end=record["train_end"], name=record["name"]
    )


def go_on(
    name: str,
    asked: argparse.Namespace,
    work: Callable[[Series, int], dict],
    *,
    brief: Callable[[dict], object],
) -> dict[str, dict[str, dict]]:
    """What `work` gives of each series and seed that was asked for, and what ``results/<name>.json`` knows.

    Each is written at once and told in `brief`; what is there already is not done again.
    """
    found = load(name).get("found", {})
    for record in records(asked):
        for seed in range(asked.seeds):
            each = found.setdefault(record["name"], {})
            if str(seed) not in each:
                each[str(seed)] = work(read(asked, record), seed)
                print(record["name"], seed, brief(each[str(seed)]), flush=True)
                save(name, {"found": found})
    return found


def in_time(series: Series) -> np.ndarray:
    """The rows in the order of time."""
    return np.argsort(series.cells, kind="stable")


def test_part(series: Series) -> np.ndarray:
    """The rows of the test part, in the order of time."""
    return in_time(series)[series.train_end :]


def merged_flags(scores: Floats, limit: float, window_size: int) -> np.ndarray:
    """0/1 a timestamp, where flags at most a window apart are one alarm."""
    found = vaenb.find_events(scores, limit, merge_gap=window_size)
    flags = np.zeros(len(scores), dtype=np.int8)
    for start, stop in zip(found.start, found.stop, strict=True):
        flags[start:stop] = 1
    return flags


def thresholds(detector: vaenb.VAEDetector) -> dict[str, float]:
    """What each rule reads from a detector's calibration scores; without a clock there is no budget a day."""
    limits = {}
    for name, make in RULES.items():
        rule = make()
        if isinstance(rule, vaenb.AlarmBudget) and detector.points_per_day_ is None:
            continue
        rule.fit(
            detector.calibration_scores_,
            window_size=detector.window_size_,
            points_per_day=detector.points_per_day_,
        )
        limits[name] = rule.threshold_
    return limits
