"""The latent panel as Python drives it: traits set from here, as a browser would set them."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import bqplot as bq
import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances
from make_evidence import make_decode, make_evidence

import vaenb
from vaenb.errors import InputError
from vaenb.panels.base import reachable
from vaenb.panels.latent_controls import key
from vaenb.view_models.timeline import View


@pytest.fixture(scope="module")
def taxi():
    return make_evidence("nyc_taxi")


@pytest.fixture(scope="module")
def servers():
    return make_evidence("server_metrics", n_sample=250)


@pytest.fixture
def panel(taxi):
    made = vaenb.LatentPanel(taxi, decode=make_decode(taxi))
    yield made
    made.close()


def lasso(panel, windows):
    """What the browser sends when a lasso is closed: places among the points."""
    panel._cloud.targets.selected = np.searchsorted(panel.view.shown, windows).astype(np.uint32)


def lit_points(panel):
    """The windows whose points are drawn in full colour; None where nothing is faded."""
    found = []
    for mark, batch in zip(panel._cloud.points, panel._cloud._batches, strict=False):
        if mark.selected is None:
            return None
        found += batch.windows[np.asarray(mark.selected, dtype=int)].tolist()
    return sorted(found)


def stripes(panel):
    """Where the series is lit, as cells."""
    edges = np.asarray(panel._series.stripes.x)[::2]
    cells = [panel.view.timeline.cell_of(moment) for moment in edges]
    return list(zip(cells[::2], cells[1::2], strict=True))


def no_error(panel):
    return panel._error.value == ""


# ---------------------------------------------------------------------- the cloud


def test_every_shown_window_is_a_point_at_its_place(panel):
    view = panel.view
    found = {}
    for mark, batch in zip(panel._cloud.points, panel._cloud._batches, strict=False):
        assert len(mark.x) <= 100
        for window, x, y, name in zip(batch.windows, mark.x, mark.y, mark.names, strict=True):
            found[int(window)] = (x, y)
            assert "score" in name
    assert sorted(found) == view.shown.tolist()
    assert np.array([found[i] for i in sorted(found)]) == pytest.approx(view.places[view.shown])
    assert panel._counts.value.startswith("400 windows shown")


def test_at_most_two_thousand_points_and_all_flagged_ones_among_them():
    evidence = make_evidence(n_points=60_000, n_sample=3_000)
    panel = vaenb.LatentPanel(evidence)
    drawn = np.concatenate([batch.windows for batch in panel._cloud._batches])
    assert len(drawn) == 2_000
    assert set(np.flatnonzero(panel.view.flagged)) <= set(drawn.tolist())
    assert panel._counts.value.startswith("2,000 of 3,000 windows shown")
    panel.close()


def test_axes_say_what_they_are(panel):
    across, up = panel._cloud.figure.axes
    assert across.label == panel.view.plane.names[0]
    assert across.label.startswith("principal axis 1 (")
    assert across.label.endswith("\u202f% of the spread)")
    panel.plane = (0, 3)
    assert (across.label, up.label) == ("z1, 2.1 nats", "z4, dead (0.001 nats)")
    assert panel._cloud.x.min < panel.view.places[:, 0].min()


def test_colours_come_from_the_style_sheet(panel):
    for name in panel.view.color_choices:
        panel.color_by = name
        colors = {color for mark in panel._cloud.points for color in mark.colors if len(mark.x)}
        assert all(color.startswith("var(--v-") for color in colors)
        assert panel._controls.color.value == name
        assert panel._controls.key.value == key(panel.view.coloring(), name)
    panel.color_by = "split"
    markers = {mark.marker for mark in panel._cloud.points if len(mark.x)}
    assert markers == {"circle", "square", "triangle-up"}
    assert "\u25b2" in panel._controls.key.value


def test_flagged_points_have_a_ring_where_the_colour_does_not_say_it(panel):
    for mark, batch in zip(panel._cloud.points, panel._cloud._batches, strict=False):
        ringed = mark.stroke == "var(--v-alarm)"
        assert (panel.view.flagged[batch.windows] == ringed).all()


def test_verdicts_colour_the_cloud(panel):
    moments = panel.view.timeline.moments([0, 100])
    panel.color_by = "verdict"
    panel.set_verdicts(pd.DataFrame({"start": [moments[0]], "end": [moments[1]], "verdict": ["unsure"]}))
    assert "unsure" in panel._controls.key.value
    assert "square" in {mark.marker for mark in panel._cloud.points if len(mark.x)}
    panel.set_verdicts(None)
    assert "not flagged" in panel._controls.key.value
    with pytest.raises(InputError, match="expected a mapping from"):
        panel.set_verdicts("normal")


# ---------------------------------------------------------------------- lighting up


def test_a_lasso_lights_up_the_series(panel):
    heard = []
    panel.on_select(heard.append)
    lasso(panel, [3, 4, 100])
    assert panel.selected.tolist() == [3, 4, 100]
    assert [windows.tolist() for windows in heard] == [[3, 4, 100]]
    starts, stops = panel.view.lit()
    assert stripes(panel) == list(zip(starts.tolist(), (stops - 1).tolist(), strict=True))
    assert lit_points(panel) == [3, 4, 100]
    assert "3 windows lit: 2 stretches" in panel._series.says.value


def test_a_lasso_that_goes_away_clears_nothing(panel):
    lasso(panel, [3, 4])
    panel._cloud.targets.selected = None
    panel._cloud.targets.selected = np.empty(0, dtype=np.uint32)
    assert panel.selected.tolist() == [3, 4]


def test_selecting_from_python_does_the_same_as_the_lasso(panel):
    lasso(panel, [8, 9, 30])
    by_mouse = stripes(panel), lit_points(panel), panel._series.says.value
    panel.selected = []
    assert stripes(panel) == []
    assert lit_points(panel) is None
    panel.selected = [30, 9, 8]
    assert (stripes(panel), lit_points(panel), panel._series.says.value) == by_mouse
    panel.selected[0] = 77  # a copy: the panel's own stays
    assert panel.selected.tolist() == [8, 9, 30]


def test_the_lit_line_is_the_series_where_it_is_lit(panel):
    panel.selected = [3]
    start, size = int(panel.view.starts[3]), panel.view.window_size
    panel._series.axis.set_view(View(start - 20, start + size + 20))
    drawn = np.asarray(panel._series._lit.mark.y)
    known = ~np.isnan(drawn)
    assert drawn[known] == pytest.approx(panel.view.values[start : start + size, 0])


def test_a_brush_lights_up_the_cloud(panel):
    brush = panel._series.brush
    brush.brushing = True
    brush.selected = panel.view.timeline.moments([2_000, 2_999])
    panel._series._pace.flush()
    assert panel.selected.tolist() == panel.view.in_stretch(2_000, 3_000).tolist()
    assert lit_points(panel) == panel.selected.tolist()
    assert panel._series.stretch.value == (2_000, 3_000)
    brush.selected = None
    panel._series._pace.flush()
    assert panel.selected.tolist() == []
    assert no_error(panel)


def test_the_slider_of_the_stretch_is_the_brush_for_the_keyboard(panel):
    panel._series.stretch.value = (2_000, 3_000)
    assert panel.selected.tolist() == panel.view.in_stretch(2_000, 3_000).tolist()
    ends = [panel.view.timeline.cell_of(moment) for moment in panel._series.brush.selected]
    assert ends == [2_000, 2_999]
    panel._series.stretch.value = (2_000, 2_000)
    assert panel._series.brush.selected is None
    assert panel.selected.tolist() == []


def test_a_lasso_takes_the_brush_away(panel):
    panel._series.stretch.value = (2_000, 3_000)
    lasso(panel, [3])
    assert panel._series.brush.selected is None
    assert panel._series.stretch.value == (2_000, 2_000)
    assert panel.selected.tolist() == [3]


def test_a_rectangle_by_two_sliders(panel):
    across, up = panel._controls.sides
    middle = sum(panel.view.edges[0]) / 2
    across.value = (across.min, middle)
    assert panel.selected.tolist() == panel.view.in_rectangle((across.min, middle), up.value).tolist()
    assert 0 < len(panel.selected) < 400


def test_buttons_that_light_up(panel):
    press(panel, "Flagged")
    assert panel.selected.tolist() == np.flatnonzero(panel.view.flagged).tolist()
    press(panel, "Clear")
    assert panel.selected.tolist() == []
    press(panel, "Light it up")
    assert panel.selected.tolist() == [panel.picked]


def press(panel, name):
    """Press the button that is called so."""
    found = [
        each for each in reachable(panel) if isinstance(each, widgets.Button) and each.description == name
    ]
    assert len(found) == 1
    found[0].click()


# ---------------------------------------------------------------------- looking at a window


def click(panel, window):
    """What the browser sends when a point is clicked."""
    for mark, batch in zip(panel._cloud.points, panel._cloud._batches, strict=False):
        place = np.flatnonzero(batch.windows == window)
        if len(place):
            told = {"event": "element_click", "data": {"index": int(place[0])}}
            mark._handle_custom_msgs(mark, told)


def test_a_click_shows_the_window(panel, taxi):
    click(panel, 33)
    assert panel.picked == 33
    picture = panel._window.pictures[0]
    start = int(taxi.sample.starts[33])
    assert picture.actual.y == pytest.approx(taxi.series.grid[start : start + taxi.window_size, 0])
    assert picture.model.y == pytest.approx(taxi.sample.mean[33, :, 0])
    mean, spread = taxi.sample.mean[33, :, 0], taxi.sample.spread[33, :, 0]
    assert picture.band.y == pytest.approx(np.stack([mean - spread, mean + spread]), rel=1e-5)
    assert [panel._cloud.ring.x[0], panel._cloud.ring.y[0]] == pytest.approx(panel.view.places[33])
    near = panel.view.nearest_normal(33)
    assert panel._cloud.near.x == pytest.approx(panel.view.places[near, 0])
    assert [card.children[1].description for card in panel._window.cards] == [
        str(panel.view.timeline.moments([panel.view.starts[i]])[0])[:16].replace("T", " ") for i in near
    ]
    assert panel._controls.number.value == 33


def test_a_click_beside_a_point_picks_the_nearest(panel):
    x, y = panel.view.places[12]
    with panel._cloud.catcher.hold_trait_notifications():
        panel._cloud.catcher.x = np.append(panel._cloud.catcher.x, x)
        panel._cloud.catcher.y = np.append(panel._cloud.catcher.y, y)
    assert panel.picked == panel.view.nearest_shown(x, y)
    assert len(panel._cloud.catcher.x) == 1


def test_the_cards_of_the_neighbours_are_buttons(panel):
    near = panel.view.nearest_normal(panel.picked)
    panel._window.cards[2].children[1].click()
    assert panel.picked == near[2]


def test_picking_by_keyboard(panel):
    panel._controls.number.value = 7
    assert panel.picked == 7
    flagged = np.flatnonzero(panel.view.flagged)
    press(panel, "Next flagged")
    assert panel.picked == flagged[flagged > 7][0]
    panel.picked = int(flagged[-1])
    press(panel, "Next flagged")
    assert panel.picked == flagged[0]


def test_many_channels_show_those_to_blame(servers):
    panel = vaenb.LatentPanel(servers)
    blame = panel.view.blame(panel.picked)
    names = [servers.series.channels[channel] for channel in blame[:3]]
    assert [picture.name.value for picture in panel._window.pictures] == names
    assert panel._window.shares.value.count("<i style=") == 5
    assert "15 others" in panel._window.shares.value
    assert panel._series.channel.value == blame[0]
    panel._series.channel.value = 4
    assert panel._series._trace.mark.y[0] == panel.view.values[0, 4]
    panel.close()


def test_a_window_with_gaps_is_drawn_with_gaps(taxi):
    values = taxi.series.values.copy()
    values[:60] = np.nan
    panel = vaenb.LatentPanel(replace(taxi, series=replace(taxi.series, values=values)))
    panel.picked = 1  # half of it is missing
    picture = panel._window.pictures[0]
    assert np.isnan(picture.actual.y).any()
    assert picture.actual.visible
    panel.picked = 0  # all of it
    assert not picture.actual.visible
    assert no_error(panel)
    panel.close()


# ---------------------------------------------------------------------- the walk


def drag(panel, x, y, event="drag"):
    """What the browser sends while the cross is dragged."""
    panel._cloud.cross._handle_custom_msgs(panel._cloud.cross, {"event": event, "point": {"x": x, "y": y}})


def test_the_cross_draws_what_the_decoder_draws(panel, taxi):
    panel.mode = "Walk"
    assert panel._cloud.cross.visible
    for step in range(60):
        drag(panel, step / 60, -step / 120)
    drag(panel, 0.8, 0.6, "drag_end")
    panel._pace.flush()
    assert panel.walk_at == (0.8, 0.6)
    mean, spread = make_decode(taxi)(panel.view.plane.point(0.8, 0.6)[None])
    picture = panel._window.pictures[0]
    assert picture.model.y == pytest.approx(mean[0, :, 0])
    assert picture.band.y[1] - picture.band.y[0] == pytest.approx(2 * spread[0, :, 0], rel=1e-4)
    assert panel._cloud.hair.x[1] == pytest.approx([0.8, 0.8])
    nearest = panel.view.nearest(panel.view.walk_point, np.arange(400), most=1)[0]
    assert picture.actual.y == pytest.approx(panel.view.actual(nearest)[:, 0])


def test_walking_by_keyboard_and_from_python(panel):
    panel.mode = "Walk"
    across, up = panel._controls.steps
    across.value = 0.5
    assert panel.walk_at[0] == 0.5
    up.value = -0.25
    assert panel.walk_at == (0.5, -0.25)
    panel.walk_at = (0.1, 0.2)
    for slider, place in ((across, 0.1), (up, 0.2)):
        assert slider.value == pytest.approx(place, abs=slider.step / 2)  # the nearest step
    assert panel.walk_at == (0.1, 0.2)
    assert panel._cloud.cross.x[0] == 0.1
    press(panel, "To the picked window")
    assert panel.walk_at == pytest.approx(panel.view.places[panel.picked])
    for wrong in (3, (1, 2, 3), "ab"):
        with pytest.raises((InputError, ValueError)):
            panel.walk_at = wrong


def test_a_click_walks_too(panel):
    panel.mode = "Walk"
    before = panel.picked
    click(panel, 33)
    assert panel.walk_at == pytest.approx(panel.view.places[33])
    assert panel.picked == before


def test_without_a_decoder_the_stored_drawings_serve(taxi):
    panel = vaenb.LatentPanel(taxi)
    panel.mode = "Walk"
    panel.walk_at = (0.3, 0.4)
    assert panel._window.pictures[0].model.y == pytest.approx(panel.view.drawing().mean[:, 0])
    panel.plane = (2, 3)
    assert "no stored drawings lie in this plane" in panel._window.head.value
    assert not panel._window.pictures[0].model.visible
    panel.plane = "grid"
    assert panel._window.pictures[0].model.visible
    assert no_error(panel)
    panel.close()


@pytest.mark.parametrize("n_dims", [1, 2, 8])
@pytest.mark.parametrize("name", ["taxi", "servers"])
def test_latent_spaces_of_every_size(name, n_dims, request):
    evidence = request.getfixturevalue(name)
    latent = np.random.default_rng(n_dims).normal(size=(len(evidence.sample), n_dims)).astype(np.float32)
    sample = replace(evidence.sample, latent=latent, kl_per_dim=np.ones(n_dims))

    def decode(z):
        shape = (len(z), evidence.window_size, evidence.series.n_channels)
        return np.full(shape, z.sum(), dtype=np.float32), np.ones(shape, dtype=np.float32)

    panel = vaenb.LatentPanel(replace(evidence, sample=sample, walk=None), decode=decode)
    for mode in ("Pick", "Lasso", "Walk"):
        panel.mode = mode
    panel.walk_at = (0.5, 0.0)
    assert panel._window.pictures[0].model.y == pytest.approx(panel.view.walk_point.sum(), abs=1e-5)
    assert "<img" in panel.snapshot()
    assert no_error(panel)
    panel.close()


# ---------------------------------------------------------------------- modes, planes, code


def test_modes(panel):
    assert panel.mode == "Pick"
    panel._controls.mode.value = "Lasso"
    assert panel.mode == "Lasso"
    assert panel._cloud.figure.interaction is panel._cloud.lasso
    panel.mode = "Walk"
    assert panel._cloud.figure.interaction is None
    assert panel._controls.mode.value == "Walk"
    shown = [row.layout.display for row in panel._controls._rows.values()]
    assert shown == ["none", "none", None]
    with pytest.raises(InputError, match="mode is 'Fly'; expected one of 'Pick', 'Lasso', 'Walk'"):
        panel.mode = "Fly"


def test_planes_from_the_menus(panel):
    menus = panel._controls
    menus.plane.value = ""
    assert panel.plane == (0, 1)
    menus.across.value = 1  # which "up" was: they change places
    assert panel.plane == (1, 0)
    assert menus.up.value == 0
    menus.plane.value = "pca"
    assert panel.plane == "pca"
    panel.plane = (3, 2)
    assert (menus.plane.value, menus.across.value, menus.up.value) == ("", 3, 2)
    with pytest.raises(InputError, match="plane is 'umap'"):
        panel.plane = "umap"
    assert panel.plane == (3, 2)


@pytest.mark.parametrize("decoder", [True, False])
def test_the_code_gives_the_same_state(taxi, decoder):
    decode = make_decode(taxi) if decoder else None
    first = vaenb.LatentPanel(taxi, decode=decode)
    first.plane, first.color_by, first.picked, first.mode = (1, 2), "time", 17, "Walk"
    first.selected, first.walk_at = [1, 5, 6, 7, 30], (0.123456789, -0.25)
    first._show_code.value = True
    assert first._code.value == first.code()
    known = {"evidence": taxi, "decode": decode}
    exec(first._code.value, known)
    again = known["panel"]
    for name in ("plane", "color_by", "picked", "mode", "walk_at"):
        assert getattr(again, name) == getattr(first, name)
    assert again.selected.tolist() == first.selected.tolist()
    assert again.code() == first.code()
    first.close()
    again.close()


def test_the_still_picture_has_words(panel):
    panel.selected = [1, 2]
    still = panel.snapshot()
    assert 'alt="' in still
    assert "posterior means of 400 windows" in still
    assert "2 windows lit" in still


# ---------------------------------------------------------------------- errors and the end


def test_a_decoder_that_fails_costs_a_line(taxi):
    def decode(z):
        raise RuntimeError("no graph")

    panel = vaenb.LatentPanel(taxi, decode=decode)
    panel._controls.mode.value = "Walk"
    assert "RuntimeError: no graph" in panel._error.value
    panel._controls.mode.value = "Pick"
    assert no_error(panel)
    panel._controls.number.value = 4
    assert panel.picked == 4
    panel.close()


def test_a_listener_that_fails_costs_a_line(panel):
    panel.on_select(lambda windows: 1 / 0)
    lasso(panel, [3])
    assert "ZeroDivisionError" in panel._error.value
    assert panel.selected.tolist() == [3]


@pytest.mark.parametrize("name", ["taxi", "servers"])
def test_fifty_panels_leave_nothing_alive(name, request):
    evidence = request.getfixturevalue(name)
    before = len(_instances)
    for place in range(50):
        panel = vaenb.LatentPanel(evidence)
        panel.mode = ("Pick", "Lasso", "Walk")[place % 3]
        panel.selected = [1, 2]
        panel._series.axis.set_view(View(0, 500))
        panel.close()
        panel.close()
        assert len(_instances) == before


def test_gestures_after_the_end_do_nothing(taxi):
    panel = vaenb.LatentPanel(taxi)
    cloud = panel._cloud
    panel.close()
    cloud._on_pick(3)
    cloud._on_lasso(np.array([3]))
    assert panel.picked != 3
    assert panel.selected.tolist() == []


def test_two_panels_do_not_disturb_each_other(taxi):
    one, other = vaenb.LatentPanel(taxi), vaenb.LatentPanel(taxi)
    one.selected, one.picked, one.color_by = [1, 2], 5, "time"
    assert other.selected.tolist() == []
    assert (other.picked, other.color_by) == (other.view.picked, "score")
    one.close()
    other.selected = [4]
    assert lit_points(other) == [4]
    other.close()


def test_no_mark_has_more_points_than_it_should(servers):
    panel = vaenb.LatentPanel(servers)
    for mark in [each for each in reachable(panel) if isinstance(each, bq.Scatter | bq.Lines)]:
        assert np.asarray(mark.x).shape[-1] <= 2_010
        assert np.asarray(mark.y).dtype.kind == "f"
    panel.close()


def test_it_opens_and_walks_where_tensorflow_cannot_be_imported():
    code = """
import sys
for name in ("tensorflow", "tensorflow_probability", "keras"):
    sys.modules[name] = None
sys.path.insert(0, {folder!r})
import vaenb
from make_evidence import make_evidence
panel = vaenb.LatentPanel(make_evidence())
panel.mode, panel.walk_at, panel.selected = "Walk", (0.5, 0.5), [1, 2]
assert panel._window.pictures[0].model.visible, panel._window.head.value
assert not panel._error.value
"""
    folder = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", code.format(folder=folder)], check=True)
