"""Better than chance: the same numbers as `vaenb.evaluate`, and sentences that carry them."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from make_evidence import make_evidence

import vaenb
from vaenb.errors import InputError
from vaenb.judging.affiliation import affiliation
from vaenb.judging.baselines import random_score
from vaenb.judging.event_metrics import best_point_adjusted_f1
from vaenb.view_models.chance import MEASURES, TITLES, Chance, Stopped, best_affiliation_f1, compare


@pytest.fixture(scope="module")
def taxi():
    return make_evidence("nyc_taxi")


@pytest.fixture(scope="module")
def found(taxi):
    return compare(taxi, taxi.rule.threshold_)


def test_the_numbers_are_those_of_evaluate(taxi, found):
    report = vaenb.evaluate(
        taxi.labels,
        taxi.scores,
        taxi.rule,
        values=taxi.series.grid,
        train_end=taxi.series.train_cells,
        window_size=taxi.window_size,
    )
    names = {
        "detector": "vae",
        "random": "random",
        "window_pca": "window_pca",
        "rolling_median": "rolling_median",
    }
    for ours, theirs in names.items():
        assert found.table["vus_pr"][ours] == report.metrics[theirs]["vus_pr"]
        assert found.table["f1"][ours] == report.metrics[theirs]["best_f1"]
    vae = report.metrics["vae"]
    assert found.at_threshold["f1"] == vae["f1"]
    assert found.at_threshold["pa_f1"] == vae["point_adjusted_f1"]
    assert found.vus_window == report.settings["vus_window"]
    precision, recall = vae["affiliation_precision"], vae["affiliation_recall"]
    assert found.at_threshold["affiliation"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_every_measure_is_there_for_everyone(found):
    assert set(found.table) == set(MEASURES)
    for values in found.table.values():
        assert set(values) == set(TITLES)
        assert all(0 <= value <= 1 for value in values.values())
    for measure, value in found.at_threshold.items():
        assert value <= found.table[measure]["detector"] + 0.01, "hindsight is no worse"


def test_point_adjusted_f1_is_shown_for_what_it_is(taxi, found):
    lucky = best_point_adjusted_f1(taxi.labels, random_score(taxi.series.n_cells))
    assert found.table["pa_f1"]["random"] == lucky > 0.9
    sentence = found.sentence("pa_f1")
    assert sentence.startswith("Not to be trusted: one flagged point in a labelled stretch counts as if all")
    assert f"a random score gets {lucky:.2f} on this very series" in sentence
    assert "chance wins" in sentence


def test_best_affiliation_is_the_best_of_its_thresholds(taxi):
    truth = taxi.labels > 0
    scores = taxi.scores
    best = best_affiliation_f1(truth, scores)
    tried = []
    for rate in np.geomspace(0.0005, 0.3, 16):
        n_flagged = int(np.ceil(rate * len(scores)))
        p, r = affiliation(truth, scores > np.sort(scores)[len(scores) - n_flagged - 1])
        tried.append(2 * p * r / (p + r) if r > 0 else 0.0)
    assert best == pytest.approx(max(tried))


@pytest.mark.parametrize("scores", [np.full(50, np.nan), np.zeros(50)])
def test_scores_that_say_nothing_reach_nothing(scores):
    assert best_affiliation_f1(np.arange(50) == 7, scores) == 0.0


def table(vus, *, f1=0.5):
    names = list(TITLES)
    rows = {measure: dict.fromkeys(names, f1) for measure in MEASURES}
    rows["vus_pr"] = dict(zip(names, vus, strict=True))
    return Chance(table=rows, at_threshold={}, threshold=1.0, labelled=0.1, vus_window=10)


@pytest.mark.parametrize(
    ("vus", "words"),
    [
        ((0.10, 0.10, 0.5, 0.5), "No: the detector is no better than a random score here"),
        ((0.50, 0.10, 0.8, 0.2), "Better than chance .* but window PCA does better still: 0.80"),
        ((0.50, 0.10, 0.2, 0.9), "but rolling median does better still: 0.90"),
        ((0.50, 0.10, 0.49, 0.2), "about as good as window PCA"),
        ((0.50, 0.10, 0.2, 0.3), "Yes: better than chance .VUS-PR 0.50 against 0.10., than window PCA and"),
        ((np.nan, np.nan, np.nan, np.nan), "cannot be said"),
    ],
)
def test_the_answer_is_a_sentence(vus, words):
    import re

    assert re.search(words, table(vus).verdict)


def test_flagging_everything_is_named_where_chance_does_no_better():
    assert "as much as flagging every point" in table((0.5, 0.1, 0.1, 0.1), f1=2 * 0.1 / 1.1).sentence("f1")
    assert "as much as" not in table((0.5, 0.1, 0.1, 0.1), f1=0.5).sentence("f1")
    assert "chance wins" not in table((0.5, 0.1, 0.1, 0.1)).sentence("pa_f1")


@pytest.mark.parametrize("labels", [None, np.zeros(10_320, dtype=bool)])
def test_without_labels_nothing_is_compared(labels):
    with pytest.raises(InputError, match="Nothing in this series is labelled"):
        compare(make_evidence("nyc_taxi", labelled=False), 1.0, labels=labels)


def test_progress_is_told_and_the_work_ends_when_asked(taxi):
    said, stop = [], threading.Event()

    def say(words, share):
        said.append((words, share))
        if len(said) == 3:
            stop.set()

    with pytest.raises(Stopped):
        compare(taxi, 1.0, say=say, stop=stop)
    assert len(said) == 3
    assert said[0] == ("scores of the detector", 0.0)
    compare(taxi, 1.0, say=lambda words, share: said.append((words, share)))
    shares = [share for _, share in said[3:]]
    assert shares == sorted(shares)
    assert len(shares) == 20
    assert shares[-1] < 1


def test_missing_scores_never_flag(taxi):
    scores = taxi.scores.copy()
    scores[:100] = np.nan
    found = compare(replace(taxi, scores=scores), taxi.rule.threshold_)
    assert np.isfinite(found.table["vus_pr"]["detector"])
