"""How an exercise is checked: what was expected, what came, and a hint where the two differ. NumPy ring."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from vaenb.formats import number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vaenb.records import Floats

    Checker = Callable[[Any], str]

EXERCISES: Final[dict[str, Exercise]] = {}
_LONGEST: Final = 60


class Mistake(NamedTuple):
    """A function that is wrong in a known way, and the hint for who wrote it."""

    function: Callable[..., Any]
    hint: str


class HintError(Exception):
    """An answer that is not right yet; its text is for the student."""


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise: what kind of answer it wants, and who checks it."""

    name: str
    wants: str
    checker: Checker


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a check. It is true where the answer was right.

    Attributes
    ----------
    exercise : str
        Such as "05.2".
    passed : bool
    text : str
        What the answer shows where it was right, else a hint.
    """

    exercise: str
    passed: bool
    text: str

    def __bool__(self) -> bool:
        return self.passed

    @property
    def _mark(self) -> str:
        return "\u2713" if self.passed else "\u2717"

    def __repr__(self) -> str:
        return f"{self._mark} {self.exercise}: {self.text.replace('`', '')}"

    def _repr_markdown_(self) -> str:
        return f"**{self._mark} {self.exercise}**: {self.text}"


def exercise(name: str, *, wants: str) -> Callable[[Checker], Checker]:
    """Register who checks an exercise.

    The checker returns what a right answer shows, and raises `HintError` for any other.

    Parameters
    ----------
    name : str
        The step and the place in it: "05.2".
    wants : str
        The kind of answer, as it stands in a sentence: "a number of points".
    """

    def register(checker: Checker) -> Checker:
        EXERCISES[name] = Exercise(name=name, wants=wants, checker=checker)
        return checker

    return register


def run(found: Exercise, answer: object) -> Result:
    """Check an answer. Whatever it is, the student reads a sentence and no traceback."""
    if answer is ... or answer is None:
        text = f"There is no answer yet: put {found.wants} in place of the dots."
        return Result(exercise=found.name, passed=False, text=text)
    try:
        return Result(exercise=found.name, passed=True, text=found.checker(answer))
    except HintError as hint:
        return Result(exercise=found.name, passed=False, text=str(hint))
    except Exception as error:  # noqa: BLE001 - an answer may be anything at all
        text = f"{got(answer)} cannot be checked ({said(error)}); expected {found.wants}."
        return Result(exercise=found.name, passed=False, text=text)


# ---------------------------------------------------------------------- words


def short(value: object) -> str:
    """A value as a student would write it, cut where it is long."""
    if isinstance(value, np.ndarray):
        rounded = value.round(4) if value.dtype.kind == "f" else value
        text = np.array2string(rounded, separator=", ", threshold=12)
    elif isinstance(value, float | np.floating):
        text = f"{value:.4g}"
    else:
        text = repr(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def got(value: object) -> str:
    """What was given: its type, and its value or shape."""
    if isinstance(value, np.ndarray):
        return f"An array of shape `{value.shape}`"
    if isinstance(value, bool | int | float | str | np.generic):
        return f"`{short(value)}`"
    kind = type(value).__name__
    return f"{'An' if kind[0] in 'AEIOUaeiou' else 'A'} `{kind}`"


def said(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return f"`{type(error).__name__}: {text}`" if text else f"`{type(error).__name__}`"


# ---------------------------------------------------------------------- kinds of answers


def a_number(answer: object, wants: str) -> float:
    """The answer as a number.

    Raises
    ------
    HintError
        If it is none, or not finite.
    """
    value = np.asarray(answer)
    if value.size != 1 or value.dtype.kind not in "iuf" or not np.isfinite(value).all():
        raise HintError(f"{got(answer)} came; expected {wants}.")
    return float(value.reshape(()))


def an_array(answer: object, shape: tuple[int, ...], wants: str) -> Floats:
    """The answer as an array of numbers of one shape; a table or a list will do.

    Raises
    ------
    HintError
        If it has another shape, holds something else, or something that is not finite.
    """
    try:
        value = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        raise HintError(f"{got(answer)} came; expected {wants}.") from None
    if value.shape != shape:
        same = value.size == np.prod(shape) and value.squeeze().shape == tuple(n for n in shape if n > 1)
        if not same:
            raise HintError(f"An array of shape `{value.shape}` came; expected {wants}, shape `{shape}`.")
        value = value.reshape(shape)
    if not np.isfinite(value).all():
        raise HintError(f"{int((~np.isfinite(value)).sum())} of the {value.size} numbers are not finite.")
    return value


def call(function: Callable[..., Any], case: Sequence[Any]) -> Any:
    """What the student's function makes of a case; it gets copies.

    Raises
    ------
    HintError
        If it raises something, or returns nothing.
    """
    try:
        found = function(*copy.deepcopy(list(case)))
    except Exception as error:  # noqa: BLE001 - it is the student's
        raise HintError(f"For {told(case)} the function raises {said(error)}.") from None
    if found is None:
        raise HintError("The function returns nothing: does it end with `return`?")
    return found


def told(case: Sequence[Any]) -> str:
    """The arguments of a call."""
    return ", ".join(f"`{short(value)}`" for value in case)


def compare(
    answer: object,
    right: Callable[..., Any],
    cases: Sequence[Sequence[Any]],
    *,
    wants: str,
    mistakes: Sequence[Mistake] = (),
) -> None:
    """Compare a student's function with the right one, case by case.

    Parameters
    ----------
    answer : object
    right : callable
    cases : sequence of argument lists
        The first ones small, since they are shown.
    wants : str
    mistakes : sequence of Mistake

    Raises
    ------
    HintError
        For the first case in which the two differ: with the hint of the mistake that gives the same in all
        cases, else with what came and what was expected.
    """
    if not callable(answer):
        raise HintError(f"{got(answer)} came; expected {wants}.")
    found = [call(answer, case) for case in cases]
    if all(agree(one, right(*case)) for one, case in zip(found, cases, strict=True)):
        return
    for wrong, hint in mistakes:
        if all(agree(one, wrong(*case)) for one, case in zip(found, cases, strict=True)):
            raise HintError(hint)
    one, case = next(
        (one, case) for one, case in zip(found, cases, strict=True) if not agree(one, right(*case))
    )
    raise HintError(f"For {told(case)} the function gives `{short(one)}`; expected `{short(right(*case))}`.")


def agree(one: object, other: object) -> bool:
    """Whether two results are the same but for rounding."""
    try:
        first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    if first.shape != second.shape:
        return False
    return bool(np.allclose(first, second, rtol=1e-4, atol=1e-6, equal_nan=True))


def near(value: float, target: float, slack: float = 0.0) -> bool:
    """Whether a number is another one but for rounding, or for `slack`."""
    return abs(value - target) <= slack + 1e-6 * max(1.0, abs(target))


def figure(value: float) -> str:
    """A number to be read."""
    return number(value, 3)
