"""The threshold explorer while scores keep coming: as if it had been made of all of them."""

import numpy as np
import pytest

from vaenb.errors import InputError
from vaenb.view_models.threshold import ThresholdView
from vaenb.view_models.threshold_growth import grown
from vaenb.view_models.threshold_inputs import from_pieces

N = 600


def some(n=N, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.exponential(size=n)
    return scores, rng.normal(size=(n, 2)), rng.random(n) < 0.05


def made(n, **more):
    scores, values, labels = some()
    chosen = {"values": values[:n], "labels": labels[:n], "calibration": (50, 200), "window_size": 4}
    return ThresholdView(from_pieces(scores[:n], **{**chosen, **more}))


def grow(view, scores, **more):
    at = more.get("first")
    at = len(view.pieces) if at is None else at
    view.take(grown(view.pieces, scores, **more), at)


def test_grown_it_is_what_it_would_be_if_made_of_all():
    scores, values, labels = some()
    view, whole = made(300), made(N)
    for at in range(300, N, 50):
        part = slice(at - 20, at + 50)  # the last twenty come anew
        grow(view, scores[part], values=values[part], labels=labels[part], first=at - 20)
    for each in (view, whole):
        each.move_to(2.5)
    assert view.metrics == whole.metrics
    for name in ("start", "stop", "peak", "score", "severity"):
        np.testing.assert_array_equal(getattr(view.events, name), getattr(whole.events, name))
    np.testing.assert_array_equal(view.pieces.values, whole.pieces.values)
    np.testing.assert_array_equal(view.costs.threshold, whole.costs.threshold)
    np.testing.assert_array_equal(view.labelled.start, whole.labelled.start)
    assert view.pieces.timeline.n_cells == N
    np.testing.assert_allclose(view.heights, view.scale(scores))


def test_what_was_set_stays():
    view = made(300)
    view.move_to(1.75)
    view.merge_gap, view.min_length, view.cost, view.part = 7, 2, 50, "all"
    scale, rules = view.scale, view.rules
    grow(view, np.full(100, 0.5))
    assert (view.threshold, view.rule, view.merge_gap, view.min_length) == (1.75, None, 7, 2)
    assert (view.cost, view.part) == (50, "all")
    assert view.scale is scale
    assert view.rules is rules


def test_scores_beyond_the_axis_change_it():
    view = made(300)
    view.move_to(1.75)
    grow(view, [1.0, 500.0])
    assert view.scale.high > 500
    np.testing.assert_allclose(view.heights, view.scale(view.pieces.scores))
    assert 0 <= np.nanmin(view.heights) <= np.nanmax(view.heights) <= 1
    grow(view, [1.0], thresholds=[900.0])
    assert view.scale.high > 900


def test_thresholds_and_labels_that_nobody_gives_stay_as_they_were():
    view = made(300)
    before = view.pieces.labels.copy()
    grow(view, np.ones(20), thresholds=np.arange(20.0))
    grow(view, np.ones(30), first=310, thresholds=np.full(30, np.nan))
    expected = np.concatenate([np.full(300, np.nan), np.arange(20.0), np.full(20, np.nan)])
    np.testing.assert_array_equal(view.pieces.thresholds, expected)
    grow(view, np.ones(200), first=200)
    np.testing.assert_array_equal(view.pieces.labels[:300], before)
    assert not view.pieces.labels[300:].any()
    assert np.isnan(view.pieces.values[200:]).all()


@pytest.mark.parametrize(
    ("scores", "more", "said"),
    [
        ([1.0], {"first": 301}, "from 301 to before 302, and there are 300"),
        ([1.0], {"first": 10}, "must begin among them or right behind, and reach their end"),
        ([np.inf], {}, "infinite"),
        (
            [1.0],
            {"values": [[1.0, 2.0, 3.0]]},
            r"values of the new scores has shape \(1, 3\); expected \(1, 2\)",
        ),
        ([1.0, 2.0], {"thresholds": [1.0]}, "thresholds of the new scores"),
        ([1.0], {"labels": [1, 0]}, "labels of the new scores"),
        ([[1.0]], {}, "scores has shape"),
    ],
)
def test_what_does_not_fit_is_refused(scores, more, said):
    view = made(300)
    before = view.pieces
    with pytest.raises(InputError, match=said):
        grow(view, scores, **more)
    assert view.pieces is before
