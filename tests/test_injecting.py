"""What is planted is what was said, where it was said; everything else stays as it was."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vaenb
from vaenb import InputError, Scaler, inject, read_series
from vaenb.records_file import read_series_record, series_arrays, series_meta

KINDS = ("spike", "shift", "drift", "frequency", "flat")


def waves(n=600, *, channels=2, period=24, seed=0, **options):
    rng = np.random.default_rng(seed)
    scales = 1.0 + np.arange(channels)
    values = np.sin(2 * np.pi * np.arange(n) / period)[:, None] * scales + 0.1 * rng.normal(
        size=(n, channels)
    )
    return read_series(values, **options)


def spread(series):
    """What the scaler learns from the training part."""
    return Scaler().fit(series.values[: series.train_end]).scale_


def by_loop(kind, x, size, s):
    """The stretch as the documentation has it, a point at a time."""
    n, out = len(x), []
    for t in range(n):
        if kind == "spike":
            out.append(x[t] + size * s * min(t + 1, n - t) / -(-n // 2))
        elif kind == "shift":
            out.append(x[t] + size * s)
        elif kind == "drift":
            out.append(x[t] + size * s * (t + 1) / n)
        elif kind == "flat":
            out.append(x[0] + size * s)
        else:
            place = (size * t) % n
            low = int(place)
            out.append(x[low] + (place - low) * (x[(low + 1) % n] - x[low]))
    return np.array(out)


@settings(deadline=None, max_examples=80)
@given(
    kind=st.sampled_from(KINDS),
    at=st.integers(0, 560),
    length=st.integers(2, 40),
    size=st.floats(0.25, 9.0),
)
def test_each_kind_is_what_the_documentation_says(kind, at, length, size):
    series = waves()
    planted = inject(series, kind, at=at, length=length, size=size if kind != "frequency" else size + 1)
    rows = slice(at, at + length)
    for channel, s in enumerate(spread(series)):
        size_of = size + 1 if kind == "frequency" else size
        expected = by_loop(kind, series.values[rows, channel], size_of, s)
        np.testing.assert_allclose(planted.values[rows, channel], expected, rtol=1e-12, atol=1e-12)
    outside = np.ones(len(series), dtype=bool)
    outside[rows] = False
    np.testing.assert_array_equal(planted.values[outside], series.values[outside])
    np.testing.assert_array_equal(planted.labels, (~outside).astype(np.int8))


def test_the_sizes_are_those_of_scaled_values():
    series = waves()
    scaler = Scaler().fit(series.values[: series.train_end])
    planted = inject(series, "shift", at=400, length=10, size=-4)
    moved = scaler.transform(planted.values) - scaler.transform(series.values)
    np.testing.assert_allclose(moved[400:410], -4, atol=1e-5)


def test_the_default_sizes_and_lengths():
    series = waves(period=24)
    of = {kind: inject(series, kind, at=300) for kind in KINDS}
    lengths = {kind: int(found.labels.sum()) for kind, found in of.items()}
    assert lengths == {"spike": 1, "shift": 24, "drift": 24, "frequency": 24, "flat": 24}
    moved = {kind: ((found.values - series.values) / spread(series))[300:324] for kind, found in of.items()}
    np.testing.assert_allclose(moved["spike"][0], 6)
    np.testing.assert_allclose(moved["shift"], 3)
    np.testing.assert_allclose(moved["drift"][[0, -1]], [[3 / 24] * 2, [3, 3]])
    assert (np.ptp(of["flat"].values[300:324], axis=0) == 0).all()
    np.testing.assert_array_equal(of["flat"].values[300], series.values[300])
    np.testing.assert_array_equal(of["frequency"].values[300:312], series.values[300:324:2])


def test_without_a_period_a_stretch_has_32_points():
    noise = read_series(np.random.default_rng(3).normal(size=500))
    assert vaenb.dominant_period(noise.values[: noise.train_end]) is None
    assert inject(noise, "shift").labels.sum() == 32


def test_twice_as_fast_has_twice_as_many_waves():
    series = waves(960, channels=1, period=48)
    planted = inject(series, "frequency", at=480, length=96, size=2)
    power = np.abs(np.fft.rfft(planted.values[480:576, 0]))[1:]
    assert np.argmax(power) + 1 == 4  # 96 points hold two waves of 48, and four of 24


def test_the_input_is_left_as_it_is():
    series = waves(labels=np.zeros(600))
    before = series.values.copy(), series.labels.copy(), series.about
    for kind in KINDS:
        inject(series, kind, at=400, length=12)
    np.testing.assert_array_equal(series.values, before[0])
    np.testing.assert_array_equal(series.labels, before[1])
    assert series.about == before[2]


def test_labels_add_up_and_every_planting_is_told():
    series = waves(labels=np.arange(600) < 5)
    twice = inject(inject(series, "flat", at=400, length=10), "spike", at=405, length=10, size=-2)
    assert set(np.flatnonzero(twice.labels)) == {*range(5), *range(400, 415)}
    assert twice.labels.dtype == np.int8
    assert twice.planted == (
        "a flat line in all 2 channels, 10 points from 400 to 409",
        "a spike of \u22122 spreads in all 2 channels, 10 points from 405 to 414",
    )
    assert twice.about.splitlines()[-2:] == [f"- planted: {what}" for what in twice.planted]
    assert "planted" not in series.about


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"kind": "spike", "size": 1}, "a spike of 1 spread in 'v0', 1 point at 400"),
        (
            {"kind": "flat", "size": 2, "length": 3},
            "a flat line, 2 spreads off in 'v0', 3 points from 400 to 402",
        ),
        (
            {"kind": "frequency", "size": 0.5, "length": 8},
            "the stretch's own values 0.5 times as fast in 'v0', 8 points from 400 to 407",
        ),
    ],
)
def test_the_sentence(settings, told):
    assert inject(waves(), at=400, channels="v0", **settings).planted == (told,)


def test_only_the_channels_that_were_named():
    series = waves(channels=4)
    planted = inject(series, "shift", at=400, length=7, channels=["v3", "v1"])
    changed = (planted.values != series.values).any(axis=0)
    assert changed.tolist() == [False, True, False, True]
    assert "'v1', 'v3'" in planted.planted[0]


@pytest.mark.parametrize(
    "at",
    [
        "2015-01-03 12:00",
        dt.datetime(2015, 1, 3, 12),  # noqa: DTZ001 - the series has no zone either
        np.datetime64("2015-01-03T11:31"),
        pd.Timestamp("2015-01-03 07:00", tz="America/New_York"),
        9000,
        np.int64(9000),
    ],
)
def test_a_place_may_be_said_in_many_ways(at):
    series = vaenb.load_dataset("nyc_taxi")
    assert str(series.index[9000]) == "2015-01-04T12:00:00.000000000"
    planted = inject(series, "shift", at=at, length=48)
    first = np.flatnonzero((planted.values != series.values)[:, 0])[0]
    assert first == (9000 if isinstance(at, int | np.integer) else 8952)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(KINDS), length=st.integers(2, 30))
def test_a_drawn_place_is_in_the_test_part_and_away_from_labels(seed, kind, length):
    labels = np.zeros(600, dtype=int)
    labels[430:440] = 1
    series = waves(labels=labels, train_end=300)
    planted = inject(series, kind, length=length, seed=seed)
    new = np.flatnonzero(planted.labels - series.labels)
    assert len(new) == length
    assert new[0] >= 300
    assert new[-1] < 430 - length or new[0] >= 440 + length
    assert inject(series, kind, length=length, seed=seed).planted == planted.planted


def test_every_free_place_is_drawn_and_seeds_differ():
    series = waves(60, period=12, train_end=40)
    starts = {int(np.argmax(inject(series, "shift", length=12, seed=seed).labels)) for seed in range(200)}
    assert starts == set(range(40, 49))


def test_missing_values_stay_missing_and_are_not_chosen():
    values = waves(channels=1).values.copy()
    values[305:595] = np.nan
    series = read_series(values, train_end=300)
    for seed in range(5):
        planted = inject(series, "shift", length=5, seed=seed)
        assert np.flatnonzero(planted.labels)[0] in {300, 595}
    for kind in KINDS:
        planted = inject(series, kind, at=300, length=10, size=3)
        np.testing.assert_array_equal(np.isnan(planted.values), np.isnan(series.values))
    assert inject(series, "flat", at=594, length=4).values[595:598, 0].tolist() == [values[595, 0]] * 3


def test_rows_in_any_order_and_rows_that_share_a_cell():
    times = pd.date_range("2024-01-01", periods=200, freq="h")
    frame = pd.DataFrame({"time": times, "x": np.sin(np.arange(200) / 4)})
    newest_first = read_series(frame[::-1].reset_index(drop=True), train_end=100)
    planted = inject(newest_first, "drift", at="2024-01-07", length=6, size=4)
    in_order = inject(read_series(frame, train_end=100), "drift", at="2024-01-07", length=6, size=4)
    np.testing.assert_array_equal(planted.values[::-1], in_order.values)
    np.testing.assert_array_equal(planted.labels[::-1], in_order.labels)
    assert planted.planted == in_order.planted
    twice = read_series(pd.concat([frame, frame[150:152]], ignore_index=True), train_end=100)
    flat = inject(twice, "flat", at=str(times[150]), length=3)
    assert flat.labels.sum() == 5
    assert len(set(flat.values[flat.labels > 0, 0])) == 1


def test_a_table_or_an_array_will_do():
    array = waves().values
    frame = pd.DataFrame(array, columns=["a", "b"])
    assert inject(array, "shift", at=400).planted == inject(frame, "shift", at=400).planted
    assert inject(frame, "shift", at=400, channels="b").values[400, 0] == array[400, 0]


def test_what_was_planted_is_kept_in_a_saved_series():
    planted = inject(waves(), "shift", at=400)
    again = read_series_record(series_arrays(planted), series_meta(planted))
    assert again.planted == planted.planted
    old = {name: value for name, value in series_meta(planted).items() if name != "planted"}
    assert read_series_record(series_arrays(planted), old).planted == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "dip"}, r"kind is 'dip'; expected one of 'spike', 'shift', 'drift', 'frequency', 'flat'\."),
        ({"size": "big"}, r"size is 'big'; expected a number"),
        ({"size": np.inf}, r"size is inf"),
        ({"kind": "frequency", "size": -2}, r"size is -2; expected a number above 0"),
        ({"length": 0}, r"length is 0; expected a whole number of at least 1"),
        ({"kind": "flat", "length": 1}, r"length is 1; expected a whole number of at least 2"),
        ({"length": 2.5}, r"length is 2\.5"),
        ({"channels": "cpu"}, r"no channel 'cpu'; expected some of: v0, v1"),
        ({"channels": []}, r"channels is empty"),
        ({"at": -1}, r"at is -1, which is outside the series; expected a row number from 0 to 599"),
        ({"at": 600}, r"at is 600, which is outside"),
        (
            {"at": 590, "length": 11},
            r"stretch of 11 points from 590 reaches over the end .* 10 are left there",
        ),
        ({"at": "2024-01-01"}, r"at is '2024-01-01'; expected a row number: no dates here"),
        ({"at": True}, r"at is True; expected a row number"),
        ({"size": 0}, r"A shift of size 0 over 24 points from 400 would change nothing"),
        ({"kind": "frequency", "size": 1}, r"would change nothing"),
        ({"at": None, "length": 301}, r"The test part of 300 points has no stretch of 301 points"),
        ({"at": None, "seed": -1}, r"seed is -1"),
    ],
)
def test_mistakes(settings, message):
    with pytest.raises(InputError, match=message):
        inject(waves(), **{"kind": "shift", "at": 400, **settings})


def test_mistakes_of_a_place_in_time():
    series = vaenb.load_dataset("toy_daily")
    with pytest.raises(InputError, match=r"outside the series; expected a time from 2014-04-01 00:00 to"):
        inject(series, "shift", at="2013-01-01")
    with pytest.raises(InputError, match=r"outside the series"):
        inject(series, "shift", at="2015-01-01")
    with pytest.raises(InputError, match=r"at is 'noon'; expected a timestamp such as 2024-01-31"):
        inject(series, "shift", at="noon")


def test_a_stretch_where_nothing_is_known():
    values = waves(channels=1).values.copy()
    values[400:420] = np.nan
    with pytest.raises(InputError, match=r"Channel 'value' has no value in the 5 points from 405"):
        inject(read_series(values), "shift", at=405, length=5)


def test_a_drawn_place_for_each_bundled_series():
    for name in vaenb.list_datasets()["name"]:
        series = vaenb.load_dataset(name)
        planted = inject(series, "shift", length=20, seed=1)
        assert planted.labels.sum() == series.labels.sum() + 20
        assert planted.credit == series.credit
