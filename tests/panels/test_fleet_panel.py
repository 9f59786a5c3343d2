"""The fleet panel without TensorFlow: what the page is told, a run that is watched, one series at a time."""

import asyncio
import threading
import time

import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances
from make_evidence import make_evidence
from make_fleet import make_fleet

import vaenb
from vaenb.errors import InputError
from vaenb.fleet.folder import Run
from vaenb.panels import fleet as fleet_module
from vaenb.panels import fleet_table, lab_comm, worker
from vaenb.panels.fleet_study import Found
from vaenb.panels.lab_comm import Wire
from vaenb.view_models.fleet_spark import spark

SOON = 20.0


def until(true):
    end = time.monotonic() + SOON
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


@pytest.fixture
def plant(tmp_path):
    return make_fleet(tmp_path, 30, failed=(3,), waiting=(28, 29))


@pytest.fixture
def panel(plant, monkeypatch):
    monkeypatch.chdir(plant[0].parent)
    made = vaenb.FleetPanel(out=plant[1])
    made.sent = []
    monkeypatch.setattr(made._grid, "send", made.sent.append)
    yield made
    made.close()


def says(panel, **content):
    panel._grid._handle_custom_msg(content, [])


def note(panel):
    return panel._slot._note.value


def error(panel):
    return panel._error.value


# ---------------------------------------------------------------------- the table


def test_a_folder_shows_its_rows_worst_first(panel):
    grid, summary = panel._grid, panel.summary
    assert (grid.n_rows, panel.table.count("done"), panel.table.count("failed")) == (30, 27, 1)
    done = summary[summary.status == "done"]
    assert panel.table.order[:27] == done.series.tolist()
    assert panel.table.order[27:] == ["pump-3", "pump-28", "pump-29"]
    assert (grid.sorted_by, grid.descending) == ("worst_severity", True)
    assert panel._head.status.value == "<div role='status'>28 of 30 series, 1 failed.</div>"
    assert panel._head.start.description == "Go on"
    assert [column["title"] for column in grid.columns][:3] == ["Series", "Status", "Events"]


def test_the_page_gets_just_the_rows_that_it_asks_for_and_then_their_scores(panel):
    says(panel, kind="rows", start=5, stop=9)
    rows = panel.sent[0]
    assert (rows["kind"], rows["start"], rows["version"]) == ("rows", 5, panel.table.version)
    names = [row["name"] for row in rows["rows"]]
    assert names == panel.table.order[5:9]
    assert [row["spark"] for row in rows["rows"]] == [None] * 4
    until(lambda: len(panel.sent) > 1)
    drawn = panel.sent[1]["sparks"]
    assert list(drawn) == names
    for name in names:
        path = panel.run.output.place("scores", name) / "part-0.parquet"
        assert drawn[name] == spark(pd.read_parquet(path)["score"], panel.table[name]["threshold"])
    says(panel, kind="rows", start=6, stop=8)
    assert [row["spark"] for row in panel.sent[-1]["rows"]] == [drawn[name] for name in names[1:3]]


def test_a_row_without_scores_asks_for_none(panel):
    says(panel, kind="rows", start=27, stop=30)
    assert [row["status"] for row in panel.sent[0]["rows"]] == ["failed", "waiting", "waiting"]
    assert panel.sent[0]["rows"][0]["reason"] == "The column 'value' holds one value only."
    assert not panel._grid._reader._wanted
    assert len(panel.sent) == 1


def test_who_asks_for_everything_gets_a_part(panel, monkeypatch):
    monkeypatch.setattr(fleet_table, "_MOST_AT_ONCE", 7)
    says(panel, kind="rows", start=0, stop=10**9)
    assert len(panel.sent[0]["rows"]) == 7


def test_what_is_wanted_last_is_read_first_and_nothing_is_forgotten():
    class Slow:
        read_names, begun, goes = [], threading.Event(), threading.Event()

        def read(self, name, threshold):
            self.begun.set()
            self.goes.wait(SOON)
            self.read_names.append(name)
            return ""

    slow, sent = Slow(), []
    reader = fleet_table.SparkReader(slow, sent.append)
    reader.want([(f"a{i}", 1.0) for i in range(10)])
    slow.begun.wait(SOON)  # eight of them are on their way
    reader.want([("b", 1.0), ("a9", 1.0)])
    slow.goes.set()
    until(lambda: len(slow.read_names) == 11)
    assert slow.read_names == [*(f"a{i}" for i in range(8)), "b", "a9", "a8"]
    until(lambda: not reader._runs)
    reader.end()
    reader.want([("c", 1.0)])
    assert "c" not in slow.read_names


def test_heads_and_filter(panel):
    says(panel, kind="sort", column="series")
    assert panel.table.order[:3] == ["pump-0", "pump-1", "pump-2"]
    assert (panel._grid.sorted_by, panel._grid.descending) == ("series", False)
    panel._head.query.value = "PUMP-2"
    assert panel._grid.n_rows == 11
    panel._head.query.value = "x"
    assert (panel._grid.n_rows, panel._grid.empty) == (0, "No series has “x” in its name.")
    panel.filter("")
    assert (panel._grid.n_rows, panel._head.query.value) == (30, "")


def test_a_mistake_is_a_line_in_the_panel(panel):
    says(panel, kind="open", name="nobody")
    assert "no series &#x27;nobody&#x27;" in error(panel)
    says(panel, kind="sort", column="series")
    assert error(panel) == ""


def test_code_and_picture(panel, plant):
    panel.sort("n_points")
    panel.filter("1")
    told = f"import vaenb\n\npanel = vaenb.FleetPanel(out={str(plant[1])!r})\n"
    assert panel.code() == told + "panel.sort('n_points', descending=True)\npanel.filter('1')\npanel"
    panel.filter("")
    panel.sort("worst_severity")
    text = panel.snapshot()
    assert "27 series of 30 done, 1 failed. On top: " in text
    again = {}
    exec(panel.code().rsplit("\n", 1)[0], again)
    assert again["panel"].table.order == panel.table.order
    again["panel"].close()


def test_a_look_at_a_folder_begins_no_thread(panel):
    assert not panel._runner.worker.is_running
    assert panel._opener._worker._thread is None


# ---------------------------------------------------------------------- a run


class Going:
    """In place of `Run.go_on`: does one series when it is told to."""

    def __init__(self):
        self.steps, self.fails = threading.Semaphore(0), None

    def __call__(self, run, *, workers, on_begin, on_series, stop):
        names = [member.name for member in run.members()]
        done = run.output.done()
        on_begin(len(names), len(done))
        for name in names:
            if name in done:
                continue
            while not self.steps.acquire(timeout=0.01):
                if stop.is_set():
                    return
            if self.fails:
                raise self.fails
            row = {"series": name, "status": "done", "n_events": 1, "worst_severity": 99.0}
            row |= {"flagged": 0.1, "n_points": 9, "threshold": 1.0, "seconds": 1.0}
            run.output.finish(row)
            on_series(row)


@pytest.fixture
def going(monkeypatch):
    made = Going()
    monkeypatch.setattr(Run, "go_on", lambda run, **told: made(run, **told))
    return made


def test_a_run_is_watched_stopped_and_goes_on(panel, going):
    panel.start()
    panel.start()  # nothing while one is on
    assert panel.table["pump-3"]["status"] == "waiting"  # what failed is tried again
    assert (panel._head.start.disabled, panel._head.stop.disabled) == (True, False)
    going.steps.release()
    until(lambda: panel.table.count("done") == 28)
    until(lambda: panel.table.order[0] in {"pump-28", "pump-29", "pump-3"} and panel._grid.n_rows == 30)
    until(lambda: panel._grid.version == panel.table.version)
    assert "28 of 30 series. " in panel._head.status.value
    panel.stop()
    assert panel._runner.worker.wait(SOON)
    assert (
        panel._head.status.value == "<div role='status'>28 of 30 series. Stopped; what is done is kept.</div>"
    )
    assert (panel._head.start.disabled, panel._head.stop.disabled) == (False, True)
    going.steps.release(5)
    panel.start()
    assert len(panel.wait(SOON)) == 30
    assert panel._head.start.disabled
    assert panel._head.bar.value == 1.0
    assert panel.summary.status.tolist() == ["done"] * 30


def test_the_buttons_and_the_kernels_interrupt(panel, going):
    panel._head.start.click()
    assert panel._runner.worker.is_running
    panel._head.stop.click()
    assert panel._runner.worker.wait(SOON)
    panel.start()
    worker.interrupt_all()
    assert panel._runner.worker.wait(SOON)
    assert "Interrupted" in panel._head.status.value


def test_await_starts_it_and_returns_the_summary(panel, going):
    going.steps.release(5)
    assert len(asyncio.run(panel.finished())) == 30
    assert len(asyncio.run(panel.finished())) == 30  # and again: nothing is left to do


def test_an_error_of_the_run_is_told_and_raised(panel, going):
    going.fails = OSError("the disk is full")
    going.steps.release(5)
    with pytest.raises(OSError, match="the disk is full"):
        panel.wait(SOON)
    assert "OSError: the disk is full" in error(panel)
    assert "The run broke off; what is done is kept." in panel._head.status.value
    going.fails = None
    panel.start()
    assert len(panel.wait(SOON)) == 30


def test_at_most_ten_updates_a_second_and_the_last_one_always(tmp_path, going, monkeypatch):
    _, out = make_fleet(tmp_path, 300, failed=(), waiting=range(300), files=False)
    panel, times = vaenb.FleetPanel(out=out), []
    plain = panel._grid.draw
    monkeypatch.setattr(panel._grid, "draw", lambda: (times.append(time.monotonic()), plain()))
    panel.start()
    for _ in range(300):
        going.steps.release()
        time.sleep(0.004)
    assert panel.wait(SOON) is not None
    live = np.diff(times[1:-1])  # between those of the start and of the end
    assert len(live) >= 3
    assert live.min() > 0.08
    assert panel._grid.version == panel.table.version
    assert panel.table.count("done") == 300
    panel.close()


def test_a_new_run_finds_its_series_before_it_begins(plant, tmp_path, going):
    panel = vaenb.FleetPanel(plant[0], out=tmp_path / "new", settings={"epochs": 2}, workers=3)
    assert (len(panel.table), panel._head.start.description) == (30, "Start")
    assert "settings={'epochs': 2}, workers=3)" in panel.code()
    panel.close()
    assert not (tmp_path / "new").exists()


def test_a_closed_panel_refuses(panel):
    panel.close()
    with pytest.raises(InputError, match="was closed: make a new FleetPanel, and start"):
        panel.start()
    with pytest.raises(InputError, match="was closed: make a new FleetPanel, and open"):
        panel.open_study("pump-1")
    panel.close()


def test_closing_stops_the_run(panel, going):
    panel.start()
    panel.close()
    assert not panel._runner.worker.is_running


# ---------------------------------------------------------------------- one series


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pump-1", "There is no saved detector of"),
        (
            "pump-3",
            "failed: The column &#x27;value&#x27; holds one value only. Below is its study, untrained",
        ),
        ("pump-28", "is not done yet. Below is its study, untrained."),
    ],
)
def test_a_series_without_a_detector_is_opened_untrained_and_says_why(panel, name, said):
    says(panel, kind="open", name=name)
    assert f"Opening {name} …" in note(panel)
    panel._opener.wait(SOON)
    assert said in note(panel)
    assert (panel.opened.name, panel.opened.evidence) == (name, None)
    assert panel._slot._slot.children == (panel.opened.panel,)
    assert panel._grid.opened == name
    assert panel.opened.panel.holder is panel
    assert panel.code().endswith(f"panel.open_study({name!r})\npanel")
    assert f"Open: {name}" in panel.snapshot()


def test_a_series_that_cannot_be_read_says_so(panel, plant):
    (plant[0] / "pump-1.csv").unlink()
    (plant[0] / "pump-3.csv").write_text("value\n1\n1\n")
    for name, said in (("pump-1", "cannot be read: "), ("pump-3", "holds one value only.")):
        panel.open_study(name, wait=True)
        assert said in note(panel)
        assert panel.opened is None
        assert panel._slot._head.layout.display is None  # the name stands, and the button that closes


def test_a_folder_that_lost_its_source_says_so(plant):
    (plant[1] / "source.json").unlink()
    panel = vaenb.FleetPanel(out=plant[1])
    assert "does not tell where its series are: give the source" in panel._head.status.value
    assert panel._head.start.disabled
    with pytest.raises(InputError, match="does not tell where its series are"):
        panel.start()
    panel.open_study("pump-1", wait=True)
    assert "cannot be read: The folder" in note(panel)
    assert len(panel.wait(SOON)) == 28  # there is nothing to start
    panel.close()


class Opening:
    """In place of `find_study`: opens a study when it is told to."""

    def __init__(self):
        self.evidence = make_evidence(n_points=2_000)
        self.goes, self.made, self.asked = threading.Semaphore(0), [], []

    def __call__(self, run, member, row):
        self.asked.append(row["series"])
        self.goes.acquire(timeout=SOON)
        if row["series"] == "pump-7":
            raise RuntimeError("out of luck")
        self.made.append(vaenb.Study(self.evidence.series))
        self.made[-1].show("data")
        return Found(self.made[-1], "")


@pytest.fixture
def opening(monkeypatch):
    made = Opening()
    monkeypatch.setattr(fleet_module, "find_study", made)
    return made


def test_of_several_clicks_the_last_one_is_shown(panel, opening):
    panel.open_study("pump-1")
    until(lambda: opening.asked)
    panel.open_study("pump-2")
    panel.open_study("pump-4")
    opening.goes.release(5)
    panel._opener.wait(SOON)
    assert opening.asked == ["pump-1", "pump-4"]
    first, last = opening.made
    assert first.panel.is_closed
    assert panel.opened is last
    assert panel._grid.opened == "pump-4"
    panel.open_study("pump-5", wait=True)
    assert last.panel.is_closed
    assert not panel.opened.panel.is_closed


def test_what_is_closed_while_it_is_opened_does_not_come(panel, opening):
    panel.open_study("pump-1")
    until(lambda: opening.asked)
    panel.close_study()
    opening.goes.release()
    panel._opener.wait(SOON)
    assert panel.opened is None
    assert opening.made[0].panel.is_closed
    assert note(panel) == "<div role='note'></div>"


def test_what_comes_after_the_end_is_closed(panel, opening):
    opening.goes.release(2)
    panel.open_study("pump-1", wait=True)
    late = Found(opening("", None, {"series": "pump-2"}).study, "")
    panel.close()
    panel._put("pump-2", late)
    assert [each.panel.is_closed for each in opening.made] == [True, True]
    assert panel.opened is None


def test_an_error_while_opening_is_said_and_the_next_one_opens(panel, opening):
    opening.goes.release(2)
    panel.open_study("pump-7", wait=True)
    assert "cannot be opened: RuntimeError: out of luck" in note(panel)
    panel.open_study("pump-1", wait=True)
    assert panel.opened is opening.made[0]


def test_a_study_leaves_nothing_behind(panel, opening):
    opening.goes.release(9)
    panel.open_study("pump-1", wait=True)
    panel.close_study()
    before = set(_instances)
    for name in ("pump-1", "pump-2", "pump-4"):
        panel.open_study(name, wait=True)
    panel._slot.close.click()
    assert set(_instances) == before


# ---------------------------------------------------------------------- JupyterLab's side panel


class Comm:
    """As the kernel's, without a kernel."""

    def __init__(self):
        self.sent = []

    def on_msg(self, call):
        self.say = lambda **data: call({"content": {"data": data}})

    def send(self, data):
        self.sent.append(data)

    @property
    def panel(self):
        """The panel whose events were told last."""
        study = self.sent[-1]["study"] if self.sent else None
        return study and study["panel"]


@pytest.fixture
def comm(monkeypatch):
    made = Comm()
    wire = Wire(made)
    monkeypatch.setattr(lab_comm, "_wires", {0: wire})
    monkeypatch.setattr(lab_comm, "_wire", lambda: wire)
    made.say(kind="hello", client="a")
    until(lambda: made.sent)
    return made


def test_the_side_panel_follows_the_study_that_is_open(panel, opening, comm, monkeypatch):
    monkeypatch.setattr(panel._still, "show", lambda _: None)
    opening.goes.release(9)
    panel.open_study("pump-1", wait=True)
    time.sleep(0.2)
    assert comm.panel is None  # nobody has put the panel on screen
    panel._ipython_display_()
    until(lambda: comm.panel == panel.opened.panel.model_id)
    assert comm.sent[-1]["study"]["words"] == panel.opened.plan.progress()
    panel.open_study("pump-2", wait=True)
    until(lambda: comm.panel == panel.opened.panel.model_id)
    panel.close_study()
    until(lambda: comm.panel is None)
    panel.open_study("pump-4", wait=True)
    until(lambda: comm.panel == panel.opened.panel.model_id)
    panel.close()
    until(lambda: comm.panel is None)


def test_what_was_told_before_comes_back_when_the_study_is_closed(panel, opening, comm, monkeypatch):
    monkeypatch.setattr(panel._still, "show", lambda _: None)
    judge = vaenb.JudgePanel(opening.evidence, verdicts=None)
    lab_comm.show_in_lab(judge)
    until(lambda: comm.panel == judge.model_id)
    panel._ipython_display_()
    opening.goes.release()
    panel.open_study("pump-1", wait=True)
    until(lambda: comm.panel == panel.opened.panel.model_id)
    panel.close_study()
    until(lambda: comm.panel == judge.model_id)
    judge.close()
