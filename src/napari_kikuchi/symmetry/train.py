"""Training a classifier of space groups on simulated phases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.lessons import SymmetryLessons, symmetry_lessons
from napari_kikuchi.symmetry.modes import Modes
from napari_kikuchi.symmetry.network import SymmetryArchitecture, SymmetryNetwork
from napari_kikuchi.symmetry.phase_library import PhaseLibrary
from napari_kikuchi.symmetry.votes import LEAST_PROBABILITY, Trust, vote
from napari_kikuchi.training import TrainingData, TrainingSettings, check_folder, train

# A phase whose patterns show another group than its own teaches that nothing is certain.
SMOOTHING = 0.05
# Patterns of which a vote is taken.
VOTERS = 20
# Of the phases, one fold of so many is held out.
_FOLDS = 5


class SymmetryObjective(nn.Module):
    """The loss of a network on some patterns of each phase, summed at the nodes.

    Parameters
    ----------
    network
        That learns.
    lessons
        What patterns of all phases show.
    """

    _totals: Tensor
    _counts: Tensor

    def __init__(self, network: SymmetryNetwork, lessons: SymmetryLessons) -> None:
        super().__init__()
        self.network = network
        self.lessons = lessons
        for name, values in (("_totals", lessons.totals), ("_counts", lessons.counts)):
            self.register_buffer(name, torch.from_numpy(values), persistent=False)

    def forward(self, rows: Tensor, generator: torch.Generator, step: int = 0) -> Tensor:
        """The loss of rows as :func:`training_data` makes them."""
        phases, labels = rows.long().unbind(dim=1)
        logits = self.network(*self.drawn(phases, generator))
        return functional.cross_entropy(logits, labels, label_smoothing=SMOOTHING)

    def drawn(self, phases: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Totals and counts of random patterns of phases.

        A single pattern and dozens of them are read by the same network: each batch takes another
        number of patterns of each phase.

        Parameters
        ----------
        phases
            Their numbers, of shape (n,).
        generator
            Of all that is random, on their device.
        """
        patterns = self._totals.shape[1]
        share = torch.rand((), generator=generator, device=phases.device)
        taken = min(int(math.exp(float(share) * math.log(patterns + 0.99))), patterns)
        chosen = torch.rand(len(phases), patterns, generator=generator, device=phases.device)
        return self.summed(phases, chosen.argsort(dim=1)[:, :taken])

    def summed(self, phases: Tensor, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Totals and counts of some patterns of phases together.

        Parameters
        ----------
        phases
            Their numbers, of shape (n,).
        patterns
            Their numbers, of shape (n, patterns).
        """
        totals, counts = (
            values[phases[:, None], patterns].float().sum(dim=1)
            for values in (self._totals, self._counts)
        )
        return totals, counts


class SymmetryTask:
    """What :func:`napari_kikuchi.training.train` needs to train a classifier.

    Parameters
    ----------
    network
        Fresh, or trained before.
    lessons
        What patterns of all phases show, of those to learn from and of those held out.
    provenance
        Of the lessons; fit for JSON.
    """

    def __init__(
        self,
        network: SymmetryNetwork,
        lessons: SymmetryLessons,
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        self.module = SymmetryObjective(network, lessons)
        self._provenance = dict(provenance or {})

    def identity(self) -> Mapping[str, Any]:
        """What a checkpoint must agree with to be resumed."""
        return {
            "architecture": self.module.network.architecture.settings(),
            "lessons": [list(self.module._totals.shape), self._provenance],
        }

    @torch.inference_mode()
    def validate(self, batches: Iterator[Tensor]) -> Job[dict[str, Any]]:
        """Loss of votes, and share of the groups told right by one pattern and by votes.

        How sure votes may be is measured on the way.
        """
        logarithms, truth, chosen = [], [], []
        patterns = self.module._totals.shape[1]
        for number, rows in enumerate(batches):
            phases, labels = rows.long().unbind(dim=1)
            each = torch.arange(patterns, device=rows.device)
            one = self.module.summed(
                phases.repeat_interleave(patterns), each.repeat(len(rows))[:, None]
            )
            of_one = self.module.network(*one).log_softmax(dim=1).reshape(len(rows), patterns, -1)
            logarithms.append(of_one.cpu().numpy())
            truth.append(labels.cpu().numpy())
            chosen.append(phases.cpu().numpy())
            yield Progress(number + 1, 0, "Validating")
        of_each, true = np.concatenate(logarithms), np.concatenate(truth)
        # As maps keep them.
        of_each = np.maximum(of_each, math.log(LEAST_PROBABILITY))
        network, lessons = self.module.network, self.module.lessons
        held_out = np.concatenate(chosen)
        alike, signal = lessons.repeated[held_out], lessons.signal[held_out]
        groups = network.architecture.groups
        trust = Trust.measured(of_each, alike, signal, true, groups)
        network.trust.copy_(torch.tensor(astuple(trust)))
        voters = min(VOTERS, patterns)
        votes = vote(
            np.repeat(np.arange(len(true)), voters),
            of_each[:, :voters].reshape(-1, len(groups)),
            alike[:, :voters].reshape(-1, 3),
            signal[:, :voters].ravel(),
            SymmetryClassifier(network),
        )
        of_true = votes.probabilities[np.arange(len(true)), true]
        return {
            "loss": -float(np.log(np.maximum(of_true, LEAST_PROBABILITY)).mean()),
            "right by one": float((of_each.argmax(axis=-1) == true[:, None]).mean()),
            f"right by {voters}": float((votes.probabilities.argmax(axis=1) == true).mean()),
            "groups in a set": float(votes.compatible.sum(axis=1).mean()),
        }

    def save(self, path: Path, metrics: Mapping[str, Any]) -> None:
        """Write the classifier as it is now."""
        provenance = {"identity": dict(self.identity()), "metrics": dict(metrics)}
        SymmetryClassifier(self.module.network, provenance).save(path)


def training_data(shown: np.ndarray, groups: tuple[int, ...], held_out: np.ndarray) -> TrainingData:
    """Phases by their numbers, with their labels, as :class:`SymmetryObjective` takes them.

    Parameters
    ----------
    shown
        Class that patterns of each phase show, of shape (phases,).
    groups
        Classes that are told apart, in ascending order.
    held_out
        Which phases are not learned from, of shape (phases,).
    """
    labels = np.searchsorted(groups, shown)
    rows = np.stack([np.arange(len(shown)), labels], axis=1).astype(np.float32)
    return TrainingData(rows[~held_out], rows[held_out])


def train_classifier(
    library: PhaseLibrary,
    folder: Path | str,
    settings: TrainingSettings,
    *,
    patterns: int = 24,
    width: int = 64,
    reads: str = "edges",
    fold: int = 0,
    kinematical: bool = False,
    resume: bool = False,
) -> Job[Path]:
    """Train a classifier of space groups on a library of phases.

    Closing the job keeps the best model so far; with ``resume`` it goes on.

    Parameters
    ----------
    library
        Its phases, of which a fifth of those that are not known is held out: no phase of these
        elements is learned from.
    folder
        See :func:`napari_kikuchi.training.train`.
    settings
        How long and how.
    patterns
        That are recorded of each phase.
    width, reads
        Of the network, see :class:`~napari_kikuchi.symmetry.network.SymmetryArchitecture`.
    fold
        Which fifth is held out, 0 to 4.
    kinematical
        Learn from bands alone, without what multiple scattering makes of them.
    resume
        Go on from the folder's checkpoint.

    Yields
    ------
    Progress
        Phases recorded, then as :func:`~napari_kikuchi.training.train`.

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
    random = ~library.known
    if not random.any():
        raise ValueError(
            "expected a library of random phases, found known ones alone: of those nothing can be "
            "held out. Learn from both: napari-kikuchi phases makes them"
        )
    # Of a class that no random phase has and shows there is too little to learn.
    groups = tuple(np.intersect1d(library.classes[random], library.shown[random]).tolist())
    library = library.showing(groups)
    held_out = library.folds(_FOLDS) == fold
    if not held_out.any() or held_out.all():
        raise ValueError(
            f"expected phases to learn from and others for validation in fold {fold}, found "
            f"{held_out.sum()} of {len(library)} held out. Simulate more phases"
        )
    masters = library.kinematical if kinematical else library.dynamical
    lessons = yield from symmetry_lessons(masters, patterns, seed=settings.seed)
    coarse, fine = Modes.of(masters[~held_out]).in_triangle
    torch.manual_seed(settings.seed)
    modes = coarse.shape[1], fine.shape[1]
    architecture = SymmetryArchitecture(groups, width, modes=modes, reads=reads)
    network = SymmetryNetwork(architecture)
    network.coarse_modes.copy_(torch.from_numpy(coarse))
    network.fine_modes.copy_(torch.from_numpy(fine))
    network.shown_as.copy_(torch.from_numpy(_shown_as(library, groups)))
    task = SymmetryTask(
        network,
        lessons,
        {
            "library seed": library.seed,
            "fold": fold,
            "kinematical": kinematical,
            "known phases": int(library.known.sum()),
        },
    )
    data = training_data(library.shown, groups, held_out)
    return (yield from train(task, data, settings, folder, resume=resume))


def _shown_as(library: PhaseLibrary, groups: tuple[int, ...]) -> np.ndarray:
    """How many phases of each class (columns) show each class (rows)."""
    counts = np.zeros((len(groups), len(groups)), np.float32)
    np.add.at(
        counts, tuple(np.searchsorted(groups, one) for one in (library.shown, library.classes)), 1
    )
    return counts
