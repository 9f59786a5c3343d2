"""The state of the threshold explorer: the line, rules, parts, costs, inputs, words, code."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from make_evidence import make_evidence

import vaenb
from vaenb.errors import InputError
from vaenb.records import Scores
from vaenb.view_models.threshold import ThresholdView
from vaenb.view_models.threshold_code import threshold_code
from vaenb.view_models.threshold_inputs import from_evidence, from_pieces
from vaenb.view_models.threshold_picture import threshold_picture
from vaenb.view_models.threshold_rules import fit_rules, rule_name
from vaenb.view_models.threshold_words import (
    alternative,
    cost_words,
    drawn_words,
    histogram_name,
    itself_words,
    legend,
    rule_words,
    tiles,
)

N = 1_200


@pytest.fixture(scope="module")
def evidence():
    return make_evidence()


@pytest.fixture
def taxi(evidence):
    return ThresholdView(from_evidence(evidence))


def scores_and_labels(seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.exponential(size=N)
    labels = np.zeros(N, dtype=bool)
    for place in (700, 900, 1_100):
        labels[place : place + 6] = True
        scores[place + 2] += 9
    return scores, labels


def made(**more):
    scores, labels = scores_and_labels()
    return ThresholdView(from_pieces(scores, **{"labels": labels, "calibration": (200, 600), **more}))


# ---------------------------------------------------------------------- the line


def test_it_opens_on_the_rule_of_the_study(taxi, evidence):
    assert taxi.rule is evidence.rule
    assert taxi.threshold == evidence.rule.threshold_
    assert taxi.merge_gap == evidence.window_size
    assert taxi.part == "test"
    plain = vaenb.find_events(
        evidence.scores, taxi.threshold, merge_gap=taxi.merge_gap, normal=evidence.calibration_scores
    )
    for name in ("start", "stop", "peak", "score", "severity"):
        np.testing.assert_array_equal(getattr(taxi.events, name), getattr(plain, name))


def test_moving_the_line_leaves_the_rule():
    view = made()
    view.move_to(4.0)
    assert (view.threshold, view.rule, view.row) == (4.0, None, None)
    view.use_rule(0)
    assert view.rule is view.rules[0].rule
    view.move_to(view.threshold)  # not a move
    assert view.rule is view.rules[0].rule


def test_places_and_thresholds_belong_together():
    view = made()
    view.move_to_place(0.4)
    assert view.place == pytest.approx(0.4, abs=1e-3)
    view.nudge(0.1)
    assert view.place == pytest.approx(0.5, abs=1e-3)
    view.move_to_place(7.0)
    assert view.place == pytest.approx(1.0, abs=1e-3)
    assert view.threshold == pytest.approx(view.scale.high, rel=1e-2)
    view.move_to(1e9)
    assert view.place == 1.0
    assert view.metrics["alarms"] == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, "high", None])
def test_a_line_that_is_no_number_is_refused(value):
    view = made()
    before = view.threshold
    with pytest.raises(InputError, match="threshold is"):
        view.move_to(value)
    assert view.threshold == before


def test_merge_gap_and_minimum_length_change_the_events():
    view = made(window_size=10)
    assert view.merge_gap == 10
    view.move_to(1.0)
    for merge_gap, min_length in ((0, 1), (3, 2), (0, 4)):
        view.merge_gap, view.min_length = merge_gap, min_length
        plain = vaenb.find_events(view.pieces.scores, 1.0, merge_gap=merge_gap, min_length=min_length)
        np.testing.assert_array_equal(view.events.start, plain.start)
        np.testing.assert_array_equal(view.events.stop, plain.stop)
    for name, value in (("merge_gap", -1), ("merge_gap", 1.5), ("min_length", 0)):
        with pytest.raises(InputError, match=name):
            setattr(view, name, value)


# ---------------------------------------------------------------------- parts and metrics


def test_the_test_part_or_all_of_it_is_judged():
    view = made()
    view.move_to(2.0)
    after = view.metrics
    view.part = "all"
    whole = view.metrics
    assert whole["flagged"] == (view.pieces.scores > 2.0).sum()
    assert after["flagged"] == (view.pieces.scores[600:] > 2.0).sum()
    with pytest.raises(InputError, match="part is 'train'"):
        view.part = "train"


def test_without_a_calibration_part_everything_is_judged():
    view = made(calibration=None)
    assert (view.part, view.has_test_part, view.judge.first) == ("all", False, 0)
    with pytest.raises(InputError, match="expected one of 'all'"):
        view.part = "test"
    ends = made(calibration=(200, N))
    assert ends.part == "all"


def test_metrics_agree_with_evaluate():
    scores, labels = scores_and_labels()
    view = ThresholdView(from_pieces(scores, labels=labels, points_per_day=24.0), merge_gap=0)
    view.move_to(3.0)
    plain = vaenb.evaluate(view.pieces.labels, view.pieces.scores, 3.0, points_per_day=24.0).metrics["vae"]
    for name in ("precision", "recall", "f1", "event_recall", "event_precision", "event_f1", "false_alarms"):
        assert view.metrics[name] == pytest.approx(plain[name]), name
    assert view.metrics["false_alarms_per_day"] == pytest.approx(plain["false_alarms_per_day"])


def test_labels_outside_the_judged_part_are_none():
    scores, labels = scores_and_labels()
    view = ThresholdView(from_pieces(scores, labels=labels, calibration=(200, 1_150)))
    assert not view.has_labels
    view.part = "all"
    assert view.has_labels


# ---------------------------------------------------------------------- costs


def test_the_cheapest_threshold():
    view = made()
    view.use_cheapest()
    told = view.metrics
    assert (told["missed"], told["false_alarms"]) == (0, 0)
    assert "Nothing is cheaper" in cost_words(view)
    view.move_to(0.5)
    assert "Cheapest: <b>0</b>" in cost_words(view)
    view.cost = 25
    assert view.cost == 25
    with pytest.raises(InputError, match="cost is 0"):
        view.cost = 0


def test_costs_are_kept_for_each_way_to_join_events():
    view = made()
    first = view.costs
    assert view.costs is first
    view.merge_gap = 3
    assert view.costs is not first


def test_a_cost_needs_labels():
    with pytest.raises(InputError, match="no labelled events"):
        made(labels=None).use_cheapest()


# ---------------------------------------------------------------------- rules


def test_six_rules_side_by_side():
    view = made(points_per_day=48.0)
    percent = vaenb.POT().rate * 100
    names = ["Percentile 95", "MAD \u00d7 5", "Exponential tail", f"POT {percent:g} %"]
    names += ["Conformal 1 %", "1 alarm a day"]
    assert [row.name.replace("\u202f", " ") for row in view.rules] == names
    for row in view.rules:
        plain = type(row.rule)(**row.rule.settings).fit(view.pieces.calibration_scores, points_per_day=48.0)
        assert row.threshold == plain.threshold_
        assert row.rule.alarm_rate_ == plain.alarm_rate_
        assert float(row.promise.replace(",", "")) == pytest.approx(
            plain.expected_false_alarms_per_day_, rel=0.06
        )


def test_without_a_clock_promises_are_for_1000_points():
    view = made()
    assert view.rules[5].name == "1 alarm in 10,000"
    expected = view.rules[0].rule.expected_false_alarms_per_1000_points_
    assert float(view.rules[0].promise) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize(
    ("rule", "place", "name"),
    [
        ("percentile:99", 0, "Percentile 99"),
        (vaenb.MAD(4), 1, "MAD \u00d7 4"),
        (2.5, 6, "Fixed 2.5"),
        ("best_f1", None, None),
    ],
)
def test_the_chosen_rule_is_among_them(rule, place, name):
    if place is None:
        with pytest.raises(InputError, match="BestF1 needs labels"):
            made(rule=rule)
        return
    view = made(rule=rule)
    assert view.chosen == place
    assert view.row.name == name
    assert view.threshold == view.rules[place].threshold
    assert rule_name(vaenb.BestF1()) == "Best F1"


def test_a_rule_that_is_fitted_already_stays_so():
    rule = vaenb.Percentile(90).fit(np.arange(100.0))
    view = made(rule=rule)
    assert view.rule is rule
    assert view.threshold == rule.threshold_
    assert "vaenb.Percentile" not in threshold_code(view)


def test_a_rule_that_cannot_be_fitted_says_why():
    row = fit_rules(vaenb.POT(), np.arange(100.0), window_size=1, points_per_day=None, judged=False)[0]
    assert row.remarks == row.rule.warnings_
    broken = replace(row, trouble="It cannot.")
    assert np.isnan(broken.threshold)
    assert (broken.promise, broken.remarks) == ("\u2013", ("It cannot.",))
    view = made()
    view.rules = (broken, *view.rules[1:])
    with pytest.raises(InputError, match="It cannot"):
        view.use_rule(0)
    budget = fit_rules(
        vaenb.AlarmBudget(per_points=100.0),
        np.arange(100.0),
        window_size=1,
        points_per_day=None,
        judged=False,
    )
    assert budget[5].name == "1 alarm in 100"


def test_rules_fitted_on_what_they_judge_say_so():
    scores, _ = scores_and_labels()
    view = ThresholdView(from_pieces(scores, rule="percentile:95"))
    assert not view.is_honest
    assert "5 % flagged by construction" in view.rule.warnings_[0]
    assert "5\u202f% flagged by construction" in itself_words(view)
    assert view.metrics["flagged_share"] == pytest.approx(0.05, abs=0.01)
    assert "very scores" in alternative(view)
    assert "calibration</span>" not in histogram_name(view)
    same = from_pieces(scores, calibration_scores=scores.copy())
    assert same.judges_itself
    honest = made()
    assert honest.is_honest
    assert itself_words(honest) == ""
    assert "calibration</span>" in histogram_name(honest)


# ---------------------------------------------------------------------- inputs


def test_scores_may_be_a_record():
    scores, _ = scores_and_labels()
    record = Scores(
        values=scores, method="elbo", window_size=4, window_values=scores[:3], window_starts=np.arange(3)
    )
    np.testing.assert_array_equal(from_pieces(record).scores, scores)


def test_dates_give_a_clock():
    index = pd.date_range("2024-01-01", periods=N, freq="30min")
    pieces = from_pieces(scores_and_labels()[0], index=index)
    assert pieces.points_per_day == 48
    assert pieces.timeline.has_clock
    assert from_pieces(scores_and_labels()[0], index=index, points_per_day=2.0).points_per_day == 2
    counted = from_pieces(scores_and_labels()[0], index=np.arange(N) * 2 + 5)
    assert (counted.timeline.start, counted.timeline.step, counted.points_per_day) == (5, 2, None)
    assert from_pieces([1.0], index=[3.0]).timeline.step == 1


def test_values_bring_their_names():
    scores, _ = scores_and_labels()
    frame = pd.DataFrame({"cpu": scores, "mem": scores})
    assert from_pieces(scores, values=frame).channels == ("cpu", "mem")
    assert from_pieces(scores, values=frame["cpu"]).channels == ("cpu",)
    assert from_pieces(scores, values=scores).channels == ("value",)
    assert from_pieces(scores, values=np.zeros((N, 2))).channels == ("channel 1", "channel 2")
    assert from_pieces(scores).channels == ()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"scores": np.zeros((3, 2))}, r"scores has shape \(3, 2\)"),
        ({"scores": [1.0, np.inf]}, "inf at position 1"),
        ({"scores": [np.nan, np.nan]}, "none of them is a number"),
        ({"scores": []}, "holds 0 values"),
        ({"labels": [0, 1]}, "2 labels and 1200 scores"),
        ({"labels": np.full(N, 2)}, "every value must be 0"),
        ({"values": np.zeros(7)}, r"values has shape \(7,\)"),
        ({"values": np.zeros((N, 2, 2))}, "values has shape"),
        ({"index": [1, 2]}, r"index has shape \(2,\)"),
        ({"index": np.full(N, "x")}, "expected dates"),
        ({"index": np.arange(N)[::-1]}, "not evenly spaced and rising"),
        ({"index": np.arange(N) ** 2}, "between its values 0 and 1 the step is 1, and usually 1199"),
        ({"calibration": (5, 5)}, r"calibration is \(5, 5\)"),
        ({"calibration": (0, N + 1)}, "within the 1200 scores"),
        ({"calibration": 7}, "calibration is 7"),
        ({"calibration_scores": np.zeros((3, 3))}, "calibration_scores has shape"),
        ({"calibration_scores": [1.0, 2.0]}, "Only 2 of 2 calibration scores"),
        ({"calibration_scores": [np.inf] * 20}, "must be finite"),
        ({"points_per_day": 0}, "points_per_day is 0"),
        ({"window_size": 0}, "window_size is 0"),
        ({"rule": "nonsense"}, "is no threshold"),
        ({"rule": object()}, "expected a rule"),
    ],
)
def test_what_does_not_fit_is_said_in_words(given, words):
    scores, _ = scores_and_labels()
    with pytest.raises(InputError, match=words):
        ThresholdView(from_pieces(given.pop("scores", scores), **given))


# ---------------------------------------------------------------------- code, words, picture


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"calibration": None},
        {"calibration": None, "calibration_scores": np.arange(300.0) % 7},
        {"points_per_day": 48.0},
    ],
    ids=["part", "itself", "scores", "clock"],
)
@pytest.mark.parametrize("rule", [None, 0, 1, 3, 4, "hand", "fixed"])
def test_the_code_gives_the_same_threshold_and_events(given, rule):
    view = made(window_size=5, **given) if rule != "fixed" else made(window_size=5, rule=2.5, **given)
    if rule == "hand":
        view.move_to(2.0 / 3)
    elif isinstance(rule, int):
        view.use_rule(rule)
    view.min_length = 2
    names = {"scores": view.pieces.scores, "calibration_scores": given.get("calibration_scores")}
    code = threshold_code(view)
    exec(code, names)
    assert names["threshold"] == view.threshold
    for name in ("start", "stop", "peak", "score", "severity"):
        np.testing.assert_array_equal(getattr(names["events"], name), getattr(view.events, name))
    assert "merge_gap=5, min_length=2" in code


def test_the_code_of_a_study(taxi, evidence):
    names = {"evidence": evidence}
    exec(threshold_code(taxi), names)
    assert names["threshold"] == taxi.threshold
    np.testing.assert_array_equal(names["events"].start, taxi.events.start)
    assert ".fit(calibration_scores" in threshold_code(taxi)


def test_the_table_of_events(taxi, evidence):
    taxi.move_to(2.0)
    table = taxi.events_frame()
    assert list(table) == ["start", "end", "peak", "n_points", "score", "severity", "labelled"]
    assert len(table) == len(taxi.events)
    first = taxi.events.start[0]
    assert table["start"][0] == evidence.series.index[first]
    marks = evidence.labels.astype(bool)
    expected = [marks[a:b].any() for a, b in zip(taxi.events.start, taxi.events.stop, strict=True)]
    assert table["labelled"].tolist() == expected
    assert "labelled" not in ThresholdView(from_pieces(np.arange(50.0))).events_frame()


def test_tiles_are_always_the_same(taxi):
    names = re.findall(r"<span>(.*?)</span>", tiles(taxi))
    assert names == [
        "events",
        "points flagged",
        "precision",
        "recall",
        "F1",
        "events found",
        "false alarms a day",
    ]
    taxi.move_to(1e9)
    assert re.findall(r"<span>(.*?)</span>", tiles(taxi)) == names
    assert "<b>\u2013</b>" in tiles(taxi)  # precision of nothing
    without = made(labels=None)
    assert re.findall(r"<span>(.*?)</span>", tiles(without))[-1] == "alarms in 1,000 points"


def test_words_follow_the_line():
    view = made()
    assert view.row.name in rule_words(view)
    assert "false alarms" in rule_words(view)
    view.move_to(1.0)
    assert "moved by hand" in rule_words(view)
    assert "calibration part" in legend(view)
    assert "label" in legend(view)
    assert "calibration" not in legend(ThresholdView(from_pieces(np.arange(50.0))))
    assert "moved by hand" in alternative(view)
    assert "alarms in 1,000 points" in alternative(made(labels=None))


def test_what_is_drawn_is_told():
    above = made()

    def words(n, one_by_one):
        return drawn_words(type("A", (), {"in_view": n, "one_by_one": one_by_one}), 2_000, 5_000)

    assert words(0, True) == "2,000 of 5,000 drawn, none above the line"
    assert words(1, True).endswith("with the one above the line")
    assert words(812, True).endswith("with all 812 above the line")
    assert words(50_000, False).endswith("with all 50,000 above the line, by column")
    assert above.threshold


@pytest.mark.parametrize("what", ["taxi", "pieces", "itself", "gaps"])
def test_the_still_picture(what, taxi):
    view = {
        "taxi": lambda: taxi,
        "pieces": lambda: made(values=scores_and_labels()[0]),
        "itself": lambda: ThresholdView(from_pieces(np.arange(50.0))),
        "gaps": lambda: made(values=np.full((N, 2), np.nan)),
    }[what]()
    svg = threshold_picture(view)
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower().replace("nano", "")
    assert "The threshold is" in svg
    for row in view.rules:
        assert row.name in svg
