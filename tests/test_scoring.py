"""Scores against a naive reference: one window, one draw, one timestamp at a time."""

import tracemalloc

import numpy as np
import pytest

import vaenb
from vaenb import scoring
from vaenb.errors import InputError
from vaenb.imputing import impute
from vaenb.lending import stand_in
from vaenb.model import VAE
from vaenb.scoring import channel_scores, encode, score
from vaenb.votes import METHODS, POINT_METHODS

SIZE, CHANNELS = 8, 2


def shake(vae, seed=0, spread=0.3):
    rng = np.random.default_rng(seed)
    for weight in vae.trainable_variables:
        weight.assign(rng.normal(0.0, spread, weight.shape))
    return vae


def make_values(n=60, n_channels=CHANNELS, seed=0):
    return np.random.default_rng(seed).normal(size=(n, n_channels))


def cut(values, size=SIZE, **settings):
    return vaenb.make_windows(values, size, **settings)


@pytest.fixture(scope="module")
def models():
    """A VAE with any weights of each kind, so that no method is tested on a special case."""
    kinds = {
        "normal": {},
        "laplace": {"likelihood": "laplace", "scale": "shared"},
        "mixture": {"likelihood": "student_t", "prior": "mixture"},
    }
    return {
        name: shake(VAE(SIZE, CHANNELS, latent_dim=3, hidden=(6,), **kind)) for name, kind in kinds.items()
    }


# ---------------------------------------------------------------- the naive reference


def mirrored_noise(n_samples, latent_dim, seed):
    rng = np.random.default_rng(seed)
    pairs = rng.standard_normal((int(np.ceil(n_samples / 2)), latent_dim))
    return np.array([sign * pair for pair in pairs for sign in (1, -1)])[:n_samples].astype(np.float32)


def naive_window_score(vae, x, method, noise):
    """The score of one window x, (window_size, n_channels), NaN where missing; and of each channel."""
    known = ~np.isnan(x)
    filled = naive_impute(vae, x, mirrored_noise(10, vae.latent_dim, 0)) if not known.all() else x
    scaled_up = x.size / known.sum()
    q = vae.posterior(filled[None])
    loc, scale = q.distribution.loc.numpy()[0], q.distribution.scale.numpy()[0]
    errors, log_prior, log_q = [], [], []
    for draw in noise:
        z = (loc + scale * draw)[None]
        by_point = vae.likelihood(z).distribution.log_prob(filled).numpy()[0]
        errors.append(-np.where(known, by_point, 0).sum(axis=0) * scaled_up)
        log_prior.append(float(vae.prior.log_prob(z)[0]))
        log_q.append(float(q.log_prob(z)[0]))
    by_channel = np.mean(errors, axis=0)
    fit, log_prior, log_q = np.sum(errors, axis=1), np.array(log_prior), np.array(log_q)
    if method == "reconstruction_error":
        rebuilt = vae.likelihood(loc[None]).mean().numpy()[0]
        by_channel = np.where(known, (filled - rebuilt) ** 2, 0).sum(axis=0) * scaled_up
    total = {
        "reconstruction_error": by_channel.sum(),
        "reconstruction_probability": by_channel.sum(),
        "elbo": np.mean(fit + log_q - log_prior),
        "iwae": -np.log(np.mean(np.exp(np.float64(log_prior - log_q - fit)))),
        "latent": float(vae.latent_distance(loc[None])[0]),
    }[method]
    return total, by_channel


def naive_impute(vae, x, noise):
    filled = np.nan_to_num(x)
    for draw in noise:
        q = vae.posterior(filled[None]).distribution
        rebuilt = vae.likelihood(q.loc + q.scale * draw).mean().numpy()[0]
        filled = np.where(np.isnan(x), rebuilt, x)
    return filled


def naive_votes(window_values, starts, size, places):
    voters = [[v for v, s in zip(window_values, starts, strict=True) if s <= t < s + size] for t in places]
    return [np.mean(votes) for votes in voters]


def holed(values):
    holes = values.copy()
    holes[10, 0] = holes[20:23] = holes[-20:-16, 1] = np.nan
    return holes


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize(
    ("method", "kind"),
    [*((method, "mixture") for method in METHODS), ("elbo", "normal"), ("iwae", "laplace")],
)
def test_every_method_is_its_naive_reference(models, method, kind, missing):
    vae, values = models[kind], make_values()
    values = holed(values) if missing else values
    windows = cut(values)[::4] if not missing else cut(values)[:45:4]
    noise = mirrored_noise(5, 3, seed=0)
    table = np.where(np.isnan(values), np.nan, values.astype(np.float32))
    expected = [naive_window_score(vae, table[s : s + SIZE], method, noise) for s in windows.starts]
    found = score(vae, windows, method, n_samples=5)
    np.testing.assert_allclose(found.window_values, [total for total, _ in expected], rtol=2e-4, atol=1e-4)
    if method in {"reconstruction_error", "reconstruction_probability"}:
        parts = channel_scores(vae, windows, method, n_samples=5)
        np.testing.assert_allclose(parts, [part for _, part in expected], rtol=2e-4, atol=1e-4)
        np.testing.assert_allclose(parts.sum(axis=1), found.window_values, rtol=1e-5)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("method", POINT_METHODS)
def test_a_vote_by_point_is_the_mean_error_of_the_point_itself(models, method, missing):
    vae, values = models["mixture"], make_values(30)
    values = holed(values) if missing else values
    windows, noise = cut(values), mirrored_noise(5, 3, seed=0)
    said = [[] for _ in values]
    for start in windows.starts:
        x = values[start : start + SIZE].astype(np.float32)
        for t, channels in enumerate(naive_errors(vae, x, method, noise)):
            if not np.isnan(channels).all():
                said[start + t].append(np.nanmean(channels) * CHANNELS)
    found = score(vae, windows, method, vote="point", n_samples=5)
    expected = np.array([np.mean(votes) if votes else np.nan for votes in said])
    voted = ~np.isnan(expected)
    np.testing.assert_allclose(found.values[voted], expected[voted], rtol=2e-4, atol=1e-4)
    assert voted.all() != missing
    between = np.interp(np.flatnonzero(~voted), np.flatnonzero(voted), found.values[voted])
    np.testing.assert_allclose(found.values[~voted], between)
    by_window = score(vae, windows, method, n_samples=5)
    # Two graphs, compiled apart: they may round differently.
    np.testing.assert_allclose(found.window_values, by_window.window_values, rtol=1e-6)


@pytest.mark.parametrize("kind", ["normal", "laplace", "mixture"])
def test_a_tolerance_widens_the_scale_at_the_mean_of_the_posterior(models, kind):
    vae, values = models[kind], make_values(24)
    windows, at_mean = cut(values, stride=SIZE), np.zeros((1, 3), dtype=np.float32)
    parts = [values[i : i + SIZE].astype(np.float32) for i in windows.starts]
    expected = [
        naive_errors(vae, x, "reconstruction_probability", at_mean, tolerance=0.4).sum(axis=1) for x in parts
    ]
    chosen = {"n_samples": 0, "tolerance": 0.4}
    found = score(vae, windows, vote="point", **chosen)
    np.testing.assert_allclose(found.values, np.concatenate(expected), rtol=2e-4, atol=1e-4)
    np.testing.assert_allclose(found.window_values, np.sum(expected, axis=1), rtol=2e-4, atol=1e-4)
    by_channel = channel_scores(vae, windows, **chosen)
    np.testing.assert_allclose(by_channel.sum(axis=1), found.window_values, rtol=1e-5)
    np.testing.assert_array_equal(score(vae, windows, vote="point", seed=7, **chosen).values, found.values)


@pytest.mark.parametrize("method", ["reconstruction_error", "latent"])
def test_without_a_scale_a_tolerance_means_nothing(models, method):
    vae, windows = models["normal"], cut(make_values(24))
    np.testing.assert_array_equal(
        score(vae, windows, method, tolerance=0.4).values, score(vae, windows, method).values
    )
    bernoulli = shake(VAE(SIZE, 1, latent_dim=2, hidden=(6,), likelihood="bernoulli"))
    windows = cut(np.random.default_rng(0).random(24))
    np.testing.assert_array_equal(
        score(bernoulli, windows, tolerance=0.4).values, score(bernoulli, windows).values
    )


def test_what_no_score_can_be_drawn_with_is_refused(models):
    vae, windows = models["normal"], cut(make_values(24))
    for method in ("elbo", "iwae"):
        with pytest.raises(InputError, match="n_samples is 0; expected a whole number of at least 1"):
            score(vae, windows, method, n_samples=0)
    with pytest.raises(InputError, match=r"tolerance is -0\.1; expected a number of at least 0"):
        score(vae, windows, tolerance=-0.1)


@pytest.mark.parametrize("method", POINT_METHODS)
def test_missing_points_can_stay_at_0(models, method):
    vae, values = models["normal"], holed(make_values(24))
    windows, noise = cut(values, stride=SIZE), mirrored_noise(5, 3, seed=0)
    expected = []
    for start in windows.starts:
        x = values[start : start + SIZE].astype(np.float32)
        errors = naive_errors(vae, np.nan_to_num(x), method, noise)
        expected.append(np.where(np.isnan(x), 0.0, errors).sum() * x.size / (~np.isnan(x)).sum())
    found = score(vae, windows, method, n_samples=5, impute=False).window_values
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-4)
    by_channel = channel_scores(vae, windows, method, n_samples=5, impute=False)
    np.testing.assert_allclose(by_channel.sum(axis=1), found, rtol=1e-5)
    assert np.abs(found - score(vae, windows, method, n_samples=5).window_values).max() > 0.1


def naive_errors(vae, x, method, noise, *, tolerance=0.0):
    """The mean error over the draws, shape (window_size, n_channels); NaN where missing."""
    filled = naive_impute(vae, x, mirrored_noise(10, vae.latent_dim, 0)) if np.isnan(x).any() else x
    q = vae.posterior(filled[None]).distribution
    if method == "reconstruction_error":
        errors = (filled - vae.likelihood(q.loc).mean().numpy()[0]) ** 2
    else:
        p = [vae.likelihood(q.loc + q.scale * draw).distribution for draw in noise]
        if tolerance:
            p = [part.copy(scale=np.sqrt(part.scale**2 + tolerance**2)) for part in p]
        errors = -np.mean([part.log_prob(filled).numpy()[0] for part in p], axis=0)
    return np.where(np.isnan(x), np.nan, errors)


@pytest.mark.parametrize("method", ["elbo", "iwae", "latent"])
def test_channels_of_the_other_methods_share_the_reconstruction_probability(models, method):
    vae, windows = models["normal"], cut(make_values())
    np.testing.assert_array_equal(channel_scores(vae, windows, method), channel_scores(vae, windows))


@pytest.mark.parametrize("stride", [1, 3, SIZE, SIZE + 2])
def test_a_timestamp_gets_the_mean_of_the_windows_that_cover_it(models, stride):
    windows = cut(make_values(61), stride=stride)
    found = score(models["normal"], windows)
    assert (len(found), found.window_size, found.method) == (61, SIZE, "reconstruction_probability")
    np.testing.assert_array_equal(found.window_starts, windows.starts)
    assert np.isfinite(found.values).all()
    covered = np.zeros(61, dtype=bool)
    for start in windows.starts:
        covered[start : start + SIZE] = True
    assert covered[[0, -1]].all()
    expected = naive_votes(found.window_values, windows.starts, SIZE, np.flatnonzero(covered))
    np.testing.assert_allclose(found.values[covered], expected, rtol=1e-9)
    assert found.values[0] == found.window_values[0]
    if stride == 1:
        assert found.values[-1] == found.window_values[-1]


# ---------------------------------------------------------------- the same again


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_scores(models, method):
    vae, windows = models["normal"], cut(make_values())
    first, again = (score(vae, windows, method, seed=3).values for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = score(vae, windows, method, seed=4).values
    assert np.array_equal(first, other) == (method in {"reconstruction_error", "latent"})


@pytest.mark.parametrize("method", ["reconstruction_error", "iwae"])
def test_chunks_do_not_change_the_scores(models, method, monkeypatch):
    vae, windows = models["mixture"], cut(holed(make_values(200)))
    whole = score(vae, windows, method)
    monkeypatch.setattr(scoring, "CHUNK_VALUES", 1)  # the least: 16 windows
    parts = score(vae, windows, method)
    np.testing.assert_allclose(parts.values, whole.values, rtol=1e-4, atol=1e-4)


def test_a_window_scores_the_same_wherever_it_stands(models):
    values = make_values()
    values[40:48] = values[3:11]
    found = score(models["normal"], cut(values)).window_values
    assert found[40] == pytest.approx(found[3], rel=1e-6)


@pytest.mark.parametrize("method", ["reconstruction_probability", "reconstruction_error", "iwae"])
@pytest.mark.parametrize("gaps", [False, True])
def test_windows_score_the_same_in_any_company(models, method, gaps):
    """Neighbours are cut out of the series in the graph; others are laid out before."""
    vae, values = models["normal"], make_values(100)
    windows = cut(holed(values) if gaps else values)
    whole = score(vae, windows, method).window_values
    order = np.random.default_rng(0).permutation(len(windows))
    for some in (order, slice(None, None, 3)):
        found = score(vae, windows[some], method).window_values
        np.testing.assert_allclose(found, whole[some], rtol=1e-5, atol=1e-5)


def test_graphs_for_gaps_are_made_where_there_are_gaps(models):
    values = make_values(100)
    for windows, expected in ((cut(values), {False}), (cut(holed(values)), {False, True})):
        vae = shake(VAE(SIZE, CHANNELS, latent_dim=3, hidden=(50 + len(expected),)))  # nobody else's
        score(vae, windows)
        with stand_in(vae) as lent:
            assert {has_gaps for _, has_gaps, *_ in lent.graphs} == expected


def test_another_seed_needs_no_new_graph(models):
    vae, windows = models["normal"], cut(make_values())
    score(vae, windows, seed=1)
    before = dict(vae.graphs)
    score(vae, windows, seed=2)
    assert vae.graphs == before


def test_trained_on_weights_are_seen_by_the_next_score(models):
    vae, windows = shake(VAE(SIZE, CHANNELS, latent_dim=3, hidden=(6,))), cut(make_values())
    before = score(vae, windows).values
    shake(vae, seed=9)
    assert not np.allclose(score(vae, windows).values, before)


# ---------------------------------------------------------------- anomalies


@pytest.fixture(scope="module")
def trained():
    """A VAE of four noisy sines."""
    t = np.arange(1200)[:, None]
    values = np.sin(t / 4 + np.arange(4)) + 0.05 * np.random.default_rng(0).normal(size=(1200, 4))
    vae = VAE(16, 4, latent_dim=3, hidden=(32,))
    vaenb.train(vae, cut(values[:800], 16), epochs=60, batch_size=64, learning_rate=0.01, progress=False)
    return vae, values[800:]


@pytest.mark.parametrize("method", METHODS)
def test_higher_is_more_anomalous(trained, method):
    vae, values = trained
    values = values.copy()
    values[200:210] += 2.5
    found = score(vae, cut(values, 16), method).values
    assert 190 <= found.argmax() < 220
    normal = np.r_[found[:180], found[230:]]
    assert found[200:210].min() > np.quantile(normal, 0.99)


def test_the_channel_to_blame_has_the_largest_share(trained):
    vae, values = trained
    for channel in range(4):
        planted = values.copy()
        planted[200:210, channel] += 2.5
        windows = cut(planted, 16)
        for method in METHODS:
            by_channel = channel_scores(vae, windows, method)
            assert by_channel.shape == (len(windows), 4)
            assert by_channel[195:210].mean(axis=0).argmax() == channel


# ---------------------------------------------------------------- missing points


def test_imputing_leaves_known_points_alone(models):
    x = holed(make_values())[None, 16:24].astype(np.float32)
    filled = impute(models["normal"], x)
    known = ~np.isnan(x)
    assert not known.all()
    np.testing.assert_array_equal(filled[known], x[known])
    assert np.isfinite(filled).all()
    assert (filled.shape, filled.dtype) == (x.shape, np.float32)
    np.testing.assert_array_equal(filled, impute(models["normal"], x))


def test_imputing_is_its_naive_reference(models):
    x = holed(make_values())[16:24].astype(np.float32)
    expected = naive_impute(models["mixture"], x, mirrored_noise(4, 3, seed=5))
    np.testing.assert_allclose(
        impute(models["mixture"], x[None], n_iterations=4, seed=5)[0], expected, atol=1e-5
    )


def test_imputing_a_sine_comes_closer_than_zeros(trained):
    vae, values = trained
    truth = cut(values, 16).array[:100]
    x = truth.copy()
    x[:, 5:9] = np.nan
    missing = np.isnan(x)
    error = np.abs(impute(vae, x)[missing] - truth[missing]).mean()
    assert error < 0.4 * np.abs(truth[missing]).mean()


def test_a_gap_is_scored_by_what_lies_around_it(trained):
    vae, values = trained
    holes = values.copy()
    holes[100:140] = np.nan  # windows of 16 inside it hold no value at all
    for method in METHODS:
        plain, found = score(vae, cut(values, 16), method), score(vae, cut(holes, 16), method)
        assert np.isfinite(found.values).all()
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(found.window_values)), np.arange(100, 125))
        np.testing.assert_allclose(found.values[:85], plain.values[:85], rtol=1e-3, atol=1e-3)
    inside = found.values[116:125]
    assert (inside <= max(found.values[115], found.values[125])).all()


def test_a_hole_is_no_anomaly(trained):
    vae, values = trained
    holes, spiked = values.copy(), values.copy()
    holes[100:104] = np.nan
    spiked[100:104] = 0.0
    at_hole, at_zero = (score(vae, cut(v, 16)).values[100:104].mean() for v in (holes, spiked))
    normal = score(vae, cut(values, 16)).values
    assert at_hole < normal.max() + 3 * normal.std()
    assert at_zero > at_hole + 3 * normal.std()


def test_channels_of_an_empty_window_are_nan(models):
    values = make_values()
    values[20:40] = np.nan
    windows = cut(values)
    empty = np.isnan(channel_scores(models["normal"], windows)).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(empty), np.arange(20, 33))
    assert not np.isnan(channel_scores(models["normal"], windows)[~empty]).any()


def test_nothing_but_holes_is_refused(models):
    with pytest.raises(InputError, match=r"All values are missing: there is nothing to score"):
        score(models["normal"], cut(np.full((30, CHANNELS), np.nan)))


# ---------------------------------------------------------------- no NaN reaches the scores


@pytest.mark.parametrize("value", [np.inf, 1e25])
@pytest.mark.parametrize("method", METHODS)
def test_scores_that_are_not_finite_are_refused(models, method, value):
    values = make_values()
    values[30] = value
    with pytest.raises(InputError, match=rf"The {method} scores are not finite: the model has diverged or"):
        score(models["normal"], cut(values), method)


@pytest.mark.parametrize("missing", [False, True])
def test_a_model_with_broken_weights_is_refused(missing):
    vae = VAE(SIZE, CHANNELS, latent_dim=3, hidden=(6,))
    vae.encoder.trainable_variables[0].assign(np.full((6, SIZE * CHANNELS), np.nan))
    values = holed(make_values()) if missing else make_values()
    with pytest.raises(
        InputError, match=r"scores are not finite: .* Train again with a smaller learning_rate"
    ):
        score(vae, cut(values))
    with pytest.raises(InputError, match=r"scores are not finite"):
        channel_scores(vae, cut(values))


# ---------------------------------------------------------------- the latent space


def test_encode_is_the_posterior_mean_window_by_window(models, monkeypatch):
    monkeypatch.setattr(scoring, "ENCODED_AT_ONCE", 7)
    values = holed(make_values())
    vae, windows = models["normal"], cut(values)
    expected = [vae.posterior(values[None, s : s + SIZE]).mean().numpy()[0] for s in windows.starts]
    found = encode(vae, windows)
    assert (found.shape, found.dtype) == ((53, 3), np.float32)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert encode(vae, windows[:0]).shape == (0, 3)


# ---------------------------------------------------------------- memory


def test_the_windows_are_never_laid_out():
    """200,000 windows of 64 x 3 would take 154 MB; the scores and votes themselves take about 10."""
    vae = VAE(64, 3, latent_dim=2, hidden=())
    windows = cut(np.random.default_rng(0).normal(size=(200_000, 3)).astype(np.float32), 64)
    score(vae, windows[:10])
    tracemalloc.start()
    try:
        found = score(vae, windows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == 200_000
    assert peak < 60e6


@pytest.mark.parametrize(
    "settings",
    [{"hidden": (512,)}, {"encoder": "conv", "hidden": (8, 64)}, {"encoder": "recurrent", "hidden": (64,)}],
)
def test_a_chunk_holds_no_tensor_beyond_its_limit(settings, monkeypatch):
    monkeypatch.setattr(scoring, "CHUNK_VALUES", 1_000_000)
    vae = VAE(64, 2, latent_dim=2, **settings)
    chunk = scoring._Scorer(vae, cut(make_values(100), 64), "elbo", n_samples=4, seed=0).chunk
    shapes, shape = [], (chunk * 4, 2)
    for layer in vae.decoder.chain:
        shape = layer.compute_output_shape(shape)
        shapes.append(np.prod(shape))
    assert max(shapes) <= 1_000_000
    assert max(shapes) > 50_000


# ---------------------------------------------------------------- what is refused


def test_wrong_settings_are_refused(models):
    vae, windows = models["normal"], cut(make_values())
    for judge in (score, channel_scores):
        with pytest.raises(InputError, match=r"method is 'mse'; expected one of 'reconstruction_error'"):
            judge(vae, windows, "mse")
        with pytest.raises(InputError, match=r"n_samples is -1; expected a whole number of at least 0"):
            judge(vae, windows, n_samples=-1)
    with pytest.raises(InputError, match=r"vote is 'all'; expected one of 'window', 'point'"):
        score(vae, windows, vote="all")
    with pytest.raises(InputError, match=r"vote is 'point', which 'elbo' has no score for; take recon"):
        score(vae, windows, "elbo", vote="point")
    with pytest.raises(InputError, match=r"n_iterations is 0"):
        impute(vae, windows.array, n_iterations=0)
    with pytest.raises(InputError, match=r"seed is -1"):
        score(vae, windows, seed=-1)
    with pytest.raises(InputError, match=r"seed is -1"):
        impute(vae, windows.array, seed=-1)


def test_windows_of_another_shape_are_refused(models):
    other = cut(make_values(n_channels=3), SIZE + 1)
    for judge in (score, channel_scores, encode):
        with pytest.raises(InputError, match=r"^windows has windows of 9 points x 3 channels; the model was"):
            judge(models["normal"], other)
    with pytest.raises(InputError, match=r"expected \(batch, 8, 2\)"):
        impute(models["normal"], other.array)
