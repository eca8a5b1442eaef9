"""Symmetry maps: which space group each pattern of a scan shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.explore.orientation_channels import derived_channels, write_derived
from napari_kikuchi.explore.orientations import KAM_LIMIT, OrientationMap, find_grains
from napari_kikuchi.geometry import Geometry
from napari_kikuchi.images import bin_to
from napari_kikuchi.io.map_store import check_target
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.io.origin import drawn_before, maps_identity, maps_provenance, scan_origin
from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.io.preparation import KeptPreparation
from napari_kikuchi.io.unfinished import Unfinished
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import Channel, MapStack, Mark
from napari_kikuchi.scan import Block, Scan, squares
from napari_kikuchi.streaming import map_scan
from napari_kikuchi.symmetry.adapted_to_scan import AdaptedClassifier, ScanAdaptation
from napari_kikuchi.symmetry.frames import Crystals
from napari_kikuchi.symmetry.map_readings import PROBABILITY, REPEATED, SIGNAL
from napari_kikuchi.symmetry.reader import PatternReader
from napari_kikuchi.symmetry.screen import recipe_for, screen_of
from napari_kikuchi.symmetry.votes import LEAST_PROBABILITY, vote
from napari_kikuchi.unreadable import unreadable_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.symmetry.classifier import SymmetryClassifier

# Neighbours within this misorientation, in degrees, are of one crystal and vote together.
GRAIN_THRESHOLD = 3.0
# Patterns along the edges of the blocks in which a scan is read. Orientations are searched for when
# a block meets a crystal first, and squares meet fewer crystals than rows of as many patterns.
_SIDE = 16
_DERIVED = derived_channels(["IPF"])
_VOTED = (
    Channel("symmetry", colormap="tab10", score=1.0),
    Channel("confidence", limits=(0.0, 1.0), colormap="viridis"),
    Channel("compatible groups", limits=(0.0, 8.0), colormap="viridis"),
    Channel("agreement", limits=(0.0, 1.2), colormap="magma"),
)
_OF_PATTERN = (
    *map(Channel, (*REPEATED, SIGNAL)),
    Channel("explained", limits=(0.0, 1.0)),
)


def symmetry_maps(
    scan: Scan,
    classifier: SymmetryClassifier,
    geometry: Geometry,
    path: str | Path,
    *,
    among: Collection[int] | None = None,
    adaptation: ScanAdaptation | None = None,
    grain_threshold: float = GRAIN_THRESHOLD,
    workers: int | None = None,
    resume: bool = True,
) -> Job[MapStack]:
    """Map which crystal symmetry the patterns of a scan show.

    Closing the job keeps the blocks that are done; the same call goes on from there.

    Parameters
    ----------
    scan
        To map.
    classifier
        Of space groups.
    geometry
        Where the screen stood.
    path
        Map store to write, see :func:`~napari_kikuchi.symmetry.places.default_symmetry_path`; an
        older one is replaced when the new one is finished, which takes over what was drawn on the
        same scan.
    among
        Classes of groups that crystals of the scan may be of; None: all that are told apart.
    adaptation
        How the classifier is adapted to the scan before; None: it is taken as it is.
    grain_threshold
        Misorientation in degrees below which neighbours are of one crystal.
    workers
        Threads; None: as many as this machine has cores.
    resume
        False begins anew.

    Yields
    ------
    Progress
        Patterns prepared, then patterns read, then maps written.

    Returns
    -------
    MapStack
        The number of the space group that the patterns of each grain show together, 0 where they
        are unlike those of cubic crystals; the group's probability; how many groups go with what
        was seen; what cubic symmetry repeats of the signal. Then of each pattern alone: the
        probability of each group, what repeats in the Laue classes m-3m and m-3 and by threefold
        axes alone and what is signal, what modes of cubic crystals explain, and quaternions, scalar
        first, that turn the sample's frame into the crystal's; inverse pole figure colours along
        the surface's normal, KAM, GROD and the grains. Probabilities of groups that go with no
        grain are hidden.

    Raises
    ------
    FileExistsError
        If something lies at ``path`` that is no map store.
    FileNotFoundError, ValueError
        If phases to adapt with are not there, or of other groups than the classifier knows; if it
        tells none of the classes.
    ResumeError
        If other maps were begun at ``path``.
    OutputInUseError, DiskFullError
        See :func:`~napari_kikuchi.io.output.sole_writer`.
    """
    path = Path(path)
    check_target(path)
    if among is not None:
        classifier.among(among)  # Says at once what is wrong.
    with sole_writer(path):
        recipe = recipe_for(scan)
        unfinished = Unfinished(path, "maps")
        kept = KeptPreparation(unfinished.preparation, scan, recipe)
        preprocessor = yield from kept.read_or_prepare(resume=resume, check_mask=False)
        yield Progress(0, 0, "Comparing orientations")
        detector = geometry.detector(scan.pattern_shape)
        reader = PatternReader(classifier.modes, detector.directions, preprocessor.mask)
        screen = yield from screen_of(scan, preprocessor, reader)
        told = geometry.settings()
        adapted = AdaptedClassifier(unfinished.model, adaptation, classifier, scan, told)
        whole = yield from adapted.read_or_adapt(
            reader, screen.light, resume=resume, workers=workers
        )
        classifier = whole if among is None else whole.among(among)
        origin: dict[str, Any] = {
            "scan": scan_origin(scan),
            "symmetry": {
                "groups": list(classifier.groups),
                "trust": list(astuple(classifier.trust)),
                "classifier": dict(classifier.provenance),
                "geometry": told,
                "background": screen.told_by,
                "size": list(recipe.size),
                "partners": {str(one): _told(classifier, one) for one in classifier.groups},
            },
        }
        identity = maps_identity(origin, scan, preprocessor)
        channels = _channels(classifier.groups)
        writer = MapWriter.open(path, (len(channels), *scan.map_shape), identity, resume=resume)
        kept.write(preprocessor)
        adapted.write(whole)
        of_each = range(len(_VOTED), len(channels) - len(_DERIVED))
        unreadable = yield from map_scan(
            scan,
            _Reading(reader, classifier, screen.light),
            writer,
            workers=workers,
            channels=of_each,
            blocks=squares(scan.map_shape, _SIDE),
            message="Reading patterns",
        )
        seen = yield from _let_vote(writer, scan, classifier, grain_threshold)
        cubic = np.where(writer.maps.read_map(0) > 0, 1, 0)
        yield from write_derived(
            writer,
            [_cubic()],
            along=["z"],
            phases=cubic,
            grid=scan.grid,
            grain_threshold=grain_threshold,
        )
        origin["orientations"] = {"grain_threshold": grain_threshold, "kam_limit": KAM_LIMIT}
        return (
            yield from writer.finish(
                [_hidden_unless_seen(channel, seen) for channel in channels],
                step=scan.step,
                provenance=maps_provenance("symmetry", origin | unreadable_record(unreadable)),
                arrays={"screen": screen.light, "mask": preprocessor.mask},
                regions=drawn_before(path, origin["scan"]["fingerprint"]),
            )
        )


@dataclass(frozen=True, eq=False)
class _Reading:
    """Values of the channels of single patterns, for :func:`map_scan`."""

    reader: PatternReader
    classifier: SymmetryClassifier
    light: NDArray[np.float32]

    def __call__(self, pieces: Iterator[NDArray]) -> NDArray[np.float32]:
        met: Crystals = []
        return np.concatenate([self._values(piece, met) for piece in pieces])

    def _values(self, patterns: NDArray, met: Crystals) -> NDArray[np.float32]:
        found = self.reader(bin_to(patterns, self.light.shape) / self.light, met)
        logarithms = self.classifier.log_probabilities(found.totals, found.counts)
        quaternions = Rotation.from_matrix(found.rotations).as_quat(scalar_first=True)
        values = [np.exp(logarithms), found.repeated, found.signal[:, None]]
        return np.concatenate([*values, found.explained[:, None], quaternions], axis=1, dtype="f4")


def _let_vote(
    writer: MapWriter, scan: Scan, classifier: SymmetryClassifier, grain_threshold: float
) -> Job[set[str]]:
    """Fill in what the patterns of each grain say together.

    Returns
    -------
    set of str
        Names of the maps of probabilities of groups that go with some grain.
    """
    yield Progress(0, 0, "Letting the patterns of grains vote")
    groups = np.array(classifier.groups)
    first = len(_VOTED)
    quaternion = first + len(groups) + len(_OF_PATTERN)
    quaternions = np.stack(
        [writer.maps.read_map(i) for i in range(quaternion, quaternion + 4)], axis=-1
    )
    grain = find_grains(
        OrientationMap(quaternions, [_cubic()], grid=scan.grid), threshold=grain_threshold
    )
    there = grain > 0
    crystals = grain[there] - 1
    maps = [writer.maps.read_map(i)[there] for i in range(first, quaternion - 1)]
    signal = maps.pop()
    of_each, alike = (np.stack(part, axis=1) for part in (maps[: len(groups)], maps[len(groups) :]))
    logarithms = np.log(np.maximum(of_each, LEAST_PROBABILITY))
    votes = vote(crystals, logarithms, alike, signal, classifier)
    best = votes.probabilities.argmax(axis=1)
    of_crystals = np.stack(
        [
            np.where(votes.cubic, groups[best], 0),
            np.where(votes.cubic, votes.probabilities.max(axis=1), 0),
            np.where(votes.cubic, votes.compatible.sum(axis=1), 0),
            votes.agreement,
        ]
    )
    values = np.full((first, *grain.shape), np.nan, np.float32)
    values[:, there] = of_crystals[:, crystals]
    whole = Block(*(slice(0, side) for side in grain.shape))
    voted = range(first)
    writer.confirm(whole, writer.maps.write(whole, values, voted), voted)
    return {_probability(group) for group in groups[votes.compatible[votes.cubic].any(axis=0)]}


def _channels(groups: tuple[int, ...]) -> list[Channel]:
    return [
        *_VOTED,
        *(Channel(_probability(group), limits=(0.0, 1.0)) for group in groups),
        *_OF_PATTERN,
        *(Channel(f"quaternion {part}") for part in "abcd"),
        *_DERIVED,
    ]


def _probability(group: int) -> str:
    return f"{PROBABILITY}{group}"


def _hidden_unless_seen(channel: Channel, seen: Collection[str]) -> Channel:
    """A channel, hidden if it is the probability of a group that goes with no grain."""
    missing = channel.name.startswith(PROBABILITY) and channel.name not in seen
    return replace(channel, mark=Mark.HIDDEN) if missing else channel


def _told(classifier: SymmetryClassifier, group: int) -> dict[str, float]:
    partners = classifier.partners(group)
    return {str(other): round(share, 4) for other, share in partners.items()}


def _cubic() -> Any:
    from orix.quaternion.symmetry import Oh

    return Oh
