"""The six steps behind ``fit``, ``decision_function``, ``predict`` and ``detect``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaenb.errors import InputError
from vaenb.events import find_events
from vaenb.fit_steps import FitSteps
from vaenb.frames import events_frame, on_index
from vaenb.inputs import compare_clocks, read_alike
from vaenb.judging.blame import share_blame
from vaenb.preparing import cut_windows
from vaenb.settings import as_code

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable, Sequence

    import pandas as pd

    from vaenb.records import EpochRecord, Events, Floats, Scores, Series
    from vaenb.streaming import Stream
    from vaenb.thresholds.base import Threshold


class VAEDetector(FitSteps):
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
    kl_warmup, patience, restore_best
        See `vaenb.train`. By default all epochs count: where a series drifts, the epoch with the best
        calibration ELBO is often one that has learnt too little.
    method : str
        See `vaenb.score`.
    vote : {"lengths", "window", "point"}
        "lengths" averages the errors of single points over several lengths, from a point to eight windows,
        and judges them together (`vaenb.multiscale.MultiScale`); its scores have no unit. It takes the
        errors at the posterior's mean, with a tolerance of 0.15 scaled units, and leaves missing points out
        of its averages. "window" and "point" are those of `vaenb.score`, in nats or squared scaled units. A
        method without errors of single points ("elbo", "iwae", "latent") votes by window in place of lengths.
    n_samples : int
        Draws of z for each window, where lengths are not weighed.
    threshold : Threshold, str or float, optional
        A rule of step 5, its short name ("percentile:95"), or the threshold itself.
        Default: ``vaenb.ExponentialTail()``.
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
    imputes_ : bool
        Whether missing points are imputed for the encoder: where most windows of the training part are whole.
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
        restore_best: bool = False,
        method: str = "reconstruction_probability",
        vote: Literal["lengths", "window", "point"] = "lengths",
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
        self.restore_best = restore_best
        self.method = method
        self.vote = vote
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

        Returns
        -------
        VAEDetector
            Itself.

        Raises
        ------
        InputError
            If the data or a setting cannot be used; the message says why. It is then not fitted.

        Warns
        -----
        ThresholdWarning
            If ``BestF1`` finds no labelled anomaly in the calibration part, and is fitted on all scores.
        """
        prepared = self.fit_prepare(X, y)
        self.fit_build()
        self.fit_train(prepared, on_epoch=on_epoch, stop=stop, progress=progress)
        self.fit_threshold(prepared, self.fit_score(prepared))
        return self

    # ------------------------------------------------------------------ use

    def decision_function(self, X: Any) -> Any:  # noqa: N803
        """The anomaly score of every timestamp; higher = more anomalous.

        Parameters
        ----------
        X : Series, DataFrame or array_like, shape (n_timestamps, n_channels)
            With the channels it was fitted on; an array has them in the same order.

        Returns
        -------
        pandas.Series or ndarray, shape (n_timestamps,)
            On the index of `X` where it has one.

        Raises
        ------
        InputError
            If it is not fitted, the channels are others than at fit, or there is less than one window.

        Warns
        -----
        SamplingWarning
            If the interval between its points is not the one at fit.
        """
        series = self._read(X)
        return on_index(self._scores_on_rows(series), X, series, "score")

    def predict(self, X: Any) -> Any:  # noqa: N803
        """0/1 a timestamp: 1 where the score lies above ``threshold_``. Same index as `decision_function`."""
        series = self._read(X)
        flags = (self._scores_on_rows(series) > self.threshold_).astype(np.int8)
        return on_index(flags, X, series, "flag")

    def detect(self, X: Any) -> pd.DataFrame:  # noqa: N803
        """The events, in time order: runs of flagged timestamps, joined where at most a window lies between.

        Returns
        -------
        DataFrame
            ``start``, ``end`` and ``peak`` on the index of `X` (``end`` is the last row of the event),
            ``n_points``, ``score`` (at the peak), ``severity`` (0 on the threshold, 1 twice as far from the
            median normal score as the threshold is) and ``channels``: whom to blame, with their shares.
        """
        series = self._read(X)
        return events_frame(self._find_events(series, self._scores_on_rows(series)), series)

    def update(self, new_points: Any) -> pd.DataFrame:
        """Score points as they come: what is new of a series that is still growing.

        The points follow those of the last call; the first call, and the first after a fit, begin a stream
        that has seen nothing. `start_stream` gives it a past, without which there are no scores until there
        is a window of points, or begins afresh. See `vaenb.Stream`, also for several streams at a time.

        Parameters
        ----------
        new_points : Series, DataFrame, pandas Series or array_like, shape (n, n_channels) or (n_channels,)

        Returns
        -------
        DataFrame
            On the index of the new points: ``score``, provisional; ``threshold``; ``flag``. They are what
            `decision_function` says of all points so far; ``detector.stream_.scores()`` has the scores of all
            points as they stand now.

        Raises
        ------
        InputError
            If it is not fitted, or the points cannot follow; nothing was taken then.
        """
        self._check_fitted("call fit(series) first, or vaenb.load(file)")
        if not hasattr(self, "stream_"):
            self.start_stream()
        return self.stream_.update(new_points)

    def start_stream(
        self, history: Any = None, *, threshold: Threshold | str | float | None = None
    ) -> Stream:
        """Begin a new stream for `update`; also ``stream_``. No file and no copy of the detector has it.

        Parameters
        ----------
        history, threshold
            See `vaenb.Stream`: what came before, and ``"dspot"`` for a threshold that follows drift.
        """
        from vaenb.streaming import Stream

        self.stream_ = Stream(self, history, threshold=threshold)
        return self.stream_

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "stream_"}

    def find_events(self, series: Series, *, scores: Floats | None = None) -> Events:
        """As `detect`, but as the record `Events`: positions count the rows in the order of time.

        Parameters
        ----------
        series : Series
        scores : ndarray, shape (n_rows,), optional
            The scores of its rows, where they are known already.
        """
        series = self._read(series)
        return self._find_events(series, self._scores_on_rows(series) if scores is None else scores)

    def _find_events(self, series: Series, scores: Floats) -> Events:
        order = np.argsort(series.cells, kind="stable")
        found = find_events(
            scores[order], self.threshold_, merge_gap=self.window_size_, normal=self.calibration_scores_
        )
        windows = cut_windows(series, self.scaler_, window_size=self.window_size_)
        cells = series.cells[order]
        shares = share_blame(
            windows,
            cells[found.start],
            cells[found.stop - 1],
            normal=self.normal_by_channel_,
            score_channels=self.score_channels,
        )
        return replace(found, shares=shares)

    def score_series(self, series: Series) -> Scores:
        """`Scores` on the cells of the series' grid, the windows' own scores included."""
        return self._score(self._read(series))

    def _score(self, series: Series) -> Scores:
        # Nothing but the scores keeps a name: of a long series, all else would fill the memory.
        return self._weigh(self._errors(cut_windows(series, self.scaler_, window_size=self.window_size_)))

    def _scores_on_rows(self, series: Series) -> Floats:
        return series.to_rows(self._score(series).values)

    def _read(self, X: Any) -> Series:  # noqa: N803
        self._check_fitted("call fit(series) first, or vaenb.load(file)")
        series = read_alike(X, self.channels_)
        compare_clocks(series, self.points_per_day_, stacklevel=4)
        return series

    def _check_fitted(self, advice: str) -> None:
        if not hasattr(self, "threshold_"):
            raise InputError(f"The detector is not fitted: {advice}.")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted detector to one file, whole or not at all; `vaenb.load` opens it.

        Raises
        ------
        InputError
            If it is not fitted.
        OutputError
            If the file cannot be written; what was there before is untouched.
        """
        from vaenb.saving import save_detector

        self._check_fitted("there is nothing to save; call fit(series) first")
        save_detector(self, path)

    def __repr__(self, N_CHAR_MAX: int = 0) -> str:  # noqa: N803 - scikit-learn's signature
        """The line of Python that makes it."""
        return as_code(type(self).__name__, self.get_params(deep=False), type(self)().get_params(deep=False))
