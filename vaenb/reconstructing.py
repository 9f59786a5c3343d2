"""What a trained model makes of windows and of points in its latent space, chunk by chunk. TensorFlow ring.

All of it in scaled units; windows are drawn from the mean of their posterior.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import tf
from vaenb.graphs import as_tensor, gather_windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vaenb.model import VAE
    from vaenb.records import Floats, Floats32, Windows

    Seen = tuple[slice, Floats32, Floats32, Floats32]

AT_ONCE = 1_000_000  # numbers that are drawn at once
_MOST_WINDOWS = 2048  # that are drawn at once


def reconstruct(vae: VAE, windows: Windows) -> Iterator[Seen]:
    """The windows chunk by chunk: which, their latent means, reconstructions and standard deviations."""
    graph, values = _of_windows(vae, "see", _Graph(vae).see), as_tensor(windows)
    for part in _chunks(vae, len(windows)):
        latent, mean, spread = graph(values, tf.constant(windows.starts[part], tf.int32))
        yield part, latent.numpy(), mean.numpy(), spread.numpy()


def mean_kl(vae: VAE, windows: Windows) -> Floats:
    """The KL of each latent dimension in nats, the mean over the windows, shape (latent_dim,)."""
    graph, values = _of_windows(vae, "kl", _Graph(vae).kl), as_tensor(windows)
    total = np.zeros(vae.latent_dim)
    for part in _chunks(vae, len(windows)):
        starts = tf.constant(windows.starts[part], tf.int32)
        total += graph(values, starts).numpy().astype(np.float64).sum(axis=0)
    return total / len(windows)


def draw(vae: VAE, points: Floats32) -> tuple[Floats32, Floats32]:
    """Means and standard deviations, (n, window_size, n_channels), of points (n, latent_dim)."""
    graph = _graph(vae, "decode", _Graph(vae).draw, tf.TensorSpec((None, vae.latent_dim), tf.float32))
    # Also of no points at all: they give arrays of the right shape.
    parts = [graph(tf.constant(points[part])) for part in _chunks(vae, max(1, len(points)))]
    mean, spread = (np.concatenate([part[i].numpy() for part in parts]) for i in (0, 1))
    return mean, spread


def _chunks(vae: VAE, n: int) -> list[slice]:
    """The places 0 to `n` in parts that are drawn at once."""
    step = int(np.clip(AT_ONCE // (vae.window_size * vae.n_channels), 16, _MOST_WINDOWS))
    return [slice(at, min(at + step, n)) for at in range(0, n, step)]


class _Graph:
    """What is compiled."""

    def __init__(self, vae: VAE) -> None:
        self.vae = vae

    def draw(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Means and standard deviations of latent points."""
        p = self.vae.likelihood(z)
        return p.mean(), p.stddev()

    def see(self, values: tf.Tensor, starts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Posterior means of the windows at `starts`, and what is drawn from there."""
        latent = self.vae.posterior(gather_windows(values, starts, self.vae.window_size)).mean()
        return latent, *self.draw(latent)

    def kl(self, values: tf.Tensor, starts: tf.Tensor) -> tf.Tensor:
        """The KL of each window and each latent dimension, in nats."""
        x = gather_windows(values, starts, self.vae.window_size)
        return self.vae.elbo_terms(x, seed=0).kl_per_dim


def _graph(vae: VAE, name: str, method: Any, *signature: tf.TensorSpec) -> Any:
    """A compiled graph, kept with the weights that it reads."""
    if ("explain", name) not in vae.graphs:
        # In a `partial`: TensorFlow counts a method's graphs over all its owners, and warns of the fifth.
        vae.graphs["explain", name] = tf.function(partial(method), input_signature=signature)
    return vae.graphs["explain", name]


def _of_windows(vae: VAE, name: str, method: Any) -> Any:
    values = tf.TensorSpec((None, vae.n_channels), tf.float32)
    return _graph(vae, name, method, values, tf.TensorSpec((None,), tf.int32))
