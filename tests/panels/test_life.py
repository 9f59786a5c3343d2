"""Opened, used and closed fifty times: no widget, comm or thread is left, and memory stays where it was."""

import contextlib
import gc
import threading
import tracemalloc

import comm
import pytest
from ipywidgets.widgets.widget import _instances
from make_evidence import make_decode, make_evidence
from make_fleet import make_fleet
from make_training import Training

import vaenb
from vaenb.view_models.timeline import View

TIMES, WARM = 50, 5
GROWTH = 400_000  # bytes in all; one panel that stays is more than that


@pytest.fixture(scope="module")
def evidence():
    return make_evidence("nyc_taxi", n_sample=100, n_epochs=4)


def data(_):
    panel = vaenb.DataPanel(vaenb.load_dataset("toy_daily"))
    panel.choose(calibration=0.3)
    return panel


def model(_):
    panel = vaenb.ModelPanel(window_size=32)
    panel.choose(latent_dim=3)
    return panel


def training(_):
    panel = vaenb.TrainingPanel(Training(0.001), epochs=3)
    panel.start()
    panel.wait(30)
    panel.show_epoch(1)
    return panel


def latent(evidence):
    panel = vaenb.LatentPanel(evidence, decode=make_decode(evidence))
    panel.selected, panel.picked, panel.mode = [1, 2, 3], 7, "Walk"
    panel.walk_at = (0.1, 0.2)
    return panel


def threshold(evidence):
    panel = vaenb.ThresholdPanel(evidence)
    panel.threshold = 2.0
    panel.axis.set_view(View(0, 500))
    return panel


def judge(evidence):
    panel = vaenb.JudgePanel(evidence, verdicts=None)
    panel.set_events(threshold=1.5)
    panel.judge("normal")
    return panel


def fleet(folder):
    panel = vaenb.FleetPanel(out=folder)
    panel.filter("1")
    panel._grid._handle_custom_msg({"kind": "rows", "start": 0, "stop": 20}, [])
    panel.open_study("pump-3", wait=True)
    return panel


@pytest.fixture
def folder(tmp_path):
    return make_fleet(tmp_path, 20)[1]


@pytest.mark.parametrize("make", [data, model, training, latent, threshold, judge], ids=lambda f: f.__name__)
def test_nothing_is_left(make, evidence):
    run_and_close(make, evidence)


def test_nothing_is_left_of_a_fleet(folder):
    run_and_close(fleet, folder)


def run_and_close(make, shown):
    def rounds(times):
        for _ in range(times):
            with contextlib.closing(make(shown)) as panel:
                panel.code()
        gc.collect()

    rounds(WARM)
    widgets, comms, threads = set(_instances), len(comm.get_comm_manager().comms), threading.active_count()
    tracemalloc.start()
    try:
        rounds(2)
        before = tracemalloc.get_traced_memory()[0]
        rounds(TIMES)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    print(f"{grown:,} bytes in {TIMES} rounds")
    assert set(_instances) == widgets
    assert len(comm.get_comm_manager().comms) == comms
    assert threading.active_count() <= threads
    assert grown < GROWTH
