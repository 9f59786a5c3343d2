"""Draw the README's pictures anew: the report of the demo, and a study at its fifth step.

    python tests/browser/readme_pictures.py

They land in `.github/`. Look at them, and at what the README says beside them.
"""

import tempfile
from pathlib import Path

from conftest import CHROMIUM, FLAGS
from lab_page import Lab
from lab_server import LabServer
from playwright.sync_api import sync_playwright
from test_study_browser import QUIET, open_step, run_everything

from vaenb.cli import main

PICTURES = Path(__file__).parents[2] / ".github"
STUDY = """
import vaenb
study = vaenb.Study(vaenb.load_dataset("nyc_taxi"))
study
"""


def draw_report(browser, folder):
    """The section of a report that holds the series and its scores."""
    main(["demo", "--out", str(folder / "found")])
    page = browser.new_page(viewport={"width": 1100, "height": 900}, device_scale_factor=1.5)
    page.goto((folder / "found" / "report.html").as_uri())
    page.locator("#series").screenshot(path=PICTURES / "report.png")
    page.close()


def draw_study(browser, folder):
    """All six steps taken, at the fifth."""
    server = LabServer(folder / "lab")
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    lab = Lab(server, context, PICTURES)
    try:
        lab.width(1280, 1700)
        lab.notebook(STUDY)
        run_everything(lab)
        open_step(lab, 5)
        lab.page.wait_for_function(QUIET)
        lab.picture(lab.panel(), "study")
    finally:
        lab.end()
        server.end()


def draw():
    """Both."""
    with tempfile.TemporaryDirectory() as place, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        draw_report(browser, Path(place))
        draw_study(browser, Path(place))
        browser.close()


if __name__ == "__main__":
    draw()
