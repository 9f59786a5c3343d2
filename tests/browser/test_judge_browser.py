"""The judge panel in a real JupyterLab: clicked, judged by single keys, noted, reloaded, looked at."""

import pytest

HEAD = """
import numpy as np
from dataclasses import replace
from make_evidence import make_evidence
import vaenb
from vaenb.thresholding import Fixed

def at(threshold, *given, **more):
    evidence = make_evidence(*given, **more)
    return replace(evidence, rule=Fixed(threshold).fit(evidence.calibration_scores))
"""
SERVERS = f"{HEAD}panel = vaenb.JudgePanel(at(13.9, 'server_metrics'), merge_gap=0)\npanel"
TAXI = f"{HEAD}panel = vaenb.JudgePanel(at(4.7, 'nyc_taxi'), verdicts=None)\npanel"
MANY = f"""{HEAD}
evidence = at(1.75, n_points=1_000_000, n_sample=50)
panel = vaenb.JudgePanel(evidence, verdicts=None, merge_gap=0)
panel
"""
TWO_LABELS = f"""{HEAD}
second = (np.arange(10_320) % 1_290 < 40).astype(int)
panel = vaenb.JudgePanel(at(13.9, 'server_metrics'), verdicts=None, merge_gap=0, other_labels=second)
panel
"""


@pytest.fixture(autouse=True)
def _no_verdicts_of_other_tests(lab_server):
    yield
    for path in lab_server.folder.glob("*_verdicts*.csv"):
        path.unlink()


def verdicts(lab, count=4):
    return lab.value(f"[panel.state.verdict_of(i) for i in range({count})]")


def current(lab):
    return lab.value("panel.current")


def focus_is_in_keys(lab, nth=0):
    """Whether what is typed goes to the keys of panel number `nth`."""
    return lab.page.evaluate(
        """nth => {
            const panel = document.querySelectorAll('.jp-OutputArea .vaenb-judge')[nth];
            return !!panel?.querySelector('.vaenb-judge-keys')?.contains(document.activeElement);
        }""",
        nth,
    )


def card(panel, place):
    """The button over a card of the list."""
    return panel.locator(".vaenb-judge-hits button").nth(place)


def test_a_click_shows_an_event_and_one_key_judges_it(lab):
    lab.notebook(SERVERS)
    panel = lab.panel()
    n_cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
    card(panel, 2).click()
    lab.until(lambda: current(lab) == 2)
    lab.until(lambda: focus_is_in_keys(lab))
    headline = panel.locator(".vaenb-judge-headline")
    lab.until(lambda: "Event 3" in headline.inner_text())
    lab.until(lambda: panel.locator(".v-here .v-rank").inner_text() == "3")
    lab.page.keyboard.press("a")
    lab.until(lambda: current(lab) == 3)
    lab.page.keyboard.press("n")
    lab.until(lambda: current(lab) == 4)
    lab.page.keyboard.press("u")
    lab.until(lambda: current(lab) == 5)
    assert verdicts(lab, 6) == ["", "", "anomaly", "normal", "unsure", ""]
    lab.until(lambda: "Event 6" in headline.inner_text())
    lab.until(lambda: panel.locator(".v-card").nth(2).inner_text().split("\n")[-1] == "\u2716 anomaly")
    lab.page.keyboard.press("k")
    lab.until(lambda: current(lab) == 4)
    lab.page.keyboard.press("x")
    lab.until(lambda: verdicts(lab, 6)[4] == "")
    lab.page.keyboard.press("o")
    lab.until(lambda: current(lab) == 5)
    lab.page.keyboard.press("j")
    lab.until(lambda: current(lab) == 6)
    lab.until(lambda: "Missed 7" in headline.inner_text())
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == n_cells, "no key reached the notebook"


def test_keys_struck_fast_all_count(lab):
    lab.notebook(SERVERS)
    card(lab.panel(), 0).click()
    lab.until(lambda: focus_is_in_keys(lab))
    lab.page.keyboard.type("anunajka", delay=15)
    said = ["anomaly", "normal", "unsure", "normal", "anomaly", "anomaly", ""]
    lab.until(lambda: verdicts(lab, 7) == said)
    assert current(lab) == 6


def test_the_keyboard_alone_is_enough(lab):
    lab.notebook(SERVERS)
    panel = lab.panel()
    card(panel, 0).focus()
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Enter")
    lab.until(lambda: current(lab) == 1)
    lab.until(lambda: focus_is_in_keys(lab))
    lab.page.keyboard.press("t")
    lab.until(lambda: lab.page.evaluate("() => document.activeElement.placeholder") == "what do you see?")
    lab.page.keyboard.type("a fan stopped, \u00fcber Nacht")
    lab.page.keyboard.press("Enter")
    lab.until(lambda: focus_is_in_keys(lab))
    lab.page.keyboard.press("n")
    lab.until(lambda: current(lab) == 2)
    assert lab.value("panel.verdicts[['verdict', 'note']].values.tolist()") == [
        ["normal", "a fan stopped, \u00fcber Nacht"]
    ]
    panel.get_by_role("button", name="anomaly").focus()
    lab.page.keyboard.press("Space")
    lab.until(lambda: verdicts(lab)[2] == "anomaly")


def test_a_reload_and_a_second_run_lose_nothing(lab, lab_server):
    lab.notebook(SERVERS)
    panel = lab.panel()
    card(panel, 0).click()
    lab.until(lambda: focus_is_in_keys(lab))
    lab.page.keyboard.type("an", delay=30)
    lab.until(lambda: current(lab) == 2)
    panel.get_by_placeholder("what do you see?").fill("no Enter after this")
    file = lab_server.folder / "server_metrics_verdicts.csv"
    lab.until(lambda: "no Enter after this" in file.read_text(encoding="utf-8"))
    lab.save()
    lab.reload()
    panel = lab.panel()
    lab.until(lambda: "2 of 11 judged" in panel.inner_text())
    assert "3 of 11" not in panel.inner_text()
    note = panel.get_by_placeholder("what do you see?")
    lab.until(lambda: note.input_value() == "no Enter after this")
    card(panel, 2).click()
    lab.until(lambda: focus_is_in_keys(lab))
    lab.page.keyboard.press("u")
    lab.until(lambda: verdicts(lab) == ["anomaly", "normal", "unsure", ""])
    lab.run(0)
    panel = lab.panel()
    lab.until(lambda: lab.page.locator(".jp-OutputArea .vaenb-panel").count() == 1)
    lab.until(lambda: "3 of 11 judged" in panel.inner_text())
    lab.restart()
    lab.run(0)
    panel = lab.panel()
    lab.until(lambda: "3 of 11 judged" in panel.inner_text())
    assert verdicts(lab) == ["anomaly", "normal", "unsure", ""]
    lab.until(lambda: "saved in server_metrics_verdicts.csv" in panel.inner_text())


def test_two_panels_on_one_page_share_the_file(lab):
    second = "other = vaenb.JudgePanel(at(13.9, 'server_metrics'), merge_gap=0)\nother"
    lab.notebook(SERVERS, second)
    card(lab.panel(0), 0).click()
    lab.until(lambda: focus_is_in_keys(lab))
    lab.page.keyboard.press("a")
    lab.until(lambda: current(lab) == 1)
    card(lab.panel(1), 1).click()
    lab.until(lambda: lab.value("other.current") == 1)
    lab.until(lambda: focus_is_in_keys(lab, 1))
    lab.page.keyboard.press("n")
    lab.until(lambda: lab.value("other.current") == 2)
    assert lab.value("[other.state.verdict_of(i) for i in range(2)]") == ["anomaly", "normal"]
    lab.page.keyboard.press("k")
    lab.until(lambda: lab.value("other.current") == 1)
    assert current(lab) == 1


def test_buttons_take_the_verdict_and_hand_the_focus_to_the_keys(lab):
    lab.notebook(TAXI)
    panel = lab.panel()
    panel.get_by_label("then go on").uncheck()
    panel.get_by_role("button", name="unsure").click()
    lab.until(lambda: verdicts(lab, 1) == ["unsure"])
    lab.until(lambda: focus_is_in_keys(lab))
    lab.until(lambda: panel.locator(".v-verdict-unsure.v-on").count() == 1)
    lab.page.keyboard.press("n")
    lab.until(lambda: verdicts(lab, 1) == ["normal"])
    panel.get_by_role("button", name="normal").click()
    lab.until(lambda: verdicts(lab, 1) == [""])


def test_hundreds_of_events_turn_page_by_page_and_the_layout_stands_still(lab):
    lab.notebook(MANY)
    panel = lab.panel()
    count = lab.value("len(panel.state)")
    assert count > 500
    lab.until(lambda: f"of {count:,}" in panel.locator(".vaenb-judge-where").inner_text())
    lab.settle()
    height = panel.bounding_box()["height"]
    later = panel.get_by_role("button", name="page \u25b8")
    for page in range(1, 6):
        later.click()
        first = page * 10 + 1
        lab.until(lambda first=first: panel.locator(".v-rank").first.inner_text() == f"{first}")
    card(panel, 9).click()
    lab.until(lambda: current(lab) == 59)
    lab.until(lambda: panel.locator(".v-here .v-rank").inner_text() == "60")
    lab.until(lambda: "Event 60" in panel.locator(".vaenb-judge-headline").inner_text())
    lab.settle()
    assert panel.bounding_box()["height"] == height
    lab.picture(None, "judge-many")
    panel.get_by_title("Whole series").click()
    shown = panel.locator(".vaenb-judge-shown")
    lab.until(lambda: "of 1,000,000 points drawn" in shown.inner_text())
    assert lab.value(
        "int((panel.zoom.score.values.y > panel.state.threshold).sum())"
        " == int((evidence.scores > panel.state.threshold).sum())"
    )


def test_better_than_chance_is_answered_while_the_panel_lives(lab):
    lab.notebook(SERVERS)
    panel = lab.panel()
    panel.get_by_role("button", name="Is it better than chance?").click()
    card(panel, 1).click()
    lab.until(lambda: current(lab) == 1)
    lab.until(lambda: panel.locator(".v-measure").count() == 4)
    text = panel.locator(".vaenb-judge-chance").inner_text()
    assert "not to be trusted" in text or "Not to be trusted" in text
    assert "on this very series" in text
    widths = panel.locator(".v-bar-random s").evaluate_all("bars => bars.map(bar => bar.clientWidth)")
    assert len(widths) == 4
    assert all(width > 0 for width in widths)


def test_no_events_help_instead_of_an_empty_panel(lab):
    lab.notebook(f"{HEAD}panel = vaenb.JudgePanel(at(4.7, labelled=False), verdicts=None)\npanel")
    lab.do("panel.set_events(threshold=1e9)")
    panel = lab.panel()
    told = panel.get_by_text("Nothing to judge: no score lies above the threshold")
    told.wait_for()
    lab.picture(panel, "judge-empty")
    lab.do("panel.set_events(threshold=3)")
    panel.locator(".v-card").first.wait_for()


@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("name", "cell"), [("taxi", TAXI), ("servers", TWO_LABELS)])
def test_pictures(lab, name, cell, theme, width):
    lab.notebook(cell)
    lab.theme(theme)
    lab.width(width, 2400)
    panel = lab.panel()
    lab.do("panel.judge('anomaly'); panel.current = 1; panel.judge('normal', 'a holiday'); panel.current = 0")
    panel.get_by_role("button", name="Is it better than chance?").click()
    lab.until(lambda: panel.locator(".v-measure").count() == 4)
    lab.picture(panel, f"judge-{name}-{theme}-{width}")
    overflow = panel.locator(".v-card, .vaenb-judge-keyrow, .vaenb-judge-verdict").evaluate_all(
        "all => all.filter(each => each.scrollWidth > each.clientWidth + 1).length"
    )
    assert overflow == 0, "something is cut off"
