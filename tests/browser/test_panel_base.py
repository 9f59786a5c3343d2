"""The common base of the panels in a real JupyterLab: life and end of a panel, its code, its time axis."""

import pytest

CELL = """
from small_panel import SmallPanel, living
panel = SmallPanel()
panel
"""

TIMED = """
import bqplot as bq, numpy as np
from vaenb.panels.base import Panel
from vaenb.panels.timeaxis import TimeAxis, Trace
from vaenb.view_models.timeline import Timeline

class Timed(Panel):
    def __init__(self, timeline):
        super().__init__()
        self.axis, self.seen = TimeAxis(timeline, lock=self.lock), []
        y = bq.LinearScale()
        self.trace = Trace(self.axis, np.sin(np.arange(timeline.n_cells) / 200), y)
        axes = [self.axis.axis(), bq.Axis(scale=y, side="left", num_ticks=4)]
        self.figure = bq.Figure(
            marks=[self.trace.mark], axes=axes, layout={"height": "200px", "width": "100%%"},
            fig_margin={"top": 8, "bottom": 30, "left": 50, "right": 24}, animation_duration=0,
        )
        self.axis.pannable(self.figure)
        self.axis.on_view(lambda view: self.seen.append((view.first, view.stop)))
        self.show(self.figure, self.axis.controls)

panel = Timed(%s)
panel
"""
CLOCK = 'Timeline(n_cells=10_000, start=np.datetime64("2024-03-30T22:00"), step=1800.0)'
PLAIN = "Timeline(n_cells=10_000, start=100.0, step=0.5)"


def view(lab):
    """What is in view, in the kernel."""
    return lab.value("(panel.axis.view.first, panel.axis.view.stop)")


def view_on_page(lab):
    """What is in view as the page's slider says it, in the kernel's cells: to the next 20."""
    ends = lab.panel().get_by_role("slider").all()
    return tuple(20 * float(end.get_attribute("aria-valuetext")) for end in ends)


def inside(ends, others):
    """Whether both ends lie between two others."""
    return others[0] < ends[0] and ends[1] < others[1]


# ---------------------------------------------------------------------- life


def test_a_panel_stands_and_lives(lab):
    lab.notebook(CELL)
    panel = lab.panel()
    panel.locator("svg.svg-figure").wait_for()
    slider = panel.get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    lab.until(lambda: lab.value("panel.n.value") == 4)
    assert lab.value("panel.line.y") == [0, 4, 8, 12, 16]


def test_an_error_is_one_line_and_goes_away(lab):
    lab.notebook(CELL, "1 + 1")
    panel = lab.panel()
    lab.do("panel.n.value = 9")
    line = panel.get_by_role("alert")
    line.wait_for()
    assert line.inner_text() == "ValueError: nine is <too> many"
    lab.do("panel.n.value = 2")
    line.wait_for(state="detached")
    lab.until(lambda: lab.output(1) == "2")


def test_running_the_cell_again_replaces_the_panel(lab):
    lab.notebook(
        CELL.replace("\npanel\n", "\nkept = [*globals().get('kept', []), panel]\nalive = living()\npanel\n")
    )
    lab.panel().wait_for()
    alive = lab.value("alive")
    for n in (2, 3):
        lab.run(0)
        lab.until(lambda n=n: lab.value("len(kept)") == n)
        assert lab.value("alive") == alive
    assert lab.value("[p.is_closed for p in kept]") == [True, True, False]
    lab.until(lambda: lab.page.locator(".vaenb-panel").count() == 1)
    lab.do("panel.n.value = 5")
    assert lab.value("panel.line.y")[1] == 5


def test_two_panels_do_not_disturb_each_other(lab):
    lab.notebook(CELL, CELL.replace("panel =", "other =").replace("\npanel\n", "\nother\n"))
    lab.panel(1).wait_for()
    lab.panel(1).get_by_role("slider").press("ArrowRight")
    lab.until(lambda: lab.value("other.n.value") == 4)
    assert lab.value("panel.n.value") == 3
    lab.do("other.close()")
    lab.until(lambda: lab.page.locator(".vaenb-panel").count() == 1)
    lab.panel(0).get_by_role("slider").press("ArrowLeft")
    lab.until(lambda: lab.value("panel.n.value") == 2)


def test_after_a_reload_the_panel_is_there_and_alive(lab):
    lab.notebook(CELL)
    lab.do("panel.n.value = 7")
    lab.save()
    lab.reload()
    panel = lab.panel()
    panel.locator("svg.svg-figure").wait_for()
    slider = panel.get_by_role("slider")
    lab.until(lambda: slider.get_attribute("aria-valuetext") == "7")
    slider.press("ArrowRight")
    lab.until(lambda: lab.value("panel.n.value") == 8)


# ---------------------------------------------------------------------- code


def test_the_code_can_be_copied(lab):
    lab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=lab.server.url)
    lab.notebook(CELL)
    panel = lab.panel()
    panel.get_by_role("button", name="Copy as code").click()
    area = panel.locator(".vaenb-code textarea")
    lab.until(lambda: area.input_value() == "panel = SmallPanel(3)")
    lab.do("panel.n.value = 6")
    lab.until(lambda: area.input_value() == "panel = SmallPanel(6)")
    panel.get_by_role("button", name="Copy", exact=True).click()
    panel.get_by_role("button", name="Copied").wait_for()
    assert lab.page.evaluate("navigator.clipboard.readText()") == "panel = SmallPanel(6)"


# ---------------------------------------------------------------------- the time axis


def test_the_time_axis_by_button_and_by_key(lab):
    lab.notebook(TIMED % CLOCK)
    panel = lab.panel()
    panel.get_by_title("Zoom in").press("Enter")
    lab.until(lambda: view(lab) == (2500, 7500))
    panel.get_by_title("Later").click()
    lab.until(lambda: view(lab) == (5000, 10000))
    lab.until(lambda: view_on_page(lab) == (5000, 10000))
    panel.get_by_role("slider").first.press("ArrowRight")
    lab.until(lambda: view(lab) == (5020, 10000))
    panel.get_by_title("Whole series").click()
    lab.until(lambda: view(lab) == (0, 10000))


@pytest.mark.parametrize("timeline", [CLOCK, PLAIN], ids=["clock", "plain"])
def test_the_time_axis_by_mouse(lab, timeline):
    lab.notebook(TIMED % timeline)
    panel = lab.panel()
    figure = panel.locator("svg.svg-figure")
    lab.do("from vaenb.view_models.timeline import View; panel.axis.set_view(View(4000, 6000))")
    panel.get_by_title("Move and zoom with the mouse").click()
    lab.until(lambda: lab.value("panel.figure.interaction is panel.axis.pan_zoom"))
    figure.locator("rect[style*='cursor: move']").wait_for(state="attached")  # what takes the mouse
    lab.until(lambda: view_on_page(lab) == (4000, 6000))
    lab.settle()
    box = figure.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.move(x, y)
    lab.page.mouse.wheel(0, -300)
    lab.until(lambda: inside(view(lab), (4000, 6000)))  # both ends have come
    before = view(lab)
    assert before[1] - before[0] < 1700
    lab.settle()
    lab.do("panel.seen.clear()")
    lab.page.mouse.down()
    for step in range(1, 31):
        lab.page.mouse.move(x - 5 * step, y)
        lab.settle_frame()
    lab.page.mouse.up()
    plot = panel.locator(".plotarea_background").bounding_box()
    by = 150 / plot["width"] * (before[1] - before[0])
    lab.until(lambda: view(lab) == pytest.approx((before[0] + by, before[1] + by), abs=3))
    firsts, stops = zip(*lab.value("panel.seen"), strict=True)
    assert list(firsts) == sorted(firsts)  # no step back: nothing shakes
    assert stops[-1] - firsts[-1] == pytest.approx(before[1] - before[0], abs=2)


def test_without_the_toggle_the_wheel_scrolls_the_page(lab):
    lab.notebook(TIMED % CLOCK, *["1"] * 40)
    lab.panel().locator("svg.svg-figure").wait_for()
    lab.settle()
    lab.panel().locator("svg.svg-figure").hover()
    before = lab.panel().bounding_box()["y"]
    lab.page.mouse.wheel(0, 200)
    lab.until(lambda: lab.panel().bounding_box()["y"] < before - 50)
    lab.settle()
    assert view(lab) == (0, 10000)


# ---------------------------------------------------------------------- how it looks


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800])
def test_it_fits_and_can_be_pictured(lab, theme, width):
    lab.notebook(TIMED % CLOCK)
    lab.theme(theme)
    lab.width(width)
    panel = lab.panel()
    panel.locator("svg.svg-figure").wait_for()
    lab.settle()
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    assert panel.locator("svg.svg-figure").bounding_box()["width"] <= panel.bounding_box()["width"]
    ink = panel.evaluate("panel => getComputedStyle(panel).color.match(/\\d+/g).slice(0, 3).map(Number)")
    assert max(ink) < 100 if theme == "light" else min(ink) > 155
    assert lab.picture(panel, f"base-{theme}-{width}").stat().st_size > 1000
