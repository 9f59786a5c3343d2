"""The latent panel in a real JupyterLab: every gesture by mouse and by keyboard."""

from itertools import pairwise

import numpy as np
import pytest

CELL = """
import vaenb
from make_evidence import make_decode, make_evidence
evidence = make_evidence({name!r}, n_sample={n_sample})
panel = vaenb.LatentPanel(evidence, decode={decode})
heard = []
panel.on_select(lambda windows: heard.append(len(windows)))
panel
"""


def show(lab, name="nyc_taxi", *, decode="make_decode(evidence)", n_sample=400):
    lab.notebook(CELL.format(name=name, decode=decode, n_sample=n_sample))
    panel = lab.panel()
    panel.locator(".vaenb-latent-cloud .dot").nth(5).wait_for(state="attached")
    panel.locator(".vaenb-latent-cloud .plotarea_events").wait_for(state="attached")
    panel.scroll_into_view_if_needed()
    lab.settle()
    return panel


def on_screen(lab, panel, place):
    """Where a place of the plane is on the page, in pixels."""
    box = panel.locator(".vaenb-latent-cloud .plotarea_events").bounding_box()
    (left, right), (low, high) = lab.value("panel.view.edges")
    x, y = place
    return (
        box["x"] + box["width"] * (x - left) / (right - left),
        box["y"] + box["height"] * (high - y) / (high - low),
    )


def draw(lab, corners, *, steps=8):
    """Press at the first corner, move along the others, no faster than the page draws, and let go."""
    mouse = lab.page.mouse
    mouse.move(*corners[0])
    mouse.down()
    for before, corner in pairwise(corners):
        for share in (step / steps for step in range(1, steps + 1)):
            mouse.move(*(a + share * (b - a) for a, b in zip(before, corner, strict=True)))
            lab.settle_frame()
    mouse.up()


def mode(panel, name):
    """Switch over, and wait until the controls of the mode, and no others, stand there."""
    panel.get_by_role("button", name=name, exact=True).click()
    signs = {"Pick": "Next flagged", "Lasso": "Clear", "Walk": "To the picked window"}
    panel.get_by_role("button", name=signs.pop(name)).wait_for()
    for sign in signs.values():
        panel.get_by_role("button", name=sign).wait_for(state="hidden")


def on_page(handle):
    """The value of a slider's handle on the page."""
    return float(handle.get_attribute("aria-valuetext"))


def test_a_lasso_lights_up_windows_on_the_series(lab):
    panel = show(lab)
    mode(panel, "Lasso")
    panel.locator(".lassoselector rect").wait_for(state="attached")
    (left, right), (low, high) = lab.value("panel.view.edges")
    middle = (left + right) / 2
    slack = 0.01 * (right - left)  # a few pixels
    surely, perhaps = (
        lab.value(f"panel.view.in_rectangle(({left}, {middle + way * slack}), ({low}, {high}))")
        for way in (-1, 1)
    )
    corners = [(left, low), (middle, low), (middle, high), (left, high)]
    draw(lab, [on_screen(lab, panel, corner) for corner in corners])
    lab.until(lambda: lab.value("len(panel.selected)"))
    lab.until(lambda: set(surely) <= set(lab.value("panel.selected")) <= set(perhaps))
    inside = lab.value("panel.selected")
    assert lab.value("heard")[-1] == len(inside)
    panel.get_by_text(f"{len(inside)} windows lit").wait_for()
    faded = "els => els.filter(el => getComputedStyle(el).opacity < 0.5).length"
    lab.until(lambda: panel.locator(".vaenb-latent-cloud .dot").evaluate_all(faded) == 400 - len(inside))
    # The line goes, the points stay lit.
    lab.until(lambda: not panel.locator(".lassoselector path").count())
    assert lab.value("panel._series.stripes.x.size == 4 * len(panel.view.lit()[0])")
    mode(panel, "Pick")
    mode(panel, "Lasso")
    panel.locator(".lassoselector rect").wait_for(state="attached")
    lab.settle_frame()
    mode(panel, "Pick")  # answered by the kernel after whatever a new lasso said
    assert lab.value("panel.selected") == inside
    assert panel.locator(".vaenb-latent-cloud .dot").evaluate_all(faded) == 400 - len(inside)


def test_a_brush_on_the_series_lights_up_the_cloud(lab):
    panel = show(lab)
    brush = panel.locator(".brushintsel .overlay")
    box = brush.bounding_box()
    across = [box["x"] + box["width"] * share for share in (0.3, 0.5)]
    down = box["y"] + box["height"] / 2
    draw(lab, [(across[0], down), (across[1], down)])
    n_cells = lab.value("evidence.series.n_cells")
    lab.until(lambda: abs(lab.value("panel._series.stretch.value[1]") - 0.5 * n_cells) < 0.01 * n_cells)
    stretched = "panel.view.in_stretch(*panel._series.stretch.value)"
    told = f"list(panel.selected) == list({stretched}) and heard[-1:] == [len(panel.selected)]"
    lab.until(lambda: lab.value(told))
    assert len(lab.value("panel.selected")) > 40
    lab.page.mouse.click(across[0] - 40, down)  # a click beside it takes it away
    lab.until(lambda: not lab.value("len(panel.selected)"))


def test_a_click_shows_a_window_and_pointing_at_it_says_what_it_is(lab):
    panel = show(lab)
    places = np.array(lab.value("panel.view.places"))
    alone = int(np.argmax([np.sort(np.hypot(*(places - place).T))[1] for place in places]))
    x, y = on_screen(lab, panel, places[alone])
    lab.page.mouse.move(x, y)
    told = lab.page.locator(".bqplot_tooltip_div, .mark_tooltip").filter(has_text="score").first
    told.wait_for()
    assert lab.value(f"panel.view.flagged[{alone}]") == ("flagged" in told.inner_text())
    lab.page.mouse.click(x, y)
    lab.until(lambda: lab.value("panel.picked") == alone)
    lab.until(lambda: "Nearest normal windows" in panel.inner_text())
    other = lab.value("panel.view.nearest_normal(panel.picked)")[1]
    panel.locator(".vaenb-latent-card button").nth(1).click()
    lab.until(lambda: lab.value("panel.picked") == other)


def test_a_click_beside_the_points_picks_the_nearest(lab):
    panel = show(lab)
    x, y = lab.value("panel.view.places[12]")
    at = on_screen(lab, panel, (x, y))
    lab.page.mouse.click(at[0] + 9, at[1])
    (left, right), _ = lab.value("panel.view.edges")
    width = panel.locator(".vaenb-latent-cloud .plotarea_events").bounding_box()["width"]
    near = x + 9 * (right - left) / width
    wanted = lab.value(f"[panel.view.nearest_shown({near}, {y})]")
    lab.until(lambda: lab.value("[panel.picked]") == wanted)


def test_walking_by_dragging_the_cross(lab):
    panel = show(lab)
    mode(panel, "Walk")
    lab.do("drawn = []; panel._window.pictures[0].model.observe(lambda change: drawn.append(1), 'y')")
    lab.do("let_go = []; panel._cloud.cross.on_drag_end(lambda *_: let_go.append(1))")
    start, end = on_screen(lab, panel, lab.value("panel.walk_at")), on_screen(lab, panel, (0.8, 0.6))
    draw(lab, [start, end], steps=60)
    lab.until(lambda: lab.value("len(let_go)"))
    assert np.allclose(lab.value("panel.walk_at"), (0.8, 0.6), atol=0.03)
    off = "abs(panel._window.pictures[0].model.y - panel.view.drawing().mean[:, 0]).max()"
    lab.until(lambda: lab.value(off) == 0)  # the last place is drawn
    assert lab.value("len(drawn)") >= 30
    lab.until(lambda: lab.value("abs(panel._cloud.cross.x[0] - panel.walk_at[0])") < 0.02)
    lab.page.mouse.click(*on_screen(lab, panel, (-0.5, 0.3)))  # and by a click
    lab.until(lambda: np.allclose(lab.value("panel.walk_at"), (-0.5, 0.3), atol=0.03))


def test_everything_by_keyboard(lab):
    panel = show(lab)
    keys = lab.page.keyboard
    number = panel.get_by_role("spinbutton")
    number.fill("17")
    keys.press("Tab")
    lab.until(lambda: lab.value("panel.picked") == 17)
    panel.get_by_role("button", name="Next flagged").press("Enter")
    lab.until(lambda: lab.value("panel.picked != 17 and bool(panel.view.flagged[panel.picked])"))
    panel.get_by_role("button", name="Light it up").press("Enter")
    lab.until(lambda: lab.value("panel.selected == [panel.picked]"))
    mode(panel, "Walk")
    across = panel.locator(".vaenb-latent-gestures [role=slider]:visible").first
    x, y = lab.value("panel.walk_at")
    across.focus()
    for _ in range(5):
        keys.press("ArrowRight")
    lab.until(lambda: lab.value("panel.walk_at[0]") > x + 0.01)
    lab.until(lambda: on_page(across) == pytest.approx(lab.value("panel.walk_at[0]"), abs=1e-6))
    assert lab.value("panel.walk_at[1]") == pytest.approx(y, abs=0.02)
    mode(panel, "Lasso")
    right_end = panel.locator(".vaenb-latent-gestures [role=slider]:visible").nth(1)
    right_end.focus()
    for _ in range(20):
        keys.press("ArrowLeft")
    end = "panel._controls.sides[0].value[1]"
    lab.until(lambda: on_page(right_end) == pytest.approx(lab.value(end), abs=1e-6))  # the last key is heard
    inside = "panel.view.in_rectangle(*(side.value for side in panel._controls.sides))"
    lab.until(lambda: lab.value(f"list(panel.selected) == list({inside}) and len(panel.selected) < 400"))
    panel.get_by_role("button", name="Clear").press("Enter")
    lab.until(lambda: not lab.value("len(panel.selected)"))
    stretch = panel.locator(".vaenb-latent-time > .widget-slider [role=slider]").last
    stretch.focus()
    for _ in range(4):
        keys.press("PageUp")
    lab.until(lambda: lab.value("len(panel.selected)"))
    lab.until(lambda: on_page(stretch) == lab.value("panel._series.stretch.value[1]"))
    stretched = "panel.view.in_stretch(*panel._series.stretch.value)"
    lab.until(lambda: lab.value(f"list(panel.selected) == list({stretched}) and len(panel.selected) > 0"))


def test_colours_and_planes_from_their_menus(lab):
    panel = show(lab, decode="None")
    for name in ("Time", "Split", "Label", "Verdict"):
        panel.get_by_label("Colour by").select_option(name)
        lab.until(lambda name=name: lab.value("panel.color_by") == name.lower())
    panel.get_by_label("Plane").select_option("Two dimensions")
    lab.until(lambda: lab.value("panel.plane") == (0, 1))
    panel.get_by_label("Across").select_option("z2, 1.7 nats")
    lab.until(lambda: lab.value("panel.plane") == (1, 0))
    lab.until(lambda: "dead" in panel.get_by_label("Up").inner_text())
    mode(panel, "Walk")
    panel.get_by_text("no stored drawings lie in this plane").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["nyc_taxi", "server_metrics"])
def test_pictures(lab, theme, name):
    panel = show(lab, name)
    lab.theme(theme)
    lab.do("panel.selected = panel.view.in_stretch(4000, 5000)")
    for width in (1280, 800):
        lab.width(width, 1500)
        lab.settle()
        lab.until(lambda: panel.evaluate("el => el.scrollWidth <= el.clientWidth + 1"))
        assert lab.picture(panel, f"latent-{name}-{theme}-{width}").stat().st_size > 20_000


def test_nothing_jumps_from_mode_to_mode(lab):
    panel = show(lab)
    heights = set()
    for name in ("Pick", "Lasso", "Walk"):
        mode(panel, name)
        lab.until(lambda name=name: lab.value("panel.mode") == name)
        lab.settle_frame()
        lab.settle()
        heights.add(round(panel.bounding_box()["height"]))
    assert len(heights) == 1


def test_two_thousand_windows_of_a_longer_series(lab):
    lab.notebook(
        CELL.format(name="nyc_taxi", decode="None", n_sample=3000).replace(
            "make_evidence('nyc_taxi', ", "make_evidence(n_points=1_000_000, "
        )
    )
    panel = lab.panel()
    panel.get_by_text("2,000 of 3,000 windows shown").wait_for()
    panel.locator(".brushintsel .overlay").wait_for()
    lab.settle()
    box = panel.locator(".brushintsel .overlay").bounding_box()
    down = box["y"] + box["height"] / 2
    draw(lab, [(box["x"] + 100, down), (box["x"] + 300, down)])
    lab.until(lambda: lab.value("len(panel.selected)") > 100)
    assert lab.value("panel._series._trace.shown") <= 2_010
