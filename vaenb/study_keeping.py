"""What a study leaves behind: a file that opens again, a notebook, and lines of Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vaenb.errors import BundleError
from vaenb.files import atomic_write, free_path
from vaenb.records_file import DAMAGE, short
from vaenb.study_source import file_name, series_code, write_series
from vaenb.view_models.study import StudyPlan
from vaenb.view_models.study_code import study_code
from vaenb.view_models.study_notebook import as_notebook, study_cells
from vaenb.view_models.study_steps import KEYS, checked_settings

if TYPE_CHECKING:
    import os

    from vaenb.engine import Engine
    from vaenb.records import Series
    from vaenb.study_file import StudyFile

    PathLike = str | os.PathLike[str]

_KEPT: Final = ("merge_gap", "min_length")  # of step 5, beside the detector's settings


class Keeper:
    """Writes a study down.

    Parameters
    ----------
    series : Series
        As it was given, before a person has moved the end of its training part.
    plan : StudyPlan
    engine : Engine
    source : str or None
        The path that the series was read from.
    opened : path-like or None
        The file that the study was opened from.
    """

    def __init__(
        self,
        series: Series,
        plan: StudyPlan,
        engine: Engine,
        *,
        source: str | None,
        opened: PathLike | None = None,
    ) -> None:
        self._series, self._plan, self._engine, self._source = series, plan, engine, source
        self._opened = None if opened is None else str(opened)
        self._as_opened = self._chosen()

    def _chosen(self) -> dict[str, Any]:
        return {**self._plan.params, **self._plan.settings("threshold"), **self._plan.settings("data")}

    def save(self, path: PathLike | None) -> str:
        """See `vaenb.Study.save`."""
        where = free_path(f"{file_name(self._series.name)}.vaenb") if path is None else Path(path)
        chosen = self._plan.settings("threshold")
        told = {
            **{name: int(chosen[name]) for name in _KEPT if chosen.get(name) is not None},
            "source": self._source,
            "own_train_end": int(self._series.train_end),
            "runs": [int(epochs) for epochs in self._plan.outcome("training") or ()],
        }
        self._engine.save(where, told)
        return f"Saved {where.name} ({where.stat().st_size / 1e6:.1f} MB): open it with vaenb.Study.load."

    def save_notebook(self, path: PathLike | None) -> str:
        """See `vaenb.Study.save_notebook`."""
        where = free_path(path if path is not None else f"{file_name(self._series.name)}_study.ipynb")
        line, more = series_code(self._series, self._source, where.resolve().parent), ""
        if line is None:
            beside = free_path(where.with_name(f"{where.stem}_series.parquet"))
            line, more = write_series(self._series, beside), f", and the series beside it in {beside.name}"
        runs = tuple(self._plan.outcome("training") or ())
        cells = study_cells(self._plan, self._engine.shown, series=line, runs=runs)
        with atomic_write(where, "w") as file:
            file.write(as_notebook(cells))
        return f"Wrote {where.name}{more}."

    def code(self, shown: str, judging: dict[str, Any]) -> str:
        """The lines of Python that give the study again: a file that was opened, while it tells all."""
        same = self._opened is not None and self._as_opened == self._chosen() and not self._plan.to_do
        line = series_code(self._series, self._source, Path.cwd())
        opened = self._opened if same else None
        return study_code(self._plan, series=line, shown=shown, opened=opened, judging=judging)


def open_saved(path: PathLike, saved: StudyFile) -> tuple[Series, StudyPlan]:
    """The series as it was given, and the plan with all steps done.

    Raises
    ------
    BundleError
        If what the file tells does not fit together.
    """
    try:
        evidence, own = saved.evidence, _own_train_end(saved)
        return replace(evidence.series, train_end=own), _plan_of(saved, own)
    except DAMAGE as error:
        raise BundleError(
            f"{str(path)!r} does not hold a whole study ({short(error)}): save it again."
        ) from error


def _own_train_end(saved: StudyFile) -> int:
    """Where the training part of the series ended before a person chose another end."""
    series = saved.evidence.series
    own = int(saved.told.get("own_train_end", series.train_end))
    return own if 0 < own <= len(series) else series.train_end


def _plan_of(saved: StudyFile, own_train_end: int) -> StudyPlan:
    """The plan of a study that was saved: all done."""
    evidence, told = saved.evidence, saved.told
    rows = int(evidence.series.train_end)
    chosen = checked_settings(evidence.settings)
    plan = StudyPlan({**chosen, "train_end": None if rows == own_train_end else rows})
    plan.choose("model", window_size=int(evidence.window_size))
    plan.choose("threshold", merge_gap=None, min_length=1)
    plan.choose("threshold", **{name: int(told[name]) for name in _KEPT if name in told})
    runs = tuple(int(epochs) for epochs in told.get("runs", ()))
    for key in KEYS:
        plan.finish(key, runs if key == "training" else None)
    return plan
