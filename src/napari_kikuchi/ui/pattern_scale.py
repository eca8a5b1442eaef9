"""Where the direct beam meets the patterns of a scan, and how far from it a pixel is."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_kikuchi.orientation.spot_calibration import SpotCalibration
from napari_kikuchi.ui.kept_calibrations import KeptCalibrations
from napari_kikuchi.ui.pattern_frame import Place
from napari_kikuchi.ui.preparation import Preparation

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session

# Calibrations of files are in 1/nm.
_NM_PER_ANGSTROM = 0.1
# Of a direct beam that has not been found: enough to be seen.
_SOME_RADIUS = 4.0

_scales: weakref.WeakKeyDictionary[Session, PatternScales] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class PatternScale:
    """Centre and scale of the patterns of a scan.

    Attributes
    ----------
    centre
        Row and column of the direct beam, in pixels.
    beam
        Radius of the direct beam, in pixels.
    scale
        Of a pixel, in 1/Å; None if nobody knows.
    angle
        Of a pixel, in mrad; None if nobody knows.
    found
        What else was found of the detector: how it is turned, and what it distorts.
    """

    centre: Place
    beam: float = _SOME_RADIUS
    scale: float | None = None
    angle: float | None = None
    found: SpotCalibration | None = None

    @property
    def calibration(self) -> SpotCalibration | None:
        """What turns pixels into reciprocal lattice vectors; None without a scale in 1/Å."""
        if self.scale is None:
            return None
        known = self.found or SpotCalibration(self.centre, self.scale, beam_radius=self.beam)
        return replace(known, centre=self.centre, scale=self.scale)

    def with_found(self, found: SpotCalibration) -> PatternScale:
        """The same, with what was found from spots."""
        return replace(self, centre=found.centre, scale=found.scale, found=found)

    def turned_as(self, other: PatternScale | None) -> PatternScale:
        """The same with the detector turned and mirrored as another has it, if that is known."""
        if other is None or other.found is None:
            return self
        # Of the scale it knows nothing where nobody does.
        scale = self.scale or other.found.scale
        turned = SpotCalibration(
            self.centre,
            scale,
            rotation=other.found.rotation,
            flipped=other.found.flipped,
            beam_radius=self.beam,
        )
        return replace(self, found=turned)

    def placed(self, centre: Place) -> PatternScale:
        """The same with the direct beam at a place, wherever the scan is."""
        found = self.found and replace(self.found, descan=None)
        return replace(self, centre=centre, found=found)

    def at(self, position: tuple[int, int] | None) -> PatternScale:
        """That of one pattern, over which the direct beam may have wandered; None: of the mean."""
        calibration = self.calibration
        if position is None or calibration is None or calibration.descan is None:
            return self
        row, col = calibration.centres([position])[0].tolist()
        return self.placed((row, col))

    @property
    def unit(self) -> tuple[float, str]:
        """Size of a pixel in the best unit that is known, and its name."""
        if self.scale is not None:
            return self.scale, "1/Å"
        if self.angle is not None:
            return self.angle, "mrad"
        return 1.0, "pixels"

    def pixels(self, place: Place) -> float:
        """Distance of a place from the centre, in pixels."""
        return math.dist(self.centre, place)

    def told(self, place: Place) -> str:
        """How far a place is from the centre, as length of k, spacing of planes and in pixels."""
        pixels = self.pixels(place)
        parts = []
        if self.calibration is not None:
            k = k_length(self.calibration, place)
            parts.append(f"k {k:.3f} 1/Å")
            # In the direct beam itself nothing is scattered.
            if pixels > self.beam:
                parts.append(f"d {1 / k:.3f} Å")
        if self.angle is not None:
            parts.append(f"{pixels * self.angle:.2f} mrad")
        return "  ·  ".join([*parts, f"{pixels:.1f} pixels"])


def k_length(calibration: SpotCalibration, place: Place) -> float:
    """Length of the scattering vector at a place of the mean pattern, in 1/Å."""
    row, col = place
    pixels = np.array([[[col, row, 1]]], np.float32)
    spots = replace(calibration, beam_radius=0, descan=None).to_spots(pixels)
    return math.hypot(spots.kx[0, 0], spots.ky[0, 0])


class PatternScales:
    """Centre and scale of each scan; get it with :func:`pattern_scales_of`.

    Parameters
    ----------
    session
        Of the viewer.
    """

    changed = Signal(object)
    """The scan whose centre or scale is another now, or kept elsewhere."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.proxy(session)
        self._known: weakref.WeakKeyDictionary[Scan, PatternScale] = weakref.WeakKeyDictionary()
        self._kept = KeptCalibrations(session)
        session.prepared.connect(self._on_prepared)
        self._kept.changed.connect(self._on_kept)

    def of(self, scan: Scan) -> PatternScale | None:
        """Centre and scale; None while the direct beam is being sought, ``changed`` tells then."""
        if scan not in self._known:
            found = self._session.preparation(scan)
            if self._kept.is_known(scan) and found is not None:
                kept, guessed = self._kept.of(scan), _guess(scan, found)
                self._known[scan] = guessed.with_found(kept.calibration) if kept else guessed
        return self._known.get(scan)

    def kept_in(self, scan: Scan) -> Path | None:
        """The file in which the calibration is kept that was set by hand; None if there is none."""
        kept = self._kept.of(scan)
        return None if kept is None else kept.path

    def set(self, scan: Scan, scale: PatternScale) -> None:
        """Let patterns have another centre and scale."""
        if scale != self._known.get(scan):
            self._known[scan] = scale
            self.changed.emit(scan)

    def set_by_hand(self, scan: Scan, scale: PatternScale) -> None:
        """The same, and keep them for the next time: in 1/Å, without which they are no use."""
        self.set(scan, scale)
        self._kept.keep(scan, scale.calibration)

    def reset(self, scan: Scan) -> None:
        """Centre and scale as the file and the mean pattern tell them; what was kept is forgotten.

        How the detector is turned and mirrored they do not tell: that stays. Nothing happens while
        they are being sought.
        """
        found = self._session.preparation(scan)
        if found is not None:
            self.set(scan, _guess(scan, found).turned_as(self._known.get(scan)))
            self._kept.keep(scan, None)

    def _on_kept(self, scan: Scan) -> None:
        # Of a scan that has just been opened the calibration is known now, too.
        if scan in self._known or self.of(scan) is not None:
            self.changed.emit(scan)

    def _on_prepared(self, scan: Scan) -> None:
        if scan.technique == "4D-STEM" and scan not in self._known and self.of(scan) is not None:
            self.changed.emit(scan)


def pattern_scales_of(session: Session) -> PatternScales:
    """The centres and scales of a viewer, which outlive the widgets that change them."""
    if session not in _scales:
        _scales[session] = PatternScales(session)
    return _scales[session]


def _guess(scan: Scan, found: Preparation | Exception) -> PatternScale:
    from napari_kikuchi.orientation.detectors import find_direct_beam

    height, width = scan.pattern_shape
    centre, radius = ((height - 1) / 2, (width - 1) / 2), _SOME_RADIUS
    if isinstance(found, Preparation):
        centre, radius = find_direct_beam(found.background)
    scale = angle = None
    if scan.calibration is not None:
        size = math.sqrt(math.prod(scan.calibration.pixel))
        if scan.calibration.unit == "1/nm":
            scale = size * _NM_PER_ANGSTROM
        else:
            angle = size
    return PatternScale(centre, radius, scale, angle)
