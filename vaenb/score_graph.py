"""What is compiled to score a batch of windows. TensorFlow ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import tf
from vaenb.graphs import gather_windows
from vaenb.imputing import fill_missing
from vaenb.objectives import split_missing

if TYPE_CHECKING:
    from vaenb.model import VAE


class ScoreGraph:
    """The scores of a batch of windows.

    Parameters
    ----------
    vae : VAE
    method : str
        See `vaenb.score`.
    has_gaps : bool
        Whether points may be missing; else nothing is spent on looking for them.
    by_point : bool
        Whether to judge single points, too.
    tolerance, impute
        See `vaenb.score`.
    """

    def __init__(
        self, vae: VAE, method: str, *, has_gaps: bool, by_point: bool, tolerance: float, impute: bool
    ) -> None:
        self.vae, self.method, self.has_gaps, self.by_point = vae, method, has_gaps, by_point
        self.tolerance, self.impute = tolerance, impute

    def score(self, x: tf.Tensor, noise: tf.Tensor, impute_noise: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Scores: windows (batch,), channels (batch, n_channels), points (batch, window_size).

        `x` are the windows, (batch, window_size, n_channels), or where each begins a point after the one
        before, the points that they lie on, (batch + window_size - 1, n_channels).
        """
        if len(x.shape) == 2:
            size = self.vae.window_size
            x = gather_windows(x, tf.range(x.shape[0] - size + 1), size)
        known, filled = split_missing(x) if self.has_gaps else (None, x)
        if self.has_gaps and self.impute:
            filled = fill_missing(self.vae, x, impute_noise)
        q = self.vae.posterior_of_filled(filled)
        z = q.distribution.loc + q.distribution.scale * noise[:, None, :]
        errors = self._errors(filled, q, z)
        if known is not None:
            errors = tf.where(known, errors, 0.0)
        share = None if known is None else tf.reduce_mean(tf.cast(known, tf.float32), axis=2)
        by_point = tf.zeros((0,))
        if self.by_point:
            by_point = _scaled_up(tf.reduce_mean(tf.reduce_sum(errors, axis=3), axis=0), share)
        draws = tf.reduce_sum(errors, axis=2)  # (n_samples, batch, n_channels)
        share = None if share is None else tf.reduce_mean(share, axis=1, keepdims=True)  # (batch, 1)
        by_channel = _scaled_up(tf.reduce_mean(draws, axis=0), share)
        total = self._total(q, z, by_channel, _scaled_up(draws, share))
        return total if share is None else tf.where(share[:, 0] > 0, total, np.nan), by_channel, by_point

    def _errors(self, x: tf.Tensor, q: Any, z: tf.Tensor) -> tf.Tensor:
        """The errors of each value, (n_samples, batch, window_size, n_channels)."""
        if self.method == "reconstruction_error":
            return tf.square(x - self.vae.likelihood(q.distribution.loc).mean())[None]
        p = self.vae.likelihood(z).distribution
        if self.tolerance and self.vae.settings["likelihood"] != "bernoulli":
            p = p.copy(scale=tf.sqrt(tf.square(p.scale) + self.tolerance**2))
        return -p.log_prob(x)

    def _total(self, q: Any, z: tf.Tensor, by_channel: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """The scores of the windows, from the errors by channel: their mean, and those of each draw."""
        if self.method == "latent":
            return self.vae.latent_distance(q.distribution.loc)
        if self.method not in {"elbo", "iwae"}:
            return tf.reduce_sum(by_channel, axis=-1)
        draws = tf.reduce_sum(draws, axis=-1)  # (n_samples, batch)
        if self.method == "elbo":
            return tf.reduce_mean(draws + q.log_prob(z) - self.vae.prior.log_prob(z), axis=0)
        log_weights = self.vae.prior.log_prob(z) - q.log_prob(z) - draws
        return float(np.log(z.shape[0])) - tf.reduce_logsumexp(log_weights, axis=0)


def _scaled_up(total: tf.Tensor, share: tf.Tensor | None) -> tf.Tensor:
    """What the total would be if all points were known (None: they are); NaN where none is."""
    return total if share is None else tf.where(share > 0, total / share, np.nan)
