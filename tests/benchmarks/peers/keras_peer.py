"""What the two Keras peers share: `fit` and `predict` of a model that is compiled."""

from __future__ import annotations

import numpy as np


class KerasPeer:
    """`fit` and `predict` of `model`, which redraws windows."""

    def __init__(self, model, *, sizes):
        self.model, self.sizes = model, sizes

    def train(self, windows, epochs, on_epoch):
        import keras  # whoever made the model has chosen its backend

        told = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch())
        self.model.fit(windows, batch_size=self.sizes.batch, epochs=epochs, verbose=0, callbacks=[told])

    def score(self, windows):
        redrawn = self.model.predict(windows, batch_size=self.sizes.scored, verbose=0)
        return np.square(windows - redrawn).sum(axis=(1, 2))
