"""The thresholds one by one: formulas, naive references, bad input, and their life as text and JSON."""

import copy
import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import vaenb
from vaenb import InputError
from vaenb.records import Scores
from vaenb.thresholding import (
    DSPOT,
    MAD,
    POT,
    AlarmBudget,
    BestF1,
    Conformal,
    ExponentialTail,
    Fixed,
    Percentile,
    ThresholdWarning,
    from_settings,
    parse_threshold,
)

ALL = [
    Percentile(95),
    MAD(),
    ExponentialTail(),
    POT(),
    DSPOT(),
    Conformal(0.05),
    AlarmBudget(per_points=200),
    BestF1(),
    Fixed(3.5),
]
UNSUPERVISED = [t for t in ALL if not isinstance(t, BestF1)]
each = pytest.mark.parametrize("threshold", ALL, ids=repr)
each_unsupervised = pytest.mark.parametrize("threshold", UNSUPERVISED, ids=repr)


def normal_scores(n=1000, seed=0):
    return np.random.default_rng(seed).exponential(size=n)


def half_labels(n):
    return (np.arange(n) % 7 == 0).astype(int)


# Formulas


@settings(deadline=None)
@given(st.integers(10, 60), st.floats(1, 99.5), st.integers(0, 5))
def test_percentile_is_the_lowest_score_that_the_next_one_exceeds_rarely_enough(n, q, seed):
    scores = np.random.default_rng(seed).permutation(n).astype(float)
    found = Percentile(q).fit(scores).threshold_
    enough = [s for s in scores if ((scores > s).sum() + 1) / (n + 1) <= 1 - q / 100 + 1e-12]
    assert found == min(enough, default=scores.max())


def test_percentile_on_the_scores_it_judges_flags_5_percent_by_construction():
    for scores in (normal_scores(2_000), np.sin(np.arange(2_000)), np.arange(2_000.0) ** 3):
        with pytest.warns(ThresholdWarning, match="^5 % flagged by construction"):
            threshold = Percentile(95).fit(scores, judges=scores)
        assert threshold.predict(scores).mean() == pytest.approx(0.05, abs=0.001)
        assert threshold.warnings_[0].startswith("5 % flagged by construction")


def test_mad_is_the_median_and_so_many_robust_standard_deviations():
    scores = np.arange(101.0)
    assert MAD(3).fit(scores).threshold_ == pytest.approx(50 + 3 * 1.4826 * 25)


def test_mad_takes_the_mean_distance_where_half_of_the_scores_are_equal():
    scores = np.concatenate([np.zeros(90), np.full(10, 10.0)])
    threshold = MAD(2).fit(scores)
    assert threshold.threshold_ == pytest.approx(2 * 1.2533 * 1.0)
    assert threshold.warnings_[0].startswith("More than half of the scores are equal")


@pytest.mark.parametrize("law", ["standard_normal", "standard_exponential"])
def test_what_the_mad_docstring_says_3_flags(law):
    scores = getattr(np.random.default_rng(0), law)(200_000)
    said = {"standard_normal": 0.00135, "standard_exponential": 0.059}[law]
    assert MAD(3).fit(scores).flag_rate_ == pytest.approx(said, rel=0.1)


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float64, st.integers(12, 40), elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, np.nan])
    ),
    st.integers(1, 4),
    st.sampled_from([0.1, 0.25, 0.5]),
)
def test_conformal_is_the_lowest_score_within_the_bound(scores, block, alpha):
    if (~np.isnan(scores)).sum() < 10:
        scores = np.arange(12.0)
    cut = scores[len(scores) % block :].reshape(-1, block)
    blocks = [b[~np.isnan(b)] for b in cut if not np.isnan(b).all()]

    def bound(threshold):
        return (1 + sum((b > threshold).mean() for b in blocks)) / (len(blocks) + 1)

    allowed = [s for b in blocks for s in b if bound(s) <= alpha + 1e-12]
    threshold = Conformal(alpha, block=block).fit(scores)
    assert threshold.threshold_ == min(allowed, default=np.nanmax(scores))
    assert any("cannot bound" in said for said in threshold.warnings_) == (not allowed)


def test_conformal_blocks_are_two_windows_long():
    scores = normal_scores(6_400)
    auto = Conformal(0.1).fit(scores, window_size=16)
    assert auto.threshold_ == Conformal(0.1, block=32).fit(scores, window_size=16).threshold_
    assert auto.threshold_ != Conformal(0.1, block=1).fit(scores, window_size=16).threshold_


def test_conformal_with_too_few_blocks_says_what_it_can_bound():
    threshold = Conformal(0.01).fit(normal_scores(640), window_size=32)
    assert threshold.warnings_[0] == (
        "10 blocks cannot bound the flagged share by 1 %, only by 9.1 %: the highest score is the "
        "threshold; 99 blocks would do."
    )
    assert threshold.predict(normal_scores(640)).sum() == 0


@settings(deadline=None)
@given(
    hnp.arrays(np.float64, 12, elements=st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, np.nan])),
    hnp.arrays(np.int8, 12, elements=st.integers(0, 1)),
)
def test_best_f1_is_the_best_of_all_thresholds(scores, labels):
    scores[:2], labels[:2] = (1, 2), (0, 1)

    def f1(threshold):
        flags, truth = scores > threshold, (labels == 1) & ~np.isnan(scores)
        return 2 * (flags & truth).sum() / (flags.sum() + truth.sum())

    threshold = BestF1().fit(scores, labels=labels).threshold_
    candidates = np.unique(scores[~np.isnan(scores)])
    best = max(f1(t) for t in [-1, *candidates])
    assert f1(threshold) == best
    higher = candidates[candidates > threshold]
    assert all(f1(t) < best for t in higher)


def test_best_f1_promises_on_normal_points_only():
    scores, labels = normal_scores(500), half_labels(500)
    scores[labels == 1] += 50
    threshold = BestF1().fit(scores, labels=labels)
    assert threshold.threshold_ > scores[labels == 0].max()
    assert threshold.flag_rate_ < 0.01


def test_best_f1_between_neighbouring_floats():
    low = 1.0
    high = np.nextafter(low, 2)
    threshold = BestF1().fit([low, high], labels=[0, 1])
    assert threshold.predict([low, high]).tolist() == [0, 1]


@settings(deadline=None)
@given(st.integers(20, 400), st.floats(0.5, 0.99), st.floats(1e-6, 0.005), st.integers(0, 5))
def test_the_exponential_tail_lies_its_mean_excess_beyond_for_each_factor_e_in_the_rate(n, level, rate, seed):
    scores = normal_scores(n, seed)
    start = np.quantile(scores, level)
    above = [score - start for score in scores if score > start]
    found = ExponentialTail(rate, level).fit(scores)
    expected = start + sum(above) / len(above) * np.log(len(above) / n / rate)
    assert found.threshold_ == pytest.approx(expected, rel=1e-12)


def test_the_exponential_tail_moves_with_the_scores():
    scores = normal_scores(500)
    first = ExponentialTail().fit(scores).threshold_
    assert ExponentialTail().fit(3 * scores + 7).threshold_ == pytest.approx(3 * first + 7)


@pytest.mark.parametrize(
    ("scores", "rule", "threshold", "said"),
    [
        (np.full(50, 2.0), ExponentialTail(), 2.0, "Nothing lies above the start of the tail: the highest"),
        (np.arange(100.0), ExponentialTail(0.5), 89.1, "A rate of 0.5 is not rarer than the tail: the"),
    ],
)
def test_where_no_exponential_tail_can_be_used_it_says_so(scores, rule, threshold, said):
    rule.fit(scores)
    assert rule.threshold_ == pytest.approx(threshold)
    assert any(warning.startswith(said) for warning in rule.warnings_)


def test_pot_shows_its_tail_and_reads_rates_that_are_not_rare_from_the_scores():
    scores = normal_scores(5_000)
    rare = POT(1e-4).fit(scores)
    assert rare.tail_.rate_above(rare.threshold_) == pytest.approx(1e-4)
    assert rare.flag_rate_ == 1e-4
    common = POT(0.1).fit(scores)
    assert common.tail_ is None
    assert common.threshold_ == Percentile(90).fit(scores).threshold_
    (said,) = common.warnings_
    assert said.startswith(
        "A rate of 0.1 is not rarer than the tail that was fitted: the threshold is read from"
    )


def test_pot_says_that_it_extrapolates_and_where_the_tail_begins():
    said = " ".join(POT(1e-4).fit(normal_scores(300)).warnings_)
    assert "lies above all 300 calibration scores: it is extrapolated from the" in said
    assert "Too little lies above the 0.98 quantile: the tail begins at 0.9" in said
    assert POT(1e-3).fit(normal_scores(20_000)).warnings_ == ()


def test_alarm_budget_without_a_clock():
    with pytest.raises(InputError, match=r"AlarmBudget\(per_day=1.0\) needs a clock, .*per_points=10000"):
        AlarmBudget().fit(normal_scores())
    threshold = AlarmBudget(per_points=100).fit(normal_scores(5_000))
    assert threshold.expected_false_alarms_per_day_ is None
    assert threshold.expected_false_alarms_per_1000_points_ == pytest.approx(10)


def test_alarm_budget_that_cannot_be_used_up():
    threshold = AlarmBudget(per_points=2).fit(normal_scores(), window_size=16)
    assert threshold.warnings_ == ("The budget is larger than the number of highs: it will not be used up.",)
    assert threshold.threshold_ >= np.median(normal_scores())


def test_alarm_budget_rarer_than_the_scores_can_show_says_so():
    threshold = AlarmBudget(per_day=1).fit(normal_scores(2_000), points_per_day=20_000)
    assert threshold.threshold_ > normal_scores(2_000).max()
    assert threshold.warnings_[0].startswith("The budget allows 0.1 alarms in the 2,000 calibration scores")


# What all have in common


@each
def test_flags_are_scores_above_the_threshold(threshold):
    threshold.fit(normal_scores(), labels=half_labels(1000))
    at = threshold.threshold_
    flags = threshold.predict([at - 1, at, np.nextafter(at, np.inf), np.nan, np.inf])
    assert flags.tolist() == [0, 0, 1, 0, 1]
    assert flags.dtype == np.int8


@each
def test_missing_scores_count_for_nothing(threshold):
    scores, labels = normal_scores(), half_labels(1000)
    gaps = np.insert(scores, [0, 500, 1000], np.nan)
    alone = copy.copy(threshold).fit(scores, labels=labels).threshold_
    assert threshold.fit(gaps, labels=np.insert(labels, [0, 500, 1000], 1)).threshold_ == alone
    assert threshold.n_ == 1000


@each
@pytest.mark.parametrize("window_size", [1, 20, 5_000])
@pytest.mark.parametrize(
    "scores",
    [
        np.full(50, 3.25),
        np.repeat([1.0, 2.0], 25),
        np.concatenate([np.zeros(49), [1.0]]),
        np.random.default_rng(0).standard_cauchy(200) ** 3,
        np.concatenate([np.random.default_rng(0).random(500), [1e150]]),
        np.arange(30.0),
        np.random.default_rng(0).normal(size=40) * 1e-300,
        -1e9 + np.random.default_rng(0).random(300),
    ],
    ids=["constant", "two values", "one high", "cauchy cubed", "one enormous", "rising", "tiny", "far off"],
)
def test_strange_scores_give_finite_thresholds_and_rates(threshold, scores, window_size):
    threshold.fit(scores, labels=half_labels(len(scores)), window_size=window_size, points_per_day=288)
    assert np.isfinite(threshold.threshold_)
    assert 0 < threshold.flag_rate_ <= 1
    assert 0 < threshold.alarm_rate_ <= threshold.flag_rate_ * (1 + 1e-12)
    assert np.isfinite(threshold.expected_false_alarms_per_day_)


@each_unsupervised
def test_constant_scores_say_so(threshold):
    threshold.fit(np.full(50, 3.25))
    assert "All 50 calibration scores are 3.25: anything higher is flagged." in threshold.warnings_
    assert threshold.predict(np.full(50, 3.25)).sum() == 0


@settings(deadline=None)
@given(hnp.arrays(np.float64, st.integers(10, 50), elements=st.floats(-1e150, 1e150) | st.just(np.nan)))
def test_no_scores_give_nan(scores):
    for threshold in UNSUPERVISED:
        if (~np.isnan(scores)).sum() >= 10:
            threshold.fit(scores, window_size=3)
            assert np.isfinite([threshold.threshold_, threshold.flag_rate_, threshold.alarm_rate_]).all()


@each
def test_scores_that_no_threshold_can_come_from(threshold):
    labels = half_labels(20)
    with pytest.raises(InputError, match="score at position 3 is inf; scores must be finite"):
        threshold.fit([1.0, 2.0, 3.0, np.inf, *range(16)], labels=labels)
    with pytest.raises(InputError, match=r"score at position 0 is -2e\+200; .* below 1e\+150"):
        threshold.fit([-2e200, *range(19)], labels=labels)
    with pytest.raises(InputError, match="Only 0 of 20 calibration scores are not missing; at least"):
        threshold.fit(np.full(20, np.nan), labels=labels)
    with pytest.raises(InputError, match="Only 0 of 0 calibration scores"):
        threshold.fit([], labels=[])
    with pytest.raises(InputError, match=r"calibration scores has shape \(4, 5\)"):
        threshold.fit(np.ones((4, 5)), labels=labels)
    with pytest.raises(InputError, match="window_size is 0; it counts points"):
        threshold.fit(np.arange(20.0), labels=labels, window_size=0)
    with pytest.raises(InputError, match="points_per_day is -1; it must be a positive number"):
        threshold.fit(np.arange(20.0), labels=labels, points_per_day=-1)


@pytest.mark.parametrize("threshold", [Percentile(), MAD(), POT(), Conformal(), AlarmBudget(per_points=9)])
def test_nine_scores_are_too_few(threshold):
    with pytest.raises(InputError, match="Only 9 of 9 calibration scores are not missing; at least 10"):
        threshold.fit(np.arange(9.0))


def test_best_f1_needs_labels_of_both_kinds():
    with pytest.raises(InputError, match="BestF1 needs labels, one 0 or 1 a score"):
        BestF1().fit(normal_scores())
    with pytest.raises(InputError, match="both kinds of labels, and all 1000 are 0"):
        BestF1().fit(normal_scores(), labels=np.zeros(1000))
    with pytest.raises(InputError, match="both kinds of labels, and all 1000 are 1"):
        BestF1().fit(normal_scores(), labels=np.ones(1000))
    with pytest.raises(InputError, match="There are 3 labels for 1000 scores"):
        BestF1().fit(normal_scores(), labels=[0, 1, 0])
    with pytest.raises(InputError, match="labels holds 2 at position 1"):
        BestF1().fit([1.0, 2.0], labels=[0, 2])


def test_few_highs_and_few_scores_are_said():
    threshold = Percentile(95).fit(np.convolve(normal_scores(300), np.ones(32), "valid"), window_size=64)
    assert "highs more than a window of 64 apart: every rate here is rough" in threshold.warnings_[0]
    threshold = Percentile(99.9).fit(normal_scores(200))
    short, three = threshold.warnings_
    assert short.startswith("200 calibration scores cannot show what only 0.1 % exceed")
    assert short.endswith("999 would do.")
    assert three.startswith("No calibration score lies above the threshold")
    assert three.endswith("with 95 % confidence, is that it flags less than 1.5 % of normal points.")
    assert threshold.flag_rate_ == pytest.approx(1 / 201)


@each
def test_judging_the_calibration_scores_warns_and_other_scores_do_not(threshold):
    scores, labels = normal_scores(), half_labels(1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threshold.fit(scores, labels=labels, judges=normal_scores(seed=1))
        threshold.fit(scores, labels=labels, judges=scores[:-1])
        threshold.fit(scores, labels=labels)
    with pytest.warns(ThresholdWarning, match="very scores it judges|flagged by construction") as caught:
        threshold.fit(scores, labels=labels, judges=scores.tolist())
    assert threshold.warnings_[0] == str(caught[0].message)
    assert caught[0].filename == __file__


def test_scores_records_are_taken_as_they_are():
    values = normal_scores()
    record = Scores(
        values=values, method="elbo", window_size=4, window_values=values, window_starts=np.arange(1000)
    )
    assert POT().fit(record).threshold_ == POT().fit(values).threshold_
    with pytest.warns(ThresholdWarning):
        POT().fit(record, judges=record)
    assert Fixed(1.0).predict(record).tolist() == (values > 1).tolist()


# The promise


@pytest.mark.parametrize(
    ("alarm_rate", "points_per_day", "said"),
    [
        (0.003, 100, "about 0.3 false alarms a day"),
        (0.01, 100, "about 1 false alarm a day"),
        (12.34, 100, "about 1,200 false alarms a day"),
        (0.0001, 250, "about one false alarm in 40 days"),
        (0.0003, None, "about 0.3 false alarms in 1,000 points"),
        (0.00004, None, "about one false alarm in 25,000 points"),
    ],
)
def test_the_promise_is_a_sentence(alarm_rate, points_per_day, said):
    threshold = Percentile().fit(normal_scores(), points_per_day=points_per_day)
    threshold.alarm_rate_ = alarm_rate
    threshold.flag_rate_ = 0.001
    assert threshold.promise == f"flags 0.1 % of normal points: {said}"


def test_the_two_expectations_agree():
    threshold = Percentile(95).fit(normal_scores(), points_per_day=288)
    assert threshold.expected_false_alarms_per_day_ == pytest.approx(
        threshold.expected_false_alarms_per_1000_points_ * 0.288
    )


@pytest.mark.parametrize("threshold", [POT(), BestF1()], ids=repr)
def test_nothing_is_promised_before_fit(threshold):
    threshold = copy.copy(type(threshold)())
    with pytest.raises(InputError, match=r"has seen no calibration scores yet: call fit\(scores\) first"):
        threshold.predict([1.0])
    with pytest.raises(InputError, match="has seen no calibration scores yet"):
        _ = threshold.promise
    assert not threshold.is_fitted


def test_a_fixed_number_flags_before_it_is_fitted_and_promises_after():
    threshold = Fixed(2.0)
    assert threshold.predict([1, 3]).tolist() == [0, 1]
    with pytest.raises(InputError, match="has seen no calibration scores"):
        _ = threshold.promise
    assert threshold.fit(normal_scores(20_000)).flag_rate_ == pytest.approx(np.exp(-2), rel=0.03)


# Text and JSON


@each
@pytest.mark.parametrize("points_per_day", [None, 288])
def test_saved_and_loaded_it_is_the_same(threshold, points_per_day):
    threshold.fit(normal_scores(), labels=half_labels(1000), window_size=8, points_per_day=points_per_day)
    again = from_settings(json.loads(json.dumps(threshold.to_dict(), allow_nan=False)))
    assert again == threshold
    assert type(again) is type(threshold)
    assert again.to_dict() == threshold.to_dict()
    assert again.promise == threshold.promise


@pytest.mark.parametrize(
    "threshold", [Percentile(q=90), MAD(n_mads=4.5), POT(level=0.9), AlarmBudget()], ids=repr
)
def test_unfitted_settings_travel_too(threshold):
    again = from_settings(json.loads(json.dumps(threshold.to_dict())))
    assert again == threshold
    assert not again.is_fitted


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            {},
            "method None of the saved threshold is unknown; known are: Percentile, MAD, Exponential",
        ),
        ({"method": ["POT"], "settings": {}}, "is unknown"),
        ({"method": "POT", "settings": None}, "method 'POT'"),
        ({"method": "POT", "settings": {"speed": 3}}, "POT has no such settings: {'speed': 3}"),
        ({"method": "Fixed", "settings": {}}, "Fixed has no such settings"),
        (
            {"method": "POT", "settings": {"rate": "x"}},
            "POT: rate is 'x'; it must be a number between 0 and 1",
        ),
        (
            {"method": "POT", "settings": {}, "fitted": {"threshold_": "1"}},
            "threshold_ of the saved threshold is '1'",
        ),
        (
            {"method": "POT", "settings": {}, "fitted": {"threshold_": 1.0, "n_": True}},
            "n_ of the saved threshold",
        ),
        ({"method": "MAD", "settings": {}, "fitted": {"threshold_": float("nan")}}, "threshold_ .* is nan"),
    ],
)
def test_a_damaged_record_is_refused(record, said):
    with pytest.raises(InputError, match=said):
        from_settings(record)


@pytest.mark.parametrize(
    ("threshold", "line"),
    [
        (Percentile(), "Percentile(q=95)"),
        (Percentile(np.float64(99)), "Percentile(q=99.0)"),
        (MAD(), "MAD(n_mads=5.0)"),
        (ExponentialTail(), "ExponentialTail(rate=1e-05)"),
        (POT(), "POT(rate=0.0015)"),
        (POT(level=0.9), "POT(level=0.9)"),
        (DSPOT(depth=400), "DSPOT(depth=400)"),
        (Conformal(0.1, block=32), "Conformal(alpha=0.1, block=32)"),
        (AlarmBudget(per_points=5000), "AlarmBudget(per_points=5000)"),
        (BestF1(), "BestF1()"),
        (Fixed(-2.5), "Fixed(value=-2.5)"),
    ],
)
def test_repr_is_the_line_that_makes_it(threshold, line):
    assert repr(threshold) == line
    assert eval(line) == threshold


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exponential", ExponentialTail()),
        ("exponential:1e-4", ExponentialTail(1e-4)),
        ("pot", POT()),
        (" POT:1e-4 ", POT(rate=1e-4)),
        ("percentile:95", Percentile(q=95)),
        ("mad", MAD()),
        ("mad:3", MAD(3)),
        ("conformal:0.01", Conformal(0.01)),
        ("alarms:1", AlarmBudget(per_day=1)),
        ("alarms:2/1e4", AlarmBudget(per_points=5000)),
        ("best-f1", BestF1()),
        ("fixed:3", Fixed(3)),
        ("12.5", Fixed(12.5)),
        ("-3e-2", Fixed(-0.03)),
    ],
)
def test_thresholds_have_short_names(text, expected):
    assert parse_threshold(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "magic", "pot:", "pot:high", "best_f1:3", "alarms:0/5", "alarms:1/2/3", "1,5", "percentile 95"],
)
def test_what_is_no_threshold_is_told_what_is(text):
    with pytest.raises(
        InputError, match=r"is no threshold; expected one of: exponential, exponential:1e-5, pot"
    ):
        parse_threshold(text)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Percentile(100), "Percentile: q is 100; it must be a number between 0 and 100"),
        (lambda: Percentile("95"), "Percentile: q is '95'"),
        (lambda: Percentile(True), "Percentile: q is True"),
        (lambda: MAD(-1), "MAD: n_mads is -1"),
        (lambda: ExponentialTail(1), "ExponentialTail: rate is 1"),
        (lambda: ExponentialTail(level=0), "ExponentialTail: level is 0"),
        (lambda: POT(0), "POT: rate is 0"),
        (lambda: POT(level=1), "POT: level is 1"),
        (lambda: Conformal(float("nan")), "Conformal: alpha is nan"),
        (lambda: Conformal(block="big"), r"Conformal: block \(points, or 'auto'\) is 'big'"),
        (lambda: Conformal(block=0), r"block \(points, or 'auto'\) is 0; it must be a finite number above 0"),
        (lambda: AlarmBudget(0), "AlarmBudget: per_day is 0; it must be a finite number above 0"),
        (lambda: AlarmBudget(per_points=-5), "AlarmBudget: per_points is -5"),
        (lambda: parse_threshold("nan"), "Fixed: value is nan; it must be a finite number"),
        (lambda: parse_threshold("percentile:200"), "Percentile: q is 200.0"),
    ],
)
def test_settings_that_make_no_sense(make, said):
    with pytest.raises(InputError, match=said):
        make()


@each
def test_copies_are_independent(threshold):
    threshold.fit(normal_scores(), labels=half_labels(1000))
    twin = copy.deepcopy(threshold)
    assert twin == threshold
    twin.fit(normal_scores(200) + 100, labels=half_labels(200))
    assert threshold.n_ == 1000


def test_the_door_opens_on_them():
    assert vaenb.POT is POT
    assert vaenb.AlarmBudget is AlarmBudget
