"""A trained generator of microstructures, and its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_kikuchi.devices import pick_device
from napari_kikuchi.io.network_files import read_network, write_network
from napari_kikuchi.io.weights import damage_told
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.microstructure.control import MicrostructureControl
from napari_kikuchi.microstructure.latents import shuffled_in, shuffled_out
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.noising import noised as at_times
from napari_kikuchi.microstructure.noising import way_back
from napari_kikuchi.untrusted import integer

_CONTENT = "microstructure generator"
_SHIPPED = "generator.safetensors"
STEPS = 20
_USUAL_SIZE, _SIZES = 64, (8, 4096)


@dataclass(frozen=True, eq=False)
class MicrostructureGenerator:
    """Fills in what is unknown of microstructures.

    Attributes
    ----------
    network
        On the device where it is to run.
    provenance
        Settings, version and date; fit for JSON.
    control
        That leads it towards what is wished for; None: nothing can be.

    Raises
    ------
    ValueError
        If the control belongs to another generator.
    """

    network: GeneratorNetwork
    provenance: Mapping[str, Any] = field(default_factory=dict)
    control: MicrostructureControl | None = None

    def __post_init__(self) -> None:
        if self.control:
            self.control.check_base(self.network)

    @property
    def picture_size(self) -> int:
        """Rows and columns of the pictures that it has learned from; 64 where it is not told."""
        told: Any = self.provenance
        for name in ("identity", "pictures", "size"):
            told = told.get(name) if isinstance(told, Mapping) else None
        # Whoever has written the file may have told anything.
        with suppress(ValueError):
            return integer(told, "the size of pictures", *_SIZES)
        return _USUAL_SIZE

    def filled(
        self,
        pictures: Tensor,
        unknown: Tensor,
        *,
        seed: int = 0,
        steps: int = STEPS,
        start: float = 1.0,
        wished: Tensor | None = None,
    ) -> Job[Tensor]:
        """Pictures with their unknown pixels filled in.

        Parameters
        ----------
        pictures
            Of shape (n, 4, rows, columns), -1 to 1, both sides multiples of the architecture's;
            of what is unknown they matter only where ``start`` is less than 1.
        unknown
            1 where they are unknown, 0 elsewhere, of shape (n, 1, rows, columns).
        seed
            The same seed gives the same pictures on the same device.
        steps
            From noise to pictures; with an earlier ``start`` there are fewer.
        start
            Time from which on pictures are made anew: how much of the noise, 0 to 1, what is
            unknown gets before. At 1 nothing of it is left.
        wished
            What the control is told of the whole pictures, of shape (n, 4, rows, columns); see
            :meth:`~napari_kikuchi.microstructure.control.MicrostructureControl.planes`. None: it
            has no say.

        Yields
        ------
        Progress
            Steps taken.

        Returns
        -------
        torch.Tensor
            Of the shape of ``pictures``, on the processor; what is known is as it was, bit by bit.

        Raises
        ------
        ValueError
            If something is wished for and there is no control.
        """
        device = next(self.network.parameters()).device
        block = self.network.architecture.block
        holes = shuffled_out(unknown.to(device), block)
        latents = shuffled_out(pictures.to(device), block)
        inside = shuffled_out(unknown.expand_as(pictures).to(device), block) > 0

        def times(time: float) -> Tensor:
            return torch.full((len(latents),), time, device=device)

        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(seed)).to(device)
        tell: Callable[[Tensor, Tensor, Tensor], Tensor] = self.network
        if wished is not None:
            tell = partial(self.required_control().network, self.network, wished.to(device))
        process = self.network.process
        # Diffusion leaves a trace of what was there.
        noised = noise if start == 1 else at_times(process, latents, noise, times(start))

        way = way_back(start, steps)
        yield Progress(0, len(way) - 1, "Filling in")
        for number, (time, after) in enumerate(pairwise(way), start=1):
            # Not around the yields: whoever runs the job has a mode of their own.
            with torch.inference_mode():
                read = torch.where(inside, noised, latents)
                found = tell(read, holes, times(time))
                noised = process.step(noised, found, time, after)
            yield Progress(number, len(way) - 1, "Filling in")
        filled = shuffled_in(noised, block).cpu().clamp(-1, 1)
        return torch.where(unknown > 0, filled, pictures)

    def required_control(self) -> MicrostructureControl:
        """The control.

        Raises
        ------
        ValueError
            If there is none.
        """
        if self.control is None:
            raise ValueError(
                "expected a generator with a control, without which nothing can be wished for: "
                "train one (napari-kikuchi microstructure train-control)"
            )
        return self.control

    def controlled(self, path: Path | str | None) -> MicrostructureGenerator:
        """The generator with the control of a file, on the same device.

        Parameters
        ----------
        path
            None: the control that comes with the package, of the generator that does.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelFileError
            If it is no control, was written by a newer version, is damaged or belongs to another
            generator.
        """
        device = next(self.network.parameters()).device
        if path is None:
            control = MicrostructureControl.shipped(device.type)
        else:
            control = MicrostructureControl.load(path, device.type)
        told = path or "the control that comes with the package"
        with damage_told(told, "Take the generator that it was trained on, or train another."):
            return replace(self, control=control)

    def save(self, path: Path | str) -> None:
        """Write the generator to a file that :meth:`load` reads."""
        architecture = self.network.architecture.settings()
        write_network(path, self.network, _CONTENT, architecture, self.provenance)

    @classmethod
    def shipped(cls, device: str = "auto") -> MicrostructureGenerator:
        """The generator that comes with the package."""
        from importlib.resources import as_file, files

        with as_file(files(__package__) / _SHIPPED) as path:
            return cls.load(path, device)

    @classmethod
    def chosen(cls, path: Path | None, device: str = "auto") -> MicrostructureGenerator:
        """The generator of a file; None: the one that comes with the package.

        Raises
        ------
        FileNotFoundError, ModelFileError, ValueError
            As :meth:`load`.
        """
        return cls.shipped(device) if path is None else cls.load(path, device)

    @classmethod
    def load(cls, path: Path | str, device: str = "auto") -> MicrostructureGenerator:
        """Read a generator.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelFileError
            If it is no such generator, was written by a newer version, or is damaged.
        ValueError
            If there is no such device.
        """
        network, header = read_network(
            path, _CONTENT, "generator", GeneratorArchitecture.from_settings, GeneratorNetwork
        )
        return cls(network.to(pick_device(device)), header["provenance"])
