"""Streams, against `decision_function` of everything so far; what they refuse; what they follow."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vaenb
from vaenb.errors import InputError
from vaenb.inputs import SamplingWarning

SIZE = 16
CLOSE = {"rtol": 2e-5, "atol": 2e-6}  # of float32: other batches, other orders of sums
KINDS = {
    "lengths": {},
    "point": {"vote": "point"},
    "window": {"vote": "window", "method": "elbo"},
}


def made_frame(n, *, n_channels=1, seed=0, start="2024-01-01"):
    rng = np.random.default_rng(seed)
    t = np.arange(n)[:, None] + np.arange(n_channels)
    values = np.sin(t / 5) + 0.1 * rng.normal(size=(n, n_channels))
    values[n // 2 : n // 2 + 9] += 3
    index = pd.date_range(start, periods=n, freq="10min")
    return pd.DataFrame(values, index=index, columns=[f"c{i}" for i in range(n_channels)])


def fitted(frame, **more):
    chosen = {"window_size": SIZE, "hidden": (16,), "latent_dim": 2, "n_samples": 2, "epochs": 1}
    return vaenb.VAEDetector(**{**chosen, "steps_per_epoch": 20, **more}).fit(frame)


@pytest.fixture(scope="module")
def frame():
    return made_frame(1_300)


@pytest.fixture(scope="module")
def detectors(frame):
    return {name: fitted(frame[:600], **more) for name, more in KINDS.items()}


@pytest.fixture(scope="module")
def detector(detectors):
    return detectors["lengths"]


def fed(stream, frame, sizes):
    """Feed a frame in chunks; yield the rows so far and what update returned."""
    at = 0
    for size in sizes:
        part = frame.iloc[at : at + size]
        if not len(part):
            return
        at += len(part)
        yield at, stream.update(part)


def damaged(frame):
    """With missing values, missing rows, a long gap and a repeated time."""
    found = frame.copy()
    found.iloc[40:44] = np.nan
    found.iloc[300:390] = np.nan
    keep = np.ones(len(found), dtype=bool)
    keep[500:507] = keep[620:640] = False
    found = found[keep]
    later = found.index.to_series()
    later.iloc[800:] += pd.Timedelta(days=30)  # more than 1,000 points
    found.index = pd.DatetimeIndex(later)
    return pd.concat([found.iloc[:701], found.iloc[700:701] + 0.5, found.iloc[701:]])


# ---------------------------------------------------------------------- the same numbers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [[1] * 150, [7] * 60, [1_000, 300], [3, 100, 1, 1, 250, 64, 17]])
def test_what_update_returns_is_decision_function_of_everything_so_far(detectors, frame, kind, sizes):
    detector = detectors[kind]
    stream = vaenb.Stream(detector)
    told = list(fed(stream, frame, sizes))
    for at, found in told[:: max(1, len(told) // 6)]:
        pd.testing.assert_index_equal(found.index, frame.index[at - len(found) : at], exact="equiv")
        if at >= SIZE:
            expected = detector.decision_function(frame[:at])
            np.testing.assert_allclose(found["score"], expected[-len(found) :], **CLOSE)
    now = stream.scores()
    np.testing.assert_allclose(now["score"], detector.decision_function(frame[: told[-1][0]]), **CLOSE)
    assert now.index.equals(frame.index[: told[-1][0]])


@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(1, 150), min_size=4, max_size=12), st.sampled_from(sorted(KINDS)))
def test_missing_rows_gaps_and_repeated_times(detectors, frame, sizes, kind):
    rows = damaged(frame)
    stream = vaenb.Stream(detectors[kind])
    told = list(fed(stream, rows, [*sizes, 10_000]))
    for at, found in told[-3:]:
        if at < SIZE:
            continue
        expected = detectors[kind].decision_function(rows[:at])
        np.testing.assert_allclose(found["score"], expected[-len(found) :], **CLOSE)
    np.testing.assert_allclose(stream.scores()["score"], detectors[kind].decision_function(rows), **CLOSE)


def test_chunks_that_are_large_enough_give_the_very_same_bits(detector, frame):
    long = pd.concat([frame] * 3).set_index(pd.date_range("2024-01-01", periods=3 * len(frame), freq="10min"))
    found = vaenb.Stream(detector).update(long)
    np.testing.assert_array_equal(found["score"], detector.decision_function(long))


def test_many_channels(frame):
    wide = made_frame(700, n_channels=3)
    wide.iloc[450:470, 1] = np.nan
    detector = fitted(wide[:400])
    stream = detector.start_stream(wide[:380])
    list(fed(stream, wide[380:], [1, 30, 1, 1, 200, 1_000]))
    np.testing.assert_allclose(stream.scores()["score"], detector.decision_function(wide), **CLOSE)


def test_what_is_settled_stays_and_the_rest_settles(detector, frame):
    stream = vaenb.Stream(detector)
    seen = []
    for _at, _ in fed(stream, frame, [100] * 13):
        now = stream.scores()
        seen.append(now["score"][now["settled"] == 1])
    assert 0 < len(seen[2]) < len(seen[5]) < len(seen[-1])
    assert len(seen[-1]) > len(frame) - 6 * SIZE
    for before in seen:
        np.testing.assert_array_equal(before, seen[-1][: len(before)])


def test_a_history_gives_the_first_points_their_past(detector, frame):
    detector.start_stream(frame[:900])
    found = detector.update(frame[900:901])
    expected = detector.decision_function(frame[:901])
    np.testing.assert_allclose(found["score"], expected[-1:], **CLOSE)
    now = detector.stream_.scores()
    assert now["threshold"].isna().tolist() == [True] * 900 + [False]
    np.testing.assert_allclose(now["score"], expected, **CLOSE)


def test_until_there_is_a_window_there_are_no_scores(detector, frame):
    stream = vaenb.Stream(detector)
    for at in range(SIZE - 1):
        found = stream.update(frame.iloc[at])
        assert np.isnan(found["score"]).all()
        assert found["flag"].tolist() == [0]
        assert found["threshold"].tolist() == [detector.threshold_]
    assert stream.scores()["score"].isna().all()
    assert np.isfinite(stream.update(frame.iloc[SIZE - 1])["score"]).all()
    assert np.isfinite(stream.scores()["score"]).all()
    assert (stream.n_rows, stream.n_cells) == (SIZE, SIZE)


def test_a_stream_of_nothing_but_missing_values_has_no_scores_until_one_is_known(detector, frame):
    rows = frame[:60].copy()
    rows.iloc[:50] = np.nan
    stream = vaenb.Stream(detector)
    assert stream.update(rows[:40])["score"].isna().all()
    stream.update(rows[40:])
    np.testing.assert_allclose(stream.scores()["score"], detector.decision_function(rows), **CLOSE)


# ---------------------------------------------------------------------- what is handed over


def test_points_come_in_any_form(detector, frame):
    part = frame[:80]
    expected = vaenb.Stream(detector).update(part)["score"].to_numpy()
    text = part.reset_index(names="zeit").astype({"zeit": str})
    forms = {
        "record": vaenb.read_series(part),
        "text": text,
        "column of dates": part.reset_index(names="when"),
        "with other columns": part.assign(c1=1.0, note="x"),
        "pandas Series": part["c0"],
        "zone": part.tz_localize("UTC"),
        "array": part.to_numpy(),
        "flat": part.to_numpy()[:, 0],
        "list": part["c0"].tolist(),
        "no index": part.reset_index(drop=True),
    }
    for name, form in forms.items():
        found = vaenb.Stream(detector).update(form)
        np.testing.assert_allclose(found["score"], expected, **CLOSE, err_msg=name)
    assert found.index.tolist() == list(range(80))


def test_single_points_come_in_any_form():
    wide = made_frame(500, n_channels=3)
    detector = fitted(wide[:300])
    whole = detector.decision_function(wide[:331])
    stream = vaenb.Stream(detector, wide[:330])
    assert stream.update(wide.iloc[330]).index.tolist() == [wide.index[330]]
    np.testing.assert_allclose(stream.scores()["score"], whole, **CLOSE)
    numbered = vaenb.Stream(detector, wide[:330].to_numpy())
    assert numbered.update(wide.reset_index(drop=True).iloc[330]).index.tolist() == [330]
    counted = vaenb.Stream(detector, wide[:330].to_numpy())
    found = counted.update(wide.iloc[330].to_numpy())
    assert found.index.tolist() == [330]
    np.testing.assert_allclose(found["score"], whole[-1:], **CLOSE)


def test_no_points_are_no_trouble(detector, frame):
    stream = vaenb.Stream(detector)
    assert stream.scores().empty
    assert stream.update(frame[:0]).empty
    stream.update(frame[:50])
    assert stream.update(np.empty((0, 1))).columns.tolist() == ["score", "threshold", "flag"]
    assert stream.n_rows == 50


def test_another_interval_is_told_once(detector):
    hourly = made_frame(120).set_index(pd.date_range("2024-01-01", periods=120, freq="h"))
    stream = vaenb.Stream(detector)
    with pytest.warns(SamplingWarning, match="a point every 1 h; the detector .* every 10 min"):
        stream.update(hourly[:60])
    stream.update(hourly[60:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SamplingWarning)
        expected = detector.decision_function(hourly)
    np.testing.assert_allclose(stream.scores()["score"], expected, **CLOSE)


# ---------------------------------------------------------------------- what is refused


def bad(frame):
    inf = frame[200:210].copy()
    inf.iloc[3] = np.inf
    return {
        "time goes back": (frame[150:160], "Time goes back: 2024-01-02 01:00 comes after 2024-01-02 09:10"),
        "within": (frame[200:210][::-1], "Time goes back"),
        "channels": (frame[200:210].rename(columns={"c0": "x"}), "channels are 'x'; .* fitted on 'c0'"),
        "shape": (np.ones((4, 3)), r"shape \(4, 3\); fitted was a detector of 1"),
        "infinite": (inf, "holds inf in row 3"),
        "text": (frame[200:203].assign(c0=["1", "2", "high"]), "holds 'high' in row 2"),
        "no dates": (np.ones(3), "points so far had dates, the new ones have none"),
        "object": (object(), "cannot be read as numbers"),
        "nothing": (None, "NoneType, which cannot be read as numbers"),
    }


def test_what_is_refused_changes_nothing(detector, frame):
    stream = vaenb.Stream(detector, threshold="dspot")
    stream.update(frame[:200])
    before, stands = stream.scores(), stream.rule.to_dict()
    for points, said in bad(frame).values():
        with pytest.raises(InputError, match=said):
            stream.update(points)
        pd.testing.assert_frame_equal(stream.scores(), before)
    assert stream.rule.to_dict() == stands
    stream.update(frame[200:])
    np.testing.assert_allclose(stream.scores()["score"], detector.decision_function(frame), **CLOSE)


@pytest.mark.parametrize("where", ["extend", "forget"])
def test_who_interrupts_has_the_stream_as_it_was(detector, frame, monkeypatch, where):
    stream = vaenb.Stream(detector, threshold="dspot")
    stream.update(frame[:300])
    before = stream.scores()

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stream._weigher, where, stopped)
        with pytest.raises(KeyboardInterrupt):
            stream.update(frame[300:])
    pd.testing.assert_frame_equal(stream.scores(), before)
    stream.update(frame[300:])
    np.testing.assert_allclose(stream.scores()["score"], detector.decision_function(frame), **CLOSE)


def test_an_unfitted_detector_has_no_stream():
    with pytest.raises(InputError, match="not fitted"):
        vaenb.VAEDetector().update([1.0])
    with pytest.raises(InputError, match="not fitted"):
        vaenb.Stream(vaenb.VAEDetector())


# ---------------------------------------------------------------------- thresholds


def test_the_threshold_is_the_detectors_own_or_another(detector, frame):
    for threshold, expected in ((None, detector.threshold_), (2.5, 2.5)):
        found = vaenb.Stream(detector, frame[:300], threshold=threshold).update(frame[300:800])
        assert set(found["threshold"]) == {expected}
        np.testing.assert_array_equal(found["flag"], found["score"] > expected)
    assert found["flag"].any()
    with pytest.raises(InputError, match="is no threshold"):
        vaenb.Stream(detector, threshold="magic")


def test_dspot_follows_the_scores_as_they_came(detector, frame):
    stream = vaenb.Stream(detector, frame[:600], threshold=vaenb.DSPOT(depth=20, level=0.9))
    told = pd.concat([found for _, found in fed(stream, frame[600:], [1] * 30 + [50] * 20)])
    rule = vaenb.DSPOT(depth=20, level=0.9).fit(
        detector.calibration_scores_, window_size=SIZE, points_per_day=144
    )
    np.testing.assert_array_equal(told["threshold"], rule.update(told["score"].to_numpy()))
    assert told["threshold"].nunique() > 100
    np.testing.assert_array_equal(stream.scores()["threshold"][600:], told["threshold"])
    assert stream.rule.threshold_ == rule.threshold_


def test_a_detector_with_dspot_streams_with_it_and_keeps_its_own(frame):
    detector = fitted(frame[:600], threshold="dspot:0.01")
    before = detector.threshold_
    assert detector.update(frame[:700])["threshold"].nunique() > 100
    assert detector.rule_.threshold_ == detector.threshold_ == before


# ---------------------------------------------------------------------- several, copies, files


def test_streams_of_one_detector_do_not_know_each_other(detector, frame):
    one, other = vaenb.Stream(detector), vaenb.Stream(detector)
    one.update(frame[:200])
    other.update(frame[100:400])
    twin = copy.copy(one)
    one.update(frame[200:500])
    twin.update(frame[200:260] + 1)
    changed = pd.concat([frame[:200], frame[200:260] + 1])
    for stream, seen in ((one, frame[:500]), (other, frame[100:400]), (twin, changed)):
        np.testing.assert_allclose(stream.scores()["score"], detector.decision_function(seen), **CLOSE)


def test_copies_files_and_fits_begin_afresh(frame, tmp_path):
    detector = fitted(frame[:400])
    detector.update(frame[:100])
    assert not hasattr(copy.copy(detector), "stream_")
    assert "stream_" not in detector.__getstate__()
    detector.save(tmp_path / "pump.vaenb")
    again = vaenb.load(tmp_path / "pump.vaenb")
    assert again.start_stream(frame[:100]).n_rows == 100
    both = [each.update(frame[100:150])["score"] for each in (detector, again)]
    np.testing.assert_allclose(*both, **CLOSE)
    stream = detector.stream_
    old = detector.decision_function(frame[:200])
    detector.set_params(seed=5).fit(frame[:400])
    assert not hasattr(detector, "stream_")
    stream.update(frame[150:200])
    np.testing.assert_allclose(stream.scores()["score"], old, **CLOSE)


def test_the_state_of_a_detector_can_be_pickled_but_for_its_model(detector):
    state = {name: value for name, value in detector.__getstate__().items() if name != "model_"}
    assert pickle.loads(pickle.dumps(state)).keys() == state.keys()


# ---------------------------------------------------------------------- as long as it likes


def test_an_update_asks_as_few_windows_and_compiles_nothing_after_a_thousand_points(detector, frame):
    from vaenb.lending import stand_in

    stream, asked = vaenb.Stream(detector, frame[:100]), []
    votes = stream._votes
    stream._votes = lambda windows: asked.append(len(windows)) or votes(windows)
    for at in range(100, 110):
        stream.update(frame.iloc[at])
    stream.update(frame[110:210])
    with stand_in(detector.model_) as vae:
        compiled = len(vae.graphs)
    for at in range(210, 400):
        stream.update(frame.iloc[at])
    stream.update(frame[400:510])
    assert asked == [1] * 10 + [100] + [1] * 190 + [110]
    with stand_in(detector.model_) as vae:
        assert len(vae.graphs) == compiled


def test_it_forgets_what_is_older_than_it_shall_keep(detector, frame):
    stream = vaenb.Stream(detector, keep=200)
    list(fed(stream, frame, [37] * 40))
    now, expected = stream.scores(), detector.decision_function(frame)
    assert 200 <= len(now) <= 2 * 200 + 37
    np.testing.assert_allclose(now["score"], expected[-len(now) :], **CLOSE)
    assert now.index.equals(frame.index[-len(now) :])
    twin = vaenb.Stream(detector, keep=1)
    list(fed(twin, frame, [37] * 40))
    assert len(twin.scores()) > 4 * SIZE
    np.testing.assert_allclose(twin.scores()["score"], expected[-len(twin.scores()) :], **CLOSE)


def test_who_listens_is_told_what_is_new(detector, frame):
    stream, told = vaenb.Stream(detector, frame[:300]), []
    stream.on_update(lambda each: told.append(each.newest()))
    found = stream.update(frame[300:340])
    newest = told[0]
    np.testing.assert_array_equal(newest.cells, np.arange(300, 340))
    np.testing.assert_array_equal(newest.thresholds, found["threshold"])
    np.testing.assert_array_equal(newest.scores[-40:], found["score"])
    np.testing.assert_array_equal(newest.values[-40:], frame[300:340])
    assert newest.first + len(newest.scores) == 340
    stream.update(frame[340:1_000])  # more than it keeps
    later = told[1]
    assert later.first <= newest.first + len(newest.scores) < 1_000
    assert later.first + len(later.scores) == 1_000
    stream.update(frame[1_000:1_001])
    assert told[2].first <= 1_000 - 4 * SIZE
    stream.off_update(stream._listeners[0])
    stream.update(frame[1_001:1_010])
    assert len(told) == 3
