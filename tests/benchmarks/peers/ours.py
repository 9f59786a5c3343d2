"""vaenb itself: `vaenb.train` and `vaenb.score`."""

from __future__ import annotations

import numpy as np
from protocol import answer

import vaenb
from vaenb.backend import keras  # noqa: F401 - TensorFlow is among the imports, as it is for the others


class Ours:
    """Scores timestamps from views of the series, so it lays out no windows."""

    def __init__(self, window_size, n_channels, *, sizes, seed):
        self.vae = vaenb.VAE(
            window_size, n_channels, latent_dim=sizes.latent, hidden=(sizes.hidden,), seed=seed
        )
        self.batch, self.seed = sizes.batch, seed

    def train(self, windows, epochs, on_epoch):
        series = np.concatenate([windows[:, 0], windows[-1, 1:]])
        self.windows = vaenb.make_windows(series, self.vae.window_size)
        vaenb.train(
            self.vae,
            self.windows,
            epochs=epochs,
            batch_size=self.batch,
            learning_rate=1e-3,
            seed=self.seed,
            on_epoch=lambda record: on_epoch(),
            progress=False,
        )

    def score(self, windows):
        return vaenb.score(self.vae, self.windows, "reconstruction_error").values


if __name__ == "__main__":
    answer(Ours)
