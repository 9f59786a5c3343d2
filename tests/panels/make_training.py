"""A training without a model: epochs that take a while, hear `stop`, and get better; always the same."""

import time

import numpy as np

from vaenb.evidence import EpochFrame
from vaenb.records import EpochRecord, History

SIZE, LATENT, N = 48, 4, 60


def make_record(epoch, *, active=3, held=True, warmth=1.0):
    """The measures of an epoch; `active` of 4 latent dimensions say something."""
    fall = 0.9**epoch
    kl = np.where(np.arange(LATENT) < active, 2.0 - fall, 1e-4)
    elbo = -20 - 180 * fall
    return EpochRecord(
        epoch=epoch,
        elbo=elbo,
        reconstruction=elbo + kl.sum(),
        kl=float(kl.sum()),
        kl_per_dim=kl,
        active_units=active,
        kl_weight=warmth,
        seconds=0.05,
        calibration_elbo=elbo - 2 - 0.01 * epoch if held else None,
        calibration_reconstruction=elbo + kl.sum() - 2 if held else None,
        calibration_kl=float(kl.sum()) if held else None,
    )


def make_window(channels=1):
    """The pinned window of these trainings, (48, channels)."""
    t = np.arange(SIZE) * 2 * np.pi / SIZE
    return np.stack([(1 + place) * np.sin(t) for place in range(channels)], axis=1)


def make_frame(epoch, *, channels=1, latent=LATENT):
    """How a model would see the pinned window and 60 others."""
    rng = np.random.default_rng(7)
    fall = 0.9**epoch
    window = make_window(channels)
    return EpochFrame(
        epoch=epoch,
        mean=((1 - fall) * window).astype(np.float32),
        spread=np.full(window.shape, 0.1 + fall, dtype=np.float32),
        latent=((1 - 0.7 * fall) * rng.normal(size=(N, latent))).astype(np.float32),
        errors=((0.02 + fall) * rng.uniform(0.2, 2.0, size=N)).astype(np.float32),
    )


class Training:
    """Call it to train; `kept` is the epoch whose weights a model would have.

    Parameters
    ----------
    seconds : float
        An epoch takes so long; `stop` is heard every hundredth of a second.
    fails_at : int, optional
        The epoch in which it raises a ValueError.
    """

    def __init__(self, seconds=0.0, *, channels=1, active=3, fails_at=None, frames=True):
        self.seconds, self.active, self.fails_at, self.frames = seconds, active, fails_at, frames
        self.window = make_window(channels)
        self.channels = tuple(f"sensor {place}" for place in range(channels))
        self.code = "from make_training import Training\n\ntraining = Training()"
        self.records, self.kept, self.is_stopped = [], 0, False

    def __call__(self, *, epochs, on_epoch, on_frame, stop):
        """Train for so many epochs more."""
        channels, until = len(self.channels), len(self.records) + epochs
        if self.frames and not self.records:
            on_frame(make_frame(0, channels=channels))
        stopped = "finished"
        while len(self.records) < until:
            epoch = len(self.records) + 1
            if self._sleeps(stop):
                stopped = "stop event"
                break
            if epoch == self.fails_at:
                raise ValueError(f"epoch {epoch} went wrong\nwith a second line")
            self.records.append(make_record(epoch, active=self.active))
            on_epoch(self.records[-1])
            if self.frames:
                on_frame(make_frame(epoch, channels=channels))
        self.kept, self.is_stopped = max(0, len(self.records) - 1), stopped != "finished"
        return History(epochs=tuple(self.records), best_epoch=self.kept, stopped=stopped)

    def _sleeps(self, stop):
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and not stop.is_set():
            time.sleep(min(0.01, self.seconds))
        return stop.is_set()
