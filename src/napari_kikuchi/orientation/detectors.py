"""Virtual detectors: maps and patterns of a 4D-STEM scan, summed over the detector or the scan.

A detector is a mask of the height and width of a pattern, or weights of that shape.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_kikuchi.io.map_store import check_target
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.io.origin import drawn_before, maps_provenance, scan_identity, scan_origin
from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.not_finite import finite_pixels, with_replaced
from napari_kikuchi.scan import Scan
from napari_kikuchi.streaming import map_scan, piecewise, work_blocks
from napari_kikuchi.unreadable import PatternReading, unreadable_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of pixels that are not finite.
_FATE = "they are left out of the sums"


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    """A round detector, of bright field if it holds the direct beam.

    Parameters
    ----------
    shape
        Height and width of a pattern in pixels.
    centre
        y and x in pixels; 0 is the centre of the first one.
    radius
        In pixels; pixels whose centres lie on the circle count.

    Raises
    ------
    ValueError
        If no pixel lies within.
    """
    return annulus(shape, centre, 0, radius)


def annulus(
    shape: tuple[int, int], centre: tuple[float, float], inner: float, outer: float
) -> NDArray[np.bool_]:
    """A ring, of annular dark field if the direct beam goes through it.

    Parameters
    ----------
    shape, centre
        As of :func:`disc`.
    inner, outer
        Radii in pixels; pixels whose centres lie on either circle count.

    Raises
    ------
    ValueError
        If no pixel lies within.
    """
    y, x = np.ogrid[: shape[0], : shape[1]]
    squared = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
    mask = (squared >= inner**2) & (squared <= outer**2)
    if not mask.any():
        raise ValueError(
            f"expected a virtual detector on patterns of {shape[0]} x {shape[1]} pixels, found "
            f"none of them from {inner:g} to {outer:g} pixels around {tuple(centre)}"
        )
    return mask


class DirectBeam(NamedTuple):
    """Where the direct beam meets the detector.

    Attributes
    ----------
    centre
        y and x in pixels.
    radius
        Of a disc of the same area, in pixels.
    """

    centre: tuple[float, float]
    radius: float


def find_direct_beam(pattern: NDArray) -> DirectBeam:
    """Find the direct beam: what is brightest, as far as it is half as bright.

    Parameters
    ----------
    pattern
        Mean of many, of shape (height, width); pixels that are not finite count as what is around
        them.
    """
    from scipy import ndimage

    # A hot pixel is brighter, but alone.
    (whole,) = with_replaced(np.asarray(pattern, np.float64)[None])
    smooth = ndimage.gaussian_filter(whole, 1)
    top = np.unravel_index(smooth.argmax(), smooth.shape)
    labels, _ = ndimage.label(smooth >= smooth[top] / 2)
    within = labels == labels[top]
    y, x = ndimage.center_of_mass(np.where(within, smooth, 0)) if smooth[top] > 0 else top
    return DirectBeam((float(y), float(x)), float(np.sqrt(within.sum() / np.pi)))


def virtual_images(
    scan: Scan,
    detectors: Mapping[str, NDArray],
    path: str | Path,
    *,
    executor: Executor | None = None,
    workers: int | Callable[[], int] | None = None,
    resume: bool = True,
) -> Job[MapStack]:
    """Map what virtual detectors count at each position of a scan.

    Closing the job keeps the blocks that are done; the same call goes on from there.

    Parameters
    ----------
    scan
        To map.
    detectors
        Masks or weights of shape (height, width), by the names of the maps: see :func:`disc` and
        :func:`annulus`.
    path
        Map store to write; an older one is replaced when the new one is finished, which takes over
        what was drawn on the same scan.
    executor, workers
        See :func:`~napari_kikuchi.streaming.map_scan`.
    resume
        False begins anew.

    Yields
    ------
    Progress
        Patterns summed, then maps written.

    Returns
    -------
    MapStack
        The weighted sum of each pattern's pixels for each detector; the detectors are among its
        arrays. Pixels that are not finite are left out; NaN where a detector has no others.

    Raises
    ------
    ValueError
        If there is no detector, or one has another shape than the patterns.
    FileExistsError
        If something lies at ``path`` that is no map store.
    ResumeError
        If other maps were begun at ``path``.
    OutputInUseError, DiskFullError
        See :func:`~napari_kikuchi.io.output.sole_writer`.
    """
    path = Path(path)
    _check(scan, detectors)
    check_target(path)
    arrays = {f"detector {name}": np.asarray(one) for name, one in detectors.items()}
    origin: dict[str, Any] = {"scan": scan_origin(scan), "detectors": list(detectors)}
    identity = scan_identity(origin, scan) | {
        "detectors": {name: zlib.crc32(one.tobytes()) for name, one in arrays.items()}
    }
    with sole_writer(path):
        writer = MapWriter.open(path, (len(arrays), *scan.map_shape), identity, resume=resume)
        unreadable = yield from map_scan(
            scan,
            piecewise(_Sums(np.stack([one.ravel() for one in arrays.values()], axis=1))),
            writer,
            executor=executor,
            workers=workers,
            message="Summing over virtual detectors",
        )
        return (
            yield from writer.finish(
                [Channel(name) for name in detectors],
                step=scan.step,
                provenance=maps_provenance(
                    "virtual detectors",
                    origin | unreadable_record(unreadable) | writer.not_finite.record(_FATE),
                ),
                arrays=arrays,
                regions=drawn_before(path, origin["scan"]["fingerprint"]),
            )
        )


@dataclass(frozen=True, eq=False)
class _Sums:
    """Weighted sums of patterns, with weights of shape (height * width, detectors)."""

    weights: NDArray

    def __call__(self, patterns: NDArray) -> NDArray[np.float32]:
        flat = patterns.reshape(len(patterns), -1).astype(np.float64)
        weights = self.weights.astype(np.float64)
        finite = finite_pixels(flat)
        if finite.all():
            return (flat @ weights).astype(np.float32)
        sums = np.where(finite, flat, 0) @ weights
        counted = finite.astype(np.float64) @ (weights != 0)
        return np.where(counted > 0, sums, np.nan).astype(np.float32)


class PatternSummary(NamedTuple):
    """All patterns of a scan as two.

    Attributes
    ----------
    mean
        Of each pixel, of shape (height, width). Pixels that are not finite count as what is around
        them.
    maximum
        Of each pixel, of the type of the scan, in which rare spots show.
    unreadable
        Rows and columns of the patterns that could not be read and do not count, of shape (n, 2).
    """

    mean: NDArray[np.float64]
    maximum: NDArray
    unreadable: NDArray[np.int64]


def summarise_patterns(scan: Scan) -> Job[PatternSummary]:
    """Mean and maximum of all patterns of a scan, in the memory of few.

    Yields
    ------
    Progress
        Patterns read so far.

    Raises
    ------
    ScanLostError
        If the file of the scan is out of reach, or has changed since it was opened.
    UnreadableScanError
        If no pattern could be read.
    """
    total = np.zeros(scan.pattern_shape)
    maximum: NDArray | None = None
    count = done = 0
    unreadable: list[NDArray] = [np.zeros((0, 2), np.int64)]
    for block in work_blocks(scan):
        origin = np.array([block.rows.start, block.cols.start])
        positions = np.argwhere(scan.present_in(block)) + origin
        reading = PatternReading(scan, positions)
        for patterns in reading:
            if len(patterns):
                patterns = with_replaced(patterns)
                total += patterns.sum(axis=0, dtype=np.float64)
                highest = patterns.max(axis=0)
                maximum = highest if maximum is None else np.maximum(maximum, highest)
                count += len(patterns)
        unreadable.append(reading.unreadable)
        done += len(positions)
        yield Progress(done, scan.count, "Summing patterns")
    if maximum is None:
        reading.check()
        raise ValueError(f"{scan.name}: expected a scan with patterns, found none")
    return PatternSummary(total / count, maximum, np.concatenate(unreadable))


def _check(scan: Scan, detectors: Mapping[str, NDArray]) -> None:
    if not detectors:
        raise ValueError(f"{scan.name}: expected at least one virtual detector, found none")
    for name, one in detectors.items():
        if np.shape(one) != scan.pattern_shape:
            raise ValueError(
                f"{scan.name}: expected the virtual detector {name!r} of the shape of a pattern, "
                f"{scan.pattern_shape}, found {np.shape(one)}"
            )
