"""Step 2 without a widget and without TensorFlow: settings, words, code, drawings."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaenb import InputError
from vaenb.choices import DEFAULT_HIDDEN, LIKELIHOODS, PRIORS, SCALES
from vaenb.view_models import model_words
from vaenb.view_models.layers import lay_out
from vaenb.view_models.model import DEFAULTS, ModelView
from vaenb.view_models.model_picture import NARROW, WIDE, draw, drawn_windows, fold, live, row

SETTINGS = st.fixed_dictionaries(
    {
        "window_size": st.integers(1, 200),
        "n_channels": st.integers(1, 30),
        "latent_dim": st.integers(1, 70),
        "hidden": st.none() | st.lists(st.integers(1, 300), max_size=9),
        "encoder": st.sampled_from(sorted(DEFAULT_HIDDEN)),
        "likelihood": st.sampled_from(LIKELIHOODS),
        "scale": st.sampled_from(SCALES),
        "prior": st.sampled_from(PRIORS),
        "kl_weight": st.floats(0, 9),
    }
)


@given(chosen=SETTINGS)
def test_whatever_is_chosen_can_be_drawn_told_and_written(chosen):
    view = ModelView(**chosen)
    for svg in (draw(view), live(view)):
        assert "nan" not in re.sub(r"[a-z]*nan[a-z]+", "", svg.lower())
        assert f"{view.n_params:,}" in svg
    for name, text in model_words.consequences(view).items():
        assert name in view.settings
        assert text.endswith(".")
    names = {}
    exec(view.code().replace("vaenb.VAE", "dict"), names)
    again = ModelView(**names["vae"])
    assert again.settings == view.settings


@given(chosen=SETTINGS)
def test_every_block_stands_within_the_drawing_and_no_two_touch(chosen):
    view = ModelView(**chosen)
    for width in (WIDE, NARROW):
        svg = row(view, view.layers if width == WIDE else view.layers[:3], width)
        boxes = [
            (float(x), float(y), float(w), float(h))
            for x, y, w, h in re.findall(
                r'<rect class="[^"]*" x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"', svg
            )
        ]
        for x, y, w, h in boxes:
            assert x >= 0
            assert x + w <= width
            assert y >= 30
            assert y + h <= 180
        edges = sorted((x, x + w) for x, _, w, _ in boxes)
        assert all(right <= left for (_, right), (left, _) in itertools.pairwise(edges))


@given(chosen=SETTINGS)
def test_folding_loses_no_parameter(chosen):
    layers = lay_out(ModelView(**chosen).full)
    folded = fold(layers)
    assert sum(layer.n_params for layer in folded) == sum(layer.n_params for layer in layers)
    assert len(folded) <= 3 + 2 * 5 + 1
    if len(ModelView(**chosen).full["hidden"]) <= 4:
        assert folded == layers


def test_the_defaults_stand_in_no_code():
    assert ModelView(48).code() == "import vaenb\n\nvae = vaenb.VAE(window_size=48)"
    assert (
        ModelView(48, 3, latent_dim=4, hidden=[32])
        .code()
        .endswith("vaenb.VAE(window_size=48, n_channels=3, latent_dim=4, hidden=(32,))")
    )


def test_the_sizes_that_are_usual_are_none():
    view = ModelView(48, hidden=(256, 64))
    assert view.settings["hidden"] is None
    assert view.full["hidden"] == [256, 64]
    view.choose_encoder("conv")
    assert (view.settings["hidden"], view.full["hidden"]) == (None, [32, 64])


def test_choosing_says_whether_anything_changed():
    view = ModelView(48)
    assert not view.choose(latent_dim=8)
    assert view.choose(latent_dim=9)
    assert view.choose_defaults()
    assert not view.choose_defaults()
    assert {name: view.settings[name] for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"latent_dim": 0}, "latent_dim is 0"),
        ({"hidden": "64"}, "hidden is '64'"),
        ({"hidden": 64}, "hidden is 64"),
        ({"hidden": [0]}, "each of hidden is 0"),
        ({"hidden": [2] * 101}, "hidden has 101 layers"),
        ({"encoder": "lstm"}, "encoder is 'lstm'"),
        ({"likelihood": "poisson"}, "likelihood is 'poisson'"),
        ({"kl_weight": -1}, "kl_weight is -1"),
        ({"seed": 2**31}, "seed is 2147483648"),
        ({"window_size": 0}, "window_size is 0"),
        ({"dropout": 0.5}, "no setting 'dropout'"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(chosen, words):
    view = ModelView(48, latent_dim=3)
    before = view.settings
    with pytest.raises(InputError, match=words):
        view.choose(**{"prior": "mixture", **chosen})
    assert view.settings == before


@pytest.mark.parametrize(
    ("dims", "words"),
    [(1, "A single number"), (2, "can be drawn"), (8, "8 numbers to describe the 48"), (48, "left out")],
)
def test_the_latent_size_is_explained(dims, words):
    assert words in model_words.latent(dims, 48)


@pytest.mark.parametrize(
    ("weight", "words"), [(0, "ordinary autoencoder"), (0.5, "Less than 1"), (1, "ELBO"), (2, "More than 1")]
)
def test_the_weight_of_the_kl_is_explained(weight, words):
    assert words in model_words.kl_weight(weight)


def test_every_choice_has_its_sentence():
    assert set(model_words.ENCODER) == set(DEFAULT_HIDDEN)
    assert set(model_words.LIKELIHOOD) == set(LIKELIHOODS)
    assert set(model_words.SCALE) == set(SCALES)
    assert set(model_words.PRIOR) == set(PRIORS)
    linear = ModelView(48, hidden=())
    assert "linear" in model_words.hidden(linear)
    assert "filters" in model_words.hidden(ModelView(48, encoder="conv"))
    assert "changes nothing" in model_words.consequences(ModelView(48, likelihood="bernoulli"))["scale"]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (99_999, "99,999"), (123_456, "123k"), (2_345_678, "2.35M")]
)
def test_parameters_in_a_few_characters(count, text):
    assert model_words.short(count) == text


def test_drawn_windows_are_kept_with_their_settings():
    view = ModelView(10, 2)
    assert drawn_windows(view) == ""
    assert "z is drawn" in model_words.drawn(view, can_draw=True)
    assert "sample=vaenb.sample_prior" in model_words.drawn(view, can_draw=False)
    view.keep_drawn(np.zeros((4, 10, 2)))
    assert drawn_windows(view).count("<svg") == 4
    assert "stale" not in drawn_windows(view)
    view.choose(latent_dim=2)
    assert "v-stale" in drawn_windows(view)
    assert "draw again" in model_words.drawn(view, can_draw=True)


@pytest.mark.parametrize("shape", [(10, 2), (4, 9, 2), (4, 10, 3)])
def test_drawn_windows_of_another_shape_are_refused(shape):
    view = ModelView(10, 2)
    with pytest.raises(InputError, match=r"expected \(n, 10, 2\)"):
        view.keep_drawn(np.zeros(shape))
    assert view.drawn is None
