"""The six steps behind ``fit``, ``decision_function``, ``predict`` and ``detect``."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import BaseEstimator

from vaenb.errors import InputError
from vaenb.events import find_events
from vaenb.frames import events_frame, on_index
from vaenb.inputs import compare_clocks, read_alike, read_to_fit
from vaenb.judging.blame import evenly, normal_parts, share_blame
from vaenb.model import VAE
from vaenb.multiscale import MultiScale
from vaenb.preparing import cut_windows, prepare
from vaenb.scoring import METHODS, POINT_METHODS, channel_scores, encode, score
from vaenb.settings import as_code, check_settings, plain
from vaenb.thresholds.rules import as_rule, calibration_cells, fit_rule, rehearse
from vaenb.training import train
from vaenb.windows import whole_share

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vaenb.preparing import Prepared
    from vaenb.records import EpochRecord, Events, Floats, History, Scores, Series, Windows
    from vaenb.scaling import Scaler
    from vaenb.streaming import Stream
    from vaenb.thresholds.base import Threshold

_OF_MODEL = ("latent_dim", "hidden", "encoder", "likelihood", "scale", "prior", "kl_weight", "seed")
_OF_TRAINING = (
    "epochs",
    "steps_per_epoch",
    "batch_size",
    "learning_rate",
    "kl_warmup",
    "patience",
    "seed",
    "restore_best",
)
VOTES = ("lengths", "window", "point")
TOLERANCE = 0.15  # of `vaenb.score`, where lengths are weighed: chosen on nine sources (tests/benchmarks)
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

    def _forget(self) -> None:
        """Take everything fitted away, so that a failure cannot leave a mixture of two fits."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)

    def check_settings(self) -> None:
        """Refuse settings that would fail later, after minutes of training.

        Raises
        ------
        InputError
            With the name of the setting and what was expected.
        """
        check_settings(self.get_params(deep=False))
        if self.method not in METHODS:
            raise InputError(f"method is {self.method!r}; expected one of {', '.join(map(repr, METHODS))}.")
        if self.vote not in VOTES or (self.vote == "point" and self.method not in POINT_METHODS):
            raise InputError(
                f"vote is {self.vote!r}; expected one of {', '.join(map(repr, VOTES))}, "
                f"'point' only with {' or '.join(map(repr, POINT_METHODS))}."
            )

    def _chosen(self, names: Sequence[str]) -> dict[str, Any]:
        """Some of the settings, in Python's own numbers: Keras takes no others."""
        return {name: plain(getattr(self, name)) for name in names}

    # ------------------------------------------------------------------ fit, step by step

    def fit_prepare(self, X: Any, y: Any = None) -> Prepared:  # noqa: N803
        """The first step of `fit`: forget what was fitted, check the settings, scale, split, cut windows.

        `fit` is ``prepared = fit_prepare(X)``, ``fit_build()``, ``fit_train(prepared)``,
        ``scores = fit_score(prepared)``, ``fit_threshold(prepared, scores)``. One at a time, each can be
        looked at before the next.

        Parameters
        ----------
        X, y
            See `fit`.

        Returns
        -------
        Prepared

        Raises
        ------
        InputError
            If the data or a setting cannot be used.
        """
        self._forget()
        self.check_settings()
        series = read_to_fit(X, y)
        self.seconds_: dict[str, float] = {}
        with timed(self.seconds_, "prepare"):
            prepared = prepare(
                series, window_size=self.window_size, calibration=self.calibration, scaler=self.scaler
            )
            self.scaler_: Scaler = prepared.scaler
            self.window_size_ = int(prepared.window_size)
            self.imputes_ = whole_share(prepared.train) >= 0.5
            self.channels_ = series.channels
            self.train_stop_ = prepared.train_stop
            self.points_per_day_ = series.points_per_day
            self.notes_ = prepared.notes
            rehearse(as_rule(self.threshold), prepared)
        return prepared

    def fit_build(self) -> VAE:
        """The second step: the model, not trained; also ``model_``."""
        with timed(self.seconds_, "build"):
            self.model_ = VAE(self.window_size_, len(self.channels_), **self._chosen(_OF_MODEL))
        return self.model_

    def fit_train(self, prepared: Prepared, **told: Any) -> History:
        """The third step: train ``model_``; also ``history_``.

        Parameters
        ----------
        prepared : Prepared
            From `fit_prepare`.
        **told
            `on_epoch`, `stop` and `progress` of `vaenb.train`; no progress bar without a word.
        """
        chosen = {**self._chosen(_OF_TRAINING), "progress": False, **told}
        with timed(self.seconds_, "train"):
            self.history_ = train(self.model_, prepared.train, calibration=prepared.calibration, **chosen)
        return self.history_

    def fit_score(self, prepared: Prepared) -> Scores:
        """The fourth step: score everything, and the calibration part by windows of its own.

        Returns
        -------
        Scores
            On the cells of the series' grid; ``decision_scores_`` are those on its rows.
        """
        with timed(self.seconds_, "score"):
            found = self._fit_lengths(self._errors(prepared.everything), stop=prepared.train_stop)
            self.decision_scores_: Floats = prepared.series.to_rows(found.values)
            self.scores_ = replace(found, values=self.decision_scores_)
            held_out = prepared.calibration.over(calibration_cells(prepared))
            self.calibration_scores_: Floats = self._weigh(self._errors(held_out)).values
            self.normal_by_channel_: Floats = normal_parts(prepared.calibration, self.score_channels)
            sample = prepared.everything[evenly(len(prepared.everything), LATENT_WINDOWS)]
            self.latent_ = encode(self.model_, sample)
            self.latent_scores_ = found.window_values[np.searchsorted(found.window_starts, sample.starts)]
        return found

    def fit_threshold(self, prepared: Prepared, scores: Scores) -> Threshold:
        """The fifth step: fit the rule on the calibration scores; now it is fitted.

        Parameters
        ----------
        prepared : Prepared
            From `fit_prepare`.
        scores : Scores
            From `fit_score`.

        Returns
        -------
        Threshold
            Also ``rule_``.
        """
        with timed(self.seconds_, "threshold"):
            self.rule_: Threshold = as_rule(self.threshold)
            fit_rule(self.rule_, prepared, scores.values, held_out=self.calibration_scores_)
            self.threshold_ = float(self.rule_.threshold_)
            self.labels_ = (self.decision_scores_ > self.threshold_).astype(np.int8)
        return self.rule_

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

    def _errors(self, windows: Windows) -> Scores:
        """What windows say of each timestamp; for the lengths, NaN where nothing is known."""
        found = score(self.model_, windows, self.method, vote=self.window_vote, **self.drawing)
        if self.weighs_lengths and windows.missing is not None:
            found.values[windows.missing.all(axis=1)] = np.nan
        return found

    @property
    def weighs_lengths(self) -> bool:
        """Whether its scores come from errors averaged over several lengths."""
        return self.vote == "lengths" and self.method in POINT_METHODS

    @property
    def window_vote(self) -> str:
        """How windows vote on a timestamp, before lengths are weighed."""
        return "point" if self.weighs_lengths or self.vote == "point" else "window"

    @property
    def drawing(self) -> dict[str, Any]:
        """What `vaenb.score` is to take: `n_samples`, `tolerance`, `impute` and `seed`."""
        chosen = {"impute": self.imputes_, "seed": self.seed}
        if self.weighs_lengths:
            return {"n_samples": 0, "tolerance": TOLERANCE, **chosen}
        return {"n_samples": self.n_samples, **chosen}

    def _fit_lengths(self, errors: Scores, *, stop: int) -> Scores:
        """Learn what is usual up to `stop`; the scores that are judged."""
        lengths = MultiScale(self.window_size_) if self.weighs_lengths else None
        self.lengths_ = lengths and lengths.fit(errors.values[:stop])
        return self._weigh(errors)

    def _weigh(self, errors: Scores) -> Scores:
        """The scores that are judged; they take the place of the errors in memory."""
        if self.lengths_ is None:
            return errors
        return replace(errors, values=self.lengths_.transform(errors.values, out=errors.values))

    def score_channels(self, windows: Windows) -> NDArray[np.float64]:
        """Each channel's part of the score of each window, shape (n_windows, n_channels)."""
        return channel_scores(self.model_, windows, self.method, **self.drawing)

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


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Write into `seconds` how long the block took."""
    began = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - began, 4)
