"""Finding the spots of all patterns of a scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.devices import pick_device
from napari_kikuchi.io.block_file import BlockFile
from napari_kikuchi.io.origin import maps_provenance, scan_identity, scan_origin
from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.io.places import beside, scan_label
from napari_kikuchi.jobs import Job
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.scan_spots import SUFFIX, ScanSpots
from napari_kikuchi.orientation.spot_writer import SpotWriter
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.streaming import Written, block_values, run_blocks, work_blocks
from napari_kikuchi.unreadable import unreadable_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.orientation.detection import SpotDetector

# Of pixels that are not finite.
_FATE = "spots were looked for with the median of what is around them"


def find_spots(
    scan: Scan,
    path: str | Path,
    detection: Detection,
    *,
    device: str = "auto",
    executor: Executor | None = None,
    workers: int | Callable[[], int] | None = None,
    resume: bool = True,
) -> Job[ScanSpots]:
    """Find the spots of every pattern of a scan and keep them in a file.

    Closing the job keeps the blocks that are done; the same call goes on from there.

    Parameters
    ----------
    scan
        Of diffraction patterns with spots.
    path
        To write, see :func:`default_spots_path`; an older file of spots is replaced when the new
        one is finished.
    detection
        How: :func:`~napari_kikuchi.orientation.spot_radius.guess_radius` helps with the radius.
    device
        Where to compute, see :func:`~napari_kikuchi.devices.pick_device`.
    executor, workers
        See :func:`~napari_kikuchi.streaming.map_scan`.
    resume
        False begins anew.

    Yields
    ------
    Progress
        Patterns done so far, those of an earlier run included.

    Returns
    -------
    ScanSpots
        In pixels, as they were detected: a new calibration needs no new detection.

    Raises
    ------
    FileExistsError
        If something lies at ``path`` that is no file of spots.
    ResumeError
        If other spots were begun at ``path``.
    OutputInUseError, DiskFullError
        See :func:`~napari_kikuchi.io.output.sole_writer`.
    ScanLostError
        If the file of the scan is out of reach, or has changed since it was opened.
    """
    path = Path(path)
    told = scan.calibration
    origin: dict[str, Any] = {
        "scan": scan_origin(scan),
        "step": list(scan.step),
        "calibration": None if told is None else asdict(told),
    }
    # Elsewhere each worker takes what it has.
    where = pick_device(device) if executor is None else device
    with sole_writer(path):
        writer = SpotWriter.open(
            path, scan.map_shape, detection, scan_identity(origin, scan), resume=resume
        )
        written = yield from run_blocks(
            work_blocks(scan),
            _Detecting(scan, detection, where, writer.spots),
            writer,
            writer.spots.layers,
            executor=executor,
            workers=workers,
            count=lambda block: int(np.count_nonzero(scan.present_in(block))),
            message="Finding spots",
        )
        unreadable = np.concatenate(
            [np.empty((0, 2), np.int64), *(block.unreadable for block in written)]
        )
        lacking = unreadable_record(unreadable) | writer.not_finite.record(_FATE)
        provenance = maps_provenance("spots", origin | lacking)
        return (yield from writer.finish(provenance))


def default_spots_path(scan_path: str | Path, options: Mapping[str, Any] | None = None) -> Path:
    """Where the spots go: ``<scan>.spots`` beside the scan, if that can be written to.

    Parameters
    ----------
    scan_path
        File of the scan.
    options
        With which the scan was opened, see :func:`~napari_kikuchi.io.places.scan_label`.
    """
    scan_path = Path(scan_path)
    return beside(scan_path, f"{scan_label(scan_path, options or {})}{SUFFIX}")


@dataclass(frozen=True, eq=False)
class _Detecting:
    """Writes the spots of a block."""

    scan: Scan
    detection: Detection
    device: str
    spots: BlockFile

    def __call__(self, block: Block) -> Written:
        each = (self.detection.most, 3)
        values, unreadable, not_finite = block_values(self.scan, self._found, each, block)
        return Written(self.spots.write(block, values[None]), unreadable, not_finite)

    def _found(self, pieces: Iterator[NDArray]) -> NDArray[np.float32]:
        detect = _detector(self.scan.pattern_shape, self.detection, self.device)
        return np.concatenate([detect(piece).cpu().numpy() for piece in pieces])


@lru_cache(maxsize=2)
def _detector(shape: tuple[int, int], detection: Detection, device: str) -> SpotDetector:
    """Made once in each process: it holds no more than the transform of a disc."""
    from napari_kikuchi.orientation.detection import SpotDetector

    return SpotDetector(shape, detection, pick_device(device))
