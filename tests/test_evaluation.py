"""The report: each figure is that of its metric, and the remarks say what a reader must not miss."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from vaenb.errors import InputError
from vaenb.evaluation import _apart, evaluate
from vaenb.judging.affiliation import affiliation
from vaenb.judging.baselines import random_score, rolling_median_score, window_pca_score
from vaenb.judging.event_metrics import best_point_adjusted_f1, event_scores, point_adjusted
from vaenb.judging.metrics import auc_pr, auc_roc, best_f1, point_scores
from vaenb.judging.vus import find_length_rank, vus
from vaenb.records import Report, Scores

OF_SCORES = {"vus_pr", "vus_roc", "auc_pr", "auc_roc", "best_f1"}
OF_FLAGS = {
    *("precision", "recall", "f1", "event_recall", "event_precision", "event_f1"),
    *("false_alarms", "false_alarms_per_day", "false_alarms_per_1000", "delay", "delay_median"),
    *("affiliation_precision", "affiliation_recall", "point_adjusted_f1"),
}
BASELINES = ["random", "window_pca", "rolling_median"]


def study(seed=0):
    """A noisy wave with two odd stretches, and scores that see them."""
    rng = np.random.default_rng(seed)
    values = np.sin(np.arange(1200) / 6) + 0.05 * rng.normal(size=1200)
    labels = np.zeros(1200, dtype=int)
    labels[800:830] = labels[1000:1010] = 1
    values[800:830] *= 0.2
    values[1000:1010] += 1.5
    return labels, labels * 0.5 + rng.random(1200), values


def test_every_figure_is_that_of_its_metric():
    labels, scores, values = study()
    report = evaluate(
        labels, scores, 0.9, values=values, train_end=600, window_size=30, points_per_day=100.0, seed=5
    )
    flags, window = scores > 0.9, find_length_rank(values)
    judged = {
        "vae": scores,
        "random": random_score(1200, seed=5),
        "window_pca": window_pca_score(values, 30, train_end=600),
        "rolling_median": rolling_median_score(values, 30),
    }
    for name, score in judged.items():
        found = report.metrics[name]
        assert (found["vus_pr"], found["vus_roc"]) == vus(labels, score, window)
        assert (found["auc_pr"], found["auc_roc"]) == (auc_pr(labels, score), auc_roc(labels, score))
        assert found["best_f1"] == best_f1(labels, score)[0]
    ours, events = report.metrics["vae"], event_scores(labels, flags, 100.0)
    point, near = point_scores(labels, flags), affiliation(labels, flags)
    assert (ours["precision"], ours["recall"], ours["f1"]) == tuple(point)
    assert (ours["event_recall"], ours["event_precision"], ours["event_f1"]) == events[:3]
    assert ours["false_alarms"] == events.false_alarms
    assert ours["false_alarms_per_day"] == events.false_alarms_per_day
    assert ours["false_alarms_per_1000"] == events.false_alarms_per_1000
    assert (ours["delay"], ours["delay_median"]) == (events.delay_mean, events.delay_median)
    assert (ours["affiliation_precision"], ours["affiliation_recall"]) == tuple(near)
    assert ours["point_adjusted_f1"] == point_adjusted(labels, flags).f1
    assert report.settings == {
        "threshold": 0.9,
        "vus_window": window,
        "window_size": 30,
        "train_end": 600,
        "points_per_day": 100.0,
        "seed": 5,
    }


def test_the_report_has_the_promised_keys_and_plain_floats():
    labels, scores, values = study()
    report = evaluate(labels, scores, 0.9, values=values)
    assert list(report.metrics) == ["vae", *BASELINES]
    assert set(report.metrics["vae"]) == OF_SCORES | OF_FLAGS
    assert all(set(report.metrics[name]) == OF_SCORES for name in BASELINES)
    assert {type(value) for found in report.metrics.values() for value in found.values()} == {float}


def test_there_are_no_baselines_without_values_or_where_nobody_asks():
    labels, scores, values = study()
    assert list(evaluate(labels, scores, 0.9).metrics) == ["vae"]
    assert list(evaluate(labels, scores, 0.9, values=values, baselines=False).metrics) == ["vae"]


def test_a_baseline_that_wins_is_named_and_one_that_loses_is_not():
    labels, _, values = study()
    noise, truth = (
        evaluate(labels, found, 0.9, values=values, train_end=600, window_size=30)
        for found in (random_score(1200, seed=1), labels)
    )
    theirs, ours = noise.metrics["window_pca"]["vus_pr"], noise.metrics["vae"]["vus_pr"]
    assert f"Window PCA beats the VAE here: VUS-PR {theirs:.3f} against {ours:.3f}." in noise.remarks
    assert not any("beats" in remark for remark in truth.remarks)


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [
        (0.9996, 0.9984, "1.000 against 0.998"),
        (0.99996, 0.9998, "1.0000 against 0.9998"),
        (1.0, 1.0 - 1e-16, "1.0000000000000000 against 0.9999999999999999"),
    ],
)
def test_a_narrow_win_is_told_with_the_decimals_that_show_it(theirs, ours, told):
    assert _apart(theirs, ours) == told


def test_point_adjusted_f1_stands_beside_that_of_a_random_score():
    labels, scores, _ = study()
    report = evaluate(labels, scores, 0.9)
    lucky = best_point_adjusted_f1(labels, random_score(1200, seed=0))
    ours = report.metrics["vae"]["point_adjusted_f1"]
    expected = (
        f"Point-adjusted F1 ({ours:.2f}) is comparable with nothing: "
        f"a random score reaches {lucky:.2f} under it at its best threshold."
    )
    assert report.remarks == (expected,)


def test_without_an_anomaly_only_the_false_alarms_mean_something():
    _, scores, values = study()
    report = evaluate(np.zeros(1200), scores, 0.9, values=values)
    ours = report.metrics["vae"]
    assert all(math.isnan(ours[name]) for name in OF_SCORES | {"recall", "f1", "event_f1", "delay"})
    assert ours["false_alarms"] > 0
    assert len(report.remarks) == 1
    assert report.remarks[0].startswith("No label is 1")


def test_a_threshold_that_flags_nothing_is_said():
    labels, scores, _ = study()
    report = evaluate(labels, scores, 99.0)
    assert "The threshold flags nothing: every event is missed." in report.remarks
    assert report.metrics["vae"]["f1"] == 0.0
    assert math.isnan(report.metrics["vae"]["precision"])


def test_missing_scores_are_judged_too():
    labels, scores, _ = study()
    scores[:100] = np.nan
    assert np.isfinite([evaluate(labels, scores, 0.9).metrics["vae"][name] for name in OF_SCORES]).all()


def test_scores_may_be_the_record_and_the_threshold_a_fitted_one():
    labels, scores, values = study()
    record = Scores(
        values=scores, method="elbo", window_size=24, window_values=scores, window_starts=np.arange(1200)
    )
    threshold = SimpleNamespace(threshold_=0.9)
    report = evaluate(labels, record, threshold, values=values)
    assert report.settings["window_size"] == 24
    assert report.settings["threshold"] == 0.9
    same = evaluate(labels, scores, 0.9, values=values, window_size=24)
    np.testing.assert_equal(report.metrics, same.metrics)


@pytest.mark.parametrize(("window_size", "expected"), [(40, 40), (None, 125)])
def test_without_values_the_buffer_is_the_window_size(window_size, expected):
    labels, scores, _ = study()
    assert evaluate(labels, scores, 0.9, window_size=window_size).settings["vus_window"] == expected


def test_a_window_longer_than_the_training_part_is_shortened():
    labels, scores, values = study()
    assert evaluate(labels, scores, 0.9, values=values, train_end=20).settings["window_size"] == 20


def test_several_channels_are_judged_by_the_period_of_the_first():
    labels, scores, values = study()
    table = np.column_stack([values, random_score(1200)])
    assert evaluate(labels, scores, 0.9, values=table).settings["vus_window"] == find_length_rank(values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": np.zeros(5)}, "There are 5 labels and 1200 scores"),
        ({"labels": np.full(1200, 2)}, "labels holds 2 at position 0"),
        ({"values": np.zeros(7)}, "There are 1200 labels and 7 rows of values"),
        ({"threshold": math.nan}, "threshold is nan; expected a number"),
        ({"threshold": "high"}, "threshold is 'high'; expected a number"),
        ({"train_end": 0}, "train_end is 0"),
        ({"window_size": 0}, "window_size is 0; it counts points"),
        ({"points_per_day": -1.0}, "points_per_day is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    labels, scores, values = study()
    given = {"labels": labels, "scores": scores, "threshold": 0.9, "values": values}
    with pytest.raises(InputError, match=message):
        evaluate(**(given | arguments))


def test_a_report_can_be_read():
    report = Report(
        metrics={"vae": {"vus_pr": 0.4811, "false_alarms": 1204.0}, "window_pca": {"vus_pr": 0.61}},
        remarks=("Window PCA < everything.",),
    )
    table = report.table()
    assert table.loc["vus_pr", "window_pca"] == 0.61
    assert list(table.index) == ["vus_pr", "false_alarms"]
    lines = [line.split() for line in str(report).splitlines()]
    assert lines[1:3] == [["vus_pr", "0.481", "0.610"], ["false_alarms", "1,204.0"]]
    assert lines[3][-1] == "everything."
    assert "<td>0.481</td>" in report._repr_html_()
    assert "<p>Window PCA &lt; everything.</p>" in report._repr_html_()
