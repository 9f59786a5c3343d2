"""A fitted detector to one file and back: arrays and JSON, nothing that is executed."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.bundle import read_bundle, write_bundle
from vaenb.errors import BundleError
from vaenb.records import EpochRecord, History

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from vaenb.detector import VAEDetector

_ARRAYS = (
    "calibration_scores_",
    "decision_scores_",
    "labels_",
    "latent_",
    "latent_scores_",
    "normal_by_channel_",
)
_CURVES = tuple(field.name for field in fields(EpochRecord))
_LONGEST_WINDOW = 1_000_000


def save_detector(detector: VAEDetector, path: str | os.PathLike[str]) -> None:
    """Write a fitted detector to `path`, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written; what was at `path` stays.
    """
    arrays: dict[str, NDArray[Any]] = {name: np.asarray(getattr(detector, name)) for name in _ARRAYS}
    arrays |= {f"weight_{i}": np.array(w) for i, w in enumerate(detector.model_.trainable_variables)}
    arrays |= {f"scaler_{key}": value for key, value in detector.scaler_.get_state().items()}
    arrays |= {f"history_{name}": _curve(detector.history_, name) for name in _CURVES}
    write_bundle(path, arrays=arrays, meta=_meta(detector))


def _curve(history: History, name: str) -> NDArray[np.float64]:
    if name == "kl_per_dim":
        return np.array([record.kl_per_dim for record in history.epochs])
    return history.curve(name)


def _meta(detector: VAEDetector) -> dict[str, Any]:
    import tensorflow as tf

    import vaenb

    params = detector.get_params()
    params["threshold"] = None  # the fitted rule says it all
    if params["hidden"] is not None:
        params["hidden"] = [int(units) for units in params["hidden"]]
    return {
        "kind": "detector",
        "params": params,
        "model": dict(detector.model_.get_config()),
        "rule": detector.rule_.to_dict(),
        "window_size": detector.window_size_,
        "channels": list(detector.channels_),
        "train_stop": detector.train_stop_,
        "points_per_day": detector.points_per_day_,
        "notes": list(detector.notes_),
        "seconds": detector.seconds_,
        "history": {
            "best_epoch": detector.history_.best_epoch,
            "stopped": detector.history_.stopped,
            "warnings": list(detector.history_.warnings),
        },
        "versions": {"vaenb": vaenb.__version__, "numpy": np.__version__, "tensorflow": tf.__version__},
    }


def load_detector(path: str | os.PathLike[str]) -> VAEDetector:
    """Open what `save_detector` wrote.

    Raises
    ------
    BundleError
        If the file is no detector, is damaged, or was written by a newer version.
    """
    arrays, meta = read_bundle(path)
    if meta.get("kind") != "detector":
        raise BundleError(f"{str(path)!r} holds a {meta.get('kind')!r}, not a detector.")
    try:
        return _build(arrays, meta)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise BundleError(
            f"{str(path)!r} does not hold a whole detector ({error}): save it again from a fitted one."
        ) from error


def _build(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> VAEDetector:
    from vaenb.detector import VAEDetector
    from vaenb.model import VAE
    from vaenb.scaling import Scaler
    from vaenb.thresholding import from_settings

    weights = [arrays[f"weight_{i}"] for i in range(sum(name.startswith("weight_") for name in arrays))]
    _check_sizes(meta["model"], sum(weight.size for weight in weights))
    detector = VAEDetector(**meta["params"])
    detector.rule_ = from_settings(meta["rule"])
    detector.threshold = detector.rule_
    detector.threshold_ = float(detector.rule_.threshold_)
    detector.model_ = VAE.from_config(meta["model"])
    for variable, value in zip(detector.model_.trainable_variables, weights, strict=True):
        variable.assign(value)
    state = {name.removeprefix("scaler_"): v for name, v in arrays.items() if name.startswith("scaler_")}
    detector.scaler_ = Scaler.from_state(state)
    detector.window_size_ = int(meta["window_size"])
    detector.channels_ = tuple(str(name) for name in meta["channels"])
    detector.train_stop_ = int(meta["train_stop"])
    detector.points_per_day_ = None if meta["points_per_day"] is None else float(meta["points_per_day"])
    detector.notes_ = tuple(meta["notes"])
    detector.seconds_ = dict(meta["seconds"])
    detector.history_ = _history(arrays, meta["history"])
    for name in _ARRAYS:
        setattr(detector, name, arrays[name])
    return detector


def _check_sizes(model: Mapping[str, Any], n_weights: int) -> None:
    """Refuse to build a model that is larger than the weights in the file."""
    sizes = [int(size) for size in (*model["hidden"], model["latent_dim"], model["n_channels"])]
    too_large = max(a * b for a, b in pairwise([1, *sizes])) > n_weights
    if too_large or not 0 < int(model["window_size"]) <= _LONGEST_WINDOW or min(sizes) < 1:
        raise BundleError("The file describes a model of another size than the weights it holds.")
    if model["encoder"] == "dense" and int(model["window_size"]) * model["n_channels"] > n_weights:
        raise BundleError("The file describes a model of another size than the weights it holds.")


def _history(arrays: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> History:
    epochs = []
    for i in range(len(arrays["history_epoch"])):
        record: dict[str, Any] = {name: arrays[f"history_{name}"][i] for name in _CURVES}
        for name, value in record.items():
            if name in {"epoch", "active_units"}:
                record[name] = int(value)
            elif name != "kl_per_dim":
                record[name] = None if np.isnan(value) and name.startswith("calibration") else float(value)
        epochs.append(EpochRecord(**record))
    return History(
        epochs=tuple(epochs),
        best_epoch=int(told["best_epoch"]),
        stopped=str(told["stopped"]),
        warnings=tuple(told["warnings"]),
    )
