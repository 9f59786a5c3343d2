"""How fast: training against Keras' ``fit`` and eager PyTorch, scoring against Keras' ``predict``.

python tests/benchmarks/speed.py [--rounds 15] [--without-torch]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from common import median, one_turn_each, save, seconds_of, table, take_turns

import vaenb

if TYPE_CHECKING:
    from common import Contender

    from vaenb.records import EpochRecord, Windows

N_WINDOWS, WINDOW_SIZE, HIDDEN, LATENT, BATCH = 20_000, 64, (128,), 8, 128
DRAWS = 8
LEARNING_RATE = 1e-3
STEPS = -(-N_WINDOWS // BATCH)


def make_windows() -> Windows:
    """Two waves and noise, standardised, cut into 20,000 windows of 64 points."""
    t = np.arange(N_WINDOWS + WINDOW_SIZE - 1)
    noise = np.random.default_rng(0).normal(scale=0.3, size=len(t))
    values = np.sin(t / 5) + 0.5 * np.sin(t / 23) + noise
    return vaenb.make_windows((values - values.mean()) / values.std(), WINDOW_SIZE)


def make_vae() -> vaenb.VAE:
    return vaenb.VAE(WINDOW_SIZE, 1, latent_dim=LATENT, hidden=HIDDEN)


# ---------------------------------------------------------------------- the rivals: one epoch a call


class EpochClock(keras.callbacks.Callback):
    """The seconds of the last epoch alone, without what ``fit`` does before and after it."""

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.began


class KerasFit:
    """Keras' ``fit`` of the same model on arrays that are laid out, with its default jit setting."""

    def __init__(self, windows: Windows) -> None:
        self.x = np.ascontiguousarray(windows.array)
        self.vae, self.clock = make_vae(), EpochClock()
        self.vae.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE))

    def __call__(self) -> float:
        self.vae.fit(self.x, batch_size=BATCH, epochs=1, verbose=0, callbacks=[self.clock])
        return self.clock.seconds

    def elbo(self) -> float:
        return float(np.mean(self.vae.elbo(self.x, seed=0)))


class TorchLoop:
    """The eager PyTorch loop of `torch_loop.py`, in its own process: it does not always load beside TensorFlow."""

    def __init__(self, windows: Windows, *, optimizer: str, threads: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "windows.npy"
            np.save(path, windows.array[:, :, 0])
            script = Path(__file__).with_name("torch_loop.py")
            self.process = subprocess.Popen(
                [sys.executable, str(script), str(path), optimizer, str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.first = self.ask("epoch")

    def ask(self, what: str) -> float:
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def __call__(self) -> float:
        return self.ask("epoch")

    def elbo(self) -> float:
        return self.ask("elbo")

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


# ---------------------------------------------------------------------- training


def train_in_turns(
    windows: Windows, rivals: dict[str, Contender], rounds: int
) -> tuple[vaenb.VAE, dict[str, list[float]]]:
    """`vaenb.train` is one call: the rivals take their turns in its callback, between two of its epochs.

    An epoch of vaenb lasts from the end of one callback to the beginning of the next, so everything that it
    does between epochs counts.
    """
    vae, times = make_vae(), {"vaenb.train": []}
    began = time.perf_counter()

    def on_epoch(record: EpochRecord) -> None:
        nonlocal began
        times["vaenb.train"].append(time.perf_counter() - began)
        one_turn_each(rivals, times, record.epoch)
        began = time.perf_counter()

    vaenb.train(
        vae,
        windows,
        epochs=rounds + 1,
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        on_epoch=on_epoch,
        progress=False,
    )
    return vae, times


def training(
    windows: Windows, rounds: int, *, threads: int | None
) -> tuple[vaenb.VAE, list[dict[str, object]]]:
    rivals = {"Keras fit": KerasFit(windows)}
    if threads is not None:
        for optimizer in ("plain", "fused"):
            rivals[f"PyTorch eager, {optimizer} Adam"] = TorchLoop(
                windows, optimizer=optimizer, threads=threads
            )
    vae, times = train_in_turns(windows, rivals, rounds)
    elbos = {name: rival.elbo() for name, rival in rivals.items()}
    elbos["vaenb.train"] = float(np.mean(vae.elbo(windows.array, seed=0)))
    ours = np.array(times["vaenb.train"][1:])
    rows = []
    for name, (first, *others) in times.items():
        epoch = median(others)
        rows.append(
            {
                "training": name,
                "ms a step": 1e3 * epoch / STEPS,
                "best": 1e3 * min(others) / STEPS,
                "steps/s": STEPS / epoch,
                "windows/s": N_WINDOWS / epoch,
                "vaenb is faster by": median(others / ours),
                "first epoch adds s": first - epoch,
                "ELBO reached": elbos[name],
            }
        )
    return vae, rows


# ---------------------------------------------------------------------- scoring


def scoring(vae: vaenb.VAE, windows: Windows, rounds: int) -> list[dict[str, object]]:
    x = np.ascontiguousarray(windows.array)
    error, probability = (
        "vaenb.score reconstruction_error",
        f"vaenb.score reconstruction_probability, {DRAWS} draws",
    )
    calls = {
        error: lambda: vaenb.score(vae, windows, "reconstruction_error"),
        "Keras predict, batch 32 (its default)": lambda: vae.predict(x, verbose=0),
        "Keras predict, batch 1024": lambda: vae.predict(x, batch_size=1024, verbose=0),
        probability: lambda: vaenb.score(vae, windows, "reconstruction_probability", n_samples=DRAWS),
    }
    times = take_turns({name: lambda call=call: seconds_of(call) for name, call in calls.items()}, rounds + 1)
    ours = np.array(times[error][1:])
    return [
        {
            "scoring": name,
            "ms": 1e3 * median(others),
            "best": 1e3 * min(others),
            "windows/s": N_WINDOWS / median(others),
            f"{error.split()[-1]} is faster by": median(others / ours),
            "first call adds s": first - median(others),
        }
        for name, (first, *others) in times.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--torch-threads", type=int, default=1, help="0: as many as PyTorch takes by itself")
    parser.add_argument("--without-torch", action="store_true")
    asked = parser.parse_args()
    windows = make_windows()
    print(
        f"{N_WINDOWS:,} x {WINDOW_SIZE} x 1, hidden {HIDDEN}, latent {LATENT}, batch {BATCH}, {asked.rounds} rounds\n"
    )
    vae, trained = training(
        windows, asked.rounds, threads=None if asked.without_torch else asked.torch_threads
    )
    print(table(trained), "\n")
    scored = scoring(vae, windows, asked.rounds)
    print(table(scored), "\n")
    print("Results:", save("speed", {"training": trained, "scoring": scored}))


if __name__ == "__main__":
    main()
