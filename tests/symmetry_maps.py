"""Maps of symmetry of which the truth is known, and patterns that go with them."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.symmetry.folding import look_up
from napari_kikuchi.symmetry.sector import as_square, sector_directions, sector_weights

GROUPS = (221, 225, 229)
GEOMETRY = Geometry((0.48, 0.25, 0.58))
SHAPE, SIZE = (8, 12), (60, 60)
# Columns of the three grains; in the last column nothing was recorded.
FIRST, SECOND, UNLIKE = slice(0, 4), slice(4, 8), slice(8, 11)


@dataclass
class Masters:
    """Phases with masters that anybody can tell apart: bands about different planes."""

    names = ("simple", "faces", "body")
    groups = np.array(GROUPS)

    def __post_init__(self):
        vectors = sector_directions().T
        normals = {"simple": (1, 0, 0), "faces": (1, 1, 1), "body": (1, 1, 0)}
        self.masters = np.array([_bands(vectors, normals[name]) for name in self.names])
        self.asked, self.voltages = [], set()

    def match(self, totals, counts, *, groups=None, voltage=20.0):
        self.asked.append(groups)
        self.voltages.add(voltage)
        weights = sector_weights() * (counts > 0.5)
        seen = np.divide(totals, counts, out=np.zeros_like(totals), where=counts > 0.5)
        seen = seen - np.average(seen, weights=weights)
        found = []
        for index, master in enumerate(self.masters):
            if groups is None or self.groups[index] in groups:
                master = master - np.average(master, weights=weights)
                power = (weights @ seen**2) * (weights @ master**2)
                correlation = float(weights @ (seen * master) / np.sqrt(power))
                found.append(
                    SimpleNamespace(
                        index=index,
                        name=self.names[index],
                        group=int(self.groups[index]),
                        correlation=correlation,
                        mirrored=False,
                    )
                )
        return sorted(found, key=lambda one: -one.correlation)

    def pattern(self, index, rotation, directions, *, voltage=20.0):
        self.voltages.add(voltage)
        seen = np.empty(len(directions), np.float32)
        look_up(
            as_square(self.masters[index]),
            np.asarray(rotation, np.float32),
            np.ascontiguousarray(np.asarray(directions).T, np.float32),
            seen,
        )
        return seen - seen.mean()


def _bands(vectors, normal):
    from itertools import permutations, product

    values = np.zeros(vectors.shape[1])
    for signs in product((1, -1), repeat=3):
        for order in set(permutations(normal)):
            along = np.array(order) * signs @ vectors / np.linalg.norm(normal)
            values += np.exp(-((along / 0.06) ** 2))
    return ((values - values.mean()) / values.std()).astype(np.float32)


def symmetry_scan(masters, seed=0):
    """A scan of a grain of "faces" and one of "body", and how they stand.

    Returns
    -------
    scan, rotations
        Rotations from the sample's frame to the crystals', of shape (2, 3, 3).
    """
    rng = np.random.default_rng(seed)
    rotations = Rotation.random(2, rng=rng).as_matrix()
    directions = GEOMETRY.detector(SIZE).directions(SIZE)
    patterns = np.full((*SHAPE, *SIZE), 1000.0)
    for columns, index, rotation in ((FIRST, 1, rotations[0]), (SECOND, 2, rotations[1])):
        patterns[:, columns] += 50 * masters.pattern(index, rotation, directions).reshape(SIZE)
    patterns += 25 * rng.standard_normal(patterns.shape)
    present = np.ones(SHAPE, bool)
    present[:, 11] = False
    return Scan(ArraySource(patterns.astype(np.uint16)), present=present, name="steel"), rotations


def symmetry_stack(scan, rotations=None):
    """The maps that :func:`~napari_kikuchi.symmetry.maps.symmetry_maps` would make of such a scan.

    The first grain is 225 or, less likely, 221, which some patterns by themselves find likelier;
    the second is 229; the third is unlike cubic crystals.
    """
    shape = scan.map_shape

    def map_of(first, second, unlike):
        values = np.full(shape, np.nan, np.float32)
        for columns, value in ((FIRST, first), (SECOND, second), (UNLIKE, unlike)):
            values[:, columns] = value
        return values

    mixed = np.where(np.arange(shape[0]) < 3, 0.3, 0.7)[:, None] * np.ones(4)
    quaternions = np.full((4, *shape), np.nan, np.float32)
    if rotations is not None:
        for columns, rotation in ((FIRST, rotations[0]), (SECOND, rotations[1])):
            found = Rotation.from_matrix(rotation).as_quat(scalar_first=True)
            quaternions[:, :, columns] = found[:, None, None]
        quaternions[:, :, UNLIKE] = np.array([1, 0, 0, 0])[:, None, None]
    maps = {
        "symmetry": map_of(225, 229, 0),
        "confidence": map_of(0.6, 0.95, 0),
        "compatible groups": map_of(2, 1, 0),
        "probability 221": map_of(0.95 - mixed, 0.02, 0.3),
        "probability 225": map_of(mixed, 0.03, 0.3),
        "probability 229": map_of(0.05, 0.95, 0.4),
        **{f"quaternion {part}": one for part, one in zip("abcd", quaternions, strict=True)},
        **{f"IPF z {part}": map_of(0.2, 0.5, 0) for part in ("red", "green", "blue")},
        "grain": map_of(1, 2, 0),
    }
    looks = {
        "symmetry": Channel("symmetry", colormap="tab10", score=1.0),
        "grain": Channel("grain", colormap="tab20"),
        **{
            f"IPF z {part}": Channel(f"IPF z {part}", colormap=part, limits=(0.0, 1.0))
            for part in ("red", "green", "blue")
        },
    }
    channels = [looks.get(name, Channel(name)) for name in maps]
    provenance = {
        "method": "symmetry",
        "scan": {
            "path": scan.path and str(scan.path),
            "name": scan.name,
            "options": dict(scan.options),
            "fingerprint": scan.fingerprint(),
        },
        "symmetry": {
            "groups": list(GROUPS),
            "geometry": GEOMETRY.settings(),
            "partners": {"221": {}, "225": {"221": 0.1}, "229": {"221": 0.01}},
        },
    }
    arrays = {"screen": np.ones(SIZE, np.float32), "mask": np.ones(SIZE, bool)}
    values = np.stack([maps[one.name] for one in channels])
    return MapStack(values, channels, scan.step, provenance, arrays=arrays)
