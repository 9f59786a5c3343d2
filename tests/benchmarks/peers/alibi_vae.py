"""alibi-detect's OutlierVAE. Its own loss: an ELBO with one fixed scale of 0.05 for all points.

It has no networks of its own, so it gets those of the speed benchmark in both; epochs, batch and the ten
draws of its score are its own in the quality benchmark.
"""

from __future__ import annotations

import keras
from alibi_detect.od import OutlierVAE
from protocol import Sizes, answer

EPOCHS, BATCH, SCORED = 20, 64, 1024  # the first two are its own


class AlibiVAE:
    def __init__(self, window_size, n_channels, *, sizes, seed):
        keras.utils.set_random_seed(seed)
        layers, shape = keras.layers, (window_size, n_channels)
        size = sizes or Sizes()
        encoder = [keras.Input(shape), layers.Flatten(), layers.Dense(size.hidden, activation="relu")]
        decoder = [
            keras.Input((size.latent,)),
            layers.Dense(size.hidden, activation="relu"),
            layers.Dense(window_size * n_channels),
            layers.Reshape(shape),
        ]
        self.detector = OutlierVAE(
            encoder_net=keras.Sequential(encoder),
            decoder_net=keras.Sequential(decoder),
            latent_dim=size.latent,
            **({"samples": 1} if sizes else {}),
        )
        self.batch = sizes.batch if sizes else BATCH

    def train(self, windows, epochs, on_epoch):
        optimizer = keras.optimizers.Adam(1e-3)
        for _ in range(EPOCHS if epochs is None else epochs):  # its trainer tells nobody of an epoch's end
            self.detector.fit(windows, optimizer=optimizer, epochs=1, batch_size=self.batch, verbose=False)
            on_epoch()

    def score(self, windows):
        return self.detector.score(windows, batch_size=SCORED)[1]


if __name__ == "__main__":
    answer(AlibiVAE)
