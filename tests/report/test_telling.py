"""What is told in the terminal: numbers, counts and the width of lines."""

import dataclasses
import json

import numpy as np
import pytest

import vaenb
from vaenb.records import EpochRecord, Events, History, Report, Scores
from vaenb.report import Findings
from vaenb.report.telling import figure, summary, tell_findings, tell_series
from vaenb.thresholding import Percentile


class Told:
    """What telling needs of a fitted detector."""

    channels_ = ("a",)
    lengths_ = None
    latent_dim = 1
    method = "elbo"
    notes_ = ("windows of 8 points: " + "why " * 40,)
    restore_best = False
    steps_per_epoch = 200
    threshold_ = 2.0
    train_stop_ = 6
    window_size_ = 8
    history_ = History(
        epochs=(
            EpochRecord(
                epoch=1,
                elbo=0.0,
                reconstruction=0.0,
                kl=0.0,
                kl_per_dim=np.zeros(1),
                active_units=1,
                kl_weight=1.0,
                seconds=1.0,
            ),
        ),
        best_epoch=1,
        stopped="stop event",
        warnings=("It is odd.",),
    )

    def __init__(self, n):
        self.seconds_ = {"train": 75.0}
        self.decision_scores_ = np.linspace(0, 4, n)
        self.calibration_scores_ = self.decision_scores_[:20]
        self.labels_ = (self.decision_scores_ > 2).astype(np.int8)
        self.rule_ = Percentile(50).fit(self.calibration_scores_)


def findings(runs, *, labels, metrics):
    n = len(labels)
    start, stop = np.array(runs, dtype=np.int64).reshape(-1, 2).T
    nothing = np.empty(0)
    told = Told(n)
    events = Events(
        start=start, stop=stop, peak=start, score=0.0 + start, severity=1.0 * np.arange(len(start))
    )
    scores = Scores(
        values=told.decision_scores_,
        method="elbo",
        window_size=8,
        window_values=nothing,
        window_starts=nothing,
    )
    return told, Findings(
        series=vaenb.read_series(np.sin(np.arange(n)), labels=labels),
        scores=scores,
        threshold=told.rule_,
        events=events,
        code="",
        evaluation=metrics and Report(metrics=metrics, remarks=("A remark.",)),
    )


METRICS = {"vae": {"vus_pr": 0.5, "auc_pr": float("nan"), "best_f1": 1.0}}


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([(12, 14), (40, 41)], "1 of 2 labelled events found, 1 false alarm."),
        ([(0, 11)], "1 of 2 labelled events found, 0 false alarms."),
        ([(0, 10), (15, 30), (35, 50)], "0 of 2 labelled events found, 3 false alarms."),
        ([(0, 50)], "2 of 2 labelled events found, 0 false alarms."),
        ([], "0 of 2 labelled events found, 0 false alarms."),
    ],
)
def test_events_are_counted_against_labels(runs, said):
    labels = np.zeros(50, dtype=int)
    labels[10:15] = labels[30:35] = 1
    told, found = findings(runs, labels=labels, metrics=METRICS)
    text = tell_findings(found, told)
    assert f"Against the labels: {said}" in text
    assert "  VAE                  0.500       -    1.000" in text.splitlines()
    assert "- A remark." in text


def test_the_worst_events_come_first_and_the_rest_are_counted():
    runs = [(i, i + 1) for i in range(0, 28, 2)]
    told, found = findings(runs, labels=np.zeros(50, dtype=int), metrics=METRICS)
    lines = tell_findings(found, told).splitlines()
    first = lines.index("Step 6, judge: 14 events, most severe first.")
    severities = [float(line.split()[-1]) for line in lines[first + 2 : first + 12]]
    assert severities == [13.0 - i for i in range(10)]
    assert lines[first + 12] == "  ... and 4 more in events.csv"
    assert "Against the labels: no row is labelled anomalous." in lines


def test_no_line_of_prose_is_wider_than_a_hundred_letters():
    told, found = findings([], labels=np.zeros(50, dtype=int), metrics=None)
    text = tell_findings(found, told)
    assert max(map(len, text.splitlines())) <= 100
    assert "Step 6, judge: no event; no score lies above the threshold." in text
    assert "in 1 min 15 s" in text
    assert "- why it ended: stop event" in text
    assert "- It is odd." in text
    assert "labels" not in text
    long = dataclasses.replace(found.series, repairs=("mended " * 30,))
    assert max(map(len, tell_series(long).splitlines())) <= 100


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "0"),
        (-1.23456, "-1.235"),
        (9999.4, "9999"),
        (123456.7, "123,457"),
        (1e12, "1e+12"),
        (np.nan, "-"),
    ],
)
def test_figures_are_short_and_of_plain_letters(value, told):
    assert figure(value) == told
    assert figure(value).isascii()


def test_a_summary_is_json_with_null_for_what_is_undefined(tmp_path):
    told, found = findings([(1, 3)], labels=np.zeros(50, dtype=int), metrics=METRICS)
    text = json.dumps(summary(found, told, file="a.csv", folder=tmp_path), allow_nan=False)
    assert json.loads(text)["metrics"] == {"vae": {"vus_pr": 0.5, "auc_pr": None, "best_f1": 1.0}}
    assert json.loads(text)["n_flagged"] == 25
