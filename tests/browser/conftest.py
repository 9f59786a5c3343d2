"""The browser tests: a real Chromium, and one real JupyterLab for all of them.

A test asks for the fixture `lab`::

    CELL = '''
    from make_evidence import make_evidence
    from vaenb.panels.threshold import ThresholdPanel
    panel = ThresholdPanel(make_evidence())
    panel
    '''

    def test_the_slider_moves_the_line(lab):
        lab.notebook(CELL)                       # writes x.ipynb, opens it, runs all cells to their end
        panel = lab.panel()                      # Playwright's locator of the first panel, once it stands
        panel.get_by_title("Zoom in").click()
        lab.until(lambda: lab.value("panel.view.threshold") > 3)   # asks the kernel; waits, never sleeps
        lab.do("panel.threshold = 5")            # lines in the kernel, outside every cell
        lab.run(0)                               # runs the first cell again
        lab.theme("dark"); lab.width(800)
        lab.picture(panel, "threshold-dark-800") # a PNG in $VAENB_PICTURES (or a temporary folder)

More: `lab.write(*cells)`, `lab.open(name)`, `lab.reload()`, `lab.save()`, `lab.cell(0)`, `lab.output(0)`,
`lab.interrupt()` (the kernel's ■), `lab.restart()`, `lab.command("docmanager:save")`, `lab.page`.
`tests/panels/make_evidence.py` can be imported in the kernel. Each test begins with the light theme,
1280 pixels and no kernel, and fails at its end where the page wrote an error into its console; add a
regular expression to `lab.allowed` for one that you expect.
Without Chromium the tests are skipped and say what to install; under ``CI=true`` they fail.
"""

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]


def pytest_collection_modifyitems(items):
    """Everything in this folder carries the mark `browser` and runs last.

    Last, since Playwright keeps an event loop running in the main thread, where no other can run then.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: here in item.path.parents)


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, one for all tests."""
    missing = None if CHROMIUM else "no Chromium: apt-get install chromium"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing = "no Playwright: pip install playwright"
    if missing and os.environ.get("CI"):
        pytest.fail(f"under CI the browser tests must run; {missing}")
    if missing:
        pytest.skip(missing)
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def lab_server(browser, tmp_path_factory):
    """One JupyterLab for all tests."""
    from lab_server import LabServer

    server = LabServer(tmp_path_factory.mktemp("lab"))
    yield server
    server.end()


@pytest.fixture(scope="session")
def lab_context(browser):
    """One cache for all pages: JupyterLab's own scripts are fetched once."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    yield context
    context.close()


@pytest.fixture
def lab(lab_server, lab_context, tmp_path_factory):
    """A page with JupyterLab, and a kernel once a notebook is open. See the top of this file."""
    from lab_page import Lab, pictures_folder

    lab_server.forget_settings()
    opened = Lab(lab_server, lab_context, pictures_folder(tmp_path_factory.getbasetemp() / "pictures"))
    yield opened
    complaints = opened.complaints
    opened.end()
    assert not complaints, "the page wrote errors into its console"
