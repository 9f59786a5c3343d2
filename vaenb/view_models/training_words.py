"""What the training panel says, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaenb.formats import counted, duration

if TYPE_CHECKING:
    from vaenb.view_models.training import TrainingView

PATIENT = 5  # epochs in a row without an active dimension, before they are called a collapse
COLLAPSED = (
    "The posterior has collapsed: none of the {n} latent dimensions says anything about the window, so the "
    "decoder draws the same window whatever it is shown. Train longer, use kl_warmup, or set a smaller "
    "kl_weight."
)
_ENDS = {
    "early stopping": "Stopped early after epoch {last}: it had ceased to get better.",
    "stop event": "Stopped after epoch {last}.",
    "interrupted": "Interrupted after epoch {last}.",
    "diverged": "Ended after epoch {last}: the loss diverged.",
}


def status(view: TrainingView) -> str:
    """Where the training stands."""
    if view.state == "ready":
        return f"Not trained yet. Start asks for {counted(view.epochs, 'epoch')}."
    if view.state == "stopping":
        return "Stopping after the step that runs now; what was learnt is kept."
    if view.state == "failed":
        return f"The training failed after {counted(len(view.records), 'epoch')}."
    return _running(view) if view.is_running else _ended(view)


def _running(view: TrainingView) -> str:
    if not view.is_timed:
        return "Getting ready: the first step is compiled, which takes a few seconds."
    left = view.seconds_left
    told = f"Epoch {view.last_epoch} of {view.planned}"
    return told if left is None else f"{told}, {_left(left)}"


def _left(seconds: float) -> str:
    """Time left, no more precise than it is known."""
    return "a moment left" if seconds < 1 else f"about {duration(np.ceil(seconds))} left"


def _ended(view: TrainingView) -> str:
    history = view.history
    if history is None or not history.epochs:
        return "Stopped before the first epoch was over; what was learnt is kept."
    took = duration(sum(record.seconds for record in view.records))
    told = _ENDS.get(history.stopped, "{all} in {took}.")
    told = told.format(last=view.last_epoch, all=counted(len(history), "epoch"), took=took)
    return f"{told} {_weights(view)}"


def _weights(view: TrainingView) -> str:
    best = view.best_epoch
    if not best:
        return "The model has the weights from before the training."
    why = ", the best on the calibration part" if view.peak_epoch else ""
    if not view.keeps_the_best:
        why = f"; on the calibration part epoch {view.peak_epoch} was the best"
    return f"The model has the weights of epoch {best}{why}."


def place(view: TrainingView) -> str:
    """Which epoch is looked at."""
    if view.epoch == 0:
        return "Before the training" if view.frames else ""
    if view.is_running and view.chosen is None:
        return f"The newest, {view.epoch}"
    told = f"Epoch {view.epoch} of {view.last_epoch}"
    if view.is_running or view.epoch != view.best_epoch:
        return told
    return f"{told}, the best" if view.keeps_the_best else f"{told}, kept"


def verdict(view: TrainingView) -> str:
    """How many latent dimensions say anything, at the epoch that is looked at."""
    record = view.record
    if record is None:
        return "The latent dimensions are measured from the first epoch on."
    n, active = len(record.kl_per_dim), record.active_units
    if not active:
        return f"None of the {n} latent dimensions says anything about the window."
    says = "says" if active == 1 else "say"
    return f"{active} of {counted(n, 'latent dimension')} {says} something about the window."


def alarm(view: TrainingView) -> str:
    """What must not be missed; empty where all is well."""
    if view.history is not None and not view.is_running and view.history.warnings:
        return " ".join(view.history.warnings)
    recent = view.records[-PATIENT:] if view.is_running else view.records[-1:]
    if not recent or any(record.active_units for record in recent):
        return ""
    enough = len(recent) == PATIENT or not view.is_running
    return COLLAPSED.format(n=len(recent[-1].kl_per_dim)) if enough else ""


def failure(view: TrainingView) -> str:
    """What ended the training, and what to do, in one line; empty where it did not fail."""
    if view.error is None:
        return ""
    said = (str(view.error).strip().splitlines() or ["no message"])[0]
    said = said if len(said) <= 300 else f"{said[:297]}..."
    kept = f"What was learnt in {counted(len(view.records), 'epoch')} is kept. " if view.records else ""
    return f"{type(view.error).__name__}: {said} {kept}Change what it asks for, then press Start again."
