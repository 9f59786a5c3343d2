"""The machine's limit: the matrix products of the same model, and nothing else.

    python products.py speed asked.npz answer.npz {numpy,torch}

A step of training is 11 products: 4 forward, 4 for the weights' gradients, 3 for the layers' inputs'. Scoring
is the 4 forward ones. The results are written into memory that is there already.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import pairwise

import numpy as np
from protocol import answer

TRIED_STEPS = 100


class Numpy:
    """Products through the BLAS that NumPy was built with."""

    def array(self, *shape):
        return np.random.default_rng(0).normal(size=shape).astype(np.float32)

    def product(self, a, b, out):
        np.matmul(a, b, out=out)

    def use(self, threads):
        from threadpoolctl import threadpool_limits

        threadpool_limits(threads)


class Torch:
    """Products through PyTorch's."""

    def __init__(self):
        import torch

        self.torch = torch

    def array(self, *shape):
        return self.torch.randn(*shape)

    def product(self, a, b, out):
        self.torch.mm(a, b, out=out)

    def use(self, threads):
        self.torch.set_num_threads(threads)


class Products:
    library = Numpy

    def __init__(self, window_size, n_channels, *, sizes, seed):
        self.n, self.sizes = window_size * n_channels, sizes
        self.maths = self.library()
        self.training = self.plan(sizes.batch, backward=True)
        self.scoring = self.plan(sizes.scored, backward=False)
        seconds = {threads: self.tried(threads) for threads in {1, os.cpu_count() or 1}}
        self.maths.use(min(seconds, key=seconds.__getitem__))

    def plan(self, batch, *, backward):
        """(a, b, out) of each product, for layers that are this wide."""
        wide = (self.n, self.sizes.hidden, 2 * self.sizes.latent)
        pairs = [
            *pairwise(wide),
            (self.sizes.latent, self.sizes.hidden),
            (self.sizes.hidden, 2 * self.n),
        ]
        new, found = self.maths.array, []
        for i, (n_in, n_out) in enumerate(pairs):
            x, weights, y = new(batch, n_in), new(n_in, n_out), new(batch, n_out)
            found.append((x, weights, y))
            if backward:
                found.append((x.T, y, new(n_in, n_out)))
            if backward and i:
                found.append((y, weights.T, new(batch, n_in)))
        return found

    def tried(self, threads):
        self.maths.use(threads)
        self.steps(self.training, 5)
        began = time.perf_counter()
        self.steps(self.training, TRIED_STEPS)
        return time.perf_counter() - began

    def steps(self, plan, n):
        for _ in range(n):
            for a, b, out in plan:
                self.maths.product(a, b, out)

    def train(self, windows, epochs, on_epoch):
        for _ in range(epochs):
            self.steps(self.training, -(-len(windows) // self.sizes.batch))
            on_epoch()

    def score(self, windows):
        self.steps(self.scoring, -(-len(windows) // self.sizes.scored))


if __name__ == "__main__":
    Products.library = {"numpy": Numpy, "torch": Torch}[sys.argv[4]]
    answer(Products)
