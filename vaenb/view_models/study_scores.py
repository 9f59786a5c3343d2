"""The choices of step 4 in words: how a window is scored, and how windows vote on a timestamp. NumPy ring."""

from __future__ import annotations

from typing import Final

from vaenb.votes import POINT_METHODS, takes_draws

METHODS: Final = {
    "reconstruction_probability": "reconstruction probability",
    "reconstruction_error": "reconstruction error",
    "elbo": "ELBO",
    "iwae": "importance-weighted bound",
    "latent": "distance in the latent space",
}
VOTES: Final = {"lengths": "over several lengths", "window": "by window", "point": "by point"}
_OF_METHOD: Final = {
    "reconstruction_probability": "how improbable the decoder finds the window, given where it is unsure",
    "reconstruction_error": "the squared error of the reconstruction, wherever the decoder is unsure",
    "elbo": "the negative ELBO: the reconstruction and, beside it, how unusual the latent point is",
    "iwae": "a closer bound than the ELBO; the more draws of z, the closer",
    "latent": "how far the posterior's mean lies from the prior's centre; it overlooks what is not encoded",
}
_OF_VOTE: Final = {
    "lengths": "errors of single points, averaged over several lengths: spikes and long events both count",
    "window": "a timestamp gets the mean of the windows that cover it: smooth, and spikes are blurred",
    "point": "a timestamp gets its own error alone: sharp, and restless",
}


def consequence(*, method: str, vote: str, n_samples: int) -> str:
    """What the choices bring, in a sentence or two.

    Examples
    --------
    >>> consequence(method="latent", vote="window", n_samples=8)[:29]
    "How far the posterior's mean "
    """
    voted = "window" if vote == "lengths" and method not in POINT_METHODS else vote
    told = _OF_METHOD[method]
    draws = f" Averaged over {n_samples} draws of z." if takes_draws(method=method, vote=vote) else ""
    return f"{told[0].upper()}{told[1:]}.{draws} {_OF_VOTE[voted][0].upper()}{_OF_VOTE[voted][1:]}."
