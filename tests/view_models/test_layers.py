"""The layers that are drawn, and their parameters, against models that are built."""

from itertools import product
from math import prod

import pytest

import vaenb
from vaenb.choices import DEFAULT_HIDDEN, LIKELIHOODS, TEXTBOOK
from vaenb.model import VAE
from vaenb.view_models.layers import lay_out
from vaenb.view_models.model import ModelView

KINDS = ("dense", "conv", "recurrent")
CASES = [
    {"window_size": 48},
    {"window_size": 48, "hidden": (), "latent_dim": 3},
    {"window_size": 33, "n_channels": 3, "hidden": (7, 5, 4), "prior": "mixture", "latent_dim": 2},
    {"window_size": 20, "hidden": (6,), "likelihood": "student_t", "scale": "shared", "n_channels": 2},
    {"window_size": 16, "hidden": (9, 8), "likelihood": "bernoulli", "prior": "mixture"},
    {"window_size": 21, "hidden": (4, 4), "likelihood": "laplace", "scale": "shared", "latent_dim": 1},
]


def outputs(layers, shape):
    """What comes out of each layer of Keras that has weights: its shape and their number."""
    found = []
    for layer in layers:
        shape = layer.compute_output_shape(shape)
        if layer.count_params():
            found.append((shape[1:], layer.count_params()))
    return found


@pytest.mark.parametrize(("encoder", "case"), list(product(KINDS, CASES)), ids=str)
def test_counts_and_shapes_are_those_of_the_model(encoder, case):
    view = ModelView(**case, encoder=encoder)
    vae = VAE(**view.settings)
    assert view.n_params == vae.count_params()
    layers = view.layers
    hidden = {
        part: [layer for layer in layers if layer.part == part and layer.name in {"Dense", "Conv", "GRU"}]
        for part in ("encoder", "decoder")
    }
    for part, network in (("encoder", vae.encoder), ("decoder", vae.decoder)):
        real = outputs(network.chain, (None, *network.shape_in))
        assert [layer.n_params for layer in hidden[part]] == [count for _, count in real]
        assert [layer.size for layer in hidden[part]] == [prod(shape) for shape, _ in real]
    assert view.params_of("encoder") == vae.encoder.count_params()
    of_prior = 8 * (1 + 2 * vae.latent_dim) if case.get("prior") == "mixture" else 0
    assert view.params_of("latent") == of_prior
    assert view.params_of("decoder") == vae.count_params() - vae.encoder.count_params() - of_prior


def test_the_way_from_the_window_to_its_reconstruction():
    layers = lay_out(ModelView(48, 2).full)
    assert [layer.name for layer in layers] == [
        *("window", "Dense", "Dense", "posterior", "z", "Dense", "Dense", "likelihood")
    ]
    assert [layer.shape for layer in layers] == [
        *((48, 2), (256,), (64,), (2, 8), (8,), (64,), (256,), (2, 48, 2))
    ]
    assert lay_out(ModelView(48, 2, scale="shared").full)[-1].shape == (48, 2)


def test_the_textbook_is_the_textbooks():
    view = ModelView(24)
    assert not view.is_textbook
    assert view.choose_textbook()
    assert view.is_textbook
    assert view.n_params == VAE.textbook(24).count_params()
    assert view.full == VAE.textbook(24).settings


def test_the_choices_are_those_of_the_model():
    for encoder in KINDS:
        assert VAE(window_size=8, encoder=encoder).settings["hidden"] == list(DEFAULT_HIDDEN[encoder])
    assert set(LIKELIHOODS) == {"normal", "laplace", "student_t", "bernoulli"}
    assert TEXTBOOK["latent_dim"] == 2


def test_a_prior_without_a_trained_model_can_be_drawn_from():
    settings = {"window_size": 12, "n_channels": 2, "latent_dim": 2, "hidden": (4,), "prior": "mixture"}
    windows = vaenb.sample_prior(settings, n=5, seed=3)
    assert windows.shape == (5, 12, 2)
    assert (windows == vaenb.sample_prior(settings, n=5, seed=3)).all()
    assert not (windows == vaenb.sample_prior(settings, n=5, seed=4)).all()
    view = ModelView(**settings)
    view.keep_drawn(windows)
    assert view.is_drawn_fresh
