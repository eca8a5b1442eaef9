"""Refines orientations: which reflections the spots are, and what their intensities say."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from napari_kikuchi.orientation.evidence import evidence_of
from napari_kikuchi.orientation.matching import LEAST_SHOWN, MOST_SPOTS, Hypotheses, amplitudes_of
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.template_library import Library
from napari_kikuchi.orientation.window import Window

# How far spots are from where they are expected, in 1/Å: the standard deviation, and the most.
_POSITION_ERROR = 0.05
_MOST_AWAY = 0.12
# Templates count by the exponential of their score times this: of thicknesses and of tilts.
_SHARPNESS = 60.0
_SHARPNESS_OF_TILTS = 80.0
# The tilt is a mean over those so near to the best, in radians.
_NEAR = math.radians(0.9)
# Spots times reflections times hypotheses at a time.
_BATCH = {"cpu": 2**22}
_BATCH_DEVICE = 2**27


class Refined(NamedTuple):
    """Hypotheses compared with all templates of their cells.

    Attributes
    ----------
    hypotheses
        In the order in which they were given. A score is that of the best tilt, with thicknesses
        taken together.
    evidence
        Of each, see :func:`~napari_kikuchi.orientation.evidence.evidence_of`.
    """

    hypotheses: Hypotheses
    evidence: Tensor

    def best(self, count: int) -> Refined:
        """The hypotheses of each pattern with the highest scores, best first."""
        if self.evidence.shape[1] <= count:
            return self
        order = self.hypotheses.order()[:, :count]
        each = torch.arange(len(order))[:, None]
        evidence = self.evidence[each, order.to(self.evidence.device)]
        return Refined(self.hypotheses.taken(order), evidence)


class Refiner:
    """Compares patterns with all templates of the cells in which their orientations may be.

    Parameters
    ----------
    library
        In which the hypotheses were found, or one of the same cells.
    window
        What the detector shows: other reflections are not missing. None: all of the library.
    device
        Where to compute.
    """

    def __init__(
        self,
        library: Library,
        *,
        window: Window | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.templates = library.to(device)
        self._window = window
        tilts = library.tilts
        self._tilts = tilts.float().to(device)
        self._near = (torch.cdist(tilts, tilts) <= _NEAR).to(device)

    def __call__(self, spots: Spots, hypotheses: Hypotheses) -> Hypotheses:
        """Refine hypotheses and order them by their new scores.

        Parameters, result and errors are those of :meth:`refine`, without the evidence.
        """
        return self.refine(spots, hypotheses).hypotheses.best_first()

    def refine(self, spots: Spots, hypotheses: Hypotheses) -> Refined:
        """Refine hypotheses.

        Parameters
        ----------
        spots
            Of n patterns.
        hypotheses
            Of the same patterns, as :class:`Matcher` gives them.

        Returns
        -------
        Refined
            Of the same shape.

        Raises
        ------
        ValueError
            If the hypotheses are those of other patterns or of another library.
        """
        if len(hypotheses) != len(spots):
            raise ValueError(
                f"expected hypotheses of {len(spots)} patterns, found those of {len(hypotheses)}"
            )
        there = len(self.templates.rotations)
        if len(spots) and hypotheses.cells.max() >= there:
            raise ValueError(
                f"expected hypotheses in {there} cells of the library, found cell "
                f"{hypotheses.cells.max()}: they are of another one"
            )
        found = self._identified(spots, hypotheses)
        library, device = self.templates, self.templates.device
        cells, mirrored, angles = (
            part.to(device) for part in (hypotheses.cells, hypotheses.mirrored, hypotheses.angles)
        )
        scores, tilts, expected = (
            part.unflatten(0, cells.shape)
            for part in self._compare(
                found.seen.flatten(0, 1), cells.flatten(), found.shown.flatten(0, 1)
            )
        )
        radius = torch.linalg.vector_norm(library.positions, dim=-1)[cells]
        # Where a cell has fewer reflections than others there is none.
        radius = radius.clamp(max=library.k_max)
        return Refined(
            Hypotheses.of(library, scores, cells, mirrored, angles + found.turn, tilts),
            evidence_of(expected, found.seen, found.nearness, radius, found.unexplained),
        )

    def _identified(self, spots: Spots, hypotheses: Hypotheses) -> _Identified:
        values = torch.from_numpy(spots.packed(MOST_SPOTS).values)
        each = hypotheses.cells.shape[1] * values.shape[1] * self.templates.positions.shape[1]
        size = max(1, _BATCH.get(self.templates.device.type, _BATCH_DEVICE) // max(1, each))
        parts = [
            self._identify(values[start : start + size], hypotheses[start : start + size])
            for start in range(0, max(1, len(values)), size)
        ]
        return _Identified(*map(torch.cat, zip(*parts, strict=True)))

    def _identify(self, values: Tensor, hypotheses: Hypotheses) -> _Identified:
        device = self.templates.device
        cells, mirrored, angles = (
            part.to(device) for part in (hypotheses.cells, hypotheses.mirrored, hypotheses.angles)
        )
        positions, amplitudes = amplitudes_of(values.to(device))
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
        near = torch.exp(-squared / (2 * _POSITION_ERROR**2)) * (squared < _MOST_AWAY**2)
        weight = near * amplitudes[:, None]
        at_x, at_y = expected.gather(2, which[..., None].expand(-1, -1, -1, 2)).unbind(-1)
        turn = torch.atan2(
            (weight * (at_x * y - at_y * x)).sum(-1), (weight * (at_x * x + at_y * y)).sum(-1)
        )
        nothing = weight.new_zeros(*cells.shape, expected.shape[2])
        shown = torch.ones_like(nothing)
        if self._window is not None:
            # From the template: first mirrored, then turned.
            kx, ky = expected[..., 0], sign[..., None] * expected[..., 1]
            shown *= self._window.shows(cosine * kx - sine * ky, sine * kx + cosine * ky)
        unexplained = torch.where(near > 0, 0, amplitudes[:, None])
        return _Identified(
            nothing.scatter_reduce(2, which, weight, "amax"),
            nothing.scatter_reduce(2, which, near, "amax"),
            torch.stack([unexplained, torch.hypot(x, y)], dim=-1),
            sign * turn,
            shown,
        )

    def _compare(self, seen: Tensor, cells: Tensor, shown: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, tilts and expected amplitudes of hypotheses: of patterns of a cell at once."""
        templates = self.templates.amplitudes
        count, thicknesses = templates.shape[1:3]
        scores, tilts = seen.new_empty(len(seen)), seen.new_empty(len(seen), 2)
        expected = torch.empty_like(seen)
        order = cells.argsort()
        present, counts = cells[order].unique_consecutive(return_counts=True)
        for cell, rows in zip(present.tolist(), order.split(counts.tolist()), strict=True):
            of_cell = templates[cell].flatten(0, 1)
            alike = seen[rows] @ of_cell.T
            if self._window is not None:
                whole = shown[rows] @ of_cell.square().T
                alike /= whole.clamp(min=LEAST_SHOWN).sqrt()
            alike = alike.unflatten(1, (count, thicknesses))
            sharp = ((alike * _SHARPNESS).logsumexp(-1) - math.log(thicknesses)) / _SHARPNESS
            best, where = sharp.max(-1)
            near = torch.where(self._near[where], sharp * _SHARPNESS_OF_TILTS, -torch.inf)
            thickness = alike[torch.arange(len(rows)), where].argmax(-1)
            scores[rows] = best.clamp(min=0)
            tilts[rows] = near.softmax(-1) @ self._tilts
            expected[rows] = templates[cell, where, thickness]
            if self._window is not None:
                expected[rows] = normalize(expected[rows] * shown[rows], dim=-1)
        return scores, tilts, expected


class _Identified(NamedTuple):
    """Spots as reflections of the cells of hypotheses.

    Attributes
    ----------
    seen, nearness
        Amplitude of each reflection and how near a spot lies to it, of shape
        (n, hypotheses, reflections).
    unexplained
        Amplitudes of other spots and radii of all, of shape (n, hypotheses, spots, 2).
    turn
        By which angle all spots lie off, in radians, of shape (n, hypotheses).
    shown
        Which reflections lie on the detector, as 1 and 0, of the shape of ``seen``.
    """

    seen: Tensor
    nearness: Tensor
    unexplained: Tensor
    turn: Tensor
    shown: Tensor
