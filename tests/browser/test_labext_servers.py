"""The extension on servers of other kinds: behind a base URL, as JupyterHub's, and switched off."""

from contextlib import contextmanager

import pytest
from lab_page import Lab
from lab_server import LabServer
from labext_pages import Files, write_series

PANEL = """
from make_evidence import make_evidence
import vaenb
judge = vaenb.JudgePanel(make_evidence(n_points=3_000), verdicts=None)
judge
"""


@contextmanager
def served(place, context, **options):
    """JupyterLab of its own, with a page."""
    server = LabServer(place, **options)
    lab = Lab(server, context, place)
    try:
        yield Files(lab)
        assert not lab.complaints, "the page wrote errors into its console"
    finally:
        lab.end()
        server.end()


@pytest.fixture
def context(lab_context):
    return lab_context


def test_everything_works_below_a_base_url(context, tmp_path):
    with served(tmp_path, context, base_url="/user/ana%20maria/") as files:
        write_series(files.folder / "pump.csv")
        files.open()
        files.find_anomalies("pump.csv")
        files.wait_for("pump_anomalies.ipynb")
        files.lab.panel()
        files.lab.command("vaenb:documentation")
        files.page.locator(".vaenb-docs h1").first.wait_for()
        files.lab.command("vaenb:tour")
        files.wait_for("00_tour.ipynb")


def test_switched_off_it_is_gone_and_the_panels_work(context, tmp_path):
    with served(tmp_path, context, page_config={"disabledExtensions": {"vaenb": True}}) as files:
        lab = files.lab
        lab.notebook(PANEL)
        assert not lab.page.evaluate(
            "() => jupyterapp.commands.listCommands().some(name => name.startsWith('vaenb:'))"
        )
        lab.panel().get_by_role("button", name="normal").first.click()
        lab.until(lambda: lab.value("judge.verdicts.verdict.tolist()") == ["normal"])
