"""Step 3: train the VAE, a whole epoch in one compiled graph.

`train` reaches the same place as Keras' ``fit``, several times faster: batches are gathered from the series
inside the graph, so that no window is ever laid out, and Python is entered a few times a second.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.checkpoint import Checkpoint, fingerprint
from vaenb.checks import check_fit, check_number, check_whole
from vaenb.errors import InputError
from vaenb.records import EpochRecord, History
from vaenb.training_run import TrainingRun, is_finite

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from vaenb.model import VAE
    from vaenb.records import Windows


class TrainingWarning(UserWarning):
    """The training went somewhere its user should know about."""


def train(
    vae: VAE,
    windows: Windows,
    *,
    calibration: Windows | None = None,
    epochs: int = 50,
    batch_size: int = 128,
    steps_per_epoch: int | None = None,
    learning_rate: float = 1e-3,
    kl_warmup: int = 0,
    patience: int | None = None,
    restore_best: bool = True,
    seed: int = 0,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    stop: threading.Event | None = None,
    checkpoint: str | None = None,
    progress: bool = True,
    strategy: Any = None,
) -> History:
    """Maximise the ELBO over `windows` with Adam, and leave the best weights in `vae`.

    Parameters
    ----------
    vae : VAE
        Trained in place, from the weights it has.
    windows : Windows
        The training part.
    calibration : Windows, optional
        Held-out normal windows, to measure the ELBO on.
    epochs : int
    batch_size : int
        Windows in a batch.
    steps_per_epoch : int, optional
        Batches in an epoch; by default as many as it takes to see every window once.
    learning_rate : float
    kl_warmup : int
        Epochs over which the KL's weight rises from 0 to ``vae.kl_weight`` (Bowman et al. 2016).
    patience : int, optional
        Stop early after this many epochs without a better calibration ELBO (without a calibration part, a
        better training ELBO), counted from the end of the warm-up.
    restore_best : bool
        Whether the model ends with the weights of the epoch with the highest calibration ELBO, or, as
        without a calibration part, with those of the last epoch.
    seed : int
        The same seed gives the same weights on the same machine.
    on_epoch : callable, optional
        Called with an `EpochRecord` after each epoch.
    stop : threading.Event, optional
        Set it from anywhere to stop within a fraction of a second (a first step, which is compiled, takes
        longer); what was learnt is kept.
    checkpoint : str, optional
        A folder. The state is written there after each epoch, and a later call with the same arguments
        (`epochs` and `patience` may differ) goes on from it and ends where an uninterrupted run ends.
    progress : bool
        Show a progress bar with the time left.
    strategy : tf.distribute.Strategy, optional
        Shares each batch out among several devices of one machine, for one large model:
        ``tf.distribute.MirroredStrategy()`` takes all GPUs. The steps are those of one device up to rounding.

    Returns
    -------
    History
        Its ``stopped`` says why the training ended: Ctrl-C, too, ends it in good order.

    Raises
    ------
    InputError
        If the windows or the settings do not fit the model, or the checkpoint belongs to another training.
    OutputError
        If the checkpoint cannot be written.

    Warns
    -----
    TrainingWarning
        If the posterior collapsed, or the loss diverged: it is no number any more, or the model explains its
        training windows much worse than before the first step. Also in ``History.warnings``.

    Examples
    --------
    >>> import numpy as np, vaenb
    >>> windows = vaenb.make_windows(np.sin(np.arange(500) / 5), window_size=32)
    >>> vae = vaenb.VAE(window_size=32, latent_dim=2, hidden=(16,))
    >>> history = vaenb.train(vae, windows, epochs=5, learning_rate=0.01, progress=False)
    >>> len(history), history.stopped, bool(history.epochs[4].elbo > history.epochs[0].elbo)
    (5, 'finished', True)
    """
    run = new_run(
        vae,
        windows,
        calibration,
        batch_size=batch_size,
        steps_per_epoch=steps_per_epoch,
        learning_rate=learning_rate,
        kl_warmup=kl_warmup,
        restore_best=restore_best,
        seed=seed,
        strategy=strategy,
    )
    saved = None
    if checkpoint is not None:
        saved = Checkpoint(checkpoint, fingerprint(vae, windows, calibration, run.settings))
        saved.restore(run)
    history = train_until(
        run, epochs, patience=patience, on_epoch=on_epoch, stop=stop, saved=saved, progress=progress
    )
    for note in history.warnings:
        warnings.warn(note, TrainingWarning, stacklevel=2)
    return history


def new_run(
    vae: VAE,
    windows: Windows,
    calibration: Windows | None = None,
    *,
    batch_size: int = 128,
    steps_per_epoch: int | None = None,
    learning_rate: float = 1e-3,
    kl_warmup: int = 0,
    restore_best: bool = True,
    seed: int = 0,
    strategy: Any = None,
) -> TrainingRun:
    """A training before its first step; the arguments are those of `train`, which checks them here."""
    _check_windows(vae, windows, calibration)
    batch_size = check_whole("batch_size", batch_size)
    every_window = -(-len(windows) // batch_size)
    return TrainingRun(
        vae,
        windows,
        calibration,
        batch_size=batch_size,
        steps=every_window if steps_per_epoch is None else check_whole("steps_per_epoch", steps_per_epoch),
        learning_rate=check_number("learning_rate", learning_rate, above=0),
        kl_warmup=check_whole("kl_warmup", kl_warmup, least=0),
        restore_best=restore_best,
        seed=check_whole("seed", seed, least=0, below=2**31),
        strategy=strategy,
    )


def train_until(
    run: TrainingRun,
    epochs: int,
    *,
    patience: int | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    stop: threading.Event | None = None,
    saved: Checkpoint | None = None,
    progress: bool = False,
) -> History:
    """Carry a training on to so many epochs, or an earlier end, and leave the best weights in its model.

    It may be called again: the optimiser remembers. It warns of nothing: the history tells.
    """
    patience = patience if patience is None else check_whole("patience", patience)
    epochs = check_whole("epochs", epochs)
    with _bar(epochs * run.steps, shown=progress) as bar:
        bar.update(len(run.records) * run.steps)
        try:
            stopped = _epochs(
                run, epochs, patience=patience, on_epoch=on_epoch, stop=stop, saved=saved, bar=bar
            )
            stopped = stopped if run.ends_well() else "diverged"
        finally:
            run.restore_best()
    return _history(run, stopped)


def _epochs(
    run: TrainingRun,
    epochs: int,
    *,
    patience: int | None,
    on_epoch: Callable[[EpochRecord], None] | None,
    stop: threading.Event | None,
    saved: Checkpoint | None,
    bar: Any,
) -> str:
    """Run epochs until there is a reason to end, and say which."""
    try:
        while len(run.records) < epochs:
            if patience is not None and run.epochs_without_gain >= patience:
                return "early stopping"
            record = run.epoch(stop, bar)
            if record is None:
                return "stop event"
            if not is_finite(record):
                return "diverged"
            if saved:
                saved.save(run)
            bar.set_postfix_str(f"ELBO {record.elbo:.4g}", refresh=False)
            if on_epoch:
                on_epoch(record)
    except KeyboardInterrupt:
        return "interrupted"
    return "finished"


def _bar(total: int, *, shown: bool) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=total, disable=not shown, desc="training", unit="step", leave=False)


def _history(run: TrainingRun, stopped: str) -> History:
    """Close the record, with what the user must know."""
    notes = []
    best = run.records[run.best_epoch - 1] if run.best_epoch else None
    if stopped == "diverged":
        last = f" (an ELBO of {run.records[-1].elbo:.4g} in epoch {len(run.records)})" if run.records else ""
        kept = f"the weights of epoch {run.best_epoch}" if best else "the weights from before the training"
        notes.append(
            f"The loss diverged{last}; {kept} are kept. Try a smaller learning_rate, or look for extreme "
            "values in the data."
        )
    elif best and best.active_units == 0:
        notes.append(
            f"The posterior collapsed: none of the {run.vae.latent_dim} latent dimensions says anything "
            "about the window, so the decoder draws the same window whatever it is shown. Train longer, "
            "use kl_warmup, or set a smaller kl_weight."
        )
    return History(
        epochs=tuple(run.records), best_epoch=run.best_epoch, stopped=stopped, warnings=tuple(notes)
    )


def _check_windows(vae: VAE, windows: Windows, calibration: Windows | None) -> None:
    for name, part in (("windows", windows), ("calibration", calibration)):
        if part is not None:
            check_fit(name, part, vae.window_size, vae.n_channels)
            if not len(part):
                raise InputError(f"{name} holds no window: give a longer series or a smaller window_size.")
    _check_range(vae, windows)


def _check_range(vae: VAE, windows: Windows) -> None:
    """A Bernoulli likelihood outside 0 to 1 has no maximum: training would run away to infinity."""
    if vae.settings["likelihood"] != "bernoulli":
        return
    edges = np.zeros(windows.n_timestamps + 1, dtype=np.int64)
    np.add.at(edges, windows.starts, 1)
    np.add.at(edges, windows.starts + windows.window_size, -1)
    values = windows.values[np.cumsum(edges[:-1]) > 0]
    if values.min() < -1e-3 or values.max() > 1 + 1e-3:
        raise InputError(
            f"The windows hold values from {values.min():.4g} to {values.max():.4g}; a Bernoulli likelihood "
            'needs them between 0 and 1: take scaler="minmax", or likelihood="normal".'
        )
