"""Keras 3 on TensorFlow as a page would write it: Keras' own layers, a `train_step` of its own, `fit`."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from keras_peer import KerasPeer
from protocol import answer


class Model(keras.Model):
    """Encoder and decoder, each with a mean and a scale for every number; the ELBO as the loss."""

    def __init__(self, window_size, n_channels, *, sizes):
        super().__init__()
        numbers = window_size * n_channels
        self.encoder = keras.Sequential(
            [layers.Flatten(), layers.Dense(sizes.hidden, activation="relu"), layers.Dense(2 * sizes.latent)]
        )
        self.decoder = keras.Sequential(
            [layers.Dense(sizes.hidden, activation="relu"), layers.Dense(2 * numbers)]
        )
        self.shape_of_window = (window_size, n_channels)
        self.draws = keras.random.SeedGenerator(0)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def decode(self, z):
        mean, raw = ops.split(self.decoder(z), 2, axis=-1)
        shape = (-1, *self.shape_of_window)
        return ops.reshape(mean, shape), ops.reshape(ops.softplus(raw) + 1e-3, shape)

    def call(self, x):
        mean, _ = ops.split(self.encoder(x), 2, axis=-1)
        return self.decode(mean)[0]

    def train_step(self, x):
        with tf.GradientTape() as tape:
            mean, raw = ops.split(self.encoder(x), 2, axis=-1)
            scale = ops.softplus(raw) + 1e-3
            z = mean + scale * keras.random.normal(ops.shape(mean), seed=self.draws)
            redrawn, spread = self.decode(z)
            errors = 0.5 * ops.square((x - redrawn) / spread) + ops.log(spread) + 0.5 * np.log(2 * np.pi)
            kl = 0.5 * (ops.square(mean) + ops.square(scale) - 1) - ops.log(scale)
            loss = ops.mean(ops.sum(errors, axis=(1, 2)) + ops.sum(kl, axis=1))
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


class KerasPlain(KerasPeer):
    def __init__(self, window_size, n_channels, *, sizes, seed):
        keras.utils.set_random_seed(seed)
        model = Model(window_size, n_channels, sizes=sizes)
        model.compile(optimizer=keras.optimizers.Adam(1e-3))
        super().__init__(model, sizes=sizes)


if __name__ == "__main__":
    answer(KerasPlain)
