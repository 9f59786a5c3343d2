"""The fleet panel on real detectors: a run, Stop, and studies that show what the run has found."""

import threading
import time

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb.fleet.opening import read_scores

BRIEF = {"epochs": 1, "steps_per_epoch": 3, "window_size": 16, "latent_dim": 2, "hidden": (8,)}
SOON = 120.0


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    place = tmp_path_factory.mktemp("plant")
    for seed in range(6):
        rng = np.random.default_rng(seed)
        values = np.sin(np.arange(400) / 5) + 0.1 * rng.normal(size=400)
        values[300 + seed : 310 + seed] += 3
        pd.DataFrame({"value": values}).to_csv(place / f"s{seed}.csv", index=False)
    pd.DataFrame({"value": np.ones(400)}).to_csv(place / "dead.csv", index=False)
    return place


@pytest.fixture
def panel(plant, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = vaenb.FleetPanel(plant, out="found", settings=BRIEF)
    yield made
    made.close()


def test_a_run_is_stopped_goes_on_and_each_series_opens_as_the_run_has_left_it(panel, plant):
    panel.start()
    while not panel.table.count("done"):
        time.sleep(0.01)
    panel.stop()
    panel.wait(SOON)
    assert 0 < panel.table.count("done") < 6
    assert not panel._runner.worker.is_running
    panel.start()
    summary = panel.wait(SOON)
    assert summary.status.value_counts().to_dict() == {"done": 6, "failed": 1}
    assert panel.table.order[:6] == summary.series[:6].tolist()
    for name in ("s0", "s5"):
        panel.open_study(name, wait=True)
        study, row = panel.opened, panel.table[name]
        assert panel._slot._note.value == "<div role='note'></div>"
        assert (study.plan.to_do, study.panel.shown) == ((), "threshold")
        assert study.threshold == row["threshold"]
        np.testing.assert_array_equal(study.evidence.scores, read_scores(panel.run.output, name)["score"])
        assert len(study.events) == row["n_events"]
        assert study.events.severity.max() == pytest.approx(row["worst_severity"])
        assert study.evidence.settings["epochs"] == 1
    assert f"/{plant.name}/s5.csv')" in study.code()
    panel.open_study("dead", wait=True)
    assert "dead" in panel._slot._note.value
    assert "failed: " in panel._slot._note.value
    assert panel.opened is None


@pytest.mark.parametrize(
    "group", [{"s1": "odd", "s2": "even", "s3": "odd"}, lambda name: "eo"[int(name[1]) % 2]]
)
def test_series_of_one_group_share_a_detector(plant, tmp_path, group):
    source = tmp_path / "three"
    source.mkdir()
    for name in ("s1", "s2", "s3"):
        (source / f"{name}.csv").write_bytes((plant / f"{name}.csv").read_bytes())
    panel = vaenb.FleetPanel(source, out=tmp_path / "found", settings=BRIEF, group=group)
    assert "# group: the name" in panel.code()
    assert "group=group)" in panel.code()
    panel.wait(SOON)
    assert panel.table.count("done") == 3
    assert panel.table["s1"]["threshold"] == panel.table["s3"]["threshold"] != panel.table["s2"]["threshold"]
    panel.open_study("s3", wait=True)
    assert panel.opened.threshold == panel.table["s3"]["threshold"]
    assert "group=" not in panel.code()
    panel.close()
    exec(panel.code(), told := {})
    assert told["panel"].table.count("done") == 3
    told["panel"].close()
    with pytest.raises(vaenb.InputError, match="settings"):
        vaenb.FleetPanel(source, out=tmp_path / "found", settings=BRIEF, group=lambda _: "all")


def test_a_series_without_a_group_is_refused(plant, tmp_path):
    with pytest.raises(vaenb.InputError, match="'dead' is None; expected a name"):
        vaenb.FleetPanel(plant, out=tmp_path / "found", settings=BRIEF, group={"s1": "odd"})


def test_the_study_of_a_fleet_is_a_study_like_another(panel, tmp_path):
    panel.wait(SOON)
    panel.open_study("s2", wait=True)
    study = panel.opened
    for step in range(1, 7):
        study.show(step)
        assert study.panel._inside is not None
    assert study.detector.threshold_ == study.threshold
    assert "Saved s2.vaenb" in study.save(tmp_path / "s2.vaenb")
    again = vaenb.Study.load(tmp_path / "s2.vaenb")
    np.testing.assert_array_equal(again.evidence.scores, study.evidence.scores)
    assert "vaenb.Study.load" in again.code()
    again.close()
    study.steps["threshold"].threshold = study.threshold * 1.5
    assert study.threshold == pytest.approx(panel.table["s2"]["threshold"] * 1.5)
    study.choose("scores", {"method": "reconstruction_error"})
    study.run()
    assert study.evidence.method == "reconstruction_error"
    assert study.plan.to_do == ()


def test_a_study_is_opened_while_the_run_goes_on(panel):
    panel.start()
    while not panel.table.count("done"):
        time.sleep(0.01)
    first = next(name for name in panel.table.names if panel.table[name]["status"] == "done")
    panel.open_study(first, wait=True)
    assert panel.opened.threshold == panel.table[first]["threshold"]
    panel.wait(SOON)
    assert panel.table.count("done") == 6
    assert panel.opened.name == first


def test_opening_does_not_hold_up_who_asks(panel, monkeypatch):
    panel.wait(SOON)
    inside, goes = threading.Event(), threading.Event()
    plain = panel._opener._look

    def look(name):
        inside.set()
        assert goes.wait(SOON)
        return plain(name)

    panel._opener._look = look
    panel.open_study("s1")
    assert inside.wait(SOON)
    assert "Opening s1 …" in panel._slot._note.value
    panel.sort("series")  # the table answers meanwhile
    assert panel._grid.sorted_by == "series"
    goes.set()
    assert panel._opener.wait(SOON)
    assert panel.opened.name == "s1"
