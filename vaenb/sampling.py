"""Windows from a model that is not trained yet: its prior through its decoder. TensorFlow ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vaenb.backend import tf
from vaenb.model import VAE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vaenb.records import Floats32


def sample_prior(settings: Mapping[str, Any], n: int = 6, seed: int = 0) -> Floats32:
    """Draw windows from the prior, through the decoder of a model that is not trained yet.

    z ~ p(z), and the window is the mean of p(x | z).

    Parameters
    ----------
    settings : mapping
        As `vaenb.VAE` takes them, `window_size` included.
    n : int
        How many windows.
    seed : int
        The same seed draws the same windows.

    Returns
    -------
    ndarray of float32, shape (n, window_size, n_channels)
        In scaled units.

    Raises
    ------
    InputError
        If a setting is wrong.

    Examples
    --------
    >>> sample_prior({"window_size": 16, "latent_dim": 2}, n=3).shape
    (3, 16, 1)
    """
    vae = VAE(**settings)
    z = vae.prior.sample(n, seed=tf.constant([seed, 0], tf.int32))
    windows: Floats32 = vae.likelihood(z).mean().numpy()
    return windows
