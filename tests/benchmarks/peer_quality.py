"""What others find in the labelled series: vaenb's defaults beside theirs.

    python tests/benchmarks/peer_quality.py [--data FOLDER] [--only taxi] [--seeds 3] [--models vaenb,PyOD]

Every model has one setting for all series: its own defaults, and the windows that vaenb chooses where it has
none of its own. Peers get the series standardised by its training part, learn from that part alone, and score
all of it; what scores windows gives each point the mean over the windows that cover it. Scores are judged
over the whole series as `quality.py` does, false alarms on the test part, where flags at most a window apart
are one alarm. The threshold is each one's own rule (`RULES`), applied to its scores of the training part.

Each result is written as soon as it is there: stop it, start it again, and it goes on. `--again` forgets what
is written.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
from common import load, save, table
from labelled import add_arguments, in_time, merged_flags, read, records, test_part
from peers.asking import Peer, PeerFailed
from peers.environments import EnvironmentFailed
from quality import Textbook

import vaenb
from vaenb.judging.baselines import random_score, rolling_median_score, window_pca_score
from vaenb.judging.event_metrics import event_scores
from vaenb.windows import VoteCounter

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.records import Floats, Series

# One thread each: small products on several are many times as slow where the machine is busy.
PEERS = {
    "PyOD VAE": Peer("pyod_vae", "pyod", threads=1),
    "alibi-detect OutlierVAE": Peer("alibi_vae", "alibi_detect", threads=1),
    "TSB-AD USAD": Peer("tsb_ad", "tsb_ad", more=("USAD",), threads=1),
    "TSB-AD Donut": Peer("tsb_ad", "tsb_ad", more=("Donut",), threads=1),
    "TSB-AD AutoEncoder": Peer("tsb_ad", "tsb_ad", more=("AutoEncoder",), threads=1),
}
BASELINES: dict[str, Callable[[Series, int, int], Floats]] = {
    "window PCA": lambda series, size, _: window_pca_score(series.values, size, train_end=series.train_end),
    "rolling median": lambda series, size, _: rolling_median_score(series.values, size),
    "random": lambda series, _, seed: random_score(len(series.values), seed=seed),
}
MODELS = ("vaenb", "textbook", *PEERS, *BASELINES)
# A percentile of the training part's scores; what is not named here has no rule, and gets mean + 3 std.
RULES = {"textbook": 95, "PyOD VAE": 90, "alibi-detect OutlierVAE": 95}
METRICS = ("vus_pr", "auc_pr", "best_f1")
ALARMS = ("false_alarms_per_day", "false_alarms_per_1000", "event_recall", "event_f1")


def run(model: str, series: Series, seed: int) -> dict[str, float]:
    """The metrics of one model on one series with one seed."""
    began = time.perf_counter()
    window_size = vaenb.prepare(series).window_size
    if model == "vaenb":
        detector = vaenb.VAEDetector(seed=seed).fit(series)
        scores, limit = detector.decision_scores_, detector.threshold_
    else:
        scores = score(model, series, window_size, seed)
        limit = default_threshold(model, scores[in_time(series)[: series.train_end]])
    seconds = time.perf_counter() - began
    return judge(series, scores, limit, window_size) | {"seconds": seconds}


def score(model: str, series: Series, window_size: int, seed: int) -> Floats:
    """Anomaly scores of the series' rows."""
    if model in BASELINES:
        return BASELINES[model](series, window_size, seed)
    if model == "textbook":
        return Textbook(series, window_size, seed).score(series)
    told = PEERS[model].ask(
        "quality",
        values=standardise(series),
        train_end=series.train_cells,
        window_size=window_size,
        seed=seed,
    )
    if "point_scores" in told:
        return series.to_rows(told["point_scores"])
    votes = VoteCounter(series.n_cells, window_size)
    votes.add(told["window_scores"].astype(np.float64), np.arange(len(told["window_scores"])))
    return series.to_rows(votes.mean())


def standardise(series: Series) -> np.ndarray:
    """The series' cells, standardised by the training part; what is missing is the mean."""
    grid = np.asarray(series.grid, dtype=np.float64)
    train = grid[: series.train_cells]
    spread = np.nanstd(train, axis=0)
    scaled = (grid - np.nanmean(train, axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.nan_to_num(scaled).astype(np.float32)


def default_threshold(model: str, training: Floats) -> float:
    """What the model's own rule makes of its scores of the training part."""
    if model in RULES:
        return float(np.nanpercentile(training, RULES[model]))
    return float(np.nanmean(training) + 3 * np.nanstd(training))


def judge(series: Series, scores: Floats, limit: float, window_size: int) -> dict[str, float]:
    """The scores over the whole series; the alarms of its test part."""
    asked = {"values": series.values, "train_end": series.train_end, "window_size": window_size}
    told = vaenb.evaluate(series.labels, scores, limit, baselines=False, **asked).metrics["vae"]
    test = test_part(series)
    flags = merged_flags(scores[test], limit, window_size)
    alarms = event_scores(series.labels[test], flags, series.points_per_day)
    return {metric: told[metric] for metric in METRICS} | {
        "false_alarms_per_day": alarms.false_alarms_per_day,
        "false_alarms_per_1000": alarms.false_alarms_per_1000,
        "event_recall": alarms.recall,
        "event_f1": alarms.f1,
    }


# ---------------------------------------------------------------------- tables


def seeds_of(found: dict[str, dict], model: str, name: str) -> list[dict]:
    """What one model gave on one series, seed by seed, without the failures."""
    return [told for told in found.get(model, {}).get(name, {}).values() if "failed" not in told]


def average(each: list[dict], metric: str) -> float | None:
    """The mean over seeds or series that know the metric."""
    known = [one[metric] for one in each if one.get(metric) is not None]
    return float(np.mean(known)) if known else None


def spread(found: dict[str, dict], model: str, names: list[str]) -> float | None:
    """The standard deviation over the seeds of the mean VUS-PR over the series; None below two seeds."""
    by_seed: dict[str, list[float]] = {}
    for name in names:
        for seed, told in found.get(model, {}).get(name, {}).items():
            if "failed" not in told:
                by_seed.setdefault(seed, []).append(told["vus_pr"])
    whole = [float(np.mean(each)) for each in by_seed.values() if len(each) == len(names)]
    return float(np.std(whole)) if len(whole) > 1 else None


def summary(found: dict[str, dict], known: list[dict], kind: str) -> list[dict[str, object]]:
    """A line for each model: its means over the series of a kind, and the VUS-PR of each source."""
    names = [record["name"] for record in known if record["kind"] == kind]
    sources = list(dict.fromkeys(name.split("_")[0] for name in names))
    rows = []
    for model in MODELS:
        each = {
            name: {metric: average(seeds_of(found, model, name), metric) for metric in (*METRICS, *ALARMS)}
            for name in names
            if seeds_of(found, model, name)
        }
        if not each:
            continue
        of_source = {s: [told for name, told in each.items() if name.startswith(f"{s}_")] for s in sources}
        rows.append(
            {
                kind: model,
                "VUS-PR": average(list(each.values()), "vus_pr"),
                "+- seeds": spread(found, model, names),
                "AUC-PR": average(list(each.values()), "auc_pr"),
                "best F1": average(list(each.values()), "best_f1"),
                "false alarms a day": average(list(each.values()), "false_alarms_per_day"),
                "per 1,000 points": average(list(each.values()), "false_alarms_per_1000"),
                "events found": average(list(each.values()), "event_recall"),
                **{source: average(told, "vus_pr") for source, told in of_source.items()},
                "seeds": round(np.mean([len(seeds_of(found, model, name)) for name in each]), 1),
                "series": f"{len(each)} of {len(names)}",
            }
        )
    return rows


def show(found: dict[str, dict], known: list[dict]) -> dict[str, list]:
    """Print the tables, and give them back."""
    tables = {kind: summary(found, known, kind) for kind in ("univariate", "multivariate")}
    for rows in tables.values():
        if rows:
            print("", table(rows), sep="\n")
    return tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--models", default="", help="models, or parts of their names, between commas")
    parser.add_argument("--again", action="store_true", help="run what is written already, too")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    parts = [part for part in asked.models.split(",") if part]
    models = [model for model in MODELS if not parts or any(part in model for part in parts)]
    for record in records(asked):
        series = read(asked, record)
        for model in models:
            for seed in range(asked.seeds):
                one(model, series, seed, again=asked.again)
    asked.only = ""
    known, found = records(asked), load("peer_quality").get("found", {})
    print("\nWritten to", save("peer_quality", {"found": found, "tables": show(found, known)}))


def one(model: str, series: Series, seed: int, *, again: bool) -> None:
    """Run a model on a series with a seed, unless that is written already; write what came of it."""
    written = load("peer_quality").get("found", {}).get(model, {}).get(series.name, {})
    if str(seed) in written and "failed" not in written[str(seed)] and not again:
        return
    try:
        told = run(model, series, seed)
    except (PeerFailed, EnvironmentFailed) as failure:
        told = {"failed": str(failure)}
    print(f"{series.name}, {model}, seed {seed}: {told.get('vus_pr', told.get('failed'))}", flush=True)
    results = load("peer_quality")
    results.setdefault("found", {}).setdefault(model, {}).setdefault(series.name, {})[str(seed)] = told
    save("peer_quality", results)


if __name__ == "__main__":
    main()
