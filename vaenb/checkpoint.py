"""The state of a training on disk, so that a killed one goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.bundle import read_bundle, write_bundle
from vaenb.errors import BundleError, InputError, OutputError
from vaenb.records import EpochRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vaenb.model import VAE
    from vaenb.records import Windows
    from vaenb.training_run import TrainingRun


def fingerprint(vae: VAE, windows: Windows, calibration: Windows | None, settings: Mapping[str, Any]) -> str:
    """What makes two trainings the same one: model, data and settings (but not the number of epochs)."""
    digest = hashlib.sha256(json.dumps([vae.settings, dict(settings)], sort_keys=True).encode())
    for part in (windows, calibration):
        arrays = () if part is None else (part.values, part.starts, part.missing)
        for array in arrays:
            digest.update(f"{None if array is None else array.shape}".encode())
            if array is not None:
                digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class Checkpoint:
    """Saves a run after each epoch, whole or not at all, and brings it back.

    Parameters
    ----------
    folder : path-like
        Made if it is not there.
    mark : str
        The `fingerprint` of the training.

    Raises
    ------
    OutputError
        If the folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str], mark: str) -> None:
        self.path = Path(folder) / "training.checkpoint"
        self.mark = mark
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"Cannot make the checkpoint folder {os.fspath(folder)!r}: {error.strerror}; choose another."
            ) from error

    def save(self, run: TrainingRun) -> None:
        """Write weights, optimiser, best weights and the records so far."""
        arrays = {f"weight_{i}": value for i, value in enumerate(run.weights())}
        arrays |= {f"best_{i}": value for i, value in enumerate(run.best_weights)}
        arrays |= {f"optimizer_{i}": v.value.numpy() for i, v in enumerate(run.optimizer.variables)}
        records = [{**asdict(r), "kl_per_dim": r.kl_per_dim.tolist()} for r in run.records]
        meta = {
            "mark": self.mark,
            "records": records,
            "best_epoch": run.best_epoch,
            "gain_epoch": run.gain_epoch,
            "best_elbo": run.best_elbo if np.isfinite(run.best_elbo) else None,
        }
        write_bundle(self.path, arrays=arrays, meta=meta)

    def restore(self, run: TrainingRun) -> None:
        """Bring the run to where it was saved, if it was.

        Raises
        ------
        BundleError
            If the file is truncated or damaged.
        InputError
            If it belongs to another training.
        """
        if not self.path.exists():
            return
        try:
            arrays, meta = read_bundle(self.path)
        except BundleError as error:
            raise BundleError(
                f"The checkpoint {os.fspath(self.path)!r} is truncated, damaged or of another version: "
                "delete it to start afresh."
            ) from error
        if meta.get("mark") != self.mark:
            raise InputError(
                f"The checkpoint {os.fspath(self.path)!r} belongs to a training with other data or settings: "
                "name another folder, or delete it to start afresh."
            )
        for prefix, variables in (
            ("weight", run.vae.trainable_variables),
            ("optimizer", run.optimizer.variables),
        ):
            for i, variable in enumerate(variables):
                variable.assign(arrays[f"{prefix}_{i}"])
        run.best_weights = [arrays[f"best_{i}"] for i in range(len(run.best_weights))]
        run.best_epoch, run.gain_epoch = int(meta["best_epoch"]), int(meta["gain_epoch"])
        run.best_elbo = -np.inf if meta["best_elbo"] is None else float(meta["best_elbo"])
        run.records = [
            EpochRecord(**{**record, "kl_per_dim": np.array(record["kl_per_dim"])})
            for record in meta["records"]
        ]
