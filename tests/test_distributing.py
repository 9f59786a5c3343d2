"""Training on two devices. TensorFlow has one processor unless it is told before it starts."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import vaenb
from vaenb.errors import InputError

CODE = """
import json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
import vaenb

values = np.sin(np.arange(3_000) / 5) + np.random.default_rng(0).normal(scale=0.1, size=3_000)
if sys.argv[2] == "missing":
    values[::7] = np.nan
windows = vaenb.make_windows(values, 32)
chosen = dict(epochs=3, steps_per_epoch=20, batch_size=64, kl_warmup=2, progress=False)
chosen |= dict(calibration=windows[2_000:], seed=3, restore_best=False)
strategy = None if sys.argv[1] == "1" else tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
vae = vaenb.VAE(32, hidden=(24,), latent_dim=3, seed=1)
more = {} if len(sys.argv) < 4 else {"checkpoint": sys.argv[3]}
if more:
    vaenb.train(vae, windows[:2_000], **{**chosen, "epochs": 1}, **more, strategy=strategy)
    vae = vaenb.VAE(32, hidden=(24,), latent_dim=3, seed=1)
history = vaenb.train(vae, windows[:2_000], **chosen, **more, strategy=strategy)
told = [[e.elbo, e.kl, e.kl_weight, e.calibration_elbo, *e.kl_per_dim] for e in history.epochs]
weights = np.concatenate([w.ravel() for w in vae.get_weights()]).astype(float)
print(json.dumps({"told": told, "weights": weights.tolist()}))
"""


def train(*arguments):
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", CODE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["complete", "missing"])
def test_two_devices_take_the_steps_of_one(kind):
    one, two = train("1", kind), train("2", kind)
    np.testing.assert_allclose(two["told"], one["told"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(two["weights"], one["weights"], rtol=1e-3, atol=2e-4)
    assert len(one["told"]) == 3


def test_a_training_on_two_devices_goes_on_from_its_checkpoint(tmp_path):
    at_once, in_two = train("2", "complete"), train("2", "complete", str(tmp_path / "kept"))
    np.testing.assert_allclose(in_two["weights"], at_once["weights"], rtol=1e-6, atol=1e-7)


def test_what_a_strategy_cannot_do_is_refused():
    import tensorflow as tf

    windows, vae = vaenb.make_windows(np.sin(np.arange(200) / 5), 16), vaenb.VAE(16, hidden=(8,))
    with pytest.raises(InputError, match=r"strategy is 'two GPUs'; expected one of tf\.distribute"):
        vaenb.train(vae, windows, epochs=1, progress=False, strategy="two GPUs")

    class Three(tf.distribute.OneDeviceStrategy):
        num_replicas_in_sync = 3

    with pytest.raises(InputError, match="batch_size is 128, which 3 devices cannot share evenly: take 129"):
        vaenb.train(vae, windows, epochs=1, progress=False, strategy=Three("CPU:0"))

    class Mine(vaenb.VAE):
        pass

    one = tf.distribute.OneDeviceStrategy("CPU:0")
    with pytest.raises(InputError, match="a class of your own"):
        vaenb.train(Mine(16, hidden=(8,)), windows, epochs=1, progress=False, strategy=one)
    history = vaenb.train(vae, windows, epochs=2, progress=False, strategy=one)
    assert len(history) == 2
