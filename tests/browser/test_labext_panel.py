"""The side panel "Anomalies": the events of the notebook in front, and what a person does with them."""

from itertools import pairwise

import pytest

CELLS = """
from make_evidence import make_evidence
import vaenb
evidence = make_evidence(n_points=4_000)
"""
JUDGE = "judge = vaenb.JudgePanel(evidence, verdicts=None)\njudge"
THRESHOLD = "line = vaenb.ThresholdPanel(evidence)\nline"


class Side:
    """The side panel."""

    def __init__(self, lab):
        self.lab, self.page = lab, lab.page
        self.panel = lab.page.locator(".vaenb-anomalies")

    def show(self):
        self.lab.command("vaenb:show-panel")
        self.panel.wait_for()
        return self

    def words(self):
        return self.panel.inner_text()

    def starts(self):
        return self.panel.locator("li .vaenb-facts b").all_inner_texts()

    def pressed(self, place):
        found = self.panel.locator("li").nth(place).locator("[aria-pressed=true]").all_inner_texts()
        return [text.split()[-1] for text in found]

    def says(self, words):
        self.lab.until(lambda: words in self.words())


@pytest.fixture
def side(lab):
    return Side(lab)


def test_events_most_severe_first_in_light_and_dark(lab, side):
    lab.notebook(CELLS, JUDGE)
    side.show()
    lab.until(side.starts)
    lines = lab.value(
        "[(str(evidence.series.index[s])[:16].replace('T', ' ')) for s in judge.state.stretches.start]"
    )
    severities = lab.value("judge.state.stretches.severity.tolist()")
    assert severities == sorted(severities, reverse=True)
    assert side.starts() == lines
    assert side.panel.locator("svg polyline").count() >= len(lines)
    side.panel.get_by_role("button", name="anomaly").first.click()
    lab.until(lambda: side.pressed(0) == ["anomaly"])
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.picture(None, f"labext-panel-{theme}")


def test_verdicts_go_both_ways(lab, side):
    lab.notebook(CELLS, JUDGE)
    side.show()
    lab.until(side.starts)
    side.panel.locator("li").nth(1).get_by_role("button", name="normal").click()
    lab.until(lambda: lab.value("judge.state.verdict_of(1)") == "normal")
    lab.until(lambda: side.pressed(1) == ["normal"])
    assert "1 judged" in side.words()
    lab.panel().locator(".v-said-normal").wait_for()
    lab.do("judge.current = 0; judge.judge('unsure')")
    lab.until(lambda: side.pressed(0) == ["unsure"])
    side.panel.locator("li").nth(1).get_by_role("button", name="normal").click()  # taken back
    lab.until(lambda: side.pressed(1) == [])
    assert lab.value("len(judge.verdicts)") == 1


def test_it_follows_the_threshold_as_it_is_dragged(lab, side):
    lab.notebook(CELLS, JUDGE, THRESHOLD)
    side.show()
    lab.until(side.starts)
    lab.page.evaluate(
        """() => {
            window.told = [];
            const list = document.querySelector('.vaenb-anomalies');
            new MutationObserver(() => {
                const said = list.querySelector('header span')?.textContent;
                if (said !== told.at(-1)?.said) told.push({said, at: performance.now()});
            }).observe(list, {subtree: true, childList: true, characterData: true});
        }"""
    )
    # As while a person drags: sixty times a second, for a second and a half.
    lab.do(
        "import threading, time\n"
        "high, low = line.threshold, line.threshold / 3\n"
        "def drag():\n"
        "    for step in range(90):\n"
        "        place = line.view.scale(high + (low - high) * step / 89)\n"
        "        line._on_place(float(place), step == 89)\n"
        "        time.sleep(1 / 60)\n"
        "dragging = threading.Thread(target=drag)\n"
        "dragging.start()"
    )
    lab.until(lambda: not lab.value("dragging.is_alive()"))
    # What the page sends back of the slider takes nothing back: the last step alone was 2 %.
    assert abs(lab.value("line.threshold / low") - 1) < 0.005
    # Its last word arrives by itself; the count of events may be the same long before.
    number = lab.value("__import__('vaenb').formats.number(line.threshold)")
    lab.until(lambda: f"above {number}" in side.words())
    assert lab.value("len(line.events)") == lab.page.locator(".vaenb-anomalies li").count()
    told = lab.page.evaluate("() => told")
    assert len(told) >= 5, "it follows while the line moves, not at its end alone"
    gaps = [after["at"] - first["at"] for first, after in pairwise(told)]
    assert sum(gaps) / len(gaps) > 80, "at most ten times a second"
    lab.picture(side.panel, "labext-panel-low-threshold")


def test_a_click_scrolls_to_the_panel_and_zooms_to_the_event(lab, side):
    lab.notebook(CELLS, *["1"] * 40, THRESHOLD)
    side.show()
    lab.until(side.starts)
    lab.page.evaluate("() => jupyterapp.shell.currentWidget.content.scrollToItem(0)")
    side.panel.locator("li .vaenb-go").nth(1).click()
    start, stop = lab.value(
        "(lambda s: (int(s.start[1]), int(s.stop[1])))"
        "(__import__('vaenb.panels.lab_sources').panels.lab_sources.threshold_events(line, None).stretches)"
    )
    lab.until(lambda: lab.value("len(line.axis.view) < line.axis.timeline.n_cells"))
    first, last = lab.value("(line.axis.view.first, line.axis.view.stop)")
    assert first <= start < stop <= last
    assert lab.panel().evaluate("node => node.getBoundingClientRect().top < innerHeight")


def test_every_empty_state_says_what_to_do(lab, side):
    lab.write("1")
    lab.open()
    side.show()
    side.says("No study in this notebook yet")
    lab.picture(side.panel, "labext-panel-empty")
    lab.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    side.says("has no kernel")
    lab.command("docmanager:save")
    lab.page.evaluate("() => jupyterapp.shell.currentWidget.close()")
    side.says("Open a notebook with a study")


def test_a_restart_empties_it_and_the_cells_fill_it_again(lab, side):
    lab.notebook(CELLS, JUDGE)
    side.show()
    lab.until(side.starts)
    lab.restart()
    side.says("The kernel was restarted")
    lab.picture(side.panel, "labext-panel-restarted")
    lab.run()
    lab.until(side.starts)


def test_it_is_there_after_a_reload(lab, side):
    lab.notebook(CELLS, JUDGE)
    side.show()
    lab.until(side.starts)
    lab.save()
    lab.reload()
    side.show()
    lab.until(side.starts)
    side.panel.locator("li").nth(0).get_by_role("button", name="anomaly").click()
    lab.until(lambda: side.pressed(0) == ["anomaly"])


def test_the_events_of_a_study_with_its_verdicts(lab, side):
    small = "window_size=16, latent_dim=3, hidden=(16,), epochs=1, steps_per_epoch=5"
    lab.notebook(
        CELLS,
        f"study = vaenb.Study(evidence.series, verdicts=None, {small})\nstudy",
    )
    side.show()
    side.says("of 6 steps done")
    lab.do("study.start()")
    lab.until(side.starts)
    lab.picture(None, "labext-panel-study")
    side.panel.locator("li").nth(0).get_by_role("button", name="anomaly").click()
    lab.until(lambda: side.pressed(0) == ["anomaly"])
    assert lab.value("study.open_step('judge').state.verdict_of(0)") == "anomaly"
    side.panel.locator("li .vaenb-go").nth(1).click()
    lab.until(lambda: lab.value("study.open_step('judge').current") == 1)
    lab.panel().locator(".vaenb-judge").wait_for()
    lab.picture(None, "labext-panel-study-judge")
    lab.do("study.show('threshold'); line = study.open_step('threshold')")
    lab.panel().locator(".vaenb-line").wait_for()
    lab.settle()
    lab.do("line.threshold = line.threshold * 10")
    assert lab.value("len(line.events)") == 0
    side.says("No score lies above the threshold")


def test_nobody_who_does_not_look_is_told_anything(lab, side):
    lab.notebook(CELLS, THRESHOLD)
    clients = "len(__import__('vaenb.panels.lab_comm').panels.lab_comm._wire()._clients)"
    assert lab.value(clients) == 0
    side.show()
    lab.until(lambda: lab.value(clients) == 1)
    lab.page.evaluate("() => jupyterapp.shell.collapseRight()")
    lab.until(lambda: lab.value(clients) == 0)
