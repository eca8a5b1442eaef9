"""Orientation maps: the spots of a scan as maps of phases, orientations and grains."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.crystals.beam import Beam
from napari_kikuchi.explore.orientation_channels import derived_channels, write_derived
from napari_kikuchi.explore.orientations import GRAIN_THRESHOLD, KAM_LIMIT
from napari_kikuchi.io.map_array import MapArray
from napari_kikuchi.io.map_store import check_target
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.io.origin import drawn_before, maps_provenance
from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.orientation.kept_libraries import LibrarySettings, library_key, library_of
from napari_kikuchi.orientation.map_solutions import BlockSolutions, MapSolutions
from napari_kikuchi.orientation.scan_indexing import LEAST_SPOTS, ScanIndexing
from napari_kikuchi.orientation.settling import REACH
from napari_kikuchi.scan import Block
from napari_kikuchi.streaming import Written, run_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.crystals.crystal import Crystal
    from napari_kikuchi.explore.inverse_pole_figures import Axis
    from napari_kikuchi.orientation.scan_spots import ScanSpots
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration
    from napari_kikuchi.orientation.spot_model import SpotModel
    from napari_kikuchi.orientation.template_library import Library

# Below this confidence a position has no orientation.
LEAST_CONFIDENCE = 0.2

# Rows that tell whether spots are the same.
_ROWS_TOLD_BY = 16
# Decided at a time, beside as many rows as make little of the neighbours that are read twice.
_DECIDED_POSITIONS = 2**13

_ALONG: tuple[Axis, ...] = ("x", "y", "z")
_DERIVED = derived_channels([f"IPF {axis}" for axis in _ALONG])


def orientation_maps(
    spots: ScanSpots,
    calibration: SpotCalibration,
    crystals: Sequence[Crystal],
    path: str | Path,
    *,
    step: tuple[float, float] = (1.0, 1.0),
    library: LibrarySettings | None = None,
    models: Sequence[SpotModel] = (),
    least_spots: int = LEAST_SPOTS,
    least_confidence: float = LEAST_CONFIDENCE,
    grain_threshold: float = GRAIN_THRESHOLD,
    device: str = "cpu",
    workers: int | None = None,
    resume: bool = True,
    libraries: Path | None = None,
) -> Job[MapStack]:
    """Map the orientations and phases of a scan of which the spots are known.

    Closing the job keeps the blocks that are done; the same call goes on from there.

    Parameters
    ----------
    spots
        Of the scan.
    calibration
        Of the detector.
    crystals
        Phases that may be there.
    path
        Map store to write, see :func:`.default_orientations_path`; an older one is replaced when
        the new one is finished, which takes over what was drawn on the same scan.
    step
        Distance between rows and between columns of the scan, in µm.
    library
        How templates are simulated; None: as is usual.
    models
        Spot transformers, which propose orientations of their crystals; orientations of other
        crystals are proposed by comparison with all templates.
    least_spots
        Patterns with fewer spots, the direct beam not counted, are not indexed.
    least_confidence
        Nor are those of a lower confidence.
    grain_threshold
        Misorientation in degrees above which two neighbours belong to different grains.
    device
        Where to compute.
    workers
        Threads; None: as many as this machine has cores.
    resume
        False begins anew.
    libraries
        Folder in which libraries are kept, see :func:`library_of`.

    Yields
    ------
    Progress
        Templates simulated, then patterns indexed, then positions decided, then maps written.

    Returns
    -------
    MapStack
        The number of the phase, from 1 in the order of the crystals, 0 where a pattern was not
        indexed; the confidence, which is the probability of the orientation as neighbours leave it,
        and the margin, by which that of the next one is less; the number of spots; quaternions,
        scalar first, that turn the sample's frame into the crystal's; inverse pole figure colours
        along the axes of the sample; KAM, GROD and the grains.

    Raises
    ------
    ValueError
        If there is no crystal, or two of one name; or a model is of another crystal or voltage.
    FileExistsError
        If something lies at ``path`` that is no map store.
    ResumeError
        If other orientations were begun at ``path``.
    OutputInUseError, DiskFullError
        See :func:`~napari_kikuchi.io.output.sole_writer`.
    ScanLostError
        If the file of the spots is out of reach, or has changed since it was opened.
    """
    path = Path(path)
    library = library or LibrarySettings()
    check_request(path, crystals, models, library)
    _check_beam(spots, calibration, library.k_max)
    scan = spots.provenance.get("scan") or {}
    settings = {
        "phases": [crystal.settings() for crystal in crystals],
        "calibration": calibration.settings(),
        "library": asdict(library),
        "least_spots": least_spots,
        "models": [{"crystal": model.crystal, "crc32": model.checksum} for model in models],
    }
    identity = {
        "scan": scan.get("fingerprint"),
        "spots": _checksum(spots),
        "templates": [library_key(crystal, library) for crystal in crystals],
        **settings,
    }

    def simulate() -> Job[Sequence[Library]]:
        made = []
        for crystal in crystals:
            made.append((yield from library_of(crystal, library, libraries)))
        return made

    with sole_writer(path):
        indexing = ScanIndexing.open(path, spots.shape, identity, resume=resume)
        yield from indexing.run(
            spots,
            calibration,
            simulate,
            models=models,
            least_spots=least_spots,
            device=device,
            workers=workers,
        )
        channels = _channels(crystals)
        # Quickly made of the solutions: never gone on with.
        writer = MapWriter.open(path, (len(channels), *spots.shape), identity, resume=False)
        symmetries = [crystal.laue_group for crystal in crystals]
        own = range(len(channels) - len(_DERIVED))
        rows_at_a_time = _DECIDED_POSITIONS // spots.shape[1] + 8 * REACH
        yield from run_blocks(
            indexing.solutions.blocks(rows_at_a_time * spots.shape[1]),
            _Deciding(indexing.solutions, writer.maps, own, symmetries, least_confidence),
            writer,
            own,
            workers=workers,
            message="Letting neighbours decide",
        )
        yield from _map_orientations(writer, symmetries, scan.get("grid"), grain_threshold)
        origin = {
            "scan": scan,
            "indexing": {**settings, "least_confidence": least_confidence},
            "orientations": {"grain_threshold": grain_threshold, "kam_limit": KAM_LIMIT},
        }
        for lacking in ("unreadable", "not_finite"):
            if lacking in spots.provenance:
                origin[lacking] = spots.provenance[lacking]
        stack = yield from writer.finish(
            channels,
            step=step,
            provenance=maps_provenance("orientations", origin),
            regions=drawn_before(path, spots.fingerprint or {}),
        )
        indexing.unfinished.remove()
        return stack


def check_request(
    path: Path,
    crystals: Sequence[Crystal],
    models: Sequence[SpotModel],
    library: LibrarySettings,
) -> None:
    """Check what :func:`orientation_maps` will be asked for, as far as it needs no spots.

    Parameters
    ----------
    path, crystals, models, library
        As there.

    Raises
    ------
    ValueError, FileExistsError
        As there.
    """
    _check_crystals(crystals)
    _check_models(models, crystals, library.voltage)
    Beam(library.voltage)
    check_target(path)


def _channels(crystals: Sequence[Crystal]) -> tuple[Channel, ...]:
    return (
        Channel("phase", colormap="tab10", limits=(0.0, float(len(crystals)))),
        Channel("confidence", limits=(0.0, 1.0)),
        Channel("margin"),
        Channel("spots"),
        *(Channel(f"quaternion {part}") for part in "abcd"),
        *_DERIVED,
    )


@dataclass(frozen=True, eq=False)
class _Deciding:
    """Writes the channels of whole rows that follow from the solutions there and near them."""

    solutions: MapSolutions
    maps: MapArray
    channels: range
    symmetries: Sequence[Any]
    least_confidence: float

    def __call__(self, block: Block) -> Written:
        solutions = self.solutions.read_settled(block, self.symmetries)
        values = _likeliest(solutions, self.least_confidence)
        return Written(self.maps.write(block, values, self.channels))


def _likeliest(solutions: BlockSolutions, least_confidence: float) -> NDArray[np.float32]:
    """Channels of the likeliest solutions, of shape (channels, rows, columns)."""
    confidence, following, *_ = (*solutions.probabilities, np.float32(0))
    indexed = (solutions.phases[0] > 0) & (confidence >= least_confidence)
    values = np.concatenate(
        [
            [np.where(indexed, solutions.phases[0], 0), confidence, confidence - following],
            [solutions.spots],
            np.moveaxis(np.where(indexed[..., None], solutions.quaternions[0], np.nan), -1, 0),
        ]
    )
    return np.where(np.isnan(solutions.spots), np.nan, values).astype(np.float32)


def _map_orientations(
    writer: MapWriter, symmetries: Sequence[Any], grid: Any, grain_threshold: float
) -> Job[None]:
    """Fill in the channels that need the whole map."""
    yield from write_derived(
        writer,
        symmetries,
        along=_ALONG,
        phases=writer.maps.read_map(0),
        grid="hexagonal" if grid == "hexagonal" else "square",
        grain_threshold=grain_threshold,
    )


def _checksum(spots: ScanSpots) -> int:
    """Tells spots from those that were found otherwise, by some rows of the scan."""
    found = zlib.crc32(np.ascontiguousarray(spots.counts).tobytes())
    rows = spots.shape[0]
    for row in np.unique(np.linspace(0, rows - 1, _ROWS_TOLD_BY).astype(int)).tolist():
        found = zlib.crc32(np.ascontiguousarray(spots.rows(row, row + 1)).tobytes(), found)
    return found


def _check_beam(spots: ScanSpots, calibration: SpotCalibration, k_max: float) -> None:
    if spots.pattern_shape and calibration.window(spots.pattern_shape).beyond > k_max:
        (row, col), (height, width) = calibration.centre, spots.pattern_shape
        raise ValueError(
            f"{spots.path}: expected the direct beam on the detector or near it, found it at row "
            f"{row:g} and column {col:g}, {k_max:g} 1/Å and more from a pattern of {height} x "
            f"{width} pixels. Correct the calibration"
        )


def _check_models(models: Sequence[SpotModel], crystals: Sequence[Crystal], voltage: float) -> None:
    names = {crystal.name for crystal in crystals}
    for model in models:
        if model.crystal not in names or model.voltage != voltage:
            raise ValueError(
                f"expected models of {', '.join(sorted(names))} at {voltage:g} kV, found one of "
                f"{model.crystal} at {model.voltage:g} kV"
            )


def _check_crystals(crystals: Sequence[Crystal]) -> None:
    names = [crystal.name for crystal in crystals]
    if not names or len(set(names)) < len(names):
        found = ", ".join(names) or "none"
        raise ValueError(f"expected one crystal or several of different names, found {found}")
