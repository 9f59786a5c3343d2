"""A slider that is set from Python, and what a browser says back."""

import ipywidgets as widgets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaenb.panels.told import Told


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def listened(slider, clock):
    """A slider with its gestures."""
    told, gestures = Told(slider, clock), []
    slider.observe(
        lambda change: None if told.is_echo(change["new"]) else gestures.append(change["new"]), "value"
    )
    return told, gestures


@given(value=st.floats(-5, 5), low=st.floats(-3, 0), length=st.floats(0.1, 5))
def test_it_stands_on_a_step_inside_and_what_the_browser_rounds_is_no_gesture(value, low, length):
    slider = widgets.FloatSlider()
    told, gestures = listened(slider, Clock())
    high, step = low + length, length / 200
    told.tell(value, min=low, max=high, step=step)
    assert (slider.min, slider.max, slider.step) == (low, high, step)
    assert low <= slider.value <= high
    assert abs(slider.value - min(max(value, low), high)) <= step / 2 * (1 + 1e-9)
    slider.value = min(high, max(low, float(f"{slider.value:.4f}")))
    assert gestures == []
    other = low if slider.value > low + length / 2 else high
    slider.value = other
    assert gestures == [other]


def test_an_echo_that_comes_late_moves_nothing(clock):
    slider = widgets.IntRangeSlider(value=(0, 10), min=0, max=100)
    told, gestures = listened(slider, clock)
    told.tell((20, 30))
    told.tell((40, 50))
    slider.value = (20, 30)
    assert (slider.value, gestures) == ((40, 50), [])
    clock.now = 2.0
    slider.value = (20, 30)
    assert gestures == [(20, 30)]


def test_there_and_back_at_once_are_two_gestures(clock):
    slider = widgets.IntSlider(5, min=0, max=10)
    told, gestures = listened(slider, clock)
    slider.observe(lambda change: told.tell(change["new"]), "value")  # as a panel follows
    for value in (6, 5, 6):
        slider.value = value
    assert gestures == [6, 5, 6]


def test_new_ends_travel_with_the_value():
    slider = widgets.FloatRangeSlider(value=(0, 100), min=0, max=100)
    sent = []
    slider.send_state = lambda key=None: sent.append(set(key))
    Told(slider).tell((-3.0, -1.0), min=-3.0, max=-1.0, step=0.01)
    assert sent == [{"min", "max", "step", "value"}]
