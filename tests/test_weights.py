"""The shapes of a model's weights, told without building it: compared with the models themselves."""

import pytest

from vaenb.model import VAE
from vaenb.weights import weight_shapes


@pytest.mark.parametrize("encoder", ["dense", "conv", "recurrent"])
@pytest.mark.parametrize("hidden", [(), (7,), (4, 6), (3, 5, 2)], ids=len)
@pytest.mark.parametrize(
    "rest",
    [
        {"window_size": 11, "n_channels": 2, "latent_dim": 3},
        {"window_size": 16, "scale": "shared", "prior": "mixture", "likelihood": "laplace"},
        {"window_size": 5, "n_channels": 3, "likelihood": "student_t", "latent_dim": 1},
        {"window_size": 9, "likelihood": "bernoulli", "prior": "mixture"},
    ],
    ids=["plain", "shared", "student_t", "bernoulli"],
)
def test_shapes_are_those_of_the_model(encoder, hidden, rest):
    vae = VAE(encoder=encoder, hidden=hidden, **rest)
    assert weight_shapes(vae.settings) == [tuple(weight.shape) for weight in vae.trainable_variables]


def test_an_enormous_model_costs_nothing_to_measure():
    settings = {**VAE(window_size=4, hidden=(2,)).settings, "window_size": 10**15, "hidden": [10**15]}
    assert weight_shapes(settings)[0] == (10**15, 10**15)


@pytest.mark.parametrize("name", ["encoder", "hidden", "prior", "scale", "likelihood", "n_channels"])
def test_a_missing_setting_is_missed(name):
    settings = VAE(window_size=4, hidden=(2,)).settings
    with pytest.raises(KeyError, match=name):
        weight_shapes({key: value for key, value in settings.items() if key != name})
