"""Maps with orientations as a Channel Text File (.ctf) of Oxford Instruments.

Its frames are not ours. The sample's has x to the right along the columns of the map and y up
against its rows, where ours, as that of EDAX, has x down and y to the right. The crystal's has x
along a* and z along c, where that of orix has x along a and z along c*: they differ for hexagonal
cells by 30° about c. Orientations are turned from ours into these.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi import __version__
from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.crystal_map import check_square_grid, plain_text
from napari_kikuchi.io.indexed import IndexedMaps, read_indexed, right_and_up
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import MapStack

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from orix.crystal_map import Phase

CTF = ".ctf"
_COLUMNS = ("Phase", "X", "Y", "Bands", "Error", "Euler1", "Euler2", "Euler3", "MAD", "BC", "BS")
_FORMAT = "%d\t%.6f\t%.6f\t%d\t%d\t%.4f\t%.4f\t%.4f\t%.4f\t%d\t%d"
# Why a position has no orientation.
_NO_SOLUTION, _NOT_YET_ANALYSED = 3, 5
# The last space group of each Laue group, in the order in which Channel 5 numbers these from 1.
_LAST_OF_LAUE_GROUP = (2, 15, 74, 88, 142, 148, 167, 176, 194, 206, 230)
# Where bands and their quality are, first those of Kikuchi patterns.
_BANDS = ("indexed bands", "spots")
_QUALITY = ("pattern quality (Hough)", "image quality (FFT)", "confidence")
# Rows written at a time.
_ROWS = 64


def write_ctf(path: str | Path, stack: MapStack) -> Job[Path]:
    """Write maps with orientations for AZtec, Channel 5 and MTEX.

    Euler angles are Bunge's in degrees, in Oxford's frames. Bands are the indexed bands of Kikuchi
    patterns, or else the number of spots; MAD is the fit in degrees; BC is the pattern quality,
    or else the confidence, from 0 to 255 between its lowest and highest value; BS is the confidence
    times 255.

    Parameters
    ----------
    path
        File to write; an older one is replaced once all is written.
    stack
        With orientations, see :func:`~napari_kikuchi.io.crystal_map.crystal_map`.

    Yields
    ------
    Progress
        Rows written.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    NoOrientationsError
        If there are no orientations.
    ValueError
        If the grid is hexagonal, or there are fewer than two rows or columns.
    """
    path = Path(path)
    check_square_grid(stack)
    yield Progress(0, stack.map_shape[0], "Reading the maps")
    found = read_indexed(stack)
    columns = _columns(stack, found)
    rows = stack.map_shape[0]
    with (
        replacing(path) as partial,
        partial.open("w", encoding="ascii", newline="\r\n") as file,
    ):
        file.write("\n".join(_header(stack, found.phases)) + "\n")
        for top in range(0, rows, _ROWS):
            yield Progress(top, rows, "Writing the orientations")
            part = [np.ravel(column[top : top + _ROWS]) for column in columns]
            np.savetxt(file, np.stack(part, axis=1), fmt=_FORMAT)
    return path


def _header(stack: MapStack, phases: Sequence[Phase]) -> list[str]:
    (rows, cols), (step_y, step_x) = stack.map_shape, stack.step
    scan = stack.provenance.get("scan") or {}
    indexing = stack.provenance.get("indexing") or {}
    voltage = (indexing.get("library") or {}).get("voltage", 0)
    return [
        "Channel Text File",
        f"Prj\t{plain_text(str(scan.get('name') or 'scan'))}",
        f"Author\tnapari-kikuchi {__version__}",
        "JobMode\tGrid",
        f"XCells\t{cols}",
        f"YCells\t{rows}",
        f"XStep\t{step_x:.6f}",
        f"YStep\t{step_y:.6f}",
        "AcqE1\t0",
        "AcqE2\t0",
        "AcqE3\t0",
        "Euler angles refer to Sample Coordinate system (CS0)!\tMag\t0\tCoverage\t100\tDevice\t0\t"
        f"KV\t{voltage:g}\tTiltAngle\t0\tTiltAxis\t0",
        f"Phases\t{len(phases)}",
        *map(_phase_line, phases),
        "\t".join(_COLUMNS),
    ]


def _phase_line(phase: Phase) -> str:
    lattice = phase.structure.lattice.abcABG()
    space_group = phase.space_group.number
    lengths, angles = (";".join(f"{x:.4f}" for x in part) for part in (lattice[:3], lattice[3:]))
    laue_group = bisect_left(_LAST_OF_LAUE_GROUP, space_group) + 1
    return f"{lengths}\t{angles}\t{plain_text(phase.name)}\t{laue_group}\t{space_group}\t\t\t"


def _columns(stack: MapStack, found: IndexedMaps) -> list[NDArray[Any]]:
    """Values of each column, of shape (rows, columns)."""
    (rows, cols), (step_y, step_x) = stack.map_shape, stack.step
    y, x = np.indices((rows, cols))
    confidence = _first_map(stack, ("confidence",))
    error = np.where(found.numbers > 0, 0, _NO_SOLUTION)
    if confidence is not None:
        error[np.isnan(confidence)] = _NOT_YET_ANALYSED
    byte = np.zeros((rows, cols)) if confidence is None else np.clip(255 * confidence, 0, 255)
    return [
        found.numbers,
        x * step_x,
        y * step_y,
        _filled(_first_map(stack, _BANDS), found),
        error,
        *np.moveaxis(_euler_angles(found), -1, 0),
        _filled(_first_map(stack, ("fit",)), found),
        np.rint(_stretched(_first_map(stack, _QUALITY), found)),
        np.rint(np.nan_to_num(byte)),
    ]


def _euler_angles(found: IndexedMaps) -> NDArray[np.float64]:
    """Bunge's angles in degrees in the frames of the format; 0 where there is no orientation."""
    from orix.quaternion import Rotation

    angles = np.zeros((*found.numbers.shape, 3))
    for number, phase in enumerate(found.phases, 1):
        inside = found.numbers == number
        if inside.any():
            crystal = Rotation.from_matrix(_crystal_axes(phase))
            turned = crystal * right_and_up(found.quaternions[inside])
            angles[inside] = turned.to_euler(degrees=True)
    return angles


def _crystal_axes(phase: Phase) -> NDArray[np.float64]:
    """The axes of the format as rows, in those of orix: x along a*, z along c."""
    lattice = phase.structure.lattice
    x, z = lattice.recbase[:, 0], lattice.base[2]
    x, z = x / np.linalg.norm(x), z / np.linalg.norm(z)
    return np.stack([x, np.cross(z, x), z])


def _first_map(stack: MapStack, names: Sequence[str]) -> NDArray[np.float64] | None:
    there = [name for name in names if name in stack.names]
    return stack.map(stack.names.index(there[0])).astype(np.float64) if there else None


def _filled(values: NDArray | None, found: IndexedMaps) -> NDArray[np.float64]:
    return np.zeros(found.numbers.shape) if values is None else np.nan_to_num(values)


def _stretched(values: NDArray | None, found: IndexedMaps) -> NDArray[np.float64]:
    """From 0 to 255 between the lowest and the highest value."""
    values = _filled(values, found)
    low, high = values.min(), values.max()
    return 255 * (values - low) / (high - low) if high > low else np.zeros_like(values)
