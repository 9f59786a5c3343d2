"""Step 4: an anomaly score for every timestamp, higher = more anomalous.

Each window gets a score from the VAE; then the windows vote: the score of a timestamp is the plain mean of
what all windows that cover it say, so an inner timestamp hears `window_size` of them, and the first and the
last one hear a single window.

All windows share one set of draws of the latent noise (antithetic: each draw comes with its mirror image). So
the same window gets the same score wherever it stands and however the series is cut into chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vaenb.backend import tf
from vaenb.checks import check_choice, check_fit, check_whole
from vaenb.errors import InputError
from vaenb.graphs import compile_graph
from vaenb.imputing import IMPUTE_ITERATIONS, fill_missing, mirrored_noise
from vaenb.objectives import split_missing
from vaenb.records import Scores
from vaenb.windows import VoteCounter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vaenb.model import VAE
    from vaenb.records import Floats, Windows

POINT_METHODS = ("reconstruction_error", "reconstruction_probability")
METHODS = (*POINT_METHODS, "elbo", "iwae", "latent")
CHUNK_VALUES = 4_000_000  # numbers in the largest tensor of a chunk
LARGEST_CHUNK = 4096  # windows; more of them leave the processor's cache
ENCODED_AT_ONCE = 2048
# Added to the decoder's scale for the coarse measure, in scaled units: near the data's own spread.
COARSE = 0.8


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

    Examples
    --------
    >>> import numpy as np, vaenb
    >>> windows = vaenb.make_windows(np.sin(np.arange(100) / 5), window_size=32)
    >>> scores = vaenb.score(vaenb.VAE(window_size=32), windows)
    >>> len(scores), bool(np.isfinite(scores.values).all())
    (100, True)
    """
    check_choice("method", method, METHODS)
    check_choice("vote", vote, ("window", "point"))
    if vote == "point" and method not in POINT_METHODS:
        raise InputError(
            f"vote is 'point', which {method!r} has no score for; take {' or '.join(POINT_METHODS)}."
        )
    if vote == "point":
        return _by_point(windows, _Scorer(vae, windows, method, n_samples=n_samples, seed=seed, measures=1))[
            0
        ]
    votes = VoteCounter(windows.n_timestamps, windows.window_size)
    by_window = np.empty(len(windows))
    for part, total, _, _ in _Scorer(vae, windows, method, n_samples=n_samples, seed=seed).chunks():
        by_window[part] = total
        every = _known(total)
        votes.add(total[every], windows.starts[part][every])
    return _scores(windows, method, _fill_gaps(votes.mean()), by_window)


def score_points(
    vae: VAE,
    windows: Windows,
    method: str = "reconstruction_probability",
    *,
    n_samples: int = 8,
    seed: int = 0,
) -> tuple[Scores, Floats]:
    """The errors of single points, the mean over the windows that cover them, by two measures.

    Where the decoder is sure, its own scale makes a small error a large one; that finds what is subtle, and
    is wrong where it is too sure. So the reconstruction probability comes with a second measure, for which
    `COARSE` is added to the decoder's scale: an error counts by its size in the data.

    Parameters
    ----------
    vae, windows, method, n_samples, seed
        See `score`; the method has errors of single points.

    Returns
    -------
    Scores
        What ``score(vote="point")`` gives.
    ndarray of float64, shape (n_measures, n_timestamps)
        The same values, and those of the coarse measure where the likelihood has a scale.
    """
    has_scale = vae.settings["likelihood"] != "bernoulli" and method != "reconstruction_error"
    measures = 2 if has_scale else 1
    return _by_point(
        windows, _Scorer(vae, windows, method, n_samples=n_samples, seed=seed, measures=measures)
    )


def _by_point(windows: Windows, scorer: _Scorer) -> tuple[Scores, Floats]:
    """The scores by the first measure of single points, and the errors by each."""
    votes = [VoteCounter(windows.n_timestamps, windows.window_size) for _ in range(scorer.measures)]
    by_window = np.empty(len(windows))
    for part, total, _, by_point in scorer.chunks():
        by_window[part] = total
        every = _known(total)
        for measure, counter in enumerate(votes):
            counter.add(by_point[:, measure][every], windows.starts[part][every])
    errors = np.stack([_fill_gaps(counter.mean()) for counter in votes])
    return _scores(windows, scorer.method, errors[0], by_window), errors


def _known(total: Floats) -> slice | NDArray[np.bool_]:
    """Which windows have a score."""
    known = ~np.isnan(total)
    return slice(None) if known.all() else known


def _scores(windows: Windows, method: str, values: Floats, by_window: Floats) -> Scores:
    return Scores(
        values=values,
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

    For the methods that look at the latent space as a whole, it is the channel's part of the reconstruction
    probability. NaN for a window that holds no value at all. See `score` for the parameters.
    """
    check_choice("method", method, METHODS)
    separable = method if method == "reconstruction_error" else "reconstruction_probability"
    found = np.empty((len(windows), windows.n_channels))
    for part, _, by_channel, _ in _Scorer(vae, windows, separable, n_samples=n_samples, seed=seed).chunks():
        found[part] = by_channel
    return found


def encode(vae: VAE, windows: Windows) -> NDArray[np.float32]:
    """The posterior means of the windows, shape (n_windows, latent_dim); missing points count as 0."""
    check_fit("windows", windows, vae.window_size, vae.n_channels)
    found = np.empty((len(windows), vae.latent_dim), dtype=np.float32)
    for begin in range(0, len(windows), ENCODED_AT_ONCE):
        part = slice(begin, begin + ENCODED_AT_ONCE)
        found[part] = vae.posterior(_laid_out(windows, windows.starts[part])).mean()
    return found


class _Scorer:
    """The walk over a series in chunks of one size, so that one compiled graph serves them all."""

    def __init__(
        self,
        vae: VAE,
        windows: Windows,
        method: str,
        *,
        n_samples: int,
        seed: int,
        measures: int = 0,
    ) -> None:
        check_fit("windows", windows, vae.window_size, vae.n_channels)
        draws = 1 if method in {"reconstruction_error", "latent"} else check_whole("n_samples", n_samples)
        self.windows, self.method, self.measures = windows, method, measures
        self.chunk = int(np.clip(CHUNK_VALUES // (draws * _widest(vae)), 16, LARGEST_CHUNK))
        self._noise = tf.constant(mirrored_noise(draws, vae.latent_dim, seed))
        self._impute_noise = tf.constant(mirrored_noise(IMPUTE_ITERATIONS, vae.latent_dim, seed))
        key = method, windows.missing is not None, measures
        if key not in vae.graphs:
            vae.graphs[key] = compile_graph(_Graph(vae, method, imputes=key[1], measures=measures).score)
        self._compiled = vae.graphs[key]

    def chunks(self) -> Iterator[tuple[slice, NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """Yield each part of the windows with scores: (n,), (n, n_channels), (n, n_measures, window_size).

        The last ones are empty where nobody asked for them. NaN for a window or a point that holds no value
        at all.

        Raises
        ------
        InputError
            If the score of a window that holds values is not finite.
        """
        starts = self.windows.starts
        for begin in range(0, len(starts), self.chunk):
            x = _laid_out(self.windows, starts[begin : begin + self.chunk])
            n = len(x)
            full = x if n == self.chunk else np.resize(x, (self.chunk, *x.shape[1:]))
            found = self._compiled(tf.constant(full), self._noise, self._impute_noise)
            total, by_channel, by_point = (scores.numpy()[:n] for scores in found)
            finite = np.isfinite(total) & np.isfinite(by_channel).all(axis=1)
            if not finite.all() and not np.isnan(x[~finite]).all():
                raise InputError(
                    f"The {self.method} scores are not finite: the model has diverged or the values are too "
                    "large. Train again with a smaller learning_rate, or look for extreme values in the data."
                )
            yield slice(begin, begin + n), total, by_channel, by_point


def _widest(vae: VAE) -> int:
    """The numbers that one draw of one window takes in the widest layer of the model."""
    along = 1 if vae.settings["encoder"] == "dense" else 2 * vae.window_size
    return max([2 * vae.window_size * vae.n_channels, *(along * units for units in vae.settings["hidden"])])


def _laid_out(windows: Windows, starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """The windows at `starts`, shape (n, window_size, n_channels), NaN where missing."""
    views = sliding_window_view(windows.values, windows.window_size, axis=0)
    x = np.moveaxis(views, -1, 1)[starts]
    if windows.missing is not None:
        hidden = sliding_window_view(windows.missing, windows.window_size, axis=0)
        x[np.moveaxis(hidden, -1, 1)[starts]] = np.nan
    return x


class _Graph:
    """What is compiled: the scores of a batch of windows."""

    def __init__(self, vae: VAE, method: str, *, imputes: bool, measures: int) -> None:
        self.vae, self.method, self.imputes, self.measures = vae, method, imputes, measures

    def score(self, x: tf.Tensor, noise: tf.Tensor, impute_noise: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Scores: windows (batch,), channels (batch, n_channels), points (batch, n_measures, window_size)."""
        vae = self.vae
        known, filled = split_missing(x)
        if self.imputes:
            filled = fill_missing(vae, x, impute_noise)
        q = vae.posterior(filled)
        z = q.distribution.loc + q.distribution.scale * noise[:, None, :]
        found = [tf.where(known, errors, 0.0) for errors in self._errors(filled, q, z)]
        errors = found[0]  # (n_samples, batch, window_size, n_channels)
        share = tf.reduce_mean(tf.cast(known, tf.float32), axis=2)  # (batch, window_size)
        by_point = tf.zeros((0,))
        if self.measures:
            said = [tf.reduce_mean(tf.reduce_sum(each, axis=3), axis=0) for each in found]
            by_point = tf.stack([_scaled_up(each, share) for each in said], axis=1)
        draws = tf.reduce_sum(errors, axis=2)  # (n_samples, batch, n_channels)
        share = tf.reduce_mean(share, axis=1)
        by_channel = _scaled_up(tf.reduce_mean(draws, axis=0), share[:, None])
        total = self._total(q, z, by_channel, _scaled_up(tf.reduce_sum(draws, axis=-1), share))
        return tf.where(share > 0, total, np.nan), by_channel, by_point

    def _errors(self, x: tf.Tensor, q: Any, z: tf.Tensor) -> list[tf.Tensor]:
        """The errors of each value, (n_samples, batch, window_size, n_channels), by each measure."""
        if self.method == "reconstruction_error":
            return [tf.square(x - self.vae.likelihood(q.distribution.loc).mean())[None]]
        p = self.vae.likelihood(z).distribution
        coarse = [p.copy(scale=p.scale + COARSE)] if self.measures > 1 else []
        return [-each.log_prob(x) for each in (p, *coarse)]

    def _total(self, q: Any, z: tf.Tensor, by_channel: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        if self.method == "latent":
            return self.vae.latent_distance(q.distribution.loc)
        if self.method == "elbo":
            return tf.reduce_mean(draws + q.log_prob(z) - self.vae.prior.log_prob(z), axis=0)
        if self.method == "iwae":
            log_weights = self.vae.prior.log_prob(z) - q.log_prob(z) - draws
            return float(np.log(z.shape[0])) - tf.reduce_logsumexp(log_weights, axis=0)
        return tf.reduce_sum(by_channel, axis=-1)


def _scaled_up(total: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """What the total would be if all points were known; NaN where none is."""
    return tf.where(share > 0, total / share, np.nan)


def _fill_gaps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate over timestamps without a vote."""
    nobody = np.isnan(values)
    if nobody.all():
        raise InputError("All values are missing: there is nothing to score.")
    if not nobody.any():
        return values
    places = np.arange(len(values))
    return np.interp(places, places[~nobody], values[~nobody])
