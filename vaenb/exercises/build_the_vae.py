"""Exercises of step 2: a sample, the two terms of the ELBO, and a bottleneck."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from vaenb.exercises.checking import HintError, Mistake, compare, exercise, got

_LOG_2PI: Final = float(np.log(2 * np.pi))
_WINDOW: Final = 48
_MOST_LATENT: Final = 4
_MOST_PARAMETERS: Final = 10_000


def _gaussians() -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Means and log-variances: two small cases, then a batch."""
    rng = np.random.default_rng(1)
    return [
        (np.array([0.0]), np.array([0.0])),
        (np.array([1.0, 0.0]), np.array([0.0, -2.0])),
        (rng.normal(size=(5, 3)), rng.normal(size=(5, 3))),
    ]


@exercise("02.1", wants="a function of `mean`, `log_variance` and `noise`")
def reparameterised_sample(answer: object) -> str:
    """``z = mean + exp(log_variance / 2) * noise``."""
    rng = np.random.default_rng(2)
    cases = [(np.array([1.0]), np.array([np.log(4.0)]), np.array([1.0]))]
    cases += [(mean, logvar, rng.normal(size=mean.shape)) for mean, logvar in _gaussians()[1:]]
    compare(
        answer,
        lambda mean, logvar, noise: mean + np.exp(0.5 * logvar) * noise,
        cases,
        wants="a function of `mean`, `log_variance` and `noise`",
        mistakes=[
            Mistake(
                lambda mean, logvar, noise: mean + np.exp(logvar) * noise,
                "The noise is multiplied by the variance. It has standard deviation 1 itself, so multiply it "
                "by the standard deviation, `exp(log_variance / 2)`. A published library has this mistake.",
            ),
            Mistake(
                lambda mean, logvar, noise: mean + logvar * noise,
                "The log-variance itself is no standard deviation: it may be negative. Take "
                "`exp(log_variance / 2)`.",
            ),
            Mistake(
                lambda mean, logvar, noise: mean + noise * np.sqrt(np.abs(logvar)),
                "The root of the log-variance is no standard deviation. Undo the logarithm first.",
            ),
        ],
    )
    return (
        "The randomness stands aside in `noise`, so the sample has a gradient with respect to mean and "
        "variance: that is what lets a VAE be trained."
    )


def _kl(mean: Any, logvar: Any) -> Any:
    return 0.5 * np.sum(np.exp(logvar) + mean**2 - 1 - logvar, axis=-1)


@exercise("02.2", wants="a function of `mean` and `log_variance`")
def kl_in_closed_form(answer: object) -> str:
    """KL of a diagonal normal from the standard normal, summed over the latent dimensions."""
    compare(
        answer,
        _kl,
        _gaussians(),
        wants="a function of `mean` and `log_variance`",
        mistakes=[
            Mistake(
                lambda mean, logvar: 2 * _kl(mean, logvar),
                "It is twice the divergence: where is the factor 1/2?",
            ),
            Mistake(
                lambda mean, logvar: -_kl(mean, logvar),
                "The sign is turned round: a divergence is never below 0, and 0 only where the two "
                "are the same.",
            ),
            Mistake(
                lambda mean, logvar: _kl(mean, logvar) / mean.shape[-1],
                "It is the mean over the latent dimensions. The divergence of independent dimensions is the "
                "sum; with the mean, the KL counts for less than it should.",
            ),
            Mistake(
                lambda mean, logvar: float(np.sum(_kl(mean, logvar))),
                "It is one number for all windows. Sum over the last axis only: one number for each window.",
            ),
            Mistake(
                lambda mean, logvar: 0.5 * (np.exp(logvar) + mean**2 - 1 - logvar),
                "These are the terms of each latent dimension. Sum them over the last axis.",
            ),
            Mistake(
                lambda mean, logvar: 0.5 * np.sum(np.exp(2 * logvar) + mean**2 - 1 - 2 * logvar, axis=-1),
                "The log-variance is taken for a log standard deviation: `exp(log_variance)` is the variance "
                "already, and needs no square.",
            ),
            Mistake(
                lambda mean, logvar: 0.5 * np.sum(np.exp(logvar) + mean - 1 - logvar, axis=-1),
                "The mean enters squared: a posterior to the left is as far from the prior as one to "
                "the right.",
            ),
        ],
    )
    return (
        "In nats, one number for each window: what it costs to say where in the latent space the window lies."
    )


def _log_density(x: Any, mean: Any, scale: Any) -> Any:
    return np.sum(-0.5 * ((x - mean) / scale) ** 2 - np.log(scale) - 0.5 * _LOG_2PI, axis=-1)


@exercise("02.3", wants="a function of `x`, `mean` and `scale`")
def normal_log_likelihood(answer: object) -> str:
    """The log-density of a window under independent normal distributions."""
    rng = np.random.default_rng(3)
    cases = [
        (np.array([1.0]), np.array([0.0]), np.array([2.0])),
        (np.array([1.0, 2.0]), np.array([0.0, 2.0]), np.array([1.0, 0.5])),
        (rng.normal(size=(4, 6)), rng.normal(size=(4, 6)), np.exp(rng.normal(size=(4, 6)))),
    ]
    compare(
        answer,
        _log_density,
        cases,
        wants="a function of `x`, `mean` and `scale`",
        mistakes=[
            Mistake(
                lambda x, mean, scale: -np.sum((x - mean) ** 2, axis=-1),  # noqa: ARG005 - that is the mistake
                "That is the squared error. It forgets how sure the decoder is: divide by `scale`, and pay "
                "`log(scale)` for being unsure.",
            ),
            Mistake(
                lambda x, mean, scale: _log_density(x, mean, scale) + np.sum(np.log(scale), axis=-1),
                "`-log(scale)` is missing. Without it a decoder is never punished for being unsure "
                "of everything.",
            ),
            Mistake(
                lambda x, mean, scale: _log_density(x, mean, scale) + 0.5 * _LOG_2PI * x.shape[-1],
                "Only the constant `-log(2 pi) / 2` of each point is missing. It moves no gradient, "
                "but without "
                "it the number is no log-likelihood.",
            ),
            Mistake(
                lambda x, mean, scale: -_log_density(x, mean, scale),
                "The sign is turned round: the likelier, the higher.",
            ),
            Mistake(
                lambda x, mean, scale: _log_density(x, mean, scale) / x.shape[-1],
                "It is the mean over the points. The points are independent given z, so their "
                "log-densities add.",
            ),
        ],
    )
    return "An error counts for much where the decoder is sure, and for little where it is not."


@exercise("02.4", wants="a `vaenb.VAE`")
def bottleneck(answer: Any) -> str:
    """A VAE of windows of 48 points with at most 4 latent dimensions and 10,000 parameters."""
    if not all(hasattr(answer, name) for name in ("settings", "window_size", "count_params")):
        raise HintError(f"{got(answer)} came; expected a model: `vaenb.VAE(48, ...)`.")
    if answer.window_size != _WINDOW:
        raise HintError(f"It takes windows of {answer.window_size} points; expected {_WINDOW}.")
    latent, n_parameters = int(answer.settings["latent_dim"]), int(answer.count_params())
    if latent > _MOST_LATENT:
        raise HintError(
            f"{latent} numbers are left of {_WINDOW}; at most {_MOST_LATENT} are allowed. Which "
            f"argument sets them?"
        )
    if n_parameters > _MOST_PARAMETERS:
        raise HintError(
            f"It has {n_parameters:,} parameters; at most {_MOST_PARAMETERS:,} are allowed. The "
            f"hidden layers "
            "hold nearly all of them: `hidden=(...)` says how many units each has."
        )
    return (
        f"{n_parameters:,} parameters, and {latent} of {_WINDOW} numbers get through. What "
        f"does not fit through "
        "cannot be redrawn, and a rare shape is the first that does not fit."
    )
