"""A page that is loaded again: every panel stands as it was left, and lives. (Training, judge: in theirs.)"""

import pytest

EVIDENCE = "from make_evidence import make_evidence\nevidence = make_evidence('nyc_taxi', n_sample=200)"
PANELS = {
    "data": ("panel = vaenb.DataPanel(vaenb.load_dataset('nyc_taxi'), calibration=0.275)", "panel.settings"),
    "model": ("panel = vaenb.ModelPanel(48, kl_weight=0.33)", "panel.settings"),
    "latent": (
        f"{EVIDENCE}\npanel = vaenb.LatentPanel(evidence)\npanel.plane, panel.selected = 'pca', [3, 9]",
        "(panel.plane, panel.selected.tolist(), panel.walk_at)",
    ),
    "threshold": (
        f"{EVIDENCE}\npanel = vaenb.ThresholdPanel(evidence)\npanel.threshold = 1.23456",
        "(panel.threshold, len(panel.events))",
    ),
}


@pytest.mark.parametrize("name", PANELS)
def test_it_stands_as_it_was_left_and_is_alive(lab, name):
    make, state = PANELS[name]
    lab.notebook(f"import vaenb\n{make}\npanel")
    lab.panel().locator("svg").first.wait_for()
    lab.settle()
    left = lab.value(state)
    lab.save()
    lab.reload()
    panel = lab.panel()
    panel.locator("svg").first.wait_for()
    lab.settle()
    assert lab.value(state) == left  # nothing that the page says back has changed it
    panel.get_by_role("button", name="Copy as code").click()
    lab.until(lambda: panel.locator(".vaenb-code textarea").input_value() == lab.value("panel.code()"))
