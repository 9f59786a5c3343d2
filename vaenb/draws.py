"""What a training draws: the order of the windows and the latent noise of each epoch. TensorFlow ring."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from vaenb.backend import tf
from vaenb.training_graph import bucket, filled_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vaenb.records import Windows

    Drawn = tuple[tf.Tensor, Iterator[tf.Tensor]]

BLOCK_VALUES = 250_000  # draws that lie in memory at once, about


class Draws:
    """The draws of each epoch, those of the next one made while this one is computed.

    Parameters
    ----------
    windows : Windows
    steps, batch_size : int
        Of an epoch, and windows in a step.
    latent_dim, seed : int

    Attributes
    ----------
    block : int
        How many steps the noise serves that lies in memory at once.
    """

    def __init__(self, windows: Windows, *, steps: int, batch_size: int, latent_dim: int, seed: int) -> None:
        self.windows, self.steps, self.batch_size, self.seed = windows, steps, batch_size, seed
        self.latent_dim = latent_dim
        self.block = min(bucket(steps), max(1, BLOCK_VALUES // (batch_size * latent_dim)))
        self._ahead: tuple[int, Future[Drawn]] | None = None

    def epoch(self, number: int) -> Drawn:
        """Window starts, (bucket of steps, batch_size), and the noise, block after block.

        A block has shape (block, 1, batch_size, latent_dim).
        """
        ahead, self._ahead = self._ahead, None
        drawn = ahead[1].result() if ahead and ahead[0] == number else self._draw(number)
        pool = ThreadPoolExecutor(1)
        self._ahead = number + 1, pool.submit(self._draw, number + 1)
        pool.shutdown(wait=False)  # its thread ends with this
        return drawn

    def _draw(self, number: int) -> Drawn:
        starts = filled_up(tf.constant(self._shuffled(number), tf.int32), bucket(self.steps))
        # Another stream than the order of the windows.
        blocks = self._noise(np.random.default_rng([self.seed, number, 1]))
        return starts, chain([next(blocks)], blocks)

    def _shuffled(self, number: int) -> NDArray[np.int64]:
        """Window starts for the epoch, shape (steps, batch_size): permutation after permutation."""
        rng = np.random.default_rng([self.seed, number])
        wanted = self.steps * self.batch_size
        n = len(self.windows)
        rounds = [rng.permutation(n) for _ in range(-(-wanted // n))]
        return self.windows.starts[np.concatenate(rounds)[:wanted]].reshape(self.steps, self.batch_size)

    def _noise(self, rng: np.random.Generator) -> Iterator[tf.Tensor]:
        """Standard normal draws, one after the other, so that the size of a block does not matter."""
        for done in range(0, self.steps, self.block):
            draws = np.zeros((self.block, 1, self.batch_size, self.latent_dim), np.float32)
            used = draws[: self.steps - done]  # no more than will be used
            rng.standard_normal(dtype=np.float32, out=used)
            yield tf.constant(draws)
