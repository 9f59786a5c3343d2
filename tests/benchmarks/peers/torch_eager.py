"""PyTorch, eager: the loop of `torch_loop.py`, with its fused Adam."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from protocol import answer

sys.path.append(str(Path(__file__).parents[1]))
from torch_loop import Loop


class TorchEager:
    def __init__(self, window_size, n_channels, *, sizes, seed):
        self.sizes = sizes

    def train(self, windows, epochs, on_epoch):
        sizes = self.sizes
        self.loop = Loop(windows[:, :, 0], fused=True, hidden=sizes.hidden, latent=sizes.latent)
        for _ in range(epochs):
            self.loop.epoch()
            on_epoch()

    @torch.no_grad()
    def score(self, windows):
        told = []
        for x in torch.from_numpy(windows[:, :, 0]).split(self.sizes.scored):
            mean, _ = self.loop.encoder(x).chunk(2, dim=-1)
            loc, _ = self.loop.decoder(mean).chunk(2, dim=-1)
            told.append((x - loc).square().sum(-1).numpy())
        return np.concatenate(told)


if __name__ == "__main__":
    answer(TorchEager)
