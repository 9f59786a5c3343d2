"""The two networks of a VAE: windows to the posterior's parameters, and latent points to the likelihood's.

Each is a Keras layer that accepts any leading axes: (batch, ...) and (n_samples, batch, ...) alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import keras, tf
from vaenb.checks import check_choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEFAULT_HIDDEN: dict[str, tuple[int, ...]] = {"dense": (256, 64), "conv": (32, 64), "recurrent": (64,)}
KERNEL_SIZE = 5


class _Initializers:
    """Hands each new weight matrix an initializer of its own, all following from one seed."""

    def __init__(self, seed: int) -> None:
        self._seeds: Iterator[int] = iter(np.random.default_rng(seed).integers(2**31, size=1000).tolist())

    def __call__(self, kind: str = "glorot_uniform") -> Any:
        return keras.initializers.get({"class_name": kind, "config": {"seed": next(self._seeds)}})


class Network(keras.layers.Layer):
    """A chain of layers between two shapes, whatever the number of leading axes."""

    def __init__(self, layers: Sequence[Any], shape_in: tuple[int, ...], name: str) -> None:
        super().__init__(name=name, dtype="float32")
        self.chain = list(layers)
        self.shape_in = shape_in

    def build(self, input_shape: tuple[int | None, ...]) -> None:  # noqa: ARG002 - `shape_in` says it all
        """Create the weights of the chain."""
        shape: tuple[int | None, ...] = (None, *self.shape_in)
        for layer in self.chain:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Run the chain over the last axes; the leading ones are kept."""
        leading = tf.shape(x)[: len(x.shape) - len(self.shape_in)]
        static = x.shape[: len(x.shape) - len(self.shape_in)]
        h = tf.reshape(x, (-1, *self.shape_in))
        for layer in self.chain:
            h = layer(h)
        out = tf.reshape(h, tf.concat([leading, h.shape[1:]], axis=0))
        out.set_shape(static.concatenate(h.shape[1:]))
        return out

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Keep the leading axes and replace the rest, as Keras asks of a layer."""
        shape: tuple[int | None, ...] = (None, *self.shape_in)
        for layer in self.chain:
            shape = layer.compute_output_shape(shape)
        return (*input_shape[: len(input_shape) - len(self.shape_in)], *shape[1:])


def build_encoder(
    kind: str, *, window_size: int, n_channels: int, hidden: Sequence[int], latent_dim: int, seed: int
) -> Network:
    """Windows (..., window_size, n_channels) to (..., 2 * latent_dim): means, then raw scales.

    Raises
    ------
    InputError
        If `kind` is not "dense", "conv" or "recurrent".
    """
    init = _Initializers(seed)
    parts = {"dense": _dense_encoder, "conv": _conv_encoder, "recurrent": _recurrent_encoder}
    layers = [*parts[check_choice("encoder", kind, parts)](hidden, init), _dense(2 * latent_dim, init)]
    return Network(layers, (window_size, n_channels), "encoder")


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
    """Latent points (..., latent_dim) to (..., window_size, n_channels * n_params), mirroring the encoder.

    Raises
    ------
    InputError
        If `kind` is not "dense", "conv" or "recurrent".
    """
    init = _Initializers(seed + 1)
    width = n_channels * n_params
    parts = {"dense": _dense_decoder, "conv": _conv_decoder, "recurrent": _recurrent_decoder}
    build = parts[check_choice("encoder", kind, parts)]
    return Network(build(hidden, window_size, width, init), (latent_dim,), "decoder")


def _dense(units: int, init: _Initializers, activation: str | None = None) -> Any:
    return keras.layers.Dense(units, activation=activation, kernel_initializer=init(), dtype="float32")


def _dense_encoder(hidden: Sequence[int], init: _Initializers) -> list[Any]:
    return [keras.layers.Flatten(dtype="float32"), *(_dense(units, init, "relu") for units in hidden)]


def _dense_decoder(hidden: Sequence[int], window_size: int, width: int, init: _Initializers) -> list[Any]:
    layers = [_dense(units, init, "relu") for units in reversed(hidden)]
    return [
        *layers,
        _dense(window_size * width, init),
        keras.layers.Reshape((window_size, width), dtype="float32"),
    ]


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


def _conv_decoder(hidden: Sequence[int], window_size: int, width: int, init: _Initializers) -> list[Any]:
    # Halved once a layer on the way in; doubled once a layer here, and what is too much is cut off.
    coarse = math.ceil(window_size / 2 ** len(hidden))
    filters = [*reversed(hidden)]
    layers: list[Any] = []
    if filters:
        layers = [
            _dense(coarse * filters[0], init, "relu"),
            keras.layers.Reshape((coarse, filters[0]), dtype="float32"),
        ]
    else:
        layers = [
            _dense(window_size * width, init),
            keras.layers.Reshape((window_size, width), dtype="float32"),
        ]
    for number in filters:
        layers += [
            keras.layers.UpSampling1D(2, dtype="float32"),
            _conv(number, init, activation="relu"),
        ]
    excess = coarse * 2 ** len(hidden) - window_size
    return [*layers, keras.layers.Cropping1D((0, excess), dtype="float32"), _conv(width, init)]


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


def _recurrent_decoder(hidden: Sequence[int], window_size: int, width: int, init: _Initializers) -> list[Any]:
    layers = [_gru(units, init, sequences=True) for units in reversed(hidden)]
    return [keras.layers.RepeatVector(window_size, dtype="float32"), *layers, _dense(width, init)]
