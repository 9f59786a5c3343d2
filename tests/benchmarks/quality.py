"""What the defaults find in labelled series, beside the textbook VAE, window PCA, rolling median and chance.

    python tests/benchmarks/quality.py [--data FOLDER] [--only nyc_taxi,ecg] [--seeds 3]

One setting for all series: `VAEDetector()`. Scores are judged over the whole series (VUS-PR with the window
of TSB-AD's ``find_length_rank``), false alarms on the test part. The second table shows what other rules of
step 5 would have made of the same scores.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
from common import save, table, verdict
from labelled import RULES, add_arguments, merged_flags, read, records, test_part, thresholds

import vaenb
from vaenb.judging.event_metrics import event_scores

if TYPE_CHECKING:
    from vaenb.records import Floats, Series

PROMISE = 0.60  # mean VUS-PR over the univariate series of the developer set
N_PROMISED = 15
TEXTBOOK_EPOCHS = 50
SCORE_METRICS = ("vus_pr", "auc_pr", "best_f1")


def judge(series: Series, seed: int) -> dict[str, dict[str, float]]:
    """The metrics of each model on one series."""
    began = time.perf_counter()
    detector = vaenb.VAEDetector(seed=seed).fit(series)
    seconds = time.perf_counter() - began
    settings = {
        "values": series.values,
        "train_end": series.train_end,
        "window_size": detector.window_size_,
        "points_per_day": series.points_per_day,
        "seed": seed,
    }
    metrics = dict(
        vaenb.evaluate(series.labels, detector.decision_scores_, detector.rule_, **settings).metrics
    )
    found = {name: {metric: told[metric] for metric in SCORE_METRICS} for name, told in metrics.items()}
    found["vae"] |= {
        "event_recall": metrics["vae"]["event_recall"],
        "flagged": flagged_normal(series, detector.labels_),
        "seconds": seconds,
    } | alarms(series, detector)
    found["rules"] = by_rule(series, detector)
    began = time.perf_counter()
    scores = Textbook(series, detector.window_size_, seed).score(series)
    seconds = time.perf_counter() - began
    told = vaenb.evaluate(series.labels, scores, np.inf, baselines=False, **settings).metrics["vae"]
    found["textbook"] = {metric: told[metric] for metric in SCORE_METRICS} | {"seconds": seconds}
    return found


def alarms(series: Series, detector: vaenb.VAEDetector) -> dict[str, float]:
    """The false alarms of the test part: how many there were, and how many the default rule promises."""
    test = test_part(series)
    labels = series.labels[test]
    found = vaenb.find_events(
        detector.decision_scores_[test], detector.threshold_, merge_gap=detector.window_size_
    )
    false = sum(not labels[start:stop].any() for start, stop in zip(found.start, found.stop, strict=True))
    return {"false_alarms": false, "promised_alarms": detector.rule_.alarm_rate_ * int((labels == 0).sum())}


def by_rule(series: Series, detector: vaenb.VAEDetector) -> dict[str, float]:
    """What each rule flags of the normal points of the test part, and the share of events it finds."""
    told = {}
    for name, limit in thresholds(detector).items():
        flags = detector.decision_scores_ > limit
        told[f"{name} flags"] = flagged_normal(series, flags)
        told |= judge_events(series, limit, detector, name)
    return told


def judge_events(series: Series, limit: float, detector: vaenb.VAEDetector, name: str) -> dict[str, float]:
    """Event recall and F1 in the test part; flags at most a window apart are one alarm.

    "F1 of flags" takes every run of flags as an alarm, as `vaenb.evaluate` does.
    """
    test = test_part(series)
    scores, labels = detector.decision_scores_[test], series.labels[test]
    flags = merged_flags(scores, limit, detector.window_size_)
    told = event_scores(labels, flags)
    return {
        f"{name} finds": told.recall,
        f"{name} F1": told.f1,
        f"{name} F1 of flags": event_scores(labels, scores > limit).f1,
        f"{name} is silent": not flags.any(),
    }


def rule_rows(title: str, found: list[dict]) -> list[dict[str, object]]:
    """A line for each rule: the mean and the worst share of normal points flagged, the mean event recall."""
    rows = []
    for rule in RULES:
        known = [one["rules"] for one in found if f"{rule} flags" in one["rules"]]
        flags = [one[f"{rule} flags"] for one in known]
        finds, merged, single = (
            [one[f"{rule} {what}"] for one in known] for what in ("finds", "F1", "F1 of flags")
        )
        rows.append(
            {
                f"rule, {title}": rule,
                "normal flagged %: mean": 100 * float(np.mean(flags)) if flags else None,
                "worst": 100 * max(flags, default=np.nan),
                "below 0.5 %": f"{sum(share < 0.005 for share in flags)} of {len(flags)}",
                "event recall": float(np.mean(finds)) if finds else None,
                "event F1": float(np.mean(merged)) if known else None,
                "F1 of flags": float(np.mean(single)) if known else None,
                "no event at all": sum(one[f"{rule} is silent"] for one in known),
            }
        )
    return rows


def alarm_rows(found: dict[str, dict]) -> list[dict[str, object]]:
    """A line for each source: false alarms of the test parts beside those that the default promises."""
    sources: dict[str, list[dict[str, float]]] = {}
    for name, one in found.items():
        sources.setdefault(name.split("_")[0], []).append(one["vae"])
    rows = []
    for source, told in sources.items():
        had, promised = (sum(one[key] for one in told) for key in ("false_alarms", "promised_alarms"))
        rows.append(
            {"source": source, "series": len(told), "false alarms": had, "promised, at most": promised}
            | {"share of the promise": had / promised}
        )
    return rows


def flagged_normal(series: Series, flags: np.ndarray) -> float:
    """The share of the test part's points with label 0 that are flagged."""
    test = test_part(series)
    normal = test[series.labels[test] == 0]
    return float(flags[normal].mean())


class Textbook:
    """The page's model through the page's steps: values between 0 and 1, 50 epochs, reconstruction error."""

    def __init__(self, series: Series, window_size: int, seed: int) -> None:
        self._chosen = {"window_size": window_size, "scaler": "minmax"}
        self._vae = vaenb.VAE.textbook(window_size, series.n_channels, seed=seed)
        windows = vaenb.prepare(series, **self._chosen).train
        vaenb.train(self._vae, windows, epochs=TEXTBOOK_EPOCHS, seed=seed, progress=False)

    def score(self, series: Series) -> Floats:
        """Of a series with the same training part."""
        windows = vaenb.prepare(series, **self._chosen).everything
        return series.to_rows(vaenb.score(self._vae, windows, "reconstruction_error").values)


def mean_over(found: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """The mean of each metric of each model, over those that have it."""
    return {
        model: {
            metric: float(np.mean([one[model][metric] for one in found if metric in one[model]]))
            for metric in metrics
        }
        for model, metrics in found[0].items()
    }


def row(name: str, found: dict[str, dict[str, float]]) -> dict[str, object]:
    """A line of the table: all of the VAE's metrics, the others' VUS-PR at its end."""
    vae = found["vae"]
    return {
        "series": name,
        "VUS-PR": vae["vus_pr"],
        "AUC-PR": vae["auc_pr"],
        "best F1": vae["best_f1"],
        "normal flagged %": 100 * vae["flagged"],
        "event recall": vae["event_recall"],
        "s": vae["seconds"],
        "textbook": found["textbook"]["vus_pr"],
        "window PCA": found["window_pca"]["vus_pr"],
        "rolling median": found["rolling_median"]["vus_pr"],
        "random": found["random"]["vus_pr"],
    }


def tables(by_kind: dict[str, dict[str, dict]]) -> dict[str, list[dict[str, object]]]:
    """What is printed and kept: a line for each series, for each rule, and for each source's false alarms."""
    rows = []
    for kind, found in by_kind.items():
        rows += [row(name, one) for name, one in found.items()]
        rows.append(row(f"mean of {len(found)} {kind}", mean_over(list(found.values()))))
    rules = {f"{kind} rules": rule_rows(kind, list(found.values())) for kind, found in by_kind.items()}
    alarms = alarm_rows({name: one for found in by_kind.values() for name, one in found.items()})
    return {"series": rows, **rules, "alarms": alarms}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    by_kind: dict[str, dict[str, dict]] = {}
    for record in records(asked):
        series = read(asked, record)
        each = [judge(series, seed) for seed in range(asked.seeds)]
        found = by_kind.setdefault(record["kind"], {})
        found[record["name"]] = mean_over(each)
        told = ", ".join(f"{one['vae']['vus_pr']:.3f}" for one in each)
        print(f"{record['name']}: VUS-PR {told}", flush=True)
    made = tables(by_kind)
    print("", *(f"{table(rows)}\n" for rows in made.values()), sep="\n")
    univariate = by_kind.get("univariate", {})
    if len(univariate) == N_PROMISED:
        mean = mean_over(list(univariate.values()))["vae"]["vus_pr"]
        told = verdict(kept=mean >= PROMISE)
        print(f"Promise: mean VUS-PR of the univariate series at least {PROMISE}: {told} ({mean:.3f})")
    print("Written to", save("quality", {"seeds": asked.seeds, "series": by_kind, "tables": made}))


if __name__ == "__main__":
    main()
