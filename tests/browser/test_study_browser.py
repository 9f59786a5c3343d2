"""A study in a real JupyterLab: from the series to judged events, by mouse and by keyboard."""

import json

import pytest

CELL = """
import vaenb
study = vaenb.Study(vaenb.load_dataset("nyc_taxi"), epochs=3, steps_per_epoch=20, verdicts=None)
study
"""
KEYS = ("data", "model", "training", "scores", "threshold", "judge")


def step(lab, number):
    """The button of a step."""
    return lab.panel().locator(".vaenb-study-step").nth(number - 1)


def states(lab):
    return lab.value(f"[study.plan.state(step) for step in {KEYS}]")


def all_is_done(lab):
    """Whether every step is done, in the kernel."""
    return lab.value("not study.is_running and study.plan.to_do == ()")


def until_all_is_done(lab):
    """Wait until every step is done, the thread that did them has ended, and the page says so."""
    lab.until(lambda: all_is_done(lab), seconds=400)
    lab.do("study.wait()")
    for number in range(1, 7):
        lab.until(lambda number=number: "done" in step(lab, number).inner_text())


def run_everything(lab):
    lab.panel().get_by_role("button", name="Run everything").click()
    until_all_is_done(lab)


def open_step(lab, number):
    """Click on a step, and wait until kernel and page show it."""
    step(lab, number).click()
    lab.until(lambda: lab.value("study.panel.shown") == KEYS[number - 1])
    lab.until(lambda: "vaenb-is-shown" in step(lab, number).get_attribute("class"))


def printed(lab):
    """How many outputs of text there are in the notebook."""
    return lab.page.locator(".jp-OutputArea-output[data-mime-type*='std']").count()


def look(lab, name):
    """A picture once nothing moves any more."""
    lab.page.wait_for_function(QUIET)
    lab.picture(lab.panel(), f"study-{name}")


QUIET = """
() => {
    const now = document.querySelector('.vaenb-study').getBoundingClientRect().height;
    const same = window.lastHeight === now;
    window.sameFor = same ? (window.sameFor ?? 0) + 1 : 0;
    window.lastHeight = now;
    return window.sameFor > 40;
}
"""
FRAMES = "len(study._engine.training.frames) if study._engine.training else 0"
HEAD = "() => document.querySelector('.vaenb-study-slot').getBoundingClientRect().top"


def test_next_and_run_everything_go_the_whole_way_and_every_step_opens(lab):
    lab.notebook(CELL)
    panel = lab.panel()
    assert states(lab) == ["done", "ready", *["to do"] * 4]
    look(lab, "1-light-1280")
    panel.get_by_role("button", name="Next: 2 Build the VAE").click()
    panel.get_by_text("encoder q(z | x)").first.wait_for()
    look(lab, "2-light-1280")
    run_everything(lab)
    lab.until(lambda: lab.value("study.panel.shown") == "judge")
    panel.get_by_text("Event 1").wait_for()
    look(lab, "6-light-1280")
    marks = [
        ".vaenb-cards",
        ".vaenb-net",
        ".vaenb-training",
        ".vaenb-latent",
        ".vaenb-over-time",
        ".vaenb-judge",
    ]
    for number, mark in enumerate(marks, 1):
        open_step(lab, number)
        panel.locator(mark).first.wait_for()
        assert "done" in step(lab, number).inner_text()
        if number in {3, 4, 5}:
            look(lab, f"{number}-light-1280")
    assert not printed(lab)


def test_a_change_upstream_marks_what_is_stale_and_one_button_mends_it(lab):
    lab.notebook(CELL)
    run_everything(lab)
    panel = lab.panel()
    step(lab, 2).click()
    panel.get_by_role("button", name="laplace").click()
    lab.until(lambda: states(lab) == ["done", *["stale"] * 5])
    for number in range(2, 7):
        lab.until(lambda number=number: "! out of date" in step(lab, number).inner_text())
    step(lab, 5).click()
    panel.get_by_text("Out of date: 2 Build the VAE has changed since").wait_for()
    look(lab, "stale-light-1280")
    lab.theme("dark")
    lab.width(800)
    look(lab, "stale-dark-800")
    run_everything(lab)
    assert states(lab) == ["done"] * 6
    assert lab.value("study.detector.likelihood") == "laplace"
    for number in range(1, 7):
        open_step(lab, number)
        look(lab, f"{number}-dark-800")


def test_the_head_does_not_jump_while_steps_are_done(lab):
    lab.notebook(CELL)
    lab.panel()
    lab.settle()
    tops = {lab.page.evaluate(HEAD)}

    def is_over():
        tops.add(lab.page.evaluate(HEAD))
        return all_is_done(lab) and all("done" in step(lab, number).inner_text() for number in range(1, 7))

    lab.panel().get_by_role("button", name="Run everything").click()
    lab.until(is_over, seconds=400)
    lab.settle()
    tops.add(lab.page.evaluate(HEAD))
    assert len(tops) == 1


def test_the_keyboard_alone_goes_the_whole_way(lab):
    lab.notebook(CELL)
    panel = lab.panel()
    panel.get_by_role("button", name="Run everything").focus()
    lab.page.keyboard.press("Enter")
    until_all_is_done(lab)
    step(lab, 1).focus()
    for _ in range(4):
        lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Space")
    lab.until(lambda: lab.value("study.panel.shown") == "threshold")


def test_stop_and_running_the_cell_again(lab):
    lab.notebook(CELL.replace("epochs=3", "epochs=10_000"))
    panel = lab.panel()
    panel.get_by_role("button", name="Run everything").click()
    lab.until(lambda: lab.value(FRAMES) > 2, seconds=120)
    look(lab, "training-light-1280")
    panel.locator(".vaenb-study-buttons").get_by_role("button", name="Stop").click()
    lab.until(lambda: not lab.value("study.is_running"), seconds=60)
    assert states(lab)[:4] == ["done", "done", "done", "ready"]
    panel.get_by_role("button", name="Run everything").click()
    lab.do("first = study")
    lab.until(lambda: lab.value("first.is_running"))
    lab.run(0)
    lab.until(lambda: lab.value("first.panel.is_closed"))
    assert lab.value("study.panel.is_closed") is False
    lab.until(lambda: lab.page.locator(".vaenb-study").count() == 1)


def test_a_reload_while_it_trains_finds_it_alive(lab):
    lab.notebook(CELL.replace("epochs=3", "epochs=10_000"))
    lab.panel().get_by_role("button", name="Run everything").click()
    lab.until(lambda: lab.value(FRAMES) > 1, seconds=120)
    lab.save()
    lab.reload()
    panel = lab.panel()
    panel.locator(".vaenb-study-buttons").get_by_role("button", name="Stop").click()
    lab.until(lambda: not lab.value("study.is_running"), seconds=60)
    lab.do("study.close()")


def test_saved_and_opened_again_without_tensorflow(lab):
    lab.notebook(CELL)
    run_everything(lab)
    panel = lab.panel()
    panel.get_by_role("button", name="Save study").click()
    panel.get_by_text("Saved nyc_taxi.vaenb").wait_for()
    panel.get_by_role("button", name="Save as notebook").click()
    panel.get_by_text("Wrote nyc_taxi_study.ipynb").wait_for()
    cells = json.loads(lab.value("open('nyc_taxi_study.ipynb', encoding='utf-8').read()"))["cells"]
    assert len(cells) > 12
    lab.restart()
    lab.notebook(
        """
import sys
for name in ("tensorflow", "keras", "tensorflow_probability"):
    sys.modules[name] = None
import vaenb
study = vaenb.Study.load("nyc_taxi.vaenb", verdicts=None)
study
"""
    )
    panel = lab.panel()
    panel.locator(".vaenb-over-time").first.wait_for()
    look(lab, "opened-light-1280")
    for number, mark in ((3, ".vaenb-training"), (4, ".vaenb-latent"), (6, ".vaenb-judge")):
        open_step(lab, number)
        panel.locator(mark).first.wait_for()
    assert not printed(lab)


@pytest.mark.parametrize("awaits", [True, False])
def test_run_all_waits_for_the_study(lab, awaits):
    wait = "await study.finished()" if awaits else "study.run()"
    lab.notebook(CELL, f"{wait}\nprint(len(study.events), 'events')")
    lab.until(lambda: lab.output(1).strip().endswith("events"))
    assert printed(lab) == 1  # the line of the second cell
