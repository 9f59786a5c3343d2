"""How fast: training beside Keras' ``fit`` and an eager PyTorch loop, scoring beside Keras' ``predict``.

python tests/benchmarks/speed.py [--rounds 15] [--without-torch]
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from common import median, one_turn_each, save, seconds_of, table, take_turns, verdict

import vaenb
from vaenb.backend import keras

if TYPE_CHECKING:
    from vaenb.records import EpochRecord, Windows

N_WINDOWS, WINDOW_SIZE, HIDDEN, LATENT, BATCH = 20_000, 64, (128,), 8, 128
LEARNING_RATE = 1e-3
STEPS = -(-N_WINDOWS // BATCH)
DRAWS = 8
OURS = "vaenb.train"


def make_windows() -> Windows:
    """Two waves and noise, standardised, cut into 20,000 windows of 64 points."""
    t = np.arange(N_WINDOWS + WINDOW_SIZE - 1)
    values = np.sin(t / 5) + 0.5 * np.sin(t / 23) + np.random.default_rng(0).normal(scale=0.3, size=len(t))
    return vaenb.make_windows((values - values.mean()) / values.std(), WINDOW_SIZE)


def make_vae() -> vaenb.VAE:
    return vaenb.VAE(WINDOW_SIZE, 1, latent_dim=LATENT, hidden=HIDDEN)


# ---------------------------------------------------------------------- the rivals: an epoch a call


class EpochClock(keras.callbacks.Callback):
    """The seconds of the last epoch alone, without what ``fit`` does before and after it."""

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.began


class KerasFit:
    """Keras' ``fit`` of the same model on windows that are laid out in memory, jit as Keras chooses."""

    def __init__(self, windows: Windows) -> None:
        self.x = np.ascontiguousarray(windows.array)
        self.vae, self.clock = make_vae(), EpochClock()
        self.vae.compile(optimizer="adam")

    def __call__(self) -> float:
        self.vae.fit(self.x, batch_size=BATCH, epochs=1, verbose=0, callbacks=[self.clock])
        return self.clock.seconds

    def elbo(self) -> float:
        return float(np.mean(self.vae.elbo(self.x, seed=0)))


class TorchLoop:
    """The loop of `torch_loop.py`, in its own process: PyTorch does not always load beside TensorFlow."""

    def __init__(self, windows: Windows, *, optimizer: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "windows.npy"
            np.save(path, windows.array[:, :, 0])
            script = Path(__file__).with_name("torch_loop.py")
            self.process = subprocess.Popen(
                [sys.executable, str(script), str(path), optimizer],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.threads = int(self.ask("threads"))  # it has read the windows when it answers

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


def train_in_turns(windows: Windows, rivals: dict, rounds: int) -> tuple[vaenb.VAE, dict[str, list[float]]]:
    """Train for some epochs; the rivals take their turns in the callback, between two epochs of ours.

    An epoch of ours lasts from the end of one callback to the beginning of the next, so that everything
    `vaenb.train` does between epochs counts.
    """
    vae, times = make_vae(), {OURS: []}
    began = time.perf_counter()

    def on_epoch(record: EpochRecord) -> None:
        nonlocal began
        times[OURS].append(time.perf_counter() - began)
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


def training(windows: Windows, rounds: int, *, with_torch: bool) -> tuple[vaenb.VAE, list[dict]]:
    """The model that was trained, and a row for each contender."""
    loops = {}
    if with_torch:
        loops = {
            f"PyTorch eager, {kind} Adam": TorchLoop(windows, optimizer=kind) for kind in ("plain", "fused")
        }
    rivals = {"Keras fit": KerasFit(windows), **loops}
    vae, times = train_in_turns(windows, rivals, rounds)
    elbos = {name: rival.elbo() for name, rival in rivals.items()}
    elbos[OURS] = float(np.mean(vae.elbo(windows.array, seed=0)))
    for loop in loops.values():
        loop.close()
    rows = [
        {
            "training": name,
            "ms a step": 1e3 * median(seconds) / STEPS,
            "steps/s": STEPS / median(seconds),
            "windows/s": N_WINDOWS / median(seconds),
            **compare(seconds, times[OURS][1:]),
            "compile s": None if name in loops else first - median(seconds),
            "ELBO": elbos[name],
            "threads": loops[name].threads if name in loops else None,
        }
        for name, (first, *seconds) in times.items()
    ]
    return vae, rows


def compare(theirs: list[float], ours: list[float]) -> dict[str, float]:
    """How many times as long they take: turn by turn (the median), and both at their best."""
    return {
        "x ours": median([a / b for a, b in zip(theirs, ours, strict=True)]),
        "x at best": min(theirs) / min(ours),
    }


# ---------------------------------------------------------------------- scoring


def scoring(vae: vaenb.VAE, windows: Windows, rounds: int) -> list[dict]:
    """A row for each way to score; the first one is what the others are compared with."""
    x = np.ascontiguousarray(windows.array)
    calls = {
        "vaenb.score, reconstruction_error": lambda: vaenb.score(vae, windows, "reconstruction_error"),
        "Keras predict, batch 32 (its default)": lambda: vae.predict(x, verbose=0),
        "Keras predict, batch 1024": lambda: vae.predict(x, batch_size=1024, verbose=0),
        f"vaenb.score, reconstruction_probability of {DRAWS} draws": lambda: vaenb.score(
            vae, windows, "reconstruction_probability", n_samples=DRAWS
        ),
    }
    times = take_turns({name: lambda call=call: seconds_of(call) for name, call in calls.items()}, rounds + 1)
    ours = next(iter(times.values()))[1:]
    return [
        {
            "scoring": name,
            "ms": 1e3 * median(seconds),
            "windows/s": N_WINDOWS / median(seconds),
            **compare(seconds, ours),
            "compile s": first - median(seconds),
        }
        for name, (first, *seconds) in times.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender after the first")
    parser.add_argument("--without-torch", action="store_true")
    asked = parser.parse_args()
    if not asked.without_torch and importlib.util.find_spec("torch") is None:
        parser.error("PyTorch is not installed here: pip install '.[bench]', or take --without-torch")
    windows = make_windows()
    print(f"{N_WINDOWS:,} windows of {WINDOW_SIZE} x 1, hidden {HIDDEN}, latent {LATENT}, batch {BATCH}")
    vae, trained = training(windows, asked.rounds, with_torch=not asked.without_torch)
    print("", table(trained), "", sep="\n")
    scored = scoring(vae, windows, asked.rounds)
    print(table(scored), "", sep="\n")
    for promised, rival, rows in (
        (5, "Keras fit", trained),
        (4, "PyTorch eager, plain Adam", trained),
        (5, "Keras predict, batch 32 (its default)", scored),
    ):
        for took in (row["x ours"] for row in rows if rival in row.values()):
            told = verdict(kept=took >= promised)
            print(f"Promise: at least {promised} x as fast as {rival}: {told} ({took:.1f})")
    print("Written to", save("speed", {"rounds": asked.rounds, "training": trained, "scoring": scored}))


if __name__ == "__main__":
    main()
