"""Step 3, to be watched: a training that says after each epoch how the model sees a few windows."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import keras, tf
from vaenb.checks import check_fit, check_whole
from vaenb.errors import InputError
from vaenb.evidence import EpochFrame
from vaenb.graphs import as_tensor, gather_windows
from vaenb.training import new_run, train_until
from vaenb.training_run import TrainingRun, is_finite
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

SETTINGS = ("batch_size", "steps_per_epoch", "learning_rate", "kl_warmup", "patience", "restore_best")


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
        Of `vaenb.train`: any of `SETTINGS`.

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
        self.settings = {"seed": check_whole("seed", seed, least=0), **_checked_settings(settings or {})}
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
            {"n_cloud": n_cloud, "pinned": pinned, **self.settings},
        )
        self._values = as_tensor(prepared.everything)
        self._look = tf.function(partial(self._seen))
        self._run: TrainingRun | None = None
        self._diverged = False

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
            Of all epochs so far. The model has the best weights of all calls, and from these the next call
            goes on; the optimiser remembers, and nothing is compiled again.
        """

        def each(record: EpochRecord) -> None:
            if on_epoch:
                on_epoch(record)
            if on_frame:
                on_frame(self.frame())

        with _own_policy():
            run = self._ready_run()
            if on_frame and not run.records:
                on_frame(self.frame())
            until = len(run.records) + check_whole("epochs", epochs)
            history = train_until(
                run, until, patience=self.settings.get("patience"), on_epoch=each, stop=stop
            )
        self._diverged = history.stopped == "diverged"
        return history

    def _ready_run(self) -> TrainingRun:
        """The training as it was left; after one that diverged, with a fresh optimiser."""
        run, patience = self._run, self.settings.get("patience")
        if run is None or self._diverged:
            chosen = {name: value for name, value in self.settings.items() if name != "patience"}
            run = new_run(self.vae, self.prepared.train, self.prepared.calibration, **chosen)
            if self._run is not None:
                _go_on_from(self._run, run)
            self._run = run
        if patience is not None and run.epochs_without_gain >= patience:
            run.gain_epoch = len(run.records)  # going on is asked for: patience is counted anew
        return run

    # ------------------------------------------------------------------ how the model sees some windows

    def frame(self) -> EpochFrame:
        """How the model sees the pinned window and the cloud now."""
        starts = tf.constant(np.append(self.starts, self.pinned), tf.int32)
        latent, mean, spread, errors = (found.numpy() for found in self._look(self._values, starts))
        mean, spread = to_units(self.prepared.scaler, mean[-1], spread[-1])
        return EpochFrame(
            epoch=len(self._run.records) if self._run else 0,
            mean=mean,
            spread=spread,
            latent=latent[:-1],
            errors=errors[:-1],
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


def _go_on_from(before: TrainingRun, run: TrainingRun) -> None:
    """Give a fresh run what another one has learnt, but for its optimiser and an epoch without numbers."""
    run.records = [record for record in before.records if is_finite(record)]
    run.best_epoch, run.best_weights = before.best_epoch, before.best_weights
    run.gain_epoch, run.best_elbo = before.gain_epoch, before.best_elbo


def _checked_settings(settings: dict[str, Any]) -> dict[str, Any]:
    unknown = [name for name in settings if name not in SETTINGS]
    if unknown:
        raise InputError(
            f"watch_training knows no setting {unknown[0]!r}; expected some of {', '.join(SETTINGS)}."
        )
    return settings


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
