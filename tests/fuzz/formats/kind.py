"""A kind of file: how valid ones are made, ways to spoil them, and their basic use."""

from abc import ABC, abstractmethod
from pathlib import Path
from random import Random

import numpy as np

from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan


class Format(ABC):
    """A kind of file that others may have written.

    Attributes
    ----------
    refusals
        Errors with which it may be refused.
    """

    refusals: tuple[type[Exception], ...] = ()

    @abstractmethod
    def make(self, folder: Path) -> None:
        """Write valid files of the kind into a folder, each a seed for others."""

    @abstractmethod
    def seeds(self, folder: Path) -> list[Path]:
        """Those files, each as often as it is to be chosen."""

    @abstractmethod
    def spoil(self, seed: Path, place: Path, random: Random) -> Path:
        """Write one of the seeds to a place, with something wrong about it."""

    @abstractmethod
    def use(self, path: Path) -> None:
        """Open it, and do with it what is done with every such file."""


def made_scan(rows=4, cols=5, size=(60, 60), dtype=np.uint16):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: size[0], : size[1]]
    strength = rng.normal(size=(rows, cols, 1, 1)) * 30
    patterns = 120 + strength * np.cos(0.3 * x + 0.1 * y) + rng.normal(size=(rows, cols, *size))
    return Scan(ArraySource(patterns.clip(0, 255).astype(dtype)), step=(0.5, 0.25), name="weld")
