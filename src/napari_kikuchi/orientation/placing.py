"""Where orientations lie in a library of templates."""

from __future__ import annotations

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from napari_kikuchi.orientation.matching import Hypotheses
from napari_kikuchi.orientation.spot_model import SpotModel
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.template_library import Library


class Places:
    """Finds the cell, the mirror image and the angle that come nearest to orientations.

    Parameters
    ----------
    library
        Of the crystal.
    """

    def __init__(self, library: Library) -> None:
        self.templates = library
        # The middle of each cell as all equivalent frames of the crystal have it.
        beams = torch.einsum("oji,cj->oci", library.operators, library.rotations[:, :, 2])
        beams = beams.flatten(0, 1)
        self._count = len(beams)
        # Against the beam: the mirror image.
        self._directions = cKDTree(torch.cat([beams, -beams]).numpy())

    def __call__(self, rotations: Tensor, scores: Tensor) -> Hypotheses:
        """Look up orientations.

        Parameters
        ----------
        rotations
            From the sample's frame into the crystal's, of shape (n, hypotheses, 3, 3).
        scores
            Of shape (n, hypotheses).

        Returns
        -------
        Hypotheses
            Of the middle of cells: the beam lies up to half a cell's width off.
        """
        library, flat = self.templates, rotations.double().flatten(0, 1)
        nearest = torch.from_numpy(self._directions.query(flat[:, :, 2].numpy())[1])
        mirrored, nearest = nearest >= self._count, nearest % self._count
        operator, cell = nearest // len(library.rotations), nearest % len(library.rotations)
        sign = torch.where(mirrored, -1.0, 1.0).to(flat)
        mirror = torch.stack([sign, torch.ones_like(sign), sign], dim=-1)
        frame = library.rotations[cell] * mirror[:, None]
        turn = frame.mT @ (library.operators[operator] @ flat)
        angle = torch.atan2(turn[:, 0, 1] - turn[:, 1, 0], turn[:, 0, 0] + turn[:, 1, 1]).float()
        cells, mirrored, angles = (
            part.unflatten(0, scores.shape) for part in (cell, mirrored, angle)
        )
        tilts = scores.new_zeros(*scores.shape, 2)
        return Hypotheses.of(library, scores.float(), cells, mirrored, angles, tilts)


class Proposer:
    """Finds orientations with a spot transformer, in the place of a :class:`Matcher`.

    Parameters
    ----------
    library
        Of templates of the crystal of the model.
    model
        That proposes.
    frames
        In which each pattern is read.
    """

    def __init__(self, library: Library, model: SpotModel, *, frames: int = 4) -> None:
        self.templates, self.model, self.frames = library, model, frames
        self._places = Places(library)

    def __call__(self, spots: Spots) -> Hypotheses:
        """Find the orientations of patterns.

        Parameters
        ----------
        spots
            Of n patterns.

        Returns
        -------
        Hypotheses
            Of n patterns, those of each frame in turn; no score where there are no spots.
        """
        values = torch.from_numpy(spots.values)
        if not values.numel():
            values = torch.zeros(len(spots), 1, 3)
        rotations, scores = self.model.propose(values, self.frames)
        there = torch.from_numpy(spots.counts > 0)[:, None]
        return self._places(rotations, torch.where(there, scores.softmax(1), 0))
