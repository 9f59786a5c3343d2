"""Step 2 in a real JupyterLab: the drawing follows, every choice by mouse and by keyboard."""

import pytest

DENSE = """
import numpy as np, vaenb

def waves(settings, n, seed):
    rng, t = np.random.default_rng(seed), np.arange(settings["window_size"])
    height = rng.normal(size=(n, 1, settings["n_channels"]))
    return height * np.sin(2 * np.pi * t / 24 + 3 * rng.random((n, 1)))[:, :, None]

panel = vaenb.ModelPanel(48, sample=waves)
panel.draw_samples()
panel
"""
CONV = DENSE.replace(
    "ModelPanel(48, sample", "ModelPanel(64, 19, encoder='conv', prior='mixture', latent_dim=4, sample"
)
TEXTBOOK = """
import vaenb
panel = vaenb.ModelPanel(48, latent_dim=2, hidden=(32,), likelihood="bernoulli")
panel
"""
DEEP = TEXTBOOK.replace(
    'latent_dim=2, hidden=(32,), likelihood="bernoulli"', "encoder='recurrent', hidden=[32] * 7"
)


@pytest.fixture
def shown(lab):
    def show(cell):
        lab.notebook(cell)
        panel = lab.panel()
        panel.locator("svg.vaenb-net:visible").wait_for()
        return panel

    return show


def test_a_choice_is_drawn_at_once(lab, shown):
    panel = shown(DENSE)
    lab.until(lambda: "71,920 parameters" in panel.inner_text())
    panel.get_by_role("button", name="conv", exact=True).click()
    lab.until(lambda: lab.value("panel.settings['encoder']") == "conv")
    lab.until(lambda: f"{lab.value('panel.view.n_params'):,} parameters" in panel.inner_text())
    layers = panel.locator("svg.vaenb-net:visible").get_by_text("Conv", exact=True)
    lab.until(lambda: layers.count() == 4)
    panel.get_by_role("button", name="Defaults").click()
    lab.until(lambda: "71,920 parameters" in panel.inner_text())


def test_every_choice_by_keyboard(lab, shown):
    panel = shown(DENSE)
    handle = panel.locator(".widget-slider:has(.widget-label:text-is('Latent size')) .noUi-handle")
    handle.focus()
    for _ in range(6):
        lab.page.keyboard.press("ArrowLeft")
    lab.until(lambda: lab.value("panel.settings['latent_dim']") == 2)
    lab.until(lambda: "A latent of 2 can be drawn" in panel.inner_text())
    box = panel.get_by_placeholder("256, 64")
    box.fill("32, 16")
    box.press("Enter")
    lab.until(lambda: lab.value("panel.settings['hidden']") == (32, 16))
    for name, setting, value in (
        ("laplace", "likelihood", "laplace"),
        ("shared", "scale", "shared"),
        ("mixture", "prior", "mixture"),
    ):
        button = panel.get_by_role("button", name=name, exact=True)
        button.focus()
        button.press("Enter")
        lab.until(lambda setting=setting, value=value: lab.value(f"panel.settings[{setting!r}]") == value)
    panel.locator(".widget-slider:has(.widget-label:text-is('KL weight')) .noUi-handle").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.until(lambda: lab.value("panel.settings['kl_weight']") > 1)


def test_a_size_that_cannot_be_is_one_line(lab, shown):
    panel = shown(DENSE)
    box = panel.get_by_placeholder("256, 64")
    box.fill("many")
    box.press("Enter")
    panel.get_by_role("alert").filter(has_text="The hidden sizes are 'many'").wait_for()
    lab.until(lambda: box.input_value() == "256, 64")


def test_windows_are_drawn_and_fade_when_the_choice_changes(lab, shown):
    panel = shown(DENSE)
    lab.until(lambda: panel.locator(".vaenb-drawn-grid svg").count() == 6)
    before = lab.value("panel.view.drawn[0, :, 0]")
    panel.get_by_role("button", name="Draw from the prior").click()
    lab.until(lambda: lab.value("panel.view.drawn[0, :, 0]") != before)
    panel.get_by_role("button", name="Textbook").click()
    panel.locator(".vaenb-drawn-grid.v-stale").wait_for()
    lab.picture(panel, "model-stale-light-1280")


def test_the_copied_code_builds_the_same_in_a_fresh_kernel(lab, shown):
    panel = shown(TEXTBOOK)
    panel.get_by_role("button", name="Copy as code").click()
    code = panel.locator("textarea")
    lab.until(lambda: "bernoulli" in code.input_value())
    count, copied = lab.value("panel.view.n_params"), code.input_value()
    lab.restart()
    lab.do(copied)
    assert lab.value("vae.count_params()") == count


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize(
    ("name", "cell"), [("dense", DENSE), ("conv", CONV), ("textbook", TEXTBOOK), ("deep", DEEP)]
)
def test_it_can_be_pictured(lab, shown, name, cell, theme, width):
    lab.width(width, 1400)
    panel = shown(cell)
    lab.theme(theme)
    assert lab.picture(panel, f"model-{name}-{theme}-{width}").stat().st_size > 10_000
    inside = panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth + 1")
    assert inside, "something is wider than the panel"
