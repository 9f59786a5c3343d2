"""The six steps behind ``fit``, ``decision_function``, ``predict`` and ``detect``."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from vaenb.errors import InputError
from vaenb.events import find_events
from vaenb.model import VAE
from vaenb.preparing import cut_windows, prepare
from vaenb.reading import read_series
from vaenb.records import Events, Series
from vaenb.scoring import channel_scores, encode, score
from vaenb.thresholding import POT, Fixed, parse_threshold
from vaenb.training import train

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from vaenb.preparing import Prepared
    from vaenb.records import EpochRecord, Floats, History, Windows
    from vaenb.scaling import Scaler
    from vaenb.threshold_base import Threshold

BLAME_WINDOWS = 64  # windows looked at to tell an event's channels apart
LATENT_WINDOWS = 2_000  # windows kept as a picture of the latent space


class VAEDetector(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Find anomalies in a time series with a variational autoencoder.

    The defaults are one setting, chosen to work on a series nobody has looked at.

    Parameters
    ----------
    window_size : int or "auto"
        Points in a window; "auto" reads the dominant period of the training part.
    latent_dim : int
    hidden : sequence of int, optional
    encoder, likelihood, scale, prior, kl_weight
        See `vaenb.VAE`.
    epochs : int
    steps_per_epoch : int
        Batches in an epoch, whatever the length of the series.
    batch_size : int
    learning_rate : float
    kl_warmup, patience
        See `vaenb.train`.
    method : str
        See `vaenb.score`.
    n_samples : int
        Draws of z for each window.
    threshold : Threshold, str or float, optional
        A rule of step 5, its short name ("percentile:95"), or the threshold itself.
        Default: ``vaenb.POT()``.
    calibration : float
        Share of the training part, at its end, that is held out to set the threshold on.
    scaler : {"robust", "standard", "minmax"}
    seed : int
        The same seed, data and machine give the same scores.

    Attributes
    ----------
    model_ : VAE
    scaler_ : Scaler
    window_size_ : int
    history_ : History
    rule_ : Threshold
        The fitted rule, with its promise.
    threshold_ : float
        A timestamp with a score above it is flagged; in the units of the scores.
    calibration_scores_ : ndarray of float64, shape (n_calibration,)
    decision_scores_ : ndarray of float64, shape (n_rows,)
        Scores of what it was fitted on.
    labels_ : ndarray of int8, shape (n_rows,)
        Their flags, 0/1.
    channels_ : tuple of str
    seconds_ : dict of str to float
        How long each step took.

    Examples
    --------
    >>> import vaenb
    >>> series = vaenb.load_dataset("nyc_taxi")
    >>> detector = vaenb.VAEDetector(epochs=1, steps_per_epoch=20).fit(series)
    >>> scores = detector.decision_function(series)
    >>> len(scores) == len(series)
    True
    """

    def __init__(
        self,
        *,
        window_size: int | Literal["auto"] = "auto",
        latent_dim: int = 8,
        hidden: Sequence[int] | None = None,
        encoder: str = "dense",
        likelihood: str = "normal",
        scale: str = "per_point",
        prior: str = "standard",
        kl_weight: float = 1.0,
        epochs: int = 30,
        steps_per_epoch: int = 200,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        kl_warmup: int = 0,
        patience: int | None = None,
        method: str = "reconstruction_probability",
        n_samples: int = 8,
        threshold: Threshold | str | float | None = None,
        calibration: float = 0.2,
        scaler: Literal["robust", "standard", "minmax"] = "robust",
        seed: int = 0,
    ) -> None:
        self.window_size = window_size
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.encoder = encoder
        self.likelihood = likelihood
        self.scale = scale
        self.prior = prior
        self.kl_weight = kl_weight
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.kl_warmup = kl_warmup
        self.patience = patience
        self.method = method
        self.n_samples = n_samples
        self.threshold = threshold
        self.calibration = calibration
        self.scaler = scaler
        self.seed = seed

    # ------------------------------------------------------------------ fit

    def fit(
        self,
        X: Any,  # noqa: N803 - scikit-learn's name
        y: Any = None,
        *,
        on_epoch: Callable[[EpochRecord], None] | None = None,
        stop: threading.Event | None = None,
        progress: bool = False,
    ) -> VAEDetector:
        """Take the steps 1 to 5 on the training part of a series.

        Parameters
        ----------
        X : Series, DataFrame or array_like, shape (n_timestamps, n_channels)
            Of a `Series`, the rows up to its ``train_end`` are learnt from; of anything else, all rows.
        y : array_like of 0/1, shape (n_timestamps,), optional
            Labels; only a threshold of ``BestF1`` looks at them.
        on_epoch, stop, progress
            See `vaenb.train`.

        Raises
        ------
        InputError
            If the data cannot be used; the message says why.
        """
        series = _as_series(X, labels=y, train_on_all=True)
        self.seconds_: dict[str, float] = {}
        with self._timed("prepare"):
            prepared = prepare(
                series, window_size=self.window_size, calibration=self.calibration, scaler=self.scaler
            )
            self._remember(prepared)
        with self._timed("build"):
            self.model_ = self._build()
        with self._timed("train"):
            self.history_: History = train(
                self.model_,
                prepared.train,
                calibration=prepared.calibration,
                epochs=self.epochs,
                batch_size=self.batch_size,
                steps_per_epoch=self.steps_per_epoch,
                learning_rate=self.learning_rate,
                kl_warmup=self.kl_warmup,
                patience=self.patience,
                seed=self.seed,
                on_epoch=on_epoch,
                stop=stop,
                progress=progress,
            )
        self._score_and_judge(series, prepared)
        return self

    def _remember(self, prepared: Prepared) -> None:
        self.scaler_: Scaler = prepared.scaler
        self.window_size_ = prepared.window_size
        self.channels_ = prepared.series.channels
        self.train_stop_ = prepared.train_stop
        self.points_per_day_ = prepared.series.points_per_day
        self.notes_ = prepared.notes

    def _build(self) -> VAE:
        return VAE(
            self.window_size_,
            len(self.channels_),
            latent_dim=self.latent_dim,
            hidden=self.hidden,
            encoder=self.encoder,
            likelihood=self.likelihood,
            scale=self.scale,
            prior=self.prior,
            kl_weight=self.kl_weight,
            seed=self.seed,
        )

    def _score_and_judge(self, series: Series, prepared: Prepared) -> None:
        with self._timed("score"):
            found = self._score(prepared.everything)
            self.decision_scores_: Floats = series.to_rows(found.values)
            self.scores_ = replace(found, values=self.decision_scores_)
            held_out = np.asarray(self._score(prepared.calibration))
            part = slice(prepared.train_stop, prepared.calibration_stop)
            self.calibration_scores_: Floats = held_out[part]
            self.normal_by_channel_ = np.median(self._by_channel(_thin(prepared.calibration, 512)), axis=0)
            sample = _thin(prepared.everything, LATENT_WINDOWS)
            self.latent_ = encode(self.model_, sample)
            self.latent_scores_ = found.window_values[np.searchsorted(found.window_starts, sample.starts)]
        with self._timed("threshold"):
            on_cells = _labels_on_cells(series)
            self.rule_: Threshold = self._rule().fit(
                self.calibration_scores_,
                labels=None if on_cells is None else on_cells[part],
                window_size=self.window_size_,
                points_per_day=self.points_per_day_,
            )
            self.threshold_ = float(self.rule_.threshold_)
            self.labels_ = (self.decision_scores_ > self.threshold_).astype(np.int8)

    def _rule(self) -> Threshold:
        if self.threshold is None:
            return POT()
        if isinstance(self.threshold, str):
            return parse_threshold(self.threshold)
        if isinstance(self.threshold, int | float):
            return Fixed(float(self.threshold))
        return type(self.threshold)(**self.threshold.settings)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds_[step] = round(time.perf_counter() - began, 4)

    # ------------------------------------------------------------------ use

    def decision_function(self, X: Any) -> Any:  # noqa: N803
        """The anomaly score of every timestamp; higher = more anomalous.

        Parameters
        ----------
        X : Series, DataFrame or array_like, shape (n_timestamps, n_channels)

        Returns
        -------
        pandas.Series or ndarray, shape (n_timestamps,)
            On the index of `X` where it has one.

        Raises
        ------
        InputError
            If it is not fitted, or the channels are others than at fit.
        """
        series = self._check(X)
        return _on_index(self._scores_on_rows(series), X, series, "score")

    def predict(self, X: Any) -> Any:  # noqa: N803
        """0/1 a timestamp: 1 where the score lies above ``threshold_``. Same index as `decision_function`."""
        series = self._check(X)
        flags = (self._scores_on_rows(series) > self.threshold_).astype(np.int8)
        return _on_index(flags, X, series, "flag")

    def detect(self, X: Any) -> pd.DataFrame:  # noqa: N803
        """The events, in time order: runs of flagged timestamps, with at most a window between them.

        Returns
        -------
        DataFrame
            ``start``, ``end`` and ``peak`` on the index of `X` (``end`` is the last row of the event),
            ``n_points``, ``score`` (at the peak), ``severity`` (0 on the threshold, 1 twice as far from the
            median normal score as the threshold is) and ``channels``: whom to blame, with their shares.
        """
        series = self._check(X)
        return events_frame(self.find_events(series), series)

    def find_events(self, series: Series, *, scores: Floats | None = None) -> Events:
        """As `detect`, but as the record `Events`: positions count the rows in the order of time."""
        order = np.argsort(series.cells, kind="stable")
        on_rows = self._scores_on_rows(series) if scores is None else scores
        found = find_events(
            on_rows[order], self.threshold_, merge_gap=self.window_size_, normal=self.calibration_scores_
        )
        windows = cut_windows(series, self.scaler_, window_size=self.window_size_)
        shares = [
            self._blame(windows, series.cells[order[first]], series.cells[order[last - 1]])
            for first, last in zip(found.start, found.stop, strict=True)
        ]
        return replace(found, shares=np.array(shares).reshape(len(found), series.n_channels))

    def score_series(self, series: Series) -> Any:
        """`Scores` on the cells of the series' grid, windows' scores included."""
        return self._score(cut_windows(self._check(series), self.scaler_, window_size=self.window_size_))

    def _scores_on_rows(self, series: Series) -> Floats:
        return series.to_rows(self.score_series(series).values)

    def _score(self, windows: Windows) -> Any:
        return score(self.model_, windows, self.method, n_samples=self.n_samples, seed=self.seed)

    def _by_channel(self, windows: Windows) -> NDArray[np.float64]:
        return channel_scores(self.model_, windows, self.method, n_samples=self.n_samples, seed=self.seed)

    def _blame(self, windows: Windows, first: int, last: int) -> NDArray[np.float64]:
        """Each channel's share: what it adds to the score beyond what it adds to a normal window's."""
        near = (windows.starts > first - windows.window_size) & (windows.starts <= last)
        by_channel = np.nanmean(self._by_channel(_thin(windows[near], BLAME_WINDOWS)), axis=0)
        excess = np.maximum(by_channel - self.normal_by_channel_, 0.0)
        return excess / excess.sum() if excess.sum() > 0 else np.full(len(excess), 1.0 / len(excess))

    def _check(self, X: Any) -> Series:  # noqa: N803
        if not hasattr(self, "threshold_"):
            raise InputError("The detector is not fitted: call fit(series) first, or vaenb.load(file).")
        series = _as_series(X)
        if series.channels != self.channels_:
            raise InputError(
                f"The channels are {_names(series.channels)}; the detector was fitted on "
                f"{_names(self.channels_)}. Give the same columns, in the same order."
            )
        return series

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted detector to one file; `vaenb.load` opens it."""
        from vaenb.saving import save_detector

        self._check_fitted_for_saving()
        save_detector(self, path)

    def _check_fitted_for_saving(self) -> None:
        if not hasattr(self, "threshold_"):
            raise InputError(
                "The detector is not fitted, so there is nothing to save: call fit(series) first."
            )


def load(path: str | os.PathLike[str]) -> VAEDetector:
    """Open a detector that `VAEDetector.save` wrote; nothing in the file is executed.

    Raises
    ------
    BundleError
        If the file is no detector, is damaged, or was written by a newer version.
    """
    from vaenb.saving import load_detector

    return load_detector(path)


def events_frame(events: Events, series: Series) -> pd.DataFrame:
    """Events as a table on the index of the series; see `VAEDetector.detect`."""
    index = series.index[np.argsort(series.cells, kind="stable")]
    frame = pd.DataFrame(
        {
            "start": index[events.start],
            "end": index[events.stop - 1],
            "peak": index[events.peak],
            "n_points": events.stop - events.start,
            "score": events.score,
            "severity": events.severity,
        }
    )
    shares = np.empty((0, 0)) if events.shares is None else events.shares
    frame["channels"] = [_blamed(series.channels, row) for row in shares]
    return frame


def _blamed(channels: tuple[str, ...], shares: NDArray[np.float64]) -> str:
    """The channels that make up nine tenths of the blame, at most five."""
    order = np.argsort(shares)[::-1]
    enough = int(np.searchsorted(np.cumsum(shares[order]), 0.9)) + 1
    return ", ".join(f"{channels[i]} {shares[i]:.0%}" for i in order[: min(enough, 5)])


def _as_series(X: Any, *, labels: Any = None, train_on_all: bool = False) -> Series:  # noqa: N803
    if isinstance(X, Series):
        return X if labels is None else read_series(X, labels=labels)
    series = read_series(X, labels=labels)
    return replace(series, train_end=len(series)) if train_on_all else series


def _labels_on_cells(series: Series) -> NDArray[np.int8] | None:
    if series.labels is None:
        return None
    on_cells = np.zeros(series.n_cells, dtype=np.int8)
    np.maximum.at(on_cells, series.cells, series.labels)
    return on_cells


def _on_index(values: NDArray[Any], X: Any, series: Series, name: str) -> Any:  # noqa: N803
    if isinstance(X, Series):
        return pd.Series(values, index=series.frame.index, name=name)
    if isinstance(X, pd.DataFrame | pd.Series):
        return pd.Series(values, index=X.index, name=name)
    return values


def _thin(windows: Windows, most: int) -> Windows:
    """At most so many of the windows, evenly spaced."""
    return windows[np.unique(np.linspace(0, len(windows) - 1, min(most, len(windows))).astype(np.int64))]


def _names(channels: tuple[str, ...]) -> str:
    shown = ", ".join(repr(name) for name in channels[:6])
    return f"{shown} and {len(channels) - 6} more" if len(channels) > 6 else shown
