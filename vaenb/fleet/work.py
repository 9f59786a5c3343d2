"""What is done with one series of a fleet, in whichever process. NumPy ring until it begins."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import BundleError, InputError, OutputError
from vaenb.fleet.learning import learn
from vaenb.fleet.output import Output

if TYPE_CHECKING:
    from vaenb.detector import VAEDetector
    from vaenb.fleet.sources import Member
    from vaenb.records import Series

READING = {"time", "values", "labels", "train_end"}


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is done with each series.

    Attributes
    ----------
    read : dict
        Arguments of `vaenb.read_series`.
    settings : dict
        Arguments of `vaenb.VAEDetector`; unused with a fitted `detector`.
    detector : str or None
        A saved detector, or a folder with one for each series.
    groups : dict of str to str or None
        Of each series the name of its group, whose detector is fitted already.
    scores, saves : bool
        Whether to write scores and events, and the detector.
    """

    read: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    detector: str | None = None
    groups: dict[str, str] | None = None
    scores: bool = True
    saves: bool = False

    def check(self) -> None:
        """Say what cannot work before thousands of series fail by it.

        Raises
        ------
        InputError
            If a setting is unknown or impossible, or the detector is missing.
        """
        unknown = sorted(set(self.read) - READING)
        if unknown:
            raise InputError(f"read has {unknown[0]!r}; expected some of: {', '.join(sorted(READING))}.")
        if self.detector is None:
            from vaenb.detector import VAEDetector
            from vaenb.thresholds.rules import as_rule

            known = VAEDetector().get_params()
            odd = [name for name in self.settings if name not in known]
            if odd:
                raise InputError(f"settings has {odd[0]!r}; expected some of: {', '.join(known)}.")
            VAEDetector(**self.settings).check_settings()
            as_rule(self.settings.get("threshold"))
        elif not Path(self.detector).exists():
            raise InputError(f"There is no detector at {self.detector!r}: fit_many saves them.")

    @property
    def is_fitted_alone(self) -> bool:
        """Whether each series has a detector of its own, which is fitted now."""
        return self.detector is None and self.groups is None

    @property
    def mark(self) -> dict[str, Any]:
        """What must be the same when the work goes on."""
        return {
            "read": repr(sorted(self.read.items())),
            "settings": repr(sorted(self.settings.items())),
            "detector": self.detector,
            "scores": self.scores,
            "saves": self.saves,
            **({} if self.groups is None else {"groups": self.groups}),
        }


def work(member: Member, job: Job, output: Output) -> dict[str, Any]:
    """Do the job for one series, and write what came of it.

    Returns
    -------
    dict
        Its row of the summary, of a series that failed as well.

    Raises
    ------
    OutputError
        If the results cannot be written: then no other series could, either.
    """
    began = time.perf_counter()
    row: dict[str, Any] = {"series": member.name, "status": "done", "reason": ""}
    try:
        with warnings.catch_warnings(action="ignore"):
            row |= _results(member, job, output)
    except OutputError:
        raise
    except (InputError, BundleError, OSError, ValueError, ArithmeticError, MemoryError) as error:
        row |= {"status": "failed", "reason": " ".join(f"{error}".split()) or type(error).__name__}
    row["seconds"] = round(time.perf_counter() - began, 3)
    output.finish(row)
    return row


def _results(member: Member, job: Job, output: Output) -> dict[str, Any]:
    from vaenb.reading import read_series

    may_rest = not job.is_fitted_alone
    series = read_series(member.load(), name=member.name, may_rest=may_rest, **job.read)
    detector = _detector(member, job, series, output)
    told = {
        "n_points": len(series),
        "n_channels": series.n_channels,
        "window_size": detector.window_size_,
        "threshold": detector.threshold_,
    }
    if job.saves:
        detector.save(output.detector(member.name))
    if job.scores:
        told |= _judged(member, series, detector, output, fitted=job.is_fitted_alone)
    return told


def _detector(member: Member, job: Job, series: Series, output: Output) -> VAEDetector:
    if job.is_fitted_alone:
        from vaenb.detector import VAEDetector

        detector = VAEDetector(**job.settings)
        learn(detector, detector.fit_prepare(series))
        return detector
    from vaenb.saving import load

    if job.groups is not None:
        return load(output.group(job.groups[member.name]))
    path = Path(str(job.detector))
    return load(Output(path.parent).detector(member.name) if path.is_dir() else path)


def _judged(
    member: Member, series: Series, detector: VAEDetector, output: Output, *, fitted: bool
) -> dict[str, Any]:
    """Write scores and events."""
    import pandas as pd

    from vaenb.frames import events_frame

    scores = np.asarray(detector.decision_scores_ if fitted else detector.decision_function(series))
    flags = (scores > detector.threshold_).astype(np.int8)
    events = detector.find_events(series, scores=scores)
    output.write("scores", member.name, pd.DataFrame({"time": series.index, "score": scores, "flag": flags}))
    output.write("events", member.name, events_frame(events, series))
    return {
        "n_events": len(events),
        "worst_severity": float(max(events.severity, default=0.0)),
        "flagged": float(flags.mean()),
        "highest_score": float(scores.max()),
    }
