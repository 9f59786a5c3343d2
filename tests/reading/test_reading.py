"""From a file, a DataFrame or an array to a series: what is time, what is a label, what is a value."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from vaenb import InputError, Series, read_series

N = 60
RNG = np.random.default_rng(0)
STAMPS = pd.date_range("2024-01-01", periods=N, freq="15min")


def table(**columns):
    return pd.DataFrame(
        {"timestamp": STAMPS, "cpu": RNG.normal(size=N), "mem": RNG.normal(size=N), **columns}
    )


def test_finds_time_channels_and_labels():
    marks = np.arange(N) % 20 == 3
    frame = table(label=marks.astype(int))
    series = read_series(frame)
    assert isinstance(series, Series)
    assert (series.channels, series.index_name, series.interval) == (("cpu", "mem"), "timestamp", 900.0)
    np.testing.assert_array_equal(series.index, STAMPS.to_numpy())
    np.testing.assert_array_equal(series.values, frame[["cpu", "mem"]].to_numpy())
    np.testing.assert_array_equal(series.labels, marks)
    assert (series.labels.dtype, series.train_end, series.repairs) == (np.int8, N // 2, ())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("label", ["0", "1"]),
        ("is_anomaly", [False, True]),
        ("Anomaly", [0.0, 1.0]),
        ("Normal/Attack", ["Normal", "A ttack"]),
        ("outlier", ["no", "yes"]),
    ],
)
def test_ways_to_write_labels(name, words):
    series = read_series(table(**{name: [words[i % 7 == 0] for i in range(N)]}))
    np.testing.assert_array_equal(series.labels, np.arange(N) % 7 == 0)
    assert series.channels == ("cpu", "mem")


def test_a_likely_name_without_labels_is_a_channel():
    assert read_series(table(anomaly=RNG.normal(size=N))).channels == ("cpu", "mem", "anomaly")


def test_labels_given_left_out_or_missing():
    frame = table(label=np.zeros(N))
    assert read_series(frame, labels=False).labels is None
    assert read_series(frame, labels=False).channels == ("cpu", "mem")
    assert read_series(frame, labels=np.ones(N)).labels.all()
    series = read_series(frame.assign(label=[1.0, None] * (N // 2)))
    np.testing.assert_array_equal(series.labels, [1, 0] * (N // 2))
    assert f"{N // 2} missing labels count as 0" in series.repairs
    assert read_series(frame.assign(odd=[0, 1] * (N // 2)), labels="odd").labels.sum() == N // 2


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(N - 1), r"labels has shape \(59,\); expected \(60,\)"),
        (np.arange(N), r"The labels in 'labels' hold '2' in row 2 \(counted from 0\); expected 0 or 1"),
        ("nope", r"There is no column 'nope' for the labels; expected one of: timestamp, cpu, mem"),
        ("cpu", r"The labels in 'cpu' hold .* in row 0"),
    ],
)
def test_labels_that_are_none(labels, message):
    with pytest.raises(InputError, match=message):
        read_series(table(), labels=labels)


def test_a_label_column_that_is_none_is_not_taken_for_a_channel():
    with pytest.raises(InputError, match="The labels in 'label' hold '2'"):
        read_series(table(label=np.arange(N) % 3))


def test_columns_by_name():
    frame = table(when=STAMPS[::-1])
    series = read_series(frame, time="when", values="mem", name="memory")
    assert (series.name, series.channels, series.index[0]) == ("memory", ("mem",), STAMPS[-1])
    assert read_series(frame, values=["mem", "cpu"]).channels == ("mem", "cpu")
    assert read_series(frame, time=False).interval is None
    for role in ("time", "values"):
        with pytest.raises(InputError, match=f"no column 'x' for the {role}; expected one of: timestamp"):
            read_series(frame, **{role: "x"})


def test_counting_columns_are_no_channels():
    counted = pd.DataFrame({"Unnamed: 0": range(N), "value": RNG.normal(size=N), "id": range(100, 100 + N)})
    series = read_series(counted)
    assert (series.channels, series.index_name, series.interval) == (("value",), "Unnamed: 0", None)
    assert read_series(pd.DataFrame({"n": range(N), "value": RNG.normal(size=N)})).channels == ("value",)
    assert read_series(table(index=range(N))).channels == ("cpu", "mem")
    assert read_series(counted, values=["value", "id"]).channels == ("value", "id")


def test_an_index_with_holes():
    series = read_series(pd.DataFrame({"index": [0, 1, 2, 5, 6], "value": [1.0, 2, 3, 4, 5]}))
    np.testing.assert_array_equal(series.cells, [0, 1, 2, 5, 6])
    np.testing.assert_array_equal(series.grid[:, 0], [1, 2, 3, np.nan, np.nan, 4, 5])


def test_a_column_of_elapsed_time_lays_the_grid():
    series = read_series(pd.DataFrame({"time": [0, 0.1, 0.2, 0.5, 0.6], "value": [1.0, 2, 3, 4, 5]}))
    np.testing.assert_array_equal(series.index, range(5))
    np.testing.assert_array_equal(series.cells, [0, 1, 2, 5, 6])
    assert (series.channels, series.interval) == (("value",), None)


@pytest.mark.parametrize("name", ["timestamps", "event_time", "Unix Time Stamp"])
def test_seconds_since_1970_under_many_names(name):
    series = read_series(pd.DataFrame({"value": RNG.normal(size=N), name: 1_400_000_000 + 60 * np.arange(N)}))
    assert (series.channels, series.interval, series.index_name) == (("value",), 60.0, name)


def test_a_time_of_day_counts_its_days():
    clock = pd.date_range("2024-01-01 23:00", periods=N, freq="20min").strftime("%H:%M:%S")
    series = read_series(pd.DataFrame({"time": clock, "value": RNG.normal(size=N)}))
    np.testing.assert_array_equal(series.cells, range(N))
    assert "times without a date: days are counted from 1900-01-01" in series.repairs


def test_a_response_time_is_a_channel():
    assert read_series(table(response_time=RNG.normal(size=N))).channels == ("cpu", "mem", "response_time")


def test_the_index_of_a_frame():
    values = RNG.normal(size=N)
    assert read_series(pd.Series(values, index=STAMPS)).interval == 900.0
    assert read_series(pd.Series(values, index=STAMPS, name="x")).channels == ("x",)
    filtered = pd.DataFrame({"x": values}).drop(index=range(10, 20))
    assert read_series(filtered).n_cells == N
    assert read_series(pd.DataFrame({"x": values})).index_name == "index"
    assert read_series(pd.DataFrame({"x": values, "index": STAMPS}, index=range(5, N + 5))).interval == 900.0


def test_arrays():
    values = np.arange(20.0).reshape(10, 2)
    series = read_series(values, labels=[0, 1] * 5, name="two")
    np.testing.assert_array_equal(series.values, values)
    assert (series.name, series.channels, series.index.tolist()) == ("two", ("v0", "v1"), list(range(10)))
    assert read_series([1, 2, 3, 4]).values.shape == (4, 1)
    with pytest.raises(InputError, match=r"shape \(2, 2, 2\); expected \(n_rows,\) or"):
        read_series(np.ones((2, 2, 2)))
    with pytest.raises(InputError, match="An array has no column names"):
        read_series(values, values="v0")
    with pytest.raises(InputError, match="cannot be read as numbers"):
        read_series(np.array(["a", "b"]))


def test_a_series_comes_back_with_what_was_changed():
    series = read_series(table())
    same = read_series(series)
    assert same.train_end == series.train_end
    assert same.values is series.values
    other = read_series(series, values="mem", train_end=0.25, labels=np.ones(N), name="b")
    assert (other.channels, other.train_end, other.name, other.labels.sum()) == (("mem",), N // 4, "b", N)
    np.testing.assert_array_equal(other.values[:, 0], series.values[:, 1])
    with pytest.raises(InputError, match="no channel 'x'; expected some of: cpu, mem"):
        read_series(series, values="x")
    with pytest.raises(InputError, match="read the file again"):
        read_series(series, time="x")


@pytest.mark.parametrize(
    "train_end",
    [20, "20", 20.0, 1 / 3, "0.3333", "2024-01-01 05:00", dt.datetime(2024, 1, 1, 5, tzinfo=dt.UTC)],
)
@pytest.mark.parametrize("zone", [False, True])
def test_train_end(train_end, zone):
    frame = table()
    frame["timestamp"] = frame["timestamp"].dt.tz_localize("UTC") if zone else frame["timestamp"]
    assert read_series(frame, train_end=train_end).train_end == 20


def test_train_end_counts_rows_in_time_order():
    frame = table().sample(frac=1, random_state=0)
    series = read_series(frame, train_end="2024-01-01T05:00+00:00")
    assert series.train_end == 20
    assert set(series.index[series.cells < series.train_cells]) == set(STAMPS[:20].to_numpy())


@pytest.mark.parametrize(
    ("train_end", "message"),
    [
        (0, r"train_end is 0, which leaves no training part of 60 rows; expected a row number from 1 to 59"),
        (N, "train_end is 60, which leaves no test part"),
        (-1, "leaves no training part"),
        (1.5, "train_end is 1.5; expected a whole row number or a share"),
        (0.001, "train_end is 0.001, which leaves no training part"),
        ("1e9", "leaves no test part"),
        ("nan", "expected a whole row number"),
        (
            "2023-12-31",
            r"leaves no training part .* expected a time after 2024-01-01 00:00 and up to 2024-01-01 14:45",
        ),
        ("2024-02-01", "leaves no test part"),
        ("soon", "train_end is 'soon'; expected a row number, a share such as 0.5, or a timestamp"),
        (True, "train_end is True; expected a row number"),
        ([3], "expected a row number"),
    ],
)
def test_train_end_outside(train_end, message):
    with pytest.raises(InputError, match=message):
        read_series(table(), train_end=train_end)


def test_a_timestamp_needs_timestamps():
    with pytest.raises(InputError, match="but the series has no timestamps; expected a row number"):
        read_series(np.arange(10.0), train_end="2024-01-01")
    with pytest.raises(InputError, match="has 1 row; expected at least 2"):
        read_series(pd.DataFrame({"x": [1.0], "y": [2.0]}))


def test_columns_without_numbers_are_left_out_and_told():
    series = read_series(table(host=["a", "b"] * (N // 2), empty=np.nan, still=3.0))
    assert series.channels == ("cpu", "mem", "still")
    assert "left out, because it holds no number: host" in series.repairs
    assert "left out, because it holds no value: empty" in series.repairs
    assert "constant from beginning to end: still" in series.repairs


def test_far_values_are_told():
    frame = table()
    frame.loc[[7, 9], "cpu"] = [-9999.0, -9999.5]
    told = "cpu: 2 values lie far outside the usual range, the farthest -9999.5 in row 9 (counted from 0)"
    assert told in read_series(frame).repairs


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cpu": np.nan, "mem": np.nan}, "All 60 values of cpu, mem are missing"),
        (
            {"cpu": 1.0, "mem": 2.5},
            "The series is constant: cpu, mem never changes from 1; expected values that vary",
        ),
        (
            {"cpu": "a", "mem": "b"},
            r"no numeric column beside timestamp, .* among: cpu, mem \('cpu' holds 'a'\);",
        ),
        ({"mem": [*range(N - 1), np.inf]}, r"Column 'mem' holds inf in row 59 .*; expected a finite number"),
        ({"mem": [-2e30, *range(N - 1)]}, r"Column 'mem' holds -2e\+30 in row 0 .* at most 1e\+30"),
        ({"mem": ["1", "two", *map(str, range(N - 2))]}, "Column 'mem' holds 'two' in row 1"),
        (
            {"timestamp": ["x"] * N},
            "Column 'timestamp' holds 'x' in row 0 .*, which cannot be read as a date",
        ),
    ],
)
def test_nothing_to_learn_from(changes, message):
    with pytest.raises(InputError, match=message):
        read_series(table().assign(**changes))


def test_text_in_a_column_that_was_asked_for():
    with pytest.raises(InputError, match=r"Column 'host' holds 'a' in row 0 .*; expected a number"):
        read_series(table(host="a"), values="host")
    with pytest.raises(InputError, match="Column 'timestamp' holds '2024-01-01 00:00:00'"):
        read_series(table(), values="timestamp")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame(), r"shape \(0, 0\); expected at least one row"),
        (pd.DataFrame({"x": []}), r"shape \(0, 1\)"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"]), "Two columns are called 'x'"),
        (
            pd.DataFrame({"timestamp": STAMPS}),
            "There is no numeric column beside timestamp, taken for the time",
        ),
        (
            pd.DataFrame({"index": range(9), "label": [0] * 9}),
            "There is no numeric column beside index, label, taken for the time or the labels; expected",
        ),
    ],
)
def test_frames_without_a_series(frame, message):
    with pytest.raises(InputError, match=message):
        read_series(frame)


def test_about_tells_everything():
    frame = table(label=0).drop(index=[5, 6]).reset_index(drop=True)
    assert read_series(frame, name="pump").about.splitlines() == [
        "pump: 58 rows, 2 channels, every 15 min",
        "from 2024-01-01 00:00 to 2024-01-01 14:45",
        "training part: the first 29 rows (50%)",
        "labels: 0 rows marked anomalous (0.0%)",
        "- 1 gap (2 missing points), the longest 45 min from 2024-01-01 01:00",
    ]


def test_no_row_is_lost():
    """Duplicates, gaps, an hour told twice and a row out of order: one row in, one row out."""
    stamps = [*STAMPS[:9], *STAMPS[5:30], *STAMPS[29:31], *STAMPS[40:]]
    frame = pd.DataFrame({"when": stamps, "value": np.arange(len(stamps), dtype=float)})
    series = read_series(frame)
    assert len(series) == len(series.index) == len(series.values) == len(stamps)
    np.testing.assert_array_equal(series.to_rows(np.arange(series.n_cells)), series.cells)
