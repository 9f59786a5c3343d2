"""One study from a series to its findings and its files: what the command line and a notebook share."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.detector import VAEDetector, events_frame
from vaenb.errors import OutputError
from vaenb.evaluation import evaluate
from vaenb.report import Findings, write_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from vaenb.records import Report, Series

FILES = ("scores.csv", "events.csv", "report.html", "detector.vaenb")


def study(series: Series, detector: VAEDetector, *, code: str, progress: bool = False) -> Findings:
    """Fit the detector on the training part of a series, and judge all of it.

    Parameters
    ----------
    series : Series
    detector : VAEDetector
        Fitted in place.
    code : str
        The lines of Python that do the same; shown in the report.
    progress : bool

    Returns
    -------
    Findings
    """
    detector.fit(series, progress=progress)
    with timed(detector.seconds_, "judge"):
        events = detector.find_events(series, scores=detector.decision_scores_)
        evaluation = _judge(series, detector)
    return Findings(
        series=series,
        scores=detector.scores_,
        threshold=detector.rule_,
        events=events,
        code=code,
        settings=_settings(series, detector),
        history=detector.history_,
        evaluation=evaluation,
        calibration_scores=detector.calibration_scores_,
        train_stop=detector.train_stop_,
        latent=detector.latent_.astype(np.float64),
        latent_scores=detector.latent_scores_,
    )


def _judge(series: Series, detector: VAEDetector) -> Report | None:
    if series.labels is None:
        return None
    return evaluate(
        series.labels,
        detector.decision_scores_,
        detector.threshold_,
        values=series.values,
        train_end=series.train_end,
        window_size=detector.window_size_,
        points_per_day=series.points_per_day,
        seed=detector.seed,
    )


def _settings(series: Series, detector: VAEDetector) -> dict[str, Any]:
    import vaenb

    chosen = {name: value for name, value in detector.get_params().items() if value is not None}
    return {
        **chosen,
        "window_size": detector.window_size_,
        "threshold": repr(detector.rule_),
        "train_end": series.train_end,
        "vaenb": vaenb.__version__,
    }


def scores_frame(findings: Findings) -> pd.DataFrame:
    """The table of scores.csv: ``timestamp`` (or ``index``), ``score``, ``flag``; a row each."""
    import pandas as pd

    series = findings.series
    clock = "timestamp" if np.issubdtype(series.index.dtype, np.datetime64) else "index"
    scores = np.asarray(findings.scores)
    flags = (scores > findings.threshold.threshold_).astype(np.int8)
    return pd.DataFrame({clock: series.index, "score": scores, "flag": flags})


def write_findings(findings: Findings, detector: VAEDetector, folder: Path) -> None:
    """Write scores.csv, events.csv, report.html and detector.vaenb into a folder: all four, or none.

    Raises
    ------
    OutputError
        If they cannot be written; what was in the folder stays as it was.
    """
    with _staged(folder) as stage, timed(detector.seconds_, "write"):
        scores_frame(findings).to_csv(stage / "scores.csv", index=False)
        events_frame(findings.events, findings.series).to_csv(stage / "events.csv", index=False)
        detector.save(stage / "detector.vaenb")
        write_report(findings, stage / "report.html")


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder`; its files move there if nothing went wrong, and vanish otherwise."""
    made = prepare_folder(folder)
    try:
        stage = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
        try:
            yield stage
            for name in FILES:
                (stage / name).replace(folder / name)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise OutputError(
            f"The results could not be written to {str(folder)!r}: {error.strerror or error}. "
            "Free some space or name another folder with --out; nothing was left half-written."
        ) from error


def prepare_folder(folder: Path) -> bool:
    """Make the folder if it is not there, and see whether one can write in it; True if it was made.

    Raises
    ------
    OutputError
        If it cannot be made or written to.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"The output folder {str(folder)!r} cannot be written to: {error.strerror or error}. "
            "Name another one with --out."
        ) from error
    return made


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Write into `seconds` how long the step took."""
    began = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - began, 4)
