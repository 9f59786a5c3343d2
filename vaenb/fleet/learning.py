"""From what was prepared to a detector with a threshold, or to none at all. TensorFlow ring at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

    from vaenb.detector import VAEDetector
    from vaenb.preparing import Prepared


def learn(detector: VAEDetector, prepared: Prepared, *, stop: threading.Event | None = None) -> bool:
    """Build, train and set the threshold, as `vaenb.VAEDetector.fit` does; False after a stop.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C. `vaenb.train` takes it as the end of the training; but nobody waits for the detector of
        one series among many, and the results of half a training would be kept as those of a whole one.
    """
    detector.fit_build()
    stopped = detector.fit_train(prepared, stop=stop).stopped
    if stopped == "interrupted":
        raise KeyboardInterrupt
    if stopped == "stop event":
        return False
    detector.fit_threshold(prepared, detector.fit_score(prepared))
    return True
