"""One study from a series to its findings and its files: what the command line and a notebook share."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import OutputError
from vaenb.evaluation import evaluate
from vaenb.fit_steps import timed
from vaenb.frames import events_frame, scores_frame
from vaenb.report import Findings, write_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vaenb.detector import VAEDetector
    from vaenb.records import Report, Series

FILES: Final = ("scores.csv", "events.csv", "report.html", "detector.vaenb")


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
        Show a progress bar on standard error.

    Returns
    -------
    Findings

    Raises
    ------
    InputError
        If the series or a setting cannot be used.
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
    in_time = np.argsort(series.cells, kind="stable")
    return evaluate(
        series.labels[in_time],
        detector.decision_scores_[in_time],
        detector.threshold_,
        values=series.values[in_time],
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


def write_findings(findings: Findings, detector: VAEDetector, folder: Path) -> None:
    """Write scores.csv, events.csv, report.html and detector.vaenb into a folder: all four, or none.

    Parameters
    ----------
    findings : Findings
    detector : VAEDetector
    folder : Path
        Made if it is not there, and taken away again if the files cannot be written.

    Raises
    ------
    OutputError
        If they cannot be written; what was in the folder stays as it was.
    """
    with timed(detector.seconds_, "write"), output_folder(folder), _staged(folder) as stage:
        scores = scores_frame(findings.series, detector.decision_scores_, detector.threshold_)
        scores.to_csv(stage / "scores.csv", index=False)
        events_frame(findings.events, findings.series).to_csv(stage / "events.csv", index=False)
        detector.save(stage / "detector.vaenb")
        write_report(findings, stage / "report.html")


@contextlib.contextmanager
def output_folder(folder: Path) -> Iterator[None]:
    """Make a folder that can be written to; if the block fails, what was made for it goes away again.

    Raises
    ------
    OutputError
        If it cannot be made or written to.
    """
    missing: list[Path] = []
    try:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        _remove_empty(missing)
        raise OutputError(
            f"The output folder {str(folder)!r} cannot be written to: {_reason(error)}. "
            "Name another one with --out."
        ) from error
    try:
        yield
    except BaseException:
        _remove_empty(missing)
        raise


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _reason(error: OSError) -> str:
    """What the operating system said, without the name of a temporary file."""
    if isinstance(error, FileExistsError):
        return "there is a file of that name"
    cause = error.__cause__ if isinstance(error, OutputError) else error
    return getattr(cause, "strerror", None) or str(error)


@contextlib.contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder`; its files move there together if nothing went wrong."""
    stage = None
    try:
        stage = Path(tempfile.mkdtemp(prefix=".vaenb-", dir=folder))
        yield stage
        for name in FILES:
            _bring_to_disk(stage / name)
        _move_all(stage, folder)
    except OSError as error:
        raise OutputError(
            f"The results could not be written to {str(folder)!r}: {_reason(error)}. "
            "Free some space or name another folder with --out; nothing was left half-written."
        ) from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)


def _bring_to_disk(path: Path) -> None:
    """Wait until a file is on the disk: some disks only say now that they are full."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _move_all(stage: Path, folder: Path) -> None:
    """Move the files to their final names; if one cannot, all are as they were before."""
    before = stage / "before"
    before.mkdir()
    there = [name for name in FILES if os.path.lexists(folder / name)]
    for name in there:
        _copy(folder / name, before / name)
    try:
        for name in FILES:
            (stage / name).replace(folder / name)
    except BaseException:
        for name in FILES:
            if name in there:
                (before / name).replace(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
        raise


def _copy(source: Path, target: Path) -> None:
    """A second name for a file, or a copy where the disk knows no second names."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
