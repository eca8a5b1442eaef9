"""Hough indexing: orientations from patterns, with kikuchipy and PyEBSDIndex."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_kikuchi.geometry import Geometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

# PyEBSDIndex runs numba's parallel loops, and on some machines numba's threads end the process
# when two of ours enter such loops at once.
_INDEXING = Lock()
NICKEL = "ni"
_NICKEL_LATTICE = 3.5236  # Å


@dataclass(frozen=True)
class HoughIndexing:
    """What Hough indexing has to know beside the patterns.

    Attributes
    ----------
    geometry
        Where the screen stood.
    phase
        A CIF file, or ``"ni"`` for nickel.
    """

    geometry: Geometry
    phase: str = NICKEL

    def from_any_folder(self) -> HoughIndexing:
        """The same for processes that run in other folders, too."""
        if self.phase == NICKEL:
            return self
        return replace(self, phase=str(Path(self.phase).absolute()))

    def settings(self) -> dict[str, Any]:
        """All of it, fit for JSON; of the phase what the orientations depend on.

        Raises
        ------
        FileNotFoundError, ValueError
            As :func:`read_phase`.
        """
        phase = read_phase(self.phase)
        return {
            **self.geometry.settings(),
            "phase": {
                "name": phase.name,
                "space_group": phase.space_group.number,
                "lattice": list(map(float, phase.structure.lattice.abcABG())),
            },
        }


class Indexed(NamedTuple):
    """What indexing says of n patterns.

    Attributes
    ----------
    quaternions
        Unit quaternions of shape (n, 4), scalar first, that turn the sample's frame into the
        crystal's (orix's and kikuchipy's convention); NaN where a pattern was not indexed.
    confidence
        PyEBSDIndex's confidence metric ``cm``, of shape (n,); 0 where not indexed.
    bands
        Number of bands that fit the orientation.
    pattern_quality
        PyEBSDIndex's ``pq``: mean height of the peaks in the Hough transform.
    fit
        Mean angle between the bands found and those of the orientation, in degrees; NaN where not
        indexed.
    """

    quaternions: NDArray[np.float64]
    confidence: NDArray[np.float32]
    bands: NDArray[np.int32]
    pattern_quality: NDArray[np.float32]
    fit: NDArray[np.float32]


def index_patterns(patterns: NDArray[np.float32], settings: HoughIndexing) -> Indexed:
    """Index patterns, each by itself, on the CPU.

    The first call on a computer compiles for a minute or two.

    Parameters
    ----------
    patterns
        Background-corrected, of shape (n, height, width).
    settings
        Geometry and phase.

    Raises
    ------
    ImportError
        If PyEBSDIndex is not installed.
    FileNotFoundError, ValueError
        As :func:`read_phase`.
    """
    with _INDEXING:
        height, width = patterns.shape[1:]
        indexer = _indexer(settings, (height, width), _modified(settings.phase))
        data, *_ = indexer.index_pats(patsin=patterns, verbose=0, chunksize=len(patterns))
    best = data[-1]
    # In a pattern without contrast the rounding errors of the Hough transform look like bands.
    found = (best["phase"] >= 0) & (np.ptp(patterns, axis=(1, 2)) > 0)
    return Indexed(
        np.where(found[:, None], best["quat"], np.nan),
        np.where(found, best["cm"], 0),
        np.where(found, best["nmatch"], 0),
        best["pq"],
        np.where(found, best["fit"], np.nan),
    )


def check_indexing() -> None:
    """Check that patterns can be indexed here.

    Raises
    ------
    ImportError
        If PyEBSDIndex is not installed.
    """
    try:
        import pyebsdindex  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'Hough indexing needs PyEBSDIndex: pip install "napari-kikuchi[index]"'
        ) from error


def read_phase(phase: str) -> Any:
    """The ``orix.crystal_map.Phase`` of a CIF file, or nickel.

    Parameters
    ----------
    phase
        Path of the file, or ``"ni"``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no CIF file, or does not give a space group.
    """
    from diffpy.structure import Atom, Lattice, Structure, StructureFormatError
    from orix.crystal_map import Phase

    if phase == NICKEL:
        lattice = Lattice(*[_NICKEL_LATTICE] * 3, 90, 90, 90)
        return Phase(NICKEL, space_group=225, structure=Structure([Atom("Ni")], lattice))
    if not Path(phase).is_file():
        raise FileNotFoundError(
            f'{phase}: expected a phase, the path of a CIF file or "{NICKEL}"; there is no such '
            "file"
        )
    try:
        read = Phase.from_cif(phase)
    except StructureFormatError as error:
        raise ValueError(f"{phase}: expected a CIF file, found something else ({error})") from error
    if read.space_group is None:
        raise ValueError(
            f"{phase}: expected a space group, found symmetry operations of none. Add its number "
            "(_space_group_IT_number) to the file."
        )
    return read


def _modified(phase: str) -> int:
    return 0 if phase == NICKEL else Path(phase).stat().st_mtime_ns


@lru_cache(maxsize=2)
def _indexer(settings: HoughIndexing, shape: tuple[int, int], modified: int) -> Any:
    """An indexer, built anew if the file of its phase has been modified."""
    check_indexing()
    from kikuchipy.detectors import EBSDDetector
    from orix.crystal_map import PhaseList

    geometry = settings.geometry
    detector = EBSDDetector(
        shape=shape,
        pc=geometry.pc,
        convention=geometry.convention,
        sample_tilt=geometry.sample_tilt,
        tilt=geometry.detector_tilt,
    )
    return detector.get_indexer(PhaseList(read_phase(settings.phase)), useCPU=True)
