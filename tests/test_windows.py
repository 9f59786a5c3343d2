"""Windows and the series they are cut from: against loops that cannot be wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaenb import InputError, Series, make_windows
from vaenb.windows import VoteCounter, average_windows, whole_share, window_starts

SIZES = {"n": st.integers(1, 120), "window_size": st.integers(1, 40), "stride": st.integers(1, 30)}


def naive_windows(values, window_size, stride):
    last = len(values) - window_size
    starts = [start for start in range(last + 1) if start % stride == 0 or start == last]
    return starts, [values[start : start + window_size] for start in starts]


def naive_average(window_values, starts, window_size, n):
    return np.array(
        [
            np.mean(votes) if votes else np.nan
            for place in range(n)
            for votes in [
                [v for v, s in zip(window_values, starts, strict=True) if s <= place < s + window_size]
            ]
        ]
    )


@settings(deadline=None)
@given(**SIZES, channels=st.integers(1, 3))
def test_windows_against_a_loop(n, window_size, stride, channels):
    values = np.random.default_rng(0).normal(size=(n, channels)).astype(np.float32)
    if n < window_size:
        with pytest.raises(InputError, match=f"has {n} points, fewer than one window of {window_size}"):
            make_windows(values, window_size, stride=stride)
        return
    windows = make_windows(values, window_size, stride=stride)
    starts, expected = naive_windows(values, window_size, stride)
    assert windows.starts.tolist() == starts
    np.testing.assert_array_equal(windows.array, expected)
    assert windows.shape == windows.array.shape == (len(starts), window_size, channels)
    assert (len(windows), windows.n_timestamps, windows.n_channels) == (len(starts), n, channels)


@settings(deadline=None)
@given(**SIZES, seed=st.integers(0, 1000))
def test_votes_against_a_loop(n, window_size, stride, seed):
    if n < window_size:
        return
    starts = window_starts(n, window_size, stride=stride)
    votes = np.random.default_rng(seed).normal(size=len(starts))
    found = average_windows(votes, starts, window_size, n)
    np.testing.assert_allclose(found, naive_average(votes, starts, window_size, n), rtol=1e-12, atol=1e-12)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), window_size=st.integers(1, 12), pieces=st.integers(1, 5))
def test_any_starts_in_any_pieces(seed, window_size, pieces):
    rng = np.random.default_rng(seed)
    starts = rng.permutation(60 - window_size + 1)[: rng.integers(1, 30)]
    values = rng.normal(size=len(starts))
    votes = VoteCounter(60, window_size)
    for some in np.array_split(np.arange(len(starts)), pieces):
        votes.add(values[some], starts[some])
    np.testing.assert_allclose(
        votes.mean(), naive_average(values, starts, window_size, 60), rtol=1e-12, atol=1e-12
    )


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000), window_size=st.integers(1, 12), stride=st.integers(0, 4), gaps=st.booleans()
)
def test_votes_by_point_in_pieces(seed, window_size, stride, gaps):
    rng = np.random.default_rng(seed)
    starts = np.arange(0, 61 - window_size, stride) if stride else rng.permutation(61 - window_size)[:20]
    values = rng.normal(size=(len(starts), window_size))
    values[rng.random(values.shape) < 0.4 * gaps] = np.nan
    said = [[] for _ in range(60)]
    for start, row in zip(starts, values, strict=True):
        for offset, value in enumerate(row):
            said[start + offset].append(value)
    expected = [np.nanmean(place) if not np.isnan(place).all() else np.nan for place in said]
    votes = VoteCounter(60, window_size)
    for some in np.array_split(np.arange(len(starts)), 3):
        votes.add(values[some].astype(np.float32), starts[some])
    np.testing.assert_allclose(votes.mean(), expected, rtol=1e-5, atol=1e-6)


def test_every_point_lies_in_a_window():
    for stride in (1, 3, 10, 64, 1000):
        found = average_windows(
            np.ones(len(window_starts(200, 64, stride=stride))),
            window_starts(200, 64, stride=stride),
            64,
            200,
        )
        np.testing.assert_array_equal(found[-64:], 1.0)
        assert stride > 64 or not np.isnan(found).any()


def test_an_enormous_vote_leaves_no_trace_elsewhere():
    votes = np.full(91, 0.5)
    votes[40] = 1e300
    found = average_windows(votes, np.arange(91), 10, 100)
    np.testing.assert_array_equal(np.delete(found, np.arange(40, 50)), 0.5)
    assert (found[40:50] > 1e298).all()


def test_nothing_is_copied():
    values = np.zeros((1000, 2), dtype=np.float32)
    windows = make_windows(values, 50)
    assert windows.values is values
    assert np.shares_memory(windows.array, values)
    assert np.shares_memory(make_windows(values, 50, stride=5).array, values)
    assert windows[100:200].values is values
    assert np.shares_memory(windows[100:200].array, values)


def test_some_of_the_windows():
    values = np.arange(20.0, dtype=np.float32)[:, None]
    windows = make_windows(values, 4)
    for key in (slice(3, 9), slice(None, None, 3), np.array([7, 2, 2]), windows.starts % 5 == 0, slice(0, 0)):
        np.testing.assert_array_equal(windows[key].array, windows.array[key])
        np.testing.assert_array_equal(windows[key].starts, windows.starts[key])


def test_windows_over_a_part_are_the_same_windows():
    values = np.random.default_rng(0).normal(size=(30, 2))
    values[12, 1] = np.nan
    windows = make_windows(values, 4)[10:17]
    over = windows.over(slice(10, 20))
    np.testing.assert_array_equal(over.array, windows.array)
    np.testing.assert_array_equal(np.argwhere(over.missing), [[2, 1]])
    assert over.n_timestamps == 10
    assert np.shares_memory(over.values, windows.values)


def test_missing_points_are_filled_and_told():
    values = np.array([[1, np.nan], [2, 3], [4, 5]])
    windows = make_windows(values, 2, missing=[[False, False], [True, False], [False, False]])
    np.testing.assert_array_equal(windows.values, [[1, 0], [0, 3], [4, 5]])
    np.testing.assert_array_equal(windows.missing, [[False, True], [True, False], [False, False]])
    assert make_windows(values[1:], 2).missing is None
    assert np.isnan(values[0, 1])


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones((2, 2, 2)), {}, r"shape \(2, 2, 2\); expected \(n_timestamps,\) or"),
        (np.ones(9), {"window_size": 0}, "window_size is 0 and stride is 1; both must be whole numbers"),
        (np.ones(9), {"stride": 0}, "window_size is 64 and stride is 0"),
        (np.ones(9), {"window_size": 10}, "has 9 points, fewer than one window of 10"),
    ],
)
def test_what_cannot_be_cut(values, options, message):
    with pytest.raises(InputError, match=message):
        make_windows(values, **options)


def a_series(cells, values, **options):
    values = np.asarray(values, dtype=float).reshape(len(cells), -1)
    defaults = {
        "name": "s",
        "index": np.arange(len(cells)),
        "channels": tuple("ab"[: values.shape[1]]),
        "train_end": 1,
    }
    return Series(values=values, cells=np.array(cells), n_cells=max(cells) + 1, **(defaults | options))


def test_the_grid_of_a_series():
    series = a_series([0, 1, 1, 3, 3], [[1, 1], [2, np.nan], [4, 8], [np.nan, 5], [np.nan, np.nan]])
    np.testing.assert_array_equal(series.grid, [[1, 1], [3, 8], [np.nan, np.nan], [np.nan, 5]])
    np.testing.assert_array_equal(series.to_rows(np.array([10, 11, 12, 13])), [10, 11, 11, 13, 13])


@pytest.mark.parametrize("cells", [[0, 1, 2, 3], [3, 1, 2, 0], [0, 0, 2, 3], [0, 1, 2]])
def test_scores_come_back_on_the_rows(cells):
    """They are copied only where rows are not cells: a long series would fill the memory twice."""
    series, on_cells = a_series(cells, np.zeros(len(cells))), np.arange(4.0)
    on_rows = series.to_rows(on_cells)
    np.testing.assert_array_equal(on_rows, [on_cells[cell] for cell in cells])
    assert np.shares_memory(on_rows, on_cells) == (cells == [0, 1, 2, 3])


def test_an_even_series_is_its_own_grid():
    series = a_series([0, 1, 2], [1, 2, 3])
    assert series.grid is series.values


@pytest.mark.parametrize(
    ("cells", "train_end", "expected"),
    [([0, 1, 2, 3], 2, 2), ([3, 2, 1, 0], 1, 1), ([0, 1, 1, 2], 2, 1), ([0, 5, 9], 2, 6), ([0, 1, 1], 3, 2)],
)
def test_training_cells(cells, train_end, expected):
    assert a_series(cells, np.zeros(len(cells)), train_end=train_end).train_cells == expected


def test_a_series_tells_about_itself():
    stamps = np.array(["2024-01-01T00:00", "2024-01-01T00:00:30", "2024-01-01T00:01:00.5"], "M8[ns]")
    series = a_series(
        [0, 1, 2], [1, 2, 3], index=stamps, interval=30.0, labels=np.array([0, 0, 1], dtype=np.int8)
    )
    assert series.about.splitlines() == [
        "s: 3 rows, 1 channel, every 30 s",
        "from 2024-01-01 00:00 to 2024-01-01 00:01:00.5",
        "training part: the first 1 row (33%)",
        "labels: 1 row marked anomalous (33.3%)",
        "- nothing to repair",
    ]
    assert series.points_per_day == 2880
    frame = series.frame
    np.testing.assert_array_equal(frame.index.to_numpy(), stamps)
    assert (frame.columns.tolist(), frame.index.name) == (["a"], "index")


def test_the_share_of_whole_windows():
    values = np.arange(40.0)
    assert whole_share(make_windows(values, 8)) == 1
    values[[3, 30]] = np.nan
    windows = make_windows(values, 8, stride=3)
    whole = [not np.isnan(values[start : start + 8]).any() for start in windows.starts]
    assert whole_share(windows) == np.mean(whole)
    assert 0 < np.mean(whole) < 1
