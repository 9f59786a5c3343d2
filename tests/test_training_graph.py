"""Trainings of one shape share a compiled graph: is each still a training of its own?"""

import threading

import numpy as np
import pytest

from vaenb import training_graph
from vaenb.model import VAE
from vaenb.training import new_run, train, train_until
from vaenb.windows import make_windows

BRIEF = {"epochs": 2, "steps_per_epoch": 5, "batch_size": 16, "progress": False}


def wave(n=300, missing=False):
    values = np.sin(np.arange(n) / 5) + 0.1 * np.random.default_rng(n).normal(size=n)
    if missing:
        values[50:60] = np.nan
    return make_windows(values, window_size=12)


def build(seed=0, **settings):
    return VAE(12, latent_dim=2, hidden=(8,), seed=seed, **settings)


def trained(windows=None, *, vae=None, **settings):
    vae = vae or build()
    history = train(vae, windows or wave(), **{**BRIEF, **settings})
    return [weight.numpy() for weight in vae.trainable_variables], history


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """No graph is known at the start, and none is kept."""
    monkeypatch.setattr(training_graph, "_graphs", {})


def test_a_shared_graph_gives_what_a_fresh_one_gives():
    other = build(seed=4, kl_weight=0.5)
    trained(vae=other, windows=wave(310), learning_rate=0.01, seed=3)
    shared, history = trained()
    assert len(training_graph._graphs) == 1
    training_graph._graphs.clear()
    fresh, again = trained()
    assert same(shared, fresh)
    assert [record.elbo for record in history.epochs] == [record.elbo for record in again.epochs]


def test_a_model_keeps_its_weights_while_another_trains():
    first, second = build(), build(seed=1)
    weights, _ = trained(vae=first)
    trained(vae=second)
    assert same(weights, [weight.numpy() for weight in first.trainable_variables])


def test_trainings_that_take_turns_are_each_as_if_alone():
    alone = [trained(vae=build(seed), seed=seed)[0] for seed in (0, 1)]
    vaes = [build(seed) for seed in (0, 1)]
    settings = {name: BRIEF[name] for name in ("steps_per_epoch", "batch_size")}
    runs = [new_run(vae, wave(), seed=seed, **settings) for seed, vae in enumerate(vaes)]
    for epochs in (1, 2):
        for run in runs:
            train_until(run, epochs)
    assert len(training_graph._graphs) == 1
    for vae, expected in zip(vaes, alone, strict=True):
        assert same(expected, [weight.numpy() for weight in vae.trainable_variables])


def test_the_optimiser_is_what_the_last_step_left_and_what_is_set_in_it_counts():
    run = new_run(build(), wave(), steps_per_epoch=5, batch_size=16)
    train_until(run, 1)
    steps, rate, *moments = (variable.numpy() for variable in run.optimizer.variables)
    assert steps == 5
    assert rate == np.float32(1e-3)
    assert all(np.abs(moment).max() > 0 for moment in moments)
    run.optimizer.learning_rate.assign(0.0)
    before = run.weights()
    train_until(run, 2)
    assert same(before, run.weights())
    assert int(run.optimizer.iterations) == 10


@pytest.mark.parametrize(
    "change",
    [
        {"windows": wave(missing=True)},
        {"windows": wave(900)},
        {"batch_size": 8},
        {"steps_per_epoch": 9},
        {"calibration": wave(100)},
        {"vae": {"likelihood": "laplace"}},
        {"vae": {"prior": "mixture"}},
    ],
    ids=repr,
)
def test_another_shape_has_another_graph(change):
    trained()
    settings = dict(change)
    trained(vae=build(**settings.pop("vae", {})), **settings)
    assert len(training_graph._graphs) == 2


@pytest.mark.parametrize(
    "change", [{"windows": wave(320)}, {"learning_rate": 0.1}, {"kl_warmup": 2}, {"seed": 5}, {"epochs": 3}]
)
def test_the_same_shape_has_the_same_graph(change):
    plain, _ = trained()
    changed, _ = trained(**change)
    assert len(training_graph._graphs) == 1
    assert not same(plain, changed)


def test_what_fills_up_is_never_read(monkeypatch):
    settings = {"calibration": wave(101), "steps_per_epoch": 7}
    filled, first = trained(**settings)
    monkeypatch.setattr("vaenb.training_run.bucket", lambda length: length)
    exact, second = trained(**settings)
    assert len(training_graph._graphs) == 2
    assert same(filled, exact)
    told = [[record.calibration_elbo for record in history.epochs] for history in (first, second)]
    np.testing.assert_allclose(told[0], told[1], rtol=1e-5)


def test_what_is_frozen_stays_as_it_was():
    vae = build()
    vae.encoder.trainable = False
    before = [weight.numpy() for weight in vae.encoder.weights]
    moved, _ = trained(vae=vae)
    assert same(before, [weight.numpy() for weight in vae.encoder.weights])
    assert not same([weight.numpy() for weight in build().decoder.weights], moved)
    assert not training_graph._graphs


def test_a_class_of_ones_own_is_trained_by_its_own_loss():
    class Still(VAE):
        def training_loss(self, *args, **settings):
            loss, terms = super().training_loss(*args, **settings)
            return 0.0 * loss, terms

    vae = Still(12, latent_dim=2, hidden=(8,))
    before = [weight.numpy() for weight in vae.trainable_variables]
    assert same(before, trained(vae=vae)[0])
    assert not training_graph._graphs


def test_two_trainings_at_once_do_not_disturb_each_other():
    alone = [trained(vae=build(seed=seed), seed=seed, epochs=6)[0] for seed in range(3)]
    together = {}

    def work(seed):
        together[seed] = trained(vae=build(seed=seed), seed=seed, epochs=6)[0]

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(same(alone[seed], together[seed]) for seed in range(3))


def test_only_so_many_graphs_are_remembered_and_the_oldest_goes(monkeypatch):
    monkeypatch.setattr(training_graph, "MOST_GRAPHS", 2)
    for size in (8, 16, 8, 32):
        trained(batch_size=size)
    assert len(training_graph._graphs) == 2
    assert ['"batch_size": 16' in key for key in training_graph._graphs] == [False, False]
