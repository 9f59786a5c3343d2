"""Step 1 in a real JupyterLab: by mouse and by keyboard, on taxis, on 19 channels, on a million points."""

import pytest

TAXI = """
import vaenb
panel = vaenb.DataPanel(vaenb.load_dataset("nyc_taxi"))
panel
"""
SERVERS = TAXI.replace("nyc_taxi", "server_metrics")
MILLION = """
import numpy as np, pandas as pd, vaenb
n = 1_000_000
values = np.sin(np.arange(n) / 20) + 0.1 * np.random.default_rng(0).normal(size=n)
values[500_000:500_300] = np.nan
index = pd.date_range("2024-01-01", periods=n, freq="min")
series = vaenb.read_series(pd.DataFrame({"value": values}, index=index), name="million", train_end=0.5)
panel = vaenb.DataPanel(series)
panel
"""
PUMP = """
import numpy as np, pandas as pd, vaenb
rng, t = np.random.default_rng(0), np.arange(3000)
frame = pd.DataFrame(
    {"flow": 10 + 3 * np.sin(t * 2 * np.pi / 96) + 0.4 * rng.normal(size=3000),
     "level": 2 + np.cos(t * 2 * np.pi / 96) + 0.1 * rng.normal(size=3000)},
    index=pd.date_range("2024-03-01", periods=3000, freq="15min"),
)
frame.iloc[1200:1260, 0] = np.nan
frame = frame.iloc[[*range(500), *range(620, 1900), 1899, *range(1900, 3000)]]
panel = vaenb.DataPanel(vaenb.read_series(frame, name="pump", train_end=0.6), window_size=130)
panel.window_at = 1180
panel
"""
HANDLES = {"calibration": 0, "train_end": 1, "window": 2}


@pytest.fixture
def shown(lab):
    """Open a cell, and wait until its panel is drawn."""

    def show(cell):
        lab.notebook(cell)
        panel = lab.panel()
        handle(panel, "window").wait_for()
        panel.locator("svg.svg-figure path.line").nth(3).wait_for(state="attached")
        lab.settle()
        return panel

    return show


def handle(panel, name):
    """A handle under the strip."""
    return panel.locator(".vaenb-strip .dot_grp, .vaenb-strip .object_grp").nth(HANDLES[name])


def drag(lab, panel, name, by, *, steps=60):
    """Take a handle and move it by so many pixels, no faster than the page draws; wait until all is heard."""
    lab.do(f"let_go = []; panel._chart.strip.handles[{name!r}].on_drag_end(lambda *_: let_go.append(1))")
    box = handle(panel, name).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.move(x, y)
    lab.page.mouse.down()
    for step in range(1, steps + 1):
        lab.page.mouse.move(x + by * step / steps, y)
        lab.settle_frame()
    lab.page.mouse.up()
    lab.until(lambda: lab.value("len(let_go)"))


def slider(panel, name, nth=0):
    """The handle of a slider, to be moved by arrow keys."""
    return panel.locator(f".widget-slider:has(.widget-label:text-is('{name}')) .noUi-handle").nth(nth)


def window_on_page(panel):
    """Where the page's slider has the window."""
    return float(slider(panel, "Window at").get_attribute("aria-valuetext"))


def test_an_edge_follows_the_mouse_and_ends_where_it_was_left(lab, shown):
    panel = shown(TAXI)
    lab.do("moves = []; panel._chart.strip.handles['train_end'].on_drag(lambda *_: moves.append(1))")
    drag(lab, panel, "train_end", 150)
    width = panel.locator(".vaenb-strip .plotarea_events").bounding_box()["width"]
    expected = 5160 + 150 / width * 10_319
    lab.until(lambda: abs(lab.value("panel.view.train_end") - expected) < 25)
    assert lab.value("len(moves)") >= 30
    lab.until(lambda: lab.value("panel.view.last_good.calibration_stop == panel.view.train_end"))
    lab.until(lambda: f"test {10_320 - lab.value('panel.view.train_end'):,}" in panel.inner_text())


def test_the_calibration_edge_follows_the_mouse(lab, shown):
    panel = shown(TAXI)
    drag(lab, panel, "calibration", -100)
    lab.until(lambda: 0.3 < lab.value("panel.settings['calibration']") < 0.5)
    assert lab.value("panel.settings['train_end']") is None


def test_the_window_follows_the_mouse_the_keys_and_the_buttons(lab, shown):
    panel = shown(TAXI)
    before = lab.value("panel.window_at")
    drag(lab, panel, "window", 200)
    lab.until(lambda: lab.value("panel.window_at") > before + 1500)
    at = lab.value("panel.window_at")
    lab.until(lambda: window_on_page(panel) == at)  # the keys go on from there
    slider(panel, "Window at").focus()
    for _ in range(3):
        lab.page.keyboard.press("ArrowRight")
    lab.until(lambda: lab.value("panel.window_at") == at + 3)
    panel.get_by_title("One window on").click()
    lab.until(lambda: lab.value("panel.window_at") == at + 51)
    panel.get_by_title("Zoom to the window").click()
    lab.until(lambda: lab.value("len(panel._axis.view)") == 20 * 48)


def test_every_setting_has_its_keys(lab, shown):
    panel = shown(TAXI)
    slider(panel, "Window size").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.until(lambda: lab.value("panel.settings['window_size']") == 49)
    slider(panel, "Calibration").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.until(lambda: lab.value("panel.settings['calibration']") == 0.21)
    slider(panel, "Training ends").focus()
    lab.page.keyboard.press("ArrowLeft")
    lab.until(lambda: lab.value("panel.settings['train_end']") == 5159)
    panel.locator("select").select_option("minmax")
    lab.until(lambda: lab.value("panel.settings['scaler']") == "minmax")
    auto = panel.get_by_role("button", name="Auto")
    lab.until(lambda: "mod-active" not in auto.get_attribute("class"))  # the page knows of the 49
    auto.press("Enter")
    lab.until(lambda: lab.value("panel.settings['window_size']") == "auto")
    lab.until(lambda: "1 d" in panel.inner_text())


def test_what_cannot_be_prepared_is_one_line(lab, shown):
    panel = shown(TAXI)
    lab.do("panel.choose(window_size=2000)")
    panel.get_by_role("alert").filter(has_text="fewer than one window of 2000").wait_for()
    lab.picture(panel, "data-problem-light-1280")
    lab.do("panel.choose(window_size=60)")
    panel.get_by_role("alert").filter(has_text="fewer than").wait_for(state="detached")


def test_nineteen_channels_six_by_six(lab, shown):
    panel = shown(SERVERS)
    panel.get_by_title("The next channels").click()
    lab.until(lambda: lab.value("panel.view.shown") == (6, 7, 8, 9, 10, 11))
    lab.until(lambda: "v11" in panel.inner_text())
    lab.picture(panel, "data-next-channels-light-1280")


def test_a_million_points_are_zoomed(lab, shown):
    panel = shown(MILLION)
    for _ in range(6):
        panel.get_by_title("Zoom in").click()
    lab.until(lambda: lab.value("len(panel._axis.view)") < 20_000)
    lab.until(lambda: "of 15,62" in panel.inner_text())
    lab.picture(panel, "data-million-zoomed-light-1280")
    lab.do("panel.window_at = middle = sum((panel._axis.view.first, panel._axis.view.stop)) // 2")
    middle = lab.value("middle")
    strip = panel.locator(".vaenb-strip .plotarea_events").bounding_box()
    lab.until(lambda: 0 < handle(panel, "window").bounding_box()["x"] - strip["x"] < strip["width"])
    drag(lab, panel, "window", 120)
    expected = middle + 120 / strip["width"] * lab.value("len(panel._axis.view)")
    lab.until(lambda: abs(lab.value("panel.window_at") - expected) < 40)


def test_the_copied_code_gives_the_same_in_a_fresh_kernel(lab, shown):
    panel = shown(TAXI)
    lab.do("panel.choose(window_size=36, calibration=0.3, train_end=6000)")
    panel.get_by_role("button", name="Copy as code").click()
    code = panel.locator("textarea")
    lab.until(lambda: "window_size=36" in code.input_value())
    said = lab.value("panel.prepared.about")
    copied = code.input_value()
    lab.restart()
    lab.do(copied)
    assert lab.value("prepared.about") == said


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize(("name", "cell"), [("taxi", TAXI), ("servers", SERVERS), ("pump", PUMP)])
def test_it_can_be_pictured(lab, shown, name, cell, theme, width):
    lab.width(width, 1500)
    panel = shown(cell)
    lab.theme(theme)
    lab.settle_frame()
    assert lab.picture(panel, f"data-{name}-{theme}-{width}").stat().st_size > 10_000
    inside = panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth + 1")
    assert inside, "something is wider than the panel"
