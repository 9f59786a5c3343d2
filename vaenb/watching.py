"""Step 3, to be watched: a training that says after each epoch how the model sees a few windows."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import keras, tf
from vaenb.checks import check_fit, check_whole
from vaenb.errors import InputError
from vaenb.evidence import EpochFrame
from vaenb.training import TrainingWarning, train
from vaenb.training_run import as_tensor, gather_windows
from vaenb.view_models.timeline import Timeline
from vaenb.view_models.training_code import setup_code

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from vaenb.model import VAE
    from vaenb.preparing import Prepared
    from vaenb.records import EpochRecord, Floats32, History, Ints
    from vaenb.scaling import Scaler


def watch_training(
    vae: VAE,
    prepared: Prepared,
    *,
    n_cloud: int = 300,
    pinned: int | None = None,
    seed: int = 0,
    **settings: Any,
) -> WatchedTraining:
    """Make the training of a VAE into something that `TrainingPanel` shows while it runs.

    Parameters
    ----------
    vae : VAE
        Trained in place.
    prepared : Prepared
        Its train and calibration parts are used; the windows to look at come from the whole series.
    n_cloud : int
        How many windows, evenly spaced, are looked at after each epoch.
    pinned : int, optional
        The cell where the window begins whose reconstruction is kept; by default a typical one.
    seed : int
        The same seed gives the same weights.
    **settings
        Of `vaenb.train`, such as ``learning_rate`` or ``patience``.

    Returns
    -------
    WatchedTraining

    Raises
    ------
    InputError
        If the windows do not fit the model or a number is out of range.

    Examples
    --------
    >>> import vaenb
    >>> prepared = vaenb.prepare(vaenb.load_dataset("nyc_taxi"), stride=16)
    >>> vae = vaenb.VAE(prepared.window_size, latent_dim=2, hidden=(16,))
    >>> training = vaenb.watch_training(vae, prepared)
    >>> history = training(epochs=2)
    >>> training(epochs=1).curve("epoch").tolist()  # it goes on where it was
    [1.0, 2.0, 3.0]
    """
    return WatchedTraining(vae, prepared, n_cloud=n_cloud, pinned=pinned, seed=seed, settings=settings)


class WatchedTraining:
    """Call it to train, and again to go on; see `watch_training`.

    Attributes
    ----------
    window : ndarray of float64, shape (window_size, n_channels)
        The pinned window in the series' units; NaN where missing.
    index : ndarray, shape (window_size,)
        The moments of its points.
    channels : tuple of str
    pinned : int
        The cell where it begins.
    starts : ndarray of int64, shape (n,)
        Where the windows of the cloud begin.
    code : str
        The lines of Python that make this training again.
    """

    def __init__(
        self,
        vae: VAE,
        prepared: Prepared,
        *,
        n_cloud: int = 300,
        pinned: int | None = None,
        seed: int = 0,
        settings: dict[str, Any] | None = None,
    ) -> None:
        check_fit("prepared", prepared.everything, vae.window_size, vae.n_channels)
        self.vae, self.prepared = vae, prepared
        self.seed, self.settings = check_whole("seed", seed, least=0), dict(settings or {})
        known = _known_starts(prepared)
        chosen = np.linspace(0, len(known) - 1, check_whole("n_cloud", n_cloud)).round().astype(np.int64)
        self.starts = known[np.unique(chosen)]
        self.pinned = self._typical() if pinned is None else _checked_pinned(pinned, prepared)
        cells = self.pinned + np.arange(prepared.window_size)
        self.window = prepared.series.grid[cells]
        self.index = Timeline.of(prepared.series).moments(cells)
        self.channels = prepared.series.channels
        self.code = setup_code(
            prepared,
            vae.settings,
            {"n_cloud": n_cloud, "pinned": pinned, "seed": self.seed, **self.settings},
        )
        self._values = as_tensor(prepared.everything)
        self._look = tf.function(partial(self._seen))
        self._records: list[EpochRecord] = []
        self._best: tuple[float, int, list[NDArray[Any]]] | None = None

    def _typical(self) -> int:
        """Where the window of the cloud begins that varies as most do; one without gaps, if there is one."""
        at = self.starts[:, None] + np.arange(self.prepared.window_size)
        windows = self.prepared.everything.values[at]
        missing = self.prepared.everything.missing
        gaps = np.zeros(len(at)) if missing is None else missing[at].sum(axis=(1, 2))
        varies = windows.std(axis=1).mean(axis=1)
        from_usual = np.abs(np.log(varies + 1e-9) - np.median(np.log(varies + 1e-9)))
        return int(self.starts[np.lexsort((from_usual, gaps))[0]])

    def __call__(
        self,
        *,
        epochs: int,
        on_epoch: Callable[[EpochRecord], None] | None = None,
        on_frame: Callable[[EpochFrame], None] | None = None,
        stop: threading.Event | None = None,
    ) -> History:
        """Train for so many epochs more, in whatever thread this is.

        Parameters
        ----------
        epochs : int
        on_epoch, on_frame : callable, optional
            Called after each epoch; `on_frame` also before the first one, with epoch 0.
        stop : threading.Event, optional
            Set it to end; the best weights are kept.

        Returns
        -------
        History
            Of all epochs so far. The model has the best weights of all calls.
        """
        done = len(self._records)

        def each(record: EpochRecord) -> None:
            self._records.append(replace(record, epoch=done + record.epoch))
            if on_epoch:
                on_epoch(self._records[-1])
            if on_frame:
                on_frame(self.frame())

        # The history says it, and a thread must not write under somebody's cell.
        warnings.filterwarnings("ignore", category=TrainingWarning, module=r"vaenb\.watching$")
        with _own_policy():
            if on_frame and not done:
                on_frame(self.frame())
            history = train(
                self.vae,
                self.prepared.train,
                epochs=epochs,
                on_epoch=each,
                stop=stop,
                **self._settings_after(done),
            )
        return self._closed(history, done)

    def _settings_after(self, done: int) -> dict[str, Any]:
        """Settings for a call after `done` epochs: other draws, and what is left of the KL's warm-up."""
        fixed = {"calibration": self.prepared.calibration, "progress": False}
        left = {"kl_warmup": max(0, self.settings.get("kl_warmup", 0) - done), "seed": self.seed + done}
        return {**fixed, **self.settings, **left}

    def _closed(self, history: History, done: int) -> History:
        """The history of all calls; the weights of an earlier one come back where they were better."""
        best = done + history.best_epoch if history.best_epoch else 0
        weights = [variable.value.numpy() for variable in self.vae.trainable_variables]
        elbo = self._records[best - 1].calibration_elbo if best else None
        before = self._best
        keeps = self.settings.get("restore_best", True) or history.stopped == "diverged"
        if before is not None and keeps and (not best or (elbo is not None and elbo < before[0])):
            for variable, value in zip(self.vae.trainable_variables, before[2], strict=True):
                variable.assign(value)
            best = before[1]
        elif best:
            self._best = (-np.inf if elbo is None else elbo, best, weights)
        return replace(history, epochs=tuple(self._records), best_epoch=best)

    # ------------------------------------------------------------------ how the model sees some windows

    def frame(self) -> EpochFrame:
        """How the model sees the pinned window and the cloud now."""
        starts = tf.constant(np.append(self.starts, self.pinned), tf.int32)
        latent, mean, spread, errors = (found.numpy() for found in self._look(self._values, starts))
        mean, spread = to_units(self.prepared.scaler, mean[-1], spread[-1])
        return EpochFrame(
            epoch=len(self._records), mean=mean, spread=spread, latent=latent[:-1], errors=errors[:-1]
        )

    def _seen(self, values: tf.Tensor, starts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """A graph: posterior means, reconstructions, their standard deviations and mean squared errors."""
        x = gather_windows(values, starts, self.vae.window_size)
        known = tf.logical_not(tf.math.is_nan(x))
        latent = self.vae.posterior(x).mean()
        p = self.vae.likelihood(latent)
        mean = p.mean()
        off = tf.where(known, tf.square(x - mean), 0.0)
        count = tf.reduce_sum(tf.cast(known, tf.float32), axis=(1, 2))
        return latent, mean, p.stddev(), tf.reduce_sum(off, axis=(1, 2)) / tf.maximum(count, 1.0)


def to_units(scaler: Scaler, mean: NDArray[Any], spread: NDArray[Any]) -> tuple[Floats32, Floats32]:
    """Means and standard deviations, (..., n_channels), from scaled units to the series' own.

    Where the scaler compresses, a standard deviation is half the way from one below the mean to one above.
    """
    most = float(np.finfo(np.float32).max)
    low, middle, high = (scaler.inverse_transform(mean + side * spread) for side in (-1.0, 0.0, 1.0))
    away = np.nan_to_num((high - low) / 2, nan=most, posinf=most)
    return np.clip(middle, -most, most).astype(np.float32), np.clip(away, 0, most).astype(np.float32)


def _known_starts(prepared: Prepared) -> Ints:
    """Where the windows begin of which at least one value is known."""
    windows = prepared.everything
    if windows.missing is None:
        return windows.starts
    known = np.concatenate([[0], np.cumsum(~windows.missing.all(axis=1))])
    return windows.starts[known[windows.starts + windows.window_size] > known[windows.starts]]


def _checked_pinned(pinned: int, prepared: Prepared) -> int:
    last = prepared.series.n_cells - prepared.window_size
    if not 0 <= pinned <= last:
        raise InputError(
            f"pinned is {pinned}; expected the cell where a window of {prepared.window_size} points begins: "
            f"0 to {last}."
        )
    return check_whole("pinned", pinned, least=0)


@contextmanager
def _own_policy() -> Iterator[None]:
    """Keras' dtype policy belongs to a thread: float32 in this one while it trains."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
