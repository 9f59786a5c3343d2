"""The exercises of the course: what they are about, and a checker that gives a useful hint.

One module for each step; a module is imported when one of its exercises is asked for.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

from vaenb.errors import InputError
from vaenb.exercises.checking import EXERCISES, Result, run

__all__ = ["Result", "check", "list_exercises", "material"]

_STEPS: Final = {
    "01": "prepare_data",
    "02": "build_the_vae",
    "03": "train",
    "04": "score",
    "05": "set_the_threshold",
    "06": "judge",
}


def check(exercise: str, answer: object) -> Result:
    """Check the answer to an exercise.

    Parameters
    ----------
    exercise : str
        The step and the place in it: "05.2".
    answer : object
        Whatever the exercise asks for: a number, an array, a function, a fitted rule, a panel.

    Returns
    -------
    Result
        True where the answer is right; shows a tick, or a hint. A wrong answer raises nothing.

    Raises
    ------
    InputError
        If there is no such exercise; the sentence lists those that exist.

    Examples
    --------
    >>> check("01.1", 24)
    ✗ 01.1: 24 is the hours in a day. A window is counted in points, and here one comes every 5 minutes.
    >>> bool(check("01.1", 288))
    True
    """
    known = list_exercises()
    if exercise not in known:
        raise InputError(f"There is no exercise {exercise!r}; expected one of: {', '.join(known)}.")
    return run(EXERCISES[exercise], answer)


def list_exercises() -> list[str]:
    """The names of all exercises, in order."""
    for step in _STEPS:
        _module(step)
    return sorted(EXERCISES)


def material(step: str) -> Any:
    """What the exercises of a step are about: series, scores and labels that are the same everywhere.

    Parameters
    ----------
    step : str
        "03", "04", "05" or "06"; the other steps need none.

    Returns
    -------
    object
        Its docstring tells its attributes.

    Raises
    ------
    InputError
        If the step has none.

    Examples
    --------
    >>> given = material("05")
    >>> len(given.calibration_scores), given.points_per_day
    (1008, 144.0)
    """
    having = [each for each in _STEPS if hasattr(_module(each), "material")]
    if step not in having:
        raise InputError(f"There is no material for step {step!r}; expected one of: {', '.join(having)}.")
    return _module(step).material()


def _module(step: str) -> Any:
    return importlib.import_module(f"vaenb.exercises.{_STEPS[step]}")
