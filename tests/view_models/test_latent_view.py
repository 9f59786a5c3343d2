"""What the latent panel knows: planes, colours, lit windows, neighbours, the walk; against naive oracles."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_evidence import make_decode, make_evidence

from vaenb.drawing.svg import RAMP_SIZE
from vaenb.errors import InputError
from vaenb.evidence import WalkGrid
from vaenb.thresholding import Fixed
from vaenb.view_models import latent_words as words
from vaenb.view_models.latent import LatentView, choose, joined, touched
from vaenb.view_models.latent_colors import (
    Kinds,
    Ramp,
    batches,
    by_part,
    by_score,
    by_verdict,
    read_verdicts,
)
from vaenb.view_models.latent_picture import draw
from vaenb.view_models.latent_plane import (
    Plane,
    dimension_names,
    dimension_plane,
    grid_plane,
    lies_in,
    on_grid,
    principal_plane,
)
from vaenb.view_models.timeline import Timeline


def with_dims(evidence, n_dims, *, walk=True, seed=0):
    """The same evidence with another latent space, and drawings in the plane in which it is shown first."""
    rng = np.random.default_rng(seed)
    scales = 2.0 / (1 + np.arange(n_dims))
    latent = (rng.normal(size=(len(evidence.sample), n_dims)) * scales).astype(np.float32)
    sample = replace(evidence.sample, latent=latent, kl_per_dim=scales)
    plane = principal_plane(latent) if n_dims > 2 else dimension_plane(latent, scales, 0, n_dims - 1)
    a, b = np.linspace(-4, 4, 5), np.linspace(-3, 3, 4) if n_dims > 1 else np.zeros(1)
    shape = (len(a), len(b), sample.window_size, evidence.series.n_channels)
    grid = WalkGrid(
        origin=plane.origin,
        across=plane.across,
        up=plane.up,
        a=a,
        b=b,
        mean=rng.normal(size=shape).astype(np.float32),
        spread=rng.random(shape).astype(np.float32),
    )
    return replace(evidence, sample=sample, walk=grid if walk else None)


@pytest.fixture(scope="module")
def taxi():
    return make_evidence("nyc_taxi")


@pytest.fixture(scope="module")
def servers():
    evidence = make_evidence("server_metrics", n_sample=200)
    return replace(evidence, rule=Fixed(13.9).fit(evidence.calibration_scores))


@pytest.fixture
def view(taxi):
    return LatentView(taxi, decode=make_decode(taxi))


# ---------------------------------------------------------------------- planes


@pytest.mark.parametrize("n_dims", [2, 3, 8])
def test_principal_axes_are_those_of_the_singular_value_decomposition(n_dims):
    rng = np.random.default_rng(n_dims)
    latent = rng.normal(size=(300, n_dims)) @ rng.normal(size=(n_dims, n_dims)) + 5
    plane = principal_plane(latent)
    centred = latent - latent.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    for axis, direction in zip((plane.across, plane.up), directions, strict=False):
        assert abs(axis @ direction) == pytest.approx(1)
        assert axis[np.abs(axis).argmax()] > 0
    places = plane.places(latent)
    assert np.abs(places) == pytest.approx(np.abs(centred @ directions[:2].T))
    share = sizes[0] ** 2 / (sizes**2).sum()
    assert plane.names[0] == f"principal axis 1 ({float(f'{100 * share:.2g}'):g}\u202f% of the spread)"


def test_a_plane_and_its_points_go_both_ways():
    latent = np.random.default_rng(0).normal(size=(50, 5))
    for plane in (principal_plane(latent), dimension_plane(latent, np.ones(5), 3, 1)):
        assert plane.places(plane.point(0.7, -1.2)[None])[0] == pytest.approx([0.7, -1.2])


def test_windows_that_are_all_alike_have_a_plane_too():
    plane = principal_plane(np.ones((5, 3)))
    assert np.isfinite(plane.places(np.ones((5, 3)))).all()
    assert "0\u202f% of the spread" in plane.names[0]


def test_a_plane_of_two_dimensions_shows_their_values_and_keeps_the_others_at_their_mean():
    latent = np.random.default_rng(1).normal(size=(40, 4))
    plane = dimension_plane(latent, np.array([1.0, 0.5, 2.0, 0.001]), 2, 3)
    assert plane.places(latent) == pytest.approx(latent[:, [2, 3]])
    assert plane.point(9.0, 8.0) == pytest.approx([*latent[:, :2].mean(axis=0), 9.0, 8.0])
    assert plane.names == ("z3, 2 nats", "z4, dead (0.001 nats)")


def test_dead_dimensions_are_said_to_be_dead():
    assert dimension_names(np.array([0.01, 0.0099, 0.0])) == [
        "z1, 0.01 nats",
        "z2, dead (0.01 nats)",
        "z3, dead (0 nats)",
    ]


# ---------------------------------------------------------------------- the stored grid


def bilinear(grid, x, y, drawn):
    """Point by point, as it stands in a textbook."""
    x, y = min(max(x, grid.a[0]), grid.a[-1]), min(max(y, grid.b[0]), grid.b[-1])
    i = max(k for k in range(len(grid.a) - 1) if grid.a[k] <= x)
    j = max(k for k in range(len(grid.b) - 1) if grid.b[k] <= y)
    found = np.zeros(drawn.shape[2:])
    for t in range(drawn.shape[2]):
        for c in range(drawn.shape[3]):
            corners = drawn[i : i + 2, j : j + 2, t, c].astype(float)
            s = (x - grid.a[i]) / (grid.a[i + 1] - grid.a[i])
            u = (y - grid.b[j]) / (grid.b[j + 1] - grid.b[j])
            below = corners[0, 0] + s * (corners[1, 0] - corners[0, 0])
            above = corners[0, 1] + s * (corners[1, 1] - corners[0, 1])
            found[t, c] = below + u * (above - below)
    return found


def small_grid(seed=0):
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    a, b = np.sort(rng.normal(size=4)), np.sort(rng.normal(size=3))
    shape = (4, 3, 5, 2)
    return WalkGrid(
        origin=rng.normal(size=3),
        across=axes[0],
        up=axes[1],
        a=a,
        b=b,
        mean=rng.normal(size=shape).astype(np.float32),
        spread=rng.random(shape).astype(np.float32),
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 5), st.floats(-4, 4), st.floats(-4, 4))
def test_between_the_drawings_of_a_grid_it_is_bilinear(seed, x, y):
    grid = small_grid(seed)
    mean, spread, inside = on_grid(grid, grid.origin + x * grid.across + y * grid.up)
    assert mean == pytest.approx(bilinear(grid, x, y, grid.mean), abs=1e-5)
    assert spread == pytest.approx(bilinear(grid, x, y, grid.spread), abs=1e-5)
    if abs(x - grid.a).min() > 1e-6 and abs(y - grid.b).min() > 1e-6:
        assert inside == (grid.a[0] <= x <= grid.a[-1] and grid.b[0] <= y <= grid.b[-1])


def test_on_a_drawing_of_the_grid_it_is_that_drawing():
    grid = small_grid()
    for i, a in enumerate(grid.a):
        for j, b in enumerate(grid.b):
            mean, _, inside = on_grid(grid, grid.origin + a * grid.across + b * grid.up)
            assert inside
            assert mean == pytest.approx(grid.mean[i, j], abs=1e-6)


def test_a_grid_of_one_row_is_walked_along():
    grid = small_grid()
    flat = replace(grid, b=grid.b[:1], mean=grid.mean[:, :1], spread=grid.spread[:, :1], up=np.zeros(3))
    mean, _, inside = on_grid(flat, flat.origin + (flat.a[0] + flat.a[1]) / 2 * flat.across)
    assert inside
    assert mean == pytest.approx((flat.mean[0, 0] + flat.mean[1, 0]) / 2, abs=1e-6)


def test_an_empty_grid_says_what_to_do():
    with pytest.raises(InputError, match="holds no drawings: save the study again"):
        on_grid(replace(small_grid(), a=np.empty(0)), np.zeros(3))


def test_whether_a_plane_lies_in_the_grid():
    grid, cloud = small_grid(), np.random.default_rng(3).normal(size=(50, 3))
    turned = (grid.across + grid.up) / 2**0.5, (grid.across - grid.up) / 2**0.5
    names = ("x", "y")
    moved = grid.origin + 3 * grid.across - grid.up
    normal = np.cross(grid.across, grid.up)
    same = Plane(origin=moved, across=turned[0], up=turned[1], names=names)
    assert lies_in(same, grid, cloud)
    assert not lies_in(replace(same, origin=moved + 0.5 * normal), grid, cloud)
    assert not lies_in(replace(same, up=normal), grid, cloud)


def test_the_plane_of_a_grid_is_named_after_the_axes_it_runs_along():
    latent = np.random.default_rng(0).normal(size=(50, 3)) * [3, 2, 1]
    grid = replace(small_grid(), across=np.array([0, 1.0, 0]), up=np.array([0, 0, -1.0]))
    dims = dimension_plane(latent, np.array([3.0, 2.0, 1.0]), 1, 2)
    assert grid_plane(grid, [dims]).names == ("z2, 2 nats", "z3, 1 nats")
    assert grid_plane(small_grid(), [dims]).names == (
        "axis 1 of the stored drawings",
        "axis 2 of the stored drawings",
    )


# ---------------------------------------------------------------------- latent spaces of every size


@pytest.mark.parametrize("name", ["taxi", "servers"])
@pytest.mark.parametrize("n_dims", [1, 2, 8])
@pytest.mark.parametrize("labelled", [True, False])
def test_every_latent_space_has_a_cloud_a_walk_and_a_picture(name, n_dims, labelled, request):
    evidence = with_dims(request.getfixturevalue(name), n_dims)
    if not labelled:
        evidence = replace(evidence, series=replace(evidence.series, labels=None))
    view = LatentView(evidence)
    assert view.plane_choice == {1: (0, 0), 2: (0, 1), 8: "pca"}[n_dims]
    assert view.places.shape == (len(evidence.sample), 2)
    assert ("label" in view.color_choices) == labelled
    drawn = view.drawing()
    assert drawn.mean.shape == (evidence.window_size, evidence.series.n_channels)
    for color in view.color_choices:
        view.set_color_by(color)
        view.select([0, 1, 5])
        svg = draw(view)
        assert svg.startswith("<svg")
        assert f"coloured by {color}" in svg
        assert "3 windows lit" in svg
    for choice in view.plane_choices:
        view.set_plane(choice)
        assert view.plane_choice == choice
        (left, right), (low, high) = view.edges
        assert (view.places > [left, low]).all()
        assert (view.places < [right, high]).all()


def test_one_dimension_stands_over_its_scores(taxi):
    view = LatentView(with_dims(taxi, 1))
    assert view.places[:, 0] == pytest.approx(view.latent[:, 0])
    assert view.places[:, 1] == pytest.approx(view.sample.scores)
    assert view.plane.names == ("z1, 2 nats", "anomaly score")
    view.walk_to(1.5, 7.0)
    assert view.walk_point == pytest.approx([1.5])
    with pytest.raises(InputError, match=r"\(0, 0\): there is one latent dimension"):
        view.set_plane("pca")


def test_without_a_decoder_the_walk_begins_in_the_plane_of_the_grid(taxi):
    view = LatentView(taxi)  # its drawings lie in z1 and z2 with the others at 0, which is no other plane
    assert view.plane_choice == "grid"
    assert view.plane.names == ("z1, 2.1 nats", "z2, 1.7 nats")
    view.walk_to(0.3, -0.4)
    mean, spread, _ = on_grid(taxi.walk, view.walk_point)
    drawn = view.drawing()
    assert (drawn.mean == mean).all()
    assert (drawn.spread == spread).all()
    view.set_plane((0, 3))
    assert not view.walks
    assert view.drawing() is None
    assert 'Choose the plane "stored drawings"' in words.about_walk(view).lower().replace("choose", "Choose")


def test_without_decoder_and_grid_nothing_draws(taxi):
    view = LatentView(replace(taxi, walk=None))
    assert view.plane_choice == "pca"
    assert view.drawing() is None
    assert words.about_walk(view) == "There is no decoder here, and no stored drawings lie in this plane."


def test_beyond_the_grid_its_edge_is_shown_and_said(taxi):
    view = LatentView(taxi)
    view.walk_to(99.0, 0.0)
    drawn = view.drawing()
    assert not drawn.inside
    assert drawn.mean == pytest.approx(on_grid(taxi.walk, view.plane.point(taxi.walk.a[-1], 0.0))[0])
    assert "Beyond the stored drawings" in words.about_walk(view, inside=drawn.inside)


def test_with_a_decoder_one_walks_in_every_plane(view, taxi):
    decode = make_decode(taxi)
    for choice in view.plane_choices:
        view.set_plane(choice)
        view.walk_to(0.5, 0.25)
        assert view.drawing().mean == pytest.approx(decode(view.walk_point[None])[0][0])
        assert view.drawing().inside


def test_the_cross_stays_where_it_was_when_the_plane_changes(view):
    view.set_plane((0, 1))
    view.walk_to(0.4, 0.6)
    view.set_plane((1, 0))
    assert view.walk_at == pytest.approx((0.6, 0.4))
    before = view.walk_point
    view.set_plane("pca")
    assert view.plane.places(before[None])[0] == pytest.approx(view.walk_at)


@pytest.mark.parametrize("choice", ["tsne", (0, 0), (0, 9), (-1, 0), 3, None])
def test_a_plane_that_is_none_says_which_there_are(view, choice):
    with pytest.raises(InputError, match='expected "pca", or a pair of two different dimensions'):
        view.set_plane(choice)


@pytest.mark.parametrize("place", [(np.nan, 0.0), (0.0, np.inf)])
def test_the_cross_needs_two_finite_numbers(view, place):
    with pytest.raises(InputError, match="expected two finite numbers"):
        view.walk_to(*place)


def test_evidence_without_windows_is_refused(taxi):
    sample = taxi.sample
    empty = replace(sample, **{name: getattr(sample, name)[:0] for name in ("starts", "latent", "scores")})
    with pytest.raises(InputError, match="no sampled windows"):
        LatentView(replace(taxi, sample=empty))


# ---------------------------------------------------------------------- which windows


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 120))
def test_touched_counts_every_cell(seed, size, n_cells):
    rng = np.random.default_rng(seed)
    size = min(size, n_cells)
    marks, starts = rng.random(n_cells) < 0.05, rng.integers(0, n_cells - size + 1, size=9)
    wanted = [any(marks[cell] for cell in range(start, start + size)) for start in starts]
    assert touched(marks, starts, size).tolist() == wanted


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 80), st.floats(0, 1))
def test_the_flagged_are_always_among_the_shown(seed, n, most, share):
    rng = np.random.default_rng(seed)
    flagged, scores = rng.random(n) < share, rng.random(n)
    kept = choose(flagged, scores, most)
    assert len(kept) == min(n, most)
    assert (np.diff(kept) > 0).all()
    if flagged.sum() <= most:
        assert set(np.flatnonzero(flagged)) <= set(kept)
    else:
        assert flagged[kept].all()
        assert scores[kept].min() >= np.sort(scores[flagged])[-most]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=12), st.integers(1, 9))
def test_joined_covers_the_same_cells(starts, length):
    wanted = {cell for start in starts for cell in range(start, start + length)}
    begin, end = joined(np.array(starts, dtype=np.int64), length)
    covered = [cell for a, b in zip(begin, end, strict=True) for cell in range(a, b)]
    assert sorted(covered) == sorted(wanted)
    assert (begin[1:] > end[:-1]).all()


def test_flagged_and_normal_are_what_they_say(view, taxi):
    over = taxi.scores > taxi.rule.threshold_
    size = view.window_size
    for window, start in enumerate(view.starts):
        assert view.flagged[window] == over[start : start + size].any()
        inside = start + size <= taxi.calibration_stop
        assert (window in set(view.normal.tolist())) == (inside and not view.flagged[window])
    assert view.flagged.any()
    assert view.picked == int(taxi.sample.scores.argmax())


@settings(max_examples=60, deadline=None)
@given(first=st.integers(0, 10_319), length=st.integers(1, 900))
def test_the_windows_of_a_stretch_share_half_of_it_or_of_themselves(taxi, first, length):
    view = LatentView(taxi)
    stop = min(first + length, view.timeline.n_cells)
    stretch = set(range(first, stop))
    wanted = []
    for window, start in enumerate(view.starts.tolist()):
        shared = len(stretch & set(range(start, start + view.window_size)))
        if shared >= view.window_size / 2 or shared >= len(stretch) / 2:
            wanted.append(window)
    assert view.in_stretch(first, stop).tolist() == wanted


def test_selecting_and_what_is_lit(view):
    view.select([7, 3, 3])
    assert view.selected.tolist() == [3, 7]
    view.select(np.isin(np.arange(view.n_windows), [5, 6]))
    assert view.selected.tolist() == [5, 6]
    starts, stops = view.lit()
    assert starts.tolist() == [view.starts[5]]  # they overlap
    assert stops.tolist() == [view.starts[6] + view.window_size]
    view.select([])
    assert view.selected.tolist() == []
    assert [len(part) for part in view.lit()] == [0, 0]


@pytest.mark.parametrize("windows", [[400], [-1], [1.5], ["a"], [3, 9_999]])
def test_a_window_that_is_none_cannot_be_lit(view, windows):
    with pytest.raises(InputError, match=r"There is no window .*expected a number from 0 to 399"):
        view.select(windows)


@pytest.mark.parametrize("window", [400, -1, 1.5, "a", None, True])
def test_a_window_that_is_none_cannot_be_picked(view, window):
    with pytest.raises(InputError, match="There is no window"):
        view.pick(window)


def test_a_rectangle_and_the_nearest_point(view):
    x, y = view.places.T
    wanted = [i for i in range(len(x)) if 0 <= x[i] <= 1 and -0.5 <= y[i] <= 0.5]
    assert view.in_rectangle((0, 1), (-0.5, 0.5)).tolist() == wanted
    for window in (0, 17, 230):
        assert view.nearest_shown(x[window] + 1e-9, y[window]) == window


def test_hidden_windows_are_in_no_rectangle_and_never_nearest(taxi):
    view = LatentView(taxi, most=50)
    assert len(view.shown) == 50
    (left, right), (low, high) = view.edges
    assert view.in_rectangle((left, right), (low, high)).tolist() == view.shown.tolist()
    hidden = np.setdiff1d(np.arange(view.n_windows), view.shown)[0]
    assert view.nearest_shown(*view.places[hidden]) in view.shown
    assert words.about_cloud(view).startswith(f"50 of 400 windows shown, {view.flagged.sum()} flagged")


@pytest.mark.parametrize("name", ["taxi", "servers"])
def test_nearest_normal_windows_by_brute_force(name, request):
    view = LatentView(request.getfixturevalue(name))
    for window in range(0, view.n_windows, 23):
        away = [(float(((view.latent[i] - view.latent[window]) ** 2).sum()), i) for i in view.normal]
        wanted = []
        for _, other in sorted(away):
            apart = [abs(view.starts[other] - view.starts[known]) for known in (window, *wanted)]
            if min(apart) >= view.window_size and len(wanted) < 4:
                wanted.append(int(other))
        assert view.nearest_normal(window).tolist() == wanted


def test_where_nothing_is_normal_nothing_is_near(taxi):
    view = LatentView(replace(taxi, rule=Fixed(-1.0).fit(taxi.calibration_scores)))
    assert view.flagged.all()
    assert view.nearest_normal(5).tolist() == []


def test_blame_is_in_the_order_of_the_shares(servers):
    view = LatentView(servers)
    for window in (0, 50, 199):
        shares = servers.sample.shares[window]
        assert view.blame(window) == sorted(range(19), key=lambda channel: -shares[channel])
        told = words.about_shares(view, window)
        assert [name for name, _ in told[:4]] == [servers.series.channels[c] for c in view.blame(window)[:4]]
        assert told[-1][0] == "15 others"
        assert sum(share for _, share in told) == pytest.approx(1, abs=1e-5)


def test_one_channel_has_all_of_the_blame(view):
    assert words.about_shares(view, 3) == [("value", pytest.approx(1.0))]


# ---------------------------------------------------------------------- colours


def test_colours_by_score_follow_the_scores(view):
    ramp = view.coloring()
    assert isinstance(ramp, Ramp)
    order = np.argsort(view.sample.scores)
    assert (np.diff(ramp.places[order]) >= 0).all()
    assert ramp.places.min() == pytest.approx(0)
    assert ramp.places.max() == pytest.approx(1)
    assert set(ramp.shades) <= set(range(RAMP_SIZE))


def test_one_enormous_score_does_not_flatten_the_others():
    scores = np.append(np.random.default_rng(0).exponential(size=999), 1e6)
    assert by_score(scores).shades[:-1].max() >= 2
    assert len(by_score(scores).ticks) >= 2


@pytest.mark.parametrize("scores", [np.zeros(4), np.array([np.nan, 1.0, 2.0]), np.full(3, np.nan)])
def test_odd_scores_have_colours_too(scores):
    ramp = by_score(scores)
    assert np.isfinite(ramp.places).all()
    assert ((ramp.shades >= 0) & (ramp.shades < RAMP_SIZE)).all()


def test_colours_by_time_are_said_as_dates(view):
    view.set_color_by("time")
    ramp = view.coloring()
    assert ramp.places == pytest.approx(view.starts / (view.timeline.n_cells - 1))
    assert [text for _, text in ramp.ticks] == ["2014-07-01", "2014-10-16", "2015-01-31"]


def test_a_window_on_a_border_counts_to_the_later_part():
    parts = by_part(np.array([0, 6, 7, 16, 17, 30]), 4, train_stop=10, calibration_stop=20)
    assert parts.codes.tolist() == [0, 0, 1, 1, 2, 2]


def test_colours_by_label_and_flag(view, taxi):
    view.set_color_by("label")
    wanted = [taxi.labels[start : start + view.window_size].any() for start in view.starts]
    assert view.coloring().codes.astype(bool).tolist() == wanted
    view.set_color_by("verdict")
    assert view.coloring().codes.astype(bool).tolist() == view.flagged.tolist()
    assert [kind.name for kind in view.coloring().kinds] == ["not flagged", "flagged"]


def test_of_several_verdicts_the_most_alarming_counts():
    spans = [(10, 12, "normal"), (11, 11, "anomaly"), (30, 30, "unsure"), (30, 31, "normal"), (50, 50, "")]
    found = by_verdict(np.array([0, 8, 9, 12, 28, 48, 60]), 4, spans)
    names = [found.kinds[code].name for code in found.codes]
    assert names == ["no verdict", "anomaly", "anomaly", "normal", "unsure", "no verdict", "no verdict"]


def test_verdicts_are_read_from_mappings_and_tables(taxi):
    line = Timeline.of(taxi.series)
    first, last = line.moments([100, 120])
    table = pd.DataFrame({"start": [first], "end": [last], "verdict": ["anomaly"]})
    as_words = {(str(first), str(last)): "anomaly"}
    for given_so in ({(first, last): "anomaly"}, table, as_words):
        assert read_verdicts(given_so, line) == [(100, 120, "anomaly")]
    assert read_verdicts({}, line) == []


@pytest.mark.parametrize("verdicts", [3, ["anomaly"], {5: "anomaly"}, {("x", "y"): "normal"}])
def test_other_verdicts_say_what_was_expected(view, verdicts):
    with pytest.raises(InputError, match="expected a mapping from"):
        view.set_verdicts(verdicts)


def test_verdicts_colour_until_they_are_taken_back(view):
    view.set_color_by("verdict")
    first, last = view.timeline.moments([int(view.starts[9]), int(view.starts[9])])
    view.set_verdicts({(first, last): "unsure"})
    assert view.coloring().kinds[view.coloring().codes[9]].name == "unsure"
    view.set_verdicts(None)
    assert len(view.coloring().kinds) == 2


def test_colours_that_are_none(taxi):
    bare = LatentView(replace(taxi, series=replace(taxi.series, labels=None)))
    with pytest.raises(InputError, match="The series has no labels"):
        bare.set_color_by("label")
    with pytest.raises(InputError, match="expected one of 'score', 'time', 'split', 'verdict'"):
        bare.set_color_by("beauty")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 90), st.integers(1, 40), st.booleans())
def test_batches_hold_every_shown_window_once(seed, n, size, ramp):
    rng = np.random.default_rng(seed)
    scores, flagged = rng.random(n), rng.random(n) < 0.2
    shown = np.flatnonzero(rng.random(n) < 0.8)
    kinds = by_part(np.arange(n), 3, n // 3, n // 2)
    coloring = by_score(scores) if ramp else kinds
    found = batches(coloring, shown, scores=scores, flagged=flagged, size=size)
    drawn = [window for batch in found for window in batch.windows.tolist()]
    assert sorted(drawn) == shown.tolist()
    assert all(len(batch.windows) == len(batch.colors) <= size for batch in found)
    assert len(found) <= -(-len(shown) // size) + 4
    for batch in found:
        if ramp:
            assert (flagged[batch.windows] == batch.ringed).all()
        else:
            kind = kinds.kinds[kinds.codes[batch.windows[0]]]
            assert set(batch.colors) == {kind.color}
            assert batch.marker == kind.marker


def test_kinds_differ_by_colour_and_by_marker(view):
    for color in ("split", "label", "verdict"):
        view.set_color_by(color)
        kinds = view.coloring().kinds
        assert len({kind.color for kind in kinds}) == len({kind.marker for kind in kinds}) == len(kinds)
    assert isinstance(view.coloring(), Kinds)


# ---------------------------------------------------------------------- words


def test_words_about_windows(view):
    assert words.when(view, 0) == "2014-07-01 00:00"
    assert words.span(view, 0) == "2014-07-01 00:00 to 23:30"
    assert words.span(view, 1) == "2014-07-01 12:30 to 2014-07-02 12:00"
    assert words.about_window(view, view.picked).endswith(", flagged")
    assert words.tips(view, np.array([0]))[0] == f"2014-07-01 00:00: score {view.sample.scores[0]:.4g}"
    assert words.clock_unit(view) == (0.5, "hours")


def test_words_where_there_is_no_clock(servers):
    view = LatentView(servers)
    assert words.span(view, 0) == "0 to 63"


def test_words_about_what_is_lit(view):
    assert words.about_lit(view).startswith("Nothing is lit")
    view.select([0])
    assert words.about_lit(view) == "1 window lit: 2014-07-01 00:00 to 2014-07-01 23:30"
    view.select([0, 1, 50])
    assert words.about_lit(view).startswith("3 windows lit: 2 stretches, 2014-07-01 00:00 to ")


@given(st.sets(st.integers(0, 60)))
def test_numbers_of_windows_become_code_and_back(windows):
    text = words._as_code(np.array(sorted(windows), dtype=np.int64))
    assert eval(text) == sorted(windows)
