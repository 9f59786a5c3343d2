"""Models to compute with, lent to one caller at a time, so that models of one shape share compiled graphs.

TensorFlow compiles a graph for the variables it reads, takes seconds for it and never gives back its memory.
TensorFlow ring.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vaenb.graphs import copy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vaenb.model import VAE

MOST_SHAPES = 256  # that are remembered: to forget one frees nothing
_OF_ONE_MODEL = ("seed", "kl_weight")  # settings that no graph of scores depends on

_free: dict[str, list[VAE]] = {}
_choosing = threading.Lock()


@contextmanager
def stand_in(vae: VAE) -> Iterator[VAE]:
    """A model with the weights of `vae`, and with the graphs in `graphs` that were compiled for its like.

    Nobody else has it until the block ends. A model of a class of one's own stands in for itself.
    """
    from vaenb.model import VAE

    if type(vae) is not VAE:
        yield vae
        return
    key = shape_of(vae)
    with _choosing:
        known = _free.get(key)
        lent = known.pop() if known else None
    if lent is None:
        lent = VAE.from_config(vae.settings)
    copy(*([weight.value for weight in each.weights] for each in (vae, lent)))
    try:
        yield lent
    finally:
        with _choosing:
            remember(_free, key, [*_free.get(key, []), lent], most=MOST_SHAPES)


def remember(known: dict[str, Any], key: str, value: Any, *, most: int) -> None:
    """Keep a value as the newest of at most so many; the one that was not asked for longest goes."""
    known.pop(key, None)
    known[key] = value
    if len(known) > most:
        del known[next(iter(known))]


def shape_of(vae: VAE, **more: Any) -> str:
    """What two models have in common that can share a graph, as text."""
    told = {name: value for name, value in vae.settings.items() if name not in _OF_ONE_MODEL}
    return json.dumps({**told, **more}, sort_keys=True, default=list)
