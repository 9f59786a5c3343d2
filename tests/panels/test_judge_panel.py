"""The judge panel as Python drives it: traits set from here, as a browser would set them."""

import threading
import time
from dataclasses import replace

import ipywidgets as widgets
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from make_evidence import make_evidence

import vaenb
from vaenb.errors import InputError, OutputError
from vaenb.panels.base import reachable
from vaenb.panels.chance_table import as_bars
from vaenb.panels.judge import JudgePanel
from vaenb.thresholding import Fixed
from vaenb.view_models import verdict_book
from vaenb.view_models.event_list import PAGE


def evidence_at(name, threshold, **more):
    """Evidence whose threshold no other part of the package decides."""
    evidence = make_evidence(name, **more)
    return replace(evidence, rule=Fixed(threshold).fit(evidence.calibration_scores))


@pytest.fixture(scope="module")
def taxi():
    return evidence_at("nyc_taxi", 4.7)


@pytest.fixture(scope="module")
def servers():
    return evidence_at("server_metrics", 13.9)


@pytest.fixture(scope="module")
def many():
    """An event for nearly every wave."""
    evidence = make_evidence(n_points=20_000)
    return replace(evidence, rule=vaenb.Percentile(60).fit(evidence.calibration_scores))


@pytest.fixture
def opened(request):
    panels = []

    def open_panel(evidence, **more):
        panels.append(JudgePanel(evidence, **{"verdicts": None, **more}))
        return panels[-1]

    yield open_panel
    for panel in panels:
        panel.close()


def focus_of(widget, monkeypatch):
    """How often a widget was asked to take the focus."""
    asked = []
    monkeypatch.setattr(type(widget), "focus", lambda self: asked.append(self))
    return asked


def press(panel, letters):
    panel.box.keys.value += letters


def is_on(panel):
    return [verdict for verdict, button in panel.box.buttons.items() if "v-on" in button._dom_classes]


# ---------------------------------------------------------------------- choosing


def test_it_opens_at_the_most_severe_event_with_context(opened, servers):
    panel = opened(servers)
    assert panel.current == 0
    assert panel._axis.view == panel.state.context()
    assert "Event 1 \u00b7 1,272" in panel._words.headline.value
    assert panel.list._cards.value.count("v-card") == PAGE
    assert panel.list._cards.value.count("v-here") == 1
    assert panel.zoom.panes[0].caption.value.startswith("<b>v1</b>")
    assert panel.box.note.value == ""
    assert is_on(panel) == []


def test_a_click_on_a_card_shows_it_and_gives_the_keys_the_focus(opened, servers, monkeypatch):
    panel = opened(servers)
    asked, seen = focus_of(panel.box.keys, monkeypatch), []
    panel.on_current(seen.append)
    panel.list._hits.children[3].click()
    assert panel.current == 3 == seen[0]
    assert panel._axis.view == panel.state.context()
    assert asked == [panel.box.keys]
    start, stop = panel.state.span
    edges = np.ravel(panel.zoom.score.here.mark.x).tolist()
    assert edges == [start - 0.5, start - 0.5, stop - 0.5, stop - 0.5]


def test_the_pages_turn_and_the_current_event_stays(opened, many):
    panel = opened(many, merge_gap=0)
    assert len(panel.state) > 2 * PAGE
    assert panel.list.earlier.disabled
    panel.list.later.click()
    assert (panel.list.first, panel.current) == (PAGE, 0)
    assert "v-here" not in panel.list._cards.value
    panel.list._hits.children[1].click()
    assert (panel.list.first, panel.current) == (PAGE, PAGE + 1)
    for _ in range(len(panel.state)):
        panel.list.later.click()
    assert panel.list.later.disabled
    shown = [hit for hit in panel.list._hits.children if hit.layout.display is None]
    assert len(shown) == len(panel.state) - panel.list.first
    assert panel.list._where.value.endswith(f"of {len(panel.state):,}")
    panel.current = 0
    assert panel.list.first == 0


def test_every_card_says_itself_to_a_screen_reader(opened, servers):
    panel = opened(servers)
    told = [hit.tooltip for hit in panel.list._hits.children]
    assert told[0].startswith("1: 1,272, lasts 2 h, score 41.9")
    assert "FN missed" in told[-1]


def test_colour_is_never_alone(opened, servers):
    cards = opened(servers)._main.children[0].children[0].children[0].children[0].value
    for css, symbol in (("v-hit", "\u25cf TP"), ("v-false", "\u25b2 FP"), ("v-missed", "\u25cb FN missed")):
        assert cards.count(css) == cards.count(symbol) > 0


@pytest.mark.parametrize("place", [-1, 11, "1"])
def test_python_is_told_what_a_line_is(opened, servers, place):
    panel = opened(servers)
    with pytest.raises(InputError, match="0 to 10"):
        panel.current = place
    assert panel.current == 0


# ---------------------------------------------------------------------- judging


@pytest.mark.parametrize("verdict", ["anomaly", "normal", "unsure"])
def test_one_letter_is_a_verdict_and_the_next_event_comes(opened, servers, verdict):
    panel = opened(servers)
    press(panel, verdict[0])
    assert panel.state.verdict_of(0) == verdict
    assert panel.current == 1
    press(panel, "k")
    assert is_on(panel) == [verdict]
    press(panel, verdict[0].upper())
    assert panel.state.verdict_of(0) == verdict


def test_letters_that_come_together_all_count(opened, servers):
    panel = opened(servers)
    press(panel, "anu")
    assert [panel.state.verdict_of(i) for i in range(4)] == ["anomaly", "normal", "unsure", ""]
    press(panel, "kkx")
    assert [panel.state.verdict_of(i) for i in range(3)] == ["anomaly", "", "unsure"]
    assert panel.current == 1
    press(panel, "jjjo")
    assert panel.current == 5
    press(panel, "? 7")
    assert panel.current == 5, "other letters do nothing"
    panel.box.keys.value = panel.box.keys.value[:-1]
    assert panel.current == 5, "and rubbing out does nothing"


def test_a_letter_at_either_end_stays(opened, servers):
    panel = opened(servers)
    press(panel, "k")
    assert panel.current == 0
    panel.current = len(panel.state) - 1
    press(panel, "n")
    assert panel.current == len(panel.state) - 1
    assert is_on(panel) == ["normal"]


def test_one_stays_where_one_does_not_want_to_go_on(opened, servers):
    panel = opened(servers)
    panel.box.goes_on.value = False
    press(panel, "a")
    assert panel.current == 0
    assert is_on(panel) == ["anomaly"]


def test_a_button_decides_and_once_more_takes_back(opened, servers, monkeypatch):
    panel = opened(servers)
    asked = focus_of(panel.box.keys, monkeypatch)
    panel.box.goes_on.value = False
    panel.box.buttons["normal"].click()
    assert panel.state.verdict_of(0) == "normal"
    panel.box.buttons["unsure"].click()
    assert is_on(panel) == ["unsure"]
    panel.box.buttons["unsure"].click()
    assert (panel.state.verdict_of(0), is_on(panel)) == ("", [])
    assert len(asked) == 3


def test_a_note_is_saved_while_it_is_written(opened, servers, tmp_path):
    path = tmp_path / "v.csv"
    panel = opened(servers, verdicts=path)
    for text in ("f", "fa", "fan"):
        panel.box.note.value = text
    press(panel, "a")
    assert panel.verdicts[["verdict", "note"]].values.tolist() == [["anomaly", "fan"]]
    assert ",anomaly,fan," in path.read_text(encoding="utf-8")
    assert panel.box.note.value == "", "the next event has none"
    press(panel, "k")
    assert panel.box.note.value == "fan"


def test_the_last_letter_of_a_note_is_saved_by_a_pause_a_step_or_the_end(opened, servers, tmp_path):
    panel = opened(servers, verdicts=tmp_path / "v.csv")
    panel.box.note.value = "a"
    panel.box.note.value = "ab"
    panel.current = 1
    assert panel.state.verdict_on(0).note == "ab"
    assert panel.state.verdict_on(1) is None
    panel.box.note.value = "c"
    panel.box.note.value = "cd"
    panel.close()
    again = opened(servers, verdicts=tmp_path / "v.csv")
    assert [again.state.verdict_on(i).note for i in range(2)] == ["ab", "cd"]


def test_a_note_whose_timer_has_rung_already_is_saved_before_the_next_event(opened, servers, tmp_path):
    panel = opened(servers, verdicts=tmp_path / "v.csv")
    panel.box.note.value = "a"
    with panel.lock:
        panel.box.note.value = "a fan stopped"
        time.sleep(0.7)  # the timer's thread waits for the lock now
        panel.judge("normal")
        panel.current = 1
    assert panel.state.verdict_on(0).note == "a fan stopped"


def test_enter_ends_a_note_and_t_begins_one(opened, servers, monkeypatch):
    panel = opened(servers)
    asked = focus_of(panel.box.keys, monkeypatch)
    press(panel, "t")
    assert asked == [panel.box.note]
    panel.box.note.value = "x"
    panel.box.note.value = "xy"
    panel.box.note._handle_custom_msg({"event": "submit"}, [])
    assert panel.state.verdict_on(0).note == "xy"
    assert asked == [panel.box.note, panel.box.keys]


def test_whoever_listens_hears_of_each_verdict(opened, taxi):
    panel, heard = opened(taxi), []
    panel.on_verdict(heard.append)
    panel.judge("normal", note="a holiday")
    panel.judge(None, note="")
    assert (heard[0].verdict, heard[0].note, heard[1]) == ("normal", "a holiday", None)


def test_python_is_told_what_a_verdict_is(opened, taxi):
    with pytest.raises(InputError, match="expected 'anomaly', 'normal', 'unsure', or None"):
        opened(taxi).judge("yes")


def test_a_listener_that_raises_becomes_a_line_and_the_panel_lives(opened, servers):
    panel = opened(servers)

    def complain(_):
        raise RuntimeError("<no>")

    panel.on_verdict(complain)
    press(panel, "a")
    assert "RuntimeError: &lt;no&gt;" in panel._error.value
    assert panel.state.verdict_of(0) == "anomaly"
    panel._on_verdict.clear()
    press(panel, "jn")
    assert panel._error.value == ""
    assert panel.state.verdict_of(1) == "normal"


# ---------------------------------------------------------------------- the file


def test_the_next_panel_finds_everything(opened, servers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = opened(servers, verdicts="auto")
    press(panel, "an")
    panel.judge("unsure", note="hm")
    before = panel.verdicts
    panel.close()
    again = opened(servers, verdicts="auto")
    assert again.verdicts.equals(before)
    assert [again.state.verdict_of(i) for i in range(4)] == ["anomaly", "normal", "unsure", ""]
    assert "saved in server_metrics_verdicts.csv" in again._words.summary.value


def test_two_panels_see_each_others_verdicts(opened, servers, tmp_path):
    one, two = (opened(servers, verdicts=tmp_path / "v.csv") for _ in range(2))
    press(one, "a")
    press(two, "jn")
    assert two.state.verdict_of(0) == "anomaly"
    press(one, "j")
    assert one.state.verdict_of(1) == "normal"
    assert one.current == 2
    assert "2 of 11 judged" in one._words.summary.value


def test_a_foreign_file_is_left_alone_and_said(opened, servers, tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("time,value\n1,2\n", encoding="utf-8")
    panel = opened(servers, verdicts=path)
    assert "no column &#x27;start&#x27;" in panel._words.notice.value
    assert "v_2.csv" in panel._words.notice.value
    press(panel, "a")
    assert path.read_text(encoding="utf-8") == "time,value\n1,2\n"
    assert (tmp_path / "v_2.csv").exists()


def test_a_disk_that_refuses_is_said_in_a_line(opened, servers, tmp_path, monkeypatch):
    panel = opened(servers, verdicts=tmp_path / "v.csv")
    assert panel._words.notice.layout.display == "none"

    def refuse(*_):
        raise OutputError("Cannot write 'v.csv': the disk is read-only; choose another folder.")

    with monkeypatch.context() as patched:
        patched.setattr(verdict_book, "write_verdicts", refuse)
        press(panel, "an")
    assert "the disk is read-only" in panel._words.notice.value
    assert len(panel.verdicts) == 2
    press(panel, "u")
    assert panel._words.notice.layout.display == "none"
    assert len((tmp_path / "v.csv").read_text(encoding="utf-8").splitlines()) == 4


# ---------------------------------------------------------------------- the threshold moves elsewhere


def test_verdicts_stay_when_the_threshold_moves(opened, many):
    panel, seen = opened(many, merge_gap=0), []
    panel.current = 2
    panel.judge("anomaly")
    peak = int(panel.state.stretches.peak[2])
    panel.on_current(seen.append)
    panel.set_events(threshold=panel.state.threshold * 1.05)
    start, stop = panel.state.span
    assert start <= peak < stop
    assert is_on(panel) == ["anomaly"]
    assert f"above {panel.state.threshold:.4g}"[:9] in panel._words.summary.value
    np.testing.assert_allclose(panel.zoom.score.threshold.y, panel.state.threshold)


def test_events_may_be_given(opened, taxi):
    events = vaenb.find_events(taxi.scores, 3.0)
    panel = opened(taxi, events=events)
    assert panel.events is events
    assert sorted(panel.order) == list(range(len(events)))
    other = vaenb.find_events(taxi.scores, 4.0)
    panel.set_events(other)
    assert panel.events is other


def test_no_events_at_all_help(opened, taxi):
    bare = evidence_at("nyc_taxi", 4.7, labelled=False)
    panel = opened(bare)
    panel.set_events(threshold=1e9)
    assert panel.current is None
    assert panel._main.layout.display == "none"
    assert "A lower threshold (step 5) gives events" in panel._words.nothing.value
    press(panel, "anuxjkot")
    assert panel._error.value == ""
    assert len(panel.verdicts) == 0
    assert "Nothing to judge" in panel.snapshot()
    panel.set_events(threshold=float(bare.rule.threshold_))
    assert panel.current == 0
    assert panel._main.layout.display is None
    assert opened(replace(bare, rule=vaenb.Percentile(50).fit(np.arange(1e6)))).current is None


# ---------------------------------------------------------------------- from near


def test_zooming_shows_other_cells_and_says_how_many(opened, taxi):
    panel = opened(taxi)
    buttons = {b.tooltip: b for b in panel._axis.controls.children if isinstance(b, widgets.Button)}
    buttons["Whole series"].click()
    assert panel.zoom._shown.value.endswith(" of 10,320 points drawn")
    assert len(panel.zoom.panes[0].values.x) <= 2_002
    above = int((taxi.scores > panel.state.threshold).sum())
    assert (panel.zoom.score.values.y > panel.state.threshold).sum() == above
    panel.current = 0
    assert panel._axis.view == panel.state.context()


def test_the_reconstruction_lies_in_its_band(opened, servers):
    panel = opened(servers)
    for pane in panel.zoom.panes:
        low, high = pane.band.y
        assert (low <= pane.mean.y).all()
        assert (pane.mean.y <= high).all()
        assert len(pane.values.x) == len(pane.mean.x) == len(low)


@pytest.mark.parametrize(("name", "n_panes"), [("nyc_taxi", 1), ("server_metrics", 4)])
def test_one_channel_fills_the_room_many_share_it(opened, name, n_panes):
    panel = opened(evidence_at(name, 4.0))
    assert len(panel.zoom.panes) == n_panes
    assert ("15 others" in panel.zoom._shares.value) == (n_panes == 4)


def test_whole_numbers_never_go_to_the_browser(opened, servers):
    for widget in reachable(opened(servers)):
        for name in ("x", "y"):
            if widget.has_trait(name) and isinstance(getattr(widget, name), np.ndarray):
                assert getattr(widget, name).dtype.kind in "fM"


def test_no_colour_is_written_by_hand(opened, servers):
    panel = opened(servers, other_labels=np.zeros(10_320))
    for widget in reachable(panel):
        for name in ("colors", "fill_colors"):
            if widget.has_trait(name):
                assert all(colour.startswith("var(--v-") for colour in getattr(widget, name) or [])


def test_missing_values_and_infinite_thresholds_are_drawn(opened, taxi):
    values = taxi.series.values.copy()
    values[5_700:] = np.nan
    panel = opened(replace(taxi, series=replace(taxi.series, values=values)), other_labels=taxi.labels)
    panel._axis.set_view(type(panel._axis.view)(9_000, 9_500))
    assert len(panel.zoom.panes[0].values.x) == 0
    panel.set_events(threshold=float("inf"))
    assert panel._error.value == ""


# ---------------------------------------------------------------------- better than chance


def test_the_question_is_answered_by_a_worker(opened, taxi):
    panel = opened(taxi)
    assert panel.chance.found is None
    panel.chance.ask.click()
    panel.chance.ask.click()
    assert panel.chance.finished.wait(60)
    html = panel.chance._answer.value
    assert panel.chance.found.verdict.split("(")[0] in html
    for name in ("point F1", "point-adjusted F1", "affiliation F1", "VUS-PR", "a random score", "window PCA"):
        assert name in html
    assert html.count("<section") == 4
    assert not panel.chance.ask.disabled
    assert as_bars(panel.chance.found) == html
    panel.set_events(threshold=panel.state.threshold * 0.9)
    assert "ask again" in panel.chance._progress.value
    panel.chance.ask.click()
    assert panel.chance.finished.wait(60)
    assert panel.chance._progress.value == ""


def test_without_labels_the_question_cannot_be_asked(opened):
    panel = opened(evidence_at("nyc_taxi", 4.7, labelled=False))
    assert panel.chance.ask.disabled
    assert "needs labels" in panel.chance._progress.value


def test_a_worker_that_fails_says_so(opened, taxi, monkeypatch):
    from vaenb.panels import chance_table

    def fail(*_, **__):
        raise MemoryError("too long")

    monkeypatch.setattr(chance_table, "compare", fail)
    panel = opened(taxi)
    panel.chance.ask.click()
    assert panel.chance.finished.wait(10)
    assert panel.chance._progress.value == "MemoryError: too long"
    assert not panel.chance.ask.disabled


def test_closing_ends_the_worker(opened, servers):
    panel = opened(servers)
    panel.chance.ask.click()
    panel.close()
    assert panel.chance.finished.wait(60)
    assert panel.chance.found is None


# ---------------------------------------------------------------------- code, picture, end


def run_code(code, evidence):
    space = {"evidence": evidence}
    exec(code, space)
    return space["panel"]


def test_the_copied_code_gives_the_same_state(servers, tmp_path):
    panel = JudgePanel(servers, verdicts=tmp_path / "v.csv", merge_gap=3)
    panel.set_events(threshold=11.0)
    panel.current = 2
    panel.judge("normal")
    again = run_code(panel.code(), servers)
    assert again.events.start.tolist() == panel.events.start.tolist()
    assert again.current == 2
    assert again.verdicts.equals(panel.verdicts)
    assert again.code() == panel.code()
    for each in (panel, again):
        each.close()


def test_the_code_of_given_events_writes_them_out(taxi):
    events = vaenb.find_events(taxi.scores, 4.0, normal=9.0)
    assert np.isnan(events.severity).all()
    panel = JudgePanel(taxi, events=replace(events, shares=np.ones((len(events), 1))), verdicts=None)
    again = run_code(panel.code(), taxi)
    for name in ("start", "stop", "peak", "score", "severity", "shares"):
        np.testing.assert_array_equal(getattr(again.events, name), getattr(panel.events, name))
    for each in (panel, again):
        each.close()


def test_the_shortest_code_is_short(opened, taxi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert opened(taxi, verdicts="auto").code() == "import vaenb\n\npanel = vaenb.JudgePanel(evidence)\npanel"
    labels = opened(taxi, other_labels=taxi.labels)
    assert "verdicts=None, other_labels=other_labels" in labels.code()


def test_the_code_is_shown_and_follows(opened, servers):
    panel = opened(servers)
    panel._show_code.value = True
    assert "panel.current" not in panel._code.value
    press(panel, "j")
    assert "panel.current = 1" in panel._code.value


def test_the_snapshot_has_words(opened, servers):
    panel = opened(servers)
    panel.judge("anomaly", note="<fan>")
    still = panel.snapshot()
    assert 'alt="' in still
    assert "6 events above 13.9" in still


def test_opening_and_closing_leaves_nothing(servers, tmp_path):
    threads, before = threading.active_count(), len(_instances)
    for i in range(50):
        panel = JudgePanel(servers, verdicts=tmp_path / "v.csv")
        press(panel, "anj")
        panel.box.note.value = f"{i}"
        panel.box.note.value = f"{i} more"
        panel._axis._toggle.value = True
        panel.close()
        panel.close()
        assert len(_instances) == before
    assert threading.active_count() <= threads + 1


def test_what_is_refused_leaves_nothing(taxi):
    before = len(_instances)
    with pytest.raises(InputError):
        JudgePanel(taxi, verdicts=None, other_labels=np.zeros(3))
    assert len(_instances) == before


def test_two_panels_do_not_disturb_each_other(opened, servers, taxi):
    one, two = opened(servers), opened(taxi)
    press(one, "aj")
    assert (one.current, two.current) == (2, 0)
    assert two.verdicts.empty
    assert not {id(w) for w in reachable(one)} & {id(w) for w in reachable(two)}
