"""What the judge panel shows, as lines of Python."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.view_models.judge import AUTO

if TYPE_CHECKING:
    from vaenb.records import Events
    from vaenb.view_models.judge import Judge

_FIELDS = ("start", "stop", "peak", "score", "severity")


def judge_code(judge: Judge, *, verdicts: Any, other_labels: Any) -> str:
    """The lines that give a panel in the same state, where `evidence` is at hand.

    Parameters
    ----------
    judge : Judge
    verdicts, other_labels
        As the panel was given them.
    """
    lines = ["import vaenb", ""]
    told = ["evidence"]
    if judge.are_given:
        lines[1:1] = ["import numpy as np"]
        lines += [_events(judge.events)]
        told.append("events=events")
    if verdicts != AUTO:
        told.append(f"verdicts={_path(verdicts)}")
    if isinstance(other_labels, str | os.PathLike):
        told.append(f"other_labels={_path(other_labels)}")
    elif other_labels is not None:
        told.append("other_labels=other_labels")
    if judge.merge_gap != judge.evidence.window_size:
        told.append(f"merge_gap={judge.merge_gap}")
    lines.append(f"panel = vaenb.JudgePanel({', '.join(told)})")
    if not judge.are_given and judge.threshold != float(judge.evidence.rule.threshold_):
        lines.append(f"panel.set_events(threshold={judge.threshold!r})")
    if judge.current:
        lines.append(f"panel.current = {judge.current}")
    return "\n".join([*lines, "panel"])


def _path(value: Any) -> str:
    return "None" if value is None else repr(os.fspath(value))


def _events(events: Events) -> str:
    """Events written out, number by number."""
    told = [f"    {name}=np.array({_list(getattr(events, name))})," for name in _FIELDS]
    if events.shares is not None:
        told.append(f"    shares=np.array({_list(events.shares)}),")
    return "\n".join(["events = vaenb.Events(", *told, ")"])


def _list(values: Any) -> str:
    text = repr(np.asarray(values).tolist())
    return text.replace("nan", "np.nan").replace("inf", "np.inf")
