"""Keras 3: `fit` and `predict` of the same `vaenb.VAE`, jit as Keras chooses."""

from __future__ import annotations

from keras_peer import KerasPeer
from protocol import answer

import vaenb
from vaenb.backend import keras  # noqa: F401 - TensorFlow is among the imports, as it is for the others


class KerasFit(KerasPeer):
    def __init__(self, window_size, n_channels, *, sizes, seed):
        vae = vaenb.VAE(window_size, n_channels, latent_dim=sizes.latent, hidden=(sizes.hidden,), seed=seed)
        vae.compile(optimizer="adam")
        super().__init__(vae, sizes=sizes)


if __name__ == "__main__":
    answer(KerasFit)
