"""From a series to windows: split in time, scaled by the train part alone, never copied."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vaenb
from vaenb import InputError, Scaler, Series, load_dataset, prepare, read_series
from vaenb.preparing import cut_windows

PARTS = ("train", "calibration", "test")


def noisy(n=1000, *, channels=1, seed=0, **options):
    rng = np.random.default_rng(seed)
    values = np.sin(np.arange(n) / 5)[:, None] + 0.1 * rng.normal(size=(n, channels))
    return read_series(values, **options)


def reach(windows):
    """The cells that windows cover: from the first start to the last stop."""
    return windows.starts.min(), windows.starts.max() + windows.window_size


def test_a_real_series():
    prepared = vaenb.prepare(load_dataset("nyc_taxi"))
    assert (prepared.window_size, prepared.train_stop, prepared.calibration_stop) == (48, 4128, 5160)
    assert [len(getattr(prepared, part)) for part in PARTS] == [4081, 985, 5113]
    assert len(prepared.everything) == 10_320 - 47
    assert prepared.about.splitlines() == [
        "4,081 train, 985 calibration, 5,113 test windows",
        "- windows of 48 points: the dominant period is 48 points",
    ]


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(100, 400),
    train_end=st.floats(0.4, 0.9),
    calibration=st.floats(0.1, 0.6),
    window_size=st.one_of(st.just("auto"), st.integers(1, 12)),
    stride=st.integers(1, 7),
    seed=st.integers(0, 1000),
    is_even=st.booleans(),
)
def test_no_window_crosses_a_split(n, train_end, calibration, window_size, stride, seed, is_even):
    rng = np.random.default_rng(seed)
    index = np.arange(n) if is_even else np.cumsum(rng.choice([0, 1, 1, 1, 1, 3], n))
    frame = pd.DataFrame({"index": index, "value": rng.normal(size=n)})
    series = read_series(frame, train_end=train_end)
    try:
        prepared = prepare(series, window_size=window_size, stride=stride, calibration=calibration)
    except InputError as error:
        assert "too few for windows" in str(error) or "fewer than one window" in str(error)  # noqa: PT017
        return
    stops = [0, prepared.train_stop, prepared.calibration_stop, series.n_cells]
    for part, start, stop in zip(PARTS, stops[:-1], stops[1:], strict=True):
        windows = getattr(prepared, part)
        if len(windows):
            first, last = reach(windows)
            assert start <= first
            assert last <= stop
        elif part == "test":
            assert stop - start < prepared.window_size
    assert reach(prepared.everything) == (0, series.n_cells)
    by_time = np.argsort(series.cells, kind="stable")
    assert (series.cells[by_time[series.train_end :]] >= prepared.calibration_stop).all()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), kind=st.sampled_from(["robust", "standard", "minmax"]))
def test_what_comes_after_the_train_part_changes_nothing_in_it(seed, kind):
    """The scaler and the window size see the train part only: not calibration, not test."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"index": np.cumsum(rng.choice([0, 1, 1, 1, 2], 600)), "value": rng.normal(size=600)}
    )
    before = prepare(read_series(frame, train_end=400), scaler=kind)
    first_later = np.searchsorted(before.series.cells, before.train_stop)
    frame.loc[first_later:, "value"] = rng.standard_cauchy(600 - first_later) * 1e3
    after = prepare(read_series(frame, train_end=400), scaler=kind)
    for key, array in before.scaler.get_state().items():
        np.testing.assert_array_equal(array, after.scaler.get_state()[key])
    assert before.window_size == after.window_size
    np.testing.assert_array_equal(before.train.array, after.train.array)


def test_calibration_is_the_end_of_the_training_part():
    prepared = prepare(noisy(train_end=500), calibration=0.3, window_size=10)
    assert (prepared.train_stop, prepared.calibration_stop) == (350, 500)
    assert [reach(getattr(prepared, part)) for part in PARTS] == [(0, 350), (350, 500), (500, 1000)]


def test_shares_count_rows_not_cells():
    """A long gap at the end of the training part does not become the calibration part."""
    index = np.concatenate([np.arange(400), np.arange(900, 1500)])
    series = read_series(
        pd.DataFrame({"index": index, "value": np.random.default_rng(0).normal(size=1000)}), train_end=400
    )
    prepared = prepare(series, window_size=20)
    assert (prepared.train_stop, prepared.calibration_stop) == (320, 400)


def test_the_cell_of_two_parts_belongs_to_the_later_one():
    index = [*range(50), 49, *range(50, 99)]
    series = read_series(pd.DataFrame({"index": index, "value": np.arange(100.0)}), train_end=50)
    assert series.train_cells == 49
    assert prepare(series, window_size=5).calibration_stop == 49


def test_everything_shares_one_array():
    prepared = prepare(noisy(channels=3), window_size=32)
    for part in (*PARTS, "everything"):
        windows = getattr(prepared, part)
        assert windows.values is prepared.everything.values
        assert np.shares_memory(windows.array, prepared.everything.values)
        assert windows.values.dtype == np.float32


def test_ten_million_points_stay_small():
    """Windows of 64 laid out would be 2.5 GB; the arrays that are kept are a fraction of it."""
    n = 10_000_000
    values = np.tile(np.sin(np.arange(1000) / 10), n // 1000)
    series = Series(
        name="long",
        index=np.arange(n),
        values=values[:, None],
        channels=("v",),
        train_end=n // 2,
        cells=np.arange(n),
        n_cells=n,
    )
    prepared = prepare(series, window_size=64)
    kept = {
        id(array): array.nbytes
        for part in (*PARTS, "everything")
        for array in (getattr(prepared, part).values, getattr(prepared, part).starts)
    }
    assert prepared.everything.shape == (n - 63, 64, 1)
    assert prepared.everything.array.nbytes > 2.5e9
    assert sum(kept.values()) < 0.25e9


def test_windows_in_which_nothing_is_known_are_left_out():
    values = np.random.default_rng(0).normal(size=(600, 2))
    values[100:150] = np.nan
    values[200:250, 0] = np.nan
    prepared = prepare(read_series(values, train_end=400), window_size=20)
    blank = np.isnan(prepared.series.values).all(axis=1)
    expected = [start for start in range(320 - 19) if not blank[start : start + 20].all()]
    np.testing.assert_array_equal(prepared.train.starts, expected)
    assert len(prepared.everything) == 581
    assert prepared.notes == ("31 train windows are left out: nothing in them is known",)
    np.testing.assert_array_equal(prepared.everything.missing, np.isnan(values))
    assert (prepared.everything.values[prepared.everything.missing] == 0).all()


def test_constant_channels_are_told():
    values = np.random.default_rng(0).normal(size=(600, 8))
    values[:300, 1:] = 4.0
    prepared = prepare(read_series(values, train_end=300), window_size=20)
    assert prepared.notes == (
        "constant in the train part, so kept at their own scale: v1, v2, v3, v4, v5 and 2 more",
    )
    np.testing.assert_allclose(prepared.test.values[300:, 1], values[300:, 1] - 4.0, rtol=1e-4, atol=1e-6)


def test_a_given_scaler_is_fitted_anew():
    given_scaler = Scaler("standard", limit=3).fit([[0.0], [1e9]])
    series = noisy()
    prepared = prepare(series, scaler=given_scaler, window_size=20)
    assert (prepared.scaler.kind, prepared.scaler.limit) == ("standard", 3.0)
    assert prepared.scaler.center_[0] == pytest.approx(series.values[: prepared.train_stop].mean())
    assert given_scaler.scale_[0] == pytest.approx(5e8)


def test_cut_windows_with_a_scaler_that_is_fitted():
    prepared = prepare(noisy(), window_size=20)
    other = noisy(300, seed=1)
    windows = cut_windows(other, prepared.scaler, window_size=20)
    np.testing.assert_array_equal(windows.values, prepared.scaler.transform(other.values))
    assert len(windows) == 281
    with pytest.raises(InputError, match="have 2 channels, the scaler was fitted on 1"):
        cut_windows(noisy(channels=2), prepared.scaler, window_size=20)
    with pytest.raises(InputError, match="has 10 points, fewer than one window of 20"):
        cut_windows(noisy(10), prepared.scaler, window_size=20)


def test_a_short_test_part_has_no_windows():
    prepared = prepare(noisy(train_end=995), window_size=20)
    assert len(prepared.test) == 0
    assert prepared.test.array.shape == (0, 20, 1)


def missing_from(start, stop, n=1000):
    values = np.random.default_rng(0).normal(size=n)
    values[start:stop] = np.nan
    return read_series(values)


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (noisy(60), {}, "The calibration part has 6 points, too few for windows: it needs at least 8"),
        (noisy(60), {"window_size": 31}, "has 60 points, fewer than two windows of 31"),
        (noisy(), {"window_size": 101}, "The calibration part has 100 points, fewer than one window of 101"),
        (
            noisy(train_end=60),
            {"window_size": 50},
            "The train part has 48 points, fewer than one window of 50",
        ),
        (noisy(), {"window_size": 0}, "window_size is 0; expected a whole number of points, or 'auto'"),
        (noisy(), {"stride": 0}, "stride is 0"),
        (noisy(), {"calibration": 0}, "calibration is 0; expected a share of the training part such as 0.2"),
        (noisy(), {"calibration": 1.0}, "calibration is 1.0"),
        (noisy(), {"scaler": "max"}, "The scaler is 'max'; expected one of"),
        (missing_from(0, 450), {}, "All 400 values of the training part are missing"),
        (missing_from(395, 505), {}, "All values of the calibration part are missing"),
    ],
)
def test_what_cannot_be_prepared(series, options, message):
    with pytest.raises(InputError, match=message):
        prepare(series, **options)
