"""The VAE against closed forms: numpy and scipy in float64, written out here."""

import re

import numpy as np
import pytest
from scipy import integrate, special, stats

import vaenb
from vaenb import objectives
from vaenb.backend import keras, tf, tfd
from vaenb.choices import LIKELIHOODS
from vaenb.errors import InputError
from vaenb.model import MIN_POSTERIOR_SCALE, MIN_SCALE, VAE

ONE_SEED = (7, 0)


def softplus(x):
    return np.logaddexp(0.0, np.asarray(x, dtype=np.float64))


def shake(vae, seed=0, spread=0.4):
    """Give every weight a value that no symmetry protects."""
    rng = np.random.default_rng(seed)
    for weight in vae.trainable_variables:
        weight.assign(rng.normal(0.0, spread, weight.shape))
    return vae


def draw_windows(n, window_size, n_channels=1, seed=1):
    return np.random.default_rng(seed).normal(size=(n, window_size, n_channels)).astype(np.float32)


def draw_noise(n_samples, n, latent_dim):
    return np.random.default_rng(7).normal(size=(n_samples, n, latent_dim)).astype(np.float32)


def doubles(*tensors):
    return [np.asarray(tensor, dtype=np.float64) for tensor in tensors]


class Linear:
    """The parts of a linear VAE in float64: x -> (mean, raw scale), and z -> z @ W + b with noise sigma."""

    def __init__(self, vae):
        ((means,), (raws,)), ((locs, _),) = vae.encoder.heads, vae.decoder.heads
        self.A = np.concatenate([matrix_of(means), matrix_of(raws)], axis=-1)
        self.a = np.concatenate(doubles(means.bias, raws.bias))
        self.W, self.b = matrix_of(locs), *doubles(locs.bias)
        (self.raw_sigma,) = doubles(vae._raw_scale.value)
        self.sigma = np.tile(softplus(self.raw_sigma) + MIN_SCALE, vae.window_size)

    def encode(self, flat):
        mean, raw = np.split(flat @ self.A + self.a, 2, axis=-1)
        return mean, raw, softplus(raw) + MIN_POSTERIOR_SCALE

    def log_evidence(self, flat):
        cov = self.W.T @ self.W + np.diag(self.sigma**2)
        return stats.multivariate_normal(self.b, cov).logpdf(flat)

    def expected_elbo(self, flat):
        mean, _, scale = self.encode(flat)
        error = (flat - mean @ self.W - self.b) ** 2 + scale**2 @ self.W**2
        fit = (-0.5 * np.log(2 * np.pi * self.sigma**2) - error / (2 * self.sigma**2)).sum(axis=-1)
        return fit - kl_to_standard(mean, scale).sum(axis=-1)


def matrix_of(layer):
    (kernel,) = doubles(layer.kernel)
    return kernel.T if layer.is_transposed else kernel


def kl_to_standard(mean, scale):
    return -np.log(scale) + (scale**2 + mean**2) / 2 - 0.5


def linear_vae(window_size=6, n_channels=2, latent_dim=2, *, seed=3, spread=0.4):
    vae = VAE(window_size, n_channels, latent_dim=latent_dim, hidden=(), scale="shared")
    return shake(vae, seed, spread)


# ---------------------------------------------------------------- closed forms


def test_the_kl_to_a_standard_prior_is_the_closed_form():
    vae = shake(VAE(9, 2, latent_dim=3, hidden=(5,)))
    x = draw_windows(4, 9, 2)
    q = vae.posterior(x).distribution
    expected = kl_to_standard(*doubles(q.loc, q.scale))
    terms = vae.elbo_terms(x, seed=0)
    np.testing.assert_allclose(terms.kl_per_dim, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(terms.kl, expected.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(terms.elbo, terms.reconstruction - terms.kl, rtol=1e-6)
    np.testing.assert_array_equal(terms.posterior_mean, q.loc)


def log_density(vae, z, x):
    """log p(x | z) by scipy, from the raw outputs of the decoder."""
    loc, *raws = doubles(*vae.decoder(z))
    kind = vae.settings["likelihood"]
    assert len(raws) == (kind != "bernoulli" and vae.settings["scale"] == "per_point")
    if kind == "bernoulli":
        p = special.expit(loc)
        return (x * np.log(p) + (1 - x) * np.log1p(-p)).sum(axis=(-2, -1))
    (raw,) = raws or doubles(vae._raw_scale.value)
    scale = softplus(raw) + MIN_SCALE
    if kind == "student_t":
        family = stats.t(2 + softplus(vae._raw_df.value), loc, scale)
    else:
        family = {"normal": stats.norm, "laplace": stats.laplace}[kind](loc, scale)
    return family.logpdf(x).sum(axis=(-2, -1))


@pytest.mark.parametrize("scale", ["per_point", "shared"])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_the_log_likelihood_of_every_family_is_scipys(likelihood, scale):
    vae = shake(VAE(7, 2, latent_dim=3, hidden=(4,), likelihood=likelihood, scale=scale))
    z = np.random.default_rng(2).normal(size=(3, 5, 3)).astype(np.float32)
    x = draw_windows(5, 7, 2)
    x = special.expit(x) if likelihood == "bernoulli" else 3 * x
    p = vae.likelihood(z)
    np.testing.assert_allclose(p.log_prob(x), log_density(vae, z, x.astype(np.float64)), rtol=1e-5)
    assert p.event_shape == (7, 2)
    assert p.batch_shape == (3, 5)


def test_a_fresh_shared_scale_is_one():
    vae = VAE(5, 2, hidden=(), scale="shared")
    stddev = vae.likelihood(np.zeros((1, 8))).stddev()
    np.testing.assert_allclose(stddev, np.full((1, 5, 2), 1 + MIN_SCALE), rtol=1e-6)


def test_the_gradient_of_the_elbo_is_the_one_written_by_hand():
    vae, n = linear_vae(), 5
    x = draw_windows(8, 6, 2)
    weights = [*vae.encoder.trainable_variables, *vae.decoder.trainable_variables, vae._raw_scale]
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(vae.elbo(x, n_samples=n, seed=ONE_SEED))
    found = tape.gradient(value, [weight.value for weight in weights])
    (z,) = doubles(vae.posterior(x).sample(n, seed=tf.constant(ONE_SEED)))
    for gradient, expected in zip(found, gradient_by_hand(Linear(vae), x, z), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def gradient_by_hand(model, x, z):
    """d/d(weights) of the mean ELBO over windows x, given the draws z (n_samples, batch, latent_dim)."""
    flat = x.reshape(len(x), -1).astype(np.float64)
    draws, batch = z.shape[:2]
    mean, raw, scale = model.encode(flat)
    error = flat - (z @ model.W + model.b)
    pull = error / model.sigma**2  # d log p(x | z) / d loc
    on_z = pull @ model.W.T
    on_mean = on_z.mean(axis=0) - mean
    on_scale = (on_z * (z - mean) / scale).mean(axis=0) + 1 / scale - scale
    on_outputs = [on_mean / batch, on_scale * special.expit(raw) / batch]
    on_sigma = (-1 / model.sigma + error**2 / model.sigma**3).sum(axis=(0, 1)) / (draws * batch)
    by_channel = on_sigma.reshape(-1, len(model.raw_sigma)).sum(axis=0) * special.expit(model.raw_sigma)
    on_w = np.einsum("nbl,nbd->ld", z, pull) / (draws * batch)
    on_encoder = [part for out in on_outputs for part in (out.T @ flat, out.sum(axis=0))]  # it narrows
    return [*on_encoder, on_w, pull.mean(axis=(0, 1)), by_channel]


def by_softplus(x, *, compiled):
    """Values and gradients of our softplus."""

    @tf.function(jit_compile=compiled)
    def differentiate(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = objectives.softplus(x)
        return y, tape.gradient(y, x)

    return doubles(*differentiate(tf.constant(x, tf.float32)))


@pytest.mark.parametrize("compiled", [False, True])
def test_softplus_is_numpys_in_value_and_gradient(compiled):
    x = np.concatenate([np.linspace(-40, 40, 8001), [0.0, 19.999, 20.0, 20.001, 80.0, 1e4, 3e38]])
    x = np.concatenate([x, -x]).astype(np.float32).astype(np.float64)
    value, gradient = by_softplus(x, compiled=compiled)
    np.testing.assert_allclose(value, softplus(x), rtol=3e-7, atol=3e-7)
    np.testing.assert_allclose(gradient, special.expit(x), atol=4e-7)


@pytest.mark.parametrize("compiled", [False, True])
def test_softplus_at_its_edges(compiled):
    value, gradient = by_softplus([0.0, np.inf, -np.inf, np.nan], compiled=compiled)
    np.testing.assert_allclose(value, [np.log(2), np.inf, 0.0, np.nan], rtol=1e-7)
    np.testing.assert_array_equal(gradient[:3], [0.5, 1.0, 0.0])


@pytest.mark.parametrize("compiled", [False, True])
def test_the_normal_density_is_tfps_in_value_and_gradient(compiled):
    rng = np.random.default_rng(0)
    x, loc = (tf.constant(rng.normal(size=shape), tf.float32) for shape in ((5, 4, 3), (2, 5, 4, 3)))
    scale = tf.constant(rng.uniform(0.05, 9, size=loc.shape), tf.float32)
    weights = tf.constant(rng.normal(size=loc.shape), tf.float32)

    @tf.function(jit_compile=compiled)
    def differentiate(density):
        with tf.GradientTape() as tape:
            tape.watch([x, loc, scale])
            by_point = density(x, loc, scale)
            total = tf.reduce_sum(weights * by_point)
        return by_point, *tape.gradient(total, [x, loc, scale])

    ours = differentiate(objectives.normal_log_prob)
    theirs = differentiate(lambda x, loc, scale: tfd.Normal(loc, scale).log_prob(x))
    for mine, its in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, its, rtol=2e-5, atol=1e-5)


# ---------------------------------------------------------------- Monte Carlo and bounds


def test_the_monte_carlo_elbo_lies_within_four_standard_errors():
    vae, n = linear_vae(), 4000
    for number, window in enumerate(draw_windows(3, 6, 2)):
        drawn = np.asarray(vae.elbo(np.repeat(window[None], n, axis=0), seed=number), dtype=np.float64)
        exact = Linear(vae).expected_elbo(window.reshape(1, -1).astype(np.float64))[0]
        assert drawn.std() > 0.1
        assert abs(drawn.mean() - exact) < 4 * drawn.std() / np.sqrt(n)


def test_more_draws_make_the_elbo_steadier_without_moving_it():
    vae, n = linear_vae(), 2000
    x = np.repeat(draw_windows(1, 6, 2), n, axis=0)
    few, many = (np.asarray(vae.elbo(x, n_samples=k, seed=k), dtype=np.float64) for k in (1, 16))
    assert many.std() == pytest.approx(few.std() / 4, rel=0.15)
    assert abs(few.mean() - many.mean()) < 4 * np.hypot(few.std(), many.std()) / np.sqrt(n)


def test_the_importance_bound_climbs_from_the_elbo_to_the_evidence():
    vae, n = linear_vae(spread=0.3), 400
    window = draw_windows(1, 6, 2, seed=5)
    flat = window.reshape(1, -1).astype(np.float64)
    evidence, elbo = Linear(vae).log_evidence(flat), Linear(vae).expected_elbo(flat)[0]
    x = np.repeat(window, n, axis=0)
    bounds = [np.asarray(vae.iwae(x, n_samples=k, seed=k), dtype=np.float64) for k in (1, 10, 100, 1000)]
    means = np.array([bound.mean() for bound in bounds])
    errors = np.array([bound.std() / np.sqrt(n) for bound in bounds])
    assert evidence - elbo > 0.5
    assert abs(means[0] - elbo) < 4 * errors[0]
    assert (means < evidence + 4 * errors).all()
    assert (np.diff(means) > -4 * np.hypot(errors[1:], errors[:-1])).all()
    gaps = evidence - means
    assert (gaps[1:] < 0.6 * gaps[:-1] + 4 * errors[1:]).all()
    assert abs(gaps[-1]) < 0.02 * gaps[0] + 4 * errors[-1]


def test_training_a_linear_vae_reaches_the_likelihood_of_probabilistic_pca():
    """Tipping & Bishop (1999) give it in closed form; a linear VAE gets there (Lucas et al. 2019)."""
    size, latent, n = 10, 3, 2000
    rng = np.random.default_rng(0)
    data = (
        rng.normal(size=(n, latent)) @ rng.normal(size=(latent, size)) + 0.4 * rng.normal(size=(n, size)) + 1
    )
    eigenvalues = np.linalg.eigvalsh(np.cov(data.T, bias=True))[::-1]
    noise = eigenvalues[latent:].mean()
    log_det = np.log(eigenvalues[:latent]).sum() + (size - latent) * np.log(noise)
    best = -0.5 * (size * np.log(2 * np.pi) + log_det + size)

    vae = VAE(size, latent_dim=latent, hidden=(), scale="shared")
    windows = vaenb.make_windows(data.reshape(-1), size, stride=size)
    vaenb.train(vae, windows, epochs=60, learning_rate=0.02, progress=False)
    vaenb.train(vae, windows, epochs=20, learning_rate=0.002, progress=False)
    model = Linear(vae)
    reached, bound = model.log_evidence(data).mean(), model.expected_elbo(data).mean()
    independent = stats.norm(data.mean(axis=0), data.std(axis=0)).logpdf(data).sum(axis=1).mean()
    assert independent < best - 0.2 * abs(best)
    assert bound <= reached <= best
    assert reached > best - 0.01 * abs(best)
    assert bound > best - 0.01 * abs(best)


# ---------------------------------------------------------------- missing points


def m_elbo(vae, x, draws):
    """Donut's objective (Xu et al. 2018), one window, one draw and one point at a time."""
    q = vae.posterior(np.where(np.isnan(x), 0, x)).distribution
    loc, scale = doubles(q.loc, q.scale)
    out = np.zeros(len(x))
    for b in range(len(x)):
        share = np.mean(~np.isnan(x[b]))
        for z in draws[:, b]:
            p = vae.likelihood(z[None]).distribution
            mean, spread = doubles(p.loc, p.scale)
            points = [
                stats.norm.logpdf(x[b, t, c], mean[0, t, c], spread[0, t, c])
                for t in range(x.shape[1])
                for c in range(x.shape[2])
                if not np.isnan(x[b, t, c])
            ]
            out[b] += sum(points) / len(draws)
        # The terms of the prior and of the posterior are taken in expectation, as the model takes them.
        log_prior = -0.5 * (np.log(2 * np.pi) + loc[b] ** 2 + scale[b] ** 2)
        entropy = 0.5 * np.log(2 * np.pi * np.e * scale[b] ** 2)
        out[b] += share * log_prior.sum() + entropy.sum()
    return out


def test_missing_points_leave_the_likelihood_and_lighten_the_prior():
    vae = shake(VAE(6, 2, latent_dim=2, hidden=(4,)))
    x = draw_windows(5, 6, 2)
    x[1, 2, 0] = x[2, :4] = x[3, :, 1] = np.nan
    draws = vae.posterior(x).sample(3, seed=tf.constant(ONE_SEED)).numpy()
    found = vae.elbo(x, n_samples=3, seed=ONE_SEED)
    np.testing.assert_allclose(found, m_elbo(vae, x, draws), rtol=1e-5)
    np.testing.assert_allclose(found[0], vae.elbo(x[:1], n_samples=3, seed=ONE_SEED)[0], atol=20)


def test_a_missing_point_enters_the_encoder_as_zero():
    vae = shake(VAE(6, 1, latent_dim=2, hidden=(4,)))
    holes = draw_windows(3, 6)
    holes[:, 2] = np.nan
    np.testing.assert_array_equal(vae.posterior(holes).mean(), vae.posterior(np.nan_to_num(holes)).mean())


@pytest.mark.parametrize("prior", ["standard", "mixture"])
def test_a_window_without_any_point_has_finite_bounds_and_gradients(prior):
    vae = shake(VAE(6, 1, latent_dim=2, hidden=(4,), prior=prior))
    x = np.full((2, 6, 1), np.nan, dtype=np.float32)
    with tf.GradientTape() as tape:
        terms = vae.elbo_terms(x, seed=1)
    found = tape.gradient(terms.elbo, [weight.value for weight in vae.trainable_variables])
    gradients = [tf.convert_to_tensor(gradient) for gradient in found if gradient is not None]
    np.testing.assert_array_equal(terms.reconstruction, [0, 0])
    np.testing.assert_allclose(terms.elbo, vae.posterior(x).entropy(), rtol=1e-5)
    assert np.isfinite(vae.iwae(x, n_samples=5, seed=1)).all()
    assert len(gradients) >= 4
    assert all(np.isfinite(gradient).all() for gradient in gradients)


# ---------------------------------------------------------------- the mixture prior


def mixture(vae):
    (logits, loc, raw) = doubles(vae._prior_logits.value, vae._prior_loc.value, vae._prior_raw_scale.value)
    weights, scale = special.softmax(logits), softplus(raw) + MIN_POSTERIOR_SCALE
    return lambda z: np.log(
        sum(w * stats.norm.pdf(z, m, s).prod(axis=-1) for w, m, s in zip(weights, loc, scale, strict=True))
    )


def test_the_mixture_prior_is_the_sum_of_its_parts():
    vae = shake(VAE(5, latent_dim=3, hidden=(), prior="mixture"), spread=1.0)
    z = np.random.default_rng(0).normal(0, 2, size=(4, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(vae.prior.log_prob(z), mixture(vae)(z.astype(np.float64)), rtol=1e-5)
    assert vae.prior.event_shape == (3,)


def test_a_fresh_mixture_covers_the_standard_normal():
    vae = VAE(5, latent_dim=2, hidden=(), prior="mixture")
    z = vae.prior.sample(4000, seed=(1, 2)).numpy()
    assert np.abs(z.mean(axis=0)).max() < 1.0
    assert 0.8 < z.std() < 2.0


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_kl_to_a_mixture_lies_within_four_standard_errors_of_the_integral(latent_dim):
    vae, n = shake(VAE(5, latent_dim=latent_dim, hidden=(), prior="mixture"), spread=0.7), 4000
    window = draw_windows(1, 5)
    q = vae.posterior(window).distribution
    loc, scale = (value[0] for value in doubles(q.loc, q.scale))
    axes = [np.linspace(m - 8 * s, m + 8 * s, 401) for m, s in zip(loc, scale, strict=True)]
    z = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    log_q = stats.norm.logpdf(z, loc, scale).sum(axis=-1)
    exact = np.exp(log_q) * (log_q - mixture(vae)(z))
    for axis in reversed(axes):
        exact = integrate.simpson(exact, x=axis)
    terms = vae.elbo_terms(np.repeat(window, n, axis=0), seed=2)
    (drawn,) = doubles(terms.kl)
    assert drawn.std() > 0.01
    assert abs(drawn.mean() - exact) < 4 * drawn.std() / np.sqrt(n)
    if latent_dim == 1:
        np.testing.assert_allclose(terms.kl_per_dim[:, 0], terms.kl, rtol=1e-4, atol=1e-5)


def test_the_latent_distance_counts_scales_from_the_nearest_centre():
    z = np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)
    np.testing.assert_allclose(VAE(5, latent_dim=2, hidden=()).latent_distance(z), [5, 0])
    vae = shake(VAE(5, latent_dim=2, hidden=(), prior="mixture"), spread=1.0)
    loc, scale = vae._prior_loc.value.numpy(), softplus(vae._prior_raw_scale.value) + MIN_POSTERIOR_SCALE
    expected = [min(np.linalg.norm((point - m) / s) for m, s in zip(loc, scale, strict=True)) for point in z]
    np.testing.assert_allclose(vae.latent_distance(z), expected, rtol=1e-5)


# ---------------------------------------------------------------- shapes and seeds


@pytest.mark.parametrize("window_size", [17, 33])
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize(("encoder", "hidden"), [("dense", (6,)), ("conv", (4, 3)), ("recurrent", (5,))])
def test_shapes(encoder, hidden, n_channels, window_size):
    vae = VAE(window_size, n_channels, latent_dim=2, hidden=hidden, encoder=encoder)
    x = draw_windows(4, window_size, n_channels)
    q = vae.posterior(x)
    assert (q.batch_shape, q.event_shape) == ((4,), (2,))
    for axes in ((), (5,), (2, 3)):
        p = vae.likelihood(q.sample(axes, seed=ONE_SEED))
        assert (p.batch_shape, p.event_shape) == ((*axes, 4), (window_size, n_channels))
        assert p.log_prob(x).shape == (*axes, 4)
        assert p.mean().shape == (*axes, 4, window_size, n_channels)
    assert vae.prior.event_shape == (2,)
    assert vae.elbo(x, n_samples=3).shape == vae.iwae(x, n_samples=3).shape == (4,)
    assert vae(x).shape == x.shape
    assert np.isfinite(vae.elbo(x)).all()


def test_one_channel_may_leave_its_axis_away():
    vae = VAE(8, hidden=(4,))
    x = draw_windows(3, 8)
    np.testing.assert_array_equal(vae.elbo(x[:, :, 0], seed=1), vae.elbo(x, seed=1))


def test_the_same_seed_gives_the_same_draws_and_another_one_others():
    vae = VAE(8, hidden=(4,), seed=1)
    x = draw_windows(3, 8)
    np.testing.assert_array_equal(vae.elbo(x, seed=5), vae.elbo(x, seed=5))
    np.testing.assert_array_equal(vae.elbo(x, seed=5), vae.elbo(x, seed=(5, 0)))
    np.testing.assert_array_equal(vae.iwae(x, seed=5), vae.iwae(x, seed=5))
    assert not np.array_equal(vae.elbo(x, seed=5), vae.elbo(x, seed=6))
    assert not np.array_equal(vae.elbo(x), vae.elbo(x))


@pytest.mark.parametrize("encoder", ["dense", "conv", "recurrent"])
def test_a_seed_says_where_the_weights_start(encoder):
    def weights(seed):
        vae = VAE(9, hidden=(4, 3), encoder=encoder, prior="mixture", likelihood="student_t", seed=seed)
        return [weight.value.numpy() for weight in vae.trainable_variables]

    first, again, other = weights(1), weights(1), weights(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    differs = [not np.array_equal(a, b) for a, b in zip(first, other, strict=True)]
    matrices = [weight.ndim > 1 and np.ptp(weight) > 0 for weight in first]
    assert all(d for d, m in zip(differs, matrices, strict=True) if m)
    assert sum(matrices) >= 5


def test_a_compiled_graph_draws_the_same():
    vae = shake(VAE(8, latent_dim=3, hidden=(4,)))
    x = tf.constant(draw_windows(3, 8))
    compiled = tf.function(lambda x: vae.elbo(x, n_samples=2, seed=ONE_SEED), jit_compile=True)
    np.testing.assert_allclose(compiled(x), vae.elbo(x, n_samples=2, seed=ONE_SEED), rtol=1e-5)


def test_two_fresh_models_of_one_seed_draw_the_same_without_being_asked():
    x = draw_windows(3, 8)
    first, second = (VAE(8, hidden=(4,), seed=4).elbo(x) for _ in range(2))
    np.testing.assert_array_equal(first, second)


# ---------------------------------------------------------------- the page's model


def test_the_textbook_model_is_the_pages():
    vae = VAE.textbook(20, 2)
    flatten, hidden = vae.encoder.chain
    assert isinstance(flatten, keras.layers.Flatten)
    assert (hidden.units, hidden.activation) == (32, keras.activations.relu)
    for (params,) in vae.encoder.heads:  # means and raw scales: together, a layer of 4
        assert (params.units, params.activation) == (2, keras.activations.linear)
    ((hidden,), ((logits, reshape),)) = vae.decoder.chain, vae.decoder.heads
    assert (hidden.units, hidden.activation) == (32, keras.activations.relu)
    assert (logits.units, logits.activation) == (20 * 2, keras.activations.linear)
    assert reshape.target_shape == (20, 2)
    assert vae.count_params() == (40 * 32 + 32) + (32 * 4 + 4) + (2 * 32 + 32) + (32 * 40 + 40)
    assert vae.settings["latent_dim"] == 2
    assert vae.name == "textbook"
    z = np.random.default_rng(0).normal(size=(3, 2))
    np.testing.assert_allclose(
        vae.likelihood(z).mean(), special.expit(doubles(*vae.decoder(z))[0]), rtol=1e-5
    )


def test_the_textbook_loss_is_binary_cross_entropy_plus_kl():
    vae = shake(VAE.textbook(12))
    x = special.expit(draw_windows(6, 12))
    noise = draw_noise(1, 6, 2)
    loss, _ = vae.training_loss(tf.constant(x), noise=noise)
    q = vae.posterior(x)
    z = q.distribution.loc + q.distribution.scale * noise[0]
    (p,) = doubles(vae.likelihood(z).mean())
    cross_entropy = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=(1, 2))
    kl = kl_to_standard(*doubles(q.distribution.loc, q.distribution.scale)).sum(axis=1)
    assert float(loss) == pytest.approx((cross_entropy + kl).mean(), rel=1e-5)


def test_the_kl_weight_weighs_the_kl_in_training_and_nowhere_else():
    x = tf.constant(draw_windows(6, 12))
    plain, heavy = (VAE(12, hidden=(4,), kl_weight=weight) for weight in (1.0, 3.0))
    noise = draw_noise(1, 6, 8)
    loss, terms = plain.training_loss(x, noise=noise)
    heavier, same = heavy.training_loss(x, noise=noise)
    np.testing.assert_array_equal(terms.elbo, same.elbo)
    assert float(loss) == pytest.approx(-float(tf.reduce_mean(terms.elbo)), rel=1e-6)
    assert float(heavier - loss) == pytest.approx(2 * float(tf.reduce_mean(terms.kl)), rel=1e-4)


def test_where_nothing_is_missing_the_loss_need_not_look():
    vae, x, noise = shake(VAE(12, hidden=(4,))), tf.constant(draw_windows(6, 12)), draw_noise(1, 6, 8)
    looked, terms = vae.training_loss(x, noise=noise)
    promised, same = vae.training_loss(x, noise=noise, complete=True)
    assert float(promised) == pytest.approx(float(looked), rel=1e-6)
    for found, expected in zip(same, terms, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- a Keras model


def test_the_summary_shows_both_networks(capsys):
    VAE(20, 3, latent_dim=4, hidden=(16,)).summary()
    shown = capsys.readouterr().out
    assert "encoder (Network)" in shown
    assert "((None, 4), (None, 4))" in shown
    assert "decoder (Network)" in shown
    first, second = re.findall(r"decoder \(Network\) +. +(\S.*?) +. .*\n.*?(\S+ \S+\)\)) ", shown)[0]
    assert f"{first} {second}" == "((None, 20, 3), (None, 20, 3))"


class Counter(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.logs = []

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append(dict(logs))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A model fitted the Keras way, with the callbacks that its users reach for."""
    data = np.sin(np.arange(800) / 4)
    x = vaenb.make_windows(data, 16).array
    vae = VAE(16, latent_dim=2, hidden=(16,), seed=2)
    vae.compile(optimizer=keras.optimizers.Adam(1e-2))
    path = tmp_path_factory.mktemp("fitted") / "best.weights.h5"
    counter = Counter()
    callbacks = [
        keras.callbacks.EarlyStopping(patience=2, min_delta=1000.0),
        keras.callbacks.ModelCheckpoint(path, save_weights_only=True),
        counter,
    ]
    history = vae.fit(x, epochs=10, batch_size=64, validation_split=0.2, verbose=0, callbacks=callbacks)
    return vae, x, history, counter, path


def test_fit_takes_keras_callbacks(fitted):
    _, _, history, counter, path = fitted
    assert len(history.epoch) == 3
    assert set(counter.logs[0]) == {
        "loss",
        "reconstruction",
        "kl",
        "val_loss",
        "val_reconstruction",
        "val_kl",
    }
    assert history.history["loss"][-1] < history.history["loss"][0]
    for logs in counter.logs:
        assert logs["loss"] == pytest.approx(logs["kl"] - logs["reconstruction"], rel=1e-4)
    assert path.exists()


def test_weights_that_fit_saved_can_be_loaded(fitted):
    vae, x, _, _, path = fitted
    other = VAE(16, latent_dim=2, hidden=(16,), seed=9)
    other.load_weights(path)
    np.testing.assert_array_equal(other.elbo(x, seed=1), vae.elbo(x, seed=1))


def test_evaluate_and_predict(fitted):
    vae, x, *_ = fitted
    found = vae.evaluate(x, verbose=0, return_dict=True)
    exact = float(tf.reduce_mean(vae.elbo(x, n_samples=50, seed=0)))
    spread = float(tf.math.reduce_std(vae.elbo(x, seed=0))) / np.sqrt(len(x))
    assert abs(found["loss"] + exact) < 6 * spread
    predicted = vae.predict(x, verbose=0)
    assert predicted.shape == x.shape
    np.testing.assert_allclose(predicted, vae.likelihood(vae.posterior(x).mean()).mean(), atol=1e-5)


def test_a_model_comes_back_from_its_config():
    vae = VAE(
        9, 2, latent_dim=3, hidden=(4,), encoder="conv", likelihood="laplace", scale="shared", kl_weight=2
    )
    other = VAE.from_config(vae.get_config())
    assert other.get_config() == vae.get_config()
    for ours, theirs in zip(vae.trainable_variables, other.trainable_variables, strict=True):
        np.testing.assert_array_equal(ours.value, theirs.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"encoder": "dense", "likelihood": "student_t", "prior": "mixture"},
        {"encoder": "conv", "scale": "shared"},
        {"encoder": "recurrent", "likelihood": "bernoulli"},
    ],
    ids=["dense", "conv", "recurrent"],
)
def test_a_model_comes_back_from_a_keras_file(settings, tmp_path):
    vae = shake(VAE(9, 2, latent_dim=3, hidden=(4,), **settings))
    vae.save(tmp_path / "model.keras")
    other = keras.models.load_model(tmp_path / "model.keras")
    x = special.expit(draw_windows(3, 9, 2))
    assert isinstance(other, VAE)
    assert other.settings == vae.settings
    np.testing.assert_array_equal(other.elbo(x, seed=1), vae.elbo(x, seed=1))


def test_the_global_dtype_policy_changes_nothing():
    plain = VAE(9, hidden=(4,))
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        vae = VAE(9, hidden=(4,))
        x = draw_windows(3, 9)
        assert {weight.dtype for weight in vae.trainable_variables} == {"float32"}
        np.testing.assert_array_equal(vae.elbo(x, seed=1), plain.elbo(x, seed=1))
        np.testing.assert_array_equal(vae(x), plain(x))
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_fit_and_train_reach_the_same_elbo(missing):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(600, 2)) @ rng.normal(size=(2, 8)) + 0.3 * rng.normal(size=(600, 8))
    data[rng.random(data.shape) < missing] = np.nan
    learnt, held_out = data[:400, :, None], tf.constant(data[400:, :, None], tf.float32)
    windows = vaenb.make_windows(learnt.reshape(-1), 8, stride=8)

    def reach(seed, road):
        vae = VAE(8, latent_dim=2, hidden=(), scale="shared", seed=seed)
        if road == "train":
            vaenb.train(
                vae, windows, epochs=40, batch_size=100, learning_rate=0.03, seed=seed, progress=False
            )
        else:
            keras.utils.set_random_seed(seed)  # by which fit shuffles
            vae.compile(optimizer=keras.optimizers.Adam(0.03))
            vae.fit(learnt, epochs=40, batch_size=100, verbose=0)
        return float(tf.reduce_mean(vae.elbo(held_out, n_samples=50, seed=0)))

    ours, theirs = (np.array([reach(seed, road) for seed in range(5)]) for road in ("train", "fit"))
    start = float(tf.reduce_mean(VAE(8, latent_dim=2, hidden=(), scale="shared").elbo(held_out, seed=0)))
    # Welch's test: four standard errors of three runs are passed in one case of fifty.
    assert stats.ttest_ind(ours, theirs, equal_var=False).pvalue > 1e-3
    assert abs(ours.mean() - theirs.mean()) < 0.2  # of the more than 4 that were learnt
    assert min(ours.min(), theirs.min()) > start + 4.0


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window_size": 0}, r"window_size is 0; expected a whole number of at least 1"),
        ({"window_size": 6.5}, r"window_size is 6\.5; expected a whole number"),
        ({"window_size": "auto"}, r"window_size is 'auto'; expected a whole number"),
        ({"n_channels": -1}, r"n_channels is -1"),
        ({"latent_dim": float("nan")}, r"latent_dim is nan"),
        ({"hidden": (8, 0)}, r"each of hidden is 0; expected a whole number of at least 1"),
        ({"hidden": 8}, r"hidden is 8; expected the size of each layer, such as \(256, 64\)"),
        ({"encoder": "lstm"}, r"encoder is 'lstm'; expected one of 'dense', 'conv', 'recurrent'"),
        ({"likelihood": "gauss"}, r"likelihood is 'gauss'; expected one of 'normal', 'laplace'"),
        ({"scale": "none"}, r"scale is 'none'; expected one of 'per_point', 'shared'"),
        ({"prior": "vamp"}, r"prior is 'vamp'; expected one of 'standard', 'mixture'"),
        ({"kl_weight": -1}, r"kl_weight is -1; expected a number of at least 0"),
        ({"kl_weight": float("inf")}, r"kl_weight is inf; expected a number of at least 0"),
        ({"seed": -1}, r"seed is -1; expected a whole number from 0 to 2147483647"),
        ({"seed": 2**31}, r"seed is 2147483648"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        VAE(**{"window_size": 8, **settings})


@pytest.mark.parametrize("shape", [(8, 1), (3, 9, 1), (3, 8, 2), (2, 3, 8, 1), (8,)])
def test_windows_of_another_shape_are_refused(shape):
    with pytest.raises(InputError, match=r"expected \(batch, 8, 1\): \(batch, window_size, n_channels\)"):
        VAE(8, hidden=(4,)).elbo(np.zeros(shape))


def test_no_draws_are_refused():
    vae = VAE(8, hidden=(4,))
    with pytest.raises(InputError, match=r"n_samples is 0; expected a whole number of at least 1"):
        vae.elbo(np.zeros((1, 8)), n_samples=0)
    with pytest.raises(InputError, match=r"n_samples is 0"):
        vae.iwae(np.zeros((1, 8)), n_samples=0)
