"""What a study found, told in a terminal or as JSON. NumPy ring."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import vaenb
from vaenb.events import runs
from vaenb.formats import counted, duration
from vaenb.frames import events_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from vaenb.detector import VAEDetector
    from vaenb.records import Report, Series
    from vaenb.report import Findings

WIDTH: Final = 100
SHOWN_EVENTS: Final = 10
_METHODS: Final = {
    "reconstruction_error": "how far it lies from what the VAE draws",
    "reconstruction_probability": "how unlikely it is beside what the VAE draws",
    "elbo": "how unlikely its windows are, by the ELBO",
    "iwae": "how unlikely its windows are, by the IWAE bound",
    "latent": "how far from the middle of the latent space its windows lie",
}
_JUDGED: Final = {
    "vae": "VAE",
    "random": "random score",
    "window_pca": "PCA of the windows",
    "rolling_median": "rolling median",
}


def tell_series(series: Series) -> str:
    """Step 1."""
    return "\n".join(["Step 1, prepare the data.", *_wrapped(series.about.splitlines())])


def tell_findings(findings: Findings, detector: VAEDetector) -> str:
    """Steps 2 to 6, in that order."""
    steps = (
        _tell_model(detector),
        _tell_training(detector),
        _tell_scores(detector),
        _tell_threshold(detector),
        _tell_events(findings),
    )
    lines = [line for step in steps for line in (*_wrapped(step), "")]
    if findings.evaluation is not None:
        lines += [*_wrapped(_tell_metrics(findings, findings.evaluation)), ""]
    return "\n".join(lines).rstrip()


def _wrapped(lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    """Sentences broken at 100 characters; what is already laid out in columns stays as it is."""
    for line in lines:
        if line.startswith(" ") or len(line) <= WIDTH:
            yield line
        else:
            yield from textwrap.wrap(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _tell_model(detector: VAEDetector) -> Iterator[str]:
    size = f"{detector.window_size_} points"
    if len(detector.channels_) > 1:
        size += f" x {len(detector.channels_)} channels"
    latent = counted(detector.latent_dim, "number")
    yield f"Step 2, build the VAE: it squeezes each window of {size} into {latent}, and draws it again."
    yield from (f"- {note}" for note in detector.notes_)


def _tell_training(detector: VAEDetector) -> Iterator[str]:
    history = detector.history_
    rounds = f"{counted(len(history), 'epoch')} of {detector.steps_per_epoch:,} steps"
    yield f"Step 3, train it: {rounds}, in {duration(detector.seconds_['train'])}."
    n_train, n_held_out = detector.train_stop_, len(detector.calibration_scores_)
    yield (
        f"- on the first {n_train:,} points; the next {n_held_out:,}, the calibration part, are kept "
        "apart to set the threshold"
    )
    if history.best_epoch < len(history):
        yield f"- it is used as it was after epoch {history.best_epoch}"
    if history.stopped != "finished":
        yield f"- why it ended: {history.stopped}"
    yield from (f"- {warning}" for warning in history.warnings)


def _tell_scores(detector: VAEDetector) -> Iterator[str]:
    held_out, found = detector.calibration_scores_, detector.decision_scores_
    yield f"Step 4, score every row: {_METHODS[detector.method]} ({detector.method})."
    if detector.lengths_ is not None:
        low, high = detector.lengths_.lengths_.min(), detector.lengths_.lengths_.max()
        yield (
            f"- averaged over {low:,} to {high:,} points, so that short and long events show; the unit is "
            "what is usual in the training part"
        )
    middle, top, highest = (
        figure(float(value)) for value in (np.median(held_out), held_out.max(), found.max())
    )
    yield f"- higher = more anomalous; half of the calibration part is below {middle}, all of it up to {top}"
    yield f"- the highest score of all is {highest}"


def figure(value: float) -> str:
    """A number in the letters of every terminal.

    Examples
    --------
    >>> figure(-0.123456), figure(712400.3), figure(2e12), figure(float("nan"))
    ('-0.1235', '712,400', '2e+12', '-')
    """
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"


def _tell_threshold(detector: VAEDetector) -> Iterator[str]:
    rule = detector.rule_
    yield f"Step 5, set the threshold: rows with a score above {figure(detector.threshold_)} are flagged."
    yield f"- {rule!r} {rule.promise}"
    yield from (f"- {warning}" for warning in rule.warnings_)


def _tell_events(findings: Findings) -> Iterator[str]:
    events = events_frame(findings.events, findings.series)
    if not len(events):
        yield "Step 6, judge: no event; no score lies above the threshold."
        return
    yield f"Step 6, judge: {counted(len(events), 'event')}, most severe first."
    yield from _events_table(events, blames=findings.series.n_channels > 1)
    yield "- severity: 0 lies on the threshold, 1 lies twice as far from a normal score"


def _events_table(events: pd.DataFrame, *, blames: bool) -> Iterator[str]:
    worst = events.sort_values("severity", ascending=False, kind="stable").head(SHOWN_EVENTS)
    shown = worst.drop(columns=["peak"] if blames else ["peak", "channels"])
    shown = shown.rename(columns={"n_points": "points", "channels": "to blame"})
    yield from (f"  {line}" for line in shown.to_string(index=False, float_format=figure).splitlines())
    if len(events) > SHOWN_EVENTS:
        yield f"  ... and {len(events) - SHOWN_EVENTS:,} more in events.csv"


def _tell_metrics(findings: Findings, evaluation: Report) -> Iterator[str]:
    n_found, n_labelled, n_false = _against_labels(findings)
    if n_labelled:
        told = f"{n_found} of {counted(n_labelled, 'labelled event')} found"
        yield f"Against the labels: {told}, {counted(n_false, 'false alarm')}."
    else:
        yield "Against the labels: no row is labelled anomalous."
    yield f"  {'':18s}{'VUS-PR':>8s}{'AUC-PR':>8s}{'best F1':>9s}"
    for name, metrics in evaluation.metrics.items():
        found = (_three(metrics[key]) for key in ("vus_pr", "auc_pr", "best_f1"))
        yield "  {:18s}{:>8s}{:>8s}{:>9s}".format(_JUDGED.get(name, name), *found)
    yield (
        "- VUS-PR and AUC-PR judge the scores at every threshold, best F1 at the best one in hindsight; 1 is "
        "perfect, and the random score shows what luck gives"
    )
    yield from (f"- {remark}" for remark in evaluation.remarks)


def _against_labels(findings: Findings) -> tuple[int, int, int]:
    """How many labelled events are touched, how many there are, and how many events touch none."""
    series, events = findings.series, findings.events
    if series.labels is None:
        return 0, 0, 0
    labels = series.labels[np.argsort(series.cells, kind="stable")]
    start, stop = runs(labels)
    touches = (events.start[:, None] < stop) & (start < events.stop[:, None])  # (n_events, n_labelled)
    return int(touches.any(axis=0).sum()), len(start), int((~touches.any(axis=1)).sum())


def _three(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def summary(findings: Findings, detector: VAEDetector, *, file: str, folder: Path) -> dict[str, Any]:
    """What ``--json`` prints; a number that is undefined is null."""
    series = findings.series
    found: dict[str, Any] = {
        "file": file,
        "out": str(folder),
        "n_points": len(series),
        "n_channels": series.n_channels,
        "train_end": series.train_end,
        "window_size": detector.window_size_,
        "method": detector.method,
        "threshold": detector.threshold_,
        "threshold_rule": repr(detector.rule_),
        "false_alarms_per_day": detector.rule_.expected_false_alarms_per_day_,
        "n_events": len(findings.events),
        "n_flagged": int(detector.labels_.sum()),
        "epochs": len(detector.history_),
        "stopped": detector.history_.stopped,
        "seconds": detector.seconds_,
        "repairs": list(series.repairs),
        "warnings": [*detector.notes_, *detector.history_.warnings, *detector.rule_.warnings_],
        "version": vaenb.__version__,
    }
    if findings.evaluation is not None:
        found["metrics"] = {name: dict(metrics) for name, metrics in findings.evaluation.metrics.items()}
        found["remarks"] = list(findings.evaluation.remarks)
    return {key: _without_nan(value) for key, value in found.items()}


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
