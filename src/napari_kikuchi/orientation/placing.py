"""Where orientations lie in a library of templates."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_kikuchi.orientation.matching import Hypotheses
from napari_kikuchi.orientation.spot_model import SpotModel
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.template_library import Library

# Orientations that are looked up at a time.
_BATCH = 4096


def placed(library: Library, rotations: Tensor, scores: Tensor) -> Hypotheses:
    """The cell, the mirror image and the angle that come nearest to orientations.

    Parameters
    ----------
    library
        Of the crystal.
    rotations
        From the sample's frame into the crystal's, of shape (n, hypotheses, 3, 3).
    scores
        Of shape (n, hypotheses).

    Returns
    -------
    Hypotheses
        Of the middle of cells: the beam lies up to half a cell's width off.
    """
    flat = rotations.double().flatten(0, 1)
    parts = [_places(library, part) for part in flat.split(_BATCH)]
    cells, mirrored, angles = (
        torch.cat(part).unflatten(0, scores.shape) for part in zip(*parts, strict=True)
    )
    tilts = scores.new_zeros(*scores.shape, 2)
    return Hypotheses.of(library, scores.float(), cells, mirrored, angles, tilts)


def _places(library: Library, rotations: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    operators, cells = library.operators, library.rotations
    # The beam in all equivalent frames of the crystal, and against it: the mirror image.
    beams = torch.einsum("ni,oij->noj", rotations[:, :, 2], operators)
    along = beams @ cells[:, :, 2].T
    nearest = torch.cat([along, -along], dim=1).flatten(1).argmax(dim=1)
    which, cell = nearest // len(cells), nearest % len(cells)
    mirrored = which >= len(operators)
    in_cell = operators[which % len(operators)].mT @ rotations
    sign = torch.where(mirrored, -1.0, 1.0).to(cells)
    frame = cells[cell] * torch.stack([sign, torch.ones_like(sign), sign], dim=-1)[:, None]
    turn = frame.mT @ in_cell
    angle = torch.atan2(turn[:, 0, 1] - turn[:, 1, 0], turn[:, 0, 0] + turn[:, 1, 1])
    return cell, mirrored, angle.float()


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
        return placed(self.templates, rotations, torch.where(there, scores.softmax(1), 0))
