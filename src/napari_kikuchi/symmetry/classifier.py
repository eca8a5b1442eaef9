"""A trained classifier of cubic space groups, and its file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_kikuchi.devices import pick_device
from napari_kikuchi.io.network_files import read_network, write_network
from napari_kikuchi.symmetry.modes import Modes
from napari_kikuchi.symmetry.network import SymmetryArchitecture, SymmetryNetwork
from napari_kikuchi.symmetry.votes import Trust

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CONTENT = "symmetry classifier"
_SHIPPED = "classifier.safetensors"
_BATCH = 1024


@dataclass(frozen=True, eq=False)
class SymmetryClassifier:
    """Tells space groups of cubic crystals.

    Attributes
    ----------
    network
        On the device where it is to run.
    provenance
        Settings, version and date; fit for JSON.
    only
        Classes that are not excluded beforehand; None: none of the network's is.
    """

    network: SymmetryNetwork
    provenance: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[int, ...] | None = None

    @property
    def groups(self) -> tuple[int, ...]:
        """Classes of space groups, in the order of the probabilities."""
        return self.network.architecture.groups if self.only is None else self.only

    def among(self, classes: Collection[int]) -> SymmetryClassifier:
        """The classifier of someone who knows that crystals are of some classes.

        Parameters
        ----------
        classes
            See :mod:`~napari_kikuchi.symmetry.classes`.

        Raises
        ------
        ValueError
            If there is none, or one that the network does not tell.
        """
        known = self.network.architecture.groups
        chosen = tuple(sorted({*classes}))
        if not chosen or not {*chosen} <= {*known}:
            raise ValueError(
                f"expected some of the classes {', '.join(map(str, known))}, which the classifier "
                f"tells apart, found {', '.join(map(str, chosen)) or 'none'}"
            )
        return replace(self, only=None if chosen == known else chosen)

    @cached_property
    def modes(self) -> Modes:
        """By which frames of patterns are found."""
        coarse, fine = (
            one.cpu().numpy() for one in (self.network.coarse_modes, self.network.fine_modes)
        )
        return Modes.of_triangle(coarse, fine)

    @cached_property
    def trust(self) -> Trust:
        """How sure its votes are."""
        return Trust(*self.network.trust.tolist())

    def partners(self, group: int) -> Mapping[int, float]:
        """Groups whose phases may show another group, and their share of those that show it.

        Parameters
        ----------
        group
            Number of the space group that is shown.

        Returns
        -------
        mapping
            From the other groups' numbers to shares, the largest first.
        """
        known = self.network.architecture.groups
        counts = self.network.shown_as[known.index(group)].tolist()
        total = sum(counts) or 1.0
        others = [
            (count / total, other)
            for other, count in zip(known, counts, strict=True)
            if other in self.groups and other != group and count > 0
        ]
        return {other: share for share, other in sorted(others, reverse=True)}

    @torch.inference_mode()
    def log_probabilities(self, totals: NDArray, counts: NDArray) -> NDArray[np.float32]:
        """Logarithms of the probabilities of the groups.

        Parameters
        ----------
        totals, counts
            Of one pattern, or of all that are of one crystal, as
            :func:`~napari_kikuchi.symmetry.folding.unfold` sums them, of shape (n, nodes).

        Returns
        -------
        numpy.ndarray
            Of shape (n, groups).
        """
        device = next(self.network.parameters()).device
        columns = [self.network.architecture.groups.index(group) for group in self.groups]
        found = [np.zeros((0, len(self.groups)), np.float32)]
        for start in range(0, len(totals), _BATCH):
            part = slice(start, start + _BATCH)
            given = (
                torch.from_numpy(np.asarray(one[part], np.float32)).to(device)
                for one in (totals, counts)
            )
            logits = self.network(*given)[:, columns]
            found.append(logits.log_softmax(dim=1).cpu().numpy())
        return np.concatenate(found)

    def save(self, path: Path | str) -> None:
        """Write the classifier to a file that :meth:`load` reads."""
        architecture = self.network.architecture.settings()
        write_network(path, self.network, _CONTENT, architecture, self.provenance)

    @classmethod
    def shipped(cls) -> SymmetryClassifier:
        """The classifier that comes with the package."""
        from importlib.resources import as_file, files

        with as_file(files(__package__) / _SHIPPED) as path:
            return cls.load(path, "cpu")

    @classmethod
    def chosen(cls, path: Path | None) -> SymmetryClassifier:
        """The classifier of a file; None: the one that comes with the package.

        Raises
        ------
        FileNotFoundError, ModelFileError
            As :meth:`load`.
        """
        return cls.shipped() if path is None else cls.load(path, "cpu")

    @classmethod
    def load(cls, path: Path | str, device: str = "auto") -> SymmetryClassifier:
        """Read a classifier.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelFileError
            If it is no such classifier, was written by a newer version, or is damaged.
        ValueError
            If there is no such device.
        """
        network, header = read_network(
            path, _CONTENT, "symmetry", SymmetryArchitecture.from_settings, SymmetryNetwork
        )
        return cls(network.to(pick_device(device)), header["provenance"])
