"""Training against a naive loop, and everything that can end it."""

import threading

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import vaenb
from vaenb import draws, training_run
from vaenb.backend import keras, tf
from vaenb.errors import InputError
from vaenb.graphs import compile_graph
from vaenb.model import VAE
from vaenb.objectives import elbo_terms
from vaenb.training import TrainingWarning, train
from vaenb.training_graph import warmed_up

SIZE = 12


def wave(n=400, seed=0, n_channels=1):
    rng = np.random.default_rng(seed)
    phases = np.arange(n_channels)
    return np.sin(np.arange(n)[:, None] / 3 + phases) + 0.1 * rng.normal(size=(n, n_channels))


def cut(values, **settings):
    return vaenb.make_windows(values, SIZE, **settings)


def build(**settings):
    return VAE(SIZE, **{"latent_dim": 2, "hidden": (6,), **settings})


def learn(vae, windows, **settings):
    return train(vae, windows, **{"epochs": 4, "batch_size": 64, "progress": False, **settings})


def weights(vae):
    return [weight.value.numpy() for weight in vae.trainable_variables]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def mean_elbo(vae, x):
    """With the same draws each time, so that chance does not decide which of two models is better."""
    return float(tf.reduce_mean(vae.elbo(x, n_samples=20, seed=0)))


def compiled(function):
    """As training does, so that it rounds as training does."""
    return compile_graph(function)


@pytest.fixture(scope="module")
def learnt():
    """One uninterrupted training that others are compared with: model, windows, history, what was heard."""
    heard = []
    vae, windows = build(), cut(wave())
    history = learn(vae, windows, on_epoch=heard.append, seed=5)
    return vae, windows, history, heard


# ---------------------------------------------------------------- against a naive loop


def test_training_is_adam_on_the_elbo_batch_by_batch(learnt):
    trained, windows, history, _ = learnt
    vae, optimizer, steps = build(), keras.optimizers.Adam(1e-3), -(-len(windows) // 64)

    @compiled
    def differentiate(x, noise):
        with tf.GradientTape() as tape:
            elbo = tf.reduce_mean(elbo_terms(vae, x, noise=noise).elbo)
        return elbo, tape.gradient(elbo, [weight.value for weight in vae.trainable_variables])

    for epoch in range(4):
        rng, draws, elbos = np.random.default_rng([5, epoch]), np.random.default_rng([5, epoch, 1]), []
        order = np.concatenate([rng.permutation(len(windows)) for _ in range(2)])
        for step in range(steps):
            batch = windows.array[order[64 * step : 64 * (step + 1)]]
            noise = draws.standard_normal((1, 64, 2), dtype=np.float32)
            elbo, gradients = differentiate(tf.constant(batch), tf.constant(noise))
            optimizer.apply([-gradient for gradient in gradients], vae.trainable_variables)
            elbos.append(float(elbo))
        assert history.epochs[epoch].elbo == pytest.approx(np.mean(elbos), rel=1e-4)
    for ours, naive in zip(weights(trained), weights(vae), strict=True):
        np.testing.assert_allclose(ours, naive, atol=2e-5)


def test_an_epoch_record_says_what_the_epoch_looked_like():
    vae, windows, seed = build(latent_dim=3, seed=1), cut(wave()), 9
    x = windows.array
    batch = tf.constant(x[np.random.default_rng([seed, 0]).permutation(len(x))])
    noise = np.random.default_rng([seed, 0, 1]).standard_normal((1, len(x), 3), dtype=np.float32)
    before = compiled(lambda: elbo_terms(vae, batch, noise=noise))()
    heard = []
    learn(vae, windows, epochs=1, batch_size=len(windows), seed=seed, on_epoch=heard.append)
    (record,) = heard
    spread = np.asarray(before.posterior_mean).var(axis=0)
    assert record.elbo == pytest.approx(np.mean(before.elbo), rel=1e-5)
    assert record.reconstruction == pytest.approx(np.mean(before.reconstruction), rel=1e-5)
    assert record.kl == pytest.approx(np.mean(before.kl), rel=1e-5)
    np.testing.assert_allclose(record.kl_per_dim, np.mean(before.kl_per_dim, axis=0), rtol=1e-4)
    assert record.active_units == (spread > 0.01).sum()
    assert record.calibration_elbo is None


def test_on_epoch_hears_plain_numbers(learnt):
    _, _, history, heard = learnt
    assert [record.epoch for record in heard] == [1, 2, 3, 4]
    assert tuple(heard) == history.epochs
    for record in heard:
        numbers = [record.elbo, record.reconstruction, record.kl, record.kl_weight, record.seconds]
        assert {type(number) for number in numbers} == {float}
        assert type(record.active_units) is int
        assert type(record.kl_per_dim) is np.ndarray
        assert record.kl_per_dim.shape == (2,)
        assert record.elbo == pytest.approx(record.reconstruction - record.kl, rel=1e-5)
        assert record.kl_per_dim.sum() == pytest.approx(record.kl, rel=1e-4)
        assert record.seconds > 0


def test_the_elbo_rises(learnt):
    vae, windows, history, _ = learnt
    assert (np.diff(history.curve("elbo")) > 0).all()
    assert mean_elbo(vae, windows.array) > mean_elbo(build(), windows.array)
    assert (history.stopped, history.best_epoch, history.warnings) == ("finished", 4, ())


def test_the_kl_warms_up(learnt):
    _, windows, plain, _ = learnt
    vae = build(kl_weight=2.0)
    history = learn(vae, windows, kl_warmup=3, seed=5)
    np.testing.assert_allclose(history.curve("kl_weight"), [2 / 3, 4 / 3, 2, 2])
    assert history.epochs[0].elbo == pytest.approx(plain.epochs[0].elbo, rel=0.1)
    steps = 7
    found = [float(warmed_up(2.0, tf.constant(step), 3 * steps)) for step in range(4 * steps)]
    np.testing.assert_allclose(
        found, [2 * min(1, (step + 1) / (3 * steps)) for step in range(4 * steps)], rtol=1e-6
    )


# ---------------------------------------------------------------- the same again


def test_the_same_seed_gives_the_same_weights_and_prints_nothing(learnt, capfd):
    trained, windows, *_ = learnt
    vae = build()
    learn(vae, windows, seed=5)
    assert same(weights(vae), weights(trained))
    assert capfd.readouterr() == ("", "")


def test_another_seed_gives_other_weights_and_progress_goes_to_stderr(learnt, capfd):
    trained, windows, *_ = learnt
    vae = build()
    learn(vae, windows, seed=6, progress=True)
    assert not same(weights(vae), weights(trained))
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "training" in shown.err


def test_chunks_do_not_change_the_weights(learnt, monkeypatch):
    trained, windows, *_ = learnt
    monkeypatch.setattr(training_run, "CHUNK_SECONDS", 1e-9)  # one step a chunk
    vae = build()
    learn(vae, windows, seed=5)
    assert same(weights(vae), weights(trained))


@pytest.mark.parametrize("block_values", [1, 3 * 64 * 2, 5 * 64 * 2 + 1])  # of 1, 3 and 5 of 7 steps
@pytest.mark.parametrize("chunk_seconds", [1e-9, 10.0])
def test_blocks_of_draws_do_not_change_the_weights(learnt, monkeypatch, block_values, chunk_seconds):
    trained, windows, *_ = learnt
    monkeypatch.setattr(draws, "BLOCK_VALUES", block_values)
    monkeypatch.setattr(training_run, "CHUNK_SECONDS", chunk_seconds)
    vae = build()
    history = learn(vae, windows, seed=5)
    assert same(weights(vae), weights(trained))
    np.testing.assert_allclose(history.curve("elbo"), learnt[2].curve("elbo"), rtol=1e-5)


def test_a_daemon_thread_under_another_dtype_policy_gives_the_same_weights(learnt):
    trained, windows, *_ = learnt
    before, done, found = keras.config.dtype_policy(), threading.Event(), []

    def work():
        vae = build()
        found.append((vae, learn(vae, windows, seed=5)))
        done.set()

    keras.config.set_dtype_policy("mixed_float16")
    try:
        threading.Thread(target=work, daemon=True).start()
        assert done.wait(120)
        here = build()
        learn(here, windows, seed=5)
    finally:
        keras.config.set_dtype_policy(before)
    vae, history = found[0]
    assert history.stopped == "finished"
    assert same(weights(vae), weights(trained))
    assert same(weights(here), weights(trained))


# ---------------------------------------------------------------- early stopping


@pytest.fixture(scope="module")
def parts():
    """Few training windows and other calibration windows: a model that overfits."""
    return cut(wave(40)), cut(wave(300, seed=3) + 0.3)


OVERFIT = {"epochs": 60, "batch_size": 32, "steps_per_epoch": 20, "learning_rate": 0.03, "seed": 1}


def calibration_elbo(vae, calibration):
    x = tf.constant(calibration.array)
    return float(tf.reduce_mean(compiled(lambda: vae.elbo(x, n_samples=4, seed=0))()))


def test_early_stopping_keeps_the_weights_with_the_best_calibration_elbo(parts):
    windows, calibration = parts
    vae = build()
    history = learn(vae, windows, calibration=calibration, patience=3, **OVERFIT)
    curve = history.curve("calibration_elbo")
    assert history.stopped == "early stopping"
    assert history.best_epoch == curve.argmax() + 1 == len(history) - 3
    assert calibration_elbo(vae, calibration) == pytest.approx(curve.max(), rel=1e-5)
    for record in history.epochs:
        parted = record.calibration_reconstruction - record.calibration_kl
        assert record.calibration_elbo == pytest.approx(parted, rel=1e-5)


def test_without_patience_the_best_weights_are_kept_all_the_same(parts):
    windows, calibration = parts
    vae = build()
    history = learn(vae, windows, calibration=calibration, **{**OVERFIT, "epochs": 15})
    curve = history.curve("calibration_elbo")
    assert (history.stopped, len(history)) == ("finished", 15)
    assert curve[-1] < curve.max() - 1
    assert calibration_elbo(vae, calibration) == pytest.approx(curve.max(), rel=1e-5)


def test_the_last_weights_are_kept_where_they_are_asked_for(parts):
    windows, calibration = parts
    last, alone = build(), build()
    settings = {**OVERFIT, "epochs": 15}
    history = learn(last, windows, calibration=calibration, restore_best=False, **settings)
    learn(alone, windows, **settings)
    assert history.best_epoch == 15
    assert same(weights(last), weights(alone))
    assert calibration_elbo(last, calibration) == pytest.approx(
        history.curve("calibration_elbo")[-1], rel=1e-5
    )


def test_patience_counts_from_the_best_epoch_whichever_weights_are_kept(parts):
    windows, calibration = parts
    history = learn(build(), windows, calibration=calibration, patience=3, restore_best=False, **OVERFIT)
    assert history.stopped == "early stopping"
    assert history.best_epoch == len(history) == history.curve("calibration_elbo").argmax() + 1 + 3


def test_patience_without_calibration_watches_the_training_elbo(learnt):
    _, windows, *_ = learnt
    vae = build()
    history = learn(vae, windows, epochs=100, learning_rate=1e-9, patience=3, batch_size=len(windows))
    assert history.stopped == "early stopping"
    assert len(history) == history.curve("elbo").argmax() + 1 + 3


def test_patience_waits_for_the_end_of_the_warm_up(parts):
    windows, calibration = parts
    history = learn(build(), windows, calibration=calibration, patience=1, kl_warmup=12, **OVERFIT)
    assert len(history) >= 13
    assert history.best_epoch <= len(history)


# ---------------------------------------------------------------- stopped


class StopLater(threading.Event):
    """Set from another thread, three seconds after the first chunk, which is compiled: that may take long."""

    asked = 0

    def is_set(self):
        self.asked += 1
        if self.asked == 2:
            threading.Timer(3.0, self.set).start()
        return super().is_set()


def test_a_stop_event_is_heard_inside_an_epoch_and_what_was_learnt_is_kept(learnt):
    _, windows, *_ = learnt
    vae, stop, heard = build(), StopLater(), []
    history = learn(
        vae, windows, batch_size=1, steps_per_epoch=3_000_000, stop=stop, on_epoch=heard.append, epochs=1
    )
    assert (history.stopped, len(history), history.best_epoch, heard) == ("stop event", 0, 0, [])
    assert mean_elbo(vae, windows.array) > mean_elbo(build(), windows.array) + 2


class StopAfter:
    """An event that is set once it has been asked so many times; it is asked once a chunk."""

    def __init__(self, times):
        self.left = times

    def is_set(self):
        self.left -= 1
        return self.left < 0


def test_a_stop_is_asked_for_before_every_chunk(learnt, monkeypatch):
    _, windows, *_ = learnt
    monkeypatch.setattr(training_run, "CHUNK_SECONDS", 1e-9)  # one step a chunk
    stopped, short = build(), build()
    history = learn(stopped, windows, steps_per_epoch=10, seed=5, stop=StopAfter(3))
    learn(short, windows, steps_per_epoch=3, seed=5, epochs=1)
    assert history.stopped == "stop event"
    assert same(weights(stopped), weights(short))


def test_an_event_set_beforehand_leaves_the_weights_alone(learnt):
    _, windows, *_ = learnt
    vae, stop = build(), threading.Event()
    stop.set()
    history = learn(vae, windows, stop=stop)
    assert (history.stopped, len(history), history.warnings) == ("stop event", 0, ())
    assert same(weights(vae), weights(build()))


def test_a_stop_inside_an_epoch_keeps_the_best_calibration_weights(parts, monkeypatch):
    windows, calibration = parts
    monkeypatch.setattr(training_run, "CHUNK_SECONDS", 1e-9)
    vae, last = build(), build()
    for model, restore_best in ((vae, True), (last, False)):
        history = learn(
            model,
            windows,
            calibration=calibration,
            stop=StopAfter(7 * 20 + 10),
            restore_best=restore_best,
            **{**OVERFIT, "epochs": 10},
        )
        assert (history.stopped, len(history)) == ("stop event", 7)
    best = history.curve("calibration_elbo").max()
    assert calibration_elbo(vae, calibration) >= best - 1e-4
    assert calibration_elbo(last, calibration) < best - 1


def test_an_interrupt_keeps_what_was_learnt(learnt):
    trained, windows, *_ = learnt

    def interrupt(record):
        if record.epoch == 4:
            raise KeyboardInterrupt

    vae = build()
    history = learn(vae, windows, epochs=50, seed=5, on_epoch=interrupt)
    assert (history.stopped, len(history), history.best_epoch) == ("interrupted", 4, 4)
    assert same(weights(vae), weights(trained))


def test_an_error_of_on_epoch_is_raised_and_the_best_weights_are_kept(parts):
    windows, calibration = parts

    def fail(record):
        if record.epoch == 15:
            raise ZeroDivisionError

    vae, heard = build(), []
    with pytest.raises(ZeroDivisionError):
        learn(
            vae,
            windows,
            calibration=calibration,
            on_epoch=lambda record: (heard.append(record.calibration_elbo), fail(record)),
            **OVERFIT,
        )
    assert calibration_elbo(vae, calibration) == pytest.approx(max(heard), rel=1e-5)


# ---------------------------------------------------------------- gone wrong


def test_a_collapsed_posterior_is_said(learnt):
    _, windows, *_ = learnt
    with pytest.warns(TrainingWarning, match=r"The posterior collapsed: none of the 2 latent dimensions"):
        history = learn(build(kl_weight=1000.0), windows, epochs=10, learning_rate=0.02)
    assert history.epochs[-1].active_units == 0
    assert history.stopped == "finished"
    assert "use kl_warmup, or set a smaller kl_weight" in history.warnings[0]


@pytest.mark.parametrize(
    ("likelihood", "learning_rate"), [("normal", 3.0), ("normal", 1e6), ("laplace", 1e6), ("student_t", 3.0)]
)
def test_a_diverged_loss_is_said_and_leaves_weights_that_score(learnt, likelihood, learning_rate):
    _, windows, *_ = learnt
    vae = build(likelihood=likelihood)
    with pytest.warns(
        TrainingWarning, match=r"The loss diverged \(an ELBO of .* in epoch \d\); the weights from"
    ):
        history = learn(vae, windows, learning_rate=learning_rate)
    assert (history.stopped, history.best_epoch) == ("diverged", 0)
    assert "Try a smaller learning_rate" in history.warnings[0]
    assert same(weights(vae), weights(build(likelihood=likelihood)))
    assert np.isfinite(vaenb.score(vae, windows).values).all()


def test_a_divergence_late_in_the_training_keeps_the_epoch_before(learnt):
    _, windows, *_ = learnt
    vae, good = build(), []

    def break_it(record):
        if record.epoch == 2:
            good.extend(weights(vae))
            vae.decoder.trainable_variables[0].assign(
                np.full(vae.decoder.trainable_variables[0].shape, np.nan)
            )

    with pytest.warns(
        TrainingWarning, match=r"The loss diverged .* in epoch 3\); the weights of epoch 2 are kept"
    ):
        history = learn(vae, windows, epochs=5, seed=5, on_epoch=break_it)
    assert (history.stopped, history.best_epoch, len(history)) == ("diverged", 2, 3)
    assert same(weights(vae), good)


def test_huge_values_diverge_in_words():
    windows, vae = cut(wave() * 1e30), build()
    with pytest.warns(TrainingWarning, match=r"The loss diverged .*look for extreme values in the data"):
        history = learn(vae, windows)
    assert history.stopped == "diverged"
    assert same(weights(vae), weights(build()))


def test_an_outlier_is_no_divergence(learnt):
    values = wave(1000)
    values[500] = 200.0
    history = learn(build(), cut(values), epochs=10, learning_rate=0.01)
    assert (history.stopped, history.warnings) == ("finished", ())


def test_a_second_training_goes_on_from_the_first(learnt):
    trained, windows, first, _ = learnt
    vae = build()
    for ours, theirs in zip(vae.trainable_variables, weights(trained), strict=True):
        ours.assign(theirs)
    second = learn(vae, windows, epochs=1, seed=6)
    assert second.stopped == "finished"
    assert second.epochs[0].elbo > first.epochs[-1].elbo


# ---------------------------------------------------------------- data as it comes


def test_what_stands_under_a_missing_point_does_not_matter():
    values = wave(300, n_channels=2)
    hidden = np.random.default_rng(0).random(values.shape) < 0.2
    x = np.moveaxis(sliding_window_view(np.where(hidden, np.nan, values), SIZE, axis=0), -1, 1)
    found = []
    for filling in (np.nan, 123.0):
        vae = VAE(SIZE, 2, latent_dim=2, hidden=(6,))
        windows = cut(np.where(hidden, filling, values), missing=hidden)
        elbos = [mean_elbo(vae, x)]
        learn(vae, windows, learning_rate=0.01, on_epoch=lambda _: elbos.append(mean_elbo(vae, x)))  # noqa: B023
        found.append(weights(vae))
        assert len(elbos) == 5
        assert (np.diff(elbos) > 0).all()
    assert same(*found)


def test_fewer_windows_than_a_batch_are_enough():
    windows = cut(np.random.default_rng(0).normal(size=3 * SIZE), stride=SIZE)
    history = learn(build(), windows, epochs=40, learning_rate=0.03)
    assert len(windows) == 3
    assert history.epochs[-1].elbo > history.epochs[0].elbo + 2


def test_a_single_calibration_window_is_enough(learnt):
    _, windows, *_ = learnt
    vae, calibration = build(), cut(wave(SIZE))
    history = learn(vae, windows, calibration=calibration, epochs=1)
    assert history.epochs[0].calibration_elbo == pytest.approx(calibration_elbo(vae, calibration), rel=1e-5)


@pytest.mark.parametrize("encoder", ["conv", "recurrent"])
def test_other_networks_learn_as_well(encoder):
    vae = VAE(SIZE, 2, latent_dim=2, hidden=(4,), encoder=encoder, likelihood="student_t", prior="mixture")
    history = learn(vae, cut(wave(n_channels=2)), epochs=8, learning_rate=0.02)
    assert history.epochs[-1].elbo > history.epochs[0].elbo + 2


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, r"epochs is 0; expected a whole number of at least 1"),
        ({"batch_size": -3}, r"batch_size is -3"),
        ({"steps_per_epoch": 0}, r"steps_per_epoch is 0"),
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0; expected a number above 0"),
        ({"learning_rate": float("nan")}, r"learning_rate is nan"),
        ({"kl_warmup": -1}, r"kl_warmup is -1"),
        ({"seed": -1}, r"seed is -1"),
        ({"patience": 0}, r"patience is 0; expected a whole number of at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(learnt, settings, message):
    _, windows, *_ = learnt
    with pytest.raises(InputError, match=message):
        learn(build(), windows, **settings)


def test_windows_of_another_shape_are_refused(learnt):
    _, windows, *_ = learnt
    other = vaenb.make_windows(wave(n_channels=2), SIZE + 1)
    message = r"has windows of 13 points x 2 channels; the model was built for 12 x 1"
    with pytest.raises(InputError, match="^windows " + message):
        learn(build(), other)
    with pytest.raises(InputError, match="^calibration " + message):
        learn(build(), windows, calibration=other)


def test_no_windows_are_refused(learnt):
    _, windows, *_ = learnt
    with pytest.raises(InputError, match=r"^windows holds no window: give a longer series"):
        learn(build(), windows[:0])
    with pytest.raises(InputError, match=r"^calibration holds no window"):
        learn(build(), windows, calibration=windows[:0])


def test_a_bernoulli_likelihood_wants_values_between_0_and_1():
    values = np.clip(wave() / 2 + 0.5, 0, 1)
    values[300:] += 7.0
    windows = cut(values)
    with pytest.raises(InputError, match=r"values from 0 to 8; a Bernoulli likelihood needs them"):
        learn(build(likelihood="bernoulli"), windows)
    inside = windows[windows.starts + SIZE <= 300]
    history = learn(build(likelihood="bernoulli"), inside, epochs=20, learning_rate=0.03)
    assert history.epochs[-1].elbo > history.epochs[0].elbo + 0.5
