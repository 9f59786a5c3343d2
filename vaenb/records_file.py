"""Histories, settings and series as arrays and JSON, and back: what saved detectors and saved studies share.

NumPy ring.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.records import EpochRecord, History, Series
from vaenb.settings import plain
from vaenb.thresholding import from_settings
from vaenb.thresholds.base import Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]
    Meta = Mapping[str, Any]

_CURVES: Final = tuple(field.name for field in fields(EpochRecord))
_COUNTS: Final = ("epoch", "active_units")
# What a damaged or made-up file can make its reader raise.
DAMAGE: Final = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)


def under(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin so, by the rest of their names.

    Examples
    --------
    >>> under("a_", {"a_x": np.zeros(1), "b_x": np.ones(1)})
    {'x': array([0.])}
    """
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}


def short(error: Exception) -> str:
    """What an error says, in one line that is not too long."""
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    text = f"there is no {text}" if isinstance(error, KeyError) else text
    return text if len(text) < 160 else f"{text[:160]}..."


# ---------------------------------------------------------------------- settings


def setting_to_json(value: object) -> object:
    """A setting as JSON: a rule as its record, a tuple as a list."""
    if isinstance(value, Threshold):
        return type(value)(**value.settings).to_dict()
    value = plain(value)
    return list(value) if isinstance(value, tuple) else value


def setting_from_json(value: object) -> object:
    """The setting that `setting_to_json` wrote.

    Raises
    ------
    InputError
        If it is a rule that is not known.
    """
    if isinstance(value, dict):
        return from_settings(value)
    return tuple(value) if isinstance(value, list) else value


# ---------------------------------------------------------------------- history


def history_arrays(history: History) -> dict[str, NDArray[Any]]:
    """The curves of a training."""
    curves = {name: history.curve(name) for name in _CURVES if name != "kl_per_dim"}
    return {**curves, "kl_per_dim": np.array([record.kl_per_dim for record in history.epochs])}


def history_meta(history: History) -> dict[str, Any]:
    """What is no curve."""
    return {
        "best_epoch": history.best_epoch,
        "stopped": history.stopped,
        "warnings": list(history.warnings),
    }


def read_history(arrays: Arrays, told: Meta) -> History:
    """The history of `history_arrays` and `history_meta`.

    Raises
    ------
    InputError
        If the curves do not belong together; other errors of the kind `DAMAGE` where something is missing.
    """
    curves = {name: arrays[name] for name in _CURVES}
    lengths = {len(curve) for curve in curves.values()}
    if len(lengths) != 1:
        raise InputError("its training curves have different lengths")
    records = ({name: curve[i] for name, curve in curves.items()} for i in range(lengths.pop()))
    return History(
        epochs=tuple(EpochRecord(**{name: _recorded(name, v) for name, v in row.items()}) for row in records),
        best_epoch=int(told["best_epoch"]),
        stopped=str(told["stopped"]),
        warnings=tuple(str(warning) for warning in told["warnings"]),
    )


def _recorded(name: str, value: Any) -> Any:
    """One number of a training curve as `EpochRecord` holds it."""
    if name == "kl_per_dim":
        return np.asarray(value, dtype=np.float64)
    if name in _COUNTS:
        return int(value)
    return None if name.startswith("calibration") and np.isnan(value) else float(value)


# ---------------------------------------------------------------------- series


def series_arrays(series: Series) -> dict[str, NDArray[Any]]:
    """The index, values, cells and labels of a series."""
    arrays = {"index": series.index, "values": series.values, "cells": series.cells}
    return arrays if series.labels is None else {**arrays, "labels": series.labels}


def series_meta(series: Series) -> dict[str, Any]:
    """What is no array."""
    return {
        "name": series.name,
        "channels": list(series.channels),
        "train_end": int(series.train_end),
        "n_cells": int(series.n_cells),
        "interval": None if series.interval is None else float(series.interval),
        "index_name": series.index_name,
        "repairs": list(series.repairs),
        "credit": series.credit,
        "planted": list(series.planted),
    }


def read_series_record(arrays: Arrays, told: Meta) -> Series:
    """The series of `series_arrays` and `series_meta`.

    Raises
    ------
    InputError
        If its parts do not belong together; other errors of the kind `DAMAGE` where something is missing.
    """
    series = Series(
        name=str(told["name"]),
        index=arrays["index"],
        values=arrays["values"],
        channels=tuple(str(name) for name in told["channels"]),
        train_end=int(told["train_end"]),
        cells=arrays["cells"],
        n_cells=int(told["n_cells"]),
        labels=arrays.get("labels"),
        interval=None if told["interval"] is None else float(told["interval"]),
        index_name=str(told["index_name"]),
        repairs=tuple(str(repair) for repair in told["repairs"]),
        credit=str(told["credit"]),
        planted=tuple(str(what) for what in told.get("planted", ())),  # not in files of the first days
    )
    for name, fits in _checks(series).items():
        if not fits:
            raise InputError(f"the {name} of its series does not fit the rest")
    return series


def _checks(series: Series) -> dict[str, bool]:
    n_rows, cells, labels = len(series.index), series.cells, series.labels
    whole = cells.shape == (n_rows,) and cells.dtype == np.int64 and n_rows > 0
    return {
        "index": series.index.ndim == 1 and series.index.dtype.kind in "Mif",
        "values": series.values.shape == (n_rows, len(series.channels)) and series.values.dtype == np.float64,
        "cells": whole and int(cells.min()) >= 0 and int(cells.max()) == series.n_cells - 1,
        "labels": labels is None or (labels.shape == (n_rows,) and bool(np.isin(labels, (0, 1)).all())),
        "train_end": 0 < series.train_end <= n_rows,
        "interval": series.interval is None or 0 < series.interval < np.inf,
    }
