"""False alarms on clean data: what each rule of step 5 flags where there is nothing to find.

    python tests/benchmarks/clean.py [--data FOLDER] [--only nyc_taxi] [--seeds 3] [--without-real]

Real series: the rows before their ``train_end``, which carry no label 1; the first half is the training part,
the second half is judged. Simulated series: stationary by construction, a half each. One fit of
`VAEDetector()` serves all rules: each is fitted on the same calibration scores and judges the same half.
"""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from common import median, save, table, verdict
from labelled import RULES, add_arguments, in_time, read, records, test_part, thresholds

import vaenb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vaenb.records import Series

PROMISE = 0.005  # the share of clean points that the default may flag
DEFAULT = "ExponentialTail()"
N_POINTS = 8_000


# ---------------------------------------------------------------------- the series


def real(asked: argparse.Namespace) -> Iterator[Series]:
    """The training part of each labelled series, cut into a training part and a part to judge."""
    for record in records(asked):
        series = read(asked, record)
        rows = np.sort(in_time(series)[: series.train_end])
        frame = series.frame.iloc[rows]
        yield vaenb.read_series(frame, labels=False, train_end=0.5, name=record["name"])


def simulated(seeds: int) -> Iterator[Series]:
    """Stationary series of 8,000 points, one of each kind for each seed."""
    kinds = {"AR(1)": ar1, "daily": daily, "heartbeats": heartbeats, "5 channels": five_channels}
    for kind, make in kinds.items():
        for seed in range(seeds):
            values = make(np.random.default_rng(seed))
            frame = pd.DataFrame(values).add_prefix("v")
            frame.index = pd.date_range("2024-01-01", periods=len(frame), freq="5min", name="timestamp")
            yield vaenb.read_series(frame, labels=False, train_end=0.5, name=f"{kind}, seed {seed}")


def ar1(rng: np.random.Generator, n: int = N_POINTS, memory: float = 0.9) -> np.ndarray:
    """Each value is 0.9 of the one before, and Gaussian noise."""
    values = rng.normal(size=n) * np.sqrt(1 - memory**2)
    values[0] = rng.normal()
    for i in range(1, n):
        values[i] += memory * values[i - 1]
    return values


def daily(rng: np.random.Generator) -> np.ndarray:
    """A wave of 288 points (a day of 5 minutes) and Gaussian noise."""
    return np.sin(np.arange(N_POINTS) * 2 * np.pi / 288) + rng.normal(scale=0.2, size=N_POINTS)


def heartbeats(rng: np.random.Generator) -> np.ndarray:
    """Beats of three bumps, 60 points apart give or take 3, and a little noise."""
    beats = np.cumsum(np.maximum(rng.normal(60, 3, size=N_POINTS // 50), 30))
    t = np.arange(N_POINTS)
    bumps = ((-10, 0.15, 2.0), (0, 1.0, 1.2), (16, 0.3, 4.0))  # place, height, width: P, R and T
    values = rng.normal(scale=0.03, size=N_POINTS)
    for beat in beats[beats < N_POINTS + 60]:
        for place, height, width in bumps:
            values += height * np.exp(-(((t - beat - place) / width) ** 2) / 2)
    return values


def five_channels(rng: np.random.Generator) -> np.ndarray:
    """Mixtures of two waves and a slow AR(1), each with noise of its own."""
    t = np.arange(N_POINTS)
    sources = np.column_stack([np.sin(t / 8), np.sin(t / 30), ar1(rng, memory=0.98)])
    return sources @ rng.normal(size=(3, 5)) + rng.normal(scale=0.2, size=(N_POINTS, 5))


# ---------------------------------------------------------------------- what is flagged


def flagged(series: Series) -> dict[str, float]:
    """The share of the judged half that each rule flags; see `thresholds`."""
    detector = vaenb.VAEDetector().fit(series)
    judged = detector.decision_scores_[test_part(series)]
    return {name: float((judged > limit).mean()) for name, limit in thresholds(detector).items()}


def summary(title: str, shares: list[dict[str, float]]) -> list[dict[str, object]]:
    """Median and worst share of each rule, and how often it keeps the promise."""
    known = {rule: [one[rule] for one in shares if rule in one] for rule in RULES}
    return [
        {"% flagged": f"median, {title}"} | {rule: 100 * median(found) for rule, found in known.items()},
        {"% flagged": f"worst, {title}"}
        | {rule: 100 * max(found, default=np.nan) for rule, found in known.items()},
        {"% flagged": f"below {100 * PROMISE:g} %, {title}"}
        | {
            rule: f"{sum(share < PROMISE for share in found)} of {len(found)}"
            for rule, found in known.items()
        },
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--without-real", action="store_true", help="simulated series only")
    parser.add_argument("--without-simulated", action="store_true", help="real series only")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    groups = {
        "real": () if asked.without_real else real(asked),
        "simulated": () if asked.without_simulated else simulated(asked.seeds),
    }
    rows, results = [], {}
    for title, group in groups.items():
        shares = {}
        for series in group:
            shares[series.name] = flagged(series)
            told = ", ".join(f"{rule} {100 * share:.2g}" for rule, share in shares[series.name].items())
            print(f"{series.name}: {told}", flush=True)
        rows += [{"% flagged": name} | {k: 100 * v for k, v in one.items()} for name, one in shares.items()]
        rows += summary(title, list(shares.values())) if shares else []
        results[title] = shares
    print("", table(rows), "", sep="\n")
    worst = max((one[DEFAULT] for one in results["simulated"].values()), default=np.nan)
    told = verdict(kept=worst < PROMISE)
    most = f"{100 * PROMISE:g} %"
    print(
        f"Promise: {DEFAULT} flags less than {most} of simulated series: {told} (worst {100 * worst:.2g} %)"
    )
    print("Written to", save("clean", results))


if __name__ == "__main__":
    main()
