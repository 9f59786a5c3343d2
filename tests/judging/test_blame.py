"""Whom an event is to blame on, against a naive reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaenb.judging.blame import evenly, normal_parts, share_blame
from vaenb.windows import make_windows

WINDOW = 8


def mean_by_channel(windows):
    """What stands for a model here: a channel adds its mean to the score of a window."""
    return windows.array.mean(axis=1).astype(np.float64)


def naive(values, first, last, normal):
    """Every window that touches the event, one after the other."""
    touching = [
        values[start : start + WINDOW].mean(axis=0)
        for start in range(len(values) - WINDOW + 1)
        if start <= last and start + WINDOW > first
    ]
    blame = np.maximum(np.mean(touching, axis=0) - normal, 0)
    return blame / blame.sum() if blame.sum() > 0 else np.full(len(blame), 1 / len(blame))


@given(st.integers(0, 10_000), st.integers(1, 4), st.data())
@settings(max_examples=60, deadline=None)
def test_shares_are_those_of_the_naive_way(seed, n_channels, data):
    values = np.random.default_rng(seed).normal(size=(60, n_channels)).astype(np.float32)
    normal = np.random.default_rng(seed + 1).normal(size=n_channels) / 4
    first = data.draw(st.lists(st.integers(0, 59), min_size=1, max_size=3))
    last = [data.draw(st.integers(begin, min(begin + 40, 59))) for begin in first]
    windows = make_windows(values, WINDOW)
    found = share_blame(
        windows, np.array(first), np.array(last), normal=normal, score_channels=mean_by_channel
    )
    expected = [naive(values, *ends, normal) for ends in zip(first, last, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_all_events_are_looked_at_in_one_call_and_long_ones_thinly():
    calls = []

    def count(windows):
        calls.append(len(windows))
        return np.ones((len(windows), 2))

    windows = make_windows(np.zeros((5000, 2)), WINDOW)
    first, last = np.array([0, 100, 3000]), np.array([0, 4999, 3001])
    share_blame(windows, first, last, normal=np.zeros(2), score_channels=count)
    assert calls == [1 + 64 + 9]


def test_no_event_has_no_shares():
    none = np.empty(0, dtype=np.int64)
    found = share_blame(
        make_windows(np.zeros((20, 3)), WINDOW),
        none,
        none,
        normal=np.zeros(3),
        score_channels=mean_by_channel,
    )
    assert found.shape == (0, 3)


def test_windows_without_a_score_blame_nobody():
    windows = make_windows(np.zeros((20, 2)), WINDOW)
    found = share_blame(
        windows,
        np.array([4]),
        np.array([6]),
        normal=np.zeros(2),
        score_channels=lambda some: np.full((len(some), 2), np.nan),
    )
    np.testing.assert_array_equal(found, [[0.5, 0.5]])


def test_the_normal_part_is_the_median_of_some_windows():
    values = np.random.default_rng(0).normal(size=(3000, 2))
    windows = make_windows(values, WINDOW)
    expected = np.median(mean_by_channel(windows[evenly(len(windows), 512)]), axis=0)
    np.testing.assert_array_equal(normal_parts(windows, mean_by_channel), expected)


@pytest.mark.parametrize(("n", "most"), [(1, 5), (5, 5), (6, 5), (1000, 64)])
def test_places_are_evenly_spread_from_the_first_to_the_last(n, most):
    places = evenly(n, most)
    assert (places[0], places[-1]) == (0, n - 1)
    assert len(places) == min(n, most)
    steps = np.diff(places)
    assert not len(steps) or steps.max() - steps.min() <= 1
