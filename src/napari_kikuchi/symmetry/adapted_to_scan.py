"""A classifier of space groups adapted to the scan that it is to map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_kikuchi.images import bin_to
from napari_kikuchi.io.journal import as_noted
from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.scan import Scan
from napari_kikuchi.symmetry.adaptation import AdaptationSettings, adapt
from napari_kikuchi.symmetry.adapting_method import USUAL
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.lessons import SymmetryLessons, symmetry_lessons
from napari_kikuchi.symmetry.phase_library import open_library
from napari_kikuchi.symmetry.references import References
from napari_kikuchi.symmetry.votes import vote
from napari_kikuchi.unreadable import PatternReading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.symmetry.reader import PatternReader

# Patterns of the scan that are looked at.
_DRAWN = 384
# Patterns of each phase of the source.
_OF_PHASE = 24
# Strangeness to the known phases: 64 others by Bloch waves come to 0.79 and 0.86, the same by their
# bands alone to 0.93 and 0.94, with noise of 1.2 and 3 %.
_STRANGE = 0.9


@dataclass(frozen=True)
class ScanAdaptation:
    """How a classifier is to be adapted to a scan.

    Attributes
    ----------
    method
        One of :data:`~napari_kikuchi.symmetry.adaptation.METHODS`. From phases that the classifier
        has learned of before, as the known ones, the others do harm: it agrees on them whatever
        becomes of the rest.
    phases
        Library of phases whose groups are known; None: the known phases that come with the package.
    seed
        Of all that is random but which patterns of the scan are drawn.
    """

    method: str = USUAL.value
    phases: Path | None = None
    seed: int = 0

    @property
    def settings(self) -> AdaptationSettings:
        """Of the adaptation."""
        if self.phases is not None:
            return AdaptationSettings(self.method, seed=self.seed)
        # The known phases are too few to learn anew from what many more have taught; and they are
        # alike among themselves, so that phases of other structures are strange to them as well.
        return AdaptationSettings(self.method, edges=False, strange=_STRANGE, seed=self.seed)


class Source(NamedTuple):
    """Phases whose groups are known.

    Attributes
    ----------
    masters
        Intensities at the nodes of the square, of shape (phases, nodes).
    shown
        Class that patterns of each show, of shape (phases,).
    told
        Where they are from.
    """

    masters: NDArray[np.float32]
    shown: NDArray[np.integer]
    told: str


@dataclass(frozen=True, eq=False)
class AdaptedClassifier:
    """What is made of a classifier for a scan, kept in a file until its maps are finished.

    Attributes
    ----------
    file
        Where.
    asked
        How it is adapted; None: not at all.
    classifier
        That is adapted.
    scan
        To which.
    geometry
        Settings of the geometry with which the scan is read.
    """

    file: Path
    asked: ScanAdaptation | None
    classifier: SymmetryClassifier
    scan: Scan
    geometry: Mapping[str, Any]

    def read_or_adapt(
        self,
        reader: PatternReader,
        light: NDArray[np.float32],
        *,
        resume: bool,
        workers: int | None = None,
    ) -> Job[SymmetryClassifier]:
        """What was kept, if a job is to be resumed, or what is adapted now.

        Parameters
        ----------
        reader
            Of patterns of the scan.
        light
            By which patterns are divided, of the shape of binned ones.
        resume
            Whether to take what was kept.
        workers
            Threads; None: as many as this machine has cores.

        Yields
        ------
        Progress
            Patterns of the scan read, phases recorded, then steps of the method.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such library of phases, or it has phases of other groups than the
            classifier knows.
        """
        asked = self.asked
        if asked is None:
            return self.classifier
        kept = self._read(asked) if resume else None
        if kept is not None:
            return kept
        source = _source(asked, self.classifier.network.architecture.groups)
        target = yield from _target(self.scan, self.classifier, reader, light)
        network = self.classifier.network
        told: Mapping[str, Any] = {"method": "none"}
        if len(target.totals):
            lessons = yield from symmetry_lessons(
                source.masters, _OF_PHASE, seed=asked.seed, workers=workers
            )
            adapted = yield from adapt(
                self.classifier,
                lessons,
                source.shown,
                target,
                replace(asked.settings, threads=workers),
            )
            network, told = adapted.network, adapted.provenance["adapted"]
        told = as_noted(
            {
                **told,
                "patterns": len(target.totals),
                "source": source.told,
                "asked": self._asked(asked),
            }
        )
        provenance = {**self.classifier.provenance, "adapted": told}
        return replace(self.classifier, network=network, provenance=provenance)

    def write(self, adapted: SymmetryClassifier) -> None:
        """Keep what :meth:`read_or_adapt` gave."""
        if self.asked is not None:
            adapted.save(self.file)

    def _read(self, asked: ScanAdaptation) -> SymmetryClassifier | None:
        """What was kept; None if it is not there, or was made of something else."""
        try:
            found = SymmetryClassifier.load(self.file, "cpu")
        except (FileNotFoundError, ModelFileError):
            return None
        told = found.provenance.get("adapted")
        same = isinstance(told, Mapping) and told.get("asked") == self._asked(asked)
        return found if same else None

    def _asked(self, asked: ScanAdaptation) -> dict[str, Any]:
        """What the adapted classifier depends on."""
        phases = asked.phases
        return as_noted(
            {
                **asdict(asked),
                "phases": None if phases is None else str(phases.absolute()),
                "classifier": dict(self.classifier.provenance),
                "scan": self.scan.fingerprint(),
                "geometry": dict(self.geometry),
            }
        )


def _source(asked: ScanAdaptation, groups: tuple[int, ...]) -> Source:
    """Phases to learn from that are known.

    Each known phase is taken at one voltage: at another its own patterns would be next to it, and
    all that a scan shows strange beside them.
    """
    if asked.phases is not None:
        library = open_library(asked.phases)
        unknown = sorted(set(library.classes.tolist()) - set(groups))
        if unknown:
            raise ValueError(
                f"{asked.phases}: expected phases of the groups {groups}, which the classifier "
                f"tells, found {unknown}. Take another library, or a classifier of these groups"
            )
        library = library.showing(groups)
        return Source(
            library.dynamical, library.shown, f"{len(library)} phases of {asked.phases.name}"
        )
    known = References.shipped()
    kept = np.flatnonzero(np.isin(known.shown, groups))
    at = np.random.default_rng(asked.seed).integers(len(known.voltages), size=len(kept))
    return Source(known.masters[at, kept], known.shown[kept], f"{len(kept)} known phases")


def _target(
    scan: Scan,
    classifier: SymmetryClassifier,
    reader: PatternReader,
    light: NDArray[np.float32],
) -> Job[SymmetryLessons]:
    """Patterns of a scan, each for itself, that are clearly of cubic crystals."""
    positions = scan.draw(_DRAWN)
    reading = PatternReading(scan, positions)
    parts: list[tuple[NDArray[np.floating], ...]] = []
    yield Progress(0, len(positions), "Looking at the scan")
    for patterns in reading:
        found = reader.clear(bin_to(patterns, light.shape) / light)
        cubic = np.zeros(0, bool)
        if len(found.totals):
            alone = np.arange(len(found.totals))
            logarithms = classifier.log_probabilities(found.totals, found.counts)
            votes = vote(alone, logarithms, found.repeated, found.signal, classifier)
            cubic = votes.cubic
        given = found.totals, found.counts, found.repeated, found.signal
        parts.append(tuple(one[cubic][:, None] for one in given))
        yield Progress(reading.done, len(positions), "Looking at the scan")
    reading.check()
    totals, counts, alike, signal = (np.concatenate(one) for one in zip(*parts, strict=True))
    half = totals.astype(np.float16), counts.astype(np.float16)
    return SymmetryLessons(*half, alike, signal)
