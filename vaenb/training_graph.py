"""The compiled steps of a training, shared by all trainings of one shape. TensorFlow ring.

Compiling takes seconds, and TensorFlow never gives back its memory. So a graph does not belong to the model
that is trained: it has one of its own to compute with, whose weights and optimiser are set from those of the
training whose turn it is, and copied back.
"""

from __future__ import annotations

import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from vaenb.backend import keras, tf
from vaenb.graphs import compile_graph, copy, gather_windows
from vaenb.lending import remember, shape_of
from vaenb.objectives import elbo_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vaenb.model import VAE
    from vaenb.objectives import ElboTerms

MOST_GRAPHS = 256  # shapes that are remembered: to forget one frees nothing, and to compile it again costs
LARGEST_BUCKET = 1_000_000  # longer series are too rare to share a graph, and too large to be filled up

_graphs: dict[str, TrainingGraph] = {}
_remembering = threading.Lock()


class TrainingGraph:
    """Training steps and the calibration ELBO, compiled for one shape of model and data.

    Parameters
    ----------
    vae : VAE
        Computed with: its weights are overwritten.
    batch_size : int
    complete : bool
        Promises that no value is missing.
    """

    def __init__(self, vae: VAE, *, batch_size: int, complete: bool) -> None:
        self.vae, self.batch_size, self.complete = vae, batch_size, complete
        self.optimizer = keras.optimizers.Adam(name="adam")
        self.optimizer.build(vae.trainable_variables)
        self._own = State(vae, self.optimizer)
        self._holder: Callable[[], State | None] = _nobody  # whose optimiser's memory `_own` has
        self._running = threading.Lock()
        self._compiled_steps = compile_graph(self._steps)
        self._compiled_means = compile_graph(partial(means_of, vae))

    def steps(
        self,
        values: tf.Tensor,
        starts: tf.Tensor,
        noise: tf.Tensor,
        numbers: Sequence[tf.Tensor],
        *,
        state: State,
    ) -> list[tf.Tensor]:
        """Run a part of an epoch on `state`, which moves on.

        Parameters
        ----------
        values : tensor of float32, shape (n_timestamps, n_channels)
        starts : tensor of int32, shape (steps, batch_size)
        noise : tensor of float32, shape (block, 1, batch_size, latent_dim)
            Draws for step i at ``i % block``.
        numbers : five tensors
            The first step and the one after the last; the steps before this epoch; the KL weight, and over
            how many steps it grows.
        state : State

        Returns
        -------
        list of tensor
            Sums over the steps of the batch's mean reconstruction, KL, KL per dimension, posterior mean and
            its square.
        """
        with self._running:
            self._hold(state)
            copy(state.weights, self._own.weights)
            sums = self._compiled_steps(values, starts, noise, *numbers)
            copy(self._own.weights, state.weights)
        return list(sums)

    def means(
        self, values: tf.Tensor, starts: tf.Tensor, share: tf.Tensor, noise: tf.Tensor, *, state: State
    ) -> tf.Tensor:
        """ELBO, reconstruction and KL of windows, each window with its share of the mean; shape (3,)."""
        with self._running:
            copy(state.weights, self._own.weights)
            return self._compiled_means(values, starts, share, noise)

    def give_back(self, state: State) -> None:
        """Leave the optimiser's memory to the training that it belongs to."""
        with self._running:
            if self._holder() is state:
                self._release()

    def _hold(self, state: State) -> None:
        """Take over the optimiser's memory, unless this training was the last one here anyway."""
        if self._holder() is not state:
            self._release()
            copy(state.memory, self._own.memory)
            self._holder, state.keeper = weakref.ref(state), self

    def _release(self) -> None:
        """Return the optimiser's memory to whom it belongs, if that training still lives."""
        holder = self._holder()
        if holder is not None:
            copy(self._own.memory, holder.memory)
            holder.keeper = None
        self._holder = _nobody

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
        weights, batch, latent = self.vae.trainable_variables, self.batch_size, self.vae.latent_dim
        # By place in the batch: adding to a sum is fast, and averaging over the batch in each step is not.
        by_place = [(batch,), (batch,), (batch, latent), (batch, latent), (batch, latent)]
        sums = tuple(tf.zeros(shape) for shape in by_place)
        i = first
        # Not tf.range: XLA would compile anew for every new pair of ends.
        while i < last:
            x = gather_windows(values, starts[i], self.vae.window_size)
            with tf.GradientTape() as tape:
                loss, terms = self.vae.training_loss(
                    x,
                    noise=noise[i % noise.shape[0]],
                    kl_weight=warmed_up(kl_weight, before + i, warmup),
                    complete=self.complete,
                )
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            sums = tuple(a + b for a, b in zip(sums, told_of(terms), strict=True))
            i += 1
        return tuple(tf.reduce_mean(total, axis=0) for total in sums)


def told_of(terms: ElboTerms) -> tuple[tf.Tensor, ...]:
    """What a record of training is made of, for each window: see `TrainingGraph.steps`."""
    mean = terms.posterior_mean
    return terms.reconstruction, terms.kl, terms.kl_per_dim, mean, tf.square(mean)


def means_of(vae: VAE, values: tf.Tensor, starts: tf.Tensor, share: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """See `TrainingGraph.means`; to be compiled."""
    terms = elbo_terms(vae, gather_windows(values, starts, vae.window_size), noise=noise)
    return tf.stack([tf.reduce_sum(share * t) for t in (terms.elbo, terms.reconstruction, terms.kl)])


class State:
    """What training changes: the weights of a model and the memory of its optimiser.

    Attributes
    ----------
    weights, memory : list of tf.Variable
    keeper : TrainingGraph or None
        Has the memory of the optimiser now; that in `memory` is older.
    """

    def __init__(self, vae: VAE, optimizer: Any) -> None:
        self.weights = [each.value for each in vae.trainable_variables]
        self.memory = [each.value for each in optimizer.variables]
        self.keeper: TrainingGraph | None = None
        self._optimizer = optimizer

    @property
    def optimizer(self) -> Any:
        """The optimiser with its memory, for others to read and to set."""
        keeper = self.keeper  # which another training may take away at any time
        if keeper is not None:
            keeper.give_back(self)
        return self._optimizer


def _nobody() -> None:
    """Stands for a reference to a training that is no more."""


def training_graph(vae: VAE, *, batch_size: int, complete: bool, shapes: Sequence[int]) -> TrainingGraph:
    """The graph for a model and its data; the one of an earlier training of the same shape if there was one.

    Parameters
    ----------
    vae : VAE
    batch_size : int
    complete : bool
    shapes : sequence of int
        Lengths of the tensors it will be called with: each graph is compiled once.
    """
    from vaenb.model import VAE

    built: dict[str, Any] = {"batch_size": batch_size, "complete": complete}
    is_frozen = len(vae.trainable_variables) < len(vae.weights)  # or a part of it is
    if type(vae) is not VAE or is_frozen:
        return TrainingGraph(vae, **built)
    key = shape_of(vae, **built, shapes=list(shapes))
    with _remembering:
        found = _graphs.get(key) or TrainingGraph(VAE.from_config(vae.settings), **built)
        remember(_graphs, key, found, most=MOST_GRAPHS)
    return found


def bucket(length: int) -> int:
    """The length that a tensor is filled up to, so that data of like lengths share a graph.

    Examples
    --------
    >>> bucket(1000), bucket(1100), bucket(2_000_000)
    (1024, 2048, 2000000)
    """
    if length > LARGEST_BUCKET:
        return length
    return 1 << max(length - 1, 0).bit_length()


def filled_up(tensor: tf.Tensor, length: int) -> tf.Tensor:
    """A tensor with zeros behind it, up to a length of its first axis."""
    missing = length - int(tensor.shape[0])
    return tf.pad(tensor, [[0, missing], *([[0, 0]] * (len(tensor.shape) - 1))]) if missing else tensor


def warmed_up(kl_weight: Any, step: Any, warmup: Any) -> tf.Tensor:
    """The KL weight at a step, counted from 0, if it grows over `warmup` steps; 0: it does not."""
    done = (tf.cast(step, tf.float32) + 1.0) / tf.maximum(tf.cast(warmup, tf.float32), 1.0)
    return kl_weight * tf.minimum(1.0, done)
