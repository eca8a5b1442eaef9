"""Refines orientations: which reflections the spots are, and what their intensities say."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_kikuchi.orientation.matching import MOST_SPOTS, Hypotheses, amplitudes_of
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.template_library import Library

# How far spots are from where they are expected, in 1/Å: the standard deviation, and the most.
_POSITION_ERROR = 0.05
_MOST_AWAY = 0.12
# Templates count by the exponential of their score times this: of thicknesses and of tilts.
_SHARPNESS = 60.0
_SHARPNESS_OF_TILTS = 100.0
# The tilt is a mean over those so near to the best, in radians.
_NEAR = math.radians(0.9)
# Spots times reflections times hypotheses at a time.
_BATCH = {"cpu": 2**22}
_BATCH_DEVICE = 2**27


class Refiner:
    """Compares patterns with all templates of the cells in which their orientations may be.

    Parameters
    ----------
    library
        In which the hypotheses were found, or one of the same cells.
    device
        Where to compute.
    """

    def __init__(self, library: Library, *, device: torch.device | str = "cpu") -> None:
        self.templates = library.to(device)
        tilts = library.tilts
        self._tilts = tilts.float().to(device)
        self._near = (torch.cdist(tilts, tilts) <= _NEAR).to(device)

    def __call__(self, spots: Spots, hypotheses: Hypotheses) -> Hypotheses:
        """Refine hypotheses and order them anew.

        Parameters
        ----------
        spots
            Of n patterns.
        hypotheses
            Of the same patterns, as :class:`Matcher` gives them.

        Returns
        -------
        Hypotheses
            Of the same shape. A score is that of the best tilt, with thicknesses taken together.

        Raises
        ------
        ValueError
            If the hypotheses are those of other patterns or of another library.
        """
        if len(hypotheses) != len(spots):
            raise ValueError(
                f"expected hypotheses of {len(spots)} patterns, found those of {len(hypotheses)}"
            )
        cells = len(self.templates.rotations)
        if len(spots) and hypotheses.cells.max() >= cells:
            raise ValueError(
                f"expected hypotheses in {cells} cells of the library, found cell "
                f"{hypotheses.cells.max()}: they are of another one"
            )
        values = torch.from_numpy(spots.packed(MOST_SPOTS).values)
        each = hypotheses.cells.shape[1] * values.shape[1] * self.templates.positions.shape[1]
        size = max(1, _BATCH.get(self.templates.device.type, _BATCH_DEVICE) // max(1, each))
        starts = range(0, max(1, len(values)), size)
        return Hypotheses.joined(
            [
                self._refine(values[start : start + size], hypotheses[start : start + size])
                for start in starts
            ]
        )

    def _refine(self, values: Tensor, hypotheses: Hypotheses) -> Hypotheses:
        library, device = self.templates, self.templates.device
        cells, mirrored, angles = (
            part.to(device) for part in (hypotheses.cells, hypotheses.mirrored, hypotheses.angles)
        )
        positions, amplitudes = amplitudes_of(values.to(device), library.power)
        seen, turn = self._identify(positions, amplitudes, cells, mirrored, angles)
        scores = self._compare(seen.flatten(0, 1), cells.flatten()).unflatten(0, cells.shape)
        best, where = scores.max(-1)
        near = torch.where(self._near[where], scores * _SHARPNESS_OF_TILTS, -torch.inf)
        tilts = near.softmax(-1) @ self._tilts
        return Hypotheses.of(library, best, cells, mirrored, angles + turn, tilts)

    def _identify(
        self, positions: Tensor, amplitudes: Tensor, cells: Tensor, mirrored: Tensor, angles: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Amplitude of each reflection of the cells, and by which angle all spots lie off."""
        x, y = positions[:, None].unbind(-1)
        cosine, sine = angles.cos()[..., None], angles.sin()[..., None]
        x, y = cosine * x + sine * y, cosine * y - sine * x
        # Back to the template: first turned, then mirrored.
        sign = torch.where(mirrored, -1.0, 1.0)
        y = sign[..., None] * y
        expected = self.templates.positions[cells]
        apart = (x[..., None] - expected[..., None, :, 0]).square_()
        apart += (y[..., None] - expected[..., None, :, 1]).square_()
        squared, which = apart.min(-1)
        weight = torch.exp(-squared / (2 * _POSITION_ERROR**2)) * (squared < _MOST_AWAY**2)
        weight = weight * amplitudes[:, None]
        at_x, at_y = expected.gather(2, which[..., None].expand(-1, -1, -1, 2)).unbind(-1)
        across = (weight * (at_x * y - at_y * x)).sum(-1)
        along = (weight * (at_x * x + at_y * y)).sum(-1)
        seen = weight.new_zeros(*cells.shape, expected.shape[2])
        seen = seen.scatter_reduce(2, which, weight, "amax")
        return seen, sign * torch.atan2(across, along)

    def _compare(self, seen: Tensor, cells: Tensor) -> Tensor:
        """Scores of each tilt, of shape (hypotheses, tilts): of patterns of a cell at once."""
        templates = self.templates.amplitudes
        tilts, thicknesses = templates.shape[1:3]
        scores = seen.new_empty(len(seen), tilts)
        order = cells.argsort()
        present, counts = cells[order].unique_consecutive(return_counts=True)
        for cell, rows in zip(present.tolist(), order.split(counts.tolist()), strict=True):
            alike = seen[rows] @ templates[cell].flatten(0, 1).T
            sharp = (alike.unflatten(1, (tilts, thicknesses)) * _SHARPNESS).logsumexp(-1)
            scores[rows] = (sharp - math.log(thicknesses)) / _SHARPNESS
        return scores.clamp(min=0)
