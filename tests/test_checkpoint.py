"""A training that was killed ends where an uninterrupted one ends."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vaenb
from vaenb.checkpoint import fingerprint
from vaenb.errors import BundleError, InputError, OutputError
from vaenb.model import VAE
from vaenb.training import train

SIZE = 10
SETTINGS = {"epochs": 6, "batch_size": 16, "learning_rate": 0.01, "seed": 3, "progress": False}


def make_parts():
    values = np.sin(np.arange(300) / 3) + 0.1 * np.random.default_rng(0).normal(size=300)
    values[40:43] = np.nan
    return vaenb.make_windows(values[:200], SIZE), vaenb.make_windows(values[200:], SIZE)


def build():
    return VAE(SIZE, latent_dim=2, hidden=(5,), seed=1)


def learn(vae, folder=None, **settings):
    windows, calibration = make_parts()
    return train(vae, windows, calibration=calibration, checkpoint=folder, **{**SETTINGS, **settings})


def weights(vae):
    return [weight.value.numpy() for weight in vae.trainable_variables]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def curves(history):
    names = ("elbo", "kl", "calibration_elbo", "kl_weight", "active_units")
    return np.array([history.curve(name) for name in names])


@pytest.fixture(scope="module")
def uninterrupted():
    vae = build()
    return vae, learn(vae)


@pytest.fixture(scope="module")
def half_way(tmp_path_factory):
    """A folder with the checkpoint of three epochs."""
    folder = tmp_path_factory.mktemp("half") / "deeper" / "still"
    learn(build(), folder, epochs=3)
    return folder


@pytest.fixture
def folder(half_way, tmp_path):
    (tmp_path / "training.checkpoint").write_bytes((half_way / "training.checkpoint").read_bytes())
    return tmp_path


def test_a_resumed_training_ends_where_an_uninterrupted_one_ends(uninterrupted, folder):
    trained, whole = uninterrupted
    vae, heard = build(), []
    history = learn(vae, folder, on_epoch=heard.append)
    assert [record.epoch for record in heard] == [4, 5, 6]
    assert same(weights(vae), weights(trained))
    assert (history.best_epoch, history.stopped) == (whole.best_epoch, "finished")
    np.testing.assert_allclose(curves(history), curves(whole), rtol=1e-6)
    for resumed, record in zip(history.epochs, whole.epochs, strict=True):
        np.testing.assert_allclose(resumed.kl_per_dim, record.kl_per_dim, rtol=1e-6)


def test_the_weights_that_the_model_had_do_not_matter(uninterrupted, folder):
    trained, _ = uninterrupted
    vae = build()
    for weight in vae.trainable_variables:
        weight.assign(np.full(weight.shape, 0.1))
    learn(vae, folder)
    assert same(weights(vae), weights(trained))


CHILD = """
import json, os, signal, sys, threading
sys.path.insert(0, sys.argv[1])
import test_checkpoint as test

def wait_for_the_signal(record):
    if record.epoch == 2:
        print("ready", flush=True)

vae = test.build()
history = test.learn(vae, epochs=2_000, on_epoch=wait_for_the_signal)
kept = [weight.tolist() for weight in test.weights(vae)]
elbos = [record.calibration_elbo for record in history.epochs]
print(json.dumps([history.stopped, elbos, kept]), flush=True)

def soon(record):
    if record.epoch == 3:
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGKILL)).start()

test.learn(test.build(), sys.argv[2], epochs=2_000, on_epoch=soon)
"""


def test_a_real_ctrl_c_and_a_real_kill(uninterrupted, tmp_path):
    """One process: an interrupt ends its first training in good order, a kill its second one in none."""
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        stopped, elbos, kept = json.loads(child.stdout.readline())
        assert child.wait() == -signal.SIGKILL
        assert child.stderr.read() == ""

    assert stopped == "interrupted"
    assert 2 <= len(elbos) < 2_000
    vae = build()
    for weight, value in zip(vae.trainable_variables, kept, strict=True):
        weight.assign(value)
    _, calibration = make_parts()
    assert vae.elbo(calibration.array, n_samples=50, seed=0).numpy().mean() > elbos[0]

    resumed, whole, heard = build(), build(), []
    learn(resumed, tmp_path, epochs=40, on_epoch=heard.append)
    learn(whole, epochs=40)
    assert 3 <= heard[0].epoch - 1 < 40
    assert same(weights(resumed), weights(whole))


def test_resuming_a_finished_training_does_nothing(uninterrupted, tmp_path):
    first, again, heard = build(), build(), []
    history = learn(first, tmp_path)
    content = (tmp_path / "training.checkpoint").read_bytes()
    repeated = learn(again, tmp_path, on_epoch=heard.append)
    assert heard == []
    assert same(weights(again), weights(first))
    assert same(weights(again), weights(uninterrupted[0]))
    assert (repeated.best_epoch, repeated.stopped) == (history.best_epoch, "finished")
    np.testing.assert_array_equal(curves(repeated), curves(history))
    assert (tmp_path / "training.checkpoint").read_bytes() == content


def test_after_early_stopping_the_same_call_stops_at_once_and_more_patience_goes_on(tmp_path):
    settings = {"epochs": 100, "learning_rate": 0.03, "patience": 2, "steps_per_epoch": 12}
    first, again, more = build(), build(), build()
    history = learn(first, tmp_path, **settings)
    assert history.stopped == "early stopping"
    assert len(history) == history.best_epoch + 2
    repeated = learn(again, tmp_path, **settings)
    assert (repeated.stopped, len(repeated)) == ("early stopping", len(history))
    assert same(weights(first), weights(again))
    longer = learn(more, tmp_path, **{**settings, "patience": 3})
    assert len(longer) > len(history)
    np.testing.assert_array_equal(curves(longer)[:, : len(history)], curves(history))


def test_only_the_checkpoint_is_left_in_the_folder(half_way):
    assert [path.name for path in half_way.iterdir()] == ["training.checkpoint"]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "settings",
    [{"seed": 4}, {"learning_rate": 0.02}, {"batch_size": 8}, {"steps_per_epoch": 3}, {"kl_warmup": 1}],
)
def test_a_checkpoint_of_other_settings_is_refused(folder, settings):
    before = (folder / "training.checkpoint").read_bytes()
    with pytest.raises(InputError, match=r"belongs to a training with other data or settings: name another"):
        learn(build(), folder, **settings)
    assert (folder / "training.checkpoint").read_bytes() == before


def test_a_checkpoint_of_another_model_is_refused(folder):
    with pytest.raises(InputError, match=r"belongs to a training with other data or settings"):
        learn(VAE(SIZE, latent_dim=2, hidden=(6,), seed=1), folder)


def test_every_part_of_the_data_counts():
    windows, calibration = make_parts()
    vae, settings = build(), {"seed": 1}
    other = vaenb.make_windows(windows.values + 1, SIZE, missing=windows.missing)
    seen = vaenb.make_windows(windows.values, SIZE)
    marks = {
        fingerprint(vae, *parts, settings)
        for parts in [
            (windows, calibration),
            (windows, None),
            (calibration, windows),
            (other, calibration),
            (seen, calibration),
            (windows[:50], calibration),
            (windows, calibration[:50]),
        ]
    }
    assert len(marks) == 7
    assert fingerprint(build(), *make_parts(), settings) in marks


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(folder, kept):
    path = folder / "training.checkpoint"
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    vae = build()
    with pytest.raises(BundleError, match=r"training\.checkpoint' is truncated, damaged .*: delete it"):
        learn(vae, folder)
    assert same(weights(vae), weights(build()))


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        OutputError, match=r"Cannot make the checkpoint folder '.*file.deeper': .*choose another"
    ):
        learn(build(), tmp_path / "file" / "deeper")


def test_a_folder_that_vanishes_is_told_and_the_weights_are_kept(tmp_path):
    folder, vae = tmp_path / "folder", build()

    def vanish(record):
        (folder / "training.checkpoint").unlink()
        folder.rmdir()

    with pytest.raises(
        OutputError, match=r"Cannot write '.*training\.checkpoint': its folder does not exist"
    ):
        learn(vae, folder, on_epoch=vanish)
    assert not same(weights(vae), weights(build()))
