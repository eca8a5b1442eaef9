"""Training a generator of microstructures on slices of polycrystals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.holes import random_holes
from napari_kikuchi.microstructure.latents import shuffled_out
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.noising import USUAL_MEAN, noised, random_times
from napari_kikuchi.microstructure.pictures import random_pictures
from napari_kikuchi.training import TrainingData, TrainingSettings, check_folder, train

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Of the volumes, one of so many is held out.
_FOLDS = 20
# Of the holes and the noise by which it is validated.
_SEED = 1


class GeneratorObjective(nn.Module):
    """The loss of a network on pictures with random holes.

    Parameters
    ----------
    network
        That learns.
    """

    def __init__(self, network: GeneratorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: Tensor, generator: torch.Generator, step: int = 0) -> Tensor:
        """The loss of pictures of shape (n, 4, size, size), 0 to 255, turned at random."""
        return self.loss(turned(scaled(rows), generator), generator)

    def loss(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """Mean square of what is told amiss, where it is unknown.

        Parameters
        ----------
        pictures
            Of shape (n, 4, size, size), -1 to 1.
        generator
            Of holes, times and noise, on their device.
        """
        return telling_loss(self.network, self.network, pictures, generator)


class GeneratorTask:
    """What :func:`napari_kikuchi.training.train` needs to train a generator.

    Parameters
    ----------
    network
        Fresh, or trained before.
    provenance
        Of the pictures; fit for JSON.
    """

    def __init__(self, network: GeneratorNetwork, provenance: Mapping[str, Any]) -> None:
        self.module = GeneratorObjective(network)
        self._provenance = dict(provenance)

    def identity(self) -> Mapping[str, Any]:
        """What a checkpoint must agree with to be resumed."""
        return {
            "architecture": self.module.network.architecture.settings(),
            "pictures": self._provenance,
        }

    @torch.inference_mode()
    def validate(self, batches: Iterator[Tensor]) -> Job[dict[str, Any]]:
        """Loss of the same holes and the same noise each time."""
        losses, generator = [], None
        for number, rows in enumerate(batches):
            generator = generator or torch.Generator(rows.device).manual_seed(_SEED)
            losses += [float(self.module.loss(scaled(rows), generator))] * len(rows)
            yield Progress(number + 1, 0, "Validating")
        return {"loss": sum(losses) / len(losses)}

    def save(self, path: Path, metrics: Mapping[str, Any]) -> None:
        """Write the generator as it is now."""
        provenance = {"identity": dict(self.identity()), "metrics": dict(metrics)}
        MicrostructureGenerator(self.module.network, provenance).save(path)


def telling_loss(
    network: GeneratorNetwork,
    tell: Callable[[Tensor, Tensor, Tensor], Tensor],
    pictures: Tensor,
    generator: torch.Generator,
    mean_time: float | Tensor = USUAL_MEAN,
) -> Tensor:
    """Mean square of what is told amiss of pictures with random holes, where they are unknown.

    Parameters
    ----------
    network
        Of the generator.
    tell
        What tells latents, called as the network.
    pictures
        Of shape (n, 4, size, size), -1 to 1.
    generator
        Of holes, times and noise, on their device.
    mean_time
        See :func:`~napari_kikuchi.microstructure.noising.random_times`.
    """
    holes = random_holes(len(pictures), pictures.shape[-1], generator)
    block = network.architecture.block
    latents, unknown = shuffled_out(pictures, block), shuffled_out(holes, block)
    inside = shuffled_out(holes.expand_as(pictures), block)
    process = network.process
    times = random_times(len(pictures), generator, mean_time)
    noise = torch.randn(latents.shape, generator=generator, device=latents.device)
    noisy = torch.where(inside > 0, noised(process, latents, noise, times), latents)
    amiss = (tell(noisy, unknown, times) - latents) ** 2 * inside
    return (amiss.sum(dim=(1, 2, 3)) * process.weights(times)).sum() / inside.sum()


def scaled(pictures: Tensor) -> Tensor:
    """From 0 to 255 to -1 to 1."""
    return pictures / 127.5 - 1


def training_data(values: NDArray, volumes: NDArray[np.int64]) -> TrainingData:
    """Rows to learn from, and all those of some volumes for validation.

    Parameters
    ----------
    values
        A row for each picture.
    volumes
        Number of the volume of each, see :class:`~napari_kikuchi.microstructure.pictures.Pictures`.
    """
    held_out = volumes < -(-(volumes.max() + 1) // _FOLDS)
    # Views: there may be gigabytes.
    first = int(held_out.sum())
    return TrainingData(values[first:], values[:first])


def check_pictures(volumes: int, size: int, architecture: GeneratorArchitecture) -> None:
    """Check that a network can learn from pictures, before any is made.

    Raises
    ------
    ValueError
        If there are too few volumes to hold one out, or the size does not suit the architecture.
    """
    if volumes < 2:
        raise ValueError(f"expected volumes to learn from and others to validate on, not {volumes}")
    if size % architecture.multiple:
        raise ValueError(
            f"expected pictures whose sides are multiples of {architecture.multiple} pixels for "
            f"{len(architecture.widths)} levels, not {size}"
        )


def train_generator(
    folder: Path | str,
    settings: TrainingSettings,
    *,
    architecture: GeneratorArchitecture | None = None,
    volumes: int = 2000,
    slices: int = 6,
    size: int = 64,
    resume: bool = False,
) -> Job[Path]:
    """Train a generator on slices of random volumes of grains.

    Closing the job keeps the best model so far; with ``resume`` it goes on.

    Parameters
    ----------
    folder
        See :func:`napari_kikuchi.training.train`.
    settings
        How long and how; the seed is that of the volumes, too.
    architecture
        Of the network; None: as it comes.
    volumes, slices, size
        See :func:`~napari_kikuchi.microstructure.pictures.random_pictures`. No slice of a volume
        that is held out is learned from.
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
        As :func:`check_pictures`.
    """
    check_folder(folder, resume=resume)
    architecture = architecture or GeneratorArchitecture()
    check_pictures(volumes, size, architecture)
    pictures = yield from random_pictures(volumes, slices, size, settings.seed)
    data = training_data(pictures.values, pictures.volumes)
    torch.manual_seed(settings.seed)
    task = GeneratorTask(
        GeneratorNetwork(architecture),
        {"volumes": volumes, "slices": slices, "size": size, "seed": settings.seed},
    )
    return (yield from train(task, data, settings, folder, resume=resume))


def turned(pictures: Tensor, generator: torch.Generator, *, exchanged: bool = True) -> Tensor:
    """Pictures mirrored, or with rows and columns exchanged, each at random.

    Parameters
    ----------
    pictures
        Of shape (n, channels, size, size).
    generator
        Of all that is random, on their device.
    exchanged
        Whether rows and columns may be exchanged: not where what is known of the pictures holds for
        one direction.
    """
    turns = [lambda one: one.flip(2), lambda one: one.flip(3)]
    if exchanged:
        turns.append(lambda one: one.mT)
    for turn in turns:
        chance = torch.rand(len(pictures), generator=generator, device=pictures.device)
        pictures = torch.where((chance < 0.5).reshape(-1, 1, 1, 1), turn(pictures), pictures)
    return pictures
