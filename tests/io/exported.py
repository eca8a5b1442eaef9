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
