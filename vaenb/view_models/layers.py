"""The layers of a VAE from its settings alone: what comes out of each, and how many parameters it has."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod
from typing import TYPE_CHECKING, Any, Literal

from vaenb.weights import weight_shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Part = Literal["encoder", "latent", "decoder"]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of the drawing.

    Attributes
    ----------
    part : {"encoder", "latent", "decoder"}
    name : str
        What it is, in a word or two.
    shape : tuple of int
        Of what comes out of it for one window.
    n_params : int
    does : str
        What it does, in half a sentence.
    """

    part: Part
    name: str
    shape: tuple[int, ...]
    n_params: int
    does: str

    @property
    def size(self) -> int:
        """Numbers that come out of it for one window."""
        return prod(self.shape)


def lay_out(settings: Mapping[str, Any]) -> list[Layer]:
    """All layers, from the window to its reconstruction.

    Parameters
    ----------
    settings : mapping
        All of ``VAE.settings``.

    Returns
    -------
    list of Layer
        Their parameters add up to ``VAE(**settings).count_params()``.

    Examples
    --------
    >>> sizes = {"window_size": 16, "n_channels": 1, "latent_dim": 2, "hidden": [8], "encoder": "dense"}
    >>> found = lay_out({**sizes, "likelihood": "bernoulli", "scale": "shared", "prior": "standard"})
    >>> [layer.name for layer in found]
    ['window', 'Dense', 'posterior', 'z', 'Dense', 'likelihood']
    >>> [layer.n_params for layer in found]
    [0, 136, 36, 0, 24, 144]
    """
    return _Plan(settings).layers()


class _Plan:
    """Takes the weights of a VAE one after the other, in their order, and gives them to its layers."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._s = settings
        self._counts: Iterator[int] = iter([prod(shape) for shape in weight_shapes(settings)])
        self._window = (settings["window_size"], settings["n_channels"])
        has_scale = settings["likelihood"] != "bernoulli"
        self._n_heads = 1 + (has_scale and settings["scale"] == "per_point")
        self._shares_scale = has_scale and settings["scale"] == "shared"

    def _take(self, n: int) -> int:
        """The parameters in the next `n` weights."""
        return sum(next(self._counts) for _ in range(n))

    def layers(self) -> list[Layer]:
        of_likelihood = self._take(self._shares_scale + (self._s["likelihood"] == "student_t"))
        of_prior = self._take(3 * (self._s["prior"] == "mixture"))
        latent = self._s["latent_dim"]
        begin = Layer(part="encoder", name="window", shape=self._window, n_params=0, does="what goes in")
        encoder = list(self._encoder())
        posterior = Layer(
            part="encoder",
            name="posterior",
            shape=(2, latent),
            n_params=self._take(4),
            does="a mean and a scale for each latent dimension",
        )
        z = Layer(part="latent", name="z", shape=(latent,), n_params=of_prior, does=self._prior_words())
        decoder = list(self._decoder())
        return [begin, *encoder, posterior, z, *decoder, self._end(of_likelihood)]

    def _prior_words(self) -> str:
        mixture = self._s["prior"] == "mixture"
        return "drawn from the posterior; the prior is " + ("a learned mixture" if mixture else "N(0, 1)")

    def _end(self, own: int) -> Layer:
        shape = self._window if self._n_heads == 1 else (self._n_heads, *self._window)
        does = "the mean of each point" + (" and its scale" if self._n_heads > 1 else "")
        return Layer(
            part="decoder",
            name="likelihood",
            shape=shape,
            n_params=self._take(2 * self._n_heads) + own,
            does=does,
        )

    def _encoder(self) -> Iterator[Layer]:
        hidden, (length, _) = self._s["hidden"], self._window
        for place, units in enumerate(hidden):
            if self._s["encoder"] == "dense":
                yield self._layer("encoder", "Dense", (units,), 2, "looks at everything at once")
            elif self._s["encoder"] == "conv":
                length = ceil(length / 2)
                yield self._layer(
                    "encoder", "Conv", (length, units), 2, "looks at 5 points, keeps every second"
                )
            else:
                shape = (units,) if place == len(hidden) - 1 else (length, units)
                yield self._layer("encoder", "GRU", shape, 3, "reads point after point, and remembers")

    def _decoder(self) -> Iterator[Layer]:
        kind, hidden, (length, _) = self._s["encoder"], self._s["hidden"], self._window
        if kind == "dense":
            for units in reversed(hidden):
                yield self._layer("decoder", "Dense", (units,), 2, "unfolds z")
        elif kind == "recurrent":
            for units in reversed(hidden):
                yield self._layer("decoder", "GRU", (length, units), 3, "writes point after point from z")
        else:
            yield from self._up(hidden)

    def _up(self, hidden: Sequence[int]) -> Iterator[Layer]:
        """Where the convolutions double what they halved on the way in."""
        if not hidden:
            yield self._layer("decoder", "Dense", self._window, 2, "unfolds z")
            return
        length = ceil(self._window[0] / 2 ** len(hidden))
        yield self._layer("decoder", "Dense", (length, hidden[-1]), 2, "unfolds z")
        for units in reversed(hidden):
            length *= 2
            yield self._layer("decoder", "Conv", (length, units), 2, "twice as long, 5 points at a time")

    def _layer(self, part: Part, name: str, shape: tuple[int, ...], n_weights: int, does: str) -> Layer:
        return Layer(part=part, name=name, shape=shape, n_params=self._take(n_weights), does=does)
