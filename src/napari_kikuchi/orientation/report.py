"""What an orientation map shows, in a few figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.indexed import QUATERNION

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack


@dataclass(frozen=True)
class OrientationReport:
    """Figures of an orientation map.

    Attributes
    ----------
    patterns
        Positions that have a pattern.
    indexed
        Share of these that have an orientation.
    phases
        Share of each phase in what is indexed, by name.
    confidence
        Median of what is indexed; None if nothing is.
    grains
        How many there are.
    """

    patterns: int
    indexed: float
    phases: dict[str, float]
    confidence: float | None
    grains: int

    def in_words(self) -> str:
        """For a person to read."""
        if self.confidence is None:
            return (
                f"None of {self.patterns:,} patterns is indexed. Check the calibration and the "
                "phases, or ask for a lower confidence."
            )
        shares = ", ".join(f"{name} {share:.1%}" for name, share in self.phases.items())
        return (
            f"{self.indexed:.1%} of {self.patterns:,} patterns are indexed: {shares}. Their median "
            f"confidence is {self.confidence:.2f}; they make {self.grains:,} grains."
        )


def report_orientations(stack: MapStack) -> OrientationReport:
    """Figures of maps that :func:`~napari_kikuchi.orientation.maps.orientation_maps` made."""

    def named(name: str) -> np.ndarray:
        return stack.map(stack.names.index(name))

    phase, confidence = named("phase"), named("confidence")
    indexed = np.isfinite(named(QUATERNION[0]))
    patterns, count = int(np.isfinite(phase).sum()), int(indexed.sum())
    told = stack.provenance["indexing"]["phases"]
    shares = [np.count_nonzero(phase[indexed] == number) for number in range(1, len(told) + 1)]
    return OrientationReport(
        patterns,
        count / max(1, patterns),
        {one["name"]: share / max(1, count) for one, share in zip(told, shares, strict=True)},
        float(np.median(confidence[indexed])) if count else None,
        int(named("grain").max(initial=0, where=indexed)),
    )


def calibration_in_words(stack: MapStack) -> str:
    """The calibration with which such maps were made, for a person to check."""
    used = stack.provenance["indexing"]["calibration"]
    row, col = used["centre"]
    return (
        f"A pixel is {used['scale']:.5g} 1/Å; the direct beam is at row {row:.1f}, column "
        f"{col:.1f}."
    )
