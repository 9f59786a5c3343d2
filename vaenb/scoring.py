"""Step 4: an anomaly score for every timestamp, higher = more anomalous.

Each window gets a score from the VAE; then the windows vote: the score of a timestamp is the plain mean of
what all windows that cover it say, so an inner timestamp hears `window_size` of them, and the first and the
last one hear a single window.

All windows share one set of draws of the latent noise (antithetic: each draw comes with its mirror image). So
the same window gets the same score wherever it stands and however the series is cut into chunks.
"""

from __future__ import annotations

import itertools
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vaenb.backend import tf
from vaenb.checks import check_choice, check_fit, check_number, check_whole
from vaenb.errors import InputError
from vaenb.graphs import compile_graph
from vaenb.imputing import IMPUTE_ITERATIONS, mirrored_noise
from vaenb.lending import stand_in
from vaenb.records import Scores
from vaenb.score_graph import ScoreGraph
from vaenb.votes import METHODS, POINT_METHODS
from vaenb.windows import VoteCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from vaenb.model import VAE
    from vaenb.records import Windows

CHUNK_VALUES = 2_000_000  # numbers in the largest tensor of a chunk
LARGEST_CHUNK = 4096  # windows; more of them leave the processor's cache
ENCODED_AT_ONCE = 2048
FEW = (8, 128)  # windows of a stream at a time
IN_FLIGHT = 2  # chunks of several draws at a time: each runs most of its loops on a single core


def score(
    vae: VAE,
    windows: Windows,
    method: str = "reconstruction_probability",
    *,
    vote: str = "window",
    n_samples: int = 8,
    tolerance: float = 0.0,
    impute: bool = True,
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

        Missing points take no part in the sum, which is scaled up to a full window.
    vote : {"window", "point"}
        What a window says about the timestamps it covers: "window", its own score; "point", the error of
        each timestamp itself (only of "reconstruction_error" and "reconstruction_probability").
    n_samples : int
        Draws of z for each window. 0 takes the posterior's mean in their place, which finds as much in a
        fraction of the time; "elbo" and "iwae" need draws.
    tolerance : float
        In scaled units: the decoder's scale becomes ``sqrt(scale**2 + tolerance**2)``, as if the values had
        so much noise more. Then an error well below it is a small one, however sure the decoder is. Of no
        meaning for "reconstruction_error" and "latent", nor for a likelihood without a scale.
    impute : bool
        Missing points are imputed for the encoder (Rezende et al. 2014, as in Donut, Xu et al. 2018). False
        leaves them at 0, as they are in training: better where most windows have some, and the encoder has
        hardly seen a whole one.
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
    scorer = _Scorer(
        vae,
        windows,
        method,
        by_point=vote == "point",
        n_samples=n_samples,
        tolerance=tolerance,
        impute=impute,
        seed=seed,
    )
    votes = VoteCounter(windows.n_timestamps, windows.window_size)
    by_window = np.empty(len(windows))
    for part, total, _, by_point in scorer.chunks():
        by_window[part] = total
        known = ~np.isnan(total)
        every = slice(None) if known.all() else known
        votes.add((by_point if scorer.by_point else total)[every], windows.starts[part][every])
    return Scores(
        values=_fill_gaps(votes.mean()),
        method=method,
        window_size=windows.window_size,
        window_values=by_window,
        window_starts=windows.starts,
    )


def score_few(vae: VAE, windows: Windows, *, method: str, vote: str, **chosen: Any) -> NDArray[np.float64]:
    """What each of a few windows says of its points, shape (n_windows, window_size); NaN where it abstains.

    For streams: in batches of two sizes, so that two graphs are compiled, whatever the number of windows.
    See `score` for the parameters.
    """
    at_once = next((size for size in FEW if len(windows) <= size), None)
    scorer = _Scorer(vae, windows, method, by_point=vote == "point", at_once=at_once, **chosen)
    found = np.empty((len(windows), windows.window_size))
    for part, total, _, by_point in scorer.chunks():
        found[part] = by_point if scorer.by_point else total[:, None]
    return found


def channel_scores(
    vae: VAE,
    windows: Windows,
    method: str = "reconstruction_probability",
    *,
    n_samples: int = 8,
    tolerance: float = 0.0,
    impute: bool = True,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Each channel's part of the score of each window, shape (n_windows, n_channels).

    For the methods that look at the latent space as a whole, it is the channel's part of the reconstruction
    probability. NaN for a window that holds no value at all. See `score` for the parameters.
    """
    check_choice("method", method, METHODS)
    separable = method if method == "reconstruction_error" else "reconstruction_probability"
    found = np.empty((len(windows), windows.n_channels))
    chosen: dict[str, Any] = {"n_samples": n_samples, "tolerance": tolerance, "impute": impute}
    scorer = _Scorer(vae, windows, separable, seed=seed, **chosen)
    for part, _, by_channel, _ in scorer.chunks():
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
        tolerance: float = 0.0,
        impute: bool = True,
        by_point: bool = False,
        at_once: int | None = None,
    ) -> None:
        check_fit("windows", windows, vae.window_size, vae.n_channels)
        n_samples = check_whole("n_samples", n_samples, least=1 if method in {"elbo", "iwae"} else 0)
        draws = 1 if method in {"reconstruction_error", "latent"} else max(1, n_samples)
        self.windows, self.method, self.by_point = windows, method, by_point
        self.tolerance, self.impute = check_number("tolerance", tolerance, least=0.0), bool(impute)
        self.chunk = at_once or int(np.clip(CHUNK_VALUES // (draws * _widest(vae)), 16, LARGEST_CHUNK))
        # The matrix products of a single draw use all cores as it is, and get in each other's way.
        self._in_flight = 1 if draws == 1 else IN_FLIGHT
        noise = mirrored_noise(draws, vae.latent_dim, seed)
        self._noise = tf.constant(noise if n_samples else np.zeros_like(noise))
        self._impute_noise = tf.constant(mirrored_noise(IMPUTE_ITERATIONS, vae.latent_dim, seed))
        self._vae = vae

    def _graph(self, vae: VAE, shape: tuple[int, ...], *, has_gaps: bool) -> Any:
        """The compiled graph for windows, or the points under them, with missing points or without."""
        chosen: dict[str, Any] = {"has_gaps": has_gaps, "by_point": self.by_point}
        chosen |= {"tolerance": self.tolerance, "impute": self.impute}
        key = self.method, *chosen.values(), shape, len(self._noise)
        if key not in vae.graphs:
            graph = ScoreGraph(vae, self.method, **chosen)
            # For one shape: to look for the graph that fits takes each call a third of a millisecond.
            vae.graphs[key] = compile_graph(graph.score).get_concrete_function(
                *(tf.TensorSpec(each) for each in (shape, self._noise.shape, self._impute_noise.shape))
            )
        return vae.graphs[key]

    def _shape(self, part: slice) -> tuple[int, ...]:
        """Of what the graph is given for some windows: see `ScoreGraph.score`."""
        size, n_channels = self.windows.window_size, self.windows.n_channels
        if (np.diff(self.windows.starts[part]) == 1).all():
            return self.chunk + size - 1, n_channels
        return self.chunk, size, n_channels

    def chunks(self) -> Iterator[tuple[slice, NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """Yield each part of the windows with scores: (n,), (n, n_channels), (n, window_size).

        The last ones are empty where nobody asked for them. NaN for a window or a point that holds no value
        at all.

        Raises
        ------
        InputError
            If the score of a window that holds values is not finite.
        """
        starts = range(0, len(self.windows), self.chunk)
        parts = [slice(begin, min(begin + self.chunk, len(self.windows))) for begin in starts]
        with stand_in(self._vae) as vae:
            gaps = (False,) if self.windows.missing is None else (False, True)
            kinds = itertools.product({self._shape(part) for part in parts}, gaps)
            graphs = {kind: self._graph(vae, kind[0], has_gaps=kind[1]) for kind in kinds}
            score = partial(self._score, graphs)
            for part, found in zip(parts, _in_order(score, parts, self._in_flight), strict=True):
                yield part, *found

    def _score(
        self, graphs: dict[tuple[tuple[int, ...], bool], Any], part: slice
    ) -> tuple[NDArray[Any], ...]:
        """The scores of some windows, at most a chunk of them."""
        starts, shape = self.windows.starts[part], self._shape(part)
        n = len(starts)
        x = np.zeros(shape, dtype=np.float32)  # a last, smaller chunk is filled up
        known = _under(self.windows, starts) if len(shape) == 2 else _laid_out(self.windows, starts)
        x[: len(known)] = known
        has_gaps = self.windows.missing is not None and bool(np.isnan(known).any())
        found = graphs[shape, has_gaps](tf.constant(x), self._noise, self._impute_noise)
        total, by_channel, by_point = (scores.numpy()[:n] for scores in found)
        finite = np.isfinite(total) & np.isfinite(by_channel).all(axis=1)
        if not finite.all() and not np.isnan(_laid_out(self.windows, starts[~finite])).all():
            raise InputError(
                f"The {self.method} scores are not finite: the model has diverged or the values are too "
                "large. Train again with a smaller learning_rate, or look for extreme values in the data."
            )
        return total, by_channel, by_point


def _in_order(call: Callable[[slice], Any], parts: Sequence[slice], at_once: int) -> Iterator[Any]:
    """What a call returns for each part, in order, with so many of them in work at once."""
    if min(at_once, len(parts)) < 2:
        yield from map(call, parts)
        return
    with ThreadPoolExecutor(at_once) as pool:
        waiting: deque[Future[Any]] = deque()
        for part in parts:
            waiting.append(pool.submit(call, part))
            if len(waiting) > at_once:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _widest(vae: VAE) -> int:
    """The numbers that one draw of one window takes in the widest layer of the model."""
    along = 1 if vae.settings["encoder"] == "dense" else 2 * vae.window_size
    return max([2 * vae.window_size * vae.n_channels, *(along * units for units in vae.settings["hidden"])])


def _under(windows: Windows, starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """The points under windows of which each begins a point after the one before; NaN where missing."""
    part = slice(starts[0], starts[-1] + windows.window_size)
    if windows.missing is None:
        return windows.values[part]
    return np.where(windows.missing[part], np.float32(np.nan), windows.values[part])


def _laid_out(windows: Windows, starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """The windows at `starts`, shape (n, window_size, n_channels), NaN where missing."""
    views = sliding_window_view(windows.values, windows.window_size, axis=0)
    x = np.moveaxis(views, -1, 1)[starts]
    if windows.missing is not None:
        hidden = sliding_window_view(windows.missing, windows.window_size, axis=0)
        x[np.moveaxis(hidden, -1, 1)[starts]] = np.nan
    return x


def _fill_gaps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate over timestamps without a vote, in place."""
    nobody = np.isnan(values)
    if nobody.all():
        raise InputError("All values are missing: there is nothing to score.")
    if nobody.any():
        values[nobody] = np.interp(np.flatnonzero(nobody), np.flatnonzero(~nobody), values[~nobody])
    return values
