"""The training panel with a real model: frames, Stop within a chunk, Continue, code in a fresh process."""

import subprocess
import sys
import threading

import keras
import numpy as np
import pytest

import vaenb
from vaenb.errors import InputError
from vaenb.panels.training import TrainingPanel
from vaenb.watching import to_units, watch_training

SOON = 240.0


@pytest.fixture(scope="module")
def prepared():
    """Two channels with gaps, cut into windows of 24 points."""
    rng = np.random.default_rng(0)
    t = np.arange(900)
    values = np.column_stack([50 + 9 * np.sin(t / 4), 0.01 * np.cos(t / 7)]) + [0.5, 0.001] * rng.normal(
        size=(900, 2)
    )
    values[100:110, 0] = np.nan
    values[300:340] = np.nan
    return vaenb.prepare(vaenb.read_series(values, train_end=0.7), window_size=24)


def make_vae(**more):
    return vaenb.VAE(24, 2, **{"latent_dim": 3, "hidden": (16,), **more})


def test_frames_are_what_the_model_says(prepared):
    vae = make_vae()
    training = watch_training(vae, prepared, n_cloud=17)
    frames = []
    training(epochs=2, on_frame=frames.append)
    assert [frame.epoch for frame in frames] == [0, 1, 2]
    frame = training.frame()
    values = np.where(prepared.everything.missing, np.nan, prepared.everything.values)
    assert len(training.starts) == 17
    for place, start in enumerate(training.starts):
        x = values[start : start + 24][None]
        q = vae.posterior(x)
        np.testing.assert_allclose(frame.latent[place], q.mean()[0], atol=1e-5)
        off = (vae.likelihood(q.mean()).mean().numpy() - x) ** 2
        np.testing.assert_allclose(frame.errors[place], np.nanmean(off), rtol=1e-4)
    p = vae.likelihood(vae.posterior(values[training.pinned : training.pinned + 24][None]).mean())
    scale, centre = prepared.scaler.scale_, prepared.scaler.center_
    np.testing.assert_allclose(frame.mean, p.mean()[0].numpy() * scale + centre, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(frame.spread, p.stddev()[0].numpy() * scale, rtol=1e-3)


def test_a_linear_model_by_hand(prepared):
    """A model without hidden layers is two matrices: its frame in plain numpy."""
    vae = make_vae(hidden=(), scale="shared")
    training = watch_training(vae, prepared, n_cloud=9)
    frame = training.frame()
    means, locs = vae.encoder.heads[0][0], vae.decoder.heads[0][0]
    values = np.where(prepared.everything.missing, 0.0, prepared.everything.values)
    flat = np.stack([values[s : s + 24].ravel() for s in training.starts])
    latent = flat @ means.kernel.numpy().T + means.bias.numpy()  # the kernel lies transposed: it narrows
    np.testing.assert_allclose(frame.latent, latent, atol=1e-5)
    mean = (frame.latent @ locs.kernel.numpy() + locs.bias.numpy()).reshape(-1, 24, 2)
    known = np.stack([~prepared.everything.missing[s : s + 24] for s in training.starts])
    off = np.where(known, (mean - flat.reshape(-1, 24, 2)) ** 2, 0.0)
    np.testing.assert_allclose(frame.errors, off.sum(axis=(1, 2)) / known.sum(axis=(1, 2)), rtol=1e-3)


def test_windows_that_are_looked_at(prepared):
    training = watch_training(make_vae(), prepared, n_cloud=50)
    missing = prepared.everything.missing
    assert all(not missing[s : s + 24].all() for s in training.starts)
    assert not missing[training.pinned : training.pinned + 24].any()
    np.testing.assert_array_equal(
        training.window, prepared.series.grid[training.pinned : training.pinned + 24]
    )
    assert training.index.tolist() == list(range(training.pinned, training.pinned + 24))
    assert watch_training(make_vae(), prepared, pinned=7).pinned == 7
    gaps = np.diff(training.starts)
    assert gaps.max() <= gaps.min() + 24 + 2  # evenly, but for the gap


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"pinned": -1}, "pinned is -1; expected the cell where a window of 24 points begins: 0 to 876"),
        ({"pinned": 877}, "pinned is 877"),
        ({"n_cloud": 0}, "n_cloud is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"epochs_more": 3}, "knows no setting 'epochs_more'; expected some of batch_size"),
    ],
)
def test_what_cannot_be_watched(prepared, wrong, told):
    with pytest.raises(InputError, match=told):
        watch_training(make_vae(), prepared, **wrong)


def test_a_model_of_another_shape_is_refused(prepared):
    with pytest.raises(InputError, match="prepared has windows of 24 points x 2 channels"):
        watch_training(vaenb.VAE(25, 2), prepared)


def test_it_trains_as_train_does(prepared):
    plain, watched = make_vae(), make_vae()
    history = vaenb.train(
        plain, prepared.train, calibration=prepared.calibration, epochs=3, seed=5, progress=False
    )
    found = watch_training(watched, prepared, seed=5)(epochs=3)
    # Compiled twice: a busy machine may sum in another order, and the last bit differs.
    np.testing.assert_allclose(found.curve("elbo"), history.curve("elbo"), rtol=1e-6)
    for a, b in zip(plain.trainable_variables, watched.trainable_variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)


def test_continue_goes_on_from_the_best_weights_and_remembers_the_optimiser(prepared):
    whole, parts = make_vae(), make_vae()
    history = watch_training(whole, prepared, restore_best=False)(epochs=6)
    training = watch_training(parts, prepared, restore_best=False)
    training(epochs=2)
    found = training(epochs=4)
    np.testing.assert_allclose(found.curve("elbo"), history.curve("elbo"), rtol=1e-5)
    assert found.curve("epoch").tolist() == [1, 2, 3, 4, 5, 6]


def test_patience_is_counted_anew(prepared):
    training = watch_training(make_vae(), prepared, patience=1, learning_rate=0.2)
    first = training(epochs=200)
    assert first.stopped == "early stopping"
    assert len(training(epochs=200)) > len(first)


def test_a_training_that_diverged_goes_on_from_its_best_weights(prepared):
    vae = make_vae()
    training = watch_training(vae, prepared, learning_rate=1e-3)
    training(epochs=2)
    training._run.optimizer.learning_rate.assign(1e30)
    diverged = training(epochs=3)
    assert diverged.stopped == "diverged"
    assert diverged.warnings
    found = training(epochs=2)
    assert found.stopped == "finished"
    assert np.diff(found.curve("epoch")).tolist() == [1.0] * (len(found) - 1)
    assert np.isfinite(found.curve("elbo")).all()


def test_stop_within_a_chunk_keeps_the_best_weights(prepared):
    vae = make_vae()
    training = watch_training(vae, prepared, steps_per_epoch=40, batch_size=16)
    panel = TrainingPanel(training, epochs=100_000)
    third = threading.Event()
    on_epoch = panel._on_epoch

    def heard(record):
        on_epoch(record)
        if record.epoch == 3:
            third.set()

    panel._on_epoch = heard
    try:
        panel.start()
        assert third.wait(SOON)
        panel.stop()
        history = panel.wait(SOON)
        assert history.stopped == "stop event"
        held = history.curve("calibration_elbo")
        assert history.best_epoch >= np.nanargmax(held) + 1
        for variable, kept in zip(vae.trainable_variables, training._run.best_weights, strict=True):
            np.testing.assert_array_equal(variable.numpy(), kept)
        assert training.frame().mean.shape == (24, 2)
        before = len(history)
        panel.start(2)
        assert len(panel.wait(SOON)) == before + 2
    finally:
        panel.close()


def test_keras_policy_of_the_caller_is_left_alone(prepared):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        watch_training(make_vae(), prepared)(epochs=1)
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy(before)


def test_nothing_is_printed_and_nothing_warned(prepared, capfd):
    panel = TrainingPanel(watch_training(make_vae(), prepared, learning_rate=1e20), epochs=2)
    try:
        panel.start()
        assert panel.wait(SOON).stopped == "diverged"
        assert "The loss diverged" in panel._head.alarm.value
    finally:
        panel.close()
    assert tuple(capfd.readouterr()) == ("", "")


def test_standard_deviations_where_the_scaler_compresses(prepared):
    mean, spread = to_units(prepared.scaler, np.array([[0.0, 0.0], [60.0, -1e5]]), np.full((2, 2), 0.5))
    np.testing.assert_allclose(spread[0], 0.5 * prepared.scaler.scale_, rtol=1e-6)
    ends = prepared.scaler.inverse_transform([[60.5, 0.0], [59.5, 0.0]])[:, 0]
    np.testing.assert_allclose(spread[1, 0], (ends[0] - ends[1]) / 2, rtol=1e-6)
    assert np.isfinite(mean).all()
    assert np.isfinite(spread).all()


@pytest.mark.parametrize("likelihood", ["laplace", "student_t"])
def test_other_likelihoods_have_a_spread(prepared, likelihood):
    frame = watch_training(make_vae(likelihood=likelihood), prepared).frame()
    assert np.isfinite(frame.spread).all()
    assert (frame.spread > 0).all()


def test_the_code_in_a_fresh_process_gives_the_same_training():
    prepared = vaenb.prepare(vaenb.load_dataset("nyc_taxi"), stride=24, calibration=0.3, scaler="standard")
    vae = vaenb.VAE(prepared.window_size, latent_dim=2, hidden=(8,), seed=3)
    panel = TrainingPanel(watch_training(vae, prepared, seed=2, learning_rate=0.01), epochs=2)
    try:
        panel.start()
        panel.wait(SOON)
        panel.show_epoch(1)
        asked = "[round(r.elbo, 2) for r in panel.history.epochs], panel.view.epoch"
        done = subprocess.run(
            [sys.executable, "-c", f"{panel.code()}\nprint(({asked}))"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == repr(eval(f"({asked})"))
    finally:
        panel.close()
