"""Training a spot transformer on simulated patterns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.orientation.degrade import Degradation, degrade
from napari_kikuchi.orientation.hypotheses import judge
from napari_kikuchi.orientation.in_plane import mirrored, turned
from napari_kikuchi.orientation.lessons import spot_lessons
from napari_kikuchi.orientation.network import SpotArchitecture, SpotTransformer
from napari_kikuchi.orientation.spot_model import SpotModel
from napari_kikuchi.orientation.symmetry import disorientation_angles, proper_operators
from napari_kikuchi.orientation.tokens import frame_angles, strongest
from napari_kikuchi.training import TrainingData, TrainingSettings, check_folder, train

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

# Of the spots of a pattern that lie along x in some frame: those that are surely found.
_FRAMES = 4
# Patterns suffer between this share of a degradation and all of it.
_LEAST = 0.1
# Orientations on which it is validated.
_MOST_HELD_OUT = 2000
# Beyond this a hypothesis is wrong, in degrees.
_RIGHT = 5.0


def training_rows(
    spots: NDArray[np.float32], rotations: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Patterns with their orientations, as :class:`SpotTask` takes them.

    Parameters
    ----------
    spots
        As :class:`~napari_kikuchi.orientation.spots.Spots` has them, of shape (n, spots, 3).
    rotations
        From the sample's frame into the crystal's, of shape (n, 3, 3).

    Returns
    -------
    numpy.ndarray
        Of shape (n, spots + 3, 3): behind the spots the rows of the rotation.
    """
    return np.concatenate([spots, rotations.astype(np.float32)], axis=1)


class SpotObjective(nn.Module):
    """The loss of a network on degraded patterns, turned and mirrored at random.

    Parameters
    ----------
    network
        That learns.
    operators
        Of the crystal.
    degradation
        The most that patterns suffer.
    """

    operators: Tensor

    def __init__(
        self, network: SpotTransformer, operators: Tensor, degradation: Degradation
    ) -> None:
        super().__init__()
        self.network, self.degradation = network, degradation
        self.register_buffer("operators", operators, persistent=False)

    def forward(self, rows: Tensor, generator: torch.Generator, step: int = 0) -> Tensor:
        """The loss of rows as :func:`training_rows` makes them."""
        spots, truth = self.degraded(rows, generator)
        spots = strongest(spots, self.network.architecture.spots)
        # One frame of those in which patterns are read later.
        angles = frame_angles(spots, _FRAMES)
        which = torch.rand(len(spots), generator=generator, device=rows.device)
        angle = angles.gather(1, (which * angles.shape[1]).long()[:, None])[:, 0]
        spots, truth = turned(spots, truth, -angle)
        rotations, scores = self.network(spots)
        return judge(rotations, scores, truth, self.operators).loss

    def degraded(self, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Patterns of other orientations, as they are measured, and their orientations."""
        spots, truth = rows[:, :-3], rows[:, -3:]
        draw = torch.rand(2, len(rows), generator=generator, device=rows.device)
        spots, truth = turned(spots, truth, 2 * math.pi * draw[0])
        mirror = (draw[1] < 0.5)[:, None, None]
        other, turned_over = mirrored(spots, truth)
        spots, truth = torch.where(mirror, other, spots), torch.where(mirror, turned_over, truth)
        # Some are measured well, and some badly.
        strength = _LEAST ** float(torch.rand((), generator=generator, device=rows.device))
        return degrade(spots, self.degradation.scaled(strength), generator), truth


class SpotTask:
    """What :func:`napari_kikuchi.training.train` needs to train a spot transformer.

    Parameters
    ----------
    network
        Fresh, or trained before.
    crystal
        Whose patterns.
    voltage
        In kV, at which they were simulated.
    degradation
        The most that patterns suffer, those for validation as well.
    seed
        Of what those for validation suffer.
    """

    def __init__(
        self,
        network: SpotTransformer,
        crystal: Crystal,
        voltage: float,
        degradation: Degradation,
        *,
        seed: int = 0,
    ) -> None:
        operators = proper_operators(crystal.laue_group, dtype=torch.float32)
        self.module = SpotObjective(network, operators, degradation)
        self._crystal, self._voltage, self._seed = crystal, voltage, seed

    def identity(self) -> Mapping[str, Any]:
        """What a checkpoint must agree with to be resumed."""
        return {
            "architecture": self.module.network.architecture.settings(),
            "crystal": self._crystal.name,
            "voltage": self._voltage,
            "degradation": asdict(self.module.degradation),
        }

    @torch.inference_mode()
    def validate(self, batches: Iterator[Tensor]) -> Job[dict[str, Any]]:
        """Loss, and what the likeliest and the best hypothesis of all frames miss, in degrees."""
        losses, likeliest, best = [], [], []
        for number, rows in enumerate(batches):
            generator = torch.Generator(rows.device).manual_seed(self._seed + number)
            losses.append(float(self.module(rows, generator)))
            spots, truth = self.module.degraded(rows, generator)
            rotations, scores = self.module.network.propose(spots, _FRAMES)
            angles = disorientation_angles(rotations, truth[:, None], self.module.operators)
            chosen = scores.argmax(dim=1, keepdim=True)
            likeliest.append(angles.gather(1, chosen)[:, 0].cpu())
            best.append(angles.amin(dim=1).cpu())
            yield Progress(number + 1, 0, "Validating")
        metrics: dict[str, Any] = {"loss": float(np.mean(losses))}
        for name, parts in (("likeliest", likeliest), ("best", best)):
            degrees = torch.cat(parts).rad2deg()
            metrics[f"{name} median"] = float(degrees.median())
            metrics[f"{name} within {_RIGHT:g}"] = float((degrees < _RIGHT).double().mean())
        return metrics

    def save(self, path: Path, metrics: Mapping[str, Any]) -> None:
        """Write the model as it is now."""
        provenance = {"identity": dict(self.identity()), "metrics": dict(metrics)}
        model = SpotModel(self.module.network, self._crystal.name, self._voltage, provenance)
        model.save(path)


def train_spot_model(
    crystal: Crystal,
    folder: Path | str,
    settings: TrainingSettings,
    *,
    architecture: SpotArchitecture | None = None,
    voltage: float = 300.0,
    axes: int = 30_000,
    degradation: Degradation | None = None,
    resume: bool = False,
) -> Job[Path]:
    """Train a spot transformer of a crystal on patterns by Bloch waves.

    Closing the job keeps the best model so far; with ``resume`` it goes on.

    Parameters
    ----------
    crystal
        Whose orientations it shall propose.
    folder
        See :func:`napari_kikuchi.training.train`.
    settings
        How long and how.
    architecture
        Of the network; None: as :class:`SpotArchitecture` has it.
    voltage
        Of the beam, in kV.
    axes
        Orientations that are simulated, each with several thicknesses; a tenth as many, 2,000 at
        most, are held out. All turns about the beam and mirror images of them come for nothing.
    degradation
        The most that patterns suffer; None: as :class:`Degradation` has it.
    resume
        Go on from the folder's checkpoint.

    Yields
    ------
    Progress
        Orientations simulated, then as :func:`~napari_kikuchi.training.train`.

    Returns
    -------
    pathlib.Path
        The best model.

    Raises
    ------
    FileExistsError, FileNotFoundError, ValueError, OutputInUseError, DiskFullError
        As :func:`~napari_kikuchi.training.train`.
    """
    check_folder(folder, resume=resume)
    architecture = architecture or SpotArchitecture()
    degradation = degradation or Degradation(k_max=architecture.k_max)
    held_out = min(_MOST_HELD_OUT, max(1, axes // 10))
    parts = []
    for count, seed in ((axes, settings.seed), (held_out, settings.seed + 1)):
        lessons = yield from spot_lessons(
            crystal, count, voltage=voltage, k_max=architecture.k_max, seed=seed
        )
        parts.append(training_rows(lessons.spots, lessons.rotations))
    torch.manual_seed(settings.seed)
    task = SpotTask(SpotTransformer(architecture), crystal, voltage, degradation)
    return (yield from train(task, TrainingData(*parts), settings, folder, resume=resume))
