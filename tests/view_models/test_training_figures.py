"""What the training panel draws, against sums done naively."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_evidence import make_evidence
from make_training import LATENT, SIZE, make_frame, make_record, make_window

from vaenb.view_models.timeline import MOST_POINTS
from vaenb.view_models.training import TrainingView
from vaenb.view_models.training_cloud import N_BINS, cloud_limits, errors, plane_of, power_ticks
from vaenb.view_models.training_figures import curves, epoch_axis, kl_bars, pinned, window_ticks


def viewed(n=6, *, channels=1, **more):
    view = TrainingView(n, window=make_window(channels), **more)
    view.begin()
    view.add_frame(make_frame(0, channels=channels))
    for epoch in range(1, n + 1):
        view.add_record(make_record(epoch))
        view.add_frame(make_frame(epoch, channels=channels))
    return view


# ---------------------------------------------------------------- curves


@pytest.mark.parametrize("name", ["elbo", "reconstruction", "kl"])
def test_curves_are_the_records(name):
    records = [make_record(epoch) for epoch in range(1, 31)]
    found = curves(records, name)
    assert found.epochs.tolist() == list(range(1, 31))
    assert found.train.tolist() == [getattr(record, name) for record in records]
    assert found.calibration.tolist() == [getattr(record, f"calibration_{name}") for record in records]


def test_the_axis_shows_the_last_nine_tenths():
    records = [make_record(epoch) for epoch in range(1, 31)]
    found = curves(records, "elbo")
    late = [value for r in records[3:] for value in (r.elbo, r.calibration_elbo)]
    assert found.low < min(late) < max(late) < found.high
    assert found.low > records[0].elbo


def test_without_calibration_there_is_one_label():
    found = curves([make_record(epoch, held=False) for epoch in (1, 2)], "elbo")
    assert np.isnan(found.calibration).all()
    assert [name for name, _, _ in found.ends] == ["train"]


def test_no_epochs_no_curve():
    found = curves([], "elbo")
    assert (len(found.epochs), found.ends, found.low, found.high) == (0, (), 0.0, 1.0)


def test_an_epoch_without_a_number_is_a_gap():
    records = [make_record(1), replace(make_record(2), elbo=np.nan), make_record(3)]
    assert np.isnan(curves(records, "elbo").train[1])


def test_long_curves_are_thinned_to_their_extremes():
    records = [make_record(epoch) for epoch in range(1, 12_001)]
    records[7777] = replace(records[7777], elbo=-999.0, calibration_elbo=500.0)
    found = curves(records, "elbo")
    assert len(found.epochs) <= MOST_POINTS
    assert found.train.min() == -999.0
    assert found.calibration.max() == 500.0
    assert (found.epochs[0], found.epochs[-1]) == (1, 12_000)


@given(done=st.integers(0, 10**6), planned=st.integers(1, 10**6), n=st.integers(2, 6))
def test_the_axis_of_epochs_holds_them_all_and_counts_whole_ones(done, planned, n):
    planned = max(done, planned)
    last, ticks = epoch_axis(done, planned, n)
    assert max(2, done) <= last <= max(2, planned)
    assert last <= max(50, 2.5 * done)
    assert ticks
    assert all(tick.label == f"{int(tick.value):,}" and 1 <= tick.value <= last for tick in ticks)


@given(a=st.floats(-100, 100), b=st.floats(-100, 100), gap=st.floats(0.02, 0.4))
def test_labels_stand_apart_inside_and_in_order(a, b, gap):
    records = [make_record(1), replace(make_record(2), elbo=a, calibration_elbo=b)]
    found = curves(records, "elbo", gap=gap)
    span = found.high - found.low
    places = [place for _, _, place in found.ends]
    values = [value for _, value, _ in found.ends]
    assert values == sorted(values, reverse=True)
    assert places[0] - places[1] >= gap * span * (1 - 1e-9)
    assert all(found.low - 1e-9 * span <= place <= found.high + 1e-9 * span for place in places)


# ---------------------------------------------------------------- bars


def test_as_many_bars_are_active_as_the_record_says_and_the_highest():
    view = viewed(1)
    view.add_record(replace(make_record(2), kl_per_dim=np.array([0.1, 3.0, 0.2, 0.15]), active_units=2))
    found = kl_bars(view)
    assert found.kl.tolist() == [0.1, 3.0, 0.2, 0.15]
    assert found.active.tolist() == [False, True, True, False]


def test_bars_of_the_epoch_that_is_looked_at_on_one_axis():
    view = viewed(6)
    highs = []
    for epoch in range(7):
        view.show(epoch)
        found = kl_bars(view)
        highs.append(found.high)
        np.testing.assert_array_equal(found.kl, make_record(max(1, epoch)).kl_per_dim)
    assert len(set(highs)) == 1
    assert highs[0] > max(r.kl_per_dim.max() for r in view.records)


def test_no_bars_before_the_first_epoch():
    assert kl_bars(TrainingView(3)) is None


def test_a_collapsed_posterior_has_an_axis():
    view = TrainingView(3)
    view.begin()
    view.add_record(replace(make_record(1, active=0), kl_per_dim=np.zeros(LATENT)))
    assert kl_bars(view).high >= 0.1
    assert not kl_bars(view).active.any()


# ---------------------------------------------------------------- the pinned window


@pytest.mark.parametrize("channel", [0, 1])
def test_the_window_and_one_standard_deviation_to_either_side(channel):
    view = viewed(4, channels=2)
    view.channel = channel
    for epoch in range(5):
        view.show(epoch)
        found, frame = pinned(view), make_frame(epoch, channels=2)
        mean, spread = frame.mean[:, channel].astype(float), frame.spread[:, channel].astype(float)
        np.testing.assert_allclose(found.mean, mean)
        np.testing.assert_allclose(found.low, mean - spread)
        np.testing.assert_allclose(found.high, mean + spread)
        np.testing.assert_array_equal(found.actual, make_window(2)[:, channel])


def test_its_axis_stays_where_it_is():
    view = viewed(4)
    axes = set()
    for epoch in range(5):
        view.show(epoch)
        axes.add((pinned(view).bottom, pinned(view).top))
    assert len(axes) == 1
    bottom, top = axes.pop()
    assert bottom < make_window().min() < make_window().max() < top


def test_a_window_before_its_reconstruction():
    found = pinned(TrainingView(3, window=make_window()))
    assert np.isnan(found.mean).all()
    np.testing.assert_array_equal(found.actual, make_window()[:, 0])


def test_a_reconstruction_without_its_window():
    view = TrainingView(3)
    assert pinned(view) is None
    view.begin()
    view.add_frame(make_frame(0))
    found = pinned(view)
    assert np.isnan(found.actual).all()
    assert found.bottom < found.mean.min() <= found.mean.max() < found.top


def test_missing_points_are_gaps():
    window = make_window()
    window[5:9] = np.nan
    found = pinned(TrainingView(3, window=window))
    assert np.flatnonzero(np.isnan(found.actual)).tolist() == [5, 6, 7, 8]


def test_ticks_of_dates_name_the_day_below():
    index = np.datetime64("2024-05-01T12:00") + np.arange(SIZE) * np.timedelta64(30, "m")
    ticks, below = window_ticks(TrainingView(1, window=make_window(), index=index), SIZE)
    assert below == "1 May 2024 to 2 May 2024"
    for tick in ticks:
        assert str(index[round(tick.value)]).endswith(tick.label)


def test_ticks_of_numbers():
    ticks, below = window_ticks(TrainingView(1, window=make_window(), index=np.arange(SIZE) + 100), SIZE)
    assert below == "point"
    assert {tick.value + 100 for tick in ticks} == {float(tick.label) for tick in ticks}
    assert len(window_ticks(TrainingView(1, window=[1.0]), 1)[0]) >= 1


# ---------------------------------------------------------------- the cloud


@pytest.mark.parametrize("dims", [1, 2])
def test_few_dimensions_are_drawn_as_they_are(dims):
    latent = np.random.default_rng(0).normal(size=(20, dims))
    places = plane_of(latent)(latent)
    np.testing.assert_allclose(places[:, :dims], latent)
    assert places.shape == (20, 2)


def test_more_are_drawn_where_they_vary_most():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(500, 5)) * [0.1, 4.0, 0.2, 2.0, 0.1] + 3.0
    plane = plane_of(latent)
    places = plane(latent)
    _, singular, right = np.linalg.svd(latent - latent.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(places.T @ places).round(6), np.diag(singular[:2] ** 2).round(6))
    np.testing.assert_allclose(np.abs(plane.axes.T), np.abs(right[:2]), atol=1e-9)
    assert plane.names[0].startswith(f"principal axis 1 ({singular[0] ** 2 / (singular**2).sum():.0%}"[:-1])


def test_axes_are_not_turned_from_epoch_to_epoch():
    latent = np.random.default_rng(0).normal(size=(100, 4)) * [3.0, 2.0, 1.0, 0.5]
    before = plane_of(latent)
    turned = replace(before, axes=-before.axes)
    np.testing.assert_allclose(plane_of(latent, turned).axes, turned.axes)
    np.testing.assert_allclose(plane_of(latent, before).axes, before.axes)


def test_points_without_numbers_do_not_spoil_the_plane():
    latent = np.random.default_rng(0).normal(size=(100, 4))
    spoilt = latent.copy()
    spoilt[3] = np.nan
    assert np.isfinite(plane_of(spoilt).axes).all()
    assert np.isfinite(plane_of(np.full((5, 4), np.nan)).axes).all()


def test_the_clouds_axes_have_room_for_every_epoch():
    frames = [make_frame(epoch) for epoch in range(20)]
    plane = plane_of(frames[-1].latent)
    across, up = cloud_limits(frames, plane)
    for frame in frames:
        places = plane(frame.latent)
        assert across[0] < places[:, 0].min() <= places[:, 0].max() < across[1]
        assert up[0] < places[:, 1].min() <= places[:, 1].max() < up[1]


# ---------------------------------------------------------------- the errors


def test_every_window_is_in_one_bar_at_every_epoch():
    view = viewed(6)
    for epoch in range(7):
        view.show(epoch)
        found = errors(view)
        frame = make_frame(epoch)
        assert found.counts.sum() == found.before.sum() == len(frame.errors)
        logs = np.log10(frame.errors.astype(float))
        naive = [
            sum(a <= log < b for log in logs) for a, b in zip(found.edges, found.edges[1:], strict=False)
        ]
        assert found.counts.tolist() == naive
        assert len(found.counts) == N_BINS
        for log, shade in zip(logs, found.of_windows, strict=True):
            part = (log - found.edges[0]) / (found.edges[-1] - found.edges[0])
            assert shade == round(part * 9)


def test_bars_go_up_the_ramp():
    found = errors(viewed(3))
    assert found.shades.tolist() == sorted(found.shades)
    assert (found.shades[0], found.shades[-1]) == (0, 9)


def test_no_frame_no_errors():
    assert errors(TrainingView(3)) is None


def test_errors_that_are_no_numbers_are_left_out():
    view = TrainingView(3)
    view.begin()
    view.add_frame(replace(make_frame(0), errors=np.array([np.nan, 1.0, 2.0, np.inf], dtype=np.float32)))
    assert errors(view).counts.sum() == 2


@given(low=st.floats(-6, 6), span=st.floats(0.05, 8))
def test_power_ticks_say_where_they_stand(low, span):
    for tick in power_ticks(low, low + span):
        assert low <= tick.value <= low + span
        assert float(tick.label) == pytest.approx(10**tick.value, rel=1e-6)


def test_a_study_can_be_drawn_at_each_of_its_epochs():
    view = TrainingView.of(make_evidence("server_metrics", n_epochs=3))
    for epoch in range(4):
        view.show(epoch)
        assert pinned(view) is not None
        assert errors(view) is not None
        assert kl_bars(view) is not None
