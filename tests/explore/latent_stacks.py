"""Stacks of latent features whose truth is known."""

import numpy as np

from napari_kikuchi.maps import Channel, MapStack

ROWS, COLS = 30, 40
FEATURES = 6


def encoded(values, latent=None):
    """A stack as an encoding leaves it, with what it puts behind the features."""
    latent = len(values) if latent is None else latent
    names = [f"feature {i + 1}" for i in range(latent)]
    names += ["pattern contrast", "reconstruction error"][: len(values) - latent]
    channels = [Channel(name) for name in names]
    values = np.asarray(values, np.float32)
    return MapStack(values, channels, (0.5, 0.25), {"model": {"latent": latent}})


def grains():
    """Numbers of five grains of 30 x 40 positions, from 1."""
    row, col = np.indices((ROWS, COLS))
    number = 1 + (col > 14) + (col > 28)
    number[row > 17] += 3
    number[number == 6] = 5
    return number


def grainy(noise=0.2, seed=0, features=FEATURES):
    """Vectors that differ from grain to grain by about 3 in each feature, and noise."""
    rng = np.random.default_rng(seed)
    of_grain = rng.normal(scale=3, size=(features, 6))
    return of_grain[:, grains()] + rng.normal(scale=noise, size=(features, ROWS, COLS))
