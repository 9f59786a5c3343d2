"""A study as a notebook: cells that take the six steps again, as they were taken. NumPy ring."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import vaenb
from vaenb.view_models.study_code import changed_settings, kept_settings, setting_code
from vaenb.view_models.study_steps import KEYS, told

if TYPE_CHECKING:
    from vaenb.evidence import Evidence
    from vaenb.view_models.study import StudyPlan

    Cell = tuple[str, str]
    """Its kind, "markdown" or "code", and its text."""

_WATCHED: Final = ("steps_per_epoch", "batch_size", "learning_rate", "kl_warmup", "patience", "restore_best")
_STOPPED: Final = {"stop event", "interrupted"}
_LOOK: Final = (
    ("markdown", "## Look at it\n\nThe panels of the last three steps."),
    ("code", "evidence = vaenb.explain(detector, series, scores=scores)"),
    ("code", "vaenb.LatentPanel(evidence, decode=vaenb.decoder_of(detector))"),
    ("code", "vaenb.ThresholdPanel(evidence)"),
    ("code", "vaenb.JudgePanel(evidence)"),
)


def study_cells(plan: StudyPlan, evidence: Evidence, *, series: str, runs: tuple[int, ...]) -> list[Cell]:
    """The cells of the notebook.

    Parameters
    ----------
    plan : StudyPlan
    evidence : Evidence
    series : str
        The line that gives the series.
    runs : tuple of int
        The epochs of each run of the training.

    Returns
    -------
    list of (str, str)
    """
    texts = {
        "data": _data(plan, series),
        "model": "vae = detector.fit_build()\nprint(f'{vae.count_params():,} parameters')\nvae.settings",
        "training": _training(plan, runs),
        "scores": "scores = detector.fit_score(prepared)\nprint(f'{len(scores):,} scores: {scores.method}')",
        "threshold": _threshold(evidence),
        "judge": _judge(plan, evidence),
    }
    found: list[Cell] = [("markdown", _head(evidence))]
    for key in KEYS:
        found += [("markdown", f"## {told(key)}\n\n{_words(key, evidence)}"), ("code", texts[key])]
    if evidence.labels is not None:
        found += [("markdown", "Against the labels, and beside baselines:"), ("code", _evaluate(evidence))]
    return [*found, *_LOOK]


def _head(evidence: Evidence) -> str:
    return (
        f"# A study of {evidence.series.name}\n\n"
        f"Written by vaenb {vaenb.__version__} from a study. Run from top to bottom, it takes the same six "
        "steps: the same version on the same machine gives the same threshold "
        "and the same events."
    )


def _words(key: str, evidence: Evidence) -> str:
    stopped = evidence.history.stopped in _STOPPED
    return {
        "data": "The series, its scaled windows, and the split: train, calibration, test.",
        "model": "Encoder, latent space, decoder.",
        "training": "Maximise the ELBO over the windows of the train part."
        + (" The study's training was stopped inside an epoch; here, whole epochs run." if stopped else ""),
        "scores": "One anomaly score for each step of the series; higher is more anomalous.",
        "threshold": "Fitted on the calibration part, which the model has not learnt from.",
        "judge": "Runs of scores above the threshold.",
    }[key]


def _data(plan: StudyPlan, series: str) -> str:
    rows = kept_settings(plan).get("train_end")
    lines = ["import pandas as pd", "", "import vaenb", "", series]
    if rows is not None:
        lines.append(f"series = vaenb.read_series(series, train_end={rows})")
    told_ = changed_settings(plan, without=("threshold",))
    given = "".join(f"\n    {name}={value}," for name, value in told_.items())
    lines.append(f"detector = vaenb.VAEDetector({given}\n)" if given else "detector = vaenb.VAEDetector()")
    return "\n".join([*lines, "prepared = detector.fit_prepare(series)", "print(prepared.about)"])


def _training(plan: StudyPlan, runs: tuple[int, ...]) -> str:
    """One run is the detector's own; several go on from each other."""
    told_ = (
        'print(f"{len(history)} epochs, {history.stopped}; ELBO {history.epochs[-1].elbo:.4g} nats a window")'
    )
    if len(runs) < 2:
        return f"history = detector.fit_train(prepared)\n{told_}"
    params = plan.params
    given = "".join(f", {name}={setting_code(params[name])}" for name in ("seed", *_WATCHED))
    return "\n".join(
        [
            f"training = vaenb.watch_training(vae, prepared{given})",
            f"for epochs in {tuple(runs)}:  # trained, and continued",
            "    history = training(epochs=epochs)",
            "detector.history_ = history",
            told_,
        ]
    )


def _threshold(evidence: Evidence) -> str:
    return "\n".join(
        [
            f"detector.set_params(threshold={setting_code(evidence.rule)})",
            "rule = detector.fit_threshold(prepared, scores)",
            'print(f"{rule!r}: {rule.threshold_:.6g}, {rule.promise}")',
        ]
    )


def _judge(plan: StudyPlan, evidence: Evidence) -> str:
    kept = kept_settings(plan)
    usual = evidence.window_size if evidence.window_size > 1 else 0
    told_ = f"merge_gap={kept.get('merge_gap', usual)}"
    told_ += f", min_length={kept['min_length']}" if "min_length" in kept else ""
    return "\n".join(
        [
            "from vaenb.view_models.timeline import Timeline",
            "",
            "events = vaenb.find_events(",
            f"    scores.values, rule.threshold_, {told_}, normal=detector.calibration_scores_",
            ")",
            "moments = Timeline.of(series).moments",
            "pd.DataFrame(",
            "    {",
            '        "start": moments(events.start),',
            '        "end": moments(events.stop - 1),',
            '        "peak": moments(events.peak),',
            '        "score": events.score,',
            '        "severity": events.severity,',
            "    }",
            ")",
        ]
    )


def _evaluate(evidence: Evidence) -> str:
    in_time = bool((np.diff(evidence.series.cells) >= 0).all())
    order = "" if in_time else "[order]"
    lines = [] if in_time else ['order = series.cells.argsort(kind="stable")']
    return "\n".join(
        [
            *lines,
            "vaenb.evaluate(",
            f"    series.labels{order},",
            f"    detector.decision_scores_{order},",
            "    rule.threshold_,",
            f"    values=series.values{order},",
            "    train_end=series.train_end,",
            "    window_size=prepared.window_size,",
            "    points_per_day=series.points_per_day,",
            ")",
        ]
    )


def as_notebook(cells: list[Cell]) -> str:
    """Cells as the JSON of a notebook (nbformat 4.5), without outputs."""
    found: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(cells, 1):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"study-{number}", "metadata": {}}
        cell["source"] = text.splitlines(keepends=True)
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        found.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    head = {"kernelspec": kernel, "language_info": {"name": "python"}}
    book = {"cells": found, "metadata": head, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"
