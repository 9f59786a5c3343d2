"""The training panel as Python drives it: traits set from here, as a browser would set them."""

import asyncio
import contextlib
import gc
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from make_evidence import make_evidence
from make_training import Training, make_frame, make_window

import vaenb
from vaenb.errors import InputError
from vaenb.panels.training import TrainingPanel

SOON = 20.0  # seconds in which a loaded machine does what takes a moment


@pytest.fixture
def opened():
    """Makes panels, and closes them."""
    panels = []

    def open_panel(train, **more):
        panels.append(TrainingPanel(train, **{"epochs": 6, **more}))
        return panels[-1]

    yield open_panel
    for panel in panels:
        panel.close()


@pytest.fixture
def trained(opened):
    """A panel whose training is over."""
    panel = opened(Training())
    panel.start()
    panel.wait(SOON)
    return panel


def until(true):
    end = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def plots(panel):
    return {type(plot).__name__ + getattr(plot, "name", ""): plot for plot in panel._plots}


# ---------------------------------------------------------------- start, stop, continue


def test_it_waits_for_its_start(opened):
    panel = opened(Training())
    assert panel.view.state == "ready"
    assert (panel.history, panel.error) == (None, None)
    assert panel._head.stop.disabled
    assert "Not trained yet" in panel._head.status.value


def test_start_returns_at_once_and_the_thread_is_a_daemon(opened):
    panel = opened(Training(0.05))
    panel.start()
    assert panel._worker.is_running
    assert panel._worker._thread.daemon
    assert panel.wait(0.0) is None
    assert panel._head.start.disabled
    assert not panel._head.stop.disabled


def test_the_buttons_do_the_same(opened):
    train = Training(0.05)
    panel = opened(train, epochs=1000)
    panel._head.epochs.value = 500
    panel._head.start.click()
    until(lambda: panel.view.records)
    panel._head.stop.click()
    history = panel.wait(SOON)
    assert history.stopped == "stop event"
    assert train.is_stopped
    assert history.best_epoch == train.kept
    assert panel._head.start.description == "Continue"
    done = len(history)
    panel._head.epochs.value = 3
    panel._head.start.click()
    history = panel.wait(SOON)
    assert len(history) == done + 3
    assert history.curve("epoch").tolist() == list(range(1, done + 4))
    assert panel.view.runs == [done, 3]


def test_starting_twice_trains_once(opened):
    train = Training(0.02)
    panel = opened(train)
    panel.start()
    panel.start()
    assert len(panel.wait(SOON)) == 6


def test_waiting_starts_what_nobody_has_started(opened):
    assert len(opened(Training()).wait(SOON)) == 6
    assert len(asyncio.run(opened(Training()).finished())) == 6


def test_waiting_for_what_is_over_does_not_start_it_again(trained):
    assert len(trained.wait(SOON)) == 6
    assert len(asyncio.run(trained.finished())) == 6


def test_awaiting_lets_others_go_on(opened):
    panel = opened(Training(0.02))
    seen = []

    async def other():
        while panel.history is None:
            seen.append(panel.view.last_epoch)
            await asyncio.sleep(0.01)

    async def both():
        return await asyncio.gather(panel.finished(), other())

    history, _ = asyncio.run(both())
    assert len(history) == 6
    assert len(seen) > 2


def test_cancelling_the_await_stops_and_keeps(opened):
    panel = opened(Training(0.05), epochs=10_000)

    async def interrupted():
        waiting = asyncio.create_task(panel.finished())
        await asyncio.sleep(0.3)
        waiting.cancel()
        return await waiting

    history = asyncio.run(interrupted())
    assert history.stopped == "interrupted"
    assert panel._train.is_stopped
    assert "Interrupted after epoch" in panel._head.status.value


def test_an_interrupted_wait_stops_and_keeps(opened):
    panel = opened(Training(0.05), epochs=10_000)
    main = threading.main_thread().ident
    threading.Timer(0.3, signal.pthread_kill, [main, signal.SIGINT]).start()
    history = panel.wait()
    assert history.stopped == "interrupted"
    assert len(history) == len(panel.view.records)


def test_a_script_that_ends_does_not_hang_and_says_nothing(tmp_path):
    code = (
        "from make_training import Training; from vaenb.panels.training import TrainingPanel\n"
        "panel = TrainingPanel(Training(0.2), epochs=1000); panel.start()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parent,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("epochs", [0, -3, "many"])
def test_epochs_that_cannot_be(opened, epochs):
    with pytest.raises(InputError, match="epochs is"):
        opened(Training(), epochs=epochs)


# ---------------------------------------------------------------- failures


def test_a_training_that_fails_is_one_line_and_can_be_started_again(opened):
    train = Training(fails_at=3)
    panel = opened(train)
    panel.start()
    with pytest.raises(ValueError, match="epoch 3 went wrong"):
        panel.wait(SOON)
    assert panel.error.args[0].startswith("epoch 3")
    line = panel._head.alarm.value
    assert "ValueError: epoch 3 went wrong" in line
    assert "What was learnt in 2 epochs is kept." in line
    assert "\n" not in line
    with pytest.raises(ValueError, match="epoch 3"):
        asyncio.run(panel.finished())
    train.fails_at = None
    panel.start(2)
    assert len(panel.wait(SOON)) == 4
    assert panel._head.alarm.value == ""
    assert panel.error is None


def test_a_training_without_a_history_says_so(opened):
    panel = opened(lambda **_: None)
    panel.start()
    with pytest.raises(InputError, match="returned no History"):
        panel.wait(SOON)


def test_a_mistake_stays_while_epochs_come(opened):
    panel = opened(Training(0.02), epochs=10_000)
    panel.start()
    until(lambda: len(panel.view.records) > 2)
    panel._on_epoch_chosen(10**6)
    assert "epoch is 1000000" in panel._error.value
    before = panel.view.last_epoch
    until(lambda: panel.view.last_epoch > before + 15)
    assert "epoch is 1000000" in panel._error.value
    panel._head.stop.click()
    assert panel._error.value == ""


def test_a_drawing_that_fails_does_not_end_the_training(opened, monkeypatch):
    panel = opened(Training())
    monkeypatch.setattr(panel._plots[0], "draw", lambda _: 1 / 0)
    panel.view.begin()
    panel.draw_live()
    assert "ZeroDivisionError" in panel._error.value


def test_nothing_is_printed(opened, capfd):
    panel = opened(Training(fails_at=4))
    panel.start()
    with pytest.raises(ValueError, match="epoch 4"):
        panel.wait(SOON)
    assert tuple(capfd.readouterr()) == ("", "")


# ---------------------------------------------------------------- what is drawn


def test_the_curves(trained):
    for name in ("elbo", "reconstruction", "kl"):
        plot = plots(trained)[f"CurvePlot{name}"]
        history = trained.history
        np.testing.assert_array_equal(plot.train.x, [1, 2, 3, 4, 5, 6])
        np.testing.assert_array_equal(plot.train.y, history.curve(name))
        np.testing.assert_array_equal(plot.held.y, history.curve(f"calibration_{name}"))
        assert sorted(plot.names.text.tolist()) == ["calibration", "train"]
        np.testing.assert_array_equal(plot.marker.x, [5, 5])


def test_the_bars_and_their_colours(trained):
    bars = plots(trained)["KlPlot"].bars
    np.testing.assert_array_equal(bars.x, [1, 2, 3, 4])
    np.testing.assert_allclose(bars.y, trained.view.record.kl_per_dim)
    assert bars.colors == ["var(--v-data)"] * 3 + ["var(--v-calm)"]
    assert "3 of 4 latent dimensions say something about the window." in trained._head.verdict.value


def test_a_collapse_is_an_alarm(opened):
    panel = opened(Training(active=0))
    panel.wait(SOON)
    assert "role='alert'" in panel._head.alarm.value
    assert "The posterior has collapsed" in panel._head.alarm.value
    assert panel._head.verdict.value == ""
    assert set(plots(panel)["KlPlot"].bars.colors) == {"var(--v-calm)"}


def test_the_slider_goes_back_through_the_epochs(trained):
    for epoch in (0, 4, 6):
        trained._scrubber.slider.value = epoch
        frame = make_frame(epoch)
        window = plots(trained)["WindowPlot"]
        np.testing.assert_allclose(window.mean.y, frame.mean[:, 0])
        np.testing.assert_allclose(window.band.y[0], frame.mean[:, 0].astype(float) - frame.spread[:, 0])
        np.testing.assert_allclose(window.band.y[1], frame.mean[:, 0].astype(float) + frame.spread[:, 0])
        np.testing.assert_array_equal(window.actual.y, make_window()[:, 0])
        cloud = plots(trained)["CloudPlot"]
        places = cloud._plane(frame.latent)
        drawn = np.column_stack([cloud.dots.x, cloud.dots.y])
        np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(places, axis=0))
        assert plots(trained)["ErrorPlot"].bars.y.sum() == len(frame.errors)
        assert trained._scrubber.play.value == epoch
    assert trained._scrubber.place.value == "Epoch 6 of 6"
    trained._scrubber.best.click()
    assert trained._scrubber.slider.value == trained.history.best_epoch == 5
    assert trained._scrubber.place.value == "Epoch 5 of 6, kept"


def test_the_epochs_are_played(trained):
    for epoch in (1, 2, 3):
        trained._scrubber.play.value = epoch
        assert trained.view.epoch == trained._scrubber.slider.value == epoch


def test_going_back_while_it_trains_stays_there(opened):
    panel = opened(Training(0.01), epochs=10_000)
    panel.start()
    until(lambda: panel.view.last_epoch > 40)
    panel._scrubber.slider.value = 3
    before = panel.view.last_epoch
    until(lambda: panel.view.last_epoch > before + 20)
    assert (panel.view.epoch, panel._scrubber.slider.value) == (3, 3)
    panel._scrubber.best.click()
    assert panel.view.chosen is None


def test_what_the_slider_was_told_is_not_heard_as_a_choice(opened):
    panel = opened(Training(0.02), epochs=10_000)
    panel.start()
    until(lambda: panel.view.last_epoch > 10)
    with panel.lock:
        panel._scrubber.slider.value = panel._scrubber._told[-2]
    assert panel.view.chosen is None


def test_channels_have_a_menu(opened):
    panel = opened(Training(channels=2))
    panel.wait(SOON)
    assert panel._scrubber.channel in panel._scrubber.row.children
    panel._scrubber.channel.value = "sensor 1"
    window = plots(panel)["WindowPlot"]
    np.testing.assert_array_equal(window.actual.y, make_window(2)[:, 1])
    assert "sensor 1" in window.title.value
    panel.show_channel("sensor 0")
    assert panel._scrubber.channel.value == "sensor 0"


def test_one_channel_has_none(trained):
    assert trained._scrubber.channel not in trained._scrubber.row.children


def test_without_frames_the_curves_are_there(opened):
    panel = opened(Training(frames=False), window=make_window())
    panel.wait(SOON)
    assert len(plots(panel)["CurvePlotelbo"].train.x) == 6
    assert len(plots(panel)["CloudPlot"].dots.x) == 0
    assert panel._scrubber.slider.min == 1


def test_names_from_a_file_are_text(opened):
    panel = opened(Training(), window=make_window(), channels=("<script>alert(1)</script>",))
    assert "<script>" not in plots(panel)["WindowPlot"].title.value


# ---------------------------------------------------------------- pace


def test_at_most_ten_pictures_a_second_and_the_last_one_always(opened, monkeypatch):
    panel = opened(Training(), epochs=400)
    drawn, draw = [], panel._draw
    monkeypatch.setattr(
        panel, "_draw", lambda: (drawn.append((time.monotonic(), panel.view.last_epoch)), draw())
    )
    panel.start()
    panel.wait(SOON)
    took = drawn[-1][0] - drawn[0][0]
    assert len(drawn) <= 10 * took + 4
    assert drawn[-1][1] == 400
    assert plots(panel)["CurvePlotelbo"].train.x[-1] == 400


def test_a_browser_that_is_behind_is_waited_for(opened):
    panel = opened(Training())
    echo = panel._echo
    now = [50.0]
    echo._clock = lambda: now[0]
    assert not echo.is_behind
    for _ in range(4):
        echo.sent()
    assert echo.is_behind
    echo.answered.value = echo.asked.value
    assert not echo.is_behind
    for _ in range(4):
        echo.sent()
    now[0] += 5.0  # nobody looks
    assert not echo.is_behind


# ---------------------------------------------------------------- code, picture, still


def test_code_of_a_training_that_waits(opened):
    assert opened(Training()).code().splitlines() == [
        "from make_training import Training",
        "",
        "training = Training()",
        "panel = vaenb.TrainingPanel(training, epochs=6)",
        "panel",
    ]


def test_the_code_in_a_fresh_process_gives_the_same_state(opened):
    panel = opened(Training(channels=2), code="import vaenb\nfrom make_training import Training\n"
                   "training = Training(channels=2)")  # fmt: skip
    panel.start(3)
    panel.wait(SOON)
    panel.start(2)
    panel.wait(SOON)
    panel.show_channel("sensor 1")
    panel.show_epoch(2)
    say = "(panel.view.epoch, panel.view.channel, panel.view.runs, panel.history.best_epoch, panel.verdict())"
    say = say.replace("panel.verdict()", "panel._head.verdict.value")
    done = subprocess.run(
        [sys.executable, "-c", f"{panel.code()}\nprint({say})"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )
    assert done.stdout.strip() == repr(eval(say))
    assert done.stderr == ""


def test_code_is_shown_and_follows(trained):
    trained._show_code.value = True
    trained._scrubber.slider.value = 2
    assert "panel.show_epoch(2)" in trained._code.value
    assert "panel.start()\npanel.wait()" in trained._code.value


@pytest.mark.parametrize("frames", [True, False])
def test_pictures_are_drawings_with_words(opened, frames):
    panel = opened(Training(frames=frames), title="Pump <7>")
    told = []
    for _ in range(2):
        drawing = ET.fromstring(panel.picture())
        assert drawing.find("title").text.startswith("Pump <7>")
        told.append(drawing.find("desc").text)
        panel.wait(SOON)
    assert told[0].startswith("Not trained yet")
    assert "ELBO on train from" in told[1]
    assert "3 of 4 latent dimensions" in told[1]
    assert 'alt="Pump &lt;7&gt;' in panel.snapshot()
    assert "NaN" not in panel.picture()
    assert "nan" not in panel.picture()


# ---------------------------------------------------------------- a study that is over


def test_a_study_without_its_model(opened):
    evidence = make_evidence("server_metrics", n_epochs=4)
    panel = TrainingPanel.of(evidence)
    try:
        assert panel._head.start not in panel.children
        assert panel.history.best_epoch == 4
        panel._scrubber.slider.value = 1
        window = plots(panel)["WindowPlot"]
        np.testing.assert_allclose(window.mean.y, evidence.frames[1].mean[:, 0])
        assert len(panel.wait(SOON)) == 4
        assert panel.code().endswith("panel = vaenb.TrainingPanel.of(evidence)\npanel.show_epoch(1)\npanel")
        with pytest.raises(InputError, match="without its model"):
            panel.start()
    finally:
        panel.close()


def test_it_needs_no_tensorflow():
    code = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
from make_evidence import make_evidence
import vaenb
panel = vaenb.TrainingPanel.of(make_evidence())
panel.show_epoch(2)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)


# ---------------------------------------------------------------- the end


def test_closing_stops_the_thread(opened):
    train = Training(0.05)
    panel = opened(train, epochs=10_000)
    panel.start()
    until(lambda: panel.view.records)
    thread = panel._worker._thread
    panel.close()
    assert train.is_stopped
    until(lambda: not thread.is_alive())
    panel.stop()
    with pytest.raises(InputError, match="was closed"):
        panel.start()


def test_closing_from_its_own_thread_does_not_wait_for_itself(opened):
    train = Training(0.01)
    panel = opened(train, epochs=10_000)
    panel._on_epoch = lambda record: panel.close()
    panel.start()
    until(lambda: train.is_stopped)
    assert panel.is_closed


def test_fifty_panels_leave_nothing():
    evidence = make_evidence(n_epochs=3)
    alive = []

    def use(panel):
        panel._scrubber.slider.value = 1
        panel._show_code.value = True
        panel.close()
        panel.close()
        alive.append(weakref.ref(panel))

    def both():
        panel = TrainingPanel(Training(channels=2), epochs=3)
        panel.wait(SOON)
        use(panel)
        use(TrainingPanel.of(evidence))

    both()
    before, threads = len(_instances), threading.active_count()
    for _ in range(25):
        both()
    assert len(_instances) == before
    until(lambda: threading.active_count() <= threads)
    gc.collect()
    assert not [panel for panel in alive if panel() is not None]


def test_two_panels_side_by_side(opened):
    one, other = opened(Training(0.01), epochs=8), opened(Training(0.01), epochs=5)
    one.start()
    other.start()
    other.stop()
    assert len(one.wait(SOON)) == 8
    assert other.wait(SOON).stopped == "stop event"


def test_a_refused_panel_leaves_nothing():
    before = len(_instances)
    for _ in range(3):
        with contextlib.suppress(InputError):
            TrainingPanel(Training(), window=np.zeros((4, 2, 2)))
    assert len(_instances) == before


def test_it_is_at_the_door():
    assert vaenb.TrainingPanel is TrainingPanel
