"""Training a control of a generator on slices of polycrystals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_kikuchi.io.weights import digest_of
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.microstructure.control import MicrostructureControl, base_checksum
from napari_kikuchi.microstructure.control_network import ControlArchitecture, ControlNetwork
from napari_kikuchi.microstructure.descriptors import boundary_agreement
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.network import GeneratorNetwork
from napari_kikuchi.microstructure.noising import USUAL_MEAN
from napari_kikuchi.microstructure.pictures import CHANNELS, random_pictures
from napari_kikuchi.microstructure.train import (
    check_pictures,
    telling_loss,
    training_data,
    turned,
)
from napari_kikuchi.microstructure.wished_pictures import packed, random_wishes, ranges, unpacked
from napari_kikuchi.microstructure.wishes import NUMBERS, WISHES
from napari_kikuchi.training import TrainingSettings, check_folder, train

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Wishes for what is known of every slice.
MEASURED = ("phase", "fraction", "diameter")
# Of the logits of times at which numbers alone are wished for.
_EARLY_MEAN = 2.0
# Pictures that are made at each validation, and steps to each.
_MADE, _STEPS = 32, 10
# Of the holes, the wishes and the noise by which it is validated.
_SEED = 1


class ControlObjective(nn.Module):
    """The loss of a control on pictures with random holes, of which random things are wished for.

    Parameters
    ----------
    control
        That learns.
    base
        The generator's network, which from now on does not.
    """

    def __init__(self, control: ControlNetwork, base: GeneratorNetwork) -> None:
        super().__init__()
        self.control = control
        self.base = base.requires_grad_(False)

    def forward(self, rows: Tensor, generator: torch.Generator, step: int = 0) -> Tensor:
        """The loss of packed rows, their pictures turned at random."""
        pictures, numbers = unpacked(rows)
        # The field by which a coercivity is measured has a direction.
        exchanged = "coercivity" not in self.control.architecture.wishes
        return self.loss(turned(pictures, generator, exchanged=exchanged), numbers, generator)

    def loss(self, pictures: Tensor, numbers: Tensor, generator: torch.Generator) -> Tensor:
        """As of the generator: see :func:`~napari_kikuchi.microstructure.train.telling_loss`.

        Parameters
        ----------
        pictures, numbers
            See :func:`~napari_kikuchi.microstructure.wished_pictures.random_wishes`.
        generator
            Of wishes, holes, times and noise, on their device.
        """
        wishes = self.control.architecture.wishes
        planes = random_wishes(pictures, numbers, wishes, generator)
        # A number is obeyed, or not, before anything is seen in the noise.
        early = torch.where(planes[:, 0].isfinite().any(dim=(1, 2)), USUAL_MEAN, _EARLY_MEAN)
        tell = partial(self.control, self.base, planes)
        return telling_loss(self.base, tell, pictures, generator, early)


class ControlTask:
    """What :func:`napari_kikuchi.training.train` needs to train a control.

    Parameters
    ----------
    control
        Fresh, or trained before.
    base
        The generator that it leads.
    provenance
        Of the pictures; fit for JSON.
    learned
        Range of each number of the pictures, see
        :func:`~napari_kikuchi.microstructure.wished_pictures.ranges`.
    """

    def __init__(
        self,
        control: ControlNetwork,
        base: MicrostructureGenerator,
        provenance: Mapping[str, Any],
        learned: Mapping[str, Sequence[float]],
    ) -> None:
        self.module = ControlObjective(control, base.network)
        self._base, self._checksum = base, base_checksum(base.network)
        self._provenance, self._learned = dict(provenance), dict(learned)

    def identity(self) -> Mapping[str, Any]:
        """What a checkpoint must agree with to be resumed."""
        return {
            "architecture": self.module.control.architecture.settings(),
            "base": self._checksum,
            "pictures": self._provenance,
        }

    @torch.inference_mode()
    def validate(self, batches: Iterator[Tensor]) -> Job[dict[str, Any]]:
        """Loss of the same holes, wishes and noise each time.

        Where phases can be wished for, ``"boundaries"`` is the mean share of the boundaries of the
        phases of some pictures that those made for them have, too, within one pixel.
        """
        losses: list[float] = []
        wanted: list[Tensor] = []
        generator = None
        for number, rows in enumerate(batches):
            generator = generator or torch.Generator(rows.device).manual_seed(_SEED)
            pictures, numbers = unpacked(rows)
            losses += [float(self.module.loss(pictures, numbers, generator))] * len(rows)
            wanted += list(pictures[: max(0, _MADE - len(wanted)), -1:])
            yield Progress(number + 1, 0, "Validating")
        metrics = {"loss": sum(losses) / len(losses)}
        if "phase" in self.module.control.architecture.wishes:
            found = yield from self._agreements(torch.stack(wanted))
            if np.isfinite(found).any():
                metrics["boundaries"] = float(np.nanmean(found))
        return metrics

    def save(self, path: Path, metrics: Mapping[str, Any]) -> None:
        """Write the control as it is now."""
        told = {"identity": dict(self.identity()), "metrics": dict(metrics)}
        self._control({**told, "learned": self._learned}).save(path)

    def _control(self, provenance: Mapping[str, Any]) -> MicrostructureControl:
        return MicrostructureControl(self.module.control, self._checksum, provenance)

    def _agreements(self, phases: Tensor) -> Job[list[float]]:
        """Of the boundaries of phases of shape (n, 1, size, size) with those that are made."""
        rest = torch.full((len(phases), len(NUMBERS), *phases.shape[2:]), torch.nan)
        made = yield from replace(self._base, control=self._control({})).filled(
            torch.zeros(len(phases), CHANNELS, *phases.shape[2:]),
            torch.ones(len(phases), 1, *phases.shape[2:]),
            seed=_SEED,
            steps=_STEPS,
            wished=torch.cat([phases.cpu(), rest], dim=1),
        )
        pairs = zip(phases[:, 0].cpu().numpy() > 0, made[:, -1].numpy() > 0, strict=True)
        return [boundary_agreement(one, other) for one, other in pairs]


def train_control(
    folder: Path | str,
    base: MicrostructureGenerator,
    settings: TrainingSettings,
    *,
    wishes: Sequence[str] = MEASURED,
    coercivities: NDArray[np.floating] | None = None,
    volumes: int = 2000,
    slices: int = 6,
    size: int = 64,
    resume: bool = False,
) -> Job[Path]:
    """Train a control of a generator on slices of random volumes of grains.

    Closing the job keeps the best model so far; with ``resume`` it goes on.

    Parameters
    ----------
    folder
        See :func:`napari_kikuchi.training.train`.
    base
        The generator, of which nothing changes.
    settings
        How long and how; the seed is that of the volumes, too.
    wishes
        What can be wished for; any of it at a time.
    coercivities
        In T, of each slice in the order of
        :func:`~napari_kikuchi.microstructure.pictures.random_pictures`; NaN where nobody knows.
        None, unless coercivities can be wished for.
    volumes, slices, size
        See :func:`~napari_kikuchi.microstructure.pictures.random_pictures`. No slice of a volume
        that is held out is learned from; with the numbers and the seed of the generator's training
        it has not learned from these either.
    resume
        Go on from the folder's checkpoint.

    Yields
    ------
    Progress
        Volumes made, then as :func:`~napari_kikuchi.training.train`.

    Returns
    -------
    pathlib.Path
        The best model.

    Raises
    ------
    FileExistsError, FileNotFoundError, OutputInUseError, DiskFullError
        As :func:`~napari_kikuchi.training.train`.
    ValueError
        As :func:`~napari_kikuchi.microstructure.train.check_pictures`; if there is no such wish,
        the generator cannot be controlled, or coercivities are missing or of another number of
        slices.
    """
    check_folder(folder, resume=resume)
    ordered = tuple(name for name in WISHES if name in wishes)
    others = tuple(name for name in wishes if name not in WISHES)
    architecture = ControlArchitecture(base.network.architecture, ordered + others)
    check_pictures(volumes, size, base.network.architecture)
    if ("coercivity" in wishes) != (coercivities is not None):
        raise ValueError(
            "expected coercivities of the slices if, and only if, coercivity can be wished for"
        )
    if coercivities is not None and coercivities.shape != (volumes * slices,):
        raise ValueError(
            f"expected coercivities of {volumes * slices} slices, {slices} of each of {volumes} "
            f"volumes, found an array of shape {coercivities.shape}"
        )
    pictures = yield from random_pictures(volumes, slices, size, settings.seed)
    data = training_data(packed(pictures, coercivities), pictures.volumes)
    torch.manual_seed(settings.seed)
    told: dict[str, Any] = {
        "volumes": volumes,
        "slices": slices,
        "size": size,
        "seed": settings.seed,
    }
    if coercivities is not None:
        told["coercivities"] = digest_of({"coercivity": coercivities})
    learned = ranges(pictures, coercivities)
    task = ControlTask(ControlNetwork(architecture, base.network), base, told, learned)
    return (yield from train(task, data, settings, folder, resume=resume))
