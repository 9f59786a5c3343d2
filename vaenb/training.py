"""Step 3: train the VAE, a whole epoch in one compiled graph.

`train` reaches the same place as Keras' ``fit``, several times faster: batches are gathered from the series
inside the graph, so that no window is ever laid out, and Python is entered once an epoch.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import keras, tf
from vaenb.checkpoint import Checkpoint, fingerprint
from vaenb.errors import InputError
from vaenb.records import EpochRecord, History

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from vaenb.model import VAE
    from vaenb.records import Windows

ACTIVE_VARIANCE = 0.01  # Burda et al. 2016: a unit is active if its posterior mean varies by more than this
CHUNK_SECONDS = 0.3  # a stop is heard at least this often
CALIBRATION_VALUES = 2_000_000  # numbers that are laid out at once to measure the calibration ELBO
CALIBRATION_SAMPLES = 4


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
        Stop early after this many epochs without a better calibration ELBO.
    restore_best : bool
        Whether the model ends with the weights of the epoch with the highest calibration ELBO, or, as
        without a calibration part, with those of the last epoch.
    seed : int
        The same seed gives the same weights on the same machine.
    on_epoch : callable, optional
        Called with an `EpochRecord` after each epoch.
    stop : threading.Event, optional
        Set it from anywhere to stop within a fraction of a second; what was learnt is kept.
    checkpoint : str, optional
        A folder. The state is written there after each epoch, and a later call with the same arguments
        goes on from it and ends where an uninterrupted run ends.
    progress : bool
        Show a progress bar with the time left.

    Returns
    -------
    History
        Its ``stopped`` says why the training ended: Ctrl-C, too, ends it in good order.

    Raises
    ------
    InputError
        If the windows do not fit the model, or the checkpoint belongs to another training.

    Warns
    -----
    TrainingWarning
        If the posterior collapsed or the loss diverged; also in ``History.warnings``.
    """
    _check(vae, windows, calibration, epochs=epochs, batch_size=batch_size)
    run = _Run(
        vae,
        windows,
        calibration,
        batch_size=batch_size,
        steps=steps_per_epoch or -(-len(windows) // batch_size),
        learning_rate=learning_rate,
        kl_warmup=kl_warmup,
        restore_best=restore_best,
        seed=seed,
    )
    saved = (
        Checkpoint(checkpoint, fingerprint(vae, windows, calibration, run.settings)) if checkpoint else None
    )
    if saved:
        saved.restore(run)
    stopped = "finished"
    with _bar(epochs * run.steps, shown=progress) as bar:
        try:
            bar.update(len(run.records) * run.steps)
            stopped = _epochs(
                run, epochs, patience=patience, on_epoch=on_epoch, stop=stop, saved=saved, bar=bar
            )
        except KeyboardInterrupt:
            stopped = "interrupted"
        finally:
            run.restore_best()
    return _history(run, stopped)


def _epochs(
    run: _Run,
    epochs: int,
    *,
    patience: int | None,
    on_epoch: Callable[[EpochRecord], None] | None,
    stop: threading.Event | None,
    saved: Checkpoint | None,
    bar: Any,
) -> str:
    """Run epochs until there is a reason to end, and say which."""
    while len(run.records) < epochs:
        if patience is not None and run.epochs_without_gain >= patience:
            return "early stopping"
        record = run.epoch(stop, bar)
        if record is None:
            return "stop event"
        if not np.isfinite(record.elbo):
            return "diverged"
        if saved:
            saved.save(run)
        bar.set_postfix_str(f"ELBO {record.elbo:.4g}", refresh=False)
        if on_epoch:
            on_epoch(record)
    return "finished"


class _Run:
    """The state of one training, and the compiled graph that moves it on."""

    def __init__(
        self,
        vae: VAE,
        windows: Windows,
        calibration: Windows | None,
        *,
        batch_size: int,
        steps: int,
        learning_rate: float,
        kl_warmup: int,
        restore_best: bool,
        seed: int,
    ) -> None:
        self.settings = {
            "batch_size": batch_size,
            "steps": steps,
            "learning_rate": learning_rate,
            "kl_warmup": kl_warmup,
            "restore_best": restore_best,
            "seed": seed,
        }
        self.vae, self.windows, self.steps, self.seed = vae, windows, steps, seed
        self.batch_size, self.warmup_steps = batch_size, kl_warmup * steps
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(vae.trainable_variables)
        self.values = as_tensor(windows)
        self.records: list[EpochRecord] = []
        self.best_epoch, self.gain_epoch, self.best_elbo = 0, 0, -np.inf
        self.best_weights = self.weights()
        self._calibration = None if calibration is None else _sample_windows(calibration)
        self._chunk = steps
        self._compiled = tf.function(self._steps, jit_compile=True)
        self._measure = tf.function(self._calibration_means, jit_compile=True)

    # ---------------------------------------------------------------- one epoch

    def epoch(self, stop: threading.Event | None, bar: Any) -> EpochRecord | None:
        """Run one epoch; None if it was stopped in the middle."""
        began, number = time.perf_counter(), len(self.records)
        starts = tf.constant(self._shuffled(number), tf.int32)
        totals: list[NDArray[np.float64]] | None = None
        done = 0
        while done < self.steps:
            if stop is not None and stop.is_set():
                return None
            upto = min(done + self._chunk, self.steps)
            tick = time.perf_counter()
            # Tensors, not numbers: a new Python number would compile a new graph.
            places = (tf.constant(place, tf.int32) for place in (done, upto, number * self.steps))
            sums = [np.asarray(s, dtype=np.float64) for s in self._compiled(self.values, starts, *places)]
            totals = sums if totals is None else [a + b for a, b in zip(totals, sums, strict=True)]
            self._pace(upto - done, time.perf_counter() - tick, first=not self.records and not done)
            bar.update(upto - done)
            done = upto
        record = self._record(number + 1, totals or [], time.perf_counter() - began)
        self._keep(record)
        self.records.append(record)
        return record

    def _pace(self, steps: int, seconds: float, *, first: bool) -> None:
        """Choose how many steps go into a chunk; the first one also compiles and tells nothing."""
        if not first:
            self._chunk = max(1, min(self.steps, int(CHUNK_SECONDS * steps / max(seconds, 1e-6))))

    def _shuffled(self, epoch: int) -> NDArray[np.int64]:
        """Window starts for the epoch, shape (steps, batch_size): permutation after permutation."""
        rng = np.random.default_rng([self.seed, epoch])
        wanted = self.steps * self.batch_size
        n = len(self.windows)
        rounds = [rng.permutation(n) for _ in range(-(-wanted // n))]
        return self.windows.starts[np.concatenate(rounds)[:wanted]].reshape(self.steps, self.batch_size)

    def _steps(
        self, values: tf.Tensor, starts: tf.Tensor, first: tf.Tensor, last: tf.Tensor, before: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """Compiled: steps `first` to `last` of an epoch, `before` steps into the training; sums over them."""
        weights, latent = self.vae.trainable_variables, self.vae.latent_dim
        sums = (tf.zeros(3), tf.zeros(latent), tf.zeros(latent), tf.zeros(latent))
        i = first
        # Not tf.range: XLA would compile anew for every new pair of ends.
        while i < last:
            step = before + i
            x = gather_windows(values, starts[i], self.vae.window_size)
            with tf.GradientTape() as tape:
                loss, terms = self.vae.training_loss(
                    x, seed=tf.stack([self.seed, step]), kl_weight=self._kl_weight(step)
                )
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            parts = (
                tf.stack([tf.reduce_mean(t) for t in (terms.elbo, terms.reconstruction, terms.kl)]),
                tf.reduce_mean(terms.kl_per_dim, axis=0),
                tf.reduce_mean(terms.posterior_mean, axis=0),
                tf.reduce_mean(tf.square(terms.posterior_mean), axis=0),
            )
            sums = tuple(a + b for a, b in zip(sums, parts, strict=True))
            i += 1
        return sums

    def _kl_weight(self, step: tf.Tensor) -> tf.Tensor:
        if not self.warmup_steps:
            return tf.constant(self.vae.kl_weight)
        return self.vae.kl_weight * tf.minimum(1.0, tf.cast(step + 1, tf.float32) / self.warmup_steps)

    # ---------------------------------------------------------------- what came of it

    def _record(self, number: int, sums: Sequence[NDArray[np.float64]], seconds: float) -> EpochRecord:
        means, kl_per_dim, first, second = (part / self.steps for part in sums)
        held_out: list[float | None] = [None, None, None]
        if self._calibration is not None:
            held_out = [float(value) for value in self._measure(*self._calibration)]
        weight = min(1.0, number * self.steps / self.warmup_steps) if self.warmup_steps else 1.0
        return EpochRecord(
            epoch=number,
            elbo=float(means[0]),
            reconstruction=float(means[1]),
            kl=float(means[2]),
            kl_per_dim=kl_per_dim,
            active_units=int((second - first**2 > ACTIVE_VARIANCE).sum()),
            kl_weight=self.vae.kl_weight * weight,
            seconds=seconds,
            calibration_elbo=held_out[0],
            calibration_reconstruction=held_out[1],
            calibration_kl=held_out[2],
        )

    def _calibration_means(self, values: tf.Tensor, starts: tf.Tensor) -> tf.Tensor:
        x = gather_windows(values, starts, self.vae.window_size)
        terms = self.vae.elbo_terms(x, n_samples=CALIBRATION_SAMPLES, seed=0)
        return tf.stack([tf.reduce_mean(t) for t in (terms.elbo, terms.reconstruction, terms.kl)])

    def _keep(self, record: EpochRecord) -> None:
        """Remember the weights of an epoch that went well: the best, or each where the last one counts."""
        elbo = record.elbo if record.calibration_elbo is None else record.calibration_elbo
        if not (np.isfinite(elbo) and np.isfinite(record.elbo)):
            return
        gained = elbo > self.best_elbo
        if gained:
            self.best_elbo, self.gain_epoch = elbo, record.epoch
        if gained or record.calibration_elbo is None or not self.settings["restore_best"]:
            self.best_epoch, self.best_weights = record.epoch, self.weights()

    @property
    def epochs_without_gain(self) -> int:
        """Epochs since the ELBO was higher than ever before."""
        return len(self.records) - self.gain_epoch

    def weights(self) -> list[NDArray[Any]]:
        """A copy of the model's weights."""
        return [np.array(weight.numpy()) for weight in self.vae.trainable_variables]

    def restore_best(self) -> None:
        """Put the best weights back into the model."""
        for variable, value in zip(self.vae.trainable_variables, self.best_weights, strict=True):
            variable.assign(value)


def as_tensor(windows: Windows) -> tf.Tensor:
    """The series under the windows, (n_timestamps, n_channels), NaN where missing."""
    if windows.missing is None:
        return tf.convert_to_tensor(windows.values, tf.float32)
    return tf.convert_to_tensor(np.where(windows.missing, np.float32(np.nan), windows.values), tf.float32)


def gather_windows(values: tf.Tensor, starts: tf.Tensor, window_size: int) -> tf.Tensor:
    """The windows at `starts`, shape (batch, window_size, n_channels)."""
    return tf.gather(values, starts[:, None] + tf.range(window_size)[None, :])


def _sample_windows(windows: Windows) -> tuple[tf.Tensor, tf.Tensor]:
    """Evenly spaced windows, as many as may be laid out at once."""
    most = max(64, min(2048, CALIBRATION_VALUES // (windows.window_size * windows.n_channels)))
    places = np.unique(np.linspace(0, len(windows) - 1, most).astype(np.int64))
    return as_tensor(windows), tf.constant(windows.starts[places], tf.int32)


def _bar(total: int, *, shown: bool) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=total, disable=not shown, desc="training", unit="step", leave=False)


def _history(run: _Run, stopped: str) -> History:
    """Close the record, with what the user must know."""
    notes = []
    if stopped == "diverged":
        kept = (
            f"the weights of epoch {run.best_epoch} are kept"
            if run.best_epoch
            else "the first weights are kept"
        )
        notes.append(
            f"The loss diverged in epoch {len(run.records)} (it is not a finite number any more); {kept}. "
            "Try a smaller learning_rate, or look for extreme values in the data."
        )
    elif run.records and run.records[-1].active_units == 0:
        notes.append(
            f"The posterior collapsed: none of the {run.vae.latent_dim} latent dimensions says anything about "
            "the window, so the decoder draws the same window whatever it is shown. Train longer, use kl_warmup, "
            "or set a kl_weight below 1."
        )
    for note in notes:
        warnings.warn(note, TrainingWarning, stacklevel=3)
    return History(
        epochs=tuple(run.records), best_epoch=run.best_epoch, stopped=stopped, warnings=tuple(notes)
    )


def _check(vae: VAE, windows: Windows, calibration: Windows | None, *, epochs: int, batch_size: int) -> None:
    for name, part in (("windows", windows), ("calibration", calibration)):
        if part is not None and (part.window_size, part.n_channels) != (vae.window_size, vae.n_channels):
            raise InputError(
                f"{name} holds windows of {part.window_size} points x {part.n_channels} channels; the model "
                f"was built for {vae.window_size} x {vae.n_channels}. Cut them with the same window_size."
            )
        if part is not None and not len(part):
            raise InputError(f"{name} holds no window: give a longer series or a smaller window_size.")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value < 1:
            raise InputError(f"{name} is {value}; expected a whole number of at least 1.")
