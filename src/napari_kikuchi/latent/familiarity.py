"""Whether an encoder knows the patterns of a scan: asked of the patterns themselves.

A reconstruction that leaves out noise and nothing else is at least as like the pattern recorded
beside it as the recorded pattern is, whose noise is its own. An encoder that has never seen such
orientations reconstructs something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.latent.encoder import Encoder
from napari_kikuchi.latent.neighbours import unit_patterns
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAIRS = 256
# By which a correlation may fall short: half of the pairs lie on one side of it by chance.
_SLACK = 0.02


@dataclass(frozen=True)
class Familiarity:
    """How like the patterns beside them patterns are, and how like those their reconstructions are.

    Attributes
    ----------
    recorded, reconstructed
        Correlation with the pattern beside; medians over pairs of positions. NaN without a pair.
    """

    recorded: float
    reconstructed: float

    @property
    def known(self) -> bool:
        """Whether the encoder knows the patterns."""
        return self.reconstructed >= self.recorded - _SLACK


def familiarity(scan: Scan, encoder: Encoder, preprocessor: Preprocessor) -> Familiarity:
    """Ask whether an encoder knows the patterns of a scan.

    Parameters
    ----------
    scan
        Some pairs of neighbouring positions are read, the same each time.
    encoder
        To be asked.
    preprocessor
        The encoder's recipe fitted to the scan.
    """
    positions = scan.draw(_PAIRS, encoder.recipe.seed)
    rows, cols = scan.map_shape
    along = np.array([0, 1] if cols > 1 else [1, 0])
    # At the border the pattern on the other side.
    inside = (positions + along < (rows, cols)).all(axis=1)
    beside = positions + np.where(inside[:, None], along, -along)
    there = (beside >= 0).all(axis=1)
    if scan.present is not None:
        there &= scan.present[tuple(np.maximum(beside, 0).T)]
    read = [scan.read_readable(place[there]) for place in (positions, beside)]
    both = np.logical_and(*(readable for _, readable in read))
    if not both.any():
        return Familiarity(np.nan, np.nan)
    mask = preprocessor.mask
    own, other = (preprocessor(patterns[both]) for patterns, _ in read)
    decoded = encoder.decode(encoder.encode(own))
    return Familiarity(
        *(_correlation(patterns[:, mask], other[:, mask]) for patterns in (own, decoded))
    )


def _correlation(one: NDArray, other: NDArray) -> float:
    alike = (unit_patterns(one) * unit_patterns(other)).sum(axis=1)
    known = alike[np.isfinite(alike)]
    return float(np.median(known)) if len(known) else np.nan
