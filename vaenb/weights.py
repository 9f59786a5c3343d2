"""The shapes of a VAE's weights, from its settings alone: no model is built before they fit. NumPy ring."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Shapes = list[tuple[int, ...]]

_KERNEL: Final = 5
_COMPONENTS: Final = 8


def weight_shapes(settings: Mapping[str, Any]) -> Shapes:
    """The shapes of ``VAE(**settings).trainable_variables``, in their order.

    Parameters
    ----------
    settings : mapping of str to object
        All of ``VAE.settings``.

    Returns
    -------
    list of tuple of int

    Raises
    ------
    KeyError
        If a setting is missing, or there is no such encoder.

    Examples
    --------
    >>> sizes = {"window_size": 16, "n_channels": 1, "latent_dim": 2, "hidden": [8], "encoder": "dense"}
    >>> weight_shapes({**sizes, "likelihood": "bernoulli", "scale": "shared", "prior": "standard"})
    [(8, 16), (8,), (2, 8), (2,), (2, 8), (2,), (2, 8), (8,), (8, 16), (16,)]
    """
    window, channels, latent, hidden = (
        settings[name] for name in ("window_size", "n_channels", "latent_dim", "hidden")
    )
    has_scale = settings["likelihood"] != "bernoulli"
    per_point = has_scale and settings["scale"] == "per_point"
    chain = {"dense": _dense, "conv": _conv, "recurrent": _recurrent}[settings["encoder"]]
    own: Shapes = [(channels,)] if has_scale and not per_point else []
    own += [()] if settings["likelihood"] == "student_t" else []
    if settings["prior"] == "mixture":
        own += [(_COMPONENTS,), (_COMPONENTS, latent), (_COMPONENTS, latent)]
    return own + chain(window, channels, latent, hidden, 1 + per_point)


def _layers(*sizes: int) -> Shapes:
    """Dense layers from each size to the next: a matrix, its longer side last, and a bias each."""
    return [shape for size, units in pairwise(sizes) for shape in (tuple(sorted((size, units))), (units,))]


def _dense(window: int, channels: int, latent: int, hidden: Sequence[int], heads: int) -> Shapes:
    encoder = _layers(window * channels, *hidden)
    encoder += _layers(hidden[-1] if hidden else window * channels, latent) * 2
    last = hidden[0] if hidden else latent
    return encoder + _layers(latent, *reversed(hidden)) + _layers(last, window * channels) * heads


def _convolutions(*sizes: int) -> Shapes:
    return [shape for size, filters in pairwise(sizes) for shape in ((_KERNEL, size, filters), (filters,))]


def _conv(window: int, channels: int, latent: int, hidden: Sequence[int], heads: int) -> Shapes:
    if not hidden:
        linear = _layers(window * channels, latent) * 2 + _layers(latent, window * channels)
        return linear + _convolutions(channels, channels) * heads
    coarse = ceil(window / 2 ** len(hidden)) * hidden[-1]
    encoder = _convolutions(channels, *hidden) + _layers(coarse, latent) * 2
    decoder = _layers(latent, coarse) + _convolutions(hidden[-1], *reversed(hidden))
    return encoder + decoder + _convolutions(hidden[0], channels) * heads


def _gates(*sizes: int) -> Shapes:
    """Gated recurrent units: three gates each, and two biases for each gate."""
    return [
        shape
        for size, units in pairwise(sizes)
        for shape in ((size, 3 * units), (units, 3 * units), (2, 3 * units))
    ]


def _recurrent(window: int, channels: int, latent: int, hidden: Sequence[int], heads: int) -> Shapes:
    last = hidden[-1] if hidden else window * channels
    encoder = _gates(channels, *hidden) + _layers(last, latent) * 2
    first = hidden[0] if hidden else latent
    return encoder + _gates(latent, *reversed(hidden)) + _layers(first, channels) * heads
