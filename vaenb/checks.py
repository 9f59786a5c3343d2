"""Checks of settings, each with one sentence for the user who set them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vaenb.records import Windows


def check_whole(name: str, value: Any, *, least: int = 1, below: int | None = None) -> int:
    """Return `value` as an int, or raise `InputError` if it is not a whole number from `least` on."""
    whole = isinstance(value, int | float | np.integer | np.floating) and value == value // 1
    if not (whole and least <= value and (below is None or value < below)):
        upto = f"of at least {least}" if below is None else f"from {least} to {below - 1}"
        raise InputError(f"{name} is {value!r}; expected a whole number {upto}.")
    return int(value)


def check_number(name: str, value: Any, *, above: float = -math.inf, least: float = -math.inf) -> float:
    """Return `value` as a float, or raise `InputError` if it is not finite or too small."""
    number = isinstance(value, int | float | np.integer | np.floating)
    if not (number and above < value < math.inf and value >= least):
        bound = f"above {above:g}" if above > -math.inf else f"of at least {least:g}"
        raise InputError(f"{name} is {value!r}; expected a number {bound}.")
    return float(value)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return `value`, or raise `InputError` if it is none of `choices`."""
    known = tuple(choices)
    if value not in known:
        raise InputError(f"{name} is {value!r}; expected one of {', '.join(map(repr, known))}.")
    return str(value)


def check_fit(name: str, windows: Windows, window_size: int, n_channels: int) -> None:
    """Raise `InputError` if the windows are not of the shape that the model was built for."""
    if (windows.window_size, windows.n_channels) != (window_size, n_channels):
        raise InputError(
            f"{name} has windows of {windows.window_size} points x {windows.n_channels} channels; the model "
            f"was built for {window_size} x {n_channels}. Cut them with the same window_size."
        )
