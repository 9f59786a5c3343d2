"""Which panel stands under which cell: a fake kernel says which cell runs."""

import IPython
import pytest
from small_panel import SmallPanel

from vaenb.panels import cells


class Kernel:
    """Says which cell runs, as ipykernel does."""

    def __init__(self):
        self.kernel, self._parent, self._runs = self, {}, 0

    def get_parent(self, channel):
        assert channel == "shell"
        return self._parent

    def run(self, cell, code):
        """Run a function as a cell."""
        self._runs += 1
        self._parent = {"header": {"msg_id": f"m{self._runs}"}, "metadata": {"cellId": cell} if cell else {}}
        try:
            return code()
        finally:
            self._parent = {}


@pytest.fixture
def kernel(monkeypatch):
    kernel = Kernel()
    monkeypatch.setattr(IPython, "get_ipython", lambda: kernel)
    monkeypatch.setattr(cells, "_made", [])
    return kernel


def test_running_a_cell_again_closes_what_it_made(kernel):
    first = kernel.run("a", SmallPanel)
    second = kernel.run("a", SmallPanel)
    assert (first.is_closed, second.is_closed) == (True, False)
    third = kernel.run("a", SmallPanel)
    assert (second.is_closed, third.is_closed) == (True, False)
    third.close()


def test_another_cell_closes_nothing(kernel):
    panels = [kernel.run(cell, SmallPanel) for cell in "abc"]
    assert [panel.is_closed for panel in panels] == [False] * 3
    for panel in panels:
        panel.close()


def test_two_panels_of_one_run_live_together_and_end_together(kernel):
    one, two = kernel.run("a", lambda: (SmallPanel(), SmallPanel()))
    assert not one.is_closed
    assert not two.is_closed
    last = kernel.run("a", SmallPanel)
    assert one.is_closed
    assert two.is_closed
    last.close()


def test_a_panel_that_stands_in_another_one_is_left_to_that(kernel):
    inner = kernel.run("a", SmallPanel)
    cells.forget(inner)
    outer = kernel.run("a", SmallPanel)
    assert not inner.is_closed
    inner.close()
    outer.close()


def test_what_is_made_outside_of_a_cell_is_not_remembered(kernel):
    first = kernel.run(None, SmallPanel)  # a callback, or a client that names no cell
    second = kernel.run(None, SmallPanel)
    assert not first.is_closed
    assert cells._made == []
    first.close()
    second.close()


def test_a_closed_panel_is_closed_once_more_without_harm(kernel):
    first = kernel.run("a", SmallPanel)
    first.close()
    kernel.run("a", SmallPanel).close()
    assert len(cells._made) == 1


@pytest.mark.parametrize("shell", [None, object()])
def test_outside_of_a_notebook_nothing_happens(monkeypatch, shell):
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(cells, "_made", [])
    panels = [SmallPanel(), SmallPanel()]
    assert [panel.is_closed for panel in panels] == [False, False]
    assert cells._made == []
    for panel in panels:
        panel.close()


def test_a_message_without_metadata_is_no_cell(kernel):
    kernel._parent = {"header": {"msg_id": "m"}}
    assert cells._this_run() is None
    kernel._parent = {}
    assert cells._this_run() is None
