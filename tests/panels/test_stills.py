"""The still picture beside a panel: what is in it, and when it is drawn anew."""

import asyncio
import base64
import re
import threading
import xml.etree.ElementTree as ET

import IPython.display
import pytest
from make_training import Training
from small_panel import SmallPanel

from vaenb.drawing.svg import picture
from vaenb.panels.stills import Still, alternative, still_html
from vaenb.panels.training import TrainingPanel

VIEW = "application/vnd.jupyter.widget-view+json"
PATIENT = 10


def draw(n=1, *, title="Small", desc="n is 1"):
    return picture("small", f'<rect width="{n}" height="1"/>', width=300, height=100, title=title, desc=desc)


class Screen:
    """Takes what is displayed, as a notebook does."""

    def __init__(self):
        self.outputs, self.updates, self._came = [], [], threading.Condition()

    def display(self, bundle, *, raw, display_id=None, update=False):
        assert raw
        with self._came:
            (self.updates if update else self.outputs).append((display_id, bundle))
            self._came.notify_all()

    def wait_for_updates(self, n):
        with self._came:
            return self._came.wait_for(lambda: len(self.updates) >= n, PATIENT)


@pytest.fixture
def screen(monkeypatch):
    made = Screen()
    monkeypatch.setattr(IPython.display, "display", made.display)
    return made


def svg_in(text):
    """The picture in some HTML, and its alternative text."""
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', text)
    return base64.b64decode(found[1]).decode()


# ---------------------------------------------------------------------- what is in it


def test_the_alternative_text_is_title_and_description():
    assert alternative(draw()) == "Small. n is 1."
    assert alternative(draw(title="A & B", desc="x < 3.")) == "A & B. x < 3."
    assert alternative(draw(title="", desc="only this")) == "only this."


def test_the_image_is_whole_and_can_be_read_out():
    text = still_html(draw(title='"Two" & more', desc="a < b"), "mine")
    (image,) = re.findall(r"<img[^>]*>", text)
    assert 'class="vaenb-still mine"' in image
    assert 'alt="&quot;Two&quot; &amp; more. a &lt; b."' in image
    assert 'width="300"' in image
    assert "max-width:100%" in image
    root = ET.fromstring(svg_in(text))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox") == "0 0 300 100"


def test_the_image_has_paper_of_its_own_in_both_themes():
    svg = svg_in(still_html(draw()))
    assert "svg.vaenb { background: var(--v-paper);" in svg
    assert "prefers-color-scheme: dark" in svg


def test_its_words_have_the_size_that_their_places_were_made_for():
    rules = svg_in(still_html(draw())).partition("</style>")[0]
    assert rules.rindex("font-size: 12px") > rules.rindex("font-size: 14px")


def test_what_a_careful_page_strips_is_not_needed():
    text = still_html(draw())
    assert "<script" not in text
    without_style = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert re.fullmatch(r"<img [^>]*/>", without_style)


# ---------------------------------------------------------------------- in a cell


def test_a_panel_makes_two_outputs(screen):
    panel = SmallPanel()
    panel._ipython_display_()
    (none, view), (name, still) = screen.outputs
    assert none is None
    assert view[VIEW]["model_id"] == panel.model_id
    assert view["text/html"] == ""  # so that a page without widgets shows the still, and it once
    assert view["text/plain"] == "SmallPanel: a small panel"
    assert name == panel._still.name
    assert set(still) == {"text/html", "text/plain"}
    assert still["text/plain"] == "Small. n < 4."
    assert "n is 3" in svg_in(still["text/html"])
    panel.close()


def test_the_living_panel_hides_its_own_still_and_no_other():
    one, two = SmallPanel(), SmallPanel()
    sheet = one.children[0].value
    assert f".{one._still.name} {{ display: none !important; }}" in sheet
    assert two._still.name not in sheet
    one.close()
    two.close()


def test_a_picture_that_fails_costs_only_the_still(screen, monkeypatch):
    panel = SmallPanel()
    monkeypatch.setattr(panel, "picture", lambda: 1 / 0)
    panel._ipython_display_()
    ((_, view),) = screen.outputs
    assert VIEW in view
    assert "text/html" not in view
    panel.n.value = 5
    panel.close()
    assert screen.updates == []


def test_a_picture_that_fails_later_leaves_the_still_that_stands(screen, monkeypatch):
    panel = SmallPanel()
    panel._ipython_display_()
    monkeypatch.setattr(panel, "picture", lambda: 1 / 0)
    panel.n.value = 5
    panel.close()
    assert screen.updates == []
    assert "ZeroDivisionError" not in panel._error.value


def test_a_snapshot_is_the_picture_of_now():
    panel = SmallPanel()
    panel.n.value = 8
    assert "n is 8" in svg_in(panel.snapshot())
    panel.close()


# ---------------------------------------------------------------------- drawn anew


def make_still(**settings):
    drawn = []

    def now():
        drawn.append(1)
        return draw(len(drawn))

    return Still(now, **settings), drawn


def test_before_it_is_shown_nothing_is_drawn(screen):
    still, drawn = make_still(quiet=0.0)
    still.touch()
    still.end()
    assert drawn == []
    assert screen.updates == []


def test_many_changes_are_one_new_still_once_it_is_quiet(screen):
    still, drawn = make_still(quiet=0.2)
    still.show({})
    for _ in range(100):
        still.touch()
    assert len(drawn) == 1
    assert screen.wait_for_updates(1)
    ((name, bundle),) = screen.updates
    assert name == still.name
    assert 'width="2"' in svg_in(bundle["text/html"])
    still.touch()
    assert screen.wait_for_updates(2)
    still.end()
    assert len(screen.updates) == 2


def test_the_end_draws_what_is_behind_and_nothing_after(screen):
    still, drawn = make_still(quiet=1000.0)
    still.show({})
    still.touch()
    still.end()
    assert len(screen.updates) == 1
    still.touch()
    still.end()
    assert len(screen.updates) == 1
    assert len(drawn) == 2


def test_catching_up_draws_what_is_behind_at_once(screen):
    still, drawn = make_still(quiet=1000.0)
    still.show({})
    still.catch_up()
    assert screen.updates == []
    still.touch()
    still.catch_up()
    still.catch_up()
    assert len(screen.updates) == 1
    still.touch()
    still.end()
    assert len(screen.updates) == 2
    assert len(drawn) == 3


def test_the_still_of_a_training_is_that_of_its_end_when_its_await_returns(screen):
    panel = TrainingPanel(Training(0.01), epochs=6)
    panel._still._quiet = 1000.0
    panel._ipython_display_()
    asyncio.run(panel.finished())
    assert "6 epochs" in screen.updates[-1][1]["text/plain"]
    panel.close()


def test_a_timer_that_fires_after_the_end_draws_nothing(screen):
    still, _ = make_still(quiet=1000.0)
    still.show({})
    still.end()
    still._fire()
    assert screen.updates == []


def test_where_changes_never_cease_it_is_drawn_after_a_while(screen, monkeypatch):
    monkeypatch.setattr("vaenb.panels.stills._LONGEST", 0.1)
    still, _ = make_still(quiet=0.05)
    still.show({})
    stop = threading.Event()

    def keep_changing():
        while not stop.wait(0.005):
            still.touch()

    thread = threading.Thread(target=keep_changing)
    thread.start()
    assert screen.wait_for_updates(2)
    stop.set()
    thread.join()
    still.end()


def test_a_panel_keeps_its_still_up_to_date_and_ends_with_the_last_state(screen):
    panel = SmallPanel()
    panel._ipython_display_()
    panel.n.value = 7
    panel.close()
    ((name, bundle),) = screen.updates
    assert name == panel._still.name
    assert bundle["text/plain"] == "Small. n < 8."


def test_a_closed_panel_has_no_new_still(screen):
    panel = SmallPanel()
    panel._ipython_display_()
    panel.close()
    panel._still._update()
    assert screen.updates == []
