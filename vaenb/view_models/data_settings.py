"""The settings of step 1: what each may be. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vaenb.errors import InputError
from vaenb.settings import plain
from vaenb.splits import find_train_end

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vaenb.records import Series

SCALERS: Final = ("robust", "standard", "minmax")
DEFAULTS: Final = {"window_size": "auto", "calibration": 0.2, "scaler": "robust", "train_end": None}
SHORTEST: Final = 2  # points of a window


def check(settings: Mapping[str, Any], series: Series) -> dict[str, Any]:
    """The settings in plain Python; `train_end` in rows, or None where that is the series' own.

    Raises
    ------
    InputError
        If there is no such setting, or its value is of the wrong kind.
    """
    unknown = [name for name in settings if name not in DEFAULTS]
    if unknown:
        raise InputError(f"There is no setting {unknown[0]!r}; expected some of: {', '.join(DEFAULTS)}.")
    checks: dict[str, Callable[[Any], Any]] = {
        "window_size": _window_size,
        "calibration": _calibration,
        "scaler": _scaler,
        "train_end": lambda end: _train_end(end, series),
    }
    return {name: checks[name](plain(value)) for name, value in settings.items()}


def _window_size(size: Any) -> int | str:
    if isinstance(size, str) and size == "auto":
        return size
    if isinstance(size, bool) or not isinstance(size, int) or size < SHORTEST:
        raise InputError(
            f"window_size is {size!r}; expected 'auto' or a whole number of points, {SHORTEST} or more."
        )
    return size


def _calibration(share: Any) -> float:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise InputError(f"calibration is {share!r}; expected a share of the training part such as 0.2.")
    return float(share)


def _scaler(scaler: Any) -> str:
    if scaler not in SCALERS:
        raise InputError(f"The scaler is {scaler!r}; expected one of {', '.join(SCALERS)}.")
    return str(scaler)


def _train_end(end: Any, series: Series) -> int | None:
    if end is None:
        return None
    found = find_train_end(end, series.index, series.cells)
    return None if found == series.train_end else found


def as_lines(settings: Mapping[str, Any], name: str, *, bundled: bool) -> str:
    """The lines of Python that prepare a series of this name in the same way.

    Parameters
    ----------
    settings : mapping
        All of them, checked.
    name : str
    bundled : bool
        Whether the series is one of `vaenb.load_dataset`.
    """
    lines = ["import vaenb", ""]
    lines.append(
        f"series = vaenb.load_dataset({name!r})" if bundled else "# series: as vaenb.read_series gave it"
    )
    if settings["train_end"] is not None:
        lines.append(f"series = vaenb.read_series(series, train_end={settings['train_end']})")
    changed = (
        f", {setting}={settings[setting]!r}"
        for setting in ("window_size", "calibration", "scaler")
        if settings[setting] != DEFAULTS[setting]
    )
    return "\n".join([*lines, f"prepared = vaenb.prepare(series{''.join(changed)})"])
