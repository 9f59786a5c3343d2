"""The two networks of a VAE: windows to the posterior's parameters, and latent points to the likelihood's.

Each is a Keras layer that accepts any leading axes: (batch, ...) and (n_samples, batch, ...) alike. It gives
a tuple: one tensor for each parameter of the distribution.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import keras, tf
from vaenb.checks import check_choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KERNEL_SIZE = 5


class _Initializers:
    """Hands each new weight matrix an initializer of its own, all following from one seed."""

    def __init__(self, seed: int) -> None:
        self._seeds: Iterator[int] = iter(np.random.default_rng(seed).integers(2**31, size=1000).tolist())

    def __call__(self, kind: str = "glorot_uniform") -> Any:
        return keras.initializers.get({"class_name": kind, "config": {"seed": next(self._seeds)}})


class Dense(keras.layers.Layer):
    """A dense layer that keeps its kernel with the longer side last.

    Where a layer narrows, that is transposed: its gradient is then a product with a long last axis, which
    compiled graphs compute up to five times as fast as one with a short last axis.
    """

    def __init__(self, units: int, *, kernel_initializer: Any, activation: str | None = None) -> None:
        super().__init__(dtype="float32")
        self.units, self.kernel_initializer = units, kernel_initializer
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Create the kernel, (n_in, units) or transposed, and the bias."""
        n_in = input_shape[-1]
        start = self.kernel_initializer((n_in, self.units), dtype="float32")
        self.is_transposed = self.units < n_in
        start = tf.transpose(start) if self.is_transposed else start
        self.kernel = self.add_weight(shape=start.shape, initializer=lambda *_, **__: start, name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.built = True

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """``activation(x @ kernel + bias)`` over the last axis."""
        flat = tf.reshape(x, (-1, x.shape[-1]))
        product = tf.matmul(flat, tf.convert_to_tensor(self.kernel), transpose_b=self.is_transposed)
        product = self.activation(product + tf.convert_to_tensor(self.bias))
        return _with_leading(product, x, len(x.shape) - 1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Replace the last axis."""
        return (*input_shape[:-1], self.units)


class Network(keras.layers.Layer):
    """A chain of layers between two shapes, whatever the number of leading axes, that ends in heads.

    Each head is a chain of its own on the output of the common one, and gives one output. Two heads compute
    what one of twice the width would, but nothing has to be taken apart on the way forward nor put together
    on the way back, which would take a quarter of a compiled training step.
    """

    def __init__(
        self, chain: Sequence[Any], heads: Sequence[Sequence[Any]], shape_in: tuple[int, ...], name: str
    ) -> None:
        super().__init__(name=name, dtype="float32")
        self.chain, self.heads = list(chain), [list(head) for head in heads]
        self.shape_in = shape_in
        # Keras' own names count on from model to model, and TensorFlow keeps 30 kB for every new name of a
        # variable for as long as the process lives.
        for place, layer in enumerate(itertools.chain(self.chain, *self.heads)):
            layer.name = f"layer_{place}"
            if hasattr(layer, "cell"):
                layer.cell.name = "cell"

    def build(self, input_shape: tuple[int | None, ...]) -> None:  # noqa: ARG002 - `shape_in` says it all
        """Create the weights of the chain and of its heads."""
        shape = _build_chain(self.chain, (None, *self.shape_in))
        for head in self.heads:
            _build_chain(head, shape)
        self.built = True

    def call(self, x: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Run the chain over the last axes, then each head; the leading axes are kept."""
        rank = len(x.shape) - len(self.shape_in)
        h = _run_chain(self.chain, tf.reshape(x, (-1, *self.shape_in)))
        return tuple(_with_leading(_run_chain(head, h), x, rank) for head in self.heads)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[tuple[int | None, ...], ...]:
        """Keep the leading axes and replace the rest, as Keras asks of a layer."""
        leading = input_shape[: len(input_shape) - len(self.shape_in)]
        shape = _shape_after(self.chain, (None, *self.shape_in))
        return tuple((*leading, *_shape_after(head, shape)[1:]) for head in self.heads)


def _build_chain(layers: Sequence[Any], shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    for layer in layers:
        layer.build(shape)
        shape = layer.compute_output_shape(shape)
    return shape


def _run_chain(layers: Sequence[Any], h: tf.Tensor) -> tf.Tensor:
    for layer in layers:
        h = layer(h)
    return h


def _shape_after(layers: Sequence[Any], shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    for layer in layers:
        shape = layer.compute_output_shape(shape)
    return shape


def _with_leading(h: tf.Tensor, x: tf.Tensor, rank: int) -> tf.Tensor:
    """`h` with its first axis laid out as the first `rank` axes of `x`."""
    out = tf.reshape(h, tf.concat([tf.shape(x)[:rank], h.shape[1:]], axis=0))
    out.set_shape(x.shape[:rank].concatenate(h.shape[1:]))
    return out


def build_encoder(
    kind: str, *, window_size: int, n_channels: int, hidden: Sequence[int], latent_dim: int, seed: int
) -> Network:
    """Windows (..., window_size, n_channels) to means and raw scales, (..., latent_dim) each.

    Raises
    ------
    InputError
        If `kind` is not "dense", "conv" or "recurrent".
    """
    init = _Initializers(seed)
    parts = {"dense": _dense_encoder, "conv": _conv_encoder, "recurrent": _recurrent_encoder}
    chain = parts[check_choice("encoder", kind, parts)](hidden, init)
    heads = [[_dense(latent_dim, init)] for _ in range(2)]
    return Network(chain, heads, (window_size, n_channels), "encoder")


def build_decoder(
    kind: str,
    *,
    window_size: int,
    n_channels: int,
    hidden: Sequence[int],
    latent_dim: int,
    n_params: int,
    seed: int,
) -> Network:
    """Latent points (..., latent_dim) to `n_params` of (..., window_size, n_channels), mirroring the encoder.

    Raises
    ------
    InputError
        If `kind` is not "dense", "conv" or "recurrent".
    """
    init = _Initializers(seed + 1)
    parts = {"dense": _dense_decoder, "conv": _conv_decoder, "recurrent": _recurrent_decoder}
    build = parts[check_choice("encoder", kind, parts)]
    chain, heads = build(hidden, (window_size, n_channels), n_params, init)
    return Network(chain, heads, (latent_dim,), "decoder")


def _dense(units: int, init: _Initializers, activation: str | None = None) -> Any:
    return Dense(units, activation=activation, kernel_initializer=init())


def _dense_encoder(hidden: Sequence[int], init: _Initializers) -> list[Any]:
    return [keras.layers.Flatten(dtype="float32"), *(_dense(units, init, "relu") for units in hidden)]


def _dense_to(shape: tuple[int, int], init: _Initializers, activation: str | None = None) -> list[Any]:
    """A dense layer to as many points and channels."""
    return [_dense(math.prod(shape), init, activation), keras.layers.Reshape(shape, dtype="float32")]


def _dense_decoder(
    hidden: Sequence[int], shape: tuple[int, int], n_params: int, init: _Initializers
) -> tuple[list[Any], list[list[Any]]]:
    chain = [_dense(units, init, "relu") for units in reversed(hidden)]
    return chain, [_dense_to(shape, init) for _ in range(n_params)]


def _conv(filters: int, init: _Initializers, *, stride: int = 1, activation: str | None = None) -> Any:
    return keras.layers.Conv1D(
        filters,
        KERNEL_SIZE,
        strides=stride,
        padding="same",
        activation=activation,
        kernel_initializer=init(),
        dtype="float32",
    )


def _conv_encoder(hidden: Sequence[int], init: _Initializers) -> list[Any]:
    halving = [_conv(filters, init, stride=2, activation="relu") for filters in hidden]
    return [*halving, keras.layers.Flatten(dtype="float32")]


def _conv_decoder(
    hidden: Sequence[int], shape: tuple[int, int], n_params: int, init: _Initializers
) -> tuple[list[Any], list[list[Any]]]:
    if not hidden:
        return _dense_to(shape, init), [[_conv(shape[1], init)] for _ in range(n_params)]
    # Halved once a layer on the way in; doubled once a layer here, and what is too much is cut off.
    window_size, n_channels = shape
    coarse = math.ceil(window_size / 2 ** len(hidden))
    chain = _dense_to((coarse, hidden[-1]), init, "relu")
    for filters in reversed(hidden):
        chain += [keras.layers.UpSampling1D(2, dtype="float32"), _conv(filters, init, activation="relu")]
    chain.append(keras.layers.Cropping1D((0, coarse * 2 ** len(hidden) - window_size), dtype="float32"))
    return chain, [[_conv(n_channels, init)] for _ in range(n_params)]


def _gru(units: int, init: _Initializers, *, sequences: bool) -> Any:
    return keras.layers.GRU(
        units,
        return_sequences=sequences,
        kernel_initializer=init(),
        recurrent_initializer=init("orthogonal"),
        dtype="float32",
    )


def _recurrent_encoder(hidden: Sequence[int], init: _Initializers) -> list[Any]:
    last = len(hidden) - 1
    layers = [_gru(units, init, sequences=i < last) for i, units in enumerate(hidden)]
    return layers or [keras.layers.Flatten(dtype="float32")]


def _recurrent_decoder(
    hidden: Sequence[int], shape: tuple[int, int], n_params: int, init: _Initializers
) -> tuple[list[Any], list[list[Any]]]:
    window_size, n_channels = shape
    layers = [_gru(units, init, sequences=True) for units in reversed(hidden)]
    chain = [keras.layers.RepeatVector(window_size, dtype="float32"), *layers]
    return chain, [[_dense(n_channels, init)] for _ in range(n_params)]
