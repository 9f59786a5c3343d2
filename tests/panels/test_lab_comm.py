"""The wire to JupyterLab's side panel: who is told what, when, and what comes back."""

import threading
import time

import numpy as np
import pytest
from make_evidence import make_evidence

import vaenb
from vaenb.panels import lab_comm
from vaenb.panels.lab_comm import Wire
from vaenb.view_models.lab_events import MOST_EVENTS, MOST_POINTS, sparkline


class Comm:
    """As the kernel's, without a kernel."""

    def __init__(self):
        self.sent, self.times = [], []

    def on_msg(self, call):
        self.say = lambda **data: call({"content": {"data": data}})

    def send(self, data):
        self.times.append(time.monotonic())
        self.sent.append(data)

    @property
    def last(self):
        return self.sent[-1]["study"] if self.sent else None

    def until(self, true, seconds=10):
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.sent[-1:]
            time.sleep(0.01)


@pytest.fixture
def comm(monkeypatch):
    made = Comm()
    monkeypatch.setattr(lab_comm, "_wires", {0: Wire(made)})
    return made


@pytest.fixture
def wire(comm):
    return lab_comm._wires[0]


@pytest.fixture
def judge(tmp_path):
    panel = vaenb.JudgePanel(make_evidence(n_points=3_000), verdicts=tmp_path / "v.csv")
    yield panel
    panel.close()


@pytest.fixture
def line():
    panel = vaenb.ThresholdPanel(make_evidence(n_points=3_000))
    yield panel
    panel.close()


def hello(comm):
    comm.say(kind="hello", client="a")
    comm.until(lambda: comm.sent)


def test_nothing_is_told_before_hello_and_after_bye(comm, wire, judge):
    wire.show(judge)
    judge.judge("anomaly")
    time.sleep(0.2)
    assert comm.sent == []
    hello(comm)
    comm.say(kind="bye", client="a")
    told = len(comm.sent)
    judge.judge("normal")
    time.sleep(0.2)
    assert len(comm.sent) == told


def test_the_events_are_those_of_the_panel_most_severe_first(comm, wire, judge):
    wire.show(judge)
    hello(comm)
    told, found = comm.last, judge.state.stretches
    n = len(judge.events)
    assert [each["start"] for each in told["events"]] == found.start[:n].tolist()
    assert [each["stop"] for each in told["events"]] == found.stop[:n].tolist()
    assert (told["count"], told["threshold"]) == (n, judge.state.threshold)
    assert told["canJudge"]
    assert told["panel"] == judge.model_id
    assert all(each["verdict"] == "" and 2 <= len(each["line"]) <= MOST_POINTS for each in told["events"])


def test_a_verdict_from_either_side_is_told_and_kept(comm, wire, judge, tmp_path):
    wire.show(judge)
    hello(comm)
    second = comm.last["events"][1]
    comm.say(kind="judge", client="a", start=second["start"], stop=second["stop"], verdict="normal")
    comm.until(lambda: comm.last["events"][1]["verdict"] == "normal")
    assert judge.state.verdict_of(1) == "normal"
    assert "normal" in (tmp_path / "v.csv").read_text()
    judge.current = 0
    judge.judge("unsure", note="why")
    comm.until(lambda: comm.last["events"][0]["verdict"] == "unsure")
    first = comm.last["events"][0]
    comm.say(kind="judge", client="a", start=first["start"], stop=first["stop"], verdict="")
    comm.until(lambda: comm.last["events"][0]["verdict"] == "")
    assert judge.state.verdict_on(0).note == "why"  # a note outlives its verdict


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "judge", "start": 1, "stop": 2, "verdict": "anomaly"},  # no such event
        {"kind": "judge", "start": "x", "verdict": "anomaly"},
        {"kind": "go"},
        {"kind": "dance"},
        {},
    ],
)
def test_what_makes_no_sense_is_left_alone(comm, wire, judge, data):
    wire.show(judge)
    hello(comm)
    comm.say(client="a", **data)
    assert len(judge.verdicts) == 0
    assert judge.current == 0


def test_an_unknown_verdict_is_not_written(comm, wire, judge):
    wire.show(judge)
    hello(comm)
    first = comm.last["events"][0]
    comm.say(kind="judge", client="a", start=first["start"], stop=first["stop"], verdict="perhaps")
    assert len(judge.verdicts) == 0


def test_a_drag_is_followed_ten_times_a_second_and_to_its_end(comm, wire, line):
    wire.show(line)
    hello(comm)
    comm.times.clear()
    places = line.view.scale(np.linspace(line.threshold, line.threshold / 2, 100))
    for i, place in enumerate(places):
        line._on_place(float(place), i == len(places) - 1)
        time.sleep(0.01)
    comm.until(lambda: comm.last["threshold"] == line.threshold)
    gaps = np.diff(comm.times)
    assert len(gaps) >= 3
    assert gaps.mean() > 0.09  # a busy machine delays one, and not the next
    assert comm.last["count"] == len(line.events)


def test_a_line_that_is_moved_comes_to_the_front_and_is_judged_in_the_judge_panel(comm, wire, line, judge):
    wire.show(line)
    wire.show(judge)
    hello(comm)
    assert comm.last["panel"] == judge.model_id
    line.threshold *= 0.9
    comm.until(lambda: comm.last["panel"] == line.model_id)
    assert comm.last["canJudge"]
    first = comm.last["events"][0]
    comm.say(kind="judge", client="a", start=first["start"], stop=first["stop"], verdict="anomaly")
    comm.until(lambda: comm.last["events"][0]["verdict"] == "anomaly")
    assert judge.verdicts.verdict.tolist() == ["anomaly"]


def test_alone_a_threshold_panel_cannot_be_judged_but_zooms(comm, wire, line):
    wire.show(line)
    hello(comm)
    assert not comm.last["canJudge"]
    first = comm.last["events"][0]
    comm.say(kind="go", client="a", start=first["start"], stop=first["stop"])
    assert line.axis.view.first <= first["start"] < first["stop"] <= line.axis.view.stop
    assert len(line.axis.view) < line.axis.timeline.n_cells


def test_a_click_shows_the_event_in_the_judge_panel(comm, wire, judge):
    wire.show(judge)
    hello(comm)
    third = comm.last["events"][2]
    comm.say(kind="go", client="a", start=third["start"], stop=third["stop"])
    assert judge.current == 2


def test_after_the_panel_is_closed_nothing_is_shown(comm, wire, judge, line):
    wire.show(line)
    wire.show(judge)
    hello(comm)
    judge.close()
    comm.say(kind="hello", client="a")
    comm.until(lambda: comm.last["panel"] == line.model_id)
    line.close()
    comm.say(kind="hello", client="a")
    comm.until(lambda: comm.last is None)


def test_the_most_severe_of_many_events_are_listed():
    scores = np.zeros(5_000)
    scores[::20] = 1 + np.random.default_rng(0).exponential(size=250)
    panel = vaenb.ThresholdPanel(scores, calibration=(0, 2_000), rule=0.5, merge_gap=0)
    told = lab_comm.Wire._study(
        panel, __import__("vaenb.panels.lab_sources").panels.lab_sources.source_of(panel, [])
    )
    assert (told["count"], len(told["events"])) == (250, MOST_EVENTS)
    highest = np.sort(scores)[::-1][:MOST_EVENTS]
    assert sorted(scores[[each["start"] for each in told["events"]]], reverse=True) == highest.tolist()
    panel.close()


def test_a_sparkline_keeps_the_peak_and_is_short():
    rng = np.random.default_rng(0)
    scores = rng.exponential(size=100_000)
    scores[40_123], scores[45_000:45_100] = 99.0, np.nan
    line = sparkline(scores, 40_000, 50_000, around=64)
    assert len(line) == MOST_POINTS
    assert max(each for each in line if each is not None) == 99.0
    assert sparkline(np.full(10, np.nan), 2, 4, around=1) == [None] * 6


def test_a_panel_is_told_from_many_threads_without_a_tangle(comm, wire, line):
    wire.show(line)
    hello(comm)

    def move(seed):
        rng = np.random.default_rng(seed)
        for share in rng.uniform(0.3, 2.0, 30):
            line.threshold = 3.0 * share

    threads = [threading.Thread(target=move, args=(seed,)) for seed in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert not any(each.is_alive() for each in threads)
    comm.until(lambda: comm.last["threshold"] == line.threshold)
    assert comm.last["count"] == len(line.events)
