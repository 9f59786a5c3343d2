"""The six steps of a study: their titles, what they work on, and the settings that are chosen in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vaenb.errors import InputError
from vaenb.settings import check_settings
from vaenb.thresholds.rules import as_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

TO_DO, READY, RUNNING, DONE, STALE = "to do", "ready", "running", "done", "stale"


@dataclass(frozen=True)
class Step:
    """One of the six.

    Attributes
    ----------
    key, title : str
    needs : tuple of str
        The steps whose results it works on.
    settings : tuple of str
        The settings of `vaenb.VAEDetector` that are chosen in it.
    is_choice : bool
        Whether its panel is opened before it is done: to choose, and then to do it.
    """

    key: str
    title: str
    needs: tuple[str, ...]
    settings: tuple[str, ...]
    is_choice: bool


_OF_MODEL = ("latent_dim", "hidden", "encoder", "likelihood", "scale", "prior", "kl_weight", "seed")
_OF_TRAINING = ("epochs", "steps_per_epoch", "batch_size", "learning_rate", "kl_warmup", "patience")
STEPS: Final = (
    Step("data", "Prepare data", (), ("window_size", "calibration", "scaler"), True),
    Step("model", "Build the VAE", ("data",), _OF_MODEL, True),
    Step("training", "Train", ("model",), (*_OF_TRAINING, "restore_best"), True),
    Step("scores", "Score", ("training",), ("method", "vote", "n_samples"), False),
    Step("threshold", "Set the threshold", ("scores",), ("threshold",), False),
    Step("judge", "Judge", ("threshold",), (), False),
)
KEYS: Final = tuple(step.key for step in STEPS)
DEFAULTS: Final = {  # those of vaenb.VAEDetector, which cannot be asked where there is no TensorFlow
    "window_size": "auto",
    "latent_dim": 8,
    "hidden": None,
    "encoder": "dense",
    "likelihood": "normal",
    "scale": "per_point",
    "prior": "standard",
    "kl_weight": 1.0,
    "epochs": 30,
    "steps_per_epoch": 200,
    "batch_size": 128,
    "learning_rate": 1e-3,
    "kl_warmup": 0,
    "patience": None,
    "restore_best": False,
    "method": "reconstruction_probability",
    "vote": "lengths",
    "n_samples": 8,
    "threshold": None,
    "calibration": 0.2,
    "scaler": "robust",
    "seed": 0,
}
MARKS: Final = {TO_DO: "", READY: "→", RUNNING: "…", DONE: "✓", STALE: "!"}
STATE_WORDS: Final = {TO_DO: "to do", READY: "next", RUNNING: "running", DONE: "done", STALE: "out of date"}
DOING: Final = {
    "data": "preparing the series",
    "model": "building the model; the first time, TensorFlow is loaded",
    "training": "training",
    "scores": "scoring the series",
    "threshold": "setting the threshold",
    "judge": "gathering the events",
}


def checked_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a detector: those given, and defaults.

    Raises
    ------
    InputError
        If there is no such setting, or it cannot be used.
    """
    wrong = [name for name in settings if name not in DEFAULTS]
    if wrong:
        raise InputError(f"There is no setting {wrong[0]!r}; expected some of: {', '.join(DEFAULTS)}.")
    found = {**DEFAULTS, **settings}
    check_settings(found)
    as_rule(found["threshold"])
    return found


def told(key: str) -> str:
    """A step by number and title.

    Examples
    --------
    >>> told("scores")
    '4 Score'
    """
    return f"{KEYS.index(checked(key)) + 1} {title(key)}"


def title(key: str) -> str:
    """The title of a step."""
    return step_of(key).title


def as_key(step: str | int) -> str:
    """A step by its key, or by its number from 1 to 6.

    Raises
    ------
    InputError
        If there is no such step.

    Examples
    --------
    >>> as_key(3)
    'training'
    """
    if isinstance(step, int) and not isinstance(step, bool) and 1 <= step <= len(KEYS):
        return KEYS[step - 1]
    return checked(step)


def checked(key: object) -> str:
    """The key of a step; an `InputError` where there is no such step."""
    if key not in KEYS:
        raise InputError(f"There is no step {key!r}; expected 1 to {len(KEYS)}, or one of {', '.join(KEYS)}.")
    return str(key)


def step_of(key: str) -> Step:
    """A step by its key."""
    return STEPS[KEYS.index(checked(key))]


def upstream(key: str) -> tuple[str, ...]:
    """All steps that a step's result depends on."""
    found = dict.fromkeys(each for need in step_of(key).needs for each in (*upstream(need), need))
    return tuple(found)
