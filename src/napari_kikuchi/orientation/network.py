"""A transformer over diffraction spots: from a list of spots to a few orientations.

Each spot is a token: embeddings of its radius, angle and intensity, summed (Je et al. 2026,
arXiv:2602.12420). What the published network lacks: it proposes several orientations, since no
continuous map leads to the orientations of a crystal with symmetry, and one output would average
what it cannot tell apart; and it reads each pattern in frames that turn with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from napari_kikuchi.orientation.in_plane import turned
from napari_kikuchi.orientation.tokens import (
    ANGLE,
    INTENSITY,
    RADIUS,
    described,
    frame_angles,
    strongest,
)
from napari_kikuchi.untrusted import integer, positive

if TYPE_CHECKING:
    from torch import Tensor

# Far beyond any network that is worth training.
_MOST = 4096


@dataclass(frozen=True)
class SpotArchitecture:
    """Of the network.

    Attributes
    ----------
    width, layers, heads
        Of the transformer.
    hypotheses
        Orientations that it proposes in each frame.
    spots
        The strongest ones of a pattern that it reads.
    k_max
        Radius of the detector in 1/Å.

    Raises
    ------
    ValueError
        If the width cannot be shared by the heads.
    """

    width: int = 64
    layers: int = 3
    heads: int = 4
    hypotheses: int = 4
    spots: int = 24
    k_max: float = 2.0

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads cannot share a width of {self.width}")

    def settings(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> SpotArchitecture:
        """Build an architecture from what :meth:`settings` gave, whoever has changed it since.

        Raises
        ------
        ValueError
            If a setting is missing or is none.
        """
        counts = {
            name: integer(settings.get(name), f"{name} in the architecture", 1, _MOST)
            for name in ("width", "layers", "heads", "hypotheses", "spots")
        }
        return cls(**counts, k_max=positive(settings.get("k_max"), "k_max in the architecture"))


class SpotTransformer(nn.Module):
    """Proposes orientations of patterns.

    Parameters
    ----------
    architecture
        Its sizes.
    """

    def __init__(self, architecture: SpotArchitecture) -> None:
        super().__init__()
        width = architecture.width
        self.architecture = architecture
        self.radius = nn.Linear(RADIUS, width)
        self.angle = nn.Linear(ANGLE, width, bias=False)
        self.intensity = nn.Linear(INTENSITY, width, bias=False)
        self.mixed = nn.Sequential(nn.GELU(), nn.Linear(width, width))
        layer = nn.TransformerEncoderLayer(
            width, architecture.heads, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, architecture.layers, nn.LayerNorm(width), enable_nested_tensor=False
        )
        outputs = architecture.hypotheses * 7
        self.head = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, outputs)
        )

    def forward(self, spots: Tensor) -> tuple[Tensor, Tensor]:
        """Orientations in the frame in which the spots are given.

        Parameters
        ----------
        spots
            Of shape (n, spots, 3). What a pattern without any gives means nothing.

        Returns
        -------
        rotations, scores
            From the sample's frame into the crystal's, of shape (n, hypotheses, 3, 3); and how
            likely each is, as logits, of shape (n, hypotheses).
        """
        there = spots[..., 2] > 0
        # A mean over nothing would spoil the gradients of all patterns.
        there[:, 0] |= ~there.any(dim=1)
        radius, angle, intensity = described(spots, self.architecture.k_max)
        tokens = self.radius(radius) + self.angle(angle) + self.intensity(intensity)
        tokens = self.encoder(self.mixed(tokens), src_key_padding_mask=~there)
        weights = there / there.sum(1, keepdim=True)
        found = self.head((weights[:, None] @ tokens)[:, 0])
        found = found.unflatten(1, (self.architecture.hypotheses, 7))
        return _rotations(found[..., :6]), found[..., 6]

    def propose(self, spots: Tensor, frames: int) -> tuple[Tensor, Tensor]:
        """Orientations of patterns, read in several frames.

        Parameters
        ----------
        spots
            Of shape (n, spots, 3).
        frames
            In each, another of the strongest spots lies along x.

        Returns
        -------
        rotations, scores
            Of shape (n, frames x hypotheses, 3, 3) and (n, frames x hypotheses).
        """
        spots = strongest(spots, self.architecture.spots)
        angles = frame_angles(spots, frames)
        n, count = angles.shape
        identity = torch.eye(3, dtype=spots.dtype, device=spots.device).expand(n * count, 3, 3)
        in_frames, to_frames = turned(
            spots.repeat_interleave(count, dim=0), identity, -angles.flatten()
        )
        rotations, scores = self(in_frames)
        rotations = rotations @ to_frames.mT[:, None]
        return rotations.reshape(n, -1, 3, 3), scores.reshape(n, -1)


def _rotations(found: Tensor) -> Tensor:
    """Rotations whose first two columns are nearest to two vectors (Zhou et al. 2019, CVPR)."""
    first, second = found.unflatten(-1, (2, 3)).unbind(-2)
    x = nn.functional.normalize(first, dim=-1)
    y = nn.functional.normalize(second - (x * second).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)
