"""The common base of the panels in a real JupyterLab."""

import pytest

CELL = """
import bqplot as bq, ipywidgets as widgets, numpy as np
from vaenb.panels.base import Panel, guarded
from vaenb.report.drawing import picture

class Small(Panel):
    title = "a small panel"

    def __init__(self, n=3):
        super().__init__()
        self.n = widgets.IntSlider(n, 0, 10, description="n")
        self.n.observe(self.on_n, "value")
        x, y = bq.LinearScale(), bq.LinearScale()
        at = np.arange(5.0)
        self.line = bq.Lines(x=at, y=at, scales={"x": x, "y": y}, colors=["var(--v-data)"])
        axes = [bq.Axis(scale=x, label="x"), bq.Axis(scale=y, orientation="vertical")]
        self.figure = bq.Figure(marks=[self.line], axes=axes, layout={"height": "200px", "width": "100%"})
        self.show(self.n, self.figure)

    @guarded
    def on_n(self, change):
        if change["new"] == 9:
            raise ValueError("nine is too many")
        self.line.y = np.arange(5.0) * change["new"]

    def code(self):
        return f"Small({self.n.value})"

    def picture(self):
        bar = f'<rect class="v-part0" y="40" width="{30 * self.n.value}" height="20"/>'
        says = f'<text x="4" y="24">n is {self.n.value}</text>'
        desc = f"n < {self.n.value + 1}"
        return picture("small", bar, says, width=300, height=100, title="Small", desc=desc)

panel = Small()
panel
"""


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
    lab.notebook(CELL)
    panel = lab.panel()
    lab.do("panel.n.value = 9")
    line = panel.get_by_role("alert")
    line.wait_for()
    assert line.inner_text() == "ValueError: nine is too many"
    lab.do("panel.n.value = 2")
    line.wait_for(state="detached")


def test_running_the_cell_again_closes_the_panel_before(lab):
    lab.notebook(CELL + "\nkept = [*globals().get('kept', []), panel]", "len(kept)")
    lab.run(0)
    lab.do("panel.n.value = 5")
    assert lab.value("[p.is_closed for p in kept]") == [True, False]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800])
def test_it_can_be_pictured(lab, theme, width):
    lab.notebook(CELL)
    lab.theme(theme)
    lab.width(width)
    lab.panel().locator("svg.svg-figure").wait_for()
    assert lab.picture(lab.panel(), f"small-{theme}-{width}").stat().st_size > 1000
