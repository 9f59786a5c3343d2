"""Evidence without a model: a smooth guess stands in for the reconstruction. Fast, and the same each time."""

from dataclasses import replace

import numpy as np

import vaenb
from vaenb.evidence import EpochFrame, Evidence, WalkGrid, WindowSample
from vaenb.records import EpochRecord, History

LATENT = 4


def make_evidence(name="nyc_taxi", *, n_points=None, n_sample=400, n_epochs=6, labelled=True, seed=0):
    """Evidence on a bundled series; with `n_points`, on a made-up one of that length."""
    rng = np.random.default_rng(seed)
    if n_points:
        t = np.arange(n_points)
        values = np.sin(t / 20) + 0.1 * rng.normal(size=n_points)
        labels = np.zeros(n_points, dtype=np.int8)
        for place in (0.62, 0.75, 0.9):
            values[int(place * n_points) : int(place * n_points) + 60] += 3
            labels[int(place * n_points) : int(place * n_points) + 60] = 1
        import pandas as pd

        index = pd.date_range("2024-01-01", periods=n_points, freq="min")
        series = vaenb.read_series(
            pd.DataFrame({"value": values, "label": labels}, index=index), train_end=0.5
        )
    else:
        series = vaenb.load_dataset(name)
    if not labelled:
        series = replace(series, labels=None)
    prepared = vaenb.prepare(series)
    size, grid = prepared.window_size, np.asarray(series.grid, dtype=np.float64)
    usual = _rolling_mean(grid, 9)
    spread = np.broadcast_to(np.nanstd(grid - usual, axis=0) + 1e-9, grid.shape).astype(np.float32)
    off = np.nan_to_num(((grid - usual) / spread) ** 2)
    scores = _rolling_mean(off.mean(axis=1, keepdims=True), 24)[:, 0]
    held = scores[prepared.train_stop : prepared.calibration_stop]
    rule = vaenb.POT().fit(held, window_size=size, points_per_day=series.points_per_day)
    starts = np.unique(np.linspace(0, series.n_cells - size, n_sample).astype(np.int64))
    at = starts[:, None] + np.arange(size)
    phase = 2 * np.pi * (starts % size) / size
    loud = np.log1p(scores[at].mean(axis=1))
    latent = np.stack(
        [np.cos(phase) + loud, np.sin(phase), 0.3 * loud, 0.05 * rng.normal(size=len(starts))], 1
    )
    blame = off[at].sum(axis=1) + 1e-9
    sample = WindowSample(
        starts=starts,
        window_size=size,
        latent=latent.astype(np.float32),
        kl_per_dim=np.array([2.1, 1.7, 0.4, 0.001]),
        scores=scores[at].mean(axis=1),
        mean=np.nan_to_num(usual[at]).astype(np.float32),
        spread=spread[at],
        shares=(blame / blame.sum(axis=1, keepdims=True)).astype(np.float32),
    )
    records = [
        EpochRecord(
            epoch=e,
            elbo=-200 / e - 20,
            reconstruction=-190 / e - 16,
            kl=4.0 + 10 / e,
            kl_per_dim=sample.kl_per_dim * (1 - 0.5 / e),
            active_units=3,
            kl_weight=1.0,
            seconds=0.4,
            calibration_elbo=-210 / e - 22,
            calibration_reconstruction=-199 / e - 18,
            calibration_kl=4.0 + 11 / e,
        )
        for e in range(1, n_epochs + 1)
    ]
    few = np.linspace(0, len(sample) - 1, 100).astype(int)
    frames = [
        EpochFrame(
            epoch=e,
            mean=(sample.mean[0] * (1 - 0.8**e) + np.nanmean(grid) * 0.8**e).astype(np.float32),
            spread=(sample.spread[0] * (1 + 3 * 0.8**e)).astype(np.float32),
            latent=(latent[few] * (1 - 0.7 ** (e + 1))).astype(np.float32),
            errors=(sample.scores[few] * (1 + 5 * 0.7**e)).astype(np.float32),
        )
        for e in range(n_epochs + 1)
    ]
    return Evidence(
        series=series,
        window_size=size,
        train_stop=prepared.train_stop,
        calibration_stop=prepared.calibration_stop,
        scores=scores,
        method="reconstruction_probability",
        calibration_scores=held,
        rule=rule,
        reconstruction=np.nan_to_num(usual).astype(np.float32),
        spread=spread,
        normal_by_channel=np.ones(series.n_channels),
        sample=sample,
        walk=_walk(sample),
        history=History(epochs=tuple(records), best_epoch=n_epochs, stopped="finished"),
        frames=tuple(frames),
        pinned=int(starts[0]),
        frame_starts=starts[few],
        settings=vaenb_settings(),
    )


def vaenb_settings():
    """Some settings of a detector, as `VAEDetector.get_params` gives them."""
    return {"latent_dim": LATENT, "epochs": 6, "seed": 0, "threshold": None}


def make_decode(evidence):
    """A decoder that draws a wave whose phase and height are the first two latent dimensions."""
    size, channels = evidence.window_size, evidence.series.n_channels
    level, height = np.nanmean(evidence.series.grid, axis=0), np.nanstd(evidence.series.grid, axis=0)

    def decode(z):
        t = 2 * np.pi * np.arange(size) / size
        wave = z[:, 0, None] * np.cos(t) + z[:, 1, None] * np.sin(t)
        mean = level + wave[:, :, None] * height
        return mean.astype(np.float32), np.broadcast_to(0.2 * height, mean.shape).astype(np.float32)

    assert channels == len(level)
    return decode


def _walk(sample, n=9):
    across, up = np.eye(LATENT)[:2]
    a = b = np.linspace(-3, 3, n)
    t = 2 * np.pi * np.arange(sample.window_size) / sample.window_size
    wave = a[:, None, None] * np.cos(t) + b[None, :, None] * np.sin(t)
    level, height = sample.mean.mean(axis=(0, 1)), sample.mean.std(axis=(0, 1)) + 1e-9
    mean = (level + wave[..., None] * height).astype(np.float32)
    return WalkGrid(
        origin=np.zeros(LATENT),
        across=across,
        up=up,
        a=a,
        b=b,
        mean=mean,
        spread=0 * mean + height.astype("f4"),
    )


def _rolling_mean(values, size):
    filled = np.where(np.isnan(values), np.nanmean(values, axis=0), values)
    padded = np.pad(filled, ((size, size), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=0)
    means = (total[size:] - total[:-size]) / size
    return means[size // 2 : size // 2 + len(values)]
