"""Exercises of step 3: which epoch to keep, a code that says something, and clean windows to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.exercises.checking import HintError, a_number, an_array, exercise, figure, got, near
from vaenb.exercises.pump import PER_DAY, calm_pump
from vaenb.injecting import inject
from vaenb.windows import make_windows

if TYPE_CHECKING:
    from vaenb.records import Bools, Floats, Series, Windows

_WINDOW: Final = 36
_LEAST_NATS: Final = 3.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Trainings:
    """What the exercises of step 3 are about.

    Attributes
    ----------
    elbo : ndarray of float64, shape (40,)
        The ELBO of the training windows after each epoch, in nats.
    calibration_elbo : ndarray of float64, shape (40,)
        The ELBO of held-out windows after the same epochs.
    series : Series
        The pressure of a pump, in whose training part three faults are labelled.
    windows : Windows
        All windows of 36 points of its training part; ``windows.starts`` says where each begins.
    """

    elbo: Floats
    calibration_elbo: Floats
    series: Series
    windows: Windows


@cache
def material() -> Trainings:
    """Two curves, and a series with faults in its training part."""
    epochs, rng = np.arange(1, 41), np.random.default_rng(4)
    rise = -60 * np.exp(-epochs / 3)
    elbo = rise - 20 + 0.12 * epochs + 0.05 * rng.normal(size=40)
    held_out = rise - 22 - 0.15 * epochs
    series = calm_pump()
    for kind, day, length in (("shift", 3.2, 50), ("spike", 8.5, 1), ("flat", 15.4, 40)):
        series = inject(series, kind, at=int(day * PER_DAY), length=length)  # type: ignore[arg-type]
    windows = make_windows(series.values[: series.train_end], _WINDOW)
    return Trainings(elbo=elbo, calibration_elbo=held_out, series=series, windows=windows)


@exercise("03.1", wants="the number of an epoch, counted from 1")
def epoch_to_keep(answer: object) -> str:
    """The epoch with the highest calibration ELBO."""
    given, value = material(), a_number(answer, "the number of an epoch, counted from 1")
    best = int(np.argmax(given.calibration_elbo)) + 1
    if near(value, best):
        return (
            f"Epoch {best}: from there on the training ELBO still rises, and that of the held-out windows "
            "falls. The model begins to learn its training windows by heart."
        )
    if near(value, best - 1):
        raise HintError("Python counts from 0, epochs are counted from 1.")
    if near(value, len(given.elbo)) or near(value, int(np.argmax(given.elbo)) + 1):
        raise HintError(
            "There the ELBO of the training windows is highest, as it always is in the end. How "
            "does the model "
            "do on windows that it has not learnt from?"
        )
    if near(value, int(np.argmin(given.calibration_elbo)) + 1):
        raise HintError(
            "There the calibration ELBO is lowest. An ELBO is a bound from below: higher is better."
        )
    if not 1 <= value <= len(given.elbo):
        raise HintError(f"{figure(value)} is no epoch: they run from 1 to {len(given.elbo)}.")
    found = given.calibration_elbo[int(value) - 1]
    raise HintError(
        f"After epoch {figure(value)} the calibration ELBO is {figure(found)} nats; there is an epoch after "
        f"which it is {figure(given.calibration_elbo[best - 1])}."
    )


@exercise("03.2", wants="the `History` of a training")
def code_that_says_something(answer: Any) -> str:
    """A training whose KL does not collapse."""
    if not (hasattr(answer, "epochs") and hasattr(answer, "curve")):
        raise HintError(f"{got(answer)} came; expected what `vaenb.train(...)` returns.")
    if not len(answer):
        raise HintError("No epoch was finished.")
    last = answer.epochs[-1]
    if not last.kl_weight > 0:
        raise HintError(
            f"With a `kl_weight` of {figure(last.kl_weight)} nothing keeps the posterior near the "
            f"prior: the KL is "
            f"{figure(last.kl)} nats, and what is drawn from the prior is no window. Give it some weight."
        )
    if last.kl < _LEAST_NATS:
        raise HintError(
            f"The code carries {figure(last.kl)} nats about a window; {figure(_LEAST_NATS)} are "
            f"asked for. The KL costs "
            f"{figure(last.kl_weight)} times what it should: the cheapest code says nothing. "
            f"Lower `kl_weight`."
        )
    return (
        f"The code carries {figure(last.kl)} nats about a window. Where the KL falls to 0 the "
        f"decoder draws the "
        "same for every window: it has collapsed."
    )


def _touching(starts: Any, labels: Bools) -> Bools:
    return np.array([labels[start : start + _WINDOW].any() for start in starts], dtype=bool)


@exercise("03.3", wants="an array of True and False, one for each window")
def clean_windows(answer: object) -> str:
    """The windows of the training part that touch no labelled row."""
    given = material()
    starts, labels = given.windows.starts, np.asarray(given.series.labels) > 0
    wants = "an array of True and False, one for each window"
    keep = an_array(answer, (len(starts),), wants)
    if not np.isin(keep, (0, 1)).all():
        raise HintError(f"The numbers are not all 0 and 1; expected {wants}.")
    kept, touched = keep > 0, _touching(starts, labels)
    if np.array_equal(kept, ~touched):
        return (
            f"{int(kept.sum()):,} of {len(starts):,} windows are kept. A fault that stays in the "
            f"training part "
            "is learnt as normal, and the next one like it goes unseen."
        )
    if np.array_equal(kept, touched):
        raise HintError("It is the other way round: True is for the windows to keep.")
    if np.array_equal(kept, ~labels[starts]):
        raise HintError(
            "Only the first point of each window is looked at. A window that begins before a fault may still "
            "reach into it."
        )
    wrong, lost = int((kept & touched).sum()), int((~kept & ~touched).sum())
    raise HintError(
        f"{wrong:,} windows with a labelled point are kept, and {lost:,} clean ones are left out."
    )
