"""A trained spot transformer: what it is for, and its file."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from napari_kikuchi.devices import pick_device
from napari_kikuchi.io.network_files import read_network, write_network
from napari_kikuchi.io.weights import damage_told
from napari_kikuchi.orientation.network import SpotArchitecture, SpotTransformer
from napari_kikuchi.untrusted import positive, text

if TYPE_CHECKING:
    from torch import Tensor

_CONTENT = "spot model"
# Patterns at a time: what passes between layers stays near the processor.
_BATCH = 256


@dataclass(frozen=True, eq=False)
class SpotModel:
    """Proposes orientations of one crystal.

    Attributes
    ----------
    network
        On the device where it is to run.
    crystal
        Its name, see :func:`~napari_kikuchi.crystals.crystal.open_crystal`.
    voltage
        Of the patterns it learned from, in kV.
    provenance
        Settings, version and date; fit for JSON.
    """

    network: SpotTransformer
    crystal: str
    voltage: float
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @torch.inference_mode()
    def propose(self, spots: Tensor, frames: int = 1) -> tuple[Tensor, Tensor]:
        """Orientations of patterns, see :meth:`SpotTransformer.propose`.

        Parameters
        ----------
        spots
            Of shape (n, spots, 3).
        frames
            In which each pattern is read: more propose more.

        Returns
        -------
        rotations, scores
            Of shape (n, frames x hypotheses, 3, 3) and (n, frames x hypotheses).
        """
        device = self.network.radius.weight.device
        parts = [
            self.network.propose(part.to(device, torch.float32), frames)
            for part in spots.split(max(1, _BATCH // frames))
        ]
        rotations, scores = (torch.cat(some) for some in zip(*parts, strict=True))
        return rotations.cpu(), scores.cpu()

    def to(self, device: torch.device | str) -> SpotModel:
        """The same model on a device."""
        return replace(self, network=copy.deepcopy(self.network).to(device))

    @cached_property
    def checksum(self) -> int:
        """Tells its weights from others."""
        return zlib.crc32(
            b"".join(value.cpu().numpy().tobytes() for value in self.network.state_dict().values())
        )

    def save(self, path: Path | str) -> None:
        """Write the model to a file that :meth:`load` reads."""
        write_network(
            path,
            self.network,
            _CONTENT,
            self.network.architecture.settings(),
            self.provenance,
            crystal=self.crystal,
            voltage=self.voltage,
        )

    @classmethod
    def load(cls, path: Path | str, device: str = "auto") -> SpotModel:
        """Read a model.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelFileError
            If it is no such model, was written by a newer version, or is damaged.
        ValueError
            If there is no such device.
        """
        network, header = read_network(
            path, _CONTENT, "spot", SpotArchitecture.from_settings, SpotTransformer
        )
        with damage_told(path):
            crystal = text(header.get("crystal"), "the crystal")
            voltage = positive(header.get("voltage"), "the voltage")
        return cls(network.to(pick_device(device)), crystal, voltage, header["provenance"])
