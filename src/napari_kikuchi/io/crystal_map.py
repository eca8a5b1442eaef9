"""Maps with orientations as an orix crystal map, for orix, kikuchipy, MTEX and EDAX OIM."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.gathered import unique_names
from napari_kikuchi.io.indexed import PHASE, QUATERNION, read_indexed
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import MapStack

if TYPE_CHECKING:
    from orix.crystal_map import CrystalMap

ANG = ".ang"
ORIX_HDF5 = ".orix.h5"
# The maps that belong into every file of orientations.
OF_INDEXING = (
    PHASE,
    *QUATERNION,
    *("pattern quality (Hough)", "confidence", "fit", "indexed bands", "spots"),
)
# What the files of orix call something else.
_TAKEN = ("x", "y", "z", "id", "phi1", "Phi", "phi2", "phase_id", "is_in_data")
# Columns that every .ang file has: as orix's writer and as our maps call them.
_ANG_COLUMNS = {
    "image_quality_prop": ("pattern_quality_Hough", "spots"),
    "confidence_index_prop": ("confidence",),
    "pattern_fit_prop": ("fit",),
}


def crystal_map(stack: MapStack) -> Job[CrystalMap]:
    """The orix crystal map of maps that were indexed.

    Our quaternions turn the sample's frame into the crystal's, as those of orix and kikuchipy do,
    and stay as they are.

    Parameters
    ----------
    stack
        With orientations, of Kikuchi patterns (:func:`~napari_kikuchi.physics.maps.physics_maps`)
        or of spots (:func:`~napari_kikuchi.orientation.maps.orientation_maps`), and any other maps
        of the scan, see :func:`~napari_kikuchi.io.gathered.gather`. All of them are read into
        memory.

    Yields
    ------
    Progress
        Maps read.

    Returns
    -------
    orix.crystal_map.CrystalMap
        With name, space group and lattice of each phase that was looked for, numbered as the map
        ``phase`` numbers them. Positions without an orientation are not indexed. Every other map
        is a property; in its name what is no letter, digit or underscore is an underscore, so that
        ``feature 3`` is ``crystal_map.feature_3``.

    Raises
    ------
    NoOrientationsError
        If there are no orientations.
    ValueError
        If the grid is hexagonal, or there are fewer than two positions.
    """
    from orix.crystal_map import CrystalMap, PhaseList, create_coordinate_arrays
    from orix.quaternion import Rotation

    check_square_grid(stack)
    found = read_indexed(stack)
    names = stack.names
    others = [i for i, name in enumerate(names) if name not in (PHASE, *QUATERNION)]
    properties = {}
    for i, key in zip(others, _property_names([names[i] for i in others]), strict=True):
        properties[key] = stack.map(i).ravel()
        yield Progress(len(properties), len(stack), "Reading the maps")
    indexed = found.numbers > 0
    quaternions = np.where(indexed[..., None], found.quaternions, [1, 0, 0, 0])
    coordinates, _ = create_coordinate_arrays(stack.map_shape, tuple(map(float, stack.step)))
    phases = PhaseList(found.phases, ids=list(range(1, len(found.phases) + 1)))
    made = CrystalMap(
        rotations=Rotation(quaternions.reshape(-1, 4)),
        phase_id=np.where(indexed, found.numbers, -1).ravel(),
        phase_list=phases,
        prop=properties,
        scan_unit="um",
        **coordinates,
    )
    # It drops those of which there is no pattern, and .ang files then number the others anew.
    if not indexed.all():
        phases.add_not_indexed()
    made.phases = phases
    return made


def check_square_grid(stack: MapStack) -> None:
    """Check that positions lie on a square grid of two rows and two columns at least.

    Raises
    ------
    ValueError
        If they do not.
    """
    rows, cols = stack.map_shape
    if (stack.provenance.get("scan") or {}).get("grid") == "hexagonal":
        raise ValueError(
            "a file of orientations has a square grid, and this scan a hexagonal one, of which "
            "every second row would be shifted by half a step. Write HDF5 (.h5) instead."
        )
    if min(rows, cols) < 2:
        raise ValueError(
            f"a file of orientations needs two rows and two columns at least, not {rows} x {cols}"
        )


def write_crystal_map(path: str | Path, stack: MapStack) -> Job[Path]:
    """Write maps with orientations so that orix, kikuchipy and MTEX open them.

    An ``.ang`` file has five decimals, no space group but the point group of rotations, and names
    in the letters of English. Of our maps, confidence, pattern quality (Hough) or else the number
    of spots, and fit stand in its own columns, all others in further ones, and where a map has no
    value stands 0.

    Parameters
    ----------
    path
        File to write, whose name ends with ``.ang``, or with ``.orix.h5`` for orix's own HDF5,
        which keeps all; an older one is replaced once all is written.
    stack
        See :func:`crystal_map`.

    Yields
    ------
    Progress
        Maps read, then that the file is written, which is one step.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    NoOrientationsError, ValueError
        As :func:`crystal_map`.
    """
    from orix.io.plugins import orix_hdf5

    path = Path(path)
    content = yield from crystal_map(stack)
    yield Progress(0, 0, "Writing the orientations")
    with replacing(path) as partial:
        if path.suffix.lower() == ANG:
            _write_ang(partial, content)
        else:
            orix_hdf5.file_writer(str(partial), content)
    return path


def _write_ang(path: Path, content: CrystalMap) -> None:
    from orix.io.plugins import ang

    # Windows writes the letters of its own language alone.
    names = list(content.prop)
    for name, plain in zip(names, unique_names(map(plain_text, names)), strict=True):
        values = content.prop.pop(name)
        content.prop[plain] = np.where(np.isfinite(values), values, 0)
    for _, phase in content.phases:
        phase.name = plain_text(phase.name)
    columns = {
        key: next(name for name in names if name in content.prop)
        for key, names in _ANG_COLUMNS.items()
        if {*names} & {*content.prop}
    }
    further = [name for name in content.prop if name not in columns.values()]
    ang.file_writer(str(path), content, extra_prop=further, **columns)


def plain_text(name: str) -> str:
    """A name in the letters that every program reads, on one line."""
    return " ".join(re.sub(r"[^ -~]|;", "_", name).split())


def _property_names(names: list[str]) -> list[str]:
    plain = (re.sub(r"\W+", "_", name).strip("_") or "map" for name in names)
    return unique_names(plain, _TAKEN)
