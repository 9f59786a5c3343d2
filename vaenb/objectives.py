"""What a VAE is trained for and judged by: the ELBO with missing points, and the importance-weighted bound.

Here `x` is a float32 tensor of shape (batch, window_size, n_channels) with NaN where a point is missing, and
`noise` standard normal draws of shape (n_samples, batch, latent_dim). Missing points enter the encoder as 0;
only known ones enter the likelihood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vaenb.backend import tf, tfd

if TYPE_CHECKING:
    from vaenb.model import VAE


class ElboTerms(NamedTuple):
    """The parts of the ELBO in nats: ``elbo = reconstruction - kl``, each of shape (batch,).

    `kl_per_dim` and `posterior_mean` are (batch, latent_dim). Under the standard prior `kl_per_dim` sums to
    `kl`; under a mixture, whose dimensions depend on each other, each is measured against its marginal.
    """

    elbo: tf.Tensor
    reconstruction: tf.Tensor
    kl: tf.Tensor
    kl_per_dim: tf.Tensor
    posterior_mean: tf.Tensor


def elbo_terms(vae: VAE, x: tf.Tensor, *, noise: tf.Tensor, complete: bool = False) -> ElboTerms:
    """A Monte-Carlo estimate of the M-ELBO (Xu et al. 2018) and its parts.

    E_q[sum over known points of log p(x | z) + share * log p(z) - log q(z | x)], where `share` is the part of
    the window's points that are known. With all points known it is the ELBO; `complete` promises that, and
    saves looking for missing ones.
    """
    known, filled = (None, x) if complete else split_missing(x)
    q = vae.posterior_of_filled(filled)
    z = q.distribution.loc + q.distribution.scale * noise
    reconstruction = tf.reduce_mean(_log_likelihood(vae, z, filled, known), axis=0)
    if known is None:
        share = tf.ones(tf.shape(x)[:1])
    else:
        share = tf.reduce_mean(tf.cast(known, tf.float32), axis=(-2, -1))
    cross, cross_per_dim = _cross_entropy(vae.prior, q.distribution, z)
    entropy = q.distribution.entropy()
    kl = share * cross - tf.reduce_sum(entropy, axis=-1)
    kl_per_dim = share[:, None] * cross_per_dim - entropy
    return ElboTerms(reconstruction - kl, reconstruction, kl, kl_per_dim, q.distribution.loc)


def importance_bound(vae: VAE, x: tf.Tensor, *, noise: tf.Tensor) -> tf.Tensor:
    """The bound of Burda et al. (2016), shape (batch,): log 1/k sum_i p(x, z_i) / q(z_i | x)."""
    known, filled = split_missing(x)
    q = vae.posterior_of_filled(filled)
    z = q.distribution.loc + q.distribution.scale * noise
    log_weights = _log_likelihood(vae, z, filled, known) + vae.prior.log_prob(z) - q.log_prob(z)
    return tf.reduce_logsumexp(log_weights, axis=0) - float(np.log(noise.shape[0]))


def softplus(x: tf.Tensor) -> tf.Tensor:
    """log(1 + exp(x)) without log1p, which is slow once compiled, and with a short gradient.

    Right to 3e-7 in gradient and value (above 1: relatively). So it is 0 below -17: add a least one.
    """
    return tf.reshape(_softplus(_as_rows(x)), tf.shape(x))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _softplus(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    power = tf.exp(tf.minimum(x, 20.0))  # to which 1 adds nothing any more: the gradient is 1 from there on
    value = tf.maximum(x, tf.math.log(1.0 + power))
    return value, lambda upstream: upstream * power / (1.0 + power)


def normal_log_prob(x: tf.Tensor, loc: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """What ``tfd.Normal(loc, scale).log_prob(x)`` gives, with half of the work in its gradient.

    `loc` and `scale` are of one shape, (n_samples, batch, window_size, n_channels); `x` has no samples.
    """
    x = tf.broadcast_to(x, tf.shape(loc))
    return tf.reshape(_normal_log_prob(*map(_as_rows, (x, loc, scale))), tf.shape(loc))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _normal_log_prob(x: tf.Tensor, loc: tf.Tensor, scale: tf.Tensor) -> tuple[tf.Tensor, Any]:
    inverse = 1.0 / scale
    distance = (x - loc) * inverse

    def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        by_loc = upstream * distance * inverse
        return -by_loc, by_loc, upstream * (tf.square(distance) - 1.0) * inverse

    return -0.5 * (tf.square(distance) + float(np.log(2 * np.pi))) - tf.math.log(scale), gradients


def _as_rows(x: tf.Tensor) -> tf.Tensor:
    """A row for each window: compiled loops over a last axis of one channel are slow."""
    return tf.reshape(x, (-1, x.shape[-2] * x.shape[-1])) if len(x.shape) > 2 else x


def split_missing(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Which points are known, and the windows with 0 in place of the others."""
    known = tf.logical_not(tf.math.is_nan(x))
    return known, tf.where(known, x, 0.0)


def _log_likelihood(vae: VAE, z: tf.Tensor, filled: tf.Tensor, known: tf.Tensor | None) -> tf.Tensor:
    """The sum of log p(x | z) over the known points (None: all of them), shape (n_samples, batch)."""
    p = vae.likelihood(z).distribution
    by_point = normal_log_prob(filled, p.loc, p.scale) if type(p) is tfd.Normal else p.log_prob(filled)
    if known is not None:
        by_point = tf.where(known, by_point, 0.0)
    return tf.reshape(tf.reduce_sum(_as_rows(by_point), axis=-1), tf.shape(z)[:-1])


def _cross_entropy(prior: Any, q: Any, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """-E_q[log p(z)], (batch,), and by dimension, (batch, latent_dim); for a mixture from the draws `z`."""
    if not isinstance(prior, tfd.MixtureSameFamily):
        by_dim = 0.5 * (tf.square(q.loc) + tf.square(q.scale) + float(np.log(2 * np.pi)))
        return tf.reduce_sum(by_dim, axis=-1), by_dim
    by_part = prior.components_distribution.distribution.log_prob(z[..., None, :])
    weights = tf.nn.log_softmax(prior.mixture_distribution.logits)[:, None]
    marginal = tf.reduce_logsumexp(by_part + weights, axis=-2)
    return -tf.reduce_mean(prior.log_prob(z), axis=0), -tf.reduce_mean(marginal, axis=0)
