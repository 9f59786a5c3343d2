"""What `fit` of a detector does, step by step. TensorFlow ring."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.inputs import read_to_fit
from vaenb.judged_scores import JudgedScores
from vaenb.judging.blame import evenly, normal_parts
from vaenb.model import VAE
from vaenb.preparing import prepare
from vaenb.scoring import encode
from vaenb.settings import check_settings, plain
from vaenb.thresholds.rules import as_rule, calibration_cells, fit_rule, rehearse
from vaenb.training import train
from vaenb.votes import METHODS, POINT_METHODS, VOTES
from vaenb.windows import whole_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vaenb.preparing import Prepared
    from vaenb.records import Floats, History, Scores
    from vaenb.scaling import Scaler
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
LATENT_WINDOWS = 2_000  # windows kept as a picture of the latent space


class FitSteps(JudgedScores):
    """The steps 1 to 5 of `vaenb.VAEDetector`, one at a time."""

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

    def _forget(self) -> None:
        """Take everything fitted away, so that a failure cannot leave a mixture of two fits."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)

    def _chosen(self, names: Sequence[str]) -> dict[str, Any]:
        """Some of the settings, in Python's own numbers: Keras takes no others."""
        return {name: plain(getattr(self, name)) for name in names}


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Write into `seconds` how long the block took."""
    began = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - began, 4)
