"""The smallest panel that has something of everything: for the tests of the base."""

import bqplot as bq
import ipywidgets as widgets
import numpy as np
from ipywidgets.widgets.widget import _instances

from vaenb.drawing.svg import picture
from vaenb.panels.base import Panel, guarded


class SmallPanel(Panel):
    """A slider and a line that is as steep as the slider says; nine is too many."""

    title = "a small panel"

    def __init__(self, n=3):
        super().__init__()
        self.calls = []
        self.n = widgets.IntSlider(n, 0, 10, description="n")
        self.n.observe(self.on_n, "value")
        x, y = bq.LinearScale(), bq.LinearScale()
        at = np.arange(5.0)
        self.line = bq.Lines(x=at, y=at * n, scales={"x": x, "y": y}, colors=["var(--v-data)"])
        axes = [bq.Axis(scale=x, label="x"), bq.Axis(scale=y, side="left")]
        self.figure = bq.Figure(marks=[self.line], axes=axes, layout={"height": "200px", "width": "100%"})
        self.figure.interaction = bq.interacts.BrushIntervalSelector(scale=x)
        self.show(self.n, self.figure)

    @guarded
    def on_n(self, change):
        """Follow the slider."""
        self.calls.append(change["new"])
        if change["new"] == 9:
            raise ValueError("nine is <too> many")
        self.line.y = np.arange(5.0) * change["new"]
        self.refresh_code()

    def code(self):
        """The line that makes the panel."""
        return f"panel = SmallPanel({self.n.value})"

    def picture(self):
        """A bar as long as the slider is high."""
        bar = f'<rect class="v-part0" y="40" width="{30 * self.n.value}" height="20"/>'
        says = f'<text x="4" y="24">n is {self.n.value}</text>'
        desc = f"n < {self.n.value + 1}"
        return picture("small", bar, says, width=300, height=100, title="Small", desc=desc)


def living():
    """How many widgets are alive, and how many lines to the browser are open."""
    from comm import get_comm_manager

    return len(_instances), len(get_comm_manager().comms)
