"""Would small models of one shape train faster together, in one graph of batched products?

    python tests/benchmarks/together.py [--models 1,2,4,8] [--hidden 128,32]

A dense VAE of one hidden layer, written out with a leading axis for the models: the same loss, draws and Adam
as `vaenb.train`, nothing else (no records, no epochs), compiled by XLA. Beside it, `vaenb.train` of one such
model in the same process. Milliseconds a step and model; turns are taken.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from common import median, save, seconds_of, table, take_turns

import vaenb
from vaenb.backend import tf
from vaenb.graphs import compile_graph

WINDOW, LATENT, BATCH, STEPS, ROUNDS = 32, 8, 128, 200, 7
RATE, BETA_1, BETA_2, TINY = 1e-3, 0.9, 0.999, 1e-7


def weights(n_models: int, hidden: int) -> list[Any]:
    """Two layers up and two down for each model: (n_models, n_in, n_out) and their biases."""
    rng = np.random.default_rng(0)
    shapes = [(WINDOW, hidden), (hidden, 2 * LATENT), (LATENT, hidden), (hidden, 2 * WINDOW)]
    found = []
    for n_in, n_out in shapes:
        matrix = rng.normal(scale=np.sqrt(2 / (n_in + n_out)), size=(n_models, n_in, n_out))
        found += [tf.Variable(matrix, dtype=tf.float32), tf.Variable(tf.zeros((n_models, 1, n_out)))]
    return found


def loss_of(own: list[Any], x: Any, noise: Any) -> Any:
    """The sum over the models of the mean over the batch of -ELBO; a normal likelihood with its own scale."""
    h = tf.nn.relu(x @ own[0] + own[1])
    loc, raw = tf.split(h @ own[2] + own[3], 2, axis=-1)
    scale = tf.nn.softplus(raw) + 1e-4
    h = tf.nn.relu((loc + scale * noise) @ own[4] + own[5])
    mean, raw = tf.split(h @ own[6] + own[7], 2, axis=-1)
    spread = tf.nn.softplus(raw) + 1e-2
    log_prob = -0.5 * tf.square((x - mean) / spread) - tf.math.log(spread)
    kl = 0.5 * (tf.square(loc) + tf.square(scale)) - tf.math.log(scale)
    return tf.reduce_sum(tf.reduce_mean(tf.reduce_sum(kl, -1) - tf.reduce_sum(log_prob, -1), axis=1))


class Together:
    """So many models, trained in one graph."""

    def __init__(self, n_models: int, hidden: int) -> None:
        rng = np.random.default_rng(1)
        self.own = weights(n_models, hidden)
        self.first = [tf.Variable(tf.zeros_like(each)) for each in self.own]
        self.second = [tf.Variable(tf.zeros_like(each)) for each in self.own]
        values = np.sin(np.arange(2_000) / rng.uniform(3, 9, size=(n_models, 1)))
        self.values = tf.constant(values, tf.float32)
        self.starts = tf.constant(rng.integers(0, 2_000 - WINDOW, (STEPS, BATCH)), tf.int32)
        self.noise = tf.constant(rng.normal(size=(STEPS, n_models, BATCH, LATENT)), tf.float32)
        self.run = compile_graph(self._run)

    def _run(self, n_steps: Any) -> None:
        i = tf.constant(0)
        while i < n_steps:
            places = self.starts[i][:, None] + tf.range(WINDOW)[None, :]
            x = tf.gather(self.values, places, axis=1)
            with tf.GradientTape() as tape:
                loss = loss_of(self.own, x, self.noise[i])
            power = tf.cast(i + 1, tf.float32)
            rate = RATE * tf.sqrt(1 - BETA_2**power) / (1 - BETA_1**power)
            gradients = tape.gradient(loss, self.own)
            for weight, m, v, g in zip(self.own, self.first, self.second, gradients, strict=True):
                m.assign_add((1 - BETA_1) * (g - m))
                v.assign_add((1 - BETA_2) * (tf.square(g) - v))
                weight.assign_sub(rate * m / (tf.sqrt(v) + TINY))
            i += 1

    def __call__(self) -> float:
        return seconds_of(lambda: self.run(tf.constant(STEPS)))


class Alone:
    """One model in `vaenb.train`: the seconds of an epoch."""

    def __init__(self, hidden: int) -> None:
        self.vae = vaenb.VAE(WINDOW, hidden=(hidden,), latent_dim=LATENT)
        self.windows = vaenb.make_windows(np.sin(np.arange(2_000) / 5), WINDOW)

    def __call__(self) -> float:
        chosen = {"batch_size": BATCH, "steps_per_epoch": STEPS, "progress": False}
        history = vaenb.train(self.vae, self.windows, epochs=3, **chosen)
        return min(each.seconds for each in history.epochs[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="1,2,4,8")
    parser.add_argument("--hidden", default="128,32")
    asked = parser.parse_args()
    rows = []
    for hidden in map(int, asked.hidden.split(",")):
        sizes = {f"{n} together": n for n in map(int, asked.models.split(","))}
        contenders = {"vaenb.train": Alone(hidden)}
        contenders |= {name: Together(n, hidden) for name, n in sizes.items()}
        times = take_turns(contenders, ROUNDS + 1)
        alone = median(times["vaenb.train"][1:])
        for name, (_, *seconds) in times.items():
            each = median(seconds) / sizes.get(name, 1)
            told = {"ms a step and model": 1e3 * each / STEPS, "x as fast as vaenb.train": alone / each}
            rows.append({"trained": f"hidden {hidden}: {name}", **told})
    print("", table(rows), "", sep="\n")
    print("Written to", save("together", {"rows": rows}))


if __name__ == "__main__":
    main()
