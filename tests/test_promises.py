"""Do thresholds keep what they promise? Many simulated calibration parts, judged by laws in closed form."""

import numpy as np
import pytest
from scipy import stats
from scipy.ndimage import maximum_filter1d

from vaenb.events import find_events
from vaenb.thresholding import MAD, POT, AlarmBudget, Conformal, ExponentialTail, Percentile
from vaenb.thresholds.tails import find_peaks

SURE = 2.6  # standard errors: 99 % of a Gaussian


def moving_mean(rng, n, window_size):
    """Means of squared noise: chi-square with `window_size` degrees of freedom, overlapping windows."""
    sums = np.cumsum(np.concatenate([[0.0], rng.chisquare(1, n + window_size - 1)]))
    return (sums[window_size:] - sums[:-window_size]) / window_size


def moving_mean_law(window_size):
    return stats.chi2(window_size, scale=1 / window_size)


def moving_max(rng, n, window_size):
    noise = rng.exponential(size=n + 2 * window_size)
    return maximum_filter1d(noise, window_size)[window_size : window_size + n]


class MovingMaxLaw:
    def __init__(self, window_size):
        self.window_size = window_size

    def sf(self, x):
        return -np.expm1(self.window_size * np.log1p(-np.exp(-x)))


DEPENDENT = {"mean": (moving_mean, moving_mean_law), "max": (moving_max, MovingMaxLaw)}


def rates(threshold, make, law, *, n, window_size, seeds):
    """The true share above the threshold that each seed's calibration part chose."""
    found = []
    for seed in range(seeds):
        scores = make(np.random.default_rng(seed), n, window_size)
        found.append(law.sf(threshold.fit(scores, window_size=window_size).threshold_))
    return np.array(found)


def within(found, low, high):
    """Whether the mean lies between the bounds, give or take its own confidence interval."""
    error = SURE * found.std() / np.sqrt(len(found))
    return low - error <= found.mean() <= high + error


@pytest.mark.parametrize(
    "law",
    [stats.expon(), stats.norm(), stats.t(4), stats.genpareto(0.25), stats.genpareto(-0.2)],
    ids=["exponential", "gaussian", "student", "heavy", "bounded"],
)
@pytest.mark.parametrize("n", [2_000, 10_000])
def test_pot_flags_the_promised_share_of_independent_scores(law, n):
    found = rates(
        POT(1e-3), lambda rng, n, _: law.rvs(n, random_state=rng), law, n=n, window_size=1, seeds=50
    )
    assert within(found, 1e-3, 1e-3)


def test_pot_flags_the_promised_share_of_fresh_scores():
    flagged = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        threshold = POT(1e-3).fit(rng.standard_t(5, size=5_000))
        flagged.append(threshold.predict(rng.standard_t(5, size=20_000)).mean())
    assert within(np.array(flagged), 1e-3, 1e-3)


@pytest.mark.parametrize("kind", DEPENDENT)
@pytest.mark.parametrize(("n", "window_size"), [(1_000, 32), (3_000, 64), (20_000, 64)])
def test_pot_keeps_its_promise_on_overlapping_windows(kind, n, window_size):
    make, law = DEPENDENT[kind]
    found = rates(POT(1e-3), make, law(window_size), n=n, window_size=window_size, seeds=40)
    assert within(found, 0, 1e-3)
    assert found.mean() < 2e-3
    if n == 20_000:
        assert found.mean() > 0.3e-3  # and it is no empty promise where there is enough to see


def test_pot_that_takes_overlapping_windows_for_independent_ones_breaks_its_promise():
    found = [
        moving_mean_law(64).sf(POT(1e-3).fit(moving_mean(np.random.default_rng(seed), 3_000, 64)).threshold_)
        for seed in range(40)
    ]
    assert np.mean(found) > 4e-3


@pytest.mark.parametrize("law", [stats.expon(), stats.t(2)])
@pytest.mark.parametrize("n", [99, 1_000])
def test_conformal_flags_alpha_of_independent_scores(law, n):
    found = rates(
        Conformal(0.05), lambda rng, n, _: law.rvs(n, random_state=rng), law, n=n, window_size=1, seeds=300
    )
    assert within(found, 0.05 - 1 / (n + 1), 0.05)


@pytest.mark.parametrize("kind", DEPENDENT)
def test_conformal_flags_alpha_of_overlapping_windows_at_most(kind):
    make, law = DEPENDENT[kind]
    found = rates(Conformal(0.05), make, law(32), n=100 * 64, window_size=32, seeds=150)
    assert within(found, 0.05 - 2 / 101, 0.05)


@pytest.mark.parametrize("kind", DEPENDENT)
def test_percentile_tells_the_share_it_flags_even_if_that_is_not_what_was_asked_for(kind):
    make, law = DEPENDENT[kind]
    told, found = [], []
    for seed in range(60):
        threshold = Percentile(99).fit(make(np.random.default_rng(seed), 3_000, 64), window_size=64)
        told.append(threshold.flag_rate_)
        found.append(law(64).sf(threshold.threshold_))
    assert np.mean(found) > 0.013
    assert np.mean(told) == pytest.approx(np.mean(found), rel=0.25)


@pytest.mark.parametrize("threshold", [Percentile(99), POT(2e-3), MAD(3)], ids=repr)
def test_alarms_on_fresh_data_are_those_promised(threshold):
    window_size, told, found = 32, [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        threshold.fit(moving_mean(rng, 20_000, window_size), window_size=window_size)
        fresh = moving_mean(rng, 100_000, window_size)
        told.append(threshold.expected_false_alarms_per_1000_points_)
        events = find_events(fresh, threshold.threshold_, merge_gap=window_size)
        found.append(1000 * len(events) / len(fresh))
    assert np.mean(told) == pytest.approx(np.mean(found), rel=0.35)


def test_the_exponential_tail_leaves_its_rate_beyond_where_scores_are_exponential():
    found = rates(
        ExponentialTail(1e-4),
        lambda rng, n, _: rng.exponential(size=n),
        stats.expon(),
        n=20_000,
        window_size=1,
        seeds=60,
    )
    # e ** (-threshold) bends upwards, so an uncertain scale puts the mean rate above the rate itself
    assert within(found, 1e-4, 1.15e-4)


@pytest.mark.parametrize("kind", DEPENDENT)
@pytest.mark.parametrize(("n", "window_size"), [(600, 32), (3_000, 64), (20_000, 64)])
def test_the_exponential_tail_raises_no_more_alarms_than_it_promises(kind, n, window_size):
    make, told, found = DEPENDENT[kind][0], [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        threshold = ExponentialTail().fit(make(rng, n, window_size), window_size=window_size)
        fresh = make(rng, 40_000, window_size)
        told.append(threshold.alarm_rate_)
        found.append(len(find_events(fresh, threshold.threshold_, merge_gap=window_size)) / len(fresh))
    assert within(np.array(found) - np.array(told), -np.inf, 0)


@pytest.mark.parametrize("law", [stats.t(4), stats.genpareto(0.25)], ids=["student", "heavy"])
def test_a_heavy_tail_breaks_the_rate_of_an_exponential_one_but_not_the_promise(law):
    told, found = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        threshold = ExponentialTail().fit(law.rvs(2_000, random_state=rng))
        told.append(threshold.flag_rate_)
        found.append(law.sf(threshold.threshold_))
    assert np.mean(found) > 10 * ExponentialTail().rate
    assert within(np.array(found) / np.mean(told), 0, 1.1)


@pytest.mark.parametrize("window_size", [1, 32])
@pytest.mark.parametrize("in_calibration", [0.2, 2, 30])
def test_alarm_budget_is_kept_and_used(window_size, in_calibration):
    """Budgets of 0.2, 2 and 30 alarms in a calibration part: rarer than it shows, just so, and often."""
    n, ratio = 6_000, []
    points_per_day = n / in_calibration
    for seed in range(40):
        rng = np.random.default_rng(seed)
        scores = moving_mean(rng, n, window_size)
        threshold = AlarmBudget(per_day=1).fit(scores, window_size=window_size, points_per_day=points_per_day)
        fresh = moving_mean(rng, 60_000, window_size)
        events = find_events(fresh, threshold.threshold_, merge_gap=window_size)
        ratio.append(len(events) / (len(fresh) / points_per_day))
        assert threshold.expected_false_alarms_per_day_ <= 1 + 1e-9
    assert within(np.array(ratio), 0.2, 1)


def test_alarm_budget_read_from_the_scores_leaves_that_many_highs():
    scores = moving_mean(np.random.default_rng(0), 50_000, 16)
    threshold = AlarmBudget(per_day=2).fit(scores, window_size=16, points_per_day=1_000)
    highs = scores[find_peaks(scores, 16)]
    assert (highs > threshold.threshold_).sum() == 99  # 50 days, 2 a day; the next one counts, too
    assert threshold.expected_false_alarms_per_day_ == pytest.approx(2)
