"""How windows can be scored, and how they vote on a timestamp: the names. NumPy ring."""

from __future__ import annotations

from typing import Final

POINT_METHODS: Final = ("reconstruction_error", "reconstruction_probability")  # with errors of single points
METHODS: Final = (*POINT_METHODS, "elbo", "iwae", "latent")
VOTES: Final = ("lengths", "window", "point")


def weighs_lengths(*, method: str, vote: str) -> bool:
    """Whether scores come from errors averaged over several lengths."""
    return vote == "lengths" and method in POINT_METHODS


def takes_draws(*, method: str, vote: str) -> bool:
    """Whether z is drawn; else the posterior's mean is taken."""
    return not weighs_lengths(method=method, vote=vote) and method not in {"reconstruction_error", "latent"}
