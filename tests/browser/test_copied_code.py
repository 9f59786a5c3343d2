"""The copied code, run in a fresh kernel below the line that loads the evidence, gives the same state."""

import pytest

EVIDENCE = """
from make_evidence import make_decode, make_evidence
import vaenb
evidence = make_evidence("nyc_taxi", n_sample=200, n_epochs=6)
decode = make_decode(evidence)
"""
PANELS = {
    "threshold": (
        "panel = vaenb.ThresholdPanel(evidence)",
        "panel.threshold = 2.5; panel.merge_gap, panel.min_length = 24, 2",
        "(threshold, events.start.tolist(), events.stop.tolist())",
        "(panel.threshold, panel.events.start.tolist(), panel.events.stop.tolist())",
    ),
    "latent": (
        "panel = vaenb.LatentPanel(evidence, decode=decode)",
        """panel.plane, panel.color_by, panel.picked, panel.mode = (1, 2), 'time', 17, 'Walk'
panel.selected, panel.walk_at = [1, 5, 6], (0.12345, -0.25)""",
        "(panel.plane, panel.color_by, panel.picked, panel.mode, panel.selected.tolist(), panel.walk_at)",
        None,
    ),
    "judge": (
        "panel = vaenb.JudgePanel(evidence, verdicts=None)",
        "panel.set_events(threshold=2.0); panel.current = 2",
        "(panel.current, panel.events.start.tolist(), panel.events.stop.tolist())",
        None,
    ),
    "training": (
        "panel = vaenb.TrainingPanel.of(evidence)",
        "panel.show_epoch(2)",
        "(panel.view.epoch, panel.view.channel, panel.history.best_epoch)",
        None,
    ),
    "fleet": (
        """import pathlib, tempfile
from make_fleet import make_fleet
panel = vaenb.FleetPanel(out=make_fleet(pathlib.Path(tempfile.mkdtemp()))[1])""",
        "panel.sort('series'); panel.filter('1')",
        "(panel.table.order, panel.table.sorted_by, panel.table.descending)",
        None,
    ),
}


@pytest.mark.parametrize("name", PANELS)
def test_the_copied_code_gives_the_same_state_in_a_fresh_kernel(lab, name):
    make, use, state, before = PANELS[name]
    lab.notebook(f"{EVIDENCE}\n{make}\npanel")
    panel = lab.panel()
    panel.get_by_role("button", name="Copy as code").click()
    code = panel.locator(".vaenb-code textarea")
    lab.until(code.input_value)
    lab.do(use)
    lab.until(lambda: code.input_value() == lab.value("panel.code()"))  # the box follows the panel
    copied, said = code.input_value(), lab.value(before or state)
    lab.restart()
    lab.do(f"{EVIDENCE}\n{copied}")
    assert lab.value(state) == said
