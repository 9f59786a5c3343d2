"""A study as lines of Python. NumPy ring."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from vaenb.settings import plain
from vaenb.thresholding import Fixed
from vaenb.thresholds.base import Threshold
from vaenb.view_models.study_steps import DEFAULTS, KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vaenb.view_models.study import StudyPlan


def setting_code(value: object) -> str:
    """A setting as it is written in Python, where `vaenb` is imported.

    Examples
    --------
    >>> from vaenb.thresholding import MAD
    >>> setting_code(MAD(4.0)), setting_code((64, 16)), setting_code(Fixed(2.5))
    ('vaenb.MAD(n_mads=4.0)', '(64, 16)', '2.5')
    """
    if isinstance(value, Fixed):
        return repr(plain(value.value))
    if isinstance(value, Threshold):
        return f"vaenb.{type(value)(**value.settings)!r}"
    return repr(plain(value))


def changed_settings(plan: StudyPlan, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """The settings that differ from the defaults, as Python, in the order of the six steps."""
    params = plan.params
    names = [name for name in DEFAULTS if name not in without]
    return {
        name: setting_code(params[name])
        for name in names
        if setting_code(params[name]) != setting_code(DEFAULTS[name])
    }


def kept_settings(plan: StudyPlan) -> dict[str, Any]:
    """Where the training part ends, and how events are joined, where a person has chosen it."""
    events = plan.settings("threshold")
    found = {"train_end": plan.settings("data").get("train_end"), "merge_gap": events.get("merge_gap")}
    found["min_length"] = events.get("min_length") if events.get("min_length", 1) > 1 else None
    return {name: value for name, value in found.items() if value is not None}


def study_code(
    plan: StudyPlan,
    *,
    series: str | None,
    shown: str,
    opened: str | None = None,
    judging: Mapping[str, Any] | None = None,
) -> str:
    """The lines that give the study again, with the same steps done.

    Parameters
    ----------
    plan : StudyPlan
    series : str or None
        The line that gives the series; None where the reader must have it.
    shown : str
        The step that is looked at.
    opened : str, optional
        The file that the study was opened from, while nothing was changed since.
    judging : mapping, optional
        What the judge panel was told: verdicts, other_labels.
    """
    lines, more = ["import vaenb", ""], _judging(judging or {})
    if opened is not None:
        lines.append(f"study = vaenb.Study.load({opened!r}{more})")
    else:
        told = {
            **changed_settings(plan),
            **{name: repr(value) for name, value in kept_settings(plan).items()},
        }
        given = "".join(f", {name}={value}" for name, value in told.items())
        lines += [series or "# series: as you have read it", f"study = vaenb.Study(series{given}{more})"]
        done = [key for key in KEYS if plan.is_done(key)]
        if "model" in done:
            lines.append("study.run()" if len(done) == len(KEYS) else f"study.run({done[-1]!r})")
    return "\n".join([*lines, f"study.show({shown!r})", "study"])


def _judging(told: Mapping[str, Any]) -> str:
    """Arguments for the judge panel; an array of labels can only be named."""
    found = "" if told.get("verdicts", "auto") == "auto" else f", verdicts={_path(told['verdicts'])}"
    labels = told.get("other_labels")
    if labels is None:
        return found
    is_path = isinstance(labels, str | os.PathLike)
    return f"{found}, other_labels={_path(labels) if is_path else 'other_labels'}"


def _path(value: Any) -> str:
    return "None" if value is None else repr(os.fspath(value))
