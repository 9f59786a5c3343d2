"""The settings of a VAE: what each may be. NumPy ring: a choice can be looked at without a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from vaenb.checks import check_choice, check_number, check_whole
from vaenb.errors import InputError

DEFAULT_HIDDEN: Final[dict[str, tuple[int, ...]]] = {
    "dense": (256, 64),
    "conv": (32, 64),
    "recurrent": (64,),
}
LIKELIHOODS: Final = ("normal", "laplace", "student_t", "bernoulli")
SCALES: Final = ("per_point", "shared")
PRIORS: Final = ("standard", "mixture")
TEXTBOOK: Final[dict[str, Any]] = {"latent_dim": 2, "hidden": (32,), "likelihood": "bernoulli"}


def check_model(**settings: Any) -> dict[str, Any]:
    """The settings as plain numbers and text; `hidden` of None is filled with the encoder's default.

    Raises
    ------
    InputError
        With the name of the setting that cannot be, and what was expected.
    """
    encoder = check_choice("encoder", settings["encoder"], DEFAULT_HIDDEN)
    hidden = DEFAULT_HIDDEN[encoder] if settings["hidden"] is None else settings["hidden"]
    if not isinstance(hidden, Iterable) or isinstance(hidden, str):
        raise InputError(f"hidden is {hidden!r}; expected the size of each layer, such as (256, 64) or ().")
    return {
        "window_size": check_whole("window_size", settings["window_size"]),
        "n_channels": check_whole("n_channels", settings["n_channels"]),
        "latent_dim": check_whole("latent_dim", settings["latent_dim"]),
        "hidden": [check_whole("each of hidden", units) for units in hidden],
        "encoder": encoder,
        "likelihood": check_choice("likelihood", settings["likelihood"], LIKELIHOODS),
        "scale": check_choice("scale", settings["scale"], SCALES),
        "prior": check_choice("prior", settings["prior"], PRIORS),
        "kl_weight": check_number("kl_weight", settings["kl_weight"], least=0),
        "seed": check_whole("seed", settings["seed"], least=0, below=2**31),
    }
