"""Keras 3: `fit` and `predict` of the same `vaenb.VAE`, jit as Keras chooses."""

from __future__ import annotations

import numpy as np
from protocol import answer

import vaenb
from vaenb.backend import keras


class KerasFit:
    def __init__(self, window_size, n_channels, *, sizes, seed):
        self.vae = vaenb.VAE(
            window_size, n_channels, latent_dim=sizes.latent, hidden=(sizes.hidden,), seed=seed
        )
        self.vae.compile(optimizer="adam")
        self.sizes = sizes

    def train(self, windows, epochs, on_epoch):
        told = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch())
        self.vae.fit(windows, batch_size=self.sizes.batch, epochs=epochs, verbose=0, callbacks=[told])

    def score(self, windows):
        redrawn = self.vae.predict(windows, batch_size=self.sizes.scored, verbose=0)
        return np.square(windows - redrawn).sum(axis=(1, 2))


if __name__ == "__main__":
    answer(KerasFit)
