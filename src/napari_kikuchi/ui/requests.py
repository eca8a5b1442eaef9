"""What the forms ask of the command line: settings in, arguments out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_kikuchi.latent.presets import DEFAULT_PRESET
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.ui.arguments import (
    flags,
    geometry_settings,
    opening_arguments,
    path_argument,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.orientation.round_detectors import RoundDetector
    from napari_kikuchi.physics.indexing import HoughIndexing
    from napari_kikuchi.physics.maps import Kind


@dataclass(frozen=True, eq=False)
class TrainingRequest:
    """A training, as ``napari-kikuchi train`` takes it.

    Attributes
    ----------
    scans
        What to learn from.
    folder
        Where the model, its log and its checkpoint go.
    preset
        Network to train; None: that of ``init``.
    linear
        Fit principal components instead of training the network of ``preset``.
    epochs, minutes
        When to stop, whichever comes first; None: no such limit.
    patterns
        Drawn from each scan; None: the command's own choice.
    init
        Model to start from; its recipe is kept.
    resume
        Go on from the checkpoint in ``folder``.
    watch
        Positions whose latent map is written as the training goes.
    size, background, rescale
        Of the recipe; None: the command's own choice.
    mask
        Signal mask, for :meth:`write_mask` to write; None: found from the data.
    objective, beta, kl_warm_up, likelihood
        What the network is trained for; None: the command's own choice.
    """

    scans: Sequence[Scan]
    folder: Path
    preset: str | None = DEFAULT_PRESET
    linear: bool = False
    latent: int | None = None
    epochs: int | None = None
    minutes: float | None = None
    patterns: int | None = None
    seed: int | None = None
    init: Path | None = None
    resume: bool = False
    watch: Block | None = None
    size: tuple[int, int] | None = None
    background: Literal["exact", "sample", "none"] | None = None
    rescale: Literal["range", "deviation", "common"] | None = None
    mask: NDArray[np.bool_] | None = None
    objective: str | None = None
    beta: float | None = None
    kl_warm_up: int | None = None
    likelihood: str | None = None
    device: str | None = None
    threads: int | None = None

    @property
    def mask_file(self) -> Path | None:
        """Where the command reads the signal mask."""
        return None if self.mask is None else self.folder / "mask.npy"

    def write_mask(self) -> None:
        """Write the signal mask, if there is one, before the command is started."""
        _write_mask(self.mask_file, self.mask)

    def arguments(self) -> list[str]:
        """The command line, without the program.

        Raises
        ------
        ValueError
            If a scan cannot be opened by another process, or scans were opened in different ways.
        """
        options = [opening_arguments(scan) for scan in self.scans]
        if not options:
            raise ValueError("Choose at least one scan to train on.")
        if any(one != options[0] for one in options):
            raise ValueError(
                "These scans were opened with different options: "
                + "; ".join(f"{scan.name}: {dict(scan.options)}" for scan in self.scans)
                + ". Train on scans opened in the same way."
            )
        watch = None
        if self.watch is not None:
            rows, cols = self.watch.rows, self.watch.cols
            watch = f"{rows.start},{rows.stop},{cols.start},{cols.stop}"
        return [
            "train",
            *(path_argument(scan) for scan in self.scans),
            *flags(
                {
                    "out": self.folder,
                    "linear": self.linear,
                    "preset": None if self.linear else self.preset,
                    "latent": self.latent,
                    "epochs": self.epochs,
                    "minutes": self.minutes,
                    "patterns": self.patterns,
                    "seed": self.seed,
                    "init": self.init,
                    "resume": self.resume,
                    "watch": watch,
                    "size": _size_flag(self.size),
                    "background": self.background,
                    "rescale": self.rescale,
                    "mask": self.mask_file,
                    "objective": self.objective,
                    "beta": self.beta,
                    "kl_warm_up": self.kl_warm_up,
                    "likelihood": self.likelihood,
                    "device": self.device,
                    "threads": self.threads,
                }
            ),
            *options[0],
        ]


@dataclass(frozen=True)
class WorkPlace:
    """Where the blocks of a scan are worked on.

    Attributes
    ----------
    scheduler
        Address of a dask scheduler, or ``local``; None: threads of the process.
    workers
        Threads or processes on this machine; None: the command's own choice.
    """

    scheduler: str | None = None
    workers: int | None = None


@dataclass(frozen=True)
class EncodingRequest:
    """An encoding, as ``napari-kikuchi encode`` takes it."""

    scan: Scan
    model: Path
    out: Path
    device: str | None = None
    place: WorkPlace = field(default_factory=WorkPlace)

    def arguments(self) -> list[str]:
        """The command line, without the program.

        Raises
        ------
        ValueError
            If the scan cannot be opened by another process.
        """
        return [
            "encode",
            path_argument(self.scan),
            *flags(
                {
                    "model": self.model,
                    "out": self.out,
                    "device": self.device,
                    **asdict(self.place),
                }
            ),
            *opening_arguments(self.scan),
        ]


@dataclass(frozen=True, eq=False)
class MapsRequest:
    """Physics maps, as ``napari-kikuchi maps`` takes them.

    Attributes
    ----------
    scan
        What to map.
    kinds
        Of maps, some of :data:`~napari_kikuchi.physics.maps.KINDS`.
    out
        Map store to write.
    indexing, grain_threshold
        For the kind ``"indexing"``; None: the others only.
    size
        Height and width to average patterns down to; None: as recorded.
    mask
        Signal mask, for :meth:`write_mask` to write; None: found from the data.
    restart
        Begin anew instead of going on with what was stopped.
    place
        Where the work is done.
    """

    scan: Scan
    kinds: Sequence[Kind]
    out: Path
    indexing: HoughIndexing | None = None
    grain_threshold: float | None = None
    size: tuple[int, int] | None = None
    mask: NDArray[np.bool_] | None = None
    restart: bool = False
    place: WorkPlace = field(default_factory=WorkPlace)

    @property
    def mask_file(self) -> Path | None:
        """Where the command reads the signal mask."""
        return None if self.mask is None else self.out.with_suffix(".mask.npy")

    def write_mask(self) -> None:
        """Write the signal mask, if there is one, before the command is started."""
        _write_mask(self.mask_file, self.mask)

    def arguments(self) -> list[str]:
        """The command line, without the program.

        Raises
        ------
        ValueError
            If the scan cannot be opened by another process.
        """
        indexing: dict[str, Any] = {}
        if self.indexing is not None:
            indexing = {
                **geometry_settings(self.indexing.geometry),
                "phase": self.indexing.phase,
                "grain_threshold": self.grain_threshold,
            }
        return [
            "maps",
            path_argument(self.scan),
            *flags(
                {
                    "maps": ",".join(self.kinds),
                    "out": self.out,
                    "size": _size_flag(self.size),
                    "mask": self.mask_file,
                    "restart": self.restart,
                    **asdict(self.place),
                    **indexing,
                }
            ),
            *opening_arguments(self.scan),
        ]


@dataclass(frozen=True)
class VirtualRequest:
    """Virtual images, as ``napari-kikuchi virtual`` takes them.

    Attributes
    ----------
    scan
        What to map.
    detectors
        Each with its centre.
    out
        Map store to write.
    restart
        Begin anew instead of going on with what was stopped.
    """

    scan: Scan
    detectors: Sequence[RoundDetector]
    out: Path
    restart: bool = False

    def arguments(self) -> list[str]:
        """The command line, without the program.

        Raises
        ------
        ValueError
            If the scan cannot be opened by another process.
        """
        return [
            "virtual",
            path_argument(self.scan),
            *(part for one in self.detectors for part in ("--detector", str(one))),
            *flags({"out": self.out, "restart": self.restart}),
            *opening_arguments(self.scan),
        ]


def _write_mask(path: Path | None, mask: NDArray[np.bool_] | None) -> None:
    if path is not None and mask is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, mask)


def _size_flag(size: tuple[int, int] | None) -> str | None:
    return None if size is None else f"{size[0]}x{size[1]}"
