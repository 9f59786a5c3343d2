"""Missing points, filled with what the VAE expects there. TensorFlow ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import tf
from vaenb.checks import check_whole
from vaenb.objectives import split_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vaenb.model import VAE

IMPUTE_ITERATIONS = 10


def impute(vae: VAE, x: Any, *, n_iterations: int = IMPUTE_ITERATIONS, seed: int = 0) -> NDArray[np.float32]:
    """Fill the missing points of windows with what the VAE expects there (Rezende et al. 2014).

    Again and again: encode, draw z, decode, and put the decoder's mean into the missing points.

    Parameters
    ----------
    vae : VAE
    x : array_like, shape (batch, window_size, n_channels)
        NaN where missing.
    n_iterations : int
    seed : int

    Returns
    -------
    ndarray of float32, same shape
        The known points are untouched.

    Raises
    ------
    InputError
        If `x` has another shape than the model's windows.

    Examples
    --------
    >>> import numpy as np, vaenb
    >>> x = np.array([[1.0, np.nan, 3.0, 4.0]])
    >>> vaenb.impute(vaenb.VAE(window_size=4, latent_dim=1), x)[0, [0, 2, 3], 0].tolist()
    [1.0, 3.0, 4.0]
    """
    noise = mirrored_noise(check_whole("n_iterations", n_iterations), vae.latent_dim, seed)
    return np.asarray(fill_missing(vae, vae.as_windows(x), tf.constant(noise)))


def fill_missing(vae: VAE, x: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """As `impute`, of a tensor of windows; one round for each of the draws, (n_iterations, latent_dim)."""
    known, filled = split_missing(x)
    for draw in noise:  # a loop in the compiled graph, too
        q = vae.posterior(filled).distribution
        filled = tf.where(known, x, vae.likelihood(q.loc + q.scale * draw).mean())
    return filled


def mirrored_noise(n_samples: int, latent_dim: int, seed: int) -> NDArray[np.float32]:
    """Standard normal draws in mirrored pairs, shape (n_samples, latent_dim)."""
    seed = check_whole("seed", seed, least=0)
    half = np.random.default_rng(seed).standard_normal((-(-n_samples // 2), latent_dim))
    return np.stack([half, -half], axis=1).reshape(-1, latent_dim)[:n_samples].astype(np.float32)
