"""A detector's settings: checked before anything long begins, and told as a line of Python. NumPy ring."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Final, TypeGuard

import numpy as np

from vaenb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST: Final = 2**31 - 1  # TensorFlow's counters and seeds
_WHOLE: Final = {
    "window_size": (1, _MOST),
    "latent_dim": (1, _MOST),
    "epochs": (1, _MOST),
    "steps_per_epoch": (1, _MOST),
    "batch_size": (1, _MOST),
    "kl_warmup": (0, _MOST),
    "patience": (1, _MOST),
    "n_samples": (1, 10_000),
    "seed": (0, _MOST),
}
_OR: Final = {"window_size": "auto", "patience": None}
_MOST_LAYERS: Final = 100


def check_settings(settings: Mapping[str, object]) -> None:
    """Refuse numbers that would fail later, after minutes of training.

    Raises
    ------
    InputError
        With the name of the setting and what was expected.
    """
    for name, (least, most) in _WHOLE.items():
        value = settings[name]
        is_other = name in _OR and isinstance(value, type(_OR[name])) and value == _OR[name]
        if not is_other and not _is_whole(value, least, most):
            other = f", or {_OR[name]!r}" if name in _OR else ""
            raise InputError(f"{name} is {value!r}; expected a whole number from {least} to {most:,}{other}.")
    rate, weight = settings["learning_rate"], settings["kl_weight"]
    if not _is_number(rate) or not rate > 0:
        raise InputError(f"learning_rate is {rate!r}; expected a number above 0, such as 0.001.")
    if not _is_number(weight) or not weight >= 0:
        raise InputError(f"kl_weight is {weight!r}; expected a number of at least 0; 1 is usual.")
    hidden = plain(settings["hidden"])
    if hidden is not None and not _is_shape(hidden):
        raise InputError(
            f"hidden is {hidden!r}; expected at most {_MOST_LAYERS} whole numbers from 1, such as (256, 64)."
        )


def _is_number(value: object) -> TypeGuard[float]:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


def _is_whole(value: object, least: int, most: int) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral) and least <= int(value) <= most


def _is_shape(sizes: object) -> bool:
    if not isinstance(sizes, list | tuple) or len(sizes) > _MOST_LAYERS:
        return False
    return all(_is_whole(size, 1, _MOST) for size in sizes)


def plain(value: object) -> object:
    """NumPy's numbers and arrays as Python's own."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return type(value)(plain(item) for item in value)
    return value


def as_code(name: str, settings: Mapping[str, object], defaults: Mapping[str, object]) -> str:
    """The line of Python that makes an object again: only what differs from the defaults.

    Examples
    --------
    >>> as_code("VAEDetector", {"seed": 3, "epochs": 30}, {"seed": 0, "epochs": 30})
    'VAEDetector(seed=3)'
    """
    told = {key: repr(plain(value)) for key, value in settings.items()}
    changed = (f"{key}={text}" for key, text in told.items() if text != repr(defaults[key]))
    return f"{name}({', '.join(changed)})"
