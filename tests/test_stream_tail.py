"""The end of a stream, against the whole series: votes, gaps, lengths, whatever the chunks. No model."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from vaenb.multiscale import MultiScale
from vaenb.reading.grid import lay_grid
from vaenb.stream_log import Log
from vaenb.stream_points import Clock
from vaenb.stream_tail import Weigher
from vaenb.windows import VoteCounter

SIZE = 6


def ask(values):
    """What made-up windows say of each point; NaN where it is missing."""
    if len(values) < SIZE:
        return np.empty((0, SIZE))
    windows = sliding_window_view(values[:, 0], SIZE)
    usual = np.nan_to_num(np.nanmean(np.where(np.isnan(windows), 0.0, windows), axis=1, keepdims=True))
    return (windows - usual) ** 2


def whole(values, lengths):
    """Errors and scores of the whole series, as `VAEDetector` has them."""
    votes = VoteCounter(len(values), SIZE)
    said = ask(values)
    votes.add(said, np.arange(len(said)))
    errors = votes.mean()
    nobody = np.isnan(errors)
    if nobody.all():
        return np.full(len(values), np.nan)
    if lengths is not None:
        return lengths.transform(errors)
    errors[nobody] = np.interp(np.flatnonzero(nobody), np.flatnonzero(~nobody), errors[~nobody])
    return errors


@pytest.fixture(scope="module")
def lengths():
    return MultiScale(SIZE).fit(np.abs(np.random.default_rng(0).normal(size=400)))


chunks = st.lists(st.integers(1, 40), min_size=1, max_size=12)
holes = st.lists(st.tuples(st.integers(0, 220), st.integers(1, 90)), max_size=3)


@settings(deadline=None, max_examples=150)
@given(chunks, holes, st.integers(0, 1000), st.booleans(), st.sampled_from([0.0, 0.2]))
def test_however_it_is_cut_the_scores_are_those_of_the_whole(lengths, sizes, gaps, seed, weighs, repeats):
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    values = rng.normal(size=(n, 1))
    for first, length in gaps:
        values[first : first + length] = np.nan
    cells = np.maximum.accumulate(np.arange(n) - np.cumsum(rng.random(n) < repeats))
    cells -= cells[0]
    scale = lengths if weighs else None
    weigher = Weigher(SIZE, n_channels=1, lengths=scale)
    tail, at, settled = weigher.nothing(), 0, []
    for size in sizes:
        rows = slice(at, at + size)
        before = tail.n_settled
        tail = weigher.extend(tail, values[rows], cells[rows], ask)
        at += size
        grid = on_grid(values[:at], cells[:at])
        expected = whole(grid, scale) if len(grid) >= SIZE else np.full(len(grid), np.nan)
        np.testing.assert_allclose(tail.scores, expected[tail.base :], rtol=1e-9, atol=1e-12)
        settled += tail.scores[before - tail.base : tail.n_settled - tail.base].tolist()
        tail = weigher.forget(tail)
        assert tail.n_cells == len(grid)
    np.testing.assert_allclose(settled, whole(grid, scale)[: len(settled)], rtol=1e-9, atol=1e-12)


def on_grid(values, cells):
    found = np.full((cells[-1] + 1, 1), np.nan)
    for cell in range(len(found)):
        known = values[cells == cell]
        known = known[~np.isnan(known)]
        found[cell] = known.mean() if len(known) else np.nan
    return found


def test_a_tail_does_not_grow_with_the_stream(lengths):
    weigher = Weigher(SIZE, n_channels=1, lengths=lengths)
    rng, tail, kept = np.random.default_rng(0), weigher.nothing(), []
    for at in range(0, 3_000, 5):
        tail = weigher.forget(weigher.extend(tail, rng.normal(size=(5, 1)), np.arange(at, at + 5), ask))
        kept.append(len(tail.scores))
    assert kept[-1] == kept[100]
    assert kept[-1] <= 10 * SIZE
    assert tail.n_settled > 2_900


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 7), min_size=12, max_size=60), st.integers(1, 9), st.integers(0, 100))
def test_a_clock_lays_the_grid_of_the_whole_series(steps, chunk, seed):
    # Steps of nothing (a repeated time), one, and several; mostly one, so that the usual step is plain.
    rng = np.random.default_rng(seed)
    steps = np.array([step if rng.random() < 0.2 else 1 for step in steps] + [1] * 40)
    steps[rng.integers(len(steps))] = 1_500  # a gap that is shortened
    times = np.concatenate([[0], np.cumsum(steps)]) * 60 * 10**9
    grid = lay_grid(times.astype("datetime64[ns]"))
    assume(not any("too uneven" in repair for repair in grid.repairs))  # which only the whole can tell
    clock = Clock(first=int(times[0]), interval=60e9, last=int(times[0]))
    found = []
    for at in range(0, len(times), chunk):
        cells, clock = clock.place_rows(times[at : at + chunk])
        found += cells.tolist()
    assert found == grid.cells.tolist()


def test_a_log_grows_and_forgets():
    log, held = Log(float), []
    for at in range(0, 5_000, 50):
        log.write(at, np.arange(at, at + 50.0))
        held += range(at, at + 50)
        if at == 2_000:
            log.forget(1_900)
    assert log.first == 1_900
    assert log.read(1_900, 5_000).tolist() == held[1_900:]
    twin = log.copy()
    log.write(4_990, np.zeros(10))
    assert twin.read(4_990, 5_000).tolist() == held[4_990:]
