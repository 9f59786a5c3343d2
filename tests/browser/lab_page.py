"""A notebook in a JupyterLab in a browser, as a test drives it."""

import ast
import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from jupyter_client import BlockingKernelClient
from jupyter_core.utils import ensure_event_loop
from lab_server import KERNEL

PATIENCE = 60.0  # seconds: a loaded machine of two cores still makes it
HARMLESS = [
    # What JupyterLab itself says on a good day.
    r"Failed to load resource.*(40[0-9]|ERR_ABORTED)",
    r"^WebSocket connection to .*(closed|failed)",
]


class Lab:
    """Drives one page. `page` is Playwright's; everything waits for what it asks, nothing sleeps."""

    def __init__(self, server, context, pictures):
        self.server, self.context, self.pictures = server, context, Path(pictures)
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.allowed, self.said = list(HARMLESS), []
        self.page.on("pageerror", lambda error: self.said.append(f"pageerror: {error}"))
        self.page.on("console", self._on_console)
        self._client, self._thread = None, ThreadPoolExecutor(1)
        self.name = "x.ipynb"
        self.width(1280)

    def _on_console(self, message):
        if message.type == "error":
            self.said.append(message.text)

    # ------------------------------------------------------------------ notebooks

    def write(self, *cells, name="x.ipynb", trusted=True):
        """Write a notebook of code cells into the server's folder."""
        self.name = name
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        book.metadata["kernelspec"] = {"name": KERNEL, "display_name": "vaenb test", "language": "python"}
        nbformat.write(book, self.server.folder / name)

    def open(self, name=None, *, kernel=True):
        """Open a notebook that lies in the server's folder, and wait until its kernel is ready."""
        self.name = name or self.name
        self.page.goto(f"{self.server.url}/lab/tree/{self.name}?reset&token={self.server.token}")
        self._settle(kernel)

    def reload(self, *, kernel=True):
        """Load the page again, as a person does with F5."""
        self.page.reload()
        self._settle(kernel)

    def _settle(self, kernel):
        self.page.wait_for_function(
            "name => window.jupyterapp?.shell.currentWidget?.context?.path === name"
            " && jupyterapp.shell.currentWidget.context.isReady",
            arg=self.name,
        )
        self.page.evaluate(
            """async () => {
                await jupyterapp.restored; await jupyterapp.shell.currentWidget.revealed;
                if (!jupyterapp.shell.leftCollapsed) jupyterapp.shell.collapseLeft();
            }"""
        )
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        if kernel:
            self.wait_idle()

    def notebook(self, *cells, name="x.ipynb"):
        """Write a notebook of code cells, open it and run it to its end."""
        self.write(*cells, name=name)
        self.open()
        self.run()

    def wait_idle(self):
        """Wait until the kernel has answered everything."""
        self.page.wait_for_function(
            "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )

    def run(self, cell=None, *, wait=True):
        """Run all cells, or the one at a place (0, 1, ...), and wait until they are done."""
        self.page.evaluate(
            """async ([cell, wait]) => {
                const notebook = jupyterapp.shell.currentWidget.content;
                if (cell !== null) { notebook.deselectAll(); notebook.activeCellIndex = cell; }
                const command = cell === null ? 'notebook:run-all-cells' : 'notebook:run-cell';
                const done = jupyterapp.commands.execute(command);
                if (wait) await done;
            }""",
            [cell, wait],
        )

    def command(self, name, **arguments):
        """Execute a command of JupyterLab, e.g. `docmanager:save`."""
        self.page.evaluate("([name, it]) => jupyterapp.commands.execute(name, it)", [name, arguments])

    def save(self):
        """Save the notebook, widget state and all, and return it as nbformat reads it."""
        self.command("docmanager:save")
        self.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
        return nbformat.read(self.server.folder / self.name, as_version=4)

    # ------------------------------------------------------------------ what is on the page

    def cell(self, place):
        """The cell at a place (0, 1, ...)."""
        return self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{place}']")

    def panel(self, nth=0):
        """The panel number `nth` on the page, once it stands."""
        found = self.page.locator(".jp-OutputArea .vaenb-panel").nth(nth)
        found.wait_for()
        return found

    def output(self, place):
        """The text that stands under a cell."""
        return "\n".join(self.cell(place).locator(".jp-OutputArea-output").all_inner_texts())

    def until(self, true, *, seconds=PATIENCE):
        """Wait until `true()` gives something true, and return that; the page lives on meanwhile."""
        end = time.monotonic() + seconds
        while not (found := true()):
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds:g} s: {true()!r}")
            self.page.wait_for_timeout(30)
        return found

    # ------------------------------------------------------------------ the kernel behind it

    def do(self, code):
        """Run lines in the notebook's kernel, outside every cell."""
        self._ask(code, "None")

    def value(self, expression):
        """What an expression is in the notebook's kernel: numbers, strings, lists, dicts, tuples."""
        return ast.literal_eval(self._ask("", expression))

    def _ask(self, code, expression):
        plain = f"(lambda v: repr(v.tolist() if hasattr(v, 'tolist') else v))({expression})"
        return self._thread.submit(self._execute, code, plain).result(PATIENCE + 30)

    def _execute(self, code, expression):
        client = self._connect()
        while client.iopub_channel.msg_ready():  # a full queue would lose what is waited for
            client.get_iopub_msg(timeout=0)
        # Interactive: it waits for idle too. The answer comes before the kernel's handler of interrupts is
        # back in its place, and an interrupt between the two would be lost.
        answer = client.execute_interactive(
            code,
            store_history=False,
            user_expressions={"it": expression},
            timeout=PATIENCE,
            allow_stdin=False,
            output_hook=lambda _: None,
        )["content"]
        found = answer["user_expressions"]["it"] if answer["status"] == "ok" else answer
        if found["status"] != "ok":
            raise AssertionError(f"{found['ename']}: {found['evalue']} in {code or expression!r}")
        return ast.literal_eval(found["data"]["text/plain"])

    def _connect(self):
        session = next(s for s in self.server.api("sessions") if s["path"] == self.name)
        kernel = session["kernel"]["id"]
        if self._client is None or self._client[0] != kernel:
            self._disconnect()
            client = BlockingKernelClient()
            client.load_connection_file(str(self.server.place / "runtime" / f"kernel-{kernel}.json"))
            client.start_channels(hb=False, stdin=False)
            # Not wait_for_ready: that waits for silence, and a training panel is never silent.
            client.kernel_info(reply=True, timeout=PATIENCE)
            while not client.iopub_channel.msg_ready():  # until it hears the kernel
                client.kernel_info(reply=True, timeout=PATIENCE)
            self._client = kernel, client
        return self._client[1]

    def _disconnect(self):
        if self._client:
            self._client[1].stop_channels()
            self._client = None

    def _leave(self):
        self._disconnect()
        ensure_event_loop().close()  # jupyter_client opened one for this thread

    def interrupt(self):
        """What the button ■ does."""
        self.command("notebook:interrupt-kernel")

    def restart(self):
        """A fresh kernel, without asking."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        self.wait_idle()

    # ------------------------------------------------------------------ how it looks

    def theme(self, name):
        """`light` or `dark`."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name.title()}")
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg=json.dumps(name == "light")
        )

    def width(self, pixels, height=1000):
        """So wide is the browser's window; `settle` waits until the figures have followed."""
        self.page.set_viewport_size({"width": pixels, "height": height})

    def settle(self):
        """Wait until nothing on the page has moved for half a second: figures follow a new width late."""
        self.page.wait_for_function(
            """() => {
                const places = [...document.querySelectorAll('.vaenb-panel, .bqplot svg, .bqplot .axis')];
                const seen = JSON.stringify(places.map(place => place.getBoundingClientRect()));
                const now = performance.now();
                if (seen !== window.vaenbSeen) [window.vaenbSeen, window.vaenbSince] = [seen, now];
                return now - window.vaenbSince > 500;
            }"""
        )

    def settle_frame(self):
        """Wait until the page has drawn what it knows."""
        self.page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)))")

    def picture(self, where, name):
        """A PNG of a locator (or of the whole page: None) in the folder of pictures; gives its path."""
        self.settle()
        self.pictures.mkdir(parents=True, exist_ok=True)
        path = self.pictures / f"{name}.png"
        (where or self.page).screenshot(path=path, animations="disabled")
        return path

    # ------------------------------------------------------------------ the end

    @property
    def complaints(self):
        """What the page complained about and should not have."""
        return [said for said in self.said if not any(re.search(each, said) for each in self.allowed)]

    def end(self):
        """Close the page, and shut its kernels down."""
        self._thread.submit(self._leave).result()
        self._thread.shutdown()
        self.page.close(run_before_unload=False)
        self.server.end_kernels()


def pictures_folder(fallback):
    """Where pictures go: the environment variable VAENB_PICTURES, or `fallback`."""
    return Path(os.environ.get("VAENB_PICTURES") or fallback)
