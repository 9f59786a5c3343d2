"""JupyterLab as a person finds it, without a notebook: file browser, launcher, menus."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def files(lab):
    """JupyterLab without a notebook, on an empty folder."""
    for path in lab.server.folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return Files(lab)


class Files:
    """What there is beside notebooks. `lab` drives the notebooks themselves."""

    def __init__(self, lab):
        self.lab, self.page, self.folder = lab, lab.page, lab.server.folder

    def open(self, folder=""):
        """Load JupyterLab with the file browser on a folder, and the launcher in front."""
        where = f"/tree/{folder}" if folder else ""
        self.page.goto(f"{self.lab.server.url}/lab{where}?reset&token={self.lab.server.token}")
        self.page.wait_for_function("() => window.jupyterapp?.commands.hasCommand('filebrowser:activate')")
        self.page.evaluate("() => jupyterapp.restored")
        self.lab.command("filebrowser:activate")
        self.page.locator(".jp-LauncherCard").first.wait_for()  # when it comes, it takes the focus

    def item(self, name):
        """A file in the file browser."""
        return self.page.locator(".jp-DirListing-item").filter(has=self.page.get_by_text(name, exact=True))

    def menu(self, name):
        """The context menu of a file."""
        self.item(name).click(button="right")
        return self.page.locator(".lm-Menu")

    def find_anomalies(self, name):
        """The click itself."""
        self.menu(name).locator(".lm-Menu-itemLabel", has_text=re.compile("^Find anomalies$")).click()

    def wait_for(self, path):
        """Wait until a notebook is in front, with its cells."""
        self.page.wait_for_function(
            """path => {
                const widget = window.jupyterapp.shell.currentWidget;
                return widget?.context?.path === path && widget.context.isReady
                    && widget.content.widgets.length > 1;
            }""",
            arg=path,
        )
        self.lab.name = path

    def sources(self):
        """The cells of the notebook in front."""
        return self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.widgets.map(w => w.model.sharedModel.getSource())"
        )

    def card(self, label):
        """An entry of the launcher."""
        return self.page.locator(".jp-LauncherCard", has=self.page.get_by_text(label, exact=True))

    def dialog(self):
        """The dialog on screen."""
        found = self.page.locator(".jp-Dialog-content")
        found.wait_for()
        return found


def wave(n=400):
    """A made-up series with a clock."""
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(n) / 8) + 0.1 * rng.normal(size=n)
    return pd.DataFrame({"when": pd.date_range("2024-01-01", periods=n, freq="h"), "load": values})


def write_series(path, n=400):
    """The same as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = wave(n)
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path
