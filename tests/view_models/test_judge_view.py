"""The judge's view model: what is listed, in which order, and where verdicts stay."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_evidence import make_evidence

import vaenb
from vaenb.errors import InputError
from vaenb.thresholding import Fixed
from vaenb.view_models import event_list as words
from vaenb.view_models.event_zoom import MOST_CHANNELS, marked, zoom
from vaenb.view_models.judge import Judge
from vaenb.view_models.judge_picture import judge_picture
from vaenb.view_models.stretches import best_overlap, list_stretches
from vaenb.view_models.timeline import View
from vaenb.view_models.verdicts import COLUMNS, default_path


def evidence_at(name, threshold, **more):
    """Evidence whose threshold no other part of the package decides."""
    evidence = make_evidence(name, **more)
    return replace(evidence, rule=Fixed(threshold).fit(evidence.calibration_scores))


@pytest.fixture(scope="module")
def taxi():
    return evidence_at("nyc_taxi", 4.7)


@pytest.fixture(scope="module")
def servers():
    return evidence_at("server_metrics", 13.9)


@pytest.fixture(scope="module")
def waves():
    """Three labelled stretches, all found, one with a clock of minutes."""
    return make_evidence(n_points=6_000)


def flags_of(n, *spans):
    flags = np.zeros(n, dtype=bool)
    for first, stop in spans:
        flags[first:stop] = True
    return flags


# ---------------------------------------------------------------------- what is listed


def naive_list(events, scores, labels, second):
    """What must be listed, one by one: (start, stop, kind)."""
    order = sorted(range(len(events)), key=lambda i: (-events.severity[i], i))
    found = []
    for i in order:
        start, stop = events.start[i], events.stop[i]
        kind = "" if labels is None else "TP" if labels[start:stop].any() else "FP"
        found.append((start, stop, kind))
    missed = []
    flagged = events.flags(len(scores)) > 0
    for marks, kind in ((labels, "FN"), (second, "\u2260")):
        if labels is None or marks is None:
            continue
        for start, stop in zip(*vaenb.events.runs(marks), strict=True):
            beside = flagged if kind == "FN" else flagged | labels
            if not beside[start:stop].any():
                missed.append((start, stop, kind))
    missed.sort(key=lambda m: -scores[m[0] : m[1]].max())
    return [*found, *missed]


bits = st.lists(st.booleans(), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(bits, st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
def test_the_list_is_what_counting_one_by_one_gives(flags, labelled, twice, seed):
    rng = np.random.default_rng(seed)
    n = len(flags)
    scores = rng.permutation(n).astype(float) + np.where(flags, 100, 0)
    labels = rng.random(n) < 0.3 if labelled else None
    second = rng.random(n) < 0.3 if labelled and twice else None
    events = vaenb.find_events(scores, 99.5, normal=10.0)
    found = list_stretches(events, scores, threshold=99.5, normal=10.0, labels=labels, second=second)
    told = list(zip(found.start, found.stop, found.kind, strict=True))
    assert told == naive_list(events, scores, labels, second)
    for i in range(len(found)):
        part = scores[found.start[i] : found.stop[i]]
        assert found.score[i] == part.max() == scores[found.peak[i]]
        assert found.severity[i] == pytest.approx((part.max() - 99.5) / 89.5)
        assert found.first is None or found.first[i] == labels[found.start[i] : found.stop[i]].any()
        assert found.second is None or found.second[i] == second[found.start[i] : found.stop[i]].any()


@settings(max_examples=200, deadline=None)
@given(bits, st.lists(st.tuples(st.integers(-5, 45), st.integers(0, 10)), max_size=6), st.randoms())
def test_the_best_overlap_is_what_counting_one_by_one_gives(flags, spans, random):
    start, stop = vaenb.events.runs(flags)
    order = random.sample(range(len(start)), len(start))
    start, stop = start[order], stop[order]
    first = np.array([begin for begin, _ in spans], dtype=np.int64)
    last = first + np.array([length for _, length in spans], dtype=np.int64)
    found = best_overlap(first, last, start, stop)
    for begin, end, place in zip(first, last, found, strict=True):
        shared = [max(0, min(end + 1, b) - max(begin, a)) for a, b in zip(start, stop, strict=True)]
        if not any(shared):
            assert place == -1
        else:
            best = [i for i, much in enumerate(shared) if much == max(shared)]
            assert place == min(best, key=lambda i: start[i])


def test_events_come_most_severe_first_and_what_was_missed_last(servers):
    judge = Judge(servers, verdicts=None)
    severity = judge.stretches.severity
    n_events = len(judge.events)
    assert (np.diff(severity[:n_events]) <= 0).all()
    assert (np.diff(severity[n_events:]) <= 0).all()
    assert (severity[:n_events] > 0).all()
    assert (severity[n_events:] < 0).all()
    assert judge.order.tolist() == np.argsort(-judge.events.severity, kind="stable").tolist()
    assert set(judge.stretches.kind[n_events:]) == {"FN"}
    assert set(judge.stretches.kind[:n_events]) == {"TP", "FP"}


def test_its_events_are_those_of_the_detector(taxi):
    judge = Judge(taxi, verdicts=None)
    expected = vaenb.find_events(
        taxi.scores, taxi.rule.threshold_, merge_gap=taxi.window_size, normal=taxi.calibration_scores
    )
    assert judge.events.start.tolist() == expected.start.tolist()
    np.testing.assert_allclose(judge.events.severity, expected.severity)
    apart = Judge(taxi, verdicts=None, merge_gap=0)
    assert len(apart.events) >= len(judge.events)


def test_without_a_severity_the_score_ranks():
    scores = np.array([0.0, 5, 0, 9, 0, 7, 0])
    events = vaenb.find_events(scores, 4, normal=6.0)
    found = list_stretches(events, scores, threshold=4, normal=6.0, labels=None, second=None)
    assert np.isnan(events.severity).all()
    assert found.start.tolist() == [3, 5, 1]


@pytest.mark.parametrize(
    ("start", "stop"),
    [([5, 2], [6, 3]), ([0, 4], [5, 8]), ([3], [3]), ([-1], [4]), ([0], [10_321])],
)
def test_events_that_are_none_are_refused(taxi, start, stop):
    start, stop = np.array(start), np.array(stop)
    ones = np.ones(len(start))
    events = vaenb.Events(start=start, stop=stop, peak=start, score=ones, severity=ones)
    with pytest.raises(InputError, match=r"Event \d runs from .* vaenb.find_events gives them"):
        Judge(taxi, events=events, verdicts=None)
    judge = Judge(taxi, verdicts=None)
    before = judge.events
    with pytest.raises(InputError):
        judge.set_events(events)
    assert judge.events is before


def test_a_threshold_that_is_none_is_refused_and_nothing_changes(taxi):
    judge = Judge(taxi, verdicts=None)
    before = judge.threshold
    with pytest.raises(InputError, match="threshold is NaN"):
        judge.set_events(threshold=float("nan"))
    assert judge.threshold == before


# ---------------------------------------------------------------------- where one stands


def test_one_begins_with_the_most_severe_and_walks(servers):
    judge = Judge(servers, verdicts=None)
    assert judge.current == 0
    judge.step(-1)
    assert judge.current == 0
    judge.step(2)
    assert judge.current == 2
    judge.step(1000)
    assert judge.current == len(judge) - 1
    judge.current = np.int64(3)
    assert judge.current == 3


@pytest.mark.parametrize("place", [-1, 11, 99, 1.5, None, "2", True])
def test_a_line_that_is_none_is_refused(servers, place):
    judge = Judge(servers, verdicts=None)
    with pytest.raises(InputError, match=r"expected a line of the list, 0 to 10"):
        judge.current = place
    assert judge.current == 0


def test_the_context_is_three_windows_on_either_side_and_ends_with_the_series(taxi):
    judge = Judge(taxi, verdicts=None)
    start, stop = judge.span
    assert judge.context() == View(start - 3 * 48, stop + 3 * 48)
    n = judge.timeline.n_cells
    scores = np.where(np.arange(n) >= n - 2, 99.0, 0.0)
    at_the_end = Judge(replace(taxi, scores=scores), verdicts=None)
    assert at_the_end.context() == View(n - 2 - 144, n)
    at_the_end.set_events(vaenb.find_events(scores[::-1].copy(), 50.0))
    assert at_the_end.context().first >= 0


def test_the_next_without_a_verdict_is_found_round_the_end(servers):
    judge = Judge(servers, verdicts=None)
    judge.current = len(judge) - 2
    assert judge.next_open() == len(judge) - 1
    judge.current = len(judge) - 1
    assert judge.next_open() == 0
    for place in range(len(judge)):
        judge.current = place
        judge.judge("normal")
    assert judge.next_open() is None


# ---------------------------------------------------------------------- verdicts


def test_a_verdict_is_kept_with_what_was_judged(taxi):
    judge = Judge(taxi, verdicts=None)
    judge.judge("anomaly", "New York Marathon")
    row = judge.verdicts.iloc[0]
    assert list(judge.verdicts.columns) == list(COLUMNS)
    assert (str(row["start"]), str(row["end"])) == ("2014-11-01 19:00:00", "2014-11-02 07:00:00")
    assert (row["verdict"], row["note"]) == ("anomaly", "New York Marathon")
    assert row["score"] == pytest.approx(judge.stretches.score[0], rel=1e-5)
    assert row["severity"] == pytest.approx(judge.stretches.severity[0], rel=1e-5)
    assert row["decided_at"][4] == "-"


def test_a_verdict_changes_keeps_its_note_and_can_be_taken_back(taxi):
    judge = Judge(taxi, verdicts=None)
    judge.judge("anomaly", "first")
    judge.judge("normal")
    assert (judge.verdict_of(0), judge.verdict_on(0).note) == ("normal", "first")
    judge.annotate("second")
    assert (judge.verdict_of(0), judge.verdict_on(0).note) == ("normal", "second")
    judge.judge(None)
    assert (judge.verdict_of(0), judge.verdict_on(0).note) == ("", "second"), "a note stays without a verdict"
    assert judge.annotate("") is None
    assert judge.verdict_on(0) is None
    assert judge.judge(None) is None
    assert len(judge.verdicts) == 0


@pytest.mark.parametrize("word", ["Anomaly", "yes", 1, "a"])
def test_another_word_is_refused(taxi, word):
    with pytest.raises(InputError, match="expected 'anomaly', 'normal', 'unsure', or None"):
        Judge(taxi, verdicts=None).judge(word)


def test_verdicts_stay_with_the_stretch_that_they_overlap_most(waves):
    judge = Judge(waves, verdicts=None, merge_gap=0)
    judge.set_events(threshold=float(np.quantile(waves.scores, 0.98)))
    for place, verdict in ((0, "anomaly"), (1, "normal"), (2, "unsure")):
        judge.current = place
        judge.judge(verdict, f"note {place}")
    before = judge.verdicts
    homes = {judge.verdict_of(i): int(judge.stretches.peak[i]) for i in range(3)}
    for share in (0.99, 0.985, 0.97, 0.98):
        judge.set_events(threshold=float(np.quantile(waves.scores, share)))
        for i in range(len(judge)):
            verdict = judge.verdict_of(i)
            if verdict:
                assert judge.stretches.start[i] <= homes[verdict] < judge.stretches.stop[i]
        assert judge.verdicts.equals(before), "nothing is rewritten because a threshold moved"
    judge.set_events(threshold=1e9)
    assert judge.verdicts.equals(before), "and nothing is lost where no event is left"


def test_of_two_verdicts_on_one_event_the_one_that_overlaps_more_is_shown(taxi):
    judge = Judge(taxi, verdicts=None)

    def events(*spans):
        start, stop = np.array(spans).T
        ones = np.ones(len(spans))
        return vaenb.Events(start=start, stop=stop, peak=start, score=ones, severity=ones[::-1])

    judge.set_events(events((100, 110), (120, 150)))
    judge.current = 0
    judge.judge("normal")
    judge.current = 1
    judge.judge("anomaly")
    judge.set_events(events((95, 160)))
    judge.current = 0
    assert judge.verdict_of(0) == "anomaly"
    assert len(judge.verdicts) == 2
    judge.judge("unsure")
    assert sorted(judge.verdicts["verdict"]) == ["normal", "unsure"], "it replaces the one that was shown"
    judge.set_events(events((100, 105), (106, 110), (119, 160)))
    by_start = {int(judge.stretches.start[i]): judge.verdict_of(i) for i in range(3)}
    assert by_start == {100: "normal", 106: "", 119: "unsure"}, "a verdict is on one event at a time"


def test_the_place_stays_on_the_same_event_when_the_threshold_moves(waves):
    judge = Judge(waves, verdicts=None, merge_gap=0)
    judge.set_events(threshold=float(np.quantile(waves.scores, 0.97)))
    judge.current = 2
    start, stop = judge.span
    judge.set_events(threshold=float(np.quantile(waves.scores, 0.96)))
    now_start, now_stop = judge.span
    assert min(stop, now_stop) > max(start, now_start)
    judge.set_events(threshold=1e9)
    assert judge.stretches.kind[judge.current] == "FN", "only what was missed is left"


def test_missed_stretches_are_judged_like_events(taxi, tmp_path):
    judge = Judge(taxi, verdicts=tmp_path / "v.csv")
    judge.current = 2
    judge.judge("normal", "a wrong label")
    again = Judge(taxi, verdicts=tmp_path / "v.csv")
    assert again.verdict_of(2) == "normal"
    assert words.line(again, 2).kind == "FN"


def test_a_new_panel_finds_the_verdicts_and_keeps_those_of_other_times(taxi, tmp_path):
    path = tmp_path / "v.csv"
    judge = Judge(taxi, verdicts=path)
    judge.judge("anomaly", "n")
    with path.open("a", encoding="utf-8") as file:
        file.write("1999-01-01,1999-01-02,1,1,normal,another year,\n")
    again = Judge(taxi, verdicts=path)
    assert again.verdict_of(0) == "anomaly"
    again.current = 1
    again.judge("unsure")
    assert again.verdicts["note"].tolist() == ["another year", "n", ""]
    assert judge.refresh()
    assert judge.verdict_of(1) == "unsure"
    assert not judge.refresh()


def test_verdicts_without_a_clock_survive_too(servers, tmp_path):
    judge = Judge(servers, verdicts=tmp_path / "v.csv")
    judge.current = 4
    judge.judge("unsure")
    assert (tmp_path / "v.csv").read_text(encoding="utf-8").splitlines()[1].startswith("3549,3552,")
    assert Judge(servers, verdicts=tmp_path / "v.csv").verdict_of(4) == "unsure"


def test_a_gap_in_the_clock_moves_no_verdict(tmp_path):
    import pandas as pd

    index = pd.date_range("2024-01-01", periods=4_000, freq="min").delete(range(500, 700))
    series = vaenb.read_series(pd.DataFrame({"value": np.sin(np.arange(3_800) / 9)}, index=index))
    assert series.n_cells == 4_000
    base = make_evidence(n_points=4_000, labelled=False)
    evidence = replace(base, series=series)
    judge = Judge(evidence, verdicts=tmp_path / "v.csv")
    judge.judge("normal")
    assert str(judge.verdicts["start"][0]) == str(
        pd.Timestamp("2024-01-01") + pd.Timedelta(judge.span[0], "min")
    )
    assert Judge(evidence, verdicts=tmp_path / "v.csv").verdict_of(0) == "normal"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("nyc_taxi", "nyc_taxi_verdicts.csv"),
        ("a/b c:d", "a_b_c_d_verdicts.csv"),
        ("../..", "series_verdicts.csv"),
        ("", "series_verdicts.csv"),
        ("\u00fcber", "\u00fcber_verdicts.csv"),
    ],
)
def test_the_file_is_named_after_the_series(name, file):
    assert default_path(name) == file


def test_the_file_lies_in_the_current_folder(taxi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Judge(taxi).judge("normal")
    assert [p.name for p in tmp_path.iterdir()] == ["nyc_taxi_verdicts.csv"]


# ---------------------------------------------------------------------- labels, or two of them, or none


def test_without_labels_nothing_is_called_true_or_false():
    judge = Judge(evidence_at("nyc_taxi", 4.7, labelled=False), verdicts=None)
    assert set(judge.stretches.kind) == {""}
    assert len(judge) == len(judge.events)
    assert "TP" not in " ".join(piece for piece, _ in words.summary(judge))
    assert words.line(judge, 0).kind == words.line(judge, 0).labelled == ""


def test_other_labels_are_the_labels_where_there_are_no_first_ones(taxi):
    bare = evidence_at("nyc_taxi", 4.7, labelled=False)
    judge = Judge(bare, verdicts=None, other_labels=taxi.labels)
    assert judge.second is None
    assert judge.stretches.kind.tolist() == Judge(taxi, verdicts=None).stretches.kind.tolist()


def test_two_sets_of_labels_are_held_against_each_other(taxi):
    n = taxi.series.n_cells
    event = Judge(taxi, verdicts=None).span
    second = flags_of(n, (10, 20), event)
    judge = Judge(taxi, verdicts=None, other_labels=second)
    assert judge.stretches.kind.tolist() == ["TP", "FN", "FN", "FN", "FN", "\u2260"]
    lines = words.page(judge, 0)
    assert [line.differs for line in lines] == [False, True, True, True, True, True]
    assert lines[0].labelled == "marked in labels and second labels"
    assert lines[1].labelled == "marked in labels"
    assert lines[5].labelled == "marked in second labels"
    assert ("\u2260 labels disagree on 5", "\u2260") in words.summary(judge)
    both, either = (second & (taxi.labels > 0)).sum(), (second | (taxi.labels > 0)).sum()
    assert f"{100 * both / either:.1f}" in words.agreement(judge)


def test_labels_without_a_one_make_all_false(taxi):
    judge = Judge(evidence_at("nyc_taxi", 4.7, labelled=False), verdicts=None, other_labels=np.zeros(10_320))
    assert set(judge.stretches.kind) == {"FP"}
    assert words.agreement(judge) == ""


# ---------------------------------------------------------------------- nothing to judge


def test_no_event_at_all_is_told_with_what_to_do(taxi):
    bare = evidence_at("nyc_taxi", 4.7, labelled=False)
    judge = Judge(bare, verdicts=None)
    judge.set_events(threshold=1e6)
    assert (judge.current, len(judge), judge.next_open()) == (None, 0, None)
    assert words.page(judge, 0) == []
    assert words.empty(judge) == (
        "Nothing to judge: no score lies above the threshold 1,000,000; the highest is 9.453. "
        "A lower threshold (step 5) gives events."
    )
    judge.step(1)
    with pytest.raises(InputError, match="no event to judge"):
        judge.judge("normal")
    with pytest.raises(InputError, match="lower the threshold"):
        judge.current = 0
    assert "Nothing to judge" in judge_picture(judge)
    judge.set_events(threshold=4.7)
    assert judge.current == 0


# ---------------------------------------------------------------------- in words


def test_a_line_says_all_there_is(servers):
    judge = Judge(servers, verdicts=None)
    judge.judge("anomaly", "fan <b>")
    line = words.line(judge, 0)
    assert (line.start, line.lasts, line.score, line.severity) == ("1,272", "2 h", "41.9", "2.1")
    assert line.blamed.startswith("v1 55")
    assert line.is_current
    assert line.told == (
        "1: 1,272, lasts 2 h, score 41.9, severity 2.1, to blame: v1 55\u202f%, FP, "
        "verdict anomaly, note: fan <b>"
    )
    missed = words.line(judge, 7)
    assert missed.needs == "13.9"
    assert "the threshold is 13.9" in missed.told
    assert "not judged yet" in missed.told
    assert words.title(judge) == "Event 1 \u00b7 1,272 \u2013 1,295"
    judge.current = 7
    assert words.title(judge).startswith("Missed 8 \u00b7 ")


def test_a_title_does_not_say_a_day_twice(waves):
    judge = Judge(waves, verdicts=None)
    start, stop = judge.span
    assert (
        words.title(judge)
        == f"Event 1 \u00b7 {words.when(judge, start)} \u2013 {words.when(judge, stop - 1)[11:]}"
    )


def test_one_channel_is_not_blamed(taxi):
    assert words.line(Judge(taxi, verdicts=None), 0).blamed == ""


def test_pages_cut_the_list(waves):
    judge = Judge(waves, verdicts=None, merge_gap=0)
    judge.set_events(threshold=float(np.quantile(waves.scores, 0.8)))
    assert len(judge) > 2 * words.PAGE
    seen = [line.place for first in range(0, len(judge), words.PAGE) for line in words.page(judge, first)]
    assert seen == list(range(len(judge)))
    assert words.first_of_page(words.PAGE) == words.PAGE
    assert words.first_of_page(words.PAGE - 1) == words.first_of_page(None) == 0


def test_how_many_alarms_were_right_by_the_persons_word(servers):
    judge = Judge(servers, verdicts=None)
    assert words.by_verdict(judge) == ""
    for place, verdict in enumerate(["anomaly", "normal", "normal", "unsure"]):
        judge.current = place
        judge.judge(verdict)
    assert words.by_verdict(judge) == "1 of the 3 events you decided is an anomaly"


# ---------------------------------------------------------------------- from near


def test_the_zoom_shows_values_expectation_and_scores(taxi):
    judge = Judge(taxi, verdicts=None)
    view = judge.context()
    found = zoom(judge, view)
    (channel,) = found.channels
    np.testing.assert_array_equal(channel.values, taxi.series.grid[channel.cells, 0])
    np.testing.assert_allclose(channel.mean, taxi.reconstruction[channel.cells, 0])
    np.testing.assert_allclose(channel.high - channel.mean, taxi.spread[channel.cells, 0], rtol=1e-3)
    np.testing.assert_array_equal(found.scores, taxi.scores[found.cells])
    assert found.here == judge.span
    assert found.y[0] <= 0 < taxi.rule.threshold_ < found.y[1]
    assert found.shown == f"{len(view)} of {len(view)} points drawn"
    assert found.labels[0].tolist() == vaenb.events.runs(taxi.labels)[0][:1].tolist()
    assert len(found.second[0]) == len(found.events[0]) == 0


def test_the_most_blamed_channels_stand_first_four_at_most(servers):
    judge = Judge(servers, verdicts=None)
    for place in range(len(judge)):
        judge.current = place
        found = zoom(judge, judge.context())
        shares = judge.blame(place)
        assert shares.sum() == pytest.approx(1)
        assert [c.channel for c in found.channels] == np.argsort(-shares, kind="stable")[
            :MOST_CHANNELS
        ].tolist()
        assert [c.share for c in found.channels] == sorted(shares, reverse=True)[:MOST_CHANNELS]


def test_the_shares_that_come_with_events_count(servers):
    plain = Judge(servers, verdicts=None)
    shares = np.zeros((len(plain.events), 19))
    shares[:, 5] = 1.0
    judge = Judge(servers, verdicts=None, events=replace(plain.events, shares=shares))
    assert zoom(judge, judge.context()).channels[0].channel == 5
    assert judge.blame(len(judge) - 1)[5] != 1.0, "a missed stretch has none of its own"


def test_blame_is_a_plain_mean_beyond_what_is_usual(servers):
    judge = Judge(servers, verdicts=None)
    start, stop = judge.span
    off = ((servers.series.grid - servers.reconstruction) / servers.spread) ** 2
    usual = off[servers.train_stop : servers.calibration_stop].mean(axis=0)
    beyond = np.maximum(off[start:stop].mean(axis=0) - usual, 0)
    np.testing.assert_allclose(judge.blame(0), beyond / beyond.sum(), rtol=1e-3, atol=1e-3)


def test_where_nothing_stands_out_all_share_the_blame(servers):
    judge = Judge(replace(servers, reconstruction=servers.series.grid.astype("f4")), verdicts=None)
    np.testing.assert_allclose(judge.blame(0), 1 / 19, atol=1e-6)


def test_missing_values_do_not_hurt(taxi):
    values = taxi.series.values.copy()
    first, stop = Judge(taxi, verdicts=None).span
    values[first : stop + 30] = np.nan
    judge = Judge(replace(taxi, series=replace(taxi.series, values=values)), verdicts=None)
    found = zoom(judge, judge.context())
    assert np.isnan(found.channels[0].values).sum() == stop + 30 - first
    assert np.isfinite(found.channels[0].y).all()
    assert judge.blame(0).tolist() == [1.0]
    assert "<svg" in judge_picture(judge)


def test_a_long_series_is_thinned_and_no_alarm_is_lost():
    evidence = make_evidence(n_points=300_000, n_sample=50, labelled=False)
    judge = Judge(evidence, verdicts=None)
    found = zoom(judge, View(0, 300_000))
    above = np.flatnonzero(evidence.scores > judge.threshold)
    assert len(found.cells) < 5_000 + len(above)
    assert set(above) <= set(found.cells)
    assert len(found.channels[0].cells) <= 2_002
    assert found.shown.endswith(" of 300,000 points drawn")


def test_the_longest_marks_in_view_are_kept():
    marks = flags_of(2_000, *[(4 * i, 4 * i + 1 + (i % 7 == 0)) for i in range(499)])
    start, stop = marked(marks, View(1, 1_990))
    assert len(start) <= 200
    assert (np.diff(start) > 0).all()
    assert (stop - start == 2).sum() == len(
        [i for i in range(499) if i % 7 == 0 and 4 * i + 2 <= 1_990 and i]
    )
    assert marked(None, View(0, 5))[0].tolist() == []


# ---------------------------------------------------------------------- as a picture


@pytest.mark.parametrize("name", ["nyc_taxi", "server_metrics"])
def test_the_picture_says_what_it_shows(name, taxi, servers):
    import xml.etree.ElementTree as ET

    judge = Judge(taxi if name == "nyc_taxi" else servers, verdicts=None)
    judge.judge("normal", "<&>")
    svg = judge_picture(judge)
    ET.fromstring(svg)
    assert f"{len(judge.events)} event" in svg
    assert "verdict normal, note: &lt;&amp;&gt;" in svg
    assert "Shown from near: 1: " in svg
