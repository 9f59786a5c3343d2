"""The threshold panel in a real JupyterLab: dragged, typed, slid, stepped, zoomed; its pictures."""

import pytest

HEAD = """
from make_evidence import make_evidence
import vaenb
moves = []
"""
SHOW = """
panel.on_threshold(moves.append)
panel
"""
TAXI = f"{HEAD}panel = vaenb.ThresholdPanel(make_evidence()){SHOW}"
MILLION = f"{HEAD}panel = vaenb.ThresholdPanel(make_evidence(n_points=1_000_000)){SHOW}"
NO_LABELS = f"{HEAD}panel = vaenb.ThresholdPanel(make_evidence(labelled=False)){SHOW}"
ITSELF = f"{HEAD}panel = vaenb.ThresholdPanel(make_evidence().scores, rule='percentile:95'){SHOW}"

WATCH = """
() => {
    const panel = document.querySelector('.jp-OutputArea .vaenb-panel');
    const figure = panel.querySelector('.vaenb-over-time');
    const seen = window.seen = {moved: 0, waits: [], pictures: 0, layout: []};
    let waiting = null;
    window.addEventListener('mousemove', () => { seen.moved++; waiting ??= performance.now(); }, true);
    const painted = () => {
        if (waiting === null) return;
        const since = waiting; waiting = null; seen.pictures++;
        requestAnimationFrame(() => setTimeout(() => seen.waits.push(performance.now() - since)));
    };
    new MutationObserver(painted).observe(panel.querySelector('.vaenb-n'), {childList: true, subtree: true});
    new MutationObserver(painted).observe(figure, {attributes: true, subtree: true, attributeFilter: ['d']});
    new ResizeObserver(() => seen.layout.push(panel.getBoundingClientRect().height)).observe(panel);
}
"""


def grip(lab, css="vaenb-over-time"):
    """Where the line can be taken with the mouse, in pixels of the page."""
    found = lab.page.locator(f".{css}")
    found.locator(".object_grp").first.wait_for(state="attached")
    found.scroll_into_view_if_needed()
    lab.settle()
    return lab.page.evaluate(
        """css => {
            const dot = document.querySelector(`.${css} .object_grp`);
            const at = dot.getCTM(), svg = dot.ownerSVGElement.getBoundingClientRect();
            const grip = css === 'vaenb-upright' ? [0, 15] : [-18, 0];
            return [svg.left + at.e + grip[0], svg.top + at.f + grip[1]];
        }""",
        css,
    )


def drag(lab, by, *, steps=60, css="vaenb-over-time"):
    """Take the line and move it by so many pixels, no faster than the page draws; wait until all is heard."""
    figures = {"vaenb-over-time": "over_time", "vaenb-upright": "by_score"}[css]
    lab.do(f"let_go = []; panel.{figures}.handle.mark.on_drag_end(lambda *_: let_go.append(1))")
    x, y = grip(lab, css)
    mouse = lab.page.mouse
    mouse.move(x, y)
    mouse.down()
    for step in range(1, steps + 1):
        mouse.move(x + by[0] * step / steps, y + by[1] * step / steps)
        lab.settle_frame()
    mouse.up()
    lab.until(lambda: lab.value("len(let_go)"))


def tile(lab, name):
    """What a tile says."""
    return lab.panel().locator(".vaenb-tile", has_text=name).first.locator("b").inner_text()


def number_shown(lab):
    return float(lab.panel().get_by_label("Threshold").first.input_value())


def settled(lab):
    """Wait until kernel and page say the same."""

    def same():
        shown, counted = number_shown(lab), tile(lab, "events").replace(",", "")
        threshold, alarms = lab.value("(panel.threshold, panel.metrics['alarms'])")
        return abs(shown - threshold) < 1e-4 * abs(shown) and counted == str(int(alarms))

    lab.until(same)


def is_where_the_slider_is(lab, slider):
    """Whether the kernel has the line where the page's slider is, to a step."""
    return abs(float(slider.get_attribute("aria-valuetext")) - 1000 * lab.value("panel.view.place")) < 1


@pytest.mark.parametrize("cell", [TAXI, MILLION], ids=["taxi", "million"])
def test_dragging_is_followed_and_ends_on_the_right_value(lab, cell):
    lab.notebook(cell)
    grip(lab)
    lab.page.evaluate(WATCH)
    lab.do("moves.clear()")
    before = lab.value("panel.view.place")
    height = lab.value("230 - 8 - 26")
    drag(lab, (0, 60))
    assert not lab.value("panel.over_time.handle.is_held")
    assert lab.value("panel.view.place") == pytest.approx(before - 60 / height, abs=0.003)
    assert lab.value("len(moves)") >= 30
    settled(lab)
    seen = lab.page.evaluate("() => window.seen")
    assert seen["pictures"] >= 20
    assert len(set(seen["layout"])) <= 1
    assert lab.value("panel.rule is None and moves[-1] == panel.threshold")


def test_the_line_in_the_histogram_is_the_same_line(lab):
    lab.notebook(TAXI)
    before = lab.value("panel.view.place")
    drag(lab, (-40, 0), css="vaenb-upright", steps=20)
    lab.until(lambda: lab.value("panel.view.place") < before - 0.05)
    settled(lab)
    assert lab.value("float(panel.over_time.handle.mark.y[0]) == panel.view.place")


def test_typing(lab):
    lab.notebook(TAXI)
    box = lab.panel().get_by_label("Threshold").first
    box.fill("2.5")
    box.press("Enter")
    lab.until(lambda: lab.value("panel.threshold") == 2.5)
    settled(lab)


def test_sliding_and_the_arrow_keys(lab):
    lab.notebook(TAXI)
    slider = lab.panel().locator(".vaenb-line").get_by_role("slider")
    slider.focus()
    before = lab.value("panel.view.place")
    for key in ("ArrowLeft",) * 3:
        slider.press(key)
    lab.until(lambda: lab.value("panel.view.place") < before - 0.0015)
    lab.until(lambda: is_where_the_slider_is(lab, slider))  # the last key is heard
    assert lab.value("panel.view.place") > before - 0.01
    lab.settle()
    place = slider.bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    lab.page.mouse.move(x, y)
    lab.page.mouse.down()
    for step in range(1, 11):
        lab.page.mouse.move(x - 10 * step, y)
        lab.settle_frame()
    lab.page.mouse.up()
    lab.until(lambda: lab.value("panel.view.place") < before - 0.05)
    lab.until(lambda: is_where_the_slider_is(lab, slider))
    settled(lab)


def test_rules_are_buttons(lab):
    lab.notebook(TAXI)
    lab.panel().get_by_role("button", name="Percentile 95").click()
    lab.until(lambda: lab.value("panel.rule is panel.view.rules[0].rule"))
    settled(lab)
    button = lab.panel().get_by_role("button", name="Percentile 95")
    lab.until(lambda: "vaenb-on" in button.get_attribute("class"))


def test_a_threshold_that_is_set_as_the_panel_appears_stays(lab):
    lab.notebook(
        f"{HEAD}from IPython.display import display\n"
        "panel = vaenb.ThresholdPanel(make_evidence())\n"
        "display(panel)\n"
        "panel.threshold = wanted = 0.7 * panel.threshold"
    )
    slider = lab.panel().locator(".vaenb-line").get_by_role("slider")
    lab.until(lambda: is_where_the_slider_is(lab, slider))
    lab.page.wait_for_timeout(1000)  # in which the page would send back what it had before
    assert lab.value("panel.threshold == wanted")


def test_the_cost_slider_moves_the_line_to_the_cheapest(lab):
    lab.notebook(TAXI)
    slider = lab.panel().locator(".vaenb-costs").get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    lab.until(lambda: lab.value("panel.cost") == 20)
    settled(lab)
    lab.until(lambda: "Nothing is cheaper" in lab.panel().locator(".vaenb-cost").inner_text())
    lab.panel().get_by_role("button", name="MAD").click()
    lab.until(lambda: lab.value("panel.rule is not None"))
    lab.panel().get_by_role("button", name="Go to the cheapest").click()
    lab.until(lambda: lab.value("panel.rule is None"))


def test_merge_gap_minimum_length_and_the_judged_part(lab):
    lab.notebook(TAXI)
    gap = lab.panel().locator(".vaenb-events").get_by_role("slider").nth(0)
    gap.focus()
    gap.press("Home")
    lab.until(lambda: lab.value("panel.merge_gap") == 0)
    length = lab.panel().locator(".vaenb-events").get_by_role("slider").nth(1)
    length.focus()
    length.press("ArrowRight")
    lab.until(lambda: lab.value("panel.min_length") == 2)
    lab.panel().get_by_role("button", name="whole series").click()
    lab.until(lambda: lab.value("panel.view.part") == "all")
    settled(lab)


@pytest.mark.parametrize("cell", [TAXI, MILLION], ids=["taxi", "million"])
def test_zooming_keeps_all_above_the_line(lab, cell):
    lab.notebook(cell)
    for name in ("Zoom in", "Later", "Zoom in"):
        lab.panel().get_by_title(name).click()
    lab.until(lambda: lab.value("len(panel.axis.view)") < lab.value("len(panel.view.pieces)") // 3)
    drawn = lab.panel().locator(".vaenb-n")
    shown = lab.value("(panel.axis.view.first, panel.axis.view.stop)")
    lab.until(lambda: f"of {shown[1] - shown[0]:,} drawn" in drawn.inner_text())
    inside = f"panel.view.pieces.scores[{shown[0]}:{shown[1]}]"
    above = lab.value(f"int(({inside} > panel.threshold).sum())")
    told = "none above" if above == 0 else f"{above:,} above" if above > 1 else "the one above"
    lab.until(lambda: told in drawn.inner_text())


def test_without_labels_alarms_are_told(lab):
    lab.notebook(NO_LABELS)
    assert float(tile(lab, "alarms a day")) > 0
    assert not lab.panel().locator(".vaenb-costs").is_visible()
    before = lab.value("panel.view.place")
    drag(lab, (0, 40), steps=10)
    lab.until(lambda: lab.value("panel.view.place") < before - 0.05)
    settled(lab)


def test_a_rule_fitted_on_what_it_judges_is_warned_of(lab):
    lab.notebook(ITSELF)
    told = lab.panel().locator(".vaenb-itself").inner_text()
    assert "flagged by construction" in told
    assert lab.picture(lab.panel(), "threshold-itself").exists()


def test_the_code_is_shown(lab):
    lab.notebook(TAXI)
    lab.panel().get_by_role("button", name="Copy as code").click()
    code = lab.panel().locator(".vaenb-code textarea")
    lab.until(lambda: "vaenb.find_events(" in code.input_value())


@pytest.mark.parametrize("cell", [TAXI, MILLION, NO_LABELS], ids=["taxi", "million", "unlabelled"])
def test_it_can_be_pictured(lab, cell, request):
    lab.notebook(cell)
    panel = lab.panel()
    panel.locator("svg.svg-figure").nth(4).wait_for()
    for theme in ("light", "dark"):
        for width in (1280, 800):
            lab.theme(theme)
            lab.width(width, 1700)
            lab.settle_frame()
            name = f"threshold-{request.node.callspec.id}-{theme}-{width}"
            assert lab.picture(panel, name).stat().st_size > 10_000


def test_the_histogram_and_the_rules_share_their_axis(lab):
    lab.notebook(TAXI)
    lab.panel().locator(".vaenb-rule-rows .plotarea_background").wait_for(state="attached")
    grip(lab, "vaenb-upright")
    edges = lab.page.evaluate(
        """() => ['.vaenb-upright', '.vaenb-rule-rows'].map(css => {
            const box = document.querySelector(`${css} .plotarea_background`).getBoundingClientRect();
            return [box.left, box.right];
        })"""
    )
    assert edges[0] == pytest.approx(edges[1], abs=1.5)
