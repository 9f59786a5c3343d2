"""The fleet panel in a real JupyterLab: thousands of rows, a run that is stopped, and a study opened."""

import re
import statistics
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "panels"))

from make_fleet import make_fleet

N = 5_000
OPENED = "import vaenb\npanel = vaenb.FleetPanel(out={out!r})\npanel"
RUN = """
import vaenb
brief = {{"epochs": 60, "steps_per_epoch": 20, "window_size": 16, "latent_dim": 2, "hidden": (16,)}}
panel = vaenb.FleetPanel({source!r}, out={out!r}, settings=brief)
panel
"""
ROWS = ".vaenb-fleet-space > .vaenb-fleet-row"
# Scrolls from top to bottom, a step a frame; how long frames take, and how many rows the page holds.
SCROLL = """async () => {
    const body = document.querySelector('.vaenb-fleet-body');
    const frame = () => new Promise(drawn => requestAnimationFrame(drawn));
    const took = [], held = [];
    let before = await frame();
    for (let top = 0; top < body.scrollHeight - body.clientHeight; top += 400) {
        body.scrollTop = top;
        const now = await frame();
        took.push(now - before);
        held.push(body.querySelectorAll('.vaenb-fleet-row').length);
        before = now;
    }
    return { took, held };
}"""
# The rows in sight: their place from the top, what they say, and whether scores are drawn.
IN_SIGHT = """() => {
    const body = document.querySelector('.vaenb-fleet-body'), edges = body.getBoundingClientRect();
    const inside = row => {
        const place = row.getBoundingClientRect();
        return place.bottom > edges.top && place.top < edges.bottom;
    };
    return [...body.querySelectorAll('.vaenb-fleet-row')].filter(inside).map(row => ({
        place: Number(row.getAttribute('aria-rowindex')) - 2,
        name: row.firstChild.textContent,
        status: row.dataset.status,
        drawn: row.querySelector('.vaenb-fleet-line').getAttribute('d').length > 50,
        why: row.querySelector('.vaenb-fleet-why').textContent,
    })).sort((one, other) => one.place - other.place);
}"""


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The folder of a finished run over 5,000 series."""
    failed, waiting = range(0, N, 97), range(N - 50, N)
    return make_fleet(tmp_path_factory.mktemp("many"), N, files=False, failed=failed, waiting=waiting)[1]


def is_whole(rows):
    """Whether each row in sight says all that it has to say."""
    said = {"done": "drawn", "failed": "why", "waiting": "name"}
    return len(rows) >= 12 and all(row["status"] in said and row[said[row["status"]]] for row in rows)


def scroll_to(lab, share):
    lab.page.evaluate(
        """share => {
            const body = document.querySelector('.vaenb-fleet-body');
            body.scrollTop = share * (body.scrollHeight - body.clientHeight);
        }""",
        share,
    )


def names_in_sight(lab):
    return [row["name"] for row in lab.page.evaluate(IN_SIGHT)]


def test_five_thousand_rows_scroll_and_every_row_in_sight_is_filled(lab, many):
    lab.notebook(OPENED.format(out=str(many)))
    panel = lab.panel()
    grid = panel.get_by_role("grid")
    lab.until(lambda: is_whole(lab.page.evaluate(IN_SIGHT)))
    assert grid.get_attribute("aria-rowcount") == str(N + 1)
    seen = lab.page.evaluate(SCROLL)
    took = sorted(seen["took"])
    slowest = ", ".join(f"{each:.0f}" for each in took[-5:])
    print(
        f"{len(took)} frames of 13 new rows: median {statistics.median(took):.1f} ms, "
        f"95 % within {took[int(0.95 * len(took))]:.1f} ms, slowest {slowest} ms"
    )
    assert max(seen["held"]) < 60
    order = lab.value("panel.table.order")
    for step in range(26):
        scroll_to(lab, step / 25)
        lab.until(lambda: is_whole(lab.page.evaluate(IN_SIGHT)))
        rows = lab.page.evaluate(IN_SIGHT)
        assert [row["name"] for row in rows] == order[rows[0]["place"] : rows[-1]["place"] + 1]
        assert lab.page.locator(ROWS).count() < 60
    assert rows[-1]["place"] == N - 1


def test_pictures_light_and_dark(lab, many):
    lab.notebook(OPENED.format(out=str(many)))
    panel = lab.panel()
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.until(lambda: is_whole(lab.page.evaluate(IN_SIGHT)))
        lab.picture(panel, f"fleet-{theme}")
    panel.get_by_role("button", name="Status").click()
    lab.until(lambda: lab.page.evaluate(IN_SIGHT)[0]["status"] == "failed")
    lab.picture(panel, "fleet-failed-dark")
    lab.width(700)
    lab.picture(panel, "fleet-narrow-dark")


def test_sort_filter_and_keys(lab, many):
    lab.notebook(OPENED.format(out=str(many)))
    panel = lab.panel()
    lab.until(lambda: is_whole(lab.page.evaluate(IN_SIGHT)))
    panel.get_by_role("button", name="Series").click()
    lab.until(lambda: names_in_sight(lab)[:3] == ["pump-0", "pump-1", "pump-2"])
    head = panel.get_by_role("columnheader", name="Series")
    assert head.get_attribute("aria-sort") == "ascending"
    panel.get_by_role("button", name="Series").click()
    lab.until(lambda: names_in_sight(lab)[0] == f"pump-{N - 1}")
    panel.get_by_placeholder("Part of a name").fill("PUMP-49")
    lab.until(lambda: names_in_sight(lab)[0] == "pump-4999")
    grid = panel.get_by_role("grid")
    lab.until(lambda: grid.get_attribute("aria-rowcount") == "112")  # 49, 490 to 499 and 4900 to 4999
    grid.focus()
    active = panel.locator(".vaenb-is-active")
    for key, expected in [
        ("ArrowDown", "pump-4998"),
        ("PageDown", "pump-4986"),
        ("PageUp", "pump-4998"),
        ("End", "pump-49"),
        ("ArrowUp", "pump-490"),
        ("Home", "pump-4999"),
    ]:
        grid.press(key)
        lab.until(lambda name=expected: active.locator("[role=gridcell]").first.inner_text() == name)
        assert grid.get_attribute("aria-activedescendant") == active.get_attribute("id")
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == 1  # the keys were not JupyterLab's
    panel.get_by_placeholder("Part of a name").fill("nothing like it")
    panel.get_by_text("No series has “nothing like it” in its name.").wait_for()


def test_a_run_lives_is_stopped_goes_on_and_opens_its_worst_series(lab, tmp_path):
    source, out = make_fleet(tmp_path, 25, failed=(), waiting=range(25))[0], tmp_path / "found"
    lab.notebook(RUN.format(source=str(source), out=str(out)))
    panel = lab.panel()
    panel.get_by_text("0 of 25 series.").wait_for()
    panel.get_by_role("button", name="Start").click()
    panel.get_by_text(re.compile(r"^\d+ of 25 series\. .*left\.")).wait_for()
    lab.until(lambda: sum(row["drawn"] for row in lab.page.evaluate(IN_SIGHT)) >= 2)
    panel.get_by_role("button", name="Stop").click()
    panel.get_by_text(re.compile(r"^\d+ of 25 series\. Stopped; what is done is kept\.")).wait_for()
    stopped = lab.value("panel.table.count('done')")
    assert 0 < stopped < 25
    assert lab.value("panel._runner.worker.is_running") is False
    panel.get_by_role("button", name="Go on").click()
    lab.until(lambda: lab.value("panel.table.count('done')") > stopped)
    lab.interrupt()
    panel.get_by_text(re.compile(r"^\d+ of 25 series\. Interrupted")).wait_for()
    lab.run(0)  # again: the new panel goes on where the old one was
    panel = lab.panel()
    lab.do("panel.wait()")
    panel.get_by_text("25 of 25 series.").wait_for()
    lab.command("vaenb:show-panel")
    side = lab.page.locator(".vaenb-anomalies")
    worst = lab.value("panel.table.order[0]")
    panel.get_by_role("grid").focus()
    panel.get_by_role("grid").press("Home")
    panel.get_by_role("grid").press("Enter")
    panel.get_by_text(f"Opening {worst}").wait_for()
    panel.get_by_role("button", name="Close study").wait_for()
    assert lab.value("panel.opened.name") == worst
    assert lab.value("panel.opened.threshold == panel.table[panel.table.order[0]]['threshold']")
    lab.until(lambda: worst in side.inner_text())
    lab.picture(None, "fleet-study-light")
    panel.get_by_role("button", name="Close study").click()
    lab.until(lambda: worst not in side.inner_text())
    assert lab.value("panel.opened is None")


def test_a_page_that_is_loaded_again_is_alive_and_without_a_kernel_the_still_is_seen(lab, tmp_path):
    out = make_fleet(tmp_path, 60)[1]
    lab.notebook(OPENED.format(out=str(out)))
    lab.until(lambda: is_whole(lab.page.evaluate(IN_SIGHT)))
    lab.do("panel.sort('series', descending=True); panel.open_study('pump-3')")
    lab.until(lambda: names_in_sight(lab)[0] == "pump-59")
    lab.until(lambda: lab.value("panel.opened is not None"))
    lab.do("panel.catch_up()")
    html = "jupyterapp.shell.currentWidget.content.widgets[0].model.outputs.get(1)?.data['text/plain']"
    lab.until(lambda: "Open: pump-3" in (lab.page.evaluate(html) or ""))
    lab.save()
    lab.reload()
    panel = lab.panel()
    lab.until(lambda: names_in_sight(lab)[:2] == ["pump-59", "pump-58"])
    panel.get_by_text("'pump-3' failed: The column 'value' holds one value only.").wait_for()
    assert panel.locator(".vaenb-fleet-row[aria-selected=true]").count() == 0  # it is further down
    panel.get_by_role("button", name="Points").click()
    lab.until(lambda: lab.value("panel.table.sorted_by") == "n_points")
    panel.get_by_role("button", name="Close study").click()
    lab.until(lambda: lab.value("panel.opened is None"))
    lab.save()
    lab.server.end_kernels()
    lab.allowed.append("model not found|widget model|could not be found")  # JupyterLab says it in the console
    lab.open(kernel=False)
    still = lab.page.locator("img[class~=vaenb-still]")
    still.wait_for()
    assert re.match(
        r"Fleet\. 59 series of 60 done, 1 failed\. On top: .* Open: pump-3", still.get_attribute("alt")
    )
    lab.until(lambda: (still.bounding_box() or {"height": 0})["height"] > 300)
    assert still.evaluate("image => image.complete && image.naturalWidth > 0")
    lab.picture(still, "fleet-still")
