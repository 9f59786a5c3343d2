"""What a peer is asked, and what it answers: a script that runs in the Python of its own environment.

    python pyod_vae.py speed asked.npz answer.npz
    python pyod_vae.py quality asked.npz answer.npz

A peer is a class (`Peer` below); `answer` does the rest. This file needs NumPy alone, any version, and
nothing of vaenb.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

MB = 2**20


@dataclass
class Sizes:
    """The model of the speed benchmark; its quality is judged with the peer's own defaults instead."""

    hidden: int = 128
    latent: int = 8
    batch: int = 128
    scored: int = 1024  # windows scored at a time, where that can be chosen


class Peer(Protocol):
    """What a peer's script defines. `sizes` is None where it is to take its own defaults."""

    def __init__(self, window_size: int, n_channels: int, *, sizes: Sizes | None, seed: int) -> None: ...

    def train(self, windows: np.ndarray, epochs: int | None, on_epoch: Callable[[], None]) -> None:
        """Train on windows of shape (n_windows, window_size, n_channels); None is its own epochs."""

    def score(self, windows: np.ndarray) -> np.ndarray:
        """An anomaly score for each window."""


def cut(values: np.ndarray, window_size: int) -> np.ndarray:
    """All windows, laid out in memory, shape (n_windows, window_size, n_channels)."""
    windows = np.lib.stride_tricks.sliding_window_view(values, window_size, axis=0)
    return np.ascontiguousarray(windows.swapaxes(1, 2), dtype=np.float32)


def peak() -> float:
    """The most memory that this process ever had resident, in MB."""
    try:
        with Path("/proc/self/status").open() as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    except FileNotFoundError:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB


def speed(make: Callable[..., Peer], asked: dict[str, np.ndarray]) -> dict[str, object]:
    """Seconds of each epoch and of each scoring of all windows, and what was resident after each."""
    values, window_size = asked["values"], int(asked["window_size"])
    size = Sizes(hidden=int(asked["hidden"]), latent=int(asked["latent"]))
    imported = time.time() - float(asked["spawned"])
    own = peak()
    ends = [time.perf_counter()]
    windows = cut(values, window_size)
    peer = make(window_size, values.shape[1], sizes=size, seed=int(asked["seed"]))
    peer.train(windows, int(asked["epochs"]), lambda: ends.append(time.perf_counter()))
    trained, scored = peak(), []
    for _ in range(int(asked["scorings"])):
        began = time.perf_counter()
        peer.score(windows)
        scored.append(time.perf_counter() - began)
    return {
        "epochs": np.diff(ends),
        "scorings": scored,
        "imported": imported,
        "peaks": [own, trained, peak()],
    }


def quality(make: Callable[..., Peer], asked: dict[str, np.ndarray]) -> dict[str, object]:
    """The scores of all windows of a series, after training on those of its training part."""
    values, end, window_size = asked["values"], int(asked["train_end"]), int(asked["window_size"])
    windows = cut(values, window_size)
    peer = make(window_size, values.shape[1], sizes=None, seed=int(asked["seed"]))
    began = time.perf_counter()
    peer.train(windows[: end - window_size + 1], None, lambda: None)
    return {"window_scores": peer.score(windows), "seconds": time.perf_counter() - began}


def answer(make: Callable[..., Peer]) -> None:
    """Do what the command line says with a peer."""
    verb, asked, told = sys.argv[1:4]
    with np.load(asked) as given:
        known = dict(given)
    np.savez(told, **{"speed": speed, "quality": quality}[verb](make, known))
