"""The network that reads symmetry from the square that it repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from napari_kikuchi.symmetry.bands import FAMILIES, STEPS, TWINS, band_profiles, twin_profiles
from napari_kikuchi.symmetry.classes import CLASSES, is_m3
from napari_kikuchi.symmetry.features import TwinFeatures, band_features, edge_features
from napari_kikuchi.symmetry.sector import SIDE, sector_weights, triangle
from napari_kikuchi.untrusted import integer, mapping, number, sequence

# A node that so many pixels have seen counts half.
_HALF = 0.5
_MOST_WIDTH = 4096
_MOST_MODES = 1024
#: What a network reads of band profiles: all of them, or where they fall, or both.
READINGS = ("bands", "edges", "both")


@dataclass(frozen=True)
class SymmetryArchitecture:
    """Of a network.

    Attributes
    ----------
    groups
        The classes that are told apart, see :mod:`~napari_kikuchi.symmetry.classes`, in ascending
        order.
    width
        Half the number of features of each reading.
    dropout
        Share of the last features that are left out while training.
    modes
        How many coarse and fine ones there are, see
        :class:`~napari_kikuchi.symmetry.modes.Modes`.
    reads
        One of :data:`READINGS`. Edges say less, and the same in simulated and recorded patterns.
    """

    groups: tuple[int, ...]
    width: int = 64
    dropout: float = 0.5
    modes: tuple[int, int] = (8, 24)
    reads: str = "both"

    def settings(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        return {**asdict(self), "groups": list(self.groups), "modes": list(self.modes)}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> SymmetryArchitecture:
        """Read what :meth:`settings` gave, whoever has changed it since.

        Raises
        ------
        ValueError
            If a setting is missing or is none.
        """
        settings = mapping(settings, "the architecture")
        listed = sequence(settings.get("groups"), "the groups of the architecture")
        groups = tuple(integer(one, "a group of the architecture", 1, 230) for one in listed)
        if not groups or sorted({*groups} & {*CLASSES}) != list(groups):
            raise ValueError(
                f"expected different classes of cubic groups in ascending order, found {groups}"
            )
        listed = sequence(settings.get("modes"), "the modes of the architecture", 2)
        coarse, fine = (integer(one, "a number of modes", 1, _MOST_MODES) for one in listed)
        reads = settings.get("reads")
        if reads not in READINGS:
            raise ValueError(f"what the architecture reads: expected one of {READINGS}")
        return cls(
            groups,
            integer(settings.get("width"), "the width of the architecture", 1, _MOST_WIDTH),
            number(settings.get("dropout"), "the dropout of the architecture", 0, 0.99),
            (coarse, fine),
            reads,
        )


class SymmetryNetwork(nn.Module):
    """From the square of some patterns of one crystal to the class of its space group.

    See :mod:`~napari_kikuchi.symmetry.features` for what it reads of the profiles of bands.

    Parameters
    ----------
    architecture
        Of the network.

    Attributes
    ----------
    coarse_modes, fine_modes
        By which frames of patterns are found, in the triangle, of shape (its nodes, modes); what
        follows was found of the same phases.
    trust
        Settings of :class:`~napari_kikuchi.symmetry.votes.Trust`, in their order.
    shown_as
        How many phases of each group (columns) show each group (rows), of shape (groups, groups).
    """

    _profiles: Tensor
    _twins: Tensor
    _weights: Tensor
    coarse_modes: Tensor
    fine_modes: Tensor
    trust: Tensor
    shown_as: Tensor

    def __init__(self, architecture: SymmetryArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.register_buffer("_profiles", torch.from_numpy(band_profiles()), persistent=False)
        self.register_buffer("_twins", torch.from_numpy(twin_profiles()), persistent=False)
        weights = torch.from_numpy(sector_weights()).float()
        self.register_buffer("_weights", weights, persistent=False)
        coarse, fine = architecture.modes
        groups = len(architecture.groups)
        nodes = int(triangle().sum())
        self.register_buffer("coarse_modes", torch.zeros(nodes, coarse))
        self.register_buffer("fine_modes", torch.zeros(nodes, fine))
        self.register_buffer("trust", torch.tensor([1.0, 0.0, 0.1, 0.0, 0.0, 0.0]))
        self.register_buffer("shown_as", torch.zeros(groups, groups))
        width, dropout = 2 * architecture.width, architecture.dropout
        made = {"bands": band_features, "edges": edge_features}
        reads = [*made] if architecture.reads == "both" else [architecture.reads]
        self.features = nn.ModuleList(made[one](width, dropout) for one in reads)
        self.twins = nn.ModuleList()
        if any(is_m3(group) for group in architecture.groups):
            self.twins.append(TwinFeatures(width, dropout))
        self.head = nn.Linear(width * (len(reads) + len(self.twins)), groups)

    def forward(self, totals: Tensor, counts: Tensor) -> Tensor:
        """Logits of the groups, of shape (n, groups).

        Parameters
        ----------
        totals, counts
            What :func:`~napari_kikuchi.symmetry.folding.unfold` has summed at the nodes, of shape
            (n, nodes); in either setting.
        """
        return self.head(self.read(totals, counts))

    def read(self, totals: Tensor, counts: Tensor) -> Tensor:
        """What the last layer tells groups by, of shape (n, features)."""
        profiles = self.profiles(totals, counts)
        found = [features(profiles) for features in self.features]
        found += [features(profiles, self.of_twins(totals, counts)) for features in self.twins]
        return torch.cat(found, dim=1)

    def profiles(self, totals: Tensor, counts: Tensor) -> Tensor:
        """Profiles across the bands in both settings together, of shape (n, families, steps)."""
        both = self.standardised(totals + _mirrored(totals), counts + _mirrored(counts))
        return (both @ self._profiles.T).reshape(len(totals), len(FAMILIES), STEPS)

    def of_twins(self, totals: Tensor, counts: Tensor) -> Tensor:
        """Profiles of the families that are two, of shape (n, 2, twins, steps)."""
        square = self.standardised(totals, counts)
        settings = torch.stack([square, _mirrored(square)], dim=1)
        return (settings @ self._twins.T).reshape(len(totals), 2, len(TWINS), STEPS)

    def standardised(self, totals: Tensor, counts: Tensor) -> Tensor:
        """Mean intensities with mean 0 and standard deviation 1 over what was seen.

        Nodes that few pixels have seen are drawn towards 0. Of the shape of ``totals``.
        """
        known = counts / (counts + _HALF)
        means = totals / counts.clamp(min=1e-6)
        weights = known * self._weights
        weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-9)
        means = means - (means * weights).sum(dim=1, keepdim=True)
        spread = (means**2 * weights).sum(dim=1, keepdim=True).sqrt()
        return means * known / spread.clamp(min=1e-6)


def _mirrored(nodes: Tensor) -> Tensor:
    """As :func:`napari_kikuchi.symmetry.sector.mirrored`."""
    return nodes.reshape(-1, SIDE, SIDE).mT.reshape(nodes.shape)
