"""One training on several devices: each batch is shared out among them. TensorFlow ring."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from vaenb.backend import keras, tf
from vaenb.errors import InputError
from vaenb.graphs import compile_graph, gather_windows
from vaenb.training_graph import means_of, told_of, warmed_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaenb.model import VAE
    from vaenb.training_graph import State


class DistributedGraph:
    """Training steps over the devices of a strategy; it takes the place of a `TrainingGraph`.

    The weights and the optimiser are mirrored: each device has its copy, computes the gradients of its part
    of the batch, and adds those of the others. The draws for a window are the same, so the steps are those of
    a single device up to rounding.

    Parameters
    ----------
    vae : VAE
        Told by its settings: the mirrored one is built anew.
    strategy : tf.distribute.Strategy
        With synchronous training on one machine, such as ``tf.distribute.MirroredStrategy``.
    batch_size : int
    complete : bool
        Promises that no value is missing.

    Raises
    ------
    InputError
        If the batch cannot be shared out evenly, or the model is of a class of one's own.
    """

    def __init__(self, vae: VAE, strategy: Any, *, batch_size: int, complete: bool) -> None:
        self.strategy, self.complete = strategy, complete
        self.n_devices = _devices_of(strategy, vae, batch_size)
        with strategy.scope():
            self.vae = type(vae).from_config(vae.settings)
            self.optimizer = keras.optimizers.Adam(name="adam")
            self.optimizer.build(self.vae.trainable_variables)
        own = (*self.vae.trainable_variables, *self.optimizer.variables)
        self._variables = [each.value for each in own]
        self._gradients = compile_graph(self._part_of_step)
        self._compiled_steps = tf.function(self._steps)
        self._compiled_means = compile_graph(partial(means_of, self.vae))

    def steps(
        self,
        values: tf.Tensor,
        starts: tf.Tensor,
        noise: tf.Tensor,
        numbers: Sequence[tf.Tensor],
        *,
        state: State,
    ) -> list[tf.Tensor]:
        """As `TrainingGraph.steps`."""
        self._take(state)
        sums = self._compiled_steps(values, starts, noise, *numbers)
        for variable, own in zip((*state.weights, *state.memory), self._variables, strict=True):
            variable.assign(own.read_value())
        return list(sums)

    def means(
        self, values: tf.Tensor, starts: tf.Tensor, share: tf.Tensor, noise: tf.Tensor, *, state: State
    ) -> tf.Tensor:
        """As `TrainingGraph.means`; on one device."""
        self._take(state)
        return self._compiled_means(values, starts, share, noise)

    def _take(self, state: State) -> None:
        for own, variable in zip(self._variables, (*state.weights, *state.memory), strict=True):
            own.assign(variable.read_value())

    # ---------------------------------------------------------------- compiled

    def _steps(
        self,
        values: tf.Tensor,
        starts: tf.Tensor,
        noise: tf.Tensor,
        first: tf.Tensor,
        last: tf.Tensor,
        before: tf.Tensor,
        kl_weight: tf.Tensor,
        warmup: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        latent = self.vae.latent_dim
        sums = tuple(tf.zeros(shape) for shape in ((), (), (latent,), (latent,), (latent,)))
        i = first
        while i < last:
            weight = warmed_up(kl_weight, before + i, warmup)
            told = self.strategy.run(self._on_device, (values, starts[i], noise[i % noise.shape[0]], weight))
            means = [self.strategy.reduce("MEAN", each, axis=None) for each in told]
            sums = tuple(a + b for a, b in zip(sums, means, strict=True))
            i += 1
        return sums

    def _on_device(self, values: tf.Tensor, starts: tf.Tensor, noise: tf.Tensor, weight: tf.Tensor) -> Any:
        """The part of a step that one device takes."""
        place = tf.distribute.get_replica_context().replica_id_in_sync_group
        own_starts = tf.reshape(starts, (self.n_devices, -1))[place]
        own_noise = tf.reshape(noise, (1, self.n_devices, -1, self.vae.latent_dim))[:, place]
        gradients, told = self._gradients(values, own_starts, own_noise, weight)
        self.optimizer.apply(gradients, self.vae.trainable_variables)  # Keras adds them over the devices
        return told

    def _part_of_step(
        self, values: tf.Tensor, starts: tf.Tensor, noise: tf.Tensor, weight: tf.Tensor
    ) -> tuple[list[tf.Tensor], tuple[tf.Tensor, ...]]:
        x = gather_windows(values, starts, self.vae.window_size)
        with tf.GradientTape() as tape:
            loss, terms = self.vae.training_loss(x, noise=noise, kl_weight=weight, complete=self.complete)
            loss /= self.n_devices
        told = tuple(tf.reduce_mean(part, axis=0) for part in told_of(terms))
        return tape.gradient(loss, self.vae.trainable_variables), told


def _devices_of(strategy: Any, vae: VAE, batch_size: int) -> int:
    """How many devices share a batch."""
    from vaenb.model import VAE

    if not isinstance(strategy, tf.distribute.Strategy):
        raise InputError(
            f"strategy is {strategy!r}; expected one of tf.distribute, such as "
            "tf.distribute.MirroredStrategy()."
        )
    n_devices = int(strategy.num_replicas_in_sync)
    if batch_size % n_devices:
        raise InputError(
            f"batch_size is {batch_size}, which {n_devices} devices cannot share evenly: take "
            f"{batch_size + -batch_size % n_devices}."
        )
    if type(vae) is not VAE or len(vae.trainable_variables) < len(vae.weights):
        raise InputError(
            "The model is of a class of your own, or a part of it is frozen; a strategy trains a vaenb.VAE "
            "as a whole: leave strategy out, or train a vaenb.VAE."
        )
    return n_devices
