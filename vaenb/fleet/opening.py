"""One series of a run from near: its scores and its detector from the disk, nothing trained. NumPy ring.

TensorFlow is imported when a detector is opened, by the thread that asks.
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.fleet.output import Output
from vaenb.reading import read_series

if TYPE_CHECKING:
    import pandas as pd

    from vaenb.evidence import Decode, Evidence
    from vaenb.fleet.folder import Run
    from vaenb.fleet.sources import Member
    from vaenb.records import Series
    from vaenb.study_file import Part

_NO_DETECTOR: Final = (
    "There is no saved detector of {name!r}: {why}. Below is the study untrained: “Run everything” trains it "
    "with the same settings. {advice}"
)
_KEEPS_NONE: Final = {
    "why": "this run keeps none, as vaenb.fleet.detect_many without saves=True and vaenb detect do",
    "advice": "To keep detectors, begin a run with vaenb.FleetPanel(source, out=…) in a new folder.",
}
_CHANGED: Final = (
    "{name!r} has changed since it was scored ({then:,} points then, {now:,} now): delete {row!r}, and go on "
    "with the run to score it again. Below is the study untrained."
)


class NotKeptError(InputError):
    """A series has results, but not what its study needs."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Opened:
    """What the study of a series needs.

    Attributes
    ----------
    evidence : Evidence
        With the scores and the threshold of the run.
    detector : tuple of dict
        Its arrays and its JSON, as in the file.
    decode : callable
        Its decoder.
    path : Path
        Of the saved detector.
    """

    evidence: Evidence
    detector: Part
    decode: Decode
    path: Path


def read_member(run: Run, member: Member) -> Series:
    """A series as the run has read it.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if run.read is None:
        raise InputError(run.why_not)
    return read_series(member.load(), name=member.name, may_rest=not run.fits_each, **run.read)


def open_member(run: Run, member: Member, series: Series) -> Opened:
    """The evidence of a series, from the scores and the detector that the run has kept.

    Raises
    ------
    NotKeptError
        If there is no detector, or the series has changed since.
    BundleError
        If the detector cannot be opened.
    """
    path = _detector_path(run, member.name)
    if path is None:
        raise NotKeptError(_NO_DETECTOR.format(name=member.name, **_KEEPS_NONE))
    if not path.exists():
        told = {"why": f"{str(path)!r} is gone", "advice": "To fit it anew in the run, delete its row, "}
        told["advice"] += f"{str(run.output.row(member.name))!r}, and go on."
        raise NotKeptError(_NO_DETECTOR.format(name=member.name, **told))
    table = read_scores(run.output, member.name)
    if len(table) != len(series) or not np.array_equal(table["time"].to_numpy(), series.index):
        row = str(run.output.row(member.name))
        raise NotKeptError(_CHANGED.format(name=member.name, then=len(table), now=len(series), row=row))
    return _opened(path, series, table["score"].to_numpy(), is_own=run.fits_each)


def _opened(path: Path, series: Series, on_rows: Any, *, is_own: bool) -> Opened:
    from vaenb.bundle import read_bundle
    from vaenb.explaining import decoder_of, explain
    from vaenb.saving import build_detector
    from vaenb.study_file import KIND, detector_part

    arrays, meta = read_bundle(path)
    part = detector_part(path, arrays, meta) if meta.get("kind") == KIND else (arrays, meta)
    detector = build_detector(path, *part)
    # Of another sampling interval the run has warned nobody, either. Else the warnings of the process are
    # left alone: a run in another thread may be changing them.
    with nullcontext() if is_own else warnings.catch_warnings(action="ignore"):
        found = detector.score_series(series)
    values = found.values.copy()
    values[series.cells] = on_rows  # what the run has found, whatever machine it ran on
    evidence = explain(detector, series, scores=replace(found, values=values))
    return Opened(evidence=evidence, detector=part, decode=decoder_of(detector), path=path)


def _detector_path(run: Run, name: str) -> Path | None:
    if run.saves:
        return run.output.detector(name)
    if run.groups is not None:
        return run.output.group(run.groups[name]) if name in run.groups else None
    if run.detector is None:
        return None
    path = Path(run.detector)
    return Output(path.parent).detector(name) if path.is_dir() else path


def read_scores(output: Output, name: str, columns: tuple[str, ...] = ("time", "score")) -> pd.DataFrame:
    """The scores of a series on its rows, as they were written.

    Raises
    ------
    NotKeptError
        If there are none.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    paths = sorted(output.place("scores", name).glob("part-*.parquet"))
    if not paths:
        raise NotKeptError(f"There are no scores of {name!r} in {str(output.folder)!r}.")
    found = [pq.ParquetFile(path).read(columns=list(columns)).to_pandas() for path in paths]
    table: pd.DataFrame = pd.concat(found, ignore_index=True)
    return table
