"""What does the steps of a study. TensorFlow is imported when a model is built, by the thread that asks.

Its own module belongs to the NumPy ring: a saved study opens where TensorFlow cannot be imported.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.preparing import prepare
from vaenb.study_file import StudyFile, write_study

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from vaenb.detector import VAEDetector
    from vaenb.evidence import Decode, EpochFrame, Evidence
    from vaenb.preparing import Prepared
    from vaenb.records import EpochRecord, History, Series
    from vaenb.thresholds.base import Threshold

MOST_FRAMES: Final = 400  # of a training that are kept; beyond, every second one is forgotten
_OF_SCORES: Final = ("method", "vote", "n_samples", "threshold")
_OF_TRAINING: Final = (
    "steps_per_epoch",
    "batch_size",
    "learning_rate",
    "kl_warmup",
    "patience",
    "restore_best",
)


class Training:
    """A training whose frames and runs are kept: what `TrainingPanel` calls.

    Parameters
    ----------
    watched : callable
        What `vaenb.watch_training` gives.

    Attributes
    ----------
    window, index, channels, pinned, starts, code
        See `vaenb.watching.WatchedTraining`.
    frames : list of EpochFrame
    runs : list of int
        The epochs of each call so far.
    history : History or None
    on_begin, on_end : callable or None
        Called in the thread that trains: at the beginning, and with the history at a good end.
    """

    def __init__(self, watched: Any) -> None:
        self._watched = watched
        self.window, self.index, self.channels = watched.window, watched.index, watched.channels
        self.pinned, self.starts, self.code = watched.pinned, watched.starts, watched.code
        self.frames: list[EpochFrame] = []
        self.runs: list[int] = []
        self.history: History | None = None
        self.on_begin: Callable[[], None] | None = None
        self.on_end: Callable[[History | None], None] | None = None

    def __call__(
        self,
        *,
        epochs: int,
        on_epoch: Callable[[EpochRecord], None] | None = None,
        on_frame: Callable[[EpochFrame], None] | None = None,
        stop: threading.Event | None = None,
    ) -> History:
        """Train for so many epochs more; see `vaenb.watching.WatchedTraining`."""

        def keep(frame: EpochFrame) -> None:
            self._keep(frame)
            if on_frame:
                on_frame(frame)

        if self.on_begin:
            self.on_begin()
        found: History | None = None
        try:
            found = self._watched(epochs=epochs, on_epoch=on_epoch, on_frame=keep, stop=stop)
            self.runs.append(len(found) - sum(self.runs))
            self.history = found
            return found
        finally:
            if self.on_end:
                self.on_end(found)

    def _keep(self, frame: EpochFrame) -> None:
        self.frames.append(frame)
        if len(self.frames) > MOST_FRAMES:
            self.frames = [*self.frames[:-1:2], frame]


class Engine:
    """The model of a study and what came of it.

    Parameters
    ----------
    saved : StudyFile, optional
        What a file holds.

    Attributes
    ----------
    training : Training or None
        Once a model is built.
    evidence : Evidence or None
        Once the series is scored.
    decode : callable or None
        The decoder of the evidence's model, where it is at hand.
    notes : list of str
        What the last step had to say.
    """

    def __init__(self, saved: StudyFile | None = None, *, path: str | os.PathLike[str] = "") -> None:
        self._saved, self._path = saved, path
        self._built: VAEDetector | None = None
        self._fitted: VAEDetector | None = None
        self._prepared: Prepared | None = None
        self.training: Training | None = None
        self.evidence: Evidence | None = None if saved is None else saved.evidence
        self.decode: Decode | None = None
        self.notes: list[str] = []

    # ------------------------------------------------------------------ the steps

    def build(self, series: Series, params: Mapping[str, Any]) -> None:
        """Step 2: a new model, not trained, and a training that waits for its start.

        Raises
        ------
        InputError
            If a setting cannot be used, or TensorFlow cannot be imported.
        """
        detector_class, watch_training = _tensorflow_ring()
        with self._listening():
            detector = detector_class(**params)
            prepared = detector.fit_prepare(series)
            vae = detector.fit_build()
            told = {name: params[name] for name in _OF_TRAINING if name in params}
            watched = watch_training(vae, prepared, seed=detector.seed, **told)
        self._built, self._prepared, self.training = detector, prepared, Training(watched)

    @staticmethod
    def sample(settings: Mapping[str, Any], n: int, seed: int) -> Any:
        """Windows from the prior of a model that is not trained; see `vaenb.sample_prior`."""
        _tensorflow_ring()
        from vaenb.sampling import sample_prior

        return sample_prior(settings, n, seed)

    def score(self, series: Series, params: Mapping[str, Any]) -> None:
        """Steps 4 and 5: score the series, fit the rule, and gather the evidence.

        Raises
        ------
        InputError
            If nothing was trained.
        """
        detector, prepared = self._trained(series)
        from vaenb.explaining import decoder_of, explain

        told = {name: params[name] for name in _OF_SCORES if name in params}
        with self._listening():
            detector.set_params(**told)
            detector.check_settings()
            scores = detector.fit_score(prepared)
            detector.fit_threshold(prepared, scores)
            found = explain(detector, prepared.series, scores=scores)
        self.evidence = replace(found, **self._of_training())
        self._fitted, self.decode = detector, decoder_of(detector)

    def _trained(self, series: Series) -> tuple[VAEDetector, Prepared]:
        """The detector with its trained model, and its windows; of a saved study, made from the file."""
        training = self.training
        if self._built is None or self._prepared is None or training is None:
            detector = self.detector
            share, scaler = detector.calibration, detector.scaler
            return detector, prepare(
                series, window_size=detector.window_size_, calibration=share, scaler=scaler
            )
        if training.history is None:
            raise InputError("Nothing was trained yet: train first, then score.")
        self._built.set_params(epochs=max(1, sum(training.runs)))
        self._built.history_ = training.history
        seconds = sum(each.seconds for each in training.history.epochs)
        self._built.seconds_["train"] = round(seconds, 4)
        return self._built, self._prepared

    def _of_training(self) -> dict[str, Any]:
        """What the evidence says of the training."""
        if self.training is None:
            return {name: getattr(self.shown, name) for name in ("frames", "pinned", "frame_starts")}
        return {
            "frames": tuple(self.training.frames),
            "pinned": int(self.training.pinned),
            "frame_starts": np.asarray(self.training.starts, dtype=np.int64),
        }

    def set_rule(self, rule: Threshold) -> None:
        """Another rule, fitted; the scores stay. It needs no TensorFlow."""
        settings = {**self.shown.settings, "threshold": rule}
        self.evidence = replace(self.shown, rule=rule, settings=settings)
        if self._fitted is not None:
            _apply_rule(self._fitted, rule)

    # ------------------------------------------------------------------ what came of them

    @property
    def shown(self) -> Evidence:
        """The evidence; an `InputError` where there is none yet."""
        if self.evidence is None:
            raise InputError("The study has no scores yet: run it first.")
        return self.evidence

    @property
    def detector(self) -> VAEDetector:
        """The fitted detector; that of a saved study is built now.

        Raises
        ------
        InputError
            If nothing is fitted, or TensorFlow cannot be imported.
        """
        if self._fitted is None:
            if self._saved is None:
                raise InputError("The study has no fitted detector yet: run it first.")
            _tensorflow_ring()
            from vaenb.saving import build_detector

            self._fitted = build_detector(self._path, *self._saved.detector)
            if self.evidence is not None:
                _apply_rule(self._fitted, self.evidence.rule)
        return self._fitted

    def save(self, path: str | os.PathLike[str], told: Mapping[str, Any]) -> None:
        """Write detector and evidence into one file.

        Raises
        ------
        InputError
            If nothing is fitted.
        OutputError
            If it cannot be written.
        """
        evidence = self.shown
        if self._saved is not None and self._fitted is None:
            part = self._saved.detector
        else:
            from vaenb.saving import describe_detector

            part = describe_detector(self.detector)
        write_study(path, StudyFile(evidence=evidence, detector=part, told=dict(told)))

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Warnings become notes: a thread must not write under somebody's cell."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        own = [str(each.message) for each in caught if each.category.__module__.startswith("vaenb")]
        self.notes = list(dict.fromkeys(own))


def _apply_rule(detector: VAEDetector, rule: Threshold) -> None:
    detector.set_params(threshold=rule)
    detector.rule_, detector.threshold_ = rule, float(rule.threshold_)
    detector.labels_ = (detector.decision_scores_ > detector.threshold_).astype(np.int8)


def _tensorflow_ring() -> tuple[Any, Any]:
    try:
        from vaenb.detector import VAEDetector
        from vaenb.watching import watch_training
    except ImportError as error:
        raise InputError(
            f"TensorFlow cannot be imported here ({error}): what was saved can be looked at without it; to "
            "build, train or score, install it with pip install tensorflow tensorflow-probability tf-keras."
        ) from error
    return VAEDetector, watch_training
