"""Right answers pass, wrong ones get the hint that fits, and no answer whatever brings a traceback."""

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb import InputError
from vaenb.exercises import Result, check, list_exercises, material
from vaenb.exercises.checking import EXERCISES, Exercise, run, short
from vaenb.records import EpochRecord, History
from vaenb.thresholds.rules import as_rule

LOG_2PI = np.log(2 * np.pi)
MACHINE = vaenb.load_dataset("machine_temperature").values[:, 0]
TRAIN = MACHINE[:9097]
PUMP, DECODED, TRAININGS = material("05"), material("04"), material("03")


def history(kl, kl_weight=1.0, n=3):
    epochs = [
        EpochRecord(
            epoch=i, elbo=-1.0, reconstruction=-1.0, kl=kl, kl_per_dim=np.array([kl]), active_units=1,
            kl_weight=kl_weight, seconds=0.1,
        )
        for i in range(n)
    ]  # fmt: skip
    return History(epochs=tuple(epochs), best_epoch=n, stopped="finished")


def runs_of(flags):
    edges = np.diff(np.concatenate([[0], flags, [0]]))
    return list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True))


def touching(starts=TRAININGS.windows.starts):
    labels = TRAININGS.series.labels
    return np.array([labels[start : start + 36].sum() > 0 for start in starts])


def leaks(train, test, size):
    return sum(any(set(range(a, a + size)) & set(range(b, b + size)) for a in train) for b in test)


def spread(scores, size, n):
    return [np.mean([s for i, s in enumerate(scores) if i <= t < i + size]) for t in range(n)]


def kl(mean, logvar):
    return 0.5 * (np.exp(logvar) + mean**2 - 1 - logvar).sum(axis=-1)


def density(x, mean, scale):
    return (-0.5 * ((x - mean) / scale) ** 2 - np.log(scale) - 0.5 * LOG_2PI).sum(-1)


def fitted(rule, scores=PUMP.calibration_scores, **options):
    return rule.fit(scores, **{"points_per_day": 144, "window_size": 5, **options})


def p_value(calibration, score):
    return (1 + sum(c >= score for c in calibration)) / (1 + len(calibration))


def event_recall(labels, flags):
    return np.mean([flags[a:b].max() for a, b in runs_of(labels)])


def random_flags(share):
    return np.random.default_rng(0).random(len(PUMP.test_labels)) < share


def planted(kind, **options):
    return vaenb.inject(DECODED.series, kind, **{"at": 4000, "length": 72, **options})


class Model:
    def __init__(self, latent=4, size=48, n=9000):
        self.settings, self.window_size, self.count_params = {"latent_dim": latent}, size, lambda: n


RIGHT = [
    ("01.1", 288),
    ("01.1", np.int64(288)),
    ("01.2", 347),
    ("01.2", np.array([347.0])),
    ("01.3", (MACHINE - TRAIN.mean()) / TRAIN.std()),
    ("01.3", pd.Series((MACHINE - TRAIN.mean()) / TRAIN.std(ddof=1))),
    ("01.3", vaenb.Scaler("standard").fit(TRAIN[:, None]).transform(MACHINE[:, None])),
    ("01.4", leaks),
    ("02.1", lambda mean, logvar, noise: mean + np.sqrt(np.exp(logvar)) * noise),
    ("02.2", kl),
    ("02.3", density),
    ("02.4", Model()),
    ("03.1", int(np.argmax(TRAININGS.calibration_elbo)) + 1),
    ("03.2", history(5.0)),
    ("03.3", ~touching()),
    ("03.3", (~touching()).astype(int).tolist()),
    ("04.1", -DECODED.log_likelihood),
    ("04.1", 100 - 2 * DECODED.log_likelihood),
    ("04.2", lambda x, mean, scale: np.abs(x - mean) / scale),
    ("04.2", lambda x, mean, scale: ((x - mean) / scale) ** 2),
    ("04.3", spread),
    ("04.4", planted("frequency")),
    ("05.1", 51),
    ("05.1", 50),
    ("05.2", 2.0),
    ("05.2", fitted(vaenb.AlarmBudget(0.9))),
    ("05.3", fitted(vaenb.AlarmBudget(1 / 7))),
    ("05.3", fitted(vaenb.AlarmBudget(1 / 14), window_size=1)),
    ("05.4", p_value),
    ("06.1", event_recall),
    ("06.2", random_flags(0.05)),
    ("06.3", 1.753),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_a_right_answer_passes(name, answer):
    found = check(name, answer)
    assert found, repr(found)
    assert len(found.text) > 20


def test_every_exercise_has_a_right_answer_here():
    assert list_exercises() == sorted({name for name, _ in RIGHT})
    assert {name[:2] for name in list_exercises()} == {"01", "02", "03", "04", "05", "06"}
    assert all(3 <= sum(name.startswith(step) for name in list_exercises()) <= 4 for step in ("01", "06"))


WRONG = [
    ("01.1", 24, "24 is the hours"),
    ("01.1", 1440, "a day in minutes"),
    ("01.1", 86_400, "a day in seconds"),
    ("01.1", 12, "one hour"),
    ("01.1", 144, "144 points of 300 seconds each are 12 hours"),
    ("01.2", 1, "if windows did not overlap"),
    ("01.2", 60, "how many points are anomalous"),
    ("01.2", 288, "hold one given point"),
    ("01.2", 348, "off by one"),
    ("01.2", 346, "off by one"),
    ("01.2", 10, "Which window is the first"),
    ("01.3", (MACHINE - MACHINE.mean()) / MACHINE.std(), "leaked"),
    ("01.3", MACHINE - TRAIN.mean(), "has mean 0 and standard deviation 7.87"),
    ("01.3", TRAIN, "shape `(9097,)` came"),
    ("01.4", lambda a, b, w: len(set(a) & set(b)), "begin at the same point"),
    ("01.4", lambda a, b, w: leaks(a, b, w + 1), "merely touch"),
    ("01.4", lambda a, b, w: sum(any(0 <= t - s < w for s in a) for t in b), "is overlooked"),
    ("01.4", lambda a, b, w: sum(abs(t - s) < w for s in a for t in b), "Pairs of windows"),
    ("01.4", lambda a, b, w: 7, "For `[0]`, `[9]`, `10` the function gives `7`; expected `1`"),
    ("01.4", lambda a, b, w: None, "returns nothing"),
    ("02.1", lambda m, v, e: m + np.exp(v) * e, "multiplied by the variance"),
    ("02.1", lambda m, v, e: m + v * e, "log-variance itself"),
    ("02.1", lambda m, v, e: m + np.sqrt(np.abs(v)) * e, "root of the log-variance"),
    ("02.1", lambda m, v: m, "raises `TypeError"),
    ("02.2", lambda m, v: 2 * kl(m, v), "factor 1/2"),
    ("02.2", lambda m, v: -kl(m, v), "sign is turned"),
    ("02.2", lambda m, v: kl(m, v) / m.shape[-1], "mean over the latent dimensions"),
    ("02.2", lambda m, v: kl(m, v).sum(), "one number for all windows"),
    ("02.2", lambda m, v: 0.5 * (np.exp(v) + m**2 - 1 - v), "terms of each latent dimension"),
    ("02.2", lambda m, v: kl(m, 2 * v), "log standard deviation"),
    ("02.2", lambda m, v: 0.5 * (np.exp(v) + m - 1 - v).sum(-1), "enters squared"),
    ("02.3", lambda x, m, s: -((x - m) ** 2).sum(-1), "squared error"),
    ("02.3", lambda x, m, s: density(x, m, s) + np.log(s).sum(-1), "`-log(scale)` is missing"),
    ("02.3", lambda x, m, s: density(x, m, s) + x.shape[-1] * LOG_2PI / 2, "Only the constant"),
    ("02.3", lambda x, m, s: -density(x, m, s), "sign is turned"),
    ("02.3", lambda x, m, s: density(x, m, s) / x.shape[-1], "mean over the points"),
    ("02.4", 4, "expected a model"),
    ("02.4", Model(size=24), "windows of 24 points"),
    ("02.4", Model(latent=8), "8 numbers are left of 48"),
    ("02.4", Model(n=71_920), "It has 71,920 parameters"),
    ("03.1", int(np.argmax(TRAININGS.calibration_elbo)), "counts from 0"),
    ("03.1", 40, "ELBO of the training windows is highest"),
    ("03.1", int(np.argmin(TRAININGS.calibration_elbo)) + 1, "higher is better"),
    ("03.1", 0, "is no epoch"),
    ("03.1", 10, "there is an epoch after which"),
    ("03.2", 3.0, "expected what `vaenb.train"),
    ("03.2", history(5.0, n=0), "No epoch was finished"),
    ("03.2", history(27.0, kl_weight=0.0), "nothing keeps the posterior"),
    ("03.2", history(0.07, kl_weight=20.0), "costs 20 times what it should"),
    ("03.3", touching(), "other way round"),
    ("03.3", TRAININGS.series.labels[TRAININGS.windows.starts] == 0, "Only the first point"),
    ("03.3", np.ones(len(TRAININGS.windows)), "windows with a labelled point are kept, and 0 clean"),
    ("03.3", np.full(len(TRAININGS.windows), 2), "not all 0 and 1"),
    ("04.1", DECODED.log_likelihood, "rises with the likelihood"),
    ("04.1", np.exp(DECODED.log_likelihood), "rises with the likelihood"),
    ("04.1", np.abs(DECODED.log_likelihood + 40), "in the order of their likelihood"),
    ("04.2", lambda x, m, s: (x - m) ** 2, "lies in the noisy half"),
    ("04.2", lambda x, m, s: -np.abs(x - m) / s, "wrong way"),
    ("04.2", lambda x, m, s: np.arange(96)[::-1], "must come first"),
    ("04.2", lambda x, m, s: 1 / 0, "raises `ZeroDivisionError"),
    ("04.2", lambda x, m, s: x[:5], "expected a score for each point"),
    ("04.2", 3, "expected a function"),
    ("04.3", lambda s, w, n: np.convolve(s, np.ones(w))[:n], "are summed"),
    ("04.3", lambda s, w, n: np.convolve(s, np.ones(w))[:n] / w, "divided by `window_size`"),
    ("04.3", lambda s, w, n: [max(s[max(0, t - w + 1) : t + 1]) for t in range(n)], "highest score"),
    ("04.3", lambda s, w, n: np.pad(s, (0, n - len(s))), "first point of its window"),
    ("04.3", lambda s, w, n: np.pad(s, (n - len(s), 0)), "last point of its window"),
    ("04.4", "frequency", "expected a `Series`"),
    ("04.4", DECODED.series, "Nothing is planted"),
    ("04.4", PUMP.series.values, "expected a `Series`"),
    ("04.4", vaenb.inject(np.sin(np.arange(600)), "flat", at=400), "has 600 rows"),
    ("04.4", planted("frequency", at=100), "in the training part"),
    ("04.4", vaenb.inject(PUMP.series, "flat", at=5900), None),
    ("04.4", planted("shift"), "single points finds it"),
    ("04.4", planted("flat", length=2), "Not even the windows"),
    ("05.1", 0, "still the textbook's rule"),
    ("05.1", 5, "That is the share"),
    ("05.1", 100, "would be 9.92 %"),
    ("05.2", 1.5, "Too many alarms are false"),
    ("05.2", 0.2, "the alarm rings 99.9 % of the time"),
    ("06.3", -1, "the alarm rings 100 % of the time"),
    ("05.2", 5.0, "Too many events are missed"),
    ("05.2", vaenb.MAD(), "has seen no scores yet"),
    ("05.2", "high", "expected a threshold"),
    ("05.3", 2.0, "a number promises nothing"),
    ("05.3", vaenb.MAD(), "has seen no scores yet"),
    ("05.3", fitted(vaenb.Percentile(99), points_per_day=None), "knows no clock"),
    ("05.3", fitted(vaenb.AlarmBudget(1 / 7), points_per_day=288), "believes that a day has 288"),
    ("05.3", fitted(vaenb.AlarmBudget(1)), "one a week is 0.143 a day"),
    ("05.3", fitted(vaenb.AlarmBudget(1 / 7), PUMP.test_scores), "fitted on the test scores"),
    ("05.3", fitted(vaenb.AlarmBudget(1 / 7), PUMP.scores), "of all six weeks"),
    ("05.3", fitted(vaenb.AlarmBudget(1 / 7), PUMP.scores[:2000]), "2,000 scores that are not"),
    ("05.4", lambda c, s: np.mean(c >= s), "p-value of 0"),
    ("05.4", lambda c, s: (1 + np.sum(c <= s)) / (len(c) + 1), "counts the scores below"),
    ("05.4", lambda c, s: np.mean(c <= s), "counts the scores below"),
    ("05.4", lambda c, s: (1 + np.sum(c > s)) / (len(c) + 1), "just as high"),
    ("06.1", lambda y, f: (y * f).sum() / y.sum(), "It counts points"),
    ("06.1", lambda y, f: np.mean([y[a:b].max() for a, b in runs_of(f)] or [0]), "That is the precision"),
    ("06.1", lambda y, f: np.mean([f[a:b].min() for a, b in runs_of(y)]), "every point of an event"),
    ("06.2", PUMP.test_labels, "know something"),
    ("06.2", np.zeros(3024), "Nothing is flagged"),
    ("06.2", random_flags(0.5), "Try other shares"),
    ("06.2", np.full(3024, 0.5), "not all 0 and 1"),
    ("06.3", 1.5, "Nothing is missed"),
    ("06.3", 2.5, "can the line go lower"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_hint_that_fits(name, answer, hint):
    found = check(name, answer)
    assert not found
    assert hint is None or hint in found.text
    assert found.text.endswith((".", "?"))


ODD = [
    None,
    ...,
    "x",
    "",
    b"x",
    np.nan,
    np.inf,
    -1,
    10**30,
    1j,
    True,
    [],
    {},
    [[1, [2]]],
    np.zeros(0),
    np.zeros((2, 3)),
    np.array(["a"]),
    pd.DataFrame({"a": [1]}),
    object(),
    int,
    lambda: None,
    lambda *a: None,
    lambda *a: "x",
    lambda *a: 1 / 0,
    lambda *a: a,
    vaenb.MAD(),
    ValueError("x"),
]


@pytest.mark.parametrize("answer", ODD, ids=lambda answer: type(answer).__name__)
@pytest.mark.parametrize("name", list_exercises())
def test_no_answer_whatever_brings_a_traceback(name, answer):
    found = check(name, answer)
    assert not found
    assert len(found.text) > 10
    assert "Traceback" not in repr(found)


@pytest.mark.parametrize("name", list_exercises())
def test_the_dots_get_told_what_is_wanted(name):
    wants = EXERCISES[name].wants
    assert check(name, ...).text == f"There is no answer yet: put {wants} in place of the dots."


def panel(**options):
    given = {
        "labels": PUMP.labels,
        "index": PUMP.series.index,
        "calibration": PUMP.calibration,
        "window_size": 5,
    }
    return vaenb.ThresholdPanel(PUMP.scores, rule="percentile:95", **{**given, **options})


def test_the_state_of_a_panel_is_an_answer():
    shown = panel()
    assert "Too many alarms are false" in check("05.2", shown).text
    shown.threshold = 2.0
    assert check("05.2", shown)
    shown.threshold = 5.0
    assert "Too many events are missed" in check("05.2", shown).text
    shown.cost = 50
    assert check("06.3", shown)
    shown.close()


def test_a_panel_that_shows_something_else():
    for options, hint in (({"labels": None}, "no labels"), ({"index": None}, "no clock")):
        shown = panel(**options)
        assert hint in check("05.2", shown).text
        shown.close()
    other = vaenb.ThresholdPanel(PUMP.scores[:500])
    assert "other scores" in check("05.2", other).text
    other.close()


def test_a_number_and_a_panel_are_judged_alike():
    shown = panel()
    for threshold in (1.5, 1.8, 2.2, 2.9):
        shown.threshold = threshold
        assert check("05.2", threshold) == check("05.2", shown)
    shown.close()


def test_a_real_model_passes():
    assert check("02.4", vaenb.VAE(48, latent_dim=4, hidden=(32,)))
    assert "It has 70,756" in check("02.4", vaenb.VAE(48, latent_dim=2)).text


def test_unknown_exercises_and_material():
    with pytest.raises(InputError, match=r"no exercise '05\.9'; expected one of: 01\.1, 01\.2, .*06\.3\."):
        check("05.9", 1)
    with pytest.raises(InputError, match=r"no material for step '01'; expected one of: 03, 04, 05, 06\."):
        material("01")


def test_what_a_result_shows():
    passed, failed = (Result(exercise="05.2", passed=p, text="At `2` it holds.") for p in (True, False))
    assert repr(passed) == "\u2713 05.2: At 2 it holds."
    assert repr(failed) == "\u2717 05.2: At 2 it holds."
    assert passed._repr_markdown_() == "**\u2713 05.2**: At `2` it holds."


def test_an_answer_that_breaks_the_checker_is_told_in_words():
    def checker(_):
        raise KeyError("x")

    found = run(Exercise(name="1", wants="a number", checker=checker), [1])
    assert not found
    assert found.text == "A `list` cannot be checked (`KeyError: 'x'`); expected a number."


def test_a_function_gets_copies():
    def greedy(labels, flags):
        recall = event_recall(labels, flags)
        labels[:] = 0
        return recall

    assert check("06.1", greedy)
    assert check("06.1", event_recall)


def test_short_values():
    assert short(np.array([1.0, 0.25])) == "[1. , 0.25]"
    assert short(np.arange(10_000)) == "[ 0, 1, 2, ..., 9997, 9998, 9999]"
    assert short("x" * 99) == f"'{'x' * 59}..."
    assert short(1 / 3) == "0.3333"


def test_the_material_is_the_same_each_time_and_is_what_it_says():
    assert material("05") is material("06")
    assert PUMP.test_labels.sum() == PUMP.labels.sum() > 0
    assert len(runs_of(PUMP.labels)) == len(PUMP.series.planted) == 10
    assert (len(PUMP.scores), len(PUMP.calibration_scores), len(PUMP.test_scores)) == (6048, 1008, 3024)
    assert len(TRAININGS.elbo) == len(TRAININGS.calibration_elbo) == 40
    assert np.argmax(TRAININGS.elbo) > np.argmax(TRAININGS.calibration_elbo)
    assert as_rule("percentile:95").fit(PUMP.calibration_scores).threshold_ < 1.7
