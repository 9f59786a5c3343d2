"""Step 4: an anomaly score for every timestamp, higher = more anomalous.

Each window gets a score from the VAE; then the windows vote: the score of a timestamp is the plain mean of
what all windows that cover it say, so an inner timestamp hears `window_size` of them, and the first and the
last one hear a single window.

All windows share one set of draws of the latent noise (antithetic: each draw comes with its mirror image).
So the same window gets the same score wherever it stands and however the series is cut into chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import tf
from vaenb.errors import InputError
from vaenb.records import Scores
from vaenb.training import as_tensor, gather_windows
from vaenb.windows import VoteCounter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vaenb.model import VAE
    from vaenb.records import Windows

POINT_METHODS = ("reconstruction_error", "reconstruction_probability")
METHODS = (*POINT_METHODS, "elbo", "iwae", "latent")
IMPUTE_ITERATIONS = 10
CHUNK_VALUES = 4_000_000  # numbers in the largest tensor of a chunk


def score(
    vae: VAE,
    windows: Windows,
    method: str = "reconstruction_probability",
    *,
    vote: str = "window",
    n_samples: int = 8,
    seed: int = 0,
) -> Scores:
    """Score every timestamp under `windows`; memory does not grow with their number.

    Parameters
    ----------
    vae : VAE
        Trained.
    windows : Windows
        Usually of stride 1; with a larger stride fewer windows vote.
    method : str
        With z drawn from q(z | x), and log-likelihoods in nats summed over the window:

        - "reconstruction_error": the squared error of the reconstruction at the posterior's mean, summed
          over the window (the page's);
        - "reconstruction_probability": -E_q[log p(x | z)] (An & Cho 2015), the negative so that higher is
          more anomalous;
        - "elbo": -ELBO(x);
        - "iwae": -log 1/k sum p(x, z) / q(z | x), closer to -log p(x) (Burda et al. 2016);
        - "latent": how many scales the posterior's mean lies away from the prior's (nearest) centre.

        Missing points are imputed for the encoder (Rezende et al. 2014, as in Donut, Xu et al. 2018) and
        take no part in the sum, which is scaled up to a full window.
    vote : {"window", "point"}
        What a window says about the timestamps it covers: "window", its own score; "point", the error of
        each timestamp itself (only of "reconstruction_error" and "reconstruction_probability").
    n_samples : int
        Draws of z for each window.
    seed : int
        The same seed gives the same scores.

    Returns
    -------
    Scores
        ``values`` has shape (n_timestamps,) and is finite: a timestamp whose windows hold no value at all
        gets what lies between its neighbours.

    Raises
    ------
    InputError
        If the method is unknown, the windows do not fit the model or a score is not finite.
    """
    if method not in METHODS:
        raise InputError(f"method is {method!r}; expected one of {', '.join(map(repr, METHODS))}.")
    if vote not in {"window", "point"} or (vote == "point" and method not in POINT_METHODS):
        raise InputError(
            f"vote is {vote!r}; expected 'window', or 'point' with one of {', '.join(POINT_METHODS)}."
        )
    votes = VoteCounter(windows.n_timestamps, windows.window_size)
    by_window = np.empty(len(windows))
    scorer = _Scorer(vae, windows, method, n_samples=n_samples, seed=seed)
    for part, (total, _, by_point) in scorer.chunks():
        by_window[part] = total
        known = ~np.isnan(total)
        said = by_point if vote == "point" else total
        votes.add(said[known], windows.starts[part][known])
    return Scores(
        values=_fill_gaps(votes.mean(), method),
        method=method,
        window_size=windows.window_size,
        window_values=by_window,
        window_starts=windows.starts,
    )


def channel_scores(
    vae: VAE,
    windows: Windows,
    method: str = "reconstruction_probability",
    *,
    n_samples: int = 8,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Each channel's part of the score of each window, shape (n_windows, n_channels).

    For the methods that look at the latent space as a whole, it is the channel's part of the
    reconstruction probability.
    """
    scorer = _Scorer(vae, windows, method, n_samples=n_samples, seed=seed)
    parts = [np.asarray(by_channel, dtype=np.float64) for _, (_, by_channel, _) in scorer.chunks()]
    return np.concatenate(parts) if parts else np.empty((0, windows.n_channels))


def encode(vae: VAE, windows: Windows) -> NDArray[np.float32]:
    """The posterior means of the windows, shape (n_windows, latent_dim)."""
    values = as_tensor(windows)
    found = [
        vae.posterior(gather_windows(values, tf.constant(starts, tf.int32), windows.window_size))
        .mean()
        .numpy()
        for starts in np.array_split(windows.starts, max(1, len(windows) // 2048))
    ]
    return np.concatenate(found)


def impute(vae: VAE, x: Any, *, n_iterations: int = IMPUTE_ITERATIONS, seed: int = 0) -> NDArray[np.float32]:
    """Fill the missing points of windows with what the VAE expects there (Rezende et al. 2014).

    Again and again: encode, draw z, decode, and put the decoder's mean into the missing points.

    Parameters
    ----------
    vae : VAE
    x : array_like, shape (batch, window_size, n_channels)
        NaN where missing.
    n_iterations : int
    seed : int

    Returns
    -------
    ndarray of float32, same shape
        The known points are untouched.
    """
    x = vae.as_windows(x)
    noise = tf.constant(_noise(n_iterations, vae.latent_dim, seed))
    return np.asarray(_impute(vae, x, tf.logical_not(tf.math.is_nan(x)), noise))


def _impute(vae: VAE, x: tf.Tensor, known: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    filled = tf.where(known, x, 0.0)
    for i in range(noise.shape[0]):
        q = vae.posterior(filled).distribution
        filled = tf.where(known, x, vae.likelihood(q.loc + q.scale * noise[i]).mean())
    return filled


def _noise(n_samples: int, latent_dim: int, seed: int) -> NDArray[np.float32]:
    """Standard normal draws in mirrored pairs, shape (n_samples, latent_dim)."""
    half = np.random.default_rng(seed).standard_normal((-(-n_samples // 2), latent_dim))
    return np.stack([half, -half], axis=1).reshape(-1, latent_dim)[:n_samples].astype(np.float32)


class _Scorer:
    """The walk over a series in chunks of one size, so that one compiled graph serves them all."""

    def __init__(self, vae: VAE, windows: Windows, method: str, *, n_samples: int, seed: int) -> None:
        if (windows.window_size, windows.n_channels) != (vae.window_size, vae.n_channels):
            raise InputError(
                f"The windows have {windows.window_size} points x {windows.n_channels} channels; the model "
                f"was built for {vae.window_size} x {vae.n_channels}. Cut them with the same window_size."
            )
        draws = 1 if method in {"reconstruction_error", "latent"} else n_samples
        widest = draws * max([windows.window_size * windows.n_channels * 2, *vae.settings["hidden"]])
        self.windows, self.chunk = windows, int(np.clip(CHUNK_VALUES // widest, 16, 8192))
        key = (method, draws, seed, windows.missing is not None)
        if key not in vae.graphs:
            graph = _Graph(vae, method, n_samples=draws, seed=seed, imputes=windows.missing is not None)
            vae.graphs[key] = tf.function(graph.score, jit_compile=True)
        self._compiled = vae.graphs[key]

    def chunks(self) -> Iterator[tuple[slice, list[NDArray[Any]]]]:
        """Yield each part of the windows with what `_Graph.score` says of it."""
        starts = self.windows.starts
        for begin in range(0, len(starts), self.chunk):
            part = starts[begin : begin + self.chunk]
            x = np.resize(self._laid_out(part), (self.chunk, *self.windows.shape[1:]))
            n = len(part)
            yield slice(begin, begin + n), [np.asarray(said)[:n] for said in self._compiled(tf.constant(x))]

    def _laid_out(self, starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """The windows at `starts`, NaN where missing."""
        places = starts[:, None] + np.arange(self.windows.window_size)
        x = self.windows.values[places]
        if self.windows.missing is not None:
            x[self.windows.missing[places]] = np.nan
        return x


class _Graph:
    """What is compiled: the scores of a batch of windows."""

    def __init__(self, vae: VAE, method: str, *, n_samples: int, seed: int, imputes: bool) -> None:
        self.vae, self.method, self.imputes = vae, method, imputes
        self.noise = _noise(n_samples, vae.latent_dim, seed)
        self.impute_noise = _noise(IMPUTE_ITERATIONS, vae.latent_dim, seed)

    def score(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Scores by window, (batch,), by channel, (batch, n_channels), by point, (batch, window_size)."""
        vae = self.vae
        known = tf.logical_not(tf.math.is_nan(x))
        filled = tf.where(known, x, 0.0)
        if self.imputes:
            filled = _impute(vae, x, known, tf.constant(self.impute_noise))
        q = vae.posterior(filled)
        z = q.distribution.loc + q.distribution.scale * tf.constant(self.noise)[:, None, :]
        if self.method == "reconstruction_error":
            errors = tf.square(filled - vae.likelihood(q.distribution.loc).mean())[None]
        else:
            errors = -vae.likelihood(z).distribution.log_prob(filled)
        errors = tf.where(known, errors, 0.0)
        draws = tf.reduce_sum(errors, axis=2)  # (n_samples, batch, n_channels)
        seen = tf.reduce_mean(tf.cast(known, tf.float32), axis=2)
        by_point = tf.reduce_mean(tf.reduce_sum(errors, axis=3), axis=0)
        by_point = tf.where(seen > 0, by_point / tf.maximum(seen, 1e-6), np.nan)
        share = tf.reduce_mean(tf.cast(known, tf.float32), axis=(1, 2))
        full = tf.where(share > 0, 1.0 / tf.maximum(share, 1e-6), np.nan)
        by_channel = tf.reduce_mean(draws, axis=0) * full[:, None]
        return self._combine(q, z, by_channel, tf.reduce_sum(draws, axis=-1) * full), by_channel, by_point

    def _combine(self, q: Any, z: tf.Tensor, by_channel: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        if self.method == "latent":
            return self.vae.latent_distance(q.distribution.loc)
        if self.method == "elbo":
            return tf.reduce_mean(draws + q.log_prob(z) - self.vae.prior.log_prob(z), axis=0)
        if self.method == "iwae":
            log_weights = self.vae.prior.log_prob(z) - q.log_prob(z) - draws
            return float(np.log(len(self.noise))) - tf.reduce_logsumexp(log_weights, axis=0)
        return tf.reduce_sum(by_channel, axis=-1)


def _fill_gaps(values: NDArray[np.float64], method: str) -> NDArray[np.float64]:
    """Interpolate over timestamps without a vote; refuse anything else that is not finite."""
    nobody = np.isnan(values)
    if nobody.all() or np.isinf(values).any():
        raise InputError(
            f"The {method} scores are not finite: the model has diverged or the values are too large. "
            "Train again with a smaller learning_rate, or look for extreme values in the data."
        )
    if not nobody.any():
        return values
    places = np.arange(len(values))
    return np.interp(places, places[~nobody], values[~nobody])
