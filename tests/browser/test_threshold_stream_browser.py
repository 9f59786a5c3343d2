"""The threshold panel in a real JupyterLab while scores keep coming, from a cell that runs."""

import pytest

CELL = """
import numpy as np
import vaenb

rng = np.random.default_rng(0)
scores = rng.exponential(size={n})
panel = vaenb.ThresholdPanel(scores, values=np.cumsum(rng.normal(size={n})), calibration=(0, {n} // 2),
                             window_size=8, points_per_day=48, merge_gap=0)
rule = vaenb.DSPOT(rate=0.005, depth=200).fit(scores[: {n} // 2])
panel
"""
FEED = """
import time
for step in range({steps}):
    new = rng.exponential(size=40) + step / 20
    panel.append(new, values=rng.normal(size=40), thresholds=rule.update(new))
    time.sleep(0.02)
"""


def shown_end(lab):
    """How far to the right the line of the scores reaches, as a share of the figure's width."""
    return lab.page.evaluate(
        """() => {
            const figure = document.querySelector('.jp-OutputArea .vaenb-over-time');
            const box = figure.querySelector('.plotarea_background').getBoundingClientRect();
            const ends = [...figure.querySelectorAll('path.line')].map(
                line => line.getBoundingClientRect()).filter(each => each.width > 0);
            return (Math.max(...ends.map(each => each.right)) - box.left) / box.width;
        }"""
    )


def test_it_grows_while_a_cell_runs_and_the_line_stays(lab):
    lab.notebook(CELL.format(n=2_000), FEED.format(steps=60))
    lab.until(lambda: lab.value("panel.axis.timeline.n_cells") == 4_400)
    lab.do("panel.threshold = 3.25; panel.merge_gap = 5")
    lab.run(1)
    lab.until(lambda: lab.value("panel.axis.timeline.n_cells") == 6_800)
    assert lab.value("(panel.threshold, panel.merge_gap)") == (3.25, 5)
    lab.until(lambda: shown_end(lab) == pytest.approx(1.0, abs=0.02))
    lab.settle()
    assert lab.value("len(panel.axis.view)") == 6_800
    tile = lab.panel().locator(".vaenb-tile", has_text="events").first.locator("b")
    lab.until(lambda: tile.inner_text().replace(",", "") == str(int(lab.value("panel.metrics['alarms']"))))
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.picture(lab.panel(), f"threshold-stream-{theme}")


def test_a_hundred_thousand_points_can_still_be_zoomed_while_more_come(lab):
    lab.notebook(CELL.format(n=100_000), FEED.format(steps=20))
    lab.until(lambda: lab.value("panel.axis.timeline.n_cells") == 100_800)
    lab.run(1, wait=False)
    lab.panel().get_by_title("Zoom in").first.click()
    lab.until(lambda: lab.value("panel.axis.timeline.n_cells") == 101_600)
    assert lab.value("len(panel.axis.view)") < 51_000
    assert lab.value("panel._error.value") == ""
