"""Maps to be exported."""

import numpy as np

from napari_kikuchi.maps import Channel, MapStack, Region

SCAN = {"name": "weld", "path": "weld.up2", "fingerprint": {"crc32": [1, 2]}}


def latent_stack(rows=4, cols=5):
    values = np.random.default_rng(0).normal(size=(3, rows, cols)).astype(np.float32)
    values[:, 0, 0] = np.nan
    return MapStack(
        values,
        [Channel("feature 1, contrast"), Channel("a/b", "°"), Channel("µ", limits=(-2.0, 3.0))],
        step=(0.25, 0.4),
        provenance={"method": "latent", "scan": SCAN},
        regions=[Region("Zelle", "polygon", ((0.0, 0.0), (0.5, 0.0), (0.5, 0.8)))],
        arrays={"background": np.ones((3, 3))},
    )


def physics_stack(rows=4, cols=5):
    rng = np.random.default_rng(1)
    quaternions = rng.normal(size=(4, rows, cols))
    quaternions /= np.linalg.norm(quaternions, axis=0)
    quaternions[:, 1, 2] = np.nan
    others = rng.uniform(0.1, 1, (4, rows, cols))
    others[3, 2, 2] = np.nan
    names = ["confidence", "pattern quality (Hough)", "fit", "KAM"]
    return MapStack(
        np.concatenate([others, quaternions]).astype(np.float32),
        [Channel(name) for name in [*names, *(f"quaternion {part}" for part in "abcd")]],
        step=(0.25, 0.4),
        provenance={
            "scan": SCAN | {"grid": "square"},
            "indexing": {
                "phase": {
                    "name": "titanium",
                    "space_group": 194,
                    "lattice": [2.95, 2.95, 4.68, 90.0, 90.0, 120.0],
                }
            },
        },
    )


PHASES = [
    {"name": "copper", "space_group": 225, "lattice": [3.6, 3.6, 3.6, 90.0, 90.0, 90.0]},
    {"name": "titanium", "space_group": 194, "lattice": [2.95, 2.95, 4.68, 90.0, 90.0, 120.0]},
    {"name": "zirconia; β", "space_group": 14, "lattice": [5.15, 5.2, 5.3, 90.0, 99.2, 90.0]},
    {"name": "unseen", "space_group": 62, "lattice": [4.5, 5.1, 6.7, 90.0, 90.0, 90.0]},
]


def spot_stack(rows=4, cols=6):
    """Orientations of three of four phases, two positions not indexed, one without a pattern."""
    rng = np.random.default_rng(2)
    quaternions = rng.normal(size=(4, rows, cols))
    quaternions /= np.linalg.norm(quaternions, axis=0)
    phase = 1.0 + np.arange(rows * cols).reshape(rows, cols) % 3
    confidence = rng.uniform(0.3, 1, (rows, cols))
    spots = rng.integers(5, 40, (rows, cols)).astype(float)
    phase[1, 2] = phase[3, 0] = 0
    quaternions[:, phase == 0] = np.nan
    confidence[1, 2] = 0.1
    for values in (phase, confidence, spots, *quaternions):
        values[2, 2] = np.nan
    names = ["phase", "confidence", "spots", *(f"quaternion {part}" for part in "abcd")]
    return MapStack(
        np.stack([phase, confidence, spots, *quaternions]).astype(np.float32),
        [Channel(name) for name in names],
        step=(0.0025, 0.004),
        provenance={
            "method": "orientations",
            "scan": SCAN | {"grid": "square"},
            "indexing": {"phases": PHASES, "library": {"voltage": 200.0}},
        },
    )
