"""vaenb: anomalies in time series with a variational autoencoder, in a notebook, and why.

Every public name is listed here, in the order of the six steps, and is imported when it is first used:
`import vaenb` itself loads neither TensorFlow nor pandas.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_DOOR = {
    # 1 prepare data
    "read_series": "reading",
    "load_dataset": "datasets",
    "list_datasets": "datasets",
    "make_windows": "windows",
    "inject": "injecting",
    "prepare": "preparing",
    "dominant_period": "periods",
    "Scaler": "scaling",
    "DataPanel": "panels.data",
    # 2 build the VAE
    "VAE": "model",
    "sample_prior": "sampling",
    "ModelPanel": "panels.model",
    # 3 train
    "train": "training",
    "watch_training": "watching",
    "TrainingPanel": "panels.training",
    # 4 score
    "score": "scoring",
    "impute": "imputing",
    "LatentPanel": "panels.latent",
    # 5 set the threshold
    "Percentile": "thresholding",
    "MAD": "thresholding",
    "ExponentialTail": "thresholding",
    "POT": "thresholding",
    "DSPOT": "thresholding",
    "Conformal": "thresholding",
    "AlarmBudget": "thresholding",
    "BestF1": "thresholding",
    "ThresholdPanel": "panels.threshold",
    # 6 judge
    "find_events": "events",
    "JudgePanel": "panels.judge",
    "evaluate": "evaluation",
    # around them
    "Study": "study",
    "FleetPanel": "panels.fleet",
    "VAEDetector": "detector",
    "Stream": "streaming",
    "load": "saving",
    "explain": "explaining",
    "decoder_of": "explaining",
    "write_report": "report",
    "Series": "records",
    "Windows": "records",
    "History": "records",
    "Scores": "records",
    "Events": "records",
    "Report": "records",
    "InputError": "errors",
    "BundleError": "errors",
    "OutputError": "errors",
}

__all__ = ["__version__", "exercises", *_DOOR]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> Any:
    if name == "exercises":
        return importlib.import_module("vaenb.exercises")
    if name not in _DOOR:
        raise AttributeError(f"module 'vaenb' has no attribute {name!r}; it has: {', '.join(_DOOR)}")
    value = getattr(importlib.import_module(f"vaenb.{_DOOR[name]}"), name)
    if name != _DOOR[name]:
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the built extension of a source tree: ``jupyter labextension develop``."""
    return [{"src": "labextension", "dest": "vaenb"}]
