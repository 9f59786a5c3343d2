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
    lab.run(1, wait=False)
    lab.page.wait_for_timeout(500)
    lab.interrupt()
    lab.until(lambda: "KeyboardInterrupt" in lab.output(1))
    lab.wait_idle()
    assert lab.value("(panel.view.state, panel.history)") == ("running", None)


def test_run_all_waits_for_the_end_and_the_buttons_start_and_continue(lab):
    lab.notebook(LIVE.format(seconds=0.02, epochs=12), "history = await panel.finished()", "len(history)")
    panel = lab.panel()
    assert lab.output(2).strip() == "12"
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
    assert panel.get_by_text("Not trained yet. Start asks for 10,000 epochs.").is_visible()
    before = panel.bounding_box()
    panel.get_by_role("button", name="Start").click()
    panel.get_by_text(re.compile(r"^Epoch \d+ of 10000, about")).wait_for()
    first = lines_of(panel, "elbo").first.get_attribute("d")
    lab.until(lambda: lines_of(panel, "elbo").first.get_attribute("d") != first)
    assert panel.get_by_text("3 of 4 latent dimensions say something about the window.").is_visible()
    assert panel.bounding_box() == before  # nothing has jumped
    assert panel.locator(".vaenb-plot-cloud .dot").count() == 60
    panel.locator(".vaenb-training-head button", has_text="Stop").click()
    panel.get_by_text(re.compile("^Stopped after epoch")).wait_for()
    assert panel.bounding_box() == before
    assert lab.output(0).count("Traceback") == 0


def test_no_more_than_ten_pictures_a_second(lab):
    lab.notebook(LIVE.format(seconds=0.001, epochs=100_000))
    panel = lab.panel()
    panel.evaluate(
        """panel => {
            window.changes = [];
            const watched = panel.querySelector('.vaenb-training-status');
            new MutationObserver(() => window.changes.push(performance.now()))
                .observe(watched, {childList: true, subtree: true, characterData: true});
        }"""
    )
    panel.get_by_role("button", name="Start").click()
    lab.until(lambda: lab.page.evaluate("() => window.changes.length") > 15)
    seen = lab.page.evaluate("() => window.changes")
    lab.do("panel.stop()")
    assert (
        len(seen) <= 2 + 11 * (seen[-1] - seen[0]) / 1000 * 2
    )  # a text that changes is two mutations at most
