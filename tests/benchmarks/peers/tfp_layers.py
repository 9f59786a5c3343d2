"""tf_keras with `tfp.layers`, as TensorFlow Probability's own VAE tutorial builds it.

The posterior has a scale for each latent dimension, as vaenb's has. The regularizer that the tutorial takes
for the KL registers it twice; it is left as it is.
"""

from __future__ import annotations

import numpy as np
import tf_keras
from protocol import answer
from tensorflow_probability import distributions as tfd
from tensorflow_probability import layers as tfpl


class TfpLayers:
    def __init__(self, window_size, n_channels, *, sizes, seed):
        tf_keras.utils.set_random_seed(seed)
        layers, shape = tf_keras.layers, (window_size, n_channels)
        prior = tfd.Independent(tfd.Normal(np.zeros(sizes.latent, np.float32), 1.0), 1)
        self.model = tf_keras.Sequential(
            [
                layers.InputLayer(input_shape=shape),
                layers.Flatten(),
                layers.Dense(sizes.hidden, activation="relu"),
                layers.Dense(tfpl.IndependentNormal.params_size(sizes.latent)),
                tfpl.IndependentNormal(
                    sizes.latent, activity_regularizer=tfpl.KLDivergenceRegularizer(prior)
                ),
                layers.Dense(sizes.hidden, activation="relu"),
                layers.Dense(tfpl.IndependentNormal.params_size(shape)),
                tfpl.IndependentNormal(shape),
            ]
        )
        self.model.compile(
            optimizer=tf_keras.optimizers.Adam(1e-3), loss=lambda x, redrawn: -redrawn.log_prob(x)
        )
        self.sizes = sizes

    def train(self, windows, epochs, on_epoch):
        told = tf_keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch())
        self.model.fit(
            windows, windows, batch_size=self.sizes.batch, epochs=epochs, verbose=0, callbacks=[told]
        )

    def score(self, windows):
        redrawn = self.model.predict(windows, batch_size=self.sizes.scored, verbose=0)
        return np.square(windows - redrawn).sum(axis=(1, 2))


if __name__ == "__main__":
    answer(TfpLayers)
