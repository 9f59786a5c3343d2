"""Compiled graphs, and windows as the tensors that they read. TensorFlow ring."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import tf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vaenb.records import Windows


def compile_graph(method: Callable[..., Any]) -> Any:
    """A method as a compiled graph of its own.

    In a `partial`, because TensorFlow counts the compilations of a method over all its owners, and warns of
    the fifth training in a notebook.
    """
    return tf.function(partial(method), jit_compile=True)


def as_tensor(windows: Windows) -> tf.Tensor:
    """The series under the windows, (n_timestamps, n_channels), NaN where missing."""
    if windows.missing is None:
        return tf.convert_to_tensor(windows.values, tf.float32)
    return tf.convert_to_tensor(np.where(windows.missing, np.float32(np.nan), windows.values), tf.float32)


def gather_windows(values: tf.Tensor, starts: tf.Tensor, window_size: int) -> tf.Tensor:
    """The windows at `starts`, shape (batch, window_size, n_channels)."""
    return tf.gather(values, starts[:, None] + tf.range(window_size)[None, :])


def evenly_spaced(windows: Windows, most: int) -> tf.Tensor:
    """The starts of at most `most` windows, spread over all of them."""
    places = np.unique(np.linspace(0, len(windows) - 1, most).astype(np.int64))
    return tf.constant(windows.starts[places], tf.int32)


def copy(variables: Sequence[Any], to: Sequence[Any]) -> None:
    """Set variables to the values of others.

    In raw operations: around those that variables have themselves, TensorFlow's Python takes three times as
    long, which short epochs would feel.
    """
    for value, its in zip(read(variables), to, strict=True):
        tf.raw_ops.AssignVariableOp(resource=its.handle, value=value)


def read(variables: Sequence[Any]) -> list[tf.Tensor]:
    """The values of variables; see `copy`."""
    return [tf.raw_ops.ReadVariableOp(resource=each.handle, dtype=each.dtype) for each in variables]
