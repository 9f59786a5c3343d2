"""Execute a notebook as a reader would: every cell, in order, in a fresh kernel in its own folder."""

import hashlib
import os
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from course_clock import Clock
from nbclient import NotebookClient
from nbclient.client import CellExecutionComplete
from nbclient.exceptions import CellExecutionError

LONGEST_CELL = 60.0  # seconds
VIEW = "application/vnd.jupyter.widget-view+json"
STILL = re.compile(r"vaenb-still-[0-9a-f]{12}")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# Run after the last cell, unseen: the panels draw the pictures that stay in the notebook.
SETTLE = """
def _settle():
    import sys
    if "vaenb.panels.base" in sys.modules:
        from ipywidgets.widgets.widget import _instances
        from vaenb.panels.base import Panel
        for panel in [each for each in _instances.values() if isinstance(each, Panel)]:
            panel.catch_up()
_settle()
del _settle
"""


@dataclass
class Outcome:
    """A notebook after its run, and how it went."""

    book: nbformat.NotebookNode
    seconds: float
    cells: list[float]  # seconds of each code cell
    problems: list[str] = field(default_factory=list)


class Reader(NotebookClient):
    """Runs the cells, measures them, and hears what comes between them.

    nbclient drops what a kernel sends on behalf of another cell than the one that runs: there a panel's
    picture is brought up to date, and an error in a thread is told.
    """

    def __init__(self, book, **options):
        super().__init__(
            book,
            kernel_name="python3",
            timeout=None,
            store_widget_state=False,
            record_timing=False,
            coalesce_streams=True,
            **options,
        )
        self.seconds, self.strays = [], []

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        while True:
            message = await self.kc.iopub_channel.get_msg(timeout=None)
            try:
                if message["parent_header"].get("msg_id") == parent_msg_id:
                    self.process_message(message, cell, cell_index)
                else:
                    self._hear(message)
            except CellExecutionComplete:
                return

    def _hear(self, message):
        kind, content = message["msg_type"], message["content"]
        if kind == "update_display_data":
            self._update_display_id(content["transient"]["display_id"], message)
        elif kind == "stream" and content["name"] == "stderr":
            self.strays.append(content["text"])
        elif kind == "error":
            self.strays.append("\n".join(content["traceback"]))

    async def async_execute_cell(self, cell, cell_index, **options):
        clock = Clock(self.km.provisioner.pid)
        done = await super().async_execute_cell(cell, cell_index, **options)
        if cell.cell_type == "code":
            self.seconds.append(clock.seconds())
        if cell_index == len(self.nb.cells) - 1:
            await self._settle()
        return done

    async def _settle(self):
        asked = self.kc.execute(SETTLE, silent=True, store_history=False)
        while True:
            message = await self.kc.iopub_channel.get_msg(timeout=30)
            mine = message["parent_header"].get("msg_id") == asked
            if mine and message["content"].get("execution_state") == "idle":
                return
            self._hear(message)


def execute(path, *, watch=None):
    """Run a notebook; the file is left as it is.

    Parameters
    ----------
    path : Path
    watch : callable, optional
        Called with the kernel's process id once it runs.

    Returns
    -------
    Outcome
        With what a reader must not meet, a sentence each: an error, something on stderr, a slow cell.
    """
    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        reader = Reader(book, resources={"metadata": {"path": str(path.parent)}})
        if watch is not None:
            reader.on_notebook_start = lambda **_: watch(reader.km.provisioner.pid)
        problems = []
        try:
            reader.execute(env={**os.environ, "IPYTHONDIR": home})
        except CellExecutionError as error:
            problems.append(COLOURS.sub("", str(error)).strip())
    problems += [f"a thread says: {COLOURS.sub('', stray).strip()}" for stray in reader.strays]
    problems += _problems(book, reader.seconds)
    return Outcome(tidy(book), time.monotonic() - begin, reader.seconds, problems)


def _problems(book, seconds):
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                yield f"cell [{number}] says on stderr: {output.text.strip()}"
    for number, took in enumerate(seconds, start=1):
        if took > LONGEST_CELL:
            yield f"cell [{number}] took {took:.0f} s; {LONGEST_CELL:.0f} s is the most"


def tidy(book):
    """The same notebook without what differs from run to run, and with the hash of its sources.

    A panel leaves its still: the view of a widget whose state is not in the file would show nothing.
    """
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("collapsed", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_covered(output, cell.outputs)]
            for output in cell.outputs:
                html = output.get("data", {}).get("text/html")
                if html:
                    output.data["text/html"] = STILL.sub("vaenb-still-saved", html)
    book.metadata.kernelspec = dict(KERNELSPEC)
    book.metadata.language_info = {"name": "python"}
    book.metadata.pop("widgets", None)
    book.metadata.vaenb = {"sources": hash_of(book)}
    return book


def _is_covered(output, outputs):
    """Whether an output is a widget's view with a still below it."""
    place = outputs.index(output)
    below = outputs[place + 1] if place + 1 < len(outputs) else {}
    return VIEW in output.get("data", {}) and "vaenb-still" in below.get("data", {}).get("text/html", "")


def hash_of(book):
    """A sha256 over the sources of the code cells."""
    sources = [cell.source for cell in book.cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()


def write(book, path):
    """Write a notebook whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(nbformat.writes(book) + "\n", encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def in_order(folder):
    """The notebooks of the course that are executed: the tour and the tutorials, then the solutions."""
    return sorted(Path(folder).glob("*.ipynb")) + sorted(Path(folder).glob("exercises/solutions/*.ipynb"))
