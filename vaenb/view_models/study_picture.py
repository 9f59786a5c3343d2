"""The path of a study as a static picture: the six steps with their states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vaenb.drawing.svg import picture, words
from vaenb.view_models.study_steps import KEYS, MARKS, STATE_WORDS, told

if TYPE_CHECKING:
    from vaenb.view_models.study import StudyPlan

_WIDTH: Final = 960.0
_LEFT: Final = 18.0


def draw_path(plan: StudyPlan, name: str) -> str:
    """The six steps of the study of a series, one beside the other."""
    wide = (_WIDTH - 2 * _LEFT) / len(KEYS)
    parts = [words(_LEFT, 24, name, css="v-name"), words(_WIDTH - _LEFT, 24, plan.progress(), anchor="end")]
    states = {key: plan.state(key) for key in KEYS}
    for place, (key, state) in enumerate(states.items()):
        left = _LEFT + place * wide
        parts.append(words(left, 58, told(key), css="v-name"))
        parts.append(words(left, 78, f"{MARKS[state]} {STATE_WORDS[state]}".strip()))
    listed = ", ".join(f"{told(key)}: {STATE_WORDS[state]}" for key, state in states.items())
    return picture(
        "vaenb-study",
        *parts,
        width=_WIDTH,
        height=96.0,
        title=f"Study of {name}",
        desc=f"{plan.progress()} {listed}.",
    )
