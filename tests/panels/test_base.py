"""What all panels share: callbacks that cannot kill them, code, warnings, and an end that leaves nothing."""

import html
import threading
import tracemalloc

import ipywidgets as widgets
import pytest
from small_panel import SmallPanel, living

from vaenb.panels import base
from vaenb.panels.base import Panel, guarded, reachable


@pytest.fixture
def panel():
    made = SmallPanel()
    yield made
    made.close()


def alert(panel):
    """The line about an error, as a person reads it; empty where it is not shown."""
    return "" if panel._error.layout.display == "none" else html.unescape(panel._error.value)


# ---------------------------------------------------------------------- callbacks


def test_an_exception_becomes_a_line_and_the_panel_lives_on(panel):
    panel.n.value = 9
    assert "ValueError: nine is <too> many" in alert(panel)
    assert "<too>" not in panel._error.value  # it is text, not markup
    panel.n.value = 4
    assert alert(panel) == ""
    assert list(panel.line.y) == [0, 4, 8, 12, 16]


def test_an_error_of_an_inner_callback_is_not_taken_back_by_the_outer_one(panel):
    @guarded
    def outer(self):
        self.n.value = 9
        return "done"

    assert outer(panel) == "done"
    assert "nine is <too> many" in alert(panel)
    assert panel._depth == 0


def test_an_error_after_an_inner_success_is_told(panel):
    @guarded
    def outer(self):
        self.n.value = 5
        raise KeyError("gone")

    assert outer(panel) is None
    assert "KeyError: 'gone'" in alert(panel)


def test_what_is_no_mistake_of_a_callback_goes_on(panel):
    @guarded
    def stopped(self):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped(panel)
    assert panel._depth == 0
    panel.n.value = 5
    assert list(panel.line.y)[1] == 5


def test_a_callback_keeps_its_name_and_its_words():
    assert SmallPanel.on_n.__name__ == "on_n"
    assert SmallPanel.on_n.__doc__ == "Follow the slider."


def test_callbacks_wait_for_each_other(panel):
    inside, most, errors = [], [], []

    @guarded
    def slow(self):
        inside.append(1)
        most.append(len(inside))
        pause.wait(0.001)
        inside.pop()

    def work():
        try:
            for _ in range(20):
                slow(panel)
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    pause = threading.Event()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(most) == 80
    assert set(most) == {1}


def test_many_threads_leave_what_the_last_one_said(panel):
    start = threading.Barrier(4)

    def work(values):
        start.wait()
        for value in values:
            with panel.lock:
                panel.n.value = value

    threads = [threading.Thread(target=work, args=(range(k, 9, 2),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(panel.line.y)[1] == panel.n.value
    assert alert(panel) == ""


def test_a_closed_panel_hears_nothing():
    panel = SmallPanel()
    panel.close()
    panel.on_n({"new": 7})
    assert panel.calls == []


# ---------------------------------------------------------------------- code


def test_the_code_is_shown_and_follows(panel):
    assert panel._copy.layout.display == "none"
    panel._show_code.value = True
    assert panel._copy.layout.display is None
    assert panel._code.value == "panel = SmallPanel(3)"
    panel.n.value = 6
    assert panel._code.value == "panel = SmallPanel(6)"
    panel._show_code.value = False
    panel.n.value = 7
    assert panel._copy.layout.display == "none"
    assert panel._code.value == "panel = SmallPanel(6)"  # not read where it is not shown


def test_the_shown_code_runs(panel):
    panel.n.value = 8
    names = {"SmallPanel": SmallPanel}
    exec(panel.code(), names)
    assert list(names["panel"].line.y) == list(panel.line.y)
    names["panel"].close()


def test_a_panel_says_what_it_has_to_say():
    panel = Panel()
    panel.show()
    with pytest.raises(NotImplementedError):
        panel.code()
    with pytest.raises(NotImplementedError):
        panel.picture()
    panel.close()


# ---------------------------------------------------------------------- warnings


def warned(panel):
    lines = [w for w in panel.children if "vaenb-environment" in getattr(w, "_dom_classes", ())]
    return [html.unescape(line.value) for line in lines]


def test_bqplot_gl_is_warned_of(monkeypatch):
    found = base.find_spec
    monkeypatch.setattr(base, "find_spec", lambda name: object() if name == "bqplot_gl" else found(name))
    panel = SmallPanel()
    (line,) = warned(panel)
    assert "lines to drag do not answer the mouse" in line
    assert "pip uninstall bqplot-gl" in line
    panel.close()


def test_without_it_nothing_is_said(monkeypatch):
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    panel = SmallPanel()
    assert warned(panel) == []
    assert base.missing_gestures() == ""
    panel.close()


# ---------------------------------------------------------------------- panels in panels


def test_a_change_of_a_panel_is_one_of_its_holder_too(panel, monkeypatch):
    outer = SmallPanel()
    panel.holder = outer
    touched = []
    monkeypatch.setattr(outer._still, "touch", lambda: touched.append(1))
    panel.n.value = 7
    assert touched
    panel.holder = None
    outer.close()


# ---------------------------------------------------------------------- the end


def test_nothing_of_a_panel_is_left():
    before = living()
    panel = SmallPanel()
    assert living()[0] > before[0] + 20
    mine = reachable(panel)
    kinds = {type(widget).__name__ for widget in mine}
    assert {"Lines", "LinearScale", "Axis", "Figure", "BrushIntervalSelector", "Layout"} <= kinds
    panel.close()
    panel.close()
    assert living() == before
    assert all(widget.comm is None for widget in mine)


def test_made_used_and_closed_fifty_times_nothing_grows():
    def use():
        panel = SmallPanel()
        for value in (4, 9, 5):
            panel.n.value = value
        panel._show_code.value = True
        assert "<img" in panel.snapshot()
        panel.close()

    use()
    before = living()
    tracemalloc.start()
    for _ in range(5):
        use()
    settled = tracemalloc.get_traced_memory()[0]
    for _ in range(45):
        use()
    grown = tracemalloc.get_traced_memory()[0] - settled
    tracemalloc.stop()
    assert living() == before
    assert grown < 2_000_000


def test_two_panels_do_not_know_each_other():
    one, two = SmallPanel(2), SmallPanel(5)
    one.n.value = 9
    assert (alert(two), two.calls) == ("", [])
    assert one._still.name != two._still.name
    one.close()
    two.n.value = 6
    assert list(two.line.y)[1] == 6
    assert not two.is_closed
    two.close()


def test_widgets_that_were_given_are_the_panels_and_end_with_it():
    before = living()
    panel = Panel()
    panel.show(widgets.HBox([widgets.Button()]), widgets.Tab([widgets.Text(), widgets.FloatSlider()]))
    panel.close()
    assert living() == before


def test_a_panel_whose_constructor_refuses_can_be_closed():
    class Refuses(Panel):
        def __init__(self):
            raise ValueError("no")

    panel = Refuses.__new__(Refuses)
    assert panel.is_closed
    panel.close()
    del panel
