"""A fitted detector to one file and back: arrays and JSON, nothing that is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.bundle import read_bundle, write_bundle
from vaenb.errors import BundleError, InputError
from vaenb.records_file import (
    DAMAGE,
    history_arrays,
    history_meta,
    read_history,
    setting_from_json,
    setting_to_json,
    short,
    under,
)
from vaenb.settings import check_settings
from vaenb.study_file import KIND as STUDY
from vaenb.study_file import detector_part
from vaenb.thresholding import from_settings
from vaenb.weights import weight_shapes

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from vaenb.detector import VAEDetector
    from vaenb.model import VAE

    Arrays = Mapping[str, NDArray[Any]]
    Meta = Mapping[str, Any]

KIND: Final = "detector"
_ARRAYS: Final = (
    "calibration_scores_",
    "decision_scores_",
    "labels_",
    "latent_",
    "latent_scores_",
    "normal_by_channel_",
)
_MODEL: Final = {
    *("window_size", "n_channels", "latent_dim", "hidden", "encoder"),
    *("likelihood", "scale", "prior", "kl_weight", "seed"),
}


def save_detector(detector: VAEDetector, path: str | os.PathLike[str]) -> None:
    """Write a fitted detector to `path`, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written; what was at `path` stays.
    """
    arrays, meta = describe_detector(detector)
    write_bundle(path, arrays=arrays, meta=meta)


def describe_detector(detector: VAEDetector) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """A fitted detector as arrays and JSON: what `save_detector` writes."""
    arrays = {name: np.asarray(getattr(detector, name)) for name in _ARRAYS}
    arrays |= {f"weight_{i}": np.array(w.numpy()) for i, w in enumerate(detector.model_.trainable_variables)}
    arrays |= {f"scaler_{key}": value for key, value in detector.scaler_.get_state().items()}
    if detector.lengths_ is not None:
        arrays |= {f"lengths_{key}": value for key, value in detector.lengths_.get_state().items()}
    arrays |= {f"history_{name}": curve for name, curve in history_arrays(detector.history_).items()}
    return arrays, _describe(detector)


def _describe(detector: VAEDetector) -> dict[str, Any]:
    import tensorflow as tf

    import vaenb

    return {
        "kind": KIND,
        "params": {name: setting_to_json(value) for name, value in detector.get_params(deep=False).items()},
        "model": dict(detector.model_.settings),
        "rule": detector.rule_.to_dict(),
        "window_size": detector.window_size_,
        "channels": list(detector.channels_),
        "imputes": detector.imputes_,
        "train_stop": detector.train_stop_,
        "points_per_day": detector.points_per_day_,
        "notes": list(detector.notes_),
        "seconds": detector.seconds_,
        "history": history_meta(detector.history_),
        "versions": {"vaenb": vaenb.__version__, "numpy": np.__version__, "tensorflow": tf.__version__},
    }


def load(path: str | os.PathLike[str]) -> VAEDetector:
    """Open a detector that `VAEDetector.save` or `Study.save` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    VAEDetector
        Fitted: the same machine and versions give the same scores, bit for bit.

    Raises
    ------
    BundleError
        If the file is no detector, is damaged, or was written by a newer version.

    Examples
    --------
    >>> import os, tempfile, vaenb
    >>> wave = np.sin(np.arange(400) / 4)
    >>> detector = vaenb.VAEDetector(window_size=16, epochs=1, steps_per_epoch=5).fit(wave)
    >>> path = os.path.join(tempfile.mkdtemp(), "wave.vaenb")
    >>> detector.save(path)
    >>> bool((vaenb.load(path).decision_function(wave) == detector.decision_function(wave)).all())
    True
    """
    arrays, meta = read_bundle(path)
    if meta.get("kind") == STUDY:
        arrays, meta = detector_part(path, arrays, meta)
    return build_detector(path, arrays, meta)


def build_detector(path: str | os.PathLike[str], arrays: Arrays, meta: Meta) -> VAEDetector:
    """The detector that `describe_detector` described.

    Parameters
    ----------
    path : path-like
        Where it was read from, for what an error says.

    Raises
    ------
    BundleError
        If it is no detector, or not a whole one.
    """
    if meta.get("kind") != KIND:
        raise BundleError(f"{str(path)!r} holds {str(meta.get('kind'))[:40]!r}, not a detector.")
    try:
        return _build(arrays, meta)
    except DAMAGE as error:
        raise BundleError(
            f"{str(path)!r} does not hold a whole detector ({short(error)}): save it again."
        ) from error


def _build(arrays: Arrays, meta: Meta) -> VAEDetector:
    from vaenb.detector import VAEDetector
    from vaenb.multiscale import MultiScale
    from vaenb.scaling import Scaler

    params: dict[str, Any] = {str(name): setting_from_json(value) for name, value in meta["params"].items()}
    detector = VAEDetector(**params)
    detector.check_settings()
    detector.rule_ = from_settings(meta["rule"])
    detector.threshold_ = float(detector.rule_.threshold_)
    detector.scaler_ = Scaler.from_state(under("scaler_", arrays))
    detector.window_size_ = int(meta["window_size"])
    lengths = under("lengths_", arrays)
    detector.lengths_ = MultiScale.from_state(detector.window_size_, lengths) if lengths else None
    detector.channels_ = tuple(str(name) for name in meta["channels"])
    detector.imputes_ = bool(meta["imputes"])
    detector.train_stop_ = int(meta["train_stop"])
    detector.points_per_day_ = None if meta["points_per_day"] is None else float(meta["points_per_day"])
    detector.notes_ = tuple(str(note) for note in meta["notes"])
    detector.seconds_ = {str(step): float(seconds) for step, seconds in meta["seconds"].items()}
    for name in _ARRAYS:
        setattr(detector, name, arrays[name])
    _check_arrays(detector, meta["model"])
    detector.history_ = read_history(under("history_", arrays), meta["history"])
    detector.model_ = _model(arrays, meta["model"])
    return detector


def _check_arrays(detector: VAEDetector, model: Meta) -> None:
    """Refuse arrays that do not belong to each other or to the model."""
    scores, held_out, places = detector.decision_scores_, detector.calibration_scores_, detector.latent_
    n_channels = len(detector.channels_)
    fits = {
        "channels": n_channels == model["n_channels"] == len(detector.scaler_.center_),
        "lengths": (detector.lengths_ is not None) == detector.weighs_lengths,
        "window_size": 0 < detector.window_size_ == model["window_size"] <= len(held_out),
        "decision_scores_": scores.ndim == 1 and scores.dtype == np.float64,
        "labels_": detector.labels_.shape == scores.shape,
        "calibration_scores_": held_out.ndim == 1 and held_out.dtype == np.float64,
        "normal_by_channel_": detector.normal_by_channel_.shape == (n_channels,),
        "latent_": places.ndim == 2 and places.shape[1] == model["latent_dim"],
        "latent_scores_": detector.latent_scores_.shape == places.shape[:1],
    }
    for name, fit in fits.items():
        if not fit:
            raise InputError(f"its {name} does not fit the rest")


def _model(arrays: Arrays, settings: Meta) -> VAE:
    """The model with its weights, built only when the file holds weights of just its shapes."""
    from vaenb.detector import VAEDetector
    from vaenb.model import VAE

    weights = [arrays[f"weight_{i}"] for i in range(sum(name.startswith("weight_") for name in arrays))]
    if set(settings) != _MODEL:
        raise InputError(f"its model has the settings {', '.join(sorted(map(str, settings)))}")
    sizes = {name: settings[name] for name in ("latent_dim", "hidden", "kl_weight", "seed")}
    check_settings({**VAEDetector().get_params(deep=False), **sizes})
    if [weight.shape for weight in weights] != weight_shapes(settings):
        raise InputError("its weights have other shapes than its model")
    if not all(weight.dtype == np.float32 and np.isfinite(weight).all() for weight in weights):
        raise InputError("its weights are not finite numbers")
    vae = VAE(**settings)
    for variable, value in zip(vae.trainable_variables, weights, strict=True):
        variable.assign(value)
    return vae
