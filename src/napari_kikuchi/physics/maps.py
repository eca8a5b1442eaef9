"""Physics maps: a scan through the classical methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_kikuchi.explore.orientation_channels import derived_channels, write_derived
from napari_kikuchi.explore.orientations import GRAIN_THRESHOLD, KAM_LIMIT
from napari_kikuchi.images import bin_to, smooth_background
from napari_kikuchi.io.map_store import check_target
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.io.origin import (
    drawn_before,
    maps_identity,
    maps_provenance,
    scan_origin,
)
from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.io.places import beside, scan_label
from napari_kikuchi.io.preparation import KeptPreparation
from napari_kikuchi.io.unfinished import Unfinished
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.physics.indexing import (
    HoughIndexing,
    check_indexing,
    index_patterns,
    read_phase,
)
from napari_kikuchi.physics.quality import (
    fill_outside,
    image_quality,
    mean_intensity,
    pattern_contrast,
    sharpness,
)
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.streaming import map_scan, piecewise
from napari_kikuchi.unreadable import unreadable_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["quality", "sharpness", "contrast", "intensity", "indexing"]

_OF_EACH_PATTERN = {
    "quality": Channel("image quality (FFT)"),
    "sharpness": Channel("sharpness"),
    "contrast": Channel("pattern contrast"),
    "intensity": Channel("mean intensity"),
}
_INDEXED = (
    Channel("confidence"),
    Channel("indexed bands"),
    Channel("pattern quality (Hough)"),
    Channel("fit", "°"),
    *(Channel(f"quaternion {part}") for part in "abcd"),
)
_FROM_ORIENTATIONS = derived_channels(["IPF"])
KINDS: tuple[Kind, ...] = ("quality", "sharpness", "contrast", "intensity", "indexing")


def physics_maps(
    scan: Scan,
    kinds: Iterable[Kind],
    path: str | Path,
    *,
    indexing: HoughIndexing | None = None,
    recipe: Recipe | None = None,
    grain_threshold: float = GRAIN_THRESHOLD,
    executor: Executor | None = None,
    workers: int | Callable[[], int] | None = None,
    resume: bool = True,
) -> Job[MapStack]:
    """Map what classical methods say of each pattern of a scan.

    Closing the job keeps the blocks that are done; the same call goes on from there.

    Parameters
    ----------
    scan
        To map.
    kinds
        Some of :data:`KINDS`. ``"indexing"`` gives the confidence, the number of bands, the
        quality and the fit of the indexing, the orientations, their inverse pole figure colours
        along the surface's normal, KAM, GROD and the grains.
    path
        Map store to write, see :func:`default_physics_path`; an older one is replaced when the
        new one is finished, which takes over what was drawn on the same scan.
    indexing
        Geometry and phase; needed for ``"indexing"``.
    recipe
        Size, signal mask and static background of the patterns; None: the size they have, the
        mask that is found, a sampled background. A mask that is given was chosen for this scan and
        is taken as it is. The contrast is that of patterns less this background, relative to their
        brightness; image quality and indexing, which look for all bands of a pattern, take only the
        background's smooth part away (:func:`smooth_background`); sharpness and intensity none of
        it. Binning averages noise, which helps the sharpness, and makes all faster.
    grain_threshold
        Misorientation in degrees above which two neighbours belong to different grains.
    executor, workers
        See :func:`~napari_kikuchi.streaming.map_scan`.
    resume
        False begins anew.

    Yields
    ------
    Progress
        Patterns prepared, then patterns measured, then maps written.

    Returns
    -------
    MapStack
        The maps of each kind, in the order of :data:`KINDS`. The static background and the signal
        mask are among its arrays.

    Raises
    ------
    ValueError
        If a kind is unknown or none is given, indexing lacks its settings, or its phase cannot be
        read.
    FileNotFoundError
        If there is no file of the phase.
    ImportError
        If PyEBSDIndex is needed and not installed.
    RecipeMismatchError
        If the scan does not fit the recipe.
    FileExistsError
        If something lies at ``path`` that is no map store.
    ResumeError
        If other maps were begun at ``path``.
    OutputInUseError, DiskFullError
        See :func:`~napari_kikuchi.io.output.sole_writer`.
    """
    path = Path(path)
    wanted = _check_kinds(kinds)
    # All that can be wrong is told before the time is spent to prepare the scan.
    check_target(path)
    if "indexing" not in wanted:
        indexing = None
    elif indexing is None:
        raise ValueError(
            f"{scan.name}: to index patterns, the projection centre must be known. Give it with "
            "--pc X,Y,Z (indexing=HoughIndexing(Geometry(pc))), or leave out indexing."
        )
    else:
        check_indexing()
        indexing = indexing.from_any_folder()
    settings = None if indexing is None else indexing.settings()
    with sole_writer(path):
        recipe = recipe or Recipe(size=scan.pattern_shape)
        kept = KeptPreparation(Unfinished(path, "maps").preparation, scan, recipe)
        preprocessor = yield from kept.read_or_prepare(resume=resume, check_mask=False)
        origin: dict[str, Any] = {
            "scan": scan_origin(scan),
            "kinds": list(wanted),
            "recipe": preprocessor.recipe.settings(),
            "indexing": settings,
        }
        identity = maps_identity(origin, scan, preprocessor)
        channels = _channels(wanted)
        writer = MapWriter.open(path, (len(channels), *scan.map_shape), identity, resume=resume)
        kept.write(preprocessor)
        smooth = smooth_background(preprocessor.background, preprocessor.mask)
        measure = _PatternMeasures(preprocessor, smooth, wanted, indexing)
        message = "Measuring patterns"
        if indexing is not None:
            message = "Indexing patterns (the first time, this compiles for a minute or two)"
        unreadable = yield from map_scan(
            scan,
            piecewise(measure),
            writer,
            executor=executor,
            workers=workers,
            channels=range(len(channels) - (len(_FROM_ORIENTATIONS) if indexing else 0)),
            message=message,
        )
        if indexing is not None:
            yield from _map_orientations(scan, writer, indexing.phase, grain_threshold)
            origin["orientations"] = {"grain_threshold": grain_threshold, "kam_limit": KAM_LIMIT}
        return (
            yield from writer.finish(
                channels,
                step=scan.step,
                provenance=maps_provenance("physics", origin | unreadable_record(unreadable)),
                arrays={"background": preprocessor.background, "mask": preprocessor.mask},
                regions=drawn_before(path, origin["scan"]["fingerprint"]),
            )
        )


def default_physics_path(scan_path: str | Path, options: Mapping[str, Any] | None = None) -> Path:
    """Where the maps go: ``<scan>.physics.zarr`` beside the scan, if that can be written to.

    Parameters
    ----------
    scan_path
        File of the scan.
    options
        With which the scan was opened, see :func:`~napari_kikuchi.io.places.scan_label`.
    """
    scan_path = Path(scan_path)
    return beside(scan_path, f"{scan_label(scan_path, options or {})}.physics.zarr")


@dataclass(frozen=True, eq=False)
class _PatternMeasures:
    """Values of all channels but those that need the whole map of orientations."""

    preprocessor: Preprocessor
    smooth: NDArray[np.float32]
    kinds: Sequence[Kind]
    indexing: HoughIndexing | None

    def __call__(self, patterns: NDArray) -> NDArray[np.float32]:
        mask = self.preprocessor.mask
        recorded = bin_to(patterns, self.preprocessor.recipe.size)
        levelled = recorded - self.smooth
        values: list[NDArray] = []
        for kind in self.kinds:
            match kind:
                case "quality":
                    values.append(image_quality(levelled, mask))
                case "sharpness":
                    values.append(sharpness(recorded, mask))
                case "contrast":
                    relative = self.preprocessor.relative(recorded)
                    values.append(pattern_contrast(relative, mask))
                case "intensity":
                    values.append(mean_intensity(recorded, mask))
                case "indexing":
                    assert self.indexing is not None
                    found = index_patterns(fill_outside(levelled, mask), self.indexing)
                    values += [found.confidence, found.bands, found.pattern_quality, found.fit]
                    values += [*found.quaternions.T]
        return np.stack(values, axis=1, dtype=np.float32, casting="unsafe")


def _map_orientations(
    scan: Scan, writer: MapWriter, phase: str, grain_threshold: float
) -> Job[None]:
    """Fill in the last channels of a map that is indexed."""
    yield from write_derived(
        writer,
        [read_phase(phase).point_group],
        along=["z"],
        grid=scan.grid,
        grain_threshold=grain_threshold,
    )


def _check_kinds(kinds: Iterable[Kind]) -> list[Kind]:
    """The kinds in our order, each once."""
    given = list(kinds)
    unknown = [kind for kind in given if kind not in KINDS]
    if unknown or not given:
        raise ValueError(
            f"expected some of the maps {', '.join(KINDS)}, not {', '.join(unknown) or 'none'}"
        )
    return [kind for kind in KINDS if kind in given]


def _channels(kinds: Sequence[Kind]) -> list[Channel]:
    return [
        channel
        for kind in kinds
        for channel in (
            (*_INDEXED, *_FROM_ORIENTATIONS) if kind == "indexing" else (_OF_EACH_PATTERN[kind],)
        )
    ]
