"""PyOD's VAE. Its own loss: mean squared error, and a KL that is clamped to 0 as its `capacity` is 0."""

from __future__ import annotations

from protocol import answer
from pyod.models.vae import VAE


class TellsEpochs(VAE):
    """PyOD's hook after an epoch, made audible."""

    on_epoch = staticmethod(lambda: None)

    def epoch_update(self):
        self.on_epoch()


class PyodVAE:
    def __init__(self, window_size, n_channels, *, sizes, seed):
        self.settings = {"random_state": seed, "verbose": 0}
        self.scored = None
        if sizes is not None:
            self.scored = sizes.scored
            self.settings |= {
                "encoder_neuron_list": [sizes.hidden],
                "decoder_neuron_list": [sizes.hidden],
                "latent_dim": sizes.latent,
                "batch_size": sizes.batch,
                "dropout_rate": 0,
            }

    def train(self, windows, epochs, on_epoch):
        chosen = {} if epochs is None else {"epoch_num": epochs}
        self.vae = TellsEpochs(**self.settings, **chosen)
        self.vae.on_epoch = on_epoch
        self.vae.fit(windows.reshape(len(windows), -1))

    def score(self, windows):
        return self.vae.decision_function(windows.reshape(len(windows), -1), batch_size=self.scored)


if __name__ == "__main__":
    answer(PyodVAE)
