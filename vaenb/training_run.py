"""One training: the compiled graph that moves the weights on, the record of each epoch, the best weights."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import keras, tf
from vaenb.distributing import DistributedGraph
from vaenb.draws import Draws
from vaenb.graphs import as_tensor, evenly_spaced, gather_windows, read
from vaenb.records import EpochRecord
from vaenb.training_graph import State, bucket, filled_up, training_graph

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vaenb.model import VAE
    from vaenb.records import Windows
    from vaenb.training_graph import TrainingGraph

ACTIVE_VARIANCE = 0.01  # Burda et al. 2016: a unit is active if its posterior mean varies by more than this
CHUNK_SECONDS = 0.3  # a stop is heard at least this often
CALIBRATION_VALUES = 2_000_000  # numbers that are laid out at once to measure the calibration ELBO
CALIBRATION_SAMPLES = 4
SOUND_WINDOWS = 256  # windows on which the weights are compared with the ones that training began with


class TrainingRun:
    """The state of one training.

    Attributes
    ----------
    records : list of EpochRecord
        Of the epochs that were finished.
    best_epoch, best_weights : int and list of ndarray
        What the model ends with: the best epoch by calibration ELBO, or the last good one.
    gain_epoch, best_elbo : int and float
        Where the (calibration) ELBO was highest, and how high.
    settings : dict of str to number
        What must be equal in a training that goes on from a checkpoint of this one.
    """

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
        strategy: Any = None,
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
        self.batch_size, self.kl_warmup = batch_size, kl_warmup
        optimizer = keras.optimizers.Adam(learning_rate, name="adam")
        optimizer.build(vae.trainable_variables)
        self._state = State(vae, optimizer)
        self.records: list[EpochRecord] = []
        self.best_epoch, self.gain_epoch, self.best_elbo = 0, 0, -np.inf
        self.best_weights = self._first_weights = self.weights()
        self._values = as_tensor(windows)
        self._first_terms = self._sampled_terms()
        self._values = filled_up(self._values, bucket(len(self._values)))
        self._calibration = None if calibration is None else _laid_out(calibration, vae)
        self._draws = Draws(windows, steps=steps, batch_size=batch_size, latent_dim=vae.latent_dim, seed=seed)
        self._chunk, self._is_warm, self._done = 1, False, 0
        self._graph = self._graph_on(strategy)

    def _graph_on(self, strategy: Any) -> TrainingGraph | DistributedGraph:
        built: dict[str, Any] = {"batch_size": self.batch_size, "complete": self.windows.missing is None}
        if strategy is not None:
            return DistributedGraph(self.vae, strategy, **built)
        tensors = self._values, *(self._calibration or ())[:2]
        return training_graph(
            self.vae, **built, shapes=[*(len(tensor) for tensor in tensors), bucket(self.steps)]
        )

    # ---------------------------------------------------------------- one epoch

    def epoch(self, stop: threading.Event | None, bar: Any) -> EpochRecord | None:
        """Run one epoch; None if it was stopped in the middle."""
        began, number = time.perf_counter(), len(self.records)
        starts, blocks = self._draws.epoch(number)
        self._done = used = 0  # steps that ran in this epoch, and on this block of draws
        noise, block = next(blocks), self._draws.block
        totals: list[NDArray[np.float64]] | None = None
        while self._done < self.steps:
            if stop is not None and stop.is_set():
                return None
            if used == block:
                noise, used = next(blocks), 0
            upto = min(self._done + min(self._chunk, block - used), self.steps)
            sums = self._run_chunk(starts, noise, self._done, upto, number)
            totals = sums if totals is None else [a + b for a, b in zip(totals, sums, strict=True)]
            bar.update(upto - self._done)
            used += upto - self._done
            self._done = upto
        record = self._record(number + 1, totals or [], time.perf_counter() - began)
        self.records.append(record)
        self._done = 0
        if is_finite(record):
            self._keep(record.elbo if record.calibration_elbo is None else record.calibration_elbo)
        return record

    def _run_chunk(
        self, starts: tf.Tensor, noise: tf.Tensor, first: int, last: int, epoch: int
    ) -> list[NDArray[np.float64]]:
        """Run a part of an epoch's steps, and choose the length of the next part by the time it took."""
        tick = time.perf_counter()
        # Tensors, not numbers: a new Python number would compile a new graph.
        numbers = [tf.constant(place, tf.int32) for place in (first, last, epoch * self.steps)]
        numbers += [tf.constant(each, tf.float32) for each in (self.vae.kl_weight, self._warmup_steps)]
        found = self._graph.steps(self._values, starts, noise, numbers, state=self._state)
        sums = [s.numpy().astype(np.float64) for s in found]
        seconds = max(time.perf_counter() - tick, 1e-6)
        if self._is_warm:  # the first call may compile, and its time says nothing
            self._chunk = max(1, min(self.steps, int(CHUNK_SECONDS * (last - first) / seconds)))
        self._is_warm = True
        return sums

    @property
    def _warmup_steps(self) -> int:
        return self.kl_warmup * self.steps

    # ---------------------------------------------------------------- what came of it

    def _record(self, number: int, sums: Sequence[NDArray[np.float64]], seconds: float) -> EpochRecord:
        reconstruction, kl, kl_per_dim, first, second = (part / self.steps for part in sums)
        held_out = self._held_out()
        return EpochRecord(
            epoch=number,
            elbo=float(reconstruction - kl),
            reconstruction=float(reconstruction),
            kl=float(kl),
            kl_per_dim=kl_per_dim,
            active_units=int((second - first**2 > ACTIVE_VARIANCE).sum()),
            kl_weight=self.vae.kl_weight * min(1.0, number / max(1, self.kl_warmup)),
            seconds=seconds,
            calibration_elbo=held_out[0],
            calibration_reconstruction=held_out[1],
            calibration_kl=held_out[2],
        )

    def _held_out(self) -> list[float] | list[None]:
        """Calibration ELBO, reconstruction and KL; None where there is no calibration part."""
        if self._calibration is None:
            return [None, None, None]
        return [float(value) for value in self._graph.means(*self._calibration, state=self._state)]

    @property
    def epochs_without_gain(self) -> int:
        """Epochs since the ELBO was highest, or since the KL's weight was full: until then the goal moves."""
        return len(self.records) - max(self.gain_epoch, self.kl_warmup)

    # ---------------------------------------------------------------- weights

    @property
    def optimizer(self) -> Any:
        """A keras.optimizers.Adam; what is set in it counts from the next step on."""
        return self._state.optimizer

    def weights(self) -> list[NDArray[Any]]:
        """A copy of the model's weights."""
        return [weight.numpy() for weight in read(self._state.weights)]

    def _keep(self, elbo: float) -> None:
        """Keep the weights of an epoch that went well: of the best, or of each where the last one counts."""
        weights = self.weights()
        if not all(np.isfinite(weight).all() for weight in weights):
            return
        gained = elbo > self.best_elbo
        if gained:
            self.best_elbo, self.gain_epoch = elbo, len(self.records)
        if gained or self._calibration is None or not self.settings["restore_best"]:
            self.best_epoch, self.best_weights = len(self.records), weights

    def ends_well(self) -> bool:
        """False if training went wrong at its end; then even the best weights are looked at twice.

        Wrong: shown the same windows as before the first step, the median window has lost more than a nat a
        point. If that holds for the best weights, too, the first ones become the best, and `best_epoch` 0.
        """
        self._keep_unfinished()
        if self._is_sound():
            return True
        self.restore_best()
        if not self._is_sound():
            self.best_epoch, self.best_weights = 0, self._first_weights
        return False

    def restore_best(self) -> None:
        """Put the best weights back into the model."""
        for variable, value in zip(self.vae.trainable_variables, self.best_weights, strict=True):
            variable.assign(value)

    def _keep_unfinished(self) -> None:
        """After a stop inside an epoch: what that part of an epoch has learnt counts, too."""
        if self._done:
            elbo = self._held_out()[0]
            self._keep(-np.inf if elbo is None else elbo)

    def _is_sound(self) -> bool:
        weight = self.records[-1].kl_weight if self.records else 0.0
        (then, kl_then), (now, kl_now) = self._first_terms, self._sampled_terms()
        with np.errstate(invalid="ignore"):  # inf - inf: not sound, and no reason for another warning
            lost = (then - weight * kl_then) - (now - weight * kl_now)
        return bool(np.median(lost) <= self.vae.window_size * self.vae.n_channels)

    def _sampled_terms(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Reconstruction and KL of a fixed sample of the training windows."""
        starts = evenly_spaced(self.windows, SOUND_WINDOWS)
        terms = self.vae.elbo_terms(gather_windows(self._values, starts, self.vae.window_size), seed=0)
        return terms.reconstruction.numpy().astype(np.float64), terms.kl.numpy().astype(np.float64)


def _laid_out(calibration: Windows, vae: VAE) -> tuple[tf.Tensor, ...]:
    """The calibration part, starts of at most 2,048 of its windows, their shares of a mean, and noise."""
    most = max(64, min(2048, CALIBRATION_VALUES // (vae.window_size * vae.n_channels)))
    values, starts = as_tensor(calibration), evenly_spaced(calibration, most)
    share, n = tf.fill(tf.shape(starts), 1.0 / len(starts)), bucket(len(starts))
    noise = vae.draw_noise(len(starts), CALIBRATION_SAMPLES, 0)
    noise = tf.pad(noise, [[0, 0], [0, n - len(starts)], [0, 0]])
    return filled_up(values, bucket(len(values))), filled_up(starts, n), filled_up(share, n), noise


def is_finite(record: EpochRecord) -> bool:
    """Whether the epoch ended with a number: for training and, where there is one, for calibration."""
    return bool(np.isfinite(record.elbo) and np.isfinite(record.calibration_elbo or 0.0))
