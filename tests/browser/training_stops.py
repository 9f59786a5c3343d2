"""Every way to stop a training, in a real JupyterLab; the tests and the table of versions share it.

Each way gets a page (`lab_page.Lab`) with a training that never ends, and stops it as a person would.
"""

FIRST = """
from pathlib import Path
from make_training import Training
from vaenb.panels.training import TrainingPanel

class Marked(Training):
    def __call__(self, **more):
        history = super().__call__(**more)
        Path("ended").write_text(history.stopped)
        return history

panel = TrainingPanel(Marked(0.05), epochs=10**6)
panel.start()
panel
"""
# Each of these cells leaves a mark once it is where it waits.
AWAIT = """
import asyncio
asyncio.get_running_loop().call_soon(Path("waits").touch)
history = await panel.finished()
"""
WAIT = """
inside = panel._worker._wait
panel._worker._wait = lambda timeout: Path("waits").touch() or inside(timeout)
history = panel.wait()
"""
OTHER = """
import time
Path("waits").touch()
time.sleep(600)
"""


def button(lab):
    """The button Stop, while no cell runs."""
    _click(lab)


def button_in_await(lab):
    """The button Stop, while a cell awaits the end."""
    run_second(lab)
    _click(lab)


def button_in_wait(lab):
    """The button Stop, while a cell blocks until the end."""
    button_in_await(lab)


def call(lab):
    """`panel.stop()` in a cell."""
    lab.run(1)


def interrupt(lab):
    """The kernel's interrupt, while no cell runs."""
    lab.interrupt()


def interrupt_in_await(lab):
    """The kernel's interrupt, while a cell awaits the end."""
    run_second(lab)
    lab.interrupt()


def interrupt_in_wait(lab):
    """The kernel's interrupt, while a cell blocks until the end."""
    interrupt_in_await(lab)


def again(lab):
    """Running the panel's cell again."""
    lab.do("before = panel")
    lab.run(0)


def run_second(lab):
    """Run the second cell, and wait until it waits."""
    mark = lab.server.folder / "waits"
    mark.unlink(missing_ok=True)
    lab.run(1, wait=False)
    lab.until(mark.exists)


def _click(lab):
    lab.panel().locator(".vaenb-training-head button", has_text="Stop").click()


WAYS = {
    button: "",
    button_in_await: AWAIT,
    button_in_wait: WAIT,
    call: "panel.stop()",
    interrupt: "",
    interrupt_in_await: AWAIT,
    interrupt_in_wait: WAIT,
    again: "",
}


def begin(lab, way):
    """Open the notebook of a way, and wait until epochs come."""
    mark = lab.server.folder / "ended"
    mark.unlink(missing_ok=True)
    lab.write(FIRST, WAYS[way])
    lab.open()
    lab.run(0)
    lab.until(lambda: lab.value("panel.view.last_epoch") > 2)
    return mark


def outcome(lab, way):
    """Why it ended, whether the panel tells of the best weights, and what stands under the second cell."""
    name = "before" if way is again else "panel"
    lab.until(lambda: not lab.value(f"{name}._worker.is_running"))  # the mark comes a little before the end
    if WAYS[way]:
        prompt = lab.cell(1).locator(".jp-InputPrompt")
        lab.until(lambda: "*" not in prompt.inner_text())  # the page has all that the cell has said
    kept = f"{name}.history.best_epoch == {name}._train.kept"
    told = f"({name}.history.stopped, {kept}, {name}._worker.is_running)"
    return (*lab.value(told), lab.output(1) if WAYS[way] else "")
