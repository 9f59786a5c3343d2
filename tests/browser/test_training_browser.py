"""The training panel in a real JupyterLab: watched, stopped in every way, looked through, loaded again."""

import re

import pytest
import training_stops as stops

LIVE = """
from make_training import Training
import vaenb
panel = vaenb.TrainingPanel(Training({seconds}), epochs={epochs})
panel
"""
STUDY = """
from make_evidence import make_evidence
import vaenb
panel = vaenb.TrainingPanel.of(make_evidence({name!r}, n_epochs=30))
panel
"""


# The kernel takes its time with each message of a kind, after its answer.
SLOW = """
import inspect, threading, time
from pathlib import Path
handlers = get_ipython().kernel.shell_handlers
answer = handlers[{kind!r}]

async def answer_slowly(*message):
    found = answer(*message)
    if inspect.isawaitable(found):
        await found
    Path("waits").write_text(threading.current_thread().name)
    time.sleep(1.0)

handlers[{kind!r}] = answer_slowly
"""


def lines_of(panel, plot):
    """The paths of a plot's lines."""
    return panel.locator(f".vaenb-plot-{plot} svg path.line")


@pytest.mark.parametrize(
    "way", [w for w in stops.WAYS if w is not stops.button_in_wait], ids=lambda w: w.__name__
)
def test_every_way_to_stop_keeps_the_best_weights(lab, way):
    mark = stops.begin(lab, way)
    way(lab)
    lab.until(mark.exists)
    lab.wait_idle()
    stopped, keeps, runs, said = stops.outcome(lab, way)
    is_interrupt = way in {stops.interrupt, stops.interrupt_in_await, stops.interrupt_in_wait}
    assert stopped == ("interrupted" if is_interrupt else "stop event")
    assert keeps
    assert not runs
    assert said == ""


def test_an_interrupt_of_another_cell_leaves_the_training_alone(lab):
    lab.write(stops.FIRST, stops.OTHER)
    lab.open()
    lab.run(0)
    stops.run_second(lab)
    lab.interrupt()
    lab.until(lambda: "KeyboardInterrupt" in lab.output(1))
    lab.wait_idle()
    assert lab.value("(panel.view.state, panel.history)") == ("running", None)


def test_an_interrupt_right_after_a_value_was_asked_is_heard(lab):
    """A rule of these tests, not of vaenb: `lab.value` comes back when the kernel is done with it."""
    lab.write(SLOW.format(kind="execute_request"), stops.FIRST)
    lab.open()
    lab.run()
    assert lab.value("panel.view.state") == "running"
    lab.interrupt()
    lab.until(lambda: lab.value("panel.view.state") != "running", seconds=20)
    assert lab.value("panel.history.stopped") == "interrupted"


def test_an_interrupt_while_a_widget_is_answered_is_heard(lab):
    lab.write(stops.FIRST, SLOW.format(kind="comm_msg"))
    lab.open()
    lab.run()
    mark = lab.server.folder / "waits"
    mark.unlink(missing_ok=True)
    lab.panel().get_by_role("button", name="Copy as code").click()
    lab.until(mark.exists)
    assert mark.read_text() == "MainThread"  # in another thread no interrupt could hit it
    lab.interrupt()
    lab.until(lambda: lab.value("panel.view.state") != "running", seconds=20)
    assert lab.value("panel.history.stopped") == "interrupted"


def test_run_all_waits_for_the_end_and_the_buttons_start_and_continue(lab):
    lab.notebook(LIVE.format(seconds=0.02, epochs=12), "history = await panel.finished()", "len(history)")
    panel = lab.panel()
    lab.until(lambda: lab.output(2).strip() == "12")
    assert lab.output(1) == ""
    epochs = panel.get_by_role("spinbutton")
    epochs.fill("5")
    epochs.press("Enter")
    panel.get_by_role("button", name="Continue").press("Enter")
    lab.until(lambda: lab.value("panel.view.state == 'finished' and panel.view.last_epoch") == 17)
    panel.get_by_text(re.compile("^17 epochs in")).wait_for()


def test_it_is_watched_while_it_trains(lab):
    lab.notebook(LIVE.format(seconds=0.05, epochs=10_000))
    panel = lab.panel()
    panel.get_by_text("Not trained yet. Start asks for 10,000 epochs.").wait_for()
    lab.settle()
    before = panel.bounding_box()
    panel.get_by_role("button", name="Start").click()
    panel.get_by_text(re.compile(r"^Epoch \d+ of 10000, about")).wait_for()
    first = lines_of(panel, "elbo").first.get_attribute("d")
    lab.until(lambda: lines_of(panel, "elbo").first.get_attribute("d") != first)
    panel.get_by_text("3 of 4 latent dimensions say something about the window.").wait_for()
    assert panel.bounding_box() == before  # nothing has jumped
    lab.until(lambda: panel.locator(".vaenb-plot-cloud .dot").count() == 60)
    panel.locator(".vaenb-training-head button", has_text="Stop").click()
    panel.get_by_text(re.compile("^Stopped after epoch")).wait_for()
    lab.settle()
    assert panel.bounding_box() == before
    assert lab.output(0).count("Traceback") == 0


def test_no_more_than_ten_pictures_a_second(lab):
    lab.notebook(LIVE.format(seconds=0.001, epochs=100_000))
    panel = lab.panel()
    panel.evaluate(
        """panel => {
            window.changes = [];
            const begins = () => { window.begun = performance.now(); };
            document.addEventListener('click', begins, {capture: true, once: true});
            const watched = panel.querySelector('.vaenb-training-status');
            new MutationObserver(() => window.changes.push(performance.now()))
                .observe(watched, {childList: true, subtree: true, characterData: true});
        }"""
    )
    panel.get_by_role("button", name="Start").click()
    lab.until(lambda: lab.page.evaluate("() => window.changes.length") > 60)
    begun, seen = lab.page.evaluate("() => [window.begun, window.changes]")
    lab.do("panel.stop()")
    # From the click on: a page that comes late to what it was sent sees several pictures at once. And a text
    # that changes is two mutations at most.
    assert len(seen) <= 2 + 11 * (seen[-1] - begun) / 1000 * 2


def test_a_page_that_is_loaded_again_is_alive(lab):
    lab.notebook(LIVE.format(seconds=0.05, epochs=10_000))
    lab.panel().get_by_role("button", name="Start").click()
    lab.until(lambda: lab.value("panel.view.last_epoch") > 3)
    lab.save()
    lab.reload()
    panel = lab.panel()
    line = panel.get_by_text(re.compile(r"^Epoch \d+ of 10000"))
    line.wait_for()
    first = line.inner_text()
    lab.until(lambda: line.inner_text() != first)
    assert lab.value("panel.view.chosen") is None
    panel.locator(".vaenb-training-head button", has_text="Stop").click()
    panel.get_by_text(re.compile("^Stopped after epoch")).wait_for()
    lab.until(lambda: lab.value("panel.view.state") == "finished")


def test_the_epochs_by_keyboard(lab):
    lab.notebook(STUDY.format(name="nyc_taxi"))
    panel = lab.panel()
    panel.get_by_text("Epoch 30 of 30, the best").wait_for()
    slider = panel.get_by_role("slider")
    lab.until(lambda: slider.get_attribute("aria-valuetext") == "30")
    slider.focus()
    drawn = lines_of(panel, "window").nth(2).get_attribute("d")
    for _ in range(3):
        slider.press("ArrowLeft")
    panel.get_by_text("Epoch 27 of 30").wait_for()
    lab.until(lambda: lab.value("panel.view.epoch") == 27)
    slider.press("Home")
    panel.get_by_text("Before the training").wait_for()
    lab.until(lambda: lines_of(panel, "window").nth(2).get_attribute("d") != drawn)
    best = panel.get_by_role("button", name="Best")
    lab.until(best.is_enabled)
    best.press("Enter")
    panel.get_by_text("Epoch 30 of 30, the best").wait_for()


def test_the_epochs_are_played(lab):
    lab.notebook(STUDY.format(name="nyc_taxi"))
    panel = lab.panel()
    lab.do("panel.show_epoch(1)")
    panel.get_by_text("Epoch 1 of 30").wait_for()
    panel.locator(".widget-play button").first.click()
    lab.until(lambda: lab.value("panel.view.epoch") == 30)


def test_the_slider_is_dragged(lab):
    lab.notebook(STUDY.format(name="nyc_taxi"))
    panel = lab.panel()
    panel.get_by_text("Epoch 30 of 30, the best").wait_for()
    handle = panel.locator(".vaenb-training-slider .noUi-handle")
    lab.settle()
    box, line = handle.bounding_box(), panel.locator(".vaenb-training-slider .noUi-target").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.move(x, y)
    lab.page.mouse.down()
    for step in range(60):
        lab.page.mouse.move(x - (step + 1) * line["width"] / 120, y)
        lab.settle_frame()
    lab.page.mouse.up()
    lab.until(lambda: lab.value("panel.view.epoch") == 15)
    panel.get_by_text("Epoch 15 of 30").wait_for()


def test_a_failure_is_one_line(lab):
    cell = LIVE.format(seconds=0.01, epochs=9).replace("Training(0.01)", "Training(0.01, fails_at=4)")
    lab.notebook(cell)
    panel = lab.panel()
    panel.get_by_role("button", name="Start").click()
    line = panel.get_by_role("alert")
    line.wait_for()
    told = "ValueError: epoch 4 went wrong What was learnt in 3 epochs is kept."
    lab.until(lambda: line.inner_text().startswith(told))
    assert lab.output(0).count("Traceback") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800])
def test_it_can_be_pictured(lab, theme, width):
    lab.notebook(STUDY.format(name="server_metrics"))
    lab.theme(theme)
    lab.width(width, 1600)
    panel = lab.panel()
    panel.locator(".vaenb-plot-cloud .dot").first.wait_for()
    assert lab.picture(panel, f"training-{theme}-{width}").stat().st_size > 1000
    edge = panel.bounding_box()
    for plot in panel.locator(".vaenb-plot").all():
        box = plot.bounding_box()
        assert box["x"] + box["width"] <= edge["x"] + edge["width"] + 1
