"""A trained control of a generator, and its file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from napari_kikuchi.devices import pick_device
from napari_kikuchi.io.network_files import read_network, weights_of, write_network
from napari_kikuchi.io.weights import damage_told, digest_of
from napari_kikuchi.jobs import JobWarning
from napari_kikuchi.microstructure.control_network import ControlArchitecture, ControlNetwork
from napari_kikuchi.microstructure.network import GeneratorNetwork
from napari_kikuchi.microstructure.wishes import NUMBERS, UNITS, Wishes
from napari_kikuchi.untrusted import number, sequence, text

_CONTENT = "microstructure control"
_SHIPPED = "control.safetensors"
_ROUNDING = 1e-5
# Of a checksum: as much as a person compares.
_SHOWN = 12


@dataclass(frozen=True, eq=False)
class MicrostructureControl:
    """Leads one generator towards what is wished for.

    Attributes
    ----------
    network
        On the device where it is to run.
    base
        Checksum of the weights of the generator that it belongs to, see :func:`base_checksum`.
    provenance
        Settings, version and date; fit for JSON.
    """

    network: ControlNetwork
    base: str
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def check_base(self, network: GeneratorNetwork) -> None:
        """Check that a generator's network is that which the control belongs to.

        Raises
        ------
        ValueError
            If it is not.
        """
        found = base_checksum(network)
        # Whoever has written the file may have told anything.
        told = self.network.architecture.generator
        if found != self.base or told != network.architecture:
            raise ValueError(
                f"this control belongs to a generator with weights {self.base[:_SHOWN]}…, and does "
                f"not fit one with weights {found[:_SHOWN]}…"
            )

    def planes(self, wishes: Wishes, shape: tuple[int, int]) -> Tensor:
        """What the network is told of wishes.

        Parameters
        ----------
        wishes
            For the picture.
        shape
            Its rows and columns.

        Returns
        -------
        torch.Tensor
            Of shape (1, 4, rows, columns), both sides up to the next multiple of the
            architecture's: there the image of the phases is as at its edge.

        Raises
        ------
        ValueError
            If the control was not trained for a wish, or the image of the phases is of another
            size.
        """
        known = self.network.architecture.wishes
        others = [name for name in wishes.names if name not in known]
        if others:
            raise ValueError(
                f"expected wishes for {', '.join(known)}, for which the control was trained, found "
                f"one for {', '.join(others)}: leave it out, or train a control for it"
            )
        planes = wishes.planes(shape).numpy()
        multiple = self.network.architecture.generator.multiple
        over = [(0, -side % multiple) for side in shape]
        return torch.from_numpy(np.pad(planes, ((0, 0), *over), mode="edge"))[None]

    def warn_beyond(self, wishes: Wishes) -> None:
        """Tell of numbers that are wished for beyond those that were learned from.

        Files of older versions do not tell what was learned from: then there is nothing to tell.

        Warns
        -----
        JobWarning
            If there are any.
        """
        learned = self.provenance.get("learned")
        if not isinstance(learned, Mapping):
            return
        for name in (one for one in NUMBERS if one in wishes.names):
            # Whoever has written the file may have told anything.
            with suppress(ValueError):
                ends = sequence(learned.get(name), "what was learned from", 2)
                least, most = (number(one, "what was learned from") for one in ends)
                wished = getattr(wishes, name)
                # Learned from in single precision.
                if not least - _ROUNDING <= wished <= most + _ROUNDING:
                    unit = UNITS[name]
                    warnings.warn(
                        f"expected a {name} from {least:.3g} to {most:.3g}{unit}, from which the "
                        f"control has learned, found a wish for {wished:.3g}{unit}: what is made "
                        "may be like neither",
                        JobWarning,
                        stacklevel=2,
                    )

    def save(self, path: Path | str) -> None:
        """Write the control to a file that :meth:`load` reads."""
        architecture = self.network.architecture.settings()
        write_network(path, self.network, _CONTENT, architecture, self.provenance, base=self.base)

    @classmethod
    def shipped(cls, device: str = "auto") -> MicrostructureControl:
        """The control of the generator that comes with the package."""
        from importlib.resources import as_file, files

        with as_file(files(__package__) / _SHIPPED) as path:
            return cls.load(path, device)

    @classmethod
    def load(cls, path: Path | str, device: str = "auto") -> MicrostructureControl:
        """Read a control.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelFileError
            If it is no control, was written by a newer version, or is damaged.
        ValueError
            If there is no such device.
        """
        network, header = read_network(
            path, _CONTENT, "control", ControlArchitecture.from_settings, ControlNetwork
        )
        with damage_told(path):
            base = text(header.get("base"), "the checksum of the generator")
        return cls(network.to(pick_device(device)), base, header["provenance"])


def base_checksum(network: GeneratorNetwork) -> str:
    """SHA-256 of the weights of a generator's network."""
    return digest_of(weights_of(network))
