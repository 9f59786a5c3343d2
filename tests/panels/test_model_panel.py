"""The panel of step 2 as Python drives it."""

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

import vaenb
from vaenb import InputError
from vaenb.panels.model_choices import read_sizes


def waves(settings, n, seed):
    """A stand-in for a decoder."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, settings["window_size"], settings["n_channels"]))


@pytest.fixture
def opened():
    panels = []

    def open_panel(*args, **settings):
        panels.append(vaenb.ModelPanel(*args, **settings))
        return panels[-1]

    yield open_panel
    for panel in panels:
        panel.close()


def test_every_control_sets_its_setting(opened):
    panel = opened(48)
    controls = panel._choices.controls
    for name, value, found in (
        ("latent_dim", 4, 4),
        ("likelihood", "laplace", "laplace"),
        ("scale", "shared", "shared"),
        ("prior", "mixture", "mixture"),
        ("kl_weight", 0.5, 0.5),
        ("seed", 7, 7),
        ("hidden", "32 16", (32, 16)),
    ):
        controls[name].value = value
        assert panel.settings[name] == found
        assert f"{name}={found!r}" in panel.code()
    controls["encoder"].value = "recurrent"
    assert panel.settings["encoder"] == "recurrent"
    assert panel.settings["hidden"] is None
    assert controls["hidden"].value == "64"


def test_the_drawing_follows_at_once(opened):
    panel = opened(48)
    for change in ({"latent_dim": 3}, {"encoder": "conv"}, {"window_size": 60, "n_channels": 2}):
        before = panel._network.value
        panel.choose(**change)
        assert panel._network.value != before
        assert f"{panel.view.n_params:,}" in panel._network.value
        assert f"{panel.view.n_params:,} parameters" in panel._heading.value


def test_the_textbook_is_one_press_away_and_the_defaults_too(opened):
    panel = opened(48, encoder="conv", prior="mixture")
    panel._textbook.click()
    assert {name: panel.settings[name] for name in ("latent_dim", "hidden", "likelihood", "encoder")} == {
        "latent_dim": 2,
        "hidden": (32,),
        "likelihood": "bernoulli",
        "encoder": "dense",
    }
    assert "textbook model" in panel._heading.value
    assert panel._choices.controls["scale"].disabled
    panel._defaults.click()
    assert panel.code().endswith("vaenb.VAE(window_size=48)")
    assert "textbook" not in panel._heading.value


def test_sentences_follow_the_choices(opened):
    panel = opened(48)
    said = panel._choices._says["latent_dim"]
    panel._choices.controls["latent_dim"].value = 2
    assert said.value.startswith("A latent of 2 can be drawn")
    panel._choices.controls["encoder"].value = "conv"
    assert "filters" in panel._choices._says["encoder"].value


def test_more_than_the_sliders_reach_can_be_asked_for(opened):
    panel = opened(48, latent_dim=100, kl_weight=9)
    assert panel._choices.controls["latent_dim"].value == 100
    assert panel._choices.controls["kl_weight"].value == 9


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("256, 64", (256, 64)), ("(32,)", (32,)), ("  8 4;2 ", (8, 4, 2)), ("", ()), ("[16]", (16,))],
)
def test_sizes_are_read_as_they_are_typed(text, sizes):
    assert read_sizes(text) == sizes


@pytest.mark.parametrize("text", ["many", "3.5", "-4", "8, x", "²"])
def test_what_is_no_size_is_told_and_the_box_goes_back(opened, text):
    panel = opened(48)
    panel._choices.controls["hidden"].value = text
    assert "hidden sizes are" in panel._error.value
    assert panel._choices.controls["hidden"].value == "256, 64"
    panel._choices.controls["latent_dim"].value = 3
    assert panel._error.value == ""


def test_a_size_of_zero_is_told(opened):
    panel = opened(48)
    panel._choices.controls["hidden"].value = "8, 0"
    assert "each of hidden is 0" in panel._error.value
    assert panel.settings["hidden"] is None


@pytest.mark.parametrize("settings", [{"latent_dim": 0}, {"dropout": 1}, {"encoder": "lstm"}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(InputError):
        vaenb.ModelPanel(48, **settings)


def test_listeners_hear_of_every_change(opened):
    panel = opened(48)
    heard = []
    panel.on_change(heard.append)
    panel.choose(latent_dim=3)
    panel.choose(latent_dim=3)
    panel._choices.controls["prior"].value = "mixture"
    panel._textbook.click()
    assert [settings["latent_dim"] for settings in heard] == [3, 3, 2]


# ---------------------------------------------------------------------- draws from the prior


def test_windows_are_drawn_others_each_time_and_fade_when_they_are_old(opened):
    asked = []

    def sample(settings, n, seed):
        asked.append((settings, n, seed))
        return waves(settings, n, seed)

    panel = opened(48, 2, sample=sample, seed=5)
    panel._draw_button.click()
    first = panel._drawn.value
    assert first.count("<svg") == 6
    panel.draw_samples()
    assert panel._drawn.value != first
    assert [seed for _, _, seed in asked] == [5, 6]
    assert asked[0][0] == panel.settings
    panel.choose(latent_dim=2)
    assert "v-stale" in panel._drawn.value
    assert "draw again" in panel._drawn.value
    panel._draw_button.click()
    assert "v-stale" not in panel._drawn.value


def test_without_a_function_the_panel_says_how_to_get_one(opened):
    panel = opened(48)
    assert panel._draw_button.disabled
    assert "sample=vaenb.sample_prior" in panel._drawn.value
    panel.draw_samples()
    assert panel.view.drawn is None


@pytest.mark.parametrize("wrong", [lambda s, n, seed: 1 / 0, lambda s, n, seed: np.zeros((3, 4))])
def test_a_function_that_fails_costs_one_line(opened, wrong):
    panel = opened(48, sample=wrong)
    panel._draw_button.click()
    assert panel._error.value
    assert not panel._draw_button.disabled
    assert panel._draw_button.description == "Draw from the prior"
    panel.choose(latent_dim=3)
    assert panel.settings["latent_dim"] == 3


def test_the_models_own_prior_can_be_drawn_from(opened):
    panel = opened(12, 2, sample=vaenb.sample_prior, latent_dim=2, hidden=(4,))
    panel.draw_samples()
    assert panel.view.drawn.shape == (6, 12, 2)
    assert panel._error.value == ""


# ---------------------------------------------------------------------- code, picture, end


def test_the_copied_code_builds_the_same_model(opened):
    panel = opened(16, 2, encoder="conv", hidden=(4,), prior="mixture", latent_dim=2, kl_weight=0.5)
    names = {}
    exec(panel.code(), names)
    assert names["vae"].count_params() == panel.view.n_params
    assert names["vae"].settings == panel.view.full


def test_the_snapshot_tells_the_layers(opened):
    still = opened(48).snapshot()
    assert "<img" in still
    assert "71,920 parameters" in still


def test_fifty_panels_leave_nothing_behind():
    vaenb.ModelPanel(48).close()
    before = len(_instances)
    for turn in range(50):
        panel = vaenb.ModelPanel(48, sample=waves)
        panel.choose(latent_dim=turn + 1)
        panel.draw_samples()
        panel.close()
        panel.close()
    assert len(_instances) == before
