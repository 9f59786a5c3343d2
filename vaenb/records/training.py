"""What a training looked like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vaenb.records.arrays import Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class EpochRecord:
    """What one epoch of training looked like. All in nats per window, means over windows."""

    epoch: int
    elbo: float
    reconstruction: float
    kl: float
    kl_per_dim: Floats
    active_units: int
    kl_weight: float
    seconds: float
    calibration_elbo: float | None = None
    calibration_reconstruction: float | None = None
    calibration_kl: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """The record of a training.

    Attributes
    ----------
    epochs : tuple of EpochRecord
    best_epoch : int
        The epoch whose weights the model has now; counted from 1, 0 where none was finished.
    stopped : str
        Why it ended: "finished", "early stopping", "stop event", "interrupted" or "diverged".
    warnings : tuple of str
        Things to know: a collapsed posterior, a loss that diverged.
    """

    epochs: tuple[EpochRecord, ...]
    best_epoch: int
    stopped: str
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.epochs)

    def curve(self, name: str) -> Floats:
        """One field of the epochs as an array, shape (n_epochs,); NaN where it was not measured."""
        found = [getattr(record, name) for record in self.epochs]
        return np.array([np.nan if value is None else value for value in found], dtype=np.float64)
